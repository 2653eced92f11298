use super::{Asker, Call, NOTES_PER_ASKER, NOTES_PER_SLOT, Note, Notes, SLOTS, SystemDigest, SystemDigester, slot};
use crate::json::{Digest, Document, Limits};
use crate::subject::{Label, Subject};
use serde_json::json;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

const NOW: u64 = 1_795_345_200_000;

fn asker(fields: serde_json::Value) -> Asker {
    let subject: Subject = tollgate_config::read(&fields.to_string()).unwrap();
    Asker::of(&subject).unwrap()
}

fn user(name: &str) -> Asker {
    asker(json!({"user": name}))
}

fn arguments(text: &str) -> Option<Digest> {
    Some(Document::read(text.as_bytes(), Limits { bytes: 1000, nodes: 100 }).unwrap().root().digest())
}

fn prompt(name: &str) -> Label {
    name.to_owned().try_into().unwrap()
}

fn note(call: Call, expires_ms: u64) -> Note {
    Note { call, prompt: prompt("triage"), expires_ms }
}

#[test]
fn a_call_is_the_same_only_by_the_same_asker_of_the_same_tool_with_the_same_arguments() {
    let ada = user("ada");
    let one = ada.call("delete", arguments(r#"{"a": 1, "b": "\u0078"}"#));
    assert_eq!(one, ada.call("delete", arguments(r#"{"b":"x","a":1}"#)));
    assert_eq!(ada.call("delete", None), ada.call("delete", arguments("{ }")));
    for other in [
        user("bob").call("delete", arguments(r#"{"a":1,"b":"x"}"#)),
        ada.call("Delete", arguments(r#"{"a":1,"b":"x"}"#)),
        ada.call("delete", arguments(r#"{"a":1.0,"b":"x"}"#)),
        ada.call("delete", arguments(r#"{"a":1}"#)),
        ada.call("delete", None),
    ] {
        assert_ne!(one, other);
    }
}

#[test]
fn askers_are_told_apart_by_key_user_team_and_agent_and_by_nothing_else() {
    let ada = json!({"user": "ada", "team": "t", "agent": "a"});
    let same = json!({"user": "ada", "team": "t", "agent": "a", "feature": "f", "tier": "gold", "environment": "e"});
    assert_eq!(asker(ada.clone()), asker(same));
    for other in [json!({"user": "ada", "team": "t"}), json!({"user": "adat", "agent": "a"}), json!({"agent": "ada"})] {
        assert_ne!(asker(ada.clone()), asker(other));
    }
    let with_key = Subject { key: "k".to_owned().try_into().ok(), ..Subject::default() };
    assert_ne!(Asker::of(&with_key), Some(user("k")));
    let nobody: Subject = tollgate_config::read(r#"{"feature": "f"}"#).unwrap();
    assert_eq!(Asker::of(&nobody), None);
}

#[test]
fn a_note_is_taken_once_by_its_call_with_its_prompt_before_it_expires() {
    let (ada, bob) = (user("ada").call("t", None), user("bob").call("t", None));
    let other = user("ada").call("t", arguments(r#"{"a":1}"#));
    let mut notes = Notes::default();
    notes.add(note(ada, NOW + 10), NOW);
    for (call, name, now) in [(bob, "triage", NOW), (other, "triage", NOW), (ada, "chat", NOW)] {
        assert!(!notes.clone().take(&call, name, now));
    }
    assert!(!notes.clone().take(&ada, "triage", NOW + 10), "expired");
    assert_eq!(notes.of_calls(&[bob, ada], NOW).count(), 1);
    assert_eq!(notes.of_calls(&[bob, other], NOW).count(), 0);
    assert_eq!(notes.of_calls(&[ada], NOW + 10).count(), 0);
    assert!(notes.take(&ada, "triage", NOW + 9));
    assert!(!notes.take(&ada, "triage", NOW + 9));
    // What is asked for twice may be called twice.
    notes.add(note(ada, NOW + 10), NOW);
    notes.add(note(ada, NOW + 10), NOW);
    assert_eq!([(); 3].map(|()| notes.take(&ada, "triage", NOW)), [true, true, false]);
}

#[test]
fn who_asks_for_much_loses_the_oldest_and_takes_nobody_elses_place() {
    let tool = |index: usize| format!("t{index}");
    let mut notes = Notes::default();
    notes.add(note(user("bob").call("t", None), NOW + 1), NOW);
    for index in 0..=NOTES_PER_ASKER {
        notes.add(note(user("ada").call(&tool(index), None), NOW + 1), NOW);
    }
    assert!(!notes.clone().take(&user("ada").call("t0", None), "triage", NOW));
    assert!(notes.clone().take(&user("ada").call("t1", None), "triage", NOW));
    for index in 0..NOTES_PER_ASKER {
        notes.add(note(user("eve").call(&tool(index), None), NOW + 1), NOW);
    }
    assert!(notes.take(&user("bob").call("t", None), "triage", NOW), "the only note of his");
}

#[test]
fn a_slot_is_read_back_and_nothing_else_is_taken_for_one() {
    let mut notes = Notes::default();
    let longest = prompt(&"p".repeat(64));
    for index in 0..NOTES_PER_SLOT {
        let call = user(&format!("u{index}")).call("t", None);
        notes.add(Note { call, prompt: longest.clone(), expires_ms: NOW + 1 }, NOW);
    }
    let bytes = notes.write();
    assert_eq!(bytes.len(), 1 + NOTES_PER_SLOT * 122);
    assert_eq!(Notes::read(&bytes), Some(notes));
    assert_eq!(Notes::read(b""), Some(Notes::default()));
    for other in [&b"\x02"[..], &bytes[..100], &[&bytes[..], &bytes[1..]].concat()] {
        assert_eq!(Notes::read(other), None);
    }
    assert!(slot(&user("ada")) < SLOTS);
}

/// `printf %s 'You sort tickets.' | sha256sum`
const SORTS_TICKETS: &str = "119453084cba38c0e2b5c3b41cbc84deb6407f46cd075b5e77987399c0a82ac1";

#[test]
fn a_system_prompt_is_known_by_what_sha256sum_says_of_its_text() {
    let digest = |pieces: &[&str]| {
        let mut digester = SystemDigester::default();
        pieces.iter().for_each(|piece| digester.add(piece));
        digester.finish()
    };
    assert_eq!(digest(&["You sort ", "", "tickets."]), digest(&["You sort tickets."]));
    assert_eq!(digest(&["You sort tickets."]), SystemDigest::try_from(SORTS_TICKETS.to_owned()).ok());
    assert_eq!(digest(&["You sort tickets.\n"]).map(|other| format!("{other:?}") == SORTS_TICKETS), Some(false));
    assert_eq!(digest(&[""]), None);
    assert!(SystemDigest::try_from(SORTS_TICKETS.to_uppercase()).is_err());
}

#[cfg(not(target_arch = "wasm32"))]
mod interleaved {
    use super::*;
    use proptest::prelude::*;

    /// What one of two workers does next: it reads the slot, or writes what it made of what it has read.
    #[derive(Debug, Clone)]
    enum Step {
        Read,
        Write,
    }

    #[derive(Debug, Clone)]
    enum Change {
        Add { user: usize, tool: usize, lives_ms: u64 },
        Take { user: usize, tool: usize },
    }

    fn change() -> impl Strategy<Value = Change> {
        prop_oneof![
            (0..2_usize, tool(), 1..2000_u64).prop_map(|(user, tool, lives_ms)| Change::Add { user, tool, lives_ms }),
            (0..3_usize, tool()).prop_map(|(user, tool)| Change::Take { user, tool }),
        ]
    }

    /// Some are asked for again and again, some once.
    fn tool() -> impl Strategy<Value = usize> {
        prop_oneof![0..3_usize, 0..200_usize]
    }

    fn call_of(user_index: usize, tool: usize) -> Call {
        user(&format!("u{user_index}")).call(&format!("t{tool}"), None)
    }

    /// Shared data: a value with its version, which must be named to change it.
    #[derive(Default)]
    struct Shared {
        bytes: Vec<u8>,
        version: u32,
    }

    proptest! {
        #[test]
        fn no_note_is_taken_twice_or_by_another_or_late_and_the_bound_holds(
            work in prop::collection::vec((0..2_usize, change(), prop_oneof![Just(Step::Read), Just(Step::Write)]), 1..600),
        ) {
            let mut shared = Shared::default();
            let mut read: [Option<(Vec<u8>, u32)>; 2] = [None, None];
            // Of each call, until when the notes of it are good that nobody has taken.
            let mut open: Vec<(Call, u64)> = Vec::new();
            let mut now = NOW;
            for (worker, change, step) in work {
                now = now.saturating_add(1);
                if matches!(step, Step::Read) || read[worker].is_none() {
                    read[worker] = Some((shared.bytes.clone(), shared.version));
                    continue;
                }
                let (bytes, version) = read[worker].take().unwrap();
                let mut notes = Notes::read(&bytes).unwrap();
                let taken = match &change {
                    Change::Add { user, tool, lives_ms } => {
                        notes.add(note(call_of(*user, *tool), now.saturating_add(*lives_ms)), now);
                        None
                    }
                    Change::Take { user, tool } => {
                        let call = call_of(*user, *tool);
                        notes.take(&call, "triage", now).then_some(call)
                    }
                };
                if version != shared.version {
                    continue; // the other worker was first: nothing has happened
                }
                (shared.bytes, shared.version) = (notes.write(), version.wrapping_add(1));
                prop_assert!(notes.0.len() <= NOTES_PER_SLOT);
                prop_assert!(["u0", "u1"].into_iter().all(|name| notes.of(&user(name)) <= NOTES_PER_ASKER));
                if let Change::Add { user, tool, lives_ms } = change {
                    open.push((call_of(user, tool), now.saturating_add(lives_ms)));
                }
                if let Some(call) = taken {
                    // INVARIANT: of notes of one call the first added is the first taken; others may have been dropped.
                    let at = open.iter().position(|(noted, until)| *noted == call && *until > now);
                    prop_assert!(at.is_some(), "taken without a note");
                    open.remove(at.unwrap());
                }
            }
        }
    }
}
