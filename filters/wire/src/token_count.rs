//! Answers that say how many tokens a conversation has.

use crate::error::Malformed;
use crate::fields::Fields;
use crate::format::Format;
use tollgate_kernel::json::Writer;

/// The name of the figure. Chat Completions has none; it would be Responses'.
const fn key(format: Format) -> &'static str {
    match format {
        Format::OpenaiChat | Format::OpenaiResponses | Format::AnthropicMessages => "input_tokens",
        Format::GoogleGemini => "totalTokens",
        Format::BedrockConverse => "inputTokens",
    }
}

/// Reads how many tokens a provider has counted.
///
/// # Errors
/// When the body is no such answer.
pub fn read(format: Format, body: &[u8]) -> Result<u64, Malformed> {
    let answer = std::str::from_utf8(body).ok().and_then(|text| Fields::of_text(text).ok());
    let tokens = answer.and_then(|answer| answer.count(key(format)).ok().flatten());
    tokens.ok_or_else(|| Malformed::Unreadable("the answer is no count of tokens".to_owned()))
}

/// An answer of `format`.
#[must_use]
pub fn write(format: Format, tokens: u64) -> Vec<u8> {
    let mut body = Vec::new();
    let json = &mut Writer::new(&mut body);
    json.open_object();
    if matches!(format, Format::OpenaiChat | Format::OpenaiResponses) {
        json.key("object").text("response.input_tokens");
    }
    json.key(key(format)).number(tokens);
    json.close_object();
    body
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn a_count_is_read_as_it_is_written_and_nothing_else_is_one() {
        for format in Format::ALL {
            assert_eq!(read(format, &write(format, 42)), Ok(42));
            for body in ["", "{}", "<html>", r#"{"error":{"message":"no"}}"#, r#"{"input_tokens":"42"}"#] {
                assert!(read(format, body.as_bytes()).is_err(), "{body}");
            }
        }
    }
}
