//! The one spelling of a value.

use super::{Decimal, Kind, Value, write_escaped};
use schemars::JsonSchema;
use sha2::{Digest as _, Sha256};
use std::borrow::Cow;
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

/// How values are spelled.
#[derive(Clone, Copy)]
struct Spelling {
    numbers: Numbers,
    /// Whether what is empty stays: `null`, `""`, and lists and objects that have nothing else in them.
    keeps_empty: bool,
}

/// How numbers are spelled.
#[derive(Clone, Copy)]
enum Numbers {
    AsWritten,
    /// Equally if they are equal.
    Equal,
    /// As ECMAScript spells the double that is next to them.
    Doubles,
}

impl Spelling {
    const AS_WRITTEN: Self = Self { numbers: Numbers::AsWritten, keeps_empty: true };
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
        self.spell_object(keys, Spelling::AS_WRITTEN, &mut |piece| hash.update(piece.as_bytes()));
        Digest(hash.finalize().into())
    }

    /// Tells `out` the value as RFC 8785 writes it, except numbers: they stay as they are written. RFC 8785 makes them
    /// doubles, so that 9007199254740993 is 9007199254740992; to many who read JSON it is not, nor is `1.0` to them `1`. Of
    /// two spellings of a number the second is refused rather than taken for the first.
    pub fn canonical(self, out: &mut dyn FnMut(&str)) {
        self.spell(Spelling::AS_WRITTEN, out);
    }

    /// The value as RFC 8785 writes it, without the members `keys` of the object that it is.
    #[must_use]
    pub fn rfc_8785(self, keys: &[&str]) -> String {
        self.spelled(keys, Spelling { numbers: Numbers::Doubles, keeps_empty: true })
    }

    /// The same without whatever is empty: `null`, `""`, and lists and objects that have nothing else in them.
    #[must_use]
    pub fn rfc_8785_of_what_is_said(self, keys: &[&str]) -> String {
        self.spelled(keys, Spelling { numbers: Numbers::Doubles, keeps_empty: false })
    }

    fn spelled(self, keys: &[&str], spelling: Spelling) -> String {
        let mut text = String::with_capacity(self.range().len());
        let mut out = |piece: &str| text.push_str(piece);
        match self.kind() {
            Kind::Object => self.spell_object(keys, spelling, &mut out),
            _ => self.spell(spelling, &mut out),
        }
        text
    }

    /// What is the same for two values if and only if they are the same to JSON Schema: as [`Self::canonical`], and numbers
    /// by what they are, so that `1.0` is `1`.
    pub(crate) fn normal(self) -> String {
        let mut text = String::with_capacity(self.range().len());
        let spelling = Spelling { numbers: Numbers::Equal, keeps_empty: true };
        self.spell(spelling, &mut |piece| text.push_str(piece));
        text
    }

    fn spell(self, spelling: Spelling, out: &mut dyn FnMut(&str)) {
        match self.kind() {
            Kind::Null | Kind::Bool => out(self.raw()),
            Kind::Number => out(&spelling.number(self.raw())),
            Kind::String => quoted(&self.unescaped(), out),
            // INVARIANT: recursion here and below ends at MAX_DEPTH.
            Kind::Array => {
                out("[");
                let items = self.items().filter(|item| spelling.keeps_empty || !item.is_empty());
                for (at, item) in items.enumerate() {
                    out(if at == 0 { "" } else { "," });
                    item.spell(spelling, out);
                }
                out("]");
            }
            Kind::Object => self.spell_object(&[], spelling, out),
        }
    }

    /// Whether it says nothing.
    fn is_empty(self) -> bool {
        match self.kind() {
            Kind::Null => true,
            Kind::Bool | Kind::Number => false,
            Kind::String => self.raw() == r#""""#,
            // INVARIANT: recursion ends at MAX_DEPTH.
            Kind::Array => self.items().all(Self::is_empty),
            Kind::Object => self.members().all(|member| member.value.is_empty()),
        }
    }

    fn spell_object(self, without: &[&str], spelling: Spelling, out: &mut dyn FnMut(&str)) {
        let members = self.members().map(|member| (member.key(), member.value));
        let is_said = |value: Value<'_, '_>| spelling.keeps_empty || !value.is_empty();
        let is_wanted = |(key, value): &(Cow<'_, str>, _)| !without.contains(&key.as_ref()) && is_said(*value);
        let mut members: Vec<_> = members.filter(is_wanted).collect();
        members.sort_unstable_by(|(one, _), (other, _)| one.encode_utf16().cmp(other.encode_utf16()));
        out("{");
        for (at, (key, value)) in members.into_iter().enumerate() {
            out(if at == 0 { "" } else { "," });
            quoted(&key, out);
            out(":");
            value.spell(spelling, out);
        }
        out("}");
    }
}

impl Spelling {
    fn number(self, raw: &str) -> Cow<'_, str> {
        match self.numbers {
            Numbers::AsWritten => raw.into(),
            Numbers::Equal => Decimal::of(raw).map_or_else(|| raw.into(), |decimal| decimal.to_string().into()),
            Numbers::Doubles => double(raw).map_or_else(|| raw.into(), Cow::Owned),
        }
    }
}

/// The double that is next to a number, as ECMAScript writes it.
fn double(raw: &str) -> Option<String> {
    // The fewest digits that are read as this double again.
    let digits = serde_json::to_string(&raw.parse::<f64>().ok()?).ok()?;
    Decimal::of(&digits).map(|decimal| decimal.ecmascript())
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
