//! Which tasks are whose; and which contexts, where their ids do not prove it.

use crate::owned::{self, Kept, Key, NotNoted};

/// How many slots there are: 4 MB of memory that all workers share, for 65536 notes. The first slots are full when two thirds of that
/// are noted, or about 5000 of one owner's: of one caller for one user, wherever it calls.
pub const SLOTS: u16 = 1024;
/// How long a task or a context is known after it was seen: a day.
pub const KEPT_S: u64 = 86_400;
/// How long a task is known that has ended, so that a message may refer to it: an hour.
pub const ENDED_S: u64 = 3600;

/// Whose something is, and what its conversation began with.
pub type Note = owned::Note<16>;
/// Some of the notes.
pub type Slot = owned::Slot<16>;

/// The notes, as all workers see them.
pub trait Table {
    /// What is noted; nothing if nobody can say.
    fn find(&self, key: Key) -> Option<Note>;

    /// Notes whose something is, or that it was seen again.
    ///
    /// # Errors
    /// When it cannot be noted; [`NotNoted::Full`] if nobody can say.
    fn note(&mut self, key: Key, note: Note, kept: Kept) -> Result<(), NotNoted>;
}

pub(super) fn task(place: &[u8; 16], id: &str) -> Key {
    Key::of(&[b"task", place], id)
}

pub(super) fn context(place: &[u8; 16], id: &str) -> Key {
    Key::of(&[b"context", place], id)
}
