//! The plugin configuration: what an operator writes, checked whole before anything is served.

mod agent;
#[cfg(test)]
mod tests;

pub use agent::{Agent, AgentConfig, Agents, Grpc, Tenant};

use crate::limits::COUNTS;
use schemars::JsonSchema;
use std::rc::Rc;
use tollgate_config::{Fault, Map, Read, Value, object};
use tollgate_identity::signing::{self, Shared};
use tollgate_identity::{Identity, IdentityConfig};
use tollgate_kernel::a2a::SkillKeys;
use tollgate_kernel::a2a::card::{Cards, CardsConfig};
use tollgate_kernel::a2a::policy::Policy;
use tollgate_kernel::bounds::Bounds;
use tollgate_kernel::key_ring::{KeyEntry, KeyRing};
use tollgate_kernel::limit::Limit;
use tollgate_kernel::redact::Redactor;
use tollgate_kernel::signing_keys::SigningKeys;
use tollgate_kernel::subject::{Field, Label};
use tollgate_kernel::ticket::{Names, Tickets};
use tollgate_kernel::tier::{TierOf, Tiers};
use tollgate_limits::Services;

/// The configuration of the filter.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Config {
    /// For the filter in the listener's chain.
    pub gate: GateConfig,
}

object!(Config { gate });

/// Which agents are there, and who may call which of them, for whom.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct GateConfig {
    /// Agents that are called, by name. Rules call them `callees`, and call them `agents` when it is they who call.
    pub agents: Map<Label, AgentConfig>,
    /// Virtual keys.
    #[schemars(default)]
    pub keys: Vec<KeyEntry>,
    /// How it is proven who calls, and for whom. By default with a virtual key.
    pub identity: Option<IdentityConfig>,
    /// Headers by which agents would believe who calls: a client's do not go on.
    #[schemars(default)]
    pub identity_headers: Vec<String>,
    /// Tiers, the lowest first. A caller on none of them is on the lowest. By default a caller is on the tier that is proven.
    #[schemars(default)]
    pub tiers: Vec<Label>,
    /// Who is on which tier, where no proof says one.
    #[schemars(default)]
    pub tier_of: TierOf,
    /// Who may call whom, for whom, and for what. The first rule that matches decides; what no rule matches is denied.
    #[schemars(default)]
    pub rules: Policy,
    /// How much may be asked for: requests, messages, requests and streams at the same time, bytes of answers.
    #[schemars(default)]
    pub limits: Vec<Rc<Limit>>,
    /// Services that keep limits for a fleet of Envoys, by name.
    #[schemars(default)]
    pub rate_limit_services: Services,
    /// What an agent that is called carries on when it calls others itself, so that a chain of calls is known as one.
    #[schemars(default)]
    pub ticket: Tickets,
    /// The environment variable of the VM that holds the key which tickets and contexts are signed with, or two while they are
    /// rotated, with a comma between. Default: a random key, which neither this Envoy after a restart nor another one knows.
    pub signing_keys_from: Option<String>,
    /// What callers get to read of agents' cards.
    #[schemars(default)]
    pub cards: CardsConfig,
    /// Where a message declares its skill.
    #[schemars(default)]
    pub skills_from: SkillKeys,
    /// How a refusal is told in JSON-RPC.
    #[schemars(default)]
    pub refusals: Refusals,
    /// Whether messages with keys and tokens in them are refused: an agent that wants somebody to authenticate must get what it
    /// needs another way, for a message is read by every agent behind it (A2A, section 7.6).
    #[schemars(default)]
    pub deny_inband_credentials: bool,
    /// Whether a request's headers wait until its body is decided. Needs `allow_on_headers_stop_iteration: true` of the plugin;
    /// where that cannot be set, as in Istio's `WasmPlugin`, `false` holds the body alone.
    #[schemars(default = "GateConfig::holds_headers")]
    pub hold_headers: bool,
    /// Bounds of what is read and held.
    #[schemars(default)]
    pub bounds: Bounds,
}

object!(GateConfig {
    agents,
    keys = Vec::new(),
    identity,
    identity_headers = Vec::new(),
    tiers = Vec::new(),
    tier_of = TierOf::default(),
    rules = Policy::default(),
    limits = Vec::new(),
    rate_limit_services = Map::default(),
    ticket = Tickets::default(),
    signing_keys_from,
    cards = CardsConfig::default(),
    skills_from = SkillKeys::default(),
    refusals = Refusals::Status,
    deny_inband_credentials = false,
    hold_headers = Self::holds_headers(),
    bounds = Bounds::default(),
});

/// How it is told in JSON-RPC that identities disagree, or a rule, a limit or a ticket refuses.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, JsonSchema)]
#[schemars(rename_all = "lowercase")]
pub enum Refusals {
    /// With status 403 or 429. Of that clients on the official Python SDK tell the status alone.
    #[default]
    Status,
    /// With status 200, as agents tell their errors: clients tell what is wrong, with the rule and its reason.
    Error,
}

impl Read for Refusals {
    fn read(value: &Value<'_>) -> Result<Self, Fault> {
        value.one_of("enum Refusals", &[("status", Self::Status), ("error", Self::Error)])
    }
}

impl GateConfig {
    const fn holds_headers() -> bool {
        true
    }
}

/// The configuration, ready to decide with.
#[derive(Debug)]
pub struct Gate {
    /// Agents that are called.
    pub agents: Agents,
    /// Virtual keys.
    pub keys: KeyRing,
    /// How it is proven who calls.
    pub identity: Identity,
    /// Headers by which agents would believe who calls.
    pub identity_headers: Vec<String>,
    /// Who is on which tier.
    pub tiers: Tiers,
    /// Who may call whom.
    pub rules: Policy,
    /// Limits.
    pub limits: Vec<Rc<Limit>>,
    /// Who keeps limits for a fleet.
    pub services: Rc<Services>,
    /// Call tickets.
    pub ticket: Tickets,
    /// Agents that may stand in them.
    pub agent_names: Names,
    /// Tiers that may.
    pub tier_names: Names,
    /// What the gate signs that others carry for it.
    pub signing: SigningKeys,
    /// What callers get to read of agents' cards.
    pub cards: Cards,
    /// Where a message declares its skill.
    pub skills_from: SkillKeys,
    /// How a refusal is told in JSON-RPC.
    pub refusals: Refusals,
    /// What finds credentials in messages, where they are refused.
    pub credentials: Option<Redactor>,
    /// Whether a request's headers wait for what is decided of its body.
    pub hold_headers: bool,
    /// Bounds.
    pub bounds: Bounds,
    /// What an operator should know of this configuration.
    pub warnings: Vec<String>,
}

/// For the operator.
const RANDOM_KEY: &str = "gate.signing_keys_from is not set: tickets and contexts are signed with a random key, which neither this \
     Envoy after a restart nor another one knows";

const TOKEN_OF_ANYBODY: &str = "gate.identity.jwt.actor is not set: a token does for whichever agent shows it";

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

fn check_headers(names: &[String]) -> Result<(), String> {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let is_name = |name: &String| !name.is_empty() && name.bytes().all(allowed);
    match names.iter().position(|name| !is_name(name)) {
        Some(index) => Err(format!("identity_headers[{index}]: expected a header's name in lower case")),
        None => Ok(()),
    }
}

impl GateConfig {
    #[inline(never)]
    fn check(self, variable: Variable<'_>, shared: Shared<'_>) -> Result<Gate, String> {
        let Self { agents, keys, identity, rules, limits, rate_limit_services, .. } = self;
        let Self { identity_headers, tiers, tier_of, ticket, cards, .. } = self;
        let Self { signing_keys_from, skills_from, refusals, deny_inband_credentials, hold_headers, bounds, .. } = self;
        bounds.check()?;
        let cards = cards.check(variable).map_err(|error| format!("cards{error}"))?;
        let agents = Agents::check(agents, &cards)?;
        let (keys, identity) = tollgate_identity::without_models(keys, identity, variable)?;
        check_headers(&identity_headers)?;
        let tier_names = Names::of_tiers(tiers.iter().map(Label::as_str).chain(rules.names(Field::Tier)));
        let tiers = Tiers::check(tiers, tier_of)?;
        for (name, service) in &rate_limit_services {
            service.check().map_err(|error| format!("rate_limit_services.{name}.{error}"))?;
        }
        tollgate_limits::check(&limits, &rate_limit_services, &COUNTS, "limits")?;
        let mut warnings = Vec::from_iter(tollgate_limits::warning::of_process(limits.iter()));
        let (signing, is_random) = signing::keys(signing_keys_from, variable, shared)?;
        if identity.jwt.as_ref().is_some_and(|jwt| jwt.actor.is_none()) {
            warnings.push(TOKEN_OF_ANYBODY.to_owned());
        }
        if is_random {
            warnings.push(RANDOM_KEY.to_owned());
        }
        warnings.extend(
            rules.callees().filter(|(_, callees)| !agents.iter().any(|agent| callees.fit(agent.name.as_str()))).map(
                |(rule, _)| format!("gate.rules.{rule}.callees fits none of gate.agents: the rule decides nothing"),
            ),
        );
        let registered = agents.iter().map(|agent| agent.as_caller().as_str());
        let agent_names = Names::of_agents(registered.chain(rules.names(Field::Agent)));
        Ok(Gate {
            agents,
            keys,
            identity,
            identity_headers,
            tiers,
            rules,
            limits,
            services: Rc::new(rate_limit_services),
            ticket,
            agent_names,
            tier_names,
            signing,
            cards,
            skills_from,
            refusals,
            credentials: deny_inband_credentials.then(Redactor::of_keys),
            hold_headers,
            bounds,
            warnings,
        })
    }
}
