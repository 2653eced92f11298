//! Configuration, counters and state.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::arithmetic_side_effects, clippy::expect_used, reason = "tests")]

mod scripted;

use fake_envoy::{FakeEnvoy, RootId};
use scripted::{On, REQUEST, Step, configs, load, script, with_filter};
use tollgate_host::abi;
use tollgate_host::metrics::{self, MAX_METRICS};
use tollgate_host::state;

/// As Python's `google.protobuf.Struct` writes `{"keys": ["a", None], "limits": {"bytes": 1024, "share": 0.5},
/// "name": "ü", "on": True}`.
const STRUCT: &[u8] = b"\x0a\x13\x0a\x04keys\x12\x0b2\x09\x0a\x03\x1a\x01a\x0a\x02\x08\x00\x0a4\x0a\x06limits\x12**(\
    \x0a\x12\x0a\x05bytes\x12\x09\x11\x00\x00\x00\x00\x00\x00\x90@\x0a\x12\x0a\x05share\x12\x09\x11\x00\x00\x00\x00\x00\
    \x00\xe0?\x0a\x0c\x0a\x04name\x12\x04\x1a\x02\xc3\xbc\x0a\x08\x0a\x02on\x12\x02 \x01";

#[test]
fn a_configuration_reaches_the_filter_as_json_however_envoy_holds_it() {
    let json = r#"{"keys":["a",null],"limits":{"bytes":1024,"share":0.5},"name":"ü","on":true}"#;
    for (config, expected) in [
        (json.as_bytes(), json.as_bytes()),
        (STRUCT, json.as_bytes()),
        (b"", b""),
        (b"not json", b"not json"), // the filter says what is wrong with it
        (b"\xff\xfe", b"\xff\xfe"),
    ] {
        with_filter(|envoy, _| {
            load(envoy, config).expect("the filter accepts");
            assert_eq!(String::from_utf8_lossy(&configs()[0]), String::from_utf8_lossy(expected));
            assert_eq!(envoy.violations(), []);
        });
    }
}

#[test]
fn a_refused_configuration_does_not_load_and_the_log_says_why() {
    with_filter(|envoy, _| {
        let refused = load(envoy, b"bad").expect_err("it is bad");
        let [line] = refused.logs.as_slice() else { panic!("one line: {refused}") };
        assert_eq!(line.message, "tollgate: configuration refused: found `bad`, expected `good`");
        assert_eq!(line.level, 4);
        load(envoy, b"good").expect("the next one is none the worse for it");
    });
}

/// Runs `counting` when a stream is logged.
fn in_a_stream(envoy: &FakeEnvoy, root: RootId, counting: impl Fn() + 'static) {
    script(move |on| {
        if matches!(on, On::Log) {
            counting();
        }
        Ok(Step::Go)
    });
    let stream = envoy.stream(root);
    stream.request_headers(REQUEST, true);
    stream.finish();
}

#[test]
fn a_counter_is_defined_once_and_carries_its_labels_in_its_name() {
    with_filter(|envoy, root| {
        for _ in 0..3 {
            in_a_stream(envoy, root, || {
                metrics::count("requests_total", &[("team", "a/b c"), ("model", "m.1")], 2);
                metrics::count("errors_total", &[], 1);
            });
        }
        assert_eq!(envoy.counter("requests_total.team=.=a/b c;.;model=.=m.1;.;"), 6);
        assert_eq!(envoy.counter("errors_total"), 3);
        assert_eq!(envoy.metric_definitions(), 2, "Envoy keeps each definition for ever");
        assert_eq!(envoy.violations(), []);
    });
}

#[test]
fn a_histogram_keeps_each_value_also_zero() {
    with_filter(|envoy, root| {
        in_a_stream(envoy, root, || {
            metrics::record("milliseconds", &[("model", "m")], 7);
            metrics::record("milliseconds", &[("model", "m")], 0);
        });
        assert_eq!(envoy.histogram("milliseconds.model=.=m;.;"), [7, 0]);
        assert_eq!((envoy.metric_definitions(), envoy.violations()), (1, vec![]));
    });
}

#[test]
fn nothing_is_added_as_nothing_and_too_much_as_much() {
    with_filter(|envoy, root| {
        in_a_stream(envoy, root, || {
            metrics::count("nothing_total", &[], 0);
            metrics::count("much_total", &[], u64::MAX);
        });
        assert_eq!(envoy.counter("much_total"), u64::MAX / 2);
        assert_eq!((envoy.counter("nothing_total"), envoy.metric_definitions()), (0, 1));
        assert_eq!(envoy.violations(), []);
    });
}

#[test]
fn counters_are_bounded_and_what_is_beyond_is_counted_without_labels() {
    with_filter(|envoy, root| {
        in_a_stream(envoy, root, || {
            for round in 0..2 {
                for number in 0..MAX_METRICS + 5 {
                    metrics::count("requests_total", &[("team", &number.to_string())], round + 1);
                }
            }
        });
        assert_eq!(envoy.metric_definitions(), MAX_METRICS + 1);
        assert_eq!(envoy.counter("requests_total"), 5 * 3, "nothing is lost");
        assert_eq!(envoy.counter("requests_total.team=.=0;.;"), 3);
        assert_eq!(envoy.violations(), []);
    });
}

#[test]
fn state_is_shared_by_the_streams_of_an_exchange_and_by_no_others() {
    with_filter(|envoy, root| {
        script(|on| {
            if matches!(on, On::RequestHeaders) {
                assert_eq!(state::get("tollgate.x"), None);
                assert_eq!(state::set("tollgate.x", b"\xff1"), Ok(()));
            }
            Ok(Step::Go)
        });
        let exchange = envoy.exchange();
        exchange.stream(root).request_headers(REQUEST, true);
        assert_eq!(exchange.filter_state("wasm.tollgate.x"), Some(b"\xff1".to_vec()), "as access logs name it");
        script(|on| {
            if matches!(on, On::RequestHeaders) {
                assert_eq!(state::get("tollgate.x"), Some(b"\xff1".to_vec()));
                assert_eq!(state::text(&["filter_state", "wasm.tollgate.x"]), None, "not text");
                assert_eq!(state::number(&["upstream", "request_attempt_count"]), Some(1));
                assert_eq!(state::text(&["request", "method"]), Some("POST".to_owned()));
                assert_eq!(state::number(&["request", "method"]), None, "not a number");
                assert_eq!(state::bytes(&["no", "such", "property"]), None);
            }
            Ok(Step::Go)
        });
        exchange.upstream_stream(root).request_headers(REQUEST, true);
        script(|on| {
            if matches!(on, On::RequestHeaders) {
                assert_eq!(state::get("tollgate.x"), None, "another exchange");
            }
            Ok(Step::Go)
        });
        envoy.stream(root).request_headers(REQUEST, true);
        assert_eq!(envoy.violations(), []);
    });
}

#[test]
fn shared_data_changes_only_from_what_was_read() {
    with_filter(|envoy, root| {
        in_a_stream(envoy, root, || {
            assert_eq!(abi::shared_data("k"), Ok(None), "never set");
            assert_eq!(abi::set_shared_data("k", b"1", 0), Ok(true));
            let (one, cas) = abi::shared_data("k").expect("readable").expect("set");
            assert_eq!(one, b"1");
            assert_eq!(abi::set_shared_data("k", b"2", cas), Ok(true));
            assert_eq!(abi::set_shared_data("k", b"3", cas), Ok(false), "somebody was faster");
            assert_eq!(abi::set_shared_data("other", b"", cas), Ok(true), "there is no create-if-absent");
        });
        in_a_stream(envoy, root, || {
            let (value, cas) = abi::shared_data("k").expect("readable").expect("set");
            assert_eq!(value, b"2", "of another stream");
            assert_eq!(abi::set_shared_data("k", &[], cas), Ok(true));
            assert_eq!(abi::shared_data("k").expect("readable").expect("empty is set").0, b"");
        });
        assert_eq!(envoy.violations(), []);
    });
}
