//! JSON, read strictly: for everything that is decided upon and then read by somebody else.
//!
//! What two readers could understand differently is refused: keys that stand twice in an object at any depth, bad UTF-8,
//! half of a surrogate pair, a byte order mark, numbers that are infinite elsewhere. What is accepted is RFC 8259 and means
//! the same to every reader.
//!
//! A [`Document`] is no tree but a tape: one entry of 16 bytes for every key and value, in the order of the text, with the
//! bytes it stands at. Nothing is copied, and whoever looks for a value skips the others whole.
//!
//! A [`Writer`] writes it piece by piece.

mod canonical;
mod decimal;
mod edits;
mod fault;
mod pointer;
mod reader;
mod text;
mod write;

pub use canonical::{Digest, NotADigest};
pub use decimal::Decimal;
pub(crate) use edits::{Edits, quoted};
pub use fault::{Fault, Reason};
pub use pointer::{NotAPointer, Place, Pointer};
pub(crate) use text::{folds_to, write_escaped};
pub use write::Writer;

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

/// How deep arrays and objects may stand in each other.
pub const MAX_DEPTH: usize = 64;
/// How long a number may be: 256 bits have 78 digits.
pub const MAX_NUMBER: usize = 100;

/// How much is read.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Of text.
    pub bytes: usize,
    /// Keys and values. Each takes 16 bytes.
    pub nodes: usize,
}

/// One JSON text. What stands in it may be secret, so it cannot be printed.
pub struct Document<'a> {
    text: &'a str,
    tape: Vec<Token>,
}

/// A value of a document.
#[derive(Clone, Copy)]
pub struct Value<'d, 'a> {
    document: &'d Document<'a>,
    token: Token,
    at: u32,
}

/// A member of an object.
#[derive(Debug, Clone, Copy)]
pub struct Member<'d, 'a> {
    key: Value<'d, 'a>,
    /// What stands behind the key.
    pub value: Value<'d, 'a>,
}

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `null`.
    Null,
    /// `true`, `false`.
    Bool,
    /// A number.
    Number,
    /// A string.
    String,
    /// An array.
    Array,
    /// An object.
    Object,
}

/// A key or value: where it stands, and which entry comes after all that is in it.
#[derive(Debug, Clone, Copy)]
struct Token {
    start: u32,
    end: u32,
    next: u32,
    kind: Kind,
    /// A string with escapes.
    escaped: bool,
}

impl<'a> Document<'a> {
    /// Reads the one value that `bytes` are.
    ///
    /// # Errors
    /// What is wrong with them, and where.
    pub fn read(bytes: &'a [u8], limits: Limits) -> Result<Self, Fault> {
        if bytes.len() > limits.bytes {
            return Err(Fault { reason: Reason::TooLarge, at: limits.bytes });
        }
        if bytes.starts_with(b"\xef\xbb\xbf") {
            return Err(Fault { reason: Reason::ByteOrderMark, at: 0 });
        }
        let text = str::from_utf8(bytes).map_err(|error| Fault { reason: Reason::Utf8, at: error.valid_up_to() })?;
        Ok(Self { text, tape: reader::read(text, limits.nodes)? })
    }

    /// The value that it is.
    #[must_use]
    pub fn root(&self) -> Value<'_, 'a> {
        // INVARIANT: what was read has at least one value.
        let nothing = Token { start: 0, end: 0, next: 0, kind: Kind::Null, escaped: false };
        Value { document: self, token: self.tape.first().copied().unwrap_or(nothing), at: 0 }
    }

    /// The text.
    #[must_use]
    pub const fn text(&self) -> &'a str {
        self.text
    }

    /// The text with the members `keys` of `object` left out, and all others byte for byte as they are.
    #[must_use]
    pub fn without(&self, object: Value<'_, 'a>, keys: &[&str]) -> Vec<u8> {
        let Range { start, end } = object.range();
        let mut out = Vec::with_capacity(self.text.len());
        out.extend_from_slice(self.slice(0..start).as_bytes());
        let mut before = b'{';
        for member in object.members().filter(|member| !keys.contains(&member.key().as_ref())) {
            out.push(before);
            out.extend_from_slice(self.slice(member.range()).as_bytes());
            before = b',';
        }
        out.extend_from_slice(if before == b'{' { b"{}" } else { b"}" });
        out.extend_from_slice(self.slice(end..self.text.len()).as_bytes());
        out
    }

    fn slice(&self, range: Range<usize>) -> &'a str {
        // INVARIANT: entries begin and end at the characters of JSON's syntax.
        self.text.get(range).unwrap_or_default()
    }

    fn value(&self, at: u32) -> Option<Value<'_, 'a>> {
        let token = *self.tape.get(usize::try_from(at).ok()?)?;
        Some(Value { document: self, token, at })
    }
}

impl Token {
    fn range(self) -> Range<usize> {
        let offset = |at: u32| usize::try_from(at).unwrap_or(usize::MAX);
        offset(self.start)..offset(self.end)
    }
}

impl<'d, 'a> Value<'d, 'a> {
    /// What it is.
    #[must_use]
    pub const fn kind(self) -> Kind {
        self.token.kind
    }

    /// Its bytes in the document.
    #[must_use]
    pub fn range(self) -> Range<usize> {
        self.token.range()
    }

    /// Its text, as it is written.
    #[must_use]
    pub fn raw(self) -> &'a str {
        self.document.slice(self.range())
    }

    /// The string that it is.
    #[must_use]
    pub fn as_str(self) -> Option<Cow<'a, str>> {
        (self.kind() == Kind::String).then(|| self.unescaped())
    }

    /// The number that it is, as it is written.
    #[must_use]
    pub fn as_number(self) -> Option<&'a str> {
        (self.kind() == Kind::Number).then(|| self.raw())
    }

    /// The flag that it is.
    #[must_use]
    pub fn as_bool(self) -> Option<bool> {
        (self.kind() == Kind::Bool).then(|| self.raw() == "true")
    }

    /// Whether it is an object.
    #[must_use]
    pub fn is_object(self) -> bool {
        self.kind() == Kind::Object
    }

    /// The member `key` of the object that it is.
    #[must_use]
    pub fn get(self, key: &str) -> Option<Self> {
        self.members().find(|member| member.is(key)).map(|member| member.value)
    }

    /// The members of the object that it is; none of anything else.
    pub fn members(self) -> impl Iterator<Item = Member<'d, 'a>> {
        let mut keys = self.children(Kind::Object);
        std::iter::from_fn(move || Some(Member { key: keys.next()?, value: keys.next()? }))
    }

    /// The items of the array that it is; none of anything else.
    pub fn items(self) -> impl Iterator<Item = Self> {
        self.children(Kind::Array)
    }

    /// What stands directly in it, if it is a `kind`. Keys are entries as strings are.
    fn children(self, kind: Kind) -> impl Iterator<Item = Self> {
        let mut at = self.at.saturating_add(1);
        let end = if self.kind() == kind { self.token.next } else { at };
        std::iter::from_fn(move || {
            let child = self.document.value(at).filter(|_| at < end)?;
            at = child.token.next;
            Some(child)
        })
    }

    fn unescaped(self) -> Cow<'a, str> {
        let quoted = self.raw();
        let inner = quoted.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or_default();
        if self.token.escaped { text::unescape(inner).into() } else { inner.into() }
    }
}

impl<'d, 'a> Member<'d, 'a> {
    /// Its key.
    #[must_use]
    pub fn key(&self) -> Cow<'a, str> {
        self.key.unescaped()
    }

    /// Its key, as a value.
    pub(crate) const fn key_value(&self) -> Value<'d, 'a> {
        self.key
    }

    /// Whether `key` is its key.
    #[must_use]
    pub fn is(&self, key: &str) -> bool {
        self.key.unescaped() == key
    }

    /// Whether some reader that does not tell capital letters from others could take its key for `key`, though it is another.
    /// `key` is ASCII in lower case or not.
    #[must_use]
    pub fn resembles(&self, key: &str) -> bool {
        let own = self.key.unescaped();
        own != key && folds_to(&own, key)
    }

    /// Its bytes in the document, key and value.
    #[must_use]
    pub fn range(&self) -> Range<usize> {
        self.key.range().start..self.value.range().end
    }
}

impl fmt::Debug for Document<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Document({} bytes)", self.text.len())
    }
}

impl fmt::Debug for Value<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}({:?})", self.kind(), self.range())
    }
}

#[cfg(test)]
mod tests;
