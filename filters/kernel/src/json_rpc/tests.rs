use super::{INVALID_REQUEST, Id, Message, PARSE_ERROR, Reason, Recipient, error, result};
use crate::json::{self, Document, Limits, Value};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

const LIMITS: Limits = Limits { bytes: 1 << 16, nodes: 1000 };

fn document(text: &str) -> Document<'_> {
    Document::read(text.as_bytes(), LIMITS).unwrap()
}

/// The message in short: what it is, its method, id and the rest.
fn short(text: &str) -> Result<String, (Reason, Option<String>)> {
    let document = document(text);
    let raw = |value: Option<Value<'_, '_>>| value.map_or("-", Value::raw).to_owned();
    match Message::of(&document) {
        Ok(Message::Request { id, method, params }) => Ok(format!("request {} {method} {}", id.raw(), raw(params))),
        Ok(Message::Notification { method, params }) => Ok(format!("notification {method} {}", raw(params))),
        Ok(Message::Result { id, result }) => Ok(format!("result {} {}", id.raw(), result.raw())),
        Ok(Message::Error { id, error }) => Ok(format!("error {} {}", id.as_ref().map_or("-", Id::raw), error.raw())),
        Err(fault) => Err((fault.reason, fault.id.map(|id| id.raw().to_owned()))),
    }
}

#[test]
fn messages_are_read() {
    for (text, expected) in [
        (r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#, "request 1 ping -"),
        (
            r#"{"params":{"a":[1]},"method":"tools\/call","id":"a\u0062","jsonrpc":"2.\u0030"}"#,
            r#"request "a\u0062" tools/call {"a":[1]}"#,
        ),
        (r#"{"jsonrpc":"2.0","m\u0065thod":"ping","id":-9007199254740992}"#, "request -9007199254740992 ping -"),
        (r#"{"jsonrpc":"2.0","id":"","method":"ping","params":{}}"#, r#"request "" ping {}"#),
        (r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#, "notification notifications/initialized -"),
        (r#"{"jsonrpc":"2.0","id":3,"result":{"a":1}}"#, r#"result 3 {"a":1}"#),
        (r#"{"jsonrpc":"2.0","id":3,"result":null}"#, "result 3 null"),
        (r#"{"jsonrpc":"2.0","id":3,"error":{"code":1,"message":"x"}}"#, r#"error 3 {"code":1,"message":"x"}"#),
        (r#"{"jsonrpc":"2.0","id":null,"error":{}}"#, "error - {}"),
        (r#"{"jsonrpc":"2.0","error":{}}"#, "error - {}"),
    ] {
        assert_eq!(short(text).unwrap(), expected, "{text}");
    }
}

#[test]
fn what_is_no_message_is_refused_with_the_id_if_there_is_one() {
    for (text, reason, id) in [
        ("[]", Reason::Batch, None),
        (r#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#, Reason::Batch, None),
        ("\"x\"", Reason::NotAnObject, None),
        ("null", Reason::NotAnObject, None),
        ("{}", Reason::Version, None),
        (r#"{"id":1,"method":"ping"}"#, Reason::Version, Some("1")),
        (r#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#, Reason::Version, Some("1")),
        (r#"{"jsonrpc":2.0,"id":1,"method":"ping"}"#, Reason::Version, Some("1")),
        (r#"{"jsonrpc":"2.0","id":1}"#, Reason::Ambiguous, Some("1")),
        (r#"{"jsonrpc":"2.0","id":1,"params":{}}"#, Reason::Ambiguous, Some("1")),
        (r#"{"jsonrpc":"2.0","id":1,"method":"ping","result":{}}"#, Reason::Ambiguous, Some("1")),
        (r#"{"jsonrpc":"2.0","id":1,"method":"ping","error":{}}"#, Reason::Ambiguous, Some("1")),
        (r#"{"jsonrpc":"2.0","id":1,"result":{},"error":{}}"#, Reason::Ambiguous, Some("1")),
        (r#"{"jsonrpc":"2.0","id":1,"result":{},"params":{}}"#, Reason::Ambiguous, Some("1")),
        (r#"{"jsonrpc":"2.0","id":1,"method":"ping","Method":"x"}"#, Reason::UnknownMember, Some("1")),
        (r#"{"jsonrpc":"2.0","ID":1,"method":"ping"}"#, Reason::UnknownMember, None),
        (r#"{"jsonrpc":"2.0","id":1,"method":"ping","paramſ":{}}"#, Reason::UnknownMember, Some("1")),
        (r#"{"pad":"............","jsonrpc":"2.0","id":1,"method":"ping"}"#, Reason::UnknownMember, Some("1")),
        (r#"{"jsonrpc":"2.0","id":1.0,"method":"ping"}"#, Reason::Id, None),
        (r#"{"jsonrpc":"2.0","id":1e3,"method":"ping"}"#, Reason::Id, None),
        (r#"{"jsonrpc":"2.0","id":-0,"method":"ping"}"#, Reason::Id, None),
        (r#"{"jsonrpc":"2.0","id":9007199254740993,"method":"ping"}"#, Reason::Id, None),
        (r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#, Reason::Id, None),
        (r#"{"jsonrpc":"2.0","id":true,"method":"ping"}"#, Reason::Id, None),
        (r#"{"jsonrpc":"2.0","id":{},"method":"ping"}"#, Reason::Id, None),
        (r#"{"jsonrpc":"2.0","id":[1],"method":"ping"}"#, Reason::Id, None),
        (r#"{"jsonrpc":"2.0","result":{}}"#, Reason::Id, None),
        (r#"{"jsonrpc":"2.0","id":null,"result":{}}"#, Reason::Id, None),
        (r#"{"jsonrpc":"2.0","id":1.5,"error":{}}"#, Reason::Id, None),
        (r#"{"jsonrpc":"2.0","id":1,"error":"x"}"#, Reason::Error, Some("1")),
        (r#"{"jsonrpc":"2.0","id":1,"method":null}"#, Reason::Method, Some("1")),
        (r#"{"jsonrpc":"2.0","id":1,"method":["ping"]}"#, Reason::Method, Some("1")),
        (r#"{"jsonrpc":"2.0","id":1,"method":""}"#, Reason::Method, Some("1")),
        (r#"{"jsonrpc":"2.0","id":1,"method":"pi ng"}"#, Reason::Method, Some("1")),
        (r#"{"jsonrpc":"2.0","id":1,"method":"ping\u0000"}"#, Reason::Method, Some("1")),
        (r#"{"jsonrpc":"2.0","id":1,"method":"tоols/call"}"#, Reason::Method, Some("1")),
        (r#"{"jsonrpc":"2.0","id":1,"method":"ping\u200b"}"#, Reason::Method, Some("1")),
        (r#"{"jsonrpc":"2.0","id":"x","method":"ping","params":[]}"#, Reason::Params, Some("\"x\"")),
        (r#"{"jsonrpc":"2.0","id":"x","method":"ping","params":null}"#, Reason::Params, Some("\"x\"")),
    ] {
        assert_eq!(short(text).unwrap_err(), (reason, id.map(str::to_owned)), "{text}");
        assert_eq!(reason.code(), INVALID_REQUEST);
    }
}

#[test]
fn text_that_is_not_json_is_a_parse_error() {
    let fault = Document::read(b"{", LIMITS).unwrap_err();
    let fault = super::Fault::from(fault);
    assert_eq!((fault.reason.code(), fault.reason.name()), (PARSE_ERROR, "incomplete"));
    assert_eq!(fault.reason.to_string(), "ends too early at byte 1");
    assert!(fault.id.is_none());
}

#[test]
fn ids_are_the_same_however_they_are_written_and_numbers_are_no_strings() {
    let texts = ["1", "\"1\"", "\"a\"", "\"\\u0061\"", "\"b\"", "-1"];
    let documents = texts.map(document);
    let ids = documents.each_ref().map(|document| Id::of(document.root()).unwrap());
    for (at, one) in ids.iter().enumerate() {
        for (other_at, other) in ids.iter().enumerate() {
            let same = at == other_at || [at, other_at] == [2, 3] || [at, other_at] == [3, 2];
            assert_eq!(one.is(other), same, "{one:?} {other:?}");
        }
    }
}

#[test]
fn answers_carry_the_id_byte_for_byte() {
    let document = document(r#""\u0041\/""#);
    let id = Id::of(document.root()).unwrap().into_owned();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    assert_eq!(text(result(&id, "{}")), r#"{"jsonrpc":"2.0","id":"\u0041\/","result":{}}"#);
    assert_eq!(
        text(error(Recipient::Of(&id), -32600, "a \"b\"\n", Some("[1]"))),
        r#"{"jsonrpc":"2.0","id":"\u0041\/","error":{"code":-32600,"message":"a \"b\"\n","data":[1]}}"#
    );
    assert_eq!(
        text(error(Recipient::Null, 1, "", None)),
        r#"{"jsonrpc":"2.0","id":null,"error":{"code":1,"message":""}}"#
    );
    assert_eq!(text(error(Recipient::Unnamed, 1, "", None)), r#"{"jsonrpc":"2.0","error":{"code":1,"message":""}}"#);
}

#[cfg(not(target_arch = "wasm32"))]
mod of_any_message {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value as Tree;

    fn member() -> impl Strategy<Value = String> {
        let key = prop::sample::select(vec![
            "jsonrpc",
            "id",
            "method",
            "params",
            "result",
            "error",
            "Id",
            "x",
            "m\\u0065thod",
        ]);
        let value =
            prop::sample::select(vec!["\"2.0\"", "1", "\"a\"", "null", "{}", "[]", "1.5", "\"ping\"", "{\"id\":2}"]);
        (key, value).prop_map(|(key, value)| format!("\"{key}\":{value}"))
    }

    proptest! {
        #[test]
        fn what_is_accepted_is_one_message_of_json_rpc(
            members in proptest::collection::vec(member(), 0..5), version in any::<bool>(), method in any::<bool>()
        ) {
            let fixed = [version.then_some("\"jsonrpc\":\"2.0\""), method.then_some("\"method\":\"ping\"")];
            let all: Vec<&str> = fixed.into_iter().flatten().chain(members.iter().map(String::as_str)).collect();
            let text = format!("{{{}}}", all.join(","));
            let Ok(document) = Document::read(text.as_bytes(), LIMITS) else { return Ok(()) };
            let Ok(message) = Message::of(&document) else { return Ok(()) };
            let tree: Tree = serde_json::from_str(&text).unwrap();
            let has = |key: &str| tree.get(key).is_some();
            prop_assert_eq!(&tree["jsonrpc"], "2.0");
            prop_assert_eq!(["method", "result", "error"].into_iter().filter(|key| has(key)).count(), 1);
            match message {
                Message::Request { id, method, .. } => {
                    prop_assert_eq!(&tree["method"], &*method);
                    prop_assert_eq!(&tree["id"], &serde_json::from_str::<Tree>(id.raw()).unwrap());
                }
                Message::Notification { .. } => prop_assert!(!has("id")),
                Message::Result { .. } => prop_assert!(has("result")),
                Message::Error { .. } => prop_assert!(has("error")),
            }
        }

        #[test]
        fn an_error_is_json_whatever_it_says(message in any::<String>(), code in any::<i32>()) {
            let tree: Tree = serde_json::from_slice(&error(Recipient::Null, code, &message, None)).unwrap();
            prop_assert_eq!(&tree["error"]["message"], &message);
            prop_assert_eq!(&tree["error"]["code"], code);
        }
    }
}

#[test]
fn reasons_do_not_quote_the_message() {
    let secret = r#"{"jsonrpc":"2.0","id":1,"method":"s3cret","s3cret":"s3cret"}"#;
    let document = document(secret);
    let fault = Message::of(&document).unwrap_err();
    assert!(!fault.reason.to_string().contains("s3cret"));
    assert_eq!(json::Reason::DuplicateKey.to_string(), "a key stands twice in an object");
}
