//! The empty filter: every callback of a stream crosses into the VM and comes straight back.

use proxy_wasm::traits::{Context, HttpContext};

struct Noop;

impl Context for Noop {}
impl HttpContext for Noop {}

proxy_wasm::main! {{
    proxy_wasm::set_http_context(|_, _| Box::new(Noop));
}}
