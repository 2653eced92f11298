use super::{MAX_ARGUMENTS, Words};
use crate::example::{ARGUMENTS, with_json};
use tollgate_kernel::redact::Redactor;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

const CARD: &str = "4111 1111 1111 1111";

fn redactor() -> Redactor {
    tollgate_config::read(r#"{"patterns": ["keys", "card_numbers", "email"]}"#).unwrap()
}

#[test]
fn what_is_acted_on_is_told_without_what_it_is_called_with() {
    let redactor = redactor();
    for (object, without, with) in [
        ("crm.read_rows", "crm.read_rows", "crm.read_rows"),
        ("crm.why?", "crm.why?", "crm.why?"),
        ("file:///a/b", "file:///a/b", "file:///a/b"),
        ("https://crm/a?token=t0p#x", "https://crm/a?…", "https://crm/a?token=t0p#x"),
        ("https://crm/a#access_token=t0p", "https://crm/a?…", "https://crm/a#access_token=t0p"),
        ("https://crm?a=@b", "https://crm?…", "https://crm?a=@b"),
        ("postgres://ada:t0p@db/users", "postgres://…@db/users", "postgres://…@db/users"),
        ("postgres://a@b:t0p@db", "postgres://…@db", "postgres://…@db"),
        ("https://crm/~a@b/c", "https://crm/~a@b/c", "https://crm/~a@b/c"),
        ("urn:card:4111111111111111", "urn:card:[redacted:card_numbers]", "urn:card:[redacted:card_numbers]"),
        ("mailto:ada@example.org?x", "mailto:[redacted:email]?…", "mailto:[redacted:email]?x"),
    ] {
        let words = |arguments| Words { redactor: Some(&redactor), arguments };
        assert_eq!([words(false).object(object), words(true).object(object)], [without, with]);
    }
}

#[test]
fn what_is_called_with_is_told_only_where_that_is_wanted_and_redacted() {
    let redactor = redactor();
    let told = |words: Words<'_>| with_json(ARGUMENTS, |arguments| words.arguments(Some(arguments)));
    assert_eq!(told(Words { redactor: Some(&redactor), arguments: false }), None);
    assert_eq!(told(Words { redactor: None, arguments: true }).as_deref(), Some(ARGUMENTS));
    let redacted = told(Words { redactor: Some(&redactor), arguments: true }).unwrap();
    assert_eq!(redacted, r#"{"table":"users","note":"key [redacted:keys]"}"#);
    assert_eq!(Words { redactor: None, arguments: true }.arguments(None), None);
}

#[test]
fn what_is_long_is_cut_where_it_can_be_seen_and_never_within_a_secret() {
    let redactor = redactor();
    let words = Words { redactor: Some(&redactor), arguments: true };
    assert_eq!(words.text(&"é".repeat(128)), "é".repeat(128));
    assert_eq!(words.text(&format!("x{}", "é".repeat(128))), format!("x{}… (257 bytes)", "é".repeat(127)));
    for before in 0..300 {
        let text = format!("{}{CARD}", "x".repeat(before));
        let told = words.text(&text);
        assert!(!told.contains("4111") && told.len() < 300, "{told}");
    }
    let long = "y".repeat(2 * MAX_ARGUMENTS);
    let told = with_json(&format!(r#"{{"a":"{long}"}}"#), |arguments| words.arguments(Some(arguments))).unwrap();
    assert!(told.starts_with(r#"{"a":"yyy"#) && told.ends_with("y… (8200 bytes)"), "{told}");
    assert!(words.object(&format!("file:///{long}")).ends_with("y… (8200 bytes)"));
}
