//! The example that the tests of several modules speak of: two servers, and Ada of the support team, who calls a tool of one.

use crate::config::{Gate, load};
use crate::exchange::{Asked, Decided, Exchange, Object, Transport};
use crate::session::Session;
use serde_json::{Value, json};
use std::rc::Rc;
use tollgate_host::headers::{Headers, serialize};
use tollgate_kernel::caller::{Caller, Grant, Proof};
use tollgate_kernel::json::{Document, Limits};
use tollgate_kernel::json_rpc::Id;
use tollgate_kernel::mcp::session::Client;
use tollgate_kernel::mcp::{Method, Named, Revision};
use tollgate_kernel::signing_keys::SigningKeys;
use tollgate_kernel::subject::Subject;

/// 2026-11-22T12:00:00Z in nanoseconds.
pub(crate) const NOON: u64 = 1_795_348_800_000_000_000;
/// What Ada calls the tool with. Her secret is in it.
pub(crate) const ARGUMENTS: &str = r#"{"table":"users","note":"key sk\u002dant-api03-abcdefghijABCDEFGHIJ0123456789"}"#;

/// The gate with more settings.
pub(crate) fn gate(more: &Value) -> Rc<Gate> {
    let mut gate = json!({
        "servers": {"crm": {"path": "/crm/mcp"}, "reports": {"path": "/mcp", "authority": "reports.example"}},
        "keys": [{"id": "support", "sha256": ["0".repeat(64)]}],
    });
    gate.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let keys = || Ok(SigningKeys::random(&[7; 32]));
    Rc::new(load(json!({"gate": gate}).to_string().as_bytes(), &|_| None, &keys).unwrap())
}

pub(crate) fn subject(subject: &Value) -> Subject {
    tollgate_config::read(&subject.to_string()).unwrap()
}

pub(crate) fn caller() -> Caller {
    let ada = subject(&json!({"user": "ada@example.org", "team": "support", "agent": "triage"}));
    Caller::new(ada, Proof::Jwt(Rc::new(Grant { models: None, routes: None })))
}

pub(crate) fn headers(pairs: &[(&str, &str)]) -> Headers {
    let pairs: Vec<_> = pairs.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
    Headers::parse(serialize(&pairs)).unwrap()
}

pub(crate) fn with_json<T>(text: &str, read: impl FnOnce(tollgate_kernel::json::Value<'_, '_>) -> T) -> T {
    read(Document::read(text.as_bytes(), Limits { bytes: 1 << 20, nodes: 1 << 16 }).unwrap().root())
}

pub(crate) fn id(raw: &str) -> Id<'static> {
    with_json(raw, |value| Id::of(value).unwrap().into_owned())
}

/// What she asks for.
pub(crate) fn asked(revision: Revision, method: Method, object: Option<Object>) -> Asked {
    let arguments = (method == Method::ToolsCall).then(|| with_json(ARGUMENTS, |arguments| arguments.digest()));
    Asked { revision, id: Some(id("7")), method: Some(Named::Known(method)), object, arguments }
}

/// Her call, which was allowed and has reached its server.
pub(crate) fn exchange(gate: &Gate, revision: Revision) -> Exchange {
    let tool = Object::Tool("crm.read_rows".to_owned());
    Exchange {
        began: NOON,
        request_id: "request-1".to_owned(),
        server: gate.servers.find("/crm/mcp", "").map(Rc::clone),
        owner: Some("crm".to_owned()),
        transport: Some(Transport::Post),
        caller: Some(Rc::new(caller())),
        session: (!revision.is_stateless()).then(|| Session::new("crm", b"secret-session", Client::Plain)),
        request_bytes: 150,
        asked: Some(asked(revision, Method::ToolsCall, Some(tool))),
        arguments: with_json(ARGUMENTS, |arguments| gate.words().arguments(Some(arguments))),
        decided: Some(Decided::of("rules.reads", "rule")),
        went_on: true,
        ..Exchange::default()
    }
}
