//! Streams: provider events in, neutral deltas between, client events out.
//!
//! Framing (bytes to events) is the caller's; a reader takes one whole event at a time, so its result cannot depend on
//! how the bytes were cut.

use crate::conversation::StopReason;
use crate::error::{ApiError, Malformed};
use crate::format::Format;
use crate::usage::Usage;
use crate::{anthropic_messages, openai_chat};

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
    /// Output that only the provider's own format has a place for: reasoning, tools that the provider runs itself. It
    /// is not translated, but the provider answers, and bills for it.
    Untranslated {
        /// Bytes of what the model wrote.
        bytes: usize,
    },
    /// Why it ends. Exactly once in a complete answer.
    Stop(StopReason),
    /// Usage so far: the newest replaces all before.
    Usage(Usage),
    /// The provider says that it failed.
    Error(ApiError),
    /// The provider says that the stream is complete (`[DONE]`, `message_stop`).
    End,
}

impl Delta {
    /// Whether this delta shows that the provider really answers. Before the first such delta another provider may
    /// still take over; after it nothing is ever spliced.
    #[must_use]
    pub const fn is_meaningful(&self) -> bool {
        match self {
            Self::Text(_) | Self::ToolCall { .. } | Self::ToolArguments { .. } => true,
            Self::Untranslated { .. } | Self::Stop(_) => true,
            Self::Start { .. } | Self::Usage(_) | Self::Error(_) | Self::End => false,
        }
    }
}

/// Reads one provider's stream.
#[derive(Debug)]
pub enum Reader {
    /// OpenAI Chat Completions chunks.
    OpenaiChat(openai_chat::StreamReader),
    /// Anthropic Messages events.
    AnthropicMessages(anthropic_messages::StreamReader),
}

impl Reader {
    /// A reader at the start of a stream.
    #[must_use]
    pub fn new(format: Format) -> Self {
        match format {
            Format::OpenaiChat => Self::OpenaiChat(openai_chat::StreamReader::default()),
            Format::AnthropicMessages => Self::AnthropicMessages(anthropic_messages::StreamReader::default()),
        }
    }

    /// Reads one event: its SSE `event` name (empty when none) and its `data`. Appends what it means to `out`; an
    /// event this reader does not know means nothing.
    ///
    /// # Errors
    /// When a known event cannot be read.
    pub fn read(&mut self, event: &[u8], data: &[u8], out: &mut Vec<Delta>) -> Result<(), Malformed> {
        match self {
            Self::OpenaiChat(reader) => reader.read(event, data, out),
            Self::AnthropicMessages(reader) => reader.read(event, data, out),
        }
    }
}

/// Writes one client's stream.
#[derive(Debug)]
pub enum Writer {
    /// OpenAI Chat Completions chunks.
    OpenaiChat(openai_chat::StreamWriter),
    /// Anthropic Messages events.
    AnthropicMessages(anthropic_messages::StreamWriter),
}

impl Writer {
    /// A writer at the start of a stream. `include_usage`: the client asked for OpenAI's extra usage chunk.
    /// `created` is in seconds since 1970.
    #[must_use]
    pub fn new(format: Format, include_usage: bool, created: u64) -> Self {
        match format {
            Format::OpenaiChat => Self::OpenaiChat(openai_chat::StreamWriter::new(include_usage, created)),
            Format::AnthropicMessages => Self::AnthropicMessages(anthropic_messages::StreamWriter::default()),
        }
    }

    /// Appends to `out` the bytes that tell the client of `delta`. After [`Delta::Error`] or [`Delta::End`] nothing
    /// more is written.
    pub fn write(&mut self, delta: &Delta, out: &mut Vec<u8>) {
        match self {
            Self::OpenaiChat(writer) => writer.write(delta, out),
            Self::AnthropicMessages(writer) => writer.write(delta, out),
        }
    }
}
