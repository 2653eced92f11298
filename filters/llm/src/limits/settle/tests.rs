use super::*;
use crate::calibrations::Calibrations;
use crate::example::{self, NOON, USAGE};
use crate::exchange::{Attempt, Outcome};
use crate::limits::asked::{Asked, claims};
use crate::settle::Ending;
use serde_json::{Value, json};
use std::rc::Rc;
use tollgate_kernel::limit::counter::Reservation;
use tollgate_wire::Format;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

/// What an attempt of the example may use at most.
const MOST: Need = Need { tokens: Some(5000), nano_usd: Some(9_000_000) };

fn served(target: usize) -> Attempt {
    let mut attempt = example::attempt(target, Outcome::Served);
    (attempt.tally.usage, attempt.tally.usage_is_final) = (Some(USAGE), true);
    attempt.tally.stopped = true;
    attempt
}

/// What each claim of an exchange with these attempts is charged, in their order.
fn charged(configs: &[Value], attempts: Vec<Attempt>, change: impl FnOnce(&mut Exchange)) -> Vec<u64> {
    let mut exchange = example::exchange(Format::OpenaiChat, r#"{"model":"claude"}"#);
    exchange.attempts = attempts;
    change(&mut exchange);
    let ending = Ending { now: NOON, status: Some(200), flags: Some(0), connected: true, details: None };
    let settled = crate::settle::settle(&mut exchange, &ending, &mut Calibrations::default());
    let gate = example::gate();
    let caller = exchange.caller.clone().expect("a caller");
    let asked = Asked { subject: &caller.subject, model: "claude", route: "claude", operation: "chat" };
    let limits: Vec<_> =
        configs.iter().map(|config| Rc::new(tollgate_config::read(&config.to_string()).expect("a limit"))).collect();
    let mut claims = claims(limits.iter(), &asked, &gate.models.get("claude").expect("a model").targets, &[0, 1]);
    for claim in &mut claims {
        claim.need = claim.most(&[0, 1], &[MOST, MOST]).expect("a need");
        claim.state = State::Held(Reservation::default());
    }
    let granted = Granted { claims, needs: vec![MOST, MOST] };
    granted.claims.iter().map(|claim| used(claim, &granted, &exchange, &settled)).collect()
}

fn of_all() -> [Value; 3] {
    [
        json!({"name": "r", "requests": 9, "every": "day"}),
        json!({"name": "t", "tokens": 9, "every": "day"}),
        json!({"name": "u", "usd": 9, "every": "day"}),
    ]
}

#[test]
fn what_was_billed_is_charged_and_of_what_nobody_can_bill_the_most() {
    // 1000 tokens in and 100 out: 4.5 milli-dollars at the first target, 1.8 at the second.
    for (attempts, expected) in [
        (vec![served(0)], [1, 1100, 4_500_000]),
        (vec![served(1)], [1, 1100, 1_800_000]),
        (vec![example::attempt(0, Outcome::Refused("rate_limited")), served(1)], [1, 1100, 1_800_000]),
        (vec![example::attempt(0, Outcome::Failed("no_response")), served(1)], [1, 6100, 10_800_000]),
        (vec![example::attempt(0, Outcome::Rejected("invalid_request"))], [1, 0, 0]),
        (vec![example::attempt(0, Outcome::Refused("connect_failure"))], [1, 0, 0]),
        (vec![], [1, 0, 0]),
    ] {
        let shown = format!("{attempts:?}");
        assert_eq!(charged(&of_all(), attempts, |_| {}), expected, "{shown}");
    }
}

#[test]
fn of_a_stream_left_before_its_first_word_what_may_have_been_thought_in_that_time_is_charged() {
    // 5000 tokens and 9 milli-dollars at most; 500 tokens a second are a tenth of that.
    for (seconds, expected) in [(1, [1, 500, 900_000]), (4, [1, 2000, 3_600_000]), (60, [1, 5000, 9_000_000])] {
        let ended = Some(NOON.saturating_add(seconds * 1_000_000_000));
        let left = Attempt { ended, ..example::attempt(0, Outcome::Abandoned) };
        let streamed = |exchange: &mut Exchange| exchange.asked = Some(("claude".to_owned(), true));
        assert_eq!(charged(&of_all(), vec![left], streamed), expected, "{seconds}");
    }
    // Of what had begun to come, what came is known.
    let begun = Attempt { first_token: Some(NOON), ended: Some(NOON), ..example::attempt(0, Outcome::Abandoned) };
    let [_, tokens, _] =
        charged(&of_all(), vec![begun], |exchange| exchange.asked = Some(("claude".to_owned(), true)))[..]
    else {
        panic!("three limits")
    };
    assert!(tokens < 100, "{tokens}");
}

#[test]
fn a_limit_of_a_provider_is_charged_for_the_attempts_at_it() {
    let each = [
        json!({"name": "r", "per": ["provider"], "requests": 9, "every": "day"}),
        json!({"name": "u", "per": ["provider"], "usd": 9, "every": "day"}),
    ];
    let failed = || example::attempt(0, Outcome::Refused("overloaded"));
    assert_eq!(charged(&each, vec![failed(), served(1)], |_| {}), [1, 1, 0, 1_800_000]);
    assert_eq!(charged(&each, vec![failed(), served(0)], |_| {}), [2, 0, 4_500_000, 0]);
    assert_eq!(charged(&each, vec![served(0)], |_| {}), [1, 0, 4_500_000, 0]);
}

#[test]
fn an_answer_that_nobody_counted_is_charged_all_that_was_reserved() {
    assert_eq!(charged(&of_all(), vec![], |exchange| exchange.unseen = true), [1, 5000, 9_000_000]);
}

#[test]
fn a_request_that_went_nowhere_is_charged_nothing_and_one_that_the_gate_answered_counts_as_one() {
    assert_eq!(charged(&of_all(), vec![], |exchange| exchange.admitted = None), [0, 0, 0]);
    let answered = |exchange: &mut Exchange| (exchange.admitted, exchange.answered) = (None, Some("cache_hit"));
    assert_eq!(charged(&of_all(), vec![], answered), [1, 0, 0]);
}
