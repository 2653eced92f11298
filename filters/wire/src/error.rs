//! What can be wrong with a body, and the error object that a client gets.

use crate::usage::Usage;
use std::fmt;
use std::ops::Deref;

/// A request that cannot be served as asked: the client's fault, status 400. One pointer, because whatever reads or
/// writes a request hands it on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalid(Box<Fault>);

/// What is wrong with a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Path of the field at fault, for example `messages[2].content`; empty for the whole body.
    pub field: String,
    /// What is wrong, lowercase, no full stop; never quotes the client's text.
    pub message: String,
}

impl Invalid {
    /// A fault of one field.
    #[cold]
    #[inline(never)]
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self(Box::new(Fault { field: field.into(), message: message.into() }))
    }
}

impl Deref for Invalid {
    type Target = Fault;

    fn deref(&self) -> &Fault {
        &self.0
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.field.is_empty() { f.write_str(&self.message) } else { write!(f, "{}: {}", self.field, self.message) }
    }
}

impl std::error::Error for Invalid {}

/// A provider's answer that is not what its format promises.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Malformed {
    /// Not readable as this format.
    Unreadable(String),
    /// An error object where an answer was promised, as some providers send inside a 200.
    Error {
        /// What it says.
        error: ApiError,
        /// What was used all the same, where it says so: that is billed.
        usage: Option<Box<Usage>>,
    },
}

impl Malformed {
    /// An error object, and the figures beside it.
    #[cold]
    pub(crate) fn error(error: ApiError, usage: Option<Usage>) -> Self {
        Self::Error { error, usage: usage.map(Box::new) }
    }

    /// A fault of `what`. Never says what stood there: that may be part of a prompt.
    #[cold]
    #[inline(never)]
    pub(crate) fn of(what: &str) -> Self {
        Self::Unreadable(format!("{what} is not of the documented form"))
    }
}

/// The kind of an error, in words that every format has a name for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// 400: the request cannot be served as asked.
    InvalidRequest,
    /// 401: who asks is not known.
    Authentication,
    /// 403: known, and not allowed.
    Permission,
    /// 404: no such model or path.
    NotFound,
    /// 413: the body is larger than allowed.
    TooLarge,
    /// 429: a limit of the caller.
    RateLimit,
    /// 5xx: the provider or the gateway failed.
    Internal,
    /// 503 or Anthropic's 529: the provider is out of capacity for now.
    Overloaded,
    /// 504: no answer in time.
    Timeout,
}

/// One error, neutral between formats.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    /// HTTP status that goes with it.
    pub status: u16,
    /// Its kind.
    pub kind: ErrorKind,
    /// For people. Shown to the client.
    pub message: String,
    /// A stable machine-readable reason, OpenAI's `code`, for example `model_not_found`.
    pub code: Option<String>,
    /// The field at fault, OpenAI's `param`.
    pub param: Option<String>,
}

impl ApiError {
    /// An error of `kind` with the kind's usual status.
    #[inline(never)]
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { status: kind.status(), kind, message: message.into(), code: None, param: None }
    }
}

/// What a format calls its errors, the status documented with each, and what each means. The first of a kind is the one
/// written.
pub(crate) type Names = [(&'static str, u16, ErrorKind)];

/// Status and kind of the error called `name`.
pub(crate) fn documented(names: &Names, name: &str) -> Option<(u16, ErrorKind)> {
    names.iter().find(|(known, ..)| known.eq_ignore_ascii_case(name)).map(|&(_, status, kind)| (status, kind))
}

/// What a format calls errors of `kind`.
pub(crate) fn name_of(names: &Names, kind: ErrorKind) -> Option<&'static str> {
    names.iter().find(|(.., known)| *known == kind).map(|&(name, ..)| name)
}

/// What the provider said, if it said anything.
pub(crate) fn message(said: Option<String>, status: u16) -> String {
    let said = said.filter(|message| !message.trim().is_empty());
    said.unwrap_or_else(|| format!("the provider answered with status {status} and no message"))
}

impl ErrorKind {
    /// The status a client of any format expects with this kind.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::InvalidRequest => 400,
            Self::Authentication => 401,
            Self::Permission => 403,
            Self::NotFound => 404,
            Self::TooLarge => 413,
            Self::RateLimit => 429,
            Self::Internal => 500,
            Self::Overloaded => 503,
            Self::Timeout => 504,
        }
    }

    /// The kind that a bare status means.
    #[must_use]
    pub const fn of_status(status: u16) -> Self {
        match status {
            401 => Self::Authentication,
            402 | 403 => Self::Permission,
            404 => Self::NotFound,
            413 => Self::TooLarge,
            429 => Self::RateLimit,
            503 | 529 => Self::Overloaded,
            408 | 504 => Self::Timeout,
            424 => Self::Internal,
            400..=499 => Self::InvalidRequest,
            _ => Self::Internal,
        }
    }
}
