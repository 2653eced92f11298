//! A filter as Envoy loads it: read the configuration once, then make a stream for each request.

use crate::abi::{self, Buffer, Level};
use crate::deadline;
use crate::protobuf_struct;
use crate::stream::{Reply, Shared, Stream};
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
    proxy_wasm::set_root_context(|root_id| Box::new(Root::<P> { root_id, plugin: None }));
}

struct Root<P> {
    root_id: u32,
    plugin: Option<P>,
}

impl<P> Drop for Root<P> {
    fn drop(&mut self) {
        deadline::forget_root(self.root_id);
    }
}

impl<P: Plugin> Context for Root<P> {}

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
        deadline::tick(self.root_id);
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
