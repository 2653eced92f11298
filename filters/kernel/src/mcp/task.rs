//! A task belongs to the subject that began it.
//!
//! Its id is the server's own and stands in many places, in bodies and in a header, so it stays as it is, and who began which is
//! [noted](crate::owned), in [`SLOTS`] slots. A note is kept until its task is over by what the server says, and for [`LONGEST_S`] at
//! most; where a server says nothing, for [`USUAL_S`]. There is no room: the task is not begun, as far as its client sees.

use crate::json::{Kind, Value};
use crate::owned::{self, Key};
use std::borrow::Cow;

/// In `_meta` of a request: the client can wait for a task.
pub const EXTENSION: &str = "io.modelcontextprotocol/tasks";
/// How many slots there are.
pub const SLOTS: u16 = 64;
/// How long a task is known of which its server does not say how long it keeps it: a day.
pub const USUAL_S: u64 = 86_400;
/// The longest: a week.
pub const LONGEST_S: u64 = 7 * USUAL_S;
/// The shortest, so that a server which counts from the end of a task may be asked for its result: ten minutes.
pub const SHORTEST_S: u64 = 600;

/// Tasks, and whose they are.
pub type Slot = owned::Slot;

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

/// The task of this id at this server.
#[must_use]
pub fn key(server: &str, id: &str) -> Key {
    Key::of(&[server.as_bytes()], id)
}

#[cfg(test)]
mod tests {
    use super::{Begun, LONGEST_S, SHORTEST_S, USUAL_S};
    use crate::json::{Document, Limits};
    use serde_json::json;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

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
