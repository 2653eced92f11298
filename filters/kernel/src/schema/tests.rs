use super::{Invalid, Limits, Schema, Unsupported, Why};
use crate::json::{Document, Limits as JsonLimits};
use serde_json::{Value, json};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

const LIMITS: JsonLimits = JsonLimits { bytes: 1 << 20, nodes: 1 << 16 };

fn compile_within(schema: &str, limits: Limits) -> Result<Schema, Unsupported> {
    Schema::compile(Document::read(schema.as_bytes(), LIMITS).unwrap().root(), limits)
}

fn compile(schema: &Value) -> Result<Schema, Unsupported> {
    compile_within(&schema.to_string(), Limits::USUAL)
}

fn check_text(schema: &Schema, value: &str) -> Result<(), Invalid> {
    schema.check(Document::read(value.as_bytes(), LIMITS).unwrap().root())
}

/// What is said of a value; nothing of one that is valid.
fn said(schema: &Value, value: &Value) -> String {
    let checked = check_text(&compile(schema).unwrap(), &value.to_string());
    checked.err().map(|invalid| invalid.to_string()).unwrap_or_default()
}

#[test]
fn a_violation_says_where_and_what_to_do_and_never_quotes_the_value() {
    let secret = "s3cret";
    let query = json!({
        "type": "object",
        "properties": {
            "table": {"enum": ["users", "orders"]},
            "limit": {"type": ["integer", "null"], "minimum": 1, "maximum": 1000},
            "where": {"type": "object", "properties": {"a/b": {"type": "string", "pattern": "^x"}}, "minProperties": 1},
            "columns": {"type": "array", "items": {"type": "string", "minLength": 2}, "uniqueItems": true, "maxItems": 3},
            "step": {"multipleOf": 0.5},
        },
        "required": ["table"],
        "additionalProperties": false
    });
    for (value, text) in [
        (json!({"table": "users"}), ""),
        (json!([secret]), "must be of type object (type)"),
        (json!({}), "must have the property `table` (required)"),
        (json!({"table": secret}), "`/table` must be one of `\"users\"`, `\"orders\"` (enum)"),
        (json!({"table": "users", "limit": secret}), "`/limit` must be of type null or integer (type)"),
        (json!({"table": "users", "limit": 1.5}), "`/limit` must be of type null or integer (type)"),
        (json!({"table": "users", "limit": 1.0}), ""),
        (json!({"table": "users", "limit": 0}), "`/limit` must be at least 1 (minimum)"),
        (json!({"table": "users", "limit": 1001}), "`/limit` must be at most 1000 (maximum)"),
        (json!({"table": "users", "where": {}}), "`/where` must have at least 1 properties (minProperties)"),
        (
            json!({"table": "users", "where": {"a/b": secret}}),
            "`/where/a~1b` must match the `pattern` of its schema (pattern)",
        ),
        (json!({"table": "users", "columns": ["id", "x"]}), "`/columns/1` must have at least 2 characters (minLength)"),
        (json!({"table": "users", "columns": ["id", "id"]}), "`/columns` must have no item twice (uniqueItems)"),
        (
            json!({"table": "users", "columns": ["ab", "bc", "cd", "de"]}),
            "`/columns` must have at most 3 items (maxItems)",
        ),
        (json!({"table": "users", "step": 0.75}), "`/step` must be a multiple of 0.5 (multipleOf)"),
        (
            json!({"table": "users", "tabel": secret}),
            "`/tabel` is not a property of its schema, which has `columns`, `limit`, `step`, `table`, `where` \
             (additionalProperties)",
        ),
    ] {
        assert_eq!(said(&query, &value), text, "{value}");
    }
}

#[test]
fn of_alternatives_the_one_that_was_meant_is_explained() {
    let optional = json!({"anyOf": [{"type": "integer", "minimum": 1}, {"type": "null"}]});
    assert_eq!(said(&optional, &json!("x")), "must be of type integer, or must be of type null (anyOf)");
    let shapes = json!({"oneOf": [
        {"properties": {"kind": {"const": "circle"}, "radius": {"type": "number"}}, "required": ["kind", "radius"]},
        {"properties": {"kind": {"const": "square"}, "side": {"type": "number"}}, "required": ["kind", "side"]},
    ]});
    assert_eq!(said(&shapes, &json!({"kind": "circle", "radius": 1})), "");
    assert_eq!(said(&shapes, &json!({"kind": "circle", "radius": "x"})), "`/radius` must be of type number (type)");
    assert_eq!(said(&shapes, &json!({"kind": "square", "side": "x"})), "`/side` must be of type number (type)");
    assert_eq!(
        said(&shapes, &json!({"kind": "line"})),
        "`/kind` must be `\"circle\"`, or must be `\"square\"` (const)"
    );
    assert_eq!(said(&shapes, &json!({"kind": "square"})), "must have the property `side` (required)");
    assert_eq!(
        said(&json!({"oneOf": [{"minimum": 1}, {"minimum": 2}]}), &json!(3)),
        "must fit exactly one alternative, and fits several (oneOf)"
    );
    assert_eq!(said(&json!({"not": {"type": "string"}}), &json!("x")), "must not be what its schema excludes (not)");
}

#[test]
fn what_is_said_is_short_whatever_stands_in_the_schema_or_the_value() {
    let long = "é".repeat(2000);
    let schema = json!({"additionalProperties": {"enum": [long, "\u{1b}[31m"]}});
    let Err(Invalid::Violation(violation)) =
        check_text(&compile(&schema).unwrap(), &json!({long.as_str(): "x"}).to_string())
    else {
        panic!()
    };
    assert!(violation.pointer.len() <= 256 && violation.text.len() <= 256, "{violation:?}");
    assert!(violation.pointer.ends_with("...") && violation.text.ends_with("..."), "{violation:?}");
    let escape = said(&json!({"required": ["\u{1b}[31m\n"]}), &json!({}));
    assert_eq!(escape, "must have the property `\u{fffd}[31m\u{fffd}` (required)");
}

#[test]
fn what_cannot_be_followed_to_the_letter_is_refused() {
    for (schema, why) in [
        (json!(1), Why::NotASchema),
        (json!({"properties": {"a": "string"}}), Why::NotASchema),
        (json!({"type": "int"}), Why::Malformed("type")),
        (json!({"type": []}), Why::Malformed("type")),
        (json!({"enum": {}}), Why::Malformed("enum")),
        (json!({"required": true}), Why::Malformed("required")),
        (json!({"minLength": -1}), Why::Malformed("minLength")),
        (json!({"minLength": 1.5}), Why::Malformed("minLength")),
        (json!({"minimum": "1"}), Why::Malformed("minimum")),
        (json!({"minimum": 1, "exclusiveMinimum": true}), Why::Malformed("exclusiveMinimum")),
        (json!({"multipleOf": 0}), Why::Malformed("multipleOf")),
        (json!({"multipleOf": 1.000_000_000_000_1}), Why::Malformed("")),
        (json!({"allOf": []}), Why::Malformed("allOf")),
        (json!({"anyOf": {}}), Why::Malformed("anyOf")),
        (json!({"properties": []}), Why::Malformed("properties")),
        (json!({"prefixItems": [true], "items": [true]}), Why::Malformed("items")),
        (json!({"$ref": "https://example.com/schema"}), Why::Remote),
        (json!({"$ref": "other.json#/a"}), Why::Remote),
        (json!({"$ref": "#/$defs/a"}), Why::NoTarget),
        (json!({"$ref": "#a"}), Why::NoTarget),
        (json!({"$ref": "#%4"}), Why::Malformed("$ref")),
        (json!({"$ref": 1}), Why::Malformed("$ref")),
        (json!({"$ref": "#"}), Why::Endless),
        (json!({"anyOf": [{"not": {"$ref": "#"}}]}), Why::Endless),
        (
            json!({"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"if": {"$ref": "#/$defs/a"}}}, "$ref": "#/$defs/a"}),
            Why::Endless,
        ),
        (json!({"$dynamicRef": "#a"}), Why::Dynamic("$dynamicRef")),
        (json!({"$schema": "http://json-schema.org/draft-04/schema#"}), Why::Dialect),
        (json!({"$schema": 1}), Why::Dialect),
        (json!({"pattern": "("}), Why::Pattern),
        (json!({"patternProperties": {"\\p{L}": true}}), Why::Pattern),
    ] {
        let refused = compile(&schema).map(drop).map_err(|unsupported| unsupported.why);
        let expected = if why == Why::Malformed("") { Ok(()) } else { Err(why) };
        assert_eq!(refused, expected, "{schema}");
    }
    let long = compile_within(r#"{"multipleOf": 1.000000000000000000001}"#, Limits::USUAL);
    assert_eq!(long.unwrap_err(), Unsupported { why: Why::LongDivisor, at: 15 });
}

#[test]
fn what_nothing_refers_to_may_be_anything() {
    for schema in [json!({"$defs": {"a": {"$ref": "http://x"}}}), json!({"x-anything": {"type": 1}, "format": "email"})]
    {
        assert_eq!(said(&schema, &json!("anything")), "");
    }
}

#[test]
fn older_spellings_are_understood() {
    for (schema, valid, invalid) in [
        (json!({"definitions": {"a": {"type": "null"}}, "$ref": "#/definitions/a"}), json!(null), json!(1)),
        (json!({"items": [{"type": "null"}], "additionalItems": false}), json!([null]), json!([null, 1])),
        (json!({"items": [], "additionalItems": {"type": "null"}}), json!([null]), json!([1])),
        (json!({"dependencies": {"a": ["b"]}}), json!({"a": 1, "b": 1}), json!({"a": 1})),
        (json!({"dependencies": {"a": {"maxProperties": 1}}}), json!({"a": 1}), json!({"a": 1, "b": 1})),
        (
            json!({"$schema": "http://json-schema.org/draft-07/schema#", "$ref": "#x", "$defs": {"y": {"$id": "#x", "const": 1}}}),
            json!(1),
            json!(2),
        ),
    ] {
        assert_eq!(said(&schema, &valid), "", "{schema}");
        assert_ne!(said(&schema, &invalid), "", "{schema}");
    }
}

#[test]
fn numbers_are_what_is_written_and_not_what_fits_into_a_double() {
    for (schema, valid, invalid) in [
        (r#"{"const": 9007199254740993}"#, "9007199254740993.0", "9007199254740992"),
        (r#"{"maximum": 9007199254740992}"#, "9.007199254740992e15", "9007199254740993"),
        (r#"{"multipleOf": 0.01}"#, "4.02", "4.025"),
        (r#"{"multipleOf": 1e-8}"#, "12391239123", "1e-9"),
        (r#"{"multipleOf": 3e2}"#, "9e300", "1e300"),
        (r#"{"multipleOf": 123456789012345678}"#, "123456789012345678000", "123456789012345679"),
        (r#"{"multipleOf": 7}"#, "-14", "1e-99999999999999999999"),
        (r#"{"type": "integer"}"#, "1.50e1", "1.5"),
        (r#"{"uniqueItems": true}"#, "[1, 1.1, \"1\", true]", "[1, 1.0]"),
        (r#"{"enum": [{"a": 1, "b": [100]}]}"#, r#"{"b": [1e2], "\u0061": 1.0}"#, r#"{"a": 1, "b": [10]}"#),
        (r#"{"maxLength": 2.0}"#, "\"\u{1f600}\u{1f600}\"", "\"abc\""),
    ] {
        let schema = compile_within(schema, Limits::USUAL).unwrap();
        assert_eq!(check_text(&schema, valid), Ok(()), "{schema:?} {valid}");
        assert!(check_text(&schema, invalid).is_err(), "{schema:?} {invalid}");
    }
}

#[test]
fn no_schema_makes_a_check_take_longer_than_its_steps() {
    let twice = |kind: &str| {
        let mut definitions = serde_json::Map::new();
        for at in 0..40 {
            let next = format!("#/$defs/{}", at + 1);
            definitions.insert(at.to_string(), json!({kind: [{"$ref": next}, {"$ref": next}]}));
        }
        definitions.insert("40".to_owned(), json!({"type": "string"}));
        json!({"$defs": definitions, "$ref": "#/$defs/0"})
    };
    for (schema, value) in [
        (twice("anyOf"), json!(1)),
        (twice("oneOf"), json!("x")),
        (twice("allOf"), json!("x")),
        (json!({"pattern": "^(.{0,400}){0,8}b$"}), json!("a".repeat(5000))),
        (json!({"items": {"contains": {"const": 1}}, "uniqueItems": true}), json!(vec![vec![0; 100]; 300])),
    ] {
        let schema = compile_within(&schema.to_string(), Limits { schemas: 1000, steps: 20_000 }).unwrap();
        assert_eq!(check_text(&schema, &value.to_string()), Err(Invalid::TooMuch));
    }
    let few = Limits { schemas: 2, steps: 1000 };
    assert_eq!(compile_within(r#"{"items": {"not": true}}"#, few).unwrap_err().why, Why::TooLarge);
    let anchors = json!({"allOf": vec![json!({"$ref": "#z"}); 100], "a": vec![0; 1000], "$b": {"$anchor": "z"}});
    let few = Limits { schemas: 1000, steps: 1000 };
    assert_eq!(compile_within(&anchors.to_string(), few).unwrap_err().why, Why::TooLarge);
}

#[test]
fn a_value_as_deep_as_json_may_be_is_checked_by_a_schema_that_refers_to_itself() {
    let schema = json!({
        "$defs": {"tree": {"type": "object", "properties": {"next": {"anyOf": [{"type": "null"}, {"$ref": "#/$defs/tree"}]}}}},
        "$ref": "#/$defs/tree"
    });
    let schema = compile(&schema).unwrap();
    let nested = |depth: usize, last: &str| "{\"next\":".repeat(depth) + last + &"}".repeat(depth);
    assert_eq!(check_text(&schema, &nested(64, "null")), Ok(()));
    let Err(Invalid::Violation(violation)) = check_text(&schema, &nested(20, "1")) else { panic!() };
    assert_eq!(violation.pointer, "/next".repeat(20));
}

/// There is no randomness for proptest on wasm32 without an operating system.
#[cfg(not(target_arch = "wasm32"))]
mod properties {
    use super::*;
    use crate::json::Decimal;
    use proptest::prelude::*;

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            (-3..9_i64).prop_map(Value::from),
            "[ab#/$.é]{0,3}".prop_map(Value::from),
            prop_oneof!["object", "array", "string", "integer", "null"].prop_map(Value::from),
            prop_oneof!["#", "#/properties/a", "#/allOf/0", "#a", "#/items"].prop_map(Value::from),
            "[ab^$.*+?(|){}\\[\\]\\\\d,1]{0,6}".prop_map(Value::from),
        ];
        leaf.prop_recursive(5, 64, 4, |inner| {
            let keyword = prop_oneof![
                "[ab]",
                prop_oneof![
                    "type",
                    "enum",
                    "const",
                    "pattern",
                    "required",
                    "minimum",
                    "multipleOf",
                    "minLength",
                    "uniqueItems"
                ],
                prop_oneof![
                    "properties",
                    "patternProperties",
                    "additionalProperties",
                    "propertyNames",
                    "dependentSchemas"
                ],
                prop_oneof![
                    "items",
                    "prefixItems",
                    "contains",
                    "maxContains",
                    "unevaluatedItems",
                    "unevaluatedProperties"
                ],
                prop_oneof!["allOf", "anyOf", "oneOf", "not", "if", "then", "else", "\\$ref", "\\$anchor", "\\$id"],
            ];
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec((keyword, inner), 0..4)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn no_schema_and_no_value_panic(schema in value(), values in prop::collection::vec(value(), 1..4)) {
            let Ok(compiled) = compile_within(&schema.to_string(), Limits { schemas: 100, steps: 10_000 }) else { return Ok(()) };
            for value in values.iter().chain([&schema]) {
                let checked = check_text(&compiled, &value.to_string());
                let not = json!({"not": schema, "$id": "x"});
                // Inside, `#` is another schema, so only one without references says the opposite.
                if !schema.to_string().contains("$ref") && checked != Err(Invalid::TooMuch) {
                    prop_assert_eq!(checked.is_ok(), !said(&not, value).is_empty());
                }
            }
        }

        #[test]
        fn a_value_is_the_only_one_that_is_the_same(one in value(), other in value()) {
            let constant = json!({"const": one});
            prop_assert_eq!(said(&constant, &one), "");
            prop_assert_eq!(said(&constant, &other).is_empty(), one == other);
        }

        #[test]
        fn multiples_are_exact(times in any::<i64>(), by in 1..1_000_000_i64, rest in 0..1_000_000_i64, e in -400..250_i32) {
            let rest = rest.rem_euclid(by);
            let number = i128::from(times).saturating_mul(by.into()).saturating_add(rest.into());
            let (number, divisor) = (format!("{number}e{e}"), format!("{by}e{e}"));
            prop_assert_eq!(Decimal::of(&number).unwrap().is_multiple_of(&Decimal::of(&divisor).unwrap()), rest == 0);
        }

        #[test]
        fn equal_numbers_and_only_those_are_spelled_equally(one in -2000..2000_i64, other in -2000..2000_i64, e in -3..30_i32) {
            let spelled = |text: String| Decimal::of(&text).unwrap().to_string();
            let zeros = |number: i64| format!("{number}.000e{e}");
            prop_assert_eq!(spelled(format!("{one}e{e}")) == spelled(zeros(other)), one == other);
            prop_assert!(Decimal::of(&spelled(zeros(one))) == Decimal::of(&zeros(one)));
        }
    }
}
