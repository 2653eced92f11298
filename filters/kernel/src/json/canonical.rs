//! The one spelling of a value.

use super::{Decimal, Kind, Value, write_escaped};
use schemars::JsonSchema;
use sha2::{Digest as _, Sha256};
use std::fmt;
use tollgate_config::{self as config, Read};

/// SHA-256 of a value in its one spelling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, JsonSchema)]
#[schemars(try_from = "String", extend("pattern" = "^[0-9a-f]{64}$"))]
pub struct Digest(pub [u8; 32]);

/// A text that is no [`Digest`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotADigest;

impl TryFrom<String> for Digest {
    type Error = NotADigest;

    fn try_from(text: String) -> Result<Self, NotADigest> {
        crate::hex::read(&text).map(Self).ok_or(NotADigest)
    }
}

impl Read for Digest {
    fn read(value: &config::Value<'_>) -> Result<Self, config::Fault> {
        value.converted::<String, _>()
    }
}

impl fmt::Display for NotADigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("must be 64 lowercase hex digits")
    }
}

impl std::error::Error for NotADigest {}

/// How numbers are spelled.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Numbers {
    AsWritten,
    /// Equally if they are equal.
    Equal,
}

impl Value<'_, '_> {
    /// What is the same for two values if and only if they say the same, whatever the white space, the order of keys and the
    /// escapes.
    #[must_use]
    pub fn digest(self) -> Digest {
        let mut hash = Sha256::new();
        self.canonical(&mut |piece| hash.update(piece.as_bytes()));
        Digest(hash.finalize().into())
    }

    /// The digest of the object that it is, as if the members `keys` were not there.
    #[must_use]
    pub fn digest_without(self, keys: &[&str]) -> Digest {
        let mut hash = Sha256::new();
        self.spell_object(keys, Numbers::AsWritten, &mut |piece| hash.update(piece.as_bytes()));
        Digest(hash.finalize().into())
    }

    /// Tells `out` the value as RFC 8785 writes it, except numbers: they stay as they are written. RFC 8785 makes them
    /// doubles, so that 9007199254740993 is 9007199254740992; to many who read JSON it is not, nor is `1.0` to them `1`. Of
    /// two spellings of a number the second is refused rather than taken for the first.
    pub fn canonical(self, out: &mut dyn FnMut(&str)) {
        self.spell(Numbers::AsWritten, out);
    }

    /// What is the same for two values if and only if they are the same to JSON Schema: as [`Self::canonical`], and numbers
    /// by what they are, so that `1.0` is `1`.
    pub(crate) fn normal(self) -> String {
        let mut text = String::with_capacity(self.range().len());
        self.spell(Numbers::Equal, &mut |piece| text.push_str(piece));
        text
    }

    fn spell(self, numbers: Numbers, out: &mut dyn FnMut(&str)) {
        match self.kind() {
            Kind::Null | Kind::Bool => out(self.raw()),
            Kind::Number => match Decimal::of(self.raw()).filter(|_| numbers == Numbers::Equal) {
                Some(decimal) => out(&decimal.to_string()),
                None => out(self.raw()),
            },
            Kind::String => quoted(&self.unescaped(), out),
            // INVARIANT: recursion here and below ends at MAX_DEPTH.
            Kind::Array => {
                out("[");
                for (at, item) in self.items().enumerate() {
                    out(if at == 0 { "" } else { "," });
                    item.spell(numbers, out);
                }
                out("]");
            }
            Kind::Object => self.spell_object(&[], numbers, out),
        }
    }

    fn spell_object(self, without: &[&str], numbers: Numbers, out: &mut dyn FnMut(&str)) {
        let members = self.members().map(|member| (member.key(), member.value));
        let mut members: Vec<_> = members.filter(|(key, _)| !without.contains(&key.as_ref())).collect();
        members.sort_unstable_by(|(one, _), (other, _)| one.encode_utf16().cmp(other.encode_utf16()));
        out("{");
        for (at, (key, value)) in members.into_iter().enumerate() {
            out(if at == 0 { "" } else { "," });
            quoted(&key, out);
            out(":");
            value.spell(numbers, out);
        }
        out("}");
    }
}

fn quoted(text: &str, out: &mut dyn FnMut(&str)) {
    out("\"");
    write_escaped(text, out);
    out("\"");
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&crate::hex::write(&self.0))
    }
}
