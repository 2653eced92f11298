use super::of;
use crate::example::{self, NOON, exchange};
use crate::exchange::{Asked, Exchange};
use crate::refusal::Refusal;
use serde_json::{Value, json};
use std::rc::Rc;
use tollgate_host::ending::Ending;
use tollgate_identity::NotProven;
use tollgate_kernel::a2a::Named;
use tollgate_kernel::a2a::answer::{Outcome, State, Tally};
use tollgate_kernel::subject::{Field, Label, Subject};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

const MS: u64 = 1_000_000;

fn ending() -> Ending {
    Ending { now: NOON + 1_500 * MS, status: Some(200), flags: Some(0), details: None, bytes: 99 }
}

fn recorded(exchange: &Exchange, ending: &Ending) -> Value {
    let line = of(exchange, &[], ending);
    assert!(!line.bytes().any(|byte| byte < b' '), "{line:?}");
    serde_json::from_str(&line).expect("JSON")
}

#[test]
fn an_edge_is_one_line() {
    let gate = example::gate(&json!({}));
    let tally = Tally {
        outcome: Outcome::Task,
        payloads: 2,
        state: Some(State::Completed),
        artifacts: 1,
        task: Some("task-1".to_owned()),
        context: Some("context-1".to_owned()),
        ..Tally::default()
    };
    assert_eq!(
        recorded(&Exchange { tally, ..exchange(&gate) }, &ending()),
        json!({
            "time": "2026-11-22T12:00:00.000Z", "filter": "agent", "id": "request-1",
            "subject": {"user": "ada@example.org", "tier": "gold", "agent": "assistant"},
            "asked": {
                "callee": "planner", "a2a.binding": "JSONRPC", "a2a.version": "1.0", "a2a.operation": "SendMessage",
                "jsonrpc.request.id": "7", "gen_ai.conversation.id": "context-1", "a2a.message.id": "message-1",
                "a2a.skill": "plan", "bytes": 150,
            },
            "decision": {"verdict": "allow", "rule": "rules.#1", "reason": "rule"},
            "answer": {
                "status": 200, "bytes": 99, "ms": 1500, "end": "complete", "outcome": "task",
                "gen_ai.conversation.id": "context-1", "a2a.task.id": "task-1", "state": "completed",
                "payloads": 2, "artifacts": 1,
            },
        })
    );
}

#[test]
fn every_end_has_its_word() {
    let gate = example::gate(&json!({}));
    let refused = || Exchange { refusal: Some(Refusal::UnknownAgent), went_on: false, ..exchange(&gate) };
    for (exchange, ending, end, verdict, reason) in [
        (exchange(&gate), ending(), "complete", "allow", "rule"),
        (exchange(&gate), Ending { status: Some(503), ..ending() }, "failed", "allow", "rule"),
        (exchange(&gate), Ending { flags: Some(1 << 14), ..ending() }, "client_gone", "allow", "rule"),
        (refused(), Ending { status: Some(404), ..ending() }, "refused", "deny", "unknown_agent"),
        (Exchange::default(), Ending { status: Some(401), ..ending() }, "failed", "deny", "refused_by_another_filter"),
        (Exchange { began: NOON, ..Exchange::default() }, ending(), "complete", "deny", "incomplete_request"),
    ] {
        let record = recorded(&exchange, &ending);
        assert_eq!(record["answer"]["end"], end, "{record}");
        assert_eq!((&record["decision"]["verdict"], &record["decision"]["reason"]), (&json!(verdict), &json!(reason)));
    }
}

#[test]
fn what_nobody_read_is_said_to_be_unread() {
    let gate = example::gate(&json!({}));
    let asked = Asked { id: None, operation: Named::Other("/other.Service/\"\n".into()), said: None };
    let record = recorded(&Exchange { asked: Some(asked), ..exchange(&gate) }, &ending());
    assert_eq!(record["asked"]["unread"], true);
    assert_eq!(record["asked"]["a2a.operation"], "/other.Service/\"\n");
}

#[test]
fn no_caller_makes_a_record_as_long_as_it_likes() {
    let gate = example::gate(&json!({}));
    let long = "x".repeat(1 << 20);
    let asked =
        Asked { id: Some(example::id(&format!("\"{long}\""))), operation: Named::Other(long.into()), said: None };
    let line = of(&Exchange { asked: Some(asked), ..exchange(&gate) }, &[], &ending());
    assert!(line.len() < 2048, "{}", line.len());
}

#[test]
fn who_acted_before_and_what_does_not_agree_is_told() {
    let gate = example::gate(&json!({}));
    let billing = Label::try_from("billing".to_owned()).unwrap();
    let caller = example::caller().acting(&Subject::default(), vec![billing]).unwrap();
    let record = recorded(&Exchange { caller: Some(Rc::new(caller)), ..exchange(&gate) }, &ending());
    assert_eq!(record["chain"], json!(["billing"]));
    let refusal = Some(Refusal::Mismatch(NotProven::Conflict(Field::Agent)));
    let claimed = vec![("token", example::caller().subject)];
    let record = recorded(&Exchange { refusal, caller: None, claimed, ..exchange(&gate) }, &ending());
    let expected = json!({
        "verdict": "deny", "rule": "identity.any_of", "reason": "identity_mismatch", "mismatch": "subject_conflict",
        "token": {"user": "ada@example.org", "tier": "gold", "agent": "assistant"},
    });
    assert_eq!(record["decision"], expected);
}
