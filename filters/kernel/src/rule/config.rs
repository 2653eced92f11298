//! Rules as they are written.

use super::{Approval, Attribute, Between, Condition, Confirm, Objects, Policy, Rule, Scope, Then, Within};
use crate::json::Pointer;
use crate::pattern::Patterns;
use crate::subject::{Field, Label, SubjectField};
use schemars::JsonSchema;
use std::fmt;
use tollgate_config::{Fault, Map, Read, Value, object};

/// How long a yes is good for if nothing is said.
const WITHIN_S: u64 = 600;

/// One rule: exactly one of `allow`, `confirm` and `deny`. The first rule that matches decides.
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
    /// What goes on if somebody says yes.
    pub confirm: Option<Clause>,
    /// What does not go on.
    pub deny: Option<Clause>,
}

/// What a rule matches: all of what is given, of which each is a list where one must fit. In patterns `*` stands for any
/// characters.
#[derive(Debug, Clone, PartialEq, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Clause {
    /// Names of tools. Of `tools`, `prompts` and `resources` one must fit.
    pub tools: Option<Patterns>,
    /// Names of prompts.
    pub prompts: Option<Patterns>,
    /// URIs of resources.
    pub resources: Option<Patterns>,
    /// Methods of the protocol: `tools/call`.
    pub methods: Option<Patterns>,
    /// Servers, by their names in this configuration.
    pub servers: Option<Patterns>,
    /// Ids of virtual keys.
    pub keys: Option<Patterns>,
    /// Users.
    pub users: Option<Patterns>,
    /// Teams.
    pub teams: Option<Patterns>,
    /// Features.
    pub features: Option<Patterns>,
    /// Environments.
    pub environments: Option<Patterns>,
    /// Tiers.
    pub tiers: Option<Patterns>,
    /// Agents.
    pub agents: Option<Patterns>,
    /// What the arguments at these JSON pointers must be: `/table`.
    #[schemars(default)]
    pub arguments: Map<Pointer, Condition>,
    /// What the server says of the tool. Lets something through only if the server is trusted.
    #[schemars(default)]
    pub annotations: AnnotationsConfig,
    /// When, on every day.
    pub between: Option<Between>,
    /// Of `allow` and `confirm`: scopes that the caller's verified token must have been granted, all of them.
    #[schemars(default)]
    pub scopes: Vec<Scope>,
    /// Of `allow` and `confirm`, for tools: names of prompts in the AI gateway's configuration. One of them must have made a
    /// model ask for exactly this call, by the same caller, not long ago and not called since.
    pub from_prompts: Option<Patterns>,
    /// What the caller is told.
    #[schemars(length(max = 200))]
    pub reason: Option<String>,
    /// Of `confirm`: who must say yes.
    pub by: Option<By>,
    /// Of `by: approver`: who may.
    pub approvers: Option<ApproversConfig>,
    /// Of `confirm`: for how long question and yes are good. Default: `10m`.
    pub within: Option<Within>,
}

/// What a server says of a tool. What it does not say counts as MCP has it: destructive, and not read only.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct AnnotationsConfig {
    /// Whether it may destroy something: `destructiveHint`, of what is not read only.
    pub destructive: Option<bool>,
    /// Whether it changes nothing: `readOnlyHint`.
    pub read_only: Option<bool>,
}

/// Who must say yes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum By {
    /// The person at the client.
    Caller,
    /// Somebody else.
    Approver,
}

/// Who may say yes: who fits all that is given. Never who asks.
#[derive(Debug, Clone, PartialEq, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ApproversConfig {
    /// Users.
    pub users: Option<Patterns>,
    /// Teams.
    pub teams: Option<Patterns>,
}

object!(RuleConfig { name, shadow = false, allow, confirm, deny });
object!(Clause {
    tools,
    prompts,
    resources,
    methods,
    servers,
    keys,
    users,
    teams,
    features,
    environments,
    tiers,
    agents,
    arguments = Map::default(),
    annotations = AnnotationsConfig::default(),
    between,
    scopes = Vec::new(),
    from_prompts,
    reason,
    by,
    approvers,
    within,
});
object!(AnnotationsConfig { destructive, read_only });
object!(ApproversConfig { users, teams });

impl Read for By {
    fn read(value: &Value<'_>) -> Result<Self, Fault> {
        value.one_of("enum By", &[("caller", Self::Caller), ("approver", Self::Approver)])
    }
}

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
    /// Not exactly one of `allow`, `confirm` and `deny`.
    Verdict,
    /// `by`, `approvers` or `within` without `confirm`.
    OnlyConfirm,
    /// `confirm` without `by`.
    NoBy,
    /// `by: approver` without approvers, or approvers without that.
    Approvers,
    /// A condition of an argument is nothing, or of several kinds.
    Condition,
    /// A deny asks for scopes.
    Scopes,
    /// A part of the day is none or all of it.
    Between,
    /// `from_prompts` in `deny`, or without `tools`.
    FromPrompts,
    /// The reason is longer than 200 bytes.
    LongReason,
    /// Two rules have the same name.
    Twice,
}

/// What a caller is told stands in headers and records.
pub(crate) const MAX_REASON: usize = 200;

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
        let RuleConfig { name, shadow, allow, confirm, deny } = config;
        let (then, clause) = match (allow, confirm, deny) {
            (Some(clause), None, None) => (clause.not_confirm(Then::Allow)?, clause),
            (None, None, Some(clause)) if !clause.scopes.is_empty() => return Err(NotARule::Scopes),
            (None, None, Some(clause)) => (clause.not_confirm(Then::Deny)?, clause),
            (None, Some(mut clause), None) => (Then::Confirm(clause.confirm()?), clause),
            _ => return Err(NotARule::Verdict),
        };
        clause.rule(name, shadow, then)
    }
}

impl Clause {
    fn not_confirm(&self, then: Then) -> Result<Then, NotARule> {
        let confirms = self.by.is_some() || self.approvers.is_some() || self.within.is_some();
        if confirms { Err(NotARule::OnlyConfirm) } else { Ok(then) }
    }

    fn confirm(&mut self) -> Result<Confirm, NotARule> {
        let by = match (self.by.ok_or(NotARule::NoBy)?, self.approvers.take()) {
            (By::Caller, None) => Approval::Caller,
            (By::Approver, Some(approvers)) => {
                let patterns = given([(of(Field::User), approvers.users), (of(Field::Team), approvers.teams)]);
                if patterns.is_empty() {
                    return Err(NotARule::Approvers);
                }
                Approval::Approver(patterns)
            }
            _ => return Err(NotARule::Approvers),
        };
        Ok(Confirm { by, within_s: self.within.map_or(WITHIN_S, |within| within.seconds) })
    }

    fn rule(self, name: Option<Label>, shadow: bool, then: Then) -> Result<Rule, NotARule> {
        if self.reason.as_ref().is_some_and(|reason| reason.len() > MAX_REASON) {
            return Err(NotARule::LongReason);
        }
        if self.from_prompts.is_some() && (then == Then::Deny || self.tools.is_none()) {
            return Err(NotARule::FromPrompts);
        }
        let attributes = given([
            (Attribute::Server, self.servers),
            (Attribute::Subject(SubjectField::Key), self.keys),
            (of(Field::User), self.users),
            (of(Field::Team), self.teams),
            (of(Field::Feature), self.features),
            (of(Field::Environment), self.environments),
            (of(Field::Tier), self.tiers),
            (of(Field::Agent), self.agents),
        ]);
        Ok(Rule {
            name,
            then,
            reason: self.reason,
            shadow,
            objects: Objects {
                tools: self.tools,
                prompts: self.prompts,
                resources: self.resources,
                methods: self.methods,
            },
            attributes,
            arguments: self.arguments.into_iter().collect(),
            annotations: self.annotations,
            between: self.between,
            scopes: self.scopes,
            from_prompts: self.from_prompts,
        })
    }
}

/// Whether a name is there twice.
pub(crate) fn has_twice<'n>(mut names: impl Iterator<Item = &'n Label> + Clone) -> bool {
    while let Some(name) = names.next() {
        if names.clone().any(|other| other == name) {
            return true;
        }
    }
    false
}

const fn of(field: Field) -> Attribute {
    Attribute::Subject(SubjectField::Other(field))
}

/// Those for which there are patterns.
pub(crate) fn given<A, const N: usize>(patterns: [(A, Option<Patterns>); N]) -> Vec<(A, Patterns)> {
    patterns.into_iter().filter_map(|(attribute, patterns)| patterns.map(|patterns| (attribute, patterns))).collect()
}

impl fmt::Display for NotARule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Verdict => "a rule must have exactly one of `allow`, `confirm` and `deny`",
            Self::OnlyConfirm => "`by`, `approvers` and `within` are only for `confirm`",
            Self::NoBy => "`confirm` must say `by`, `caller` or `approver`",
            Self::Approvers => "`approvers` with `users` or `teams` must stand where it says `by: approver`, and only there",
            Self::Condition => {
                "an argument must have exactly one of `equals`, `one_of`, a text (`glob`, `min_length`, `max_length`) and a \
                 range (`min`, `max`)"
            }
            Self::Scopes => "`scopes` are only for `allow` and `confirm`",
            Self::Between => "`from` and `to` must be different times",
            Self::FromPrompts => {
                "`from_prompts` is only for `tools` that it allows or confirms: a call that no prompt is known of could evade a \
                 `deny`"
            }
            Self::LongReason => "`reason` must not be longer than 200 bytes",
            Self::Twice => "two rules have the same name",
        })
    }
}

impl std::error::Error for NotARule {}
