//! The plugin configuration: what an operator writes, checked whole before anything is served.

use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;
use tollgate_kernel::key_ring::{AllowedModels, KeyEntry, KeyRing};
use tollgate_kernel::subject::Label;
use tollgate_wire::tree;

mod bounds;
mod cache;
mod model;
mod provider;
#[cfg(test)]
mod tests;

pub use bounds::Bounds;
pub use cache::{Cache, CachedModel, ModelCache, SubjectField};
pub use model::{Candidates, Model, Served, Target};
pub use provider::Provider;

/// The configuration of one filter instance: either the gate's or a provider's.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("minProperties" = 1, "maxProperties" = 1))]
pub struct Config {
    /// For the filter in the listener's chain: once per request.
    pub gate: Option<GateConfig>,
    /// For the filter in a provider cluster's chain: once per attempt.
    pub provider: Option<ProviderConfig>,
}

/// Which role an instance plays.
#[derive(Debug)]
pub enum Role {
    /// Downstream.
    Gate(Box<Gate>),
    /// Upstream.
    Provider(ProviderConfig),
}

/// What the gate serves, to whom, from where.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GateConfig {
    /// Providers by name.
    pub providers: BTreeMap<Label, Provider>,
    /// Models by the name that applications ask for.
    pub models: BTreeMap<Label, Model>,
    /// Virtual keys.
    pub keys: Vec<KeyEntry>,
    /// Bounds of what is read and held.
    #[serde(default)]
    pub bounds: Bounds,
    /// The cache of answers. Nothing is kept of a model that does not say `cache` too.
    #[serde(default)]
    pub cache: Cache,
}

/// Which provider an upstream instance stands before.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProviderConfig {
    /// The provider's name in the gate's configuration. Without it, the name is read from the metadata of the chosen
    /// endpoint (`filter_metadata: {tollgate: {provider: ...}}`): for clusters that hold several providers.
    pub name: Option<Label>,
}

/// The gate's configuration, ready to decide with.
#[derive(Debug)]
pub struct Gate {
    /// Providers by name.
    pub providers: BTreeMap<Label, Provider>,
    /// Models by name.
    pub models: BTreeMap<Label, Served>,
    /// Virtual keys.
    pub keys: KeyRing,
    /// Bounds.
    pub bounds: Bounds,
    /// The cache of answers.
    pub cache: Cache,
}

/// Reads and checks a plugin configuration.
///
/// # Errors
/// The path to the field at fault, what was found and what was expected.
pub fn load(json: &[u8]) -> Result<Role, String> {
    if json.is_empty() {
        return Err("found no configuration, expected `gate` or `provider`".to_owned());
    }
    let json = std::str::from_utf8(json).map_err(|_| "found bytes that are not UTF-8, expected JSON".to_owned())?;
    let config: Config = tree::read(json).map_err(|fault| fault.to_string())?;
    match (config.gate, config.provider) {
        (Some(gate), None) => gate.check().map(|gate| Role::Gate(Box::new(gate))),
        (None, Some(provider)) => Ok(Role::Provider(provider)),
        (None, None) => Err("found neither, expected `gate` or `provider`".to_owned()),
        (Some(_), Some(_)) => Err("found both `gate` and `provider`, expected one of them".to_owned()),
    }
}

impl GateConfig {
    #[inline(never)]
    fn check(self) -> Result<Gate, String> {
        self.bounds.check()?;
        self.cache.check().map_err(|error| format!("gate.cache.{error}"))?;
        for (name, provider) in &self.providers {
            provider.check().map_err(|error| format!("gate.providers.{name}.{error}"))?;
        }
        for (index, key) in self.keys.iter().enumerate() {
            if let AllowedModels::Only(models) = &key.models
                && let Some(unknown) = models.iter().find(|name| !self.models.contains_key(name.as_str()))
            {
                let known = names(&self.models);
                return Err(format!("gate.keys[{index}].models: found `{unknown}`, expected one of {known}"));
            }
        }
        let keys = KeyRing::new(self.keys).map_err(|error| format!("gate.keys: {error}"))?;
        let Self { providers, models, bounds, cache, .. } = self;
        let mut served = BTreeMap::new();
        for (name, model) in models {
            let model = model.check(&name, &providers).map_err(|error| format!("gate.models.{name}.{error}"))?;
            served.insert(name, model);
        }
        Ok(Gate { models: served, providers, keys, bounds, cache })
    }
}

fn names<T>(map: &BTreeMap<Label, T>) -> String {
    map.keys().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
