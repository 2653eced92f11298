//! What one attempt used and cost, and how fast it was: as its provider says, and where it does not, as it is estimated. Pure.

use crate::answer::Tally;
use crate::calibrations::Calibrations;
use crate::config::Target;
use crate::exchange::{Attempt, Exchange, Outcome};
use crate::timing::Timing;
use tollgate_kernel::calibration::{Calibration, Ratio};
use tollgate_wire::endpoint::Operation;
use tollgate_wire::envelope::Media;
use tollgate_wire::money::NanoUsd;
use tollgate_wire::price::{PriceSource, PriceStatus};
use tollgate_wire::usage::{Certainty, Usage};

/// Tokens of a picture or document of a request that nobody counted.
const MEDIA_TOKENS: u64 = 1500;

/// No text has so few tokens: a provider that reports fewer for what it sent does not count.
const MOST_BYTES_PER_TOKEN: u64 = 64;

/// What one attempt used and cost, and how fast it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bill {
    /// Reported or estimated; `None` when nothing was used, or nothing is known.
    pub usage: Option<Usage>,
    /// How far it can be trusted.
    pub certainty: Certainty,
    /// `None` when the usage is not known or has no price.
    pub cost: Option<NanoUsd>,
    /// How far prices are known; `None` when there is no usage to be priced.
    pub price: Option<PriceStatus>,
    /// Who says so.
    pub price_source: Option<PriceSource>,
    /// What an estimate was made with; `None` when nothing was estimated.
    pub basis: Option<Calibration>,
    /// How fast it came.
    pub timing: Timing,
}

/// What is known of the text of a request.
#[derive(Debug, Clone, Copy)]
struct Asked {
    bytes: u64,
    media: Media,
    /// It begins with what the provider keeps: of that, its bytes say nothing.
    more_at_provider: bool,
}

impl Asked {
    fn of(exchange: &Exchange) -> Self {
        let envelope = exchange.admitted.as_ref().map(|admitted| &admitted.envelope);
        let media = envelope.map(|envelope| envelope.media).unwrap_or_default();
        let more_at_provider = envelope.is_some_and(|envelope| envelope.repeat.kept_at_provider);
        Self { more_at_provider, ..Self::new(exchange.request_bytes, media) }
    }

    fn new(request_bytes: usize, media: Media) -> Self {
        Self {
            bytes: u64::try_from(request_bytes.saturating_sub(media.bytes)).unwrap_or(u64::MAX),
            media,
            more_at_provider: false,
        }
    }

    fn estimate(&self, ratio: &Ratio) -> u64 {
        let items = u64::try_from(self.media.items).unwrap_or(u64::MAX);
        ratio.estimate(self.bytes).saturating_add(items.saturating_mul(MEDIA_TOKENS))
    }
}

/// Tokens of a request for a target that nobody counted, by what was learned of it.
#[must_use]
pub fn estimated_input(request_bytes: usize, media: Media, known: &Calibration) -> u64 {
    Asked::new(request_bytes, media).estimate(&known.input)
}

/// Bills an attempt that has ended, and learns from it.
#[must_use]
pub fn bill(exchange: &Exchange, attempt: &Attempt, calibrations: &mut Calibrations) -> Bill {
    let target = exchange.admitted.as_ref().and_then(|admitted| admitted.targets().get(attempt.target));
    let known = target.map(|target| calibrations.of(target)).unwrap_or_default();
    let asked = Asked::of(exchange);
    let (usage, certainty) = match exchange.operation {
        // To count tokens is free, and so is an answer of which nothing is counted.
        Some(Operation::CountTokens) => (None, Certainty::Exact),
        _ => used(attempt, &asked, &known),
    };
    if let (Some(usage), Certainty::Exact, Some(target)) = (&usage, certainty, target)
        && asked.media.items == 0
        && !asked.more_at_provider
        && usage.is_text()
    {
        let mut learned = known;
        learned.input.observe(asked.bytes, usage.input());
        learned.output.observe(attempt.tally.output_bytes, usage.output());
        calibrations.learn(target, learned);
    }
    let estimated = usage.is_some() && certainty != Certainty::Exact;
    let timing = Timing::of(attempt, usage.as_ref(), exchange.is_streamed());
    Bill { timing, ..priced(usage, certainty, target, estimated.then_some(known)) }
}

fn priced(usage: Option<Usage>, certainty: Certainty, target: Option<&Target>, basis: Option<Calibration>) -> Bill {
    let bill = Bill { usage, certainty, cost: None, price: None, price_source: None, basis, timing: Timing::default() };
    match (usage, target.and_then(|target| target.price.as_ref())) {
        (Some(usage), Some(listed)) => {
            let priced = listed.price.of(&usage);
            let (cost, price) = (Some(priced.cost), Some(priced.status));
            Bill { cost, price, price_source: Some(listed.source), ..bill }
        }
        (Some(_), None) => Bill { price: Some(PriceStatus::Unpriced), ..bill },
        (None, _) if certainty == Certainty::Missing => bill,
        (None, _) => Bill { cost: Some(NanoUsd(0)), ..bill },
    }
}

fn used(attempt: &Attempt, asked: &Asked, known: &Calibration) -> (Option<Usage>, Certainty) {
    let Tally { usage, usage_is_final, seen, output_bytes, .. } = &attempt.tally;
    let estimate =
        Usage { input_fresh: asked.estimate(&known.input), output_text: known.output.estimate(*output_bytes), ..*seen };
    match (&attempt.outcome, usage) {
        (Outcome::Refused(_) | Outcome::Rejected(_), None) => (None, Certainty::Exact),
        (Outcome::Failed(_) | Outcome::Waiting, None) => (None, Certainty::Missing),
        (_, Some(usage)) if *usage_is_final && is_credible(usage, *output_bytes) => (Some(*usage), Certainty::Exact),
        (_, Some(usage)) => (Some(raised(*usage, &estimate)), Certainty::Partial),
        (_, None) => (Some(estimate), Certainty::Estimated),
    }
}

/// Whether a final figure can be one. Servers that do not count say 0, or count only one direction.
fn is_credible(usage: &Usage, output_bytes: u64) -> bool {
    let counted = usage.output() >= output_bytes.div_ceil(MOST_BYTES_PER_TOKEN);
    usage.input() > 0 && (counted || !usage.is_text())
}

/// Figures that are not final, with what was seen beyond them.
fn raised(usage: Usage, estimate: &Usage) -> Usage {
    let unseen = if usage.is_text() { estimate.output().saturating_sub(usage.output()) } else { 0 };
    let unsaid = if usage.input() == 0 { estimate.input() } else { 0 };
    Usage {
        input_fresh: usage.input_fresh.saturating_add(unsaid),
        output_text: usage.output_text.saturating_add(unseen),
        ..usage.with_seen(estimate)
    }
}

#[cfg(test)]
mod tests;
