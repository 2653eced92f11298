//! What a client carries between question and answer: `requestState`, of which it can neither change nor reuse anything.
//!
//! ```text
//! tollgate1.<base64url of: MAC, expiry, nonce, digest of the call, what the client had for the server>
//! ```
//!
//! Nothing of it is secret: who asks knows what they ask for.

use super::{Call, Id};
use crate::bytes::Reader;
use crate::signing_keys::SigningKeys;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

const PREFIX: &str = "tollgate1.";
/// What is signed begins with it, so that it is no message of another kind.
const DOMAIN: &[u8] = b"tollgate-approval\n";
/// The longest that is carried for a server.
pub const MAX_UPSTREAM: usize = 64 * 1024;
/// The longest text that is looked at.
const MAX_TEXT: usize = 2 * MAX_UPSTREAM;

/// What is between a question and its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// Until when the answer is good, in milliseconds since 1970.
    pub expires_ms: u64,
    /// What is remembered of it once it was used.
    pub nonce: Id,
    /// What the client had for the server: members of the parameters, as [`reply::carried`](super::reply::carried) reads them.
    pub upstream: Option<String>,
}

/// Why a text is no state of this call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It is not ours: a server's.
    Foreign,
    /// It looks as if it were ours and is not.
    Forged,
    /// It was good once.
    Expired,
    /// It is of another call: of somebody else, or with other arguments.
    OtherCall,
}

impl State {
    /// The text that a client gets. `None` if what the server gets is longer than [`MAX_UPSTREAM`].
    #[must_use]
    pub fn seal(&self, keys: &SigningKeys, call: &Call<'_>) -> Option<String> {
        let mut sealed = self.expires_ms.to_le_bytes().to_vec();
        sealed.extend(self.nonce.0);
        sealed.extend(call.digest().0);
        sealed.push(u8::from(self.upstream.is_some()));
        sealed.extend(self.upstream.as_deref().unwrap_or_default().as_bytes());
        let mut bytes = keys.sign(&[DOMAIN, &sealed]).to_vec();
        bytes.extend(sealed);
        let fits = self.upstream.as_ref().is_none_or(|upstream| upstream.len() <= MAX_UPSTREAM);
        fits.then(|| format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// Reads what a client sent with this call.
    ///
    /// # Errors
    /// When that cannot be answered by it.
    pub fn open(keys: &SigningKeys, call: &Call<'_>, text: &str, now_ms: u64) -> Result<Self, Fault> {
        let encoded = text.strip_prefix(PREFIX).ok_or(Fault::Foreign)?;
        let (state, digest) = Self::proven(keys, encoded).ok_or(Fault::Forged)?;
        match state {
            _ if digest != call.digest().0 => Err(Fault::OtherCall),
            state if state.expires_ms <= now_ms => Err(Fault::Expired),
            state => Ok(state),
        }
    }

    fn proven(keys: &SigningKeys, encoded: &str) -> Option<(Self, [u8; 32])> {
        let bytes = URL_SAFE_NO_PAD.decode(Some(encoded).filter(|text| text.len() <= MAX_TEXT)?).ok()?;
        let (mac, sealed) = bytes.split_first_chunk::<32>()?;
        if !keys.verify(&[DOMAIN, sealed], mac) {
            return None;
        }
        let mut reader = Reader(sealed);
        let (expires_ms, nonce, digest) = (reader.number()?, Id(reader.array()?), reader.array()?);
        let upstream = match reader.byte()? {
            0 => None,
            _ => Some(str::from_utf8(reader.0).ok()?.to_owned()),
        };
        Some((Self { expires_ms, nonce, upstream }, digest))
    }
}
