use super::Context;
use crate::example::{NOON, asked, caller, gate};
use crate::exchange::{Asked, Decided};
use crate::refusal::Refusal;
use serde_json::{Value, json};
use tollgate_kernel::a2a::{Named, Operation};
use tollgate_kernel::subject::{Label, Subject};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

fn decide(rules: &Value, callee: &str, asked: &Asked) -> (Decided, Result<(), Refusal>) {
    let gate = gate(&json!({ "rules": rules }));
    let callee = gate.agents.named(callee).unwrap();
    let caller = caller();
    Context { gate: &gate, callee, caller: &caller, token: None, now_ms: NOON / 1_000_000 }.decide(asked)
}

#[test]
fn three_lines_are_a_policy_and_every_decision_names_its_line() {
    let rules = json!([
        {"allow": {"agents": ["assistant"], "callees": ["planner"]}},
        {"name": "gold", "allow": {"agents": ["assistant"], "callees": ["researcher"], "tiers": ["silver"]}},
        {"deny": {"callees": ["billing"], "reason": "ask the platform team"}},
    ]);
    for (callee, verdict, rule, reason) in [
        ("planner", "allow", Some("rules.#1"), "rule"),
        ("researcher", "deny", None, "no_rule"),
        ("billing", "deny", Some("rules.#3"), "rule"),
    ] {
        let (decided, outcome) = decide(&rules, callee, &asked(Operation::SendMessage));
        assert_eq!((decided.verdict, decided.rule.as_deref(), decided.reason), (verdict, rule, reason), "{callee}");
        assert_eq!(outcome.is_ok(), verdict == "allow");
    }
    let (_, outcome) = decide(&rules, "billing", &asked(Operation::SendMessage));
    let Err(Refusal::Denied(denied)) = outcome else { panic!("{outcome:?}") };
    assert_eq!(denied.message(), "refused by policy: rule=rules.#3 reason=rule; ask the platform team");
}

#[test]
fn who_acted_before_is_a_reason_to_refuse_and_never_one_to_allow() {
    let gate = gate(&json!({"rules": [
        {"deny": {"actors": ["crawler"]}},
        {"allow": {"agents": ["assistant"], "callees": ["planner"]}},
        {"allow": {"agents": ["admin"]}},
    ]}));
    for (chain, callee, allowed) in [
        (&[][..], "planner", true),
        (&["admin"], "planner", true),
        (&["admin", "crawler"], "planner", false),
        (&["admin"], "billing", false),
    ] {
        let chain = chain.iter().map(|name| Label::try_from((*name).to_owned()).unwrap()).collect();
        let caller = caller().acting(&Subject::default(), chain).unwrap();
        let callee = gate.agents.named(callee).unwrap();
        let context = Context { gate: &gate, callee, caller: &caller, token: None, now_ms: NOON / 1_000_000 };
        let (_, outcome) = context.decide(&asked(Operation::SendMessage));
        assert_eq!(outcome.is_ok(), allowed, "{caller:?}");
    }
}

#[test]
fn a_rule_in_shadow_is_told_and_decides_nothing() {
    let rules = json!([
        {"name": "later", "deny": {"callees": ["planner"]}, "shadow": true},
        {"allow": {"callees": ["planner"]}},
    ]);
    let (decided, outcome) = decide(&rules, "planner", &asked(Operation::GetTask));
    assert!(outcome.is_ok());
    assert_eq!(decided.shadow, Some(("rules.later".to_owned(), "deny")));
}

#[test]
fn what_a2a_does_not_have_is_denied_unless_it_is_listed() {
    let unknown = Asked { operation: Named::Other("skills/list".into()), ..asked(Operation::GetTask) };
    let (_, outcome) = decide(&json!([{"allow": {"callees": ["*"]}}]), "planner", &unknown);
    assert!(outcome.is_err());
    let listed = json!([{"allow": {"callees": ["*"], "operations": ["skills/list"]}}]);
    assert!(decide(&listed, "planner", &unknown).1.is_ok());
}
