//! Deadlines of held responses.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::arithmetic_side_effects, clippy::expect_used, reason = "tests")]

mod scripted;

use fake_envoy::{Delivery, FakeEnvoy, RootId, Stream};
use scripted::{HostError, On, REQUEST, RESPONSE, Result, Script, Step, load, play, reply, script, seen, with_filter};
use std::time::Duration;

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// Streams that begin from now on wait until `wait` milliseconds from now.
fn waiting(envoy: &FakeEnvoy, wait: u64, decide: impl Fn(&On<'_>) -> Result<Step> + 'static) {
    let script = script(move |on| if matches!(on, On::RequestHeaders) { Ok(Step::Go) } else { decide(on) });
    let at = u64::try_from((envoy.now() + ms(wait)).as_nanos()).expect("not that late");
    play(&Script { deadline: Some(at), ..script });
}

/// A stream that holds its response.
fn held(envoy: &FakeEnvoy, root: RootId) -> Stream<'_> {
    let stream = envoy.stream(root);
    stream.request_headers(REQUEST, true);
    assert_eq!(stream.response_headers(RESPONSE, false), Delivery::Paused);
    stream
}

fn expired() -> usize {
    seen().iter().filter(|on| *on == "expired").count()
}

fn hold_then(at_deadline: fn() -> Result<Step>) -> impl Fn(&On<'_>) -> Result<Step> + 'static {
    move |on| if matches!(on, On::Expired) { at_deadline() } else { Ok(Step::Hold) }
}

#[test]
fn a_held_response_is_decided_soon_after_its_deadline_and_not_before() {
    with_filter(|envoy, root| {
        waiting(envoy, 1_000, hold_then(|| Ok(Step::Go)));
        let stream = held(envoy, root);
        envoy.advance(ms(999));
        assert_eq!((expired(), stream.forwarded_response().headers.is_some()), (0, false));
        envoy.advance(ms(30));
        assert_eq!((expired(), stream.forwarded_response().headers.is_some()), (1, true));
        envoy.advance(ms(10_000));
        assert_eq!(expired(), 0, "once");
        assert_eq!(envoy.violations(), []);
    });
}

#[test]
fn at_its_deadline_a_response_may_be_answered() {
    with_filter(|envoy, root| {
        waiting(envoy, 100, hold_then(|| Ok(reply())));
        let stream = held(envoy, root);
        stream.response_data("theirs", false);
        envoy.advance(ms(200));
        assert_eq!(stream.reply().map(|reply| (reply.status, reply.body)), Some((403, b"{}".to_vec())));
        assert_eq!(envoy.violations(), []);
    });
}

#[test]
fn a_host_call_that_fails_at_the_deadline_refuses_the_response() {
    with_filter(|envoy, root| {
        waiting(envoy, 100, hold_then(|| Err(HostError::NotFound)));
        let stream = held(envoy, root);
        envoy.advance(ms(200));
        assert_eq!(stream.reply().map(|reply| reply.details), Some("tollgate_host_call_failed".to_owned()));
    });
}

#[test]
fn a_response_that_is_decided_has_no_deadline_any_more() {
    with_filter(|envoy, root| {
        for decided in [Ok(Step::Go), Ok(reply()), Err(HostError::NotFound)] {
            let decided = move || match &decided {
                Ok(Step::Go) => Ok(Step::Go),
                Ok(_) => Ok(reply()),
                Err(error) => Err(*error),
            };
            waiting(envoy, 100, move |on| if matches!(on, On::ResponseData(..)) { decided() } else { Ok(Step::Hold) });
            let stream = held(envoy, root);
            stream.response_data("ab", false);
            envoy.advance(ms(500));
            assert_eq!(expired(), 0);
        }
        assert_eq!(envoy.violations(), []);
    });
}

#[test]
fn a_response_that_was_never_held_has_no_deadline() {
    with_filter(|envoy, root| {
        waiting(envoy, 100, |_| Ok(Step::Go));
        let stream = envoy.stream(root);
        stream.request_headers(REQUEST, true);
        stream.response_headers(RESPONSE, false);
        envoy.advance(ms(500));
        assert_eq!(expired(), 0);
    });
}

#[test]
fn a_stream_that_is_gone_has_no_deadline() {
    with_filter(|envoy, root| {
        waiting(envoy, 100, hold_then(|| Ok(Step::Go)));
        held(envoy, root).finish();
        envoy.advance(ms(500));
        assert_eq!(expired(), 0);
        assert_eq!(envoy.violations(), []);
    });
}

#[test]
fn streams_of_several_roots_each_meet_their_own_deadline() {
    with_filter(|envoy, first_root| {
        let second_root = load(envoy, b"also good").expect("the filter accepts");
        waiting(envoy, 300, hold_then(|| Ok(reply())));
        let late = held(envoy, first_root);
        waiting(envoy, 100, hold_then(|| Ok(Step::Go)));
        let early = held(envoy, second_root);
        let never = held(envoy, second_root);
        never.finish();
        envoy.advance(ms(200));
        assert_eq!((early.forwarded_response().headers.is_some(), late.reply()), (true, None));
        envoy.advance(ms(200));
        assert_eq!(late.reply().map(|reply| reply.status), Some(403));
        assert_eq!(early.reply(), None, "the answer went to the stream it was for");
        assert_eq!(expired(), 2);

        waiting(envoy, 100, hold_then(|| Ok(Step::Go)));
        let again = held(envoy, first_root);
        envoy.advance(ms(200));
        assert!(again.forwarded_response().headers.is_some(), "a timer that had stopped runs again");
        assert_eq!(envoy.violations(), []);
    });
}

#[test]
fn many_streams_share_one_timer() {
    with_filter(|envoy, root| {
        let streams: Vec<Stream<'_>> = (1..=50)
            .map(|number| {
                waiting(envoy, number * 10, hold_then(|| Ok(Step::Go)));
                held(envoy, root)
            })
            .collect();
        envoy.advance(ms(255));
        let open = streams.iter().filter(|stream| stream.forwarded_response().headers.is_some()).count();
        assert_eq!(open, 25, "those that were due, however late others began to wait");
        envoy.advance(ms(300));
        assert_eq!(expired(), 50);
        assert_eq!(envoy.violations(), []);
    });
}

#[test]
fn a_root_that_is_gone_takes_its_deadlines_and_its_timer_with_it() {
    with_filter(|_, _| {});
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..2 {
                let envoy = FakeEnvoy::new();
                let root = load(&envoy, b"good").expect("the filter accepts");
                waiting(&envoy, 100, hold_then(|| Ok(Step::Go)));
                let stream = held(&envoy, root);
                envoy.advance(ms(200));
                assert!(stream.forwarded_response().headers.is_some());
                held(&envoy, root);
                // Here the root ends, with a stream that still waits and a timer that still runs.
                seen();
                assert_eq!(envoy.violations(), []);
            }
        });
    });
}
