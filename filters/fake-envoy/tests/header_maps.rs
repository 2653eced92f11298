//! When a header map can be touched.
#![cfg(not(target_arch = "wasm32"))]

mod probe;

use fake_envoy::FakeEnvoy;
use probe::{Continue, GET, OK, On, Pause, REQUEST, REQUEST_TRAILERS, RESPONSE, host, load};
use proxy_wasm::hostcalls;
use proxy_wasm::types::MapType;

#[test]
fn paused_request_headers_can_still_be_read_and_written_in_the_body_callback() {
    let envoy = FakeEnvoy::new();
    let root = load(&envoy, |_, on| match on {
        On::RequestHeaders(..) => Pause,
        On::RequestBody(..) => {
            assert_eq!(host::header(REQUEST, ":method"), Ok(b"GET".to_vec()));
            assert_eq!(host::set_header(REQUEST, "x-route", "b"), 0);
            Continue
        }
        _ => Continue,
    });
    let stream = envoy.stream(root);
    stream.request_headers(GET, false);
    stream.request_data("body", true);
    assert_eq!(stream.forwarded_request().headers.unwrap().text("x-route"), Some("b"));
    assert_eq!(envoy.violations(), []);
}

#[test]
fn continued_request_headers_are_out_of_reach_in_the_body_callback() {
    let envoy = FakeEnvoy::new();
    let root = load(&envoy, |_, on| {
        if let On::RequestBody(..) = on {
            assert_eq!(host::header(REQUEST, ":method"), Err(host::BAD_ARGUMENT));
            assert_eq!(host::set_header(REQUEST, "x", "y"), host::BAD_ARGUMENT);
            assert_eq!(hostcalls::get_map_bytes(MapType::HttpRequestHeaders), Ok(vec![]));
        }
        Continue
    });
    let stream = envoy.stream(root);
    stream.request_headers(GET, false);
    stream.request_data("body", true);
    let violations = envoy.violations();
    assert_eq!(violations.len(), 2, "the whole map is empty without being a fault: {violations:?}");
    assert_eq!(
        violations[0].to_string().split(" of context").next(),
        Some("proxy_get_header_map_value in on_request_body")
    );
}

#[test]
fn request_headers_are_out_of_reach_in_response_callbacks_even_if_the_request_is_over() {
    let envoy = FakeEnvoy::new();
    let root = load(&envoy, |_, on| {
        if let On::ResponseHeaders(..) | On::ResponseBody(..) = on {
            assert_eq!(host::header(REQUEST, ":path"), Err(host::BAD_ARGUMENT));
            assert_eq!(host::property(&["request", "path"]), Err(host::NOT_FOUND));
        }
        Continue
    });
    let stream = envoy.stream(root);
    stream.request_headers(GET, true);
    stream.response_headers(OK, false);
    stream.response_data("hello", true);
    assert_eq!(envoy.violations().len(), 2);
}

#[test]
fn trailers_can_be_touched_in_their_own_callback() {
    let envoy = FakeEnvoy::new();
    let root = load(&envoy, |_, on| {
        if let On::RequestTrailers(1) = on {
            assert_eq!(host::header(REQUEST_TRAILERS, "sum"), Ok(b"1".to_vec()));
            assert_eq!(host::set_header(REQUEST_TRAILERS, "sum", "2"), 0);
        }
        Continue
    });
    let stream = envoy.stream(root);
    stream.request_headers(GET, false);
    stream.request_trailers([("sum", "1")]);
    assert_eq!(stream.forwarded_request().trailers.unwrap().text("sum"), Some("2"));
    assert_eq!(envoy.violations(), []);
}

#[test]
fn continue_stream_clears_the_request_pointers_at_once_and_leaves_the_responses() {
    let envoy = FakeEnvoy::new();
    let root = load(&envoy, |_, on| {
        match on {
            On::ResponseHeaders(..) => {
                assert_eq!(host::continue_stream(0), 0);
                assert_eq!(host::set_header(REQUEST, "x", "y"), host::BAD_ARGUMENT);
                assert_eq!(host::set_header(RESPONSE, "x", "y"), 0);
                return Continue;
            }
            On::RequestHeaders(..) => {}
            _ => return Continue,
        }
        Pause
    });
    let stream = envoy.stream(root);
    stream.request_headers(GET, true);
    assert!(!stream.forwarded_request().ended);
    stream.response_headers(OK, true);
    assert!(stream.forwarded_request().ended);
    assert_eq!(stream.forwarded_response().headers.unwrap().text("x"), Some("y"));
}

#[test]
fn the_log_reads_both_maps_and_writes_neither() {
    let envoy = FakeEnvoy::new();
    let root = load(&envoy, |_, on| {
        if on == On::Log {
            assert_eq!(host::header(REQUEST, ":path"), Ok(b"/a?b=c".to_vec()));
            assert_eq!(host::header(RESPONSE, ":status"), Ok(b"200".to_vec()));
            assert_eq!(host::property(&["request", "url_path"]), Ok(b"/a".to_vec()));
            assert_eq!(host::set_header(REQUEST, "x", "y"), host::BAD_ARGUMENT);
            assert_eq!(host::set_header(RESPONSE, "x", "y"), host::BAD_ARGUMENT);
        }
        Continue
    });
    let stream = envoy.stream(root);
    stream.request_headers(GET, true);
    stream.response_headers(OK, true);
    stream.finish();
    assert_eq!(envoy.violations().len(), 2);
}

#[test]
fn a_single_get_sees_the_first_duplicate_and_bytes_pass_unchanged() {
    let envoy = FakeEnvoy::new();
    let root = load(&envoy, |_, on| {
        if let On::RequestHeaders(4, _) = on {
            assert_eq!(host::header(REQUEST, "X-Key"), Ok(b"\xff\xfe".to_vec()));
            let map = hostcalls::get_map_bytes(MapType::HttpRequestHeaders).unwrap();
            assert_eq!(map.iter().filter(|(name, _)| name == "x-key").count(), 2);
            assert_eq!(host::header(REQUEST, "absent"), Err(host::NOT_FOUND));
            assert_eq!(host::set_header(REQUEST, "x-key", "one"), 0);
        }
        Continue
    });
    let stream = envoy.stream(root);
    stream.request_headers(
        [(&b":method"[..], &b"GET"[..]), (b"x-key", b"\xff\xfe"), (b"x-key", b"second"), (b"z", b"")],
        true,
    );
    assert_eq!(stream.forwarded_request().headers.unwrap().all("x-key"), [b"one"]);
    assert_eq!(envoy.violations(), []);
}

#[test]
fn a_header_that_would_split_the_message_is_a_violation() {
    let envoy = FakeEnvoy::new();
    let root = load(&envoy, |_, on| {
        if let On::RequestHeaders(..) = on {
            assert_eq!(host::set_header(REQUEST, "x", "a\r\nhost: b"), host::BAD_ARGUMENT);
        }
        Continue
    });
    envoy.stream(root).request_headers(GET, true);
    assert_eq!(envoy.violations().len(), 1);
}
