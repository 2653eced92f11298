use super::Refusal;
use crate::config::Refusals;
use crate::example::{JSON_RPC, id};
use serde_json::{Value, json};
use tollgate_identity::{Fault as Unproven, NotProven};
use tollgate_kernel::a2a::{Binding, Dialect, Reason, Version, conversation};
use tollgate_kernel::confirmation::ConfirmationFault;
use tollgate_kernel::owned::NotNoted;
use tollgate_kernel::subject::Field;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

fn nobody() -> Refusal {
    Refusal::Unproven(Unproven::NotProven(NotProven::Nothing { accepted: "an API key".to_owned() }))
}

#[test]
fn every_refusal_speaks_the_callers_binding_and_version() {
    let denied = Refusal::denied(Some("rules.#2".to_owned()), "rule", Some("ask the platform team"));
    let text = "refused by policy: rule=rules.#2 reason=rule; ask the platform team";
    let detail = json!([{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "RULE", "domain": "tollgate", "metadata": {}}]);
    for (binding, version, expected) in [
        (
            Binding::JsonRpc,
            Version::V1_0,
            json!({"jsonrpc": "2.0", "id": 7, "error": {"code": -31001, "message": text, "data": detail}}),
        ),
        (
            Binding::JsonRpc,
            Version::V0_3,
            json!({"jsonrpc": "2.0", "id": 7, "error": {"code": -31001, "message": text, "data": {"reason": "rule"}}}),
        ),
        (
            Binding::HttpJson,
            Version::V1_0,
            json!({"error": {"code": 403, "status": "PERMISSION_DENIED", "message": text, "details": detail}}),
        ),
        (Binding::HttpJson, Version::V0_3, json!({"type": "PermissionDeniedError", "message": text, "reason": "rule"})),
    ] {
        let reply = denied.reply(Some(Dialect { binding, version }), Some(&id("7")), Refusals::Status);
        let body: Value = serde_json::from_slice(&reply.body).unwrap();
        assert_eq!((reply.status, reply.details, body), (403, "rule", expected), "{binding:?} {version:?}");
    }
}

#[test]
fn statuses_are_those_that_clients_know() {
    let conflict = Refusal::Unproven(Unproven::NotProven(NotProven::Conflict(Field::Agent)));
    for (refusal, json_rpc, http) in [
        (Refusal::UnknownAgent, 404, 404),
        (Refusal::Trailers, 400, 400),
        (Refusal::NoBody, 408, 408),
        (Refusal::Unheld, 400, 400),
        (Refusal::TooLarge { limit: 10 }, 413, 413),
        (nobody(), 401, 401),
        (conflict, 403, 403),
        (Refusal::Mismatch(NotProven::Confirmation(ConfirmationFault::NoCertificate)), 403, 403),
        (Refusal::Protocol(Reason::ContentType), 415, 415),
        // As agents tell errors of the protocol.
        (Refusal::Protocol(Reason::Notification), 200, 400),
        (Refusal::Answer("answer_encoded"), 502, 502),
        (Refusal::Conversation(conversation::Refusal::NotThere), 200, 404),
        (Refusal::Conversation(conversation::Refusal::NothingToList), 200, 200),
        (Refusal::Conversation(conversation::Refusal::ContextReplaced), 200, 500),
        (Refusal::Conversation(conversation::Refusal::NotNoted(NotNoted::Full)), 429, 429),
        (Refusal::Upstream(503), 503, 503),
    ] {
        let http_json = Dialect { binding: Binding::HttpJson, ..JSON_RPC };
        let statuses = [JSON_RPC, http_json].map(|dialect| refusal.reply(Some(dialect), None, Refusals::Status).status);
        assert_eq!(statuses, [json_rpc, http], "{refusal:?}");
    }
}

#[test]
fn nobody_is_told_how_to_be_somebody() {
    let reply = nobody().reply(Some(JSON_RPC), None, Refusals::Status);
    assert!(reply.headers.contains(&("www-authenticate", "Bearer".to_owned())), "{reply:?}");
}

#[test]
fn what_policy_refuses_may_be_an_error_that_clients_read_out() {
    let denied = Refusal::denied(None, "no_rule", None);
    let http_json = Dialect { binding: Binding::HttpJson, ..JSON_RPC };
    for (refusal, dialect, status) in [
        (&denied, JSON_RPC, 200),
        (&denied, http_json, 403),
        (&nobody(), JSON_RPC, 401),
        (&Refusal::Trailers, JSON_RPC, 400),
    ] {
        assert_eq!(refusal.reply(Some(dialect), None, Refusals::Error).status, status, "{refusal:?}");
    }
}
