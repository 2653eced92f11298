//! What belongs together is tested together: calls, states, what was used, and forms.

use super::state::{Fault, MAX_UPSTREAM, State};
use super::used::{NotUsed, STATES_PER_SLOT, Used};
use super::{Call, Id, form_token};
use crate::json::{Digest, Document, Limits};
use crate::signing_keys::SigningKeys;
use crate::subject::Subject;
use serde_json::json;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

pub(super) const NOON_MS: u64 = 1_795_348_800_000;
const NONCE: Id = Id([7; 16]);

pub(super) fn subject(fields: serde_json::Value) -> Subject {
    tollgate_config::read(&fields.to_string()).unwrap()
}

fn keys(text: &str) -> SigningKeys {
    SigningKeys::parse(text).unwrap()
}

fn one_key() -> SigningKeys {
    keys(&"k".repeat(32))
}

pub(super) fn with_json<T>(text: &str, then: impl FnOnce(&Document<'_>) -> T) -> T {
    then(&Document::read(text.as_bytes(), Limits { bytes: 1 << 20, nodes: 1 << 16 }).unwrap())
}

fn parameters(text: &str) -> Digest {
    with_json(text, |document| Call::parameters(Some(document.root())))
}

pub(super) fn delete<'a>(subject: &'a Subject, parameters: Digest) -> Call<'a> {
    Call { subject, server: "database", method: "tools/call", object: "database.delete_row", parameters, rule: "#2" }
}

fn asked() -> State {
    State { expires_ms: NOON_MS + 600_000, nonce: NONCE, upstream: None }
}

/// The call, and others that differ from it in one thing each.
fn with_calls(then: impl Fn(&Call<'_>, &[Call<'_>])) {
    let ada = subject(json!({"user": "ada", "team": "support"}));
    let others = [
        subject(json!({"user": "bob", "team": "support"})),
        subject(json!({"user": "ada", "team": "dba"})),
        subject(json!({"user": "ada"})),
        subject(json!({"team": "support", "agent": "ada"})),
    ];
    let params = r#"{"name": "delete_row", "arguments": {"table": "users", "id": 42}, "_meta": {"progressToken": 1}}"#;
    let call = delete(&ada, parameters(params));
    let mut all: Vec<Call<'_>> = others.iter().map(|subject| Call { subject, ..call }).collect();
    all.extend([
        Call { server: "data", object: "basedatabase.delete_row", ..call },
        Call { method: "prompts/get", ..call },
        Call { object: "database.delete_rows", ..call },
        Call { rule: "#3", ..call },
    ]);
    for params in [
        r#"{"name": "delete_row", "arguments": {"table": "users", "id": 43}}"#,
        r#"{"name": "delete_row", "arguments": {"table": "users", "id": "42"}}"#,
        r#"{"name": "delete_row", "arguments": {"table": "users", "id": 42, "force": true}}"#,
        r#"{"name": "delete_row", "arguments": {"table": "users"}}"#,
        r#"{"name": "delete_row", "arguments": {"table": "users", "id": 42}, "task": {"ttl": 1}}"#,
        r#"{"name": "delete_row"}"#,
    ] {
        all.push(Call { parameters: parameters(params), ..call });
    }
    then(&call, &all);
}

#[test]
fn a_call_is_the_same_only_if_all_of_it_is() {
    with_calls(|call, others| {
        let same = r#"{"arguments":{"id":42,"table":"\u0075sers"},"name":"delete_row","_meta":{"progressToken":2},
            "inputResponses":{},"requestState":"x"}"#;
        assert_eq!(Call { parameters: parameters(same), ..*call }.digest(), call.digest());
        for (at, other) in others.iter().enumerate() {
            assert_ne!(other.digest(), call.digest(), "{at}");
        }
    });
}

#[test]
fn a_state_is_read_back_with_its_call_alone() {
    with_calls(|call, others| {
        for upstream in [None, Some(String::new()), Some("{\"é\"}\n".to_owned()), Some("x".repeat(MAX_UPSTREAM))] {
            let state = State { upstream: upstream.clone(), ..asked() };
            let text = state.seal(&one_key(), call).unwrap();
            assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)), "{text}");
            assert_eq!(State::open(&one_key(), call, &text, NOON_MS), Ok(state));
            for (at, other) in others.iter().enumerate() {
                assert_eq!(State::open(&one_key(), other, &text, NOON_MS), Err(Fault::OtherCall), "{at}");
            }
        }
    });
}

#[test]
fn a_state_is_good_until_it_expires() {
    with_calls(|call, _| {
        let state = asked();
        let text = state.seal(&one_key(), call).unwrap();
        assert!(State::open(&one_key(), call, &text, state.expires_ms - 1).is_ok());
        assert_eq!(State::open(&one_key(), call, &text, state.expires_ms), Err(Fault::Expired));
    });
}

#[test]
fn a_state_that_anybody_has_changed_is_forged() {
    with_calls(|call, _| {
        let text = State { upstream: Some("theirs".to_owned()), ..asked() }.seal(&one_key(), call).unwrap();
        for at in "tollgate1.".len()..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let forged = String::from_utf8(bytes).unwrap();
            assert_eq!(State::open(&one_key(), call, &forged, NOON_MS), Err(Fault::Forged), "{at}");
        }
        for forged in
            ["tollgate1.", "tollgate1.AAAA", "tollgate1.é", text.strip_suffix(|_| true).unwrap(), &format!("{text}A")]
        {
            assert_eq!(State::open(&one_key(), call, forged, NOON_MS), Err(Fault::Forged), "{forged}");
        }
        let huge = format!("tollgate1.{}", "A".repeat(1 << 20));
        assert_eq!(State::open(&one_key(), call, &huge, NOON_MS), Err(Fault::Forged));
        assert_eq!(State::open(&one_key(), call, "", NOON_MS), Err(Fault::Foreign));
        assert_eq!(State::open(&one_key(), call, "eyJvcmRlciI6MX0", NOON_MS), Err(Fault::Foreign));
    });
}

#[test]
fn a_state_outlives_one_rotation_of_keys_and_not_two() {
    let (old, new) = ("o".repeat(32), "n".repeat(32));
    with_calls(|call, _| {
        let text = asked().seal(&keys(&old), call).unwrap();
        assert!(State::open(&keys(&format!("{new},{old}")), call, &text, NOON_MS).is_ok());
        assert_eq!(State::open(&keys(&new), call, &text, NOON_MS), Err(Fault::Forged));
    });
}

#[test]
fn what_a_server_wants_back_is_not_carried_beyond_its_bound() {
    with_calls(|call, _| {
        let state = State { upstream: Some("x".repeat(MAX_UPSTREAM + 1)), ..asked() };
        assert_eq!(state.seal(&one_key(), call), None);
    });
}

#[test]
fn what_was_used_is_remembered_until_it_expires() {
    let mut used = Used::default();
    assert_eq!(used.add(&NONCE, NOON_MS + 10, NOON_MS), Ok(()));
    let mut used = Used::read(&used.write()).unwrap();
    assert_eq!(used.add(&NONCE, NOON_MS + 10, NOON_MS + 9), Err(NotUsed::Before));
    for other in 0..STATES_PER_SLOT - 1 {
        let nonce = Id([u128::try_from(other).unwrap().to_le_bytes()[0]; 16]);
        let nonce = if nonce == NONCE { Id([255; 16]) } else { nonce };
        assert_eq!(used.add(&nonce, NOON_MS + 20, NOON_MS), Ok(()));
    }
    assert_eq!(
        used.add(&Id([1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 2, 3, 4, 5, 6]), NOON_MS + 20, NOON_MS),
        Err(NotUsed::Full)
    );
    assert_eq!(used.add(&NONCE, NOON_MS + 10, NOON_MS), Err(NotUsed::Before));
    assert_eq!(Used::read(&used.write()).as_ref(), Some(&used));
    assert!(used.write().len() <= 1 + 24 * STATES_PER_SLOT);
    // The first has expired, and makes place.
    assert_eq!(used.add(&Id([1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 2, 3, 4, 5, 6]), NOON_MS + 20, NOON_MS + 10), Ok(()));
    assert_eq!(Used::read(&[2]), None);
    assert_eq!(Used::read(&[1, 0]), None);
    assert_eq!(Used::read(&[]), Some(Used::default()));
}

#[test]
fn a_form_is_good_for_who_was_shown_it_and_what_it_is_about() {
    let (ada, bob) = (subject(json!({"user": "ada"})), subject(json!({"user": "bob"})));
    let token = form_token::make(&one_key(), &ada, &NONCE, NOON_MS + 10);
    let is_good = |subject, id, token: &str, now_ms| form_token::is_good(&one_key(), subject, id, token, now_ms);
    assert!(is_good(&ada, &NONCE, &token, NOON_MS + 9));
    assert!(!is_good(&ada, &NONCE, &token, NOON_MS + 10));
    assert!(!is_good(&bob, &NONCE, &token, NOON_MS));
    assert!(!is_good(&ada, &Id([8; 16]), &token, NOON_MS));
    assert!(!form_token::is_good(&keys(&"x".repeat(32)), &ada, &NONCE, &token, NOON_MS));
    for bad in ["", "AAAA", token.strip_prefix(|_| true).unwrap(), &format!("{token}AA"), &token.to_lowercase()] {
        assert!(!is_good(&ada, &NONCE, bad, NOON_MS), "{bad}");
    }
}

#[test]
fn ids_are_32_digits() {
    let text = "00112233445566778899aabbccddeeff";
    assert_eq!(Id::parse(text).map(|id| id.to_string()).as_deref(), Some(text));
    for bad in
        ["", "00112233445566778899AABBCCDDEEFF", "00112233445566778899aabbccddee", &format!("{text}0"), &"é".repeat(16)]
    {
        assert_eq!(Id::parse(bad), None, "{bad}");
    }
}
