//! The neutral conversation that every format is read into and written from.

use crate::error::Invalid;
use crate::signature::Seal;
use crate::usage::{ServiceTier, Usage};
use serde_json::value::RawValue;
use std::fmt;

/// One request, whatever format it came in.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// Model name as it goes on the wire; the caller replaces it by the provider's name. Empty for a format that has
    /// the model in its path.
    pub model: String,
    /// System and developer instructions, in order.
    pub system: Vec<Instruction>,
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
    /// How the next token is picked.
    pub sampling: Sampling,
    /// Stop sequences.
    pub stop: Vec<String>,
    /// How much the model may think before it answers. `None`: as it does by default.
    pub reasoning: Option<ReasoningRequest>,
    /// What the text of the answer must be; `None`: anything.
    pub output: Option<OutputFormat>,
    /// Answer as a stream. Formats that have it in their path leave it to the caller.
    pub stream: bool,
    /// The client's own opaque end-user id (`user`, `metadata.user_id`).
    pub end_user: Option<String>,
    /// The client's own labels (OpenAI's `metadata`, Bedrock's `requestMetadata`).
    pub metadata: Vec<(String, String)>,
    /// How fast and at what price the client wants to be served; `None`: as the provider's account says.
    pub service_tier: Option<ServiceTier>,
    /// Names of the client's fields that the format written cannot carry, for example `logit_bias`. Sorted by first use.
    pub dropped: Vec<&'static str>,
}

impl Request {
    /// Adds `name` to [`Self::dropped`], once.
    #[inline(never)]
    pub fn note_dropped(&mut self, name: &'static str) {
        if !self.dropped.contains(&name) {
            self.dropped.push(name);
        }
    }
}

/// A system or developer instruction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instruction {
    /// What it says.
    pub text: String,
    /// The prompt up to here is worth keeping in the provider's prompt cache.
    pub cache: Option<CacheTtl>,
}

impl From<String> for Instruction {
    fn from(text: String) -> Self {
        Self { text, cache: None }
    }
}

/// How the next token is picked. All as written by the client.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Sampling {
    /// Temperature.
    pub temperature: Option<f64>,
    /// Nucleus sampling.
    pub top_p: Option<f64>,
    /// Only among so many of the likeliest.
    pub top_k: Option<u64>,
    /// Against repeating a token, by how often it came.
    pub frequency_penalty: Option<f64>,
    /// Against repeating a token that came at all.
    pub presence_penalty: Option<f64>,
    /// For answers that can be had again.
    pub seed: Option<i64>,
}

/// How much the model may think before it answers. Formats say it as an effort, as a number of tokens, or as neither
/// (Anthropic's `adaptive`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ReasoningRequest {
    /// As an effort. [`Effort::None`]: not at all.
    pub effort: Option<Effort>,
    /// As a number of tokens.
    pub budget_tokens: Option<u64>,
    /// The client wants to see what was thought, or a summary of it. `None`: as the provider does by default.
    pub shown: Option<bool>,
}

impl ReasoningRequest {
    /// The effort that says the same to a provider that knows only efforts. Thinking that was asked for without a measure
    /// is the usual one: left out, it may be none.
    #[must_use]
    pub fn as_effort(&self) -> Effort {
        self.effort.or(self.budget_tokens.map(Effort::of_budget)).unwrap_or(Effort::Medium)
    }
}

/// Efforts, as OpenAI names them; other formats have some of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effort {
    /// No thinking.
    None,
    /// Hardly any.
    Minimal,
    /// Little.
    Low,
    /// The usual.
    Medium,
    /// Much.
    High,
    /// More.
    Xhigh,
    /// As much as there is.
    Max,
}

impl Effort {
    const NAMES: [(Self, &'static str); 7] = [
        (Self::None, "none"),
        (Self::Minimal, "minimal"),
        (Self::Low, "low"),
        (Self::Medium, "medium"),
        (Self::High, "high"),
        (Self::Xhigh, "xhigh"),
        (Self::Max, "max"),
    ];

    /// OpenAI's name, which Anthropic shares where it has the effort.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(effort, _)| *effort == self).map_or("medium", |(_, name)| name)
    }

    /// The effort of that name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(_, known)| *known == name).map(|(effort, _)| *effort)
    }

    /// The thinking tokens that stand for an effort at a provider that knows only these.
    #[must_use]
    pub const fn budget_tokens(self) -> u64 {
        match self {
            Self::None => 0,
            Self::Minimal => 1024,
            Self::Low => 2048,
            Self::Medium => 8192,
            Self::High => 16_384,
            Self::Xhigh => 24_576,
            Self::Max => 32_768,
        }
    }

    /// The least effort that may think as much as `tokens`, at a provider that knows only efforts.
    #[must_use]
    pub fn of_budget(tokens: u64) -> Self {
        let efforts = Self::NAMES.iter().map(|(effort, _)| *effort);
        efforts.into_iter().find(|effort| tokens <= effort.budget_tokens()).unwrap_or(Self::Max)
    }
}

/// What the text of an answer must be.
#[derive(Debug, Clone)]
pub enum OutputFormat {
    /// Some JSON object.
    JsonObject,
    /// JSON of this schema.
    JsonSchema(OutputSchema),
}

/// The schema of an answer.
#[derive(Debug, Clone)]
pub struct OutputSchema {
    /// OpenAI requires a name.
    pub name: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// The JSON Schema, the client's own text.
    pub schema: Box<RawValue>,
    /// OpenAI's `strict`.
    pub strict: Option<bool>,
}

/// How long something is worth keeping in a provider's prompt cache.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum CacheTtl {
    /// The provider's shorter time: Anthropic's and Bedrock's 5 minutes, OpenAI's 30.
    #[default]
    Short,
    /// The longer one: an hour, OpenAI's twelve.
    Long,
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
    Image(Media),
    /// A document, to be read by the model.
    Document(Document),
    /// What the model thought. A seal without text belongs to the part that follows (Gemini signs tool calls).
    Reasoning(Reasoning),
    /// The model calls a tool.
    ToolCall(ToolCall),
    /// What a tool returned.
    ToolResult(ToolResult),
    /// The prompt up to here is worth keeping in the provider's prompt cache.
    CacheBreakpoint(CacheTtl),
}

/// Something to look at, by reference or inline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Media {
    /// An `http(s)` address (for Google and Bedrock also `gs:` and `s3:`).
    Url(String),
    /// The bytes.
    Inline {
        /// For example `image/png`.
        media_type: String,
        /// Standard base64 with padding.
        base64: String,
    },
}

/// A document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Its name.
    pub name: Option<String>,
    /// What is in it.
    pub source: DocumentSource,
}

/// What is in a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DocumentSource {
    /// A file, for example `application/pdf`.
    File(Media),
    /// Plain text.
    Text(String),
}

/// What the model thought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reasoning {
    /// What the provider shows of it, which may be a summary; empty when it shows nothing.
    pub text: String,
    /// What its provider wants back with it in the next turn.
    pub seal: Option<Seal>,
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

impl ToolCall {
    /// The id of a call that its server gave none: answers refer to calls by id, so each needs one.
    pub(crate) fn made_up_id(index: impl fmt::Display) -> String {
        format!("call_{index}")
    }
}

/// What a tool returned.
#[derive(Debug, Clone)]
pub struct ToolResult {
    /// Id of the call it answers.
    pub id: String,
    /// Text, images and documents.
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
    /// The tools up to here are worth keeping in the provider's prompt cache.
    pub cache: Option<CacheTtl>,
}

impl Tool {
    /// The schema of its arguments; `None` where it has no parameters, which clients say as `{}` too.
    pub(crate) fn schema(&self) -> Result<Option<&RawValue>, Invalid> {
        let Some(schema) = self.parameters.as_deref() else { return Ok(None) };
        let Some(inner) = schema.get().strip_prefix('{') else {
            return Err(Invalid::new("tools", "the parameters of a tool must be a JSON object"));
        };
        Ok(Some(schema).filter(|_| inner.trim_start() != "}"))
    }
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
    /// Text, reasoning and tool calls.
    pub parts: Vec<Part>,
    /// Why it ended.
    pub stop: StopReason,
    /// Usage as reported; `None` when the provider reported none.
    pub usage: Option<Usage>,
    /// Bytes of output that only the provider's own format has a place for (tools that the provider runs itself, audio,
    /// further choices), which is not translated but billed.
    pub untranslated_bytes: usize,
    /// It has something beside what is said that only the provider's own format has a place for; see
    /// [`Delta::Aside`](crate::stream::Delta::Aside).
    pub asides: bool,
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
    /// Otherwise: what the model wrote was malformed, it was interrupted, or nobody says why. Clients are told an end.
    Otherwise,
}

impl StopReason {
    /// The word in records: OpenTelemetry's `gen_ai.response.finish_reasons`, which are OpenAI's.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::End | Self::StopSequence | Self::Otherwise => "stop",
            Self::MaxTokens => "length",
            Self::ToolUse => "tool_calls",
            Self::Refused => "content_filter",
        }
    }
}

impl Response {
    /// Whether it has nothing that only the provider's own format has a place for: written in any format, it is the same
    /// answer.
    #[must_use]
    pub const fn is_whole(&self) -> bool {
        self.untranslated_bytes == 0 && !self.asides
    }

    /// Bytes of what the model wrote: text, reasoning, and the names and arguments of calls.
    #[must_use]
    pub fn output_bytes(&self) -> u64 {
        let bytes = self.parts.iter().map(|part| match part {
            Part::Text(text) => text.len(),
            Part::Reasoning(reasoning) => reasoning.text.len(),
            Part::ToolCall(call) => call.name.len().saturating_add(call.arguments.len()),
            Part::Image(_) | Part::Document(_) | Part::ToolResult(_) | Part::CacheBreakpoint(_) => 0,
        });
        let bytes = bytes.chain([self.untranslated_bytes]);
        bytes.fold(0, |sum, bytes| sum.saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX)))
    }
}
