//! Error objects: `{"error":{"code":..,"message":..,"status":..,"details":[..]}}`.

use crate::error::{ApiError, ErrorKind, documented, message, name_of};
use crate::fields::{Fields, Unreadable};
use serde_json::value::RawValue;
use tollgate_kernel::json::Writer;

/// Google's canonical codes.
const NAMES: [(&str, u16, ErrorKind); 16] = [
    ("INVALID_ARGUMENT", 400, ErrorKind::InvalidRequest),
    ("UNAUTHENTICATED", 401, ErrorKind::Authentication),
    ("PERMISSION_DENIED", 403, ErrorKind::Permission),
    ("NOT_FOUND", 404, ErrorKind::NotFound),
    ("RESOURCE_EXHAUSTED", 429, ErrorKind::RateLimit),
    ("INTERNAL", 500, ErrorKind::Internal),
    ("UNAVAILABLE", 503, ErrorKind::Overloaded),
    ("DEADLINE_EXCEEDED", 504, ErrorKind::Timeout),
    ("FAILED_PRECONDITION", 400, ErrorKind::InvalidRequest),
    ("OUT_OF_RANGE", 400, ErrorKind::InvalidRequest),
    ("ABORTED", 409, ErrorKind::InvalidRequest),
    ("ALREADY_EXISTS", 409, ErrorKind::InvalidRequest),
    ("CANCELLED", 499, ErrorKind::InvalidRequest),
    ("UNKNOWN", 500, ErrorKind::Internal),
    ("DATA_LOSS", 500, ErrorKind::Internal),
    ("UNIMPLEMENTED", 501, ErrorKind::Internal),
];

/// Why Google refuses a key, for which it has no status of its own: it finds the argument invalid.
const KEY_REFUSED: [&str; 2] = ["API_KEY_INVALID", "API_KEY_EXPIRED"];

/// What Google's libraries call the two details that are written.
const REASON_TYPE: &str = "type.googleapis.com/google.rpc.ErrorInfo";
const FIELD_TYPE: &str = "type.googleapis.com/google.rpc.BadRequest";

/// The object under `error`, as far as it can be read.
#[derive(Debug, Default)]
struct Fault {
    code: Option<u16>,
    message: Option<String>,
    name: Option<String>,
    reason: Option<String>,
    field: Option<String>,
}

/// Reads a provider's error body, which may be a list of one. A body that is no error object gives a plain error of
/// `status`.
#[must_use]
pub fn read_error(status: u16, body: &[u8]) -> ApiError {
    let text = str::from_utf8(body).unwrap_or_default().trim();
    let inner = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let error = Fields::of_text(inner).ok().and_then(|body| body.get("error"));
    error.map(Fault::read).unwrap_or_default().into_error(status)
}

/// The error of an `error` object that came without a status of its own: inside a 200, or in a stream.
pub(super) fn read_inner_error(error: &RawValue) -> ApiError {
    let fault = Fault::read(error);
    let named = fault.known().map(|(status, _)| status);
    let status = fault.code.filter(|code| (400..600).contains(code)).or(named).unwrap_or(500);
    fault.into_error(status)
}

impl Fault {
    fn read(error: &RawValue) -> Self {
        let mut fault = Self::default();
        // What cannot be read is left out: there is an error all the same.
        let _ = fault.fill(error);
        fault
    }

    fn fill(&mut self, error: &RawValue) -> Result<(), Unreadable> {
        let error = Fields::of_text(error.get())?;
        self.message = error.text("message")?;
        self.name = error.text("status")?;
        self.code = error.count("code")?.and_then(|code| u16::try_from(code).ok());
        for detail in error.list("details")? {
            let detail = Fields::of_text(detail.get())?;
            if let Some(reason) = detail.text("reason")? {
                self.reason.get_or_insert(reason);
            }
            if let Some(violation) = detail.list("fieldViolations")?.first() {
                self.field = Fields::of_text(violation.get())?.text("field")?;
            }
        }
        Ok(())
    }

    fn into_error(self, status: u16) -> ApiError {
        let kind = match status {
            413 => ErrorKind::TooLarge,
            _ if self.reason.as_deref().is_some_and(|reason| KEY_REFUSED.contains(&reason)) => {
                ErrorKind::Authentication
            }
            _ => self.known().map_or_else(|| ErrorKind::of_status(status), |(_, kind)| kind),
        };
        ApiError { status, kind, message: message(self.message, status), code: self.reason, param: self.field }
    }

    fn known(&self) -> Option<(u16, ErrorKind)> {
        documented(&NAMES, self.name.as_deref()?)
    }
}

/// Writes an error object. The SDK knows an error in a stream by `error` being the first field.
#[must_use]
pub fn write_error(error: &ApiError) -> Vec<u8> {
    let name = match error.kind {
        ErrorKind::TooLarge => "INVALID_ARGUMENT",
        kind => name_of(&NAMES, kind).unwrap_or("UNKNOWN"),
    };
    let mut out = Vec::new();
    let json = &mut Writer::new(&mut out);
    json.open_object().key("error").open_object();
    json.key("code").number(error.status.into());
    json.key("message").text(&error.message);
    json.key("status").text(name);
    if error.code.is_some() || error.param.is_some() {
        json.key("details").open_list();
        if let Some(code) = &error.code {
            json.open_object().key("@type").text(REASON_TYPE);
            json.key("reason").text(code);
            json.close_object();
        }
        if let Some(param) = &error.param {
            json.open_object().key("@type").text(FIELD_TYPE);
            json.key("fieldViolations").open_list().open_object();
            json.key("field").text(param);
            json.key("description").text(&error.message);
            json.close_object();
            json.close_list();
            json.close_object();
        }
        json.close_list();
    }
    json.close_object();
    json.close_object();
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn every_kind_is_written_under_googles_name_and_read_back() {
        for (kind, name) in [
            (ErrorKind::InvalidRequest, "INVALID_ARGUMENT"),
            (ErrorKind::Authentication, "UNAUTHENTICATED"),
            (ErrorKind::Permission, "PERMISSION_DENIED"),
            (ErrorKind::NotFound, "NOT_FOUND"),
            (ErrorKind::TooLarge, "INVALID_ARGUMENT"),
            (ErrorKind::RateLimit, "RESOURCE_EXHAUSTED"),
            (ErrorKind::Internal, "INTERNAL"),
            (ErrorKind::Overloaded, "UNAVAILABLE"),
            (ErrorKind::Timeout, "DEADLINE_EXCEEDED"),
        ] {
            let error = ApiError::new(kind, "no \"luck\"");
            let body = write_error(&error);
            let status = kind.status();
            let expected = format!(r#"{{"error":{{"code":{status},"message":"no \"luck\"","status":"{name}"}}}}"#);
            assert_eq!(String::from_utf8_lossy(&body), expected);
            assert_eq!(read_error(status, &body), error);
        }
    }

    #[test]
    fn a_reason_and_a_field_go_where_google_has_them() {
        let error = ApiError {
            code: Some("budget_spent".to_owned()),
            param: Some("contents[0].role".to_owned()),
            ..ApiError::new(ErrorKind::RateLimit, "later")
        };
        let body = write_error(&error);
        let expected = concat!(
            r#"{"error":{"code":429,"message":"later","status":"RESOURCE_EXHAUSTED","details":["#,
            r#"{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"budget_spent"},"#,
            r#"{"@type":"type.googleapis.com/google.rpc.BadRequest","fieldViolations":"#,
            r#"[{"field":"contents[0].role","description":"later"}]}]}}"#,
        );
        assert_eq!(String::from_utf8_lossy(&body), expected);
        assert_eq!(read_error(429, &body), error);
    }

    #[test]
    fn a_list_of_one_error_is_that_error() {
        let body = br#"[{
          "error": {"code": 503, "message": "The model is overloaded.", "status": "UNAVAILABLE",
            "details": [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34.07s"}]}
        }
        ]"#;
        let error = read_error(503, body);
        let expected = (ErrorKind::Overloaded, "The model is overloaded.", None);
        assert_eq!((error.kind, error.message.as_str(), error.code), expected);
    }

    #[test]
    fn a_refused_key_is_no_fault_of_the_request() {
        let body = br#"{"error":{"code":400,"message":"API key not valid.","status":"INVALID_ARGUMENT",
            "details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID"}]}}"#;
        let error = read_error(400, body);
        assert_eq!((error.status, error.kind), (400, ErrorKind::Authentication));
    }

    #[test]
    fn an_error_inside_a_success_has_the_status_it_says() {
        for (error, status, kind) in [
            (r#"{"code":429,"status":"RESOURCE_EXHAUSTED"}"#, 429, ErrorKind::RateLimit),
            (r#"{"status":"UNAVAILABLE"}"#, 503, ErrorKind::Overloaded),
            (r#"{"code":200,"status":"A_NEW_ONE"}"#, 500, ErrorKind::Internal),
            (r#"{"code":"secret"}"#, 500, ErrorKind::Internal),
            (r#""secret""#, 500, ErrorKind::Internal),
        ] {
            let error = read_inner_error(serde_json::from_str(error).unwrap());
            assert_eq!((error.status, error.kind), (status, kind));
            assert!(!error.message.contains("secret"));
        }
    }

    #[test]
    fn a_body_that_is_no_error_object_still_gives_an_error_of_its_status() {
        for body in [&b""[..], b"<html>502 Bad Gateway</html>", b"{}", br#"{"error":"text"}"#, b"\xff", b"[[[[", b"[]"]
        {
            let error = read_error(502, body);
            assert_eq!((error.status, error.kind), (502, ErrorKind::Internal));
            assert_eq!(error.message, "the provider answered with status 502 and no message");
        }
    }
}
