use super::{Counts, check};
use crate::service::Services;
use serde_json::{Value, json};
use std::rc::Rc;
use tollgate_kernel::limit::{Attribute, Limit, Unit};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

const COUNTS: Counts<'_> = Counts {
    units: &[Unit::Calls, Unit::ResultBytes, Unit::Concurrent],
    attributes: &[Attribute::Server, Attribute::Tool],
};

fn limit(more: &Value) -> Rc<Limit> {
    let mut limit = json!({"name": "x"});
    limit.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    tollgate_config::read(&limit.to_string()).unwrap()
}

#[test]
fn a_filter_takes_the_limits_of_what_it_counts_and_refuses_the_others_with_their_path() {
    let services: Services = tollgate_config::read(r#"{"fleet": {"cluster": "c", "domain": "d"}}"#).unwrap();
    let known = "expected one of `key`, `user`, `team`, `feature`, `environment`, `tier`, `agent`, `server`, `tool`";
    for (written, fault) in [
        (
            json!({"calls": 1, "every": "day", "match": {"tool": ["crm.*"], "agent": ["*"]}, "per": ["server", "key"]}),
            None,
        ),
        (json!({"concurrent": 1, "per": ["tool"]}), None),
        (
            json!({"requests": 1, "every": "day"}),
            Some("requests: this filter counts `calls`, `result_bytes` and `concurrent`".to_owned()),
        ),
        (
            json!({"calls": 1, "every": "day", "match": {"team": ["*"], "model": ["*"]}}),
            Some(format!("match.model: found `model`, {known}")),
        ),
        (
            json!({"calls": 1, "every": "day", "per": ["team", "session"]}),
            Some(format!("per[1]: found `session`, {known}")),
        ),
        (json!({"calls": 1, "every": "day", "store": "fleet", "when_store_fails": "deny"}), None),
        (
            json!({"calls": 1, "every": "day", "store": "other", "when_store_fails": "deny"}),
            Some("store: found `other`, expected one of `fleet`".to_owned()),
        ),
        (
            json!({"result_bytes": 4_294_967_296_u64, "every": "day", "store": "fleet", "when_store_fails": "deny"}),
            Some(
                "result_bytes: found more than a rate limit service can count, which is 4294967295, or 429496 dollars"
                    .to_owned(),
            ),
        ),
    ] {
        let limits = [Rc::new(other()), limit(&written)];
        let expected = fault.map_or(Ok(()), |fault| Err(format!("gate.limits[1].{fault}")));
        assert_eq!(check(&limits, &services, &COUNTS, "gate.limits"), expected, "{written}");
    }
    let twice = [limit(&json!({"concurrent": 1})), limit(&json!({"concurrent": 2}))];
    let told = check(&twice, &services, &COUNTS, "gate.limits").unwrap_err();
    assert_eq!(told, "gate.limits[1].name: found `x` twice, expected a name for each limit");
}

fn other() -> Limit {
    tollgate_config::read(r#"{"name": "other", "concurrent": 1}"#).unwrap()
}
