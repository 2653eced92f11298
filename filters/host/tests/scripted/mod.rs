//! A filter whose every decision is a closure of the test.
#![allow(dead_code, unused_imports, reason = "each test file uses its own part of the script")]

use fake_envoy::{FakeEnvoy, LoadError, RootId};
use proxy_wasm::types::LogLevel;
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Once;
use std::time::Duration;
pub(crate) use tollgate_host::abi::{HostError, Result};
pub(crate) use tollgate_host::grpc::CallFailed;
use tollgate_host::grpc::{self, Answer, Method};
use tollgate_host::plugin::{self, Plugin};
pub(crate) use tollgate_host::stream::{Reply, RequestBody, Step, Stream, Waker};

/// Makes calls for one stream, which wake it.
pub(crate) struct Asker {
    waker: Waker,
    answers: Rc<RefCell<Vec<Answer>>>,
}

impl Asker {
    pub(crate) fn call(&self, method: &Method<'_>, message: &[u8], timeout: Duration) -> Result<()> {
        let (waker, answers) = (self.waker.clone(), Rc::clone(&self.answers));
        grpc::call(method, message, timeout, move |answer| {
            answers.borrow_mut().push(answer);
            waker.wake();
        })
    }
}

/// What a role is asked.
pub(crate) enum On<'a> {
    RequestHeaders,
    RequestGrows(usize),
    RequestBody(&'a RequestBody, &'a Asker),
    /// With what was answered since it was asked before.
    Woken(&'a [Answer]),
    ResponseHeaders(bool),
    ResponseData(&'a [u8], bool),
    Expired,
    Log,
    Done,
}

impl On<'_> {
    fn name(&self) -> String {
        match self {
            Self::RequestHeaders => "request headers".to_owned(),
            Self::RequestGrows(size) => format!("request grows {size}"),
            Self::RequestBody(body, _) => format!("request body {}", body.size),
            Self::Woken(answers) => answers.iter().map(told).collect::<Vec<_>>().join(", "),
            Self::ResponseHeaders(end) => format!("response headers {end}"),
            Self::ResponseData(data, end) => format!("response data {:?} {end}", String::from_utf8_lossy(data)),
            Self::Expired => "expired".to_owned(),
            Self::Log => "log".to_owned(),
            Self::Done => "done".to_owned(),
        }
    }
}

/// An answer, in words.
pub(crate) fn told(answer: &Answer) -> String {
    match answer {
        Ok(answer) => format!("answered {}", String::from_utf8_lossy(answer)),
        Err(failed) => format!("failed: {failed}"),
    }
}

type Decide = dyn Fn(&On<'_>) -> Result<Step>;

/// What the streams that begin from now on do.
#[derive(Clone)]
pub(crate) struct Script {
    pub(crate) decide: Rc<Decide>,
    pub(crate) reads: bool,
    pub(crate) deadline: Option<u64>,
    pub(crate) holds_headers: bool,
}

thread_local! {
    static SCRIPT: RefCell<Option<Script>> = const { RefCell::new(None) };
    static SEEN: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
    static CONFIGS: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// Streams that hold everything but what `decide` decides; all response data is read.
pub(crate) fn script(decide: impl Fn(&On<'_>) -> Result<Step> + 'static) -> Script {
    let script = Script { decide: Rc::new(decide), reads: true, deadline: None, holds_headers: true };
    play(&script);
    script
}

pub(crate) fn play(script: &Script) {
    SCRIPT.set(Some(script.clone()));
}

/// What was asked since this was last called.
pub(crate) fn seen() -> Vec<String> {
    SEEN.take()
}

/// What `configure` was given since this was last called.
pub(crate) fn configs() -> Vec<Vec<u8>> {
    CONFIGS.take()
}

#[derive(Debug)]
struct Scripted;

impl Plugin for Scripted {
    type Stream = Role;

    fn configure(config: &[u8]) -> std::result::Result<Self, String> {
        CONFIGS.with_borrow_mut(|configs| configs.push(config.to_vec()));
        if config == b"bad" { Err("found `bad`, expected `good`".to_owned()) } else { Ok(Self) }
    }

    fn stream(&self) -> Role {
        Role(SCRIPT.with_borrow(Clone::clone).expect("a script"), Rc::default())
    }
}

struct Role(Script, Rc<RefCell<Vec<Answer>>>);

impl Role {
    fn ask(&self, on: &On<'_>) -> Result<Step> {
        SEEN.with_borrow_mut(|seen| seen.push(on.name()));
        (self.0.decide)(on)
    }
}

impl Stream for Role {
    fn request_headers(&mut self, _: bool) -> Result<Step> {
        self.ask(&On::RequestHeaders)
    }

    fn holds_headers(&self) -> bool {
        self.0.holds_headers
    }

    fn request_grows(&mut self, size: usize) -> Result<Step> {
        self.ask(&On::RequestGrows(size))
    }

    fn request_body(&mut self, body: &RequestBody) -> Result<Step> {
        let asker = Asker { waker: body.waker.clone(), answers: Rc::clone(&self.1) };
        self.ask(&On::RequestBody(body, &asker))
    }

    fn woken(&mut self) -> Result<Step> {
        let answers = self.1.take();
        self.ask(&On::Woken(&answers))
    }

    fn response_headers(&mut self, end: bool) -> Result<Step> {
        self.ask(&On::ResponseHeaders(end))
    }

    fn reads_response(&mut self, _: usize) -> bool {
        self.0.reads
    }

    fn response_data(&mut self, data: &[u8], end: bool) -> Result<Step> {
        self.ask(&On::ResponseData(data, end))
    }

    fn deadline(&self) -> Option<u64> {
        self.0.deadline
    }

    fn expired(&mut self) -> Result<Step> {
        self.ask(&On::Expired)
    }

    fn done(&mut self) {
        drop(self.ask(&On::Done));
    }

    fn log(&mut self) {
        drop(self.ask(&On::Log));
    }
}

pub(crate) fn load(envoy: &FakeEnvoy, config: &[u8]) -> std::result::Result<RootId, LoadError> {
    // The SDK's logger is the process's, and panics when two VMs install it at once.
    static SDK: Once = Once::new();
    SDK.call_once(|| proxy_wasm::set_log_level(LogLevel::Info));
    envoy.root(plugin::register::<Scripted>, config)
}

/// Runs `test` with the filter loaded. A VM has its own thread-locals, so it also has a thread of its own.
pub(crate) fn with_filter<T: Send>(test: impl FnOnce(&FakeEnvoy, RootId) -> T + Send) -> T {
    let run = || {
        let envoy = FakeEnvoy::new();
        let root = load(&envoy, b"good").expect("the filter accepts");
        configs();
        test(&envoy, root)
    };
    std::thread::scope(|scope| scope.spawn(run).join()).unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// An answer of the role's own.
pub(crate) fn reply() -> Step {
    Step::Reply(Reply {
        status: 403,
        details: "not_allowed",
        headers: vec![("content-type", "application/json".to_owned()), ("x-why", "because".to_owned())],
        body: b"{}".to_vec(),
    })
}

pub(crate) const REQUEST: [(&str, &str); 3] = [(":method", "POST"), (":path", "/"), ("content-length", "8")];
pub(crate) const RESPONSE: [(&str, &str); 2] = [(":status", "200"), ("content-type", "text/plain")];
