//! The plugin configuration: what an operator writes, checked whole before anything is served.

mod called;
mod oauth;
mod record;
mod server;
#[cfg(test)]
mod tests;
mod trust;

pub use called::CalledByModels;
pub use oauth::{Oauth, OauthConfig};
pub use record::RecordConfig;
pub use server::{Backends, Qualified, Server, ServerConfig, Servers};
pub use trust::{Lint, Pin};

use crate::limits::COUNTS;
use crate::record::Words;
use schemars::JsonSchema;
use std::rc::Rc;
use tollgate_config::{Fault, Map, Read, Value, object};
use tollgate_identity::signing::{self, Shared};
use tollgate_identity::{Identity, IdentityConfig};
use tollgate_kernel::bounds::Bounds;
use tollgate_kernel::key_ring::{KeyEntry, KeyRing};
use tollgate_kernel::limit::Limit;
use tollgate_kernel::redact::{Redactor, Where};
use tollgate_kernel::rule::{Approval, Policy};
use tollgate_kernel::runaway::Runaway;
use tollgate_kernel::signing_keys::SigningKeys;
use tollgate_kernel::subject::Label;
use tollgate_limits::Services;

/// The configuration of the filter.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Config {
    /// For the filter in the listener's chain.
    pub gate: GateConfig,
}

object!(Config { gate });

/// Which servers are there, and who may use what of them.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct GateConfig {
    /// Servers by name: letters, digits, `_` and `-`. A tool is called `<server>.<tool>` in rules, limits and records.
    pub servers: Map<Label, ServerConfig>,
    /// Virtual keys.
    #[schemars(default)]
    pub keys: Vec<KeyEntry>,
    /// How it is proven who asks. By default with a virtual key.
    pub identity: Option<IdentityConfig>,
    /// Who may use what. The first rule that matches decides; what no rule matches is denied.
    #[schemars(default)]
    pub rules: Policy,
    /// How much may be used: calls, requests, bytes of results, calls at the same time.
    #[schemars(default)]
    pub limits: Vec<Rc<Limit>>,
    /// Services that keep limits for a fleet of Envoys, by name.
    #[schemars(default)]
    pub rate_limit_services: Services,
    /// When an agent counts as lost, and is stopped.
    #[schemars(default)]
    pub runaway: Runaway,
    /// The environment variable of the VM that holds the key which sessions and approvals are signed with, or two while they are
    /// rotated, with a comma between. Default: a random key, which neither this Envoy after a restart nor another one knows.
    pub signing_keys_from: Option<String>,
    /// The page on which calls are approved.
    #[schemars(default)]
    pub approvals: Approvals,
    /// How a refusal is told.
    #[schemars(default)]
    pub refusals: Refusals,
    /// What is replaced in records, and in what servers answer.
    pub redact: Option<Redactor>,
    /// What records hold.
    #[schemars(default)]
    pub record: RecordConfig,
    /// Whether a request's headers wait until its body is decided. Needs `allow_on_headers_stop_iteration: true` of the plugin;
    /// where that cannot be set, as in Istio's `WasmPlugin`, `false` holds the body alone.
    #[schemars(default = "GateConfig::holds_headers")]
    pub hold_headers: bool,
    /// Bounds of what is read and held.
    #[schemars(default)]
    pub bounds: Bounds,
}

object!(GateConfig {
    servers,
    keys = Vec::new(),
    identity,
    rules = Policy::default(),
    limits = Vec::new(),
    rate_limit_services = Map::default(),
    runaway = Runaway::default(),
    signing_keys_from,
    approvals = Approvals::default(),
    refusals = Refusals::Result,
    redact,
    record = RecordConfig::default(),
    hold_headers = Self::holds_headers(),
    bounds = Bounds::default(),
});

impl GateConfig {
    const fn holds_headers() -> bool {
        true
    }
}

/// The page on which calls are approved: `/.tollgate/approvals`, wherever this filter is.
#[derive(Debug, Clone, Default, PartialEq, Eq, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Approvals {
    /// Where people find it. Told to who asks, with `#` and the call behind it.
    #[schemars(extend("pattern" = "^https?://[^#]+$"))]
    pub url: Option<String>,
}

object!(Approvals { url });

/// How it is told that a rule or a limit refuses.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, JsonSchema)]
#[schemars(rename_all = "lowercase")]
pub enum Refusals {
    /// With status 200 and, of a call of a tool, a failed result, which every client shows to its model.
    #[default]
    Result,
    /// With status 403 or 429, and an error.
    Status,
}

impl Read for Refusals {
    fn read(value: &Value<'_>) -> Result<Self, Fault> {
        value.one_of("enum Refusals", &[("result", Self::Result), ("status", Self::Status)])
    }
}

/// The configuration, ready to decide with.
#[derive(Debug)]
pub struct Gate {
    /// Servers.
    pub servers: Servers,
    /// Virtual keys.
    pub keys: KeyRing,
    /// How it is proven who asks.
    pub identity: Identity,
    /// Who may use what, after the server's own rules.
    pub rules: Policy,
    /// Limits.
    pub limits: Vec<Rc<Limit>>,
    /// Who keeps limits for a fleet.
    pub services: Rc<Services>,
    /// When an agent counts as lost.
    pub runaway: Runaway,
    /// What the gate signs that others carry for it.
    pub signing: SigningKeys,
    /// The page on which calls are approved.
    pub approvals: Approvals,
    /// Whether any rule wants to know from which prompt a call comes.
    pub asks_for_prompts: bool,
    /// How a refusal is told.
    pub refusals: Refusals,
    /// What is replaced, and where.
    redactor: Option<Redactor>,
    /// What records hold.
    record: RecordConfig,
    /// Whether a request's headers wait for what is decided of its body.
    pub hold_headers: bool,
    /// Bounds.
    pub bounds: Bounds,
    /// What an operator should know of this configuration.
    pub warnings: Vec<String>,
}

/// For the operator.
const RANDOM_KEY: &str = "gate.signing_keys_from is not set: sessions and approvals are signed with a random key, which neither this \
     Envoy after a restart nor another one knows";
/// For the operator.
const UNREDACTED: &str = "gate.record.arguments is true, and gate.redact is not for records: they hold what tools are called with as it \
     came, secrets included";

/// An environment variable of the VM.
type Variable<'v> = &'v dyn Fn(&str) -> Option<String>;

/// Reads and checks a plugin configuration. `variable` gives an environment variable of the VM, `shared` the keys where none are
/// configured.
///
/// # Errors
/// The path to the field at fault, what was found and what was expected.
pub fn load(json: &[u8], variable: Variable<'_>, shared: Shared<'_>) -> Result<Gate, String> {
    let config: Config = tollgate_config::read_plugin(json, "`gate`")?;
    config.gate.check(variable, shared).map_err(|error| format!("gate.{error}"))
}

impl GateConfig {
    #[inline(never)]
    fn check(self, variable: Variable<'_>, shared: Shared<'_>) -> Result<Gate, String> {
        let Self { servers, keys, identity, rules, limits, rate_limit_services, runaway, .. } = self;
        let Self { signing_keys_from, approvals, refusals, hold_headers, redact: redactor, record, bounds, .. } = self;
        bounds.check()?;
        let servers = Servers::check(servers)?;
        let (keys, identity) = tollgate_identity::without_models(keys, identity, variable)?;
        if let Some(server) = servers.iter().find(|server| server.config.forward_token && identity.jwt.is_none()) {
            return Err(format!("servers.{}.forward_token: found true, expected `identity.jwt`", server.name));
        }
        let scoped = servers.iter().any(|server| server.config.rules.has_scopes()) || rules.has_scopes();
        if scoped && identity.jwt.is_none() {
            return Err("rules: found `scopes`, expected `identity.jwt`, whose tokens have some".to_owned());
        }
        if let Some(url) = approvals.url.as_ref().filter(|url| !is_page(url)) {
            return Err(format!("approvals.url: found `{url}`, expected the page's whole address"));
        }
        for (name, service) in &rate_limit_services {
            service.check().map_err(|error| format!("rate_limit_services.{name}.{error}"))?;
        }
        tollgate_limits::check(&limits, &rate_limit_services, &COUNTS, "limits")?;
        let mut warnings = Vec::from_iter(tollgate_limits::warning::of_process(limits.iter()));
        let services = Rc::new(rate_limit_services);
        let (signing, is_random) = signing::keys(signing_keys_from, variable, shared)?;
        if is_random {
            warnings.push(RANDOM_KEY.to_owned());
        }
        let asks_for_prompts =
            rules.asks_for_prompts() || servers.iter().any(|server| server.config.rules.asks_for_prompts());
        if record.arguments && !redactor.as_ref().is_some_and(|redactor| redactor.is_for(Where::Records)) {
            warnings.push(UNREDACTED.to_owned());
        }
        Ok(Gate {
            servers,
            keys,
            identity,
            rules,
            asks_for_prompts,
            limits,
            services,
            runaway,
            signing,
            approvals,
            refusals,
            redactor,
            record,
            hold_headers,
            bounds,
            warnings,
        })
    }
}

impl Gate {
    /// What replaces something in `place`.
    #[must_use]
    pub fn redactor(&self, place: Where) -> Option<&Redactor> {
        self.redactor.as_ref().filter(|redactor| redactor.is_for(place))
    }

    /// What records tell of callers' words.
    #[must_use]
    pub fn words(&self) -> Words<'_> {
        Words { redactor: self.redactor(Where::Records), arguments: self.record.arguments }
    }

    /// Who may approve what this rule, by its name in records, wants confirmed.
    #[must_use]
    pub fn approval(&self, rule: &str) -> Option<&Approval> {
        let (policy, id) = match rule.strip_prefix("rules.") {
            Some(id) => (&self.rules, id),
            None => {
                let (server, id) = rule.strip_prefix("servers.")?.split_once(".rules.")?;
                let server = self.servers.iter().find(|own| own.name.as_str() == server)?;
                (&server.config.rules, id)
            }
        };
        policy.confirm(id).map(|confirm| &confirm.by)
    }
}

/// Whether it is a whole address, behind which a fragment can stand.
fn is_page(url: &str) -> bool {
    (url.starts_with("https://") || url.starts_with("http://")) && !url.contains('#')
}
