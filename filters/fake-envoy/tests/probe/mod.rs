//! A filter whose every callback is one closure of the test, and the host calls with their status.
#![allow(dead_code, unused_imports, reason = "each test file uses its own part of the probe")]

use std::cell::RefCell;
use std::rc::Rc;

use fake_envoy::{FakeEnvoy, RootId};
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, ContextType};

pub use Action::{Continue, Pause};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum On {
    VmStart,
    Configure(usize),
    Tick,
    RequestHeaders(usize, bool),
    RequestBody(usize, bool),
    RequestTrailers(usize),
    ResponseHeaders(usize, bool),
    ResponseBody(usize, bool),
    ResponseTrailers(usize),
    Log,
    Done,
}

type Script = Rc<dyn Fn(u32, On) -> Action>;

thread_local! {
    static SCRIPT: RefCell<Option<Script>> = const { RefCell::new(None) };
    static SEEN: RefCell<Vec<(u32, On)>> = const { RefCell::new(Vec::new()) };
}

fn run(context: u32, on: On) -> Action {
    SEEN.with_borrow_mut(|seen| seen.push((context, on)));
    let script = SCRIPT.with_borrow(Clone::clone);
    script.map_or(Continue, |script| script(context, on))
}

/// From now on every callback is this closure, which gets the context's id; `Pause` from a root callback is `false`.
pub fn script(script: impl Fn(u32, On) -> Action + 'static) {
    SCRIPT.with_borrow_mut(|current| *current = Some(Rc::new(script)));
}

/// What was called since this was last asked.
pub fn seen() -> Vec<On> {
    SEEN.with_borrow_mut(|seen| std::mem::take(seen).into_iter().map(|(_, on)| on).collect())
}

pub fn register() {
    proxy_wasm::set_root_context(|id| Box::new(Root(id)));
}

/// A loaded probe that runs `callbacks`.
pub fn load(envoy: &FakeEnvoy, callbacks: impl Fn(u32, On) -> Action + 'static) -> RootId {
    script(|_, _| Continue);
    let root = envoy.root(register, b"config").expect("the probe accepts");
    script(callbacks);
    seen();
    root
}

struct Root(u32);

impl Context for Root {}

impl RootContext for Root {
    fn on_vm_start(&mut self, _: usize) -> bool {
        run(self.0, On::VmStart) == Continue
    }

    fn on_configure(&mut self, size: usize) -> bool {
        run(self.0, On::Configure(size)) == Continue
    }

    fn on_tick(&mut self) {
        run(self.0, On::Tick);
    }

    fn create_http_context(&self, id: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Stream(id)))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}

struct Stream(u32);

impl Context for Stream {
    fn on_done(&mut self) -> bool {
        run(self.0, On::Done) == Continue
    }
}

impl HttpContext for Stream {
    fn on_http_request_headers(&mut self, count: usize, end: bool) -> Action {
        run(self.0, On::RequestHeaders(count, end))
    }

    fn on_http_request_body(&mut self, size: usize, end: bool) -> Action {
        run(self.0, On::RequestBody(size, end))
    }

    fn on_http_request_trailers(&mut self, count: usize) -> Action {
        run(self.0, On::RequestTrailers(count))
    }

    fn on_http_response_headers(&mut self, count: usize, end: bool) -> Action {
        run(self.0, On::ResponseHeaders(count, end))
    }

    fn on_http_response_body(&mut self, size: usize, end: bool) -> Action {
        run(self.0, On::ResponseBody(size, end))
    }

    fn on_http_response_trailers(&mut self, count: usize) -> Action {
        run(self.0, On::ResponseTrailers(count))
    }

    fn on_log(&mut self) {
        run(self.0, On::Log);
    }
}

pub const GET: [(&str, &str); 3] = [(":method", "GET"), (":path", "/a?b=c"), (":authority", "host")];
pub const OK: [(&str, &str); 2] = [(":status", "200"), ("content-type", "text/plain")];

pub const REQUEST: u32 = 0;
pub const REQUEST_TRAILERS: u32 = 1;
pub const RESPONSE: u32 = 2;

/// Host calls with the status that Envoy gives, where the SDK would panic.
pub mod host {
    use std::ptr::null_mut;

    pub const BAD_ARGUMENT: u32 = 2;
    pub const NOT_FOUND: u32 = 1;

    unsafe extern "C" {
        fn proxy_get_header_map_value(k: u32, n: *const u8, ns: usize, d: *mut *mut u8, s: *mut usize) -> u32;
        fn proxy_replace_header_map_value(k: u32, n: *const u8, ns: usize, v: *const u8, vs: usize) -> u32;
        fn proxy_get_buffer_bytes(k: u32, start: usize, max: usize, d: *mut *mut u8, s: *mut usize) -> u32;
        fn proxy_set_buffer_bytes(k: u32, start: usize, size: usize, v: *const u8, vs: usize) -> u32;
        fn proxy_send_local_response(
            status: u32,
            details: *const u8,
            details_size: usize,
            body: *const u8,
            body_size: usize,
            headers: *const u8,
            headers_size: usize,
            grpc: i32,
        ) -> u32;
        fn proxy_get_property(p: *const u8, ps: usize, d: *mut *mut u8, s: *mut usize) -> u32;
        fn proxy_set_property(p: *const u8, ps: usize, v: *const u8, vs: usize) -> u32;
        pub safe fn proxy_continue_stream(kind: u32) -> u32;
        pub safe fn proxy_close_stream(kind: u32) -> u32;
        pub safe fn proxy_set_effective_context(context: u32) -> u32;
        pub safe fn proxy_increment_metric(id: u32, offset: i64) -> u32;
        pub safe fn proxy_grpc_cancel(token: u32) -> u32;
    }

    pub use proxy_close_stream as close_stream;
    pub use proxy_continue_stream as continue_stream;
    pub use proxy_grpc_cancel as grpc_cancel;
    pub use proxy_increment_metric as increment_metric;
    pub use proxy_set_effective_context as set_effective_context;

    fn returned(call: impl FnOnce(*mut *mut u8, *mut usize) -> u32) -> Result<Vec<u8>, u32> {
        let (mut data, mut size) = (null_mut(), 0);
        match call(&mut data, &mut size) {
            0 if data.is_null() => Ok(Vec::new()),
            0 => Ok(unsafe { Vec::from_raw_parts(data, size, size) }),
            status => Err(status),
        }
    }

    pub fn header(map: u32, name: &str) -> Result<Vec<u8>, u32> {
        returned(|d, s| unsafe { proxy_get_header_map_value(map, name.as_ptr(), name.len(), d, s) })
    }

    pub fn set_header(map: u32, name: &str, value: &str) -> u32 {
        unsafe { proxy_replace_header_map_value(map, name.as_ptr(), name.len(), value.as_ptr(), value.len()) }
    }

    pub fn body(buffer: u32) -> Vec<u8> {
        returned(|d, s| unsafe { proxy_get_buffer_bytes(buffer, 0, usize::MAX, d, s) }).expect("a body or nothing")
    }

    pub fn set_body(buffer: u32, start: usize, size: usize, value: &str) -> u32 {
        unsafe { proxy_set_buffer_bytes(buffer, start, size, value.as_ptr(), value.len()) }
    }

    pub fn reply(status: u32, body: &str, details: &str) -> u32 {
        let (details, body) = (details.as_bytes(), body.as_bytes());
        let none = std::ptr::null();
        unsafe {
            proxy_send_local_response(status, details.as_ptr(), details.len(), body.as_ptr(), body.len(), none, 0, -1)
        }
    }

    pub fn property(path: &[&str]) -> Result<Vec<u8>, u32> {
        let path = path.join("\0");
        returned(|d, s| unsafe { proxy_get_property(path.as_ptr(), path.len(), d, s) })
    }

    pub fn set_property(path: &str, value: &str) -> u32 {
        unsafe { proxy_set_property(path.as_ptr(), path.len(), value.as_ptr(), value.len()) }
    }
}
