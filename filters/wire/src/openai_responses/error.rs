//! Errors: Chat Completions' object, and what stands in for it inside an answer or a stream.

use crate::error::{ApiError, ErrorKind};
use crate::openai_chat;

/// Reads a provider's error body; see [`Format::read_error`](crate::Format::read_error).
#[must_use]
pub fn read_error(status: u16, body: &[u8]) -> ApiError {
    openai_chat::read_error(status, body)
}

/// Writes an error object; see [`Format::write_error`](crate::Format::write_error).
#[must_use]
pub fn write_error(error: &ApiError) -> Vec<u8> {
    openai_chat::write_error(error)
}

/// Codes that only Responses has, and that are the request's fault. No status says so where an answer was begun.
const OF_THE_REQUEST: [&str; 6] = [
    "invalid_prompt",
    "data_residency_mismatch",
    "bio_policy",
    "misalignment_policy_violation",
    "unsupported_image_media_type",
    "failed_to_download_image",
];

/// Reads an error object, JSON text, that came without a status: an answer's or an event's.
pub(super) fn of_object(object: &str) -> ApiError {
    let mut error = openai_chat::read_inner_error(object);
    if error.kind == ErrorKind::Internal
        && let Some(kind) = error.code.as_deref().and_then(kind_of_code)
    {
        (error.kind, error.status) = (kind, kind.status());
    }
    error
}

fn kind_of_code(code: &str) -> Option<ErrorKind> {
    match code {
        "vector_store_timeout" => Some(ErrorKind::Timeout),
        "too_many_requests" => Some(ErrorKind::RateLimit),
        _ if OF_THE_REQUEST.contains(&code) => Some(ErrorKind::InvalidRequest),
        // `invalid_image_url`, `image_too_large`, `empty_image_file` and ten more.
        _ if code.contains("image_") || code.ends_with("_image") => Some(ErrorKind::InvalidRequest),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn the_code_of_an_error_without_status_says_whose_fault_it_is() {
        for (code, expected) in [
            ("server_error", ErrorKind::Internal),
            ("rate_limit_exceeded", ErrorKind::RateLimit),
            ("invalid_prompt", ErrorKind::InvalidRequest),
            ("image_too_large", ErrorKind::InvalidRequest),
            ("invalid_base64_image", ErrorKind::InvalidRequest),
            ("empty_image_file", ErrorKind::InvalidRequest),
            ("vector_store_timeout", ErrorKind::Timeout),
            ("a_new_one", ErrorKind::Internal),
        ] {
            let error = of_object(&format!(r#"{{"code":"{code}","message":"no"}}"#));
            assert_eq!((error.kind, error.status, &*error.message), (expected, expected.status(), "no"), "{code}");
            assert_eq!(error.code.as_deref(), Some(code));
        }
    }
}
