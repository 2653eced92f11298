use super::{Part, Role, load};
use crate::example::{self, SUPPORT_SHA256};
use serde_json::{Value, json};
use tollgate_wire::Format;
use tollgate_wire::endpoint::Operation;
use tollgate_wire::price::PriceSource;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

/// The example with `value` at `path`; `null` takes away what is there.
fn changed(path: &str, value: Value) -> Value {
    let mut config = example::config();
    let (parent, name) = path.rsplit_once('/').expect("a path");
    let parent = config.pointer_mut(parent).expect("a parent that is there");
    match (parent, value) {
        (Value::Object(fields), Value::Null) => drop(fields.remove(name)),
        (Value::Object(fields), value) => drop(fields.insert(name.to_owned(), value)),
        (Value::Array(values), value) => values[name.parse::<usize>().expect("an index")] = value,
        other => panic!("no place for a value: {other:?}"),
    }
    config
}

fn refused(config: &Value) -> String {
    example::load(config).expect_err("a faulty configuration")
}

#[test]
fn a_fault_is_told_with_its_path_what_was_found_and_what_was_expected() {
    const TARGET: &str = "/gate/models/claude/targets/0";
    let target = |field: &str| format!("{TARGET}/{field}");
    let provider = |field: &str| format!("/gate/providers/openai/{field}");
    for (path, value, message) in [
        (
            "/gate/modles".into(),
            json!({}),
            "gate.modles: unknown field `modles`, expected one of `providers`, `models`, `keys`, `limits`, `rate_limit_services`, `ratelimit_headers`, `identity`, `bounds`, `cache`, `prompts`",
        ),
        ("/gate/keys".into(), Value::Null, "gate: missing field `keys`"),
        ("/gate/providers".into(), json!(7), "gate.providers: invalid type: integer `7`, expected a map"),
        (
            target("model"),
            json!(7),
            "gate.models.claude.targets[0].model: invalid type: integer `7`, expected a string",
        ),
        (
            target("model"),
            json!(""),
            "gate.models.claude.targets[0].model: found ``, expected 1 to 256 printable characters",
        ),
        (
            target("model"),
            json!("a\nb"),
            "gate.models.claude.targets[0].model: found `a\\nb`, expected 1 to 256 printable characters",
        ),
        (
            target("provider"),
            json!("gemini"),
            "gate.models.claude.targets[0].provider: found `gemini`, expected one of `anthropic`, `openai`",
        ),
        (target("price"), json!({"input": 3}), "gate.models.claude.targets[0].price: missing field `output`"),
        (target("price/input"), json!(-1), "gate.models.claude.targets[0].price.input: must not be negative"),
        (
            target("price/inputt"),
            json!(1),
            "gate.models.claude.targets[0].price.inputt: unknown field `inputt`, expected one of `input`, `output`, `cache_read`, `cache_write_5m`, `cache_write_1h`, `reasoning`, `audio_input`, `audio_output`, `image_input`, `image_output`, `cache_read_audio`, `long_context`, `service_tiers`, `fees`, `fast`, `one_country`",
        ),
        ("/gate/models/claude/targets".into(), json!([]), "gate.models.claude.targets: found 0, expected 1 to 8"),
        ("/gate/models/claude/route".into(), json!("a;b"), "gate.models.claude.route: must not have the character `;`"),
        (
            provider("format"),
            json!("grpc"),
            "gate.providers.openai.format: unknown variant `grpc`, expected one of `openai-chat`, \
             `openai-responses`, `anthropic-messages`, `google-gemini`, `bedrock-converse`",
        ),
        (provider("host"), json!("a b"), "gate.providers.openai.host: found `a b`, expected a host name"),
        (
            provider("host"),
            json!("https://api.openai.com"),
            "gate.providers.openai.host: found `https://api.openai.com`, expected a host name",
        ),
        (provider("host"), json!(""), "gate.providers.openai.host: found ``, expected a host name"),
        (
            provider("base_path"),
            json!("eu/"),
            "gate.providers.openai.base_path: found `eu/`, expected a path like `/openai/v1`",
        ),
        (
            provider("base_path"),
            json!("/eu?a=b"),
            "gate.providers.openai.base_path: found `/eu?a=b`, expected a path like `/openai/v1`",
        ),
        (
            provider("headers"),
            json!({"X-Org": "a"}),
            "gate.providers.openai.headers: found the name `X-Org`, expected lowercase",
        ),
        (provider("headers"), json!({"": "a"}), "gate.providers.openai.headers: found the name ``, expected lowercase"),
        (
            provider("headers"),
            json!({":path": "/"}),
            "gate.providers.openai.headers: found the name `:path`, expected lowercase",
        ),
        (
            provider("headers"),
            json!({"x-a": "a\r\nb: c"}),
            "gate.providers.openai.headers.x-a: expected printable ASCII",
        ),
        (
            provider("headers"),
            json!({"content-length": "1"}),
            "gate.providers.openai.headers.content-length: found a header that Tollgate sets itself",
        ),
        ("/gate/keys/0/id".into(), json!("a_b"), "gate.keys[0].id: must not have the character `_`"),
        (
            "/gate/keys/0/sha256".into(),
            json!(["ab"]),
            "gate.keys[0].sha256[0]: must be 64 lowercase hex digits, as `sha256sum` prints them",
        ),
        (
            "/gate/keys/0/models".into(),
            json!(["gpt-9"]),
            "gate.keys[0].models: found `gpt-9`, expected one of `claude`, `unpriced`",
        ),
        (
            "/gate/keys/0/subject".into(),
            json!({"squad": "a"}),
            "gate.keys[0].subject.squad: unknown field `squad`, expected one of `user`, `team`, `feature`, `environment`, `tier`, `agent`",
        ),
        (
            "/gate/bounds".into(),
            json!({"request_bytes": 0}),
            "gate.bounds.request_bytes: found 0, expected 1024 to 33554432 bytes",
        ),
        (
            "/gate/bounds".into(),
            json!({"held_total_bytes": 1_073_741_825}),
            "gate.bounds.held_total_bytes: found 1073741825, expected 1024 to 536870912 bytes",
        ),
        (
            "/gate/bounds".into(),
            json!({"event_bytes": -1}),
            "gate.bounds.event_bytes: invalid value: integer `-1`, expected usize",
        ),
        (
            "/gate/bounds".into(),
            json!({"first_event_ms": 600_001}),
            "gate.bounds.first_event_ms: found 600001, expected 1 to 600000 milliseconds",
        ),
        (
            "/gate/bounds".into(),
            json!({"first_event_ms": 0.5}),
            "gate.bounds.first_event_ms: invalid type: floating point `0.5`, expected u64",
        ),
        ("/gate/cache".into(), json!({"slots": 0}), "gate.cache.slots: found 0, expected 1 to 4096"),
        ("/gate/cache".into(), json!({"slots": 4097}), "gate.cache.slots: found 4097, expected 1 to 4096"),
        (
            "/gate/cache".into(),
            json!({"entry_bytes": 1023}),
            "gate.cache.entry_bytes: found 1023, expected 1024 to 1048576",
        ),
        (
            "/gate/cache".into(),
            json!({"slots": 4096, "entry_bytes": 65_537}),
            "gate.cache.slots: found 268439552 bytes in all, expected at most 268435456",
        ),
        (
            "/gate/cache".into(),
            json!({"per": []}),
            "gate.cache.per: found nothing, expected who shares answers, like `team`",
        ),
        ("/gate/cache".into(), json!({"per": ["team", "tier", "team"]}), "gate.cache.per[2]: found `team` twice"),
        (
            "/gate/cache".into(),
            json!({"per": ["squad"]}),
            "gate.cache.per[0]: unknown variant `squad`, expected one of `key`, `user`, `team`, `feature`, `environment`, `tier`, `agent`",
        ),
        (
            "/gate/models/claude/cache".into(),
            json!({"ttl": 0}),
            "gate.models.claude.cache.ttl: found 0, expected 1 to 2592000 seconds",
        ),
        (
            "/gate/models/claude/cache".into(),
            json!({"ttl": 60, "for": 1}),
            "gate.models.claude.cache.for: unknown field `for`, expected one of `ttl`, `tools`, `any_temperature`",
        ),
        (
            "/gate/models/claude/cache".into(),
            json!(true),
            "gate.models.claude.cache: invalid type: boolean `true`, expected struct ModelCache",
        ),
        ("/provider".into(), json!({}), "found both `gate` and `provider`, expected one of them"),
        ("/gate".into(), Value::Null, "found neither, expected `gate` or `provider`"),
        ("/gates".into(), json!({}), "gates: unknown field `gates`, expected `gate` or `provider`"),
    ] {
        assert_eq!(refused(&changed(&path, value)), message);
    }
}

#[test]
fn a_key_says_which_models_it_allows() {
    let mut config = example::config();
    config["gate"]["keys"][0].as_object_mut().expect("a key").remove("models");
    assert_eq!(refused(&config), "gate.keys[0]: missing field `models`");
}

#[test]
fn a_key_allows_only_routes_that_there_are() {
    for (routes, fault) in [
        (json!(["claude", "slow lane"]), None),
        (json!(["*"]), None),
        (json!([]), None),
        (json!(["unpriced"]), Some("gate.keys[0].routes: found `unpriced`, expected one of `claude`, `slow lane`")),
        (json!(["*", "claude"]), Some("gate.keys[0].routes: `*` allows all and must be the only entry")),
    ] {
        let found = example::load(&changed("/gate/keys/0/routes", routes.clone())).err();
        assert_eq!(found.as_deref(), fault, "{routes}");
    }
}

/// A good way of each kind.
fn identity() -> Value {
    json!({
        "any_of": [["key"], ["jwt", "mtls"], ["header"]],
        "jwt": {"payload": "jwt", "claims": {"user": "sub", "team": ["https://x.example/team"]}, "require": ["user"], "actor": {}, "models": ["claude"]},
        "mtls": {"spiffe": "spiffe://example.org/ns/{environment}/sa/*", "models": ["*"], "routes": ["slow lane"]},
        "header": {"name": "x-subject", "keys_from": "SUBJECT_KEYS", "max_age_s": 30, "models": []},
    })
}

#[test]
fn ways_to_prove_who_asks_are_taken_as_they_are_written() {
    let Ok(Role::Gate(gate)) = example::load(&changed("/gate/identity", identity())) else { panic!("a gate") };
    assert_eq!(gate.identity.ways, [vec![Part::Key], vec![Part::Jwt, Part::Mtls], vec![Part::Header]]);
    assert_eq!(
        gate.identity.accepted(),
        "an API key, or a bearer token of a known issuer and a client certificate of a known workload, or a gateway's signed subject header"
    );
    assert!(!gate.identity.takes_only_keys());
    let default = example::gate();
    assert_eq!((&default.identity.ways, default.identity.takes_only_keys()), (&vec![vec![Part::Key]], true));
}

#[test]
fn a_way_that_cannot_work_is_refused_with_its_path() {
    for (path, value, message) in [
        ("/any_of", json!([]), "any_of: found no way, expected one or more, like `[key]`"),
        ("/any_of/0", json!([]), "any_of[0]: found nothing, expected what must be proven, like `[key]`"),
        ("/any_of/1", json!(["jwt", "mtls", "jwt"]), "any_of[1]: found `jwt` twice"),
        (
            "/any_of/1",
            json!(["saml"]),
            "any_of[1][0]: unknown variant `saml`, expected one of `key`, `jwt`, `mtls`, `header`",
        ),
        ("/jwt", Value::Null, "any_of[1]: found `jwt`, expected `identity.jwt` to say how"),
        ("/header", Value::Null, "any_of[2]: found `header`, expected `identity.header` to say how"),
        ("/any_of/2", json!(["mtls"]), "header: found settings, expected `header` in a way of `any_of`"),
        ("/jwt/payload", json!(""), "jwt.payload: found nothing, expected `payload_in_metadata` of jwt_authn"),
        (
            "/jwt/claims/squad",
            json!("sub"),
            "jwt.claims.squad: unknown variant `squad`, expected one of `user`, `team`, `feature`, `environment`, `tier`, `agent`",
        ),
        ("/jwt/claims/user", json!(""), "jwt.claims.user: found an empty name, expected the name of a claim"),
        (
            "/jwt/claims/user",
            json!(7),
            "jwt.claims.user: invalid type: integer `7`, expected the name of a claim, or a list of names",
        ),
        ("/jwt/require", json!(["tier"]), "jwt.require: found `tier`, expected a claim for it in `claims`"),
        (
            "/jwt/actor",
            json!({"claims": []}),
            "jwt.actor.claims: found none, expected the claim that says the agent, like `act.sub`",
        ),
        (
            "/jwt/actor",
            json!({"names": {"client-7f3": "a;b"}}),
            "jwt.actor.names.client-7f3: must not have the character `;`",
        ),
        (
            "/jwt/claims",
            json!({"user": "sub", "agent": "azp"}),
            "jwt.claims: found `agent`, expected `actor` alone to say it",
        ),
        ("/jwt/models", json!(["gpt-9"]), "jwt.models: found `gpt-9`, expected one of `claude`, `unpriced`"),
        ("/jwt/models", Value::Null, "jwt: missing field `models`"),
        ("/mtls/routes", json!(["gpt-9"]), "mtls.routes: found `gpt-9`, expected one of `claude`, `slow lane`"),
        (
            "/mtls/spiffe",
            json!("spiffe://example.org/{squad}"),
            "mtls.spiffe: found `{squad}`, expected one of `{user}` `{team}` `{feature}` `{environment}` `{tier}` `{agent}`",
        ),
        ("/header/max_age_s", json!(0), "header.max_age_s: found 0, expected 1 to 3600 seconds"),
        ("/header/name", json!("x-api-key"), "header.name: found `x-api-key`, expected one that means nothing else"),
        (
            "/header/name",
            json!("subject"),
            "header.name: expected `x-` and letters in lower case, digits and `-`, 64 at most",
        ),
        (
            "/header/keys_from",
            json!("0123456789abcdef0123456789abcdef"),
            "header.keys_from: found no environment variable of this name, expected one in `environment_variables` of vm_config, for every instance of the filter alike",
        ),
    ] {
        let mut config = changed("/gate/identity", identity());
        let (parent, name) = path.rsplit_once('/').expect("a path");
        let parent = config.pointer_mut(&format!("/gate/identity{parent}")).expect("a parent that is there");
        match (parent, value) {
            (Value::Object(fields), Value::Null) => drop(fields.remove(name)),
            (Value::Object(fields), value) => drop(fields.insert(name.to_owned(), value)),
            (parent, value) => parent[name.parse::<usize>().expect("an index")] = value,
        }
        assert_eq!(refused(&config), format!("gate.identity.{message}"));
    }
    let mut config = changed("/gate/identity", identity());
    config["gate"]["identity"]["any_of"][0] = json!(["jwt"]);
    assert_eq!(refused(&config), "gate.keys: found keys, expected `key` in a way of `gate.identity.any_of`");
}

#[test]
fn limits_that_cannot_work_are_refused_with_their_path() {
    let day = |more: Value| {
        let mut limit = json!({"name": "day", "every": "day"});
        limit.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        limit
    };
    let kept = |more: Value| {
        let mut limit = day(json!({"store": "fleet", "when_store_fails": "deny"}));
        limit.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        limit
    };
    for (limits, message) in [
        (json!([day(json!({"requests": 1, "usd": 2}))]), "gate.limits[0]: counts 2 things, expected one of `requests`"),
        (json!([day(json!({"calls": 1}))]), "gate.limits[0].calls: this filter counts `requests`, `tokens` and `usd`"),
        (
            json!([day(json!({"requests": 1})), day(json!({"tokens": 1}))]),
            "gate.limits[1].name: found `day` twice, expected a name for each limit",
        ),
        (json!([kept(json!({"requests": 1}))]), "gate.limits[0].store: found `fleet`, expected one of `other`"),
        (
            json!([kept(json!({"usd": 500_000, "store": "other"}))]),
            "gate.limits[0].usd: found more than a rate limit service can count",
        ),
        (
            json!([day(json!({"requests": 1, "store": "other"}))]),
            "gate.limits[0]: must say `when_store_fails`, `allow` or `deny`",
        ),
    ] {
        let mut config = changed("/gate/limits", limits.clone());
        config["gate"]["rate_limit_services"] = json!({"other": {"cluster": "x", "domain": "y"}});
        let told = refused(&config);
        assert!(told.starts_with(message), "{limits}: {told}");
    }
    let mut config = changed("/gate/keys/0/limits", json!([day(json!({"calls": 1}))]));
    assert!(refused(&config).starts_with("gate.keys[0].limits[0].calls: "));
    config = changed("/gate/rate_limit_services", json!({"x": {"cluster": "c", "domain": "d", "timeout_ms": 0}}));
    assert!(refused(&config).starts_with("gate.rate_limit_services.x.timeout_ms: found 0, expected 1 to 60000"));
}

#[test]
fn what_limits_will_forget_or_refuse_is_said_when_they_are_loaded() {
    let limit = |name: &str, unit: &str, every: &str| json!({"name": name, unit: 1, "every": every});
    for (limits, expected) in [
        (json!([]), vec![]),
        (json!([limit("h", "requests", "hour")]), vec![]),
        (json!([limit("d", "requests", "day")]), vec!["limits.d: what was used is forgotten"]),
        (
            json!([
                limit("a", "requests", "day"),
                limit("b", "requests", "week"),
                limit("c", "requests", "month"),
                limit("d", "requests", "month"),
                limit("e", "requests", "month")
            ]),
            vec!["limits.a, limits.b, limits.c, and 2 more: what was used is forgotten"],
        ),
        (json!([limit("h", "tokens", "hour")]), vec!["models.unpriced.targets[0]: no `max_output_tokens`"]),
        (
            json!([limit("h", "usd", "hour")]),
            vec!["models.unpriced.targets[0]: has no price", "models.unpriced.targets[0]: no `max_output_tokens`"],
        ),
    ] {
        let Ok(Role::Gate(gate)) = example::load(&changed("/gate/limits", limits.clone())) else { panic!("{limits}") };
        assert_eq!(gate.warnings.len(), expected.len(), "{limits}: {:?}", gate.warnings);
        gate.warnings.iter().zip(expected).for_each(|(told, start)| assert!(told.starts_with(start), "{told}"));
    }
}

#[test]
fn keys_that_contradict_each_other_are_refused_by_name() {
    let key = |more: Value| {
        let mut key = json!({"id": "support", "sha256": [SUPPORT_SHA256], "models": []});
        key.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        key
    };
    for (keys, message) in [
        (json!([key(json!({})), key(json!({}))]), "gate.keys: two keys have the id `support`"),
        (
            json!([key(json!({"not_before": "2026-01-02T00:00:00Z", "expires": "2026-01-01T00:00:00Z"}))]),
            "gate.keys: the key `support` must expire after it becomes valid",
        ),
    ] {
        assert_eq!(refused(&changed("/gate/keys", keys)), message);
    }
}

#[test]
fn what_is_not_one_json_object_is_refused() {
    for (config, message) in [
        ("", "found no configuration, expected `gate` or `provider`"),
        ("{", "EOF while parsing an object"),
        ("7", "invalid type: integer `7`, expected struct Config"),
        ("gate: {}", "expected value"),
        (r#"{"provider": {}} {"#, "trailing characters"),
        (r#"{"provider": {}, "provider": {}}"#, "duplicate field `provider`"),
        (r#"{"provider": {"nmae": "openai"}}"#, "provider.nmae: unknown field `nmae`, expected `name`"),
    ] {
        assert_eq!(load(config.as_bytes(), &|_| None).expect_err(config), message);
    }
}

/// People paste keys where the hash belongs, and where nothing belongs.
#[test]
fn no_error_ever_quotes_a_secret() {
    const SECRET: &str = "tg_support_0123456789abcdef";
    let bearer = format!("Bearer \", expected {SECRET}");
    for (path, value) in [
        ("/gate/keys/0/sha256", json!([SECRET])),
        ("/gate/keys/0/sha256", json!(SECRET)),
        ("/gate/keys/0/id", json!(SECRET)),
        ("/gate/keys/0", json!(SECRET)),
        ("/gate/keys", json!(SECRET)),
        ("/gate/keys/0/subject", json!(SECRET)),
        ("/gate/keys/0/subject", json!({"team": [SECRET]})),
        ("/gate/keys/0/disabled", json!(SECRET)),
        ("/gate/providers/openai/headers", json!(SECRET)),
        ("/gate/providers/openai/headers", json!({"authorization": format!("Bearer {SECRET}")})),
        ("/gate/providers/openai/headers", json!({"x-api-key": SECRET})),
        ("/gate/providers/openai/headers", json!({"x-key": format!("{SECRET}\n")})),
        ("/gate/providers/openai", json!(bearer)),
        ("/gate/models", json!(SECRET)),
        ("/gate/bounds", json!(SECRET)),
    ] {
        let message = refused(&changed(path, value));
        assert!(!message.contains("0123456789abcdef"), "{message}");
        assert!(message.starts_with("gate."), "still says where: {message}");
    }
    let message = refused(&changed("/gate/providers/openai/headers", json!({"x-api-key": SECRET})));
    let expected = "found a credential, expected Envoy's credential_injector to set it";
    assert_eq!(message, format!("gate.providers.openai.headers.x-api-key: {expected}"));
    assert_eq!(refused(&changed("/gate/keys", json!(SECRET))), "gate.keys: invalid type: string, expected a sequence");
}

#[test]
fn a_gate_is_ready_to_decide_with() {
    let gate = example::gate();
    let claude = gate.models.get("claude").expect("a model");
    assert_eq!(claude.route.as_str(), "claude", "the model's own name");
    let all = claude.candidates(&gate, Operation::Chat, Format::OpenaiChat);
    assert_eq!(all.header, crate::route::targets(["anthropic", "openai-eu"].into_iter()), "clusters");
    assert_eq!(gate.models.get("unpriced").map(|model| model.route.as_str()), Some("slow lane"));
    assert_eq!(gate.bounds.request_bytes, 10 << 20);
    assert_eq!(example::caller(&gate).subject.team.as_ref().map(ToString::to_string), Some("Support".to_owned()));
}

#[test]
fn only_who_can_do_it_is_asked() {
    let gate = example::gate();
    let claude = gate.models.get("claude").expect("a model");
    for (operation, client, expected) in [
        (Operation::Chat, Format::GoogleGemini, &[0, 1][..]),
        (Operation::Embeddings, Format::OpenaiChat, &[1]),
        (Operation::CountTokens, Format::AnthropicMessages, &[0]),
        (Operation::CountTokens, Format::GoogleGemini, &[]),
    ] {
        assert_eq!(claude.candidates(&gate, operation, client).targets, expected, "{operation:?}");
    }
    let embeddings = claude.candidates(&gate, Operation::Embeddings, Format::OpenaiChat);
    assert_eq!(embeddings.header, crate::route::targets(["openai-eu"].into_iter()));
}

#[test]
fn a_bound_left_out_has_its_default() {
    let config = changed("/gate/bounds", json!({"event_bytes": 1024}));
    let Ok(Role::Gate(gate)) = example::load(&config) else { panic!("a gate") };
    assert_eq!((gate.bounds.event_bytes, gate.bounds.held_bytes), (1024, 64 << 10));
}

#[test]
fn a_provider_may_be_named_here_or_by_its_endpoint() {
    for (config, name) in [(r#"{"provider": {"name": "openai"}}"#, Some("openai")), (r#"{"provider": {}}"#, None)] {
        let Ok(Role::Provider(provider)) = load(config.as_bytes(), &|_| None) else { panic!("a provider") };
        assert_eq!(provider.name.as_ref().map(ToString::to_string), name.map(str::to_owned));
    }
}

/// The shape of `envoy/llm.yaml`; the file itself is loaded by every test in a real Envoy.
#[test]
fn a_configuration_of_the_shipped_shape_loads() {
    let claude = json!({"input": 2, "output": 10, "cache_read": 0.1, "cache_write_5m": 2.5, "cache_write_1h": "4"});
    let gpt = json!({"input": 2.5, "output": 10, "cache_read": 1.25});
    let config = json!({"gate": {
        "providers": {
            "anthropic": {"format": "anthropic-messages", "host": "api.anthropic.com"},
            "openai": {"format": "openai-chat", "host": "api.openai.com:443"},
        },
        "models": {"claude-sonnet": {"targets": [
            {"provider": "anthropic", "model": "claude-sonnet-4-5", "price": claude},
            {"provider": "openai", "model": "gpt-4o", "price": gpt},
        ]}},
        "keys": [{"id": "support", "sha256": [SUPPORT_SHA256], "subject": {"team": "support"}, "models": ["*"]}],
    }});
    assert!(matches!(example::load(&config), Ok(Role::Gate(_))));
}

#[test]
fn a_target_without_a_price_has_the_shipped_tables_if_that_knows_its_model() {
    for (host, catalogue, model, source) in [
        ("api.openai.com", None, "gpt-5", Some(PriceSource::Table)),
        ("api.openai.com", None, "in-house", None),
        ("llm.internal", None, "gpt-5", None),
        ("llm.internal", Some("openai"), "gpt-5", Some(PriceSource::Table)),
        ("api.openai.com", Some("azure/eu"), "gpt-5", Some(PriceSource::Table)),
    ] {
        let mut config = example::config();
        config["gate"]["providers"]["openai"]["host"] = host.into();
        config["gate"]["providers"]["openai"]["catalogue"] = catalogue.into();
        config["gate"]["models"]["unpriced"]["targets"][0]["model"] = model.into();
        let Ok(Role::Gate(gate)) = example::load(&config) else { panic!("{host} {model}") };
        let price =
            |name: &str| gate.models.get(name).expect("a model").targets[0].price.as_ref().map(|price| price.source);
        assert_eq!(price("unpriced"), source, "{host} {catalogue:?} {model}");
        assert_eq!(price("claude"), Some(PriceSource::Config), "what is configured counts");
    }
    let mut config = example::config();
    config["gate"]["providers"]["openai"]["catalogue"] = "acme".into();
    let fault = example::load(&config).expect_err("no such catalogue");
    assert_eq!(
        fault,
        "gate.providers.openai.catalogue: found `acme`, expected one of the price table's, like `openai`"
    );
}

#[test]
fn a_provider_that_cannot_be_asked_so_is_refused() {
    let cases = [
        ("/gate/providers/openai/host", json!(":")),
        ("/gate/providers/openai/base_path", json!("/a/../b")),
        ("/gate/providers/openai/headers", json!({"x-tollgate-provider": "anthropic"})),
        ("/gate/providers/openai/headers", json!({"upgrade": "websocket"})),
    ];
    let accepted = |(path, value): &(&str, Value)| example::load(&changed(path, value.clone())).is_ok();
    assert_eq!(cases.into_iter().filter(accepted).collect::<Vec<_>>(), []);
}
