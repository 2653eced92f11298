//! Virtual keys: what a caller shows instead of a provider's key.
//!
//! A key is the text `tg_<id>_<secret>`. Config holds only its SHA-256, so reading the config proves nothing. To make
//! one, take a secret from a random source and hash the whole text:
//!
//! ```sh
//! key="tg_support_$(head -c 24 /dev/urandom | base64 | tr '+/' '-_')"
//! printf %s "$key" | sha256sum
//! ```
//!
//! A plain SHA-256 is enough because the secret is random: no dictionary has it. It would not be for a password.

use crate::subject::KeyId;
use schemars::JsonSchema;
use sha2::{Digest, Sha256};
use std::fmt;
use subtle::ConstantTimeEq;
use tollgate_config::{Fault, Read, Value};

const PREFIX: &str = "tg_";

/// A key as it was shown: well-formed, and not yet known to be true. Borrows from the header, so that no copy of the
/// secret stays behind.
pub struct VirtualKey<'a> {
    id: &'a str,
    secret: &'a str,
}

/// Why a credential is no [`VirtualKey`]. Never quotes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MalformedKey {
    /// It does not begin as virtual keys do, so it may be a credential of another kind.
    Prefix,
    /// Its id is not a [`KeyId`], or no secret follows.
    Id,
    /// Its secret is not 16 to 256 of letters, digits, `-` and `_`.
    Secret,
}

impl<'a> VirtualKey<'a> {
    /// Reads the value of a credential header, without a scheme such as `Bearer`.
    ///
    /// # Errors
    /// When it is not written as a virtual key.
    pub fn parse(credential: &'a [u8]) -> Result<Self, MalformedKey> {
        let rest = credential.strip_prefix(PREFIX.as_bytes()).ok_or(MalformedKey::Prefix)?;
        let at = rest.iter().position(|byte| *byte == b'_').ok_or(MalformedKey::Id)?;
        let (id, secret) = rest.split_at_checked(at).ok_or(MalformedKey::Id)?;
        let id = str::from_utf8(id).map_err(|_| MalformedKey::Id)?;
        KeyId::check(id).map_err(|_| MalformedKey::Id)?;
        let secret = secret.strip_prefix(b"_").and_then(|secret| str::from_utf8(secret).ok());
        let secret = secret.filter(|secret| is_secret(secret)).ok_or(MalformedKey::Secret)?;
        Ok(Self { id, secret })
    }

    /// The id it claims.
    #[must_use]
    pub const fn id(&self) -> &'a str {
        self.id
    }
}

fn is_secret(text: &str) -> bool {
    (16..=256).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

impl fmt::Debug for VirtualKey<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VirtualKey({}, <redacted>)", self.id)
    }
}

impl fmt::Display for MalformedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Prefix => "does not begin with `tg_`",
            Self::Id => "must be `tg_<id>_<secret>` with an id of 1 to 64 letters, digits and `-`",
            Self::Secret => "must end with a secret of 16 to 256 letters, digits, `-` and `_`",
        })
    }
}

impl std::error::Error for MalformedKey {}

/// SHA-256 of a key's whole text `tg_<id>_<secret>`, in 64 lowercase hex digits.
#[derive(Clone, JsonSchema)]
#[schemars(try_from = "String", extend("pattern" = "^[0-9a-f]{64}$"))]
pub struct SecretHash([u8; 32]);

/// A text is not 64 lowercase hex digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotAHash;

impl SecretHash {
    /// A hash that no key is known to have.
    pub(crate) const OF_NO_KEY: Self = Self([0; 32]);

    /// The hash of `key`.
    #[must_use]
    pub fn of(key: &VirtualKey<'_>) -> Self {
        let hash = [PREFIX, key.id, "_", key.secret].into_iter().fold(Sha256::new(), Sha256::chain_update);
        Self(hash.finalize().into())
    }

    /// Whether both are the same, in a time that does not depend on where they differ. There is no other comparison.
    #[must_use]
    pub fn matches(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

/// Not the digits: a hash is half of what is needed to guess a weak secret.
impl fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretHash(<redacted>)")
    }
}

impl TryFrom<String> for SecretHash {
    type Error = NotAHash;

    fn try_from(text: String) -> Result<Self, NotAHash> {
        crate::hex::read(&text).map(Self).ok_or(NotAHash)
    }
}

impl From<SecretHash> for String {
    fn from(hash: SecretHash) -> Self {
        let digit = |value: u8| char::from_digit(u32::from(value), 16);
        hash.0.iter().flat_map(|byte| [byte >> 4, byte & 0xF]).filter_map(digit).collect()
    }
}

impl Read for SecretHash {
    fn read(value: &Value<'_>) -> Result<Self, Fault> {
        value.converted::<String, _>()
    }
}

impl fmt::Display for NotAHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("must be 64 lowercase hex digits, as `sha256sum` prints them")
    }
}

impl std::error::Error for NotAHash {}

#[cfg(test)]
mod tests {
    use super::{MalformedKey, SecretHash, VirtualKey};
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    /// `printf %s tg_demo_0123456789abcdef | sha256sum`
    const DEMO_SHA256: &str = "0238dc9e4f8c1034aefd83cdaa6c721804cba00b614c47dbfc5918246236f3ba";

    fn demo() -> VirtualKey<'static> {
        VirtualKey::parse(b"tg_demo_0123456789abcdef").unwrap()
    }

    #[test]
    fn a_key_is_an_id_and_a_secret() {
        let longest = format!("tg_{}_{}", "i".repeat(64), "s".repeat(256));
        for (text, id) in [
            ("tg_demo_0123456789abcdef", "demo"),
            ("tg_Team-A_with_under_scores_and-hyphens", "Team-A"),
            (longest.as_str(), &"i".repeat(64)),
        ] {
            assert_eq!(VirtualKey::parse(text.as_bytes()).unwrap().id(), id);
        }
    }

    #[test]
    fn what_is_not_a_key_is_refused_with_the_part_at_fault() {
        let (long_id, long_secret) =
            (format!("tg_{}_0123456789abcdef", "i".repeat(65)), format!("tg_a_{}", "s".repeat(257)));
        for (credential, part) in [
            (b"".as_slice(), MalformedKey::Prefix),
            (b"sk-proj-0123456789abcdef", MalformedKey::Prefix),
            (b"TG_demo_0123456789abcdef", MalformedKey::Prefix),
            (b"\xFF\xFE", MalformedKey::Prefix),
            (b"tg_", MalformedKey::Id),
            (b"tg_demo", MalformedKey::Id),
            (b"tg__0123456789abcdef", MalformedKey::Id),
            (b"tg_de.mo_0123456789abcdef", MalformedKey::Id),
            (b"tg_\xFF_0123456789abcdef", MalformedKey::Id),
            (long_id.as_bytes(), MalformedKey::Id),
            (b"tg_demo_", MalformedKey::Secret),
            (b"tg_demo_0123456789abcde", MalformedKey::Secret),
            (b"tg_demo_0123456789abcdef ", MalformedKey::Secret),
            (b"tg_demo_0123456789abcde=", MalformedKey::Secret),
            (b"tg_demo_0123456789abcde\xFF", MalformedKey::Secret),
            (long_secret.as_bytes(), MalformedKey::Secret),
        ] {
            assert_eq!(VirtualKey::parse(credential).unwrap_err(), part, "{credential:?}");
        }
    }

    #[test]
    fn the_hash_is_what_sha256sum_prints() {
        assert_eq!(String::from(SecretHash::of(&demo())), DEMO_SHA256);
        let configured: SecretHash = tollgate_config::read(&format!("\"{DEMO_SHA256}\"")).unwrap();
        assert!(configured.matches(&SecretHash::of(&demo())));
        assert_eq!(String::from(configured), DEMO_SHA256);
    }

    #[test]
    fn only_the_same_key_matches() {
        for other in ["tg_demo_0123456789abcdeF", "tg_demp_0123456789abcdef", "tg_demo_0123456789abcdef0"] {
            let other = VirtualKey::parse(other.as_bytes()).unwrap();
            assert!(!SecretHash::of(&other).matches(&SecretHash::of(&demo())));
        }
    }

    #[test]
    fn a_hash_is_written_in_one_way_only() {
        let upper = DEMO_SHA256.to_uppercase();
        let plus = DEMO_SHA256.replacen(|_| true, "+", 1);
        for text in ["", &"0".repeat(63), &upper, &plus, &format!("{DEMO_SHA256}0"), &"é".repeat(32)] {
            let error = SecretHash::try_from(text.to_owned()).unwrap_err();
            assert_eq!(error.to_string(), "must be 64 lowercase hex digits, as `sha256sum` prints them");
        }
    }

    #[test]
    fn secrets_and_hashes_cannot_be_printed() {
        assert_eq!(format!("{:?}", demo()), "VirtualKey(demo, <redacted>)");
        assert_eq!(format!("{:?}", SecretHash::of(&demo())), "SecretHash(<redacted>)");
    }

    #[test]
    fn the_schema_of_a_hash_states_its_digits() {
        let schema = schemars::schema_for!(SecretHash);
        assert_eq!(schema.get("pattern"), Some(&"^[0-9a-f]{64}$".into()));
    }
}
