//! What a request says before its body is read.

use crate::exchange::Exchange;
use tollgate_host::abi;
use tollgate_host::headers::Headers;
use tollgate_host::request;
use tollgate_identity::credentials;
use tollgate_limits::Granted;
use tollgate_wire::Format;
use tollgate_wire::endpoint::{Endpoint, Operation};

/// The request's path and its query.
pub(crate) fn target(headers: &Headers) -> (&str, &str) {
    let target = headers.text(":path").unwrap_or_default();
    target.split_once('?').unwrap_or((target, ""))
}

/// The format of who calls. Anthropic's list of models stands under the same path as OpenAI's; and under a path where
/// nothing is served, the client is told so in the format that it most likely speaks.
fn format_of(endpoint: Option<&Endpoint>, headers: &Headers) -> Format {
    let path = target(headers).0;
    let anthropic = headers.one("anthropic-version").is_some();
    match endpoint.map(|endpoint| (endpoint.format, endpoint.operation)) {
        Some((Format::OpenaiChat, Operation::Models)) if anthropic => Format::AnthropicMessages,
        Some((format, _)) => format,
        None if anthropic || path.starts_with("/v1/messages") => Format::AnthropicMessages,
        None if path.starts_with("/v1beta/") => Format::GoogleGemini,
        None if path.starts_with("/model/") => Format::BedrockConverse,
        None => Format::OpenaiChat,
    }
}

/// The start of every record, also of a request that is refused at once.
pub(crate) fn begin(endpoint: Option<&Endpoint>, headers: &Headers) -> Exchange {
    Exchange {
        began: abi::now(),
        request_id: request::id(headers),
        trace_id: request::trace_id(headers),
        format: format_of(endpoint, headers),
        operation: endpoint.map(|endpoint| endpoint.operation),
        caller: None,
        request_bytes: 0,
        asked: None,
        refusal: None,
        answered: None,
        cache: None,
        admitted: None,
        attempts: Vec::new(),
        relayed: None,
        unseen: false,
        response_bytes: 0,
        prompt: None,
        limits: Granted::default(),
        standing: Vec::new(),
    }
}

/// Whether a client's header must not go on: credentials, our own headers, and those that steer Envoy's router.
pub(crate) fn is_stripped(name: &[u8]) -> bool {
    request::is_own(name) || credentials::HEADERS.iter().any(|header| header.as_bytes() == name)
}
