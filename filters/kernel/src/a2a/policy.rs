//! Rules: which agent may call which, for whom, and for what.
//!
//! They are ordered, and the first that matches decides; nothing matches: deny. A rule matches what fits all that it gives.
//! What a request adds on its own, `allow` must name to let it through: a tenant, an extension, and what A2A does not have. A
//! `deny` also matches what differs from its names in capitals only, for some agents take one for the other.
//!
//! - **Skills** are what a message declares. With `skills` an `allow` matches the messages that declare one which fits. What is no
//!   message (reading, following, ending a task) can declare none: it belongs to a conversation that such a message began, so
//!   `skills` say nothing of it. A `deny` matches whatever declares one that fits; a message may declare none.
//! - **Extensions** in `allow` are all that may be turned on, in `deny` those of which one suffices.
//! - **Actors**, the ones before the current one, can only be a reason to `deny` (RFC 8693, section 4.1).
//! - Of a request that **nobody has read** (gRPC) an `allow` that asks for tenants or a message's skill does not match, and a `deny`
//!   that does so matches.

mod config;

pub use config::{Clause, NotARule, RuleConfig};

use super::{Named, Operation};
use crate::pattern::Patterns;
use crate::rule::{Between, RuleId, fit_all};
use crate::subject::{Field, Label, SubjectField};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use std::borrow::Cow;

/// Rules, in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq, JsonSchema)]
#[schemars(try_from = "Vec<Rule>")]
pub struct Policy(Vec<Rule>);

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    name: Option<Label>,
    verdict: Verdict,
    /// What the caller is told.
    reason: Option<String>,
    shadow: bool,
    subject: Vec<(SubjectField, Patterns)>,
    callees: Option<Patterns>,
    skills: Option<Patterns>,
    operations: Option<Patterns>,
    tenants: Option<Patterns>,
    extensions: Option<Patterns>,
    actors: Option<Patterns>,
    between: Option<Between>,
}

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'q> {
    /// The agent that is called, by its name in the configuration.
    pub callee: &'q str,
    /// What it is asked to do.
    pub operation: &'q Named<'q>,
    /// What else the request says.
    pub content: Content<'q>,
    /// The extensions that it turns on.
    pub extensions: &'q [String],
    /// Who has acted before the agent that calls, as its token says.
    pub actors: &'q [Label],
    /// Milliseconds since 1970.
    pub now_ms: u64,
}

/// What a request says beside what is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content<'q> {
    /// This.
    Read {
        /// To which tenant of the agent's.
        tenant: Option<&'q str>,
        /// The skill that is declared.
        skill: Option<&'q str>,
    },
    /// Nobody has read it.
    Unread,
}

/// What the rules say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision<'p> {
    /// What happens.
    pub verdict: Verdict,
    /// The rule that says so.
    pub rule: Option<RuleId<'p>>,
    /// Why.
    pub reason: Reason,
    /// What that rule wants the caller to be told.
    pub told: Option<&'p str>,
    /// The first rule in shadow that would have decided, and what it would have said.
    pub shadow: Option<(RuleId<'p>, Verdict)>,
}

/// What happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It goes on.
    Allow,
    /// It does not go on.
    Deny,
}

/// Why something is decided as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// A rule matches.
    Rule,
    /// No rule matches.
    NoRule,
    /// A rule matches if capital letters are not told from others.
    UnclearName,
    /// A rule may match: nobody has read the request.
    Unread,
}

/// Whether a rule matches, or part of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fit {
    Yes,
    No,
    /// To some readers, for this reason.
    Unclear(Reason),
}

impl Policy {
    /// What the rules say of `asked`, by the caller of whom `value_of` tells.
    pub fn decide<'p, 'v>(
        &'p self,
        asked: &Asked<'_>,
        value_of: impl Fn(SubjectField) -> Option<&'v str>,
    ) -> Decision<'p> {
        let mut shadow = None;
        for (index, rule) in self.0.iter().enumerate() {
            let fit = rule.fits_who_and_what(asked, &value_of).and(rule.fits_how(asked));
            let Some(reason) = rule.matches(fit) else { continue };
            let (verdict, id) = (rule.verdict, RuleId::of(rule.name.as_ref(), index));
            if rule.shadow {
                shadow = shadow.or(Some((id, verdict)));
                continue;
            }
            return Decision { verdict, rule: Some(id), reason, told: rule.reason.as_deref(), shadow };
        }
        Decision { verdict: Verdict::Deny, rule: None, reason: Reason::NoRule, told: None, shadow }
    }

    /// What the rules call callers by in this field, where they name them.
    pub fn names(&self, field: Field) -> impl Iterator<Item = &str> {
        let subjects = self.0.iter().flat_map(|rule| &rule.subject);
        let of_field = subjects.filter(move |(named, _)| *named == SubjectField::Other(field));
        of_field.flat_map(|(_, patterns)| patterns.names())
    }

    /// The rules that name callees, and those.
    pub fn callees(&self) -> impl Iterator<Item = (RuleId<'_>, &Patterns)> {
        self.0.iter().enumerate().filter_map(|(index, rule)| {
            rule.callees.as_ref().map(|callees| (RuleId::of(rule.name.as_ref(), index), callees))
        })
    }

    /// Whether a message that declares `skill` could be allowed, whatever else it says and whenever it is sent: what a card may
    /// show to the caller of whom `value_of` tells.
    pub fn shows<'v>(&self, skill: &str, callee: &str, value_of: impl Fn(SubjectField) -> Option<&'v str>) -> bool {
        [Operation::SendMessage, Operation::SendStreamingMessage].into_iter().any(|operation| {
            let asked = Asked {
                callee,
                operation: &Named::Known(operation),
                content: Content::Read { tenant: None, skill: Some(skill) },
                extensions: &[],
                actors: &[],
                now_ms: 0,
            };
            let mut rules = self.0.iter().filter(|rule| !rule.shadow);
            let decides = |rule: &&Rule| {
                let is_certain = rule.verdict == Verdict::Allow || rule.is_for_any_how();
                is_certain && rule.matches(rule.fits_who_and_what(&asked, &value_of)).is_some()
            };
            rules.find(decides).is_some_and(|rule| rule.verdict == Verdict::Allow)
        })
    }
}

impl Rule {
    /// Why it decides, if it does. What is unclear is only ever denied.
    fn matches(&self, fit: Fit) -> Option<Reason> {
        match (self.verdict, fit) {
            (_, Fit::Yes) => Some(Reason::Rule),
            (Verdict::Deny, Fit::Unclear(reason)) => Some(reason),
            (_, Fit::No) | (Verdict::Allow, Fit::Unclear(_)) => None,
        }
    }

    /// Who calls whom, to do what.
    fn fits_who_and_what<'v>(&self, asked: &Asked<'_>, value_of: &impl Fn(SubjectField) -> Option<&'v str>) -> Fit {
        let who = Fit::from(fit_all(&self.subject, value_of)).and(Fit::of(self.callees.as_ref(), asked.callee));
        who.and(self.fits_operation(asked.operation)).and(self.fits_skill(asked))
    }

    /// What a request can say beside, and when.
    fn fits_how(&self, asked: &Asked<'_>) -> Fit {
        let now = self.between.is_none_or(|between| between.contains(asked.now_ms));
        let actors =
            self.actors.as_ref().map_or(Fit::Yes, |actors| Fit::of_any(actors, asked.actors.iter().map(Label::as_str)));
        Fit::from(now).and(self.fits_tenant(asked.content)).and(self.fits_extensions(asked)).and(actors)
    }

    /// Whether it does not matter what a request says beside, nor when.
    const fn is_for_any_how(&self) -> bool {
        self.tenants.is_none() && self.extensions.is_none() && self.actors.is_none() && self.between.is_none()
    }

    fn fits_operation(&self, operation: &Named<'_>) -> Fit {
        match (&self.operations, operation) {
            (None, Named::Other(_)) => Fit::from(self.verdict == Verdict::Deny),
            (operations, _) => Fit::of(operations.as_ref(), operation.as_str()),
        }
    }

    fn fits_skill(&self, asked: &Asked<'_>) -> Fit {
        let Some(skills) = &self.skills else { return Fit::Yes };
        let is_no_message = matches!(asked.operation, Named::Known(operation) if !operation.sends());
        match asked.content {
            Content::Read { skill: Some(skill), .. } => Fit::of(Some(skills), skill),
            _ if is_no_message => Fit::from(self.verdict == Verdict::Allow),
            Content::Read { skill: None, .. } => Fit::No,
            Content::Unread => Fit::Unclear(Reason::Unread),
        }
    }

    fn fits_tenant(&self, content: Content<'_>) -> Fit {
        match (&self.tenants, content) {
            (Some(tenants), Content::Read { tenant: Some(tenant), .. }) => Fit::of(Some(tenants), tenant),
            (Some(_), Content::Read { tenant: None, .. }) => Fit::No,
            (Some(_), Content::Unread) => Fit::Unclear(Reason::Unread),
            (None, Content::Read { tenant: Some(_), .. }) => Fit::from(self.verdict == Verdict::Deny),
            (None, _) => Fit::Yes,
        }
    }

    fn fits_extensions(&self, asked: &Asked<'_>) -> Fit {
        match (self.verdict, &self.extensions) {
            (Verdict::Allow, None) => Fit::from(asked.extensions.is_empty()),
            (Verdict::Allow, Some(may)) => Fit::from(asked.extensions.iter().all(|extension| may.fit(extension))),
            (Verdict::Deny, None) => Fit::Yes,
            (Verdict::Deny, Some(must_not)) => match Fit::of_any(must_not, asked.extensions.iter().map(String::as_str))
            {
                Fit::No if asked.content == Content::Unread => Fit::Unclear(Reason::Unread),
                fit => fit,
            },
        }
    }
}

impl Fit {
    /// Whether this name does.
    fn of(patterns: Option<&Patterns>, name: &str) -> Self {
        match patterns {
            None => Self::Yes,
            Some(patterns) if patterns.fit(name) => Self::Yes,
            Some(patterns) if patterns.fit_folded(name) => Self::Unclear(Reason::UnclearName),
            Some(_) => Self::No,
        }
    }

    /// Whether one of these names does.
    fn of_any<'n>(patterns: &Patterns, names: impl Iterator<Item = &'n str>) -> Self {
        names.map(|name| Self::of(Some(patterns), name)).fold(Self::No, |any, one| match (any, one) {
            (Self::Yes, _) | (_, Self::Yes) => Self::Yes,
            (Self::No, one) => one,
            (any, _) => any,
        })
    }

    /// Whether both do.
    const fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::No, _) | (_, Self::No) => Self::No,
            (Self::Yes, other) => other,
            (this, _) => this,
        }
    }
}

impl From<bool> for Fit {
    fn from(fits: bool) -> Self {
        if fits { Self::Yes } else { Self::No }
    }
}

impl Verdict {
    /// The word in records.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
        }
    }
}

impl Reason {
    /// The word in records and refusals.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rule => "rule",
            Self::NoRule => "no_rule",
            Self::UnclearName => "unclear_name",
            Self::Unread => "unread",
        }
    }
}

impl JsonSchema for Rule {
    fn schema_name() -> Cow<'static, str> {
        "Rule".into()
    }

    /// As it is written.
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        RuleConfig::json_schema(generator)
    }
}

#[cfg(test)]
mod tests;
