//! What a token says of itself (RFC 7519), to who has no means to verify it.

use crate::json::{Document, Kind, Limits, Value};
use crate::percent::decode;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Larger tokens do not fit into headers.
const LIMITS: Limits = Limits { bytes: 64 << 10, nodes: 4096 };

/// The token of `Bearer <token>`.
#[must_use]
pub fn bearer(authorization: &str) -> Option<&str> {
    let (scheme, token) = authorization.split_at_checked(7)?;
    scheme.eq_ignore_ascii_case("bearer ").then(|| token.trim())
}

/// Whether a query has a token (RFC 6750, section 2.3). Envoy's `jwt_authn` finds it there, and it would go on with the path to whom
/// it may not be for.
#[must_use]
pub fn is_in_query(query: &str) -> bool {
    let name = |pair: &str| decode(pair.split('=').next().unwrap_or_default(), &[]).map(std::borrow::Cow::into_owned);
    query.split('&').filter_map(name).any(|name| name.eq_ignore_ascii_case("access_token"))
}

/// For whom a token says it is; `None` for what is no token, a virtual key for one.
#[must_use]
pub fn audience(token: &str) -> Option<Vec<String>> {
    let mut parts = token.split('.');
    let (_, payload, _) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    let payload = URL_SAFE_NO_PAD.decode(payload).ok()?;
    let document = Document::read(&payload, LIMITS).ok()?;
    let audience = document.root().get("aud")?;
    let text = |value: Value<'_, '_>| value.as_str().map(std::borrow::Cow::into_owned);
    match audience.kind() {
        Kind::String => text(audience).map(|one| vec![one]),
        Kind::Array => audience.items().map(text).collect(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{audience, bearer, is_in_query};
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn a_token_says_for_whom_it_is() {
        let token = |payload: &str| format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(payload));
        for (token, expected) in [
            (token(r#"{"aud":"https://a"}"#), Some(vec!["https://a"])),
            (token(r#"{"aud":["https://a","https://b"]}"#), Some(vec!["https://a", "https://b"])),
            (token(r#"{"aud":["https://a",7]}"#), None),
            (token(r#"{"aud":"https://a","aud":"https://b"}"#), None),
            (token(r#"{"aud":7}"#), None),
            (token("{}"), None),
            (token("[]"), None),
            ("tg_support_3q8vK0cJw7Rz5mXa".to_owned(), None),
            ("a.b".to_owned(), None),
            ("e30.e30.e30.e30".to_owned(), None),
            (String::new(), None),
        ] {
            let expected = expected.map(|all| all.into_iter().map(str::to_owned).collect());
            assert_eq!(audience(&token), expected, "{token}");
        }
    }

    #[test]
    fn a_token_in_a_query_is_seen_however_it_is_written() {
        for (query, expected) in [
            ("access_token=a.b.c", true),
            ("a=b&%61ccess%5Ftoken=a", true),
            ("Access_Token", true),
            ("x=access_token&access_token2=y", false),
            ("%zz=access_token", false),
            ("", false),
        ] {
            assert_eq!(is_in_query(query), expected, "{query}");
        }
    }

    #[test]
    fn a_bearers_token_stands_behind_its_scheme() {
        for (header, expected) in
            [("Bearer a.b.c", Some("a.b.c")), ("bearer  x", Some("x")), ("Basic x", None), ("Bearer", None), ("", None)]
        {
            assert_eq!(bearer(header), expected, "{header}");
        }
    }
}
