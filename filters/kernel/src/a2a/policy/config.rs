//! Rules as they are written.

use super::{Policy, Rule, Verdict};
use crate::a2a::{Operation, Version};
use crate::pattern::Patterns;
use crate::rule::{Between, MAX_REASON, given, has_twice};
use crate::subject::{Field, Label, SubjectField};
use schemars::JsonSchema;
use std::fmt;
use tollgate_config::{Fault, Read, Value, object};

/// One rule: exactly one of `allow` and `deny`. The first rule that matches decides; where none does, nothing goes on.
#[derive(Debug, Clone, PartialEq, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct RuleConfig {
    /// Its name, in refusals and records. Default: its place, `#1`.
    pub name: Option<Label>,
    /// Whether it decides nothing and only says in the record what it would have decided.
    #[schemars(default)]
    pub shadow: bool,
    /// What goes on.
    pub allow: Option<Clause>,
    /// What does not go on. It also matches names that differ from these in capitals only.
    pub deny: Option<Clause>,
}

/// What a rule matches: all of what is given, of which each is a list where one must fit. In patterns `*` stands for any
/// characters.
#[derive(Debug, Clone, PartialEq, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Clause {
    /// Agents that call. A caller that is no agent does not match.
    pub agents: Option<Patterns>,
    /// Users for whom they call.
    pub users: Option<Patterns>,
    /// Teams.
    pub teams: Option<Patterns>,
    /// Tiers.
    pub tiers: Option<Patterns>,
    /// Environments.
    pub environments: Option<Patterns>,
    /// Features.
    pub features: Option<Patterns>,
    /// Ids of virtual keys.
    pub keys: Option<Patterns>,
    /// Agents that are called, by their names in this configuration.
    pub callees: Option<Patterns>,
    /// Skills that messages declare. What is no message (reading, following, ending a task) can declare none: an `allow` with
    /// `skills` matches it, a `deny` does not.
    pub skills: Option<Patterns>,
    /// Operations, by their names in version 1.0: `SendMessage`; and what A2A does not have, by its method, or by HTTP method and
    /// path: `GET /skills`. Without `operations` an `allow` matches all that A2A has, a `deny` everything.
    pub operations: Option<Patterns>,
    /// Tenants of the called agent. Without `tenants` an `allow` matches no request that names one; with them it matches only
    /// requests that do.
    pub tenants: Option<Patterns>,
    /// URIs of extensions. Of `allow`: all that a request may turn on, default none. Of `deny`: it must turn on one of them.
    pub extensions: Option<Patterns>,
    /// Of `deny`: who has acted before the agent that calls, as the nested `act` claims of its token say. One of them must fit.
    pub actors: Option<Patterns>,
    /// When, on every day.
    pub between: Option<Between>,
    /// What the caller is told.
    #[schemars(length(max = 200))]
    pub reason: Option<String>,
}

object!(RuleConfig { name, shadow = false, allow, deny });
object!(Clause {
    agents,
    users,
    teams,
    tiers,
    environments,
    features,
    keys,
    callees,
    skills,
    operations,
    tenants,
    extensions,
    actors,
    between,
    reason,
});

impl Read for Rule {
    fn read(value: &Value<'_>) -> Result<Self, Fault> {
        value.converted::<RuleConfig, _>()
    }
}

impl Read for Policy {
    fn read(value: &Value<'_>) -> Result<Self, Fault> {
        value.converted::<Vec<Rule>, _>()
    }
}

/// Why something is no rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotARule {
    /// Not exactly one of `allow` and `deny`.
    Verdict,
    /// Actors would let something through.
    Actors,
    /// An operation is called as version 0.3 calls it.
    OldName(Operation),
    /// The reason is longer than 200 bytes.
    LongReason,
    /// Two rules have the same name.
    Twice,
}

impl TryFrom<Vec<Rule>> for Policy {
    type Error = NotARule;

    fn try_from(rules: Vec<Rule>) -> Result<Self, NotARule> {
        if has_twice(rules.iter().filter_map(|rule| rule.name.as_ref())) {
            Err(NotARule::Twice)
        } else {
            Ok(Self(rules))
        }
    }
}

impl TryFrom<RuleConfig> for Rule {
    type Error = NotARule;

    fn try_from(config: RuleConfig) -> Result<Self, NotARule> {
        let RuleConfig { name, shadow, allow, deny } = config;
        match (allow, deny) {
            (Some(clause), None) if clause.actors.is_some() => Err(NotARule::Actors),
            (Some(clause), None) => clause.rule(name, shadow, Verdict::Allow),
            (None, Some(clause)) => clause.rule(name, shadow, Verdict::Deny),
            _ => Err(NotARule::Verdict),
        }
    }
}

impl Clause {
    fn rule(self, name: Option<Label>, shadow: bool, verdict: Verdict) -> Result<Rule, NotARule> {
        if self.reason.as_ref().is_some_and(|reason| reason.len() > MAX_REASON) {
            return Err(NotARule::LongReason);
        }
        if let Some(operation) = self.operations.as_ref().and_then(called_as_before) {
            return Err(NotARule::OldName(operation));
        }
        let other = SubjectField::Other;
        let subject = given([
            (other(Field::Agent), self.agents),
            (other(Field::User), self.users),
            (other(Field::Team), self.teams),
            (other(Field::Tier), self.tiers),
            (other(Field::Environment), self.environments),
            (other(Field::Feature), self.features),
            (SubjectField::Key, self.keys),
        ]);
        Ok(Rule {
            name,
            verdict,
            reason: self.reason,
            shadow,
            subject,
            callees: self.callees,
            skills: self.skills,
            operations: self.operations,
            tenants: self.tenants,
            extensions: self.extensions,
            actors: self.actors,
            between: self.between,
        })
    }
}

/// The operation of which patterns have only the name in version 0.3. They would never match it, so that a `deny` would let it
/// through.
fn called_as_before(operations: &Patterns) -> Option<Operation> {
    Operation::ALL.into_iter().find(|operation| {
        operations.fit_folded(operation.method(Version::V0_3)) && !operations.fit_folded(operation.name())
    })
}

impl fmt::Display for NotARule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Verdict => "a rule must have exactly one of `allow` and `deny`",
            Self::Actors => {
                "`actors` are only for `deny`: that somebody has acted before the agent that calls must not let anything through \
                 (RFC 8693, section 4.1)"
            }
            Self::OldName(operation) => {
                let (old, name) = (operation.method(Version::V0_3), operation.name());
                return write!(f, "`operations` has `{old}` under the name of version 0.3, expected `{name}`, for both versions");
            }
            Self::LongReason => "`reason` must not be longer than 200 bytes",
            Self::Twice => "two rules have the same name",
        })
    }
}

impl std::error::Error for NotARule {}
