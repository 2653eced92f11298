//! The plugin configuration: what an operator writes, checked whole before anything is served.

use crate::limits::asked;
use references::References;
use schemars::JsonSchema;
use std::rc::Rc;
use tollgate_config::{Map, object};
use tollgate_identity::{Identity, IdentityConfig, Part};
use tollgate_kernel::caller::Grant;
use tollgate_kernel::key_ring::{KeyEntry, KeyRing};
use tollgate_kernel::limit::Limit;
use tollgate_kernel::subject::Label;
use tollgate_limits::Services;

mod bounds;
mod cache;
mod model;
mod prompt;
mod provider;
mod references;
#[cfg(test)]
mod tests;
mod warning;

pub use bounds::Bounds;
pub use cache::{Cache, CachedModel, ModelCache};
pub use model::{Candidates, Model, Served, Target};
pub use prompt::{Prompt, Prompts};
pub use provider::Provider;

/// The configuration of one filter instance: either the gate's or a provider's.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[schemars(extend("minProperties" = 1, "maxProperties" = 1))]
pub struct Config {
    /// For the filter in the listener's chain: once per request.
    pub gate: Option<GateConfig>,
    /// For the filter in a provider cluster's chain: once per attempt.
    pub provider: Option<ProviderConfig>,
}

object!(Config { gate, provider });

/// Which role an instance plays.
#[derive(Debug)]
pub enum Role {
    /// Downstream.
    Gate(Box<Gate>),
    /// Upstream.
    Provider(ProviderConfig),
}

/// What the gate serves, to whom, from where.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct GateConfig {
    /// Providers by name.
    pub providers: Map<Label, Provider>,
    /// Models by the name that applications ask for.
    pub models: Map<Label, Model>,
    /// Virtual keys.
    pub keys: Vec<KeyEntry>,
    /// What may be used of requests, tokens and dollars.
    #[schemars(default)]
    pub limits: Vec<Rc<Limit>>,
    /// Services that keep limits for a fleet of Envoys, by name.
    #[schemars(default)]
    pub rate_limit_services: Services,
    /// Tell who asks how the limits stand that count for it, in the headers `ratelimit` and `ratelimit-policy`.
    #[schemars(default)]
    pub ratelimit_headers: bool,
    /// How it is proven who asks. By default with a virtual key.
    pub identity: Option<IdentityConfig>,
    /// Bounds of what is read and held.
    #[schemars(default)]
    pub bounds: Bounds,
    /// The cache of answers. Nothing is kept of a model that does not say `cache` too.
    #[schemars(default)]
    pub cache: Cache,
    /// Prompts by name. What the model asks for from one of them is noted, so that rules of the MCP gateway in the same Envoy
    /// can want it (`from_prompts`).
    #[schemars(default)]
    pub prompts: Map<Label, Prompt>,
}

object!(GateConfig {
    providers,
    models,
    keys,
    limits = Vec::new(),
    rate_limit_services = Services::default(),
    ratelimit_headers = false,
    identity,
    bounds = Bounds::default(),
    cache = Cache::default(),
    prompts = Map::default(),
});

/// Which provider an upstream instance stands before.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ProviderConfig {
    /// The provider's name in the gate's configuration. Without it, the name is read from the metadata of the chosen
    /// endpoint (`filter_metadata: {tollgate: {provider: ...}}`): for clusters that hold several providers.
    pub name: Option<Label>,
}

object!(ProviderConfig { name });

/// The gate's configuration, ready to decide with.
#[derive(Debug)]
pub struct Gate {
    /// Providers by name.
    pub providers: Map<Label, Provider>,
    /// Models by name.
    pub models: Map<Label, Served>,
    /// Virtual keys.
    pub keys: KeyRing,
    /// Limits that count for whoever they match.
    pub limits: Vec<Rc<Limit>>,
    /// Who keeps limits for a fleet.
    pub services: Rc<Services>,
    /// Clients are told how their limits stand.
    pub ratelimit_headers: bool,
    /// How it is proven who asks.
    pub identity: Identity,
    /// Bounds.
    pub bounds: Bounds,
    /// The cache of answers.
    pub cache: Cache,
    /// Prompts that are known.
    pub prompts: Prompts,
    /// What an operator should know of this configuration.
    pub warnings: Vec<String>,
}

/// Reads and checks a plugin configuration. `variable` gives an environment variable of the VM.
///
/// # Errors
/// The path to the field at fault, what was found and what was expected.
pub fn load(json: &[u8], variable: &dyn Fn(&str) -> Option<String>) -> Result<Role, String> {
    let config: Config = tollgate_config::read_plugin(json, "`gate` or `provider`")?;
    match (config.gate, config.provider) {
        (Some(gate), None) => gate.check(variable).map(|gate| Role::Gate(Box::new(gate))),
        (None, Some(provider)) => Ok(Role::Provider(provider)),
        (None, None) => Err("found neither, expected `gate` or `provider`".to_owned()),
        (Some(_), Some(_)) => Err("found both `gate` and `provider`, expected one of them".to_owned()),
    }
}

impl Gate {
    /// Whether anything is limited.
    #[must_use]
    pub fn has_limits(&self) -> bool {
        !self.limits.is_empty() || self.keys.entries().any(|key| !key.limits.is_empty())
    }
}

impl GateConfig {
    #[inline(never)]
    fn check(self, variable: &dyn Fn(&str) -> Option<String>) -> Result<Gate, String> {
        self.bounds.check()?;
        self.cache.check().map_err(|error| format!("gate.cache.{error}"))?;
        for (name, provider) in &self.providers {
            provider.check().map_err(|error| format!("gate.providers.{name}.{error}"))?;
        }
        let references = References::to(&self.models);
        for (index, key) in self.keys.iter().enumerate() {
            references.check(&format!("gate.keys[{index}]"), key.models.as_ref(), key.routes.as_ref())?;
        }
        let identity = match self.identity {
            Some(identity) => {
                let granted =
                    |part: &str, grant: &Grant| references.check(part, grant.models.as_ref(), grant.routes.as_ref());
                identity.check(&granted, variable).map_err(|error| format!("gate.identity.{error}"))?
            }
            None => Identity::default(),
        };
        if !self.keys.is_empty() && !identity.takes(Part::Key) {
            return Err("gate.keys: found keys, expected `key` in a way of `gate.identity.any_of`".to_owned());
        }
        for (name, service) in &self.rate_limit_services {
            service.check().map_err(|error| format!("gate.rate_limit_services.{name}.{error}"))?;
        }
        let check = |limits: &[Rc<Limit>], at: &str| {
            tollgate_limits::check(limits, &self.rate_limit_services, &asked::COUNTS, at)
        };
        check(&self.limits, "gate.limits")?;
        for (index, key) in self.keys.iter().enumerate() {
            check(&key.limits, &format!("gate.keys[{index}].limits"))?;
        }
        let keys = KeyRing::new(self.keys).map_err(|error| format!("gate.keys: {error}"))?;
        let prompts = Prompts::check(self.prompts).map_err(|error| format!("gate.prompts.{error}"))?;
        let Self { providers, models, limits, rate_limit_services: services, ratelimit_headers, bounds, cache, .. } =
            self;
        let models = models.try_map(|name, model| {
            model.check(name, &providers).map_err(|error| format!("gate.models.{name}.{error}"))
        })?;
        let all = || limits.iter().chain(keys.entries().flat_map(|key| &key.limits));
        let mut warnings = Vec::from_iter(tollgate_limits::warning::of_process(all()));
        warnings.extend(warning::of_unknown(&all().map(|limit| limit.unit).collect::<Vec<_>>(), &models));
        let services = Rc::new(services);
        if !prompts.is_empty() {
            warnings.extend(warning::of_kept_calls(&models));
        }
        Ok(Gate {
            models,
            providers,
            keys,
            limits,
            services,
            ratelimit_headers,
            identity,
            bounds,
            cache,
            prompts,
            warnings,
        })
    }
}

fn names<T>(map: &Map<Label, T>) -> String {
    map.keys().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
