//! How much may be said to which Claude.
//!
//! Claude 4.6 knows adaptive thinking beside a budget of tokens; models before it know only the budget, models after it
//! refuse it, and refuse every sampling setting too. A fallback to Claude must not fail for what the first provider
//! took, so what is written depends on the model's name.

/// What a model can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Generation {
    /// Claude before 4.6: thinks with a budget of tokens.
    Budgeted,
    /// Claude 4.6: thinks with a budget, or as it likes.
    Both,
    /// Later Claudes: think as they like, and have no sampling settings.
    Adaptive,
    /// Another model behind the same format, or one whose name does not tell.
    Other,
}

impl Generation {
    /// Of the model that is called `name`, wherever it is served (`claude-opus-4-5@20251101`,
    /// `anthropic.claude-opus-4-5-20251101-v1:0`).
    pub(crate) fn of(name: &str) -> Self {
        let Some((_, rest)) = name.split_once("claude") else { return Self::Other };
        match version(rest) {
            Some(version) if version < (4, 6) => Self::Budgeted,
            Some((4, 6)) => Self::Both,
            // A name without a version is a preview, which only new models have.
            _ => Self::Adaptive,
        }
    }
}

/// The version in `opus-4-5-20251101` or `3-7-sonnet`; dates are no part of it.
pub(crate) fn version(rest: &str) -> Option<(u8, u8)> {
    let mut words = rest.split(|letter: char| !letter.is_ascii_alphanumeric());
    let major = words.by_ref().find_map(|word| word.parse().ok())?;
    Some((major, words.next().and_then(|word| word.parse().ok()).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn a_name_tells_the_generation_wherever_the_model_is_served() {
        for (generation, names) in [
            (
                Generation::Budgeted,
                &[
                    "claude-haiku-4-5",
                    "claude-opus-4-5-20251101",
                    "claude-opus-4-20250514",
                    "claude-sonnet-4@20250514",
                    "anthropic.claude-opus-4-20250514-v1:0",
                    "us.anthropic.claude-haiku-4-5-20251001-v1:0",
                    "claude-3-7-sonnet-latest",
                    "claude-3-haiku-20240307",
                ][..],
            ),
            (Generation::Both, &["claude-opus-4-6", "anthropic/claude-sonnet-4.6"]),
            (
                Generation::Adaptive,
                &["claude-opus-4-7", "claude-4.8-opus", "claude-opus-5", "claude-haiku-5-5", "claude-mythos-preview"],
            ),
            (Generation::Other, &["m-large", "deepseek-chat", "kimi-k2.6", ""]),
        ] {
            for name in names {
                assert_eq!(Generation::of(name), generation, "{name}");
            }
        }
    }
}
