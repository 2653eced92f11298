//! One JSON object read over once: the values of a few keys, where they stand, and nothing else.

use crate::error::Invalid;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;
use std::ops::Range;

/// The values that one JSON object has under the names asked for.
pub(super) struct Fields<'a> {
    names: &'static [&'static str],
    values: Vec<Option<&'a RawValue>>,
    pub(super) is_empty: bool,
    fault: Option<(&'static str, &'static str)>,
}

impl<'a> Fields<'a> {
    /// `at` is the path of the object itself, empty for the body.
    pub(super) fn read(text: &'a str, at: &str, names: &'static [&'static str]) -> Result<Self, Invalid> {
        let mut json = serde_json::Deserializer::from_str(text);
        let empty = Self { names, values: vec![None; names.len()], is_empty: true, fault: None };
        let fields = json.deserialize_map(empty).and_then(|fields| json.end().map(|()| fields)).map_err(|error| {
            let place = format!("line {} column {}", error.line(), error.column());
            if at.is_empty() {
                Invalid::new("", format!("the body is not one valid JSON object ({place})"))
            } else {
                Invalid::new(at, "must be an object or null")
            }
        })?;
        match fields.fault {
            None => Ok(fields),
            Some((name, message)) if at.is_empty() => Err(Invalid::new(name, message)),
            Some((name, message)) => Err(Invalid::new(format!("{at}.{name}"), message)),
        }
    }

    pub(super) fn value(&self, name: &str) -> Option<&'a RawValue> {
        let at = self.names.iter().position(|known| *known == name)?;
        self.values.get(at).copied().flatten()
    }
}

impl<'a> Visitor<'a> for Fields<'a> {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'a>>(mut self, mut map: A) -> Result<Self, A::Error> {
        while let Some(key) = map.next_key_seed(KeyOf(self.names))? {
            self.is_empty = false;
            match key {
                Key::Other => {
                    map.next_value::<IgnoredAny>()?;
                }
                Key::Misspelt(name) => {
                    self.fault.get_or_insert((name, "given in another spelling; keys are case-sensitive"));
                    map.next_value::<IgnoredAny>()?;
                }
                Key::Owned(at, name) => {
                    let value = map.next_value::<&'a RawValue>()?;
                    if let Some(slot) = self.values.get_mut(at)
                        && slot.replace(value).is_some()
                    {
                        self.fault.get_or_insert((name, "given twice"));
                    }
                }
            }
        }
        Ok(self)
    }
}

/// What an object's key is to us.
enum Key {
    Owned(usize, &'static str),
    Misspelt(&'static str),
    Other,
}

/// Sorts a key among the names asked for, without a copy of it.
struct KeyOf(&'static [&'static str]);

impl<'a> DeserializeSeed<'a> for KeyOf {
    type Value = Key;

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<Key, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for KeyOf {
    type Value = Key;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<Key, E> {
        let mut names = self.0.iter().enumerate();
        Ok(names
            .find(|(_, name)| folds_to(key, name))
            .map_or(Key::Other, |(at, name)| if key == *name { Key::Owned(at, name) } else { Key::Misspelt(name) }))
    }
}

/// Whether a server that ignores case takes `key` for `name`. Go's `encoding/json` folds as Unicode does, where the
/// long s and the Kelvin sign are an s and a k.
fn folds_to(key: &str, name: &str) -> bool {
    key.chars()
        .map(|c| match c {
            '\u{17f}' => 's',
            '\u{212a}' => 'k',
            _ => c.to_ascii_lowercase(),
        })
        .eq(name.chars().map(|c| c.to_ascii_lowercase()))
}

/// Where `part`, borrowed from `whole`, stands in it.
pub(super) fn range_in(whole: &str, part: &str) -> Range<usize> {
    let start = part.as_ptr().addr().saturating_sub(whole.as_ptr().addr());
    start..start.saturating_add(part.len())
}

/// Where the key of `value` stands, quotes included. It is one that we read: however it is spelt, it has no quote in it.
pub(super) fn key_range(body: &str, value: &str) -> Option<Range<usize>> {
    let before = body.get(..range_in(body, value).start)?.trim_end().strip_suffix(':')?.trim_end();
    let start = before.strip_suffix('"')?.rfind('"')?;
    Some(start..before.len())
}

/// Where the whole field of `value` stands, with the comma after it or else the one before.
pub(super) fn field_range(body: &str, value: &str) -> Option<Range<usize>> {
    let (start, end) = (key_range(body, value)?.start, range_in(body, value).end);
    let after = body.get(end..)?;
    let next = after.trim_start();
    if next.starts_with(',') {
        return Some(start..end.saturating_add(after.len().saturating_sub(next.len())).saturating_add(1));
    }
    let before = body.get(..start)?.trim_end();
    Some(before.strip_suffix(',').map_or(start, str::len)..end)
}
