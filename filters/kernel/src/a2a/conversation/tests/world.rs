//! Callers that name whatever they have heard of, and an agent that keeps its tasks apart by their ids alone.

use super::{Memory, NOON_S, admit, judged, keys, message, party, seen};
use crate::a2a::Operation;
use crate::a2a::answer::{Judge, Shown, State};
use crate::a2a::conversation::{Mode, Party};
use proptest::prelude::*;
use serde_json::json;

const USERS: [&str; 3] = ["ann", "bob", "eve"];

#[derive(Debug, Clone, Copy)]
enum Deed {
    Send { user: usize, context: Option<usize>, task: Option<usize>, reference: Option<usize> },
    Get { user: usize, task: usize },
    Cancel { user: usize, task: usize },
    List { user: usize, context: Option<usize> },
    Wait { seconds: u64 },
    Restart,
}

/// A task of the agent's.
#[derive(Debug, Clone)]
struct Task {
    user: usize,
    id: String,
    context: String,
    has_ended: bool,
}

struct World {
    mode: Mode,
    table: Memory,
    tasks: Vec<Task>,
    number: u8,
}

impl World {
    fn party(&self, user: usize) -> Party {
        party(self.mode, USERS[user])
    }

    fn at(&self, index: usize) -> Option<Task> {
        self.tasks.get(index.checked_rem(self.tasks.len())?).cloned()
    }

    fn state(task: &Task) -> State {
        if task.has_ended { State::Completed } else { State::Working }
    }

    fn send(&mut self, user: usize, named: [Option<Task>; 3]) {
        let [context, task, reference] = &named;
        let params = message(&json!({
            "contextId": context.as_ref().map(|task| &task.context),
            "taskId": task.as_ref().map(|task| &task.id),
            "referenceTaskIds": reference.as_ref().map(|task| vec![&task.id]),
        }));
        self.number = self.number.wrapping_add(1);
        let admitted = admit(self.party(user), Operation::SendMessage, &params, &self.table, [self.number; 16]);
        let Ok(mut guard) = admitted else { return };
        let all_own = named.iter().flatten().all(|task| task.user == user);
        assert!(all_own, "{user} got through to {named:?}");
        if context.as_ref().zip(task.as_ref()).is_some_and(|(context, task)| context.context != task.context) {
            return;
        }
        let answered = task.clone().unwrap_or_else(|| {
            let own = context.as_ref().map(|task| task.context.clone()).or(guard.supplied().map(str::to_owned));
            let context = own.unwrap_or_else(|| format!("c{}", self.number));
            let task =
                Task { user, id: format!("t{}", self.number), context, has_ended: self.number.is_multiple_of(3) };
            self.tasks.push(task.clone());
            task
        });
        let seen = seen(&answered.id, &answered.context, Self::state(&answered));
        judged(&mut guard, &seen, &mut self.table).unwrap();
    }

    fn get(&mut self, user: usize, task: &Task) -> bool {
        let mut guard =
            admit(self.party(user), Operation::GetTask, &json!({"id": task.id}), &self.table, [0; 16]).unwrap();
        let seen = seen(&task.id, &task.context, Self::state(task));
        let passed = judged(&mut guard, &seen, &mut self.table).is_ok();
        assert!(!passed || task.user == user, "{user} read {task:?}");
        assert!(passed || self.mode == Mode::Table || task.user != user, "{user} lost {task:?}");
        passed
    }

    fn list(&mut self, user: usize, context: Option<&Task>) {
        let params = json!({"contextId": context.map(|task| &task.context)});
        let Ok(mut guard) = admit(self.party(user), Operation::ListTasks, &params, &self.table, [0; 16]) else {
            return;
        };
        assert!(context.is_none_or(|task| task.user == user));
        for task in &self.tasks {
            let shown = guard.judge(&keys(), &mut self.table).listed(&seen(&task.id, &task.context, Self::state(task)));
            assert!(shown == Shown::No || task.user == user, "{user} was shown {task:?}");
            assert!(shown == Shown::Yes || task.user != user || self.mode == Mode::Table, "{user} lost {task:?}");
        }
    }

    fn perform(&mut self, deed: Deed) {
        match deed {
            Deed::Send { user, context, task, reference } => {
                let named = [context, task, reference].map(|index| index.and_then(|index| self.at(index)));
                self.send(user, named);
            }
            Deed::Get { user, task } => {
                let Some(task) = self.at(task) else { return };
                if self.get(user, &task) {
                    let cancels =
                        admit(self.party(user), Operation::CancelTask, &json!({"id": task.id}), &self.table, [0; 16]);
                    assert!(cancels.is_ok(), "what is read is known");
                }
            }
            Deed::Cancel { user, task } => {
                let Some(task) = self.at(task) else { return };
                let params = json!({"id": task.id});
                let cancels = admit(self.party(user), Operation::CancelTask, &params, &self.table, [0; 16]);
                assert!(cancels.is_err() || task.user == user, "{user} ended {task:?}");
            }
            Deed::List { user, context } => {
                let context = context.and_then(|index| self.at(index));
                self.list(user, context.as_ref());
            }
            Deed::Wait { seconds } => self.table.now_s = self.table.now_s.saturating_add(seconds),
            Deed::Restart => self.table = Memory { now_s: self.table.now_s, ..Memory::new() },
        }
    }
}

fn deed() -> impl Strategy<Value = Deed> {
    let user = || 0..USERS.len();
    let any = || proptest::option::of(0_usize..100);
    prop_oneof![
        4 => (user(), any(), any(), any())
            .prop_map(|(user, context, task, reference)| Deed::Send { user, context, task, reference }),
        3 => user().prop_map(|user| Deed::Send { user, context: None, task: None, reference: None }),
        4 => (user(), 0_usize..100).prop_map(|(user, task)| Deed::Get { user, task }),
        2 => (user(), 0_usize..100).prop_map(|(user, task)| Deed::Cancel { user, task }),
        2 => (user(), any()).prop_map(|(user, context)| Deed::List { user, context }),
        1 => (1..100_000_u64).prop_map(|seconds| Deed::Wait { seconds }),
        1 => Just(Deed::Restart),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn nobody_reaches_what_another_has_begun(table: bool, deeds in proptest::collection::vec(deed(), 1..60)) {
        let mode = if table { Mode::Table } else { Mode::Mac };
        let mut world = World { mode, table: Memory { now_s: NOON_S, ..Memory::new() }, tasks: Vec::new(), number: 0 };
        for deed in deeds {
            world.perform(deed);
        }
    }

    #[test]
    fn nothing_but_the_whole_id_proves(random: [u8; 16], at in 0_usize..67, with in "[!-~]") {
        let owner = party(Mode::Mac, "ann").owner;
        let mut id = super::new(&keys(), &owner, random);
        prop_assert!(super::proves(&keys(), &owner, &id));
        if id.get(at..=at) != Some(&with) {
            id.replace_range(at..=at, &with);
            prop_assert!(!super::proves(&keys(), &owner, &id));
        }
    }
}
