use super::{AGENTS, CALLS, Fingerprint, Lost, Runaway, Watch};
use serde_json::json;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

const NOON: u64 = 1_795_345_200_000;

fn rules() -> Runaway {
    let config = json!({"repeats": {"times": 2, "within": "1m"}, "errors": {"streak": 3, "rest": "30s"}});
    tollgate_config::read(&config.to_string()).unwrap()
}

fn who(name: &str) -> Fingerprint {
    Fingerprint::of(&[name])
}

#[test]
fn the_same_call_is_made_so_often_and_then_not_until_the_time_is_over() {
    let mut watch = Watch::default();
    let mut call = |name, at| watch.begin(&rules(), who("agent"), who(name), NOON + at);
    assert_eq!((call("a", 0), call("b", 1), call("a", 2), call("b", 3)), (Ok(()), Ok(()), Ok(()), Ok(())));
    assert_eq!(call("a", 10_000), Err(Lost::Repeats { times: 2, wait_ms: 50_000 }));
    assert_eq!(call("b", 10_000), Err(Lost::Repeats { times: 2, wait_ms: 50_001 }), "nor two calls in turn");
    assert_eq!(call("c", 10_000), Ok(()));
    assert_eq!(call("a", 60_000), Ok(()));
}

#[test]
fn an_agent_that_only_fails_rests_and_after_that_one_failure_is_enough() {
    let rules = rules();
    let errors = rules.errors.unwrap();
    let mut watch = Watch::default();
    for failed in [true, true, false, true, true] {
        watch.end(&errors, who("agent"), failed, NOON);
    }
    assert_eq!(watch.begin(&rules, who("agent"), who("a"), NOON), Ok(()), "one that went well is between");
    watch.end(&errors, who("agent"), true, NOON);
    assert_eq!(watch.begin(&rules, who("agent"), who("b"), NOON), Err(Lost::Errors { streak: 3, wait_ms: 30_000 }));
    assert_eq!(watch.begin(&rules, who("other"), who("b"), NOON), Ok(()));
    let later = NOON + 30_000;
    assert_eq!(watch.begin(&rules, who("agent"), who("c"), later), Ok(()));
    watch.end(&errors, who("agent"), true, later);
    assert_eq!(watch.begin(&rules, who("agent"), who("d"), later), Err(Lost::Errors { streak: 4, wait_ms: 30_000 }));
    watch.end(&errors, who("agent"), false, later);
    assert_eq!(watch.begin(&rules, who("agent"), who("d"), later + 30_000), Ok(()));
}

#[test]
fn what_is_known_is_bounded_and_the_oldest_is_forgotten() {
    let mut watch = Watch::default();
    for agent in 0..2 * AGENTS {
        for call in 0..2 * CALLS {
            watch.begin(&rules(), who(&agent.to_string()), who(&call.to_string()), NOON).unwrap();
        }
    }
    let bytes = watch.write();
    assert!(bytes.len() <= 32 << 10, "{}", bytes.len());
    let last = (2 * AGENTS - 1).to_string();
    let newest = (2 * CALLS - 1).to_string();
    watch.begin(&rules(), who(&last), who(&newest), NOON).unwrap();
    watch.begin(&rules(), who(&last), who(&newest), NOON).unwrap_err();
    watch.begin(&rules(), who("0"), who("0"), NOON).unwrap();
}

#[test]
fn calls_are_told_apart_by_tool_and_arguments() {
    let digest = |byte| crate::json::Digest([byte; 32]);
    let of = |tool, arguments: Option<&crate::json::Digest>| Fingerprint::of_call(tool, arguments);
    assert_eq!(of("a", Some(&digest(1))), of("a", Some(&digest(1))));
    for other in [of("a", Some(&digest(2))), of("b", Some(&digest(1))), of("a", None)] {
        assert_ne!(of("a", Some(&digest(1))), other);
    }
    assert_ne!(Fingerprint::of(&["a", "bc"]), Fingerprint::of(&["ab", "c"]));
}

#[test]
fn a_watch_reads_what_it_wrote_and_nothing_else() {
    let mut watch = Watch::default();
    watch.begin(&rules(), who("a"), who("b"), NOON).unwrap();
    watch.end(&rules().errors.unwrap(), who("c"), true, NOON);
    let bytes = watch.write();
    assert_eq!(Watch::read(&bytes), Some(watch));
    for end in 0..bytes.len() {
        assert_eq!(Watch::read(&bytes[..end]), None, "cut at {end}");
    }
    assert_eq!(Watch::read(&[bytes, vec![0]].concat()), None);
    assert_eq!(Watch::read(&Watch::default().write()), Some(Watch::default()));
}

#[test]
fn what_could_never_run_is_refused() {
    for (config, expected) in [
        (json!({"repeats": {"times": 0, "within": "1m"}}), "`repeats.times` must be 1 or more"),
        (json!({"errors": {"streak": 1, "rest": "1m"}}), "`errors.streak` must be 2 or more"),
    ] {
        let error = tollgate_config::read::<Runaway>(&config.to_string()).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}
