//! Everything the gate says no to: a stable reason, a status, and an answer that is JSON-RPC in every case. A client that speaks
//! several revisions takes anything else for a sign of an old server, and tries to speak like one.

use crate::approval::confirm::{Ask, Waits};
use crate::config::Refusals;
use crate::exchange::Asked;
use tollgate_host::stream::Reply;
use tollgate_identity::Fault as Unproven;
use tollgate_kernel::approval::question::URL_REQUIRED;
use tollgate_kernel::json_rpc::{self, INVALID_PARAMS, INVALID_REQUEST, Recipient};
use tollgate_kernel::mcp::{Fault, Reason, Refused};
use tollgate_kernel::runaway::Lost;
use tollgate_limits::{Denial, Why};

/// Why a request is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// No server is reached under this path and authority.
    UnknownPath,
    /// The transport that Streamable HTTP has replaced.
    OldTransport,
    /// A method of HTTP, or a body with one, that the transport does not have.
    Method,
    /// Not JSON in UTF-8.
    ContentType,
    /// A compressed body cannot be read, and so not decided on.
    ContentEncoding,
    /// A token in the query, which would go on with the path to whom it is not for.
    TokenInQuery,
    /// Trailers: who reads them could take them for headers.
    Trailers,
    /// Of the body nothing comes.
    NoBody,
    /// The body is larger than allowed.
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// What is shown does not prove who asks.
    Unproven(Unproven),
    /// It is no message of MCP, or contradicts itself.
    Protocol(Reason),
    /// No task of the caller's.
    UnknownTask,
    /// No session of the caller's.
    UnknownSession,
    /// A stream is to go on behind an event that is none of the session's.
    UnknownEvent,
    /// A tool or prompt of no server behind this one.
    UnknownBackend,
    /// A rule says no, or none says yes.
    Policy(Box<Policy>),
    /// A limit leaves no room.
    Limit(Box<Denial>),
    /// The agent has lost its way.
    Lost(Lost),
    /// The server's answer cannot be read, and so not decided on.
    Answer(&'static str),
    /// The server did not answer; Envoy's status.
    Upstream(u16),
}

/// What the rules say no to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// How.
    pub refused: Refused,
    /// Where in the configuration the rule stands.
    pub rule: Option<String>,
    /// The stable reason code.
    pub reason: &'static str,
    /// With these scopes it would not say so.
    pub lacks: Option<String>,
    /// What the rule wants the caller to be told.
    pub told: Option<String>,
    /// What is answered instead, where the client is to ask a person.
    pub question: Option<Ask>,
}

/// The code of an answer that the gateway could not get or let through.
const BAD_GATEWAY: i32 = -31004;
/// The code of a request by nobody who is known.
const UNAUTHORIZED: i32 = -31000;

impl Refusal {
    /// The stable reason code, also Envoy's `RESPONSE_CODE_DETAILS`.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::UnknownPath => "unknown_path",
            Self::OldTransport => "http_sse_transport",
            Self::Method => "method_not_allowed",
            Self::ContentType => "unsupported_content_type",
            Self::ContentEncoding => "unsupported_content_encoding",
            Self::TokenInQuery => "token_in_query",
            Self::Trailers => "trailers",
            Self::NoBody => "no_body",
            Self::TooLarge { .. } => "request_too_large",
            Self::Unproven(fault) => fault.reason(),
            Self::Protocol(reason) => reason.name(),
            Self::UnknownTask => "unknown_task",
            Self::UnknownSession => "unknown_session",
            Self::UnknownEvent => "unknown_event",
            Self::UnknownBackend => "unknown_backend",
            Self::Policy(policy) => policy.reason,
            Self::Limit(denial) => denial.reason(),
            Self::Lost(lost) => lost.reason(),
            Self::Answer(reason) => reason,
            Self::Upstream(_) => "no_answer",
        }
    }

    /// What in the configuration, or in the request itself, decided.
    #[must_use]
    pub fn rule(&self) -> String {
        match self {
            Self::UnknownPath | Self::OldTransport => "servers".to_owned(),
            Self::TooLarge { .. } => "bounds.request_bytes".to_owned(),
            Self::Unproven(fault) => fault.rule().to_owned(),
            Self::Policy(policy) => policy.rule.clone().unwrap_or_else(|| "rules".to_owned()),
            Self::Limit(denial) => denial.rule.clone(),
            Self::Lost(Lost::Repeats { .. }) => "runaway.repeats".to_owned(),
            Self::Lost(Lost::Errors { .. }) => "runaway.errors".to_owned(),
            Self::Answer(_) | Self::Upstream(_) => "answer".to_owned(),
            _ => "request".to_owned(),
        }
    }

    /// The same, of a call that a rule wants confirmed, once it is known why it is not.
    #[must_use]
    pub fn because(self, waits: Waits) -> Self {
        match self {
            Self::Policy(mut policy) => {
                policy.reason = waits.reason;
                policy.told =
                    Some(policy.told.map_or_else(|| waits.told.clone(), |told| format!("{told}; {}", waits.told)));
                policy.question = waits.question;
                Self::Policy(policy)
            }
            other => other,
        }
    }

    /// The status, where the answer is an error of HTTP.
    fn status(&self) -> u16 {
        match self {
            // As servers tell it.
            Self::UnknownTask => 200,
            Self::UnknownPath | Self::UnknownSession => 404,
            Self::OldTransport | Self::TokenInQuery | Self::Trailers | Self::UnknownEvent => 400,
            Self::Method => 405,
            Self::ContentType | Self::ContentEncoding => 415,
            Self::NoBody => 408,
            Self::TooLarge { .. } => 413,
            Self::Unproven(fault) if fault.is_forbidden() => 403,
            Self::Unproven(_) => 401,
            Self::Protocol(reason) => reason.status(),
            Self::UnknownBackend => 400,
            Self::Policy(policy) => policy.refused.status(),
            Self::Limit(denial) if denial.why == Why::StoreFailed => 503,
            Self::Limit(_) | Self::Lost(_) => Refused::Limited.status(),
            Self::Answer(_) => 502,
            Self::Upstream(status) => *status,
        }
    }

    const fn code(&self) -> i32 {
        match self {
            Self::Unproven(_) => UNAUTHORIZED,
            Self::Limit(_) | Self::Lost(_) => Refused::Limited.code(),
            Self::Answer(_) | Self::Upstream(_) => BAD_GATEWAY,
            Self::UnknownTask => INVALID_PARAMS,
            _ => INVALID_REQUEST,
        }
    }

    fn message(&self) -> String {
        match self {
            Self::UnknownPath => "no MCP server is reached under this path".to_owned(),
            Self::OldTransport => {
                "the HTTP+SSE transport of 2024-11-05 is not served; use Streamable HTTP at the server's one path"
                    .to_owned()
            }
            Self::Method => {
                "only POST, and in revisions with sessions GET and DELETE without a body, are served".to_owned()
            }
            Self::ContentType => "the content-type must be application/json, in UTF-8".to_owned(),
            Self::ContentEncoding => {
                "a compressed request body is not accepted; send it without content-encoding".to_owned()
            }
            Self::TokenInQuery => {
                "a token is accepted in the header `authorization`, not in the query".to_owned()
            }
            Self::Trailers => "trailers are not accepted".to_owned(),
            Self::NoBody => {
                "nothing of the request's body has come; if that is so of every request, the gateway is not configured right, \
                 and its log says how"
                    .to_owned()
            }
            Self::TooLarge { limit } => format!("the request body is larger than {limit} bytes"),
            Self::Unproven(fault) => fault.message(),
            Self::Protocol(reason) => reason.to_string(),
            // What SDKs' servers say.
            Self::UnknownTask => "Task not found".to_owned(),
            Self::UnknownSession => "Session not found".to_owned(),
            Self::UnknownEvent => "`Last-Event-ID` names no event of this session".to_owned(),
            Self::UnknownBackend => "the name begins with none of the servers behind this one".to_owned(),
            Self::Policy(policy) => policy.message(),
            Self::Limit(denial) => denial.message(),
            Self::Lost(lost) => lost.message(),
            Self::Answer(_) => "the server's answer could not be read, and was not let through".to_owned(),
            Self::Upstream(_) => "the server did not answer".to_owned(),
        }
    }

    /// The answer to what was `asked`, as far as that is known.
    #[must_use]
    pub fn reply(&self, asked: Option<&Asked>, refusals: Refusals) -> Reply {
        let id = asked.and_then(|asked| asked.id.as_ref());
        let recipient = id.map_or(Recipient::Unnamed, Recipient::Of);
        let (status, body) = match self {
            Self::Protocol(reason) => (reason.status(), Fault { reason: *reason, id: id.cloned() }.answer()),
            Self::Policy(policy) => match (&policy.question, id) {
                (Some(Ask::Form(result)), Some(id)) => (200, json_rpc::result(id, result)),
                (Some(Ask::Address(data)), Some(_)) => {
                    (200, json_rpc::error(recipient, URL_REQUIRED, &policy.message(), Some(data)))
                }
                _ => told(policy.refused, &policy.message(), asked, refusals),
            },
            // That a model goes round in circles is for the model to read.
            Self::Lost(lost) => told(Refused::Limited, &lost.message(), asked, refusals),
            // As SDKs' servers write it, the same for every request.
            Self::UnknownSession => (404, json_rpc::error(Recipient::Null, self.code(), &self.message(), None)),
            _ => (self.status(), json_rpc::error(recipient, self.code(), &self.message(), None)),
        };
        let mut headers = vec![("content-type", "application/json".to_owned())];
        match self {
            Self::Limit(denial) => headers.extend(denial.headers()),
            Self::Lost(lost) => {
                headers.push(("retry-after", lost.wait_ms().div_ceil(1000).to_string()));
            }
            Self::Method => headers.push(("allow", "POST, GET, DELETE".to_owned())),
            Self::Unproven(fault) if !fault.is_forbidden() => {
                headers.push(("www-authenticate", "Bearer".to_owned()));
            }
            _ => {}
        }
        Reply { status, details: self.reason(), headers, body }
    }
}

impl Policy {
    /// For the model that reads it, and the person who reads over its shoulder.
    #[must_use]
    pub fn message(&self) -> String {
        let mut text =
            format!("refused by policy: rule={} reason={}", self.rule.as_deref().unwrap_or("none"), self.reason);
        if let Some(lacks) = &self.lacks {
            text.push_str("; the token needs the scopes: ");
            text.push_str(lacks);
        }
        if let Some(told) = &self.told {
            text.push_str("; ");
            text.push_str(told);
        }
        text
    }
}

/// Status and body of a refusal by policy.
fn told(refused: Refused, text: &str, asked: Option<&Asked>, refusals: Refusals) -> (u16, Vec<u8>) {
    match asked.and_then(|asked| Some((asked, asked.id.as_ref()?, asked.method.as_ref()?))) {
        Some((asked, id, method)) if refusals == Refusals::Result || refused == Refused::Invalid => {
            (200, refused.answer(id, method, asked.revision, text))
        }
        known => {
            let recipient = known.map_or(Recipient::Unnamed, |(_, id, _)| Recipient::Of(id));
            (refused.status(), json_rpc::error(recipient, refused.code(), text, None))
        }
    }
}

#[cfg(test)]
mod tests;
