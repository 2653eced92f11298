use super::{Context, object, refusal};
use crate::config::Gate;
use crate::example::{asked, caller, gate};
use crate::exchange::Object;
use crate::refusal::Refusal;
use serde_json::{Value, json};
use tollgate_kernel::json::{Document, Limits};
use tollgate_kernel::mcp::{Content, Headers, Method, Names, Posted, Refused, Revision};
use tollgate_kernel::rule::Annotations;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

/// The verdict, the rule and the reason of a decision.
type Said = (&'static str, Option<String>, &'static str);

fn tool(name: &str) -> (Method, Option<Object>) {
    (Method::ToolsCall, Some(Object::Tool(name.to_owned())))
}

fn resources(uris: &[&str]) -> (Method, Option<Object>) {
    (Method::SubscriptionsListen, Some(Object::Resources(uris.iter().map(|uri| (*uri).to_owned()).collect())))
}

fn decide(gate: &Gate, (method, object): (Method, Option<Object>), scopes: &[&str]) -> (Said, super::Decided) {
    let (caller, scopes) = (caller(), scopes.iter().map(|scope| (*scope).to_owned()).collect::<Vec<_>>());
    let server = gate.servers.find("/crm/mcp", "").unwrap();
    let context = Context { gate, server, caller: &caller, scopes: &scopes, noted: &[], now_ms: 0 };
    let asked = asked(Revision::July2026, method, object);
    let (verdict, decided, _) = context.decide(&asked, "crm", None, Annotations::default());
    assert_eq!(verdict.name(), decided.verdict);
    ((decided.verdict, decided.rule.clone(), decided.reason), decided)
}

fn said(rules: Value, of_server: Value, asked: (Method, Option<Object>)) -> Said {
    let servers = json!({"crm": {"path": "/crm/mcp", "rules": of_server}});
    decide(&gate(&json!({"rules": rules, "servers": servers})), asked, &[]).0
}

#[test]
fn the_first_rule_that_matches_decides_and_those_of_the_server_come_first() {
    let rules = || {
        json!([
            {"name": "reads", "allow": {"tools": ["*.read_*"], "teams": ["support"]}},
            {"confirm": {"tools": ["crm.delete_row"], "by": "caller"}},
            {"deny": {"tools": ["*"]}},
            {"allow": {"resources": ["file:///public/*"]}},
        ])
    };
    let own = || json!([{"name": "own", "deny": {"tools": ["crm.read_secrets"]}}]);
    let named = |rule: &str| Some(rule.to_owned());
    for (asked, expected) in [
        (tool("crm.read_rows"), ("allow", named("rules.reads"), "rule")),
        (tool("crm.read_secrets"), ("deny", named("servers.crm.rules.own"), "rule")),
        (tool("crm.delete_row"), ("confirm", named("rules.#2"), "rule")),
        (tool("crm.other"), ("deny", named("rules.#3"), "rule")),
        (resources(&["file:///public/a", "file:///public/b"]), ("allow", named("rules.#4"), "rule")),
        // Of several the strictest decides, wherever it stands.
        (resources(&["file:///public/a", "file:///etc/b"]), ("deny", None, "no_rule")),
        (resources(&["file:///etc/b", "file:///public/a"]), ("deny", None, "no_rule")),
        ((Method::ResourcesRead, Some(Object::Resource("file:///etc/b".to_owned()))), ("deny", None, "no_rule")),
        ((Method::PromptsGet, Some(Object::Prompt("crm.triage".to_owned()))), ("deny", None, "no_rule")),
    ] {
        assert_eq!(said(rules(), own(), asked.clone()), expected, "{asked:?}");
    }
}

#[test]
fn a_rule_in_shadow_decides_nothing_and_is_told() {
    let rules = json!([{"name": "new", "deny": {"tools": ["*"]}, "shadow": true}, {"allow": {"tools": ["*"]}}]);
    let (said, decided) = decide(&gate(&json!({"rules": rules})), tool("crm.read_rows"), &[]);
    assert_eq!((said.0, decided.shadow), ("allow", Some(("rules.new".to_owned(), "deny"))));
}

#[test]
fn a_refusal_tells_what_would_help() {
    let rules = json!([{"allow": {"tools": ["*"], "scopes": ["crm:read", "crm:write"]}}]);
    let identity = json!({"any_of": [["jwt"]], "jwt": {"payload": "p", "claims": {"user": "sub"}}});
    let gate = gate(&json!({"rules": rules, "identity": identity, "keys": []}));
    let (granted, _) = decide(&gate, tool("crm.read_rows"), &["crm:read", "crm:write"]);
    assert_eq!(granted.0, "allow");
    let (lacking, decided) = decide(&gate, tool("crm.read_rows"), &["crm:read"]);
    assert_eq!((lacking.0, decided.lacks.is_some()), ("deny", true));
    let refused = refusal(&decided, Refused::Denied, Some("ask"));
    assert_eq!(refused.reason(), "insufficient_scope");
    let Refusal::Policy(policy) = refused else { panic!("a policy") };
    assert_eq!((policy.lacks, policy.told.as_deref()), (decided.lacks, Some("ask")));
}

#[test]
fn what_is_called_is_named_after_the_server_that_has_it() {
    let backends = json!({"names": ["crm", "billing"]});
    let gate = gate(&json!({"servers": {"all": {"path": "/crm/mcp", "backends": backends}, "one": {"path": "/one"}}}));
    let found = |path: &str, method: &str, params: Value| {
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).to_string();
        let document = Document::read(body.as_bytes(), Limits { bytes: 1 << 16, nodes: 100 }).unwrap();
        let headers = [("mcp-protocol-version", &b"2025-11-25"[..])];
        let posted = Posted::read(&document, Headers(&headers), &Names::default()).unwrap();
        let Content::Call(call) = posted.content else { panic!("a call") };
        object(&call, gate.servers.find(path, "").unwrap())
    };
    let owned = |object, owner: &str| Ok((object, owner.to_owned()));
    let named = |name: &str| json!({"name": name});
    for (path, method, params, expected) in [
        ("/one", "tools/call", named("search"), owned(Some(Object::Tool("one.search".to_owned())), "one")),
        ("/crm/mcp", "tools/call", named("crm__search"), owned(Some(Object::Tool("crm.search".to_owned())), "crm")),
        (
            "/crm/mcp",
            "prompts/get",
            named("billing__a"),
            owned(Some(Object::Prompt("billing.a".to_owned())), "billing"),
        ),
        ("/crm/mcp", "tools/call", named("search"), Err(Refusal::UnknownBackend)),
        ("/crm/mcp", "prompts/get", named("other__a"), Err(Refusal::UnknownBackend)),
        (
            "/one",
            "resources/read",
            json!({"uri": "file:///a"}),
            owned(Some(Object::Resource("file:///a".to_owned())), "one"),
        ),
        ("/one", "tools/list", json!({}), owned(None, "one")),
        ("/crm/mcp", "tools/list", json!({}), owned(None, "all")),
    ] {
        assert_eq!(found(path, method, params), expected, "{path} {method}");
    }
}
