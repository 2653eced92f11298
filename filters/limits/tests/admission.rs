//! A request that only one server can answer: what it holds of its limits, and when it is refused.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

use fake_envoy::FakeEnvoy;
use proxy_wasm::traits::{Context, RootContext};
use serde_json::{Value, json};
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;
use std::thread::Result as Ended;
use tollgate_kernel::json::Writer;
use tollgate_kernel::limit::counter::Lapse;
use tollgate_kernel::limit::{Attribute, Limit, Unit};
use tollgate_limits::{Admission, Denial, Granted, Need, Why, claim, ledger, settle, told};

/// 2026-11-22T12:00:00Z.
const NOON: u64 = 1_795_348_800_000;

/// What is to be done when Envoy calls, and how that ended: nothing unwinds through the module's exports.
type Act = fn();

thread_local! {
    static ACT: Cell<Act> = const { Cell::new(|| ()) };
    static ENDED: Cell<Option<Ended<()>>> = const { Cell::new(None) };
}

struct Acts;

impl Context for Acts {}

impl RootContext for Acts {
    fn on_configure(&mut self, _: usize) -> bool {
        ENDED.set(Some(catch_unwind(AssertUnwindSafe(|| {
            ledger::prepare().unwrap();
            ACT.get()();
        }))));
        true
    }
}

/// Does it as a module that Envoy has just loaded, with counters that nobody has used.
fn in_envoy(act: Act) {
    ACT.set(act);
    let envoy = FakeEnvoy::new();
    envoy.root(|| proxy_wasm::set_root_context(|_| Box::new(Acts)), b"{}").unwrap();
    assert_eq!(envoy.violations(), []);
    ENDED.take().unwrap().unwrap_or_else(|panic| resume_unwind(panic));
}

fn limits(configs: &[Value]) -> Vec<Rc<Limit>> {
    configs.iter().map(|config| Rc::new(tollgate_config::read(&config.to_string()).unwrap())).collect()
}

/// A call of `tool`.
fn call(limits: &[Rc<Limit>], tool: &str) -> Result<Granted, Denial> {
    let claims = claim::claims(limits.iter(), &|attribute| (attribute == Attribute::Tool).then_some(tool));
    let admission = Admission::of_one(claims, Need::default(), Lapse(600), NOON);
    assert!(admission.is_decided());
    admission.end(NOON).map(|(granted, _)| granted).map_err(|(denial, _)| denial)
}

/// It is over, and has answered so many bytes. Tells what is recorded.
fn over(granted: &Granted, bytes: u64) -> Vec<Value> {
    let used = |claim: &tollgate_limits::Claim| match claim.limit.unit {
        Unit::ResultBytes => bytes,
        Unit::Concurrent => 0,
        _ => 1,
    };
    let written = settle(granted, used, NOON).into_iter().map(|counted| {
        let mut out = Vec::new();
        counted.write(&mut Writer::new(&mut out));
        serde_json::from_slice(&out).unwrap()
    });
    written.collect()
}

#[test]
fn so_many_calls_go_at_once_and_the_next_is_told_to_come_again() {
    in_envoy(|| {
        let limits = limits(&[
            json!({"name": "calls", "calls": 9, "every": "hour"}),
            json!({"name": "at-once", "per": ["tool"], "concurrent": 2}),
        ]);
        let (first, _second) = (call(&limits, "crm.search").unwrap(), call(&limits, "crm.search").unwrap());
        let denial = call(&limits, "crm.search").unwrap_err();
        assert_eq!((denial.why, denial.reason()), (Why::Busy { most: 2 }, "limit_exceeded"));
        assert_eq!(denial.rule, "limits.at-once");
        assert_eq!(
            denial.message(),
            "the limit `at-once` allows 2 at the same time, and so many are under way; try again when one of them is over"
        );
        assert_eq!(denial.headers(), [("retry-after", "1".to_owned())]);
        call(&limits, "crm.read").expect("another tool has a counter of its own");
        assert_eq!(
            over(&first, 0),
            [
                json!({"limit": "limits.calls", "unit": "calls", "reserved": 1, "used": 1, "total": 1, "of": 9, "verdict": "allowed"}),
                json!({"limit": "limits.at-once", "unit": "concurrent", "reserved": 1, "used": 0, "of": 2, "verdict": "allowed"}),
            ]
        );
        let third = call(&limits, "crm.search").expect("one of them is over");
        assert_eq!(
            told::headers(&third, NOON),
            [
                (
                    "ratelimit-policy",
                    r#""calls";q=9;w=3600;qu="calls", "at-once";q=2;qu="concurrent-requests""#.to_owned()
                ),
                ("ratelimit", r#""calls";r=5;t=3600, "at-once";r=0"#.to_owned()),
            ]
        );
    });
}

#[test]
fn who_is_refused_by_one_limit_takes_nothing_of_another() {
    in_envoy(|| {
        let limits = limits(&[
            json!({"name": "at-once", "concurrent": 1}),
            json!({"name": "calls", "match": {"tool": ["crm.delete"]}, "calls": 1, "every": "hour"}),
        ]);
        over(&call(&limits, "crm.delete").unwrap(), 0);
        assert!(matches!(call(&limits, "crm.delete").unwrap_err().why, Why::Full(_)));
        call(&limits, "crm.read").expect("nothing is under way");
    });
}

#[test]
fn what_is_answered_is_counted_when_it_is_known_and_refuses_the_next() {
    in_envoy(|| {
        let limits = limits(&[json!({"name": "bytes", "result_bytes": 4096, "every": "hour"})]);
        let counted = over(&call(&limits, "crm.search").unwrap(), 5000);
        assert_eq!(
            counted,
            [
                json!({"limit": "limits.bytes", "unit": "result_bytes", "reserved": 1, "used": 5000, "total": 5000, "of": 4096, "verdict": "allowed"})
            ]
        );
        let denial = call(&limits, "crm.search").unwrap_err();
        assert_eq!(
            denial.message(),
            "the limit `bytes` leaves no room for this request; there may be room again in 3600 seconds"
        );
    });
}

#[test]
fn a_limit_in_shadow_refuses_nothing_and_says_so() {
    in_envoy(|| {
        let limits = limits(&[json!({"name": "at-once", "concurrent": 1, "mode": "shadow"})]);
        let held = [call(&limits, "a").unwrap(), call(&limits, "b").unwrap()];
        let verdicts: Vec<Value> = held.iter().map(|granted| over(granted, 0)[0]["verdict"].clone()).collect();
        assert_eq!(verdicts, ["allowed", "would_refuse"]);
        assert_eq!(over(&call(&limits, "c").unwrap(), 0)[0]["verdict"], "allowed", "both are over");
    });
}
