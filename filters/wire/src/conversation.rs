//! The neutral conversation that every format is read into and written from.

use crate::usage::Usage;
use serde_json::value::RawValue;

/// One request, whatever format it came in.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// Model name as it goes on the wire; the caller replaces it by the provider's name.
    pub model: String,
    /// System and developer instructions, in order.
    pub system: Vec<String>,
    /// The turns. Roles alternate only as far as the client made them.
    pub messages: Vec<Message>,
    /// Tools the model may call.
    pub tools: Vec<Tool>,
    /// How it may choose among them.
    pub tool_choice: Option<ToolChoice>,
    /// `Some(false)`: at most one call per answer.
    pub parallel_tool_calls: Option<bool>,
    /// Upper bound of output tokens.
    pub max_output_tokens: Option<u64>,
    /// Sampling temperature, as written by the client.
    pub temperature: Option<f64>,
    /// Nucleus sampling.
    pub top_p: Option<f64>,
    /// Stop sequences.
    pub stop: Vec<String>,
    /// Answer as a stream.
    pub stream: bool,
    /// The client's own opaque end-user id (`user`, `metadata.user_id`).
    pub end_user: Option<String>,
    /// Names of the client's fields that the format written cannot carry, for example `logit_bias`. Sorted by first use.
    pub dropped: Vec<&'static str>,
}

impl Request {
    /// Adds `name` to [`Self::dropped`], once.
    pub fn note_dropped(&mut self, name: &'static str) {
        if !self.dropped.contains(&name) {
            self.dropped.push(name);
        }
    }
}

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The application, also when it hands in tool results.
    User,
    /// The model.
    Assistant,
}

/// One turn.
#[derive(Debug, Clone)]
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// What was said, in order.
    pub parts: Vec<Part>,
}

/// A piece of a turn.
#[derive(Debug, Clone)]
pub enum Part {
    /// Text.
    Text(String),
    /// A picture.
    Image(Image),
    /// The model calls a tool.
    ToolCall(ToolCall),
    /// What a tool returned.
    ToolResult(ToolResult),
}

/// A picture, by reference or inline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Image {
    /// An `http(s)` address.
    Url(String),
    /// The bytes, base64.
    Inline {
        /// For example `image/png`.
        media_type: String,
        /// Standard base64 with padding.
        base64: String,
    },
}

/// A call of one tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolCall {
    /// The provider's id, kept unchanged in both directions.
    pub id: String,
    /// Tool name.
    pub name: String,
    /// The arguments as JSON text, normally an object.
    pub arguments: String,
}

/// What a tool returned.
#[derive(Debug, Clone)]
pub struct ToolResult {
    /// Id of the call it answers.
    pub id: String,
    /// Text and images.
    pub content: Vec<Part>,
    /// The tool failed.
    pub is_error: bool,
}

/// A tool the model may call.
#[derive(Debug, Clone)]
pub struct Tool {
    /// Name.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// JSON Schema of the arguments, the client's own text.
    pub parameters: Option<Box<RawValue>>,
    /// OpenAI's `strict`.
    pub strict: Option<bool>,
}

/// How the model may choose a tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToolChoice {
    /// As it likes.
    Auto,
    /// Not at all.
    None,
    /// At least one (`required`, `any`).
    Required,
    /// This one.
    Named(String),
}

/// One whole answer.
#[derive(Debug, Clone)]
pub struct Response {
    /// The provider's id.
    pub id: String,
    /// The model that the provider says answered.
    pub model: String,
    /// Text and tool calls.
    pub parts: Vec<Part>,
    /// Why it ended.
    pub stop: StopReason,
    /// Usage as reported; `None` when the provider reported none.
    pub usage: Option<Usage>,
}

/// Why an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopReason {
    /// The model was done (`stop`, `end_turn`).
    End,
    /// The output bound was reached (`length`, `max_tokens`).
    MaxTokens,
    /// A stop sequence came up (`stop`, `stop_sequence`).
    StopSequence,
    /// It wants tools called (`tool_calls`, `tool_use`).
    ToolUse,
    /// Withheld (`content_filter`, `refusal`).
    Refused,
}

impl Response {
    /// Bytes of what the model wrote: text, and the names and arguments of calls.
    #[must_use]
    pub fn output_bytes(&self) -> u64 {
        let bytes = self.parts.iter().map(|part| match part {
            Part::Text(text) => text.len(),
            Part::ToolCall(call) => call.name.len().saturating_add(call.arguments.len()),
            Part::Image(_) | Part::ToolResult(_) => 0,
        });
        bytes.fold(0, |sum, bytes| sum.saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX)))
    }
}
