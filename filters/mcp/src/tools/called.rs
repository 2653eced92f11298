//! What is known of the tool that a call is for.

use super::catalogue::{Facts, Tool};
use super::objection::{Judgement, Objection, judge};
use super::results::Results;
use super::schemas::{Of, Unusable};
use crate::config::Server;
use crate::refusal::{Policy, Refusal};
use std::rc::Rc;
use tollgate_kernel::json::{Document, Limits, Value};
use tollgate_kernel::mcp::{Content, Headers, Posted, Reason, Refused, Target};
use tollgate_kernel::rule::Annotations;
use tollgate_kernel::schema::{Invalid, Schema};

/// What is known of the tool that a request is for, if it is for one.
#[derive(Debug, Clone)]
pub struct Called {
    tool: Option<Rc<Tool>>,
    judgement: Judgement,
    /// Whether headers repeat of the arguments what the tool wants repeated.
    pub agrees: Result<(), Reason>,
}

impl Default for Called {
    fn default() -> Self {
        Self { tool: None, judgement: Judgement::default(), agrees: Ok(()) }
    }
}

impl Called {
    /// What is known of the tool that was posted with these headers.
    #[must_use]
    pub fn of(server: &Server, posted: &Posted<'_, '_>, headers: Headers<'_>) -> Self {
        let Content::Call(call) = &posted.content else { return Self::default() };
        let Target::Tool(name) = &call.target else { return Self::default() };
        let tool = server.tools.catalogue().get(name).map(Rc::clone);
        let facts = tool.as_ref().and_then(|tool| tool.now.facts.as_ref());
        let agree = |facts: &Facts| headers.agree_with_arguments(posted.revision, call.arguments, &facts.headers);
        Self { agrees: facts.map_or(Ok(()), agree), judgement: judge(&server.config, tool.as_deref()), tool }
    }

    /// What its server says of it.
    #[must_use]
    pub fn annotations(&self, server: &Server) -> Annotations {
        self.tool.as_ref().map_or_else(Annotations::default, |tool| tool.annotations(server))
    }

    /// What its answer must be, if nothing speaks against it and against these arguments.
    ///
    /// # Errors
    /// What does.
    pub fn check(&self, server: &Server, arguments: Option<Value<'_, '_>>) -> Result<Option<Results>, Refusal> {
        if let Some(objection) = &self.judgement.refused {
            let rule = objection.rule(server.name.as_str());
            return Err(refusal(Refused::Denied, rule, objection.reason(), objection.to_string()));
        }
        let known = self.tool.as_ref().and_then(|tool| Some((tool.now.digest, tool.now.facts.as_ref()?)));
        let Some((digest, facts)) = known else { return Ok(None) };
        let rule = |setting| format!("servers.{}.{setting}", server.name);
        if server.config.check_arguments {
            let rule = || rule("check_arguments");
            let schema = server.tools.schemas.get(digest, Of::Arguments, &facts.input);
            let schema = schema.map_err(|unusable| unusable.refusal(rule()))?;
            // It was seen when nobody asked for its schema.
            let schema = schema.ok_or_else(|| unseen("check_arguments", server))?;
            check(&schema, arguments)
                .map_err(|invalid| refusal(Refused::Invalid, rule(), "invalid_arguments", invalid.to_string()))?;
        }
        if !server.config.check_results {
            return Ok(None);
        }
        let schema = server.tools.schemas.get(digest, Of::Results, &facts.output);
        let schema = schema.map_err(|unusable| unusable.refusal(rule("check_results")))?;
        Ok(schema.map(|schema| Results { schema, rule: rule("check_results") }))
    }

    /// The setting in shadow that would have refused it.
    #[must_use]
    pub fn shadow(&self, server: &Server) -> Option<String> {
        self.judgement.shadow.map(|objection| objection.rule(server.name.as_str()))
    }
}

impl Tool {
    /// What `server` says of it.
    #[must_use]
    pub fn annotations(&self, server: &Server) -> Annotations {
        let facts = self.now.facts.as_ref();
        Annotations {
            destructive: facts.and_then(|facts| facts.destructive),
            read_only: facts.and_then(|facts| facts.read_only),
            trusted: server.config.trust_annotations,
        }
    }
}

/// Checks arguments, of which none are the same as an empty object.
fn check(schema: &Schema, arguments: Option<Value<'_, '_>>) -> Result<(), Invalid> {
    let Some(arguments) = arguments else {
        let none = Document::read(b"{}", Limits { bytes: 2, nodes: 1 });
        return none.map_or(Err(Invalid::TooMuch), |none| schema.check(none.root()));
    };
    schema.check(arguments)
}

fn unseen(setting: &'static str, server: &Server) -> Refusal {
    let objection = Objection::NotSeen(setting);
    refusal(Refused::Denied, objection.rule(server.name.as_str()), objection.reason(), objection.to_string())
}

fn refusal(refused: Refused, rule: String, reason: &'static str, told: String) -> Refusal {
    Refusal::Policy(Box::new(Policy {
        refused,
        rule: Some(rule),
        reason,
        told: Some(told),
        lacks: None,
        question: None,
    }))
}

impl Unusable {
    fn refusal(self, rule: String) -> Refusal {
        let told = format!("its schema cannot be checked with: {}", self.0);
        refusal(Refused::Denied, rule, "schema_unsupported", told)
    }
}
