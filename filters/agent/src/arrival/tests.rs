use super::{agent, arrival, is_among, is_stripped};
use crate::example::{gate, headers};
use serde_json::json;
use tollgate_kernel::a2a::{Arrival, Binding, Version};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

#[test]
fn a_path_and_an_authority_lead_to_one_agent_and_a_place_below_it() {
    let gate = gate(&json!({}));
    for (path, authority, expected) in [
        ("/agents/planner", "any.example", Some(("planner", ""))),
        ("/agents/planner/?a=1", "any.example", Some(("planner", "/?a=1"))),
        ("/agents/planner/tasks/1?historyLength=2", "any.example", Some(("planner", "/tasks/1?historyLength=2"))),
        ("/agents/planner/", "Billing.Example:443", Some(("billing", "/agents/planner/"))),
        ("/", "billing.example", Some(("billing", "/"))),
        ("/agents/planners", "any.example", None),
        ("/agents/planner/", "any.example:", None),
        ("/agents", "any.example", None),
        ("/", "any.example", None),
        ("", "any.example", None),
    ] {
        let headers = headers(&[(":path", path), (":authority", authority)]);
        let found = agent(&gate.agents, &headers);
        let found = found.as_ref().map(|(agent, below)| (agent.name.as_str(), *below));
        assert_eq!(found, expected, "{authority}{path}");
    }
}

#[test]
fn the_head_says_how_an_agent_is_spoken_to() {
    let json = ("content-type", "application/json");
    let dialect = |pairs: &[(&str, &str)], below: &str| match arrival(&headers(pairs), below) {
        Ok(Arrival::Request(request)) => Some((request.dialect().binding, request.dialect().version)),
        Ok(Arrival::Card) => None,
        other => panic!("{other:?}"),
    };
    let post = |version| [(":method", "POST"), json, ("a2a-version", version)];
    assert_eq!(dialect(&post("1.0"), ""), Some((Binding::JsonRpc, Version::V1_0)));
    assert_eq!(dialect(&post("1.0"), "/message:send"), Some((Binding::HttpJson, Version::V1_0)));
    assert_eq!(dialect(&post("0.3"), "/v1/message:send"), Some((Binding::HttpJson, Version::V0_3)));
    assert_eq!(dialect(&[(":method", "GET")], "/.well-known/agent-card.json"), None);
}

#[test]
fn credentials_and_what_speaks_for_the_gateway_go_no_further() {
    for name in [
        "authorization",
        "x-api-key",
        "x-tollgate-ticket",
        "x-envoy-retry-on",
        "x-forwarded-client-cert",
        "x-original-url",
    ] {
        assert!(is_stripped(name.as_bytes()), "{name}");
    }
    for name in ["a2a-version", "a2a-extensions", "accept", "content-type", "traceparent", "x-request-id"] {
        assert!(!is_stripped(name.as_bytes()), "{name}");
    }
}

#[test]
fn a_header_that_agents_would_believe_is_known_however_it_is_spelled() {
    let names = ["x-agent-id".to_owned(), "x-user".to_owned()];
    for (name, expected) in [
        ("x-agent-id", true),
        ("x_agent_id", true),
        ("x-agent_id", true),
        ("x-user", true),
        ("x-user-", false),
        ("x-use", false),
        ("agent-id", false),
        ("", false),
    ] {
        assert_eq!(is_among(&names, name.as_bytes()), expected, "{name}");
    }
}
