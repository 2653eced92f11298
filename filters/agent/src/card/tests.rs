use super::{Awaited, OPERATION};
use crate::config::Gate;
use crate::example::{caller, exchange, gate, headers, id};
use crate::exchange::{Asked, Exchange};
use crate::refusal::Refusal;
use serde_json::{Value, json};
use std::rc::Rc;
use tollgate_host::stream::Reply;
use tollgate_kernel::a2a::answer::Outcome;
use tollgate_kernel::a2a::{Binding, Named, Operation};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

const URL: &str = "https://agents.example/agents/planner";

fn published() -> Rc<Gate> {
    gate(&json!({
        "cards": {"url": "https://agents.example"},
        "rules": [
            {"deny": {"skills": ["pay"], "tiers": ["gold"]}},
            {"allow": {"agents": ["assistant"], "callees": ["planner"]}},
        ],
    }))
}

fn card() -> Value {
    json!({"name": "planner", "url": "http://planner.internal", "skills": [{"id": "plan"}, {"id": "pay"}]})
}

fn public(gate: &Gate) -> Exchange {
    let asked = Asked { id: None, operation: Named::Other(OPERATION.into()), said: None };
    Exchange { asked: Some(asked), ..exchange(gate) }
}

fn finish(mut awaited: Awaited, gate: &Gate, exchange: &mut Exchange, body: &Value) -> Result<Reply, Refusal> {
    let body = body.to_string();
    let (one, other) = body.as_bytes().split_at(body.len() / 2);
    awaited.push(one, 1 << 20)?;
    awaited.push(other, 1 << 20)?;
    awaited.finish(gate, exchange, 200)
}

#[test]
fn a_caller_reads_of_the_card_what_is_for_it() {
    let gate = published();
    let skills = |caller| {
        let mut exchange = Exchange { caller, ..public(&gate) };
        let reply = finish(Awaited::public(&headers(&[])), &gate, &mut exchange, &card()).unwrap();
        let card: Value = serde_json::from_slice(&reply.body).unwrap();
        assert_eq!((reply.status, &card["url"]), (200, &json!(URL)));
        assert_eq!(exchange.tally.outcome, Outcome::Result);
        card["skills"].clone()
    };
    assert_eq!(skills(Some(Rc::new(caller()))), json!([{"id": "plan"}]));
    assert_eq!(skills(None), json!([]), "of whom nothing is known");
}

#[test]
fn who_has_the_card_gets_it_no_second_time() {
    let gate = published();
    let read = |tags: &str| {
        let asked = headers(&[("if-none-match", tags)]);
        finish(Awaited::public(&asked), &gate, &mut public(&gate), &card()).unwrap()
    };
    let header =
        |reply: &Reply, name: &str| reply.headers.iter().find(|(key, _)| *key == name).map(|(_, value)| value.clone());
    let first = read("\"other\"");
    let tag = header(&first, "etag").unwrap();
    let second = read(&tag);
    assert_eq!((first.status, second.status, second.body.len()), (200, 304, 0));
    assert_eq!(header(&second, "etag"), Some(tag));
    assert_eq!(header(&second, "cache-control").as_deref(), Some("private, no-cache"));
    assert_eq!(header(&second, "content-type"), None);
}

#[test]
fn in_json_rpc_a_card_is_the_result_and_an_error_is_passed_on() {
    let gate = published();
    let read = |body: Value| {
        let asked = Asked { id: Some(id("7")), operation: Named::Known(Operation::GetExtendedCard), said: None };
        let mut exchange = Exchange { asked: Some(asked), ..exchange(&gate) };
        finish(Awaited::extended(Binding::JsonRpc), &gate, &mut exchange, &body)
            .map(|reply| serde_json::from_slice::<Value>(&reply.body).unwrap())
            .map_err(|refusal| refusal.reason())
    };
    let with = |more: Value| {
        let mut message = json!({"jsonrpc": "2.0"});
        message.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        message
    };
    let answer = read(with(json!({"id": 7, "result": card()}))).unwrap();
    assert_eq!((&answer["id"], &answer["result"]["url"]), (&json!(7), &json!(URL)));
    let error = with(json!({"id": 7, "error": {"code": -32007, "message": "none"}}));
    assert_eq!(read(error.clone()), Ok(error));
    for (other, reason) in [
        (with(json!({"id": 8, "result": card()})), "card_json_rpc"),
        (with(json!({"id": 7, "result": card(), "error": {}})), "card_json_rpc"),
        (card(), "card_json_rpc"),
        (json!([]), "card_json_rpc"),
        (with(json!({"id": 7, "result": []})), "card_shape"),
    ] {
        assert_eq!(read(other), Err(reason));
    }
}

#[test]
fn a_card_that_cannot_be_read_is_not_passed_on() {
    let plain = ("content-type", "application/json");
    let awaited = || Awaited::public(&headers(&[]));
    for (status, pairs, end, reason) in [
        (200, &[plain][..], false, None),
        (200, &[("content-type", "application/a2a+json; charset=utf-8")], false, None),
        (200, &[plain, ("content-encoding", "identity")], false, None),
        (200, &[plain, ("content-encoding", "br")], false, Some("answer_encoded")),
        (200, &[("content-type", "text/html")], false, Some("answer_content_type")),
        (200, &[], false, Some("answer_content_type")),
        (200, &[plain], true, Some("card_json")),
        (206, &[plain], false, Some("card_status")),
        (304, &[plain], true, Some("card_status")),
        (500, &[plain], false, Some("card_status")),
        (404, &[plain], false, Some("no_card")),
    ] {
        let begun = awaited().begin(&headers(pairs), status, end).map_err(|refusal| refusal.reason());
        assert_eq!(begun.err(), reason, "{status} {pairs:?}");
    }
    let mut full = awaited();
    assert_eq!(full.push(&[b' '; 8], 10), Ok(()));
    assert_eq!(full.push(&[b' '; 3], 10), Err(Refusal::Answer("card_too_large")));
    assert!(Awaited::extended(Binding::HttpJson).is_told_otherwise(404));
    assert!(!Awaited::extended(Binding::JsonRpc).is_told_otherwise(404));
    assert!(!awaited().is_told_otherwise(404));
}

#[test]
fn an_agent_that_is_found_nowhere_has_no_card() {
    let gate = gate(&json!({}));
    assert_eq!(finish(Awaited::public(&headers(&[])), &gate, &mut public(&gate), &card()), Err(Refusal::NoCard));
}
