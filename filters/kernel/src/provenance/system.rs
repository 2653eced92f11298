//! A prompt by what it says.

use crate::virtual_key::NotAHash;
use schemars::JsonSchema;
use sha2::{Digest as _, Sha256};
use std::fmt;
use tollgate_config::{Fault, Read, Value};

/// SHA-256 of the text of all system and developer instructions of a request, in their order and with nothing between them,
/// in 64 lowercase hex digits.
#[derive(Clone, Copy, PartialEq, Eq, JsonSchema)]
#[schemars(try_from = "String", extend("pattern" = "^[0-9a-f]{64}$"))]
pub struct SystemDigest([u8; 32]);

/// Makes one of pieces of text.
#[derive(Debug, Default)]
pub struct SystemDigester {
    hash: Sha256,
    any: bool,
}

impl SystemDigester {
    /// More text.
    pub fn add(&mut self, text: &str) {
        self.hash.update(text);
        self.any |= !text.is_empty();
    }

    /// The digest; `None` of no text.
    #[must_use]
    pub fn finish(self) -> Option<SystemDigest> {
        self.any.then(|| SystemDigest(self.hash.finalize().into()))
    }
}

impl TryFrom<String> for SystemDigest {
    type Error = NotAHash;

    fn try_from(text: String) -> Result<Self, NotAHash> {
        crate::hex::read(&text).map(Self).ok_or(NotAHash)
    }
}

impl Read for SystemDigest {
    fn read(value: &Value<'_>) -> Result<Self, Fault> {
        value.converted::<String, _>()
    }
}

impl fmt::Debug for SystemDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
