use super::{Attribute, Limit, Mode, Refill, Unit, WhenStoreFails};
use crate::subject::{Field, SubjectField};
use serde_json::{Value, json};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

const TEAM: Attribute = Attribute::Subject(SubjectField::Other(Field::Team));

pub(super) fn limit(config: Value) -> Limit {
    tollgate_config::read(&config.to_string()).unwrap()
}

#[test]
fn a_limit_is_read_as_it_is_written() {
    let read = limit(json!({
        "name": "support-month", "match": {"team": ["support"], "model": ["claude-*", "gpt-4o"]}, "per": ["team", "model"],
        "usd": 499.99, "every": "month", "utc_offset": "+01:00", "mode": "shadow", "store": "fleet", "when_store_fails": "allow"
    }));
    assert_eq!((read.unit, read.amount, read.room()), (Unit::Usd, 499_990_000_000, 499_990_000_000));
    assert_eq!((read.mode, read.when_store_fails), (Mode::Shadow, WhenStoreFails::Allow));
    assert_eq!(read.per, [TEAM, Attribute::Model]);
    assert_eq!(read.path(), "limits.support-month");
    assert!(read.is_long());
    let plain = limit(json!({"name": "rate", "requests": 60, "every": "minute", "burst": 10}));
    assert_eq!(plain.refill, Refill::Steady { burst: 10, millis: 60_000 });
    assert_eq!((plain.amount, plain.room(), plain.is_long()), (60, 10, false));
    assert_eq!((plain.mode, plain.when_store_fails, plain.store), (Mode::Enforce, WhenStoreFails::Deny, None));
}

#[test]
fn what_is_under_way_has_no_window() {
    for unit in [Unit::Concurrent, Unit::Streams] {
        let read = limit(json!({"name": "at-once", "per": ["tool", "session"], unit.name(): 5}));
        assert_eq!((read.unit, read.amount, read.room()), (unit, 5, 5));
        assert_eq!((read.refill, read.is_long()), (Refill::WhenOver, false));
        assert_eq!(read.per, [Attribute::Tool, Attribute::Session]);
    }
}

#[test]
fn every_attribute_is_read_by_its_name() {
    for attribute in [
        TEAM,
        Attribute::Subject(SubjectField::Key),
        Attribute::Model,
        Attribute::Route,
        Attribute::Operation,
        Attribute::Provider,
        Attribute::ProviderModel,
        Attribute::Server,
        Attribute::Tool,
        Attribute::Session,
        Attribute::Callee,
        Attribute::Skill,
    ] {
        let read = limit(json!({"name": "x", "per": [attribute.name()], "result_bytes": 1, "every": "hour"}));
        assert_eq!((read.unit, read.per), (Unit::ResultBytes, vec![attribute]));
    }
}

#[test]
fn what_makes_no_limit_is_told() {
    for (change, message) in [
        (json!({"requests": null}), "counts nothing, expected one of `requests`"),
        (json!({"usd": 1}), "counts 2 things"),
        (json!({"requests": 0}), "must allow something"),
        (json!({"requests": null, "usd": 0}), "must allow something"),
        (json!({"requests": null, "usd": -1}), "must allow something"),
        (json!({"requests": null, "usd": 1e8}), "must allow something"),
        (json!({"requests": -1}), "invalid value"),
        (json!({"every": "year"}), "unknown variant `year`"),
        (json!({"every": null}), "missing field `every`"),
        (json!({"result_bytes": 1}), "counts 2 things"),
        (
            json!({"requests": null, "concurrent": 1}),
            "`every`, `utc_offset`, `burst` and `store` are not for `concurrent`",
        ),
        (json!({"requests": null, "every": null, "concurrent": 0}), "must allow something"),
        (json!({"requests": null, "every": null, "concurrent": 1, "utc_offset": "+01:00"}), "are not for `concurrent`"),
        (json!({"requests": null, "every": null, "concurrent": 1, "burst": 1}), "are not for `concurrent`"),
        (json!({"requests": null, "streams": 1}), "are not for `concurrent` and `streams`"),
        (json!({"requests": null, "every": null, "concurrent": 1, "streams": 1}), "counts 2 things"),
        (
            json!({"requests": null, "every": null, "concurrent": 1, "store": "fleet", "when_store_fails": "deny"}),
            "are not for `concurrent`",
        ),
        (json!({"every": "day", "burst": 1}), "`burst` is for every minute or hour"),
        (json!({"requests": null, "usd": 5, "burst": 1}), "`burst` is for every minute or hour"),
        (json!({"burst": 11}), "`burst` must be 1 to"),
        (json!({"burst": 0}), "`burst` must be 1 to"),
        (
            json!({"burst": 1, "store": "fleet", "when_store_fails": "deny"}),
            "`burst` is not for limits that a rate limit",
        ),
        (json!({"store": "fleet"}), "must say `when_store_fails`"),
        (json!({"per": ["team", "team"]}), "`per` must not name an attribute twice"),
        (json!({"per": ["squad"]}), "unknown variant `squad`"),
        (json!({"match": {"team": []}}), "must have a pattern"),
        (json!({"match": {"team": "support"}}), "invalid type: string"),
        (json!({"utc_offset": "CET"}), "found `CET`, expected an offset"),
        (json!({"name": "a;b"}), "must not have the character `;`"),
        (json!({"amount": 3}), "unknown field `amount`"),
    ] {
        let mut config = json!({"name": "rate", "requests": 10, "every": "minute"});
        config.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let error = tollgate_config::read::<Limit>(&config.to_string()).unwrap_err().to_string();
        assert!(error.contains(message), "{change}: {error}");
    }
}

#[test]
fn a_limit_counts_what_fits_all_that_it_matches() {
    let limit = limit(json!({
        "name": "x", "match": {"team": ["support", "research"], "model": ["gpt-*"]}, "requests": 1, "every": "day"
    }));
    for (team, model, applies) in [
        (Some("support"), Some("gpt-4o"), true),
        (Some("research"), Some("gpt-5"), true),
        (Some("finance"), Some("gpt-4o"), false),
        (Some("support"), Some("claude"), false),
        (None, Some("gpt-4o"), false),
    ] {
        let value_of = |attribute| match attribute {
            TEAM => team,
            Attribute::Model => model,
            _ => None,
        };
        assert_eq!(limit.applies(value_of), applies, "{team:?} {model:?}");
    }
}
