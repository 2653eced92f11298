//! A2A: requests, answers, and push notification addresses.

use crate::{LIMITS, is_json, shown};
use tollgate_kernel::a2a::answer::{AnswerReader, Expected, Form, Judge, Onward, Purpose, Seen, Shown, Tally, Verdict};
use tollgate_kernel::a2a::push::PushRules;
use tollgate_kernel::a2a::{
    Arrival, Binding, Call, Dialect, Fault, Head, Named, Operation, PushConfig, SkillKeys, Version, is_id,
};
use tollgate_kernel::headers::Headers;
use tollgate_kernel::json::{Document, Limits};
use tollgate_kernel::json_rpc::Id;

const DIALECTS: [Dialect; 4] = [
    Dialect { binding: Binding::JsonRpc, version: Version::V0_3 },
    Dialect { binding: Binding::JsonRpc, version: Version::V1_0 },
    Dialect { binding: Binding::HttpJson, version: Version::V0_3 },
    Dialect { binding: Binding::HttpJson, version: Version::V1_0 },
];

/// The first byte says whether the others are a request, an answer or an address.
pub fn a2a(data: &[u8]) {
    let Some((which, bytes)) = data.split_first() else { return };
    match which % 4 {
        0 | 1 => request(which >> 2, bytes),
        2 => answer(which >> 2, bytes),
        _ => address(bytes),
    }
}

/// A line with method and path, then a body. A fault has an answer; what is no fault says what `serde_json` finds in it.
fn request(which: u8, bytes: &[u8]) {
    const VERSIONS: [&[u8]; 4] = [b"1.0", b"0.3", b"", b"2.0"];
    let mut lines = bytes.splitn(2, |byte| *byte == b'\n');
    let (Ok(line), body) = (str::from_utf8(lines.next().unwrap_or_default()), lines.next().unwrap_or_default()) else {
        return;
    };
    let (method, path) = line.split_once(' ').unwrap_or((line, ""));
    let version = VERSIONS[usize::from(which % 4)];
    let headers: [(&str, &[u8]); 2] = [("content-type", b"application/json"), ("a2a-version", version)];
    let request = match Arrival::of(Head { method, path, headers: Headers(&headers) }) {
        Ok(Arrival::Request(request)) => request,
        Ok(Arrival::Card | Arrival::Grpc(_)) => return,
        Err(fault) => return told(&fault),
    };
    let document = match body {
        [] => None,
        body => match Document::read(body, LIMITS) {
            Ok(document) => Some(document),
            Err(fault) => return told(&request.fault(fault.into())),
        },
    };
    let document = document.as_ref();
    match request.read(document, &SkillKeys::default()) {
        Err(fault) => told(&fault),
        Ok(call) => read(&call, document, |changed| {
            let document =
                Document::read(changed, Limits { bytes: LIMITS.bytes * 2, nodes: LIMITS.nodes + 2 }).unwrap();
            let call = request.read(Some(&document), &SkillKeys::default()).unwrap();
            assert!(
                !call.claims_actors
                    && call.context.is_some() == matches!(call.operation, Named::Known(one) if one.sends())
            );
        }),
    }
}

fn told(fault: &Fault<'_>) {
    let answer = fault.answer();
    assert!(is_json(&answer.body), "{}", shown(&answer.body));
    assert!((400..500).contains(&answer.status) || fault.dialect.binding == Binding::JsonRpc);
}

fn read(call: &Call<'_, '_>, document: Option<&Document<'_>>, again: impl FnOnce(&[u8])) {
    let ids = [&call.context, &call.task, &call.tenant, &call.message_id, &call.skill, &call.push_id];
    assert!(ids.into_iter().flatten().chain(&call.references).all(|id| is_id(id)));
    let Some(document) = document else { return };
    let tree: serde_json::Value = serde_json::from_str(document.text()).unwrap_or_default();
    let Named::Known(operation) = &call.operation else { return };
    let params = if call.dialect.binding == Binding::JsonRpc {
        assert_eq!(tree["method"].as_str(), Some(operation.method(call.dialect.version)));
        &tree["params"]
    } else {
        &tree
    };
    if operation.sends() {
        let message = [&params["message"], &params["request"]].into_iter().find(|one| one.is_object()).unwrap();
        let context = message["contextId"].as_str().or(message["context_id"].as_str()).filter(|id| !id.is_empty());
        assert_eq!(call.context.as_deref(), context);
    }
    if let Some(changed) = call.body_for_agent(document, Some("supplied")) {
        assert!(is_json(&changed), "{}", shown(&changed));
        again(&changed);
    }
}

/// What comes out does not depend on cuts, has nothing of another's context, and is what came in where it is only watched.
fn answer(which: u8, raw: &[u8]) {
    let form = if which & 1 == 0 { Form::Json } else { Form::EventStream };
    let purpose = if which & 2 == 0 { Purpose::Watch } else { Purpose::Inspect };
    let dialect = DIALECTS[usize::from(which >> 2 & 3)];
    let operation = [Operation::SendMessage, Operation::GetTask, Operation::ListTasks, Operation::SubscribeToTask];
    let operation = Some(operation[usize::from(which >> 4 & 3)]);
    let one = Document::read(b"1", LIMITS).unwrap();
    let id = Id::of(one.root()).map(Id::into_owned);
    let expected = Expected { dialect, id, operation, is_error: false, purpose };
    let (out, tally) = answered(form, &expected, raw, raw.len().max(1));
    for size in [1, 3, 16] {
        let (pieces, same) = answered(form, &expected, raw, size);
        assert!(tally == same && pieces == out, "in pieces of {size}: {} {same:?} not {tally:?}", shown(&pieces));
    }
    if form == Form::Json && purpose == Purpose::Watch {
        assert_eq!(out, raw);
    }
    if form == Form::Json && purpose == Purpose::Inspect {
        assert!(out.is_empty() || is_json(&out), "{}", shown(&out));
        let tree: serde_json::Value = serde_json::from_slice(&out).unwrap_or_default();
        let result = if dialect.binding == Binding::JsonRpc { &tree["result"] } else { &tree };
        let tasks = result["tasks"].as_array().filter(|_| operation == Some(Operation::ListTasks));
        assert!(
            tasks.into_iter().flatten().chain([result]).all(|task| task["contextId"] != "bob" || task["id"].is_null())
        );
    }
}

struct NotBobs;

impl Judge for NotBobs {
    fn seen(&mut self, seen: &Seen<'_>) -> Verdict {
        assert!(seen.task.iter().chain(&seen.context).all(|id| is_id(id)));
        if seen.context.as_deref() == Some("bob") { Verdict::Refuse(b"{}".to_vec()) } else { Verdict::Pass }
    }

    fn listed(&mut self, seen: &Seen<'_>) -> Shown {
        if seen.context.as_deref() == Some("bob") { Shown::No } else { Shown::Yes }
    }
}

fn answered(form: Form, expected: &Expected, raw: &[u8], size: usize) -> (Vec<u8>, Tally) {
    let limits = Limits { bytes: 1000, nodes: 100 };
    let (mut reader, mut out) = (AnswerReader::new(form, expected.clone(), limits), Vec::new());
    for chunk in raw.chunks(size) {
        match reader.push(chunk, &mut NotBobs) {
            Onward::Unchanged => out.extend_from_slice(chunk),
            Onward::Bytes(bytes) => out.extend(bytes),
        }
    }
    out.extend(reader.finish(&mut NotBobs));
    (out, reader.tally().clone())
}

/// What is allowed names a listed host, and nothing else that a reader could take for one.
fn address(bytes: &[u8]) {
    let Ok(url) = str::from_utf8(bytes) else { return };
    let rules: PushRules = tollgate_config::read(r#"{"hosts": ["a.example", "*.b.example", "c.example:81"]}"#).unwrap();
    let config = PushConfig { url: url.into(), token: None, schemes: Vec::new(), credentials: None, id: None };
    if let Ok(host) = rules.check(&config) {
        assert!(["a.example", "c.example"].contains(&host.as_str()) || host.ends_with(".b.example"), "{url}");
        let rest = url.to_ascii_lowercase();
        let rest = rest.strip_prefix("https://").unwrap_or_default();
        assert_eq!(rest.split(['/', '?', ':']).next(), Some(host.as_str()));
        assert!(!url.contains(['\\', '#', ' ']) && url.is_ascii(), "{url}");
    }
}
