use super::{Asked, Content, Decision, Policy, Reason, Verdict};
use crate::a2a::{Named, Operation};
use crate::rule::RuleId;
use crate::subject::{Field, Label, SubjectField};
use serde_json::{Value, json};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

const SEND: Named<'_> = Named::Known(Operation::SendMessage);
const AGENT: SubjectField = SubjectField::Other(Field::Agent);
const TIER: SubjectField = SubjectField::Other(Field::Tier);
const NOTHING: Content<'_> = Content::Read { tenant: None, skill: None };
/// 2026-11-22T11:00:00Z.
const NOON: u64 = 1_795_345_200_000;

fn policy(rules: Value) -> Policy {
    tollgate_config::read(&rules.to_string()).unwrap()
}

/// A message to `billing`.
const fn message() -> Asked<'static> {
    Asked { callee: "billing", operation: &SEND, content: NOTHING, extensions: &[], actors: &[], now_ms: NOON }
}

const fn skill(skill: &str) -> Content<'_> {
    Content::Read { tenant: None, skill: Some(skill) }
}

const fn tenant(tenant: &str) -> Content<'_> {
    Content::Read { tenant: Some(tenant), skill: None }
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn planner(field: SubjectField) -> Option<&'static str> {
    (field == AGENT).then_some("planner")
}

fn labels(texts: &[&str]) -> Vec<Label> {
    texts.iter().map(|text| Label::try_from((*text).to_owned()).unwrap()).collect()
}

/// Verdict, rule and reason.
fn words(decision: &Decision<'_>) -> String {
    let rule = decision.rule.map_or_else(|| "-".to_owned(), |rule| rule.to_string());
    format!("{} {rule} {}", decision.verdict.name(), decision.reason.name())
}

/// What one rule says of what is asked.
fn one(verdict: &str, clause: &Value, asked: &Asked<'_>) -> String {
    words(&policy(json!([{verdict: clause}])).decide(asked, planner))
}

#[test]
fn three_lines_are_a_policy() {
    let policy = policy(json!([
        {"allow": {"agents": ["assistant"], "callees": ["planner", "researcher"]}},
        {"allow": {"agents": ["planner", "researcher"], "callees": ["billing"], "tiers": ["gold"]}},
        {"deny": {"callees": ["*"], "reason": "ask the platform team"}},
    ]));
    for (agent, tier, callee, expected) in [
        (Some("assistant"), None, "planner", "allow #1 rule"),
        (Some("assistant"), Some("gold"), "billing", "deny #3 rule"),
        (Some("planner"), Some("gold"), "billing", "allow #2 rule"),
        (Some("planner"), Some("free"), "billing", "deny #3 rule"),
        (Some("planner"), None, "billing", "deny #3 rule"),
        (Some("Planner"), Some("gold"), "billing", "deny #3 rule"),
        (Some("stranger"), Some("gold"), "billing", "deny #3 rule"),
        (None, Some("gold"), "billing", "deny #3 rule"),
    ] {
        let value_of = |field| match field {
            AGENT => agent,
            TIER => tier,
            _ => None,
        };
        let decision = policy.decide(&Asked { callee, ..message() }, value_of);
        assert_eq!(words(&decision), expected, "{agent:?} {tier:?} {callee}");
        assert_eq!(decision.told, (decision.verdict == Verdict::Deny).then_some("ask the platform team"));
    }
}

#[test]
fn what_no_rule_is_about_is_denied() {
    let nothing = Policy::default();
    let decision = nothing.decide(&message(), planner);
    let denied = Decision { verdict: Verdict::Deny, rule: None, reason: Reason::NoRule, told: None, shadow: None };
    assert_eq!(decision, denied);
    assert!(!nothing.shows("refund", "billing", planner));
}

#[test]
fn a_rule_matches_who_fits_all_that_it_gives() {
    let fields = [
        (AGENT, "agents"),
        (TIER, "tiers"),
        (SubjectField::Key, "keys"),
        (SubjectField::Other(Field::User), "users"),
        (SubjectField::Other(Field::Team), "teams"),
        (SubjectField::Other(Field::Feature), "features"),
        (SubjectField::Other(Field::Environment), "environments"),
    ];
    let mut clause = json!({});
    for (field, name) in fields {
        clause[name] = json!([field.name()]);
    }
    let rules = policy(json!([{"name": "all", "allow": clause}]));
    let all = |field: SubjectField| Some(field.name());
    assert_eq!(words(&rules.decide(&message(), all)), "allow all rule");
    for (without, _) in fields {
        let but_one = |field: SubjectField| Some(field.name()).filter(|_| field != without);
        assert_eq!(words(&rules.decide(&message(), but_one)), "deny - no_rule", "{without:?}");
        let other = |field: SubjectField| Some(if field == without { "other" } else { field.name() });
        assert_eq!(words(&rules.decide(&message(), other)), "deny - no_rule", "{without:?}");
    }
}

#[test]
fn the_first_rule_that_matches_decides_and_shadows_are_only_told() {
    let rules = policy(json!([
        {"name": "later", "shadow": true, "deny": {"callees": ["billing"]}},
        {"name": "never", "shadow": true, "allow": {"callees": ["billing"]}},
        {"allow": {"callees": ["billing"]}},
        {"deny": {}},
    ]));
    let decision = rules.decide(&message(), planner);
    assert_eq!(words(&decision), "allow #3 rule");
    assert_eq!(
        decision.shadow.map(|(rule, verdict)| format!("{rule} {}", verdict.name())).as_deref(),
        Some("later deny")
    );
    assert!(rules.shows("refund", "billing", planner));
}

#[test]
fn an_operation_is_ruled_by_its_name_and_what_a2a_does_not_have_is_allowed_only_where_it_is_written() {
    let known = |operation| Named::Known(operation);
    let other = |name: &'static str| Named::Other(name.into());
    for (verdict, clause, operation, expected) in [
        ("allow", json!({}), known(Operation::CancelTask), "allow #1 rule"),
        ("allow", json!({}), other("skills/list"), "deny - no_rule"),
        ("allow", json!({"callees": ["*"]}), other("GET /skills"), "deny - no_rule"),
        ("allow", json!({"operations": ["Get*"]}), other("skills/list"), "deny - no_rule"),
        ("allow", json!({"operations": ["skills/list"]}), other("skills/list"), "allow #1 rule"),
        ("allow", json!({"operations": ["skills/list"]}), other("Skills/List"), "deny - no_rule"),
        ("allow", json!({"operations": ["GET /skills"]}), other("GET /skills"), "allow #1 rule"),
        ("allow", json!({"operations": ["*"]}), other("skills/list"), "allow #1 rule"),
        ("allow", json!({"operations": ["GetTask"]}), known(Operation::GetTask), "allow #1 rule"),
        ("allow", json!({"operations": ["GetTask"]}), known(Operation::CancelTask), "deny - no_rule"),
        ("deny", json!({}), other("skills/list"), "deny #1 rule"),
        ("deny", json!({"operations": ["skills/*"]}), other("skills/list"), "deny #1 rule"),
        ("deny", json!({"operations": ["skills/*"]}), other("Skills/list"), "deny #1 unclear_name"),
        ("deny", json!({"operations": ["cancelTask"]}), known(Operation::CancelTask), "deny #1 unclear_name"),
    ] {
        assert_eq!(
            one(verdict, &clause, &Asked { operation: &operation, ..message() }),
            expected,
            "{clause} {operation:?}"
        );
    }
    // Nobody has read which skill it declares, if any.
    let clause = json!({"operations": ["*"], "skills": ["refund"]});
    assert_eq!(one("allow", &clause, &Asked { operation: &other("skills/run"), ..message() }), "deny - no_rule");
}

#[test]
fn a_skill_is_asked_of_messages_only() {
    let refund = json!({"skills": ["refund", "invoice_*"]});
    let task = Named::Known(Operation::GetTask);
    for (verdict, operation, content, expected) in [
        ("allow", &SEND, skill("refund"), "allow #1 rule"),
        ("allow", &SEND, skill("invoice_read"), "allow #1 rule"),
        ("allow", &SEND, skill("Refund"), "deny - no_rule"),
        ("allow", &SEND, skill("delete"), "deny - no_rule"),
        ("allow", &SEND, NOTHING, "deny - no_rule"),
        ("allow", &task, NOTHING, "allow #1 rule"),
        ("allow", &task, skill("delete"), "deny - no_rule"),
        ("deny", &SEND, skill("refund"), "deny #1 rule"),
        ("deny", &SEND, skill("Refund"), "deny #1 unclear_name"),
        ("deny", &SEND, skill("delete"), "deny - no_rule"),
        ("deny", &SEND, NOTHING, "deny - no_rule"),
        ("deny", &task, NOTHING, "deny - no_rule"),
        ("deny", &task, skill("refund"), "deny #1 rule"),
    ] {
        let asked = Asked { operation, content, ..message() };
        assert_eq!(one(verdict, &refund, &asked), expected, "{verdict} {operation:?} {content:?}");
    }
}

#[test]
fn a_tenant_is_allowed_only_where_it_is_named() {
    for (verdict, clause, content, expected) in [
        ("allow", json!({}), NOTHING, "allow #1 rule"),
        ("allow", json!({}), tenant("acme"), "deny - no_rule"),
        ("allow", json!({"tenants": ["acme"]}), tenant("acme"), "allow #1 rule"),
        ("allow", json!({"tenants": ["acme"]}), tenant("Acme"), "deny - no_rule"),
        ("allow", json!({"tenants": ["*"]}), NOTHING, "deny - no_rule"),
        ("deny", json!({}), tenant("acme"), "deny #1 rule"),
        ("deny", json!({"tenants": ["acme"]}), tenant("Acme"), "deny #1 unclear_name"),
        ("deny", json!({"tenants": ["acme"]}), tenant("other"), "deny - no_rule"),
        ("deny", json!({"tenants": ["*"]}), NOTHING, "deny - no_rule"),
    ] {
        assert_eq!(one(verdict, &clause, &Asked { content, ..message() }), expected, "{verdict} {clause} {content:?}");
    }
}

#[test]
fn every_extension_must_be_allowed_and_one_suffices_to_deny() {
    for (verdict, clause, extensions, expected) in [
        ("allow", json!({}), &[][..], "allow #1 rule"),
        ("allow", json!({}), &["urn:a"], "deny - no_rule"),
        ("allow", json!({"extensions": ["urn:a", "urn:b/*"]}), &[], "allow #1 rule"),
        ("allow", json!({"extensions": ["urn:a", "urn:b/*"]}), &["urn:a", "urn:b/c"], "allow #1 rule"),
        ("allow", json!({"extensions": ["urn:a", "urn:b/*"]}), &["urn:a", "urn:c"], "deny - no_rule"),
        ("allow", json!({"extensions": ["urn:a"]}), &["URN:a"], "deny - no_rule"),
        ("deny", json!({}), &["urn:a"], "deny #1 rule"),
        ("deny", json!({"extensions": ["urn:a"]}), &[], "deny - no_rule"),
        ("deny", json!({"extensions": ["urn:a"]}), &["urn:c", "urn:a"], "deny #1 rule"),
        ("deny", json!({"extensions": ["urn:a"]}), &["URN:A", "urn:c"], "deny #1 unclear_name"),
        ("deny", json!({"extensions": ["urn:a"]}), &["URN:A", "urn:a"], "deny #1 rule"),
        ("deny", json!({"extensions": ["urn:a"]}), &["urn:c"], "deny - no_rule"),
    ] {
        let asked = Asked { extensions: &texts(extensions), ..message() };
        assert_eq!(one(verdict, &clause, &asked), expected, "{verdict} {clause} {extensions:?}");
    }
}

#[test]
fn who_has_acted_before_can_only_be_a_reason_to_deny() {
    for (actors, expected) in [
        (&[][..], "allow #2 rule"),
        (&["assistant"], "allow #2 rule"),
        (&["assistant", "crawler-7"], "deny #1 rule"),
        (&["Crawler-7"], "deny #1 unclear_name"),
    ] {
        let rules = policy(json!([{"deny": {"actors": ["crawler-*"]}}, {"allow": {}}]));
        let decision = words(&rules.decide(&Asked { actors: &labels(actors), ..message() }, planner));
        assert_eq!(decision, expected, "{actors:?}");
    }
}

#[test]
fn a_callee_that_differs_in_capitals_only_is_denied_and_never_allowed() {
    for (verdict, callee, expected) in [
        ("allow", "billing", "allow #1 rule"),
        ("allow", "Billing", "deny - no_rule"),
        ("deny", "billing", "deny #1 rule"),
        ("deny", "Billing", "deny #1 unclear_name"),
        ("deny", "planner", "deny - no_rule"),
    ] {
        let asked = Asked { callee, ..message() };
        assert_eq!(one(verdict, &json!({"callees": ["billing"]}), &asked), expected, "{verdict} {callee}");
    }
}

#[test]
fn a_rule_holds_at_its_time_of_day_only() {
    let day = json!({"between": {"from": "08:00", "to": "18:00"}});
    assert_eq!(one("allow", &day, &message()), "allow #1 rule");
    let night = Asked { now_ms: NOON.saturating_add(12 * 3_600_000), ..message() };
    assert_eq!(one("allow", &day, &night), "deny - no_rule");
    assert_eq!(one("deny", &day, &message()), "deny #1 rule");
}

#[test]
fn what_nobody_has_read_does_not_escape_a_deny_and_is_allowed_by_no_rule_that_asks_what_it_says() {
    let task = Named::Known(Operation::GetTask);
    for (verdict, clause, operation, expected) in [
        ("allow", json!({"callees": ["billing"]}), &SEND, "allow #1 rule"),
        ("allow", json!({"skills": ["*"]}), &SEND, "deny - no_rule"),
        ("allow", json!({"skills": ["*"]}), &task, "allow #1 rule"),
        ("allow", json!({"tenants": ["*"]}), &task, "deny - no_rule"),
        ("deny", json!({"skills": ["refund"]}), &SEND, "deny #1 unread"),
        ("deny", json!({"skills": ["refund"]}), &task, "deny - no_rule"),
        ("deny", json!({"tenants": ["acme"]}), &task, "deny #1 unread"),
        ("deny", json!({"extensions": ["urn:a"]}), &SEND, "deny #1 unread"),
        ("deny", json!({"skills": ["refund"], "callees": ["planner"]}), &SEND, "deny - no_rule"),
    ] {
        let asked = Asked { operation, content: Content::Unread, ..message() };
        assert_eq!(one(verdict, &clause, &asked), expected, "{verdict} {clause} {operation:?}");
    }
}

#[test]
fn a_card_shows_a_skill_that_some_message_may_declare() {
    for (rules, shown) in [
        (json!([{"allow": {"callees": ["billing"]}}]), true),
        (json!([{"allow": {"callees": ["planner"]}}]), false),
        (json!([{"allow": {"agents": ["assistant"]}}]), false),
        (json!([{"allow": {"skills": ["refund"]}}]), true),
        (json!([{"allow": {"skills": ["invoice"]}}]), false),
        (json!([{"allow": {"operations": ["GetTask"]}}]), false),
        (json!([{"allow": {"operations": ["SendStreamingMessage"]}}]), true),
        (json!([{"deny": {"operations": ["SendMessage"]}}, {"allow": {}}]), true),
        (json!([{"deny": {"operations": ["Send*"]}}, {"allow": {}}]), false),
        (json!([{"deny": {"skills": ["REFUND"]}}, {"allow": {}}]), false),
        (json!([{"deny": {"tiers": ["free"]}}, {"allow": {}}]), true),
        // It may be another tenant, another time, without that extension.
        (json!([{"deny": {"tenants": ["acme"]}}, {"allow": {}}]), true),
        (json!([{"deny": {"extensions": ["*"]}}, {"allow": {}}]), true),
        (json!([{"deny": {"actors": ["*"]}}, {"allow": {}}]), true),
        (json!([{"deny": {"between": {"from": "00:00", "to": "23:59"}}}, {"allow": {}}]), true),
        (json!([{"allow": {"tenants": ["acme"], "between": {"from": "08:00", "to": "18:00"}}}]), true),
        (json!([{"allow": {"extensions": ["urn:a"]}}]), true),
        (json!([{"shadow": true, "allow": {}}]), false),
        (json!([{"shadow": true, "deny": {}}, {"allow": {}}]), true),
    ] {
        assert_eq!(policy(rules.clone()).shows("refund", "billing", planner), shown, "{rules}");
    }
}

#[test]
fn what_makes_no_rule_is_told() {
    for (rules, message) in [
        (json!([{}]), "[0]: a rule must have exactly one of `allow` and `deny`"),
        (json!([{"allow": {}, "deny": {}}]), "[0]: a rule must have exactly one of `allow` and `deny`"),
        (json!([{"deny": {}}, {"confirm": {}}]), "[1].confirm: unknown field `confirm`"),
        (json!([{"allow": {"agent": ["a"]}}]), "[0].allow.agent: unknown field `agent`"),
        (json!([{"allow": {"agents": []}}]), "[0].allow.agents: must have a pattern"),
        (json!([{"allow": {"agents": "a"}}]), "[0].allow.agents: invalid type: string"),
        (json!([{"allow": {"actors": ["a"]}}]), "[0]: `actors` are only for `deny`: that somebody has acted before"),
        (
            json!([{"deny": {"operations": ["tasks/cancel"]}}]),
            "`tasks/cancel` under the name of version 0.3, expected `CancelTask`",
        ),
        (json!([{"deny": {"operations": ["Message/*"]}}]), "`message/send` under the name of version 0.3"),
        (json!([{"deny": {"reason": "x".repeat(201)}}]), "[0]: `reason` must not be longer"),
        (json!([{"deny": {"between": {"from": "08:00", "to": "08:00"}}}]), "[0].deny.between: `from` and `to`"),
        (json!([{"name": "a", "deny": {}}, {"name": "a", "allow": {}}]), "two rules have the same name"),
        (json!([{"name": "a;b", "deny": {}}]), "[0].name: must not have the character `;`"),
    ] {
        let error = tollgate_config::read::<Policy>(&rules.to_string()).unwrap_err().to_string();
        assert!(error.contains(message), "{rules}: {error}");
    }
    policy(json!([{"deny": {"operations": ["*"]}}, {"allow": {"operations": ["*Task*", "skills/list"]}}]));
}

#[test]
fn the_schema_states_what_a_rule_is() {
    let schema = schemars::schema_for!(Policy).to_value();
    let pointer = |pointer: &str| schema.pointer(pointer).cloned();
    assert_eq!(pointer("/type"), Some("array".into()));
    assert_eq!(pointer("/$defs/Rule/additionalProperties"), Some(false.into()));
    assert_eq!(pointer("/$defs/Clause/additionalProperties"), Some(false.into()));
}

/// There is no randomness for proptest on wasm32 without an operating system.
#[cfg(not(target_arch = "wasm32"))]
mod properties {
    use super::*;
    use proptest::prelude::*;

    fn patterns() -> impl Strategy<Value = Value> {
        proptest::collection::vec("[abA*]{1,2}", 1..3).prop_map(Value::from)
    }

    fn rule() -> impl Strategy<Value = Value> {
        let field = prop_oneof!["agents", "callees", "skills", "tenants", "extensions", "actors"].boxed();
        let operation = prop_oneof!["Send[*]", "[GC][*]Task", "sendmessage", "[bA]{1,2}", Just("*".to_owned())];
        let operations = proptest::collection::vec(operation, 1..3).prop_map(Value::from);
        let one = prop_oneof![4 => (field, patterns()), 1 => (Just("operations".to_owned()), operations)];
        let clause = proptest::collection::vec(one, 0..3)
            .prop_map(|given| given.into_iter().collect::<serde_json::Map<String, Value>>());
        (any::<bool>(), any::<bool>(), clause).prop_map(|(allows, shadow, mut clause)| {
            if allows {
                clause.remove("actors");
            }
            json!({if allows { "allow" } else { "deny" }: clause, "shadow": shadow})
        })
    }

    #[derive(Debug)]
    struct Question {
        agent: String,
        callee: String,
        operation: Named<'static>,
        tenant: Option<String>,
        skill: Option<String>,
        is_read: bool,
        extensions: Vec<String>,
        actors: Vec<Label>,
    }

    impl Question {
        fn of<'p>(&self, policy: &'p Policy) -> Decision<'p> {
            let read = Content::Read { tenant: self.tenant.as_deref(), skill: self.skill.as_deref() };
            let asked = Asked {
                callee: &self.callee,
                operation: &self.operation,
                content: if self.is_read { read } else { Content::Unread },
                extensions: &self.extensions,
                actors: &self.actors,
                now_ms: NOON,
            };
            policy.decide(&asked, |field| (field == AGENT).then_some(self.agent.as_str()))
        }
    }

    fn question() -> impl Strategy<Value = Question> {
        let name = || "[abA]{1,2}";
        let names = || proptest::collection::vec("[abA]{1,2}", 0..3);
        let operation = prop_oneof![
            4 => Just(SEND),
            2 => (0..Operation::ALL.len()).prop_map(|at| Named::Known(Operation::ALL[at])),
            1 => name().prop_map(|name| Named::Other(name.into())),
        ];
        let option = proptest::option::of;
        let all = (name(), name(), operation, option(name()), option(name()), any::<bool>(), names(), names());
        all.prop_map(|(agent, callee, operation, tenant, skill, is_read, extensions, actors)| Question {
            agent,
            callee,
            operation,
            tenant,
            skill,
            is_read,
            extensions,
            actors: actors.into_iter().map(|actor| Label::try_from(actor).unwrap()).collect(),
        })
    }

    fn said<'p>(decision: &Decision<'p>) -> (Verdict, Reason, Option<&'p str>) {
        (decision.verdict, decision.reason, decision.told)
    }

    proptest! {
        #[test]
        fn the_first_rule_that_would_decide_alone_decides(
            rules in proptest::collection::vec(rule(), 0..6), question in question(),
        ) {
            let all = policy(Value::from(rules.clone()));
            let decision = question.of(&all);
            let alone: Vec<Policy> = rules.iter().map(|rule| policy(json!([rule]))).collect();
            let first = alone.iter().map(|rule| question.of(rule)).enumerate().find(|(_, alone)| alone.rule.is_some());
            match first {
                Some((at, first)) => {
                    prop_assert_eq!(decision.rule.unwrap().to_string(), RuleId::Place(at.saturating_add(1)).to_string());
                    prop_assert_eq!(said(&decision), said(&first));
                }
                None => prop_assert_eq!(words(&decision), "deny - no_rule"),
            }
        }

        #[test]
        fn a_rule_in_shadow_changes_no_verdict_and_no_card(
            rules in proptest::collection::vec(rule(), 0..6), mut shadow in rule(), at in 0..6_usize, question in question(),
        ) {
            shadow["shadow"] = true.into();
            let without = policy(Value::from(rules.clone()));
            let mut with = rules;
            with.insert(at.min(with.len()), shadow);
            let with = policy(Value::from(with));
            prop_assert_eq!(said(&question.of(&with)), said(&question.of(&without)));
            let shown = |policy: &Policy| policy.shows("a", &question.callee, planner);
            prop_assert_eq!(shown(&with), shown(&without));
        }

        #[test]
        fn a_message_that_is_allowed_has_its_skill_on_the_card(
            rules in proptest::collection::vec(rule(), 0..6), question in question(),
        ) {
            let rules = policy(Value::from(rules));
            let sends = matches!(question.operation, Named::Known(operation) if operation.sends());
            if let (true, true, Some(skill)) = (sends, question.is_read, &question.skill) {
                let value_of = |field| (field == AGENT).then_some(question.agent.as_str());
                let shown = rules.shows(skill, &question.callee, value_of);
                prop_assert!(shown || question.of(&rules).verdict == Verdict::Deny);
            }
        }
    }
}
