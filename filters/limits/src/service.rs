//! Rate limit services.

use schemars::JsonSchema;
use std::time::Duration;
use tollgate_config::{Map, object};
use tollgate_kernel::subject::Label;

/// A service that keeps limits for a fleet of Envoys, and speaks `envoy.service.ratelimit.v3`.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Service {
    /// The Envoy cluster that reaches it, by HTTP/2.
    pub cluster: Label,
    /// Its domain (Limitador: namespace), under which it keeps them.
    pub domain: Label,
    /// How long an answer may take, in milliseconds.
    #[schemars(default = "Service::timeout_ms")]
    #[schemars(range(min = 1, max = 60_000))]
    pub timeout_ms: u32,
}

object!(Service { cluster, domain, timeout_ms = Self::timeout_ms() });

/// Those that are configured, by name.
pub type Services = Map<Label, Service>;

impl Service {
    const fn timeout_ms() -> u32 {
        250
    }

    /// How long an answer may take.
    pub(crate) const fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout_ms as u64)
    }

    /// Whether it can be asked.
    ///
    /// # Errors
    /// The field at fault, what was found and what was expected.
    pub fn check(&self) -> Result<(), String> {
        let wait = self.timeout_ms;
        if (1..=60_000).contains(&wait) {
            Ok(())
        } else {
            Err(format!("timeout_ms: found {wait}, expected 1 to 60000 milliseconds"))
        }
    }
}
