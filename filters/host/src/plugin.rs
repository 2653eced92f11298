//! A filter as Envoy loads it: read the configuration once, then make a stream for each request.

use crate::abi::{self, Buffer, Level};
use crate::root::Running;
use crate::stream::{Reply, Shared, Stream};
use crate::{deadline, grpc, protobuf_struct, root};
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, ContextType, LogLevel};

/// One filter.
pub trait Plugin: Sized + 'static {
    /// What it makes for each request or attempt.
    type Stream: Stream;

    /// Reads the plugin configuration, which is JSON, or inline YAML that was made JSON.
    ///
    /// # Errors
    /// A sentence for the operator; Envoy then refuses the configuration and keeps the one it has.
    fn configure(config: &[u8]) -> Result<Self, String>;

    /// The stream that begins now.
    fn stream(&self) -> Self::Stream;
}

/// Makes `P` the filter of this module; from `proxy_wasm::main!`.
pub fn register<P: Plugin>() {
    // Also installs the hook that writes a panic to Envoy's log.
    proxy_wasm::set_log_level(LogLevel::Info);
    proxy_wasm::set_root_context(|root_id| {
        root::begin(root_id);
        Box::new(Root::<P> { root_id, plugin: None, ending: false })
    });
}

struct Root<P> {
    root_id: u32,
    plugin: Option<P>,
    /// Envoy has done with it, but calls of its are under way, whose answers count.
    ending: bool,
}

impl<P> Root<P> {
    fn run(&mut self, callback: impl FnOnce(u32)) {
        root::within(Running::Root(self.root_id), || callback(self.root_id));
        if self.ending && !grpc::is_awaited_by(self.root_id) {
            self.ending = false;
            // It may have been a stream's last.
            let done = abi::set_effective_context(self.root_id).and_then(|()| abi::done());
            if let Err(error) = done {
                abi::log(Level::Error, &format!("tollgate: a configuration that is over could not be let go: {error}"));
            }
        }
    }
}

impl<P> Drop for Root<P> {
    fn drop(&mut self) {
        deadline::forget_root(self.root_id);
        root::end(self.root_id);
        grpc::forget_root(self.root_id);
    }
}

impl<P: Plugin> Context for Root<P> {
    fn on_grpc_call_response(&mut self, token: u32, status: u32, size: usize) {
        self.run(|_| grpc::answered(token, status, size));
    }

    fn on_done(&mut self) -> bool {
        self.ending = grpc::is_awaited_by(self.root_id);
        !self.ending
    }
}

impl<P: Plugin> RootContext for Root<P> {
    fn on_configure(&mut self, size: usize) -> bool {
        let config = abi::buffer(Buffer::PluginConfiguration, 0, size).map_err(|error| error.to_string());
        let as_json = |config: Vec<u8>| match protobuf_struct::to_json(&config) {
            Some(json) if !config.is_empty() => json.into_bytes(),
            _ => config,
        };
        let loaded = config.map(as_json).and_then(|config| P::configure(&config));
        match loaded {
            Ok(plugin) => {
                self.plugin = Some(plugin);
                true
            }
            Err(error) => {
                abi::log(Level::Error, &format!("tollgate: configuration refused: {error}"));
                false
            }
        }
    }

    fn on_tick(&mut self) {
        self.run(deadline::tick);
    }

    fn on_queue_ready(&mut self, _: u32) {
        self.run(|_| root::run_task());
    }

    fn create_http_context(&self, context_id: u32) -> Option<Box<dyn HttpContext>> {
        Some(match &self.plugin {
            Some(plugin) => Box::new(Shared::new(self.root_id, context_id, plugin.stream())),
            None => Box::new(Unconfigured),
        })
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}

/// Envoy makes no streams for a refused configuration; should it, they are refused.
struct Unconfigured;

impl Context for Unconfigured {}

impl HttpContext for Unconfigured {
    fn on_http_request_headers(&mut self, _: usize, _: bool) -> Action {
        Reply::failure("tollgate_not_configured").send();
        Action::Pause
    }
}
