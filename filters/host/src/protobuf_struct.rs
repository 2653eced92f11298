//! Reads serialised `google.protobuf.Struct`s.
//!
//! Inline YAML in an Envoy configuration is a `Struct`, and Envoy 1.40 hands it to a wasm plugin as protobuf, not as
//! JSON. What filters know of a request is `Struct`s too. Field numbers are those of `google/protobuf/struct.proto`.

use std::fmt::Write;
use tollgate_kernel::protobuf::{Field, fields};

/// Deeper is no configuration.
const MAX_DEPTH: u8 = 32;

/// A value in a `Struct`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value<'a> {
    /// Null.
    Null,
    /// A number; there are only doubles.
    Number(f64),
    /// A text.
    Text(&'a str),
    /// A truth value.
    Flag(bool),
    /// An object.
    Object(Object<'a>),
    /// A list.
    List(List<'a>),
}

/// A `ListValue`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct List<'a>(&'a [u8]);

impl<'a> List<'a> {
    /// The texts in it; nothing else of it, and none if the bytes are no list.
    pub fn texts(self) -> impl Iterator<Item = &'a str> {
        fields(self.0).map_while(|field| field).filter_map(|field| match field {
            (1, Field::Bytes(value)) => match kind(value)? {
                Kind::Text(text) => Some(text),
                _ => None,
            },
            _ => None,
        })
    }
}

/// A `Struct`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Object<'a>(&'a [u8]);

impl<'a> Object<'a> {
    /// The names of what is in it, as far as the bytes are a `Struct`.
    pub fn names(self) -> impl Iterator<Item = &'a str> {
        entries(self.0).map_while(|entry| entry).map(|(name, _)| name)
    }

    /// A value; `None` when it is not there, or the bytes are no `Struct`.
    #[must_use]
    pub fn get(self, name: &str) -> Option<Value<'a>> {
        member(self.0, name).and_then(Value::of)
    }

    /// All that is in it, for who asks for many; `None` when the bytes are no `Struct`.
    #[must_use]
    pub fn members(self) -> Option<Members<'a>> {
        entries(self.0).collect::<Option<_>>().map(Members)
    }
}

/// What is in a `Struct`, found once.
#[derive(Debug, Clone, PartialEq)]
pub struct Members<'a>(Vec<(&'a str, &'a [u8])>);

impl<'a> Members<'a> {
    /// A value; `None` when it is not there.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Value<'a>> {
        let (_, value) = self.0.iter().rfind(|(key, _)| *key == name)?;
        Value::of(value)
    }
}

impl<'a> Value<'a> {
    fn of(bytes: &'a [u8]) -> Option<Self> {
        match kind(bytes)? {
            Kind::Null => Some(Self::Null),
            Kind::Number(number) => Some(Self::Number(number)),
            Kind::Text(text) => Some(Self::Text(text)),
            Kind::Flag(flag) => Some(Self::Flag(flag)),
            Kind::Object(bytes) => Some(Self::Object(Object(bytes))),
            Kind::List(bytes) => Some(Self::List(List(bytes))),
        }
    }
}

/// The `Struct` of one filter in `envoy.config.core.v3.Metadata`.
pub(crate) fn of_filter<'a>(metadata: &'a [u8], filter: &str) -> Option<Object<'a>> {
    member(metadata, filter).map(Object)
}

/// The value of a map; the last one counts, as protobuf has it.
fn member<'a>(message: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let mut found = None;
    for entry in entries(message) {
        let (key, value) = entry?;
        found = if key == name { Some(value) } else { found };
    }
    found
}

/// The entries of a map that is field 1 of a message; both `Struct` and `Metadata` are such.
fn entries(message: &[u8]) -> impl Iterator<Item = Option<(&str, &[u8])>> {
    fields(message).filter_map(|field| match field {
        None => Some(None),
        Some((1, Field::Bytes(bytes))) => Some(entry(bytes)),
        Some(_) => None,
    })
}

/// The JSON object that `bytes` are a serialised `Struct` of; `None` when they are something else.
pub(crate) fn to_json(bytes: &[u8]) -> Option<String> {
    // Names and texts are most of it, and each has two bytes of punctuation for its tags and lengths.
    let mut json = String::with_capacity(bytes.len());
    write_object(bytes, MAX_DEPTH, &mut json).map(|()| json)
}

fn write_object(bytes: &[u8], depth: u8, json: &mut String) -> Option<()> {
    let depth = depth.checked_sub(1)?;
    json.push('{');
    for (index, field) in fields(bytes).enumerate() {
        let (1, Field::Bytes(bytes)) = field? else { return None };
        let (key, value) = entry(bytes)?;
        if index > 0 {
            json.push(',');
        }
        write_text(key, json);
        json.push(':');
        write_value(value, depth, json)?;
    }
    json.push('}');
    Some(())
}

fn write_value(bytes: &[u8], depth: u8, json: &mut String) -> Option<()> {
    match kind(bytes)? {
        Kind::Null => json.push_str("null"),
        Kind::Number(number) => write_number(number, json)?,
        Kind::Text(text) => write_text(text, json),
        Kind::Flag(flag) => json.push_str(if flag { "true" } else { "false" }),
        Kind::Object(bytes) => write_object(bytes, depth, json)?,
        Kind::List(bytes) => {
            let depth = depth.checked_sub(1)?;
            json.push('[');
            for (index, field) in fields(bytes).enumerate() {
                let (1, Field::Bytes(bytes)) = field? else { return None };
                if index > 0 {
                    json.push(',');
                }
                write_value(bytes, depth, json)?;
            }
            json.push(']');
        }
    }
    Some(())
}

fn write_text(text: &str, json: &mut String) {
    json.push('"');
    let mut plain = text;
    while let Some(at) = plain.find(|character: char| character < ' ' || character == '"' || character == '\\') {
        let (before, rest) = plain.split_at_checked(at).unwrap_or((plain, ""));
        let mut rest = rest.chars();
        json.push_str(before);
        if let Some(character) = rest.next() {
            // RFC 8259, section 7: any character may be written so.
            let _ = write!(json, "\\u{:04x}", u32::from(character)); // a `String` takes everything
        }
        plain = rest.as_str();
    }
    json.push_str(plain);
    json.push('"');
}

/// A `Struct` knows only doubles; whole ones become integers again, as they were written.
fn write_number(value: f64, json: &mut String) -> Option<()> {
    const EXACT: f64 = 9_007_199_254_740_992.0; // 2^53
    let written = match value {
        whole if whole.fract() == 0.0 && whole.abs() <= EXACT => write!(json, "{whole:.0}"),
        value if value.is_finite() => write!(json, "{value}"),
        _ => return None,
    };
    written.ok()
}

/// A `Value`.
enum Kind<'a> {
    Null,
    Number(f64),
    Text(&'a str),
    Flag(bool),
    Object(&'a [u8]),
    List(&'a [u8]),
}

fn kind(bytes: &[u8]) -> Option<Kind<'_>> {
    let mut found = Kind::Null;
    for part in fields(bytes) {
        found = match part? {
            (1, Field::Varint(_)) => Kind::Null,
            (2, Field::Fixed64(bits)) => Kind::Number(f64::from_bits(bits)),
            (3, Field::Bytes(text)) => Kind::Text(std::str::from_utf8(text).ok()?),
            (4, Field::Varint(flag)) => Kind::Flag(flag != 0),
            (5, Field::Bytes(bytes)) => Kind::Object(bytes),
            (6, Field::Bytes(bytes)) => Kind::List(bytes),
            _ => return None,
        };
    }
    Some(found)
}

/// An entry of a map from texts to messages.
fn entry(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let mut found: (&str, &[u8]) = ("", &[]);
    for part in fields(bytes) {
        match part? {
            (1, Field::Bytes(text)) => found.0 = std::str::from_utf8(text).ok()?,
            (2, Field::Bytes(bytes)) => found.1 = bytes,
            _ => return None,
        }
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::{of_filter, to_json};
    use serde_json::{Value, json};

    fn tagged(number: u8, bytes: &[u8]) -> Vec<u8> {
        let (low, high) = (bytes.len() & 0x7f | 0x80, bytes.len() >> 7);
        [&[number << 3 | 2, u8::try_from(low).unwrap(), u8::try_from(high).unwrap()], bytes].concat()
    }

    fn serialized(value: &Value) -> Vec<u8> {
        match value {
            Value::Null => vec![1 << 3, 0],
            Value::Number(number) => [&[2 << 3 | 1][..], &number.as_f64().unwrap().to_le_bytes()].concat(),
            Value::String(text) => tagged(3, text.as_bytes()),
            Value::Bool(flag) => vec![4 << 3, u8::from(*flag)],
            Value::Object(_) => tagged(5, &object(value)),
            Value::Array(values) => {
                tagged(6, &values.iter().flat_map(|value| tagged(1, &serialized(value))).collect::<Vec<_>>())
            }
        }
    }

    fn object(value: &Value) -> Vec<u8> {
        let entries = value.as_object().unwrap().iter();
        entries
            .flat_map(|(key, value)| tagged(1, &[tagged(1, key.as_bytes()), tagged(2, &serialized(value))].concat()))
            .collect()
    }

    fn read(bytes: &[u8]) -> Option<Value> {
        to_json(bytes).map(|json| serde_json::from_str(&json).unwrap())
    }

    #[test]
    fn inline_yaml_reads_as_the_json_it_was_written_as() {
        let config = json!({
            "a": {"b": [1, 0.25, "x", true, null, {}, []]},
            "n": -3,
            "big": 33_554_432,
            "bigger": 9_007_199_254_740_992_u64,
            "tiny": 1.5e-9,
            "huge": 1e22,
            "t": "ü",
            "e\"\\\n\u{1}\u{1f}\u{7f}😀": "\u{0}\"\"\\\\ \t",
        });
        assert_eq!(read(&object(&config)), Some(config));
        assert_eq!(read(b""), Some(json!({})));
    }

    #[test]
    fn what_is_no_number_in_json_is_not_written() {
        for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let value = [&[2 << 3 | 1][..], &number.to_le_bytes()].concat();
            let config = tagged(1, &[tagged(1, b"n"), tagged(2, &value)].concat());
            assert_eq!(to_json(&config), None, "{number}");
        }
    }

    #[test]
    fn what_a_filter_knows_of_a_request_is_read_with_its_types() {
        use super::Value::{Flag, Null, Number, Text};
        let claims = json!({"sub": "ada", "n": 7, "flag": true, "list": ["a", 7, "b", ["c"]], "none": null, "org": {"team": "eng"}});
        let of = |filter: &str, known: &Value| {
            tagged(1, &[tagged(1, filter.as_bytes()), tagged(2, &object(known))].concat())
        };
        let typed = tagged(2, &[tagged(1, b"jwt"), tagged(2, b"anything")].concat());
        let metadata =
            [of("other", &json!({"sub": "eve"})), typed, of("jwt", &claims), of("third", &json!({}))].concat();
        let found = of_filter(&metadata, "jwt").unwrap();
        for (name, expected) in [
            ("sub", Some(Text("ada"))),
            ("n", Some(Number(7.0))),
            ("flag", Some(Flag(true))),
            ("none", Some(Null)),
            ("team", None),
        ] {
            assert_eq!((found.get(name), found.members().unwrap().get(name)), (expected, expected), "{name}");
        }
        let Some(super::Value::List(list)) = found.get("list") else { panic!("a list") };
        assert_eq!(list.texts().collect::<Vec<_>>(), ["a", "b"]);
        let Some(super::Value::Object(org)) = found.get("org") else { panic!("an object") };
        assert_eq!(org.get("team"), Some(Text("eng")));
        assert_eq!((of_filter(&metadata, "jw"), of_filter(&metadata[..metadata.len() - 1], "jwt")), (None, None));
    }

    #[test]
    fn a_cut_struct_and_anything_else_are_not_taken_for_one() {
        let whole = object(&json!({"gate": {"keys": [1, 2, 3]}}));
        for end in 1..whole.len() {
            assert_eq!(read(&whole[..end]), None, "cut at {end}");
        }
        for json in ["{}", "\n{\n  \"gate\": {}\n}\n", "[]", "not a struct"] {
            assert_eq!(read(json.as_bytes()), None, "{json}");
        }
    }

    #[test]
    fn endless_nesting_is_refused() {
        let deep = (0..40).fold(json!({}), |inner, _| json!({"a": inner}));
        assert_eq!(read(&object(&deep)), None);
    }
}
