//! What every filter asks of a request's headers.

use crate::headers::Headers;

/// Headers of ours begin with this; a client's copies mean nothing and go no further.
pub const OWN_PREFIX: &str = "x-tollgate-";
/// Headers that steer Envoy's router.
const ENVOY_PREFIX: &str = "x-envoy-";

/// The `x-request-id`, if it may stand in a record. Envoy makes one, but lets a client's pass where the connection manager says
/// so.
#[must_use]
pub fn id(headers: &Headers) -> String {
    let is_id = |id: &&str| id.len() <= 128 && id.bytes().all(|byte| byte.is_ascii_graphic());
    headers.text("x-request-id").filter(is_id).unwrap_or_default().to_owned()
}

/// The trace id of the `traceparent` (W3C Trace Context, section 3.2.2).
#[must_use]
pub fn trace_id(headers: &Headers) -> Option<String> {
    let id = headers.text("traceparent")?.split('-').nth(1)?;
    (id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit())).then(|| id.to_owned())
}

/// Whether a client's header is one of ours, or steers Envoy's router: it must not go on.
#[must_use]
pub fn is_own(name: &[u8]) -> bool {
    [OWN_PREFIX, ENVOY_PREFIX].iter().any(|prefix| name.starts_with(prefix.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::{id, is_own, trace_id};
    use crate::headers::{Headers, serialize};

    fn headers(name: &str, value: &str) -> Headers {
        Headers::parse(serialize(&[(name, value.as_bytes())])).unwrap()
    }

    #[test]
    fn what_a_client_says_of_itself_is_recorded_only_if_it_can_be() {
        let (longest, long) = ("x".repeat(128), "x".repeat(129));
        for (said, is_kept) in
            [("", true), ("a-1", true), (&longest, true), (&long, false), ("a b", false), ("é", false)]
        {
            assert_eq!(id(&headers("x-request-id", said)), if is_kept { said } else { "" }, "{said}");
        }
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        for (traceparent, expected) in [
            (format!("00-{trace}-00f067aa0ba902b7-01"), Some(trace)),
            (format!("00-{trace}"), Some(trace)),
            (format!("00-{trace}0-00f067aa0ba902b7-01"), None),
            ("00-4bf92f3577b34da6a3ce929d0e0e473g-00f067aa0ba902b7-01".to_owned(), None),
            (String::new(), None),
        ] {
            assert_eq!(trace_id(&headers("traceparent", &traceparent)).as_deref(), expected, "{traceparent}");
        }
    }

    #[test]
    fn what_is_ours_or_envoys_goes_no_further() {
        for (name, expected) in
            [("x-tollgate-user", true), ("x-envoy-retry-on", true), ("x-tollgat", false), ("te", false)]
        {
            assert_eq!(is_own(name.as_bytes()), expected, "{name}");
        }
    }
}
