//! Answers that say how many tokens a conversation has.

use crate::format::Format;
use serde_json::json;

/// An answer of `format`. Chat Completions has none; it would be Responses'.
#[must_use]
pub fn write(format: Format, tokens: u64) -> Vec<u8> {
    let answer = match format {
        Format::OpenaiChat | Format::OpenaiResponses => {
            json!({ "object": "response.input_tokens", "input_tokens": tokens })
        }
        Format::AnthropicMessages => json!({ "input_tokens": tokens }),
        Format::GoogleGemini => json!({ "totalTokens": tokens }),
        Format::BedrockConverse => json!({ "inputTokens": tokens }),
    };
    answer.to_string().into_bytes()
}
