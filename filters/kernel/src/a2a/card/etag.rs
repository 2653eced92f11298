//! Which card a client has already.

use sha2::{Digest, Sha256};
use std::fmt;

/// The strong entity tag of what is served (RFC 9110, section 8.8.3): equal if and only if all bytes are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Etag(String);

impl Etag {
    /// That of these bytes.
    #[must_use]
    pub fn of(served: &[u8]) -> Self {
        let hash: [u8; 32] = Sha256::digest(served).into();
        Self(format!("\"{}\"", crate::hex::write(&hash)))
    }

    /// Whether a client that has sent `if_none_match` has it. Weakly compared, as section 13.1.2 says.
    #[must_use]
    pub fn is_known(&self, if_none_match: &str) -> bool {
        // Tags of ours have no comma, so what has one inside is another's whatever comes of it.
        let tags = if_none_match.split(',').map(str::trim);
        tags.into_iter().any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == self.0)
    }
}

impl fmt::Display for Etag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
