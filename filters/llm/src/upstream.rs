//! What a provider is sent and what of its answer's head the client sees. Pure but for reading the body.

use crate::answer::for_client;
use crate::config::{Provider, Target};
use crate::exchange::Admitted;
use tollgate_host::abi;
use tollgate_host::headers::Headers;
use tollgate_host::stream::RequestBody;
use tollgate_wire::Format;
use tollgate_wire::envelope;
use tollgate_wire::error::{ApiError, ErrorKind, Invalid};

/// Tells the client which provider answered, and the filters behind us which one is asked.
pub const PROVIDER_HEADER: &str = "x-tollgate-provider";

/// Names the client's fields that the answering provider was not sent, because its format has no place for them.
pub const DROPPED_HEADER: &str = "x-tollgate-dropped";

/// Headers as they will stand.
pub type Pairs = Vec<(String, Vec<u8>)>;

/// Headers of a provider that a client may see: what SDKs read. Not its cookies, nor whose account it is.
const KEPT_RESPONSE_HEADERS: [&str; 6] =
    ["date", "retry-after", "retry-after-ms", "request-id", "x-request-id", "openai-processing-ms"];
const KEPT_RESPONSE_PREFIXES: [&str; 2] = ["x-ratelimit-", "anthropic-ratelimit-"];

/// The version that Anthropic's format is written and read in here.
const ANTHROPIC_VERSION: (&str, &[u8]) = ("anthropic-version", b"2023-06-01");

/// Which target an attempt at `provider` is for, the `number`th attempt of the exchange (from 1).
#[must_use]
pub fn target(targets: &[Target], provider: &str, number: usize) -> Option<usize> {
    let is_at = |index: &usize| targets.get(*index).is_some_and(|target| target.provider.as_str() == provider);
    number.checked_sub(1).filter(is_at).or_else(|| (0..targets.len()).find(is_at))
}

/// The provider of a target.
#[must_use]
pub fn provider(admitted: &Admitted, target: usize) -> Option<&Provider> {
    admitted.gate.providers.get(&admitted.targets().get(target)?.provider)
}

/// All headers of a provider's request but its key, which Envoy adds behind us.
#[must_use]
pub fn request_headers(admitted: &Admitted, provider: &Provider, same_format: bool, body_size: usize) -> Pairs {
    let mut pairs: Pairs = Vec::with_capacity(16);
    pairs.extend(admitted.carried.always.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    let mut set = |name: &str, value: &[u8]| match pairs.iter_mut().find(|(other, _)| other == name) {
        Some((_, old)) => *old = value.to_vec(),
        None => pairs.push((name.to_owned(), value.to_vec())),
    };
    set(":authority", provider.host.as_bytes());
    set(":path", format!("{}{}", provider.path_prefix, provider.format.path()).as_bytes());
    set("content-type", b"application/json");
    set("content-length", body_size.to_string().as_bytes());
    set("accept", if admitted.envelope.stream { b"text/event-stream" } else { b"application/json" });
    set("accept-encoding", b"identity");
    if provider.format == Format::AnthropicMessages {
        set(ANTHROPIC_VERSION.0, ANTHROPIC_VERSION.1);
    }
    let from_client: &[(&str, Vec<u8>)] = if same_format { &admitted.carried.of_format } else { &[] };
    for (name, value) in from_client {
        set(name, value);
    }
    for (name, value) in &provider.headers {
        set(name, value.as_bytes());
    }
    pairs
}

/// How to turn the client's body into the provider's: replace the first bytes.
#[derive(Debug, PartialEq, Eq)]
pub struct Change {
    /// How many.
    pub first: usize,
    /// By what.
    pub with: Vec<u8>,
    /// The client's fields that the provider's format has no place for.
    pub dropped: Vec<&'static str>,
}

/// The provider's body out of the client's. Same format: only the fields we own change, and only the bytes up to the
/// last of them are copied. `Ok(Err)`: the request cannot be carried.
///
/// # Errors
/// When the body cannot be read from Envoy.
pub fn request_body(
    admitted: &Admitted,
    target: usize,
    client: Format,
    format: Format,
    body: &RequestBody,
) -> abi::Result<Result<Change, Invalid>> {
    let model = admitted.targets().get(target).map_or("", |target| target.model.as_str());
    if client == format {
        let edits = admitted.envelope.edits(model);
        let first = edits.last().map_or(0, |edit| edit.range.end);
        let with = envelope::apply(&body.read(first)?, &edits);
        return Ok(Ok(Change { first, with, dropped: Vec::new() }));
    }
    let bytes = body.read(body.size)?;
    Ok(client.read_request(&bytes).and_then(|mut request| {
        request.model = model.to_owned();
        let with = format.write_request(&mut request)?;
        Ok(Change { first: body.size, with, dropped: request.dropped })
    }))
}

/// The head of an answer that goes on to the client.
#[must_use]
pub fn response_headers(seen: &Headers, status: u16, content_type: &str, provider: &str) -> Pairs {
    let mut pairs: Pairs = Vec::with_capacity(16);
    pairs.push((":status".to_owned(), status.to_string().into_bytes()));
    pairs.push(("content-type".to_owned(), content_type.as_bytes().to_vec()));
    pairs.push((PROVIDER_HEADER.to_owned(), provider.as_bytes().to_vec()));
    for (name, value) in seen.iter() {
        let Ok(name) = std::str::from_utf8(name) else { continue };
        if KEPT_RESPONSE_HEADERS.contains(&name) || KEPT_RESPONSE_PREFIXES.iter().any(|kept| name.starts_with(kept)) {
            pairs.push((name.to_owned(), value.to_vec()));
        }
    }
    pairs
}

/// The status that stands for a provider's error. What is between us and the provider is not the client's fault, and
/// another provider may do better: our key refused (401, 403), or a model or path of ours that it does not have (404),
/// becomes a retriable 502, Anthropic's 529 a plain 503.
#[must_use]
pub const fn client_status(status: u16) -> u16 {
    match status {
        401 | 403 | 404 => 502,
        529 => 503,
        400..=599 => status,
        _ => 502,
    }
}

/// Whether the shipped route lets the router ask the next provider after this status.
#[must_use]
pub const fn is_retried(status: u16) -> bool {
    status == 429 || status >= 500
}

/// A provider's error as the client sees it.
#[must_use]
pub fn client_error(format: Format, status: u16, body: &[u8]) -> ApiError {
    let kind = ErrorKind::of_status(status);
    let error = for_client(ApiError { kind, ..format.read_error(status, body) });
    ApiError { status: client_status(status), ..error }
}

/// Pairs as the host takes them.
#[must_use]
pub fn as_slices(pairs: &Pairs) -> Vec<(&str, &[u8])> {
    pairs.iter().map(|(name, value)| (name.as_str(), value.as_slice())).collect()
}

#[cfg(test)]
mod tests;
