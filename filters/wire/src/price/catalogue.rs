//! Catalogues: where the shipped table lists a provider's models. `openai`, or with a region `bedrock/eu-central-1`.

/// Hosts, whole.
const HOSTS: [(&str, &str); 21] = [
    ("aiplatform.googleapis.com", "vertex_ai"),
    ("api.anthropic.com", "anthropic"),
    ("api.cerebras.ai", "cerebras"),
    ("api.cohere.ai", "cohere"),
    ("api.cohere.com", "cohere"),
    ("api.deepseek.com", "deepseek"),
    ("api.fireworks.ai", "fireworks_ai"),
    ("api.groq.com", "groq"),
    ("api.mistral.ai", "mistral"),
    ("api.moonshot.ai", "moonshot"),
    ("api.openai.com", "openai"),
    ("api.perplexity.ai", "perplexity"),
    ("api.together.ai", "together_ai"),
    ("api.together.xyz", "together_ai"),
    ("api.x.ai", "xai"),
    ("api.z.ai", "zai"),
    ("codestral.mistral.ai", "mistral"),
    ("generativelanguage.googleapis.com", "gemini"),
    ("openai.azure.com", "azure"),
    ("cognitiveservices.azure.com", "azure"),
    ("services.ai.azure.com", "azure_ai"),
];

/// What stands before and after the region in hosts that have one.
const REGIONAL_HOSTS: [(&str, &str, &str); 6] = [
    ("bedrock-runtime.", ".amazonaws.com", "bedrock"),
    ("bedrock-runtime-fips.", ".amazonaws.com", "bedrock"),
    ("bedrock-mantle.", ".api.aws", "bedrock_mantle"),
    ("", "-aiplatform.googleapis.com", "vertex_ai"),
    ("aiplatform.", ".rep.googleapis.com", "vertex_ai"),
    ("", ".api.openai.com", "openai"),
];

/// The catalogue that lists what is served at `host`, if there is one. The catalogue of an Azure host has no region: where
/// a deployment runs, its name does not say.
#[must_use]
pub fn catalogue_of_host(host: &str) -> Option<String> {
    let host = host.split_once(':').map_or(host, |(host, _)| host).to_ascii_lowercase();
    let of_azure = host.split_once('.').map(|(_, domain)| domain).filter(|domain| domain.ends_with(".azure.com"));
    let name = of_azure.unwrap_or(&host);
    if let Some((_, catalogue)) = HOSTS.iter().find(|(known, _)| *known == name) {
        return Some((*catalogue).to_owned());
    }
    REGIONAL_HOSTS.iter().find_map(|(before, after, catalogue)| {
        let region = host.strip_prefix(before)?.strip_suffix(after)?;
        (!region.is_empty() && !region.contains('.')).then(|| format!("{catalogue}/{region}"))
    })
}

/// Catalogues, and OpenTelemetry's names of their providers where it has one.
const CATALOGUES: [(&str, &str); 19] = [
    ("anthropic", "anthropic"),
    ("azure", "azure.ai.openai"),
    ("azure_ai", "azure.ai.inference"),
    ("bedrock", "aws.bedrock"),
    ("bedrock_mantle", "aws.bedrock"),
    ("cerebras", "cerebras"),
    ("cohere", "cohere"),
    ("deepseek", "deepseek"),
    ("fireworks_ai", "fireworks_ai"),
    ("gemini", "gcp.gemini"),
    ("groq", "groq"),
    ("mistral", "mistral_ai"),
    ("moonshot", "moonshot_ai"),
    ("openai", "openai"),
    ("perplexity", "perplexity"),
    ("together_ai", "together_ai"),
    ("vertex_ai", "gcp.vertex_ai"),
    ("xai", "x_ai"),
    ("zai", "zai"),
];

fn known(catalogue: &str) -> Option<&'static (&'static str, &'static str)> {
    let (name, _) = split(catalogue);
    CATALOGUES.iter().find(|(known, _)| *known == name)
}

/// Name and region of a catalogue.
pub(super) fn split(catalogue: &str) -> (&str, Option<&str>) {
    catalogue.split_once('/').map_or((catalogue, None), |(name, region)| (name, Some(region)))
}

/// Whether the shipped table has such a catalogue. What region it is for is not checked.
#[must_use]
pub fn is_catalogue(catalogue: &str) -> bool {
    known(catalogue).is_some()
}

/// The value of OpenTelemetry's `gen_ai.provider.name` for a catalogue's provider.
#[must_use]
pub fn genai_provider_name(catalogue: &str) -> Option<&'static str> {
    known(catalogue).map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::{CATALOGUES, HOSTS, REGIONAL_HOSTS, catalogue_of_host, genai_provider_name, is_catalogue};
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn a_host_says_who_lists_its_models() {
        for (host, catalogue) in [
            ("api.openai.com", Some("openai")),
            ("API.OpenAI.com:443", Some("openai")),
            ("eu.api.openai.com", Some("openai/eu")),
            ("my-company.openai.azure.com", Some("azure")),
            ("my-company.cognitiveservices.azure.com", Some("azure")),
            ("my-company.services.ai.azure.com", Some("azure_ai")),
            ("api.anthropic.com", Some("anthropic")),
            ("generativelanguage.googleapis.com", Some("gemini")),
            ("aiplatform.googleapis.com", Some("vertex_ai")),
            ("europe-west4-aiplatform.googleapis.com", Some("vertex_ai/europe-west4")),
            ("aiplatform.eu.rep.googleapis.com", Some("vertex_ai/eu")),
            ("bedrock-runtime.eu-central-1.amazonaws.com", Some("bedrock/eu-central-1")),
            ("bedrock-runtime-fips.us-gov-west-1.amazonaws.com", Some("bedrock/us-gov-west-1")),
            ("bedrock-mantle.us-east-1.api.aws", Some("bedrock_mantle/us-east-1")),
            ("api.x.ai", Some("xai")),
            // Others, and those who look like them.
            ("llm.internal", None),
            ("openai.azure.com.evil.com", None),
            ("evil-api.openai.com.example.com", None),
            ("api.openai.com.evil.com", None),
            ("xapi.anthropic.com", None),
            ("a.b.api.openai.com", None),
            ("-aiplatform.googleapis.com", None),
            ("bedrock-runtime..amazonaws.com", None),
            ("", None),
        ] {
            assert_eq!(catalogue_of_host(host).as_deref(), catalogue, "{host}");
        }
    }

    #[test]
    fn every_catalogue_of_a_host_is_one_and_has_a_provider() {
        let regional = REGIONAL_HOSTS.iter().map(|(_, _, catalogue)| catalogue);
        for catalogue in HOSTS.iter().map(|(_, catalogue)| catalogue).chain(regional) {
            assert!(is_catalogue(catalogue), "{catalogue}");
        }
        assert!(CATALOGUES.is_sorted());
        assert_eq!(genai_provider_name("bedrock/eu-central-1"), Some("aws.bedrock"));
        assert_eq!(genai_provider_name("mistral"), Some("mistral_ai"));
        assert_eq!(genai_provider_name("acme"), None);
    }
}
