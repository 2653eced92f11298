//! Model providers.

use schemars::JsonSchema;
use tollgate_config::{Map, object};
use tollgate_kernel::subject::Label;
use tollgate_wire::Format;
use tollgate_wire::price::{catalogue_of_host, is_catalogue};
use tollgate_wire::quirks::Quirks;

/// One model provider.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Provider {
    /// The wire format it speaks.
    pub format: Format,
    /// The host to ask for, as in `api.openai.com`.
    pub host: String,
    /// The Envoy cluster that reaches it; by default the provider's name.
    pub cluster: Option<Label>,
    /// The path before `/chat/completions` and the like. Default: `/v1`, for Gemini `/v1beta`, for Bedrock none.
    pub base_path: Option<String>,
    /// Headers it wants besides its key, for example `anthropic-version`.
    #[schemars(default)]
    pub headers: Map<String, String>,
    /// Where the shipped price table lists its models: `openai`, `bedrock/eu-central-1`, `azure/eu` and the like. Default:
    /// by `host`.
    pub catalogue: Option<String>,
    /// What it does otherwise than the format says, if it is an OpenAI-compatible server.
    #[schemars(default)]
    pub quirks: Quirks,
}

object!(Provider {
    format,
    host,
    cluster,
    base_path,
    headers = Map::default(),
    catalogue,
    quirks = Quirks::default(),
});

/// Headers of a provider's request that follow from what is sent.
const OURS_TO_SET: [&str; 9] = [
    "host",
    "content-type",
    "content-length",
    "content-encoding",
    "transfer-encoding",
    "accept",
    "accept-encoding",
    "connection",
    "upgrade",
];

impl Provider {
    /// What stands before [`Format::provider_path`].
    #[must_use]
    pub fn base_path(&self) -> &str {
        self.base_path.as_deref().unwrap_or(self.format.base_path())
    }

    /// Where the shipped price table lists its models, if it does.
    #[must_use]
    pub fn catalogue(&self) -> Option<String> {
        self.catalogue.clone().or_else(|| catalogue_of_host(&self.host))
    }

    #[inline(never)]
    pub(super) fn check(&self) -> Result<(), String> {
        let plain = |text: &str, also: &str| {
            text.bytes().all(|byte| byte.is_ascii_alphanumeric() || also.as_bytes().contains(&byte))
        };
        if !self.host.contains(|letter: char| letter.is_ascii_alphanumeric()) || !plain(&self.host, ".-:[]") {
            return Err(format!("host: found `{}`, expected a host name", self.host.escape_debug()));
        }
        let base = self.base_path();
        let walks = base.split('/').any(|segment| segment == "..");
        if !base.is_empty() && (!base.starts_with('/') || base.ends_with('/') || walks || !plain(base, "/.-_~:@")) {
            return Err(format!("base_path: found `{}`, expected a path like `/openai/v1`", base.escape_debug()));
        }
        if self.quirks != Quirks::default() && self.format != Format::OpenaiChat {
            return Err("quirks: found some, expected them only where the format is `openai-chat`".to_owned());
        }
        if let Some(catalogue) = self.catalogue.as_ref().filter(|catalogue| !is_catalogue(catalogue)) {
            let found = catalogue.escape_debug();
            return Err(format!("catalogue: found `{found}`, expected one of the price table's, like `openai`"));
        }
        for (name, value) in &self.headers {
            if name.is_empty() || !plain(name, "-_") || name.bytes().any(|byte| byte.is_ascii_uppercase()) {
                return Err(format!("headers: found the name `{}`, expected lowercase", name.escape_debug()));
            }
            if OURS_TO_SET.contains(&name.as_str()) || name.starts_with("x-tollgate-") {
                return Err(format!("headers.{name}: found a header that Tollgate sets itself"));
            }
            if tollgate_identity::credentials::HEADERS.contains(&name.as_str()) {
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
