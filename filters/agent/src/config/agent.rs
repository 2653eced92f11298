//! Agents that are called, and how requests find them.

use schemars::JsonSchema;
use std::cell::RefCell;
use std::rc::Rc;
use tollgate_config::{Fault, Map, Read, Value, object};
use tollgate_kernel::a2a::card::{CardConfig, Cards, Etag};
use tollgate_kernel::a2a::conversation::Mode;
use tollgate_kernel::a2a::push::PushRules;
use tollgate_kernel::authority::host;
use tollgate_kernel::subject::Label;

/// An agent as it is written.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct AgentConfig {
    /// The path that leads to it, as the client writes it after Envoy has normalized it: JSON-RPC is spoken there, and what
    /// stands below it are its other paths.
    #[schemars(extend("pattern" = "^/[^?#]*[^/?#]$"))]
    pub path: Option<String>,
    /// The host that leads to it, in lower case and without a port. Default: any.
    pub authority: Option<String>,
    /// What tokens that are meant for it have in `aud`. Default: its name.
    #[schemars(default)]
    pub audiences: Vec<String>,
    /// Whether the caller's verified token goes on to it, if that is meant for it. No other credential ever does.
    #[schemars(default = "AgentConfig::forwards")]
    pub forward_token: bool,
    /// Its name when it calls others itself, where that is another than here: of an agent that is registered twice, for one.
    pub calls_as: Option<Label>,
    /// What becomes of gRPC.
    #[schemars(default)]
    pub grpc: Grpc,
    /// What callers get to read of its card.
    #[schemars(default)]
    pub card: CardConfig,
    /// Which addresses it may be asked to tell of tasks. By default none.
    #[schemars(default)]
    pub push: PushRules,
    /// How it is known whose a conversation with it is.
    #[schemars(default)]
    pub conversations: Mode,
    /// Tenants of its own for whom something else holds. A tenant that is not named here is treated as all others.
    #[schemars(default)]
    pub tenants: Map<Label, Tenant>,
}

object!(AgentConfig {
    path,
    authority,
    audiences = Vec::new(),
    forward_token = Self::forwards(),
    calls_as,
    grpc = Grpc::Refuse,
    card = CardConfig::default(),
    push = PushRules::default(),
    conversations = Mode::default(),
    tenants = Map::default(),
});

/// What holds for a tenant of an agent's.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Tenant {
    /// Which addresses the agent may be asked to tell of this tenant's tasks.
    pub push: PushRules,
}

object!(Tenant { push });

/// What becomes of gRPC, which is recognised and not read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, JsonSchema)]
#[schemars(rename_all = "lowercase")]
pub enum Grpc {
    /// It is refused.
    #[default]
    Refuse,
    /// It goes on unread: who calls, the operation by its path, and limits decide; conversations, skills and addresses do not.
    Unread,
}

impl Read for Grpc {
    fn read(value: &Value<'_>) -> Result<Self, Fault> {
        value.one_of("enum Grpc", &[("refuse", Self::Refuse), ("unread", Self::Unread)])
    }
}

/// One agent.
#[derive(Debug)]
pub struct Agent {
    /// Its name.
    pub name: Label,
    /// What is configured of it.
    pub config: AgentConfig,
    /// Where its card says that it is; without it, it has none here.
    pub card_url: Option<String>,
    /// The last answer of it whose signatures were verified.
    pub(crate) verified: RefCell<Option<Etag>>,
}

/// All agents.
#[derive(Debug)]
pub struct Agents(Vec<Rc<Agent>>);

impl Agents {
    pub(super) fn check(agents: Map<Label, AgentConfig>, cards: &Cards) -> Result<Self, String> {
        let agents = agents.try_map(|name, mut config| {
            config.check().map_err(|error| format!("agents.{name}{error}"))?;
            if config.audiences.is_empty() {
                config.audiences.push(name.as_str().to_owned());
            }
            let card_url = config.card_url(cards).map_err(|error| format!("agents.{name}.card{error}"))?;
            Ok::<_, String>(Rc::new(Agent { name: name.clone(), config, card_url, verified: RefCell::default() }))
        })?;
        let agents: Vec<Rc<Agent>> = agents.into_iter().map(|(_, agent)| agent).collect();
        if agents.is_empty() {
            return Err("agents: found none, expected one or more".to_owned());
        }
        for (index, agent) in agents.iter().enumerate() {
            let route = |agent: &Agent| (agent.config.path.clone(), agent.config.authority.clone());
            if let Some(other) = agents.iter().take(index).find(|other| route(other) == route(agent)) {
                return Err(format!("agents.{}: found the path and authority of `{}` again", agent.name, other.name));
            }
        }
        Ok(Self(agents))
    }

    /// The agent that a path, without its query, and an authority lead to, and what stands below the agent's own path. Before
    /// others the one that names the authority, then the one with the longest path.
    #[must_use]
    pub fn find<'p>(&self, path: &'p str, authority: &str) -> Option<(&Rc<Agent>, &'p str)> {
        let host = host(authority)?;
        let fits = |agent: &&Rc<Agent>| agent.config.authority.as_deref().is_none_or(|own| own == host);
        let found = self.0.iter().filter(fits).filter_map(|agent| Some((agent, agent.below(path)?)));
        found.max_by_key(|(agent, below)| (agent.config.authority.is_some(), path.len().saturating_sub(below.len())))
    }

    /// The agent of this name.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&Rc<Agent>> {
        self.0.iter().find(|agent| agent.name.as_str() == name)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Rc<Agent>> {
        self.0.iter()
    }
}

impl Agent {
    /// Its name when it calls others.
    #[must_use]
    pub fn as_caller(&self) -> &Label {
        self.config.calls_as.as_ref().unwrap_or(&self.name)
    }

    /// What stands below its own path; `None`: the path is not its.
    fn below<'p>(&self, path: &'p str) -> Option<&'p str> {
        let Some(own) = &self.config.path else { return Some(path) };
        path.strip_prefix(own.as_str()).filter(|below| below.is_empty() || below.starts_with('/'))
    }

    /// Which addresses it may be asked to tell of a tenant's tasks.
    #[must_use]
    pub fn push(&self, tenant: Option<&str>) -> &PushRules {
        let own = tenant.and_then(|tenant| self.config.tenants.get(tenant));
        own.map_or(&self.config.push, |tenant| &tenant.push)
    }
}

impl AgentConfig {
    const fn forwards() -> bool {
        true
    }

    /// Where its card says that it is. What has an authority of its own is found nowhere at the gateway's.
    fn card_url(&self, cards: &Cards) -> Result<Option<String>, String> {
        if self.card.grpc_url.is_some() && self.grpc != Grpc::Unread {
            return Err(".grpc_url: found it without `grpc: unread`, which lets gRPC through".to_owned());
        }
        let url = self.card.url(cards, self.path.as_deref())?;
        Ok(url.filter(|_| self.card.url.is_some() || self.authority.is_none()))
    }

    fn check(&self) -> Result<(), String> {
        match &self.path {
            None if self.authority.is_none() => return Err(": found neither `path` nor `authority`".to_owned()),
            Some(path) if !path.starts_with('/') || path.ends_with('/') || path.contains(['?', '#']) => {
                return Err(format!(".path: found `{path}`, expected a path like `/agents/planner`"));
            }
            _ => {}
        }
        match self.authority.as_ref().filter(|authority| host(authority).as_ref() != Some(authority)) {
            Some(found) => Err(format!(".authority: found `{found}`, expected a host in lower case, without a port")),
            None => Ok(()),
        }
    }
}
