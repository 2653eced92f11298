//! The life of contexts, and what the host offers beside the stream.
#![cfg(not(target_arch = "wasm32"))]

mod probe;

use std::time::Duration;

use fake_envoy::FakeEnvoy;
use probe::{Continue, GET, OK, On, Pause, host, load, register, script, seen};
use proxy_wasm::hostcalls;
use proxy_wasm::types::{BufferType, LogLevel, MetricType, Status};

#[test]
fn a_filter_reads_its_configuration_while_it_is_configured() {
    let envoy = FakeEnvoy::new();
    script(|_, on| {
        if let On::Configure(size) = on {
            let config = hostcalls::get_buffer(BufferType::PluginConfiguration, 0, size).unwrap().unwrap();
            hostcalls::log(LogLevel::Error, "field `a` is missing").unwrap();
            return if config == b"good" { Continue } else { Pause };
        }
        Continue
    });
    assert!(envoy.root(register, b"good").is_ok());
    let refused = envoy.root(register, b"bad").unwrap_err();
    assert_eq!(refused.logs.len(), 1, "only what was logged about this one");
    assert!(refused.to_string().ends_with("field `a` is missing"));
}

#[test]
fn a_downstream_stream_is_logged_then_done_and_an_upstream_stream_only_done() {
    let envoy = FakeEnvoy::new();
    let root = load(&envoy, |_, _| Continue);
    for (stream, end) in [(envoy.stream(root), vec![On::Log, On::Done]), (envoy.upstream_stream(root), vec![On::Done])]
    {
        stream.request_headers(GET, true);
        stream.response_headers(OK, true);
        seen();
        stream.finish();
        stream.finish();
        assert_eq!(seen(), end);
    }
}

#[test]
fn a_stream_that_was_refused_before_the_filter_is_only_logged() {
    let envoy = FakeEnvoy::new();
    let root = load(&envoy, |_, _| Continue);
    let stream = envoy.stream(root);
    stream.response_headers([(":status", "401")], true);
    stream.finish();
    assert_eq!(seen(), [On::Log, On::Done]);
    assert!(stream.forwarded_response().ended);
}

#[test]
fn dropping_envoy_ends_every_stream_and_root() {
    for _ in 0..2 {
        let envoy = FakeEnvoy::new();
        let root = load(&envoy, |_, _| Pause);
        envoy.set_shared_data("k", "v");
        envoy.stream(root).request_headers(GET, false);
        script(|_, _| Continue);
        drop(envoy);
        assert_eq!(seen(), [On::RequestHeaders(3, false), On::Done]);
        assert_eq!(FakeEnvoy::new().shared_data("k"), None);
    }
}

#[test]
fn time_moves_only_by_advance_and_ticks_come_when_they_are_due() {
    let envoy = FakeEnvoy::new();
    let root = load(&envoy, |_, on| {
        match on {
            On::RequestHeaders(..) => hostcalls::set_tick_period(Duration::from_secs(1)).unwrap(),
            On::Tick => {
                hostcalls::log(LogLevel::Info, &format!("{:?}", hostcalls::get_current_time().unwrap())).unwrap()
            }
            _ => {}
        }
        Continue
    });
    envoy.advance(Duration::from_secs(5));
    assert_eq!(seen(), []);
    envoy.stream(root).request_headers(GET, true);
    let start = envoy.now();
    envoy.advance(Duration::from_millis(2500));
    assert_eq!(seen(), [On::RequestHeaders(3, true), On::Tick, On::Tick]);
    assert_eq!(envoy.now() - start, Duration::from_millis(2500));
    assert_ne!(envoy.logs()[0], envoy.logs()[1], "each tick has its own time");
    envoy.advance(Duration::from_millis(500));
    assert_eq!(seen(), [On::Tick]);
}

#[test]
fn each_definition_of_a_metric_is_a_new_id_of_the_same_value() {
    let envoy = FakeEnvoy::new();
    let root = load(&envoy, |_, on| {
        if on == On::Tick {
            let first = hostcalls::define_metric(MetricType::Counter, "calls").unwrap();
            let second = hostcalls::define_metric(MetricType::Counter, "calls").unwrap();
            assert_ne!(first, second);
            hostcalls::increment_metric(first, 2).unwrap();
            hostcalls::increment_metric(second, 3).unwrap();
            assert_eq!(host::increment_metric(first, 0), host::BAD_ARGUMENT);
            assert_eq!(host::increment_metric(99, 1), host::NOT_FOUND);
            let gauge = hostcalls::define_metric(MetricType::Gauge, "open").unwrap();
            hostcalls::increment_metric(gauge, 5).unwrap();
            hostcalls::increment_metric(gauge, -3).unwrap();
            let histogram = hostcalls::define_metric(MetricType::Histogram, "ms").unwrap();
            hostcalls::record_metric(histogram, 7).unwrap();
        }
        Continue
    });
    envoy.tick(root);
    assert_eq!((envoy.counter("calls"), envoy.gauge("open"), envoy.histogram("ms")), (5, 2, vec![7]));
    assert_eq!((envoy.metric_definitions(), envoy.violations().len()), (4, 2));
}

#[test]
fn shared_data_swaps_only_what_exists_and_creates_whatever_the_cas() {
    let envoy = FakeEnvoy::new();
    let root = load(&envoy, |_, on| {
        if on == On::Tick {
            assert_eq!(hostcalls::get_shared_data("k"), Ok((None, None)));
            assert_eq!(hostcalls::set_shared_data("k", Some(b"a"), Some(77)), Ok(()), "no create-if-absent");
            let (value, cas) = hostcalls::get_shared_data("k").unwrap();
            assert_eq!(value.as_deref(), Some(&b"a"[..]));
            assert_eq!(hostcalls::set_shared_data("k", Some(b"b"), cas), Ok(()));
            assert_eq!(hostcalls::set_shared_data("k", Some(b"c"), cas), Err(Status::CasMismatch));
            assert_eq!(hostcalls::set_shared_data("k", None, None), Ok(()));
            assert!(matches!(hostcalls::get_shared_data("k"), Ok((None, Some(_)))), "a removed key keeps its place");
        }
        Continue
    });
    envoy.tick(root);
    assert_eq!(envoy.shared_data("k"), Some(vec![]));
    assert_eq!(envoy.violations(), []);
}

#[test]
fn properties_are_what_the_test_set_or_what_follows_from_the_stream() {
    let envoy = FakeEnvoy::new();
    let root = load(&envoy, |_, on| {
        if let On::RequestHeaders(..) = on {
            assert_eq!(host::property(&["xds", "cluster_name"]), Ok(b"openai".to_vec()));
            assert_eq!(host::property(&["xds", "route_name"]), Err(host::NOT_FOUND));
            assert_eq!(host::property(&["request", "query"]), Ok(b"b=c".to_vec()));
            assert_eq!(host::property(&["upstream", "request_attempt_count"]), Ok(0u64.to_le_bytes().to_vec()));
            assert_eq!(host::property(&["response", "code"]), Err(host::NOT_FOUND));
        }
        if let On::ResponseHeaders(..) = on {
            assert_eq!(host::property(&["response", "code"]), Ok(200u64.to_le_bytes().to_vec()));
        }
        Continue
    });
    let stream = envoy.stream(root);
    stream.property(&["xds", "cluster_name"], "openai");
    stream.request_headers(GET, true);
    stream.response_headers(OK, true);
    assert_eq!(envoy.violations(), []);
}

#[test]
fn the_streams_of_one_exchange_share_filter_state_and_count_attempts() {
    let envoy = FakeEnvoy::new();
    let root = load(&envoy, |_, on| {
        match on {
            On::RequestHeaders(3, false) => assert_eq!(host::set_property("tollgate.model", "m"), 0),
            On::RequestHeaders(3, true) => {
                assert_eq!(host::property(&["tollgate.model"]), Ok(b"m".to_vec()));
                assert_eq!(host::property(&["filter_state", "wasm.tollgate.model"]), Ok(b"m".to_vec()));
                assert_eq!(host::property(&["upstream", "request_attempt_count"]), Ok(2u64.to_le_bytes().to_vec()));
            }
            On::Log => assert_eq!(host::set_property("tollgate.audit", "{}"), 0),
            _ => {}
        }
        Continue
    });
    let exchange = envoy.exchange();
    let downstream = exchange.stream(root);
    downstream.request_headers(GET, false);
    exchange.upstream_stream(root);
    exchange.upstream_stream(root).request_headers(GET, true);
    downstream.finish();
    assert_eq!(exchange.filter_state("wasm.tollgate.audit"), Some(b"{}".to_vec()));
    assert_eq!(envoy.exchange().filter_state("wasm.tollgate.model"), None);
    assert_eq!(envoy.violations(), []);
}

#[test]
fn an_import_that_this_host_does_not_have_is_a_violation() {
    let envoy = FakeEnvoy::new();
    let root = load(&envoy, |_, on| {
        if on == On::Tick {
            const INTERNAL_FAILURE: u32 = 10;
            assert_eq!(host::grpc_cancel(1), INTERNAL_FAILURE);
            assert_eq!(host::set_property("a", "b"), host::NOT_FOUND, "a root has no stream to write to");
        }
        Continue
    });
    envoy.tick(root);
    assert_eq!(envoy.violations().len(), 2);
}

#[test]
fn clearing_the_route_cache_is_counted() {
    let envoy = FakeEnvoy::new();
    let root = load(&envoy, |_, on| {
        if let On::RequestHeaders(..) = on {
            hostcalls::call_foreign_function("clear_route_cache", None).unwrap();
        }
        Continue
    });
    let stream = envoy.stream(root);
    stream.request_headers(GET, true);
    assert_eq!(stream.route_cache_clears(), 1);
}
