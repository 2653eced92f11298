//! OpenAI's error object: `{"error": {"message", "type", "param", "code"}}`.

use crate::error::{ApiError, ErrorKind};
use crate::fields::Fields;
use tollgate_kernel::json::Writer;

/// Reads a provider's error body; see [`Format::read_error`](crate::Format::read_error).
#[must_use]
pub fn read_error(status: u16, body: &[u8]) -> ApiError {
    let failure = Some(status).filter(|status| (400..=599).contains(status));
    let body = Fields::of_bytes(body).unwrap_or_default();
    let error = body.get("error").map_or_else(|| plain_error(status), |error| read_object(failure, error.get()));
    ApiError { status: failure.unwrap_or(error.status), ..error }
}

/// Writes an error object; see [`Format::write_error`](crate::Format::write_error).
#[must_use]
pub fn write_error(error: &ApiError) -> Vec<u8> {
    let mut body = Vec::new();
    write_error_object(error, &mut Writer::new(&mut body));
    body
}

/// Reads the value of an `error` key that came where an answer was promised, without a status of its own.
pub(crate) fn read_inner_error(error: &str) -> ApiError {
    read_object(None, error)
}

fn plain_error(status: u16) -> ApiError {
    let kind = ErrorKind::of_status(status);
    ApiError::new(kind, format!("the provider answered with status {status} and no readable error"))
}

fn read_object(status: Option<u16>, error: &str) -> ApiError {
    let object = Fields::of_text(error).unwrap_or_default();
    // With some compatible servers it is only a sentence.
    let sentence = || serde_json::from_str(error).ok();
    // A string with OpenAI, an HTTP status with several compatible servers.
    let code = object.given("code").or_else(|| object.get("code").map(|code| code.get().to_owned()));
    let kind = match status.or_else(|| code.as_deref()?.parse().ok()) {
        Some(status @ 400..=599) => ErrorKind::of_status(status),
        _ => kind_of_names(code.as_deref(), object.given("type").as_deref()),
    };
    let message =
        object.given("message").or_else(sentence).unwrap_or_else(|| "the provider gave no message".to_owned());
    ApiError { code, param: object.given("param"), ..ApiError::new(kind, message) }
}

/// The code is the finer of the two: a wrong key is an `invalid_request_error` with the code `invalid_api_key`.
fn kind_of_names(code: Option<&str>, kind: Option<&str>) -> ErrorKind {
    let known = |name: Option<&str>| match name? {
        "rate_limit_exceeded" | "rate_limit_error" | "insufficient_quota" | "requests" | "tokens" => {
            Some(ErrorKind::RateLimit)
        }
        "invalid_api_key" | "authentication_error" => Some(ErrorKind::Authentication),
        "permission_error" | "request_forbidden" => Some(ErrorKind::Permission),
        "model_not_found" | "not_found_error" => Some(ErrorKind::NotFound),
        "server_is_overloaded" | "service_unavailable_error" | "overloaded_error" | "slow_down" => {
            Some(ErrorKind::Overloaded)
        }
        "timeout" | "timeout_error" => Some(ErrorKind::Timeout),
        "invalid_request_error" | "context_length_exceeded" | "content_policy_violation" => {
            Some(ErrorKind::InvalidRequest)
        }
        _ => None,
    };
    known(code).or_else(|| known(kind)).unwrap_or(ErrorKind::Internal)
}

/// What OpenAI itself sends; its SDKs pick the exception by status alone.
fn wire_type(error: &ApiError) -> &'static str {
    match error.kind {
        ErrorKind::InvalidRequest
        | ErrorKind::Authentication
        | ErrorKind::Permission
        | ErrorKind::NotFound
        | ErrorKind::TooLarge => "invalid_request_error",
        ErrorKind::RateLimit if error.code.as_deref() == Some("insufficient_quota") => "insufficient_quota",
        ErrorKind::RateLimit => "rate_limit_error",
        ErrorKind::Overloaded => "service_unavailable_error",
        ErrorKind::Internal | ErrorKind::Timeout => "server_error",
    }
}

/// The error object, also as the last event of a stream that fails.
pub(super) fn write_error_object(error: &ApiError, json: &mut Writer<'_>) {
    json.open_object();
    json.key("error").open_object();
    json.key("message").text(&error.message);
    json.key("type").text(wire_type(error));
    for (name, value) in [("param", &error.param), ("code", &error.code)] {
        json.key(name).text_or_null(value.as_deref());
    }
    json.close_object();
    json.close_object();
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn an_error_keeps_its_status_code_and_field() {
        let body = include_bytes!("../../tests/fixtures/openai_chat/error_model_not_found.json");
        let expected = ApiError {
            status: 404,
            kind: ErrorKind::NotFound,
            message: "The model `gpt-9` does not exist or you do not have access to it.".into(),
            code: Some("model_not_found".into()),
            param: Some("model".into()),
        };
        assert_eq!(read_error(404, body), expected);
    }

    #[test]
    fn the_status_says_the_kind_and_without_one_the_names_do() {
        for (status, error, expected) in [
            (401, json!({"type": "invalid_request_error", "code": "invalid_api_key"}), ErrorKind::Authentication),
            (429, json!({"type": "insufficient_quota", "code": "insufficient_quota"}), ErrorKind::RateLimit),
            (500, json!({"type": "server_error", "code": null}), ErrorKind::Internal),
            (529, json!({}), ErrorKind::Overloaded),
            (200, json!({"type": "invalid_request_error", "code": "invalid_api_key"}), ErrorKind::Authentication),
            (200, json!({"type": "tokens", "code": "rate_limit_exceeded"}), ErrorKind::RateLimit),
            (200, json!({"type": "invalid_request_error", "code": "rate_limit_error"}), ErrorKind::RateLimit),
            (200, json!({"type": "service_unavailable_error", "code": "server_is_overloaded"}), ErrorKind::Overloaded),
            (200, json!({"message": "bad gateway", "code": 502}), ErrorKind::Internal),
            (200, json!({"message": "slow down", "code": 429}), ErrorKind::RateLimit),
            (200, json!({"type": "invalid_request_error", "code": null}), ErrorKind::InvalidRequest),
            (200, json!({"type": "something_new"}), ErrorKind::Internal),
        ] {
            let body = json!({ "error": error }).to_string();
            let read = read_error(status, body.as_bytes());
            assert_eq!(read.kind, expected, "{status} {body}");
            assert_eq!(read.status, if status == 200 { expected.status() } else { status }, "{status} {body}");
        }
    }

    #[test]
    fn a_body_that_is_no_error_object_gives_a_plain_error() {
        for body in ["", "<html>502</html>", "[]", "{}", r#"{"error":null}"#, r#"{"detail":"x"}"#] {
            let error = read_error(502, body.as_bytes());
            assert_eq!((error.status, error.kind, error.code), (502, ErrorKind::Internal, None), "{body}");
            assert_eq!(error.message, "the provider answered with status 502 and no readable error");
        }
    }

    #[test]
    fn an_error_that_is_only_a_sentence_is_its_message() {
        let error = read_error(404, br#"{"error":"model 'x' not found, try pulling it first"}"#);
        assert_eq!((error.kind, &*error.message), (ErrorKind::NotFound, "model 'x' not found, try pulling it first"));
    }

    #[test]
    fn an_error_is_written_as_openai_writes_it() {
        for (kind, code, expected) in [
            (ErrorKind::InvalidRequest, None, "invalid_request_error"),
            (ErrorKind::Authentication, Some("invalid_api_key"), "invalid_request_error"),
            (ErrorKind::RateLimit, Some("rate_limit_exceeded"), "rate_limit_error"),
            (ErrorKind::RateLimit, Some("insufficient_quota"), "insufficient_quota"),
            (ErrorKind::Internal, None, "server_error"),
            (ErrorKind::Overloaded, None, "service_unavailable_error"),
            (ErrorKind::Timeout, None, "server_error"),
        ] {
            let error = ApiError { code: code.map(Into::into), ..ApiError::new(kind, "no \"way\"") };
            let written: Value = serde_json::from_slice(&write_error(&error)).unwrap();
            let object = json!({"message": "no \"way\"", "type": expected, "param": null, "code": code});
            assert_eq!(written, json!({ "error": object }));
        }
    }
}
