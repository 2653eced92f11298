//! Where clients put their key, and which headers are nobody else's business.

use tollgate_host::headers::Headers;

/// Headers that carry a credential: none goes on from the client, and none may be configured in plain sight.
pub const HEADERS: [&str; 6] =
    ["authorization", "x-api-key", "api-key", "x-goog-api-key", "proxy-authorization", "cookie"];

/// The four places where SDKs put a key: OpenAI's and most others', Anthropic's, Azure's, Google's.
const PLACES: [&str; 4] = ["authorization", "x-api-key", "api-key", "x-goog-api-key"];

/// What the client shows.
#[derive(Debug, PartialEq, Eq)]
pub enum Shown<'a> {
    /// No credential at all.
    Nothing,
    /// This one; in one place or the same in several.
    One(&'a [u8]),
    /// Different ones: whoever picks one may be contradicted by whoever picks the other.
    Several,
}

/// The credential a request shows.
#[must_use]
pub fn shown(headers: &Headers) -> Shown<'_> {
    shown_of(headers, &|_| true)
}

/// The virtual key a request shows, true or not, among credentials of other kinds.
#[must_use]
pub fn shown_keys(headers: &Headers) -> Shown<'_> {
    shown_of(headers, &|value| value.starts_with(b"tg_"))
}

fn shown_of<'a>(headers: &'a Headers, counts: &dyn Fn(&[u8]) -> bool) -> Shown<'a> {
    let mut found = Shown::Nothing;
    for place in PLACES {
        for value in headers.all(place) {
            let value = if place == "authorization" { bearer(value) } else { value }.trim_ascii();
            match found {
                _ if value.is_empty() || !counts(value) => {}
                Shown::Nothing => found = Shown::One(value),
                Shown::One(first) if first == value => {}
                Shown::One(_) | Shown::Several => return Shown::Several,
            }
        }
    }
    found
}

/// The token of `Bearer <token>`; other schemes stay whole and fail as a key.
fn bearer(value: &[u8]) -> &[u8] {
    match value.split_at_checked(7) {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case(b"bearer ") => token,
        _ => value,
    }
}

#[cfg(test)]
mod tests;
