//! Reads a serialised `google.protobuf.Struct`.
//!
//! Inline YAML in an Envoy configuration is a `Struct`, and Envoy 1.40 hands it to a wasm plugin as protobuf, not as
//! JSON. Field numbers are those of `google/protobuf/struct.proto`.

use serde_json::{Map, Number, Value};
use tollgate_kernel::protobuf::{Field, fields};

/// Deeper is no configuration.
const MAX_DEPTH: u8 = 32;

/// The JSON object that `bytes` are a serialised `Struct` of; `None` when they are something else.
pub(crate) fn read(bytes: &[u8]) -> Option<Value> {
    structure(bytes, MAX_DEPTH)
}

fn structure(bytes: &[u8], depth: u8) -> Option<Value> {
    let depth = depth.checked_sub(1)?;
    let mut object = Map::new();
    for entry in fields(bytes) {
        let (1, Field::Bytes(entry)) = entry? else { return None };
        let (mut key, mut found) = ("", Value::Null);
        for part in fields(entry) {
            match part? {
                (1, Field::Bytes(text)) => key = std::str::from_utf8(text).ok()?,
                (2, Field::Bytes(inner)) => found = value(inner, depth)?,
                _ => return None,
            }
        }
        object.insert(key.to_owned(), found);
    }
    Some(Value::Object(object))
}

fn value(bytes: &[u8], depth: u8) -> Option<Value> {
    let mut found = Value::Null;
    for part in fields(bytes) {
        found = match part? {
            (1, Field::Varint(_)) => Value::Null,
            (2, Field::Fixed64(bits)) => Value::Number(number(f64::from_bits(bits))?),
            (3, Field::Bytes(text)) => Value::String(std::str::from_utf8(text).ok()?.to_owned()),
            (4, Field::Varint(flag)) => Value::Bool(flag != 0),
            (5, Field::Bytes(inner)) => structure(inner, depth)?,
            (6, Field::Bytes(inner)) => list(inner, depth)?,
            _ => return None,
        };
    }
    Some(found)
}

fn list(bytes: &[u8], depth: u8) -> Option<Value> {
    let depth = depth.checked_sub(1)?;
    let values = fields(bytes).map(|field| match field? {
        (1, Field::Bytes(inner)) => value(inner, depth),
        _ => None,
    });
    values.collect::<Option<Vec<_>>>().map(Value::Array)
}

/// A `Struct` knows only doubles; whole ones become integers again, as they were written.
fn number(value: f64) -> Option<Number> {
    const EXACT: f64 = 9_007_199_254_740_992.0; // 2^53
    if value.fract() == 0.0 && value.abs() <= EXACT {
        return format!("{value:.0}").parse().ok().map(|whole: i64| whole.into());
    }
    Number::from_f64(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

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

    #[test]
    fn inline_yaml_reads_as_the_json_it_was_written_as() {
        let config = json!({"a": {"b": [1, 0.25, "x", true, null, {}]}, "n": -3, "big": 33_554_432, "t": "ü"});
        assert_eq!(read(&object(&config)), Some(config));
        assert_eq!(read(b""), Some(json!({})));
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
