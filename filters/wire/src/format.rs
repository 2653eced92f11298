//! Which wire format a client or a provider speaks, and the one place that picks a format's code.

use crate::conversation::{Request, Response};
use crate::error::{ApiError, Invalid, Malformed};
use crate::signature::Origin;
use crate::{anthropic_messages, bedrock_converse, google_gemini, openai_chat, openai_responses};
use schemars::JsonSchema;
use tollgate_config::{Fault, Read, Value};

/// A wire format that clients and providers speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, JsonSchema)]
#[schemars(rename_all = "kebab-case")]
pub enum Format {
    /// OpenAI Chat Completions, `POST /v1/chat/completions`.
    OpenaiChat,
    /// OpenAI Responses, `POST /v1/responses`.
    OpenaiResponses,
    /// Anthropic Messages, `POST /v1/messages`.
    AnthropicMessages,
    /// Google Gemini, `POST /v1beta/models/{model}:generateContent` and `:streamGenerateContent?alt=sse`.
    GoogleGemini,
    /// Amazon Bedrock Converse, `POST /model/{model}/converse` and `/converse-stream`.
    BedrockConverse,
}

impl Read for Format {
    fn read(value: &Value<'_>) -> Result<Self, Fault> {
        value.one_of("enum Format", &Self::ALL.map(|format| (format.name(), format)))
    }
}

impl Format {
    /// Every format, for tables.
    pub const ALL: [Self; 5] =
        [Self::OpenaiChat, Self::OpenaiResponses, Self::AnthropicMessages, Self::GoogleGemini, Self::BedrockConverse];

    /// The name in config, records and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::OpenaiChat => "openai-chat",
            Self::OpenaiResponses => "openai-responses",
            Self::AnthropicMessages => "anthropic-messages",
            Self::GoogleGemini => "google-gemini",
            Self::BedrockConverse => "bedrock-converse",
        }
    }

    /// Whose reasoning it has a place for, as it is.
    #[must_use]
    pub const fn origin(self) -> Origin {
        match self {
            Self::OpenaiChat => Origin::OpenaiChat,
            Self::OpenaiResponses => Origin::OpenaiResponses,
            Self::AnthropicMessages | Self::BedrockConverse => Origin::Claude,
            Self::GoogleGemini => Origin::Gemini,
        }
    }

    /// Reads a whole request body.
    ///
    /// # Errors
    /// When the body is not a request of this format; the message names the field.
    pub fn read_request(self, body: &[u8]) -> Result<Request, Invalid> {
        match self {
            Self::OpenaiChat => openai_chat::read_request(body),
            Self::AnthropicMessages => anthropic_messages::read_request(body),
            Self::OpenaiResponses => openai_responses::read_request(body),
            Self::GoogleGemini => google_gemini::read_request(body),
            Self::BedrockConverse => bedrock_converse::read_request(body),
        }
    }

    /// Writes a whole request body. `request.dropped` grows by what this format cannot carry.
    ///
    /// # Errors
    /// When leaving a part out would change what was asked.
    pub fn write_request(self, request: &mut Request) -> Result<Vec<u8>, Invalid> {
        match self {
            Self::OpenaiChat => openai_chat::write_request(request),
            Self::AnthropicMessages => anthropic_messages::write_request(request),
            Self::OpenaiResponses => openai_responses::write_request(request),
            Self::GoogleGemini => google_gemini::write_request(request),
            Self::BedrockConverse => bedrock_converse::write_request(request),
        }
    }

    /// Reads a whole successful (2xx) JSON answer.
    ///
    /// # Errors
    /// When the body is not an answer of this format, or is an error object inside a 200.
    pub fn read_response(self, body: &[u8]) -> Result<Response, Malformed> {
        match self {
            Self::OpenaiChat => openai_chat::read_response(body),
            Self::AnthropicMessages => anthropic_messages::read_response(body),
            Self::OpenaiResponses => openai_responses::read_response(body),
            Self::GoogleGemini => google_gemini::read_response(body),
            Self::BedrockConverse => bedrock_converse::read_response(body),
        }
    }

    /// Writes a whole successful JSON answer. `created` is in seconds since 1970.
    #[must_use]
    pub fn write_response(self, response: &Response, created: u64) -> Vec<u8> {
        match self {
            Self::OpenaiChat => openai_chat::write_response(response, created),
            Self::AnthropicMessages => anthropic_messages::write_response(response),
            Self::OpenaiResponses => openai_responses::write_response(response, created),
            Self::GoogleGemini => google_gemini::write_response(response),
            Self::BedrockConverse => bedrock_converse::write_response(response),
        }
    }

    /// Reads a provider's error body. Never fails: a body that is not this format's error object gives a plain error
    /// of that status.
    #[must_use]
    pub fn read_error(self, status: u16, body: &[u8]) -> ApiError {
        match self {
            Self::OpenaiChat => openai_chat::read_error(status, body),
            Self::AnthropicMessages => anthropic_messages::read_error(status, body),
            Self::OpenaiResponses => openai_responses::read_error(status, body),
            Self::GoogleGemini => google_gemini::read_error(status, body),
            Self::BedrockConverse => bedrock_converse::read_error(status, body),
        }
    }

    /// Writes an error object as this format's clients expect it.
    #[must_use]
    pub fn write_error(self, error: &ApiError) -> Vec<u8> {
        match self {
            Self::OpenaiChat => openai_chat::write_error(error),
            Self::AnthropicMessages => anthropic_messages::write_error(error),
            Self::OpenaiResponses => openai_responses::write_error(error),
            Self::GoogleGemini => google_gemini::write_error(error),
            Self::BedrockConverse => bedrock_converse::write_error(error),
        }
    }
}
