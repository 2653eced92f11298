//! The example that the tests of all modules speak of: two providers, of which each speaks its own format, and a team
//! that may ask for models of both.

use crate::answer::Passage;
use crate::config::{self, Gate, Role};
use crate::exchange::{Admitted, Attempt, Carried, Exchange, Outcome};
use std::rc::Rc;
use tollgate_host::headers::{self, Headers};
use tollgate_kernel::caller::Caller;
use tollgate_kernel::virtual_key::VirtualKey;
use tollgate_limits::Granted;
use tollgate_wire::Format;
use tollgate_wire::endpoint::{Endpoint, Operation};
use tollgate_wire::envelope::Envelope;
use tollgate_wire::usage::Usage;

/// 2026-11-22T12:00:00Z in nanoseconds.
pub(crate) const NOON: u64 = 1_795_348_800_000_000_000;

/// `printf %s tg_support_0123456789abcdef | sha256sum`
pub(crate) const SUPPORT_SHA256: &str = "22e541af4c0394f630f1cd565d33062b7fbdb6ba29560a12cbb5e5655a02569a";

pub(crate) fn config() -> serde_json::Value {
    serde_json::json!({"gate": {
        "providers": {
            "anthropic": {"format": "anthropic-messages", "host": "api.anthropic.com"},
            "openai": {"format": "openai-chat", "host": "api.openai.com", "base_path": "/eu/v1", "cluster": "openai-eu",
                       "headers": {"openai-organization": "org-1"}},
        },
        "models": {
            "claude": {"targets": [
                {"provider": "anthropic", "model": "claude-sonnet-4-5", "price": {"input": 3, "output": 15}},
                {"provider": "openai", "model": "gpt-5", "price": {"input": 1, "output": 8}},
            ]},
            "unpriced": {"targets": [{"provider": "openai", "model": "in-house"}], "route": "slow lane"},
        },
        "keys": [{"id": "support", "sha256": [SUPPORT_SHA256], "subject": {"team": "Support"}, "models": ["*"]}],
    }})
}

/// Reads a configuration where one environment variable is set.
pub(crate) fn load(config: &serde_json::Value) -> Result<Role, String> {
    let variable = |name: &str| (name == "SUBJECT_KEYS").then(|| "0123456789abcdef0123456789abcdef".to_owned());
    config::load(config.to_string().as_bytes(), &variable)
}

pub(crate) fn gate() -> Rc<Gate> {
    match load(&config()) {
        Ok(Role::Gate(gate)) => Rc::from(gate),
        other => panic!("the example is a gate, not {other:?}"),
    }
}

pub(crate) fn admitted(format: Format, body: &str) -> Admitted {
    let gate = gate();
    let in_path = matches!(format, Format::GoogleGemini | Format::BedrockConverse);
    let body = if in_path { "{}" } else { body };
    let model = in_path.then(|| "claude".to_owned());
    let endpoint = Endpoint { format, operation: Operation::Chat, model, stream: false };
    let envelope = Envelope::read(&endpoint, body.as_bytes()).expect("a valid body");
    let (model, served) = gate.models.get_key_value(envelope.model.as_str()).expect("a model of the example");
    let candidates = served.candidates(&gate, Operation::Chat, format);
    let (model, gate) = (model.clone(), Rc::clone(&gate));
    Admitted { operation: Operation::Chat, model, candidates, envelope, carried: Carried::default(), gate }
}

/// An exchange that the gate admitted, before its first attempt.
pub(crate) fn exchange(format: Format, body: &str) -> Exchange {
    let admitted = admitted(format, body);
    Exchange {
        began: NOON,
        request_id: "request-1".to_owned(),
        trace_id: None,
        format,
        operation: Some(Operation::Chat),
        caller: Some(caller(&admitted.gate)),
        request_bytes: body.len(),
        asked: Some((admitted.envelope.model.clone(), admitted.envelope.stream)),
        refusal: None,
        answered: None,
        cache: None,
        admitted: Some(Rc::new(admitted)),
        attempts: Vec::new(),
        relayed: None,
        unseen: false,
        response_bytes: 0,
        prompt: None,
        limits: Granted::default(),
        standing: Vec::new(),
    }
}

pub(crate) fn caller(gate: &Gate) -> Rc<Caller> {
    let key = VirtualKey::parse(b"tg_support_0123456789abcdef").expect("a key");
    Rc::clone(gate.keys.prove(&key).expect("a key of the example").1)
}

pub(crate) fn attempt(target: usize, outcome: Outcome) -> Attempt {
    Attempt { outcome, ..Attempt::new(target, NOON) }
}

/// 1000 tokens in and 100 out: 4.5 milli-dollars at the first target of `claude`, 1.8 at the second.
pub(crate) const USAGE: Usage = Usage { input_fresh: 1000, output_text: 100, ..Usage::NONE };

pub(crate) fn passage(from: Format, to: Format) -> Passage {
    Passage {
        operation: Operation::Chat,
        from,
        to,
        include_usage: false,
        answers: 1,
        created: 1_760_000_000,
        id: "request-1".to_owned(),
        model: "m-configured".to_owned(),
    }
}

pub(crate) fn headers(pairs: &[(&str, &[u8])]) -> Headers {
    Headers::parse(headers::serialize(pairs)).expect("what we wrote can be read")
}
