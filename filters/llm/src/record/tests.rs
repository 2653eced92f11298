use super::{of_exchange, of_stranger, outcome};
use crate::answer::Tally;
use crate::calibrations::Calibrations;
use crate::example::{self, NOON, USAGE};
use crate::exchange::{Attempt, Exchange, Outcome};
use crate::refusal::Refusal;
use crate::settle::{Ending, settle};
use serde_json::{Value, json};
use tollgate_identity::Fault;
use tollgate_wire::Format;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

const MS: u64 = 1_000_000;
const BODY: &str = r#"{"model":"claude","messages":[]}"#;

fn recorded(exchange: &mut Exchange, status: Option<u16>) -> String {
    let ending = Ending { now: NOON + 1_500 * MS, status, flags: Some(0), connected: true, details: None };
    let settled = settle(exchange, &ending, &mut Calibrations::default());
    of_exchange(exchange, &settled, &[], &ending)
}

/// The line without the record's line ends, for people to read here.
fn golden(line: &str) -> String {
    line.lines().map(str::trim).collect()
}

#[test]
fn a_fallback_is_told_attempt_by_attempt() {
    let mut exchange = example::exchange(Format::OpenaiChat, BODY);
    exchange.trace_id = Some("4bf92f3577b34da6a3ce929d0e0e4736".to_owned());
    exchange.response_bytes = 77;
    let refused = Attempt { status: Some(529), ..example::attempt(0, Outcome::Refused("overloaded")) };
    let served = Attempt {
        target: 1,
        began: NOON + 100 * MS,
        ended: Some(NOON + 1_400 * MS),
        status: Some(200),
        first_token: Some(NOON + 350 * MS),
        tally: Tally { usage: Some(USAGE), usage_is_final: true, stopped: true, output_bytes: 400, ..Tally::default() },
        ..example::attempt(1, Outcome::Served)
    };
    exchange.attempts = vec![Attempt { ended: Some(NOON + 90 * MS), ..refused }, served];
    let expected = golden(
        r#"{"time":"2026-11-22T12:00:00.000Z","filter":"llm","id":"request-1","trace":"4bf92f3577b34da6a3ce929d0e0e4736",
        "subject":{"key":"support","team":"Support"},
        "asked":{"format":"openai-chat","operation":"chat","model":"claude","stream":false,"bytes":32},
        "decision":{"verdict":"allow","rule":"models.claude","reason":"model_allowed"},
        "attempts":[
        {"provider":"anthropic","system":"anthropic","model":"claude-sonnet-4-5","status":529,"outcome":"failed","reason":"overloaded","ms":90,
        "usage":null,"certainty":"exact","cost_nano_usd":0},
        {"provider":"openai","system":"openai","model":"gpt-5","status":200,"outcome":"served","ms":1300,"time_to_first_token_ms":250,
        "usage":{"input_fresh":1000,"output_text":100},"certainty":"exact","cost_nano_usd":1800000,
        "price":{"status":"priced","source":"config"}}
        ],
        "answer":{"status":200,"bytes":77,"time_to_first_token_ms":350,"ms":1500,"end":"complete"},
        "cost":{"nano_usd":1800000,"usd":"0.0018","certainty":"exact","price":"priced","unpriced":false}}"#,
    );
    assert_eq!(recorded(&mut exchange, Some(200)), expected);
}

#[test]
fn a_refusal_is_told_with_its_reason_and_what_is_not_known_is_left_out() {
    let mut exchange = Exchange {
        caller: None,
        asked: None,
        admitted: None,
        request_bytes: 0,
        refusal: Some(Refusal::Unidentified(Fault::NoKey)),
        ..example::exchange(Format::AnthropicMessages, BODY)
    };
    let expected = golden(
        r#"{"time":"2026-11-22T12:00:00.000Z","filter":"llm","id":"request-1",
        "asked":{"format":"anthropic-messages","operation":"chat","bytes":0},
        "decision":{"verdict":"deny","rule":"request","reason":"missing_key"},
        "attempts":[],
        "answer":{"status":401,"bytes":0,"ms":1500,"end":"refused"},
        "cost":{"nano_usd":0,"usd":"0.00","certainty":"exact","price":"priced","unpriced":false}}"#,
    );
    assert_eq!(recorded(&mut exchange, Some(401)), expected);
}

#[test]
fn a_request_that_another_filter_refused_is_recorded_too() {
    let ending = Ending { now: NOON, status: Some(401), flags: None, ..Ending::default() };
    let expected = golden(
        r#"{"time":"2026-11-22T12:00:00.000Z","filter":"llm","id":"","asked":{"bytes":0},
        "decision":{"verdict":"deny","rule":"before the gate","reason":"refused_by_another_filter"},
        "attempts":[],
        "answer":{"status":401,"bytes":0,"ms":0,"end":"refused"},
        "cost":{"nano_usd":0,"usd":"0.00","certainty":"exact","price":"priced","unpriced":false}}"#,
    );
    assert_eq!(of_stranger(&ending), expected);
}

#[test]
fn the_decision_names_what_decided() {
    let whole = || example::exchange(Format::OpenaiChat, BODY);
    let refused = |refusal| Some(refusal);
    for (exchange, verdict, rule, reason) in [
        (whole(), "allow", "models.claude", "model_allowed"),
        (
            Exchange { refusal: refused(Refusal::ModelNotAllowed { by: "keys.support".to_owned() }), ..whole() },
            "deny",
            "keys.support.models",
            "model_not_allowed",
        ),
        (
            Exchange { refusal: refused(Refusal::Unidentified(Fault::NoKey)), caller: None, ..whole() },
            "deny",
            "request",
            "missing_key",
        ),
        (Exchange { admitted: None, ..whole() }, "deny", "request", "incomplete_request"),
    ] {
        let mut exchange = exchange;
        let record: Value = serde_json::from_str(&recorded(&mut exchange, None)).expect("JSON");
        assert_eq!(record["decision"], json!({"verdict": verdict, "rule": rule, "reason": reason}));
        assert_eq!(record["answer"]["status"], Value::Null, "the client got no answer");
    }
}

#[test]
fn whatever_a_client_writes_a_record_is_one_line_of_json() {
    for hostile in [
        "\"},\"cost\":{\"nano_usd\":0}}",
        "a\nb\r\nc\u{2028}d\0\u{7f}",
        "%FILTER_STATE(wasm.tollgate.audit:PLAIN)% %REQ(authorization)%",
        "\\\" \u{1b}[31m \u{202e} \u{feff}",
        "</script><script>",
        "\u{10ffff}😀",
    ] {
        let mut exchange = example::exchange(Format::OpenaiChat, BODY);
        exchange.asked = Some((hostile.to_owned(), true));
        exchange.request_id = hostile.to_owned();
        exchange.trace_id = Some(hostile.to_owned());
        let line = recorded(&mut exchange, Some(404));
        assert!(!line.bytes().any(|byte| byte < b' '), "{line:?}");
        let record: Value = serde_json::from_str(&line).expect("JSON");
        assert_eq!(record["asked"]["model"], hostile);
        assert_eq!((&record["id"], &record["trace"]), (&json!(hostile), &json!(hostile)));
    }
}

#[test]
fn what_has_no_price_or_no_figure_is_null_and_marked() {
    let body = BODY.replace("claude", "unpriced");
    let mut exchange = example::exchange(Format::OpenaiChat, &body);
    let tally = Tally { usage: Some(USAGE), usage_is_final: true, stopped: true, ..Tally::default() };
    let served = Attempt { tally, ..example::attempt(0, Outcome::Served) };
    exchange.attempts = vec![example::attempt(0, Outcome::Failed("no_response")), served];
    let record: Value = serde_json::from_str(&recorded(&mut exchange, Some(200))).expect("JSON");
    let costs =
        record["attempts"].as_array().map(|attempts| attempts.iter().map(|one| &one["cost_nano_usd"]).collect());
    assert_eq!(costs, Some(vec![&Value::Null, &Value::Null]));
    assert_eq!(
        record["cost"],
        json!({"nano_usd": 0, "usd": "0.00", "certainty": "missing", "price": "unpriced", "unpriced": true})
    );
}

#[test]
fn every_outcome_has_its_word_and_only_what_failed_has_a_reason() {
    for (of, word, reason) in [
        (Outcome::Waiting, "waiting", None),
        (Outcome::Relaying, "relaying", None),
        (Outcome::Served, "served", None),
        (Outcome::Refused("a"), "failed", Some("a")),
        (Outcome::Failed("b"), "failed", Some("b")),
        (Outcome::Cut("c"), "cut", Some("c")),
        (Outcome::Abandoned, "abandoned", None),
    ] {
        assert_eq!(outcome(&of), (word, reason));
    }
}
