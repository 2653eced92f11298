//! A host for native tests that enforces Envoy's phase rules.
//!
//! A filter's rlib is linked against this crate instead of a wasm runtime: `abi.rs` defines the 37 functions that a
//! proxy-wasm module imports, and a [`Stream`] calls the module's exports in the order in which Envoy's filter manager
//! does, for one filter with `allow_on_headers_stop_iteration: true`. A call that Envoy would refuse is refused with
//! Envoy's status and kept in [`FakeEnvoy::violations`]; what left the filter is in [`Stream::forwarded_request`] and
//! [`Stream::forwarded_response`], so a test can say "nothing was forwarded before the decision".
//!
//! ```
//! use fake_envoy::{Delivery, FakeEnvoy};
//! use proxy_wasm::traits::{Context, HttpContext, RootContext};
//! use proxy_wasm::types::{Action, ContextType};
//!
//! struct Plugin;
//! impl Context for Plugin {}
//! impl RootContext for Plugin {
//!     fn create_http_context(&self, _: u32) -> Option<Box<dyn HttpContext>> {
//!         Some(Box::new(HoldUntilComplete))
//!     }
//!     fn get_type(&self) -> Option<ContextType> {
//!         Some(ContextType::HttpContext)
//!     }
//! }
//!
//! struct HoldUntilComplete;
//! impl Context for HoldUntilComplete {}
//! impl HttpContext for HoldUntilComplete {
//!     fn on_http_request_headers(&mut self, _: usize, end: bool) -> Action {
//!         if end { Action::Continue } else { Action::Pause }
//!     }
//!     fn on_http_request_body(&mut self, _: usize, end: bool) -> Action {
//!         if end { Action::Continue } else { Action::Pause }
//!     }
//! }
//!
//! let envoy = FakeEnvoy::new();
//! let root = envoy.root(|| proxy_wasm::set_root_context(|_| Box::new(Plugin)), b"{}").unwrap();
//! let stream = envoy.stream(root);
//!
//! assert_eq!(stream.request_headers([(":method", "POST"), (":path", "/")], false), Delivery::Paused);
//! assert_eq!(stream.request_data(b"half", false), Delivery::Paused);
//! assert!(stream.forwarded_request().headers.is_none());
//!
//! assert_eq!(stream.request_data(b" and half", true), Delivery::Continued);
//! assert_eq!(stream.forwarded_request().body, b"half and half");
//! assert!(envoy.violations().is_empty());
//! ```
//!
//! Two things a test should know. The SDK keeps its contexts in a thread-local, so one [`FakeEnvoy`] lives on a thread
//! at a time, and its drop ends everything it created. And a panic inside the filter ends the whole test process, as
//! it ends the VM in Envoy: it cannot unwind through the SDK's `extern "C"` exports. What was being driven is then
//! printed past the test harness's capture, with the text given to [`FakeEnvoy::scenario`].
#![cfg(not(target_arch = "wasm32"))]

mod abi;
mod direction;
mod envoy;
mod exchange;
mod exports;
mod filter_manager;
mod grpc;
mod headers;
mod local_reply;
mod maps;
mod memory;
mod metrics;
mod panics;
mod phase;
mod properties;
mod shared_data;
mod status;
mod stream;
mod world;

pub use direction::Forwarded;
pub use envoy::{FakeEnvoy, LoadError, RootId};
pub use exchange::Exchange;
pub use filter_manager::Delivery;
pub use grpc::GrpcCall;
pub use headers::Headers;
pub use local_reply::Reply;
pub use phase::Phase;
pub use stream::Stream;
pub use world::{LogLine, Violation};
