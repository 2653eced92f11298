//! Everything the gate itself says no to: a stable reason, a status, a sentence.

use tollgate_host::stream::Reply;
use tollgate_identity::Fault;
use tollgate_limits::{Denial, Why};
use tollgate_wire::Format;
use tollgate_wire::endpoint::{Endpoint, Operation};
use tollgate_wire::error::{ApiError, ErrorKind, Invalid};

/// Why a request is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// No format is served under this path.
    UnknownPath,
    /// Not the method that the path is served under.
    Method {
        /// That method.
        allowed: &'static str,
    },
    /// Not JSON.
    ContentType,
    /// A compressed body cannot be read, and so not decided on.
    ContentEncoding,
    /// It is not known who asks, or they may not.
    Unidentified(Fault),
    /// A model that is not configured.
    UnknownModel,
    /// A model that who asks may not use.
    ModelNotAllowed {
        /// Where the configuration says so.
        by: String,
    },
    /// A model on a route that who asks may not take.
    RouteNotAllowed {
        /// Where the configuration says so.
        by: String,
    },
    /// No provider of the model can do what is asked for.
    NotServedByModel {
        /// What that is.
        operation: Operation,
    },
    /// The body is larger than allowed.
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// The body is not a request of its format, or cannot be carried to the provider.
    Invalid(Invalid),
    /// A limit leaves no room.
    Limit(Box<Denial>),
    /// A provider failed, and the next one's format has no place for what is asked.
    NotCarried,
    /// The filters are installed in a way that cannot work; the operator's log says how.
    Misconfigured,
}

impl Refusal {
    /// The stable reason code, also Envoy's `RESPONSE_CODE_DETAILS`.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::UnknownPath => "unknown_path",
            Self::Method { .. } => "method_not_allowed",
            Self::ContentType => "unsupported_content_type",
            Self::ContentEncoding => "unsupported_content_encoding",
            Self::Unidentified(fault) => fault.reason(),
            Self::UnknownModel => "model_not_found",
            Self::ModelNotAllowed { .. } => "model_not_allowed",
            Self::RouteNotAllowed { .. } => "route_not_allowed",
            Self::NotServedByModel { .. } => "operation_not_served",
            Self::TooLarge { .. } => "request_too_large",
            Self::Invalid(_) => "invalid_request",
            Self::Limit(denial) => denial.reason(),
            Self::NotCarried => "not_carried",
            Self::Misconfigured => "gateway_misconfigured",
        }
    }

    /// What in the configuration, or in the request itself, decided.
    #[must_use]
    pub fn rule(&self) -> String {
        match self {
            Self::UnknownModel | Self::NotServedByModel { .. } => "models".to_owned(),
            Self::TooLarge { .. } => "bounds.request_bytes".to_owned(),
            Self::Unidentified(fault) => fault.rule().to_owned(),
            Self::ModelNotAllowed { by } => format!("{by}.models"),
            Self::RouteNotAllowed { by } => format!("{by}.routes"),
            Self::Limit(denial) => denial.rule.clone(),
            _ => "request".to_owned(),
        }
    }

    fn status(&self) -> u16 {
        match self {
            Self::Method { .. } => 405,
            Self::ContentType | Self::ContentEncoding => 415,
            other => other.kind().status(),
        }
    }

    const fn kind(&self) -> ErrorKind {
        match self {
            Self::UnknownPath | Self::UnknownModel => ErrorKind::NotFound,
            Self::Method { .. }
            | Self::NotServedByModel { .. }
            | Self::ContentType
            | Self::ContentEncoding
            | Self::Invalid(_) => ErrorKind::InvalidRequest,
            Self::Unidentified(fault) if fault.is_forbidden() => ErrorKind::Permission,
            Self::Unidentified(_) => ErrorKind::Authentication,
            Self::ModelNotAllowed { .. } | Self::RouteNotAllowed { .. } => ErrorKind::Permission,
            Self::TooLarge { .. } => ErrorKind::TooLarge,
            Self::Limit(denial) => match denial.why {
                Why::Full(_) | Why::Busy { .. } => ErrorKind::RateLimit,
                Why::StoreFailed => ErrorKind::Overloaded,
                Why::Unbound => ErrorKind::InvalidRequest,
                Why::Unpriced => ErrorKind::Permission,
            },
            Self::NotCarried => ErrorKind::Overloaded,
            Self::Misconfigured => ErrorKind::Internal,
        }
    }

    fn message(&self) -> String {
        match self {
            Self::UnknownPath => {
                format!("nothing is served under this path; served are {}", Endpoint::served())
            }
            Self::Method { allowed } => format!("only {allowed} is served under this path"),
            Self::NotServedByModel { operation } => format!("this model does not serve {}", operation.name()),
            Self::ContentType => "the content-type must be application/json".to_owned(),
            Self::ContentEncoding => {
                "a compressed request body is not accepted; send it without content-encoding".to_owned()
            }
            Self::Unidentified(fault) => fault.message(),
            Self::UnknownModel => "the model is not served here".to_owned(),
            Self::ModelNotAllowed { .. } => "you may not use this model".to_owned(),
            Self::RouteNotAllowed { .. } => "you may not use this model's route".to_owned(),
            Self::TooLarge { limit } => format!("the request body is larger than {limit} bytes"),
            Self::Invalid(invalid) => invalid.to_string(),
            Self::Limit(denial) => denial.message(),
            Self::NotCarried => {
                "a provider failed, and the next one cannot take this request; try again later".to_owned()
            }
            Self::Misconfigured => "the gateway is not configured correctly; its log says why".to_owned(),
        }
    }

    /// The answer in the client's own format.
    #[must_use]
    pub fn reply(&self, format: Format) -> Reply {
        let param = match self {
            Self::Invalid(invalid) if !invalid.field.is_empty() => Some(invalid.field.clone()),
            Self::UnknownModel | Self::ModelNotAllowed { .. } | Self::RouteNotAllowed { .. } => {
                Some("model".to_owned())
            }
            _ => None,
        };
        let error = ApiError {
            status: self.status(),
            kind: self.kind(),
            message: self.message(),
            code: Some(self.reason().to_owned()),
            param,
        };
        let mut reply = error_reply(format, &error, self.reason());
        match self {
            Self::Method { allowed } => reply.headers.push(("allow", (*allowed).to_owned())),
            Self::Limit(denial) => reply.headers.extend(denial.headers()),
            _ => {}
        }
        reply
    }
}

/// An error object as a whole answer.
#[must_use]
pub fn error_reply(format: Format, error: &ApiError, details: &'static str) -> Reply {
    Reply {
        status: error.status,
        details,
        headers: vec![("content-type", "application/json".to_owned())],
        body: format.write_error(error),
    }
}

#[cfg(test)]
mod tests;
