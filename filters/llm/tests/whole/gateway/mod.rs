//! What surrounds the filter in Envoy: clients that send as they like, a router that retries, providers that answer by
//! script. Gate and provider roles are the real ones; each step is driven through the module's exports.

pub(crate) mod provider;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fake_envoy::{Exchange, FakeEnvoy, Forwarded, Headers, RootId, Stream};
use provider::{Answer, Then};
use proxy_wasm::types::LogLevel;
use serde_json::{Value, json};
use std::sync::Once;
use std::time::Duration;
use tollgate_llm::Llm;
use tollgate_wire::Format;
use tollgate_wire::endpoint::Operation;

pub(crate) const KEY: &str = "tg_support_0123456789abcdef";
/// `printf %s tg_support_0123456789abcdef | sha256sum`
pub(crate) const KEY_SHA256: &str = "22e541af4c0394f630f1cd565d33062b7fbdb6ba29560a12cbb5e5655a02569a";

/// Models, and who serves them in which order.
pub(crate) const MODELS: [(&str, &[&str]); 4] = [
    ("claude", &["anthropic", "openai"]),
    ("gpt", &["openai", "anthropic"]),
    ("single", &["openai"]),
    ("strict", &["anthropic"]),
];

/// Envoy's flag for a client that closed the connection.
const CLIENT_GONE: u64 = 1 << 14;
/// And for a provider whose connection broke.
const UPSTREAM_FAILED: u64 = 1 << 6;

pub(crate) struct Gateway {
    pub(crate) envoy: FakeEnvoy,
    pub(crate) gate: RootId,
    openai: RootId,
    anthropic: RootId,
}

/// Who asks, and how it sends.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    pub(crate) headers: Headers,
    pub(crate) body: String,
    pub(crate) ends: Ends,
    pub(crate) leaves: Leaves,
}

/// What ends the request.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Ends {
    Body,
    EmptyChunk,
    Trailers,
}

/// When the client goes away.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Leaves {
    Never,
    /// After so many bytes of its own request.
    Asking(usize),
    /// After so many bytes that all providers together have sent.
    Waiting(usize),
}

impl Client {
    pub(crate) fn new(format: Format, model: &str, stream: bool) -> Self {
        const QUESTION: &str = "What is the capital of Norway?";
        let messages = json!([{"role": "user", "content": QUESTION}]);
        let body = match format {
            Format::OpenaiChat | Format::AnthropicMessages => {
                json!({"model": model, "stream": stream, "max_tokens": 64, "messages": messages})
            }
            Format::OpenaiResponses => {
                json!({"model": model, "stream": stream, "max_output_tokens": 64, "input": messages})
            }
            Format::GoogleGemini => json!({
                "contents": [{"role": "user", "parts": [{"text": QUESTION}]}],
                "generationConfig": {"maxOutputTokens": 64},
            }),
            Format::BedrockConverse => json!({
                "messages": [{"role": "user", "content": [{"text": QUESTION}]}],
                "inferenceConfig": {"maxTokens": 64},
            }),
        };
        let path = [format.base_path(), &format.provider_path(Operation::Chat, model, stream)].concat();
        let headers = Headers::from([
            (":method", "POST"),
            (":path", path.as_str()),
            (":scheme", "https"),
            (":authority", "gateway.example"),
            ("content-type", "application/json"),
            ("authorization", &format!("Bearer {KEY}")),
            ("x-request-id", "request-1"),
            ("cookie", "session=of-the-client"),
            ("x-tollgate-route", "forged"),
            ("x-envoy-max-retries", "99"),
            ("x-envoy-upstream-rq-timeout-ms", "1"),
        ]);
        Self { headers, body: body.to_string(), ends: Ends::Body, leaves: Leaves::Never }
    }

    pub(crate) fn with(self, name: &str, value: impl AsRef<[u8]>) -> Self {
        let headers = self.headers.iter().chain([(name.as_bytes(), value.as_ref())]).collect();
        Self { headers, ..self }
    }

    /// Asks for something else than an answer.
    pub(crate) fn asks(self, method: &str, path: &str, body: &Value) -> Self {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let other = self.without(":method").without(":path").with(":method", method).with(":path", path);
        Self { body, ..other }
    }

    pub(crate) fn without(self, name: &str) -> Self {
        let headers = self.headers.iter().filter(|(other, _)| *other != name.as_bytes()).collect();
        Self { headers, ..self }
    }
}

/// Where messages are cut into chunks: at these fractions of their length, of 256.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cuts(pub(crate) Vec<u8>);

impl Cuts {
    pub(crate) fn chunks<'a>(&self, bytes: &'a [u8]) -> Vec<&'a [u8]> {
        let mut at: Vec<usize> = self.0.iter().map(|cut| usize::from(*cut) * bytes.len() / 256).collect();
        at.extend([0, bytes.len()]);
        at.sort_unstable();
        at.dedup();
        at.windows(2).map(|cut| &bytes[cut[0]..cut[1]]).collect()
    }
}

/// What the client got.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Got {
    pub(crate) status: Option<u16>,
    pub(crate) headers: Headers,
    /// What is no text in it stands for itself.
    pub(crate) body: String,
    /// Its size in bytes.
    pub(crate) size: usize,
    /// Whether it saw the end of it.
    pub(crate) ended: bool,
}

/// What a provider was sent.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Sent {
    pub(crate) provider: &'static str,
    pub(crate) headers: Headers,
    pub(crate) body: Value,
}

/// Everything that can be seen of an exchange from outside.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Seen {
    pub(crate) client: Got,
    pub(crate) sent: Vec<Sent>,
    /// The one record, without times.
    pub(crate) record: Value,
}

impl Seen {
    pub(crate) fn error(&self) -> Value {
        let body: Value = serde_json::from_str(&self.client.body).expect("an error object");
        body.get("error").unwrap_or(&body).clone()
    }

    pub(crate) fn outcomes(&self) -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let attempts = self.record["attempts"].as_array().expect("attempts");
        attempts.iter().map(|one| (text(&one["outcome"]), text(&one["reason"]))).collect()
    }
}

/// How an attempt went on, as the router sees it.
enum Attempt {
    /// The client got its answer, as far as it goes.
    Answered,
    /// Nothing has reached the client, and another provider may be asked.
    Failed,
    /// The client went away.
    Left,
}

impl Gateway {
    /// Runs `test` on a gateway of its own. A VM has its own thread-locals, so it also has a thread of its own.
    pub(crate) fn with<T: Send>(bounds: &Value, test: impl FnOnce(Self) -> T + Send) -> T {
        Self::configured(|gate| gate["bounds"] = bounds.clone(), test)
    }

    /// The same, with a change of the gate's configuration.
    pub(crate) fn configured<T: Send>(
        change: impl FnOnce(&mut Value) + Send,
        test: impl FnOnce(Self) -> T + Send,
    ) -> T {
        let run = || test(Self::new(change));
        std::thread::scope(|scope| scope.spawn(run).join()).unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }

    fn new(change: impl FnOnce(&mut Value)) -> Self {
        // The SDK's logger is the process's, and panics when two VMs install it at once.
        static SDK: Once = Once::new();
        SDK.call_once(|| proxy_wasm::set_log_level(LogLevel::Info));
        let envoy = FakeEnvoy::new();
        let model = |provider: &&str| match *provider {
            "openai" => json!({"provider": "openai", "model": "gpt-5", "price": {"input": 1, "output": 8}}),
            _ => json!({"provider": "anthropic", "model": "claude-sonnet-4-5", "price": {"input": 3, "output": 15}}),
        };
        let models = MODELS.map(|(name, providers)| {
            let targets: Vec<Value> = providers.iter().map(model).collect();
            (name.to_owned(), json!({"targets": targets, "strict": name == "strict"}))
        });
        let mut config = json!({"gate": {
            "providers": {
                "anthropic": {"format": "anthropic-messages", "host": "api.anthropic.com"},
                "openai": {"format": "openai-chat", "host": "api.openai.com"},
            },
            "models": Value::Object(models.into_iter().collect()),
            "keys": [{"id": "support", "sha256": [KEY_SHA256], "subject": {"team": "support"}, "models": ["*"]}],
        }});
        change(&mut config["gate"]);
        let gate = load(&envoy, &config);
        let [openai, anthropic] =
            ["openai", "anthropic"].map(|name| load(&envoy, &json!({"provider": {"name": name}})));
        Self { gate, openai, anthropic, envoy }
    }

    pub(crate) fn load(&self, config: &Value) -> RootId {
        load(&self.envoy, config)
    }

    pub(crate) fn provider(&self, name: &str) -> RootId {
        if name == "openai" { self.openai } else { self.anthropic }
    }

    /// Runs one exchange to its end; the `n`th attempt is answered by the `n`th answer.
    pub(crate) fn run(&self, client: &Client, answers: &[Answer], cuts: &Cuts) -> Seen {
        self.run_at(self.gate, client, answers, cuts)
    }

    /// The same, at another gate.
    pub(crate) fn run_at(&self, gate: RootId, client: &Client, answers: &[Answer], cuts: &Cuts) -> Seen {
        self.envoy.scenario(format!("{client:?}\n{answers:?}\n{cuts:?}"));
        let exchange = self.envoy.exchange();
        let gate = exchange.stream(gate);
        let mut run = Run { gateway: self, exchange, gate, cuts, leaves: client.leaves, sent: Vec::new(), heard: 0 };
        let stays = run.ask(client) && (gate.forwarded_request().headers.is_none() || run.route(answers));
        if !stays {
            gate.property(&["response", "flags"], CLIENT_GONE.to_le_bytes());
        }
        run.finish()
    }

    /// The exchange of a finished stream is forgotten: whoever asks for it is refused.
    pub(crate) fn assert_forgotten(&self, exchange: &Exchange<'_>) {
        let late = exchange.upstream_stream(self.openai);
        late.request_headers([(":method", "POST")], false);
        assert_eq!(late.reply().map(|reply| reply.status), Some(500), "the exchange is still in the table");
    }
}

fn load(envoy: &FakeEnvoy, config: &Value) -> RootId {
    let register = tollgate_host::plugin::register::<Llm>;
    envoy.root(register, config.to_string().as_bytes()).expect("a good configuration")
}

/// The clusters in the gate's list, in its order.
fn clusters(list: &str) -> Vec<&'static str> {
    let list = STANDARD.decode(list).expect("base64");
    let at = |name: &&'static str| list.windows(name.len()).position(|bytes| bytes == name.as_bytes());
    let mut found: Vec<_> = ["openai", "anthropic"].into_iter().filter_map(|name| Some((at(&name)?, name))).collect();
    found.sort_unstable();
    found.into_iter().map(|(_, name)| name).collect()
}

/// An exchange on its way.
struct Run<'a> {
    gateway: &'a Gateway,
    exchange: Exchange<'a>,
    gate: Stream<'a>,
    cuts: &'a Cuts,
    leaves: Leaves,
    sent: Vec<Sent>,
    /// Bytes that providers have sent.
    heard: usize,
}

impl Run<'_> {
    /// The client sends its request; `false` when it leaves before its end.
    fn ask(&self, client: &Client) -> bool {
        let gate = &self.gate;
        let part = match client.leaves {
            Leaves::Asking(bytes) => &client.body[..bytes.min(client.body.len())],
            _ => &client.body,
        };
        let undecided = || gate.forwarded_request() == Forwarded::default();
        let chunks = self.cuts.chunks(part.as_bytes());
        let leaves = matches!(client.leaves, Leaves::Asking(_));
        let at_once = chunks.is_empty() && !leaves && matches!(client.ends, Ends::Body);
        gate.request_headers(client.headers.clone(), at_once);
        for (index, chunk) in chunks.iter().enumerate() {
            assert!(undecided(), "forwarded before the decision");
            let last = index + 1 == chunks.len() && !leaves;
            gate.request_data(chunk, last && matches!(client.ends, Ends::Body));
        }
        if leaves {
            assert!(undecided(), "forwarded half a request");
            return false;
        }
        match client.ends {
            Ends::Body => {}
            Ends::EmptyChunk => drop(gate.request_data(b"", true)),
            Ends::Trailers => drop(gate.request_trailers([("x-trailer", "1")])),
        }
        assert_ne!(undecided(), gate.reply().is_none(), "either forwarded or answered");
        true
    }

    /// Envoy's router; `false` when the client left.
    fn route(&mut self, answers: &[Answer]) -> bool {
        let request = self.gate.forwarded_request();
        assert!(request.ended);
        let mut headers = request.headers.clone().expect("headers");
        for name in ["authorization", "x-api-key", "cookie", "x-envoy-upstream-rq-timeout-ms"] {
            assert_eq!(headers.get(name), None, "what the client sent there is not for the router");
        }
        let providers = clusters(headers.text("x-tollgate-targets").expect("a list"));
        assert_eq!(headers.all("x-envoy-max-retries"), [(providers.len() - 1).to_string().as_bytes()]);
        // `header_to_metadata` takes the list away, which the router then follows.
        headers = headers.iter().filter(|(name, _)| *name != b"x-tollgate-targets").collect();
        for (index, provider) in providers.iter().enumerate() {
            let answer = answers[index.min(answers.len() - 1)].of(provider, index);
            match self.attempt(provider, &mut headers, &request, &answer, index + 1 < providers.len()) {
                Attempt::Answered => return true,
                Attempt::Failed => {}
                Attempt::Left => return false,
            }
        }
        self.gate.response_headers([(":status", "503"), ("content-type", "text/plain")], false);
        self.gate.response_data("upstream connect error or disconnect/reset before headers", true);
        true
    }

    fn attempt(
        &mut self,
        provider: &'static str,
        headers: &mut Headers,
        request: &Forwarded,
        answer: &provider::Script,
        retriable: bool,
    ) -> Attempt {
        let upstream = self.exchange.upstream_stream(self.gateway.provider(provider));
        // Envoy shows both streams of an exchange what it knows of the newest attempt.
        let address = if answer.connects { "10.0.0.1:40000" } else { "" };
        upstream.property(&["upstream", "local_address"], address);
        self.gate.property(&["upstream", "local_address"], address);
        let failure = if answer.connects { "" } else { "delayed connect error: Connection refused" };
        upstream.property(&["upstream", "transport_failure_reason"], failure);
        upstream.request_headers(headers.clone(), false);
        let chunks = self.cuts.chunks(&request.body);
        for (index, chunk) in chunks.iter().enumerate() {
            assert_eq!(upstream.forwarded_request(), Forwarded::default(), "sent before it was whole");
            upstream.request_data(chunk, index + 1 == chunks.len() && request.trailers.is_none());
        }
        if let Some(trailers) = &request.trailers {
            upstream.request_trailers(trailers.clone());
        }
        let mut relay = Relay { upstream, gate: self.gate, retriable, begun: false, sent: 0 };
        if upstream.reply().is_none() {
            let sent = upstream.forwarded_request();
            *headers = with_key(sent.headers.clone().expect("the attempt was sent"), provider);
            self.sent.push(as_sent(provider, sent));
        }
        let attempt = self.answer(&mut relay, answer);
        upstream.done();
        assert!(!upstream.request_headers_read(), "they hold the key of the provider asked before");
        assert!(self.gate.request_headers_read(), "a read is noticed");
        attempt
    }

    fn answer(&mut self, relay: &mut Relay<'_>, answer: &provider::Script) -> Attempt {
        if let Some(decided) = relay.pump() {
            return decided;
        }
        if !answer.responds {
            return if self.client_left(0) { Attempt::Left } else { Attempt::Failed };
        }
        let chunks = self.cuts.chunks(&answer.body);
        let end = matches!(answer.then, Then::End);
        relay.upstream.response_headers(answer.headers.clone(), chunks.is_empty() && end);
        for (index, chunk) in chunks.iter().enumerate() {
            if let Some(decided) = relay.pump() {
                return decided;
            }
            let (now, left) = self.until_client_leaves(chunk);
            relay.upstream.response_data(now, index + 1 == chunks.len() && end && !left);
            if left {
                relay.pump();
                return Attempt::Left;
            }
        }
        match answer.then {
            Then::End => {}
            Then::Trailers => drop(relay.upstream.response_trailers([("x-trailer", "1")])),
            Then::Reset => {}
            Then::Hang => self.gateway.envoy.advance(Duration::from_secs(31)),
        }
        if let Some(decided) = relay.pump() {
            return decided;
        }
        // The provider's connection broke, or the router's own timeout struck; Envoy flags either.
        self.gate.property(&["response", "flags"], UPSTREAM_FAILED.to_le_bytes());
        if relay.begun { Attempt::Answered } else { Attempt::Failed }
    }

    /// The part of a chunk that comes before the client leaves, and whether it leaves.
    fn until_client_leaves<'c>(&mut self, chunk: &'c [u8]) -> (&'c [u8], bool) {
        let left = self.client_left(chunk.len());
        let over = match self.leaves {
            Leaves::Waiting(bytes) if left => self.heard.saturating_sub(bytes),
            _ => 0,
        };
        (&chunk[..chunk.len() - over], left)
    }

    fn client_left(&mut self, more: usize) -> bool {
        self.heard += more;
        matches!(self.leaves, Leaves::Waiting(bytes) if self.heard >= bytes)
    }

    fn finish(self) -> Seen {
        let Self { exchange, gate, sent, gateway, .. } = self;
        assert_eq!(exchange.filter_state("wasm.tollgate.audit"), None, "recorded before the end");
        gate.log();
        let record = exchange.filter_state("wasm.tollgate.audit").expect("a record of every exchange");
        let mut record: Value = serde_json::from_slice(&record).expect("a record in JSON");
        gate.done();
        gateway.assert_forgotten(&exchange);
        forget_times(&mut record);
        Seen { client: as_got(&gate), sent, record }
    }
}

/// What the router does with the response of one attempt.
struct Relay<'a> {
    upstream: Stream<'a>,
    gate: Stream<'a>,
    retriable: bool,
    begun: bool,
    /// Bytes handed on.
    sent: usize,
}

impl Relay<'_> {
    /// Hands on what the provider's filter let go of.
    fn pump(&mut self) -> Option<Attempt> {
        if let Some(reply) = self.upstream.reply() {
            assert!(!self.begun);
            self.gate.response_headers(reply.headers, reply.body.is_empty());
            if !reply.body.is_empty() {
                self.gate.response_data(reply.body, true);
            }
            return Some(Attempt::Answered);
        }
        let let_go = self.upstream.forwarded_response();
        let end = let_go.ended && let_go.trailers.is_none();
        let more = let_go.body[self.sent..].to_vec();
        if let (false, Some(headers)) = (self.begun, &let_go.headers) {
            let status: u16 = headers.text(":status").and_then(|status| status.parse().ok()).expect("a status");
            if self.retriable && (status == 429 || status >= 500) {
                return Some(Attempt::Failed);
            }
            self.begun = true;
            self.gate.response_headers(headers.clone(), end && more.is_empty());
            if end && more.is_empty() {
                return Some(Attempt::Answered);
            }
        }
        if self.begun && (end || !more.is_empty()) {
            self.sent = let_go.body.len();
            self.gate.response_data(more, end);
        }
        if let Some(trailers) = let_go.trailers {
            self.gate.response_trailers(trailers);
        }
        (let_go.ended || self.upstream.was_reset()).then_some(Attempt::Answered)
    }
}

/// What `credential_injector` does behind the filter, in the header map that the next attempt begins with.
fn with_key(headers: Headers, provider: &str) -> Headers {
    let key = if provider == "openai" { ("authorization", "Bearer sk-openai") } else { ("x-api-key", "sk-anthropic") };
    let left = [key, ("x-left-by", provider), (":path", "/left/over")].map(|(n, v)| (n.as_bytes(), v.as_bytes()));
    headers.iter().filter(|(name, _)| *name != b":path").chain(left).collect()
}

fn as_sent(provider: &'static str, sent: Forwarded) -> Sent {
    assert!(sent.ended);
    let headers = sent.headers.expect("headers");
    assert_eq!(headers.all("content-length"), [sent.body.len().to_string().as_bytes()], "a length that lies smuggles");
    let body = serde_json::from_slice(&sent.body).expect("a body in JSON");
    Sent { provider, headers, body }
}

fn as_got(gate: &Stream<'_>) -> Got {
    let got = gate.forwarded_response();
    let Some(headers) = got.headers else { return Got::default() };
    let status = headers.text(":status").and_then(|status| status.parse().ok());
    let (body, size) = (String::from_utf8_lossy(&got.body).into_owned(), got.body.len());
    Got { status, headers, body, size, ended: got.ended && !gate.was_reset() }
}

fn forget_times(record: &mut Value) {
    match record {
        Value::Object(fields) => {
            fields.retain(|name, _| {
                !matches!(name.as_str(), "time" | "ms" | "time_to_first_token_ms" | "time_per_output_token_us")
            });
            fields.values_mut().for_each(forget_times);
        }
        Value::Array(values) => values.iter_mut().for_each(forget_times),
        _ => {}
    }
}
