//! What is wrong with a request, and how that is answered.

use super::{Headers, Revision};
use crate::json;
use crate::json_rpc::{self, INVALID_PARAMS, INVALID_REQUEST, Id, METHOD_NOT_FOUND, Recipient};
use std::fmt;

/// Headers say something else than the body.
pub const HEADER_MISMATCH: i32 = -32020;
/// The client has not said that it can do what is needed.
pub const MISSING_CAPABILITY: i32 = -32021;
/// A revision that is not spoken here.
pub const UNSUPPORTED_VERSION: i32 = -32022;

/// Why a request is refused before any rule is asked.
#[derive(Debug, Clone)]
pub struct Fault<'a> {
    /// What is wrong.
    pub reason: Reason,
    /// The request's id, if it could be read.
    pub id: Option<Id<'a>>,
}

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// It is no message.
    Message(json_rpc::Reason),
    /// This header is there more than once.
    RepeatedHeader(&'static str),
    /// This header must be there.
    MissingHeader(&'static str),
    /// This header is not written as such headers are.
    MalformedHeader(&'static str),
    /// This header and the body say different things.
    Mismatch(&'static str),
    /// A revision that is not spoken here, of a request that says its own or of one that leaves that to its session.
    UnsupportedVersion(Option<Requested>, Era),
    /// `initialize` of the revision before Streamable HTTP.
    OldTransport,
    /// A method that this revision does not have.
    NoSuchMethod(Revision),
    /// A notification that wants an answer, or a method that wants one as notification.
    Direction,
    /// An answer, where this revision lets clients only ask.
    Answer,
    /// A parameter whose key differs from a known one only in ways that some readers do not see.
    ResemblingKey,
    /// This parameter is missing or is not what it must be.
    Parameter(&'static str),
    /// This capability is needed.
    MissingCapability(&'static str),
}

/// The two ways to agree on a revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Era {
    /// Once in a session.
    Sessions,
    /// In each request.
    Stateless,
}

/// A revision as it was asked for, if it can be told back: 1 to 16 letters, digits, `.`, `_` and `-`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Requested {
    text: [u8; MAX_REQUESTED],
    length: usize,
}

const MAX_REQUESTED: usize = 16;

impl Requested {
    /// The revision that `text` names.
    #[must_use]
    pub fn of(text: &str) -> Option<Self> {
        let mut requested = Self { text: [0; MAX_REQUESTED], length: text.len() };
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        requested.text.get_mut(..text.len()).filter(|_| text.bytes().all(plain))?.copy_from_slice(text.as_bytes());
        (!text.is_empty()).then_some(requested)
    }

    fn as_str(&self) -> &str {
        self.text.get(..self.length).and_then(|text| str::from_utf8(text).ok()).unwrap_or_default()
    }
}

impl Fault<'_> {
    /// The body of the answer, JSON-RPC in every case: a client that speaks several revisions takes anything else for a sign
    /// of an old server.
    #[must_use]
    pub fn answer(&self) -> Vec<u8> {
        let recipient = self.id.as_ref().map_or(Recipient::Unnamed, Recipient::Of);
        json_rpc::error(recipient, self.reason.code(), &self.reason.to_string(), self.reason.data().as_deref())
    }
}

impl Reason {
    /// The code of the error.
    #[must_use]
    pub const fn code(self) -> i32 {
        match self {
            Self::Message(reason) => reason.code(),
            Self::RepeatedHeader(_) | Self::MissingHeader(_) | Self::MalformedHeader(_) | Self::Mismatch(_) => {
                HEADER_MISMATCH
            }
            Self::UnsupportedVersion(..) => UNSUPPORTED_VERSION,
            Self::NoSuchMethod(_) => METHOD_NOT_FOUND,
            Self::Direction | Self::Answer | Self::ResemblingKey => INVALID_REQUEST,
            Self::Parameter(_) | Self::OldTransport => INVALID_PARAMS,
            Self::MissingCapability(_) => MISSING_CAPABILITY,
        }
    }

    /// The status of the answer.
    #[must_use]
    pub fn status(self) -> u16 {
        match self {
            Self::Message(json_rpc::Reason::Json(fault)) if fault.reason == json::Reason::TooLarge => 413,
            // Where there are sessions, 404 means that this one is gone.
            Self::NoSuchMethod(revision) if revision.is_stateless() => 404,
            _ => 400,
        }
    }

    /// The word in records.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Message(reason) => reason.name(),
            Self::RepeatedHeader(_) => "repeated_header",
            Self::MissingHeader(_) => "missing_header",
            Self::MalformedHeader(_) => "malformed_header",
            Self::Mismatch(_) => "header_mismatch",
            Self::UnsupportedVersion(..) => "unsupported_version",
            Self::OldTransport => "http_sse_transport",
            Self::NoSuchMethod(_) => "no_such_method",
            Self::Direction => "direction",
            Self::Answer => "answer",
            Self::ResemblingKey => "resembling_key",
            Self::Parameter(_) => "parameter",
            Self::MissingCapability(_) => "missing_capability",
        }
    }

    /// What the answer says besides, as JSON.
    fn data(self) -> Option<String> {
        match self {
            Self::UnsupportedVersion(requested, era) => {
                let spoken = Revision::ALL.iter().filter(|one| era == Era::Sessions || one.is_stateless());
                let supported = spoken.map(|revision| format!("\"{}\"", revision.name())).collect::<Vec<_>>().join(",");
                let requested =
                    requested.map(|name| format!(",\"requested\":\"{}\"", name.as_str())).unwrap_or_default();
                Some(format!("{{\"supported\":[{supported}]{requested}}}"))
            }
            _ => None,
        }
    }
}

/// Never quotes the request.
impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Message(reason) => reason.fmt(f),
            Self::RepeatedHeader(name) => write!(f, "header `{name}` must be given once"),
            Self::MissingHeader(name) => write!(f, "header `{name}` is missing"),
            Self::MalformedHeader(name) => {
                write!(f, "header `{name}` has characters or an encoding that it must not have")
            }
            Self::Mismatch(name) => write!(f, "header `{name}` does not match the body"),
            Self::OldTransport => {
                f.write_str("revision 2024-11-05 with its HTTP+SSE transport is not served; offer 2025-03-26 or newer")
            }
            Self::UnsupportedVersion(..) => write!(f, "unsupported protocol version in `{}`", Headers::VERSION),
            Self::NoSuchMethod(revision) => write!(f, "method not found in {}", revision.name()),
            Self::Direction => f.write_str("requests must have an `id`, notifications none"),
            Self::Answer => f.write_str("answers are not accepted in this revision"),
            Self::ResemblingKey => f.write_str("a key differs from a known one only by case"),
            Self::Parameter(name) => write!(f, "parameter `{name}` is missing or not allowed as it is"),
            Self::MissingCapability(name) => write!(f, "the client has not declared the capability `{name}`"),
        }
    }
}

impl std::error::Error for Reason {}

impl<'a> From<json_rpc::Fault<'a>> for Fault<'a> {
    fn from(fault: json_rpc::Fault<'a>) -> Self {
        Self { reason: Reason::Message(fault.reason), id: fault.id }
    }
}

impl From<json::Fault> for Fault<'_> {
    fn from(fault: json::Fault) -> Self {
        json_rpc::Fault::from(fault).into()
    }
}
