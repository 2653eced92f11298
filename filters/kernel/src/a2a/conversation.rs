//! A conversation belongs to who opened it, and so do the tasks in it.
//!
//! A [`Party`] is a caller at an agent. What it asks is [admitted](Party::admit) or told as a task that is not there, and what the
//! agent answers is judged by the [`Guard`] that comes of it.
//!
//! Contexts prove themselves: a message that names none is sent in one that we supply, whose id is a MAC for its owner. Nothing
//! is kept of it, any Envoy with the same keys knows it, and it proves nothing for anybody else. Agents that insist on ids of their
//! own have them noted in a [`Table`], as their tasks are in either [`Mode`].
//!
//! What belongs to another is what is not there, by the same way: whoever names a task or a context is refused before the agent is
//! asked, whether it is unknown or another's. To read a task the agent is always asked, and its answer decides: if the context of the
//! task is proven, the task is noted again. So after a restart of Envoy, which forgets the table, a client has its tasks back by
//! reading them. It must before it follows them: agents break a stream off whose task they do not have, and Envoy tells that in its own
//! words, whatever a filter would say.

mod admit;
mod context;
mod guard;
mod refusal;
mod route;
mod table;

use route::Seed;

pub use guard::{Guard, Judging};
pub use refusal::Refusal;
pub use route::Route;
pub use table::{ENDED_S, KEPT_S, Note, SLOTS, Slot, Table};

use crate::owned::Key;
use crate::owner::{self, OwnerId};
use crate::signing_keys::SigningKeys;
use crate::subject::{Field, Subject, SubjectField};
use schemars::JsonSchema;
use tollgate_config::{Fault, Read, Value};

const PURPOSE: &[u8] = b"tollgate-a2a-conversation";

/// Who somebody is. The tier is not in it: it is what was bought, and who buys another keeps their conversations. All else says who
/// speaks, or for which team, product or stage, and none of these may read what another has said. The agent is in it, so what a user
/// has said through one agent is not read through another.
const FIELDS: [SubjectField; 6] = [
    SubjectField::Key,
    SubjectField::Other(Field::User),
    SubjectField::Other(Field::Team),
    SubjectField::Other(Field::Feature),
    SubjectField::Other(Field::Environment),
    SubjectField::Other(Field::Agent),
];

/// How it is known whose a conversation with an agent is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, JsonSchema)]
#[schemars(rename_all = "lowercase")]
pub enum Mode {
    /// By its id, which the gateway supplies. The agent must take it.
    #[default]
    Mac,
    /// By a table, for agents that insist on ids of their own. It is lost when Envoy restarts, and with it the conversations.
    Table,
    /// Not at all. Whoever knows or guesses the id of a conversation or a task has it: for agents that check by themselves only.
    Off,
}

/// A caller at an agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Party {
    mode: Mode,
    owner: OwnerId,
    /// The same wherever it calls. Notes are of it, for who could be another at each tenant that it makes up would fill the table.
    anywhere: OwnerId,
    /// The agent, and which of its tenants.
    place: [u8; 16],
}

/// Whose something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// The caller's, and what its conversation began with.
    Own(Seed),
    /// Another's.
    Another,
    /// Nobody's that is known.
    Unknown,
}

impl Party {
    /// The one of this subject at this callee. Tenants of an agent may call different things the same, so they are told apart.
    #[must_use]
    pub fn of(mode: Mode, callee: &str, tenant: Option<&str>, subject: &Subject) -> Self {
        let places = [callee, tenant.unwrap_or_default()];
        let owner = OwnerId::of(&owner::parts(PURPOSE, &places, subject, &FIELDS));
        let anywhere = OwnerId::of(&owner::parts(PURPOSE, &[], subject, &FIELDS));
        let place = OwnerId::of(&owner::parts(PURPOSE, &places, &Subject::default(), &[]));
        Self { mode, owner, anywhere, place: *place.bytes() }
    }

    /// Whose a context is. An id that was made to prove it and does not is another's.
    fn context(&self, id: &str, keys: &SigningKeys, table: &impl Table) -> Standing {
        if let Some(seed) = context::proven(keys, &self.owner, id) {
            Standing::Own(seed)
        } else if context::is_ours(id) {
            Standing::Another
        } else {
            self.noted(table::context(&self.place, id), table)
        }
    }

    /// Whose a task is.
    fn task(&self, id: &str, table: &impl Table) -> Standing {
        self.noted(table::task(&self.place, id), table)
    }

    fn noted(&self, key: Key, table: &impl Table) -> Standing {
        match table.find(key) {
            Some(note) if note.owner == self.anywhere => Standing::Own(Seed(note.more)),
            Some(_) => Standing::Another,
            None => Standing::Unknown,
        }
    }

    fn note(&self, Seed(more): Seed) -> Note {
        Note { owner: self.anywhere, more }
    }
}

impl Standing {
    const fn is_own(self) -> bool {
        matches!(self, Self::Own(_))
    }
}

impl Read for Mode {
    fn read(value: &Value<'_>) -> Result<Self, Fault> {
        value.one_of("enum Mode", &[("mac", Self::Mac), ("table", Self::Table), ("off", Self::Off)])
    }
}

#[cfg(test)]
mod tests;
