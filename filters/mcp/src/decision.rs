//! What the rules say of a request. Pure.

use crate::config::{Gate, Server};
use crate::exchange::{Asked, Decided, Object};
use crate::refusal::{Policy as Told, Refusal};
use tollgate_kernel::caller::Caller;
use tollgate_kernel::json::Value;
use tollgate_kernel::mcp::{Call, Named, Refused, Target};
use tollgate_kernel::pattern::Patterns;
use tollgate_kernel::provenance::Note;
use tollgate_kernel::rule::{self, Annotations, Arguments, Attribute, Decision, Policy, Reason, Scope, Verdict};

/// Who asks whom, and when.
#[derive(Debug, Clone, Copy)]
pub struct Context<'c> {
    /// The configuration.
    pub gate: &'c Gate,
    /// The server that is asked.
    pub server: &'c Server,
    /// Who asks.
    pub caller: &'c Caller,
    /// What the caller's token was granted.
    pub scopes: &'c [String],
    /// From which prompts the call may come.
    pub noted: &'c [Note],
    /// Milliseconds since 1970.
    pub now_ms: u64,
}

/// What a call acts on, as rules name it, and the server that has it.
///
/// # Errors
/// When that server is none that is known.
pub fn object(call: &Call<'_, '_>, server: &Server) -> Result<(Option<Object>, String), Refusal> {
    let named = |name: &str| server.qualified(name).ok_or(Refusal::UnknownBackend);
    let own = || server.name.as_str().to_owned();
    Ok(match &call.target {
        Target::Nothing => (None, own()),
        Target::Tool(name) => named(name).map(|found| (Some(Object::Tool(found.name)), found.server.to_owned()))?,
        Target::Prompt(name) => named(name).map(|found| (Some(Object::Prompt(found.name)), found.server.to_owned()))?,
        Target::Resource(uri) => (Some(Object::Resource(uri.clone().into_owned())), server.of_resource(uri).to_owned()),
        Target::Resources(uris) => {
            let uris = uris.iter().map(|uri| uri.clone().into_owned()).collect();
            (Some(Object::Resources(uris)), own())
        }
        Target::Task(id) => (Some(Object::Task(id.clone().into_owned())), own()),
    })
}

/// One question to the rules.
#[derive(Debug, Clone, Copy)]
pub struct Question<'q, 'd, 'a> {
    /// The method.
    pub method: &'q Named<'q>,
    /// What it is about.
    pub object: rule::Object<'q>,
    /// The server that has that.
    pub server: &'q str,
    /// With what.
    pub arguments: Arguments<'d, 'a>,
}

impl<'c> Context<'c> {
    /// What the rules say of a call: of each of several resources the strictest.
    pub fn decide(
        &self,
        asked: &Asked,
        server: &str,
        arguments: Option<Value<'_, '_>>,
        annotations: Annotations,
    ) -> (Verdict<'c>, Decided, Option<&'c str>) {
        let nothing = Named::Other("".into());
        let method = asked.method.as_ref().unwrap_or(&nothing);
        let arguments = Arguments::These(arguments);
        let ask = |object| self.ask(&Question { method, object, server, arguments });
        let ask_resource = |uri| {
            let server = self.server.of_resource(uri);
            self.ask(&Question { method, object: rule::Object::Resource(uri), server, arguments })
        };
        match &asked.object {
            Some(Object::Tool(name)) => ask(rule::Object::Tool(name, annotations)),
            Some(Object::Prompt(name)) => ask(rule::Object::Prompt(name)),
            Some(Object::Resource(uri)) => ask_resource(uri),
            Some(Object::Resources(uris)) => {
                let mut decided = None;
                for uri in uris {
                    let one = ask_resource(uri);
                    let strict = one.0 != Verdict::Allow;
                    decided = Some(one);
                    if strict {
                        break;
                    }
                }
                decided.unwrap_or_else(|| ask(rule::Object::Nothing))
            }
            None | Some(Object::Task(_)) => ask(rule::Object::Nothing),
        }
    }

    /// What the server's own rules say, else the gate's.
    pub fn ask(&self, question: &Question<'_, '_, '_>) -> (Verdict<'c>, Decided, Option<&'c str>) {
        let asked = rule::Asked {
            method: question.method.as_str(),
            acts: question.method.acts(),
            object: question.object,
            arguments: question.arguments,
            scopes: self.scopes,
            noted: self.noted,
            now_ms: self.now_ms,
        };
        let value_of = |attribute| match attribute {
            Attribute::Server => Some(question.server),
            Attribute::Subject(field) => self.caller.subject.text(field),
        };
        let rules = |policy: &'c Policy| policy.decide(&asked, value_of);
        let own = rules(&self.server.config.rules);
        let (decision, shadow, lacks) = if own.rule.is_some() {
            let shadow = own.shadow.map(|(rule, verdict)| (self.of_server(&rule), verdict.name()));
            let lacks = own.lacks;
            (told(own, |rule| self.of_server(rule)), shadow, lacks)
        } else {
            let shadow = own.shadow.map(|(rule, verdict)| (self.of_server(&rule), verdict.name()));
            let gates = rules(&self.gate.rules);
            let further = gates.shadow.map(|(rule, verdict)| (of_gate(&rule), verdict.name()));
            // That a prompt is missing says more than that no rule matches.
            let lacking = gates.reason == Reason::NoRule && own.reason == Reason::NoPrompt;
            let lacks = own.lacks.filter(|_| gates.verdict == Verdict::Deny).or(gates.lacks);
            (told(if lacking { own } else { gates }, of_gate), shadow.or(further), lacks)
        };
        let Said { verdict, rule, reason, text, prompts } = decision;
        let (wanted, prompts) = if reason == Reason::NoPrompt { (prompts, None) } else { (None, prompts) };
        let decided = Decided {
            verdict: verdict.name(),
            rule,
            reason: reason.name(),
            shadow,
            lacks: lacks.map(Scope::list),
            noted: prompts.map_or_else(Vec::new, |prompts| self.noted(prompts)),
            wanted: wanted.map(ToString::to_string),
        };
        (verdict, decided, text)
    }

    /// The notes that the call comes from one of these prompts.
    fn noted(&self, prompts: &Patterns) -> Vec<Note> {
        self.noted.iter().filter(|note| prompts.fit(note.prompt.as_str())).cloned().collect()
    }

    fn of_server(&self, rule: &rule::RuleId<'_>) -> String {
        format!("servers.{}.rules.{rule}", self.server.name)
    }
}

/// A decision, with the rule's name in the configuration.
struct Said<'c> {
    verdict: Verdict<'c>,
    rule: Option<String>,
    reason: Reason,
    text: Option<&'c str>,
    prompts: Option<&'c Patterns>,
}

fn told<'c>(decision: Decision<'c>, name: impl Fn(&rule::RuleId<'_>) -> String) -> Said<'c> {
    let Decision { verdict, rule, reason, told: text, prompts, .. } = decision;
    Said { verdict, rule: rule.as_ref().map(name), reason, text, prompts }
}

fn of_gate(rule: &rule::RuleId<'_>) -> String {
    format!("rules.{rule}")
}

/// What a caller is told of whom no prompt is on note.
fn only_from(prompts: &str) -> String {
    format!("it may be called once when a model asks for exactly this from one of the prompts {prompts}")
}

/// The refusal that a decision is.
#[must_use]
pub fn refusal(decided: &Decided, refused: Refused, told: Option<&str>) -> Refusal {
    Refusal::Policy(Box::new(Told {
        refused,
        rule: decided.rule.clone(),
        reason: if decided.lacks.is_some() { "insufficient_scope" } else { decided.reason },
        lacks: decided.lacks.clone(),
        told: told.map(str::to_owned).or_else(|| decided.wanted.as_deref().map(only_from)),
        question: None,
    }))
}

#[cfg(test)]
mod tests;
