use super::{Gate, load};
use serde_json::{Value, json};
use tollgate_kernel::redact::Where;
use tollgate_kernel::signing_keys::SigningKeys;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

const HASH: &str = "9c7c62b4a48b3999118dcfef2377c31d1ad126d255b10db4c98c90eca88ecab4";

fn minimal() -> Value {
    json!({"gate": {
        "servers": {"crm": {"path": "/crm/mcp"}},
        "keys": [{"id": "k", "sha256": [HASH]}],
    }})
}

fn loaded(change: impl FnOnce(&mut Value)) -> Result<Gate, String> {
    let mut config = minimal();
    change(&mut config["gate"]);
    let variable = |name: &str| (name == "KEYS").then(|| "k".repeat(32));
    load(config.to_string().as_bytes(), &variable, &|| Ok(SigningKeys::random(&[7; 32])))
}

#[test]
fn a_server_and_a_key_are_a_configuration() {
    let gate = loaded(|_| {}).unwrap();
    assert!(gate.servers.find("/crm/mcp", "any").is_some());
    assert!(gate.servers.find("/crm/mcp/", "any").is_none(), "a path leads to a server exactly as it is written");
}

#[test]
fn what_cannot_work_is_refused_with_the_path_to_it() {
    type Change<'c> = &'c dyn Fn(&mut Value);
    let cases: &[(Change<'_>, &str)] = &[
        (&|gate| gate["servers"] = json!({}), "gate.servers: found none, expected one or more"),
        (&|gate| gate["servers"] = json!({"a.b": {"path": "/"}}), "gate.servers.a.b: expected a name of letters"),
        (&|gate| gate["servers"] = json!({"a": {}}), "gate.servers.a: found neither `path` nor `authority`"),
        (&|gate| gate["servers"] = json!({"a": {"path": "mcp"}}), "gate.servers.a.path: found `mcp`"),
        (&|gate| gate["servers"] = json!({"a": {"authority": "A:80"}}), "gate.servers.a.authority: found `A:80`"),
        (
            &|gate| gate["servers"] = json!({"a": {"path": "/x"}, "b": {"path": "/x"}}),
            "gate.servers.b: found the path and authority of `a` again",
        ),
        (
            &|gate| gate["servers"]["crm"]["backends"] = json!({"names": ["a", "a__b"]}),
            "gate.servers.crm.backends.names: found `a__b`, expected a name in which the separator does not begin",
        ),
        (
            &|gate| gate["servers"]["crm"]["backends"] = json!({"names": ["a_"]}),
            "gate.servers.crm.backends.names: found `a_`, expected a name in which",
        ),
        (
            &|gate| gate["servers"]["crm"]["backends"] = json!({"names": ["a", "ab"], "separator": "b"}),
            "gate.servers.crm.backends.names: found `ab`, expected a name in which",
        ),
        (
            &|gate| gate["servers"]["crm"]["pin"] = json!({}),
            "gate.servers.crm.pin: found neither `tools` nor `first_use: true`",
        ),
        (
            &|gate| gate["servers"]["crm"]["pin"] = json!({"tools": {"search": "ABC"}}),
            "gate.servers.crm.pin.tools.search: must be 64 lowercase hex digits",
        ),
        (&|gate| gate["keys"] = json!([]), "gate.keys: found none, expected one or more"),
        (&|gate| gate["keys"][0]["models"] = json!(["*"]), "gate.keys[0].models: found some, expected none"),
        (&|gate| gate["rules"] = json!([{"allow": {}, "deny": {}}]), "gate.rules[0]"),
        (&|gate| gate["bounds"] = json!({"request_bytes": 1}), "gate.bounds.request_bytes: found 1, expected"),
        (&|gate| gate["signing_keys_from"] = json!("NO"), "gate.signing_keys_from: found no environment variable"),
        (
            &|gate| {
                gate["servers"]["crm"]["oauth"] = json!({"resource": "crm/mcp", "authorization_servers": ["https://a"]})
            },
            "gate.servers.crm.oauth.resource: found `crm/mcp`, expected an address",
        ),
        (
            &|gate| {
                gate["servers"]["crm"]["oauth"] =
                    json!({"resource": "https://a/\"", "authorization_servers": ["https://a"]})
            },
            "gate.servers.crm.oauth.resource: found",
        ),
        (
            &|gate| gate["servers"]["crm"]["oauth"] = json!({"resource": "https://a/mcp", "authorization_servers": []}),
            "gate.servers.crm.oauth.authorization_servers: found none",
        ),
        (&|gate| gate["servers"]["crm"]["forward_token"] = json!(true), "gate.servers.crm.forward_token: found true"),
        (&|gate| gate["rules"] = json!([{"allow": {"scopes": ["a"]}}]), "gate.rules: found `scopes`, expected"),
        (&|gate| gate["rules"] = json!([{"deny": {"scopes": ["a"]}}]), "gate.rules[0]: `scopes` are only for"),
        (&|gate| gate["redact"] = json!({"in": ["results"]}), "gate.redact: `patterns` or `also` must name what is"),
        (&|gate| gate["redact"] = json!({"patterns": ["keys"], "in": []}), "gate.redact: `in` must name"),
        (&|gate| gate["record"] = json!({"results": true}), "gate.record.results: unknown field `results`"),
        (&|gate| gate["approvals"] = json!({"url": "gateway.example"}), "gate.approvals.url: found `gateway.example`"),
        (&|gate| gate["approvals"] = json!({"url": "https://a/#b"}), "gate.approvals.url: found `https://a/#b`"),
        (&|gate| gate["rulez"] = json!([]), "gate.rulez: unknown field `rulez`"),
    ];
    for (change, expected) in cases.iter().copied() {
        let error = loaded(change).unwrap_err();
        assert!(error.starts_with(expected), "{error}\n{expected}");
    }
}

#[test]
fn the_route_that_says_more_wins() {
    let gate = loaded(|gate| {
        gate["servers"] = json!({
            "any": {"path": "/mcp"},
            "host": {"authority": "reports.example"},
            "both": {"authority": "reports.example", "path": "/mcp"},
        });
    })
    .unwrap();
    for (path, authority, expected) in [
        ("/mcp", "reports.example:443", Some("both")),
        ("/mcp", "Reports.Example", Some("both")),
        ("/other", "reports.example", Some("host")),
        ("/mcp", "else.example", Some("any")),
        ("/other", "else.example", None),
        ("/mcp", "[::1]", Some("any")),
        ("/mcp", "[::1]:80", Some("any")),
        ("/mcp", "", Some("any")),
        ("/mcp", "reports.example.", Some("any")),
        ("/mcp", "reports.example:", None),
        ("/mcp", "reports.example:abc", None),
        ("/mcp", "reports.example:80:80", None),
        ("/mcp", "else.example:", None),
        ("/mcp", "::1", None),
        ("/mcp", "[::1", None),
        ("/mcp", "[::1]:", None),
        ("/mcp", "[::1]:x", None),
    ] {
        let found = gate.servers.find(path, authority);
        assert_eq!(found.map(|server| server.name.as_str()), expected, "{authority}{path}");
    }
}

#[test]
fn tools_of_servers_behind_one_are_those_servers() {
    let gate = loaded(|gate| gate["servers"]["crm"]["backends"] = json!({"names": ["crm", "billing"]})).unwrap();
    let server = gate.servers.find("/crm/mcp", "").unwrap();
    let name = |tool| server.qualified(tool).map(|found| (found.server.to_owned(), found.name));
    assert_eq!(name("crm__search"), Some(("crm".to_owned(), "crm.search".to_owned())));
    assert_eq!(name("billing__a__b"), Some(("billing".to_owned(), "billing.a__b".to_owned())));
    assert_eq!(name("search"), None);
    assert_eq!(name("other__search"), None);
    assert_eq!(server.of_resource("billing+file://a"), "billing");
    assert_eq!(server.of_resource("file://billing+a"), "crm", "of the one that is asked");
}

#[test]
fn what_is_signed_with_is_configured_or_random_and_a_warning_says_so() {
    let configured = loaded(|gate| gate["signing_keys_from"] = json!("KEYS")).unwrap();
    let expected = SigningKeys::parse(&"k".repeat(32)).unwrap();
    assert_eq!((configured.signing.sign(&[b"a"]), configured.warnings.len()), (expected.sign(&[b"a"]), 0));
    let random = loaded(|_| {}).unwrap();
    assert_eq!(random.signing.sign(&[b"a"]), SigningKeys::random(&[7; 32]).sign(&[b"a"]));
    assert!(random.warnings[0].contains("signing_keys_from"), "{:?}", random.warnings);
}

#[test]
fn where_metadata_are_follows_from_the_resource() {
    for (resource, path, url) in [
        (
            "https://mcp.example.com/crm/mcp",
            "/crm/mcp",
            "https://mcp.example.com/.well-known/oauth-protected-resource/crm/mcp",
        ),
        ("https://MCP.example.com:8443", "", "https://MCP.example.com:8443/.well-known/oauth-protected-resource"),
        ("https://mcp.example.com/", "", "https://mcp.example.com/.well-known/oauth-protected-resource"),
    ] {
        let gate = loaded(|gate| {
            gate["servers"]["crm"]["oauth"] =
                json!({"resource": resource, "authorization_servers": ["https://auth.example"]});
        })
        .unwrap();
        let path = format!("/.well-known/oauth-protected-resource{path}");
        let (server, oauth) = gate.servers.with_metadata(&path, "any").unwrap();
        assert_eq!((server.name.as_str(), oauth.metadata_url.as_str()), ("crm", url));
        let metadata: Value = serde_json::from_str(&oauth.metadata).unwrap();
        assert_eq!(metadata["resource"], resource);
        assert_eq!(metadata["authorization_servers"], json!(["https://auth.example"]));
        assert!(gate.servers.with_metadata("/.well-known/oauth-protected-resource/other", "any").is_none());
    }
}

#[test]
fn what_is_redacted_is_so_where_it_is_configured_and_a_warning_tells_of_arguments_that_are_not() {
    let warning = "gate.record.arguments is true";
    for (redact, record, places, warned) in [
        (Value::Null, json!({}), [false, false], false),
        (Value::Null, json!({"arguments": true}), [false, false], true),
        (json!({"patterns": ["keys"]}), json!({"arguments": true}), [true, false], false),
        (json!({"patterns": ["keys"], "in": ["results"]}), json!({"arguments": true}), [false, true], true),
        (json!({"also": ["EMP-*"], "in": ["results", "records"]}), json!({}), [true, true], false),
    ] {
        let gate = loaded(|gate| {
            gate["record"] = record.clone();
            if !redact.is_null() {
                gate["redact"] = redact.clone();
            }
        })
        .unwrap();
        assert_eq!([Where::Records, Where::Results].map(|place| gate.redactor(place).is_some()), places);
        assert_eq!(gate.words().redactor.is_some(), places[0]);
        assert_eq!(gate.warnings.iter().any(|text| text.starts_with(warning)), warned, "{redact} {record}");
    }
}
