//! Why an answer is not passed on.

use crate::a2a::Reason;
use crate::json;
use crate::json_rpc;
use crate::relay::Unreadable;
use std::fmt;

/// What is wrong with an answer. Says nothing of what stands in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// A message is larger than may be held.
    TooLarge,
    /// What stands where a message must be is none.
    Message(json_rpc::Reason),
    /// A stream of events that begins as JSON does.
    NotEvents,
    /// It is no response to the request that was sent.
    NotTheResponse,
    /// A key differs from one that is decided by only in ways that some readers do not see.
    ResemblingKey,
    /// A member stands there in both spellings.
    BothSpellings,
    /// This member is missing or is not what it must be.
    Payload(&'static str),
    /// It was decided that the client is told something else.
    Refused,
}

impl Fault {
    /// The word in records.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::TooLarge => "too_large",
            Self::Message(reason) => reason.name(),
            Self::NotEvents => "not_events",
            Self::NotTheResponse => "not_the_response",
            Self::ResemblingKey => "resembling_key",
            Self::BothSpellings => "both_spellings",
            Self::Payload(_) => "payload",
            Self::Refused => "refused",
        }
    }
}

impl From<Unreadable> for Fault {
    fn from(unreadable: Unreadable) -> Self {
        match unreadable {
            Unreadable::TooLarge => Self::TooLarge,
            Unreadable::NotEvents => Self::NotEvents,
        }
    }
}

impl From<json_rpc::Fault<'_>> for Fault {
    fn from(fault: json_rpc::Fault<'_>) -> Self {
        match fault.reason {
            json_rpc::Reason::Json(json::Fault { reason: json::Reason::TooLarge, .. }) => Self::TooLarge,
            reason => Self::Message(reason),
        }
    }
}

/// What is wrong with a member.
impl From<Reason> for Fault {
    fn from(reason: Reason) -> Self {
        match reason {
            Reason::ResemblingKey => Self::ResemblingKey,
            Reason::BothSpellings(_) => Self::BothSpellings,
            Reason::Parameter(name) => Self::Payload(name),
            _ => Self::NotTheResponse,
        }
    }
}

/// Never quotes the answer.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the agent's answer was not passed on: ")?;
        f.write_str(match self {
            Self::TooLarge => "too large",
            Self::Message(reason) => return reason.fmt(f),
            Self::NotEvents => "no stream of events, though it says so",
            Self::NotTheResponse => "no response to the request",
            Self::ResemblingKey => "a key differs from a known one only by case",
            Self::BothSpellings => "a member is given in two spellings",
            Self::Payload(name) => return write!(f, "`{name}` is missing or not allowed as it is"),
            Self::Refused => "it is not the caller's",
        })
    }
}

impl std::error::Error for Fault {}
