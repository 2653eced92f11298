use super::*;
use crate::example;
use serde_json::{Value, json};
use tollgate_limits::Need;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

fn limits(configs: &[Value]) -> Vec<Rc<Limit>> {
    configs.iter().map(|config| Rc::new(tollgate_config::read(&config.to_string()).expect("a limit"))).collect()
}

/// A request of the example's support team for `claude`, which Anthropic and OpenAI serve.
fn claims_of(configs: &[Value], candidates: &[usize]) -> Vec<Claim> {
    let gate = example::gate();
    let caller =
        example::exchange(tollgate_wire::Format::OpenaiChat, r#"{"model":"claude"}"#).caller.expect("a caller");
    let asked = Asked { subject: &caller.subject, model: "claude", route: "claude", operation: "chat" };
    claims(limits(configs).iter(), &asked, &gate.models.get("claude").expect("a model").targets, candidates)
}

/// Their limits' names, and the targets they count.
fn told(claims: &[Claim]) -> Vec<(&str, Option<Vec<usize>>)> {
    claims.iter().map(|claim| (claim.limit.name.as_str(), claim.targets.clone())).collect()
}

fn limit(name: &str, more: &Value) -> Value {
    let mut limit = json!({"name": name, "requests": 1, "every": "day"});
    limit.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    limit
}

#[test]
fn a_limit_counts_for_the_requests_that_it_matches() {
    for (what, counts) in [
        (json!({}), true),
        (json!({"match": {"team": ["Support"]}}), true),
        (json!({"match": {"team": ["Supp*"], "model": ["claude"], "operation": ["chat"]}}), true),
        (json!({"match": {"key": ["support"], "route": ["claude"]}}), true),
        (json!({"match": {"team": ["support"]}}), false),
        (json!({"match": {"team": ["Support"], "model": ["gpt*"]}}), false),
        (json!({"match": {"user": ["*"]}}), false),
        (json!({"per": ["user", "tier"]}), true),
    ] {
        assert_eq!(claims_of(&[limit("x", &what)], &[0, 1]).len(), usize::from(counts), "{what}");
    }
}

#[test]
fn what_can_leave_out_a_candidate_is_decided_before_what_can_only_refuse() {
    let configs = [
        limit("all", &json!({})),
        limit("openai", &json!({"match": {"provider": ["openai"]}})),
        limit("each", &json!({"per": ["provider"]})),
        limit("both", &json!({"match": {"provider": ["*"]}, "per": ["team"]})),
        limit("small", &json!({"match": {"provider_model": ["gpt-5"]}})),
        limit("none", &json!({"match": {"provider": ["bedrock"]}})),
    ];
    assert_eq!(
        told(&claims_of(&configs, &[0, 1])),
        [
            ("openai", Some(vec![1])),
            ("each", Some(vec![0])),
            ("each", Some(vec![1])),
            ("both", Some(vec![0, 1])),
            ("small", Some(vec![1])),
            ("all", None),
        ]
    );
    // Of targets that are no candidates nothing is counted.
    assert_eq!(told(&claims_of(&configs[..3], &[0])), [("each", Some(vec![0])), ("all", None)]);
}

#[test]
fn a_claim_needs_what_the_dearest_candidate_that_it_counts_may_use() {
    let known = |tokens, cost| Need { tokens: Some(tokens), nano_usd: Some(cost) };
    let (cheap, dear, unknown) = (known(10, 100), known(9, 700), Need::default());
    let usd = json!({"name": "x", "usd": 1, "every": "day"});
    let each = json!({"name": "x", "per": ["provider"], "tokens": 1, "every": "day"});
    for (config, needs, candidates, most) in [
        (&usd, [cheap, dear], &[0, 1][..], vec![Some(700)]),
        (&usd, [cheap, dear], &[0], vec![Some(100)]),
        (&usd, [cheap, unknown], &[0, 1], vec![None]),
        (&usd, [cheap, unknown], &[0], vec![Some(100)]),
        (&each, [cheap, dear], &[0, 1], vec![Some(10), Some(9)]),
        (&each, [cheap, unknown], &[0, 1], vec![Some(10), None]),
    ] {
        let claims = claims_of(std::slice::from_ref(config), candidates);
        let found: Vec<Option<u64>> = claims.iter().map(|claim| claim.most(candidates, &needs)).collect();
        assert_eq!(found, most, "{config} {needs:?} {candidates:?}");
    }
}
