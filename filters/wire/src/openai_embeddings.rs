//! OpenAI Embeddings, `POST /v1/embeddings`: which model answered and what it used. The bodies themselves pass byte for
//! byte.

use crate::error::Malformed;
use crate::fields::{Fields, Unreadable};
use crate::openai_chat;
use crate::usage::Usage;

/// Reads the model and the usage of a whole answer. Its vectors are skipped, not made.
///
/// # Errors
/// When the body is not an embeddings answer, or is an error object inside a 200.
pub fn read_response(body: &[u8]) -> Result<(String, Option<Usage>), Malformed> {
    let answer = Fields::of_bytes(body).map_err(malformed)?;
    if answer.get("error").is_some() {
        return Err(Malformed::error(openai_chat::read_error(200, body), figures(&answer)));
    }
    if answer.get("data").is_none() {
        return Err(malformed(Unreadable));
    }
    let model = answer.text("model").map_err(malformed)?.unwrap_or_default();
    Ok((model, figures(&answer)))
}

fn figures(answer: &Fields<'_>) -> Option<Usage> {
    answer.object("usage").ok().flatten().and_then(|usage| read_usage(&usage))
}

/// All of it is input. Some compatible servers give the total only.
fn read_usage(usage: &Fields<'_>) -> Option<Usage> {
    let given = |name| usage.count(name).ok().flatten();
    let input_fresh = given("prompt_tokens").into_iter().chain(given("total_tokens")).max()?;
    Usage { input_fresh, ..Usage::NONE }.plausible()
}

#[cold]
fn malformed(_: Unreadable) -> Malformed {
    Malformed::Unreadable("the answer is not a readable list of embeddings".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn answer(usage: &str) -> String {
        let data = r#"[{"object":"embedding","index":0,"embedding":[0.1,-2e-3]},{"index":1,"embedding":"AAAA"}]"#;
        format!(r#"{{"object":"list","data":{data},"model":"text-embedding-3-small"{usage}}}"#)
    }

    #[test]
    fn the_input_is_all_that_is_used() {
        for (usage, expected) in [
            (r#","usage":{"prompt_tokens":8,"total_tokens":8}"#, Some(8)),
            (r#","usage":{"prompt_tokens":8}"#, Some(8)),
            (r#","usage":{"prompt_tokens":0,"total_tokens":8}"#, Some(8)),
            (r#","usage":{"prompt_tokens":null,"total_tokens":8,"cost":0.1}"#, Some(8)),
            (r#","usage":{"prompt_tokens":0,"total_tokens":0}"#, None),
            (r#","usage":{"prompt_tokens":-1}"#, None),
            (r#","usage":{"prompt_tokens":18446744073709551615}"#, None),
            (r#","usage":7"#, None),
            (r#","usage":null"#, None),
            ("", None),
        ] {
            let (model, read) = read_response(answer(usage).as_bytes()).unwrap();
            assert_eq!(model, "text-embedding-3-small");
            assert_eq!(read, expected.map(|input_fresh| Usage { input_fresh, ..Usage::NONE }), "{usage}");
        }
    }

    #[test]
    fn what_is_no_list_of_embeddings_is_refused_without_quoting_it() {
        for body in [&b""[..], b"secret", b"{}", br#"{"model":"secret"}"#, br#"{"data":[]} secret"#, b"[]", b"\xff"] {
            let refusal = read_response(body).unwrap_err();
            assert!(matches!(&refusal, Malformed::Unreadable(why) if !why.contains("secret")), "{refusal:?}");
        }
    }

    #[test]
    fn an_error_inside_a_success_is_an_error() {
        let body = br#"{"error":{"message":"busy","type":"server_error","code":"rate_limit_exceeded"}}"#;
        let Err(Malformed::Error { error, .. }) = read_response(body) else { panic!("read as an answer") };
        assert_eq!((error.kind, &*error.message), (ErrorKind::RateLimit, "busy"));
    }
}
