//! Limits that a service keeps: who waits for which draw, who goes on, and that nothing of what was drawn is lost.

use crate::gateway::{Client, Gateway};
use fake_envoy::{Exchange, Forwarded, GrpcCall, RootId, Stream};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::time::Duration;
use tollgate_kernel::protobuf::{Field, fields};
use tollgate_wire::Format::OpenaiChat;

const OK: &[u8] = b"\x08\x01";
const OVER_LIMIT: &[u8] = b"\x08\x02";
const TIMEOUT: Duration = Duration::from_millis(250);
const TICK: Duration = Duration::from_millis(25);
const UNAVAILABLE: u32 = 14;

/// A limit of the fleet of so many requests, or whatever `change` says.
fn limit(name: &str, change: Value) -> Value {
    let mut limit =
        json!({"name": name, "requests": 100, "every": "day", "store": "fleet", "when_store_fails": "deny"});
    limit.as_object_mut().expect("an object").extend(change.as_object().expect("an object").clone());
    limit
}

fn of_tokens(change: Value) -> Value {
    let mut limit = limit("day", change);
    limit.as_object_mut().expect("an object").remove("requests");
    limit["tokens"] = json!(1_000_000);
    limit
}

fn with_limits<T: Send>(limits: &[Value], test: impl FnOnce(&Gateway) -> T + Send) -> T {
    let configure = |gate: &mut Value| {
        gate["limits"] = json!(limits);
        gate["rate_limit_services"] = json!({
            "fleet": {"cluster": "fleet", "domain": "tollgate"},
            "patient": {"cluster": "patient", "domain": "tollgate", "timeout_ms": 1000},
        });
    };
    Gateway::configured(configure, |gateway| {
        let tested = test(&gateway);
        assert_eq!(gateway.envoy.violations(), []);
        tested
    })
}

/// A request that has come in whole.
#[derive(Clone, Copy)]
struct Request<'a> {
    exchange: Exchange<'a>,
    gate: Stream<'a>,
}

#[derive(Debug, PartialEq, Eq)]
enum Fate {
    Waits,
    Goes,
    Refused(u32),
}
use Fate::{Goes, Refused, Waits};

impl<'a> Request<'a> {
    fn new(gateway: &'a Gateway, max_tokens: u32) -> Self {
        Self::at(gateway, gateway.gate, max_tokens)
    }

    fn at(gateway: &'a Gateway, gate: RootId, max_tokens: u32) -> Self {
        let client = Client::new(OpenaiChat, "single", false);
        let body = client.body.replace("\"max_tokens\":64", &format!("\"max_tokens\":{max_tokens}"));
        let exchange = gateway.envoy.exchange();
        let gate = exchange.stream(gate);
        gate.request_headers(client.headers, false);
        gate.request_data(body, true);
        Self { exchange, gate }
    }

    fn fate(&self) -> Fate {
        match (self.gate.forwarded_request() != Forwarded::default(), self.gate.reply()) {
            (true, None) => Goes,
            (false, None) => Waits,
            (false, Some(reply)) => Refused(reply.status),
            (true, Some(reply)) => panic!("both forwarded and answered: {reply:?}"),
        }
    }

    /// Ends it, and tells the verdicts of its limits.
    fn end(self) -> Vec<String> {
        self.gate.finish();
        let record = self.exchange.filter_state("wasm.tollgate.audit").expect("a record");
        let record: Value = serde_json::from_slice(&record).expect("JSON");
        let limits = record["limits"].as_array().map_or(&[][..], Vec::as_slice);
        limits.iter().map(|limit| limit["verdict"].as_str().expect("a verdict").to_owned()).collect()
    }
}

fn fates(requests: &[Request<'_>]) -> Vec<Fate> {
    requests.iter().map(Request::fate).collect()
}

fn requests<const N: usize>(gateway: &Gateway, max_tokens: [u32; N]) -> [Request<'_>; N] {
    max_tokens.map(|max_tokens| Request::new(gateway, max_tokens))
}

fn hits(call: &GrpcCall) -> u64 {
    let hits = fields(&call.message).find_map(|field| match field {
        Some((3, Field::Varint(hits))) => Some(hits),
        _ => None,
    });
    hits.expect("hits")
}

/// The only draw under way.
fn draw(gateway: &Gateway) -> GrpcCall {
    let calls = gateway.envoy.calls();
    assert_eq!(calls.len(), 1, "one draw at a time: {calls:?}");
    calls.into_iter().next().expect("one")
}

fn answer(gateway: &Gateway, answer: &[u8]) {
    gateway.envoy.answer_call(&draw(gateway), answer);
}

#[test]
fn of_each_counter_one_draw_is_under_way_and_who_came_first_goes_first() {
    with_limits(&[limit("day", json!({}))], |gateway| {
        let waiting = requests(gateway, [64; 4]);
        for served in 0..4 {
            for (index, request) in waiting.iter().enumerate() {
                assert_eq!(request.fate(), if index < served { Goes } else { Waits });
            }
            assert_eq!(hits(&draw(gateway)), 1);
            answer(gateway, OK);
        }
        assert_eq!(fates(&waiting), [Goes, Goes, Goes, Goes]);
        assert_eq!(gateway.envoy.calls(), []);
        assert_eq!(waiting.map(Request::end).concat(), ["allowed"; 4]);
    });
    // Counters of others wait for nobody.
    with_limits(&[limit("day", json!({"per": ["model"]})), limit("other", json!({}))], |gateway| {
        Request::new(gateway, 64);
        assert_eq!(gateway.envoy.calls().len(), 2);
    });
}

#[test]
fn who_needs_less_may_go_where_who_came_first_is_refused_and_who_needs_as_much_asks_in_vain() {
    with_limits(&[of_tokens(json!({}))], |gateway| {
        let waiting = requests(gateway, [9000, 9000, 10, 9500, 20]);
        answer(gateway, OVER_LIMIT);
        assert_eq!(fates(&waiting), [Refused(429), Refused(429), Waits, Waits, Waits]);
        assert!(hits(&draw(gateway)) < 100);
        answer(gateway, OK);
        assert_eq!(fates(&waiting[2..]), [Goes, Waits, Waits]);
        answer(gateway, OVER_LIMIT);
        assert_eq!(fates(&waiting[2..]), [Goes, Refused(429), Waits]);
        answer(gateway, OVER_LIMIT);
        assert_eq!(fates(&waiting[2..]), [Goes, Refused(429), Refused(429)]);
        assert_eq!(gateway.envoy.calls(), []);
        let retry_after = waiting[0].gate.reply().expect("a refusal").headers.text("retry-after").map(str::to_owned);
        assert_eq!(retry_after.as_deref(), Some("86400"));
        assert_eq!(waiting.map(Request::end).concat(), ["refused", "refused", "allowed", "refused", "refused"]);
    });
}

#[test]
fn what_others_give_back_meanwhile_is_there_for_who_was_refused_a_draw() {
    with_limits(&[of_tokens(json!({}))], |gateway| {
        let first = Request::new(gateway, 1000);
        answer(gateway, OK);
        let [second, third] = requests(gateway, [1000, 1000]);
        let asked = draw(gateway);
        assert_eq!(first.end(), ["allowed"], "it used nothing of it");
        assert_eq!((second.fate(), third.fate()), (Waits, Waits));
        gateway.envoy.answer_call(&asked, OVER_LIMIT);
        assert_eq!((second.fate(), third.fate()), (Goes, Refused(429)));
        second.end();
        assert_eq!(Request::new(gateway, 900).fate(), Goes, "and for the next, who asks nobody");
    });
}

#[test]
fn when_the_service_fails_all_that_wait_decide_at_once() {
    for (change, fate, verdict) in [
        (json!({}), Refused(503), "refused_uncounted"),
        (json!({"when_store_fails": "allow"}), Goes, "allowed_uncounted"),
        (json!({"mode": "shadow"}), Goes, "allowed_uncounted"),
    ] {
        for garbage in [false, true] {
            with_limits(&[limit("day", change.clone())], |gateway| {
                let waiting = requests(gateway, [64; 3]);
                if garbage {
                    answer(gateway, b"\xff");
                } else {
                    gateway.envoy.fail_call(&draw(gateway), UNAVAILABLE);
                }
                assert!(waiting.iter().all(|request| request.fate() == fate));
                assert_eq!(gateway.envoy.calls(), []);
                assert_eq!(waiting.map(Request::end).concat(), [verdict; 3]);
                // What went on uncounted is drawn with the next that can.
                Request::new(gateway, 64);
                assert_eq!(hits(&draw(gateway)), if fate == Goes { 4 } else { 1 });
            });
        }
    }
    with_limits(&[limit("day", json!({}))], |gateway| {
        let [first, second] = requests(gateway, [64; 2]);
        gateway.envoy.unreachable_services();
        answer(gateway, OK);
        assert_eq!((first.fate(), second.fate()), (Goes, Refused(503)), "the next draw cannot even be sent");
        assert_eq!(Request::new(gateway, 64).fate(), Refused(503));
    });
}

#[test]
fn nobody_waits_longer_than_the_services_timeout_however_long_the_queue() {
    for mute in [false, true] {
        with_limits(&[limit("day", json!({}))], |gateway| {
            let waiting = requests(gateway, [64; 3]);
            gateway.envoy.advance(TIMEOUT * 4 / 5);
            answer(gateway, OK);
            assert_eq!(fates(&waiting), [Goes, Waits, Waits]);
            if mute {
                gateway.envoy.mute_services();
            }
            gateway.envoy.advance(TIMEOUT / 5 - Duration::from_millis(1));
            assert_eq!(fates(&waiting), [Goes, Waits, Waits]);
            gateway.envoy.advance(TICK + Duration::from_millis(1));
            assert_eq!(fates(&waiting), [Goes, Refused(503), Refused(503)]);
            if mute {
                // Who comes next waits behind a draw of which Envoy never tells, no longer than its own timeout.
                let next = Request::new(gateway, 64);
                gateway.envoy.advance(TIMEOUT + TICK);
                assert_eq!(next.fate(), Refused(503));
                gateway.envoy.advance(Duration::from_secs(2));
                let late = Request::new(gateway, 64);
                assert_eq!((late.fate(), gateway.envoy.calls().len()), (Waits, 2), "and then is asked for anew");
            } else {
                // Its draw is still under way, and counts when it is answered.
                answer(gateway, OK);
                assert_eq!(Request::new(gateway, 64).fate(), Goes);
                assert_eq!(gateway.envoy.calls(), []);
            }
        });
    }
}

#[test]
fn what_a_client_that_leaves_has_drawn_is_there_for_the_next() {
    with_limits(&[limit("day", json!({}))], |gateway| {
        // With nobody behind it.
        assert_eq!(Request::new(gateway, 64).end(), ["given_back"]);
        answer(gateway, OK);
        assert_eq!((Request::new(gateway, 64).fate(), gateway.envoy.calls()), (Goes, vec![]));
        // With others, of whom one leaves too.
        let [first, second, third] = requests(gateway, [64; 3]);
        first.end();
        second.end();
        answer(gateway, OK);
        assert_eq!((third.fate(), gateway.envoy.calls()), (Goes, vec![]));
        // Refused, it is nobody's: the next one asks.
        let [first, second] = requests(gateway, [64; 2]);
        first.end();
        gateway.envoy.fail_call(&draw(gateway), UNAVAILABLE);
        assert_eq!(second.fate(), Refused(503));
    });
}

#[test]
fn a_draw_of_a_window_that_is_over_is_worth_nothing_in_the_next() {
    with_limits(&[limit("minute", json!({"every": "minute", "store": "patient"}))], |gateway| {
        gateway.envoy.advance(Duration::from_millis(59_900));
        let waiting = requests(gateway, [64; 2]);
        let before = draw(gateway);
        gateway.envoy.advance(Duration::from_millis(200));
        gateway.envoy.answer_call(&before, OVER_LIMIT);
        assert_eq!(fates(&waiting), [Waits, Waits], "the new window is asked for anew");
        assert_ne!(draw(gateway).message, before.message);
        answer(gateway, OK);
        answer(gateway, OK);
        assert_eq!(fates(&waiting), [Goes, Goes]);
        gateway.envoy.advance(Duration::from_millis(59_800));
        let last = Request::new(gateway, 64);
        gateway.envoy.advance(Duration::from_millis(200));
        answer(gateway, OK);
        assert_eq!((last.fate(), hits(&draw(gateway))), (Waits, 1));
    });
}

#[test]
fn when_this_envoy_itself_cannot_count_the_configuration_decides_and_the_record_says_so() {
    for (change, fate, verdict) in [
        (json!({}), Refused(503), "refused_uncounted"),
        (json!({"when_store_fails": "deny"}), Refused(503), "refused_uncounted"),
        (json!({"when_store_fails": "allow"}), Goes, "allowed_uncounted"),
        (json!({"mode": "shadow"}), Goes, "allowed_uncounted"),
    ] {
        let mut local = json!({"name": "day", "requests": 100, "every": "day"});
        local.as_object_mut().expect("an object").extend(change.as_object().expect("an object").clone());
        let gateway_of = |gate: &mut Value| gate["limits"] = json!([local]);
        Gateway::configured(gateway_of, |gateway| {
            gateway.envoy.deny_shared_data(true);
            let request = Request::new(&gateway, 10);
            assert_eq!(request.fate(), fate, "{change}");
            assert_eq!(request.end(), [verdict], "{change}");
            gateway.envoy.deny_shared_data(false);
            let counted = Request::new(&gateway, 10);
            assert_eq!((counted.fate(), counted.end()), (Goes, vec!["allowed".to_owned()]), "{change}");
        });
    }
}

#[test]
fn a_request_goes_on_when_all_its_limits_have_room_and_one_that_refuses_takes_nothing_of_the_others() {
    let here = || json!({"name": "here", "requests": 1, "every": "day"});
    let [a, b] = [limit("a", json!({})), limit("b", json!({"store": "patient"}))];
    let shadow = limit("b", json!({"store": "patient", "mode": "shadow"}));
    for (limits, answers, fate, verdicts) in [
        (vec![a.clone(), b.clone()], vec![OK, OK], Goes, vec!["allowed", "allowed"]),
        (vec![a.clone(), b.clone()], vec![OK, OVER_LIMIT], Refused(429), vec!["given_back", "refused"]),
        (vec![a.clone(), b.clone()], vec![OVER_LIMIT], Refused(429), vec!["refused", "given_back"]),
        (vec![a.clone(), shadow], vec![OK, OVER_LIMIT], Goes, vec!["allowed", "would_refuse"]),
        (vec![a.clone(), here()], vec![OK], Goes, vec!["allowed", "allowed"]),
        (vec![here(), a], vec![OVER_LIMIT], Refused(429), vec!["given_back", "refused"]),
    ] {
        with_limits(&limits, |gateway| {
            let request = Request::new(gateway, 64);
            for answer in &answers {
                assert_eq!(request.fate(), Waits, "{limits:?}");
                gateway.envoy.answer_call(&gateway.envoy.calls()[0], answer);
            }
            assert_eq!(request.fate(), fate, "{limits:?} {answers:?}");
            // What is still under way is the counter's.
            gateway.envoy.calls().iter().for_each(|call| gateway.envoy.answer_call(call, OK));
            assert_eq!(request.end(), verdicts);
            let next = Request::new(gateway, 64);
            let drawn = if fate == Goes { usize::from(limits[1]["store"].is_string()) + 1 } else { 1 };
            let refused_here = fate == Goes && limits[1]["store"].is_null();
            assert_eq!(gateway.envoy.calls().len(), if refused_here { 0 } else { drawn }, "{limits:?} {answers:?}");
            assert_eq!(next.fate(), if refused_here { Refused(429) } else { Waits });
        });
    }
}

#[test]
fn what_is_full_here_asks_no_service() {
    let here = json!({"name": "here", "tokens": 10, "every": "day"});
    for limits in [[here.clone(), limit("day", json!({}))], [limit("day", json!({})), here]] {
        with_limits(&limits, |gateway| {
            assert_eq!(Request::new(gateway, 64).fate(), Refused(429));
            assert_eq!(gateway.envoy.calls(), []);
        });
    }
}

#[test]
fn each_service_has_its_own_timeout() {
    let limits = [limit("a", json!({"when_store_fails": "allow"})), limit("b", json!({"store": "patient"}))];
    with_limits(&limits, |gateway| {
        let [first, second] = requests(gateway, [64; 2]);
        gateway.envoy.advance(TIMEOUT + TICK);
        assert_eq!((first.fate(), second.fate()), (Waits, Waits));
        answer(gateway, OK);
        assert_eq!((first.fate(), second.fate()), (Goes, Waits));
        answer(gateway, OK);
        assert_eq!([first, second].map(Request::end).concat(), ["allowed_uncounted", "allowed"].repeat(2));
    });
}

#[test]
fn configurations_that_come_and_go_share_what_is_drawn() {
    with_limits(&[limit("day", json!({}))], |gateway| {
        let config = |amount: u32| {
            let key = json!({"id": "support", "sha256": [crate::gateway::KEY_SHA256], "models": ["*"]});
            let target = json!({"provider": "openai", "model": "gpt-5"});
            json!({"gate": {
                "providers": {"openai": {"format": "openai-chat", "host": "api.openai.com"}},
                "models": {"single": {"targets": [target]}}, "keys": [key],
                "rate_limit_services": {"fleet": {"cluster": "fleet", "domain": "tollgate"}},
                "limits": [limit("day", json!({"requests": amount}))],
            }})
        };
        let new = gateway.load(&config(200));
        let old = Request::new(gateway, 64);
        let waiting = [Request::at(gateway, new, 64), Request::at(gateway, new, 64)];
        let asked = draw(gateway);
        old.end();
        gateway.envoy.end(gateway.gate);
        assert!(!gateway.envoy.is_over(gateway.gate), "its draw is under way");
        gateway.envoy.answer_call(&asked, OK);
        assert_eq!(fates(&waiting), [Goes, Waits]);
        // The next draw was made where the answer came in.
        assert!(!gateway.envoy.is_over(gateway.gate));
        answer(gateway, OK);
        assert_eq!(fates(&waiting), [Goes, Goes]);
        assert!(gateway.envoy.is_over(gateway.gate));
        // What one refuses, another whose limit is another may get.
        let waiting = [Request::at(gateway, new, 64), Request::at(gateway, gateway.load(&config(300)), 64)];
        answer(gateway, OVER_LIMIT);
        assert_eq!(fates(&waiting), [Refused(429), Waits]);
        answer(gateway, OK);
        assert_eq!(waiting[1].fate(), Goes);
    });
}

#[test]
fn a_request_that_is_answered_elsewhere_while_it_waits_leaves_the_queue() {
    with_limits(&[limit("day", json!({}))], |gateway| {
        let [first, second] = requests(gateway, [64; 2]);
        first.gate.response_headers([(":status", "504"), ("content-type", "text/plain")], false);
        first.gate.response_data("too slow", true);
        answer(gateway, OK);
        assert!(first.gate.forwarded_response().ended);
        assert_eq!((first.fate(), second.fate()), (Waits, Goes), "and never goes on");
        assert_eq!(first.end(), ["given_back"]);
        assert_eq!(gateway.envoy.calls(), []);
    });
}

#[derive(Debug, Clone)]
enum Event {
    Comes,
    Leaves(usize),
    Answers(&'static [u8]),
    Fails,
    Passes(u64),
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        4 => Just(Event::Comes),
        3 => any::<usize>().prop_map(Event::Leaves),
        3 => Just(Event::Answers(OK)),
        1 => Just(Event::Answers(OVER_LIMIT)),
        1 => Just(Event::Fails),
        1 => (0..300_u64).prop_map(Event::Passes),
    ];
    prop::collection::vec(event, 0..60)
}

proptest! {
    #[test]
    fn whatever_happens_all_that_wait_are_decided_and_what_was_given_is_used_or_there(events in events()) {
        with_limits(&[limit("day", json!({}))], |gateway| {
            let (mut given, mut used) = (0, 0);
            let mut here: Vec<(Duration, Request<'_>)> = Vec::new();
            let mut leaves = |request: Request<'_>| {
                used += usize::from(request.fate() == Goes);
                request.end();
            };
            for event in &events {
                let asked = gateway.envoy.calls().pop();
                match (event, asked) {
                    (Event::Comes, _) => here.push((gateway.envoy.now(), Request::new(gateway, 64))),
                    (Event::Leaves(which), _) if !here.is_empty() => leaves(here.swap_remove(which % here.len()).1),
                    (Event::Answers(answer), Some(asked)) => {
                        given += usize::from(*answer == OK);
                        gateway.envoy.answer_call(&asked, answer);
                    }
                    (Event::Fails, Some(asked)) => gateway.envoy.fail_call(&asked, UNAVAILABLE),
                    (Event::Passes(ms), _) => gateway.envoy.advance(Duration::from_millis(*ms)),
                    _ => {}
                }
                let waits = |(since, request): &(Duration, Request<'_>)| (request.fate() == Waits).then_some(*since);
                let oldest = here.iter().filter_map(waits).min();
                let calls = gateway.envoy.calls().len();
                assert!(calls <= 1 && (calls == 1 || oldest.is_none()), "{events:?}");
                assert!(oldest.is_none_or(|since| gateway.envoy.now() <= since + TIMEOUT + TICK), "{events:?}");
            }
            here.into_iter().for_each(|(_, request)| leaves(request));
            gateway.envoy.calls().iter().for_each(|asked| gateway.envoy.fail_call(asked, UNAVAILABLE));
            for _ in used..given {
                assert_eq!(Request::new(gateway, 64).fate(), Goes, "{events:?}");
            }
            assert_eq!((Request::new(gateway, 64).fate(), draw(gateway).timeout), (Waits, TIMEOUT));
        });
    }
}
