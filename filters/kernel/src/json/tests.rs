use super::{Decimal, Document, Fault, Kind, Limits, MAX_DEPTH, MAX_NUMBER, Place, Pointer, Reason, Value};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

const LIMITS: Limits = Limits { bytes: 1 << 20, nodes: 100_000 };

fn read(text: &str) -> Document<'_> {
    Document::read(text.as_bytes(), LIMITS).unwrap_or_else(|fault| panic!("{text}: {fault}"))
}

fn refused(bytes: &[u8]) -> Reason {
    match Document::read(bytes, LIMITS) {
        Ok(_) => panic!("accepted: {}", String::from_utf8_lossy(bytes)),
        Err(fault) => fault.reason,
    }
}

#[test]
fn what_is_json_is_read() {
    for (text, kind) in [
        ("null", Kind::Null),
        ("true", Kind::Bool),
        (" false ", Kind::Bool),
        ("0", Kind::Number),
        ("-0", Kind::Number),
        ("-0.0e-0", Kind::Number),
        ("123456789012345678901234567890", Kind::Number),
        ("1E+2", Kind::Number),
        ("1.7976931348623157e308", Kind::Number),
        ("1e-400", Kind::Number),
        ("0e999999999999", Kind::Number),
        ("\"\"", Kind::String),
        ("\"\\u0000\\u001f\\\"\\\\\\/\\b\\f\\n\\r\\t\"", Kind::String),
        ("\"\\ud83d\\ude00\"", Kind::String),
        ("\"\u{7f}\u{80}\u{2028}\u{feff}\u{fffe}\u{10ffff}\"", Kind::String),
        ("[]", Kind::Array),
        ("\t[\r\n1 , [ ] ,{ } ]", Kind::Array),
        ("{}", Kind::Object),
        ("{\"\":0}", Kind::Object),
        ("{\"a\":{\"a\":1},\"b\":{\"a\":1}}", Kind::Object),
        ("{\"a\":1,\"A\":2,\"a \":3}", Kind::Object),
    ] {
        let document = read(text);
        assert_eq!(document.root().kind(), kind, "{text}");
        assert_eq!(document.root().raw(), text.trim(), "{text}");
    }
}

#[test]
fn what_is_not_json_is_refused() {
    for (bytes, reason) in [
        (&b""[..], Reason::Incomplete),
        (b" \n", Reason::Incomplete),
        (b"nul", Reason::Unexpected),
        (b"nulll", Reason::Trailing),
        (b"True", Reason::Unexpected),
        (b"NaN", Reason::Unexpected),
        (b"Infinity", Reason::Unexpected),
        (b"-Infinity", Reason::Number),
        (b"-", Reason::Number),
        (b"+1", Reason::Unexpected),
        (b".5", Reason::Unexpected),
        (b"1.", Reason::Number),
        (b"1.e1", Reason::Number),
        (b"1e", Reason::Number),
        (b"1e+", Reason::Number),
        (b"01", Reason::Trailing),
        (b"-01", Reason::Trailing),
        (b"0x1", Reason::Trailing),
        (b"1_000", Reason::Trailing),
        (b"1e400", Reason::LargeNumber),
        (b"-1e400", Reason::LargeNumber),
        (b"[1.8e308]", Reason::LargeNumber),
        (b"'a'", Reason::Unexpected),
        (b"\"a", Reason::Incomplete),
        (b"\"a\\", Reason::Incomplete),
        (b"\"a\\\"", Reason::Incomplete),
        (b"\"\\x\"", Reason::Escape),
        (b"\"\\'\"", Reason::Escape),
        (b"\"\\u12\"", Reason::Escape),
        (b"\"\\u12g4\"", Reason::Escape),
        (b"\"\\U0041\"", Reason::Escape),
        (b"\"\\ud83d\"", Reason::Surrogate),
        (b"\"\\ud83dx\"", Reason::Surrogate),
        (b"\"\\ud83d\\n\"", Reason::Surrogate),
        (b"\"\\ude00\"", Reason::Surrogate),
        (b"\"\\ude00\\ud83d\"", Reason::Surrogate),
        (b"\"\\ud83d\\ud83d\"", Reason::Surrogate),
        (b"\"a\nb\"", Reason::ControlCharacter),
        (b"\"a\tb\"", Reason::ControlCharacter),
        (b"\"eight by\x00tes\"", Reason::ControlCharacter),
        (b"\"\xff\"", Reason::Utf8),
        (b"\"\xc0\xaf\"", Reason::Utf8),         // overlong
        (b"\"\xe0\x80\xaf\"", Reason::Utf8),     // overlong
        (b"\"\xed\xa0\x80\"", Reason::Utf8),     // surrogate
        (b"\"\xf4\x90\x80\x80\"", Reason::Utf8), // beyond U+10FFFF
        (b"\"\xe2\x82\"", Reason::Utf8),
        (b"\xef\xbb\xbf{}", Reason::ByteOrderMark),
        (b"\xff\xfe{\x00}\x00", Reason::Utf8),
        (b"{\x00}\x00", Reason::Unexpected),
        (b"[", Reason::Incomplete),
        (b"[1", Reason::Incomplete),
        (b"[1,", Reason::Incomplete),
        (b"[,1]", Reason::Unexpected),
        (b"[1,]", Reason::Unexpected),
        (b"[1,,2]", Reason::Unexpected),
        (b"[1 2]", Reason::Unexpected),
        (b"[1}", Reason::Unexpected),
        (b"{", Reason::Incomplete),
        (b"{]", Reason::Unexpected),
        (b"{\"a\"", Reason::Incomplete),
        (b"{\"a\":", Reason::Incomplete),
        (b"{\"a\":1", Reason::Incomplete),
        (b"{\"a\":1,", Reason::Incomplete),
        (b"{\"a\":1,}", Reason::Unexpected),
        (b"{,\"a\":1}", Reason::Unexpected),
        (b"{\"a\" 1}", Reason::Unexpected),
        (b"{\"a\":1]", Reason::Unexpected),
        (b"{\"a\":}", Reason::Unexpected),
        (b"{a:1}", Reason::Unexpected),
        (b"{1:1}", Reason::Unexpected),
        (b"{'a':1}", Reason::Unexpected),
        (b"{}{}", Reason::Trailing),
        (b"{}]", Reason::Trailing),
        (b"{}\x00", Reason::Trailing),
        (b"{} // more", Reason::Trailing),
        (b"/* */{}", Reason::Unexpected),
        (b"[\x0b1]", Reason::Unexpected),
        (b"[\xc2\xa01]", Reason::Unexpected), // a space, but not one of JSON's
        (b"{\"a\\u0000\":1}", Reason::NulInKey),
        (b"[{\"\\u0000\":1}]", Reason::NulInKey),
    ] {
        assert_eq!(refused(bytes), reason, "{}", String::from_utf8_lossy(bytes));
    }
}

#[test]
fn a_key_stands_once_in_an_object_at_any_depth_and_however_it_is_written() {
    let many: Vec<String> = (0..500).map(|at| format!("\"k{at}\":{at}")).collect();
    read(&format!("{{{}}}", many.join(",")));
    for (text, at) in [
        (r#"{"a":1,"a":1}"#.to_owned(), 7),
        (r#"{"a":1,"\u0061":2}"#.to_owned(), 7),
        (r#"{"\u0061":1,"\u0061":2}"#.to_owned(), 12),
        (r#"{"a\/b":1,"c":2,"a/b":2}"#.to_owned(), 16),
        (r#"[[{"x":{"a":1,"b":[{}],"a":1}}]]"#.to_owned(), 23),
        (r#"{"":1,"":2}"#.to_owned(), 6),
        (format!("{{{},\"k7\":1}}", many.join(",")), many.join(",").len() + 2),
        (format!("{{{},\"k\\u0037\":1}}", many.join(",")), many.join(",").len() + 2),
    ] {
        let fault = Document::read(text.as_bytes(), LIMITS).unwrap_err();
        assert_eq!(fault, Fault { reason: Reason::DuplicateKey, at }, "{text}");
    }
}

#[test]
fn depth_size_number_and_nodes_have_an_end() {
    let deep = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let objects = |depth: usize| format!("{}0{}", "{\"a\":".repeat(depth), "}".repeat(depth));
    read(&deep(MAX_DEPTH));
    read(&objects(MAX_DEPTH));
    assert_eq!(refused(deep(MAX_DEPTH + 1).as_bytes()), Reason::TooDeep);
    assert_eq!(refused(objects(MAX_DEPTH + 1).as_bytes()), Reason::TooDeep);
    assert_eq!(refused("[".repeat(100_000).as_bytes()), Reason::TooDeep);
    read(&"9".repeat(MAX_NUMBER));
    assert_eq!(refused("9".repeat(MAX_NUMBER + 1).as_bytes()), Reason::LongNumber);
    let with = |bytes, nodes, text: &str| {
        Document::read(text.as_bytes(), Limits { bytes, nodes }).err().map(|fault| fault.reason)
    };
    assert_eq!(with(5, 3, "[1,2]"), None);
    assert_eq!(with(4, 3, "[1,2]"), Some(Reason::TooLarge));
    assert_eq!(with(5, 2, "[1,2]"), Some(Reason::TooManyNodes));
    assert_eq!(with(9, 2, r#"{"a":1}"#), Some(Reason::TooManyNodes));
}

#[test]
fn values_are_found_with_their_bytes() {
    let text = r#" {"id" : 7, "params": {"n\u0061me":"a\tb", "list":[1, {"x":null}], "e":{}}, "ok":true} "#;
    let document = read(text);
    let params = document.root().get("params").unwrap();
    assert_eq!(params.raw(), r#"{"n\u0061me":"a\tb", "list":[1, {"x":null}], "e":{}}"#);
    assert_eq!(text.get(params.range()), Some(params.raw()));
    assert_eq!(params.get("name").and_then(Value::as_str).as_deref(), Some("a\tb"));
    assert!(params.get("n\\u0061me").is_none());
    assert_eq!(document.root().get("id").and_then(Value::as_number), Some("7"));
    assert_eq!(document.root().get("ok").and_then(Value::as_bool), Some(true));
    let keys: Vec<_> = params.members().map(|member| member.key().into_owned()).collect();
    assert_eq!(keys, ["name", "list", "e"]);
    let items: Vec<_> = params.get("list").unwrap().items().map(Value::raw).collect();
    assert_eq!(items, ["1", r#"{"x":null}"#]);
    assert_eq!(params.get("e").unwrap().members().count(), 0);
    assert_eq!((params.items().count(), params.get("list").unwrap().members().count()), (0, 0));
    assert!(params.as_str().is_none() && params.as_bool().is_none() && params.as_number().is_none());
}

#[test]
fn what_stands_in_a_document_cannot_be_printed() {
    let document = read(r#"{"k":"s3cret"}"#);
    let members: Vec<_> = document.root().members().collect();
    let printed = format!("{document:?} {:?} {members:?}", document.root());
    assert!(printed.starts_with("Document(14 bytes) Object(0..14)") && !printed.contains("s3cret"), "{printed}");
}

#[test]
fn a_pointer_finds_what_every_reader_finds_there() {
    let document = read(r#"{"a":{"b":[10,{"c/d~":"x"}],"n":null,"Twin":1,"twin":2,"ſ":0},"":3}"#);
    for (pointer, found) in [
        ("/a/b/0", Some("10")),
        ("/a/b/1/c~1d~0", Some("\"x\"")),
        ("/", Some("3")),
        ("/a/b/2", None),
        ("/a/x", None),
        ("/a/n", None),
        ("/a/n/x", None),
    ] {
        match document.root().at(&Pointer::try_from(pointer.to_owned()).unwrap()) {
            Place::Value(value) => assert_eq!(Some(value.raw()), found, "{pointer}"),
            Place::Absent => assert_eq!(None, found, "{pointer}"),
            Place::Unclear => panic!("{pointer}"),
        }
    }
    for pointer in ["/a/b/x", "/a/b/00", "/a/b/-", "/a/b/0/x", "/A", "/a/twin", "/a/TWIN", "/a/s", "/a/b/+1"] {
        let place = document.root().at(&Pointer::try_from(pointer.to_owned()).unwrap());
        assert!(matches!(place, Place::Unclear), "{pointer} {place:?}");
    }
    assert!(matches!(document.root().at(&Pointer::try_from(String::new()).unwrap()), Place::Value(_)));
    for text in ["a", "a/b", "/~", "/~2", "/a~"] {
        Pointer::try_from(text.to_owned()).unwrap_err();
    }
    assert_eq!(Pointer::try_from("/a~1b/~0".to_owned()).unwrap().to_string(), "/a~1b/~0");
}

#[test]
fn members_are_left_out_and_the_rest_stays_byte_for_byte() {
    let text = r#" {"id": 1 , "p": { "a" : 1e0, "b": [ 1 ] ,"c":"\u0041"}, "z":0} "#;
    let document = read(text);
    let object = document.root().get("p").unwrap();
    for (keys, left) in [
        (&["a"][..], r#"{"b": [ 1 ],"c":"\u0041"}"#),
        (&["b"], r#"{"a" : 1e0,"c":"\u0041"}"#),
        (&["c", "b"], r#"{"a" : 1e0}"#),
        (&["a", "b", "c"], "{}"),
    ] {
        let expected = text.replace(object.raw(), left);
        assert_eq!(String::from_utf8(document.without(object, keys)).unwrap(), expected, "{keys:?}");
    }
}

#[test]
fn values_are_spelled_as_rfc_8785_does() {
    for (text, spelled) in [
        // Section 3.2.2.
        (
            r#"{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],"string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","literals":[null,true,false]}"#,
            r#"{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}"#,
        ),
        // Section 3.2.3.
        (
            r#"{"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Hebrew Letter Dalet With Dagesh","1":"One","\ud83d\ude00":"Emoji: Grinning Face","\u0080":"Control","\u00f6":"Latin Small Letter O With Diaeresis"}"#,
            "{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\u{80}\":\"Control\",\"ö\":\"Latin Small Letter O With Diaeresis\",\"€\":\"Euro Sign\",\"😀\":\"Emoji: Grinning Face\",\"\u{fb33}\":\"Hebrew Letter Dalet With Dagesh\"}",
        ),
        (r#"{"b":"","a":{},"c":null}"#, r#"{"a":{},"b":"","c":null}"#),
    ] {
        assert_eq!(read(text).root().rfc_8785(&[]), spelled);
    }
}

#[test]
fn numbers_are_spelled_as_rfc_8785_does() {
    // Appendix B, and where ECMAScript goes from one form to another.
    for (bits, spelled) in [
        (0x0000_0000_0000_0000, "0"),
        (0x8000_0000_0000_0000, "0"),
        (0x0000_0000_0000_0001, "5e-324"),
        (0x8000_0000_0000_0001, "-5e-324"),
        (0x7fef_ffff_ffff_ffff, "1.7976931348623157e+308"),
        (0xffef_ffff_ffff_ffff, "-1.7976931348623157e+308"),
        (0x4340_0000_0000_0000, "9007199254740992"),
        (0xc340_0000_0000_0000, "-9007199254740992"),
        (0x4430_0000_0000_0000, "295147905179352830000"),
        (0x44b5_2d02_c7e1_4af5, "9.999999999999997e+22"),
        (0x44b5_2d02_c7e1_4af6, "1e+23"),
        (0x44b5_2d02_c7e1_4af7, "1.0000000000000001e+23"),
        (0x444b_1ae4_d6e2_ef4e, "999999999999999700000"),
        (0x444b_1ae4_d6e2_ef4f, "999999999999999900000"),
        (0x444b_1ae4_d6e2_ef50, "1e+21"),
        (0x3eb0_c6f7_a0b5_ed8c, "9.999999999999997e-7"),
        (0x3eb0_c6f7_a0b5_ed8d, "0.000001"),
        (0x41b3_de43_5555_5553, "333333333.3333332"),
        (0x41b3_de43_5555_5554, "333333333.33333325"),
        (0x41b3_de43_5555_5555, "333333333.3333333"),
        (0x41b3_de43_5555_5556, "333333333.3333334"),
        (0x41b3_de43_5555_5557, "333333333.33333343"),
        (0xbecb_f647_612f_3696, "-0.0000033333333333333333"),
        (0x4314_3ff3_c1cb_0959, "1424953923781206.2"),
    ] {
        let written = format!("{:e}", f64::from_bits(bits));
        assert_eq!(read(&written).root().rfc_8785(&[]), spelled, "{written}");
    }
    for (written, spelled) in [("9007199254740993", "9007199254740992"), ("-0", "0"), ("100", "100"), ("1.50", "1.5")] {
        assert_eq!(read(written).root().rfc_8785(&[]), spelled);
    }
}

#[test]
fn what_is_empty_can_be_left_out() {
    for (text, spelled) in [
        (r#"{"b":[[],[{}],"",null,0],"a":false,"c":{"d":{"e":[null]}},"f":"x"}"#, r#"{"a":false,"b":[0],"f":"x"}"#),
        (r#"{"a":[],"b":{}}"#, "{}"),
    ] {
        assert_eq!(read(text).root().rfc_8785_of_what_is_said(&[]), spelled);
    }
    assert_eq!(read(r#"{"a":1,"b":2}"#).root().rfc_8785_of_what_is_said(&["a"]), r#"{"b":2}"#);
}

#[test]
fn the_same_in_other_words_has_the_same_digest_and_nothing_else_does() {
    let digest = |text: &str| read(text).root().digest();
    let spellings =
        [r#"{"b":[1,"é/\n"],"a":{"x":null}}"#, " {\"a\" :{ \"\\u0078\":null},\n\"b\":[1,\"\\u00E9\\/\\u000a\"] }"];
    assert_eq!(digest(spellings[0]), digest(spellings[1]));
    let different = [
        "1",
        "1.0",
        "1e0",
        "-1",
        "0",
        "-0",
        "\"1\"",
        "true",
        "null",
        "[]",
        "{}",
        "[1]",
        "[[1]]",
        "[1,1]",
        "{\"a\":1}",
        "{\"a\":[1]}",
        "{\"1\":1}",
        "\"\"",
        "\"[]\"",
        "9007199254740993",
        "9007199254740992",
        "\"a\"",
        "\"A\"",
        "\"\\u0000\"",
        "[null]",
        "[\"a,b\"]",
        "[\"a\",\"b\"]",
        "{\"a\":\"b\"}",
        "{\"a\":1,\"b\":2}",
        "{\"a\":2,\"b\":1}",
    ];
    for (at, one) in different.iter().enumerate() {
        assert!(different.iter().skip(at + 1).all(|other| digest(one) != digest(other)), "{one}");
    }
    // SHA-256 of `{}`.
    assert_eq!(digest(" { } ").to_string(), "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a");
}

#[test]
fn the_one_spelling_is_that_of_rfc_8785_but_for_numbers() {
    let mut text = String::new();
    let document = read(
        r#"{ "\u20ac": "Euro Sign", "\r": "CR", "\ufb33": "Hebrew", "1": 1.50, "\ud83d\ude00": "Emoji", "\u0080": "\u0008\u001f\u2028" }"#,
    );
    document.root().canonical(&mut |piece| text.push_str(piece));
    let expected = "{\"\\r\":\"CR\",\"1\":1.50,\"\u{80}\":\"\\b\\u001f\u{2028}\",\"€\":\"Euro Sign\",\"😀\":\"Emoji\",\"\u{fb33}\":\"Hebrew\"}";
    assert_eq!(text, expected);
}

#[test]
fn numbers_are_compared_as_they_are_written() {
    let ascending = [
        "-1e300",
        "-100.5",
        "-100",
        "-2",
        "-1.5",
        "-1",
        "-1e-400",
        "0",
        "1e-400",
        "0.001",
        "0.01",
        "0.0100001",
        "0.1",
        "1",
        "1.0000000000000000000001",
        "1.5",
        "2",
        "9.99",
        "10",
        "99",
        "100",
        "101",
        "9007199254740992",
        "9007199254740993",
        "1e300",
    ];
    for (at, one) in ascending.iter().enumerate() {
        for (other_at, other) in ascending.iter().enumerate() {
            assert_eq!(Decimal::of(one).cmp(&Decimal::of(other)), at.cmp(&other_at), "{one} {other}");
        }
    }
    for (one, other) in
        [("1", "1.0"), ("100", "1e2"), ("0.5", "5E-1"), ("-0", "0.00e9"), ("120", "0.0120e+4"), ("10", "10.0")]
    {
        assert_eq!(Decimal::of(one).unwrap(), Decimal::of(other).unwrap(), "{one} {other}");
    }
    for text in ["", "+1", "01", "1.", "0x1", " 1", "1 ", "NaN", "1e400"] {
        assert!(Decimal::of(text).is_none(), "{text}");
    }
}

#[cfg(not(target_arch = "wasm32"))]
mod of_any_text {
    use super::{Decimal, Document, Kind, LIMITS, Value, read};
    use proptest::prelude::*;
    use serde_json::Value as Tree;
    use std::fmt::Write as _;

    fn tree() -> impl Strategy<Value = Tree> {
        // `serde_json` reads other fractions only nearly as they are written.
        let number =
            prop_oneof![any::<i64>().prop_map(Tree::from), any::<i32>().prop_map(|it| Tree::from(f64::from(it) / 8.0))];
        let leaf = prop_oneof![
            Just(Tree::Null),
            any::<bool>().prop_map(Tree::from),
            number,
            "[a-c\"\\\\/\n\u{0}-\u{1f}é😀ſ]{0,4}".prop_map(Tree::from),
        ];
        leaf.prop_recursive(4, 40, 16, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..16).prop_map(Tree::from),
                proptest::collection::vec(("[a-d\"\\\\é😀]{0,2}", inner), 0..16)
                    .prop_map(|members| Tree::Object(members.into_iter().collect())),
            ]
        })
    }

    /// `tree` with white space, order of keys and escapes as `dice` wants them.
    fn spell(tree: &Tree, dice: &mut dyn FnMut() -> u8, out: &mut String) {
        let space = |dice: &mut dyn FnMut() -> u8| ["", "", " ", "\n\t"][usize::from(dice() % 4)];
        out.push_str(space(dice));
        match tree {
            Tree::String(text) => spell_text(text, dice, out),
            Tree::Array(items) => {
                out.push('[');
                for (at, item) in items.iter().enumerate() {
                    out.push_str(if at == 0 { "" } else { "," });
                    spell(item, dice, out);
                }
                out.push(']');
            }
            Tree::Object(members) => {
                let mut members: Vec<_> = members.iter().collect();
                if dice().is_multiple_of(2) {
                    members.reverse();
                }
                out.push('{');
                for (at, (key, value)) in members.into_iter().enumerate() {
                    out.push_str(if at == 0 { "" } else { "," });
                    spell_text(key, dice, out);
                    out.push_str(space(dice));
                    out.push(':');
                    spell(value, dice, out);
                }
                out.push('}');
            }
            other => out.push_str(&other.to_string()),
        }
        out.push_str(space(dice));
    }

    fn spell_text(text: &str, dice: &mut dyn FnMut() -> u8, out: &mut String) {
        out.push('"');
        for char in text.chars() {
            if dice().is_multiple_of(3) {
                char.encode_utf16(&mut [0; 2]).iter().for_each(|unit| write!(out, "\\u{unit:04X}").unwrap());
            } else {
                let quoted = serde_json::to_string(&char).unwrap();
                out.push_str(quoted.trim_start_matches('"').strip_suffix('"').unwrap_or("\\\""));
            }
        }
        out.push('"');
    }

    fn spelled(tree: &Tree, seed: u64) -> String {
        let mut state = seed | 1;
        let mut out = String::new();
        spell(
            tree,
            &mut || {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                u8::try_from(state >> 56).unwrap()
            },
            &mut out,
        );
        out
    }

    fn to_tree(value: Value<'_, '_>) -> Tree {
        match value.kind() {
            Kind::Null => Tree::Null,
            Kind::Bool => value.as_bool().into(),
            Kind::Number => serde_json::from_str(value.raw()).unwrap(),
            Kind::String => value.as_str().unwrap().into(),
            Kind::Array => value.items().map(to_tree).collect::<Vec<_>>().into(),
            Kind::Object => {
                Tree::Object(value.members().map(|it| (it.key().into_owned(), to_tree(it.value))).collect())
            }
        }
    }

    fn has_nul_key(tree: &Tree) -> bool {
        match tree {
            Tree::Array(items) => items.iter().any(has_nul_key),
            Tree::Object(members) => members.iter().any(|(key, value)| key.contains('\0') || has_nul_key(value)),
            _ => false,
        }
    }

    /// What we accept, `serde_json` accepts with the same value and as many keys.
    fn is_accepted_as_the_same(bytes: &[u8]) -> bool {
        let Ok(document) = Document::read(bytes, LIMITS) else { return false };
        let other: Tree = serde_json::from_slice(bytes).unwrap();
        assert_eq!(to_tree(document.root()), other);
        true
    }

    proptest! {
        #[test]
        fn what_is_accepted_is_read_as_others_read_it(tree in tree(), seed in any::<u64>()) {
            let text = spelled(&tree, seed);
            prop_assert_eq!(&to_tree(read(&text).root()), &tree, "{}", text);
            prop_assert!(is_accepted_as_the_same(text.as_bytes()));
        }

        #[test]
        fn one_change_makes_it_refused_or_something_that_others_read_too(
            tree in tree(), seed in any::<u64>(), at in any::<prop::sample::Index>(), new in any::<u8>(), how in 0..4_u8
        ) {
            let mut bytes = spelled(&tree, seed).into_bytes();
            let at = at.index(bytes.len());
            match how {
                0 => bytes[at] = new,
                1 => bytes.insert(at, new),
                2 => drop(bytes.remove(at)),
                _ => bytes.truncate(at),
            }
            if !is_accepted_as_the_same(&bytes) && let Ok(other) = serde_json::from_slice::<Tree>(&bytes) {
                // Refused for what `serde_json` lets through: a key that stands twice or holds U+0000.
                let reason = Document::read(&bytes, LIMITS).unwrap_err().reason;
                prop_assert!(reason == super::Reason::DuplicateKey || has_nul_key(&other), "{:?}", reason);
            }
        }

        #[test]
        fn text_of_the_right_letters_is_refused_or_read_as_others_read_it(text in "[\\[\\]{}:,\"\\\\u0-9eE+.\\- ad]{0,24}") {
            is_accepted_as_the_same(text.as_bytes());
        }

        #[test]
        fn a_digest_depends_on_what_is_said_and_not_on_how(one in tree(), other in tree(), seed in any::<u64>()) {
            let digest = |text: &str| read(text).root().digest();
            let plain = digest(&one.to_string());
            prop_assert_eq!(digest(&spelled(&one, seed)), plain);
            prop_assert_eq!(digest(&other.to_string()) == plain, one == other);
        }

        #[test]
        fn the_one_spelling_says_the_same_and_has_itself_as_its_one_spelling(tree in tree()) {
            let canonical = |text: &str| {
                let mut out = String::new();
                read(text).root().canonical(&mut |piece| out.push_str(piece));
                out
            };
            let once = canonical(&tree.to_string());
            prop_assert_eq!(serde_json::from_str::<Tree>(&once).unwrap(), tree);
            prop_assert_eq!(canonical(&once), once);
        }

        #[test]
        fn decimals_are_in_the_order_of_what_doubles_can_tell_apart(one in -1e6..1e6_f64, other in -1e6..1e6_f64, e in -9..9_i32) {
            let texts = [format!("{one}e{e}"), format!("{other}e{e}")];
            let decimals = texts.each_ref().map(|text| Decimal::of(text).unwrap());
            prop_assert_eq!(decimals[0].cmp(&decimals[1]), one.partial_cmp(&other).unwrap());
            let (plain, exponent) = (one.to_string(), format!("{one:e}"));
            prop_assert_eq!(Decimal::of(&exponent).unwrap(), Decimal::of(&plain).unwrap());
        }
    }
}
