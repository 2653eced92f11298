//! What is recorded of an answer.

use super::{Fault, Seen, State, States, What};

/// What came of a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// What came of it, as the agent has said.
    pub outcome: Outcome,
    /// Bytes of the answer as it came.
    pub bytes: u64,
    /// Tasks, messages and updates that came.
    pub payloads: u32,
    /// States that tasks were seen in; [`State::AuthRequired`] among them is to be noted.
    pub states: States,
    /// The newest of them.
    pub state: Option<State>,
    /// Artifacts, each counted once however many pieces it came in.
    pub artifacts: u32,
    /// The task that was named first. Not of a list.
    pub task: Option<String>,
    /// The context that was named first. Not of a list.
    pub context: Option<String>,
    /// Tasks of a list that the client was shown.
    pub shown: u32,
    /// Tasks of a list that it was not shown.
    pub hidden: u32,
    /// Why the answer was not passed on.
    pub fault: Option<Fault>,
}

/// What came of a request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Outcome {
    /// There was no response.
    #[default]
    None,
    /// A task, or events of one.
    Task,
    /// A message.
    Message,
    /// A list of tasks.
    Tasks,
    /// Something else that was asked for.
    Result,
    /// An error, with its code in JSON-RPC, or the status if it is none of A2A's.
    Error(Option<i32>),
    /// Part of the answer was not read: it was only watched, and too large or no message.
    Unread,
}

impl Tally {
    pub(super) fn add(&mut self, seen: &Seen<'_>) {
        self.payloads = self.payloads.saturating_add(1);
        self.outcome = if seen.what == What::Message { Outcome::Message } else { Outcome::Task };
        match seen.what {
            What::Task(artifacts) => self.artifacts = self.artifacts.max(artifacts),
            What::ArtifactUpdate { appends: false } => self.artifacts = self.artifacts.saturating_add(1),
            _ => {}
        }
        self.enter(seen.state);
        let first = |own: &mut Option<String>, id: Option<&str>| {
            if own.is_none() {
                *own = id.map(str::to_owned);
            }
        };
        first(&mut self.task, seen.task.as_deref());
        first(&mut self.context, seen.context.as_deref());
    }

    pub(super) fn enter(&mut self, state: Option<State>) {
        let Some(state) = state else { return };
        self.states.add(state);
        self.state = Some(state);
    }
}

impl Outcome {
    /// The word in records.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Task => "task",
            Self::Message => "message",
            Self::Tasks => "tasks",
            Self::Result => "result",
            Self::Error(_) => "error",
            Self::Unread => "unread",
        }
    }
}
