//! Prices per million tokens, and what a usage costs.

use crate::money::NanoUsd;
use crate::usage::Usage;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de};
use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

/// What a model's tokens cost, as its provider lists it: US dollars per million tokens.
///
/// A bucket without a price of its own costs what the listed price of its direction says, as it does at a provider
/// that does not tell it apart. A discount therefore counts only where it is written down; and so does a surcharge,
/// such as the one for writing to a cache: where a provider has one, its price must be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// Input that no cache has to do with.
    pub input: Rate,
    /// Output that is neither reasoning nor audio.
    pub output: Rate,
    /// Input read from the provider's prompt cache. Default: `input`.
    #[serde(default)]
    pub cache_read: Option<Rate>,
    /// Input written to the cache for 5 minutes. Default: `input`.
    #[serde(default)]
    pub cache_write_5m: Option<Rate>,
    /// Input written to the cache for 1 hour. Default: `input`.
    #[serde(default)]
    pub cache_write_1h: Option<Rate>,
    /// Reasoning. Default: `output`.
    #[serde(default)]
    pub reasoning: Option<Rate>,
    /// Audio input. Default: `input`.
    #[serde(default)]
    pub audio_input: Option<Rate>,
    /// Audio output. Default: `output`.
    #[serde(default)]
    pub audio_output: Option<Rate>,
}

/// US dollars per million tokens, written as a JSON number (`0.25`) or string (`"0.25"`), with up to 9 decimals and at
/// most 1000000. Kept exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rate {
    nano_usd_per_million: u64,
}

/// Why something is no [`Rate`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotARate {
    /// It is not digits, with or without a decimal point and more digits.
    NotDecimal,
    /// It is below zero.
    Negative,
    /// It has more than 9 decimals, finer than a nano-dollar.
    TooPrecise,
    /// It is above a million dollars.
    TooHigh,
}

const MAX_USD: u64 = 1_000_000;
const DECIMALS: usize = 9;
const NANOS: u64 = 1_000_000_000;
const TOKENS_PER_RATE: u128 = 1_000_000;

impl Price {
    /// What `usage` costs, rounded once, half a nano-dollar up. The largest amount there is when it is more than that.
    #[must_use]
    pub fn cost(&self, usage: &Usage) -> NanoUsd {
        let owed = self.charges(usage).into_iter().fold(0_u128, |owed, (tokens, rate)| {
            owed.saturating_add(u128::from(tokens).saturating_mul(u128::from(rate.nano_usd_per_million)))
        });
        let nanos = owed.saturating_add(TOKENS_PER_RATE / 2) / TOKENS_PER_RATE;
        NanoUsd(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    /// Each bucket with its rate. Taken apart field by field, so that a new bucket cannot be forgotten here.
    fn charges(&self, usage: &Usage) -> [(u64, Rate); 8] {
        let Usage {
            input_fresh,
            input_cache_read,
            input_cache_write_5m,
            input_cache_write_1h,
            input_audio,
            output_text,
            output_reasoning,
            output_audio,
            ..
        } = *usage;
        [
            (input_fresh, self.input),
            (input_cache_read, self.cache_read.unwrap_or(self.input)),
            (input_cache_write_5m, self.cache_write_5m.unwrap_or(self.input)),
            (input_cache_write_1h, self.cache_write_1h.unwrap_or(self.input)),
            (input_audio, self.audio_input.unwrap_or(self.input)),
            (output_text, self.output),
            (output_reasoning, self.reasoning.unwrap_or(self.output)),
            (output_audio, self.audio_output.unwrap_or(self.output)),
        ]
    }
}

impl FromStr for Rate {
    type Err = NotARate;

    fn from_str(text: &str) -> Result<Self, NotARate> {
        let is_decimal = |text: &str| match text.split_once('.') {
            Some((whole, fraction)) => is_digits(whole) && is_digits(fraction),
            None => is_digits(text),
        };
        if text.strip_prefix('-').is_some_and(is_decimal) {
            return Err(NotARate::Negative);
        }
        if !is_decimal(text) {
            return Err(NotARate::NotDecimal);
        }
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        if fraction.len() > DECIMALS {
            return Err(NotARate::TooPrecise);
        }
        // INVARIANT: both are digits, so parsing fails only for a number that is too high.
        let number = |digits: &str| digits.parse::<u64>().map_err(|_| NotARate::TooHigh);
        let (dollars, nanos) = (number(whole)?, number(&format!("{fraction:0<DECIMALS$}"))?);
        let rate = dollars.checked_mul(NANOS).and_then(|rate| rate.checked_add(nanos));
        let rate = rate.filter(|rate| *rate <= MAX_USD.saturating_mul(NANOS)).ok_or(NotARate::TooHigh)?;
        Ok(Self { nano_usd_per_million: rate })
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

impl<'de> Deserialize<'de> for Rate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RateVisitor)
    }
}

/// Reads a number by the shortest text that stands for it: for all that a rate can be (at most 15 digits) this is the
/// text that was written.
struct RateVisitor;

impl de::Visitor<'_> for RateVisitor {
    type Value = Rate;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("US dollars per million tokens, for example 2.5 or \"2.5\"")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Rate, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Rate, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Rate, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Rate, E> {
        self.visit_str(&number.to_string())
    }
}

impl JsonSchema for Rate {
    fn schema_name() -> Cow<'static, str> {
        "Rate".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "US dollars per million tokens, with up to 9 decimals.",
            "type": ["number", "string"],
            "minimum": 0,
            "maximum": MAX_USD,
            "pattern": r"^[0-9]+(\.[0-9]{1,9})?$",
        })
    }
}

impl fmt::Display for NotARate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotDecimal => f.write_str("must be a decimal number such as `2.5`"),
            Self::Negative => f.write_str("must not be negative"),
            Self::TooPrecise => write!(f, "must not have more than {DECIMALS} decimals"),
            Self::TooHigh => write!(f, "must not be above {MAX_USD} dollars per million tokens"),
        }
    }
}

impl std::error::Error for NotARate {}

#[cfg(test)]
mod tests;
