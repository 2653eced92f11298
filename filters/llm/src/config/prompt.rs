//! Prompts, and how they are known.

use schemars::JsonSchema;
use tollgate_config::{Map, object};
use tollgate_kernel::provenance::SystemDigest;
use tollgate_kernel::rule::Within;
use tollgate_kernel::subject::Label;
use tollgate_wire::instructions::Instructions;

/// How long a call may be made if nothing is said.
const WITHIN_S: u64 = 300;

/// A prompt: what a model is told before all else.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Prompt {
    /// SHA-256 of the text of all its system and developer messages, one after the other: `printf %s "$prompt" | sha256sum`.
    /// Several while it changes.
    #[schemars(default)]
    pub system_sha256: Vec<SystemDigest>,
    /// Its id at the provider, in OpenAI's Responses: `pmpt_...`.
    pub provider_prompt_id: Option<String>,
    /// For how long what the model asks for may be called. Default: `5m`.
    pub within: Option<Within>,
}

object!(Prompt { system_sha256 = Vec::new(), provider_prompt_id, within });

/// All prompts.
#[derive(Debug, Clone, Default)]
pub struct Prompts(Map<Label, Prompt>);

impl Prompts {
    pub(super) fn check(prompts: Map<Label, Prompt>) -> Result<Self, String> {
        let mut known: Vec<(&Label, Instructions)> = Vec::new();
        for (name, prompt) in &prompts {
            let own: Vec<_> = prompt.instructions().collect();
            if own.is_empty() {
                return Err(format!("{name}: found neither `system_sha256` nor `provider_prompt_id`"));
            }
            if let Some((other, _)) = known.iter().find(|(_, instructions)| own.contains(instructions)) {
                return Err(format!("{name}: found what `{other}` is known by"));
            }
            known.extend(own.into_iter().map(|instructions| (name, instructions)));
        }
        Ok(Self(prompts))
    }

    /// Whether none is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.keys().next().is_none()
    }

    /// The prompt that these instructions are.
    #[must_use]
    pub fn find(&self, instructions: &Instructions) -> Option<(&Label, &Prompt)> {
        self.0.iter().find(|(_, prompt)| prompt.instructions().any(|known| known == *instructions))
    }
}

impl Prompt {
    /// For how many milliseconds what the model asks for may be called.
    #[must_use]
    pub fn within_ms(&self) -> u64 {
        self.within.map_or(WITHIN_S, |within| within.seconds).saturating_mul(1000)
    }

    fn instructions(&self) -> impl Iterator<Item = Instructions> {
        let texts = self.system_sha256.iter().copied().map(Instructions::Text);
        texts.chain(self.provider_prompt_id.clone().map(Instructions::AtProvider))
    }
}

#[cfg(test)]
mod tests {
    use super::Prompts;
    use serde_json::{Value, json};
    use tollgate_kernel::provenance::SystemDigester;
    use tollgate_wire::instructions::Instructions;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    /// `printf %s 'You sort tickets.' | sha256sum`
    const TRIAGE: &str = "119453084cba38c0e2b5c3b41cbc84deb6407f46cd075b5e77987399c0a82ac1";

    fn prompts(config: &Value) -> Result<Prompts, String> {
        tollgate_config::read(&config.to_string()).map_err(|fault| fault.to_string()).and_then(Prompts::check)
    }

    #[test]
    fn a_prompt_is_known_by_what_it_says_or_by_its_id_at_the_provider() {
        let prompts = prompts(&json!({
            "triage": {"system_sha256": [TRIAGE, "0".repeat(64)], "within": "1m"},
            "kept": {"provider_prompt_id": "pmpt_1"},
        }));
        let prompts = prompts.unwrap();
        let find = |instructions: &Instructions| {
            prompts.find(instructions).map(|(name, prompt)| (name.to_string(), prompt.within_ms()))
        };
        let text = |text: &str| {
            let mut digester = SystemDigester::default();
            digester.add(text);
            Instructions::Text(digester.finish().unwrap())
        };
        assert_eq!(find(&text("You sort tickets.")), Some(("triage".to_owned(), 60_000)));
        assert_eq!(find(&text("You sort tickets.\n")), None);
        assert_eq!(find(&Instructions::AtProvider("pmpt_1".to_owned())), Some(("kept".to_owned(), 300_000)));
        assert_eq!(find(&Instructions::AtProvider("pmpt_2".to_owned())), None);
        assert!(Prompts::default().is_empty() && !prompts.is_empty());
    }

    #[test]
    fn a_prompt_that_nobody_can_tell_is_refused_with_its_name() {
        for (config, expected) in [
            (json!({"a": {}}), "a: found neither `system_sha256` nor `provider_prompt_id`"),
            (
                json!({"a": {"system_sha256": [TRIAGE]}, "b": {"system_sha256": [TRIAGE]}}),
                "b: found what `a` is known by",
            ),
            (
                json!({"a": {"provider_prompt_id": "p"}, "b": {"provider_prompt_id": "p"}}),
                "b: found what `a` is known by",
            ),
            (json!({"a": {"system_sha256": ["abc"]}}), "a.system_sha256[0]: must be 64 lowercase hex digits"),
            (json!({"a": {"provider_prompt_id": "p", "within": "0s"}}), "a.within: "),
        ] {
            let error = prompts(&config).unwrap_err();
            assert!(error.starts_with(expected), "{error}");
        }
    }
}
