use super::{End, Ending, Settled, settle};
use crate::answer::Tally;
use crate::calibrations::Calibrations;
use crate::example::{self, NOON, USAGE};
use crate::exchange::{Attempt, Exchange, Outcome};
use crate::refusal::Refusal;
use Outcome::{Abandoned, Cut, Failed, Refused, Relaying, Served, Waiting};
use tollgate_identity::Fault;
use tollgate_wire::Format;
use tollgate_wire::money::NanoUsd;
use tollgate_wire::price::PriceStatus;
use tollgate_wire::usage::{Certainty, Usage};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

/// The client closed its connection.
const DC: u64 = 1 << 14;

/// 40 bytes, which are estimated as 10 tokens.
const BODY: &str = r#"{"model":"claude","messages":[],"n": 1 }"#;

const fn ending(client_gone: bool) -> Ending {
    let flags = if client_gone { DC | 1 } else { 1 };
    Ending { now: NOON + 7_000_000, status: Some(200), flags: Some(flags), connected: true, details: None }
}

fn exchange(attempts: impl IntoIterator<Item = Attempt>) -> Exchange {
    Exchange { attempts: attempts.into_iter().collect(), ..example::exchange(Format::OpenaiChat, BODY) }
}

fn attempt(outcome: &Outcome, usage: Option<Usage>, stopped: bool, output_bytes: u64) -> Attempt {
    let tally = Tally { usage, output_bytes, stopped, usage_is_final: stopped && usage.is_some(), ..Tally::default() };
    Attempt { tally, ..example::attempt(0, outcome.clone()) }
}

fn settled(exchange: &mut Exchange, client_gone: bool) -> Settled {
    settle(exchange, &ending(client_gone), &mut Calibrations::default())
}

const ESTIMATE: Usage = Usage { input_fresh: 10, output_text: 25, ..NO_USAGE };
const INPUT_ONLY: Usage = Usage { input_fresh: 10, ..NO_USAGE };
const NO_USAGE: Usage = Usage { input_fresh: 0, output_text: 0, ..USAGE };
/// 800 bytes were seen, so at least 200 tokens.
const MORE: Usage = Usage { output_text: 200, ..USAGE };

#[test]
fn an_attempt_is_billed_by_what_is_known_of_it() {
    let (nothing, all) = (None, Some(USAGE));
    for (outcome, gone, (usage, stopped, bytes), after, (billed, certainty, nanos)) in [
        // A whole answer.
        (Served, false, (all, true, 400), Served, (all, Certainty::Exact, Some(4_500_000))),
        (Served, false, (nothing, true, 100), Served, (Some(ESTIMATE), Certainty::Estimated, Some(405_000))),
        // An answer that broke off: the provider's figures are of before.
        (Cut("a"), false, (all, false, 400), Cut("a"), (all, Certainty::Partial, Some(4_500_000))),
        (Cut("a"), false, (all, false, 800), Cut("a"), (Some(MORE), Certainty::Partial, Some(6_000_000))),
        (Cut("a"), false, (nothing, false, 100), Cut("a"), (Some(ESTIMATE), Certainty::Estimated, Some(405_000))),
        (Relaying, false, (nothing, false, 100), Cut("reset"), (Some(ESTIMATE), Certainty::Estimated, Some(405_000))),
        (Relaying, false, (all, true, 400), Cut("reset"), (all, Certainty::Exact, Some(4_500_000))),
        // The client hung up: with all that it wanted, or before.
        (Relaying, true, (all, true, 400), Served, (all, Certainty::Exact, Some(4_500_000))),
        (Relaying, true, (nothing, true, 100), Abandoned, (Some(ESTIMATE), Certainty::Estimated, Some(405_000))),
        (Relaying, true, (all, false, 800), Abandoned, (Some(MORE), Certainty::Partial, Some(6_000_000))),
        (Waiting, true, (nothing, false, 0), Abandoned, (Some(INPUT_ONLY), Certainty::Estimated, Some(30_000))),
        // No answer: what it cost, nobody knows.
        (Waiting, false, (nothing, false, 0), Failed("no_response"), (nothing, Certainty::Missing, None)),
        (Failed("a"), false, (nothing, false, 0), Failed("a"), (nothing, Certainty::Missing, None)),
        (Failed("a"), true, (nothing, false, 0), Failed("a"), (nothing, Certainty::Missing, None)),
        (Failed("a"), false, (all, false, 0), Failed("a"), (all, Certainty::Partial, Some(4_500_000))),
        // A refusal is free, unless the provider had begun to count.
        (Refused("a"), false, (nothing, false, 0), Refused("a"), (nothing, Certainty::Exact, Some(0))),
        (Refused("a"), false, (all, false, 0), Refused("a"), (all, Certainty::Partial, Some(4_500_000))),
    ] {
        let mut exchange = exchange([attempt(&outcome, usage, stopped, bytes)]);
        let settled = settled(&mut exchange, gone);
        let case = format!("{outcome:?} {usage:?} stopped {stopped} gone {gone}");
        assert_eq!(exchange.attempts[0].outcome, after, "{case}");
        let bill = &settled.bills[0];
        assert_eq!((bill.usage, bill.certainty, bill.cost), (billed, certainty, nanos.map(NanoUsd)), "{case}");
        assert_eq!((settled.cost, settled.certainty), (NanoUsd(nanos.unwrap_or(0)), certainty), "{case}");
        assert_eq!(
            (bill.price, settled.price),
            (bill.usage.map(|_| PriceStatus::Priced), PriceStatus::Priced),
            "{case}"
        );
    }
}

/// All outcomes, with all that may be known of them.
fn attempts() -> impl Iterator<Item = (Attempt, bool)> {
    let outcomes = [Waiting, Relaying, Served, Refused("a"), Failed("a"), Cut("a"), Abandoned];
    let known = [None, Some(USAGE), Some(NO_USAGE), Some(Usage { output_text: u64::MAX, ..USAGE })];
    outcomes.into_iter().flat_map(move |outcome| {
        known.into_iter().flat_map(move |usage| {
            let outcome = outcome.clone();
            [(false, 0), (false, 1), (true, 9), (true, u64::MAX)].into_iter().flat_map(move |(stopped, bytes)| {
                let outcome = outcome.clone();
                [false, true].map(move |gone| (attempt(&outcome, usage, stopped, bytes), gone))
            })
        })
    })
}

#[test]
fn a_cost_is_never_a_silent_zero_when_something_may_have_been_used() {
    for model in ["claude", "unpriced"] {
        let body = BODY.replace("claude", model);
        for (attempt, gone) in attempts() {
            let case = format!("{attempt:?} {gone}");
            let free = matches!(attempt.outcome, Refused(_)) && attempt.tally.usage.is_none();
            let none_was_used = attempt.tally.usage == Some(NO_USAGE) && attempt.tally.stopped;
            let mut exchange = Exchange { attempts: vec![attempt], ..example::exchange(Format::OpenaiChat, &body) };
            let settled = settled(&mut exchange, gone);
            let silent = settled.cost == NanoUsd(0)
                && settled.price != PriceStatus::Unpriced
                && settled.certainty != Certainty::Missing;
            let counted_zero = settled.bills[0].usage == Some(NO_USAGE);
            assert!(!silent || free || none_was_used || counted_zero, "{case}");
            let unpriced = settled.bills[0].price == Some(PriceStatus::Unpriced);
            assert_eq!(unpriced, model == "unpriced" && settled.bills[0].usage.is_some(), "{case}");
            assert!(!matches!(exchange.attempts[0].outcome, Waiting | Relaying), "{case}: every attempt has an end");
        }
    }
}

#[test]
fn an_exchange_costs_what_its_attempts_cost_and_is_as_sure_as_the_least_sure() {
    let second = |outcome| Attempt { target: 1, ..attempt(&outcome, Some(USAGE), true, 0) };
    for (first, cost, certainty) in [
        (attempt(&Refused("overloaded"), None, false, 0), 1_800_000, Certainty::Exact),
        (attempt(&Failed("no_response"), None, false, 0), 1_800_000, Certainty::Missing),
        (attempt(&Failed("malformed_answer"), Some(USAGE), false, 0), 6_300_000, Certainty::Partial),
    ] {
        let settled = settled(&mut exchange([first, second(Served)]), false);
        assert_eq!((settled.cost, settled.certainty, settled.end), (NanoUsd(cost), certainty, End::Complete));
        assert_eq!(settled.bills.len(), 2);
    }
    let huge = Usage { output_text: u64::MAX, ..USAGE };
    let most = || attempt(&Served, Some(huge), true, 0);
    assert_eq!(settled(&mut exchange([most(), most()]), false).cost, NanoUsd(u64::MAX), "never a small sum");
}

#[test]
fn without_a_price_usage_is_counted_and_its_cost_is_not_zero_but_unknown() {
    let body = BODY.replace("claude", "unpriced");
    let attempts = vec![attempt(&Served, Some(USAGE), true, 0)];
    let mut exchange = Exchange { attempts, ..example::exchange(Format::OpenaiChat, &body) };
    let settled = settled(&mut exchange, false);
    assert_eq!((settled.bills[0].usage, settled.bills[0].cost), (Some(USAGE), None));
    assert_eq!((settled.price, settled.bills[0].price_source), (PriceStatus::Unpriced, None));
}

#[test]
fn a_client_that_leaves_did_not_abandon_the_attempts_before_the_last() {
    let mut exchange = exchange([
        attempt(&Waiting, None, false, 0),
        attempt(&Relaying, None, false, 8),
        attempt(&Waiting, None, false, 0),
    ]);
    settled(&mut exchange, true);
    let outcomes: Vec<&Outcome> = exchange.attempts.iter().map(|attempt| &attempt.outcome).collect();
    assert_eq!(outcomes, [&Failed("no_response"), &Cut("reset"), &Abandoned]);
}

#[test]
fn an_attempt_that_ended_before_keeps_its_end() {
    let mut first = attempt(&Waiting, None, false, 0);
    first.ended = Some(NOON + 1);
    let mut exchange = exchange([first, attempt(&Relaying, None, false, 0)]);
    settled(&mut exchange, false);
    let ends: Vec<Option<u64>> = exchange.attempts.iter().map(|attempt| attempt.ended).collect();
    assert_eq!(ends, [Some(NOON + 1), Some(NOON + 7_000_000)]);
}

#[test]
fn how_an_exchange_ended_is_how_it_ended_for_the_client() {
    let of = |outcome: Outcome| exchange([attempt(&outcome, Some(USAGE), true, 0)]);
    let streamed = |mut exchange: Exchange| {
        exchange.asked = Some(("claude".to_owned(), true));
        exchange
    };
    let refused = Exchange { refusal: Some(Refusal::Unidentified(Fault::NoKey)), ..exchange([]) };
    for (mut exchange, gone, end) in [
        (of(Served), false, End::Complete),
        (of(Served), true, End::ClientGone),
        (streamed(of(Served)), true, End::Complete), // it hung up after the last event
        (of(Cut("a")), false, End::Cut),
        (of(Cut("a")), true, End::ClientGone),
        (of(Failed("a")), false, End::Failed),
        (of(Refused("a")), false, End::Failed),
        (of(Waiting), false, End::Failed),
        (of(Waiting), true, End::ClientGone),
        (exchange([]), false, End::Failed), // no provider was there to be asked
        (exchange([]), true, End::ClientGone),
        (refused, false, End::Refused),
        (Exchange { refusal: Some(Refusal::Unidentified(Fault::NoKey)), ..exchange([]) }, true, End::Refused),
    ] {
        let case = format!("{:?} {gone}", exchange.attempts);
        assert_eq!(settled(&mut exchange, gone).end, end, "{case}");
    }
}

#[test]
fn what_was_never_asked_of_a_provider_costs_nothing_for_sure() {
    let settled = settled(&mut exchange([]), true);
    assert_eq!((settled.cost, settled.certainty, settled.bills.len()), (NanoUsd(0), Certainty::Exact, 0));
}
