//! A server as OAuth sees it: a resource that tokens are for (RFC 9728).

use schemars::JsonSchema;
use tollgate_config::object;
use tollgate_kernel::json::Writer;
use tollgate_kernel::rule::Scope;

/// What clients are told of how to get a token for a server.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct OauthConfig {
    /// The server's address as clients know it, which tokens for it have as their audience: `https://mcp.example.com/crm/mcp`.
    #[schemars(extend("pattern" = "^https?://[^/?#]+[^?#]*$"))]
    pub resource: String,
    /// Issuers of tokens for it.
    #[schemars(length(min = 1))]
    pub authorization_servers: Vec<String>,
    /// Scopes that there are.
    #[schemars(default)]
    pub scopes_supported: Vec<Scope>,
    /// Scopes that a client without a token should ask for first. More are asked for when a rule needs them.
    #[schemars(default)]
    pub first_scopes: Vec<Scope>,
    /// For people.
    pub resource_name: Option<String>,
    /// For people: an address.
    pub resource_documentation: Option<String>,
}

object!(OauthConfig {
    resource,
    authorization_servers,
    scopes_supported = Vec::new(),
    first_scopes = Vec::new(),
    resource_name,
    resource_documentation,
});

/// The same, ready to be told.
#[derive(Debug)]
pub struct Oauth {
    /// The address that tokens are for.
    pub resource: String,
    /// Where its metadata is: an address.
    pub metadata_url: String,
    /// The same as path.
    pub metadata_path: String,
    /// The host of both, in lower case and without a port.
    pub host: String,
    /// The metadata, as JSON.
    pub metadata: String,
    /// Scopes that a client without a token is told.
    pub first_scopes: String,
}

const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

impl OauthConfig {
    pub(super) fn check(&self) -> Result<Oauth, String> {
        let resource = &self.resource;
        let wrong =
            || format!("resource: found `{resource}`, expected an address like `https://mcp.example.com/crm/mcp`");
        if !is_address(resource) {
            return Err(wrong());
        }
        let (scheme, rest) = resource.split_once("://").ok_or_else(wrong)?;
        let (authority, path) = rest.split_at_checked(rest.find('/').unwrap_or(rest.len())).ok_or_else(wrong)?;
        if self.authorization_servers.is_empty() {
            return Err("authorization_servers: found none, expected one or more".to_owned());
        }
        if let Some(server) = self.authorization_servers.iter().find(|server| !is_address(server)) {
            return Err(format!(
                "authorization_servers: found `{server}`, expected an address like `https://auth.example.com`"
            ));
        }
        // RFC 9728, section 3.1: between host and path; a path that is only a slash is none.
        let metadata_path = format!("{WELL_KNOWN}{}", path.strip_suffix('/').unwrap_or(path));
        Ok(Oauth {
            resource: resource.clone(),
            metadata_url: format!("{scheme}://{authority}{metadata_path}"),
            metadata_path,
            host: tollgate_kernel::authority::host(authority).ok_or_else(wrong)?,
            metadata: self.metadata(),
            first_scopes: Scope::list(&self.first_scopes),
        })
    }

    fn metadata(&self) -> String {
        let mut text = Vec::new();
        let json = &mut Writer::new(&mut text);
        json.open_object().key("resource").text(&self.resource);
        json.key("authorization_servers").open_list();
        self.authorization_servers.iter().for_each(|server| json.text(server));
        json.close_list();
        if !self.scopes_supported.is_empty() {
            json.key("scopes_supported").open_list();
            self.scopes_supported.iter().for_each(|scope| json.text(scope.as_str()));
            json.close_list();
        }
        json.key("bearer_methods_supported").open_list();
        json.text("header");
        json.close_list();
        json.text_if("resource_name", self.resource_name.as_deref());
        json.text_if("resource_documentation", self.resource_documentation.as_deref());
        json.close_object();
        String::from_utf8(text).unwrap_or_default()
    }
}

/// `http` or `https`, a host, and no query nor fragment; nothing that ends a quoted text in a header.
fn is_address(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\' | b'?' | b'#');
    rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/') && rest.bytes().all(plain))
}
