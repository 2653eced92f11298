//! Answers of `POST /v1/messages/count_tokens`: `{"input_tokens":n}`.

use super::{object_of, unreadable};
use crate::error::Malformed;
use crate::json::Json;

/// Writes the answer that a conversation has `tokens` tokens.
#[must_use]
pub fn write_count(tokens: u64) -> Vec<u8> {
    let mut body = Vec::new();
    let out = &mut Json::new(&mut body);
    out.open_object().key("input_tokens").number(tokens);
    out.close_object();
    body
}

/// Reads how many tokens a conversation has.
///
/// # Errors
/// When the body is not such an answer.
pub fn read_count(body: &[u8]) -> Result<u64, Malformed> {
    let tokens = object_of(body).and_then(|answer| answer.count("input_tokens").ok().flatten());
    tokens.ok_or_else(|| unreadable("the token count"))
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn a_count_is_written_and_read_back() {
        assert_eq!(write_count(2095), br#"{"input_tokens":2095}"#);
        assert_eq!(read_count(br#"{"input_tokens":2095,"context_management":null}"#), Ok(2095));
        assert_eq!(read_count(&write_count(0)), Ok(0));
        for body in [&b""[..], b"{}", br#"{"input_tokens":-1}"#, br#"{"input_tokens":"secret"}"#, b"\xff"] {
            let refusal = read_count(body).unwrap_err();
            assert!(matches!(&refusal, Malformed::Unreadable(why) if !why.contains("secret")), "{refusal:?}");
        }
    }
}
