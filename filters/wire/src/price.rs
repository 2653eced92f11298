//! What a model's tokens and calls cost, and what a usage costs.
//!
//! The rule everywhere: **never silently cheaper.** A discount counts only where it is written down. What was used and has
//! no listed price makes the cost [`PriceStatus::Partial`], and where the missing price may be a surcharge, the dearest
//! that is usual is charged.

use crate::money::NanoUsd;
use crate::usage::{ServiceTier, Usage};
use decimal::{Decimal, ONE};
use fees::Fees;
use rates::{Charge, Rates};

mod catalogue;
mod decimal;
mod fees;
mod listed;
mod priced;
mod rates;
mod read;
mod schema;
mod table;
#[cfg(test)]
mod tests;

pub use catalogue::{catalogue_of_host, genai_provider_name, is_catalogue};
pub use listed::{Listed, PriceSource};
pub use priced::{PriceStatus, Priced};
pub use table::{CatalogEntry, TABLE_VERSION, lookup};

/// What a model costs, as its provider lists it: US dollars per million tokens, and per call. In a configuration:
///
/// ```yaml
/// input: 3
/// output: 15
/// cache_read: 0.3           # this and the next nine are optional
/// cache_write_5m: 3.75
/// cache_write_1h: 6
/// reasoning: 15
/// audio_input: 40
/// audio_output: 80
/// image_input: 5
/// image_output: 30
/// cache_read_audio: 0.4
/// long_context:             # optional: of a call whose whole input is above so many tokens, all tokens
/// - {above: 200000, input: 6, output: 22.5, cache_read: 0.6}
/// service_tiers:            # optional: each as a price of its own
///   flex: {input: 1.5, output: 7.5}
///   priority: {input: 6, output: 30, long_context: [{above: 200000, input: 12, output: 45}]}
///   batch: {input: 1.5, output: 7.5}
/// fees: {web_search: 0.01}  # optional: dollars each
/// fast: 6                   # optional: Anthropic's fast mode, by what it multiplies the price of tokens
/// one_country: 1.1          # optional: the same for `inference_geo`
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Price {
    standard: Level,
    tiers: Tiers,
    fees: Fees,
    /// Factors of the price of tokens.
    fast: Option<Decimal>,
    one_country: Option<Decimal>,
    /// All prices there are stand here.
    complete: bool,
}

/// The prices of one service tier.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Level {
    rates: Rates,
    /// Ascending.
    long_context: Vec<Step>,
}

/// Prices of calls with more input.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Step {
    above: u64,
    rates: Rates,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Tiers {
    flex: Option<Level>,
    priority: Option<Level>,
    batch: Option<Level>,
}

const TOKENS_PER_RATE: u128 = 1_000_000;

/// A factor has up to 4 decimals and is at most 1000, so that two of them and the dearest usage fit into 128 bits.
const FACTOR_STEPS: u64 = 10_000;

impl Price {
    /// What `usage` costs, rounded once, half a nano-dollar up. The largest amount there is when it is more than that.
    #[must_use]
    pub fn of(&self, usage: &Usage) -> Priced {
        let (charges, tier_listed) = self.charges(usage);
        let (fees, fees_listed) = self.fees.owed(usage);
        let mut listed = tier_listed && fees_listed && !usage.other_models;
        let mut owed = 0_u128;
        for (tokens, charge) in rates::tokens(usage).into_iter().zip(charges) {
            listed &= tokens == 0 || charge.listed;
            owed = owed.saturating_add(u128::from(tokens).saturating_mul(u128::from(charge.rate.0)));
        }
        let mut parts = TOKENS_PER_RATE;
        for factor in [usage.fast.then_some(self.fast), usage.in_one_country.then_some(self.one_country)] {
            let Some(factor) = factor else { continue };
            listed &= factor.is_some();
            let steps = factor.map_or(FACTOR_STEPS, |factor| factor.0 / (ONE / FACTOR_STEPS));
            owed = owed.saturating_mul(u128::from(steps));
            parts = parts.saturating_mul(u128::from(FACTOR_STEPS));
        }
        let nanos = (owed.saturating_add(parts / 2)).checked_div(parts).unwrap_or(0).saturating_add(fees);
        Priced {
            cost: NanoUsd(u64::try_from(nanos).unwrap_or(u64::MAX)),
            status: if listed { PriceStatus::Priced } else { PriceStatus::Partial },
        }
    }

    /// The most that so many tokens cost, whichever bucket the provider counts them in. `premium`: the client asks for
    /// what has prices of its own. Fees of tools are not in it, nor what a price is not listed for.
    #[must_use]
    pub fn most(&self, input: u64, output: u64, premium: bool) -> NanoUsd {
        let (fast, in_one_country) = (premium && self.fast.is_some(), premium && self.one_country.is_some());
        let mut most = NanoUsd(0);
        let tiers: &[ServiceTier] =
            if premium { &[ServiceTier::Standard, ServiceTier::Priority] } else { &[ServiceTier::Standard] };
        for service_tier in tiers {
            let asked = Usage { service_tier: *service_tier, fast, in_one_country, ..Usage::NONE };
            let plain = Usage { input_fresh: input, output_text: output, ..asked };
            for inputs in [
                plain,
                Usage { input_cache_read: input, ..asked },
                Usage { input_cache_read_audio: input, ..asked },
                Usage { input_cache_write_5m: input, ..asked },
                Usage { input_cache_write_1h: input, ..asked },
                Usage { input_audio: input, ..asked },
                Usage { input_image: input, ..asked },
            ] {
                for usage in [
                    Usage { output_text: output, ..inputs },
                    Usage { output_reasoning: output, output_text: 0, ..inputs },
                    Usage { output_audio: output, output_text: 0, ..inputs },
                    Usage { output_image: output, output_text: 0, ..inputs },
                ] {
                    let priced = self.of(&usage);
                    if priced.status == PriceStatus::Priced || usage == plain {
                        most = most.max(priced.cost);
                    }
                }
            }
        }
        most
    }

    /// What each bucket's tokens cost in this usage, and whether there are prices for its service tier.
    fn charges(&self, usage: &Usage) -> ([Charge; rates::COLUMNS.len()], bool) {
        let input = usage.input();
        let step = self.standard.step(input);
        let standard = step.map_or(self.standard.rates, |step| step.rates.over(&self.standard.rates));
        let tier = match usage.service_tier {
            ServiceTier::Standard => return (standard.charges(self.complete), true),
            ServiceTier::Flex => &self.tiers.flex,
            ServiceTier::Priority => &self.tiers.priority,
            ServiceTier::Batch => &self.tiers.batch,
            ServiceTier::Provisioned | ServiceTier::Other => &None,
        };
        let Some(level) = tier else { return (standard.charges(self.complete), false) };
        let rates = level.rates.over(&self.standard.rates);
        match (level.step(input), step) {
            (Some(own), _) => (own.rates.over(&rates).charges(self.complete), true),
            (None, None) => (rates.charges(self.complete), true),
            (None, Some(_)) => {
                let mut charges = rates.charges(self.complete);
                for (charge, other) in charges.iter_mut().zip(standard.charges(self.complete)) {
                    *charge = charge.dearer(other);
                }
                (charges, false)
            }
        }
    }

    /// The same with all prices of tokens `factor` times as high.
    fn scaled(mut self, factor: Decimal) -> Self {
        let tiers = [&mut self.tiers.flex, &mut self.tiers.priority, &mut self.tiers.batch].into_iter().flatten();
        for level in tiers.chain([&mut self.standard]) {
            let steps = level.long_context.iter_mut().map(|step| &mut step.rates);
            for rate in steps.chain([&mut level.rates]).flat_map(|rates| &mut rates.0).flatten() {
                *rate = rate.raised(Decimal(ONE), factor);
            }
        }
        self
    }
}

impl Level {
    /// The prices that hold for so much input, when they are not the usual ones.
    fn step(&self, input: u64) -> Option<&Step> {
        self.long_context.iter().rev().find(|step| input > step.above)
    }
}
