use super::load;
use crate::example;
use serde_json::{Value, json};
use tollgate_kernel::signing_keys::SigningKeys;
use tollgate_kernel::ticket::Name;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

fn fault(change: &dyn Fn(&mut Value)) -> String {
    let mut config = example::config(&json!({}));
    change(&mut config["gate"]);
    load(config.to_string().as_bytes(), &|_| None, &|| Ok(SigningKeys::random(&[7; 32]))).unwrap_err()
}

#[test]
fn what_cannot_work_is_refused_with_its_place() {
    type Change = fn(&mut Value);
    let cases: &[(Change, &str)] = &[
        (|gate| gate["agents"] = json!({}), "gate.agents: found none, expected one or more"),
        (|gate| gate["agents"]["planner"] = json!({}), "gate.agents.planner: found neither `path` nor `authority`"),
        (
            |gate| gate["agents"]["planner"]["path"] = json!("/agents/planner/"),
            "gate.agents.planner.path: found `/agents/planner/`, expected a path like `/agents/planner`",
        ),
        (
            |gate| gate["agents"]["planner"]["path"] = json!("/agents/researcher"),
            "gate.agents.researcher: found the path and authority of `planner` again",
        ),
        (
            |gate| gate["agents"]["billing"]["authority"] = json!("Billing.example"),
            "gate.agents.billing.authority: found `Billing.example`, expected a host in lower case, without a port",
        ),
        (|gate| gate["keys"] = json!([]), "gate.keys: found none, expected one or more, or `identity` without `key`"),
        (
            |gate| gate["limits"] = json!([{"name": "a", "tokens": 5, "every": "minute"}]),
            "gate.limits[0].tokens: this filter counts",
        ),
        (|gate| gate["tiers"] = json!(["free", "free"]), "gate.tiers[1]: found `free` twice"),
        (
            |gate| gate["tier_of"] = json!({"users": {"ada": "gold"}}),
            "gate.tier_of.users.ada: found `gold`, expected one of `tiers`",
        ),
        (
            |gate| gate["identity_headers"] = json!(["x-user", "X-Agent"]),
            "gate.identity_headers[1]: expected a header's name in lower case",
        ),
        (|gate| gate["signing_keys_from"] = json!("NO"), "gate.signing_keys_from: found no environment variable"),
        (|gate| gate["bounds"] = json!({"request_bytes": 1}), "gate.bounds.request_bytes: found 1"),
        (|gate| gate["ticket"] = json!({"max_depth": 17}), "gate.ticket: max_depth: found 17, expected 1 to 16"),
        (|gate| gate["agent"] = json!({}), "gate"),
    ];
    for (change, expected) in cases {
        let found = fault(change);
        assert!(found.starts_with(expected), "{found}");
    }
}

#[test]
fn an_agent_is_meant_by_its_name_unless_audiences_say_otherwise() {
    let gate = example::gate(&json!({"agents": {
        "planner": {"path": "/planner"},
        "billing": {"path": "/billing", "audiences": ["https://billing.example"]},
    }}));
    let audiences = |name: &str| gate.agents.named(name).unwrap().config.audiences.clone();
    assert_eq!(audiences("planner"), ["planner"]);
    assert_eq!(audiences("billing"), ["https://billing.example"]);
}

#[test]
fn a_random_key_is_warned_of() {
    let gate = example::gate(&json!({}));
    assert!(gate.warnings.iter().any(|warning| warning.contains("signing_keys_from")), "{:?}", gate.warnings);
}

#[test]
fn a_token_that_does_for_any_agent_is_warned_of() {
    let warned = |actor: bool| {
        let mut jwt = json!({"payload": "jwt_payload", "claims": {"user": "sub"}});
        if actor {
            jwt["actor"] = json!({});
        }
        let gate = example::gate(&json!({"keys": [], "identity": {"any_of": [["jwt"]], "jwt": jwt}}));
        gate.warnings.iter().any(|warning| warning.contains("identity.jwt.actor"))
    };
    assert_eq!([false, true].map(warned), [true, false]);
}

#[test]
fn who_may_stand_in_a_chain_is_told_by_name() {
    let gate = example::gate(&json!({
        "agents": {"planner": {"path": "/planner"}, "invoices": {"path": "/invoices", "calls_as": "billing"}},
        "rules": [{"allow": {"agents": ["assistant", "other-*"], "tiers": ["gold"]}}],
    }));
    let told = |name: &str| gate.agent_names.tell(Name::of_agent(Some(name))).into_owned();
    for name in ["planner", "billing", "assistant"] {
        assert_eq!(told(name), name);
    }
    for name in ["invoices", "other-*", "other-1"] {
        assert!(told(name).starts_with('#'), "{name}");
    }
    assert_eq!(gate.tier_names.tell(Name::of_tier(Some("gold"))), "gold");
}

#[test]
fn a_rule_about_an_agent_that_is_not_there_is_warned_of() {
    let rules = json!([{"allow": {"callees": ["planer"]}}, {"name": "all", "deny": {"callees": ["*"]}}]);
    let warnings = example::gate(&json!({ "rules": rules })).warnings.clone();
    let about_rules: Vec<_> = warnings.iter().filter(|warning| warning.contains("rules")).collect();
    assert_eq!(about_rules, ["gate.rules.#1.callees fits none of gate.agents: the rule decides nothing"]);
}
