use crate::{Fault, Map, Read, Value, object, read};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

#[derive(Debug, PartialEq)]
struct House {
    street: String,
    number: u32,
    rooms: Vec<Room>,
    r#for: Option<String>,
    extra: u8,
}

object!(House { street, number = 1, rooms = Vec::new(), r#for as "for"; extra: 7 });

#[derive(Debug, Clone, Copy, PartialEq)]
enum Room {
    Kitchen,
    Bath,
}

impl Read for Room {
    fn read(value: &Value<'_>) -> Result<Self, Fault> {
        value.one_of("enum Room", &[("kitchen", Self::Kitchen), ("bath", Self::Bath)])
    }
}

#[derive(Debug, PartialEq)]
struct Garden {
    trees: u64,
    pond: bool,
}

impl Default for Garden {
    fn default() -> Self {
        Self { trees: 3, pond: true }
    }
}

object!(default Garden { trees, pond });

fn fault<T: Read + std::fmt::Debug>(json: &str) -> String {
    read::<T>(json).expect_err(json).to_string()
}

#[test]
fn what_is_left_out_is_what_the_list_of_fields_says() {
    let house = House { street: "Elm".to_owned(), number: 1, rooms: Vec::new(), r#for: None, extra: 7 };
    assert_eq!(read(r#"{"street": "Elm"}"#), Ok(house));
    let house = House {
        street: "Ulme\n".to_owned(),
        number: 2,
        rooms: vec![Room::Bath, Room::Kitchen],
        r#for: Some("us".to_owned()),
        extra: 7,
    };
    assert_eq!(
        read(r#" {"f\u006fr":"us", "rooms": ["bath", "kitchen"], "number":2,"street":"Ulme\n"} "#),
        Ok(house),
        "names and values with escapes, in any order"
    );
    assert_eq!(read(r#"{"pond": false}"#), Ok(Garden { trees: 3, pond: false }));
}

#[test]
fn a_fault_is_told_with_its_path_what_was_found_and_what_was_expected() {
    for (json, message) in [
        ("", "EOF while parsing a value"),
        ("[]", "invalid type: sequence, expected struct House"),
        (r#"{"street": "Elm"} {"#, "trailing characters"),
        ("{}", "missing field `street`"),
        (r#"{"street": null}"#, "street: invalid type: null, expected a string"),
        (r#"{"street": "Elm", "street": "Elm"}"#, "duplicate field `street`"),
        (r#"{"extra": 1}"#, "extra: unknown field `extra`, expected one of `street`, `number`, `rooms`, `for`"),
        (r#"{"street": "Elm", "number": -1}"#, "number: invalid value: integer `-1`, expected u32"),
        (r#"{"street": "Elm", "number": 4294967296}"#, "number: invalid value: integer `4294967296`, expected u32"),
        (r#"{"street": "Elm", "number": 0.5}"#, "number: invalid type: floating point `0.5`, expected u32"),
        (r#"{"street": "Elm", "number": 1e3}"#, "number: invalid type: floating point `1e3`, expected u32"),
        (r#"{"street": "Elm", "rooms": {}}"#, "rooms: invalid type: map, expected a sequence"),
        (r#"{"street": "Elm", "rooms": ["bath", 1]}"#, "rooms[1]: invalid type: integer `1`, expected enum Room"),
        (r#"{"street": "Elm", "rooms": ["hall"]}"#, "rooms[0]: unknown variant `hall`, expected `kitchen` or `bath`"),
        (r#"{"street": "\ud800"}"#, "street: unexpected end of hex escape"),
    ] {
        assert_eq!(fault::<House>(json), message, "{json}");
    }
    assert_eq!(
        fault::<Map<String, Garden>>(r#"{"a b": {"pond": 1}}"#),
        "a b.pond: invalid type: integer `1`, expected a boolean"
    );
    assert_eq!(
        fault::<Map<String, Garden>>(r#"{"a": true}"#),
        "a: invalid type: boolean `true`, expected struct Garden"
    );
}

#[test]
fn a_text_in_the_wrong_place_is_never_quoted() {
    for json in [r#"{"street": ["secret"]}"#, r#"{"street": "", "number": "secret"}"#, r#""secret""#] {
        let told = fault::<House>(json);
        assert!(!told.contains("secret"), "{told}");
    }
}

#[test]
fn a_map_is_found_by_its_keys_and_goes_in_their_order() {
    let map: Map<String, u64> = read(r#"{"b": 2, "a": 1, "c": 3, "b": 4}"#).expect("a map");
    assert_eq!(
        map.iter().map(|(key, value)| (key.as_str(), *value)).collect::<Vec<_>>(),
        [("a", 1), ("b", 4), ("c", 3)]
    );
    assert_eq!((map.get("b"), map.get("d"), map.contains_key("c")), (Some(&4), None, true));
    let odd = map.try_map(|key, value| if value == 3 { Err(key.clone()) } else { Ok(()) });
    assert_eq!(odd, Err("c".to_owned()));
}

#[derive(Debug, PartialEq, Clone, Copy)]
enum Tap {
    On,
    Off,
}

impl Read for Tap {
    fn read(value: &Value<'_>) -> Result<Self, Fault> {
        value.one_of("enum Tap", &[("on", Self::On), ("off", Self::Off)])
    }
}

#[test]
fn off_may_stand_in_yaml_without_quotes() {
    assert_eq!((read(r#""off""#), read("false"), read(r#""on""#)), (Ok(Tap::Off), Ok(Tap::Off), Ok(Tap::On)));
    assert_eq!(fault::<Tap>("true"), "invalid type: boolean `true`, expected enum Tap");
    assert_eq!(fault::<Room>("false"), "invalid type: boolean `false`, expected enum Room");
}
