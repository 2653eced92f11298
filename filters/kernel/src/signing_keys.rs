//! Keys that something is signed with, by us or by another gateway.

use crate::hmac::{HmacKey, beginning};
use std::fmt;

const MIN_KEY: usize = 32;

/// One or two keys, either of which proves: two while they are rotated. The first one signs.
#[derive(Debug, Clone)]
pub struct SigningKeys([HmacKey; 2]);

/// Why a text holds no [`SigningKeys`]. Never quotes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotSigningKeys {
    /// Neither one nor two.
    Count(usize),
    /// One of them has so few bytes.
    Length(usize),
}

impl SigningKeys {
    /// Reads one key, or two with a comma between.
    ///
    /// # Errors
    /// When it holds something else.
    pub fn parse(text: &str) -> Result<Self, NotSigningKeys> {
        let keys: Vec<&[u8]> = text.split(',').map(|key| key.trim().as_bytes()).collect();
        if let Some(short) = keys.iter().find(|key| key.len() < MIN_KEY) {
            return Err(NotSigningKeys::Length(short.len()));
        }
        match keys[..] {
            [only] => Ok(Self::only(HmacKey::new(only))),
            [first, second] => Ok(Self([HmacKey::new(first), HmacKey::new(second)])),
            _ => Err(NotSigningKeys::Count(keys.len())),
        }
    }

    /// The one key that these random bytes are.
    #[must_use]
    pub fn random(bytes: &[u8; 32]) -> Self {
        Self::only(HmacKey::new(bytes))
    }

    /// The MAC of the message that `parts` are.
    #[must_use]
    pub fn sign(&self, parts: &[&[u8]]) -> [u8; 32] {
        let Self([first, _]) = self;
        first.mac(parts)
    }

    /// How the MAC of the message that `parts` are begins, for where there is little room. 16 bytes are enough; with less it
    /// proves nothing by itself.
    #[must_use]
    pub fn sign_short<const N: usize>(&self, parts: &[&[u8]]) -> [u8; N] {
        beginning(&self.sign(parts))
    }

    /// Whether `mac` is one of the keys' of the message that `parts` are, or how it begins.
    #[must_use]
    pub fn verify<const N: usize>(&self, parts: &[&[u8]], mac: &[u8; N]) -> bool {
        let Self([first, second]) = self;
        first.verify(parts, mac) | second.verify(parts, mac)
    }

    /// Kept twice, so that each check is the same work.
    fn only(key: HmacKey) -> Self {
        Self([key.clone(), key])
    }
}

impl fmt::Display for NotSigningKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(count) => write!(f, "must hold one key, or two with a comma between, holds {count}"),
            Self::Length(length) => write!(f, "must hold keys of {MIN_KEY} bytes or more, holds one of {length}"),
        }
    }
}

impl std::error::Error for NotSigningKeys {}

#[cfg(test)]
mod tests {
    use super::SigningKeys;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn the_first_key_signs_and_both_prove() {
        let (old, new) = ("o".repeat(32), "n".repeat(32));
        let keys = |text: &str| SigningKeys::parse(text).unwrap();
        let mac = keys(&old).sign(&[b"a", b"b"]);
        let rotated = keys(&format!("{new}, {old}"));
        assert!(rotated.verify(&[b"ab"], &mac));
        assert_ne!(rotated.sign(&[b"ab"]), mac);
        assert_eq!(rotated.sign(&[b"ab"]), keys(&new).sign(&[b"ab"]));
        assert!(!keys(&new).verify(&[b"ab"], &mac));
        assert!(!rotated.verify(&[b"ac"], &mac));
        let short: [u8; 16] = keys(&old).sign_short(&[b"ab"]);
        assert!(mac.starts_with(&short) && rotated.verify(&[b"ab"], &short) && !keys(&new).verify(&[b"ab"], &short));
    }

    #[test]
    fn a_random_key_is_that_of_its_bytes_alone() {
        let mac = SigningKeys::random(&[1; 32]).sign(&[b"a"]);
        assert!(SigningKeys::random(&[1; 32]).verify(&[b"a"], &mac));
        assert!(!SigningKeys::random(&[2; 32]).verify(&[b"a"], &mac));
    }
}
