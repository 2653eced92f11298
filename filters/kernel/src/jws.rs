//! Signatures of what others have written (RFC 7515): detached, EdDSA and ES256, with keys that are known beforehand.
//!
//! A signature names its key, and never brings it: where it says that its key can be fetched (`jku`, `jwk`, `x5u`) is not read.

mod key;

pub use key::{Jwk, NotAKey, NotASecret, PrivateKey, PublicKey};

use crate::json::{Document, Limits, Writer};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Headers are small.
const LIMITS: Limits = Limits { bytes: 4 << 10, nodes: 64 };
const MAX_TEXT: usize = 8 << 10;

/// A signature as it stands in JSON: header and signature, in base64url.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// The header that is signed too.
    pub protected: String,
    /// The signature.
    pub signature: String,
}

impl Signature {
    /// Signs `payload`.
    #[must_use]
    pub fn of(payload: &str, key: &PrivateKey) -> Self {
        let mut header = Vec::new();
        let json = &mut Writer::new(&mut header);
        json.open_object().key("alg").text("EdDSA");
        json.key("kid").text(key.kid());
        json.key("typ").text("JOSE");
        json.close_object();
        let protected = URL_SAFE_NO_PAD.encode(header);
        let signature = URL_SAFE_NO_PAD.encode(key.sign(signed(&protected, payload).as_bytes()));
        Self { protected, signature }
    }
}

/// Whether this is a signature of one of `payloads` by one of `keys`.
#[must_use]
pub fn proves(protected: &str, signature: &str, payloads: &[String], keys: &[PublicKey]) -> bool {
    let read = |text: &str| Some(text).filter(|text| text.len() <= MAX_TEXT).map(|text| URL_SAFE_NO_PAD.decode(text));
    let (Some(Ok(header)), Some(Ok(signature))) = (read(protected), read(signature)) else { return false };
    let Ok(header) = Document::read(&header, LIMITS) else { return false };
    let text = |name: &str| header.root().get(name).and_then(|value| value.as_str());
    let (Some(alg), Some(kid)) = (text("alg"), text("kid")) else { return false };
    // What must be understood, and is not.
    if header.root().get("crit").is_some() {
        return false;
    }
    let keys = keys.iter().filter(|key| key.kid() == kid && key.is_for(&alg));
    let mut tries = keys.flat_map(|key| payloads.iter().map(move |payload| (key, payload)));
    tries.any(|(key, payload)| key.verifies(signed(protected, payload).as_bytes(), &signature))
}

fn signed(protected: &str, payload: &str) -> String {
    format!("{protected}.{}", URL_SAFE_NO_PAD.encode(payload))
}

#[cfg(test)]
mod tests;
