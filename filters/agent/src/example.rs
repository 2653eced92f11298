//! The example that the tests of several modules speak of: three agents, and the assistant, who calls one for Ada.

use crate::config::{Gate, load};
use crate::exchange::{Asked, Decided, Exchange, Said};
use serde_json::{Value, json};
use std::rc::Rc;
use tollgate_host::headers::{Headers, serialize};
use tollgate_kernel::a2a::{Binding, Dialect, Named, Operation, Version};
use tollgate_kernel::caller::{Caller, Grant, Proof};
use tollgate_kernel::json::{Document, Limits};
use tollgate_kernel::json_rpc::Id;
use tollgate_kernel::signing_keys::SigningKeys;

/// 2026-11-22T12:00:00Z in nanoseconds.
pub(crate) const NOON: u64 = 1_795_348_800_000_000_000;
/// What the official clients speak.
pub(crate) const JSON_RPC: Dialect = Dialect { binding: Binding::JsonRpc, version: Version::V1_0 };

/// The gate's configuration, with more settings.
pub(crate) fn config(more: &Value) -> Value {
    let mut gate = json!({
        "agents": {
            "planner": {"path": "/agents/planner"},
            "researcher": {"path": "/agents/researcher"},
            "billing": {"authority": "billing.example"},
        },
        "keys": [{"id": "assistant", "sha256": ["0".repeat(64)]}],
        "rules": [{"allow": {"agents": ["assistant"], "callees": ["planner"]}}],
    });
    gate.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({ "gate": gate })
}

/// The gate.
pub(crate) fn gate(more: &Value) -> Rc<Gate> {
    let keys = || Ok(SigningKeys::random(&[7; 32]));
    Rc::new(load(config(more).to_string().as_bytes(), &|_| None, &keys).unwrap())
}

pub(crate) fn caller() -> Caller {
    let subject = json!({"user": "ada@example.org", "agent": "assistant", "tier": "gold"});
    let subject = tollgate_config::read(&subject.to_string()).unwrap();
    Caller::new(subject, Proof::Jwt(Rc::new(Grant { models: None, routes: None })))
}

pub(crate) fn headers(pairs: &[(&str, &str)]) -> Headers {
    let pairs: Vec<_> = pairs.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
    Headers::parse(serialize(&pairs)).unwrap()
}

pub(crate) fn id(raw: &str) -> Id<'static> {
    let document = Document::read(raw.as_bytes(), Limits { bytes: 2 << 20, nodes: 10 }).unwrap();
    Id::of(document.root()).unwrap().into_owned()
}

/// What she asks for.
pub(crate) fn asked(operation: Operation) -> Asked {
    let said = Said {
        context: Some("context-1".to_owned()),
        message: Some("message-1".to_owned()),
        skill: Some("plan".to_owned()),
        ..Said::default()
    };
    Asked { id: Some(id("7")), operation: Named::Known(operation), said: Some(said) }
}

/// Her message, which was allowed and has reached the planner.
pub(crate) fn exchange(gate: &Gate) -> Exchange {
    Exchange {
        began: NOON,
        request_id: "request-1".to_owned(),
        callee: gate.agents.named("planner").map(Rc::clone),
        caller: Some(Rc::new(caller())),
        dialect: Some(JSON_RPC),
        request_bytes: 150,
        asked: Some(asked(Operation::SendMessage)),
        decided: Some(Decided { verdict: "allow", rule: Some("rules.#1".to_owned()), reason: "rule", shadow: None }),
        went_on: true,
        ..Exchange::default()
    }
}
