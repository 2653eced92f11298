//! How it is proven who asks.

use schemars::JsonSchema;
use std::rc::Rc;
use tollgate_config::{Fault, Map, Read, Value, object};
use tollgate_kernel::actor::ActorClaims;
use tollgate_kernel::allowed::Allowed;
use tollgate_kernel::caller::Grant;
use tollgate_kernel::claims::ClaimPath;
use tollgate_kernel::signing_keys::SigningKeys;
use tollgate_kernel::spiffe::SpiffePattern;
use tollgate_kernel::subject::Field;

/// How it is proven who asks.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct IdentityConfig {
    /// Ways to prove it, in order: the first of which a request shows every part is who asks.
    #[schemars(length(min = 1))]
    any_of: Vec<Vec<Part>>,
    /// Of the part `jwt`: a token that Envoy's `jwt_authn` has verified.
    jwt: Option<JwtConfig>,
    /// Of the part `mtls`: a client's certificate that Envoy has verified.
    mtls: Option<MtlsConfig>,
    /// Of the part `header`: what a gateway before this one has signed.
    header: Option<HeaderConfig>,
}

object!(IdentityConfig { any_of, jwt, mtls, header });

/// A part of a way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema)]
#[schemars(rename_all = "lowercase")]
pub enum Part {
    /// A virtual key.
    Key,
    /// A verified token.
    Jwt,
    /// A verified certificate.
    Mtls,
    /// A signed header.
    Header,
}

impl Read for Part {
    fn read(value: &Value<'_>) -> Result<Self, Fault> {
        let all = [Self::Key, Self::Jwt, Self::Mtls, Self::Header];
        value.one_of("enum Part", &all.map(|part| (part.name(), part)))
    }
}

/// Who a verified token says.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct JwtConfig {
    /// `payload_in_metadata` of the provider in `jwt_authn`.
    payload: String,
    /// Fields of the subject, each with the claim that says it.
    #[schemars(extend("propertyNames" = {"$ref": "#/$defs/Field"}))]
    claims: Map<Field, ClaimPath>,
    /// Fields whose claims must be there. One that limits count by should be.
    #[schemars(default)]
    require: Vec<Field>,
    /// The claim that holds the token's scopes, as text with spaces between or as a list, for filters whose rules ask for some.
    #[schemars(default = "ClaimPath::scope")]
    scopes: ClaimPath,
    /// Who acts with the token: the subject's agent.
    actor: Option<ActorClaims>,
    /// Members of the claim `cnf` (RFC 7800) that something before the gate checks, like `jkt` (RFC 9449). A token that is
    /// bound to anything else than the client's certificate is refused.
    #[schemars(default)]
    cnf_checked_before: Vec<String>,
    /// The models that may be asked for, for filters that have some; there it must be said.
    models: Option<Allowed>,
    /// The routes that may be taken, by the `route` of models. By default all.
    routes: Option<Allowed>,
}

object!(JwtConfig {
    payload,
    claims,
    require = Vec::new(),
    scopes = ClaimPath::scope(),
    actor,
    cnf_checked_before = Vec::new(),
    models,
    routes,
});

/// Who a verified certificate says.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct MtlsConfig {
    /// What the SPIFFE id in it looks like, with fields of the subject in braces.
    spiffe: SpiffePattern,
    /// The models that may be asked for, for filters that have some; there it must be said.
    models: Option<Allowed>,
    /// The routes that may be taken, by the `route` of models. By default all.
    routes: Option<Allowed>,
}

object!(MtlsConfig { spiffe, models, routes });

/// Who a gateway before this one says.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct HeaderConfig {
    /// The header's name, in lower case, `x-` first.
    #[schemars(extend("pattern" = "^x-[a-z0-9-]+$"))]
    name: String,
    /// The environment variable of the VM that holds the key, or two while they are rotated, with a comma between.
    keys_from: String,
    /// How old a signature may be.
    #[schemars(default = "a_minute")]
    #[schemars(range(min = 1, max = 3600))]
    max_age_s: u64,
    /// The models that may be asked for, for filters that have some; there it must be said.
    models: Option<Allowed>,
    /// The routes that may be taken, by the `route` of models. By default all.
    routes: Option<Allowed>,
}

object!(HeaderConfig { name, keys_from, max_age_s = a_minute(), models, routes });

const fn a_minute() -> u64 {
    60
}

/// How it is proven who asks, ready to decide with.
#[derive(Debug)]
pub struct Identity {
    /// Ways, in order; at least one, each of at least one part, each part of which is configured.
    pub ways: Vec<Vec<Part>>,
    /// Verified tokens.
    pub jwt: Option<Jwt>,
    /// Verified certificates.
    pub mtls: Option<Mtls>,
    /// Signed headers.
    pub header: Option<SignedHeader>,
}

/// What is believed of verified tokens.
#[derive(Debug)]
pub struct Jwt {
    /// Where `jwt_authn` puts the claims.
    pub payload: String,
    /// Fields of the subject, and their claims.
    pub claims: Map<Field, ClaimPath>,
    /// Fields whose claims must be there.
    pub require: Vec<Field>,
    /// The claim with scopes.
    pub scopes: ClaimPath,
    /// Who acts.
    pub actor: Option<ActorClaims>,
    /// Members of `cnf` that something before the gate checks.
    pub cnf_checked_before: Vec<String>,
    /// What is allowed.
    pub grant: Rc<Grant>,
}

/// What is believed of verified certificates.
#[derive(Debug)]
pub struct Mtls {
    /// What SPIFFE ids look like.
    pub spiffe: SpiffePattern,
    /// What is allowed.
    pub grant: Rc<Grant>,
}

/// What is believed of signed headers.
#[derive(Debug)]
pub struct SignedHeader {
    /// The header's name.
    pub name: String,
    /// What signs.
    pub keys: SigningKeys,
    /// How old a signature may be.
    pub max_age_s: u64,
    /// What is allowed.
    pub grant: Rc<Grant>,
}

impl Default for Identity {
    /// A virtual key.
    fn default() -> Self {
        Self { ways: vec![vec![Part::Key]], jwt: None, mtls: None, header: None }
    }
}

impl Identity {
    /// Whether some way has this part.
    #[must_use]
    pub fn takes(&self, part: Part) -> bool {
        self.ways.iter().any(|way| way.contains(&part))
    }

    /// Whether whatever stands where keys do must be one: no way is without a key, and none has a token, which stands
    /// there too.
    #[must_use]
    pub fn takes_only_keys(&self) -> bool {
        self.ways.iter().all(|way| way.contains(&Part::Key)) && !self.takes(Part::Jwt)
    }

    /// What a client may be told of the ways.
    #[must_use]
    pub fn accepted(&self) -> String {
        let way = |way: &Vec<Part>| way.iter().map(|part| part.described()).collect::<Vec<_>>().join(" and ");
        self.ways.iter().map(way).collect::<Vec<_>>().join(", or ")
    }
}

impl Part {
    const fn name(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Jwt => "jwt",
            Self::Mtls => "mtls",
            Self::Header => "header",
        }
    }

    const fn described(self) -> &'static str {
        match self {
            Self::Key => "an API key",
            Self::Jwt => "a bearer token of a known issuer",
            Self::Mtls => "a client certificate of a known workload",
            Self::Header => "a gateway's signed subject header",
        }
    }
}

impl JwtConfig {
    fn check(&self) -> Result<(), String> {
        if let Some(field) = self.require.iter().find(|field| !self.claims.contains_key(field)) {
            return Err(format!("require: found `{}`, expected a claim for it in `claims`", field.name()));
        }
        if self.payload.is_empty() {
            return Err("payload: found nothing, expected `payload_in_metadata` of jwt_authn".to_owned());
        }
        let Some(actor) = &self.actor else { return Ok(()) };
        if self.claims.contains_key(&Field::Agent) {
            return Err("claims: found `agent`, expected `actor` alone to say it".to_owned());
        }
        actor.check().map_err(|error| format!("actor.{error}"))
    }
}

impl IdentityConfig {
    /// Checks it. `variable` gives an environment variable of the VM; `check` is told a part of it and what that
    /// grants, and says whether the filter has that.
    ///
    /// # Errors
    /// The path to what is at fault, and what it is.
    #[inline(never)]
    pub fn check(
        self,
        check: &dyn Fn(&str, &Grant) -> Result<(), String>,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Identity, String> {
        self.check_ways()?;
        let grant = |part: &str, models: Option<Allowed>, routes: Option<Allowed>| {
            let grant = Grant { models, routes };
            check(part, &grant)?;
            Ok::<_, String>(Rc::new(grant))
        };
        let jwt = self.jwt.map(|jwt| {
            jwt.check().map_err(|error| format!("jwt.{error}"))?;
            let JwtConfig { payload, claims, require, scopes, actor, cnf_checked_before, models, routes } = jwt;
            let grant = grant("jwt", models, routes)?;
            Ok::<_, String>(Jwt { payload, claims, require, scopes, actor, cnf_checked_before, grant })
        });
        let mtls = self.mtls.map(|mtls| {
            let MtlsConfig { spiffe, models, routes } = mtls;
            grant("mtls", models, routes).map(|grant| Mtls { spiffe, grant })
        });
        let header = self.header.map(|header| {
            header.check(variable).map_err(|error| format!("header.{error}")).and_then(|(keys, header)| {
                let HeaderConfig { name, max_age_s, models, routes, .. } = header;
                grant("header", models, routes).map(|grant| SignedHeader { name, keys, max_age_s, grant })
            })
        });
        Ok(Identity { ways: self.any_of, jwt: jwt.transpose()?, mtls: mtls.transpose()?, header: header.transpose()? })
    }

    fn check_ways(&self) -> Result<(), String> {
        if self.any_of.is_empty() {
            return Err("any_of: found no way, expected one or more, like `[key]`".to_owned());
        }
        for (index, way) in self.any_of.iter().enumerate() {
            if way.is_empty() {
                return Err(format!("any_of[{index}]: found nothing, expected what must be proven, like `[key]`"));
            }
            for (at, part) in way.iter().enumerate() {
                let name = part.name();
                if way.iter().take(at).any(|before| before == part) {
                    return Err(format!("any_of[{index}]: found `{name}` twice"));
                }
                if self.configured(*part) == Some(false) {
                    return Err(format!("any_of[{index}]: found `{name}`, expected `identity.{name}` to say how"));
                }
            }
        }
        let unused =
            |part: &Part| self.configured(*part) == Some(true) && !self.any_of.iter().any(|way| way.contains(part));
        match [Part::Jwt, Part::Mtls, Part::Header].into_iter().find(unused) {
            Some(part) => Err(format!("{0}: found settings, expected `{0}` in a way of `any_of`", part.name())),
            None => Ok(()),
        }
    }

    /// Whether a part that needs settings has them.
    const fn configured(&self, part: Part) -> Option<bool> {
        match part {
            Part::Key => None,
            Part::Jwt => Some(self.jwt.is_some()),
            Part::Mtls => Some(self.mtls.is_some()),
            Part::Header => Some(self.header.is_some()),
        }
    }
}

/// Beginnings of headers that mean something to SDKs, to Envoy or to us.
const TAKEN: [&str; 6] = ["x-api-key", "x-goog-", "x-envoy-", "x-forwarded-", "x-request-id", "x-tollgate-"];

impl HeaderConfig {
    fn check(self, variable: &dyn Fn(&str) -> Option<String>) -> Result<(SigningKeys, Self), String> {
        let name = self.name.strip_prefix("x-").filter(|rest| !rest.is_empty());
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if !name.is_some_and(|rest| rest.bytes().all(allowed)) || self.name.len() > 64 {
            return Err("name: expected `x-` and letters in lower case, digits and `-`, 64 at most".to_owned());
        }
        if TAKEN.iter().any(|taken| self.name.starts_with(taken)) {
            return Err(format!("name: found `{}`, expected one that means nothing else", self.name));
        }
        if !(1..=3600).contains(&self.max_age_s) {
            return Err(format!("max_age_s: found {}, expected 1 to 3600 seconds", self.max_age_s));
        }
        let keys = signing_keys(&self.keys_from, variable).map_err(|error| format!("keys_from: {error}"))?;
        Ok((keys, self))
    }
}

/// The keys in the environment variable of this name.
///
/// # Errors
/// What is wrong with the variable; never what it holds, nor its name: someone may have put the key there.
pub fn signing_keys(name: &str, variable: &dyn Fn(&str) -> Option<String>) -> Result<SigningKeys, String> {
    let named = !name.is_empty() && !name.contains(['=', '\0']);
    let Some(keys) = Some(name).filter(|_| named).and_then(variable) else {
        return Err("found no environment variable of this name, expected one in `environment_variables` of vm_config, for every instance of the filter alike".to_owned());
    };
    SigningKeys::parse(&keys).map_err(|error| format!("the environment variable {error}"))
}
