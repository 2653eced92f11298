//! The plugin configuration: what an operator writes, checked whole before anything is served.

use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;
use tollgate_kernel::key_ring::{AllowedModels, KeyEntry, KeyRing};
use tollgate_kernel::subject::Label;
use tollgate_wire::Format;
use tollgate_wire::price::Price;

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
    pub limits: Limits,
}

/// One model provider.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    /// The wire format it speaks.
    pub format: Format,
    /// The host to ask for, as in `api.openai.com`.
    pub host: String,
    /// The Envoy cluster that reaches it; by default the provider's name.
    pub cluster: Option<Label>,
    /// What stands before `/v1/...` in its paths, for example `/openai`.
    #[serde(default)]
    pub path_prefix: String,
    /// Headers it wants besides its key, for example `anthropic-version`.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
}

/// One model as applications know it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// Who serves it, in order: the next one is asked when one fails. Name one twice to try it twice.
    #[schemars(length(min = 1, max = 8))]
    pub targets: Vec<Target>,
    /// Value of the `x-tollgate-route` header that Envoy's routes match; by default the model's name.
    pub route: Option<Label>,
}

/// One model of one provider.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// Name of the provider.
    pub provider: Label,
    /// What that provider calls the model.
    #[schemars(length(min = 1, max = 256))]
    pub model: String,
    /// US dollars per million tokens. Without it, usage is counted as unpriced.
    pub price: Option<Price>,
}

/// Bounds of what is read and held.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Largest request body, in bytes. Keep the route's `request_body_buffer_limit` above it.
    #[schemars(range(min = 1024, max = 33_554_432))]
    pub request_bytes: usize,
    /// Largest answer that is not streamed, in bytes.
    #[schemars(range(min = 1024, max = 268_435_456))]
    pub response_bytes: usize,
    /// Largest single event of a stream, in bytes.
    #[schemars(range(min = 1024, max = 268_435_456))]
    pub event_bytes: usize,
    /// How much of a stream is held back while the provider has not yet really answered, in bytes.
    #[schemars(range(min = 1024, max = 268_435_456))]
    pub held_bytes: usize,
    /// How much of all answers together one worker holds, in bytes.
    #[schemars(range(min = 1024, max = 536_870_912))]
    pub held_total_bytes: usize,
    /// How long a stream is held back, in milliseconds after the response headers.
    #[schemars(range(min = 1, max = 600_000))]
    pub first_event_ms: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            request_bytes: 10 << 20,
            response_bytes: 32 << 20,
            event_bytes: 1 << 20,
            held_bytes: 64 << 10,
            held_total_bytes: 256 << 20,
            first_event_ms: 30_000,
        }
    }
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
    pub limits: Limits,
}

/// A model, with what every request for it needs made once.
#[derive(Debug)]
pub struct Served {
    /// Who serves it, in order; at least one.
    pub targets: Vec<Target>,
    /// Value of the route header.
    pub route: Label,
    /// Value of [`crate::route::TARGETS_HEADER`].
    pub targets_header: String,
}

/// Reads and checks a plugin configuration.
///
/// # Errors
/// The path to the field at fault, what was found and what was expected.
pub fn load(json: &[u8]) -> Result<Role, String> {
    if json.is_empty() {
        return Err("found no configuration, expected `gate` or `provider`".to_owned());
    }
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    let config: Config = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        let reason = reason(error.inner());
        if matches!(path.as_str(), "." | "?") { reason } else { format!("{path}: {reason}") }
    })?;
    deserializer.end().map_err(|error| reason(&error))?;
    match (config.gate, config.provider) {
        (Some(gate), None) => gate.check().map(|gate| Role::Gate(Box::new(gate))),
        (None, Some(provider)) => Ok(Role::Provider(provider)),
        (None, None) => Err("found neither, expected `gate` or `provider`".to_owned()),
        (Some(_), Some(_)) => Err("found both `gate` and `provider`, expected one of them".to_owned()),
    }
}

/// What is wrong, without line and column, which count in Envoy's own JSON, which nobody wrote; and without a text that
/// stands in the wrong place, which may be a key.
fn reason(error: &serde_json::Error) -> String {
    let reason = error.to_string();
    let reason = reason.rsplit_once(" at line ").map_or(reason.as_str(), |(reason, _)| reason);
    match reason.split_once(" string \"").zip(reason.rsplit_once("\", expected ")) {
        Some(((fault, _), (_, expected))) => format!("{fault} string, expected {expected}"),
        None => reason.to_owned(),
    }
}

impl GateConfig {
    fn check(self) -> Result<Gate, String> {
        self.limits.check()?;
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
        let Self { providers, models, limits, .. } = self;
        let models = models.into_iter().map(|(name, model)| {
            let served = model.check(&name, &providers).map_err(|error| format!("gate.models.{name}.{error}"))?;
            Ok((name, served))
        });
        Ok(Gate { models: models.collect::<Result<_, String>>()?, providers, keys, limits })
    }
}

impl Limits {
    fn check(self) -> Result<(), String> {
        const PER_REQUEST: usize = 32 << 20; // what is made of it to translate it takes up to twenty times as much
        const PER_STREAM: usize = 256 << 20;
        const PER_WORKER: usize = 512 << 20; // a buffer that grows takes twice its size, and a VM has 1 GiB
        let bytes = [
            ("request_bytes", self.request_bytes, PER_REQUEST),
            ("response_bytes", self.response_bytes, PER_STREAM),
            ("event_bytes", self.event_bytes, PER_STREAM),
            ("held_bytes", self.held_bytes, PER_STREAM),
            ("held_total_bytes", self.held_total_bytes, PER_WORKER),
        ];
        for (name, value, max) in bytes {
            if !(1024..=max).contains(&value) {
                return Err(format!("gate.limits.{name}: found {value}, expected 1024 to {max} bytes"));
            }
        }
        let wait = self.first_event_ms;
        if !(1..=600_000).contains(&wait) {
            return Err(format!("gate.limits.first_event_ms: found {wait}, expected 1 to 600000 milliseconds"));
        }
        Ok(())
    }
}

/// Headers of a provider's request that follow from what is sent.
const OURS_TO_SET: [&str; 8] = [
    "host",
    "content-type",
    "content-length",
    "content-encoding",
    "transfer-encoding",
    "accept",
    "accept-encoding",
    "connection",
];

impl Provider {
    fn check(&self) -> Result<(), String> {
        let plain = |text: &str, also: &str| {
            text.bytes().all(|byte| byte.is_ascii_alphanumeric() || also.as_bytes().contains(&byte))
        };
        if self.host.is_empty() || !plain(&self.host, ".-:[]") {
            return Err(format!("host: found `{}`, expected a host name", self.host.escape_debug()));
        }
        let prefix = &self.path_prefix;
        if !prefix.is_empty() && (!prefix.starts_with('/') || prefix.ends_with('/') || !plain(prefix, "/.-_~")) {
            return Err(format!("path_prefix: found `{}`, expected a path like `/openai`", prefix.escape_debug()));
        }
        for (name, value) in &self.headers {
            if name.is_empty() || !plain(name, "-_") || name.bytes().any(|byte| byte.is_ascii_uppercase()) {
                return Err(format!("headers: found the name `{}`, expected lowercase", name.escape_debug()));
            }
            if OURS_TO_SET.contains(&name.as_str()) {
                return Err(format!("headers.{name}: found a header that Tollgate sets itself"));
            }
            if crate::credentials::HEADERS.contains(&name.as_str()) {
                return Err(format!(
                    "headers.{name}: found a credential, expected Envoy's credential_injector to set it"
                ));
            }
            if !value.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
                return Err(format!("headers.{name}: expected printable ASCII"));
            }
        }
        Ok(())
    }
}

impl Model {
    fn check(self, name: &Label, providers: &BTreeMap<Label, Provider>) -> Result<Served, String> {
        if !(1..=8).contains(&self.targets.len()) {
            return Err(format!("targets: found {}, expected 1 to 8", self.targets.len()));
        }
        for (index, target) in self.targets.iter().enumerate() {
            let name = &target.model;
            if !(1..=256).contains(&name.len()) || name.chars().any(char::is_control) {
                return Err(format!(
                    "targets[{index}].model: found `{}`, expected 1 to 256 printable characters",
                    name.escape_debug()
                ));
            }
        }
        let cluster = |(index, target): (usize, &Target)| match providers.get(&target.provider) {
            Some(provider) => Ok(provider.cluster.as_ref().unwrap_or(&target.provider).as_str().to_owned()),
            None => {
                let known = names(providers);
                Err(format!("targets[{index}].provider: found `{}`, expected one of {known}", target.provider))
            }
        };
        let clusters: Vec<String> = self.targets.iter().enumerate().map(cluster).collect::<Result<_, _>>()?;
        Ok(Served {
            targets_header: crate::route::targets(clusters.iter().map(String::as_str)),
            route: self.route.unwrap_or_else(|| name.clone()),
            targets: self.targets,
        })
    }
}

fn names<T>(map: &BTreeMap<Label, T>) -> String {
    map.keys().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
