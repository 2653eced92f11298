//! What a client says of the cache with `cache-control` (RFC 9111, section 5.2.1). Pure.

use tollgate_host::headers::Headers;

/// What a client wants of the cache.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Wish {
    /// Nothing is looked up and nothing is kept.
    pub(crate) no_store: bool,
    /// Nothing is looked up.
    pub(crate) no_cache: bool,
    /// An answer must not be older, in seconds.
    pub(crate) max_age: Option<u64>,
}

impl Wish {
    /// What a request's headers say.
    pub(crate) fn of(headers: &Headers) -> Self {
        let mut wish = Self::default();
        for value in headers.all("cache-control") {
            // What is not ASCII is no directive.
            let value = String::from_utf8_lossy(value).to_ascii_lowercase();
            value.split(',').for_each(|directive| wish.take(directive.trim()));
        }
        wish
    }

    fn take(&mut self, directive: &str) {
        let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
        match name.trim_end() {
            "no-store" => self.no_store = true,
            "no-cache" => self.no_cache = true,
            "max-age" => {
                let age = seconds(value.trim_start().trim_matches('"'));
                self.max_age = Some(self.max_age.map_or(age, |before| before.min(age)));
                self.no_cache |= age == 0;
            }
            _ => {}
        }
    }
}

/// What is no number is no age at all, and one that is too large is as good as the largest.
fn seconds(digits: &str) -> u64 {
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return 0;
    }
    digits.parse().unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::example::headers;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn every_spelling_of_a_directive_is_understood() {
        let nothing = Wish::default();
        let no_store = Wish { no_store: true, ..nothing };
        let no_cache = Wish { no_cache: true, ..nothing };
        let max_age = |seconds| Wish { max_age: Some(seconds), no_cache: seconds == 0, ..nothing };
        for (values, expected) in [
            (&[][..], nothing),
            (&[&b""[..]], nothing),
            (&[b"no-store"], no_store),
            (&[b"No-Store"], no_store),
            (&[b"private, no-store"], no_store),
            (&[b"private", b",, no-store ,"], no_store),
            (&[b"no-cache"], no_cache),
            (&[b"NO-CACHE,x=y"], no_cache),
            (&[b"no-cache=\"x\""], no_cache),
            (&[b"max-age=0"], max_age(0)),
            (&[b"max-age = 60"], max_age(60)),
            (&[b"Max-Age=\"60\""], max_age(60)),
            (&[b"max-age=60, max-age=30"], max_age(30)),
            (&[b"max-age=99999999999999999999999"], max_age(u64::MAX)),
            (&[b"max-age=-1"], max_age(0)),
            (&[b"max-age=soon"], max_age(0)),
            (&[b"max-age"], max_age(0)),
            (&[b"no-storex, xno-cache, max-stale=5, only-if-cached"], nothing),
            (&[b"\xff, no-store"], no_store),
        ] {
            let pairs: Vec<(&str, &[u8])> = values.iter().map(|value| ("cache-control", *value)).collect();
            assert_eq!(Wish::of(&headers(&pairs)), expected, "{values:?}");
        }
    }
}
