//! A subject that a gateway before this one has proven, and says in a header that it signs.
//!
//! ```text
//! x-subject: v1;t=1795348800;team=support;user=ada@example.org;m=<64 lowercase hex digits>
//! ```
//!
//! `t` is the time of signing in seconds since 1970, then come the subject's fields in any order, and `m` is HMAC-SHA-256,
//! with a key that both gateways know, over these lines, without a line end after the last:
//!
//! ```text
//! tollgate-subject
//! <method>
//! <authority>
//! <path with query>
//! <the header's value before `;m=`>
//! ```
//!
//! So it is worth nothing with another request line, or later. With the same one it can be used again until it is too
//! old, with any body, by who has seen it: the way between the gateways must be encrypted.

use crate::signing_keys::SigningKeys;
use crate::subject::{Field, Label, Subject};

/// What the other gateway's clock may be ahead.
const AHEAD_S: u64 = 10;
/// All fields at their longest have 480 bytes.
const MAX_LENGTH: usize = 1024;

/// What a signature is bound to.
#[derive(Debug, Clone, Copy)]
pub struct RequestLine<'a> {
    /// `:method`.
    pub method: &'a [u8],
    /// `:authority`.
    pub authority: &'a [u8],
    /// `:path`, with its query.
    pub path: &'a [u8],
}

/// Why a header proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeaderFault {
    /// It is not written as described, or not by who has a key, or for another request.
    Unproven,
    /// It was true once.
    Expired,
    /// It is from a future that clocks do not explain.
    Early,
    /// Who signed it wrote something else than a subject.
    Malformed,
}

impl SigningKeys {
    /// The subject that a header of this request says, if it is signed, and not longer ago than `max_age_s`.
    ///
    /// # Errors
    /// Why it proves nothing.
    pub fn prove(
        &self,
        header: &[u8],
        line: &RequestLine<'_>,
        max_age_s: u64,
        now_unix_s: u64,
    ) -> Result<Subject, HeaderFault> {
        let signed = self.signed(header, line).ok_or(HeaderFault::Unproven)?;
        let mut parts = signed.split(';');
        let (version, time) = (parts.next(), parts.next().and_then(|part| part.strip_prefix("t=")));
        let time = time.filter(|time| time.bytes().all(|byte| byte.is_ascii_digit()));
        let time: u64 = time.and_then(|time| time.parse().ok()).ok_or(HeaderFault::Malformed)?;
        if version != Some("v1") {
            return Err(HeaderFault::Malformed);
        }
        if time.saturating_add(max_age_s) < now_unix_s {
            return Err(HeaderFault::Expired);
        }
        if time > now_unix_s.saturating_add(AHEAD_S) {
            return Err(HeaderFault::Early);
        }
        let mut subject = Subject::default();
        for part in parts {
            let (field, label) = part.split_once('=').ok_or(HeaderFault::Malformed)?;
            let field = Field::of_name(field).filter(|field| subject.get(*field).is_none());
            let field = field.ok_or(HeaderFault::Malformed)?;
            let label = Label::try_from(label.to_owned()).map_err(|_| HeaderFault::Malformed)?;
            subject.say(field, label).map_err(|_| HeaderFault::Malformed)?;
        }
        if subject == Subject::default() { Err(HeaderFault::Malformed) } else { Ok(subject) }
    }

    /// What of the header is signed, if it is.
    fn signed<'a>(&self, header: &'a [u8], line: &RequestLine<'_>) -> Option<&'a str> {
        let header = std::str::from_utf8(header).ok().filter(|header| header.len() <= MAX_LENGTH)?;
        let (signed, mac) = header.rsplit_once(";m=")?;
        let mac = from_hex(mac)?;
        let message =
            [b"tollgate-subject\n", line.method, b"\n", line.authority, b"\n", line.path, b"\n", signed.as_bytes()];
        self.verify(&message, &mac).then_some(signed)
    }
}

fn from_hex(text: &str) -> Option<[u8; 32]> {
    let digits: &[u8; 64] = text.as_bytes().try_into().ok()?;
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => byte.checked_sub(b'0'),
        b'a'..=b'f' => byte.checked_sub(b'a' - 10),
        _ => None,
    };
    let mut bytes = [0; 32];
    for (byte, [high, low]) in bytes.iter_mut().zip(digits.as_chunks().0) {
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests;
