//! What Pause holds, what Continue lets go, and what a body call sees in between.
#![cfg(not(target_arch = "wasm32"))]

mod probe;

use std::cell::Cell;

use fake_envoy::{Delivery, FakeEnvoy};
use probe::{Continue, GET, OK, On, Pause, host, load, seen};

#[test]
fn the_body_is_delivered_while_headers_are_held() {
    let envoy = FakeEnvoy::new();
    let root = load(&envoy, |_, on| if matches!(on, On::RequestBody(_, true)) { Continue } else { Pause });
    let stream = envoy.stream(root);
    assert_eq!(stream.request_headers(GET, false), Delivery::Paused);
    assert_eq!(stream.request_data("one", false), Delivery::Paused);
    assert_eq!(stream.forwarded_request(), Default::default());
    assert_eq!(stream.request_data("two", true), Delivery::Continued);
    assert_eq!(seen(), [On::RequestHeaders(3, false), On::RequestBody(3, false), On::RequestBody(6, true)]);
    let sent = stream.forwarded_request();
    assert_eq!((sent.body, sent.ended), (b"onetwo".to_vec(), true));
}

#[test]
fn continue_from_the_body_forwards_held_headers_without_a_decision() {
    let envoy = FakeEnvoy::new();
    let root = load(&envoy, |_, on| if matches!(on, On::RequestHeaders(..)) { Pause } else { Continue });
    let stream = envoy.stream(root);
    stream.request_headers(GET, false);
    stream.request_data("x", false);
    assert!(stream.forwarded_request().headers.is_some());
}

#[test]
fn a_paused_body_callback_sees_the_whole_buffer_with_its_edits() {
    let envoy = FakeEnvoy::new();
    let root = load(&envoy, |_, on| match on {
        On::RequestBody(3, false) => {
            assert_eq!(host::body(0), b"one");
            assert_eq!(host::set_body(0, 0, 3, "1"), 0);
            Pause
        }
        On::RequestBody(4, true) => {
            assert_eq!(host::body(0), b"1two");
            Continue
        }
        _ => Pause,
    });
    let stream = envoy.stream(root);
    stream.request_headers(GET, false);
    stream.request_data("one", false);
    stream.request_data("two", true);
    assert_eq!(stream.forwarded_request().body, b"1two");
}

#[test]
fn a_body_that_was_continued_is_seen_chunk_by_chunk() {
    let envoy = FakeEnvoy::new();
    let root = load(&envoy, |_, _| Continue);
    let stream = envoy.stream(root);
    stream.request_headers(GET, true);
    stream.response_headers(OK, false);
    stream.response_data("abc", false);
    assert_eq!(stream.forwarded_response().body, b"abc");
    stream.response_data("de", true);
    assert_eq!(seen()[2..], [On::ResponseBody(3, false), On::ResponseBody(2, true)]);
    assert!(stream.forwarded_response().ended);
}

#[test]
fn trailers_end_a_request_whose_body_never_ends() {
    let envoy = FakeEnvoy::new();
    let root = load(&envoy, |_, on| match on {
        On::RequestTrailers(1) => {
            assert_eq!(host::body(0), b"body", "held bytes can still be read");
            assert_eq!(host::set_body(0, 4, 0, "!"), 0);
            Continue
        }
        _ => Pause,
    });
    let stream = envoy.stream(root);
    stream.request_headers(GET, false);
    stream.request_data("body", false);
    stream.request_trailers([("a", "b")]);
    let sent = stream.forwarded_request();
    assert_eq!((sent.body, sent.trailers.is_some(), sent.ended), (b"body!".to_vec(), true, true));
    assert!(!seen().contains(&On::RequestBody(4, true)));
}

#[test]
fn a_buffer_is_replaced_from_its_start_appended_at_its_end_and_never_cut_in_the_middle() {
    for (start, size, value, expected, status) in [
        (0, 3, "xy", "xy", 0),
        (0, usize::MAX, "all", "all", 0),
        (0, 1, "ZZ", "ZZbc", 0),
        (0, 0, "pre", "preabc", 0),
        (3, 0, "post", "abcpost", 0),
        (1, 1, "no", "abc", host::BAD_ARGUMENT),
    ] {
        let envoy = FakeEnvoy::new();
        let root = load(&envoy, move |_, on| {
            if let On::ResponseBody(..) = on {
                assert_eq!(host::set_body(1, start, size, value), status);
            }
            Continue
        });
        let stream = envoy.stream(root);
        stream.request_headers(GET, true);
        stream.response_headers(OK, false);
        stream.response_data("abc", true);
        assert_eq!(stream.forwarded_response().body, expected.as_bytes());
        assert_eq!(envoy.violations().len(), usize::from(status != 0));
    }
}

#[test]
fn a_root_can_continue_a_stream_that_it_makes_effective() {
    thread_local!(static HELD: Cell<u32> = const { Cell::new(0) });
    let envoy = FakeEnvoy::new();
    let root = load(&envoy, |context, on| match on {
        On::Tick => {
            if host::set_effective_context(HELD.get()) == 0 {
                assert_eq!(host::continue_stream(0), 0);
            }
            Continue
        }
        On::Done => Continue,
        _ => {
            HELD.set(context);
            Pause
        }
    });
    let stream = envoy.stream(root);
    stream.request_headers(GET, false);
    stream.request_data("body", true);
    assert!(stream.forwarded_request().headers.is_none());
    envoy.tick(root);
    assert_eq!(stream.forwarded_request().body, b"body");
    assert_eq!(envoy.violations(), []);
    stream.done();
    envoy.tick(root);
    assert_eq!(envoy.violations()[0].call, "proxy_set_effective_context");
}

#[test]
fn continuing_what_is_not_held_is_a_violation() {
    let envoy = FakeEnvoy::new();
    let root = load(&envoy, |_, on| {
        if let On::RequestHeaders(..) = on {
            host::continue_stream(0);
            host::continue_stream(1);
        }
        Continue
    });
    envoy.stream(root).request_headers(GET, true);
    assert_eq!(envoy.violations().len(), 2);
}

#[test]
fn a_held_request_over_the_limit_gets_envoys_own_413_through_the_response_callbacks() {
    let held_first: [&[&str]; 2] = [&["12345"], &["123", "45"]];
    for chunks in held_first {
        let envoy = FakeEnvoy::new();
        envoy.buffer_limit(4);
        let root =
            load(
                &envoy,
                |_, on| if matches!(on, On::ResponseHeaders(..) | On::ResponseBody(..)) { Continue } else { Pause },
            );
        let stream = envoy.stream(root);
        stream.request_headers(GET, false);
        for chunk in chunks {
            stream.request_data(chunk, false);
        }
        let reply = stream.reply().unwrap();
        assert_eq!((reply.status, reply.details.as_str()), (413, "request_payload_too_large"));
        assert_eq!(reply.headers.text("content-type"), Some("text/plain"));
        assert!(seen().contains(&On::ResponseBody(17, true)));
        assert!(stream.forwarded_request().headers.is_none());
        assert_eq!(stream.request_data("more", true), Delivery::Undelivered);
    }
}

#[test]
fn whatever_the_filter_does_about_bytes_that_overflow_the_request_the_client_gets_413() {
    let answers: [fn(); 3] =
        [|| {}, || assert_eq!(host::reply(400, "mine", "d"), 0), || assert_eq!(host::set_body(0, 0, 99, ""), 0)];
    for answer in answers {
        let envoy = FakeEnvoy::new();
        envoy.buffer_limit(4);
        let root = load(&envoy, move |_, on| match on {
            On::RequestHeaders(..) | On::RequestBody(..=4, _) => Pause,
            On::RequestBody(..) => {
                answer();
                Continue
            }
            _ => Continue,
        });
        let stream = envoy.stream(root);
        stream.request_headers(GET, false);
        stream.request_data("123", false);
        assert_eq!(stream.request_data("45", false), Delivery::Replied);
        assert_eq!(stream.reply().unwrap().status, 413);
        assert_eq!(stream.forwarded_request(), Default::default());
        assert_eq!(seen()[2..], [On::RequestBody(5, false), On::ResponseHeaders(3, false), On::ResponseBody(17, true)]);
        assert_eq!(envoy.violations(), []);
    }
}

#[test]
fn bytes_that_overflow_a_response_are_not_shown_to_the_filter() {
    let envoy = FakeEnvoy::new();
    envoy.buffer_limit(4);
    let root =
        load(
            &envoy,
            |_, on| {
                if matches!(on, On::ResponseHeaders(..) | On::ResponseBody(..=4, _)) { Pause } else { Continue }
            },
        );
    let stream = envoy.stream(root);
    stream.request_headers(GET, true);
    stream.response_headers(OK, false);
    stream.response_data("123", false);
    seen();
    assert_eq!(stream.response_data("45", true), Delivery::Undelivered);
    assert_eq!((seen(), stream.reply().unwrap().status), (vec![], 500));
}

#[test]
fn a_held_response_over_the_limit_becomes_a_500_or_is_cut() {
    for hold_headers in [true, false] {
        let envoy = FakeEnvoy::new();
        envoy.buffer_limit(4);
        let root = load(&envoy, move |_, on| match on {
            On::ResponseBody(..) => Pause,
            On::ResponseHeaders(..) if hold_headers => Pause,
            _ => Continue,
        });
        let stream = envoy.stream(root);
        stream.request_headers(GET, true);
        stream.response_headers(OK, false);
        stream.response_data("12345", false);
        assert_eq!(stream.reply().map(|reply| reply.status), hold_headers.then_some(500));
        assert_eq!(stream.was_reset(), !hold_headers);
        assert_eq!(stream.forwarded_response().body, b"");
    }
}
