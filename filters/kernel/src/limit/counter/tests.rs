use super::super::Limit;
use super::super::tests::limit;
use super::{Counter, Full, Lapse, Reservation, Standing};
use serde_json::json;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

/// 2026-11-22T12:00:00Z.
const NOON: u64 = 1_795_348_800_000;
const LAPSE: Lapse = Lapse(600);
const HOUR: u64 = 3_600_000;

fn ten_an_hour() -> Limit {
    limit(json!({"name": "x", "requests": 10, "every": "hour"}))
}

fn sixty_a_minute() -> Limit {
    limit(json!({"name": "x", "requests": 60, "every": "minute", "burst": 10}))
}

fn three_at_once() -> Limit {
    limit(json!({"name": "x", "concurrent": 3}))
}

fn reserve(counter: &mut Counter, limit: &Limit, need: u64, now: u64) -> Result<Reservation, Full> {
    counter.reserve(limit, need, now, LAPSE)
}

fn left(counter: &Counter, limit: &Limit, now: u64) -> u64 {
    counter.standing(limit, now).left
}

#[test]
fn what_is_reserved_is_not_left_for_others_and_what_is_not_used_comes_back() {
    let (limit, mut counter) = (ten_an_hour(), Counter::default());
    let held = reserve(&mut counter, &limit, 7, NOON).unwrap();
    let refused = reserve(&mut counter, &limit, 4, NOON).unwrap_err();
    assert_eq!(refused, Full { left: 3, retry_after_ms: Some(1000) }, "it may fit as soon as the other is over");
    counter.settle(&limit, &held, 2, NOON + 10);
    assert_eq!(counter.standing(&limit, NOON), Standing { used: 2, left: 8, resets_in_ms: Some(HOUR) });
    reserve(&mut counter, &limit, 8, NOON + 20).unwrap();
    assert_eq!(left(&counter, &limit, NOON + 20), 0);
}

#[test]
fn a_refusal_says_when_room_comes_back() {
    let (limit, mut counter) = (ten_an_hour(), Counter::default());
    let held = reserve(&mut counter, &limit, 9, NOON).unwrap();
    counter.settle(&limit, &held, 9, NOON);
    assert_eq!(reserve(&mut counter, &limit, 2, NOON + 1).unwrap_err().retry_after_ms, Some(HOUR - 1));
    assert_eq!(reserve(&mut counter, &limit, 11, NOON).unwrap_err().retry_after_ms, None, "it never fits");
    assert_eq!(left(&counter, &limit, NOON), 1, "who is refused takes nothing");
    assert!(reserve(&mut counter, &limit, 10, NOON + HOUR).is_ok());
}

#[test]
fn more_than_was_reserved_is_counted_whole() {
    let (limit, mut counter) = (ten_an_hour(), Counter::default());
    let held = reserve(&mut counter, &limit, 1, NOON).unwrap();
    counter.settle(&limit, &held, 25, NOON);
    assert_eq!(counter.standing(&limit, NOON).used, 25);
    assert_eq!(reserve(&mut counter, &limit, 1, NOON).unwrap_err().left, 0);
}

#[test]
fn a_request_counts_in_the_window_in_which_it_began() {
    let (limit, mut counter) = (ten_an_hour(), Counter::default());
    let held = reserve(&mut counter, &limit, 10, NOON + HOUR - 1).unwrap();
    let next = reserve(&mut counter, &limit, 4, NOON + HOUR).unwrap();
    counter.settle(&limit, &held, 10, NOON + HOUR + 5);
    counter.settle(&limit, &next, 4, NOON + HOUR + 5);
    assert_eq!(counter.standing(&limit, NOON + HOUR + 5).used, 4);
}

#[test]
fn what_nobody_settles_lapses_and_is_counted_all_the_same_if_somebody_does_later() {
    let (limit, mut counter) = (ten_an_hour(), Counter::default());
    let lost = reserve(&mut counter, &limit, 10, NOON).unwrap();
    assert_eq!(left(&counter, &limit, NOON + 599_000), 0);
    assert_eq!(left(&counter, &limit, NOON + 700_000), 10);
    counter.settle(&limit, &lost, 3, NOON + 700_000);
    assert_eq!(left(&counter, &limit, NOON + 700_000), 7);
}

#[test]
fn however_many_requests_are_under_way_few_amounts_are_kept() {
    let limit = limit(json!({"name": "x", "tokens": 1_000_000, "every": "day"}));
    let mut counter = Counter::default();
    for second in 0..10_000 {
        let at = NOON + second * 500;
        let settled = reserve(&mut counter, &limit, 20, at).unwrap();
        reserve(&mut counter, &limit, 1, at).unwrap();
        counter.settle(&limit, &settled, 5, at);
        assert!(counter.reserved.len() <= 9, "{}", counter.reserved.len());
    }
}

#[test]
fn a_clock_that_is_set_back_gives_nothing_back() {
    for limit in [ten_an_hour(), sixty_a_minute()] {
        let mut counter = Counter::default();
        let held = reserve(&mut counter, &limit, 10, NOON).unwrap();
        counter.settle(&limit, &held, 10, NOON);
        assert!(reserve(&mut counter, &limit, 1, NOON - HOUR).is_err(), "{limit:?}");
    }
}

#[test]
fn steadily_a_burst_goes_at_once_and_then_one_a_second() {
    let (limit, mut counter) = (sixty_a_minute(), Counter::default());
    let mut use_one = |at| {
        let held = reserve(&mut counter, &limit, 1, at)?;
        counter.settle(&limit, &held, 1, at);
        Ok::<(), Full>(())
    };
    (0..10).for_each(|_| use_one(NOON).unwrap());
    assert_eq!(use_one(NOON), Err(Full { left: 0, retry_after_ms: Some(1000) }));
    assert_eq!(use_one(NOON + 999), Err(Full { left: 0, retry_after_ms: Some(1000) }), "a thousandth is missing");
    for second in 1..100 {
        use_one(NOON + second * 1000).unwrap();
        assert!(use_one(NOON + second * 1000 + 500).is_err(), "{second}");
    }
    assert_eq!(counter.standing(&limit, NOON + 200_000), Standing { used: 0, left: 10, resets_in_ms: Some(0) });
}

#[test]
fn of_what_is_under_way_so_many_go_at_once_and_the_next_when_one_is_over() {
    let (limit, mut counter) = (three_at_once(), Counter::default());
    let held: Vec<_> = (0..3).map(|_| reserve(&mut counter, &limit, 1, NOON).unwrap()).collect();
    assert_eq!(reserve(&mut counter, &limit, 1, NOON).unwrap_err(), Full { left: 0, retry_after_ms: Some(1000) });
    counter.settle(&limit, &held[0], 1, NOON + HOUR / 100);
    assert_eq!(
        counter.standing(&limit, NOON + HOUR / 100),
        Standing { used: 0, left: 1, resets_in_ms: None },
        "what is over counts no more, whatever it says it used"
    );
    reserve(&mut counter, &limit, 1, NOON + HOUR / 100).unwrap();
    assert!(reserve(&mut counter, &limit, 1, NOON + HOUR / 100).is_err());
}

#[test]
fn what_is_under_way_lapses_when_nobody_says_that_it_is_over() {
    let (limit, mut counter) = (three_at_once(), Counter::default());
    let lost = reserve(&mut counter, &limit, 1, NOON).unwrap();
    assert_eq!(left(&counter, &limit, NOON + 599_000), 2);
    assert_eq!(left(&counter, &limit, NOON + 700_000), 3);
    let held = reserve(&mut counter, &limit, 1, NOON + 700_000).unwrap();
    counter.settle(&limit, &lost, 0, NOON + 700_000);
    assert_eq!(left(&counter, &limit, NOON + 700_000), 2, "it takes nothing from another one");
    counter.settle(&limit, &held, 0, NOON + 700_000);
    assert!(counter.is_over(NOON + 700_000), "and when none is under way, nothing is kept");
}

#[test]
fn no_midnight_forgets_what_is_under_way() {
    let (limit, mut counter) = (three_at_once(), Counter::default());
    let midnight = NOON + 12 * HOUR;
    for at in [midnight - 1, midnight, midnight + 1] {
        reserve(&mut counter, &limit, 1, at).unwrap();
    }
    assert!(reserve(&mut counter, &limit, 1, midnight + 1).is_err());
    assert!(reserve(&mut counter, &limit, 1, NOON).is_err(), "nor does a clock that is set back");
}

#[test]
fn odd_rates_lose_nothing_to_rounding() {
    for (rate, in_ten_minutes) in [(7, 76), (70, 706), (7000, 70_006)] {
        let limit = limit(json!({"name": "x", "requests": rate, "every": "minute", "burst": 7}));
        let (mut counter, mut served) = (Counter::default(), 0);
        for at in 0..600_000 {
            if let Ok(held) = reserve(&mut counter, &limit, 1, NOON + at) {
                counter.settle(&limit, &held, 1, NOON + at);
                served += 1;
            }
        }
        assert_eq!(served, in_ten_minutes, "the burst, and ten minutes less a millisecond of {rate}");
    }
}

mod drawn {
    use super::{Counter, HOUR, LAPSE, Limit, NOON, Reservation, json, limit};
    use crate::limit::counter::Taken;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn of_the_fleet() -> Limit {
        limit(json!({"name": "x", "usd": 10, "every": "day", "store": "fleet", "when_store_fails": "allow"}))
    }

    fn take(counter: &mut Counter, need: u64) -> Taken {
        again(counter, need, &Reservation::default())
    }

    fn again(counter: &mut Counter, need: u64, held: &Reservation) -> Taken {
        counter.take(&of_the_fleet(), need, held, NOON, LAPSE)
    }

    fn credit(counter: &mut Counter, drawn: u64) {
        counter.credit(&of_the_fleet(), drawn, NOON, NOON);
    }

    fn settle(counter: &mut Counter, held: &Reservation, used: u64) {
        counter.settle(&of_the_fleet(), held, used, NOON);
    }

    #[test]
    fn what_was_drawn_and_not_used_is_there_for_the_next() {
        let mut counter = Counter::default();
        let first = take(&mut counter, 100);
        assert_eq!((first.reservation.amount, first.missing), (0, 100));
        credit(&mut counter, 110);
        let held = again(&mut counter, 100, &first.reservation);
        assert_eq!((held.reservation.amount, held.missing), (100, 0));
        settle(&mut counter, &held.reservation, 30);
        let second = take(&mut counter, 60);
        assert_eq!((second.reservation.amount, second.missing), (60, 0), "nothing has to be asked for");
        let third = take(&mut counter, 60);
        assert_eq!((third.reservation.amount, third.missing), (20, 40), "two at once do not take the same");
        let third = again(&mut counter, 60, &third.reservation);
        assert_eq!((third.reservation.amount, third.missing), (20, 40), "to take again takes nothing more");
    }

    #[test]
    fn a_refused_draw_gives_the_rest_back() {
        let mut counter = Counter::default();
        credit(&mut counter, 60);
        let refused = take(&mut counter, 90);
        assert_eq!((refused.reservation.amount, refused.missing), (60, 30));
        settle(&mut counter, &refused.reservation, 0);
        assert_eq!(take(&mut counter, 60).missing, 0);
    }

    #[test]
    fn what_was_used_without_having_been_drawn_is_drawn_next() {
        let (mut counter, limit) = (Counter::default(), of_the_fleet());
        let held = counter.reserve_anyway(&limit, 100, NOON, LAPSE);
        settle(&mut counter, &held, 70);
        let next = take(&mut counter, 50);
        assert_eq!((next.reservation.amount, next.missing), (0, 120));
        credit(&mut counter, 120);
        let held = again(&mut counter, 50, &next.reservation);
        settle(&mut counter, &held.reservation, 50);
        assert_eq!(take(&mut counter, 10).missing, 10, "it was paid once");
    }

    #[test]
    fn what_a_window_gave_is_worth_nothing_in_the_next() {
        let (mut counter, limit, tomorrow) = (Counter::default(), of_the_fleet(), NOON + 24 * HOUR);
        let before = take(&mut counter, 100);
        counter.credit(&limit, 100, NOON, tomorrow);
        let after = counter.take(&limit, 100, &before.reservation, tomorrow, LAPSE);
        assert_eq!((after.reservation.amount, after.missing), (0, 100));
        counter.credit(&limit, 100, tomorrow, tomorrow);
        assert_eq!(counter.take(&limit, 100, &after.reservation, tomorrow, LAPSE).missing, 0);
    }
}

#[cfg(not(target_arch = "wasm32"))]
#[expect(clippy::arithmetic_side_effects, reason = "tests")]
mod properties {
    use super::*;
    use crate::limit::bucket::{Bucket, Fingerprint};
    use proptest::prelude::*;

    #[derive(Debug, Clone)]
    enum Step {
        Reserve(u64),
        Settle { which: usize, used: u64 },
        Wait(u64),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            4 => (0..50_u64).prop_map(Step::Reserve),
            4 => (any::<usize>(), 0..60_u64).prop_map(|(which, used)| Step::Settle { which, used }),
            1 => (0..2 * HOUR).prop_map(Step::Wait),
        ];
        prop::collection::vec(step, 0..200)
    }

    /// A ledger that keeps every single entry: of the window `now` lies in, what was used and what is reserved.
    #[derive(Default)]
    struct Ledger {
        used: u64,
        open: Vec<(u64, Reservation)>,
    }

    proptest! {
            #[test]
            fn a_counter_agrees_with_a_ledger_that_keeps_every_entry(steps in steps()) {
                let limit = limit(json!({"name": "x", "tokens": 100, "every": "hour"}));
                let which = Fingerprint::of(&limit, |_| None);
                let (mut bytes, mut ledger, mut now) = (Vec::new(), Ledger::default(), NOON);
                let forever = Lapse(1_000_000);
                for step in steps {
                    let mut bucket = Bucket::read(&bytes).unwrap();
                    let counter = bucket.counter(&which, now).unwrap();
                    match step {
                        Step::Wait(ms) => {
                            if (now + ms) / HOUR > now / HOUR {
                                ledger = Ledger::default();
                            }
                            now += ms;
                        }
                        Step::Reserve(need) => {
                            let open: u64 = ledger.open.iter().map(|(amount, _)| amount).sum();
                            let fits = ledger.used + open + need <= 100;
                            match counter.reserve(&limit, need, now, forever) {
                                Ok(held) => { prop_assert!(fits); ledger.open.push((need, held)); }
                                Err(full) => {
                                    prop_assert!(!fits);
                                    prop_assert_eq!(full.left, 100_u64.saturating_sub(ledger.used + open));
                                }
                            }
                        }
                        Step::Settle { which, used } if !ledger.open.is_empty() => {
                            let (_, held) = ledger.open.swap_remove(which % ledger.open.len());
                            counter.settle(&limit, &held, used, now);
                            ledger.used += used;
                        }
                        Step::Settle { .. } => {}
                    }
                    let open: u64 = ledger.open.iter().map(|(amount, _)| amount).sum();
                    let standing = bucket.counter(&which, now).unwrap().standing(&limit, now);
                    prop_assert_eq!((standing.used, standing.left), (ledger.used, 100_u64.saturating_sub(ledger.used + open)));
                    bytes = bucket.write();
                }
            }

            #[test]
            fn never_more_are_under_way_at_once_than_are_allowed(steps in steps(), most in 1..9_u64) {
                let limit = limit(json!({"name": "x", "concurrent": most}));
                let which = Fingerprint::of(&limit, |_| None);
                let (mut bytes, mut open, mut now) = (Vec::new(), Vec::new(), NOON);
                for step in steps {
                    let mut bucket = Bucket::read(&bytes).unwrap();
                    let counter = bucket.counter(&which, now).unwrap();
                    let room = (open.len() as u64) < most;
                    match step {
                        Step::Wait(ms) => now += ms,
                        Step::Reserve(_) => {
                            let held = counter.reserve(&limit, 1, now, Lapse(1_000_000_000));
                            prop_assert_eq!(held.is_ok(), room);
                            open.extend(held);
                        }
                        Step::Settle { which, used } if !open.is_empty() => {
                            counter.settle(&limit, &open.swap_remove(which % open.len()), used, now);
                        }
                        Step::Settle { .. } => {}
                    }
                    let standing = bucket.counter(&which, now).unwrap().standing(&limit, now);
                    prop_assert_eq!((standing.used, standing.left), (0, most - open.len() as u64));
                    bytes = bucket.write();
                }
            }

            #[test]
            fn what_is_held_and_used_is_what_was_drawn_and_nothing_of_it_is_lost(steps in steps()) {
                let limit = limit(json!({
                    "name": "x", "tokens": 100, "every": "hour", "store": "fleet", "when_store_fails": "deny"
                }));
                let (mut counter, mut drawn, mut used) = (Counter::default(), 0, 0);
                // What each needs, and what it holds of it.
                let mut open: Vec<(u64, Reservation)> = Vec::new();
                let forever = Lapse(1_000_000);
                for step in steps {
                    match step {
                        Step::Reserve(need) => {
                            open.push((need, counter.take(&limit, need, &Reservation::default(), NOON, forever).reservation));
                        }
                        // The first that lacks something draws it, and takes again.
                        Step::Wait(_) => {
                            let waiting = open.iter_mut().find(|(need, held)| held.amount < *need);
                            if let Some((need, held)) = waiting {
                                let taken = counter.take(&limit, *need, held, NOON, forever);
                                counter.credit(&limit, taken.missing, NOON, NOON);
                                drawn += taken.missing;
                                let again = counter.take(&limit, *need, &taken.reservation, NOON, forever);
                                prop_assert_eq!((again.reservation.amount, again.missing), (*need, 0));
                                *held = again.reservation;
                            }
                        }
                        Step::Settle { which, used: part } if !open.is_empty() => {
                            let (_, held) = open.swap_remove(which % open.len());
                            let part = part.min(held.amount);
                            counter.settle(&limit, &held, part, NOON);
                            used += part;
                        }
                        Step::Settle { .. } => {}
                    }
                    let held: u64 = open.iter().map(|(_, held)| held.amount).sum();
                    prop_assert!(used + held <= drawn);
                    let left = counter.clone().take(&limit, u64::MAX, &Reservation::default(), NOON, forever);
                    prop_assert_eq!(left.reservation.amount, drawn - used - held);
                }
            }
    }
}
