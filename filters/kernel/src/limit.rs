//! Limits: what a subject may use of requests, tokens or dollars in a window of time, or at once.
//!
//! A [`Limit`] is configured; it has one [`counter::Counter`] for each combination of the attributes that it counts
//! [`per`](Limit::per), which its [`bucket::Fingerprint`] finds in one of [`bucket::BUCKETS`] buckets. Whoever keeps the
//! buckets changes one at a time and whole, so that workers can share them with compare-and-swap.
//!
//! **Reserve, then settle.** Before a request the most that it may use is reserved; after it what it used is counted and the
//! reservation given back. What nobody settles lapses by itself.

pub mod bucket;
pub mod counter;
mod window;

pub use window::{Every, Span, UtcOffset};

use crate::pattern::Patterns;
use crate::subject::{Field, KeyId, Label, SubjectField};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use std::borrow::Cow;
use std::fmt;
use tollgate_config::{Fault, Map, Read, Value, object};

/// What a limit may tell requests apart by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum Attribute {
    /// The model, as applications ask for it.
    Model,
    /// That model's route.
    Route,
    /// What is asked for: `chat`, `embeddings`, or of an agent `SendMessage`, `GetTask`.
    Operation,
    /// Who may serve the request.
    Provider,
    /// What that provider calls the model.
    ProviderModel,
    /// The MCP server that is asked.
    Server,
    /// The tool that is called: `<server>.<tool>`.
    Tool,
    /// The session in which something is asked.
    Session,
    /// The agent that is called.
    Callee,
    /// The skill that a message to it declares.
    Skill,
    /// Of the subject.
    #[schemars(untagged)]
    Subject(SubjectField),
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Requests.
    Requests,
    /// Tokens of input and output.
    Tokens,
    /// Dollars, in billionths.
    Usd,
    /// Calls of tools.
    Calls,
    /// Messages between agents.
    Messages,
    /// Bytes of what tools answer.
    ResultBytes,
    /// What is under way at the same time.
    Concurrent,
    /// Streams that are under way at the same time.
    Streams,
    /// Tasks that are not found: there are none, or they are somebody else's.
    NotFound,
}

/// Whether a limit refuses.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum Mode {
    /// It refuses.
    #[default]
    Enforce,
    /// It counts, and says in the record what it would have refused.
    Shadow,
}

/// What happens to a request when nobody can say how much is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum WhenStoreFails {
    /// It goes on, and what it uses is counted as soon as that is possible again.
    Allow,
    /// It is refused.
    Deny,
}

/// How often room comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refill {
    /// All at once, when a window of the calendar ends.
    Window(Every, UtcOffset),
    /// Steadily: the limit's amount in so many milliseconds, of which at most `burst` are there at once.
    Steady {
        /// How many at once.
        burst: u64,
        /// In how many milliseconds the amount comes back.
        millis: u64,
    },
    /// As soon as what takes it is over.
    WhenOver,
}

/// One limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limit {
    /// Its name, in refusals, records and metrics.
    pub name: Label,
    /// The virtual key in whose entry it stands, and for which alone it counts.
    pub owner: Option<KeyId>,
    /// What the request must be like.
    pub matches: Vec<(Attribute, Patterns)>,
    /// One counter for each combination of these. Requests that lack one share the counter of those that lack it.
    pub per: Vec<Attribute>,
    /// What is counted.
    pub unit: Unit,
    /// How much of it there is.
    pub amount: u64,
    /// How it comes back.
    pub refill: Refill,
    /// Whether it refuses.
    pub mode: Mode,
    /// The rate limit service that keeps it; `None`: this Envoy.
    pub store: Option<Label>,
    /// What happens when that cannot say how much is left.
    pub when_store_fails: WhenStoreFails,
}

/// A limit as it is written.
#[derive(Debug, Clone, PartialEq, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct LimitConfig {
    /// Its name, in refusals, records and metrics. Under this name it counts: an amount may be changed and what was used stays.
    pub name: Label,
    /// For which requests it counts: a pattern for each attribute, or several of which one must fit. Default: for all.
    #[schemars(default, rename = "match")]
    pub matches: Map<Attribute, Patterns>,
    /// One counter for each combination of these. Default: one for all requests together.
    #[schemars(default)]
    pub per: Vec<Attribute>,
    /// How many requests.
    #[schemars(range(min = 1))]
    pub requests: Option<u64>,
    /// How many tokens, of input and output.
    #[schemars(range(min = 1))]
    pub tokens: Option<u64>,
    /// How many US dollars.
    pub usd: Option<f64>,
    /// How many calls of tools.
    #[schemars(range(min = 1))]
    pub calls: Option<u64>,
    /// How many messages between agents.
    #[schemars(range(min = 1))]
    pub messages: Option<u64>,
    /// How many bytes of what tools answer.
    #[schemars(range(min = 1))]
    pub result_bytes: Option<u64>,
    /// How many at the same time.
    #[schemars(range(min = 1))]
    pub concurrent: Option<u64>,
    /// How many streams of agents at the same time.
    #[schemars(range(min = 1))]
    pub streams: Option<u64>,
    /// How many tasks of agents may be asked for that are not there, or are somebody else's: who asks for more is guessing.
    #[schemars(range(min = 1))]
    pub not_found: Option<u64>,
    /// In which window: all of it comes back when the next one begins. Must be written, but not for `concurrent` and `streams`.
    pub every: Option<Every>,
    /// Whose days, weeks and months: `+01:00`. Default: UTC.
    #[schemars(default)]
    pub utc_offset: UtcOffset,
    /// For minutes and hours: room comes back steadily instead of at once, and at most so many may be used at the same time.
    #[schemars(range(min = 1))]
    pub burst: Option<u64>,
    /// Whether it refuses.
    #[schemars(default)]
    pub mode: Mode,
    /// Name of the rate limit service that keeps it. Default: this Envoy.
    pub store: Option<Label>,
    /// What happens to a request when nobody can say how much is left. Must be written for a rate limit service; else `deny`.
    pub when_store_fails: Option<WhenStoreFails>,
}

object!(LimitConfig {
    name,
    matches as "match" = Map::default(),
    per = Vec::new(),
    requests,
    tokens,
    usd,
    calls,
    messages,
    result_bytes,
    concurrent,
    streams,
    not_found,
    every,
    utc_offset = UtcOffset::default(),
    burst,
    mode = Mode::Enforce,
    store,
    when_store_fails,
});

/// Why something is no [`Limit`], or no part of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotALimit {
    /// It counts nothing, or several things at once.
    Units(usize),
    /// Nothing is ever allowed, or more than can be counted.
    Amount,
    /// It does not say in which window.
    NoEvery,
    /// What is under way has no window, and no service can keep it.
    Concurrent,
    /// An amount comes back steadily only within minutes and hours, and not of dollars.
    Burst,
    /// More at once than there is, or nothing.
    BurstAmount,
    /// A service refills as it does.
    BurstInService,
    /// Nobody has said what happens when the service fails.
    NoWhenStoreFails,
    /// An attribute stands there twice.
    Twice,
}

/// Billionths of a dollar in one.
const NANOS: f64 = 1e9;
/// The largest amount of dollars: 10 million.
const MOST_USD: f64 = 1e7;

impl JsonSchema for Limit {
    fn schema_name() -> Cow<'static, str> {
        "Limit".into()
    }

    /// As it is written.
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        LimitConfig::json_schema(generator)
    }
}

impl LimitConfig {
    fn amount(&self) -> Result<(Unit, u64), NotALimit> {
        let usd = self.usd.map(nano_usd).transpose()?;
        let counted = [
            (Unit::Requests, self.requests),
            (Unit::Tokens, self.tokens),
            (Unit::Usd, usd),
            (Unit::Calls, self.calls),
            (Unit::Messages, self.messages),
            (Unit::ResultBytes, self.result_bytes),
            (Unit::Concurrent, self.concurrent),
            (Unit::Streams, self.streams),
            (Unit::NotFound, self.not_found),
        ];
        let mut given = counted.into_iter().filter_map(|(unit, amount)| amount.map(|amount| (unit, amount)));
        match (given.next(), given.count()) {
            (Some((_, 0)), 0) => Err(NotALimit::Amount),
            (Some(counted), 0) => Ok(counted),
            (None, _) => Err(NotALimit::Units(0)),
            (Some(_), more) => Err(NotALimit::Units(more.saturating_add(1))),
        }
    }

    fn refill(&self, unit: Unit, amount: u64) -> Result<Refill, NotALimit> {
        if matches!(unit, Unit::Concurrent | Unit::Streams) {
            let windowed = self.every.is_some() || self.utc_offset != UtcOffset::default() || self.burst.is_some();
            return if windowed || self.store.is_some() { Err(NotALimit::Concurrent) } else { Ok(Refill::WhenOver) };
        }
        let every = self.every.ok_or(NotALimit::NoEvery)?;
        let Some(burst) = self.burst else { return Ok(Refill::Window(every, self.utc_offset)) };
        let millis = match every {
            Every::Minute => 60_000,
            Every::Hour => 3_600_000,
            Every::Day | Every::Week | Every::Month => return Err(NotALimit::Burst),
        };
        match () {
            () if unit == Unit::Usd => Err(NotALimit::Burst),
            () if self.store.is_some() => Err(NotALimit::BurstInService),
            () if !(1..=amount).contains(&burst) => Err(NotALimit::BurstAmount),
            () => Ok(Refill::Steady { burst, millis }),
        }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be within 1 and 10^16")]
fn nano_usd(usd: f64) -> Result<u64, NotALimit> {
    let nanos = (usd * NANOS).round();
    if (1.0..=MOST_USD * NANOS).contains(&nanos) { Ok(nanos as u64) } else { Err(NotALimit::Amount) }
}

impl TryFrom<LimitConfig> for Limit {
    type Error = NotALimit;

    fn try_from(config: LimitConfig) -> Result<Self, NotALimit> {
        let (unit, amount) = config.amount()?;
        let refill = config.refill(unit, amount)?;
        let is_twice = |attribute| config.per.iter().filter(|other| *other == attribute).count() > 1;
        if config.per.iter().any(is_twice) {
            return Err(NotALimit::Twice);
        }
        let when_store_fails = match (config.when_store_fails, &config.store) {
            (Some(when), _) => when,
            (None, None) => WhenStoreFails::Deny,
            (None, Some(_)) => return Err(NotALimit::NoWhenStoreFails),
        };
        Ok(Self {
            name: config.name,
            owner: None,
            matches: config.matches.into_iter().collect(),
            per: config.per,
            unit,
            amount,
            refill,
            mode: config.mode,
            store: config.store,
            when_store_fails,
        })
    }
}

impl Read for Limit {
    fn read(value: &Value<'_>) -> Result<Self, Fault> {
        value.converted::<LimitConfig, _>()
    }
}

impl Read for Attribute {
    fn read(value: &Value<'_>) -> Result<Self, Fault> {
        let others = [
            Self::Model,
            Self::Route,
            Self::Operation,
            Self::Provider,
            Self::ProviderModel,
            Self::Server,
            Self::Tool,
            Self::Session,
            Self::Callee,
            Self::Skill,
        ];
        let all: Vec<Self> = SubjectField::ALL.into_iter().map(Self::Subject).chain(others).collect();
        value.one_of("enum Attribute", &all.into_iter().map(|one| (one.name(), one)).collect::<Vec<_>>())
    }
}

impl Read for Mode {
    fn read(value: &Value<'_>) -> Result<Self, Fault> {
        value.one_of("enum Mode", &[("enforce", Self::Enforce), ("shadow", Self::Shadow)])
    }
}

impl Read for WhenStoreFails {
    fn read(value: &Value<'_>) -> Result<Self, Fault> {
        value.one_of("enum WhenStoreFails", &[("allow", Self::Allow), ("deny", Self::Deny)])
    }
}

impl Limit {
    /// Whether a request, of which `value_of` tells the attributes, is counted.
    pub fn applies<'a>(&self, value_of: impl Fn(Attribute) -> Option<&'a str>) -> bool {
        self.matches.iter().all(|(attribute, patterns)| value_of(*attribute).is_some_and(|value| patterns.fit(value)))
    }

    /// The attributes that it looks at.
    pub fn attributes(&self) -> impl Iterator<Item = Attribute> {
        self.matches.iter().map(|(attribute, _)| *attribute).chain(self.per.iter().copied())
    }

    /// What in the configuration it is: `limits.<name>`, `keys.<id>.limits.<name>`.
    #[must_use]
    pub fn path(&self) -> String {
        match &self.owner {
            Some(key) => format!("keys.{key}.limits.{}", self.name),
            None => format!("limits.{}", self.name),
        }
    }

    /// Whether what was used is worth keeping for longer than an Envoy may live.
    #[must_use]
    pub const fn is_long(&self) -> bool {
        matches!(self.refill, Refill::Window(Every::Day | Every::Week | Every::Month, _))
    }
}

impl Refill {
    /// What counters depend on of it: not how much comes back, which may be changed while they count.
    const fn kind(self) -> [u8; 9] {
        let (which, seconds) = match self {
            Self::Steady { .. } => (0, 0),
            Self::Window(Every::Minute, offset) => (1, offset.seconds()),
            Self::Window(Every::Hour, offset) => (2, offset.seconds()),
            Self::Window(Every::Day, offset) => (3, offset.seconds()),
            Self::Window(Every::Week, offset) => (4, offset.seconds()),
            Self::Window(Every::Month, offset) => (5, offset.seconds()),
            Self::WhenOver => (6, 0),
        };
        let [a, b, c, d, e, f, g, h] = seconds.to_le_bytes();
        [which, a, b, c, d, e, f, g, h]
    }
}

impl Attribute {
    /// Whether there may be any number of its values: those that follow from no configuration.
    const fn has_many_values(self) -> bool {
        matches!(
            self,
            Self::Subject(SubjectField::Other(Field::User | Field::Agent)) | Self::Tool | Self::Session | Self::Skill
        )
    }

    /// Whether it tells apart who may serve a request, rather than the request.
    #[must_use]
    pub const fn is_of_candidate(self) -> bool {
        matches!(self, Self::Provider | Self::ProviderModel)
    }

    /// The word in configurations and records.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Subject(field) => field.name(),
            Self::Model => "model",
            Self::Route => "route",
            Self::Operation => "operation",
            Self::Provider => "provider",
            Self::ProviderModel => "provider_model",
            Self::Server => "server",
            Self::Tool => "tool",
            Self::Session => "session",
            Self::Callee => "callee",
            Self::Skill => "skill",
        }
    }
}

impl Unit {
    /// The word in configurations and records.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::Tokens => "tokens",
            Self::Usd => "usd",
            Self::Calls => "calls",
            Self::Messages => "messages",
            Self::ResultBytes => "result_bytes",
            Self::Concurrent => "concurrent",
            Self::Streams => "streams",
            Self::NotFound => "not_found",
        }
    }
}

impl fmt::Display for NotALimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: &str = "expected one of `requests`, `tokens`, `usd`, `calls`, `messages`, `result_bytes`, `concurrent`, `streams`, \
             `not_found`";
        match self {
            Self::Units(0) => write!(f, "counts nothing, {UNITS}"),
            Self::Units(count) => write!(f, "counts {count} things, {UNITS}"),
            Self::Amount => f.write_str("must allow something, and at most 10 million dollars"),
            Self::NoEvery => f.write_str("missing field `every`"),
            Self::Concurrent => f.write_str(
                "`every`, `utc_offset`, `burst` and `store` are not for `concurrent` and `streams`, which count what is under way",
            ),
            Self::Burst => f.write_str("`burst` is for every minute or hour, and not for dollars"),
            Self::BurstAmount => f.write_str("`burst` must be 1 to the limit's own amount"),
            Self::BurstInService => f.write_str("`burst` is not for limits that a rate limit service keeps"),
            Self::NoWhenStoreFails => {
                f.write_str("must say `when_store_fails`, `allow` or `deny`: its rate limit service may be down")
            }
            Self::Twice => f.write_str("`per` must not name an attribute twice"),
        }
    }
}

impl std::error::Error for NotALimit {}

#[cfg(test)]
mod tests;
