//! From which prompt a call of a tool comes.
//!
//! The AI gateway notes which of the prompts it knows made the model ask for which tool with which arguments, and for whom. The
//! MCP gateway, which is in the same process, lets a call through only if it is on note, and then the note is gone. Whatever
//! becomes of notes, that a call is refused is the worst: none makes a call allowed that no model asked for.

mod notes;
mod system;
#[cfg(test)]
mod tests;

pub use notes::{NOTES_PER_ASKER, NOTES_PER_SLOT, Note, Notes, SLOTS, slot};
pub use system::{SystemDigest, SystemDigester};

use crate::json::Digest;
use crate::subject::{Field, Subject, SubjectField};
use sha2::{Digest as _, Sha256};

/// What tells askers apart. Both gateways must know the same of who asks.
const TOLD_APART_BY: [SubjectField; 4] = [
    SubjectField::Key,
    SubjectField::Other(Field::User),
    SubjectField::Other(Field::Team),
    SubjectField::Other(Field::Agent),
];

/// The canonical text of no arguments.
const NO_ARGUMENTS: &str = "{}";

/// Who asks: key, user, team and agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asker([u8; 16]);

/// A call: by whom, of which tool by the name that the model knows, with which arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Call {
    asker: Asker,
    digest: [u8; 32],
}

impl Asker {
    /// Who a subject is; `None`: nobody in particular, for whom nothing is noted.
    #[must_use]
    pub fn of(subject: &Subject) -> Option<Self> {
        TOLD_APART_BY.iter().any(|field| subject.text(*field).is_some()).then_some(())?;
        let mut hash = Sha256::new_with_prefix("tollgate-asker\n");
        for field in TOLD_APART_BY {
            let value = subject.text(field);
            hash.update([u8::from(value.is_some())]);
            add(&mut hash, value.unwrap_or_default());
        }
        let mut first = [0; 16];
        first.iter_mut().zip(hash.finalize()).for_each(|(byte, digest)| *byte = digest);
        Some(Self(first))
    }

    /// Their call of `tool`. No arguments are the same as an empty object.
    #[must_use]
    pub fn call(self, tool: &str, arguments: Option<Digest>) -> Call {
        let mut hash = Sha256::new_with_prefix("tollgate-call-by-model\n");
        hash.update(self.0);
        add(&mut hash, tool);
        hash.update(arguments.unwrap_or_else(|| Digest(Sha256::digest(NO_ARGUMENTS).into())).0);
        Call { asker: self, digest: hash.finalize().into() }
    }
}

impl Call {
    /// Who calls.
    #[must_use]
    pub const fn asker(&self) -> &Asker {
        &self.asker
    }
}

/// With its length, so that no two lists of texts read the same.
fn add(hash: &mut Sha256, text: &str) {
    hash.update(u64::try_from(text.len()).unwrap_or(u64::MAX).to_le_bytes());
    hash.update(text);
}
