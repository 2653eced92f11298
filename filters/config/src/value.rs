//! One value, and where it stands.

use crate::{Fault, Object, Read};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;

/// A value of a configuration, and where it stands.
#[derive(Debug, Clone, Copy)]
pub struct Value<'a> {
    json: &'a str,
    at: At<'a>,
}

/// Where a value stands.
#[derive(Debug, Clone, Copy)]
pub(crate) enum At<'a> {
    Top,
    Field(&'a Self, &'a str),
    Item(&'a Self, usize),
}

impl fmt::Display for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Top => Ok(()),
            Self::Field(Self::Top, name) => f.write_str(name),
            Self::Field(parent, name) => write!(f, "{parent}.{name}"),
            Self::Item(parent, index) => write!(f, "{parent}[{index}]"),
        }
    }
}

impl<'a> Value<'a> {
    /// The configuration itself, which may be no JSON.
    pub(crate) fn top(json: &'a str) -> Result<Self, Fault> {
        let json = Self { json, at: At::Top }.parse::<&RawValue>()?.get();
        Ok(Self { json, at: At::Top })
    }

    /// What `serde_json` makes of it.
    #[inline(never)]
    pub(crate) fn parse<T: Deserialize<'a>>(&self) -> Result<T, Fault> {
        serde_json::from_str(self.json).map_err(|error| self.syntax(&error))
    }

    /// Line and column are left out: they count in Envoy's own JSON, which nobody wrote.
    #[cold]
    #[inline(never)]
    fn syntax(&self, error: &serde_json::Error) -> Fault {
        let reason = error.to_string();
        self.fault(&reason.rsplit_once(" at line ").map_or(&*reason, |(reason, _)| reason))
    }

    /// The JSON itself.
    pub(crate) const fn json(&self) -> &'a str {
        self.json
    }

    /// The fault of this value.
    #[cold]
    #[inline(never)]
    pub fn fault(&self, reason: &dyn fmt::Display) -> Fault {
        Fault::new(&self.at.to_string(), &reason.to_string())
    }

    /// The fault of a value of another kind. It quotes no text: someone may have put a secret there.
    #[cold]
    #[inline(never)]
    pub fn is_not(&self, expected: &str) -> Fault {
        let found = match self.json.as_bytes().first() {
            Some(b'{') => "map".to_owned(),
            Some(b'[') => "sequence".to_owned(),
            Some(b'"') => "string".to_owned(),
            Some(b't' | b'f') => format!("boolean `{}`", self.json),
            Some(b'n') => "null".to_owned(),
            _ if self.json.contains(['.', 'e', 'E']) => format!("floating point `{}`", self.json),
            _ => format!("integer `{}`", self.json),
        };
        self.fault(&format_args!("invalid type: {found}, expected {expected}"))
    }

    /// Whether it is a text.
    #[must_use]
    pub fn is_text(&self) -> bool {
        self.json.starts_with('"')
    }

    /// Whether it is a list.
    #[must_use]
    pub fn is_list(&self) -> bool {
        self.json.starts_with('[')
    }

    /// The text that it is.
    ///
    /// # Errors
    /// When it is none.
    #[inline(never)]
    pub fn text(&self, expected: &str) -> Result<String, Fault> {
        if self.is_text() { self.parse() } else { Err(self.is_not(expected)) }
    }

    /// The number that it is.
    ///
    /// # Errors
    /// When it is none.
    #[inline(never)]
    pub fn number(&self, expected: &str) -> Result<f64, Fault> {
        self.parse().map_err(|_| self.is_not(expected))
    }

    /// The number that it is, as it is written.
    ///
    /// # Errors
    /// When it is none.
    pub fn number_text(&self, expected: &str) -> Result<&'a str, Fault> {
        if self.json.starts_with(|first: char| first == '-' || first.is_ascii_digit()) {
            Ok(self.json)
        } else {
            Err(self.is_not(expected))
        }
    }

    /// What this name stands for, of all these. YAML makes `false` of an `off` without quotes, so that stands for it.
    ///
    /// # Errors
    /// When it is none of them.
    pub fn one_of<T: Copy>(&self, kind: &str, all: &[(&'static str, T)]) -> Result<T, Fault> {
        let is_off = self.json == "false" && all.iter().any(|(known, _)| *known == "off");
        let name = if is_off { "off".to_owned() } else { self.text(kind)? };
        let found = all.iter().find(|(known, _)| *known == name).map(|(_, one)| *one);
        found.ok_or_else(|| self.unknown("variant", &name, &mut all.iter().map(|(known, _)| *known)))
    }

    /// What is made of an `F` that stands here.
    ///
    /// # Errors
    /// When none does, or nothing can be made of it.
    pub fn converted<F: Read, T: TryFrom<F, Error: fmt::Display>>(&self) -> Result<T, Fault> {
        T::try_from(F::read(self)?).map_err(|error| self.fault(&error))
    }

    /// The object that it is, whose fields have these names.
    ///
    /// # Errors
    /// When it is none, or has another field, or one twice.
    #[inline(never)]
    pub fn object<'b>(&'b self, kind: &str, known: &'b [&'static str]) -> Result<Object<'b>, Fault> {
        let mut object = Object::new(self, known);
        for (key, json) in self.entries(kind)? {
            object.put(&self.name(key)?, json.get())?;
        }
        Ok(object)
    }

    /// The keys and values of the object that it is.
    #[inline(never)]
    pub(crate) fn entries(&self, expected: &str) -> Result<Vec<(&'a RawValue, &'a RawValue)>, Fault> {
        if !self.json.starts_with('{') {
            return Err(self.is_not(expected));
        }
        self.parse().map(|Entries(entries)| entries)
    }

    /// The name that a key of the object is.
    #[inline(never)]
    pub(crate) fn name(&self, key: &RawValue) -> Result<String, Fault> {
        Value { json: key.get(), at: self.at }.parse()
    }

    /// The values of the list that it is.
    #[inline(never)]
    pub(crate) fn items(&self) -> Result<Vec<&'a RawValue>, Fault> {
        if self.is_list() { self.parse() } else { Err(self.is_not("a sequence")) }
    }

    pub(crate) fn item(&self, index: usize, json: &'a RawValue) -> Value<'_> {
        Value { json: json.get(), at: At::Item(&self.at, index) }
    }

    pub(crate) const fn field<'b>(&'b self, name: &'b str, json: &'b str) -> Value<'b> {
        Value { json, at: At::Field(&self.at, name) }
    }

    /// The fault of a name that is none of the known ones.
    #[cold]
    #[inline(never)]
    pub(crate) fn unknown(&self, what: &str, name: &str, known: &mut dyn Iterator<Item = &'static str>) -> Fault {
        let known: Vec<String> = known.map(|name| format!("`{name}`")).collect();
        let known = match known.as_slice() {
            [] => "none".to_owned(),
            [one] => one.clone(),
            [one, other] => format!("{one} or {other}"),
            more => format!("one of {}", more.join(", ")),
        };
        self.fault(&format_args!("unknown {what} `{name}`, expected {known}"))
    }
}

/// An object's keys and values, in their order.
struct Entries<'a>(Vec<(&'a RawValue, &'a RawValue)>);

impl<'a> Deserialize<'a> for Entries<'a> {
    fn deserialize<D: Deserializer<'a>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'a> Visitor<'a> for InOrder {
            type Value = Entries<'a>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<M: MapAccess<'a>>(self, mut map: M) -> Result<Entries<'a>, M::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}
