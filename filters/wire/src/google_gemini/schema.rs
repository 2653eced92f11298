//! Google's own schemas (`parameters`, `responseSchema`: a subset of OpenAPI's) as JSON Schema, which is what all other
//! formats have. Google takes JSON Schema too, in fields of its own, so nothing is ever turned back.

use super::object::{Object, snake_case};
use crate::error::Invalid;
use crate::fields::{At, read};
use serde_json::value::RawValue;
use tollgate_kernel::json::Writer;

/// No schema of a person is deeper.
const MAX_DEPTH: usize = 32;

/// Keywords that may be spelled as in the proto file.
const CAMEL: [&str; 10] = [
    "anyOf",
    "maxItems",
    "minItems",
    "maxLength",
    "minLength",
    "maxProperties",
    "minProperties",
    "propertyOrdering",
    "additionalProperties",
    "prefixItems",
];

/// The JSON Schema that a schema of Google's says.
pub(super) fn json_schema(schema: &RawValue, at: &At<'_>) -> Result<Box<RawValue>, Invalid> {
    let mut out = Vec::new();
    write_object(schema, at, MAX_DEPTH, &mut Writer::new(&mut out))?;
    let unreadable = || at.fault("must be a schema");
    let text = String::from_utf8(out).map_err(|_| unreadable())?;
    serde_json::from_str(&text).map_err(|_| unreadable())
}

fn write_object(schema: &RawValue, at: &At<'_>, depth: usize, json: &mut Writer<'_>) -> Result<(), Invalid> {
    let depth = depth.checked_sub(1).ok_or_else(|| at.fault("is nested too deep"))?;
    let mut fields = Object::of(schema, at)?;
    let nullable = fields.flag("nullable", at)? == Some(true);
    json.open_object();
    for (key, value) in fields.iter() {
        let key = CAMEL.into_iter().find(|camel| snake_case(camel) == key).unwrap_or(key);
        write_keyword(key, value, nullable, &at.field(key), depth, json)?;
    }
    json.close_object();
    Ok(())
}

fn write_keyword(
    key: &str,
    value: &RawValue,
    nullable: bool,
    at: &At<'_>,
    depth: usize,
    json: &mut Writer<'_>,
) -> Result<(), Invalid> {
    let text = value.get();
    match key {
        "propertyOrdering" => {}
        "format" if text == "\"enum\"" => {}
        "type" => write_type(value, nullable, json),
        "ref" => json.key("$ref").raw(value),
        "defs" => return write_named("$defs", value, at, depth, json),
        "properties" | "$defs" | "definitions" if text.starts_with('{') => {
            return write_named(key, value, at, depth, json);
        }
        "items" | "additionalProperties" if text.starts_with('{') => {
            return write_object(value, at, depth, json.key(key));
        }
        "anyOf" | "oneOf" | "allOf" | "prefixItems" if text.starts_with('[') => {
            return write_list(key, value, nullable && key == "anyOf", at, depth, json);
        }
        // 64 bit numbers, which proto JSON has in strings.
        "maxItems" | "minItems" | "maxLength" | "minLength" | "maxProperties" | "minProperties" => {
            match text.trim_matches('"').parse() {
                Ok(number) => json.key(key).number(number),
                Err(_) => return Err(at.fault("must be a whole number")),
            }
        }
        _ => json.key(key).raw(value),
    }
    Ok(())
}

fn write_type(value: &RawValue, nullable: bool, json: &mut Writer<'_>) {
    let name = value.get().trim_matches('"').to_ascii_lowercase();
    match (value.get().starts_with('"'), nullable) {
        _ if name == "type_unspecified" => {}
        (false, _) => json.key("type").raw(value),
        (true, false) => json.key("type").text(&name),
        (true, true) => {
            json.key("type").open_list().text(&name);
            json.text("null");
            json.close_list();
        }
    }
}

/// The names are the client's own text, so no fault quotes them.
fn write_named(key: &str, value: &RawValue, at: &At<'_>, depth: usize, json: &mut Writer<'_>) -> Result<(), Invalid> {
    json.key(key).open_object();
    for (name, schema) in Object::of(value, at)?.iter() {
        if schema.get().starts_with('{') {
            write_object(schema, at, depth, json.key(name))?;
        } else {
            json.key(name).raw(schema);
        }
    }
    json.close_object();
    Ok(())
}

fn write_list(
    key: &str,
    value: &RawValue,
    or_null: bool,
    at: &At<'_>,
    depth: usize,
    json: &mut Writer<'_>,
) -> Result<(), Invalid> {
    let schemas: Vec<&RawValue> = read(value, at, "an array of schemas")?;
    json.key(key).open_list();
    for (index, schema) in schemas.into_iter().enumerate() {
        write_object(schema, &at.item(index), depth, json)?;
    }
    if or_null {
        json.open_object().key("type").text("null");
        json.close_object();
    }
    json.close_list();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn converted(schema: &Value) -> Result<Value, Invalid> {
        let schema: Box<RawValue> = serde_json::from_str(&schema.to_string()).unwrap();
        json_schema(&schema, &At::Body).map(|schema| serde_json::from_str(schema.get()).unwrap())
    }

    #[test]
    fn what_google_says_otherwise_is_said_as_json_schema_has_it() {
        let google = json!({
            "type": "OBJECT",
            "propertyOrdering": ["type", "tags"],
            "required": ["type"],
            "properties": {
                "type": {"type": "STRING", "format": "enum", "enum": ["A", "B"], "nullable": true},
                "nullable": {"type": "INTEGER", "format": "int32", "minimum": 1},
                "tags": {"type": "ARRAY", "items": {"type": "string"}, "max_items": "3", "minItems": 1},
                "any": {"any_of": [{"type": "NUMBER"}, {"ref": "#/defs/x"}], "nullable": true},
            },
            "defs": {"x": {"type": "BOOLEAN"}},
        });
        let expected = json!({
            "type": "object",
            "required": ["type"],
            "properties": {
                "type": {"type": ["string", "null"], "enum": ["A", "B"]},
                "nullable": {"type": "integer", "format": "int32", "minimum": 1},
                "tags": {"type": "array", "items": {"type": "string"}, "maxItems": 3, "minItems": 1},
                "any": {"anyOf": [{"type": "number"}, {"$ref": "#/defs/x"}, {"type": "null"}]},
            },
            "$defs": {"x": {"type": "boolean"}},
        });
        assert_eq!(converted(&google), Ok(expected));
    }

    #[test]
    fn json_schema_stays_as_it_is() {
        let schema = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "properties": {"a": {"type": ["string", "null"]}, "b": true, "c": {"const": 1, "items": false}},
            "additionalProperties": false,
            "$defs": {"d": {"oneOf": [{"type": "integer"}]}},
        });
        assert_eq!(converted(&schema), Ok(schema.clone()));
    }

    #[test]
    fn a_schema_without_end_is_refused() {
        let mut schema = json!({"type": "STRING"});
        for _ in 0..MAX_DEPTH {
            schema = json!({"type": "ARRAY", "items": schema});
        }
        assert!(converted(&schema).unwrap_err().message.contains("deep"));
        assert!(converted(&json!([])).is_err());
        let fault = converted(&json!({"properties": {"secret": {"maxItems": "secret"}}})).unwrap_err();
        assert_eq!(fault.field, "properties.maxItems");
    }
}
