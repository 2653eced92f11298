use super::{
    Annotations, Approval, Arguments, Asked, Attribute, Decision, Object, Policy, Reason, RuleId, Scope, Verdict,
};
use crate::json::{Document, Limits};
use crate::provenance::{Asker, Note};
use crate::subject::{Field, Subject, SubjectField};
use serde_json::{Value, json};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

const LIMITS: Limits = Limits { bytes: 1 << 16, nodes: 1000 };
const KEY: Attribute = Attribute::Subject(SubjectField::Key);
const USER: Attribute = Attribute::Subject(SubjectField::Other(Field::User));
const TEAM: Attribute = Attribute::Subject(SubjectField::Other(Field::Team));
const FEATURE: Attribute = Attribute::Subject(SubjectField::Other(Field::Feature));
const ENVIRONMENT: Attribute = Attribute::Subject(SubjectField::Other(Field::Environment));
const TIER: Attribute = Attribute::Subject(SubjectField::Other(Field::Tier));
const AGENT: Attribute = Attribute::Subject(SubjectField::Other(Field::Agent));
/// 2026-11-22T11:00:00Z.
const NOON: u64 = 1_795_345_200_000;

fn policy(rules: Value) -> Policy {
    tollgate_config::read(&rules.to_string()).unwrap()
}

const fn tool(name: &str) -> Object<'_> {
    Object::Tool(name, Annotations { destructive: None, read_only: None, trusted: false })
}

const fn asked(object: Object<'_>) -> Asked<'_, 'static, 'static> {
    Asked {
        method: "tools/call",
        acts: true,
        object,
        arguments: Arguments::These(None),
        noted: &[],
        scopes: &[],
        now_ms: NOON,
    }
}

fn nobody(_: Attribute) -> Option<&'static str> {
    None
}

/// The verdict on a call of `t` with these arguments.
fn with_arguments(rules: &Value, arguments: &str) -> (&'static str, Reason) {
    let document = Document::read(arguments.as_bytes(), LIMITS).unwrap();
    let policy = policy(rules.clone());
    let arguments = Arguments::These(Some(document.root()));
    let decision = policy.decide(&Asked { arguments, ..asked(tool("t")) }, nobody);
    (decision.verdict.name(), decision.reason)
}

#[test]
fn three_lines_are_a_policy() {
    let policy = policy(json!([
        {"allow": {"tools": ["*.read_*", "*.search"], "teams": ["support"]}},
        {"confirm": {"tools": ["database.delete_row"], "by": "approver", "approvers": {"teams": ["dba"]}, "within": "10m"}},
        {"deny": {"tools": ["*"], "reason": "ask the platform team"}},
    ]));
    for (team, name, verdict, rule) in [
        (Some("support"), "database.read_row", "allow", "#1"),
        (Some("support"), "wiki.search", "allow", "#1"),
        (Some("support"), "wiki.search2", "deny", "#3"),
        (Some("finance"), "database.read_row", "deny", "#3"),
        (None, "database.read_row", "deny", "#3"),
        (Some("support"), "database.delete_row", "confirm", "#2"),
        (None, "database.delete_row", "confirm", "#2"),
        (Some("support"), "database.drop_table", "deny", "#3"),
    ] {
        let value_of = |attribute| team.filter(|_| attribute == TEAM);
        let decision = policy.decide(&asked(tool(name)), value_of);
        assert_eq!(
            (decision.verdict.name(), decision.rule.unwrap().to_string().as_str()),
            (verdict, rule),
            "{team:?} {name}"
        );
        assert_eq!(decision.told, (rule == "#3").then_some("ask the platform team"));
        assert_eq!((decision.reason, decision.shadow), (Reason::Rule, None));
    }
    let Verdict::Confirm(confirm) = policy.decide(&asked(tool("database.delete_row")), nobody).verdict else {
        panic!()
    };
    assert_eq!(confirm.within_s, 600);
    for (team, may) in [(Some("dba"), true), (Some("support"), false), (None, false)] {
        assert_eq!(confirm.by.may_be_given(|attribute| team.filter(|_| attribute == TEAM)), may, "{team:?}");
    }
    let prompt = policy.decide(&asked(Object::Prompt("x")), nobody);
    assert_eq!((prompt.verdict, prompt.rule, prompt.reason), (Verdict::Deny, None, Reason::NoRule));
}

#[test]
fn a_name_that_some_servers_take_for_another_neither_is_allowed_nor_escapes_a_rule_that_refuses() {
    for (rules, verdict, reason) in [
        (json!([{"allow": {"tools": ["a.search"]}}]), "deny", Reason::NoRule),
        (json!([{"deny": {"tools": ["a.search"]}}, {"allow": {"tools": ["*"]}}]), "deny", Reason::UnclearName),
        (
            json!([{"confirm": {"tools": ["a.s*"], "by": "caller"}}, {"allow": {"tools": ["*"]}}]),
            "deny",
            Reason::UnclearName,
        ),
        (json!([{"deny": {"tools": ["a.find"]}}, {"allow": {"tools": ["*"]}}]), "allow", Reason::Rule),
    ] {
        let policy = policy(rules);
        let decision = policy.decide(&asked(tool("a.Search")), nobody);
        assert_eq!((decision.verdict.name(), decision.reason), (verdict, reason), "{policy:?}");
    }
}

#[test]
fn what_no_rule_is_about_is_denied_if_it_acts() {
    let nothing = Policy::default();
    let decision = nothing.decide(&asked(tool("t")), nobody);
    let denied = Decision {
        verdict: Verdict::Deny,
        rule: None,
        reason: Reason::NoRule,
        told: None,
        prompts: None,
        shadow: None,
        lacks: None,
    };
    assert_eq!(decision, denied);
    let list = Asked { method: "tools/list", acts: false, ..asked(Object::Nothing) };
    assert_eq!(nothing.decide(&list, nobody).reason, Reason::NotRuled);
    let deny = policy(json!([{"deny": {"methods": ["tools/*"]}}]));
    assert_eq!(deny.decide(&list, nobody).verdict, Verdict::Deny);
    // Rules of tools say nothing of lists.
    let deny = policy(json!([{"deny": {"tools": ["*"]}}]));
    assert_eq!(deny.decide(&list, nobody).verdict, Verdict::Allow);
}

#[test]
fn a_rule_matches_what_fits_all_that_it_gives() {
    let clause = json!({
        "tools": ["a*"], "prompts": ["p"], "resources": ["file:///public/*"], "servers": ["db"], "keys": ["k"], "users": ["u"],
        "teams": ["t"], "features": ["f"], "environments": ["e"], "tiers": ["gold", "silver"], "agents": ["spiffe://x/*"]
    });
    let policy = policy(json!([{"name": "all", "allow": clause}]));
    let value_of = |without: Option<Attribute>| {
        move |attribute| {
            let value = match attribute {
                Attribute::Server => "db",
                KEY => "k",
                USER => "u",
                TEAM => "t",
                FEATURE => "f",
                ENVIRONMENT => "e",
                TIER => "silver",
                AGENT => "spiffe://x/y",
            };
            Some(value).filter(|_| Some(attribute) != without)
        }
    };
    for (object, verdict) in [
        (tool("ab"), "allow"),
        (tool("b"), "deny"),
        (tool("p"), "deny"),
        (Object::Prompt("p"), "allow"),
        (Object::Prompt("ab"), "deny"),
        (Object::Resource("file:///public/x"), "allow"),
        (Object::Resource("file:///private/x"), "deny"),
        (Object::Nothing, "deny"),
    ] {
        let decision = policy.decide(&asked(object), value_of(None));
        assert_eq!(decision.verdict.name(), verdict, "{object:?}");
        if verdict == "allow" {
            assert_eq!(decision.rule.unwrap().to_string(), "all");
        }
    }
    for without in [Attribute::Server, KEY, USER, TEAM, FEATURE, ENVIRONMENT, TIER, AGENT] {
        assert_eq!(policy.decide(&asked(tool("a")), value_of(Some(without))).verdict, Verdict::Deny, "{without:?}");
    }
}

#[test]
fn the_first_rule_that_matches_decides_and_shadows_are_only_told() {
    let policy = policy(json!([
        {"name": "later", "shadow": true, "deny": {"tools": ["b"]}},
        {"shadow": true, "allow": {"tools": ["c"]}},
        {"shadow": true, "deny": {"tools": ["*"]}},
        {"allow": {"tools": ["a", "b"]}},
        {"deny": {"tools": ["a"]}},
    ]));
    for (name, verdict, rule, shadow) in [
        ("a", "allow", Some("#4"), ("#3", "deny")),
        ("b", "allow", Some("#4"), ("later", "deny")),
        ("c", "deny", None, ("#2", "allow")),
        ("d", "deny", None, ("#3", "deny")),
    ] {
        let decision = policy.decide(&asked(tool(name)), nobody);
        assert_eq!(decision.verdict.name(), verdict, "{name}");
        assert_eq!(decision.rule.map(|id| id.to_string()).as_deref(), rule, "{name}");
        let (id, told) = decision.shadow.unwrap();
        assert_eq!((id.to_string().as_str(), told.name()), shadow, "{name}");
    }
}

#[test]
fn arguments_are_what_a_rule_says_or_it_does_not_allow() {
    let condition = |condition: Value| json!([{"allow": {"tools": ["t"], "arguments": {"/a": condition}}}]);
    for (rule, allowed, others) in [
        (
            json!({"equals": "users"}),
            &[r#"{"a":"users"}"#, r#"{"\u0061":"us\u0065rs","b":1}"#][..],
            &[
                r#"{"a":"Users"}"#,
                "{}",
                r#"{"a":null}"#,
                r#"{"a":["users"]}"#,
                r#"{"a":{"users":1}}"#,
                r#"{"A":"users"}"#,
                r#"{"a":"users","A":"x"}"#,
            ][..],
        ),
        (
            json!({"equals": 1}),
            &[r#"{"a":1}"#, r#"{"a":1.0}"#, r#"{"a":10e-1}"#],
            &[r#"{"a":"1"}"#, r#"{"a":true}"#, r#"{"a":1.0000000000000000001}"#],
        ),
        (json!({"equals": -0.5}), &[r#"{"a":-0.50}"#], &[r#"{"a":0.5}"#]),
        (json!({"equals": 1e300}), &[r#"{"a":1e300}"#], &[r#"{"a":1e299}"#]),
        (json!({"equals": 9_007_199_254_740_993_u64}), &[r#"{"a":9007199254740993}"#], &[r#"{"a":9007199254740992}"#]),
        (json!({"equals": false}), &[r#"{"a":false}"#], &[r#"{"a":0}"#, r#"{"a":"false"}"#, r#"{"a":true}"#]),
        (json!({"one_of": ["x", 2]}), &[r#"{"a":"x"}"#, r#"{"a":2}"#], &[r#"{"a":"2"}"#, r#"{"a":["x",2]}"#]),
        (
            json!({"glob": ["user_*"]}),
            &[r#"{"a":"user_1"}"#, r#"{"a":"user_"}"#],
            &[r#"{"a":"users"}"#, r#"{"a":["user_1"]}"#, r#"{"a":1}"#],
        ),
        (
            json!({"glob": ["*"], "max_length": 3}),
            &[r#"{"a":"äöü"}"#, r#"{"a":""}"#],
            &[r#"{"a":"abcd"}"#, r#"{"a":[]}"#],
        ),
        (json!({"min_length": 1}), &[r#"{"a":"x"}"#], &[r#"{"a":""}"#, r#"{"a":["x"]}"#]),
        (
            json!({"max": 500}),
            &[r#"{"a":500}"#, r#"{"a":-1e9}"#, r#"{"a":5e2}"#],
            &[r#"{"a":500.00000000000000000001}"#, r#"{"a":"1"}"#, r#"{"a":[1]}"#, r#"{"a":1e30}"#],
        ),
        (
            json!({"min": 0, "max": 1.5}),
            &[r#"{"a":0}"#, r#"{"a":-0.0}"#, r#"{"a":1.5}"#],
            &[r#"{"a":-0.1}"#, r#"{"a":1.51}"#],
        ),
    ] {
        let rules = condition(rule);
        for arguments in allowed {
            assert_eq!(with_arguments(&rules, arguments).0, "allow", "{rules} {arguments}");
        }
        for arguments in others {
            assert_eq!(with_arguments(&rules, arguments).0, "deny", "{rules} {arguments}");
        }
        let without = policy(rules.clone());
        assert_eq!(without.decide(&asked(tool("t")), nobody).verdict, Verdict::Deny, "{rules}");
    }
}

#[test]
fn an_argument_of_another_type_neither_allows_nor_escapes_a_deny_nor_is_confirmed() {
    let deny =
        json!([{"deny": {"tools": ["t"], "arguments": {"/a": {"equals": "users"}}}}, {"allow": {"tools": ["t"]}}]);
    let ask = json!([
        {"confirm": {"tools": ["t"], "by": "caller", "arguments": {"/a": {"max": 5}}}},
        {"allow": {"tools": ["t"]}},
    ]);
    for (rules, arguments, verdict, reason) in [
        (&deny, r#"{"a":"users"}"#, "deny", Reason::Rule),
        (&deny, r#"{"a":"other"}"#, "allow", Reason::Rule),
        (&deny, r#"{"a":null}"#, "allow", Reason::Rule),
        (&deny, "{}", "allow", Reason::Rule),
        (&deny, r#"{"a":["users"]}"#, "deny", Reason::UnclearArgument),
        (&deny, r#"{"a":5}"#, "deny", Reason::UnclearArgument),
        (&deny, r#"{"A":"users"}"#, "deny", Reason::UnclearArgument),
        (&deny, r#"{"a":"other","A":"users"}"#, "deny", Reason::UnclearArgument),
        (&ask, r#"{"a":5}"#, "confirm", Reason::Rule),
        (&ask, r#"{"a":6}"#, "allow", Reason::Rule),
        (&ask, r#"{"a":"5"}"#, "deny", Reason::UnclearArgument),
        (&ask, r#"{"a":[5]}"#, "deny", Reason::UnclearArgument),
    ] {
        assert_eq!(with_arguments(rules, arguments), (verdict, reason), "{rules} {arguments}");
    }
    // A condition that is certainly not met makes it certain.
    let two =
        json!([{"deny": {"arguments": {"/a": {"equals": "x"}, "/b": {"equals": 1}}}}, {"allow": {"tools": ["t"]}}]);
    assert_eq!(with_arguments(&two, r#"{"a":["x"],"b":2}"#).0, "allow");
    assert_eq!(with_arguments(&two, r#"{"a":["x"],"b":1}"#).0, "deny");
}

#[test]
fn lists_show_what_some_arguments_would_be_allowed_for() {
    let rules = policy(json!([
        {"deny": {"tools": ["a", "b"], "arguments": {"/x": {"equals": 1}}}},
        {"allow": {"tools": ["a"], "arguments": {"/x": {"equals": 2}}}},
        {"confirm": {"tools": ["b"], "by": "caller"}},
        {"deny": {"tools": ["c"]}},
    ]));
    for (name, verdict) in [("a", "allow"), ("b", "confirm"), ("c", "deny"), ("d", "deny")] {
        let listed = Asked { arguments: Arguments::Any, ..asked(tool(name)) };
        assert_eq!(rules.decide(&listed, nobody).verdict.name(), verdict, "{name}");
    }
}

#[test]
fn what_a_server_says_of_its_tool_allows_nothing_unless_it_is_trusted() {
    let allow = json!([{"allow": {"annotations": {"read_only": true}}}]);
    let confirm =
        json!([{"confirm": {"annotations": {"destructive": true}, "by": "caller"}}, {"allow": {"tools": ["*"]}}]);
    let stricter = json!([{"deny": {"annotations": {"read_only": true}}}, {"allow": {"tools": ["*"]}}]);
    for (rules, destructive, read_only, trusted, verdict) in [
        (&allow, None, Some(true), true, "allow"),
        (&allow, None, Some(true), false, "deny"),
        (&allow, None, Some(false), true, "deny"),
        (&allow, None, None, true, "deny"),
        (&confirm, Some(true), None, false, "confirm"),
        (&confirm, Some(true), None, true, "confirm"),
        (&confirm, None, None, false, "confirm"),
        (&confirm, Some(false), None, false, "confirm"),
        (&confirm, None, Some(true), false, "confirm"),
        (&confirm, Some(false), None, true, "allow"),
        (&stricter, None, Some(true), false, "deny"),
        (&confirm, Some(true), Some(true), true, "allow"),
    ] {
        let annotations = Annotations { destructive, read_only, trusted };
        let decided = policy(rules.clone()).decide(&asked(Object::Tool("t", annotations)), nobody).verdict.name();
        assert_eq!(decided, verdict, "{rules} {annotations:?}");
    }
    assert_eq!(policy(allow).decide(&asked(Object::Prompt("t")), nobody).verdict, Verdict::Deny);
}

#[test]
fn a_rule_holds_at_its_time_of_day() {
    const HOUR: u64 = 3_600_000;
    for (between, at, allowed) in [
        (json!({"from": "08:00", "to": "18:00"}), NOON, true),
        (json!({"from": "11:00", "to": "11:01"}), NOON, true),
        (json!({"from": "10:00", "to": "11:00"}), NOON, false),
        (json!({"from": "10:00", "to": "11:00"}), NOON - 1, true),
        (json!({"from": "12:00", "to": "13:00", "utc_offset": "+01:00"}), NOON, true),
        (json!({"from": "22:00", "to": "06:00"}), NOON, false),
        (json!({"from": "22:00", "to": "06:00"}), NOON + 12 * HOUR, true),
        (json!({"from": "22:00", "to": "06:00"}), NOON + 18 * HOUR, true),
        (json!({"from": "22:00", "to": "06:00"}), NOON + 19 * HOUR, false),
        (json!({"from": "00:00", "to": "24:00"}), NOON + 13 * HOUR, true),
        (json!({"from": "23:00", "to": "24:00", "utc_offset": "-12:00"}), NOON, true),
        (json!({"from": "00:00", "to": "24:00"}), u64::MAX, true),
    ] {
        let policy = policy(json!([{"allow": {"between": between}}]));
        let verdict = policy.decide(&Asked { now_ms: at, ..asked(tool("t")) }, nobody).verdict;
        assert_eq!(verdict == Verdict::Allow, allowed, "{between} {at}");
    }
}

#[test]
fn what_is_no_policy_is_told() {
    for (rule, message) in [
        (json!({}), "a rule must have exactly one of"),
        (json!({"allow": {}, "deny": {}}), "a rule must have exactly one of"),
        (json!({"allow": {"tool": ["x"]}}), "unknown field `tool`"),
        (json!({"allow": {}, "when": 1}), "unknown field `when`"),
        (json!({"allow": {"tools": []}}), "must have a pattern"),
        (json!({"allow": {"tools": "x"}}), "invalid type: string, expected a sequence"),
        (json!({"allow": {"by": "caller"}}), "`by`, `approvers` and `within` are only"),
        (json!({"deny": {"within": "1m"}}), "`by`, `approvers` and `within` are only"),
        (json!({"confirm": {}}), "`confirm` must say `by`"),
        (json!({"confirm": {"by": "boss"}}), "unknown variant `boss`"),
        (json!({"confirm": {"by": "approver"}}), "`approvers` with"),
        (json!({"confirm": {"by": "approver", "approvers": {}}}), "`approvers` with"),
        (json!({"confirm": {"by": "caller", "approvers": {"teams": ["a"]}}}), "`approvers` with"),
        (json!({"confirm": {"by": "caller", "within": "10"}}), "found `10`, expected up to 7 days"),
        (json!({"confirm": {"by": "caller", "within": "0m"}}), "found `0m`"),
        (json!({"confirm": {"by": "caller", "within": "169h"}}), "found `169h`"),
        (json!({"confirm": {"by": "caller", "within": "+1m"}}), "found `+1m`"),
        (json!({"confirm": {"by": "caller", "within": "é"}}), "found `é`"),
        (json!({"allow": {"arguments": {"a": {"equals": 1}}}}), "expected a JSON pointer"),
        (json!({"allow": {"arguments": {"/a": {}}}}), "an argument must have exactly one of"),
        (json!({"allow": {"arguments": {"/a": {"equals": 1, "max": 2}}}}), "an argument must have exactly one of"),
        (json!({"allow": {"arguments": {"/a": {"glob": ["x"], "min": 2}}}}), "an argument must have exactly one of"),
        (json!({"allow": {"arguments": {"/a": {"one_of": []}}}}), "an argument must have exactly one of"),
        (
            json!({"allow": {"arguments": {"/a": {"min_length": 3, "max_length": 2}}}}),
            "an argument must have exactly one of",
        ),
        (json!({"allow": {"arguments": {"/a": {"equals": ["x"]}}}}), "invalid type: sequence"),
        (json!({"allow": {"arguments": {"/a": {"min": "x"}}}}), "invalid type: string, expected a number"),
        (json!({"allow": {"arguments": {"/a": {"min": true}}}}), "invalid type: boolean `true`, expected a number"),
        (json!({"allow": {"arguments": {"/a": {"regex": "x"}}}}), "unknown field `regex`"),
        (json!({"allow": {"between": {"from": "8:00", "to": "18:00"}}}), "found `8:00`, expected a time of day"),
        (json!({"allow": {"between": {"from": "24:01", "to": "18:00"}}}), "found `24:01`"),
        (json!({"allow": {"between": {"from": "08:60", "to": "18:00"}}}), "found `08:60`"),
        (json!({"allow": {"between": {"from": "08:00", "to": "08:00"}}}), "`from` and `to` must be different"),
        (json!({"deny": {"reason": "x".repeat(201)}}), "`reason` must not be longer"),
        (json!({"name": "a;b", "deny": {}}), "must not have the character"),
    ] {
        let error = tollgate_config::read::<Policy>(&json!([rule]).to_string()).unwrap_err().to_string();
        assert!(error.starts_with("[0]") && error.contains(message), "{rule}: {error}");
    }
    let twice = json!([{"name": "a", "deny": {}}, {"name": "a", "deny": {}}]);
    assert_eq!(
        tollgate_config::read::<Policy>(&twice.to_string()).unwrap_err().to_string(),
        "two rules have the same name"
    );
}

#[test]
fn faults_of_rules_say_where() {
    for (json, message) in [
        (r#"[{"allow": {"tools": []}}]"#, "[0].allow.tools: must have a pattern, for example `[\"gpt-*\"]`"),
        (
            r#"[{"allow": {}}, {"allow": {"arguments": {"/a": {"max": "x"}}}}]"#,
            "[1].allow.arguments./a.max: invalid type: string, expected a number",
        ),
        (
            r#"[{"allow": {"arguments": {"/a": {"equals": {}}}}}]"#,
            "[0].allow.arguments./a.equals: invalid type: map, expected a string, a number or a boolean",
        ),
        (r#"[{"confirm": {"by": "boss"}}]"#, "[0].confirm.by: unknown variant `boss`, expected `caller` or `approver`"),
        (r#"[{"allow": {}, "deny": {}}]"#, "[0]: a rule must have exactly one of `allow`, `confirm` and `deny`"),
    ] {
        assert_eq!(tollgate_config::read::<Policy>(json).unwrap_err().to_string(), message, "{json}");
    }
}

#[test]
fn only_an_approver_can_say_yes_for_somebody_else() {
    assert!(!Approval::Caller.may_be_given(|_| Some("x")));
    let rules = policy(json!([
        {"confirm": {"by": "approver", "approvers": {"users": ["*@example.org"], "teams": ["dba"]}, "within": "24h"}}
    ]));
    let Verdict::Confirm(confirm) = rules.decide(&asked(tool("t")), nobody).verdict else { panic!() };
    assert_eq!(confirm.within_s, 86_400);
    for (user, team, may) in
        [("ada@example.org", "dba", true), ("ada@example.com", "dba", false), ("ada@example.org", "x", false)]
    {
        let value_of = |attribute| match attribute {
            USER => Some(user),
            TEAM => Some(team),
            _ => None,
        };
        assert_eq!(confirm.by.may_be_given(value_of), may, "{user} {team}");
    }
}

#[test]
fn the_schema_states_what_a_rule_is() {
    let schema = schemars::schema_for!(Policy).to_value();
    let pointer = |pointer: &str| schema.pointer(pointer).cloned();
    assert_eq!(pointer("/type"), Some("array".into()));
    assert_eq!(pointer("/$defs/Clause/additionalProperties"), Some(false.into()));
    assert_eq!(pointer("/$defs/Patterns/minItems"), Some(1.into()));
    assert_eq!(RuleId::Place(2).to_string(), "#2");
}

#[cfg(not(target_arch = "wasm32"))]
mod of_any_policy {
    use super::*;
    use proptest::prelude::*;

    fn clause() -> impl Strategy<Value = Value> {
        let names = || prop::sample::subsequence(vec!["a", "b", "*", "a*"], 1..3);
        let value = prop_oneof![Just(json!(1)), Just(json!("x")), Just(json!(true))];
        let condition = value.prop_map(|value| json!({"/x": {"equals": value}}));
        (proptest::option::of(names()), proptest::option::of(names()), proptest::option::of(condition)).prop_map(
            |(tools, teams, arguments)| {
                let mut clause = json!({});
                tools.into_iter().for_each(|tools| clause["tools"] = json!(tools));
                teams.into_iter().for_each(|teams| clause["teams"] = json!(teams));
                arguments.into_iter().for_each(|arguments| clause["arguments"] = arguments);
                clause
            },
        )
    }

    fn rules() -> impl Strategy<Value = Vec<Value>> {
        let rule = (clause(), 0..3_u8, any::<bool>()).prop_map(|(mut clause, verdict, shadow)| {
            let verdict = ["allow", "deny", "confirm"][usize::from(verdict)];
            if verdict == "confirm" {
                clause["by"] = json!("caller");
            }
            json!({verdict: clause, "shadow": shadow})
        });
        proptest::collection::vec(rule, 0..5)
    }

    proptest! {
        /// The rule that a decision names decides it alone too, and without the rules in shadow everything is as it was.
        #[test]
        fn a_decision_is_its_rules(
            rules in rules(), name in "[ab]", team in "[ab]",
            arguments in prop::sample::select(vec!["{}", r#"{"x":1}"#, r#"{"x":"x"}"#, r#"{"x":["x"]}"#, r#"{"X":1}"#])
        ) {
            let document = Document::read(arguments.as_bytes(), LIMITS).unwrap();
            let asked = Asked { arguments: Arguments::These(Some(document.root())), ..asked(tool(&name)) };
            let value_of = |attribute| Some(team.as_str()).filter(|_| attribute == TEAM);
            let all = policy(json!(rules));
            let decision = all.decide(&asked, value_of);
            match decision.rule {
                None => prop_assert_eq!(decision.verdict, Verdict::Deny),
                Some(RuleId::Place(place)) => {
                    let alone = policy(json!([rules.get(place.wrapping_sub(1))]));
                    let alone = alone.decide(&asked, value_of);
                    prop_assert_eq!(alone.verdict.name(), decision.verdict.name());
                    prop_assert_eq!(alone.reason, decision.reason);
                }
                Some(RuleId::Named(_)) => prop_assert!(false),
            }
            let enforced = policy(rules.iter().filter(|rule| rule["shadow"] == json!(false)).cloned().collect());
            let without = enforced.decide(&asked, value_of);
            prop_assert_eq!(without.verdict.name(), decision.verdict.name());
            // Arguments that are of a type or key that nobody expects allow nothing that good ones would not.
            if decision.verdict == Verdict::Allow {
                let listed = all.decide(&Asked { arguments: Arguments::Any, ..asked }, value_of);
                prop_assert!(listed.verdict != Verdict::Deny, "a list would not show it");
            }
        }
    }
}

#[test]
fn what_only_lacks_scopes_says_which() {
    let policy = policy(json!([
        {"allow": {"tools": ["*.read"], "scopes": ["read"]}},
        {"name": "seen", "shadow": true, "allow": {"tools": ["*.drop"], "scopes": ["drop"]}},
        {"allow": {"tools": ["*.write"], "scopes": ["write", "read"]}},
        {"confirm": {"tools": ["*.delete"], "by": "caller", "scopes": ["admin"]}},
        {"allow": {"tools": ["*.delete"], "scopes": ["root"]}},
        {"allow": {"tools": ["*.read"], "teams": ["ops"]}},
        {"deny": {"tools": ["*"]}},
    ]));
    for (name, granted, team, verdict, lacks) in [
        ("a.read", "", None, "deny", Some("read")),
        ("a.read", "read", None, "allow", None),
        ("a.read", "Read", None, "deny", Some("read")),
        ("a.read", "", Some("ops"), "allow", None),
        ("a.write", "read", None, "deny", Some("write read")),
        ("a.write", "read write", None, "allow", None),
        ("a.delete", "", None, "deny", Some("admin")),
        ("a.delete", "root", None, "allow", None),
        ("a.delete", "admin root", None, "confirm", None),
        ("a.drop", "", None, "deny", None),
        ("a.other", "", None, "deny", None),
    ] {
        let scopes: Vec<String> = granted.split(' ').map(str::to_owned).collect();
        let decision =
            policy.decide(
                &Asked { scopes: &scopes, ..asked(tool(name)) },
                |attribute| {
                    if attribute == TEAM { team } else { None }
                },
            );
        let found = (decision.verdict.name(), decision.lacks.map(Scope::list));
        assert_eq!(found, (verdict, lacks.map(str::to_owned)), "{name} {granted}");
    }
}

#[test]
fn scopes_are_those_that_oauth_can_have() {
    for (scope, good) in
        [("crm.write", true), ("a:b/c", true), ("", false), ("a b", false), ("a\"", false), ("ü", false)]
    {
        let read: Result<Policy, _> = tollgate_config::read(&json!([{"allow": {"scopes": [scope]}}]).to_string());
        assert_eq!(read.is_ok(), good, "{scope}");
    }
}

/// A note that the call which is asked for comes from `prompt`.
fn noted(prompt: &str) -> Note {
    let subject: Subject = tollgate_config::read(r#"{"user": "ada"}"#).unwrap();
    let call = Asker::of(&subject).unwrap().call("t", None);
    Note { call, prompt: prompt.to_owned().try_into().unwrap(), expires_ms: NOON + 1 }
}

#[test]
fn a_rule_may_want_a_call_to_come_from_a_prompt() {
    let rules = policy(json!([
        {"name": "triage", "allow": {"tools": ["t"], "from_prompts": ["triage", "sort-*"]}},
        {"name": "chat", "confirm": {"tools": ["t"], "by": "caller", "from_prompts": ["chat"]}},
        {"name": "read", "allow": {"tools": ["read"]}},
    ]));
    for (name, notes, verdict, reason, prompts) in [
        ("t", vec![], "deny", Reason::NoPrompt, Some("`triage`, `sort-*`")),
        ("t", vec![noted("other")], "deny", Reason::NoPrompt, Some("`triage`, `sort-*`")),
        ("t", vec![noted("other"), noted("sort-2")], "allow", Reason::Rule, Some("`triage`, `sort-*`")),
        ("t", vec![noted("chat")], "confirm", Reason::Rule, Some("`chat`")),
        ("T", vec![noted("triage")], "deny", Reason::UnclearName, Some("`chat`")),
        ("read", vec![], "allow", Reason::Rule, None),
        ("other", vec![noted("triage")], "deny", Reason::NoRule, None),
    ] {
        let decision = rules.decide(&Asked { noted: &notes, ..asked(tool(name)) }, nobody);
        let told = (decision.verdict.name(), decision.reason, decision.prompts.map(ToString::to_string));
        assert_eq!(told, (verdict, reason, prompts.map(str::to_owned)), "{name} {notes:?}");
    }
    assert!(rules.asks_for_prompts());
    assert!(!policy(json!([{"allow": {"tools": ["t"]}}])).asks_for_prompts());
}

#[test]
fn a_list_shows_what_may_be_called_from_some_prompt() {
    let rules = policy(json!([{"allow": {"tools": ["t"], "from_prompts": ["triage"]}}]));
    let listed = |name| rules.decide(&Asked { arguments: Arguments::Any, ..asked(tool(name)) }, nobody).verdict;
    assert_eq!((listed("t"), listed("u")), (Verdict::Allow, Verdict::Deny));
}

#[test]
fn a_rule_in_shadow_that_wants_a_prompt_refuses_nothing() {
    let rules = policy(json!([
        {"shadow": true, "allow": {"tools": ["t"], "from_prompts": ["triage"]}},
        {"allow": {"tools": ["t"]}},
    ]));
    let decide = |notes: &[Note]| {
        let decision = rules.decide(&Asked { noted: notes, ..asked(tool("t")) }, nobody);
        (decision.verdict, decision.prompts.is_some(), decision.shadow.is_some())
    };
    assert_eq!(decide(&[]), (Verdict::Allow, false, false));
    assert_eq!(decide(&[noted("triage")]), (Verdict::Allow, false, true));
}

#[test]
fn prompts_are_only_for_tools_that_are_allowed_or_confirmed() {
    for rule in [
        json!({"deny": {"tools": ["t"], "from_prompts": ["a"]}}),
        json!({"allow": {"from_prompts": ["a"]}}),
        json!({"allow": {"prompts": ["p"], "from_prompts": ["a"]}}),
    ] {
        let error = tollgate_config::read::<Policy>(&json!([rule]).to_string()).unwrap_err().to_string();
        assert!(error.contains("`from_prompts` is only for `tools`"), "{error}");
    }
}
