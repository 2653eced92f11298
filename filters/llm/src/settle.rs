//! The end of an exchange: how each attempt went, what it used, what it cost, and how sure that is. Pure.

use crate::answer::Tally;
use crate::bill::{Bill, bill};
use crate::calibrations::Calibrations;
use crate::exchange::{Attempt, Exchange, Outcome};
use tollgate_wire::money::NanoUsd;
use tollgate_wire::price::PriceStatus;
use tollgate_wire::usage::Certainty;

/// Envoy's response flags `DC` and `DR`: the client closed the connection, or reset its HTTP/2 stream, before it had
/// everything.
const CLIENT_GONE: u64 = 1 << 14 | 1 << 28;

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
    /// How far the prices of all that was used are known. When not all are, it cost more than the sum, or less.
    pub price: PriceStatus,
}

/// Ends what is still open and bills every attempt. From what was reported, `calibrations` learn.
pub fn settle(exchange: &mut Exchange, ending: &Ending, calibrations: &mut Calibrations) -> Settled {
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
    let bills: Vec<Bill> = exchange.attempts.iter().map(|attempt| bill(exchange, attempt, calibrations)).collect();
    Settled {
        end: end(exchange, gone),
        cost: bills.iter().filter_map(|bill| bill.cost).fold(NanoUsd(0), NanoUsd::saturating_add),
        certainty: if exchange.unseen {
            Certainty::Missing
        } else {
            bills.iter().map(|bill| bill.certainty).max().unwrap_or(Certainty::Exact)
        },
        price: bills.iter().filter_map(|bill| bill.price).max().unwrap_or(PriceStatus::Priced),
        bills,
    }
}

fn end(exchange: &Exchange, client_gone: bool) -> End {
    let last = exchange.attempts.last().map(|attempt| &attempt.outcome);
    match last {
        _ if exchange.refusal.is_some() => End::Refused,
        _ if exchange.answered.is_some() => End::Complete,
        Some(Outcome::Served) if exchange.is_streamed() || !client_gone => End::Complete,
        _ if client_gone => End::ClientGone,
        Some(Outcome::Cut(_)) => End::Cut,
        _ => End::Failed,
    }
}

/// Nothing more can come: the model has stopped and its usage is known.
const fn is_whole(tally: &Tally) -> bool {
    tally.stopped && tally.usage_is_final && tally.cut.is_none()
}

#[cfg(test)]
mod tests;
