//! What a request has used of its limits.

use crate::exchange::{Attempt, Exchange, Outcome};
use crate::settle::Settled;
use tollgate_kernel::limit::Unit;
use tollgate_limits::{Claim, Counted, Granted, Need, State};
use tollgate_wire::usage::{Certainty, Usage};

/// Settles what an exchange that is over had reserved. For the record, all that was counted.
pub fn settle(exchange: &Exchange, settled: &Settled, now_ms: u64) -> Vec<Counted> {
    tollgate_limits::settle(&exchange.limits, |claim| used(claim, &exchange.limits, exchange, settled), now_ms)
}

/// How much of what a claim counts an exchange has used: what is billed. Of an attempt that nobody can bill, because it
/// failed or was left without a word of what it used, the most that it may have used: it may have worked, and be invoiced.
#[must_use]
pub fn used(claim: &Claim, granted: &Granted, exchange: &Exchange, settled: &Settled) -> u64 {
    if exchange.admitted.is_none() || claim.state == State::GivenBack {
        return if exchange.answered.is_some() && claim.limit.unit == Unit::Requests { 1 } else { 0 };
    }
    if exchange.unseen {
        return claim.need;
    }
    let attempts = exchange.attempts.iter().zip(&settled.bills).filter(|(attempt, _)| claim.counts(attempt.target));
    match (claim.limit.unit, &claim.targets) {
        (Unit::Requests, None) => 1,
        (Unit::Requests, Some(_)) => u64::try_from(attempts.count()).unwrap_or(u64::MAX),
        (unit, _) => attempts.fold(0, |sum: u64, (attempt, bill)| {
            let known = match unit {
                Unit::Tokens => bill.usage.as_ref().map(tokens),
                _ => bill.cost.map(|cost| cost.0),
            };
            let most = || granted.needs.get(attempt.target).and_then(|need| need.amount(unit)).unwrap_or_default();
            sum.saturating_add(match (known, bill.certainty) {
                (known, Certainty::Estimated) if is_unseen(attempt, exchange) => most().max(known.unwrap_or_default()),
                (known, Certainty::Estimated) if is_wordless(attempt) => {
                    let need = granted.needs.get(attempt.target).copied().unwrap_or_default();
                    thought(attempt, &need, most()).max(known.unwrap_or_default())
                }
                (Some(known), _) => known,
                (None, Certainty::Missing) => most(),
                (None, _) => 0,
            })
        }),
    }
}

/// What an estimate cannot see: how far an answer in one piece had been written when the client left, and what the provider
/// has added to the request.
fn is_unseen(attempt: &Attempt, exchange: &Exchange) -> bool {
    let continued = exchange.admitted.as_ref().is_some_and(|admitted| admitted.envelope.repeat.continued);
    continued || (attempt.outcome == Outcome::Abandoned && !exchange.is_streamed())
}

/// The client left a stream before its first word. The model may have been thinking, and that is billed.
fn is_wordless(attempt: &Attempt) -> bool {
    attempt.outcome == Outcome::Abandoned && attempt.first_token.is_none()
}

/// What it may have thought at most in the time that it had, as a share of the `most` that the request may use.
fn thought(attempt: &Attempt, need: &Need, most: u64) -> u64 {
    /// No model that thinks writes more tokens in a second.
    const FASTEST: u128 = 500;
    let nanos = attempt.ended.unwrap_or(attempt.began).saturating_sub(attempt.began);
    let tokens = u128::from(nanos).saturating_mul(FASTEST).div_ceil(1_000_000_000);
    let all = u128::from(need.tokens.unwrap_or_default()).max(1);
    let share = u128::from(most).saturating_mul(tokens.min(all)).div_ceil(all);
    u64::try_from(share).unwrap_or(u64::MAX)
}

const fn tokens(usage: &Usage) -> u64 {
    usage.input().saturating_add(usage.output())
}

#[cfg(test)]
mod tests;
