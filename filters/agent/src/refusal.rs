//! Everything the gate says no to: a stable reason, and an answer in the caller's own binding and version.

use crate::config::Refusals;
use tollgate_host::stream::Reply;
use tollgate_identity::{Fault as Unproven, NotProven};
use tollgate_kernel::a2a::conversation;
use tollgate_kernel::a2a::push::NotAllowed;
use tollgate_kernel::a2a::{Answer, Binding, Dialect, Error, Reason, Refused, Version};
use tollgate_kernel::json_rpc::Id;
use tollgate_limits::{Denial, Why};

/// Why a request is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// No agent is reached under this path and authority.
    UnknownAgent,
    /// Trailers: who reads them could take them for headers.
    Trailers,
    /// Of the body nothing comes.
    NoBody,
    /// A body, of what an agent does with headers alone, where those are not held.
    Unheld,
    /// The body is larger than allowed.
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// What is shown does not prove who calls.
    Unproven(Unproven),
    /// Certificate and token are not the same agent's.
    Mismatch(NotProven),
    /// It is no request of A2A, or contradicts itself.
    Protocol(Reason),
    /// gRPC, which the configuration does not let through.
    Grpc,
    /// The address may not be told of tasks.
    Push(NotAllowed),
    /// A rule says no, or none says yes.
    Denied(Box<Denied>),
    /// A limit leaves no room.
    Limit(Box<Denial>),
    /// It is not within what is the caller's, or the answer is not.
    Conversation(conversation::Refusal),
    /// No card is served of the agent.
    NoCard,
    /// The agent's answer cannot be read, and so not decided on.
    Answer(&'static str),
    /// The agent did not answer; Envoy's status.
    Upstream(u16),
}

/// What is said no to, of what is otherwise good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denied {
    /// Where in the configuration it stands.
    pub rule: Option<String>,
    /// The stable reason code.
    pub reason: &'static str,
    /// What the rule wants the caller to be told.
    pub told: Option<String>,
}

/// How somebody is answered of whom it is not known what they speak.
const UNKNOWN: Dialect = Dialect { binding: Binding::HttpJson, version: Version::V1_0 };

impl Refusal {
    /// What this part of the configuration says no to.
    #[must_use]
    pub fn denied(rule: Option<String>, reason: &'static str, told: Option<&str>) -> Self {
        Self::Denied(Box::new(Denied { rule, reason, told: told.map(str::to_owned) }))
    }

    /// The stable reason code, also Envoy's `RESPONSE_CODE_DETAILS`.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::UnknownAgent => "unknown_agent",
            Self::Trailers => "trailers",
            Self::NoBody => "no_body",
            Self::Unheld => "unheld_body",
            Self::TooLarge { .. } => "request_too_large",
            Self::Unproven(fault) => fault.reason(),
            Self::Mismatch(_) => "identity_mismatch",
            Self::Protocol(reason) => reason.name(),
            Self::Grpc => "grpc",
            Self::Push(_) => "push_address",
            Self::Denied(denied) => denied.reason,
            Self::Limit(denial) => denial.reason(),
            Self::Conversation(refusal) => refusal.name(),
            Self::NoCard => "no_card",
            Self::Answer(reason) => reason,
            Self::Upstream(_) => "no_answer",
        }
    }

    /// What in the configuration, or in the request itself, decided.
    #[must_use]
    pub fn rule(&self) -> String {
        match self {
            Self::UnknownAgent => "agents".to_owned(),
            Self::TooLarge { .. } => "bounds.request_bytes".to_owned(),
            Self::Unheld => "hold_headers".to_owned(),
            Self::Unproven(fault) => fault.rule().to_owned(),
            Self::Mismatch(fault) => fault.rule().to_owned(),
            Self::Grpc => "agents.grpc".to_owned(),
            Self::Push(_) => "agents.push".to_owned(),
            Self::Denied(denied) => denied.rule.clone().unwrap_or_else(|| "rules".to_owned()),
            Self::Limit(denial) => denial.rule.clone(),
            Self::Conversation(_) => "agents.conversations".to_owned(),
            Self::NoCard => "cards.url".to_owned(),
            Self::Answer(_) | Self::Upstream(_) => "answer".to_owned(),
            Self::Trailers | Self::NoBody | Self::Protocol(_) => "request".to_owned(),
        }
    }

    fn message(&self) -> String {
        match self {
            Self::UnknownAgent => "no agent is reached under this path".to_owned(),
            Self::Trailers => "trailers are not accepted".to_owned(),
            Self::NoBody => {
                "nothing of the request's body has come; if that is so of every request, the gateway is not configured right, \
                 and its log says how"
                    .to_owned()
            }
            Self::Unheld => {
                "a body is not accepted here, where an agent would not wait for it; leave it out, or use JSON-RPC".to_owned()
            }
            Self::TooLarge { limit } => format!("the request body is larger than {limit} bytes"),
            Self::Unproven(fault) => fault.message(),
            Self::Mismatch(fault) => fault.message(),
            Self::Protocol(reason) => reason.to_string(),
            Self::Grpc => "gRPC is not served here; use JSON-RPC or HTTP+JSON".to_owned(),
            Self::Push(fault) => format!("the address for push notifications is not allowed: {fault}"),
            Self::Denied(denied) => denied.message(),
            Self::Limit(denial) => denial.message(),
            Self::Conversation(refusal) => refusal.message().to_owned(),
            Self::NoCard => "no card of this agent is served here".to_owned(),
            Self::Answer(_) => "the agent's answer could not be read, and was not let through".to_owned(),
            Self::Upstream(_) => "the agent did not answer".to_owned(),
        }
    }

    /// The answer to the request `id`.
    fn answer(&self, dialect: Dialect, id: Option<&Id<'_>>) -> Answer {
        let message = self.message();
        let refused = |refused: Refused| refused.answer(dialect, id, self.reason(), &message);
        let error = |error: Error| error.answer(dialect, id, Some(&message));
        let with = |status: u16, answer: Answer| Answer { status, ..answer };
        match self {
            Self::UnknownAgent => with(404, error(Error::MethodNotFound)),
            Self::Trailers | Self::Unheld => with(400, error(Error::InvalidRequest)),
            Self::NoBody => with(408, error(Error::InvalidRequest)),
            Self::TooLarge { .. } => refused(Refused::TooLarge),
            Self::Unproven(fault) if fault.is_forbidden() => refused(Refused::Denied),
            Self::Unproven(_) => refused(Refused::Unauthenticated),
            Self::Protocol(reason @ (Reason::ContentType | Reason::ContentEncoding)) => {
                with(415, error(reason.error()))
            }
            Self::Protocol(reason) => error(reason.error()),
            Self::Grpc => error(Error::UnsupportedOperation),
            Self::Mismatch(_) | Self::Push(_) | Self::Denied(_) => refused(Refused::Denied),
            Self::Limit(denial) => {
                let answer = refused(Refused::Limited(denial.wait_s()));
                if denial.why == Why::StoreFailed { with(503, answer) } else { answer }
            }
            Self::Conversation(refusal) => refusal.answer(dialect, id),
            Self::NoCard => with(404, error(Error::ExtendedCardNotConfigured)),
            Self::Answer(_) => with(502, error(Error::InvalidAgentResponse)),
            Self::Upstream(status) => with(*status, error(Error::InvalidAgentResponse)),
        }
    }

    /// The reply to a request in this dialect, as far as that is known, with this id.
    #[must_use]
    pub fn reply(&self, dialect: Option<Dialect>, id: Option<&Id<'_>>, refusals: Refusals) -> Reply {
        let dialect = dialect.unwrap_or(UNKNOWN);
        let mut answer = self.answer(dialect, id);
        let is_of_policy = matches!(self, Self::Mismatch(_) | Self::Push(_) | Self::Denied(_) | Self::Limit(_));
        if is_of_policy && dialect.binding == Binding::JsonRpc && refusals == Refusals::Error {
            answer.status = 200;
        }
        let mut headers = vec![("content-type", answer.content_type.to_owned())];
        headers.extend(answer.grpc_status.map(|status| ("grpc-status", status.to_string())));
        match self {
            Self::Limit(denial) => headers.extend(denial.headers()),
            Self::Unproven(fault) if !fault.is_forbidden() => headers.push(("www-authenticate", "Bearer".to_owned())),
            _ => {}
        }
        Reply { status: answer.status, details: self.reason(), headers, body: answer.body }
    }
}

impl Denied {
    /// For the agent that reads it, and the person who reads its log.
    #[must_use]
    pub fn message(&self) -> String {
        let rule = self.rule.as_deref().unwrap_or("none");
        let text = format!("refused by policy: rule={rule} reason={}", self.reason);
        self.told.as_ref().map_or_else(|| text.clone(), |told| format!("{text}; {told}"))
    }
}

#[cfg(test)]
mod tests;
