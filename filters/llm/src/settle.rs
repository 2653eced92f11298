//! The end of an exchange: how each attempt went, what it used, what it cost, and how sure that is. Pure.

use crate::answer::Tally;
use crate::exchange::{Attempt, Exchange, Outcome};
use tollgate_wire::endpoint::Operation;
use tollgate_wire::envelope::InlineMedia;
use tollgate_wire::money::NanoUsd;
use tollgate_wire::usage::{Certainty, Usage};

/// Envoy's response flags `DC` and `DR`: the client closed the connection, or reset its HTTP/2 stream, before it had
/// everything.
const CLIENT_GONE: u64 = 1 << 14 | 1 << 28;

/// A rough ratio for text that no provider counted.
const BYTES_PER_TOKEN: u64 = 4;

/// What Envoy knows when an exchange is over.
#[derive(Debug, Clone, Default)]
pub struct Ending {
    /// Nanoseconds since 1970.
    pub now: u64,
    /// Status that the client got, if any.
    pub status: Option<u16>,
    /// Envoy's response flags.
    pub flags: Option<u64>,
    /// The last attempt had a connection to its provider.
    pub connected: bool,
    /// Envoy's response code details, when the client got no provider's whole answer.
    pub details: Option<String>,
}

impl Ending {
    /// Whether the client left. Envoy flags a lost connection and most resets of an HTTP/2 stream, but not one with the
    /// code `NO_ERROR`; whatever else ends an answer too early, it flags.
    fn client_gone(&self, unfinished: bool) -> bool {
        self.flags.is_some_and(|flags| flags & CLIENT_GONE != 0 || (unfinished && flags == 0))
    }
}

fn is_unfinished(attempt: &Attempt) -> bool {
    matches!(attempt.outcome, Outcome::Waiting | Outcome::Relaying)
}

/// How an exchange ended, for the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// With a whole answer.
    Complete,
    /// With the gate's refusal.
    Refused,
    /// The client went away.
    ClientGone,
    /// In the middle of an answer.
    Cut,
    /// With an error of the provider's, or Envoy's.
    Failed,
}

impl End {
    /// The word in records and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Refused => "refused",
            Self::ClientGone => "client_gone",
            Self::Cut => "cut",
            Self::Failed => "failed",
        }
    }
}

/// What one attempt used and cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bill {
    /// Reported or estimated; `None` when nothing was used, or nothing is known.
    pub usage: Option<Usage>,
    /// How far it can be trusted.
    pub certainty: Certainty,
    /// `None` when the usage is not known or has no price.
    pub cost: Option<NanoUsd>,
    /// Something was used and there is no price for it.
    pub unpriced: bool,
}

/// A settled exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// How it ended.
    pub end: End,
    /// One bill per attempt.
    pub bills: Vec<Bill>,
    /// Sum of the known costs.
    pub cost: NanoUsd,
    /// The least certain of the bills.
    pub certainty: Certainty,
    /// Some usage has no price, so the cost is more than the sum.
    pub unpriced: bool,
}

/// Ends what is still open and bills every attempt.
pub fn settle(exchange: &mut Exchange, ending: &Ending) -> Settled {
    let last = exchange.attempts.len().saturating_sub(1);
    let gone = ending.client_gone(exchange.attempts.last().is_some_and(is_unfinished));
    for (index, attempt) in exchange.attempts.iter_mut().enumerate() {
        // The client can only have left the last one; those before were given up for it.
        let client_gone = gone && index == last;
        let outcome = match attempt.outcome {
            // An SDK that has read the last event hangs up; that the stream is over, it does not wait for.
            Outcome::Relaying if client_gone && is_whole(&attempt.tally) => Outcome::Served,
            Outcome::Waiting if index == last && !ending.connected => Outcome::Refused("not_sent"),
            Outcome::Waiting | Outcome::Relaying if client_gone => Outcome::Abandoned,
            Outcome::Waiting => Outcome::Failed("no_response"),
            Outcome::Relaying => Outcome::Cut("reset"),
            _ => continue,
        };
        attempt.end(outcome, attempt.ended.unwrap_or(ending.now));
    }
    let bills: Vec<Bill> = exchange.attempts.iter().map(|attempt| bill(exchange, attempt)).collect();
    Settled {
        end: end(exchange, gone),
        cost: bills.iter().filter_map(|bill| bill.cost).fold(NanoUsd(0), NanoUsd::saturating_add),
        certainty: if exchange.unseen {
            Certainty::Missing
        } else {
            bills.iter().map(|bill| bill.certainty).max().unwrap_or(Certainty::Exact)
        },
        unpriced: bills.iter().any(|bill| bill.unpriced),
        bills,
    }
}

fn end(exchange: &Exchange, client_gone: bool) -> End {
    let last = exchange.attempts.last().map(|attempt| &attempt.outcome);
    let streamed = exchange.asked.as_ref().is_some_and(|(_, stream)| *stream);
    match last {
        _ if exchange.refusal.is_some() => End::Refused,
        _ if exchange.answered.is_some() => End::Complete,
        Some(Outcome::Served) if streamed || !client_gone => End::Complete,
        _ if client_gone => End::ClientGone,
        Some(Outcome::Cut(_)) => End::Cut,
        _ => End::Failed,
    }
}

/// Nothing more can come: the model has stopped and its usage is known.
const fn is_whole(tally: &Tally) -> bool {
    tally.stopped && tally.usage.is_some() && tally.cut.is_none()
}

fn bill(exchange: &Exchange, attempt: &Attempt) -> Bill {
    // To count tokens is free, and so is an answer of which nothing is counted.
    let (usage, certainty) = match exchange.operation {
        Some(Operation::CountTokens) => (None, Certainty::Exact),
        _ => used(attempt, exchange.request_bytes),
    };
    let price = exchange.admitted.as_ref().and_then(|admitted| admitted.targets().get(attempt.target)?.price.as_ref());
    let cost = match (usage, certainty) {
        (Some(usage), _) => price.map(|price| price.cost(&usage)),
        (None, Certainty::Missing) => None,
        (None, _) => Some(NanoUsd(0)),
    };
    Bill { usage, certainty, cost, unpriced: usage.is_some() && price.is_none() }
}

fn used(attempt: &Attempt, request_bytes: usize) -> (Option<Usage>, Certainty) {
    let Tally { usage, stopped, .. } = &attempt.tally;
    match (&attempt.outcome, usage) {
        (Outcome::Refused(_) | Outcome::Rejected(_), None) => (None, Certainty::Exact),
        (Outcome::Failed(_) | Outcome::Waiting, None) => (None, Certainty::Missing),
        (_, Some(usage)) if *stopped => (Some(*usage), Certainty::Exact),
        (_, Some(usage)) => {
            let unseen = estimated_output(attempt).saturating_sub(usage.output());
            let output_text = usage.output_text.saturating_add(unseen);
            (Some(Usage { output_text, ..*usage }), Certainty::Partial)
        }
        (_, None) => {
            let input_fresh = u64::try_from(request_bytes).unwrap_or(u64::MAX).div_ceil(BYTES_PER_TOKEN);
            let usage = Usage { input_fresh, output_text: estimated_output(attempt), ..Usage::default() };
            (Some(usage), Certainty::Estimated)
        }
    }
}

/// Tokens of a request that nobody counted.
#[must_use]
pub fn estimated_input(request_bytes: usize, media: InlineMedia) -> u64 {
    const MEDIA_TOKENS: u64 = 1500;
    let text = u64::try_from(request_bytes.saturating_sub(media.bytes)).unwrap_or(u64::MAX);
    let items = u64::try_from(media.items).unwrap_or(u64::MAX);
    text.div_ceil(BYTES_PER_TOKEN).saturating_add(items.saturating_mul(MEDIA_TOKENS))
}

const fn estimated_output(attempt: &Attempt) -> u64 {
    attempt.tally.output_bytes.div_ceil(BYTES_PER_TOKEN)
}

#[cfg(test)]
mod tests;
