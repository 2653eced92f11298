//! What tickets there may be.

use super::calls::NotCounted;
use super::{MAX_DEPTH, Ticket};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use std::borrow::Cow;
use std::fmt;
use tollgate_config::{Fault, Read, Value, object};

/// Call tickets, as they are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema)]
#[schemars(deny_unknown_fields, default)]
pub struct TicketConfig {
    /// How many seconds a ticket is good for: as long as an agent takes from being called to its last call. A call that comes
    /// later begins a new transaction.
    #[schemars(range(min = 1, max = 3600))]
    pub lifetime_s: u32,
    /// How many calls may follow from each other, the first one counted.
    #[schemars(range(min = 1, max = 16))]
    pub max_depth: u32,
    /// How many calls there may be in a transaction, the first one counted.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub max_fan_out: u32,
    /// Calls of an agent that waits for its caller, directly or not, or is the caller.
    pub loops: Loops,
    /// Calls without a valid ticket of callers that are agents behind this gateway, so that they could have one.
    pub require: Require,
}

object!(default TicketConfig { lifetime_s, max_depth, max_fan_out, loops, require });

/// Whether an agent may be called again before it has answered, in the same transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema)]
#[schemars(rename_all = "lowercase")]
pub enum Loops {
    /// It may not.
    Deny,
    /// As deep as calls may go.
    Allow,
}

/// Whether an agent behind this gateway needs a ticket to call another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema)]
#[schemars(rename_all = "lowercase")]
pub enum Require {
    /// Without one it begins a new transaction.
    Off,
    /// So it does, and the record says that it has none.
    Warn,
    /// It does. An agent that calls others by itself cannot then, unless it is not registered.
    Deny,
}

/// What tickets there may be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tickets(TicketConfig);

/// Why something is no [`Tickets`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotTickets {
    field: &'static str,
    found: u32,
    most: u32,
}

/// Why a call does not go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// There must be a ticket.
    Required,
    /// Its callee is waiting for it.
    Loop,
    /// Too many calls follow from each other.
    Depth,
    /// Its transaction has made too many.
    FanOut,
    /// Too many transactions are under way.
    NoRoom,
}

impl Tickets {
    /// When a ticket that is made now expires.
    #[must_use]
    pub fn expires_s(&self, now_s: u64) -> u64 {
        now_s.saturating_add(self.0.lifetime_s.into())
    }

    /// How many calls there may be in a transaction.
    #[must_use]
    pub const fn max_fan_out(&self) -> u32 {
        self.0.max_fan_out
    }

    /// Whether a call may be made with this ticket, which its callee gets.
    ///
    /// # Errors
    /// Why not.
    pub fn check(&self, ticket: &Ticket) -> Result<(), Refusal> {
        if self.0.loops == Loops::Deny && ticket.is_loop() {
            return Err(Refusal::Loop);
        }
        let most = usize::try_from(self.0.max_depth).unwrap_or(MAX_DEPTH).min(MAX_DEPTH);
        if ticket.depth() > most { Err(Refusal::Depth) } else { Ok(()) }
    }

    /// What a call without a valid ticket means, of a caller that could have one: whether there is something to warn of.
    ///
    /// # Errors
    /// When it may not be made.
    pub const fn check_none(&self) -> Result<bool, Refusal> {
        match self.0.require {
            Require::Off => Ok(false),
            Require::Warn => Ok(true),
            Require::Deny => Err(Refusal::Required),
        }
    }
}

impl Default for TicketConfig {
    fn default() -> Self {
        Self { lifetime_s: 60, max_depth: 8, max_fan_out: 100, loops: Loops::Deny, require: Require::Off }
    }
}

impl TryFrom<TicketConfig> for Tickets {
    type Error = NotTickets;

    fn try_from(config: TicketConfig) -> Result<Self, NotTickets> {
        let TicketConfig { lifetime_s, max_depth, max_fan_out, .. } = config;
        for (field, found, most) in
            [("lifetime_s", lifetime_s, 3600), ("max_depth", max_depth, 16), ("max_fan_out", max_fan_out, 1_000_000)]
        {
            if !(1..=most).contains(&found) {
                return Err(NotTickets { field, found, most });
            }
        }
        Ok(Self(config))
    }
}

impl From<NotCounted> for Refusal {
    fn from(not: NotCounted) -> Self {
        match not {
            NotCounted::TooMany => Self::FanOut,
            NotCounted::Full => Self::NoRoom,
        }
    }
}

impl Refusal {
    /// The stable reason code.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Required => "ticket_required",
            Self::Loop => "loop_detected",
            Self::Depth => "depth_limit",
            Self::FanOut => "fan_out_limit",
            Self::NoRoom => "no_room_for_transactions",
        }
    }

    /// For the agent that calls.
    #[must_use]
    pub const fn message(self) -> &'static str {
        match self {
            Self::Required => {
                "this agent was called through the gateway: its own calls must carry on `x-tollgate-ticket` or `tracestate` as they came"
            }
            Self::Loop => "the agent that is called is itself waiting for this call",
            Self::Depth => "too many calls follow from each other",
            Self::FanOut => "too many calls were made for the same first one",
            Self::NoRoom => "too many calls are under way, ask again later",
        }
    }
}

impl JsonSchema for Tickets {
    fn schema_name() -> Cow<'static, str> {
        "Tickets".into()
    }

    /// As it is written.
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        TicketConfig::json_schema(generator)
    }
}

impl Read for Tickets {
    fn read(value: &Value<'_>) -> Result<Self, Fault> {
        value.converted::<TicketConfig, _>()
    }
}

impl Read for Loops {
    fn read(value: &Value<'_>) -> Result<Self, Fault> {
        value.one_of("enum Loops", &[("deny", Self::Deny), ("allow", Self::Allow)])
    }
}

impl Read for Require {
    fn read(value: &Value<'_>) -> Result<Self, Fault> {
        value.one_of("enum Require", &[("off", Self::Off), ("warn", Self::Warn), ("deny", Self::Deny)])
    }
}

impl fmt::Display for NotTickets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { field, found, most } = self;
        write!(f, "{field}: found {found}, expected 1 to {most}")
    }
}

impl std::error::Error for NotTickets {}
