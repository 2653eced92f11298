//! Token usage in disjoint buckets: no token is in two of them.

/// What one attempt used: tokens, calls of tools that the provider runs itself, and what else sets its price.
///
/// Providers report overlapping figures (OpenAI's `prompt_tokens` contain the cached ones, Anthropic's `input_tokens` do
/// not); readers take them apart once, here nothing overlaps.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Input neither read from nor written to a cache.
    pub input_fresh: u64,
    /// Input read from the provider's prompt cache.
    pub input_cache_read: u64,
    /// Audio among what was read from the cache, where the provider tells it apart.
    pub input_cache_read_audio: u64,
    /// Input written to the cache for the shorter time that the provider has: 5 minutes with Anthropic, 30 with OpenAI.
    pub input_cache_write_5m: u64,
    /// Input written to the cache for the longer time: 1 hour with Anthropic, 12 with OpenAI.
    pub input_cache_write_1h: u64,
    /// Audio input.
    pub input_audio: u64,
    /// Image input, where the provider tells it apart.
    pub input_image: u64,
    /// Output that is neither reasoning, audio nor image.
    pub output_text: u64,
    /// Hidden or shown reasoning.
    pub output_reasoning: u64,
    /// Audio output.
    pub output_audio: u64,
    /// Image output.
    pub output_image: u64,
    /// Searches of the web that the provider made (Google: grounded answers).
    pub web_search_calls: u64,
    /// Pages that the provider fetched.
    pub web_fetch_calls: u64,
    /// Searches of uploaded files.
    pub file_search_calls: u64,
    /// Code that the provider ran.
    pub code_interpreter_calls: u64,
    /// Images that a tool of the provider made.
    pub image_generation_calls: u64,
    /// What the provider says it was served as.
    pub service_tier: ServiceTier,
    /// Anthropic's fast mode, which has prices of its own.
    pub fast: bool,
    /// It was worked on in one country at the client's wish (Anthropic's `inference_geo: us`), which costs more.
    pub in_one_country: bool,
    /// Other models than the one that answered used a part of it (Anthropic's advisor), at prices of their own.
    pub other_models: bool,
}

/// How fast and at what price a request is served.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum ServiceTier {
    /// At list price.
    #[default]
    Standard,
    /// Slower and cheaper (`flex`).
    Flex,
    /// Faster and dearer (`priority`).
    Priority,
    /// In the background, much cheaper (`batch`).
    Batch,
    /// Of capacity that was bought before (OpenAI's `scale`, Google's `PROVISIONED_THROUGHPUT`, Bedrock's `reserved`): list
    /// price is not what it costs.
    Provisioned,
    /// One that we do not know.
    Other,
}

impl ServiceTier {
    /// The word in records.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Flex => "flex",
            Self::Priority => "priority",
            Self::Batch => "batch",
            Self::Provisioned => "provisioned",
            Self::Other => "other",
        }
    }
}

/// More tokens than any exchange has: beyond it a figure is no figure.
const MAX_PLAUSIBLE: u64 = 1 << 40;

impl Usage {
    /// Nothing.
    pub const NONE: Self = Self {
        input_fresh: 0,
        input_cache_read: 0,
        input_cache_read_audio: 0,
        input_cache_write_5m: 0,
        input_cache_write_1h: 0,
        input_audio: 0,
        input_image: 0,
        output_text: 0,
        output_reasoning: 0,
        output_audio: 0,
        output_image: 0,
        web_search_calls: 0,
        web_fetch_calls: 0,
        file_search_calls: 0,
        code_interpreter_calls: 0,
        image_generation_calls: 0,
        service_tier: ServiceTier::Standard,
        fast: false,
        in_one_country: false,
        other_models: false,
    };

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
            .saturating_add(self.input_cache_read_audio)
            .saturating_add(self.input_cache_write_5m)
            .saturating_add(self.input_cache_write_1h)
            .saturating_add(self.input_audio)
            .saturating_add(self.input_image)
    }

    /// All output, as an inclusive figure.
    #[must_use]
    pub const fn output(&self) -> u64 {
        self.output_text
            .saturating_add(self.output_reasoning)
            .saturating_add(self.output_audio)
            .saturating_add(self.output_image)
    }
}

impl Usage {
    /// The buckets of tokens with their names in metrics. Taken apart field by field, here and below, so that a new one
    /// cannot be forgotten.
    #[must_use]
    pub const fn tokens(&self) -> [(&'static str, u64); 11] {
        let Self {
            input_fresh,
            input_cache_read,
            input_cache_read_audio,
            input_cache_write_5m,
            input_cache_write_1h,
            input_audio,
            input_image,
            output_text,
            output_reasoning,
            output_audio,
            output_image,
            web_search_calls: _,
            web_fetch_calls: _,
            file_search_calls: _,
            code_interpreter_calls: _,
            image_generation_calls: _,
            service_tier: _,
            fast: _,
            in_one_country: _,
            other_models: _,
        } = *self;
        [
            ("input_fresh", input_fresh),
            ("input_cache_read", input_cache_read),
            ("input_cache_read_audio", input_cache_read_audio),
            ("input_cache_write_5m", input_cache_write_5m),
            ("input_cache_write_1h", input_cache_write_1h),
            ("input_audio", input_audio),
            ("input_image", input_image),
            ("output_text", output_text),
            ("output_reasoning", output_reasoning),
            ("output_audio", output_audio),
            ("output_image", output_image),
        ]
    }

    /// The calls of the provider's own tools, with the tools' names in prices and metrics.
    #[must_use]
    pub const fn calls(&self) -> [(&'static str, u64); 5] {
        [
            ("web_search", self.web_search_calls),
            ("web_fetch", self.web_fetch_calls),
            ("file_search", self.file_search_calls),
            ("code_interpreter", self.code_interpreter_calls),
            ("image_generation", self.image_generation_calls),
        ]
    }

    /// The same with as many calls as were seen, and as what it was seen to be served where it says nothing dearer than
    /// the usual.
    #[must_use]
    pub fn with_seen(self, seen: &Self) -> Self {
        Self {
            web_search_calls: self.web_search_calls.max(seen.web_search_calls),
            web_fetch_calls: self.web_fetch_calls.max(seen.web_fetch_calls),
            file_search_calls: self.file_search_calls.max(seen.file_search_calls),
            code_interpreter_calls: self.code_interpreter_calls.max(seen.code_interpreter_calls),
            image_generation_calls: self.image_generation_calls.max(seen.image_generation_calls),
            service_tier: if self.service_tier == ServiceTier::Standard {
                seen.service_tier
            } else {
                self.service_tier
            },
            fast: self.fast || seen.fast,
            in_one_country: self.in_one_country || seen.in_one_country,
            ..self
        }
    }

    /// Whether every token of it is text: of those only do bytes say anything.
    #[must_use]
    pub fn is_text(&self) -> bool {
        let called = self.calls().into_iter().any(|(_, calls)| calls > 0);
        let heard_or_seen =
            [self.input_audio, self.input_cache_read_audio, self.input_image, self.output_audio, self.output_image];
        !called && heard_or_seen == [0; 5]
    }
}

/// What is left of an inclusive figure. Details that claim more than it are cut, so that the buckets always add up.
pub(crate) struct Remaining(pub(crate) u64);

impl Remaining {
    /// Takes what a detail claims.
    pub(crate) fn take(&mut self, claimed: Option<u64>) -> u64 {
        let taken = claimed.unwrap_or(0).min(self.0);
        self.0 = self.0.saturating_sub(taken);
        taken
    }
}

/// How far figures can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
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

impl Certainty {
    /// The word in records.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Partial => "partial",
            Self::Estimated => "estimated",
            Self::Missing => "missing",
        }
    }
}
