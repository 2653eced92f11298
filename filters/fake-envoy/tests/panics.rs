//! What a person sees when the filter panics.
#![cfg(not(target_arch = "wasm32"))]

mod probe;

use std::process::Command;

use fake_envoy::FakeEnvoy;
use probe::{Continue, GET, On, Pause, script};

const CHILD: &str = "FAKE_ENVOY_PANICS";

/// Panics in the filter when it is run as the child of the test below; the process cannot survive that.
#[test]
fn child() {
    if std::env::var_os(CHILD).is_none() {
        return;
    }
    let envoy = FakeEnvoy::new();
    envoy.scenario("seed 42");
    // The SDK's logger brings a panic hook of its own, which must not hide the report.
    let init = || {
        proxy_wasm::set_log_level(proxy_wasm::types::LogLevel::Info);
        probe::register();
    };
    let root = envoy.root(init, b"").expect("the probe accepts");
    script(|_, on| match on {
        On::RequestBody(..) => panic!("indexed past the end"),
        On::RequestHeaders(..) => Pause,
        _ => Continue,
    });
    let stream = envoy.stream(root);
    stream.request_headers(GET, false);
    stream.request_data("x", true);
}

#[test]
fn a_panic_in_the_filter_prints_scenario_and_phases_past_the_capture_of_the_harness() {
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child"])
        .env(CHILD, "1")
        .env_remove("RUST_BACKTRACE")
        .output()
        .unwrap();
    assert!(!child.status.success());
    let report = String::from_utf8_lossy(&child.stderr);
    for expected in ["on_request_body", "indexed past the end", "seed 42", "on_request_headers(3, end=false)"] {
        assert!(report.contains(expected), "{expected} is not in: {report}");
    }
}

#[test]
#[should_panic(expected = "an assertion of the test itself")]
fn a_panic_outside_of_the_filter_is_the_harnesss() {
    let _envoy = FakeEnvoy::new();
    panic!("an assertion of the test itself");
}
