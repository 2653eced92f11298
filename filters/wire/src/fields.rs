//! A JSON object taken apart field by field, each value still the client's own text.
//!
//! A request is walked rather than deserialized as a whole: every fault names its field, what nobody took is known to
//! be unknown, and schemas and arguments go on byte for byte. A string is skipped, not copied, until it is taken.

use crate::conversation::Request;
use crate::error::Invalid;
use crate::few::Few;
use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// The fields of one object that were not taken yet.
///
/// A client's request is taken apart with [`Self::take`] and its like, which name the field at fault. Of a provider's
/// answer fields are looked up ([`Self::get`] and its like): it may say the more, or say it twice.
#[derive(Debug, Default)]
pub(crate) struct Fields<'a>(Vec<(Key<'a>, &'a RawValue)>);

/// No object has so many fields. A field of six bytes becomes forty in memory.
const MAX_FIELDS: usize = 4096;

/// Most objects of an answer have fewer; to grow takes longer than to read one.
const USUAL_FIELDS: usize = 10;

/// Something in a provider's answer is not of the type it has in its format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unreadable;

/// A key borrows from the body unless it has escapes.
#[derive(Debug, Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'a> Fields<'a> {
    /// The object that `body` is.
    pub(crate) fn of_body(body: &'a [u8]) -> Result<Self, Invalid> {
        let text = str::from_utf8(body).map_err(|_| Invalid::new("", "the body is not valid UTF-8"))?;
        serde_json::from_str(text).map_err(|cause| {
            let (line, column) = (cause.line(), cause.column());
            Invalid::new("", format!("the body is not a JSON object in UTF-8 (line {line}, column {column})"))
        })
    }

    /// Takes the value of `name`; `null` is the same as absent.
    #[inline(never)]
    pub(crate) fn take(&mut self, name: &str, at: &At<'_>) -> Result<Option<&'a RawValue>, Invalid> {
        let mut found = None;
        let mut twice = false;
        self.0.retain(|(key, value)| {
            let other = key.0 != name;
            if !other {
                twice |= found.replace(*value).is_some();
            }
            other
        });
        // Which of two counts differs between parsers, so a policy could be shown one and the provider the other.
        if twice {
            return Err(at.field(name).fault("given twice"));
        }
        Ok(found.filter(|value| value.get() != "null"))
    }

    /// Takes the value of `name` as a `T`, which the client knows as `expected`.
    #[inline(never)]
    pub(crate) fn read<T: Deserialize<'a>>(
        &mut self,
        name: &str,
        at: &At<'_>,
        expected: &str,
    ) -> Result<Option<T>, Invalid> {
        self.take(name, at)?.map(|value| read(value, &at.field(name), expected)).transpose()
    }

    /// As [`Self::read`], for a field that must be there.
    #[inline(never)]
    pub(crate) fn require<T: Deserialize<'a>>(
        &mut self,
        name: &str,
        at: &At<'_>,
        expected: &str,
    ) -> Result<T, Invalid> {
        self.read(name, at, expected)?.ok_or_else(|| at.field(name).lacks(expected))
    }

    /// Whether `name` is there and not `null`; takes it without reading it.
    pub(crate) fn has(&mut self, name: &str, at: &At<'_>) -> Result<bool, Invalid> {
        Ok(self.take(name, at)?.is_some())
    }

    /// Takes `name`, an object that must be there and goes on as it is.
    #[inline(never)]
    pub(crate) fn require_object(&mut self, name: &str, at: &At<'_>) -> Result<&'a RawValue, Invalid> {
        let at_value = &at.field(name);
        let value = self.take(name, at)?.ok_or_else(|| at_value.lacks("an object"))?;
        raw_object(value, at_value)
    }

    /// Names what is left: `known` fields each by its own name, all others by one.
    #[inline(never)]
    pub(crate) fn leave_out(
        mut self,
        known: &[&'static str],
        at: &At<'_>,
        request: &mut Request,
    ) -> Result<(), Invalid> {
        for &name in known {
            if self.has(name, at)? {
                request.note_dropped(name);
            }
        }
        if !self.is_empty() {
            request.note_dropped("unknown_fields");
        }
        Ok(())
    }

    /// Whether all fields were taken.
    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The object that a provider's body or event is.
    #[inline(never)]
    pub(crate) fn of_bytes(body: &'a [u8]) -> Result<Self, Unreadable> {
        str::from_utf8(body).map_err(|_| Unreadable).and_then(Self::of_text)
    }

    /// The object that `text` is.
    #[inline(never)]
    pub(crate) fn of_text(text: &'a str) -> Result<Self, Unreadable> {
        let mut json = serde_json::Deserializer::from_str(text);
        let fields = json.deserialize_map(Object { room: USUAL_FIELDS });
        fields.and_then(|fields| json.end().map(|()| fields)).map_err(|_| Unreadable)
    }

    /// The fields left, in their order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &'a RawValue)> {
        self.0.iter().map(|(key, value)| (&*key.0, *value))
    }

    /// The value of `name`; `null` is the same as absent, and the last one counts.
    #[inline(never)]
    pub(crate) fn get(&self, name: &str) -> Option<&'a RawValue> {
        let named = self.0.iter().rfind(|(key, _)| key.0 == name)?;
        Some(named.1).filter(|value| value.get() != "null")
    }

    /// Whether anything is in `name`.
    #[inline(never)]
    pub(crate) fn says(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| !is_nothing(value))
    }

    /// The string `name`.
    #[inline(never)]
    pub(crate) fn text(&self, name: &str) -> Result<Option<String>, Unreadable> {
        self.get(name).map(|value| serde_json::from_str(value.get()).map_err(|_| Unreadable)).transpose()
    }

    /// The string `name`; what is none says nothing.
    #[inline(never)]
    pub(crate) fn given(&self, name: &str) -> Option<String> {
        self.text(name).ok().flatten()
    }

    /// The number `name`, whole and not negative.
    #[inline(never)]
    pub(crate) fn count(&self, name: &str) -> Result<Option<u64>, Unreadable> {
        self.get(name).map(|value| serde_json::from_str(value.get()).map_err(|_| Unreadable)).transpose()
    }

    /// The object `name`.
    #[inline(never)]
    pub(crate) fn object(&self, name: &str) -> Result<Option<Self>, Unreadable> {
        self.get(name).map(|value| Self::of_text(value.get())).transpose()
    }

    /// The list `name`; an absent one is empty.
    #[inline(never)]
    pub(crate) fn list(&self, name: &str) -> Result<Vec<&'a RawValue>, Unreadable> {
        self.get(name).map_or_else(|| Ok(Vec::new()), list)
    }
}

/// Whether a value says no more than one that is left out.
pub(crate) fn is_nothing(value: &RawValue) -> bool {
    let empty = |open, close| {
        let inner = value.get().strip_prefix(open).and_then(|rest| rest.strip_suffix(close));
        inner.is_some_and(|inner: &str| inner.trim_ascii().is_empty())
    };
    matches!(value.get(), "null" | "false" | "\"\"") || empty('[', ']') || empty('{', '}')
}

/// The items of a list in a provider's answer, no more than any has.
pub(crate) fn list(value: &RawValue) -> Result<Vec<&RawValue>, Unreadable> {
    serde_json::from_str::<Few<&RawValue>>(value.get()).map(|few| few.0).map_err(|_| Unreadable)
}

/// Reads `value` as a `T`, which the client knows as `expected`.
#[inline(never)]
pub(crate) fn read<'a, T: Deserialize<'a>>(value: &'a RawValue, at: &At<'_>, expected: &str) -> Result<T, Invalid> {
    serde_json::from_str(value.get()).map_err(|_| at.is_not(expected))
}

/// `value`, which must be an object.
pub(crate) fn raw_object<'a>(value: &'a RawValue, at: &At<'_>) -> Result<&'a RawValue, Invalid> {
    if value.get().starts_with('{') { Ok(value) } else { Err(at.is_not("an object")) }
}

/// Where in the body a value stands. Written out only when it is at fault.
#[derive(Debug, Clone, Copy)]
pub(crate) enum At<'a> {
    Body,
    Field(&'a Self, &'a str),
    Item(&'a Self, usize),
}

impl At<'_> {
    pub(crate) const fn field<'a>(&'a self, name: &'a str) -> At<'a> {
        At::Field(self, name)
    }

    pub(crate) const fn item(&self, index: usize) -> At<'_> {
        At::Item(self, index)
    }

    #[cold]
    #[inline(never)]
    pub(crate) fn fault(&self, message: &str) -> Invalid {
        Invalid::new(self.to_string(), message)
    }

    /// The fault of what is something else.
    #[cold]
    #[inline(never)]
    fn is_not(&self, expected: &str) -> Invalid {
        self.fault(&format!("must be {expected}"))
    }

    /// The fault of a field that must be there.
    #[cold]
    #[inline(never)]
    pub(crate) fn lacks(&self, expected: &str) -> Invalid {
        self.fault(&format!("required: {expected}"))
    }
}

impl fmt::Display for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Body => Ok(()),
            Self::Field(At::Body, name) => f.write_str(name),
            Self::Field(parent, name) => write!(f, "{parent}.{name}"),
            Self::Item(parent, index) => write!(f, "{parent}[{index}]"),
        }
    }
}

/// Reads an object, with room for so many fields from the beginning.
struct Object {
    room: usize,
}

impl<'de> Visitor<'de> for Object {
    type Value = Fields<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
        let mut fields = Vec::with_capacity(self.room);
        while let Some(field) = map.next_entry()? {
            if fields.len() == MAX_FIELDS {
                return Err(M::Error::invalid_length(MAX_FIELDS, &self));
            }
            fields.push(field);
        }
        Ok(Fields(fields))
    }
}

/// Without room: a body of ten million bytes can have three million objects in one list.
impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Object { room: 0 })
    }
}
