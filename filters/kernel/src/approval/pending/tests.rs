use super::super::question::Arguments;
use super::super::tests::{NOON_MS, delete, subject, with_json};
use super::super::{Call, Id};
use super::{
    Answer, Asking, ENTRIES_PER_SLOT, MAX_ARGUMENTS, MAX_ENTRY, MAX_REASON, NotAnswered, OPEN_OF_ONE, Outcome, Slot,
    Standing, Word, is_same, may_answer, slot_of, slot_of_call,
};
use crate::json::Digest;
use crate::rule::Approval;
use crate::rule::Attribute;
use crate::subject::{Field, Subject, SubjectField};
use serde_json::json;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

fn by_dba() -> Approval {
    let team = Attribute::Subject(SubjectField::Other(Field::Team));
    Approval::Approver(vec![(team, tollgate_config::read(r#"["dba"]"#).unwrap())])
}

fn ada() -> Subject {
    subject(json!({"user": "ada", "team": "support", "agent": "helper"}))
}

fn bob() -> Subject {
    subject(json!({"user": "bob", "team": "dba"}))
}

/// A call that differs from others by its number.
fn parameters(number: u8) -> Digest {
    Digest([number; 32])
}

fn come(slot: &mut Slot, by: &Subject, number: u8, now_ms: u64) -> Standing {
    let arguments = Arguments { lines: vec!["id = 42".to_owned(), "table = \"users\"".to_owned()], complete: true };
    let approval = by_dba();
    let call = delete(by, parameters(number));
    slot.come(&Asking { call, arguments: &arguments, approval: &approval, within_s: 600, id: Id([number; 16]) }, now_ms)
}

fn waiting(slot: &mut Slot, number: u8) -> Id {
    match come(slot, &ada(), number, NOON_MS) {
        Standing::Waits { id, is_new: true, expires_ms } if expires_ms == NOON_MS + 600_000 => id,
        other => panic!("{other:?}"),
    }
}

fn answer(slot: &mut Slot, id: &Id, word: Word, by: &Subject, now_ms: u64) -> Result<(), NotAnswered> {
    slot.answer(id, word, by, "looked at it", Some(&by_dba()), now_ms).map(|_| ())
}

#[test]
fn a_call_waits_and_runs_once_after_somebody_else_has_agreed() {
    let mut slot = Slot::default();
    let id = waiting(&mut slot, 1);
    let again = come(&mut slot, &ada(), 1, NOON_MS + 1);
    assert_eq!(again, Standing::Waits { id, is_new: false, expires_ms: NOON_MS + 600_000 });
    assert_eq!(answer(&mut slot, &id, Word::Approve, &bob(), NOON_MS + 2), Ok(()));
    let said = Answer { by: bob(), at_ms: NOON_MS + 2, reason: "looked at it".to_owned() };
    assert!(matches!(come(&mut slot, &ada(), 2, NOON_MS + 3), Standing::Waits { is_new: true, .. }), "another call");
    assert_eq!(come(&mut slot, &ada(), 1, NOON_MS + 3), Standing::Runs { id, answer: said.clone() });
    assert_eq!(slot.entries()[0].outcome, Outcome::Ran { answer: said, at_ms: NOON_MS + 3 });
    assert!(matches!(come(&mut slot, &ada(), 1, NOON_MS + 4), Standing::Waits { is_new: true, .. }), "once");
}

#[test]
fn a_no_stands_until_it_expires() {
    let mut slot = Slot::default();
    let id = waiting(&mut slot, 1);
    assert_eq!(answer(&mut slot, &id, Word::Reject, &bob(), NOON_MS + 2), Ok(()));
    let said = Answer { by: bob(), at_ms: NOON_MS + 2, reason: "looked at it".to_owned() };
    for later in [3, 600_001] {
        assert_eq!(come(&mut slot, &ada(), 1, NOON_MS + later), Standing::Rejected { id, answer: said.clone() });
    }
    assert!(matches!(come(&mut slot, &ada(), 1, NOON_MS + 600_002), Standing::Waits { is_new: true, .. }));
}

#[test]
fn question_and_yes_are_good_for_so_long_each() {
    let mut slot = Slot::default();
    let id = waiting(&mut slot, 1);
    assert_eq!(answer(&mut slot, &id, Word::Approve, &bob(), NOON_MS + 600_000), Err(NotAnswered::Expired));
    assert_eq!(answer(&mut slot, &id, Word::Approve, &bob(), NOON_MS + 599_999), Ok(()));
    let mut late = slot.clone();
    assert!(matches!(come(&mut slot, &ada(), 1, NOON_MS + 1_199_998), Standing::Runs { .. }));
    assert!(matches!(come(&mut late, &ada(), 1, NOON_MS + 1_199_999), Standing::Waits { is_new: true, .. }));
}

#[test]
fn only_somebody_else_whom_the_rule_names_can_answer_and_only_once() {
    let mut slot = Slot::default();
    let id = waiting(&mut slot, 1);
    for (by, refused) in [
        (json!({"user": "ada", "team": "dba"}), NotAnswered::Own),
        (json!({"user": "ADA", "team": "dba"}), NotAnswered::Own),
        (json!({"user": "bob", "team": "dba", "agent": "helper"}), NotAnswered::Own),
        (json!({"user": "bob", "team": "support"}), NotAnswered::NotTheirs),
        (json!({"user": "bob"}), NotAnswered::NotTheirs),
        (json!({"team": "dba"}), NotAnswered::NotTheirs),
        (json!({}), NotAnswered::NotTheirs),
    ] {
        assert_eq!(answer(&mut slot, &id, Word::Approve, &subject(by.clone()), NOON_MS), Err(refused), "{by}");
    }
    assert_eq!(slot.answer(&id, Word::Approve, &bob(), "", None, NOON_MS).err(), Some(NotAnswered::NotTheirs));
    assert_eq!(answer(&mut slot, &Id([9; 16]), Word::Approve, &bob(), NOON_MS), Err(NotAnswered::Unknown));
    let long = "x".repeat(MAX_REASON + 1);
    let refused = slot.answer(&id, Word::Approve, &bob(), &long, Some(&by_dba()), NOON_MS).err();
    assert_eq!(refused, Some(NotAnswered::LongReason));
    assert!(
        matches!(come(&mut slot, &ada(), 1, NOON_MS), Standing::Waits { is_new: false, .. }),
        "nothing has changed"
    );
    assert_eq!(answer(&mut slot, &id, Word::Reject, &bob(), NOON_MS), Ok(()));
    for word in [Word::Approve, Word::Reject] {
        assert_eq!(answer(&mut slot, &id, word, &bob(), NOON_MS), Err(NotAnswered::Answered));
    }
}

#[test]
fn a_key_that_both_show_makes_them_one() {
    let with_key =
        |user: &str, key: &str| Subject { key: key.to_owned().try_into().ok(), ..subject(json!({"user": user})) };
    assert!(is_same(&with_key("ada", "k1"), &with_key("bob", "k1")));
    assert!(!is_same(&with_key("ada", "k1"), &with_key("bob", "k2")));
    assert!(!is_same(&Subject::default(), &Subject::default()));
}

#[test]
fn where_the_caller_confirms_it_is_nobody_else() {
    assert_eq!(may_answer(&ada(), &subject(json!({"user": "ada"})), &Approval::Caller), Ok(()));
    for by in [bob(), Subject::default(), subject(json!({"agent": "helper"}))] {
        assert_eq!(may_answer(&ada(), &by, &Approval::Caller), Err(NotAnswered::NotTheirs));
    }
    assert_eq!(may_answer(&Subject::default(), &Subject::default(), &Approval::Caller), Err(NotAnswered::NotTheirs));
}

#[test]
fn a_yes_of_who_may_not_say_it_any_more_is_none() {
    let mut slot = Slot::default();
    let id = waiting(&mut slot, 1);
    assert_eq!(answer(&mut slot, &id, Word::Approve, &bob(), NOON_MS), Ok(()));
    let team = Attribute::Subject(SubjectField::Other(Field::Team));
    let approval = Approval::Approver(vec![(team, tollgate_config::read(r#"["security"]"#).unwrap())]);
    let ada = ada();
    let call = delete(&ada, parameters(1));
    let arguments = Arguments::default();
    let asking = Asking { call, arguments: &arguments, approval: &approval, within_s: 600, id: Id([2; 16]) };
    assert!(matches!(slot.come(&asking, NOON_MS + 1), Standing::Waits { is_new: false, .. }));
    assert!(matches!(come(&mut slot, &ada, 1, NOON_MS + 2), Standing::Waits { is_new: false, .. }));
}

#[test]
fn who_asks_for_much_and_who_comes_last_are_refused_and_nothing_that_waits_is_forgotten() {
    let mut slot = Slot::default();
    let ids: Vec<Id> = (0..OPEN_OF_ONE).map(|number| waiting(&mut slot, u8::try_from(number).unwrap())).collect();
    assert_eq!(come(&mut slot, &ada(), 99, NOON_MS), Standing::Full);
    assert!(matches!(come(&mut slot, &ada(), 0, NOON_MS), Standing::Waits { is_new: false, .. }), "joins");
    for number in OPEN_OF_ONE..ENTRIES_PER_SLOT {
        let other = subject(json!({"user": format!("user{number}")}));
        assert!(matches!(come(&mut slot, &other, 1, NOON_MS), Standing::Waits { is_new: true, .. }));
    }
    let late = subject(json!({"user": "late"}));
    assert_eq!(come(&mut slot, &late, 1, NOON_MS), Standing::Full);
    assert!(ids.iter().all(|id| slot.entries().iter().any(|entry| entry.id == *id)));
    // What has been answered is as good as what waits.
    assert_eq!(answer(&mut slot, &ids[0], Word::Approve, &bob(), NOON_MS), Ok(()));
    assert_eq!(answer(&mut slot, &ids[1], Word::Reject, &bob(), NOON_MS), Ok(()));
    assert_eq!(come(&mut slot, &late, 1, NOON_MS), Standing::Full);
    // What is over makes place.
    assert!(matches!(come(&mut slot, &ada(), 0, NOON_MS), Standing::Runs { .. }));
    assert!(matches!(come(&mut slot, &late, 1, NOON_MS), Standing::Waits { is_new: true, .. }));
    assert_eq!(slot.entries().len(), ENTRIES_PER_SLOT);
}

#[test]
fn an_entry_is_in_the_slot_of_its_call() {
    let ada = ada();
    for number in 0..40 {
        let mut slot = Slot::default();
        let id = waiting(&mut slot, number);
        assert_eq!(slot_of(&id), slot_of_call(&delete(&ada, parameters(number))));
    }
}

#[test]
fn the_largest_entry_is_within_its_bound_and_read_back() {
    let text = "東".repeat(1000);
    let label = "x".repeat(64);
    let fields: serde_json::Map<_, _> =
        Field::ALL.iter().map(|field| (field.name().to_owned(), label.clone().into())).collect();
    let requester = Subject { key: label.clone().try_into().ok(), ..subject(fields.into()) };
    let mut by = bob();
    for field in [Field::Feature, Field::Environment, Field::Tier, Field::Agent] {
        by.say(field, "y".repeat(64).try_into().unwrap()).unwrap();
    }
    let arguments: serde_json::Map<_, _> = (0..100).map(|at| (format!("{at}{text}"), text.clone().into())).collect();
    let arguments = with_json(&serde_json::Value::from(arguments).to_string(), |document| {
        Arguments::for_page(Some(document.root()), MAX_ARGUMENTS)
    });
    let call = Call {
        subject: &requester,
        server: &text,
        method: "tools/call",
        object: &text,
        parameters: parameters(1),
        rule: &text,
    };
    let mut slot = Slot::default();
    let approval = by_dba();
    let asking = Asking { call, arguments: &arguments, approval: &approval, within_s: u64::MAX, id: Id([3; 16]) };
    let Standing::Waits { id, .. } = slot.come(&asking, NOON_MS) else { panic!() };
    slot.answer(&id, Word::Approve, &by, &"r".repeat(MAX_REASON), Some(&approval), NOON_MS).unwrap();
    assert!(matches!(slot.come(&asking, NOON_MS), Standing::Runs { .. }));
    assert!(!slot.entries()[0].complete);
    assert!(slot.write().len() <= MAX_ENTRY, "{}", slot.write().len());
    assert_eq!(Slot::read(&slot.write()), Some(slot));
}

#[test]
fn bytes_that_are_no_slot_are_none() {
    let mut slot = Slot::default();
    waiting(&mut slot, 1);
    let bytes = slot.write();
    for end in 2..bytes.len() {
        assert_eq!(Slot::read(&bytes[..end]), None, "{end}");
    }
    assert_eq!(Slot::read(&[2]), None);
    assert_eq!(Slot::read(&[]), Some(Slot::default()));
}

#[cfg(not(target_arch = "wasm32"))]
mod properties {
    use super::super::super::Id;
    use super::*;
    use proptest::prelude::*;

    /// What a worker does. Each reads the slot at some time and writes it at a later one, if nobody was faster.
    #[derive(Debug, Clone, Copy)]
    enum Deed {
        Come { user: u8, number: u8 },
        Answer { entry: usize, word: Word, by: u8 },
    }

    fn deed() -> impl Strategy<Value = Deed> {
        let word = prop_oneof![3 => Just(Word::Approve), 1 => Just(Word::Reject)];
        prop_oneof![
            (0..2_u8, 0..3_u8).prop_map(|(user, number)| Deed::Come { user, number }),
            (0..4_usize, word, 0..4_u8).prop_map(|(entry, word, by)| Deed::Answer { entry, word, by }),
        ]
    }

    fn person(number: u8) -> Subject {
        match number {
            0 | 1 => subject(json!({"user": format!("user{number}"), "team": "dba"})),
            2 => bob(),
            _ => subject(json!({"user": "eve", "team": "support"})),
        }
    }

    /// Runs and approvals, as those know of them whose writing succeeded.
    #[derive(Default)]
    struct Seen {
        approved: Vec<(Id, Digest)>,
        ran: Vec<(Id, Digest)>,
    }

    fn act(slot: &mut Slot, deed: Deed, id: u8, now_ms: u64, seen: &mut Seen) {
        match deed {
            Deed::Come { user, number } => {
                let approval = by_dba();
                let person = person(user);
                let call = delete(&person, parameters(number));
                let arguments = Arguments::default();
                let asking =
                    Asking { call, arguments: &arguments, approval: &approval, within_s: 20, id: Id([id; 16]) };
                if let Standing::Runs { id, answer } = slot.come(&asking, now_ms) {
                    assert!(may_answer(&person, &answer.by, &approval).is_ok());
                    seen.ran.push((id, call.digest()));
                }
            }
            Deed::Answer { entry, word, by } => {
                let Some(entry) = slot.entries().get(entry).cloned() else { return };
                let answered = slot.answer(&entry.id, word, &person(by), "", Some(&by_dba()), now_ms).is_ok();
                assert!(!answered || by == 2 || (by < 2 && entry.requester != person(by)));
                if answered && word == Word::Approve {
                    seen.approved.push((entry.id, entry.call));
                }
            }
        }
    }

    proptest! {
        #[test]
        fn however_two_workers_interleave_a_call_runs_only_if_approved_and_once(
            deeds in proptest::collection::vec((deed(), any::<bool>(), 0..5_u64), 1..60)
        ) {
            let (mut shared, mut version, mut now_ms) = (Slot::default().write(), 0_u32, NOON_MS);
            let mut held: Option<(Vec<u8>, u32, Deed, u8)> = None;
            let mut seen = Seen::default();
            for (at, (deed, slow, passed_s)) in deeds.into_iter().enumerate() {
                now_ms = now_ms.saturating_add(passed_s.saturating_mul(1000));
                let id = u8::try_from(at).unwrap();
                // A slow worker has read before what the others do now.
                let begun = if slow && held.is_none() {
                    held = Some((shared.clone(), version, deed, id));
                    continue;
                } else if slow {
                    held.take().unwrap()
                } else {
                    (shared.clone(), version, deed, id)
                };
                let (bytes, read_version, deed, id) = begun;
                let mut slot = Slot::read(&bytes).unwrap();
                let mut own = Seen::default();
                act(&mut slot, deed, id, now_ms, &mut own);
                if read_version == version {
                    shared = slot.write();
                    version = version.wrapping_add(1);
                    seen.approved.append(&mut own.approved);
                    seen.ran.append(&mut own.ran);
                }
                prop_assert!(shared.len() <= 1 + ENTRIES_PER_SLOT * MAX_ENTRY);
                prop_assert!(Slot::read(&shared).unwrap().entries().len() <= ENTRIES_PER_SLOT);
            }
            for (at, run) in seen.ran.iter().enumerate() {
                prop_assert!(seen.approved.contains(run));
                prop_assert!(!seen.ran.iter().skip(at.saturating_add(1)).any(|other| other == run));
            }
        }

        #[test]
        fn no_bytes_make_reading_fail_otherwise_than_by_none(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            if let Some(slot) = Slot::read(&bytes) {
                prop_assert_eq!(Slot::read(&slot.write()), Some(slot));
            }
        }
    }
}
