use super::super::tests::with_json;
use super::{Reply, carried, forwarded};
use serde_json::{Value, json};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

#[test]
fn only_a_yes_is_a_yes() {
    for (response, reply) in [
        (json!({"action": "accept", "content": {"confirm": true}}), Reply::Yes),
        (json!({"action": "accept", "content": {"confirm": true, "other": 1}}), Reply::Yes),
        (json!({"action": "accept", "content": {"confirm": false}}), Reply::No),
        (json!({"action": "decline"}), Reply::No),
        (json!({"action": "decline", "content": {"confirm": true}}), Reply::No),
        (json!({"action": "cancel"}), Reply::No),
        (json!({"action": "accept"}), Reply::Missing),
        (json!({"action": "accept", "content": {"confirm": "true"}}), Reply::Missing),
        (json!({"action": "accept", "content": {"confirm": 1}}), Reply::Missing),
        (json!({"action": "Accept", "content": {"confirm": true}}), Reply::Missing),
        (json!({"content": {"confirm": true}}), Reply::Missing),
        (json!("accept"), Reply::Missing),
    ] {
        let params = json!({"inputResponses": {"theirs": {"action": "accept"}, "tollgate/approval": response}});
        with_json(&params.to_string(), |document| {
            assert_eq!(Reply::of(Some(document.root())), reply, "{}", document.text())
        });
    }
    for params in [json!({}), json!({"inputResponses": {"other": {"action": "accept", "content": {"confirm": true}}}})]
    {
        with_json(&params.to_string(), |document| assert_eq!(Reply::of(Some(document.root())), Reply::Missing));
    }
    assert_eq!(Reply::of(None), Reply::Missing);
}

#[test]
fn the_server_gets_its_own_state_and_answers_and_not_ours() {
    for (before, carried, after) in [
        (
            r#"{"id": 1, "params": {"name" : "a", "requestState":"tollgate1.x", "inputResponses":{"tollgate/approval":{}}} , "x":2}"#,
            None,
            r#"{"id": 1, "params": {"name" : "a"} , "x":2}"#,
        ),
        (
            r#"{"params": {"requestState":"tollgate1.x","inputResponses":{"a": 1,"tollgate\/approval":{"b":[]},"c":{"d" : 2}},"e":1.0}}"#,
            None,
            r#"{"params": {"inputResponses":{"a": 1,"c":{"d" : 2}},"e":1.0}}"#,
        ),
        (
            r#"{"params": {"requestState":"tollgate1.x","inputResponses":{"tollgate/approval":{},"b":1},"e":1.0}}"#,
            Some(r#""requestState":"th\"eirs","inputResponses":{"a":1}"#),
            r#"{"params": {"e":1.0,"requestState":"th\"eirs","inputResponses":{"a":1}}}"#,
        ),
        (r#"{"params": {"requestState":"x"}}"#, None, r#"{"params": {}}"#),
        (r#"{"params": {}}"#, Some(r#""requestState":"""#), r#"{"params": {"requestState":""}}"#),
    ] {
        with_json(before, |document| {
            let out = forwarded(document, document.root().get("params").unwrap(), carried);
            assert_eq!(String::from_utf8(out.clone()).unwrap(), after);
            serde_json::from_slice::<Value>(&out).unwrap();
        });
    }
}

#[test]
fn what_a_client_has_for_the_server_is_carried_while_it_is_asked_something_else() {
    for (params, expected) in [
        (r#"{"name":"a","arguments":{"requestState":1}}"#, None),
        (r#"{"inputResponses":{"tollgate/approval":{}}}"#, None),
        (r#"{"requestState" : "th\u00e9irs"}"#, Some(r#""requestState" : "th\u00e9irs""#)),
        (
            r#"{"inputResponses":{"a" : 1,"tollgate/approval":{}},"requestState":"x"}"#,
            Some(r#""inputResponses":{"a" : 1},"requestState":"x""#),
        ),
    ] {
        with_json(params, |document| assert_eq!(carried(document, document.root()).as_deref(), expected, "{params}"));
    }
}
