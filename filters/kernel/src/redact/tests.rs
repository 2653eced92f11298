use super::{Redactor, Where};
use crate::json::{Document, Limits};
use serde_json::{Value, json};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

const LIMITS: Limits = Limits { bytes: 1 << 20, nodes: 1 << 16 };
const TOKEN: &str = "abcdefghijABCDEFGHIJ0123456789_-xyz";

fn redactor(config: &Value) -> Redactor {
    tollgate_config::read(&config.to_string()).unwrap()
}

fn all() -> Redactor {
    redactor(&json!({"patterns": ["keys", "card_numbers", "email"], "also": ["EMP-*", "*-internal", "Project X"]}))
}

#[test]
fn keys_are_known_by_what_they_begin_with() {
    let redactor = redactor(&json!({"patterns": ["keys"]}));
    let token = TOKEN;
    for key in [
        format!("sk-{token}"),
        format!("sk-ant-api03-{token}"),
        format!("sk_live_{token}"),
        format!("ghp_{token}"),
        format!("github_pat_{token}"),
        format!("glpat-{token}"),
        "AKIAIOSFODNN7EXAMPLE".to_owned(),
        format!("xoxb-{token}"),
        format!("AIza{token}"),
        format!("tg_support_{token}"),
        format!("eyJhbGciOiJIUzI1NiJ9.{token}.{token}"),
        "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.".to_owned(),
        "-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabc=\n-----END RSA PRIVATE KEY-----".to_owned(),
        "-----BEGIN PRIVATE KEY-----\nMIIE\nabc=".to_owned(),
    ] {
        assert_eq!(redactor.redact(&key).as_deref(), Some("[redacted:keys]"), "{key}");
        for (before, after) in [("key: ", "\n"), ("\"", "\""), ("KEY=", ";x"), ("é", " é"), ("a_", ",")] {
            let redacted = redactor.redact(&format!("{before}{key}{after}")).unwrap();
            let (begin, end) = redacted.split_once("[redacted:keys]").unwrap();
            assert!(begin == before && after.ends_with(end), "{redacted}");
        }
    }
    for text in [
        "",
        "sk-learn is a library",
        "a task-management-system-for-everyone",
        "ghp_short",
        "AKIA",
        "AKIAIOSFODNN7EXAMPL",
        "tg_message_handler_v2",
        "eyJhbGciOiJIUzI1NiJ9",
        "eyJhbGciOiJIUzI1NiJ9.abcd",
        "-----BEGIN PUBLIC KEY-----\nMIIE\n-----END PUBLIC KEY-----",
    ] {
        assert_eq!(redactor.redact(text), None, "{text}");
    }
}

#[test]
fn card_numbers_are_known_by_their_check_digit() {
    let redactor = redactor(&json!({"patterns": ["card_numbers"]}));
    for (text, redacted) in [
        ("4111111111111111", "[redacted:card_numbers]"),
        ("4111 1111 1111 1111, 12/30", "[redacted:card_numbers], 12/30"),
        ("5500-0000-0000-0004.", "[redacted:card_numbers]."),
        ("378282246310005", "[redacted:card_numbers]"),
        ("4222222222222", "[redacted:card_numbers]"),
        ("6304000000000000000 x", "[redacted:card_numbers] x"),
        ("no 12 4111111111111111 35", "no 12 [redacted:card_numbers] 35"),
        ("id4111111111111111id", "id[redacted:card_numbers]id"),
    ] {
        assert_eq!(redactor.redact(text).as_deref(), Some(redacted), "{text}");
    }
    for text in [
        "4111111111111112",
        "411111111111",
        "41111111111111111111111111111111",
        "4111  1111  1111  1111",
        "1700000000009",
        "0000000000000000",
        "2026-11-26 22:41:58",
    ] {
        assert_eq!(redactor.redact(text), None, "{text}");
    }
}

#[test]
fn addresses_of_email_are_known_by_their_domain() {
    let redactor = redactor(&json!({"patterns": ["email"]}));
    for (text, redacted) in [
        ("ada.lovelace+x@mail.example.com", "[redacted:email]"),
        ("Ada <ada@example.com>, Bob <b@b.org>.", "Ada <[redacted:email]>, Bob <[redacted:email]>."),
        ("write to ada@example.com.", "write to [redacted:email]."),
        ("mailto:jürgen@exämple.de?subject=x", "mailto:[redacted:email]?subject=x"),
        ("ada@example.com.1", "[redacted:email]"),
    ] {
        assert_eq!(redactor.redact(text).as_deref(), Some(redacted), "{text}");
    }
    for text in
        ["@ada", "ada@", "ada@localhost", "a@b.c", "a@.com", "1@2.3", "npm i @scope/name@1.2.3", "user @ example.com"]
    {
        assert_eq!(redactor.redact(text), None, "{text}");
    }
}

#[test]
fn what_an_operator_names_is_replaced_wherever_it_stands() {
    for (glob, text, redacted) in [
        ("EMP-*", "EMP-123, xEMP-4_5é.", "[redacted:also], x[redacted:also]."),
        ("EMP-*", "EMP- 1", "[redacted:also] 1"),
        ("*-internal", "db.crm-internal and -internal", "db.[redacted:also] and [redacted:also]"),
        ("Project X", "of Project Xs", "of [redacted:also]s"),
        ("cust_*_eu", "cust_12_eu cust_12_us cust__eu", "[redacted:also] cust_12_us [redacted:also]"),
        ("id: *, *;", "id: a1, b2; id: a1 , b2;", "[redacted:also] id: a1 , b2;"),
        ("a**bc", "a--bc", "[redacted:also]"),
    ] {
        assert_eq!(redactor(&json!({"also": [glob]})).redact(text).as_deref(), Some(redacted), "{glob}");
    }
}

#[test]
fn no_part_of_a_secret_is_left_because_it_began_in_another() {
    let redactor = redactor(&json!({"patterns": ["keys", "card_numbers", "email"], "also": ["key: s", "a@b"]}));
    for text in [
        format!("key: sk-{TOKEN}"),
        format!("a@b.com-sk-{TOKEN}"),
        "AKIAIOSFODNN7EXAMPLE+b@example.com".to_owned(),
        format!("{TOKEN}.sk-{TOKEN}@example.com"),
        "4111 1111 1111 1111@example.com".to_owned(),
    ] {
        let redacted = redactor.redact(&text).unwrap();
        let left = redacted.split("[redacted:").map(|part| part.split_once(']').map_or(part, |(_, rest)| rest));
        assert!(left.clone().all(|left| left.len() <= 4), "{redacted}");
    }
}

#[test]
fn strings_keys_and_numbers_of_json_are_redacted_and_all_else_stays() {
    for (text, redacted) in [
        (
            r#"{ "to" : "ada\u0040example.com\n\"x\"", "n": [1.50, 4111111111111111, true, null], "é": {} }"#,
            r#"{ "to" : "[redacted:email]\n\"x\"", "n": [1.50, "[redacted:card_numbers]", true, null], "é": {} }"#,
        ),
        (r#"{"a@b.com": 1, "c@d.com": 2}"#, r#"{"[redacted:email] 0": 1, "[redacted:email] 1": 2}"#),
        (r#""EMP-1""#, r#""[redacted:also]""#),
    ] {
        let document = Document::read(text.as_bytes(), LIMITS).unwrap();
        assert_eq!(all().redact_json(document.root()).as_deref(), Some(redacted));
    }
    let document = Document::read(br#"{"in": [{"a": "b@c.de"}, {"a": "b"}]}"#, LIMITS).unwrap();
    let items: Vec<_> = document.root().get("in").unwrap().items().map(|item| all().redact_json(item)).collect();
    assert_eq!(items, [Some(r#"{"a": "[redacted:email]"}"#.to_owned()), None]);
}

#[test]
fn a_configuration_says_what_and_where() {
    let records = redactor(&json!({"patterns": ["email"]}));
    assert!(records.is_for(Where::Records) && !records.is_for(Where::Results));
    let both = redactor(&json!({"also": ["EMP-*"], "in": ["records", "results"]}));
    assert!(both.is_for(Where::Records) && both.is_for(Where::Results));
    assert_eq!(format!("{both:?}"), "Redactor([] and 1 globs, in [Records, Results])");
    for (config, fault) in [
        (json!({}), "`patterns` or `also` must name what is redacted"),
        (json!({"patterns": ["email"], "in": []}), "`in` must name `records` or `results`"),
        (json!({"also": ["*a*b*"]}), "at least 3"),
        (json!({"also": ["a".repeat(129)]}), "at most 128 bytes"),
        (json!({"also": ["[redacted"]}), "must not have `[`"),
        (json!({"also": vec!["abc"; 65]}), "at most 64"),
        (json!({"patterns": ["phone"]}), "phone"),
    ] {
        let read = tollgate_config::read::<Redactor>(&config.to_string());
        assert!(read.as_ref().is_err_and(|found| found.to_string().contains(fault)), "{config} {read:?}");
    }
}

#[test]
fn a_hostile_text_costs_no_more_than_its_length() {
    let redactor =
        redactor(&json!({"patterns": ["keys", "card_numbers", "email"], "also": ["aaa*b", "a*:b*c", "*-x*y"]}));
    for (part, end) in [
        ("a", ""),
        ("a", "b"),
        ("a", ":bbb"),
        ("-x", ""),
        ("sk-", ""),
        ("eyJ-", ".eyJ"),
        ("eyJ-", ".eyJ."),
        ("tg_a_", ""),
        ("AKIAAAAAAAAAAAAAAAAA.", "@a"),
        ("AKIAAAAAAAAAAAAAAAAA.", "@a.com"),
        ("-----BEGIN PRIVATE KEY-----", ""),
        ("-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----"),
        ("4 ", ""),
        ("4111111111111111 ", ""),
        ("a@", ""),
        ("a@a.", ""),
        ("[redacted:", ""),
        ("[redacted:keys]", ""),
    ] {
        let text = part.repeat(100_000_usize.checked_div(part.len()).unwrap()) + end;
        let once = redactor.redact(&text);
        assert_eq!(once.as_deref().and_then(|once| redactor.redact(once)), None, "{part}");
    }
    let text = "AKIAAAAAAAAAAAAAAAAA.".repeat(5_000) + "@" + &"a".repeat(100_000);
    assert!(redactor.redact(&text).is_some());
}

/// There is no randomness for proptest on wasm32 without an operating system.
#[cfg(not(target_arch = "wasm32"))]
mod properties {
    use super::*;
    use proptest::prelude::*;

    fn text() -> impl Strategy<Value = String> {
        let part = prop_oneof![
            "[a-z0-9 .,:@+_é\\[\\]-]{0,8}",
            prop_oneof!["sk-", "AKIA", "eyJ", "tg_a_", "xoxb-", "ghp_", "EMP-", "-internal", "Project X"]
                .prop_map(String::from),
            "[A-Z0-9]{10,20}",
            "[a-zA-Z0-9_-]{16,40}",
            "[a-z]{1,3}[@.][a-z]{1,3}\\.[a-z0-9]{2,4}",
            prop_oneof!["4111111111111111", "4111 1111 1111 1111", "378282246310005", "5500-0000-0000-0004"]
                .prop_map(String::from),
            prop_oneof!["\\[redacted:", "\\[redacted:keys\\]", "\\[redacted:also\\]"],
            prop_oneof!["-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----"].prop_map(String::from),
        ];
        prop::collection::vec(part, 0..8).prop_map(|parts| parts.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1000))]

        #[test]
        fn what_was_redacted_has_nothing_left_to_redact(text in text()) {
            if let Some(once) = all().redact(&text) {
                prop_assert_eq!(all().redact(&once), None, "{}", once);
            }
        }

        #[test]
        fn a_secret_is_gone_whatever_stands_around_it(before in "[^a-zA-Z0-9]{0,4}|[a-z ]{0,6}[^a-zA-Z0-9]", after in text(), which in 0..4_usize) {
            let secret = ["sk-0123456789abcdefghijXYZ", "4111111111111111", "ada@example.com", "EMP-12345"][which];
            let text = format!("{before}{secret} {after}");
            let redacted = all().redact(&text);
            let begin = format!("{before}{secret}");
            prop_assert!(redacted.as_ref().is_some_and(|redacted| !redacted.starts_with(&begin)), "{:?}", redacted);
        }

        #[test]
        fn what_is_left_is_what_was_there(text in text()) {
            let redacted = all().redact(&text).unwrap_or_else(|| text.clone());
            let parts = redacted.split("[redacted:").map(|part| part.split_once(']').map_or(part, |(_, rest)| rest));
            let rest = parts.into_iter().try_fold(text.as_str(), |rest, part| rest.split_once(part).map(|(_, rest)| rest));
            prop_assert!(rest.is_some(), "{}", redacted);
        }
    }
}
