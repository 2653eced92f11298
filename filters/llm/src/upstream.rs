//! What a provider is sent, and what of its answer's head the client sees. Pure.

use crate::answer::for_client;
use crate::config::{Provider, Target};
use crate::exchange::Admitted;
use tollgate_host::headers::Headers;
use tollgate_wire::Format;
use tollgate_wire::endpoint::{Endpoint, Operation};
use tollgate_wire::envelope::{self, Edit, Envelope};
use tollgate_wire::error::{ApiError, ErrorKind, Invalid};
use tollgate_wire::quirks::Quirks;

/// Tells the client which provider answered, and the filters behind us which one is asked.
pub const PROVIDER_HEADER: &str = "x-tollgate-provider";

/// Names the client's fields that the answering provider was not sent, because its format has no place for them.
pub const DROPPED_HEADER: &str = "x-tollgate-dropped";

/// Headers as they will stand.
pub type Pairs = Vec<(String, Vec<u8>)>;

/// Headers of a provider that a client may see: what SDKs read. Not its cookies, nor whose account it is.
const KEPT_RESPONSE_HEADERS: [&str; 8] = [
    "date",
    "retry-after",
    "retry-after-ms",
    "request-id",
    "x-request-id",
    "x-amzn-requestid",
    "apim-request-id",
    "openai-processing-ms",
];
const KEPT_RESPONSE_PREFIXES: [&str; 2] = ["x-ratelimit-", "anthropic-ratelimit-"];

/// The version that Anthropic's format is written and read in here.
const ANTHROPIC_VERSION: (&str, &[u8]) = ("anthropic-version", b"2023-06-01");

/// Which of the targets, among the candidates, an attempt at `provider` is for, the `number`th attempt of the exchange (from 1).
#[must_use]
pub fn target(targets: &[Target], candidates: &[usize], provider: &str, number: usize) -> Option<usize> {
    let is_at = |index: &usize| targets.get(*index).is_some_and(|target| target.provider.as_str() == provider);
    let expected = number.checked_sub(1).and_then(|number| candidates.get(number).copied());
    expected.filter(is_at).or_else(|| candidates.iter().copied().find(is_at))
}

/// The provider of a target.
#[must_use]
pub fn provider(admitted: &Admitted, target: usize) -> Option<&Provider> {
    admitted.gate.providers.get(&admitted.targets().get(target)?.provider)
}

/// All headers of a provider's request but its key, which Envoy adds behind us.
#[must_use]
pub fn request_headers(admitted: &Admitted, target: usize, same_format: bool, body_size: usize) -> Option<Pairs> {
    let provider = provider(admitted, target)?;
    let Envelope { stream, .. } = admitted.envelope;
    let model = admitted.targets().get(target).map_or("", |target| target.model.as_str());
    let mut pairs: Pairs = Vec::with_capacity(16);
    pairs.extend(admitted.carried.always.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    let mut set = |name: &str, value: &[u8]| match pairs.iter_mut().find(|(other, _)| other == name) {
        Some((_, old)) => *old = value.to_vec(),
        None => pairs.push((name.to_owned(), value.to_vec())),
    };
    set(":authority", provider.host.as_bytes());
    let path = provider.format.provider_path(admitted.operation, model, stream);
    set(":path", [provider.base_path(), &path].concat().as_bytes());
    set("content-type", b"application/json");
    set("content-length", body_size.to_string().as_bytes());
    set("accept", if stream { provider.format.stream_media_type() } else { "application/json" }.as_bytes());
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
    Some(pairs)
}

/// How a client's body becomes a provider's.
#[derive(Debug, PartialEq, Eq)]
pub enum Rewrite {
    /// They speak the same format: only the fields we own change.
    Edits(Vec<Edit>),
    /// Another format, or reasoning of another provider's in the same one.
    Translation {
        /// The client's.
        from: Format,
        /// The provider's.
        to: Format,
        /// What the provider calls the model.
        model: String,
        /// The answer is wanted as a stream.
        stream: bool,
        /// What the provider does otherwise than its format says.
        quirks: Quirks,
    },
}

/// What stands in the place of the bytes that were read.
#[derive(Debug, PartialEq, Eq)]
pub struct Rewritten {
    /// These.
    pub with: Vec<u8>,
    /// The client's fields that the provider's format has no place for.
    pub dropped: Vec<&'static str>,
}

impl Rewritten {
    /// Refuses what was left out, if `strict`.
    ///
    /// # Errors
    /// When something was.
    pub fn check(self, strict: bool) -> Result<Self, Invalid> {
        match self.dropped.first() {
            Some(name) if strict => Err(Invalid::new(
                *name,
                "cannot be carried to the provider of this model, which is configured as strict",
            )),
            _ => Ok(self),
        }
    }
}

impl Rewrite {
    /// For an attempt at `target`.
    #[must_use]
    pub fn new(admitted: &Admitted, target: usize, from: Format, to: Format) -> Self {
        let model = admitted.targets().get(target).map_or("", |target| target.model.as_str());
        let quirks = provider(admitted, target).map(|provider| provider.quirks).unwrap_or_default();
        let envelope = &admitted.envelope;
        let translated = admitted.operation == Operation::Chat && (from != to || envelope.labelled_seals);
        if translated {
            Self::Translation { from, to, model: model.to_owned(), stream: envelope.stream, quirks }
        } else {
            Self::Edits(envelope.edits(model, quirks))
        }
    }

    /// How many of a body's first bytes it needs: those after the last edit are not even copied.
    #[must_use]
    pub fn reads(&self, size: usize) -> usize {
        match self {
            Self::Edits(edits) => edits.last().map_or(0, |edit| edit.range.end),
            Self::Translation { .. } => size,
        }
    }

    /// Rewrites those bytes.
    ///
    /// # Errors
    /// When the request cannot be carried.
    pub fn apply(self, bytes: &[u8]) -> Result<Rewritten, Invalid> {
        match self {
            Self::Edits(edits) => Ok(Rewritten { with: envelope::apply(bytes, &edits), dropped: Vec::new() }),
            Self::Translation { from, to, model, stream, quirks } => {
                let mut request = from.read_request(bytes)?;
                (request.model, request.stream) = (model, stream);
                let mut with = to.write_request(&mut request)?;
                if quirks != Quirks::default() {
                    let endpoint = Endpoint { format: to, operation: Operation::Chat, model: None, stream };
                    let edits = Envelope::read(&endpoint, &with)?.edits(&request.model, quirks);
                    with = envelope::apply(&with, &edits);
                }
                let dropped = request.dropped.iter().map(|name| from.field_name(name)).collect();
                Ok(Rewritten { with, dropped })
            }
        }
    }
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
/// another provider may do better: our key refused (401, 403), our credit used up (402), a model or path of ours that it does not
/// have (404) or a model that failed (424) becomes a retriable 502, one that took too long (408) a 504, and Anthropic's 529
/// a plain 503.
#[must_use]
pub const fn client_status(status: u16) -> u16 {
    match status {
        401..=404 | 424 => 502,
        408 => 504,
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

/// Whether an error is between the gateway and its provider, whatever its status says: the client asked nothing wrong.
#[must_use]
pub const fn is_ours(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::Authentication | ErrorKind::Permission)
}

/// What a provider said with an error status, as the client sees it.
#[must_use]
pub fn client_error(said: ApiError, status: u16) -> ApiError {
    let error = for_client(ApiError { kind: ErrorKind::of_status(status), ..said });
    ApiError { status: client_status(status), ..error }
}

/// Pairs as the host takes them.
#[must_use]
pub fn as_slices(pairs: &Pairs) -> Vec<(&str, &[u8])> {
    pairs.iter().map(|(name, value)| (name.as_str(), value.as_slice())).collect()
}

#[cfg(test)]
mod tests;
