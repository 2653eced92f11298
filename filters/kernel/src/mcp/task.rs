//! A task belongs to the subject that began it.
//!
//! Its id is the server's own and stands in many places, in bodies and in a header, so it stays as it is, and who began which is
//! noted: in [`SLOTS`] slots of [`ENTRIES`] tasks each, of which one owner has [`MOST`] at most. A note is kept until its task is
//! over by what the server says, and for [`LONGEST_S`] at most; where a server says nothing, for [`USUAL_S`]. There is no room:
//! the task is not begun, as far as its client sees. So no unexpired note is ever given up for another.

use super::session::Owner;
use super::session::short;
use crate::json::{Kind, Value};
use sha2::{Digest, Sha256};
use std::borrow::Cow;

/// In `_meta` of a request: the client can wait for a task.
pub const EXTENSION: &str = "io.modelcontextprotocol/tasks";
/// How many slots there are.
pub const SLOTS: u8 = 64;
/// How many tasks a slot has room for.
pub const ENTRIES: usize = 64;
/// How many of them may be one owner's.
pub const MOST: usize = 16;
/// How long a task is known of which its server does not say how long it keeps it: a day.
pub const USUAL_S: u64 = 86_400;
/// The longest: a week.
pub const LONGEST_S: u64 = 7 * USUAL_S;
/// The shortest, so that a server which counts from the end of a task may be asked for its result: ten minutes.
pub const SHORTEST_S: u64 = 600;

const ENTRY: usize = 40;

/// Which task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TaskKey([u8; 16]);

/// Tasks, and whose they are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Slot(Vec<Entry>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    task: TaskKey,
    owner: [u8; 16],
    until_s: u64,
}

/// A task cannot be noted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotNoted {
    /// There is no room in its slot.
    Full,
    /// Its owner has as many as may be.
    TooMany,
    /// It is somebody else's.
    Taken,
}

/// A task as a result tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Begun<'a> {
    /// Its id.
    pub id: Cow<'a, str>,
    /// For how many seconds it is kept.
    pub kept_s: u64,
}

impl<'a> Begun<'a> {
    /// The task that a result begins; `None` for any other result. An empty id is one that cannot be asked for.
    #[must_use]
    pub fn of_result(result: Value<'_, 'a>) -> Option<Self> {
        let text = |of: Value<'_, 'a>| of.get("taskId").and_then(Value::as_str);
        let (of, ttl) = match result.get("resultType").and_then(Value::as_str).as_deref() {
            Some("task") => (result, "ttlMs"),
            None => (result.get("task").filter(|task| task.get("taskId").is_some())?, "ttl"),
            Some(_) => return None,
        };
        let said = of.get(ttl).filter(|ttl| ttl.kind() == Kind::Number).and_then(|ttl| ttl.raw().parse::<u64>().ok());
        let kept_s = said.map_or(USUAL_S, |ms| ms.div_ceil(1000).clamp(SHORTEST_S, LONGEST_S));
        Some(Self { id: text(of).unwrap_or_default(), kept_s })
    }
}

impl TaskKey {
    /// The task of this id at this server.
    #[must_use]
    pub fn of(server: &str, id: &str) -> Self {
        Self(short(Sha256::new().chain_update(server).chain_update(b"\0").chain_update(id)))
    }

    /// Where it is noted.
    #[must_use]
    pub fn slot(self) -> u8 {
        let Self([first, ..]) = self;
        first.checked_rem(SLOTS).unwrap_or_default()
    }
}

impl Slot {
    /// The slot that these bytes are; `None` when they are none.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let (entries, rest) = bytes.as_chunks::<ENTRY>();
        let entry = |bytes: &[u8; ENTRY]| {
            let (task, rest) = bytes.split_first_chunk::<16>()?;
            let (owner, until) = rest.split_first_chunk::<16>()?;
            Some(Entry { task: TaskKey(*task), owner: *owner, until_s: u64::from_le_bytes(until.try_into().ok()?) })
        };
        if rest.is_empty() { entries.iter().map(entry).collect::<Option<_>>().map(Self) } else { None }
    }

    /// Its bytes.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        let entry = |entry: &Entry| [&entry.task.0[..], &entry.owner, &entry.until_s.to_le_bytes()].concat();
        self.0.iter().flat_map(entry).collect()
    }

    /// Notes that a task is `owner`'s.
    ///
    /// # Errors
    /// When it cannot be. Nothing is changed then but what is over.
    pub fn note(&mut self, task: TaskKey, owner: &Owner<'_>, kept_s: u64, now_s: u64) -> Result<(), NotNoted> {
        let (owner, until_s) = (owner.digest(), now_s.saturating_add(kept_s));
        self.0.retain(|entry| entry.until_s > now_s);
        if let Some(known) = self.0.iter_mut().find(|entry| entry.task == task) {
            known.until_s = known.until_s.max(until_s);
            return if known.owner == owner { Ok(()) } else { Err(NotNoted::Taken) };
        }
        if self.0.iter().filter(|entry| entry.owner == owner).count() >= MOST {
            return Err(NotNoted::TooMany);
        }
        if self.0.len() >= ENTRIES {
            return Err(NotNoted::Full);
        }
        self.0.push(Entry { task, owner, until_s });
        Ok(())
    }

    /// Whether a task is `owner`'s.
    #[must_use]
    pub fn is_owned(&self, task: TaskKey, owner: &Owner<'_>, now_s: u64) -> bool {
        let owner = owner.digest();
        self.0.iter().any(|entry| entry.task == task && entry.owner == owner && entry.until_s > now_s)
    }
}

impl NotNoted {
    /// The word in records.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Full => "no_room_for_tasks",
            Self::TooMany => "too_many_tasks",
            Self::Taken => "task_of_another",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Begun, ENTRIES, LONGEST_S, MOST, NotNoted, SHORTEST_S, SLOTS, Slot, TaskKey, USUAL_S};
    use crate::json::{Document, Limits};
    use crate::mcp::session::Owner;
    use crate::subject::Subject;
    use serde_json::json;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn subject(user: &str) -> Subject {
        tollgate_config::read(&json!({"user": user}).to_string()).unwrap()
    }

    #[test]
    fn a_task_is_its_owners_alone_until_it_is_over() {
        let (ada, eve) = (subject("ada"), subject("eve"));
        let (ada, eve) = (Owner { server: "crm", subject: &ada }, Owner { server: "crm", subject: &eve });
        let task = TaskKey::of("crm", "t");
        let mut slot = Slot::default();
        slot.note(task, &ada, 10, 100).unwrap();
        assert!(slot.is_owned(task, &ada, 109));
        assert!(!slot.is_owned(task, &ada, 110), "over");
        assert!(!slot.is_owned(task, &eve, 109));
        assert!(!slot.is_owned(TaskKey::of("crm", "u"), &ada, 109));
        assert!(!slot.is_owned(TaskKey::of("other", "t"), &ada, 109));
        assert!(!slot.is_owned(task, &Owner { server: "other", ..ada }, 109));
        assert_eq!(slot.note(task, &eve, 10, 109), Err(NotNoted::Taken));
        assert!(slot.is_owned(task, &ada, 109));
        assert_eq!(slot.note(task, &eve, 10, 200), Ok(()), "ids may come again when they are over");
        assert_eq!(Slot::read(&slot.write()), Some(slot));
    }

    #[test]
    fn no_note_is_given_up_for_another_and_nobody_fills_the_slots() {
        let subjects: Vec<Subject> = (0..6).map(|at| subject(&format!("user{at}"))).collect();
        let mut slot = Slot::default();
        let mut noted = Vec::new();
        for (at, subject) in subjects.iter().enumerate() {
            let owner = Owner { server: "crm", subject };
            for id in 0..=MOST {
                let task = TaskKey::of("crm", &format!("{at}-{id}"));
                match slot.note(task, &owner, 10, 100) {
                    Ok(()) => noted.push((task, owner)),
                    Err(fault) if id == MOST && noted.len() < ENTRIES => assert_eq!(fault, NotNoted::TooMany),
                    Err(fault) => assert!(noted.len() == ENTRIES && fault != NotNoted::Taken, "{fault:?}"),
                }
            }
        }
        assert_eq!(noted.len(), ENTRIES);
        assert!(noted.iter().all(|(task, owner)| slot.is_owned(*task, owner, 109)));
        slot.note(TaskKey::of("crm", "new"), &noted[0].1, 10, 110).unwrap();
        assert_eq!(slot.write().len(), 40, "what is over makes room");
    }

    #[test]
    fn what_is_no_slot_is_not_read_as_one() {
        assert_eq!(Slot::read(b""), Some(Slot::default()));
        assert_eq!(Slot::read(&[0; 39]), None);
        assert_eq!(Slot::read(&[0; 81]), None);
        assert!((0..1000).all(|at| TaskKey::of("crm", &format!("{at}")).slot() < SLOTS));
    }

    #[test]
    fn both_revisions_begin_tasks_in_their_own_way() {
        for (result, expected) in [
            (json!({"resultType": "task", "taskId": "a", "ttlMs": 1_200_001}), Some(("a", 1201))),
            (json!({"resultType": "task", "taskId": "a", "ttlMs": null}), Some(("a", USUAL_S))),
            (json!({"resultType": "task", "taskId": "a", "ttlMs": 1}), Some(("a", SHORTEST_S))),
            (json!({"resultType": "task", "taskId": "a", "ttlMs": 1_u64 << 60}), Some(("a", LONGEST_S))),
            (json!({"resultType": "task", "taskId": 7}), Some(("", USUAL_S))),
            (json!({"task": {"taskId": "b", "ttl": 900_000}}), Some(("b", 900))),
            (json!({"task": {"taskId": "b", "ttl": -1}}), Some(("b", USUAL_S))),
            (json!({"resultType": "complete", "task": {"taskId": "b"}}), None),
            (json!({"taskId": "a"}), None),
            (json!({"task": "b"}), None),
            (json!({}), None),
        ] {
            let text = result.to_string();
            let document = Document::read(text.as_bytes(), Limits { bytes: 1000, nodes: 100 }).unwrap();
            let begun = Begun::of_result(document.root());
            assert_eq!(
                begun.map(|begun| (begun.id.into_owned(), begun.kept_s)),
                expected.map(|(id, s)| (id.to_owned(), s)),
                "{text}"
            );
        }
    }
}
