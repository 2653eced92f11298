//! What is wrong with a request, and how that is answered.

use super::refusal::{Answer, Error};
use super::{Dialect, Version};
use crate::json;
use crate::json_rpc::{self, Id};
use std::fmt;

/// Why a request is refused before any rule is asked.
#[derive(Debug, Clone)]
pub struct Fault<'a> {
    /// What is wrong.
    pub reason: Reason,
    /// What the caller speaks, as far as that was understood.
    pub dialect: Dialect,
    /// The request's id, if it has one that could be read.
    pub id: Option<Id<'a>>,
}

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// It is not JSON, or no message of JSON-RPC.
    Message(json_rpc::Reason),
    /// This header is there more than once.
    RepeatedHeader(&'static str),
    /// This header is not written as such headers are.
    MalformedHeader(&'static str),
    /// A header that makes some servers read another method of HTTP.
    MethodOverride,
    /// `HEAD` of what is an operation by `GET`: it would be answered alike, under another name.
    Head,
    /// A body that is not called JSON.
    ContentType,
    /// A compressed body.
    ContentEncoding,
    /// A body is missing, or is there where none belongs.
    Body,
    /// A path that servers read differently.
    Path,
    /// A query that servers read differently.
    Query,
    /// A token in the query, which would go on with the path to whom it is not for.
    TokenInQuery,
    /// A version that is not spoken here.
    UnsupportedVersion,
    /// Header and query name different versions.
    TwoVersions,
    /// What is asked for is asked for as this version does, and the request names the other one.
    OtherVersion(Version),
    /// A request without an id.
    Notification,
    /// An answer: agents ask nothing of clients.
    Answer,
    /// A key differs from a known one only in ways that some readers do not see.
    ResemblingKey,
    /// This member stands there in both spellings.
    BothSpellings(&'static str),
    /// This member is missing or is not what it must be.
    Parameter(&'static str),
    /// Path, query and body say different things of this.
    Disagreement(&'static str),
    /// Two skills are declared.
    Skills,
    /// More extensions than anybody needs.
    Extensions,
}

impl Fault<'_> {
    /// The answer.
    #[must_use]
    pub fn answer(&self) -> Answer {
        self.reason.error().answer(self.dialect, self.id.as_ref(), Some(&self.reason.to_string()))
    }
}

impl Reason {
    /// The error that it is to the caller.
    #[must_use]
    pub const fn error(self) -> Error {
        match self {
            Self::Message(json_rpc::Reason::Json(fault)) => match fault.reason {
                json::Reason::TooLarge => Error::InvalidRequest,
                _ => Error::Parse,
            },
            Self::Parameter(_) | Self::Disagreement(_) | Self::Query | Self::Skills | Self::Extensions => {
                Error::InvalidParams
            }
            Self::UnsupportedVersion | Self::TwoVersions | Self::OtherVersion(_) => Error::VersionNotSupported,
            Self::ContentType | Self::ContentEncoding => Error::ContentTypeNotSupported,
            _ => Error::InvalidRequest,
        }
    }

    /// The word in records.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Message(reason) => reason.name(),
            Self::RepeatedHeader(_) => "repeated_header",
            Self::MalformedHeader(_) => "malformed_header",
            Self::MethodOverride => "method_override",
            Self::Head => "head",
            Self::ContentType => "unsupported_content_type",
            Self::ContentEncoding => "unsupported_content_encoding",
            Self::Body => "body",
            Self::Path => "path",
            Self::Query => "query",
            Self::TokenInQuery => "token_in_query",
            Self::UnsupportedVersion => "unsupported_version",
            Self::TwoVersions | Self::OtherVersion(_) => "version_mismatch",
            Self::Notification => "notification",
            Self::Answer => "answer",
            Self::ResemblingKey => "resembling_key",
            Self::BothSpellings(_) => "both_spellings",
            Self::Parameter(_) => "parameter",
            Self::Disagreement(_) => "disagreement",
            Self::Skills => "two_skills",
            Self::Extensions => "too_many_extensions",
        }
    }
}

impl From<json::Fault> for Reason {
    fn from(fault: json::Fault) -> Self {
        Self::Message(json_rpc::Reason::Json(fault))
    }
}

/// Never quotes the request.
impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Message(reason) => return reason.fmt(f),
            Self::RepeatedHeader(name) => return write!(f, "header `{name}` must be given once"),
            Self::MalformedHeader(name) => return write!(f, "header `{name}` has characters that it must not have"),
            Self::MethodOverride => "headers that override the method are not accepted",
            Self::Head => "HEAD is not accepted here; use GET",
            Self::ContentType => "the content type must be JSON, in UTF-8",
            Self::ContentEncoding => "a compressed body is not accepted; send it without content-encoding",
            Self::Body => "a body is missing, or is there where none belongs",
            Self::Path => "the path has characters, encodings or segments that servers read differently",
            Self::Query => "the query has characters, encodings or repetitions that servers read differently",
            Self::TokenInQuery => "a token is accepted in the header `authorization`, not in the query",
            Self::UnsupportedVersion => "unsupported protocol version; 0.3 and 1.0 are spoken",
            Self::TwoVersions => "header and query name different protocol versions",
            Self::OtherVersion(version) => {
                return write!(
                    f,
                    "this is asked for as version {} does, but the request does not name that version",
                    version.name()
                );
            }
            Self::Notification => "requests must have an `id`",
            Self::Answer => "answers are not accepted",
            Self::ResemblingKey => "a key differs from a known one only by case",
            Self::BothSpellings(name) => return write!(f, "`{name}` is given in two spellings"),
            Self::Parameter(name) => return write!(f, "`{name}` is missing or not allowed as it is"),
            Self::Disagreement(name) => return write!(f, "path, query and body say different things of `{name}`"),
            Self::Skills => "two different skills are declared",
            Self::Extensions => "too many extensions",
        })
    }
}

impl std::error::Error for Reason {}
