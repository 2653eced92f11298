use super::{Policy, Refusal};
use crate::approval::confirm::{Ask, Waits};
use crate::config::Refusals;
use crate::example::asked;
use crate::exchange::Asked;
use serde_json::{Value, json};
use tollgate_host::stream::Reply;
use tollgate_identity::{Fault, NotProven};
use tollgate_kernel::actor::ActorFault;
use tollgate_kernel::confirmation::ConfirmationFault;
use tollgate_kernel::json_rpc::Reason as NoMessage;
use tollgate_kernel::key_ring::KeyRefusal;
use tollgate_kernel::limit::counter::Full;
use tollgate_kernel::mcp::{Era, Method, Reason, Refused, Requested, Revision};
use tollgate_kernel::runaway::Lost;
use tollgate_kernel::subject::Field;
use tollgate_limits::{Denial, Why};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

/// A refusal: its reason, what decided, its status and the code of its error.
type Row = (Refusal, &'static str, &'static str, u16, i32);

fn limit(why: Why) -> Refusal {
    Refusal::Limit(Box::new(Denial { name: "calls".to_owned(), rule: "limits.calls".to_owned(), why }))
}

fn policy(refused: Refused) -> Refusal {
    Refusal::Policy(Box::new(Policy {
        refused,
        rule: Some("rules.deletions".to_owned()),
        reason: "rule",
        lacks: None,
        told: Some("ask the platform team".to_owned()),
        question: None,
    }))
}

/// Every refusal that is told as an error whatever the configuration says.
fn errors() -> Vec<Row> {
    let full = Full { left: 0, retry_after_ms: Some(1500) };
    let unproven = |fault| Refusal::Unproven(Fault::NotProven(fault));
    vec![
        (Refusal::UnknownPath, "unknown_path", "servers", 404, -32600),
        (Refusal::OldTransport, "http_sse_transport", "servers", 400, -32600),
        (Refusal::Method, "method_not_allowed", "request", 405, -32600),
        (Refusal::ContentType, "unsupported_content_type", "request", 415, -32600),
        (Refusal::ContentEncoding, "unsupported_content_encoding", "request", 415, -32600),
        (Refusal::Trailers, "trailers", "request", 400, -32600),
        (Refusal::NoBody, "no_body", "request", 408, -32600),
        (Refusal::UnknownEvent, "unknown_event", "request", 400, -32600),
        (Refusal::TooLarge { limit: 9 }, "request_too_large", "bounds.request_bytes", 413, -32600),
        (Refusal::Unproven(Fault::NoKey), "missing_key", "request", 401, -31000),
        (Refusal::Unproven(Fault::Key(KeyRefusal::Expired)), "expired_key", "keys", 401, -31000),
        (unproven(NotProven::Certificate), "invalid_certificate", "identity.mtls", 401, -31000),
        (
            unproven(NotProven::Confirmation(ConfirmationFault::OtherCertificate)),
            "token_of_other_certificate",
            "identity.jwt",
            401,
            -31000,
        ),
        (unproven(NotProven::Actor(ActorFault::Repeated)), "repeated_actor", "identity.jwt.actor", 403, -31000),
        (unproven(NotProven::Conflict(Field::User)), "subject_conflict", "identity.any_of", 403, -31000),
        (Refusal::Protocol(Reason::Message(NoMessage::Batch)), "batch", "request", 400, -32600),
        (Refusal::Protocol(Reason::Mismatch("Mcp-Name")), "header_mismatch", "request", 400, -32020),
        (
            Refusal::Protocol(Reason::UnsupportedVersion(Requested::of("2030-01-01"), Era::Stateless)),
            "unsupported_version",
            "request",
            400,
            -32022,
        ),
        (Refusal::Protocol(Reason::NoSuchMethod(Revision::July2026)), "no_such_method", "request", 404, -32601),
        (Refusal::Protocol(Reason::NoSuchMethod(Revision::June2025)), "no_such_method", "request", 400, -32601),
        (Refusal::UnknownTask, "unknown_task", "request", 200, -32602),
        (Refusal::UnknownSession, "unknown_session", "request", 404, -32600),
        (Refusal::UnknownBackend, "unknown_backend", "request", 400, -32600),
        (limit(Why::Full(full)), "limit_exceeded", "limits.calls", 429, -31002),
        (limit(Why::Busy { most: 2 }), "limit_exceeded", "limits.calls", 429, -31002),
        (limit(Why::StoreFailed), "limit_store_failed", "limits.calls", 503, -31002),
        (Refusal::Answer("answer_encoded"), "answer_encoded", "answer", 502, -31004),
        (Refusal::Upstream(503), "no_answer", "answer", 503, -31004),
    ]
}

fn body(reply: &Reply) -> Value {
    serde_json::from_slice(&reply.body).expect("JSON")
}

fn header<'r>(reply: &'r Reply, name: &str) -> Option<&'r str> {
    reply.headers.iter().find(|(own, _)| *own == name).map(|(_, value)| value.as_str())
}

fn call() -> Asked {
    asked(Revision::July2026, Method::ToolsCall, None)
}

#[test]
fn every_refusal_is_json_rpc_with_its_own_reason_status_and_code() {
    for (refusal, reason, rule, status, code) in errors() {
        for refusals in [Refusals::Result, Refusals::Status] {
            let reply = refusal.reply(Some(&call()), refusals);
            assert_eq!((refusal.reason(), refusal.rule().as_str(), reply.details), (reason, rule, reason));
            assert_eq!((reply.status, &body(&reply)["error"]["code"]), (status, &json!(code)), "{refusal:?}");
            assert_eq!(header(&reply, "content-type"), Some("application/json"));
            assert!(!body(&reply)["error"]["message"].as_str().unwrap().is_empty());
            let id = if refusal == Refusal::UnknownSession { Value::Null } else { json!(7) };
            assert_eq!((&body(&reply)["jsonrpc"], &body(&reply)["id"]), (&json!("2.0"), &id), "{refusal:?}");
            // Of what could not be read nobody knows the id.
            let unnamed = body(&refusal.reply(None, refusals));
            assert!(unnamed.get("id").is_none_or(Value::is_null) && unnamed["error"]["code"] == code, "{unnamed}");
        }
    }
}

#[test]
fn headers_say_what_to_do_next() {
    let told =
        |refusal: Refusal, name| header(&refusal.reply(Some(&call()), Refusals::Status), name).map(str::to_owned);
    let full = Full { left: 0, retry_after_ms: Some(1500) };
    for (refusal, name, value) in [
        (Refusal::Method, "allow", Some("POST, GET, DELETE")),
        (Refusal::Unproven(Fault::NoKey), "www-authenticate", Some("Bearer")),
        (Refusal::Unproven(Fault::NotProven(NotProven::Conflict(Field::User))), "www-authenticate", None),
        (limit(Why::Full(full)), "retry-after", Some("2")),
        (Refusal::Lost(Lost::Repeats { times: 3, wait_ms: 2001 }), "retry-after", Some("3")),
        (Refusal::UnknownPath, "retry-after", None),
    ] {
        assert_eq!(told(refusal.clone(), name).as_deref(), value, "{refusal:?}");
    }
}

#[test]
fn what_policy_refuses_is_told_as_the_configuration_says() {
    let lost = || Refusal::Lost(Lost::Errors { streak: 5, wait_ms: 1000 });
    for (refusal, code, status) in
        [(policy(Refused::Denied), -31001, 403), (policy(Refused::Unconfirmed), -31003, 403), (lost(), -31002, 429)]
    {
        for revision in [Revision::July2026, Revision::November2025] {
            let reply = refusal.reply(Some(&asked(revision, Method::ToolsCall, None)), Refusals::Result);
            let result = &body(&reply)["result"];
            assert_eq!((reply.status, &result["isError"]), (200, &json!(true)), "a model reads it");
            assert_eq!(result.get("resultType").is_some(), revision.is_stateless());
        }
        let other = refusal.reply(Some(&asked(Revision::July2026, Method::ResourcesRead, None)), Refusals::Result);
        assert_eq!((other.status, &body(&other)["error"]["code"]), (200, &json!(code)));
        let reply = refusal.reply(Some(&call()), Refusals::Status);
        assert_eq!((reply.status, &body(&reply)["error"]["code"]), (status, &json!(code)));
        let notice = Asked { id: None, ..call() };
        assert_eq!(refusal.reply(Some(&notice), Refusals::Result).status, status, "nobody waits for a result");
    }
    let wrong = policy(Refused::Invalid).reply(Some(&call()), Refusals::Status);
    assert_eq!((wrong.status, &body(&wrong)["result"]["isError"]), (200, &json!(true)), "a model can do better");
}

#[test]
fn what_policy_refuses_names_rule_reason_and_what_would_help() {
    let text = |refusal: &Refusal| {
        let reply = refusal.reply(Some(&call()), Refusals::Result);
        body(&reply)["result"]["content"][0]["text"].as_str().unwrap().to_owned()
    };
    let denied = "refused by policy: rule=rules.deletions reason=rule; ask the platform team";
    assert_eq!(text(&policy(Refused::Denied)), denied);
    let waits = Waits { reason: "approval_pending", told: "nothing has run yet".to_owned(), question: None };
    let pending = policy(Refused::Unconfirmed).because(waits);
    assert_eq!(
        text(&pending),
        "refused by policy: rule=rules.deletions reason=approval_pending; ask the platform team; nothing has run yet"
    );
    let Refusal::Policy(denied) = policy(Refused::Denied) else { panic!("a policy") };
    let scopes =
        Refusal::Policy(Box::new(Policy { lacks: Some("crm:write".to_owned()), rule: None, told: None, ..*denied }));
    assert_eq!(text(&scopes), "refused by policy: rule=none reason=rule; the token needs the scopes: crm:write");
    assert_eq!(scopes.rule(), "rules");
}

#[test]
fn a_question_is_a_result_that_the_client_asks_its_person_with() {
    let question = r#"{"resultType":"input_required"}"#.to_owned();
    let waits = Waits { reason: "confirmation_asked", told: "asked".to_owned(), question: Some(Ask::Form(question)) };
    let refusal = policy(Refused::Unconfirmed).because(waits);
    for refusals in [Refusals::Result, Refusals::Status] {
        let reply = refusal.reply(Some(&call()), refusals);
        assert_eq!((reply.status, reply.details), (200, "confirmation_asked"));
        assert_eq!(body(&reply), json!({"jsonrpc": "2.0", "id": 7, "result": {"resultType": "input_required"}}));
    }
}

#[test]
fn an_address_is_an_error_that_the_client_opens_it_for() {
    let data = r#"{"elicitations":[]}"#.to_owned();
    let waits = Waits { reason: "approval_pending", told: "asked".to_owned(), question: Some(Ask::Address(data)) };
    let refusal = policy(Refused::Unconfirmed).because(waits);
    for refusals in [Refusals::Result, Refusals::Status] {
        let reply = refusal.reply(Some(&call()), refusals);
        assert_eq!((reply.status, reply.details), (200, "approval_pending"));
        let body = body(&reply);
        assert_eq!((&body["id"], &body["error"]["code"]), (&json!(7), &json!(-32042)));
        assert_eq!(body["error"]["data"], json!({"elicitations": []}));
    }
}
