//! Replies that the filter sends itself.
#![cfg(not(target_arch = "wasm32"))]

mod probe;

use fake_envoy::{Delivery, FakeEnvoy};
use probe::{Continue, GET, OK, On, Pause, RESPONSE, host, load, seen};

#[test]
fn a_reply_is_sent_after_the_callback_and_its_action_does_not_count() {
    let envoy = FakeEnvoy::new();
    let root = load(&envoy, |_, on| {
        if let On::RequestHeaders(..) = on {
            assert_eq!(host::reply(403, "no", "denied_by_rule"), 0);
        }
        Continue
    });
    let stream = envoy.stream(root);
    assert_eq!(stream.request_headers(GET, false), Delivery::Replied);
    assert!(stream.forwarded_request().headers.is_none());
    let reply = stream.reply().unwrap();
    assert_eq!((reply.status, &reply.body[..], &reply.details[..]), (403, &b"no"[..], "denied_by_rule"));
    assert_eq!(reply.headers.text("content-length"), Some("2"));
    assert_eq!(seen(), [On::RequestHeaders(3, false), On::ResponseHeaders(3, false), On::ResponseBody(2, true)]);
}

#[test]
fn nothing_is_delivered_after_a_reply_but_the_log() {
    let envoy = FakeEnvoy::new();
    let root = load(&envoy, |_, on| {
        if let On::RequestHeaders(..) = on {
            host::reply(429, "", "limited");
        }
        Continue
    });
    let stream = envoy.stream(root);
    stream.request_headers(GET, false);
    assert_eq!(stream.request_data("late", true), Delivery::Undelivered);
    assert_eq!(stream.response_headers(OK, true), Delivery::Undelivered);
    seen();
    stream.finish();
    assert_eq!(seen(), [On::Log, On::Done]);
    assert_eq!(envoy.violations(), []);
}

#[test]
fn the_filter_sees_and_may_change_its_own_reply() {
    let envoy = FakeEnvoy::new();
    let root = load(&envoy, |_, on| {
        match on {
            On::RequestHeaders(..) => drop(host::reply(403, "no", "d")),
            On::ResponseHeaders(..) => {
                assert_eq!(host::set_header(RESPONSE, ":status", "404"), 0);
                assert_eq!(host::property(&["response", "code_details"]), Ok(b"d".to_vec()));
                return Pause;
            }
            On::ResponseBody(..) => assert_eq!(host::set_body(1, 0, 2, "gone"), 0),
            _ => {}
        }
        Continue
    });
    let stream = envoy.stream(root);
    stream.request_headers(GET, true);
    let reply = stream.reply().unwrap();
    assert_eq!((reply.status, reply.body), (404, b"gone".to_vec()));
}

#[test]
fn the_first_reply_wins() {
    let envoy = FakeEnvoy::new();
    let root = load(&envoy, |_, on| {
        if let On::RequestHeaders(..) = on {
            host::reply(401, "", "first");
            host::reply(403, "", "second");
        }
        Continue
    });
    let stream = envoy.stream(root);
    stream.request_headers(GET, true);
    assert_eq!(stream.reply().unwrap().status, 401);
    assert_eq!(envoy.violations().len(), 1);
}

#[test]
fn a_reply_replaces_a_response_whose_headers_are_still_held_and_goes_straight_to_the_client() {
    let envoy = FakeEnvoy::new();
    let root = load(&envoy, |_, on| match on {
        On::ResponseHeaders(..) => Pause,
        On::ResponseBody(..) => {
            host::reply(502, "bad", "bad_answer");
            Pause
        }
        _ => Continue,
    });
    let stream = envoy.stream(root);
    stream.request_headers(GET, true);
    stream.response_headers(OK, false);
    assert_eq!(stream.response_data("x", false), Delivery::Replied);
    assert_eq!(stream.reply().unwrap().body, b"bad");
    assert_eq!(stream.forwarded_response(), Default::default());
    assert_eq!(seen().len(), 3, "the reply does not pass the response callbacks again");
}

#[test]
fn a_reply_after_response_headers_went_out_resets_the_stream() {
    let envoy = FakeEnvoy::new();
    let root = load(&envoy, |_, on| {
        if let On::ResponseBody(..) = on {
            host::reply(502, "bad", "late");
        }
        Continue
    });
    let stream = envoy.stream(root);
    stream.request_headers(GET, true);
    stream.response_headers(OK, false);
    stream.response_data("x", false);
    assert!(stream.was_reset());
    assert_eq!(stream.reply(), None);
    assert_eq!(stream.forwarded_response().body, b"");
}

#[test]
fn an_upstream_reply_ends_the_attempt_without_its_own_response_callbacks() {
    let envoy = FakeEnvoy::new();
    let root = load(&envoy, |_, on| {
        if let On::RequestHeaders(..) = on {
            host::reply(422, "no", "d");
        }
        Continue
    });
    let stream = envoy.upstream_stream(root);
    stream.request_headers(GET, true);
    assert_eq!(stream.reply().unwrap().status, 422);
    assert_eq!(seen(), [On::RequestHeaders(3, true)]);
}

#[test]
fn a_closed_stream_is_reset() {
    let envoy = FakeEnvoy::new();
    let root = load(&envoy, |_, on| {
        if let On::RequestHeaders(..) = on {
            assert_eq!(host::close_stream(0), 0);
        }
        Continue
    });
    let stream = envoy.stream(root);
    assert_eq!(stream.request_headers(GET, true), Delivery::Replied);
    assert!(stream.was_reset() && stream.forwarded_request().headers.is_none());
}
