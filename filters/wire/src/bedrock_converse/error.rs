//! Errors: `{"__type": .., "message": ..}` in a body, and exceptions in a stream.

use crate::error::{ApiError, ErrorKind, message, name_of};
use crate::fields::Fields;
use tollgate_kernel::json::Writer;

const TYPES: [(&str, u16, ErrorKind); 15] = [
    ("ValidationException", 400, ErrorKind::InvalidRequest),
    ("UnrecognizedClientException", 403, ErrorKind::Authentication),
    ("AccessDeniedException", 403, ErrorKind::Permission),
    ("ResourceNotFoundException", 404, ErrorKind::NotFound),
    ("RequestEntityTooLargeException", 413, ErrorKind::TooLarge),
    ("ThrottlingException", 429, ErrorKind::RateLimit),
    ("InternalServerException", 500, ErrorKind::Internal),
    ("ServiceUnavailableException", 503, ErrorKind::Overloaded),
    ("ModelTimeoutException", 408, ErrorKind::Timeout),
    ("ModelErrorException", 424, ErrorKind::Internal),
    ("ModelStreamErrorException", 424, ErrorKind::Internal),
    ("ModelNotReadyException", 429, ErrorKind::Overloaded),
    ("ServiceQuotaExceededException", 400, ErrorKind::RateLimit),
    ("ExpiredTokenException", 403, ErrorKind::Authentication),
    ("MissingAuthenticationTokenException", 403, ErrorKind::Authentication),
];

/// Exceptions that a stream may end with, and what each says best. Clients know no others there.
const EXCEPTIONS: [(&str, ErrorKind); 4] = [
    ("validationException", ErrorKind::InvalidRequest),
    ("throttlingException", ErrorKind::RateLimit),
    ("internalServerException", ErrorKind::Internal),
    ("serviceUnavailableException", ErrorKind::Overloaded),
];

/// The exception for all other kinds: it carries a status.
const STREAM_ERROR: &str = "modelStreamErrorException";

/// Reads a provider's error body. A body that is no error object gives a plain error of `status`. Bedrock names the
/// type in the header `x-amzn-errortype` and only sometimes in the body, so often the status decides.
#[must_use]
pub fn read_error(status: u16, body: &[u8]) -> ApiError {
    let fields = Fields::of_bytes(body).unwrap_or_default();
    let name = ["__type", "code", "Code"].into_iter().find_map(|key| fields.given(key));
    let kind = name.as_deref().and_then(documented).map_or_else(|| ErrorKind::of_status(status), |(_, kind)| kind);
    error(status, kind, &fields)
}

/// The error that came inside a 200, when `fields` are one.
pub(super) fn error_in_answer(fields: &Fields<'_>) -> Option<ApiError> {
    let name = fields.given("__type")?;
    let (status, kind) = documented(&name).unwrap_or((500, ErrorKind::Internal));
    Some(error(status, kind, fields))
}

/// The error that ends a stream: `name` is the exception's type or the error's code.
pub(super) fn error_in_stream(name: &str, data: &[u8]) -> ApiError {
    let fields = Fields::of_bytes(data).unwrap_or_default();
    let (status, kind) = documented(name).unwrap_or((500, ErrorKind::Internal));
    // Says what the model's own server answered.
    let original = fields.count("originalStatusCode").ok().flatten().and_then(|status| u16::try_from(status).ok());
    let (status, kind) = original.map_or((status, kind), |status| (status, ErrorKind::of_status(status)));
    error(status, kind, &fields)
}

/// Status and kind of an error called `name`, whatever stands around it: a namespace (`com.amazon.coral#`), the address
/// of its documentation (`:http://..`), a small first letter in streams.
fn documented(name: &str) -> Option<(u16, ErrorKind)> {
    let name = name.split(':').next()?.rsplit('#').next()?;
    crate::error::documented(&TYPES, name)
}

fn error(status: u16, kind: ErrorKind, fields: &Fields<'_>) -> ApiError {
    let said = ["message", "Message", "originalMessage"].into_iter().find_map(|key| fields.given(key));
    ApiError { status, kind, message: message(said, status), code: fields.given("reason"), param: None }
}

/// Writes an error object. The type stands in it, because a client that finds no header `x-amzn-errortype` looks there;
/// the reason's code must not be called `code`, which is taken for the type. `param` has no place.
#[must_use]
pub fn write_error(error: &ApiError) -> Vec<u8> {
    let mut out = Vec::new();
    let mut json = Writer::new(&mut out);
    let name = name_of(&TYPES, error.kind).unwrap_or("InternalServerException");
    json.open_object().key("__type").text(name);
    write_message(error, &mut json);
    json.close_object();
    out
}

/// The type and the payload of the exception that ends a client's stream.
pub(super) fn exception(error: &ApiError) -> (&'static str, Vec<u8>) {
    let mut out = Vec::new();
    let mut json = Writer::new(&mut out);
    json.open_object();
    write_message(error, &mut json);
    let named = EXCEPTIONS.iter().find(|(_, kind)| *kind == error.kind);
    if named.is_none() {
        json.key("originalStatusCode").number(u64::from(error.status));
        json.key("originalMessage").text(&error.message);
    }
    json.close_object();
    (named.map_or(STREAM_ERROR, |(name, _)| name), out)
}

fn write_message(error: &ApiError, json: &mut Writer<'_>) {
    json.key("message").text(&error.message);
    json.text_if("reason", error.code.as_deref());
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn every_kind_is_written_under_bedrocks_name_and_read_back() {
        for (kind, name) in [
            (ErrorKind::InvalidRequest, "ValidationException"),
            (ErrorKind::Authentication, "UnrecognizedClientException"),
            (ErrorKind::Permission, "AccessDeniedException"),
            (ErrorKind::NotFound, "ResourceNotFoundException"),
            (ErrorKind::TooLarge, "RequestEntityTooLargeException"),
            (ErrorKind::RateLimit, "ThrottlingException"),
            (ErrorKind::Internal, "InternalServerException"),
            (ErrorKind::Overloaded, "ServiceUnavailableException"),
            (ErrorKind::Timeout, "ModelTimeoutException"),
        ] {
            let error = ApiError::new(kind, "no \"luck\"");
            let body = write_error(&error);
            assert_eq!(String::from_utf8_lossy(&body), format!(r#"{{"__type":"{name}","message":"no \"luck\""}}"#));
            assert_eq!(read_error(kind.status(), &body), error);
            let (name, payload) = exception(&error);
            assert_eq!(error_in_stream(name, &payload).kind, kind, "{name}");
        }
    }

    #[test]
    fn the_reason_code_does_not_stand_where_the_type_is_looked_for() {
        let error = ApiError { code: Some("budget_spent".to_owned()), ..ApiError::new(ErrorKind::RateLimit, "later") };
        let body = write_error(&error);
        let expected = r#"{"__type":"ThrottlingException","message":"later","reason":"budget_spent"}"#;
        assert_eq!(String::from_utf8_lossy(&body), expected);
        assert_eq!(read_error(429, &body), error);
        let (name, payload) = exception(&error);
        assert_eq!(
            (name, &payload[..]),
            ("throttlingException", &br#"{"message":"later","reason":"budget_spent"}"#[..])
        );
        assert_eq!(error_in_stream(name, &payload), error);
    }

    #[test]
    fn the_type_says_more_than_the_status_and_is_found_with_what_stands_around_it() {
        for (status, body, kind) in [
            (400, r#"{"__type":"com.amazon.coral.service#ThrottlingException","message":"m"}"#, ErrorKind::RateLimit),
            (429, r#"{"__type":"ModelNotReadyException","message":"m"}"#, ErrorKind::Overloaded),
            (400, r#"{"code":"ServiceQuotaExceededException:http://x","Message":"m"}"#, ErrorKind::RateLimit),
            (403, r#"{"__type":"UnrecognizedClientException","message":"m"}"#, ErrorKind::Authentication),
            (403, r#"{"message":"m"}"#, ErrorKind::Permission),
            (429, r#"{"message":"m"}"#, ErrorKind::RateLimit),
            (503, r#"{"__type":"NewException","message":"m"}"#, ErrorKind::Overloaded),
        ] {
            let error = read_error(status, body.as_bytes());
            assert_eq!((error.status, error.kind, error.message.as_str()), (status, kind, "m"), "{body}");
        }
    }

    #[test]
    fn an_exception_tells_what_the_models_server_answered() {
        let data = br#"{"message":"m","originalStatusCode":429,"originalMessage":"slow down"}"#;
        let error = error_in_stream("modelStreamErrorException", data);
        assert_eq!((error.status, error.kind, error.message.as_str()), (429, ErrorKind::RateLimit, "m"));
        for (name, data, status, kind) in [
            ("modelStreamErrorException", "{}", 424, ErrorKind::Internal),
            ("serviceUnavailableException", r#"{"message":"m"}"#, 503, ErrorKind::Overloaded),
            ("newException", r#"{"message":"m"}"#, 500, ErrorKind::Internal),
            ("500", "no object", 500, ErrorKind::Internal),
        ] {
            let error = error_in_stream(name, data.as_bytes());
            assert_eq!((error.status, error.kind), (status, kind), "{name}");
        }
    }

    #[test]
    fn a_body_that_is_no_error_object_still_gives_an_error_of_its_status() {
        for body in [&b""[..], b"<html>502 Bad Gateway</html>", b"{}", br#"{"message":7}"#, b"\xff", b"[[[["] {
            let error = read_error(502, body);
            assert_eq!((error.status, error.kind), (502, ErrorKind::Internal));
            assert_eq!(error.message, "the provider answered with status 502 and no message");
        }
    }
}
