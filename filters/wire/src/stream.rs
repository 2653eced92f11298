//! Streams: provider events in, neutral deltas between, client events out.
//!
//! Framing (bytes to events) is the caller's; a reader takes one whole event at a time, so its result cannot depend on
//! how the bytes were cut.

use crate::conversation::StopReason;
use crate::error::{ApiError, Malformed};
use crate::format::Format;
use crate::signature::Seal;
use crate::usage::Usage;
use crate::{anthropic_messages, bedrock_converse, google_gemini, openai_chat, openai_responses};

/// One step of a streamed answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Delta {
    /// The answer has begun; nothing was said yet.
    Start {
        /// The provider's id.
        id: String,
        /// The model that the provider says answers.
        model: String,
    },
    /// Text.
    Text(String),
    /// A tool call begins.
    ToolCall {
        /// Which call of this answer, from 0, in order of appearance.
        index: u32,
        /// The provider's id.
        id: String,
        /// Tool name.
        name: String,
    },
    /// More of a tool call's arguments, JSON text in pieces.
    ToolArguments {
        /// Which call.
        index: u32,
        /// The piece.
        json: String,
    },
    /// A piece of what the model thinks, as far as its provider shows it.
    Reasoning(String),
    /// What the provider wants back with the reasoning before it, and the end of that. Without reasoning before it,
    /// it belongs to the tool call or text that follows.
    Seal(Seal),
    /// Output that only the provider's own format has a place for: tools that the provider runs itself, audio. It
    /// is not translated, but the provider answers, and bills for it.
    Untranslated {
        /// Bytes of what the model wrote.
        bytes: usize,
    },
    /// Something beside what is said that only the provider's own format has a place for: where it was read, how likely
    /// it was, which stop sequence came up, a picture. It is not translated.
    Aside,
    /// Why it ends. Exactly once in a complete answer.
    Stop(StopReason),
    /// Usage so far: the newest replaces all before.
    Usage(Usage),
    /// What sets the price and was seen before any figure: calls of the provider's own tools so far, and as what it is
    /// served. It has no tokens. The newest replaces all before; usage has the same again.
    Seen(Usage),
    /// The provider says that it failed.
    Error(ApiError),
    /// The provider says that the stream is complete (`[DONE]`, `message_stop`).
    End,
}

/// Why an answer ends, as far as the client was told: formats that tell it with the usage hold it until that has come.
#[derive(Debug, Default)]
pub(crate) enum Stop {
    #[default]
    Unknown,
    Held(StopReason),
    Written,
}

impl Delta {
    /// Whether this delta shows that the provider really answers. Before the first such delta another provider may
    /// still take over; after it nothing is ever spliced.
    #[must_use]
    pub const fn is_meaningful(&self) -> bool {
        match self {
            Self::Text(_) | Self::ToolCall { .. } | Self::ToolArguments { .. } => true,
            Self::Reasoning(_) | Self::Seal(_) | Self::Untranslated { .. } | Self::Stop(_) => true,
            Self::Start { .. } | Self::Usage(_) | Self::Seen(_) | Self::Aside | Self::Error(_) | Self::End => false,
        }
    }
}

/// Reads one provider's stream.
#[derive(Debug)]
pub enum Reader {
    /// OpenAI Chat Completions chunks.
    OpenaiChat(openai_chat::StreamReader),
    /// OpenAI Responses events.
    OpenaiResponses(openai_responses::StreamReader),
    /// Anthropic Messages events.
    AnthropicMessages(anthropic_messages::StreamReader),
    /// Google Gemini chunks.
    GoogleGemini(google_gemini::StreamReader),
    /// Amazon Bedrock Converse events.
    BedrockConverse(bedrock_converse::StreamReader),
}

impl Reader {
    /// A reader at the start of a stream of so many answers (OpenAI's `n`), of which the first is translated.
    #[must_use]
    pub fn new(format: Format, answers: u64) -> Self {
        match format {
            Format::OpenaiChat => Self::OpenaiChat(openai_chat::StreamReader::new(answers)),
            Format::OpenaiResponses => Self::OpenaiResponses(openai_responses::StreamReader::default()),
            Format::AnthropicMessages => Self::AnthropicMessages(anthropic_messages::StreamReader::default()),
            Format::GoogleGemini => Self::GoogleGemini(google_gemini::StreamReader::new(answers)),
            Format::BedrockConverse => Self::BedrockConverse(bedrock_converse::StreamReader::default()),
        }
    }

    /// Reads one event: its name (SSE's `event`; of a binary frame its `:event-type` or `:exception-type`; empty when
    /// none) and its data. Appends what it means to `out`; an event this reader does not know means nothing.
    ///
    /// # Errors
    /// When a known event cannot be read.
    pub fn read(&mut self, event: &[u8], data: &[u8], out: &mut Vec<Delta>) -> Result<(), Malformed> {
        match self {
            Self::OpenaiChat(reader) => reader.read(event, data, out),
            Self::OpenaiResponses(reader) => reader.read(event, data, out),
            Self::AnthropicMessages(reader) => reader.read(event, data, out),
            Self::GoogleGemini(reader) => reader.read(event, data, out),
            Self::BedrockConverse(reader) => reader.read(event, data, out),
        }
    }

    /// Appends what it means that the provider ended the stream. Where a format has an end marker of its own, nothing.
    pub fn end(&mut self, out: &mut Vec<Delta>) {
        if let Self::GoogleGemini(reader) = self {
            reader.end(out);
        }
    }
}

/// Writes one client's stream.
#[derive(Debug)]
pub enum Writer {
    /// OpenAI Chat Completions chunks.
    OpenaiChat(openai_chat::StreamWriter),
    /// OpenAI Responses events.
    OpenaiResponses(openai_responses::StreamWriter),
    /// Anthropic Messages events.
    AnthropicMessages(anthropic_messages::StreamWriter),
    /// Google Gemini chunks.
    GoogleGemini(google_gemini::StreamWriter),
    /// Amazon Bedrock Converse events, in binary frames.
    BedrockConverse(bedrock_converse::StreamWriter),
}

impl Writer {
    /// A writer at the start of a stream. `include_usage`: the client asked for OpenAI's extra usage chunk.
    /// `created` is in seconds since 1970.
    #[must_use]
    pub fn new(format: Format, include_usage: bool, created: u64) -> Self {
        match format {
            Format::OpenaiChat => Self::OpenaiChat(openai_chat::StreamWriter::new(include_usage, created)),
            Format::OpenaiResponses => Self::OpenaiResponses(openai_responses::StreamWriter::new(created)),
            Format::AnthropicMessages => Self::AnthropicMessages(anthropic_messages::StreamWriter::default()),
            Format::GoogleGemini => Self::GoogleGemini(google_gemini::StreamWriter::default()),
            Format::BedrockConverse => Self::BedrockConverse(bedrock_converse::StreamWriter::default()),
        }
    }

    /// Appends to `out` the bytes that tell the client of `delta`. After [`Delta::Error`] or [`Delta::End`] nothing
    /// more is written.
    pub fn write(&mut self, delta: &Delta, out: &mut Vec<u8>) {
        match self {
            Self::OpenaiChat(writer) => writer.write(delta, out),
            Self::OpenaiResponses(writer) => writer.write(delta, out),
            Self::AnthropicMessages(writer) => writer.write(delta, out),
            Self::GoogleGemini(writer) => writer.write(delta, out),
            Self::BedrockConverse(writer) => writer.write(delta, out),
        }
    }
}
