//! Servers, and how requests find them.

use super::oauth::{Oauth, OauthConfig};
use super::{CalledByModels, Lint, Pin};
use crate::tools::Shelf;
use schemars::JsonSchema;
use std::borrow::Cow;
use std::rc::Rc;
use tollgate_config::{Map, object};
use tollgate_kernel::authority::host;
use tollgate_kernel::mcp::Names;
use tollgate_kernel::rule::Policy;
use tollgate_kernel::subject::Label;

/// A server as it is written.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ServerConfig {
    /// The path that leads to it, exactly, as the client writes it after Envoy has normalized it.
    #[schemars(extend("pattern" = "^/[^?#]*$"))]
    pub path: Option<String>,
    /// The host that leads to it, in lower case and without a port. Default: any.
    pub authority: Option<String>,
    /// Rules for it alone, before those of the gate.
    #[schemars(default)]
    pub rules: Policy,
    /// Whether it is trusted to say of its tools what they do, so that a rule may allow something because of it.
    #[schemars(default)]
    pub trust_annotations: bool,
    /// Characters that names of its tools and prompts may have besides letters, digits, `_`, `-` and `.`.
    #[schemars(default)]
    pub names_with: Names,
    /// How clients get tokens for it: what the gate tells them at `/.well-known/oauth-protected-resource` and with each 401.
    pub oauth: Option<OauthConfig>,
    /// Whether the caller's verified token goes on to the server, if `oauth.resource` is in its audience. No other credential
    /// ever does.
    #[schemars(default)]
    pub forward_token: bool,
    /// What models call its tools: agents put names before them, or not. `{server}` stands for the server's name, `{tool}` for
    /// the tool's own; of a name that providers do not allow, what is no letter, digit, `_` or `-` may be `_` as well. A rule's
    /// `from_prompts` looks for what models have asked for under these names.
    #[schemars(default)]
    pub called_by_models: CalledByModels,
    /// Where it stands for several servers, as Envoy's `mcp_router` does: those.
    pub backends: Option<Backends>,
    /// Which definitions of its tools are approved. Default: any.
    pub pin: Option<Pin>,
    /// What becomes of tools whose definitions speak to the model behind the user's back.
    #[schemars(default)]
    pub lint: Lint,
    /// Whether what a tool is called with must be valid by the schema that its server lists of it.
    #[schemars(default)]
    pub check_arguments: bool,
    /// The same of what it answers, where it has a schema for that.
    #[schemars(default)]
    pub check_results: bool,
}

object!(ServerConfig {
    path,
    authority,
    rules = Policy::default(),
    trust_annotations = false,
    names_with = Names::default(),
    oauth,
    forward_token = false,
    called_by_models = CalledByModels::default(),
    backends,
    pin,
    lint = Lint::Warn,
    check_arguments = false,
    check_results = false,
});

/// Servers behind one that puts their names before those of their tools and prompts, `crm__search` is `crm.search`, and before
/// the URIs of their resources, which rules name as they are: `crm+file://a`.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Backends {
    /// What stands between name and tool.
    #[schemars(default = "Backends::separator")]
    #[schemars(length(min = 1, max = 16))]
    pub separator: String,
    /// Their names.
    #[schemars(length(min = 1))]
    pub names: Vec<Label>,
}

object!(Backends { separator = Self::separator(), names });

impl Backends {
    fn separator() -> String {
        "__".to_owned()
    }
}

/// One server.
#[derive(Debug)]
pub struct Server {
    /// Its name.
    pub name: Label,
    /// What is configured of it.
    pub config: ServerConfig,
    /// What clients are told of tokens for it.
    pub oauth: Option<Oauth>,
    /// What is known of its tools.
    pub tools: Shelf,
}

/// All servers.
#[derive(Debug)]
pub struct Servers(Vec<Rc<Server>>);

impl Servers {
    pub(super) fn check(servers: Map<Label, ServerConfig>) -> Result<Self, String> {
        let servers = servers.try_map(|name, config| {
            config.check(name).map_err(|error| format!("servers.{name}{error}"))?;
            let oauth = config.oauth.as_ref().map(OauthConfig::check).transpose();
            let oauth = oauth.map_err(|error| format!("servers.{name}.oauth.{error}"))?;
            if config.forward_token && oauth.is_none() {
                return Err(format!(
                    "servers.{name}.forward_token: found true, expected `oauth.resource` to say for whom tokens are"
                ));
            }
            Ok::<_, String>(Rc::new(Server { name: name.clone(), config, oauth, tools: Shelf::of(name) }))
        })?;
        let servers: Vec<Rc<Server>> = servers.into_iter().map(|(_, server)| server).collect();
        if servers.is_empty() {
            return Err("servers: found none, expected one or more".to_owned());
        }
        for (index, server) in servers.iter().enumerate() {
            let route = |server: &Server| (server.config.path.clone(), server.config.authority.clone());
            if let Some(other) = servers.iter().take(index).find(|other| route(other) == route(server)) {
                return Err(format!("servers.{}: found the path and authority of `{}` again", server.name, other.name));
            }
        }
        Ok(Self(servers))
    }

    /// The server that a path, without its query, and an authority lead to: before others the one that names both, then the
    /// one that names a path.
    #[must_use]
    pub fn find(&self, path: &str, authority: &str) -> Option<&Rc<Server>> {
        let host = host(authority)?;
        let fits = |server: &&Rc<Server>| {
            let ServerConfig { path: own, authority, .. } = &server.config;
            own.as_deref().is_none_or(|own| own == path) && authority.as_deref().is_none_or(|own| own == host)
        };
        let rank = |server: &&Rc<Server>| (server.config.authority.is_some(), server.config.path.is_some());
        self.0.iter().filter(fits).max_by_key(rank)
    }

    /// The server whose metadata for OAuth are at this path: before others one of this host, since several hosts may have it.
    #[must_use]
    pub fn with_metadata(&self, path: &str, authority: &str) -> Option<(&Rc<Server>, &Oauth)> {
        let host = host(authority)?;
        let found = self.0.iter().filter_map(|server| server.oauth.as_ref().map(|oauth| (server, oauth)));
        found.filter(|(_, oauth)| oauth.metadata_path == path).max_by_key(|(_, oauth)| oauth.host == host)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Rc<Server>> {
        self.0.iter()
    }
}

impl ServerConfig {
    fn check(&self, name: &Label) -> Result<(), String> {
        if !is_name(name) {
            return Err(": expected a name of letters, digits, `_` and `-`".to_owned());
        }
        match &self.path {
            None if self.authority.is_none() => return Err(": found neither `path` nor `authority`".to_owned()),
            Some(path) if !path.starts_with('/') || path.contains(['?', '#']) => {
                return Err(format!(".path: found `{path}`, expected a path like `/crm/mcp`"));
            }
            _ => {}
        }
        if let Some(authority) = self.authority.as_ref().filter(|authority| host(authority).as_ref() != Some(authority))
        {
            return Err(format!(".authority: found `{authority}`, expected a host in lower case, without a port"));
        }
        if let Some(pin) = &self.pin {
            pin.check().map_err(|error| format!(".pin: {error}"))?;
        }
        self.backends.as_ref().map_or(Ok(()), Backends::check).map_err(|error| format!(".backends.{error}"))
    }
}

impl Backends {
    fn check(&self) -> Result<(), String> {
        if self.names.is_empty() {
            return Err("names: found none, expected one or more".to_owned());
        }
        if self.separator.is_empty() {
            return Err("separator: found nothing, expected what stands between name and tool".to_owned());
        }
        if let Some(name) = self.names.iter().find(|name| !is_name(name)) {
            return Err(format!("names: found `{name}`, expected letters, digits, `_` and `-`"));
        }
        let prefix = |name: &Label| format!("{name}{}", self.separator);
        if let Some(name) =
            self.names.iter().find(|name| !prefix(name).find(&self.separator).eq(&Some(name.as_str().len())))
        {
            return Err(format!("names: found `{name}`, expected a name in which the separator does not begin"));
        }
        let ambiguous = |name: &&Label| {
            let others = self.names.iter().filter(|other| prefix(other).starts_with(&prefix(name)));
            others.count() > 1
        };
        match self.names.iter().find(ambiguous) {
            Some(name) => Err(format!("names: found `{name}`, with which another one begins")),
            None => Ok(()),
        }
    }
}

/// Without dots, so that where the server's name ends in `<server>.<tool>` is plain.
fn is_name(name: &Label) -> bool {
    name.as_str().bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

/// A tool or prompt by its name in rules, and the server that has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Qualified<'s> {
    /// The server, or the one behind it.
    pub server: &'s str,
    /// `<server>.<name>`.
    pub name: String,
}

impl Server {
    /// What its tool or prompt `name` is called in rules; `None` for a name that begins with none of its backends'.
    #[must_use]
    pub fn qualified(&self, name: &str) -> Option<Qualified<'_>> {
        let (server, name) = match &self.config.backends {
            None => (self.name.as_str(), Cow::Borrowed(name)),
            Some(backends) => backends.names.iter().find_map(|backend| {
                let own = name.strip_prefix(backend.as_str())?.strip_prefix(backends.separator.as_str())?;
                Some((backend.as_str(), own.to_owned().into()))
            })?,
        };
        Some(Qualified { server, name: format!("{server}.{name}") })
    }

    /// The server that has this resource: one behind it whose name and a `+` stand before the URI, else itself.
    #[must_use]
    pub fn of_resource(&self, uri: &str) -> &str {
        let mut names = self.config.backends.iter().flat_map(|backends| &backends.names).map(Label::as_str);
        let owner = names.find(|name| uri.strip_prefix(name).is_some_and(|rest| rest.starts_with('+')));
        owner.unwrap_or(self.name.as_str())
    }
}
