//! What is decided on what the agent answers.

use super::admit::Admitted;
use super::{ENDED_S, KEPT_S, Mode, Party, Refusal, Route, Seed, Standing, Table, context, table};
use crate::a2a::answer::{Expected, Fault, Judge, Seen, Shown, State, Verdict};
use crate::a2a::{Call, Dialect, Error, Named, Operation};
use crate::json_rpc::Id;
use crate::owned::{Kept, Key, NotNoted};
use crate::signing_keys::SigningKeys;

/// A request that goes to the agent, and what its answer may tell.
#[derive(Debug, Clone)]
pub struct Guard {
    party: Party,
    dialect: Dialect,
    id: Option<Id<'static>>,
    operation: Option<Operation>,
    supplied: Option<String>,
    /// The context that the answer must be in, once it is known.
    context: Option<String>,
    /// What its conversation began with.
    seed: Option<Seed>,
    /// The task that it is about.
    asked: Option<String>,
    /// Whether that is known to be the caller's.
    is_own_task: bool,
    noted: Option<Noted>,
    refusal: Option<Refusal>,
}

/// What of an answer was noted last.
#[derive(Debug, Clone)]
struct Noted {
    task: String,
    has_ended: bool,
}

/// A guard at work.
#[derive(Debug)]
pub struct Judging<'g, T> {
    guard: &'g mut Guard,
    keys: &'g SigningKeys,
    table: &'g mut T,
}

impl Guard {
    pub(super) fn new(party: Party, call: &Call<'_, '_>, admitted: Admitted) -> Self {
        let Admitted { supplied, named, seed, is_own_task } = admitted;
        let operation = match call.operation {
            Named::Known(operation) if party.mode != Mode::Off => Some(operation),
            _ => None,
        };
        Self {
            party,
            dialect: call.dialect,
            id: call.id.clone().map(Id::into_owned),
            operation,
            context: named.or_else(|| supplied.clone()),
            supplied,
            seed,
            asked: call.task.as_deref().map(str::to_owned),
            is_own_task,
            noted: None,
            refusal: None,
        }
    }

    /// The context that the gateway supplies, for [`Call::body_for_agent`].
    #[must_use]
    pub fn supplied(&self) -> Option<&str> {
        self.supplied.as_deref()
    }

    /// Where the request goes; `None` if its conversation is not known.
    #[must_use]
    pub fn route(&self) -> Option<Route> {
        self.seed.map(|seed| Route::of(&self.party.place, seed))
    }

    /// Whether the answer must be judged: read to its end, its errors too. Of who is told of a task it names no other.
    #[must_use]
    pub const fn judges(&self) -> bool {
        use Operation::{CancelTask, GetTask, ListTasks, SendMessage, SendStreamingMessage, SubscribeToTask};
        matches!(
            self.operation,
            Some(SendMessage | SendStreamingMessage | GetTask | ListTasks | CancelTask | SubscribeToTask)
        )
    }

    /// Whether it may still turn out that the task is not the caller's. Until then nothing of the answer, not even its head, may reach
    /// the client, and whatever is no task of the caller's is [`Refusal::answer`] from its status on, also what is no answer at all.
    #[must_use]
    pub const fn hides(&self) -> bool {
        matches!(self.operation, Some(Operation::GetTask)) && !self.is_own_task
    }

    /// Why the answer was not passed on, if it was not.
    #[must_use]
    pub const fn refusal(&self) -> Option<Refusal> {
        self.refusal
    }

    /// Who judges the answer.
    pub const fn judge<'g, T: Table>(&'g mut self, keys: &'g SigningKeys, table: &'g mut T) -> Judging<'g, T> {
        Judging { guard: self, keys, table }
    }

    /// Whether nothing of this event is new.
    fn knows(&self, seen: &Seen<'_>) -> bool {
        let Some(noted) = &self.noted else { return false };
        let same = |own: Option<&str>, said: Option<&str>| said.is_none() || own == said;
        same(Some(&noted.task), seen.task.as_deref())
            && same(self.context.as_deref(), seen.context.as_deref())
            && (noted.has_ended || !has_ended(seen))
    }

    fn refuse(&mut self, refusal: Refusal) -> Verdict {
        self.refusal = Some(refusal);
        Verdict::Refuse(refusal.answer(self.dialect, self.id.as_ref()).body)
    }
}

impl<T: Table> Judging<'_, T> {
    /// The answer to a message. It stays in the context that the message was sent in.
    fn sent(&mut self, seen: &Seen<'_>) -> Result<(), Refusal> {
        let Guard { party, ref context, .. } = *self.guard;
        if let Some(said) = seen.context.as_deref()
            && context.as_deref() != Some(said)
        {
            match party.context(said, self.keys, self.table) {
                Standing::Another => return Err(Refusal::ContextOfAnother),
                _ if context.is_some() => return Err(Refusal::ContextReplaced),
                Standing::Own(seed) => self.guard.seed = Some(seed),
                // INVARIANT: where contexts prove themselves, a message is always sent in one.
                Standing::Unknown => {}
            }
        }
        self.note(seen, seen.task.as_deref())
    }

    /// The answer to a request about a task.
    fn asked(&mut self, seen: &Seen<'_>) -> Result<(), Refusal> {
        let task = seen.task.as_deref().or(self.guard.asked.as_deref()).unwrap_or_default().to_owned();
        let Standing::Own(seed) = self.whose(&task, seen.context.as_deref()) else { return Err(Refusal::NotThere) };
        self.guard.seed = Some(seed);
        self.guard.is_own_task = true;
        self.note(seen, Some(&task))
    }

    /// Whose a task is, by its note and by its context. Agents that count their tasks give an id twice, so where contexts prove
    /// themselves the note alone is not enough.
    fn whose(&self, task: &str, context: Option<&str>) -> Standing {
        let party = self.guard.party;
        let by_context = context.map(|id| party.context(id, self.keys, self.table));
        match (party.task(task, self.table), by_context) {
            (Standing::Another, _) | (_, Some(Standing::Another)) => Standing::Another,
            (_, Some(Standing::Unknown)) if party.mode == Mode::Mac => Standing::Unknown,
            (Standing::Own(seed), _) | (_, Some(Standing::Own(seed))) => Standing::Own(seed),
            (Standing::Unknown, _) => Standing::Unknown,
        }
    }

    /// Notes the context of an answer, unless it proves itself, and its task.
    fn note(&mut self, seen: &Seen<'_>, task: Option<&str>) -> Result<(), Refusal> {
        let party = self.guard.party;
        if let Some(context) = seen.context.as_deref() {
            if context::proven(self.keys, &party.owner, context).is_none() {
                self.keep(table::context(&party.place, context), false)?;
            }
            self.guard.context = Some(context.to_owned());
        }
        let Some(task) = task else { return Ok(()) };
        let has_ended = has_ended(seen);
        self.keep(table::task(&party.place, task), has_ended)?;
        self.guard.noted = Some(Noted { task: task.to_owned(), has_ended });
        Ok(())
    }

    fn keep(&mut self, key: Key, has_ended: bool) -> Result<(), Refusal> {
        let Guard { party, seed, .. } = *self.guard;
        let kept = if has_ended { Kept::For(ENDED_S) } else { Kept::AtLeast(KEPT_S) };
        // INVARIANT: a message has a seed when it is sent, and what is asked about a task when it is the caller's.
        let note = party.note(seed.ok_or(Refusal::NotThere)?);
        match self.table.note(key, note, kept) {
            Err(NotNoted::Full | NotNoted::TooMany) if self.goes_without(has_ended) => Ok(()),
            noted => noted.map_err(Refusal::NotNoted),
        }
    }

    /// Whether something may be told that cannot be noted: nothing is begun by it, or it has ended already and its context proves
    /// whose it is, so that it can be read again.
    fn goes_without(&self, has_ended: bool) -> bool {
        let Guard { party, operation, ref context, .. } = *self.guard;
        let sends = operation.is_some_and(Operation::sends);
        let is_proven = || context.as_deref().is_some_and(|id| context::proven(self.keys, &party.owner, id).is_some());
        !sends || (has_ended && is_proven())
    }
}

impl<T: Table> Judge for Judging<'_, T> {
    fn seen(&mut self, seen: &Seen<'_>) -> Verdict {
        let Some(operation) = self.guard.operation.filter(|_| !self.guard.knows(seen)) else { return Verdict::Pass };
        match if operation.sends() { self.sent(seen) } else { self.asked(seen) } {
            Ok(()) => Verdict::Pass,
            Err(refusal) => self.guard.refuse(refusal),
        }
    }

    fn listed(&mut self, seen: &Seen<'_>) -> Shown {
        let is_own = || self.whose(seen.task.as_deref().unwrap_or_default(), seen.context.as_deref()).is_own();
        if self.guard.operation.is_none() || is_own() { Shown::Yes } else { Shown::No }
    }

    fn error(&mut self, code: Option<i32>) -> Verdict {
        let is_not_there = self.guard.judges() && code == Some(Error::TaskNotFound.code());
        if is_not_there || self.guard.hides() { self.guard.refuse(Refusal::NotThere) } else { Verdict::Pass }
    }

    fn fault(&mut self, fault: Fault, expected: &Expected) -> Vec<u8> {
        if self.guard.hides() {
            self.guard.refusal = Some(Refusal::NotThere);
            return Refusal::NotThere.answer(self.guard.dialect, self.guard.id.as_ref()).body;
        }
        Error::InvalidAgentResponse.body(expected.dialect, expected.id.as_ref(), Some(&fault.to_string()))
    }
}

fn has_ended(seen: &Seen<'_>) -> bool {
    seen.state.is_some_and(State::is_final)
}
