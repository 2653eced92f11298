//! Error objects: `{"type":"error","error":{"type":..,"message":..}}`.

use crate::error::{ApiError, ErrorKind, documented, message, name_of};
use crate::fields::Fields;
use serde_json::value::RawValue;
use tollgate_kernel::json::Writer;

const TYPES: [(&str, u16, ErrorKind); 13] = [
    ("invalid_request_error", 400, ErrorKind::InvalidRequest),
    ("authentication_error", 401, ErrorKind::Authentication),
    ("permission_error", 403, ErrorKind::Permission),
    ("not_found_error", 404, ErrorKind::NotFound),
    ("request_too_large", 413, ErrorKind::TooLarge),
    ("rate_limit_error", 429, ErrorKind::RateLimit),
    ("api_error", 500, ErrorKind::Internal),
    ("timeout_error", 504, ErrorKind::Timeout),
    ("overloaded_error", 529, ErrorKind::Overloaded),
    ("billing_error", 402, ErrorKind::Permission),
    ("conflict_error", 409, ErrorKind::InvalidRequest),
    ("memory_path_conflict_error", 409, ErrorKind::InvalidRequest),
    ("memory_precondition_failed_error", 412, ErrorKind::InvalidRequest),
];

/// The object under `error`.
#[derive(Debug, Default)]
pub(super) struct Fault {
    kind: Option<String>,
    message: Option<String>,
    /// What the official clients show as `error_code`.
    code: Option<String>,
}

impl Fault {
    /// Whatever is not as documented is not known; an error stays an error.
    pub(super) fn read(error: &RawValue) -> Self {
        let error = Fields::of_text(error.get()).unwrap_or_default();
        let details = error.object("details").ok().flatten().unwrap_or_default();
        Self { kind: error.given("type"), message: error.given("message"), code: details.given("error_code") }
    }

    /// The fault of an error that came without a status of its own: inside a 200, or in a stream.
    pub(super) fn into_error(self) -> ApiError {
        let status = self.documented().map_or(500, |(status, _)| status);
        self.with_status(status)
    }

    fn with_status(self, status: u16) -> ApiError {
        let kind = self.documented().map_or_else(|| ErrorKind::of_status(status), |(_, kind)| kind);
        ApiError { status, kind, message: message(self.message, status), code: self.code, param: None }
    }

    fn documented(&self) -> Option<(u16, ErrorKind)> {
        documented(&TYPES, self.kind.as_deref()?)
    }
}

/// Reads a provider's error body. A body that is no Anthropic error object gives a plain error of `status`.
#[must_use]
pub fn read_error(status: u16, body: &[u8]) -> ApiError {
    let fault = Fields::of_bytes(body).ok().and_then(|body| body.get("error").map(Fault::read));
    fault.unwrap_or_default().with_status(status)
}

/// Writes an error object. `param` has no place in it.
#[must_use]
pub fn write_error(error: &ApiError) -> Vec<u8> {
    let mut body = Vec::new();
    let out = &mut Writer::new(&mut body);
    out.open_object();
    out.key("type").text("error");
    out.key("error").open_object();
    out.key("type").text(name_of(&TYPES, error.kind).unwrap_or("api_error"));
    out.key("message").text(&error.message);
    if let Some(code) = &error.code {
        out.key("details").open_object();
        out.key("error_code").text(code);
        out.close_object();
    }
    out.close_object();
    out.close_object();
    body
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn every_kind_is_written_under_anthropics_name_and_read_back() {
        for (kind, name) in [
            (ErrorKind::InvalidRequest, "invalid_request_error"),
            (ErrorKind::Authentication, "authentication_error"),
            (ErrorKind::Permission, "permission_error"),
            (ErrorKind::NotFound, "not_found_error"),
            (ErrorKind::TooLarge, "request_too_large"),
            (ErrorKind::RateLimit, "rate_limit_error"),
            (ErrorKind::Internal, "api_error"),
            (ErrorKind::Overloaded, "overloaded_error"),
            (ErrorKind::Timeout, "timeout_error"),
        ] {
            let error = ApiError::new(kind, "no \"luck\"");
            let body = write_error(&error);
            let expected = format!(r#"{{"type":"error","error":{{"type":"{name}","message":"no \"luck\""}}}}"#);
            assert_eq!(String::from_utf8_lossy(&body), expected);
            assert_eq!(read_error(kind.status(), &body), error);
        }
    }

    #[test]
    fn the_type_says_more_than_the_status() {
        let body =
            br#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded","details":null},"request_id":"req_1"}"#;
        let error = read_error(500, body);
        assert_eq!((error.status, error.kind, error.message.as_str()), (500, ErrorKind::Overloaded, "Overloaded"));
    }

    #[test]
    fn the_reason_code_goes_where_the_official_clients_look_for_it() {
        let error = ApiError { code: Some("budget_spent".to_owned()), ..ApiError::new(ErrorKind::RateLimit, "later") };
        let body = write_error(&error);
        let expected = r#"{"type":"error","error":{"type":"rate_limit_error","message":"later","details":{"error_code":"budget_spent"}}}"#;
        assert_eq!(String::from_utf8_lossy(&body), expected);
        assert_eq!(read_error(429, &body), error);
    }

    #[test]
    fn details_of_another_form_hide_nothing() {
        for details in [r#"{"error_code":7}"#, "[]", r#""text""#, r#"{"limit":5}"#] {
            let body = format!(r#"{{"error":{{"type":"billing_error","message":"pay","details":{details}}}}}"#);
            let error = read_error(402, body.as_bytes());
            assert_eq!(
                (error.kind, error.message.as_str(), error.code),
                (ErrorKind::Permission, "pay", None),
                "{details}"
            );
        }
    }

    #[test]
    fn an_error_inside_a_success_gets_the_documented_status() {
        for (name, status, kind) in TYPES {
            let fault = Fault { kind: Some(name.to_owned()), ..Fault::default() };
            let error = fault.into_error();
            assert_eq!((error.status, error.kind), (status, kind), "{name}");
        }
        let error = Fault::default().into_error();
        assert_eq!((error.status, error.kind), (500, ErrorKind::Internal));
    }

    #[test]
    fn a_body_that_is_no_error_object_still_gives_an_error_of_its_status() {
        let odd = br#"{"error":{"type":["x"],"message":{},"details":{"error_code":7}}}"#;
        for body in [&odd[..], b"", b"<html>502 Bad Gateway</html>", b"{}", br#"{"error":"text"}"#, b"\xff", b"[[[["] {
            let error = read_error(502, body);
            assert_eq!((error.status, error.kind), (502, ErrorKind::Internal));
            assert_eq!(error.message, "the provider answered with status 502 and no message");
        }
    }
}
