//! The whole filter on a host that enforces Envoy's phase rules: whatever is asked and answered, and however that is cut, nothing
//! goes on before it is decided, what comes of it is the same, and there is one record.
#![cfg(not(target_arch = "wasm32"))]
#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "tests"
)]

use fake_envoy::{FakeEnvoy, Forwarded, Headers, RootId, Stream};
use proptest::prelude::*;
use proxy_wasm::types::LogLevel;
use serde_json::{Value, json};
use std::fmt;
use std::sync::Once;
use tollgate_agent::Agents;

const KEY: &str = "Bearer tg_assistant_0123456789abcdef";
/// `printf %s tg_assistant_0123456789abcdef | sha256sum`
const KEY_SHA256: &str = "6babc1b759fdea762b6f3ae7c854e08fe088c1ae07191caa44755b0a2009037b";
const BOUND: usize = 2048;
/// Envoy's flags for a client that closed the connection, and for an agent that did.
const CLIENT_GONE: u64 = 1 << 14;
const AGENT_GONE: u64 = 1 << 6;

/// What ends a message.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Ends {
    Data,
    EmptyChunk,
    Trailers,
    /// It never does.
    Gone,
}

#[derive(Clone)]
struct Sent {
    headers: Vec<(&'static str, &'static str)>,
    body: Vec<u8>,
    ends: Ends,
}

impl fmt::Debug for Sent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {:?} {:?}", self.headers, String::from_utf8_lossy(&self.body), self.ends)
    }
}

/// Where messages are cut into chunks: at these fractions of their length, of 256.
type Cuts = Vec<u8>;

fn chunks<'b>(cuts: &Cuts, bytes: &'b [u8]) -> Vec<&'b [u8]> {
    let mut at: Vec<usize> = cuts.iter().map(|cut| usize::from(*cut) * bytes.len() / 256).collect();
    at.extend([0, bytes.len()]);
    at.sort_unstable();
    at.dedup();
    at.windows(2).map(|cut| &bytes[cut[0]..cut[1]]).collect()
}

/// All that can be seen from outside.
#[derive(Debug, PartialEq)]
struct Seen {
    to_agent: Option<(Headers, Vec<u8>)>,
    to_client: Option<(Headers, Vec<u8>, bool)>,
    record: Value,
}

fn config(hold_headers: bool) -> Value {
    json!({"gate": {
        "agents": {
            // Contexts that the gate makes up are others each time.
            "planner": {"path": "/agents/planner", "conversations": "table"},
            "billing": {"path": "/agents/billing"},
            "unread": {"authority": "unread.example", "grpc": "unread"},
        },
        "keys": [{"id": "assistant", "sha256": [KEY_SHA256], "subject": {"agent": "assistant"}}],
        "rules": [{"deny": {"callees": ["billing"]}}, {"allow": {"agents": ["assistant"], "callees": ["*"]}}],
        "limits": [{"name": "edge", "per": ["agent", "callee"], "requests": 1000, "every": "hour"}],
        "hold_headers": hold_headers,
        "bounds": {"request_bytes": BOUND},
    }})
}

/// One exchange in an Envoy of its own. The SDK keeps what it has in thread-locals, so that has a thread of its own too.
fn run(hold_headers: bool, asks: &Sent, answers: &Sent, cuts: &Cuts) -> Seen {
    // The SDK's logger is the process's, and panics when two install it at once.
    static SDK: Once = Once::new();
    SDK.call_once(|| {
        let hook = std::panic::take_hook();
        proxy_wasm::set_log_level(LogLevel::Info);
        std::panic::set_hook(hook);
    });
    let run = || {
        let envoy = FakeEnvoy::new();
        envoy.scenario(format!("{hold_headers} {asks:?}\n{answers:?}\n{cuts:?}"));
        let register = tollgate_host::plugin::register::<Agents>;
        let gate = envoy.root(register, config(hold_headers).to_string().as_bytes()).expect("a good configuration");
        let seen = exchange(&envoy, gate, asks, answers, cuts);
        assert_eq!(envoy.violations(), []);
        seen
    };
    std::thread::scope(|scope| scope.spawn(run).join()).unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

fn exchange(envoy: &FakeEnvoy, gate: RootId, asks: &Sent, answers: &Sent, cuts: &Cuts) -> Seen {
    let exchange = envoy.exchange();
    let stream = exchange.stream(gate);
    let asked = send(&stream, true, asks, cuts);
    let forwarded = stream.forwarded_request();
    if !asked {
        stream.property(&["response", "flags"], CLIENT_GONE.to_le_bytes());
        assert!(forwarded.body.is_empty() && !forwarded.ended, "half a request went on");
    } else if stream.reply().is_none() {
        assert!(forwarded.ended, "neither answered nor sent on");
        if !send(&stream, false, answers, cuts) {
            stream.property(&["response", "flags"], AGENT_GONE.to_le_bytes());
        }
    } else {
        assert!(forwarded.body.is_empty() && !forwarded.ended, "refused, and sent on");
    }
    assert_eq!(exchange.filter_state("wasm.tollgate.audit"), None, "recorded before the end");
    stream.finish();
    let record = exchange.filter_state("wasm.tollgate.audit").expect("a record");
    let mut record: Value = serde_json::from_slice(&record).expect("a record in JSON");
    assert_eq!(record["filter"], "agent");
    forget_what_differs(&mut record);
    let to_agent = forwarded.ended.then(|| (plain(&forwarded), forwarded.body.clone()));
    let got = stream.forwarded_response();
    let ended = got.ended && !stream.was_reset();
    Seen { to_agent, to_client: got.headers.map(|headers| (headers, got.body, ended)), record }
}

/// Sends a request or an answer; whether it came to its end.
fn send(stream: &Stream<'_>, request: bool, sent: &Sent, cuts: &Cuts) -> bool {
    let chunks = chunks(cuts, &sent.body);
    let at_once = chunks.is_empty() && sent.ends == Ends::Data;
    let headers = Headers::from_iter(sent.headers.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())));
    let data = |chunk: &[u8], end: bool| {
        if request {
            let forwarded = stream.forwarded_request();
            assert!(forwarded.body.is_empty() && !forwarded.ended, "sent on before it was decided");
            stream.request_data(chunk, end);
        } else {
            stream.response_data(chunk, end);
        }
    };
    if request {
        stream.request_headers(headers, at_once)
    } else {
        stream.response_headers(headers, at_once)
    };
    for (index, chunk) in chunks.iter().enumerate() {
        data(chunk, index + 1 == chunks.len() && sent.ends == Ends::Data);
    }
    match sent.ends {
        Ends::Data => {}
        Ends::EmptyChunk => data(b"", true),
        Ends::Trailers if request => drop(stream.request_trailers([("x-trailer", "1")])),
        Ends::Trailers => drop(stream.response_trailers([("x-trailer", "1")])),
        Ends::Gone => return false,
    }
    true
}

/// Without the ticket, which is another one each time.
fn plain(forwarded: &Forwarded) -> Headers {
    let headers = forwarded.headers.clone().expect("headers");
    let is_ticket = |name: &[u8]| matches!(name, b"x-tollgate-ticket" | b"tracestate");
    headers.iter().filter(|(name, _)| !is_ticket(name)).collect()
}

fn forget_what_differs(record: &mut Value) {
    match record {
        Value::Object(fields) => {
            fields.retain(|name, _| !matches!(name.as_str(), "time" | "ms" | "transaction"));
            fields.values_mut().for_each(forget_what_differs);
        }
        Value::Array(values) => values.iter_mut().for_each(forget_what_differs),
        _ => {}
    }
}

fn ends() -> impl Strategy<Value = Ends> {
    prop::sample::select(vec![Ends::Data, Ends::Data, Ends::Data, Ends::EmptyChunk, Ends::Trailers, Ends::Gone])
}

/// What is asked for, and by whom.
fn asks() -> impl Strategy<Value = Sent> {
    let message = r#""message":{"messageId":"m","role":"ROLE_USER","parts":[{"text":"hello"}]}"#;
    let rpc =
        |method: &str, params: &str| format!(r#"{{"jsonrpc":"2.0","id":7,"method":"{method}","params":{{{params}}}}}"#);
    let bodies = vec![
        rpc("SendMessage", message).into_bytes(),
        rpc("SendStreamingMessage", message).into_bytes(),
        rpc("message/send", message).into_bytes(),
        rpc("GetTask", r#""id":"t""#).into_bytes(),
        rpc("Other", r#""id":"t""#).into_bytes(),
        format!("{{{message}}}").into_bytes(),
        Vec::new(),
        b"{\"a\":1,\"a\":2}".to_vec(),
        b"\0\0\0\0\x02ab".to_vec(),
        vec![b' '; BOUND + 1],
    ];
    let paths = prop::sample::select(vec![
        ("POST", "/agents/planner"),
        ("POST", "/agents/planner"),
        ("POST", "/agents/planner"),
        ("POST", "/agents/planner/message:send"),
        ("POST", "/agents/planner/message:stream"),
        ("GET", "/agents/planner/tasks/t"),
        ("POST", "/agents/planner/tasks/t:cancel"),
        ("POST", "/agents/billing"),
        ("POST", "/nobody"),
        ("POST", "/lf.a2a.v1.A2AService/SendMessage"),
    ]);
    let authority = prop::sample::select(vec!["gateway.example", "gateway.example", "unread.example"]);
    let kind = prop::sample::select(vec!["application/json", "application/json", "application/grpc", "text/plain"]);
    let key = prop::sample::select(vec![KEY, KEY, "Bearer x"]);
    let version = prop::sample::select(vec!["1.0", "1.0", "0.3", "9"]);
    let body = prop::sample::select(bodies);
    let cut = prop_oneof![9 => Just(None), 1 => any::<prop::sample::Index>().prop_map(Some)];
    (paths, authority, kind, key, version, body, cut, ends()).prop_map(
        |((method, path), authority, kind, key, version, mut body, cut, ends)| {
            if let Some(cut) = cut.filter(|_| !body.is_empty()) {
                body.truncate(cut.index(body.len()));
            }
            let headers = vec![
                (":method", method),
                (":path", path),
                (":scheme", "https"),
                (":authority", authority),
                ("content-type", kind),
                ("authorization", key),
                ("a2a-version", version),
                ("x-request-id", "request-1"),
                ("cookie", "session=of-the-client"),
                ("x-tollgate-route", "forged"),
                ("accept-encoding", "gzip"),
            ];
            Sent { headers, body, ends }
        },
    )
}

/// What an agent answers, or Envoy.
fn answers() -> impl Strategy<Value = Sent> {
    let result = r#"{"jsonrpc":"2.0","id":7,"result":{"task":{"id":"t","contextId":"c","status":{"state":"TASK_STATE_WORKING"}}}}"#;
    let bodies = vec![
        result.as_bytes().to_vec(),
        format!("data: {result}\n\n: ping\n\ndata: {result}\n\n").into_bytes(),
        format!("data: {result}\n\ndata: {{\"jsonrpc\"").into_bytes(),
        b"{\"jsonrpc\":\"2.0\",\"id\":7,\"error\":{\"code\":-32001,\"message\":\"Task not found\"}}".to_vec(),
        Vec::new(),
        b"<html>".to_vec(),
        b"\xff\xfe\0".to_vec(),
        vec![b'x'; 100_000],
    ];
    let kind = prop::sample::select(vec![
        "application/json",
        "application/json",
        "text/event-stream",
        "text/html",
        "application/grpc",
    ]);
    let status = prop::sample::select(vec!["200", "200", "200", "404", "500", "503"]);
    let coding = prop::sample::select(vec!["identity", "identity", "identity", "gzip"]);
    (prop::sample::select(bodies), kind, status, coding, ends()).prop_map(|(body, kind, status, coding, ends)| {
        let headers = vec![(":status", status), ("content-type", kind), ("content-encoding", coding)];
        Sent { headers, body, ends }
    })
}

fn cuts() -> impl Strategy<Value = Cuts> {
    prop::collection::vec(any::<u8>(), 0..6)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(600) })]
    #[test]
    fn what_comes_of_it_is_the_same_however_it_is_cut(
        hold_headers in any::<bool>(),
        asks in asks(),
        answers in answers(),
        (one, other) in (cuts(), cuts()),
    ) {
        // Where headers have gone on, an answer of trailers alone has no place for an error; it is cut off.
        prop_assume!(hold_headers || !(answers.body.is_empty() && answers.ends == Ends::Trailers));
        let [one, other] = [&one, &other].map(|cuts| run(hold_headers, &asks, &answers, cuts));
        for seen in [&one, &other] {
            if let Some((headers, _)) = &seen.to_agent {
                for name in ["cookie", "authorization", "x-tollgate-route", "accept-encoding"] {
                    prop_assert_eq!(headers.get(name), None, "{}", name);
                }
                let (decision, end) = (&seen.record["decision"], &seen.record["answer"]["end"]);
                prop_assert!(decision["verdict"] == "allow" || end == "refused", "{decision}");
            }
        }
        prop_assert_eq!(one, other);
    }
}

#[test]
fn a_message_reaches_its_agent_as_it_is_and_the_answer_its_caller() {
    let body = br#"{"jsonrpc":"2.0","id":7,"method":"SendMessage","params":{"message":{"messageId":"m","role":"ROLE_USER","parts":[]}}}"#;
    let headers = vec![
        (":method", "POST"),
        (":path", "/agents/planner"),
        (":authority", "gateway.example"),
        ("content-type", "application/json"),
        ("authorization", KEY),
        ("a2a-version", "1.0"),
    ];
    let asks = Sent { headers, body: body.to_vec(), ends: Ends::Data };
    let answer = br#"{"jsonrpc":"2.0","id":7,"result":{"message":{"messageId":"n","role":"ROLE_AGENT","parts":[]}}}"#;
    let headers = vec![(":status", "200"), ("content-type", "application/json")];
    let answers = Sent { headers, body: answer.to_vec(), ends: Ends::Data };
    for hold_headers in [true, false] {
        let seen = run(hold_headers, &asks, &answers, &vec![3, 100]);
        let (_, sent) = seen.to_agent.expect("it went on");
        let (_, got, ended) = seen.to_client.expect("an answer");
        assert_eq!((sent.as_slice(), got.as_slice(), ended), (&body[..], &answer[..], true));
        assert_eq!(
            (&seen.record["answer"]["outcome"], &seen.record["answer"]["end"]),
            (&json!("message"), &json!("complete"))
        );
    }
}
