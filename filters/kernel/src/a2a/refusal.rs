//! How a caller is told no, in its own binding and version.

use super::{Binding, Dialect, Version};
use crate::json::quoted;
use crate::json_rpc::{self, Id, Recipient};

/// An error of A2A's own. What belongs to somebody else is [`Error::TaskNotFound`], byte for byte as what is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Error {
    /// There is no such task, or none of the caller's.
    TaskNotFound,
    /// The task has ended, or cannot be.
    TaskNotCancelable,
    /// The agent tells nobody of its tasks.
    PushNotSupported,
    /// Not this operation.
    UnsupportedOperation,
    /// Not this content type.
    ContentTypeNotSupported,
    /// The agent's answer is none.
    InvalidAgentResponse,
    /// The agent has no card but the public one.
    ExtendedCardNotConfigured,
    /// An extension is needed.
    ExtensionSupportRequired,
    /// Not this version.
    VersionNotSupported,
    /// It is not JSON.
    Parse,
    /// It is no request.
    InvalidRequest,
    /// There is no such method or path.
    MethodNotFound,
    /// Something in it is missing or not what it must be.
    InvalidParams,
}

/// Why the gateway refuses what is otherwise good. The codes lie outside those that JSON-RPC and A2A keep for themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// Who asks is not proven.
    Unauthenticated,
    /// It is proven, and not allowed: by a rule, or since identities do not agree.
    Denied,
    /// A limit is reached, for so many seconds if that is known.
    Limited(Option<u64>),
    /// It is larger than what is read.
    TooLarge,
}

/// What the caller is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// `grpc-status`, of an answer in gRPC. There the body is `grpc-message`, as Envoy makes it of a local reply.
    pub grpc_status: Option<u8>,
    /// `content-type`.
    pub content_type: &'static str,
    /// `retry-after`: seconds.
    pub retry_after: Option<u64>,
    /// The body.
    pub body: Vec<u8>,
}

/// Who names the reasons of A2A's errors, and who those of ours.
const A2A_DOMAIN: &str = "a2a-protocol.org";
const OWN_DOMAIN: &str = "tollgate";

/// How an error is told in each binding.
struct Told<'t> {
    code: i32,
    status: u16,
    canonical: Canonical,
    /// Its name in version 0.3 over HTTP.
    kind: &'t str,
    reason: &'t str,
    domain: &'t str,
    message: &'t str,
    retry_after: Option<u64>,
}

/// The codes of `google.rpc.Code` that are used.
#[derive(Debug, Clone, Copy)]
enum Canonical {
    InvalidArgument,
    NotFound,
    PermissionDenied,
    ResourceExhausted,
    FailedPrecondition,
    Unimplemented,
    Internal,
    Unauthenticated,
}

impl Error {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::TaskNotFound,
        Self::TaskNotCancelable,
        Self::PushNotSupported,
        Self::UnsupportedOperation,
        Self::ContentTypeNotSupported,
        Self::InvalidAgentResponse,
        Self::ExtendedCardNotConfigured,
        Self::ExtensionSupportRequired,
        Self::VersionNotSupported,
        Self::InvalidRequest,
        Self::Parse,
        Self::MethodNotFound,
        Self::InvalidParams,
    ];

    /// The error that is told over HTTP+JSON with this reason, or by version 0.3 under this name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|error| error.reason() == name || error.words().0 == name)
    }

    /// The code in JSON-RPC.
    #[must_use]
    pub const fn code(self) -> i32 {
        match self {
            Self::TaskNotFound => -32001,
            Self::TaskNotCancelable => -32002,
            Self::PushNotSupported => -32003,
            Self::UnsupportedOperation => -32004,
            Self::ContentTypeNotSupported => -32005,
            Self::InvalidAgentResponse => -32006,
            Self::ExtendedCardNotConfigured => -32007,
            Self::ExtensionSupportRequired => -32008,
            Self::VersionNotSupported => -32009,
            Self::Parse => json_rpc::PARSE_ERROR,
            Self::InvalidRequest => json_rpc::INVALID_REQUEST,
            Self::MethodNotFound => json_rpc::METHOD_NOT_FOUND,
            Self::InvalidParams => json_rpc::INVALID_PARAMS,
        }
    }

    /// The status over HTTP+JSON. JSON-RPC tells errors of the protocol with 200.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::TaskNotFound | Self::MethodNotFound => 404,
            Self::InvalidAgentResponse => 500,
            _ => 400,
        }
    }

    /// The reason over HTTP+JSON.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::TaskNotFound => "TASK_NOT_FOUND",
            Self::TaskNotCancelable => "TASK_NOT_CANCELABLE",
            Self::PushNotSupported => "PUSH_NOTIFICATION_NOT_SUPPORTED",
            Self::UnsupportedOperation => "UNSUPPORTED_OPERATION",
            Self::ContentTypeNotSupported => "CONTENT_TYPE_NOT_SUPPORTED",
            Self::InvalidAgentResponse => "INVALID_AGENT_RESPONSE",
            Self::ExtendedCardNotConfigured => "EXTENDED_AGENT_CARD_NOT_CONFIGURED",
            Self::ExtensionSupportRequired => "EXTENSION_SUPPORT_REQUIRED",
            Self::VersionNotSupported => "VERSION_NOT_SUPPORTED",
            Self::Parse | Self::InvalidRequest => "INVALID_REQUEST",
            Self::MethodNotFound => "METHOD_NOT_FOUND",
            Self::InvalidParams => "INVALID_PARAMS",
        }
    }

    const fn canonical(self) -> Canonical {
        match self {
            Self::TaskNotFound => Canonical::NotFound,
            Self::MethodNotFound => Canonical::Unimplemented,
            Self::InvalidAgentResponse => Canonical::Internal,
            Self::TaskNotCancelable
            | Self::PushNotSupported
            | Self::ExtendedCardNotConfigured
            | Self::UnsupportedOperation
            | Self::ExtensionSupportRequired
            | Self::VersionNotSupported => Canonical::FailedPrecondition,
            _ => Canonical::InvalidArgument,
        }
    }

    /// What it is called by version 0.3, and what it says if there is nothing better to say.
    const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::TaskNotFound => ("TaskNotFoundError", "Task not found"),
            Self::TaskNotCancelable => ("TaskNotCancelableError", "Task cannot be canceled"),
            Self::PushNotSupported => ("PushNotificationNotSupportedError", "Push Notification is not supported"),
            Self::UnsupportedOperation => ("UnsupportedOperationError", "This operation is not supported"),
            Self::ContentTypeNotSupported => ("ContentTypeNotSupportedError", "Incompatible content types"),
            Self::InvalidAgentResponse => ("InvalidAgentResponseError", "Invalid agent response"),
            Self::ExtendedCardNotConfigured => {
                ("ExtendedAgentCardNotConfiguredError", "Authenticated Extended Card is not configured")
            }
            Self::ExtensionSupportRequired => ("ExtensionSupportRequiredError", "Extension support required"),
            Self::VersionNotSupported => ("VersionNotSupportedError", "Version not supported"),
            Self::Parse => ("JSONParseError", "Invalid JSON payload"),
            Self::InvalidRequest => ("InvalidRequestError", "Invalid Request"),
            Self::MethodNotFound => ("MethodNotFoundError", "Method not found"),
            Self::InvalidParams => ("InvalidParamsError", "Invalid params"),
        }
    }

    /// The answer to the request `id`. `message` says more than the error does; of a task that is not found there is no more to
    /// say.
    #[must_use]
    pub fn answer(self, dialect: Dialect, id: Option<&Id<'_>>, message: Option<&str>) -> Answer {
        self.told(message).answer(dialect, id)
    }

    /// The body of [`Error::answer`].
    #[must_use]
    pub fn body(self, dialect: Dialect, id: Option<&Id<'_>>, message: Option<&str>) -> Vec<u8> {
        self.told(message).body(dialect, id)
    }

    fn told<'t>(self, message: Option<&'t str>) -> Told<'t> {
        let (kind, usual) = self.words();
        Told {
            code: self.code(),
            status: self.status(),
            canonical: self.canonical(),
            kind,
            reason: self.reason(),
            domain: A2A_DOMAIN,
            message: message.filter(|_| self != Self::TaskNotFound).unwrap_or(usual),
            retry_after: None,
        }
    }
}

impl Refused {
    /// The code in JSON-RPC.
    #[must_use]
    pub const fn code(self) -> i32 {
        match self {
            Self::Unauthenticated => -31000,
            Self::Denied => -31001,
            Self::Limited(_) => -31002,
            Self::TooLarge => json_rpc::INVALID_REQUEST,
        }
    }

    /// The status, in every binding.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::Unauthenticated => 401,
            Self::Denied => 403,
            Self::Limited(_) => 429,
            Self::TooLarge => 413,
        }
    }

    const fn canonical(self) -> Canonical {
        match self {
            Self::Unauthenticated => Canonical::Unauthenticated,
            Self::Denied => Canonical::PermissionDenied,
            Self::Limited(_) | Self::TooLarge => Canonical::ResourceExhausted,
        }
    }

    /// The answer to the request `id`. `reason` is the stable code, for example `identity_mismatch`.
    #[must_use]
    pub fn answer(self, dialect: Dialect, id: Option<&Id<'_>>, reason: &str, message: &str) -> Answer {
        let kind = match self {
            Self::Unauthenticated => "UnauthenticatedError",
            Self::Denied => "PermissionDeniedError",
            Self::Limited(_) => "RateLimitedError",
            Self::TooLarge => "RequestTooLargeError",
        };
        let retry_after = if let Self::Limited(seconds) = self { seconds } else { None };
        let (code, status, canonical) = (self.code(), self.status(), self.canonical());
        let told = Told { code, status, canonical, kind, reason, domain: OWN_DOMAIN, message, retry_after };
        told.answer(dialect, id)
    }
}

impl Told<'_> {
    fn answer(&self, dialect: Dialect, id: Option<&Id<'_>>) -> Answer {
        let is_own = self.domain == OWN_DOMAIN;
        Answer {
            status: if dialect.binding == Binding::JsonRpc && !is_own { 200 } else { self.status },
            grpc_status: (dialect.binding == Binding::Grpc).then(|| self.canonical.number()),
            content_type: if dialect.binding == Binding::Grpc { "application/grpc" } else { "application/json" },
            retry_after: self.retry_after,
            body: self.body(dialect, id),
        }
    }

    fn body(&self, dialect: Dialect, id: Option<&Id<'_>>) -> Vec<u8> {
        match (dialect.binding, dialect.version) {
            (Binding::JsonRpc, version) => {
                let data = match version {
                    Version::V1_0 => Some(self.details()),
                    Version::V0_3 => self.own_reason().map(|reason| format!("{{\"reason\":{reason}}}")),
                };
                json_rpc::error(id.map_or(Recipient::Null, Recipient::Of), self.code, self.message, data.as_deref())
            }
            (Binding::HttpJson, Version::V1_0) => format!(
                "{{\"error\":{{\"code\":{},\"status\":\"{}\",\"message\":{},\"details\":{}}}}}",
                self.status,
                self.canonical.name(),
                quoted(self.message),
                self.details()
            )
            .into_bytes(),
            (Binding::HttpJson, Version::V0_3) => {
                let reason = self.own_reason().map(|reason| format!(",\"reason\":{reason}")).unwrap_or_default();
                format!("{{\"type\":\"{}\",\"message\":{}{reason}}}", self.kind, quoted(self.message)).into_bytes()
            }
            (Binding::Grpc, _) => self.message.as_bytes().to_vec(),
        }
    }

    fn own_reason(&self) -> Option<String> {
        (self.domain == OWN_DOMAIN).then(|| quoted(self.reason))
    }

    fn details(&self) -> String {
        let retry = self.retry_after.map(|seconds| {
            format!(",{{\"@type\":\"type.googleapis.com/google.rpc.RetryInfo\",\"retryDelay\":\"{seconds}s\"}}")
        });
        format!(
            "[{{\"@type\":\"type.googleapis.com/google.rpc.ErrorInfo\",\"reason\":{},\"domain\":\"{}\",\"metadata\":{{}}}}{}]",
            quoted(&self.reason.to_ascii_uppercase()),
            self.domain,
            retry.unwrap_or_default()
        )
    }
}

impl Canonical {
    const fn name(self) -> &'static str {
        match self {
            Self::InvalidArgument => "INVALID_ARGUMENT",
            Self::NotFound => "NOT_FOUND",
            Self::PermissionDenied => "PERMISSION_DENIED",
            Self::ResourceExhausted => "RESOURCE_EXHAUSTED",
            Self::FailedPrecondition => "FAILED_PRECONDITION",
            Self::Unimplemented => "UNIMPLEMENTED",
            Self::Internal => "INTERNAL",
            Self::Unauthenticated => "UNAUTHENTICATED",
        }
    }

    const fn number(self) -> u8 {
        match self {
            Self::InvalidArgument => 3,
            Self::NotFound => 5,
            Self::PermissionDenied => 7,
            Self::ResourceExhausted => 8,
            Self::FailedPrecondition => 9,
            Self::Unimplemented => 12,
            Self::Internal => 13,
            Self::Unauthenticated => 16,
        }
    }
}
