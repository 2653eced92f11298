//! Rate limit services, and what limits may say of them.

use super::names;
use crate::limits::draw;
use schemars::JsonSchema;
use std::rc::Rc;
use tollgate_config::{Map, object};
use tollgate_kernel::limit::{Limit, Refill, Unit};
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

impl Service {
    const fn timeout_ms() -> u32 {
        250
    }

    pub(super) fn check(&self) -> Result<(), String> {
        let wait = self.timeout_ms;
        if (1..=60_000).contains(&wait) {
            Ok(())
        } else {
            Err(format!("timeout_ms: found {wait}, expected 1 to 60000 milliseconds"))
        }
    }
}

/// Checks limits that stand in one list. `at` is its path.
pub(super) fn check(limits: &[Rc<Limit>], services: &Map<Label, Service>, at: &str) -> Result<(), String> {
    for (index, limit) in limits.iter().enumerate() {
        if matches!(limit.unit, Unit::Calls | Unit::Messages) {
            return Err(format!(
                "{at}[{index}].{}: this filter counts `requests`, `tokens` and `usd`",
                limit.unit.name()
            ));
        }
        if limits.iter().take(index).any(|before| before.name == limit.name) {
            return Err(format!("{at}[{index}].name: found `{}` twice, expected a name for each limit", limit.name));
        }
        let Some(store) = &limit.store else { continue };
        if !services.contains_key(store) {
            let known = names(services);
            return Err(format!("{at}[{index}].store: found `{store}`, expected one of {known}"));
        }
        if draw::hits(limit.unit, limit.amount).is_none() || matches!(limit.refill, Refill::Steady { .. }) {
            return Err(format!(
                "{at}[{index}].{}: found more than a rate limit service can count, which is 4294967295, or 429496 dollars",
                limit.unit.name()
            ));
        }
    }
    Ok(())
}
