use super::catalogue::Kept;
use super::schemas::{Of, Schemas};
use super::{Catalogue, MAX_BYTES, MAX_DEFINITIONS, MAX_TOOLS, News, Objection, SchemaText, Seen, judge};
use crate::config::{Server, load};
use serde_json::{Value, json};
use std::rc::Rc;
use tollgate_kernel::json::{Digest, Document, Limits};
use tollgate_kernel::mcp::lint::{Finding, Part, Suspicion};
use tollgate_kernel::signing_keys::SigningKeys;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

const ALL: Kept = Kept { input: true, output: true };

fn with_json<T>(json: &Value, read: impl FnOnce(tollgate_kernel::json::Value<'_, '_>) -> T) -> T {
    let text = json.to_string();
    let document = Document::read(text.as_bytes(), Limits { bytes: 1 << 22, nodes: 1 << 16 }).unwrap();
    read(document.root())
}

fn tool(description: &str) -> Value {
    json!({"name": "search", "description": description, "inputSchema": {"type": "object"}})
}

fn seen(definition: &Value) -> Seen {
    with_json(definition, |value| Seen::of(value, ALL))
}

fn digest(definition: &Value) -> Digest {
    seen(definition).digest
}

fn server(config: &Value) -> Rc<Server> {
    let mut crm = json!({"path": "/crm"});
    crm.as_object_mut().unwrap().extend(config.as_object().unwrap().clone());
    let config = json!({"gate": {"servers": {"crm": crm}, "keys": [{"id": "k", "sha256": ["0".repeat(64)]}]}});
    let keys = || Ok(SigningKeys::random(&[7; 32]));
    let gate = load(config.to_string().as_bytes(), &|_| None, &keys).unwrap();
    Rc::clone(gate.servers.find("/crm", "").unwrap())
}

#[test]
fn each_sight_of_a_tool_is_news_once() {
    let mut catalogue = Catalogue::default();
    let (one, other) = (tool("one"), tool("other"));
    let was = digest(&one);
    let mut same = seen(&one);
    same.linted_with = 7;
    for (sight, expected) in [
        (seen(&one), News::First),
        (seen(&one), News::None),
        (seen(&other), News::Changed { was }),
        (seen(&other), News::None),
        // What it was before is nothing new, but it counts.
        (seen(&one), News::Remember),
        (same, News::Remember),
    ] {
        assert_eq!(catalogue.knows("search", &sight), expected == News::None);
        assert_eq!(catalogue.see("search", &sight), expected, "{sight:?}");
        let tool = catalogue.get("search").unwrap();
        assert_eq!((&tool.now, tool.first()), (&sight, was));
    }
}

#[test]
fn what_finds_no_place_is_not_known() {
    let mut catalogue = Catalogue::default();
    let small = seen(&tool("small"));
    for number in 0..MAX_TOOLS {
        assert_eq!(catalogue.see(&format!("t{number}"), &small), News::First);
    }
    assert_eq!(catalogue.see("more", &small), News::NoRoom);
    assert!(catalogue.get("more").is_none());

    let mut catalogue = Catalogue::default();
    let schema = json!({"type": "object", "description": "x".repeat(60_000)});
    let large = seen(&json!({"name": "large", "inputSchema": schema}));
    let fit = (0..MAX_TOOLS).take_while(|number| catalogue.see(&format!("t{number}"), &large) == News::First).count();
    assert_eq!(fit, MAX_BYTES / 60_000);
    assert!(catalogue.write().len() <= MAX_BYTES + 1);
}

#[test]
fn a_tool_that_grows_beyond_the_room_left_keeps_its_digest_and_no_schema() {
    let mut catalogue = Catalogue::default();
    let schema = json!({"type": "object", "description": "x".repeat(60_000)});
    let large = seen(&json!({"name": "large", "inputSchema": schema}));
    catalogue.see("small", &seen(&tool("small")));
    while catalogue.see(&format!("t{}", catalogue.iter().count()), &large) == News::First {}
    assert!(matches!(catalogue.see("small", &large), News::Changed { .. }));
    let small = &catalogue.get("small").unwrap().now;
    assert_eq!((small.digest, &small.facts.as_ref().unwrap().input), (large.digest, &SchemaText::TooLong));
}

#[test]
fn of_many_definitions_the_first_is_never_forgotten() {
    let mut catalogue = Catalogue::default();
    for number in 0..3 * MAX_DEFINITIONS {
        catalogue.see("search", &seen(&tool(&number.to_string())));
    }
    let search = catalogue.get("search").unwrap();
    assert_eq!((search.first(), search.digests.len()), (digest(&tool("0")), MAX_DEFINITIONS));
}

#[test]
fn of_a_definition_it_is_known_what_something_is_decided_by() {
    let region = json!({"type": "string", "x-mcp-header": "Region"});
    let schema = json!({"type": "object", "properties": {"region": region}});
    let hints = json!({"readOnlyHint": true, "destructiveHint": null});
    let facts = |more: Value| {
        let mut definition = json!({"name": "x", "inputSchema": schema, "annotations": hints, "description": null});
        definition.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        seen(&definition).facts
    };
    let known = facts(json!({})).unwrap();
    assert_eq!((known.read_only, known.destructive), (Some(true), None));
    assert_eq!((known.headers.len(), &known.output), (1, &SchemaText::None));
    let long = json!({"type": "object", "description": "x".repeat(70_000)});
    assert_eq!(facts(json!({"outputSchema": long})).unwrap().output, SchemaText::TooLong);
    let bad = json!({"type": "object", "properties": {"region": {"type": "array", "x-mcp-header": "Region"}}});
    let properties: serde_json::Map<_, _> = (0..65)
        .map(|number| (format!("p{number}"), json!({"type": "string", "x-mcp-header": format!("P{number}")})))
        .collect();
    for none in [
        json!({"inputSchema": null}),
        json!({"inputSchema": bad}),
        json!({"inputSchema": {"type": "object", "properties": properties}}),
        json!({"annotations": {"readOnlyHint": "yes"}}),
        json!({"Description": "of another reader"}),
    ] {
        assert_eq!(facts(none.clone()), None, "{none}");
    }
}

#[test]
fn a_tool_is_held_back_for_one_reason() {
    let (one, other) = (tool("one"), tool("other"));
    let mut catalogue = Catalogue::default();
    catalogue.see("search", &seen(&one));
    catalogue.see("changed", &seen(&one));
    let mut suspicious = seen(&other);
    suspicious.findings = vec![Finding { suspicion: Suspicion::Instructions, part: Part::Description }];
    catalogue.see("changed", &suspicious);
    catalogue.see("malformed", &seen(&json!({"name": "malformed"})));
    let pin = |tools: Value, first_use: bool| json!({"pin": {"tools": tools, "first_use": first_use}});
    let hidden = |mut config: Value| {
        config["lint"] = json!("hide");
        config
    };
    let pinned_other = json!({"changed": digest(&other).to_string(), "unseen": digest(&one).to_string()});
    let config = pin(pinned_other.clone(), false);
    for (config, tool, expected) in [
        (json!({}), "search", None),
        (json!({}), "changed", None),
        (json!({}), "unseen", None),
        (json!({}), "malformed", Some(("tool_malformed", "servers.crm"))),
        (json!({"check_arguments": true}), "unseen", Some(("tool_not_seen", "servers.crm.check_arguments"))),
        (json!({"check_results": true}), "unseen", Some(("tool_not_seen", "servers.crm.check_results"))),
        (hidden(json!({})), "unseen", Some(("tool_not_seen", "servers.crm.lint"))),
        (hidden(json!({})), "search", None),
        (hidden(json!({})), "changed", Some(("tool_suspected", "servers.crm.lint"))),
        (hidden(config.clone()), "changed", None),
        (config.clone(), "changed", None),
        (config.clone(), "unseen", Some(("tool_not_seen", "servers.crm.pin"))),
        (config.clone(), "search", Some(("tool_not_pinned", "servers.crm.pin"))),
        (config, "malformed", Some(("tool_malformed", "servers.crm"))),
        (pin(json!({"search": digest(&other).to_string()}), true), "search", Some(("tool_changed", "servers.crm.pin"))),
        (pin(json!({}), true), "search", None),
        (pin(json!({}), true), "changed", Some(("tool_changed", "servers.crm.pin"))),
        (pin(pinned_other, true), "changed", None),
        (pin(json!({}), true), "unseen", Some(("tool_not_seen", "servers.crm.pin"))),
    ] {
        let server = server(&config);
        let judgement = judge(&server.config, catalogue.get(tool).map(|tool| &**tool));
        let told = judgement.refused.map(|objection| (objection.reason(), objection.rule("crm")));
        assert_eq!(told, expected.map(|(reason, rule)| (reason, rule.to_owned())), "{config} {tool}");
        assert_eq!(judgement.shadow, None);
    }
}

#[test]
fn a_pin_in_shadow_only_says_what_it_would_do() {
    let mut catalogue = Catalogue::default();
    catalogue.see("search", &seen(&tool("one")));
    catalogue.see("search", &seen(&tool("other")));
    let server = server(&json!({"pin": {"first_use": true, "shadow": true}}));
    let judgement = judge(&server.config, catalogue.get("search").map(|tool| &**tool));
    assert_eq!(judgement.refused, None);
    let (pinned, found) = (digest(&tool("one")), digest(&tool("other")));
    assert_eq!(judgement.shadow, Some(Objection::Changed { pinned, found }));
    assert_eq!(judge(&server.config, None), super::Judgement::default());
}

#[test]
fn schemas_are_compiled_once_and_forgotten_before_they_are_too_many() {
    let schemas = Schemas::default();
    let text =
        |number: usize| SchemaText::Kept(json!({"description": "x".repeat(60_000), "const": number}).to_string());
    let of = |number: usize| {
        let digest = Digest([u8::try_from(number).unwrap(); 32]);
        schemas.get(digest, Of::Arguments, &text(number)).unwrap().unwrap()
    };
    let first = of(0);
    assert!(Rc::ptr_eq(&first, &of(0)));
    for number in 1..=MAX_BYTES / 60_000 {
        of(number);
    }
    assert!(!Rc::ptr_eq(&first, &of(0)));
    let unusable = SchemaText::Kept(json!({"$ref": "https://else.example/"}).to_string());
    assert!(schemas.get(Digest([1; 32]), Of::Results, &unusable).is_err());
    assert!(schemas.get(Digest([2; 32]), Of::Results, &SchemaText::TooLong).is_err());
    assert!(schemas.get(Digest([3; 32]), Of::Results, &SchemaText::None).unwrap().is_none());
}

#[cfg(not(target_arch = "wasm32"))]
mod in_an_envoy {
    use super::{Value, json, tool};
    use crate::Mcp;
    use fake_envoy::{FakeEnvoy, RootId};
    use tollgate_host::plugin;
    use tollgate_kernel::virtual_key::{SecretHash, VirtualKey};

    const KEY: &str = "tg_k_0123456789abcdef0123";

    fn worker(envoy: &FakeEnvoy) -> RootId {
        let hash = String::from(SecretHash::of(&VirtualKey::parse(KEY.as_bytes()).unwrap()));
        let config = json!({"gate": {
            "servers": {"crm": {"path": "/crm", "pin": {"first_use": true}}},
            "keys": [{"id": "k", "sha256": [hash]}],
            "rules": [{"allow": {"tools": ["*"]}}],
        }});
        envoy.root(plugin::register::<Mcp>, config.to_string().as_bytes()).unwrap()
    }

    /// What the client gets when the server answers this; the server gets the request if it is not refused.
    fn ask(envoy: &FakeEnvoy, worker: RootId, method: &str, params: &Value, result: &Value) -> Value {
        let stream = envoy.stream(worker);
        let key = format!("Bearer {KEY}");
        let headers =
            [(":method", "POST"), (":path", "/crm"), ("authorization", &key), ("content-type", "application/json")];
        stream.request_headers(headers, false);
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        stream.request_data(body.to_string(), true);
        let body = if let Some(reply) = stream.reply() {
            reply.body
        } else {
            stream.property(&["response", "code_details"], "via_upstream");
            stream.response_headers([(":status", "200"), ("content-type", "application/json")], false);
            stream.response_data(json!({"jsonrpc": "2.0", "id": 1, "result": result}).to_string(), true);
            stream.forwarded_response().body
        };
        stream.finish();
        serde_json::from_slice(&body).unwrap()
    }

    fn listed(envoy: &FakeEnvoy, worker: RootId, tool: &Value) -> bool {
        let answer = ask(envoy, worker, "tools/list", &json!({}), &json!({"tools": [tool]}));
        answer["result"]["tools"] == json!([tool])
    }

    fn runs(envoy: &FakeEnvoy, worker: RootId) -> bool {
        ask(envoy, worker, "tools/call", &json!({"name": "search"}), &json!({"content": []}))["result"]["isError"]
            .is_null()
    }

    #[test]
    fn what_one_worker_sees_all_know() {
        let envoy = FakeEnvoy::new();
        let (one, other) = (worker(&envoy), worker(&envoy));
        assert!(!runs(&envoy, one));
        assert!(listed(&envoy, one, &tool("one")));
        assert!(runs(&envoy, one) && runs(&envoy, other));
        assert!(!listed(&envoy, other, &tool("other")));
        assert!(!runs(&envoy, one) && !runs(&envoy, other));
        // A new configuration makes nothing anew.
        assert!(!runs(&envoy, worker(&envoy)));
        assert!(listed(&envoy, one, &tool("one")));
        assert!(runs(&envoy, one) && runs(&envoy, other));
        assert_eq!(envoy.counter("tollgate_mcp_tools_changed_total.server=.=crm;.;"), 1);
        assert!(envoy.violations().is_empty());
    }

    #[test]
    fn where_the_host_refuses_nothing_is_known() {
        let envoy = FakeEnvoy::new();
        let worker = worker(&envoy);
        assert!(listed(&envoy, worker, &tool("one")) && runs(&envoy, worker));
        envoy.deny_shared_data(true);
        assert!(!runs(&envoy, worker));
    }
}

#[cfg(not(target_arch = "wasm32"))]
mod any {
    use super::super::Facts;
    use super::*;
    use proptest::prelude::*;
    use tollgate_kernel::json::Pointer;
    use tollgate_kernel::mcp::Annotation;

    fn schema() -> impl Strategy<Value = SchemaText> {
        prop_oneof![Just(SchemaText::None), Just(SchemaText::TooLong), "\\PC{0,40}".prop_map(SchemaText::Kept),]
    }

    fn facts() -> impl Strategy<Value = Facts> {
        let header = ("[a-zA-Z]{1,8}", proptest::collection::vec("[a-z~/]{0,6}", 1..4));
        let header = header.prop_map(|(name, keys)| Annotation { name, argument: Pointer::of(keys) });
        let hints = (any::<Option<bool>>(), any::<Option<bool>>());
        (hints, proptest::collection::vec(header, 0..4), schema(), schema()).prop_map(
            |((destructive, read_only), headers, input, output)| Facts {
                destructive,
                read_only,
                headers,
                input,
                output,
            },
        )
    }

    fn sight() -> impl Strategy<Value = Seen> {
        let finding = (0..4_usize, 0..8_usize)
            .prop_map(|(what, part)| Finding { suspicion: Suspicion::ALL[what], part: Part::ALL[part] });
        let parts =
            (any::<[u8; 32]>(), proptest::option::of(facts()), proptest::collection::vec(finding, 0..4), any::<u32>());
        parts.prop_map(|(digest, facts, findings, linted_with)| Seen {
            digest: Digest(digest),
            facts,
            findings,
            linted_with,
        })
    }

    proptest! {
        #[test]
        fn catalogue_is_read_as_it_was_written(sights in proptest::collection::vec(("[a-f]{1,2}", sight()), 0..24)) {
            let mut catalogue = Catalogue::default();
            for (name, seen) in &sights {
                catalogue.see(name, seen);
            }
            let bytes = catalogue.write();
            let read = Catalogue::read(&bytes);
            prop_assert_eq!(read.as_ref(), Some(&catalogue));
            for cut in 1..bytes.len().min(200) {
                let read = Catalogue::read(bytes.get(..bytes.len().saturating_sub(cut)).unwrap());
                prop_assert!(read.is_none_or(|read| read.iter().count() < catalogue.iter().count()));
            }
        }

        #[test]
        fn bytes_of_anything_are_read_or_not(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Some(read) = Catalogue::read(&bytes) {
                prop_assert_eq!(Catalogue::read(&read.write()), Some(read));
            }
        }
    }
}
