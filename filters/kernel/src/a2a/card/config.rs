//! Cards in the configuration.

use super::{Publication, Security, Verification};
use crate::jws::PrivateKey;
use schemars::JsonSchema;
use tollgate_config::object;

const MIN_BYTES: usize = 1024;
const MAX_BYTES: usize = 4 << 20;

/// What the gateway makes of all cards.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct CardsConfig {
    /// Where clients reach the gateway: `https://agents.example.org`. An agent is found there at its `path`. Without it, and without
    /// one of the agent's own, no card is served: where clients are has to be said, and is not taken from what they send.
    #[schemars(extend("pattern" = "^https?://[^?#]*[^/?#]$"))]
    pub url: Option<String>,
    /// What the gateway asks callers for. It stands in cards instead of what the agents ask for.
    #[schemars(default)]
    pub security: Security,
    /// What cards are signed with. Default: they are not; what their agents have signed is no longer what is served, so those
    /// signatures are always removed.
    pub sign: Option<SignConfig>,
    /// Whether who has proven nothing may read a card, with the skills that the rules allow somebody of whom nothing is known.
    #[schemars(default = "CardsConfig::is_public")]
    pub public: bool,
    /// The largest card that is read, in bytes.
    #[schemars(default = "CardsConfig::max_bytes", range(min = 1024, max = 4_194_304))]
    pub max_bytes: usize,
}

object!(CardsConfig {
    url,
    security = Security::default(),
    sign,
    public = Self::is_public(),
    max_bytes = Self::max_bytes(),
});

/// What cards are signed with: EdDSA.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct SignConfig {
    /// What signatures call the key.
    #[schemars(length(min = 1, max = 256))]
    pub kid: String,
    /// The environment variable of the VM that holds it: 32 bytes in base64url, as `d` of a JWK of Ed25519.
    pub key_from: String,
}

object!(SignConfig { kid, key_from });

/// What the gateway makes of one agent's card.
#[derive(Debug, Clone, Default, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct CardConfig {
    /// Where clients reach the agent. Default: `cards.url` and behind it the agent's `path`.
    #[schemars(extend("pattern" = "^https?://[^?#]*[^/?#]$"))]
    pub url: Option<String>,
    /// Where clients reach it with gRPC, which has no paths of its own: a host and port. Default: interfaces of gRPC are left out.
    /// Needs `grpc: unread`.
    pub grpc_url: Option<String>,
    /// When its card must be signed, and by whom. Default: it need not be, and no signature is looked at.
    pub verify: Option<Verification>,
}

object!(CardConfig { url, grpc_url, verify });

/// What the gateway makes of cards, ready to do so.
#[derive(Debug, Clone, Default)]
pub struct Cards {
    /// Where clients reach the gateway.
    pub url: Option<String>,
    /// What it asks for.
    pub security: Security,
    /// What it signs with.
    pub key: Option<PrivateKey>,
    /// Whether who has proven nothing may read a card.
    pub public: bool,
    /// The largest card that is read.
    pub max_bytes: usize,
}

impl Default for CardsConfig {
    fn default() -> Self {
        let (public, max_bytes) = (Self::is_public(), Self::max_bytes());
        Self { url: None, security: Security::default(), sign: None, public, max_bytes }
    }
}

impl CardsConfig {
    const fn is_public() -> bool {
        true
    }

    const fn max_bytes() -> usize {
        256 << 10
    }

    /// Checks it. `variable` gives an environment variable of the VM.
    ///
    /// # Errors
    /// The path to what is at fault, what was found and what was expected.
    pub fn check(self, variable: &dyn Fn(&str) -> Option<String>) -> Result<Cards, String> {
        let Self { url, security, sign, public, max_bytes } = self;
        url.as_deref().map_or(Ok(()), check_url).map_err(|error| format!(".url: {error}"))?;
        if !(MIN_BYTES..=MAX_BYTES).contains(&max_bytes) {
            return Err(format!(".max_bytes: found {max_bytes}, expected {MIN_BYTES} to {MAX_BYTES} bytes"));
        }
        let key = |SignConfig { kid, key_from }: SignConfig| {
            let text =
                variable(&key_from).ok_or_else(|| format!("the environment variable `{key_from}` is not set"))?;
            PrivateKey::parse(&kid, &text).map_err(|error| format!("the environment variable `{key_from}` {error}"))
        };
        let key = sign.map(key).transpose().map_err(|error| format!(".sign: {error}"))?;
        Ok(Cards { url, security, key, public, max_bytes })
    }
}

impl CardConfig {
    /// Where clients reach an agent that is found at `path`.
    ///
    /// # Errors
    /// The path to what is at fault, what was found and what was expected.
    pub fn url(&self, cards: &Cards, path: Option<&str>) -> Result<Option<String>, String> {
        self.url.as_deref().map_or(Ok(()), check_url).map_err(|error| format!(".url: {error}"))?;
        let below_gateway = || cards.url.as_ref().map(|url| format!("{url}{}", path.unwrap_or_default()));
        Ok(self.url.clone().or_else(below_gateway))
    }
}

impl Cards {
    /// How the agent is published that clients reach at `url`.
    #[must_use]
    pub fn publication<'p>(&'p self, url: &'p str, card: &'p CardConfig) -> Publication<'p> {
        Publication { url, grpc_url: card.grpc_url.as_deref(), security: &self.security, key: self.key.as_ref() }
    }
}

fn check_url(url: &str) -> Result<(), String> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let is_plain = |rest: &&str| rest.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"<>?#@\\".contains(&byte));
    match rest.filter(is_plain).filter(|rest| !rest.is_empty() && !rest.starts_with('/') && !rest.ends_with('/')) {
        Some(_) => Ok(()),
        None => Err(format!(
            "found `{url}`, expected an address like `https://agents.example.org`, without a slash at its end"
        )),
    }
}
