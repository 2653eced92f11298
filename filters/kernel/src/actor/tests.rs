use super::{ActorClaims, ActorFault, Actors, MAX_ACTORS};
use crate::claims::tests::find;
use crate::spiffe::SpiffePattern;
use crate::subject::Label;
use serde_json::{Value, json};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

const PATTERN: &str = "spiffe://example.org/ns/{environment}/agent/{agent}";

fn configured(config: &Value) -> ActorClaims {
    tollgate_config::read(&config.to_string()).unwrap()
}

fn read(config: &Value, pattern: Option<&str>, token: &Value) -> Result<Actors, ActorFault> {
    let pattern = pattern.map(|text| SpiffePattern::try_from(text.to_owned()).unwrap());
    let claims = configured(config);
    claims.check().unwrap();
    claims.read(pattern.as_ref(), &|path| find(token, path))
}

/// The agent and those before, or what is at fault.
fn told(config: &Value, pattern: Option<&str>, token: &Value) -> Result<Value, String> {
    let actors = read(config, pattern, token).map_err(|fault| match fault {
        ActorFault::Missing(path) => format!("missing {path}"),
        ActorFault::Invalid(path) => format!("invalid {path}"),
        ActorFault::TooMany => "too many".to_owned(),
        ActorFault::Repeated => "repeated".to_owned(),
    })?;
    let before: Vec<&str> = actors.before.iter().map(Label::as_str).collect();
    Ok(json!([actors.current, before]))
}

fn agent(name: &str, before: &[&str]) -> Result<Value, String> {
    Ok(json!([{"agent": name}, before]))
}

fn refused(fault: &str) -> Result<Value, String> {
    Err(fault.to_owned())
}

/// `act` that says these, the current one first.
fn act(actors: &[String]) -> Value {
    actors.iter().rev().fold(Value::Null, |before, actor| match before {
        Value::Null => json!({"sub": actor}),
        before => json!({"sub": actor, "act": before}),
    })
}

#[test]
fn the_first_claim_that_is_there_says_who_acts() {
    for (token, expected) in [
        (json!({"act": {"sub": "planner"}, "azp": "web", "client_id": "x"}), agent("planner", &[])),
        (json!({"azp": "planner", "client_id": "x"}), agent("planner", &[])),
        (json!({"client_id": "planner"}), agent("planner", &[])),
        (json!({"client_id": 4711}), agent("4711", &[])),
        (json!({"act": null, "azp": "planner"}), agent("planner", &[])),
        (json!({"sub": "ada"}), refused("missing act.sub")),
        (json!({"azp": ""}), refused("invalid azp")),
        (json!({"azp": ["planner"]}), refused("invalid azp")),
        (json!({"azp": "a;b", "client_id": "planner"}), refused("invalid azp")),
        (json!({"azp": "x".repeat(65)}), refused("invalid azp")),
        (json!({"act": {"sub": true}, "azp": "planner"}), refused("invalid act.sub")),
        (json!({"act": {}, "azp": "planner"}), refused("invalid act")),
        (json!({"act": "planner", "azp": "planner"}), refused("invalid act")),
        (json!({"act": ["planner"], "azp": "planner"}), refused("invalid act")),
    ] {
        assert_eq!(told(&json!({}), None, &token), expected, "{token}");
    }
    for (config, token, expected) in [
        (json!({"require": false}), json!({"sub": "ada"}), Ok(json!([{}, []]))),
        (json!({"require": false}), json!({"act": {}}), refused("invalid act")),
        (json!({"require": false, "claims": ["azp"]}), json!({"act": {"sub": "a"}}), Ok(json!([{}, ["a"]]))),
        (json!({"claims": ["appid"]}), json!({"azp": "planner"}), refused("missing appid")),
        (json!({"claims": ["appid"]}), json!({"appid": "planner"}), agent("planner", &[])),
    ] {
        assert_eq!(told(&config, None, &token), expected, "{config} {token}");
    }
}

#[test]
fn a_name_is_the_agents_whom_it_is_given_to_and_nobody_elses() {
    let long = format!("spiffe://example.org/ns/prod/sa/{}", "x".repeat(100));
    let config = json!({"names": {"client-7f3": "planner", "9a|x": "billing", (&*long): "researcher"}});
    for (token, expected) in [
        (json!({"azp": "client-7f3"}), agent("planner", &[])),
        (json!({"azp": "9a|x"}), agent("billing", &[])),
        (json!({"azp": &long}), agent("researcher", &[])),
        (json!({"azp": "other"}), agent("other", &[])),
        (json!({"azp": "planner"}), refused("invalid azp")),
        (json!({"act": {"sub": "other", "act": {"sub": "client-7f3"}}}), agent("other", &["planner"])),
        (json!({"act": {"sub": "other", "act": {"sub": "planner"}}}), refused("invalid act.act.sub")),
    ] {
        assert_eq!(told(&config, None, &token), expected, "{token}");
        assert_eq!(told(&config, Some(PATTERN), &token), expected, "{token}");
    }
}

#[test]
fn a_spiffe_id_says_in_a_token_what_it_says_in_a_certificate() {
    let prod = "spiffe://example.org/ns/prod/agent/planner";
    let deep = format!("spiffe://example.org/ns/{}/agent/planner", "n".repeat(60));
    let said = |environment: &str| Ok(json!([{"environment": environment, "agent": "planner"}, []]));
    for (pattern, actor, expected) in [
        (Some(PATTERN), prod, said("prod")),
        (Some(PATTERN), &*deep, said(&"n".repeat(60))),
        (Some(PATTERN), "planner", agent("planner", &[])),
        (Some(PATTERN), "spiffe://example.com/ns/prod/agent/planner", refused("invalid act.sub")),
        (Some(PATTERN), "spiffe://example.org/ns/prod/agent/", refused("invalid act.sub")),
        (Some(PATTERN), "spiffe://example.org/ns/prod/agent/planner/x", refused("invalid act.sub")),
        (Some("spiffe://example.org/ns/{environment}/agent/*"), prod, refused("invalid act.sub")),
        (None, prod, agent(prod, &[])),
        (None, &*deep, refused("invalid act.sub")),
    ] {
        assert_eq!(told(&json!({}), pattern, &json!({"act": {"sub": actor}})), expected, "{pattern:?} {actor}");
    }
}

#[test]
fn those_before_are_all_known_or_the_token_is_refused() {
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let many: Vec<String> = (0..=MAX_ACTORS).map(|number| format!("agent-{number}")).collect();
    let most: Vec<&str> = many.iter().take(MAX_ACTORS).map(String::as_str).collect();
    for (token, expected) in [
        (json!({"act": act(&names(&["c", "b", "a"]))}), agent("c", &["b", "a"])),
        (json!({"act": act(&names(&most))}), agent("agent-0", &most[1..])),
        (json!({"act": act(&many)}), refused("too many")),
        (json!({"act": act(&names(&["c", "b", "c"]))}), refused("repeated")),
        (json!({"act": act(&names(&["c", "b", "b"]))}), refused("repeated")),
        (json!({"act": {"sub": "c", "act": {"iss": "x"}}}), refused("invalid act.act")),
        (json!({"act": {"sub": "c", "act": "b"}}), refused("invalid act.act")),
        (json!({"act": {"sub": "c", "act": [{"sub": "b"}]}}), refused("invalid act.act")),
        (json!({"act": {"sub": "c", "act": {"sub": "a;b"}}}), refused("invalid act.act.sub")),
    ] {
        assert_eq!(told(&json!({}), None, &token), expected, "{token}");
    }
    for (claims, token, expected) in [
        (json!(["azp", "act.sub"]), json!({"azp": "c", "act": act(&names(&["c", "b"]))}), agent("c", &["b"])),
        (json!(["azp"]), json!({"azp": "web", "act": act(&names(&["c", "b"]))}), agent("web", &["c", "b"])),
        (json!(["azp"]), json!({"azp": "b", "act": act(&names(&["c", "b"]))}), refused("repeated")),
        (
            json!(["act.client_id", "act.sub"]),
            json!({"act": {"client_id": "c", "sub": "x", "act": {"sub": "b"}}}),
            agent("c", &["b"]),
        ),
    ] {
        assert_eq!(told(&json!({"claims": claims}), None, &token), expected, "{claims} {token}");
    }
}

#[test]
fn an_actor_of_another_issuer_is_nobody_here() {
    let token = |iss: Value, of: Value| json!({"iss": iss, "act": {"sub": "planner", "iss": of}});
    for (token, expected) in [
        (token(json!("https://a"), json!("https://a")), agent("planner", &[])),
        (token(json!("https://a"), json!("https://b")), refused("invalid act.iss")),
        (token(Value::Null, json!("https://b")), refused("invalid act.iss")),
        (token(json!("https://a"), json!(7)), refused("invalid act.iss")),
        (json!({"iss": "https://a", "azp": "planner"}), agent("planner", &[])),
    ] {
        assert_eq!(told(&json!({}), None, &token), expected, "{token}");
    }
}

#[test]
fn claims_that_say_who_acted_before_say_nobody_who_acts() {
    for (claims, message) in [
        (json!([]), "claims: found none, expected the claim that says the agent, like `act.sub`"),
        (json!(["act.act.sub"]), "claims: found `act.act.sub`, expected who acts now, not before (RFC 8693)"),
    ] {
        assert_eq!(configured(&json!({"claims": claims})).check().unwrap_err(), message);
    }
}

#[cfg(not(target_arch = "wasm32"))]
mod properties {
    use super::{MAX_ACTORS, act, read};
    use crate::subject::Label;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    /// Any claim that an issuer may write, for example an `act` of any form.
    fn claim() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            "[a-c]{1,2}|[ -~]{0,70}".prop_map(Value::from),
        ];
        leaf.prop_recursive(12, 32, 3, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
                prop::collection::hash_map("act|sub|iss", inner, 0..3).prop_map(|map| map.into_iter().collect()),
            ]
        })
    }

    proptest! {
        #[test]
        fn whatever_act_is_actors_are_few_and_each_is_one(act in claim(), azp in claim()) {
            if let Ok(actors) = read(&json!({}), None, &json!({"iss": "x", "act": act, "azp": azp})) {
                let all: Vec<&Label> = actors.current.agent.iter().chain(&actors.before).collect();
                prop_assert!(!all.is_empty() && all.len() <= MAX_ACTORS);
                for (index, actor) in all.iter().enumerate() {
                    prop_assert!(!all[..index].contains(actor));
                }
            }
        }

        #[test]
        fn different_actors_are_told_in_their_order(names in prop::collection::hash_set("[a-z]{1,8}", 1..=MAX_ACTORS)) {
            let names: Vec<String> = names.into_iter().collect();
            let actors = read(&json!({}), None, &json!({"act": act(&names)})).unwrap();
            let told: Vec<&str> =
                actors.current.agent.iter().chain(&actors.before).map(Label::as_str).collect();
            prop_assert_eq!(told, names);
        }
    }
}
