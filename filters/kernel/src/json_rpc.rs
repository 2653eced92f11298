//! One message of JSON-RPC 2.0.
//!
//! Read so that who reads it after us reads the same: exactly one of `method`, `result` and `error`, no member that the
//! protocol does not have (some readers take `Method` for `method`, some take a message with `method` and `result` for a
//! request, others for an answer), no batches.

use crate::json::{self, Document, Kind, Value};
use std::borrow::Cow;
use std::fmt;

mod write;

pub use write::{Recipient, error, result};

/// Text that is not JSON.
pub const PARSE_ERROR: i32 = -32700;
/// JSON that is no message.
pub const INVALID_REQUEST: i32 = -32600;
/// A method that is not there.
pub const METHOD_NOT_FOUND: i32 = -32601;
/// Parameters that the method does not have.
pub const INVALID_PARAMS: i32 = -32602;

/// The members that a message may have.
const MEMBERS: [&str; 6] = ["jsonrpc", "id", "method", "params", "result", "error"];
/// The longest name of a method.
const MAX_METHOD: usize = 128;
/// Whole numbers up to this are the same to all who read JSON.
const MAX_ID: u64 = 1 << 53;

/// A message.
#[derive(Debug, Clone)]
pub enum Message<'d, 'a> {
    /// Asks for something.
    Request {
        /// What the answer will carry.
        id: Id<'a>,
        /// What is asked for: 1 to 128 visible characters of ASCII.
        method: Cow<'a, str>,
        /// An object.
        params: Option<Value<'d, 'a>>,
    },
    /// Says something and wants no answer.
    Notification {
        /// What is said: 1 to 128 visible characters of ASCII.
        method: Cow<'a, str>,
        /// An object.
        params: Option<Value<'d, 'a>>,
    },
    /// Answers a request.
    Result {
        /// That request's.
        id: Id<'a>,
        /// Anything.
        result: Value<'d, 'a>,
    },
    /// Answers a request that failed.
    Error {
        /// That request's, if it could be read.
        id: Option<Id<'a>>,
        /// An object.
        error: Value<'d, 'a>,
    },
}

/// The id of a request, as it was written: a string, or a whole number within ±2^53.
#[derive(Debug, Clone)]
pub struct Id<'a>(Cow<'a, str>);

/// Why a text is no message.
#[derive(Debug, Clone)]
pub struct Fault<'a> {
    /// What is wrong.
    pub reason: Reason,
    /// The id that an answer must carry, if it could be read.
    pub id: Option<Id<'a>>,
}

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The text is not read as JSON.
    Json(json::Fault),
    /// Several messages in an array.
    Batch,
    /// Neither an object nor an array.
    NotAnObject,
    /// A member that messages do not have.
    UnknownMember,
    /// `jsonrpc` is not `"2.0"`.
    Version,
    /// Not exactly one of `method`, `result` and `error`, or `params` without a `method`.
    Ambiguous,
    /// `id` is neither a string nor a whole number within ±2^53, or is missing where it must be.
    Id,
    /// `method` is not 1 to 128 visible characters of ASCII.
    Method,
    /// `params` is not an object.
    Params,
    /// `error` is not an object.
    Error,
}

impl<'d, 'a> Message<'d, 'a> {
    /// The message that `document` is.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn of(document: &'d Document<'a>) -> Result<Self, Fault<'a>> {
        let root = document.root();
        // Even of a message that is wrong: its sender waits for an answer.
        let id = root.get("id").and_then(Id::of);
        Self::read(root, id.clone()).map_err(|reason| Fault { reason, id })
    }

    fn read(root: Value<'d, 'a>, id: Option<Id<'a>>) -> Result<Self, Reason> {
        match root.kind() {
            Kind::Object => {}
            Kind::Array => return Err(Reason::Batch),
            _ => return Err(Reason::NotAnObject),
        }
        if root.members().any(|member| !MEMBERS.iter().any(|known| member.is(known))) {
            return Err(Reason::UnknownMember);
        }
        if root.get("jsonrpc").and_then(Value::as_str).as_deref() != Some("2.0") {
            return Err(Reason::Version);
        }
        let has_id = root.get("id").is_some();
        let params = root.get("params");
        match (root.get("method"), root.get("result"), root.get("error"), params) {
            (Some(method), None, None, _) => {
                let method = method.as_str().filter(|name| is_method(name)).ok_or(Reason::Method)?;
                if params.is_some_and(|params| !params.is_object()) {
                    return Err(Reason::Params);
                }
                match (id, has_id) {
                    (Some(id), _) => Ok(Self::Request { id, method, params }),
                    (None, false) => Ok(Self::Notification { method, params }),
                    (None, true) => Err(Reason::Id),
                }
            }
            (None, Some(result), None, None) => Ok(Self::Result { id: id.ok_or(Reason::Id)?, result }),
            (None, None, Some(error), None) => {
                let is_null = root.get("id").is_none_or(|id| id.kind() == Kind::Null);
                match id {
                    _ if !error.is_object() => Err(Reason::Error),
                    None if !is_null => Err(Reason::Id),
                    id => Ok(Self::Error { id, error }),
                }
            }
            _ => Err(Reason::Ambiguous),
        }
    }
}

fn is_method(name: &str) -> bool {
    (1..=MAX_METHOD).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_graphic())
}

impl<'a> Id<'a> {
    /// The id that `value` is.
    #[must_use]
    pub fn of(value: Value<'_, 'a>) -> Option<Self> {
        let is_id = match value.kind() {
            Kind::String => true,
            Kind::Number => {
                let digits = value.raw().trim_start_matches('-');
                let whole = digits.parse().is_ok_and(|size: u64| size <= MAX_ID);
                whole && value.raw() != "-0"
            }
            _ => false,
        };
        is_id.then(|| Self(value.raw().into()))
    }

    /// As it was written.
    #[must_use]
    pub fn raw(&self) -> &str {
        &self.0
    }

    /// As text, for people: a string without quotes and escapes, or the digits of a number.
    #[must_use]
    pub fn shown(&self) -> Cow<'_, str> {
        self.text().unwrap_or(Cow::Borrowed(&self.0))
    }

    /// Apart from the message.
    #[must_use]
    pub fn into_owned(self) -> Id<'static> {
        Id(self.0.into_owned().into())
    }

    /// Whether `other`, however it is written, is the same: `"a"` and `"\u0061"` are, `1` and `"1"` are not.
    #[must_use]
    pub fn is(&self, other: &Id<'_>) -> bool {
        self.0 == other.0 || self.text().is_some_and(|text| other.text() == Some(text))
    }

    fn text(&self) -> Option<Cow<'_, str>> {
        let limits = json::Limits { bytes: self.0.len(), nodes: 1 };
        Document::read(self.0.as_bytes(), limits).ok().and_then(|document| document.root().as_str())
    }
}

impl Reason {
    /// The code in the answer.
    #[must_use]
    pub const fn code(self) -> i32 {
        match self {
            Self::Json(_) => PARSE_ERROR,
            _ => INVALID_REQUEST,
        }
    }

    /// The word in records.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Json(fault) => fault.reason.name(),
            Self::Batch => "batch",
            Self::NotAnObject => "not_an_object",
            Self::UnknownMember => "unknown_member",
            Self::Version => "jsonrpc_version",
            Self::Ambiguous => "ambiguous",
            Self::Id => "id",
            Self::Method => "method",
            Self::Params => "params",
            Self::Error => "error",
        }
    }
}

impl From<json::Fault> for Fault<'_> {
    fn from(fault: json::Fault) -> Self {
        Self { reason: Reason::Json(fault), id: None }
    }
}

/// Never quotes the message.
impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Json(fault) => return fault.fmt(f),
            Self::Batch => "batches are not accepted",
            Self::NotAnObject => "expected an object",
            Self::UnknownMember => "a member that JSON-RPC 2.0 does not have",
            Self::Version => "`jsonrpc` must be \"2.0\"",
            Self::Ambiguous => "expected exactly one of `method`, `result` and `error`",
            Self::Id => "`id` must be a string or a whole number within ±2^53",
            Self::Method => "`method` must be 1 to 128 visible characters of ASCII",
            Self::Params => "`params` must be an object",
            Self::Error => "`error` must be an object",
        })
    }
}

impl std::error::Error for Reason {}

#[cfg(test)]
mod tests;
