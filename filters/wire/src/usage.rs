//! Token usage in disjoint buckets: no token is in two of them.

use serde::Serialize;

/// Tokens of one attempt. Providers report overlapping figures (OpenAI's `prompt_tokens` contain the cached ones,
/// Anthropic's `input_tokens` do not); readers take them apart once, here nothing overlaps.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Usage {
    /// Input neither read from nor written to a cache.
    pub input_fresh: u64,
    /// Input read from the provider's prompt cache.
    #[serde(skip_serializing_if = "is_zero")]
    pub input_cache_read: u64,
    /// Input written to the cache for 5 minutes (Anthropic's default).
    #[serde(skip_serializing_if = "is_zero")]
    pub input_cache_write_5m: u64,
    /// Input written to the cache for 1 hour.
    #[serde(skip_serializing_if = "is_zero")]
    pub input_cache_write_1h: u64,
    /// Audio input.
    #[serde(skip_serializing_if = "is_zero")]
    pub input_audio: u64,
    /// Output that is neither reasoning nor audio.
    pub output_text: u64,
    /// Hidden or shown reasoning.
    #[serde(skip_serializing_if = "is_zero")]
    pub output_reasoning: u64,
    /// Audio output.
    #[serde(skip_serializing_if = "is_zero")]
    pub output_audio: u64,
}

/// More tokens than any exchange has: beyond it a figure is no figure.
const MAX_PLAUSIBLE: u64 = 1 << 40;

impl Usage {
    /// The usage, unless no exchange can have had it: nothing at all, or absurdly much.
    #[must_use]
    pub fn plausible(self) -> Option<Self> {
        let all = self.input().saturating_add(self.output());
        (1..=MAX_PLAUSIBLE).contains(&all).then_some(self)
    }

    /// All input, as an inclusive figure.
    #[must_use]
    pub const fn input(&self) -> u64 {
        self.input_fresh
            .saturating_add(self.input_cache_read)
            .saturating_add(self.input_cache_write_5m)
            .saturating_add(self.input_cache_write_1h)
            .saturating_add(self.input_audio)
    }

    /// All output, as an inclusive figure.
    #[must_use]
    pub const fn output(&self) -> u64 {
        self.output_text.saturating_add(self.output_reasoning).saturating_add(self.output_audio)
    }
}

/// Most buckets of most records are empty; what is left out is 0.
const fn is_zero(tokens: &u64) -> bool {
    *tokens == 0
}

/// How far figures can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Certainty {
    /// The provider's own final figures.
    Exact,
    /// The provider's figures for a part, an estimate for the rest (a stream that was cut).
    Partial,
    /// Estimated from bytes; the provider reported nothing.
    Estimated,
    /// The provider may have billed, and nothing says how much. Never counted as zero.
    Missing,
}
