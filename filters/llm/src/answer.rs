//! A provider's successful answer on its way to the client: held until the provider really answers, then relayed.
//!
//! Pure: bytes in, [`Relay`] out, however the bytes are cut.

use crate::budget::Share;
use crate::config::Bounds;
use tollgate_wire::Format;
use tollgate_wire::calls::Calls;
use tollgate_wire::conversation::StopReason;
use tollgate_wire::endpoint::Operation;
use tollgate_wire::error::{ApiError, ErrorKind, Malformed};
use tollgate_wire::openai_embeddings;
use tollgate_wire::token_count;
use tollgate_wire::usage::Usage;

/// What to do with the bytes just given.
#[derive(Debug, PartialEq, Eq)]
pub enum Relay {
    /// Nothing yet; another provider could still take over.
    Hold,
    /// They go on as they are.
    Unchanged,
    /// These go instead, with all that was held.
    Bytes(Vec<u8>),
    /// The provider did not answer. Nothing of it was relayed.
    Failed(Failure),
}

/// Why a 2xx is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// A stable reason for the record.
    pub reason: &'static str,
    /// The provider itself said no; else it may have worked, and bill for it.
    pub provider_refused: bool,
    /// What the client is told when no other provider takes over.
    pub error: ApiError,
}

impl Failure {
    /// A failure that the gateway found.
    #[must_use]
    pub fn new(reason: &'static str, message: &str) -> Self {
        let error = ApiError { status: 502, ..ApiError::new(ErrorKind::Internal, message) };
        Self { reason, provider_refused: false, error }
    }

    /// An event that is larger than any that means something.
    #[must_use]
    pub fn too_large_event() -> Self {
        Self::new("event_too_large", "the provider sent an event larger than allowed")
    }

    /// All answers together are more than a worker may hold.
    #[must_use]
    pub fn out_of_memory() -> Self {
        let error = ApiError::new(ErrorKind::Overloaded, "the gateway holds too many answers at the moment");
        Self { reason: "out_of_memory_budget", provider_refused: false, error }
    }

    /// An error that the provider sent inside a 200.
    #[must_use]
    pub fn sent(error: ApiError) -> Self {
        Self { reason: reason_of(&error), provider_refused: true, error: for_client(error) }
    }

    /// What a reader made of it.
    #[must_use]
    pub fn of(malformed: Malformed) -> Self {
        match malformed {
            Malformed::Error { error, .. } => Self::sent(error),
            Malformed::Unreadable(_) => Self::new("malformed_answer", "the provider's answer could not be read"),
        }
    }
}

/// A provider's error as a client may hear it. What is between the provider and the gateway is told without the
/// provider's words: they may name our account, or a part of our key.
#[must_use]
pub fn for_client(error: ApiError) -> ApiError {
    let ours = |message: &str| ApiError {
        status: 502,
        code: Some("gateway_error".to_owned()),
        ..ApiError::new(ErrorKind::Internal, message)
    };
    match error.kind {
        ErrorKind::Authentication | ErrorKind::Permission => ours("the provider refused the gateway"),
        ErrorKind::NotFound => ours("the provider does not have the model that the gateway asked it for"),
        ErrorKind::RateLimit => {
            let message = "the provider's rate limit for the gateway is reached; try again later".to_owned();
            ApiError { message, param: None, ..error }
        }
        _ => error,
    }
}

/// A stable reason for an error that a provider sent. Its own words may quote the request, so they are not recorded.
#[must_use]
pub const fn reason_of(error: &ApiError) -> &'static str {
    match error.kind {
        ErrorKind::InvalidRequest => "invalid_request",
        ErrorKind::Authentication => "provider_authentication",
        ErrorKind::Permission => "provider_permission",
        ErrorKind::NotFound => "not_found",
        ErrorKind::TooLarge => "too_large",
        ErrorKind::RateLimit => "rate_limited",
        ErrorKind::Internal => "provider_error",
        ErrorKind::Overloaded => "overloaded",
        ErrorKind::Timeout => "timeout",
    }
}

/// Between whom an answer passes.
#[derive(Debug, Clone)]
pub struct Passage {
    /// What was asked for.
    pub operation: Operation,
    /// The provider's format.
    pub from: Format,
    /// The client's.
    pub to: Format,
    /// The client asked for OpenAI's extra usage chunk.
    pub include_usage: bool,
    /// How many answers were asked for in one.
    pub answers: u64,
    /// Seconds since 1970, for formats whose answers carry it.
    pub created: u64,
    /// The answer's id, where the provider's format has none.
    pub id: String,
    /// The model, where the provider's format does not name it in its answers.
    pub model: String,
}

/// Longer names of models are not recorded.
const MAX_MODEL_BYTES: usize = 256;

/// What is known of an answer so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// The newest usage that the provider reported.
    pub usage: Option<Usage>,
    /// It came with the end of the answer or after it. One from before (Anthropic's `message_start`) is not the last word.
    pub usage_is_final: bool,
    /// What sets the price and was seen before the figures, without tokens.
    pub seen: Usage,
    /// Bytes of text, names and arguments that the model wrote.
    pub output_bytes: u64,
    /// The provider said that the answer is complete: nothing is missing but, perhaps, the usage.
    pub stopped: bool,
    /// The answer failed after its commit point, with this reason.
    pub cut: Option<&'static str>,
    /// The model that the provider says answered; empty when it says nothing.
    pub model: String,
    /// It has output that only the provider's own format has a place for.
    pub untranslated: bool,
    /// Why the answer ended, in the provider's words.
    pub finish: Option<StopReason>,
    /// The calls that the model asks for; `None` when nobody wants to know.
    pub calls: Option<Calls>,
}

impl Tally {
    /// Notes who answered.
    pub fn answered_by(&mut self, model: &str) {
        if model.len() <= MAX_MODEL_BYTES {
            model.clone_into(&mut self.model);
        }
    }

    /// Notes what was used for an answer in one piece that is an error: the provider bills it.
    fn failed_with(&mut self, malformed: &Malformed) {
        if let Malformed::Error { usage: Some(usage), .. } = malformed {
            self.usage = Some(**usage);
            self.usage_is_final = true;
        }
    }
}

/// An answer in one piece.
#[derive(Debug)]
pub struct Whole {
    passage: Passage,
    bounds: Bounds,
    body: Vec<u8>,
    share: Share,
}

impl Whole {
    /// An answer that begins.
    #[must_use]
    pub fn new(passage: Passage, bounds: &Bounds) -> Self {
        Self { passage, bounds: *bounds, body: Vec::new(), share: Share::default() }
    }

    /// More of it. Held to the end: an error object inside a 200 shows nowhere else.
    pub fn data(&mut self, data: &[u8], end: bool, tally: &mut Tally) -> Relay {
        let size = self.body.len().saturating_add(data.len());
        if size > self.bounds.response_bytes {
            return Relay::Failed(Failure::new("answer_too_large", "the provider's answer is larger than allowed"));
        }
        if self.share.resize(size, self.bounds.held_total_bytes).is_err() {
            return Relay::Failed(Failure::out_of_memory());
        }
        let in_one_chunk = end && self.body.is_empty();
        if !in_one_chunk {
            self.body.extend_from_slice(data);
        }
        if !end {
            return Relay::Hold;
        }
        if size == 0 {
            return Relay::Failed(Failure::new("empty_answer", "the provider sent an empty answer"));
        }
        let body = if in_one_chunk { data } else { &self.body };
        match self.passage.read(body, tally) {
            Err(malformed) => {
                tally.failed_with(&malformed);
                Relay::Failed(Failure::of(malformed))
            }
            Ok(Some(translated)) => Relay::Bytes(translated),
            Ok(None) if in_one_chunk => Relay::Unchanged,
            Ok(None) => Relay::Bytes(std::mem::take(&mut self.body)),
        }
    }
}

impl Passage {
    /// Counts what a whole answer used. What the client gets instead of it, if it speaks another format.
    fn read(&self, body: &[u8], tally: &mut Tally) -> Result<Option<Vec<u8>>, Malformed> {
        let translated = match self.operation {
            Operation::Chat => {
                let mut response = self.from.read_response(body)?;
                tally.usage = response.usage;
                tally.output_bytes = response.output_bytes();
                tally.finish = Some(response.stop);
                tally.untranslated = response.untranslated_bytes > 0;
                self.name(&mut response.id, &mut response.model);
                tally.answered_by(&response.model);
                if let Some(calls) = &mut tally.calls {
                    calls.read(&response);
                }
                (self.from != self.to).then(|| self.to.write_response(&response, self.created))
            }
            Operation::Embeddings => {
                let (model, usage) = openai_embeddings::read_response(body)?;
                tally.usage = usage;
                tally.answered_by(&model);
                None
            }
            Operation::CountTokens | Operation::Models => {
                token_count::read(self.from, body)?;
                None
            }
        };
        tally.stopped = true;
        tally.usage_is_final = tally.usage.is_some();
        Ok(translated)
    }

    /// Gives an answer the names that its format has no place for.
    pub fn name(&self, id: &mut String, model: &mut String) {
        if id.is_empty() {
            id.clone_from(&self.id);
        }
        if model.is_empty() {
            model.clone_from(&self.model);
        }
    }
}

#[cfg(test)]
mod tests;
