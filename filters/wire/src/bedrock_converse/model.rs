//! How much may be said to which model.
//!
//! The body of a Converse request is the same for every model, but what models do not know of it they refuse, and what
//! is beyond it each family calls by a name of its own. A fallback to Bedrock must not fail for what the first provider
//! took, so what is written depends on the model's name: where that does not tell the family (an ARN of an
//! application's inference profile), only what every model takes is written, and the rest is said to be dropped.

use crate::anthropic_messages::model;

/// Who made a model, as far as that changes what it can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    /// Anthropic's, with its version.
    Claude(u8, u8),
    /// Amazon's first Nova.
    Nova,
    /// Amazon's later Nova, which can think.
    Nova2,
    /// OpenAI's open models.
    GptOss,
    /// OpenAI's others.
    Openai,
    /// Another, or one whose name does not tell.
    Other,
}

/// How a model is asked to think.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Thinking {
    /// Claude before 4.6: with a budget of tokens.
    Budget,
    /// Claude from 4.6 on: as much as it likes, with an effort.
    Adaptive,
    /// Nova: up to one of three efforts.
    NovaEffort,
    /// One of three efforts, never not at all.
    OssEffort,
    /// OpenAI's efforts.
    OpenaiEffort,
    /// It cannot be asked.
    Unknown,
}

impl Family {
    /// Of a model id, an inference profile's id or an ARN that ends in one.
    pub(super) fn of(model: &str) -> Self {
        let after = |vendor| model.split_once(vendor).map(|(_, rest)| rest);
        if let Some(rest) = after("anthropic.claude-") {
            return version(rest).map_or(Self::Other, |(major, minor)| Self::Claude(major, minor));
        }
        if let Some(rest) = after("amazon.nova-") {
            return if version(rest).is_some() { Self::Nova2 } else { Self::Nova };
        }
        match after("openai.gpt-") {
            Some(rest) if rest.starts_with("oss") => Self::GptOss,
            Some(_) => Self::Openai,
            None => Self::Other,
        }
    }

    pub(super) const fn thinking(self) -> Thinking {
        match self {
            Self::Claude(major, minor) if at_least(major, minor, 4, 6) => Thinking::Adaptive,
            Self::Claude(major, minor) if at_least(major, minor, 3, 7) => Thinking::Budget,
            Self::Nova2 => Thinking::NovaEffort,
            Self::GptOss => Thinking::OssEffort,
            Self::Openai => Thinking::OpenaiEffort,
            Self::Claude(..) | Self::Nova | Self::Other => Thinking::Unknown,
        }
    }

    /// Whether it is a Claude of that version or later.
    pub(super) const fn is_claude(self, major: u8, minor: u8) -> bool {
        matches!(self, Self::Claude(own_major, own_minor) if at_least(own_major, own_minor, major, minor))
    }

    /// Whether it keeps what a cache point ends. Other models refuse one.
    pub(super) const fn caches(self) -> bool {
        self.is_claude(3, 5) || matches!(self, Self::Nova | Self::Nova2)
    }

    /// Whether a result of a tool may say that the tool failed. Other models refuse the word.
    pub(super) const fn knows_failed_tools(self) -> bool {
        matches!(self, Self::Claude(..) | Self::Nova | Self::Nova2)
    }

    /// Whether it takes settings of how the next token is picked at all. Claude from 4.7 on refuses them.
    pub(super) const fn samples(self) -> bool {
        !self.is_claude(4, 7)
    }
}

const fn at_least(major: u8, minor: u8, least_major: u8, least_minor: u8) -> bool {
    major > least_major || (major == least_major && minor >= least_minor)
}

/// The version in `opus-4-5-20251101-v1:0` or `2-lite-v1:0`, which is not that of the model's id.
fn version(rest: &str) -> Option<(u8, u8)> {
    model::version(rest.split(':').next()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn a_name_tells_the_family_and_how_it_thinks() {
        for (model, family, thinking) in [
            ("anthropic.claude-3-haiku-20240307-v1:0", Family::Claude(3, 0), Thinking::Unknown),
            ("anthropic.claude-3-7-sonnet-20250219-v1:0", Family::Claude(3, 7), Thinking::Budget),
            ("us.anthropic.claude-sonnet-4-20250514-v1:0", Family::Claude(4, 0), Thinking::Budget),
            ("global.anthropic.claude-haiku-4-5-20251001-v1:0", Family::Claude(4, 5), Thinking::Budget),
            ("anthropic.claude-opus-4-6-v1", Family::Claude(4, 6), Thinking::Adaptive),
            ("eu.anthropic.claude-sonnet-4-6", Family::Claude(4, 6), Thinking::Adaptive),
            ("anthropic.claude-opus-5", Family::Claude(5, 0), Thinking::Adaptive),
            (
                "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-opus-4-7",
                Family::Claude(4, 7),
                Thinking::Adaptive,
            ),
            ("anthropic.claude-v2:1", Family::Other, Thinking::Unknown),
            ("amazon.nova-lite-v1:0", Family::Nova, Thinking::Unknown),
            ("us.amazon.nova-2-lite-v1:0", Family::Nova2, Thinking::NovaEffort),
            ("openai.gpt-oss-120b-1:0", Family::GptOss, Thinking::OssEffort),
            ("us.openai.gpt-5.6-terra", Family::Openai, Thinking::OpenaiEffort),
            ("meta.llama3-3-70b-instruct-v1:0", Family::Other, Thinking::Unknown),
            (
                "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a1b2c3d4e5f6",
                Family::Other,
                Thinking::Unknown,
            ),
            ("", Family::Other, Thinking::Unknown),
        ] {
            assert_eq!((Family::of(model), Family::of(model).thinking()), (family, thinking), "{model}");
        }
    }
}
