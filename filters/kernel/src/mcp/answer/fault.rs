//! Why an answer is not passed on.

use crate::json;
use crate::json_rpc;
use crate::relay::Unreadable;
use std::fmt;

/// The code of the error in its place: outside those that JSON-RPC and MCP keep for themselves.
pub const BAD_ANSWER: i32 = -31004;

/// What is wrong with an answer. Says nothing of what stands in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// A message is larger than may be held.
    TooLarge,
    /// What stands where a message must be is none.
    Message(json_rpc::Reason),
    /// A stream of events that begins as JSON does.
    NotEvents,
    /// The first event of the transport that Streamable HTTP has replaced.
    OldTransport,
    /// It is no response, or not to the request that was sent.
    NotTheResponse,
    /// A list without its array.
    NotAList,
    /// An entry of a list without a name or URI.
    NotAnEntry,
    /// Two entries of a list with one name or URI.
    DuplicateEntry,
    /// A key differs from one that is decided by only in ways that some readers do not see.
    ResemblingKey,
}

impl Fault {
    /// The word in records.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::TooLarge => "too_large",
            Self::Message(reason) => reason.name(),
            Self::NotEvents => "not_events",
            Self::OldTransport => "http_sse_transport",
            Self::NotTheResponse => "not_the_response",
            Self::NotAList => "not_a_list",
            Self::NotAnEntry => "not_an_entry",
            Self::DuplicateEntry => "duplicate_entry",
            Self::ResemblingKey => "resembling_key",
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

impl From<Unreadable> for Fault {
    fn from(unreadable: Unreadable) -> Self {
        match unreadable {
            Unreadable::TooLarge => Self::TooLarge,
            Unreadable::NotEvents => Self::NotEvents,
        }
    }
}

/// Never quotes the answer.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the server's answer was not passed on: ")?;
        f.write_str(match self {
            Self::TooLarge => "too large",
            Self::Message(reason) => return reason.fmt(f),
            Self::NotEvents => "no stream of events, though it says so",
            Self::OldTransport => "the server speaks the HTTP+SSE transport of 2024-11-05, which is not served",
            Self::NotTheResponse => "no response to the request",
            Self::NotAList => "not the list that was asked for",
            Self::NotAnEntry => "an entry of the list has no name",
            Self::DuplicateEntry => "two entries of the list have the same name",
            Self::ResemblingKey => "a key differs from a known one only by case",
        })
    }
}

impl std::error::Error for Fault {}
