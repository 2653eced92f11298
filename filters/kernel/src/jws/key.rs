//! Keys.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{self as ed25519, Signer as _};
use p256::ecdsa;
use p256::ecdsa::signature::Verifier as _;
use schemars::JsonSchema;
use std::fmt;
use tollgate_config::{Fault, Read, Value, object};

const MAX_KID: usize = 256;

/// A public key as it stands in a JWK (RFC 7517), of Ed25519 or P-256.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Jwk {
    /// What signatures call it.
    #[schemars(length(min = 1, max = 256))]
    pub kid: String,
    /// `OKP` of Ed25519, `EC` of P-256.
    #[schemars(extend("enum" = ["OKP", "EC"]))]
    pub kty: String,
    /// `Ed25519` or `P-256`.
    #[schemars(extend("enum" = ["Ed25519", "P-256"]))]
    pub crv: String,
    /// 32 bytes in base64url.
    #[schemars(extend("pattern" = "^[A-Za-z0-9_-]{43}$"))]
    pub x: String,
    /// The same, of P-256 alone.
    #[schemars(extend("pattern" = "^[A-Za-z0-9_-]{43}$"))]
    pub y: Option<String>,
}

object!(Jwk { kid, kty, crv, x, y });

/// A key that proves.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(with = "Jwk")]
pub struct PublicKey {
    kid: String,
    curve: Curve,
}

#[derive(Debug, Clone)]
enum Curve {
    Ed25519(Box<ed25519::VerifyingKey>),
    P256(Box<ecdsa::VerifyingKey>),
}

/// Why a [`Jwk`] is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotAKey {
    /// It has no name, or a long one.
    Kid,
    /// Neither Ed25519 nor P-256, or not with the coordinates that belong to it.
    Curve,
    /// There is no such point on the curve.
    Point,
}

impl PublicKey {
    /// What signatures call it.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// Whether it is for signatures of this algorithm.
    pub(super) fn is_for(&self, alg: &str) -> bool {
        match self.curve {
            Curve::Ed25519(_) => matches!(alg, "EdDSA" | "Ed25519"),
            Curve::P256(_) => alg == "ES256",
        }
    }

    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.curve {
            Curve::Ed25519(key) => ed25519::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify_strict(message, &signature).is_ok()),
            Curve::P256(key) => {
                ecdsa::Signature::from_slice(signature).is_ok_and(|signature| key.verify(message, &signature).is_ok())
            }
        }
    }
}

impl TryFrom<Jwk> for PublicKey {
    type Error = NotAKey;

    fn try_from(jwk: Jwk) -> Result<Self, NotAKey> {
        if !(1..=MAX_KID).contains(&jwk.kid.len()) {
            return Err(NotAKey::Kid);
        }
        let curve = match (&*jwk.kty, &*jwk.crv, &jwk.y) {
            ("OKP", "Ed25519", None) => {
                let key = bytes(&jwk.x).and_then(|x| ed25519::VerifyingKey::from_bytes(&x).ok());
                Curve::Ed25519(Box::new(key.filter(|key| !key.is_weak()).ok_or(NotAKey::Point)?))
            }
            ("EC", "P-256", Some(y)) => {
                let (x, y) = bytes(&jwk.x).zip(bytes(y)).ok_or(NotAKey::Point)?;
                // SEC 1: both coordinates, uncompressed.
                let point = [&[4][..], &x, &y].concat();
                Curve::P256(Box::new(ecdsa::VerifyingKey::from_sec1_bytes(&point).map_err(|_| NotAKey::Point)?))
            }
            _ => return Err(NotAKey::Curve),
        };
        Ok(Self { kid: jwk.kid, curve })
    }
}

impl Read for PublicKey {
    fn read(value: &Value<'_>) -> Result<Self, Fault> {
        value.converted::<Jwk, _>()
    }
}

/// A key of Ed25519 that signs. It cannot be printed.
#[derive(Clone)]
pub struct PrivateKey {
    kid: String,
    key: Box<ed25519::SigningKey>,
}

/// A text is no [`PrivateKey`]. It is not quoted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotASecret;

impl PrivateKey {
    /// Reads the 32 bytes that a JWK has in `d`, in base64url.
    ///
    /// # Errors
    /// When it is something else.
    pub fn parse(kid: &str, text: &str) -> Result<Self, NotASecret> {
        let secret = bytes(text.trim()).filter(|_| (1..=MAX_KID).contains(&kid.len())).ok_or(NotASecret)?;
        Ok(Self { kid: kid.to_owned(), key: Box::new(ed25519::SigningKey::from_bytes(&secret)) })
    }

    /// What signatures call it.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// What proves its signatures: `x` of its JWK.
    #[must_use]
    pub fn public(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.key.verifying_key().as_bytes())
    }

    pub(super) fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.key.sign(message).to_bytes()
    }
}

fn bytes(text: &str) -> Option<[u8; 32]> {
    URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKey(<redacted>)")
    }
}

impl fmt::Display for NotAKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Kid => "`kid` must have 1 to 256 bytes",
            Self::Curve => "must be `kty: OKP, crv: Ed25519` with `x`, or `kty: EC, crv: P-256` with `x` and `y`",
            Self::Point => "`x`, and `y` of P-256, must be a public key: 32 bytes each in base64url without padding",
        })
    }
}

impl std::error::Error for NotAKey {}

impl fmt::Display for NotASecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("must hold 32 bytes in base64url without padding, as `d` of a JWK of Ed25519")
    }
}

impl std::error::Error for NotASecret {}
