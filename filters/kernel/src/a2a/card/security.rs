//! What the gateway asks callers for, as cards say it.

use crate::json::Writer;
use crate::subject::Label;
use schemars::JsonSchema;
use std::fmt;
use tollgate_config::{Fault, Map, Read, Value, object};

/// What the gateway asks for, as it is written.
#[derive(Debug, Clone, Default, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct SecurityConfig {
    /// Schemes, by name.
    #[schemars(default)]
    pub schemes: Map<Label, Scheme>,
    /// Which of them together are enough: alternatives, each a list of names. Default: all of them together.
    #[schemars(default)]
    pub any_of: Vec<Vec<Label>>,
}

object!(SecurityConfig { schemes = Map::default(), any_of = Vec::new() });

/// A scheme.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Scheme {
    /// What it is.
    #[schemars(rename = "type")]
    pub kind: Kind,
    /// For people.
    pub description: Option<String>,
    /// Of `bearer`: what tokens look like. Default: `JWT`.
    pub format: Option<String>,
    /// Of `open_id_connect`: where the issuer describes itself; of `oauth2`: where tokens are given out.
    pub url: Option<String>,
    /// Of `oauth2` and `open_id_connect`: the scopes that are needed.
    #[schemars(default)]
    pub scopes: Vec<String>,
    /// Of `api_key`: the header.
    pub header: Option<String>,
}

object!(Scheme { kind as "type", description, format, url, scopes = Vec::new(), header });

/// Kinds of schemes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum Kind {
    /// A token in `authorization`.
    Bearer,
    /// A certificate of the client's.
    Mtls,
    /// A token of an issuer that describes itself.
    OpenIdConnect,
    /// A token for credentials of the client's own.
    Oauth2,
    /// A key in a header.
    ApiKey,
}

impl Read for Kind {
    fn read(value: &Value<'_>) -> Result<Self, Fault> {
        value.one_of(
            "enum Kind",
            &[
                ("bearer", Self::Bearer),
                ("mtls", Self::Mtls),
                ("open_id_connect", Self::OpenIdConnect),
                ("oauth2", Self::Oauth2),
                ("api_key", Self::ApiKey),
            ],
        )
    }
}

/// What the gateway asks for: each alternative names schemes that there are.
#[derive(Debug, Clone, Default, JsonSchema)]
#[schemars(with = "SecurityConfig")]
pub struct Security(SecurityConfig);

/// Why a [`SecurityConfig`] is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotSecurity {
    /// There is no such scheme.
    Unknown(String),
    /// The scheme lacks this.
    Lacks(String, &'static str),
    /// An alternative names nothing.
    Nothing,
    /// A name stands twice in one list.
    Twice(String),
}

impl TryFrom<SecurityConfig> for Security {
    type Error = NotSecurity;

    fn try_from(mut config: SecurityConfig) -> Result<Self, NotSecurity> {
        for (name, scheme) in &config.schemes {
            let lacks = |field| Err(NotSecurity::Lacks(name.as_str().to_owned(), field));
            match scheme.kind {
                Kind::OpenIdConnect | Kind::Oauth2 if scheme.url.is_none() => return lacks("url"),
                Kind::ApiKey if scheme.header.is_none() => return lacks("header"),
                _ => {}
            }
            if let Some(twice) = twice(&scheme.scopes) {
                return Err(NotSecurity::Twice(twice.clone()));
            }
        }
        for alternative in &config.any_of {
            if alternative.is_empty() {
                return Err(NotSecurity::Nothing);
            }
            if let Some(twice) = twice(alternative) {
                return Err(NotSecurity::Twice(twice.as_str().to_owned()));
            }
            if let Some(unknown) = alternative.iter().find(|name| !config.schemes.contains_key(name.as_str())) {
                return Err(NotSecurity::Unknown(unknown.as_str().to_owned()));
            }
        }
        let all: Vec<Label> = config.schemes.keys().cloned().collect();
        if config.any_of.is_empty() && !all.is_empty() {
            config.any_of.push(all);
        }
        Ok(Self(config))
    }
}

fn twice<T: PartialEq>(list: &[T]) -> Option<&T> {
    list.iter().enumerate().find(|(at, one)| list.iter().take(*at).any(|other| other == *one)).map(|(_, one)| one)
}

impl Read for Security {
    fn read(value: &Value<'_>) -> Result<Self, Fault> {
        value.converted::<SecurityConfig, _>()
    }
}

impl Security {
    /// Writes schemes and alternatives in the shape of 1.0, of 0.3, or of both in one.
    pub(super) fn write(&self, v1_0: bool, v0_3: bool, json: &mut Writer<'_>) {
        let Self(SecurityConfig { schemes, any_of }) = self;
        if any_of.is_empty() {
            return;
        }
        json.key("securitySchemes").open_object();
        for (name, scheme) in schemes {
            json.key(name.as_str()).open_object();
            if v1_0 {
                json.key(scheme.kind.name_v1_0()).open_object();
                scheme.write_members(false, json);
                json.close_object();
            }
            if v0_3 {
                json.key("type").text(scheme.kind.name_v0_3());
                scheme.write_members(true, json);
            }
            json.close_object();
        }
        json.close_object();
        if v1_0 {
            json.key("securityRequirements").open_list();
            for alternative in any_of {
                json.open_object().key("schemes").open_object();
                for name in alternative {
                    json.key(name.as_str()).open_object().key("list");
                    self.write_scopes(name, json);
                    json.close_object();
                }
                json.close_object();
                json.close_object();
            }
            json.close_list();
        }
        if v0_3 {
            json.key("security").open_list();
            for alternative in any_of {
                json.open_object();
                for name in alternative {
                    json.key(name.as_str());
                    self.write_scopes(name, json);
                }
                json.close_object();
            }
            json.close_list();
        }
    }

    fn write_scopes(&self, name: &Label, json: &mut Writer<'_>) {
        let scopes = self.0.schemes.get(name.as_str()).map(|scheme| scheme.scopes.as_slice());
        json.open_list();
        scopes.unwrap_or_default().iter().for_each(|scope| json.text(scope));
        json.close_list();
    }
}

impl Scheme {
    /// What both versions say of it; in few things they differ.
    fn write_members(&self, v0_3: bool, json: &mut Writer<'_>) {
        let url = self.url.as_deref();
        json.key("description").text(self.description.as_deref().unwrap_or(self.kind.description()));
        match self.kind {
            Kind::Bearer => {
                json.key("scheme").text("Bearer");
                json.key("bearerFormat").text(self.format.as_deref().unwrap_or("JWT"));
            }
            Kind::Mtls => {}
            Kind::OpenIdConnect => json.text_if("openIdConnectUrl", url),
            Kind::Oauth2 => {
                json.key("flows").open_object().key("clientCredentials").open_object();
                json.text_if("tokenUrl", url);
                json.key("scopes").open_object();
                self.scopes.iter().for_each(|scope| json.key(scope).text(scope));
                json.close_object();
                json.close_object();
                json.close_object();
            }
            Kind::ApiKey => {
                json.key(if v0_3 { "in" } else { "location" }).text("header");
                json.text_if("name", self.header.as_deref());
            }
        }
    }
}

impl Kind {
    const fn name_v1_0(self) -> &'static str {
        match self {
            Self::Bearer => "httpAuthSecurityScheme",
            Self::Mtls => "mtlsSecurityScheme",
            Self::OpenIdConnect => "openIdConnectSecurityScheme",
            Self::Oauth2 => "oauth2SecurityScheme",
            Self::ApiKey => "apiKeySecurityScheme",
        }
    }

    const fn name_v0_3(self) -> &'static str {
        match self {
            Self::Bearer => "http",
            Self::Mtls => "mutualTLS",
            Self::OpenIdConnect => "openIdConnect",
            Self::Oauth2 => "oauth2",
            Self::ApiKey => "apiKey",
        }
    }

    /// One must be there: SDKs leave out of what they check what is empty.
    const fn description(self) -> &'static str {
        match self {
            Self::Bearer => "a token in the authorization header",
            Self::Mtls => "a client certificate",
            Self::OpenIdConnect => "a token of the issuer",
            Self::Oauth2 => "a token for the client's own credentials",
            Self::ApiKey => "a key in a header",
        }
    }
}

impl fmt::Display for NotSecurity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(name) => write!(f, "`any_of` names `{name}`, which is not in `schemes`"),
            Self::Lacks(name, field) => write!(f, "the scheme `{name}` lacks `{field}`"),
            Self::Twice(name) => write!(f, "`{name}` stands twice in a list"),
            Self::Nothing => f.write_str("a list in `any_of` must name a scheme"),
        }
    }
}

impl std::error::Error for NotSecurity {}
