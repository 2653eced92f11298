use super::{Ending, of};
use crate::config::Gate;
use crate::example::{self, NOON, exchange};
use crate::exchange::{Approval, Asked, Decided, Exchange, Object, Transport};
use crate::refusal::Refusal;
use crate::tools::{Changed, Findings};
use serde_json::{Value, json};
use std::rc::Rc;
use tollgate_identity::Fault;
use tollgate_kernel::approval::Id as ApprovalId;
use tollgate_kernel::json::Digest;
use tollgate_kernel::mcp::answer::{Fault as AnswerFault, Outcome, Tally};
use tollgate_kernel::mcp::{Method, Named, Revision};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

const MS: u64 = 1_000_000;
const MODERN: Revision = Revision::July2026;
const SESSIONS: Revision = Revision::November2025;

fn ending() -> Ending {
    Ending { now: NOON + 1_500 * MS, status: Some(200), flags: Some(0), details: None, bytes: 99 }
}

fn recorded(gate: &Gate, exchange: &Exchange, ending: &Ending) -> Value {
    let line = of(exchange, &[], ending, gate.words());
    assert!(!line.bytes().any(|byte| byte < b' '), "{line:?}");
    serde_json::from_str(&line).expect("JSON")
}

/// The line without the record's line ends, for people to read here.
fn golden(line: &str) -> String {
    line.lines().map(str::trim).collect()
}

fn with_arguments() -> Rc<Gate> {
    example::gate(&json!({"record": {"arguments": true}, "redact": {"patterns": ["keys", "email"]}}))
}

#[test]
fn a_call_is_one_line_with_all_that_is_known_of_it() {
    let gate = with_arguments();
    let mut exchange = exchange(&gate, MODERN);
    exchange.trace_id = Some("4bf92f3577b34da6a3ce929d0e0e4736".to_owned());
    exchange.tally = Tally { outcome: Outcome::ToolError, notifications: 2, ..Tally::default() };
    let expected = golden(
        r#"{"time":"2026-11-22T12:00:00.000Z","filter":"mcp","id":"request-1","trace_id":"4bf92f3577b34da6a3ce929d0e0e4736",
        "subject":{"user":"ada@example.org","team":"support","agent":"triage"},
        "asked":{"server":"crm","http.request.method":"POST","mcp.protocol.version":"2026-07-28","mcp.method.name":"tools/call",
        "jsonrpc.request.id":"7","gen_ai.tool.name":"crm.read_rows",
        "arguments_sha256":"DIGEST",
        "gen_ai.tool.call.arguments":"{\"table\":\"users\",\"note\":\"key [redacted:keys]\"}","bytes":150},
        "decision":{"verdict":"allow","rule":"rules.reads","reason":"rule"},
        "answer":{"status":200,"bytes":99,"ms":1500,"end":"complete","outcome":"tool_error","error.type":"tool_error",
        "notifications":2}}"#,
    );
    let digest = exchange.asked.as_ref().unwrap().arguments.unwrap().to_string();
    assert_eq!(of(&exchange, &[], &ending(), gate.words()), expected.replace("DIGEST", &digest));
}

#[test]
fn without_being_asked_no_record_has_arguments_and_no_record_has_a_session_that_can_be_used() {
    let gate = example::gate(&json!({}));
    for revision in [MODERN, SESSIONS] {
        let line = of(&exchange(&gate, revision), &[], &ending(), gate.words());
        for secret in ["sk-ant", "users", "secret-session"] {
            assert!(!line.contains(secret), "{line}");
        }
        assert_eq!(line.contains("mcp.session.id"), revision == SESSIONS);
        assert!(line.contains("arguments_sha256"));
    }
}

#[test]
fn the_decision_names_what_decided() {
    let gate = example::gate(&json!({}));
    let whole = || exchange(&gate, MODERN);
    let confirm = || Some(Decided { verdict: "confirm", ..Decided::of("rules.deletions", "rule") });
    let early = || Exchange { asked: None, decided: None, went_on: false, ..whole() };
    let shadow = Decided { shadow: Some(("rules.new".to_owned(), "deny")), ..Decided::of("rules.reads", "rule") };
    for (exchange, verdict, rule, reason) in [
        (whole(), "allow", json!("rules.reads"), "rule"),
        (Exchange { decided: confirm(), ..whole() }, "confirm", json!("rules.deletions"), "rule"),
        (
            Exchange { decided: confirm(), refusal: Some(Refusal::UnknownTask), ..whole() },
            "confirm",
            json!("request"),
            "unknown_task",
        ),
        (
            Exchange { refusal: Some(Refusal::Unproven(Fault::NoKey)), ..early() },
            "deny",
            json!("request"),
            "missing_key",
        ),
        (Exchange { visit: Some("approvals"), ..early() }, "allow", Value::Null, "approvals"),
        (Exchange { visit: Some("no_such_page"), ..early() }, "deny", Value::Null, "no_such_page"),
        (Exchange { transport: Some(Transport::Listen), ..early() }, "allow", Value::Null, "session"),
        (Exchange { transport: Some(Transport::End), ..early() }, "allow", Value::Null, "session"),
        (
            Exchange { asked: Some(Asked { id: None, method: None, ..whole().asked.unwrap() }), ..early() },
            "allow",
            Value::Null,
            "answer",
        ),
        (early(), "deny", json!("request"), "incomplete_request"),
        (Exchange::default(), "deny", json!("before the gate"), "refused_by_another_filter"),
    ] {
        let record = recorded(&gate, &exchange, &ending());
        let mut expected = json!({"verdict": verdict, "rule": rule, "reason": reason});
        expected.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        assert_eq!(record["decision"], expected);
    }
    let record = recorded(&gate, &Exchange { decided: Some(shadow), ..whole() }, &ending());
    assert_eq!(record["decision"]["shadow"], json!({"rule": "rules.new", "verdict": "deny"}));
}

#[test]
fn how_it_ended_is_told_in_a_word_and_in_those_of_envoy() {
    let gate = example::gate(&json!({}));
    let details = |text: &str| Some(text.to_owned());
    let refused = || Exchange { refusal: Some(Refusal::UnknownTask), ..exchange(&gate, MODERN) };
    for (exchange, ending, end, told) in [
        (exchange(&gate, MODERN), Ending { details: details("via_upstream"), ..ending() }, "complete", Value::Null),
        (refused(), ending(), "refused", Value::Null),
        (
            exchange(&gate, MODERN),
            Ending { status: Some(503), details: details("upstream_reset"), ..ending() },
            "failed",
            json!("upstream_reset"),
        ),
        (exchange(&gate, MODERN), Ending { status: None, ..ending() }, "failed", Value::Null),
        (
            exchange(&gate, MODERN),
            Ending { flags: Some(1 << 14), details: details("downstream_remote_disconnect"), ..ending() },
            "client_gone",
            json!("downstream_remote_disconnect"),
        ),
        (exchange(&gate, MODERN), Ending { flags: Some(1 << 28), ..ending() }, "client_gone", Value::Null),
    ] {
        let answer = recorded(&gate, &exchange, &ending)["answer"].clone();
        assert_eq!((&answer["end"], answer.get("details").unwrap_or(&Value::Null)), (&json!(end), &told));
    }
}

#[test]
fn what_came_of_it_and_what_of_lists_was_hidden_is_told() {
    let gate = example::gate(&json!({}));
    let answer = |tally| recorded(&gate, &Exchange { tally, ..exchange(&gate, MODERN) }, &ending())["answer"].clone();
    let usual = json!({"status": 200, "bytes": 99, "ms": 1500, "end": "complete"});
    for (tally, more) in [
        (Tally::default(), json!({})),
        (Tally { outcome: Outcome::Result, ..Tally::default() }, json!({"outcome": "result"})),
        (
            Tally { outcome: Outcome::Error(Some(-32601)), ..Tally::default() },
            json!({"outcome": "error", "error.type": "-32601"}),
        ),
        (Tally { outcome: Outcome::Error(None), ..Tally::default() }, json!({"outcome": "error"})),
        (
            Tally {
                outcome: Outcome::Result,
                shown: 3,
                hidden: 2,
                dropped: 1,
                redacted: 4,
                requests: 5,
                ..Tally::default()
            },
            json!({"outcome": "result", "shown": 3, "hidden": 2, "dropped": 1, "redacted": 4, "requests": 5}),
        ),
        (Tally { fault: Some(AnswerFault::TooLarge), ..Tally::default() }, json!({"fault": "too_large"})),
    ] {
        let mut expected = usual.clone();
        expected.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        assert_eq!(answer(tally), expected);
    }
}

#[test]
fn of_what_is_found_of_tools_the_first_are_named_and_the_rest_counted() {
    let gate = example::gate(&json!({}));
    let mut tools = Findings::default();
    for number in 0..18 {
        tools.held.push((format!("crm.t{number}"), "tool_changed"));
    }
    tools.changed.push(Changed { tool: "crm.t0".to_owned(), was: Digest([1; 32]), digest: Digest([2; 32]) });
    let answer = recorded(&gate, &Exchange { tools, ..exchange(&gate, MODERN) }, &ending())["answer"].clone();
    assert_eq!((answer["tools_held"].as_array().unwrap().len(), &answer["tools_held_more"]), (16, &json!(2)));
    assert_eq!(answer["tools_changed"], json!([{"tool": "crm.t0", "was": "01".repeat(32), "digest": "02".repeat(32)}]));
    assert!(answer.get("tools_changed_more").is_none() && answer.get("tools_suspected").is_none());
}

#[test]
fn an_approval_is_told_with_who_else_is_in_it() {
    let gate = with_arguments();
    let subject = |user: &str| Some(example::subject(&json!({"user": user})));
    let approval = Approval {
        id: Some(ApprovalId([10; 16])),
        by: subject("eve@example.org"),
        reason: Some("as ada@example.org wanted".to_owned()),
        of: subject("bob@example.org"),
        object: Some("https://crm/a?b".to_owned()),
        ..Approval::word("approve")
    };
    let record = recorded(&gate, &Exchange { approval: Some(approval), ..exchange(&gate, MODERN) }, &ending());
    let expected = json!({
        "state": "approve", "id": "0a".repeat(16), "object": "https://crm/a?b", "by": {"user": "eve@example.org"},
        "of": {"user": "bob@example.org"}, "reason": "as [redacted:email] wanted",
    });
    assert_eq!(record["approval"], expected);
}

#[test]
fn what_is_asked_for_is_told_by_what_it_is() {
    let gate = example::gate(&json!({}));
    let uris = |count: usize| (0..count).map(|number| format!("file:///{number}")).collect::<Vec<_>>();
    for (method, object, name, told) in [
        (Method::PromptsGet, Object::Prompt("crm.triage".to_owned()), "gen_ai.prompt.name", json!("crm.triage")),
        (Method::ResourcesRead, Object::Resource("file:///a?b".to_owned()), "mcp.resource.uri", json!("file:///a?…")),
        (Method::SubscriptionsListen, Object::Resources(uris(17)), "mcp.resource.uris", json!(uris(16))),
        (Method::SubscriptionsListen, Object::Resources(uris(17)), "mcp.resource.uris_more", json!(1)),
    ] {
        let asked = example::asked(MODERN, method, Some(object));
        let record = recorded(&gate, &Exchange { asked: Some(asked), ..exchange(&gate, MODERN) }, &ending());
        assert_eq!(record["asked"][name], told);
    }
}

#[test]
fn whatever_a_caller_writes_a_record_is_one_short_line_without_a_secret() {
    let gate = with_arguments();
    let key = "sk-ant-api03-abcdefghijABCDEFGHIJ0123456789";
    for hostile in [
        "\"},\"decision\":{\"verdict\":\"allow\"}}".to_owned(),
        "a\nb\r\nc\u{2028}d\0\u{7f}".to_owned(),
        "%FILTER_STATE(wasm.tollgate.audit:PLAIN)% %REQ(authorization)%".to_owned(),
        "\\\" \u{1b}[31m \u{202e} \u{feff}".to_owned(),
        key.to_owned(),
        format!("https://{key}@crm/{key}?{key}"),
        "x".repeat(100_000),
        format!("{}{key}", "x ".repeat(120)),
    ] {
        let written = serde_json::to_string(&hostile).unwrap();
        let asked = |object| Asked {
            id: Some(example::id(&written)),
            method: Some(Named::Other(hostile.clone().into())),
            ..example::asked(MODERN, Method::ToolsCall, Some(object))
        };
        let arguments = example::with_json(&format!("{{\"a\":{written}}}"), |json| gate.words().arguments(Some(json)));
        for object in [Object::Tool(hostile.clone()), Object::Resources(vec![hostile.clone(); 100])] {
            let reason =
                Approval { reason: Some(hostile.clone()), object: Some(hostile.clone()), ..Approval::word("approve") };
            let exchange = Exchange {
                asked: Some(asked(object)),
                arguments: arguments.clone(),
                approval: Some(reason),
                ..exchange(&gate, MODERN)
            };
            let ending = Ending { details: Some(hostile.clone()), ..ending() };
            let record = recorded(&gate, &exchange, &ending);
            assert_eq!(record["decision"]["verdict"], "allow");
            let line = record.to_string();
            assert!(line.len() < 64 * 1024 && !line.contains("sk-ant"), "{line}");
        }
    }
}
