//! Answers that say how many tokens a conversation has.

use crate::format::Format;
use crate::json::Json;

/// An answer of `format`. Chat Completions has none; it would be Responses'.
#[must_use]
pub fn write(format: Format, tokens: u64) -> Vec<u8> {
    let mut body = Vec::new();
    let json = &mut Json::new(&mut body);
    json.open_object();
    let name = match format {
        Format::OpenaiChat | Format::OpenaiResponses => {
            json.key("object").text("response.input_tokens");
            "input_tokens"
        }
        Format::AnthropicMessages => "input_tokens",
        Format::GoogleGemini => "totalTokens",
        Format::BedrockConverse => "inputTokens",
    };
    json.key(name).number(tokens);
    json.close_object();
    body
}
