//! Rules: who may use what, with which arguments, and what needs somebody's yes.
//!
//! They are ordered, and the first that matches decides; nothing matches: deny. A request can be read in more than one way
//! when an argument is not of the type that a rule expects (a list where a string should stand) or its key only resembles the
//! one that the rule names: an `allow` then does not match, a `deny` does, and a `confirm` denies, since nobody could say what
//! they agree to.

mod argument;
mod between;
mod config;
mod scope;

pub use argument::{ArgumentConfig, Condition, Number, Scalar};
pub use between::{Between, BetweenConfig, TimeOfDay, Within};
pub use scope::{NotAScope, Scope};

pub use config::{AnnotationsConfig, ApproversConfig, By, Clause, NotARule, RuleConfig};
pub(crate) use config::{MAX_REASON, given, has_twice};

use crate::json::{Pointer, Value};
use crate::pattern::Patterns;
use crate::provenance::Note;
use crate::subject::{Label, SubjectField};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use std::borrow::Cow;
use std::fmt;

/// What a rule can tell callers and places apart by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attribute {
    /// The server that is asked.
    Server,
    /// Of the subject.
    Subject(SubjectField),
}

/// Rules, in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq, JsonSchema)]
#[schemars(try_from = "Vec<Rule>")]
pub struct Policy(Vec<Rule>);

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    name: Option<Label>,
    then: Then,
    /// What the caller is told.
    reason: Option<String>,
    shadow: bool,
    objects: Objects,
    attributes: Vec<(Attribute, Patterns)>,
    arguments: Vec<(Pointer, Condition)>,
    annotations: AnnotationsConfig,
    between: Option<Between>,
    /// All of them must have been granted.
    scopes: Vec<Scope>,
    from_prompts: Option<Patterns>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Then {
    Allow,
    Confirm(Confirm),
    Deny,
}

/// What a rule is about. One of those that are given must fit.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Objects {
    tools: Option<Patterns>,
    prompts: Option<Patterns>,
    resources: Option<Patterns>,
    methods: Option<Patterns>,
}

/// Somebody must say yes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirm {
    /// Who.
    pub by: Approval,
    /// For how many seconds the question and the yes are good.
    pub within_s: u64,
}

/// Who must say yes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Approval {
    /// The person at the client.
    Caller,
    /// Somebody else, of whom all of these fit.
    Approver(Vec<(Attribute, Patterns)>),
}

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'q, 'd, 'a> {
    /// The method.
    pub method: &'q str,
    /// Whether a rule must allow it. Else it is allowed unless a rule denies it.
    pub acts: bool,
    /// What it is about.
    pub object: Object<'q>,
    /// With what.
    pub arguments: Arguments<'d, 'a>,
    /// What the caller's token was granted.
    pub scopes: &'q [String],
    /// What is on note of it: the prompts from which it may come.
    pub noted: &'q [Note],
    /// Milliseconds since 1970.
    pub now_ms: u64,
}

/// What a request is about.
#[derive(Debug, Clone, Copy)]
pub enum Object<'q> {
    /// Nothing that has a name.
    Nothing,
    /// A tool.
    Tool(&'q str, Annotations),
    /// A prompt.
    Prompt(&'q str),
    /// A resource, by its URI.
    Resource(&'q str),
}

/// What a server says of its tool.
#[derive(Debug, Clone, Copy, Default)]
pub struct Annotations {
    /// `destructiveHint`.
    pub destructive: Option<bool>,
    /// `readOnlyHint`.
    pub read_only: Option<bool>,
    /// Whether that may make a rule allow something.
    pub trusted: bool,
}

/// What a request comes with.
#[derive(Debug, Clone, Copy)]
pub enum Arguments<'d, 'a> {
    /// These; `None` is the same as an empty object.
    These(Option<Value<'d, 'a>>),
    /// Nobody knows yet. What is decided is whether some would do: for what lists show.
    Any,
}

/// What the rules say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision<'p> {
    /// What happens.
    pub verdict: Verdict<'p>,
    /// The rule that says so.
    pub rule: Option<RuleId<'p>>,
    /// Why.
    pub reason: Reason,
    /// What that rule wants the caller to be told.
    pub told: Option<&'p str>,
    /// From which prompts the call must come, of which it comes from one. With [`Reason::NoPrompt`] it comes from none.
    pub prompts: Option<&'p Patterns>,
    /// The first rule in shadow that would have decided, and what it would have said.
    pub shadow: Option<(RuleId<'p>, Verdict<'p>)>,
    /// With these scopes a rule before that one would have let it go on, or asked somebody.
    pub lacks: Option<&'p [Scope]>,
}

/// What happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict<'p> {
    /// It goes on.
    Allow,
    /// It goes on if somebody says yes.
    Confirm(&'p Confirm),
    /// It does not go on.
    Deny,
}

/// Which rule: its name, else its place, counted from 1: `#3`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RuleId<'p> {
    /// It has a name.
    Named(&'p Label),
    /// It has none.
    Place(usize),
}

/// Why something is decided as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// A rule matches.
    Rule,
    /// No rule matches.
    NoRule,
    /// A rule matches if an argument is read in one way.
    UnclearArgument,
    /// A rule matches if capital letters are not told from others.
    UnclearName,
    /// No rule matches; one would if the call came from a prompt.
    NoPrompt,
    /// No rule must allow it, and none denies it.
    NotRuled,
}

/// Whether a rule matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fit {
    Yes,
    No,
    /// With some arguments, or from some prompt.
    Maybe,
    /// If it came from a prompt.
    NoPrompt,
    /// To some readers, for this reason.
    Unclear(Reason),
}

impl Policy {
    /// What the rule that is called so wants confirmed, if there is one and it does.
    #[must_use]
    pub fn confirm(&self, id: &str) -> Option<&Confirm> {
        let named = |(index, rule): &(usize, &Rule)| RuleId::of(rule.name.as_ref(), *index).to_string() == id;
        match self.0.iter().enumerate().find(named) {
            Some((_, Rule { then: Then::Confirm(confirm), .. })) => Some(confirm),
            _ => None,
        }
    }

    /// Whether a rule asks for scopes.
    #[must_use]
    pub fn has_scopes(&self) -> bool {
        self.0.iter().any(|rule| !rule.scopes.is_empty())
    }

    /// What the rules say of `asked`, about whom `value_of` tells.
    pub fn decide<'p, 'v>(
        &'p self,
        asked: &Asked<'_, '_, '_>,
        value_of: impl Fn(Attribute) -> Option<&'v str>,
    ) -> Decision<'p> {
        let (mut shadow, mut lacks, mut missing) = (None, None, None);
        for (index, rule) in self.0.iter().enumerate() {
            let fit = rule.fit(asked, &value_of);
            let prompts = rule.from_prompts.as_ref();
            if fit == Fit::NoPrompt && !rule.shadow {
                missing = missing.or(prompts);
            }
            let Some((verdict, reason)) = rule.verdict(fit) else { continue };
            let id = RuleId::of(rule.name.as_ref(), index);
            let is_granted = rule.scopes.iter().all(|scope| asked.scopes.iter().any(|granted| scope.is(granted)));
            match (rule.shadow, is_granted) {
                (true, true) => _ = shadow.get_or_insert((id, verdict)),
                (true, false) => {}
                (false, false) if verdict == Verdict::Deny => {}
                (false, false) => _ = lacks.get_or_insert(rule.scopes.as_slice()),
                (false, true) => {
                    let lacks = lacks.filter(|_| verdict == Verdict::Deny);
                    let told = rule.reason.as_deref();
                    return Decision { verdict, rule: Some(id), reason, told, prompts, shadow, lacks };
                }
            }
        }
        let (verdict, reason) = match missing {
            Some(_) => (Verdict::Deny, Reason::NoPrompt),
            None if asked.acts => (Verdict::Deny, Reason::NoRule),
            None => (Verdict::Allow, Reason::NotRuled),
        };
        let lacks = lacks.filter(|_| verdict == Verdict::Deny);
        Decision { verdict, rule: None, reason, told: None, prompts: missing, shadow, lacks }
    }

    /// Whether any rule wants to know from which prompt a call comes.
    #[must_use]
    pub fn asks_for_prompts(&self) -> bool {
        self.0.iter().any(|rule| rule.from_prompts.is_some())
    }
}

impl Rule {
    fn verdict(&self, fit: Fit) -> Option<(Verdict<'_>, Reason)> {
        match (&self.then, fit) {
            (_, Fit::No | Fit::NoPrompt) | (Then::Allow, Fit::Unclear(_)) | (Then::Deny, Fit::Maybe) => None,
            (Then::Allow, _) => Some((Verdict::Allow, Reason::Rule)),
            (Then::Deny, Fit::Yes) => Some((Verdict::Deny, Reason::Rule)),
            (_, Fit::Unclear(reason)) => Some((Verdict::Deny, reason)),
            (Then::Confirm(confirm), _) => Some((Verdict::Confirm(confirm), Reason::Rule)),
        }
    }

    fn fit<'v>(&self, asked: &Asked<'_, '_, '_>, value_of: &impl Fn(Attribute) -> Option<&'v str>) -> Fit {
        let fit = self.fit_from_any(asked, value_of);
        match (&self.from_prompts, asked.arguments, fit) {
            (Some(_), Arguments::Any, Fit::Yes) => Fit::Maybe,
            (Some(prompts), Arguments::These(_), Fit::Yes)
                if !asked.noted.iter().any(|note| prompts.fit(note.prompt.as_str())) =>
            {
                Fit::NoPrompt
            }
            _ => fit,
        }
    }

    /// From whatever prompt it comes.
    fn fit_from_any<'v>(&self, asked: &Asked<'_, '_, '_>, value_of: &impl Fn(Attribute) -> Option<&'v str>) -> Fit {
        let objects = self.objects.fit(asked);
        let outside = objects != Fit::No
            && fit_all(&self.attributes, value_of)
            && self.between.is_none_or(|between| between.contains(asked.now_ms))
            && self.annotations_fit(asked.object);
        match asked.arguments {
            _ if !outside => Fit::No,
            _ if self.arguments.is_empty() => objects,
            Arguments::Any if objects != Fit::Yes => objects,
            Arguments::Any => Fit::Maybe,
            Arguments::These(None) => Fit::No,
            Arguments::These(Some(value)) => {
                let fits = self.arguments.iter().map(|(pointer, condition)| condition.fit(value.at(pointer)));
                fits.fold(objects, |all, one| match (all, one) {
                    (Fit::No, _) | (_, Fit::No) => Fit::No,
                    (Fit::Yes, one) => one,
                    (all, _) => all,
                })
            }
        }
    }

    /// What an untrusted server says of its tool can make a rule stricter, never let something through.
    fn annotations_fit(&self, object: Object<'_>) -> bool {
        let AnnotationsConfig { destructive, read_only } = self.annotations;
        if destructive.is_none() && read_only.is_none() {
            return true;
        }
        let Object::Tool(_, says) = object else { return false };
        let fits = |is_read_only: bool, is_destructive: bool| {
            let is_destructive = !is_read_only && is_destructive;
            destructive.is_none_or(|expected| expected == is_destructive)
                && read_only.is_none_or(|expected| expected == is_read_only)
        };
        let as_it_says = fits(says.read_only.unwrap_or(false), says.destructive.unwrap_or(true));
        // It may say that it is harmless only to slip past this rule to one that allows it.
        let at_worst = !says.trusted && fits(false, true);
        (says.trusted || self.then != Then::Allow) && (as_it_says || at_worst)
    }
}

impl Objects {
    fn fit(&self, asked: &Asked<'_, '_, '_>) -> Fit {
        let named = [&self.tools, &self.prompts, &self.resources];
        let (patterns, name) = match asked.object {
            Object::Nothing => (&None, ""),
            Object::Tool(name, _) => (&self.tools, name),
            Object::Prompt(name) => (&self.prompts, name),
            Object::Resource(uri) => (&self.resources, uri),
        };
        if !self.methods.as_ref().is_none_or(|methods| methods.fit(asked.method)) {
            return Fit::No;
        }
        match patterns {
            Some(patterns) if patterns.fit(name) => Fit::Yes,
            Some(patterns) if patterns.fit_folded(name) => Fit::Unclear(Reason::UnclearName),
            None if named.into_iter().all(Option::is_none) => Fit::Yes,
            _ => Fit::No,
        }
    }
}

/// Whether what is known of each of these fits.
pub(crate) fn fit_all<'v, A: Copy>(patterns: &[(A, Patterns)], value_of: &impl Fn(A) -> Option<&'v str>) -> bool {
    patterns.iter().all(|(attribute, patterns)| value_of(*attribute).is_some_and(|value| patterns.fit(value)))
}

impl Approval {
    /// Whether somebody, of whom `value_of` tells, may say yes. That they are not who asks is for the caller to see.
    pub fn may_be_given<'v>(&self, value_of: impl Fn(Attribute) -> Option<&'v str>) -> bool {
        match self {
            Self::Caller => false,
            Self::Approver(patterns) => fit_all(patterns, &value_of),
        }
    }
}

impl Verdict<'_> {
    /// The word in records.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Confirm(_) => "confirm",
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
            Self::NoPrompt => "no_prompt",
            Self::UnclearArgument => "unclear_argument",
            Self::UnclearName => "unclear_name",
            Self::NotRuled => "not_ruled",
        }
    }
}

impl<'p> RuleId<'p> {
    /// The rule at `index`, counted from 0, which may have a name.
    pub(crate) const fn of(name: Option<&'p Label>, index: usize) -> Self {
        match name {
            Some(name) => Self::Named(name),
            None => Self::Place(index.saturating_add(1)),
        }
    }
}

impl fmt::Display for RuleId<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named(name) => f.write_str(name.as_str()),
            Self::Place(place) => write!(f, "#{place}"),
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
