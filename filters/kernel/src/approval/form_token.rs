//! What a form of the approval page carries, so that no other page can send it: a MAC of who was shown it, and what about.

use super::Id;
use crate::bytes::put_text;
use crate::signing_keys::SigningKeys;
use crate::subject::{Subject, SubjectField};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

const DOMAIN: &[u8] = b"tollgate-form\n";

/// The token of a form about `id`, for `subject`, until `expires_ms`.
#[must_use]
pub fn make(keys: &SigningKeys, subject: &Subject, id: &Id, expires_ms: u64) -> String {
    let mut bytes = keys.sign(&[DOMAIN, &message(subject, id, expires_ms)]).to_vec();
    bytes.extend(expires_ms.to_le_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Whether it is one that was made so, and still good.
#[must_use]
pub fn is_good(keys: &SigningKeys, subject: &Subject, id: &Id, token: &str, now_ms: u64) -> bool {
    let Ok(bytes) = URL_SAFE_NO_PAD.decode(token) else { return false };
    let Some((mac, rest)) = bytes.split_first_chunk::<32>() else { return false };
    let Ok(expires_ms) = rest.try_into().map(u64::from_le_bytes) else { return false };
    expires_ms > now_ms && keys.verify(&[DOMAIN, &message(subject, id, expires_ms)], mac)
}

fn message(subject: &Subject, id: &Id, expires_ms: u64) -> Vec<u8> {
    let mut message = [id.0.as_slice(), &expires_ms.to_le_bytes()].concat();
    for field in SubjectField::ALL {
        put_text(&mut message, subject.text(field).unwrap_or_default());
    }
    message
}
