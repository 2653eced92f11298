//! Where notes are: so many slots and no more, each with so many notes and no more.
//!
//! A slot is read and written whole, in a form of its own: it is what workers compare and swap.

use super::{Asker, Call};
use crate::bytes::{Reader, put_text};
use crate::subject::Label;

/// How many slots there are. With [`NOTES_PER_SLOT`] notes of at most 122 bytes each, all of them take at most 4 MB.
pub const SLOTS: u8 = u8::MAX;
/// How many notes one has place for.
pub const NOTES_PER_SLOT: usize = 128;
/// How many of them are one asker's.
pub const NOTES_PER_ASKER: usize = 64;

const VERSION: u8 = 1;

/// A prompt made a model ask for a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The call.
    pub call: Call,
    /// The prompt's name.
    pub prompt: Label,
    /// Until when the call may be made, in milliseconds since 1970.
    pub expires_ms: u64,
}

/// Some of the notes, the oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Notes(pub(super) Vec<Note>);

/// Where an asker's notes are.
#[must_use]
pub const fn slot(asker: &Asker) -> u8 {
    let [first, ..] = asker.0;
    first % SLOTS
}

impl Notes {
    /// Adds a note. When there is no place, the oldest note of whoever has the most goes: nobody can take all of it.
    pub fn add(&mut self, note: Note, now_ms: u64) {
        self.0.retain(|note| note.expires_ms > now_ms);
        let own = self.of(&note.call.asker);
        let crowded = if own >= NOTES_PER_ASKER {
            Some(note.call.asker)
        } else if self.0.len() >= NOTES_PER_SLOT {
            self.0.iter().map(|note| note.call.asker).max_by_key(|asker| self.of(asker))
        } else {
            None
        };
        let oldest = crowded.and_then(|asker| self.0.iter().position(|note| note.call.asker == asker));
        oldest.map(|at| self.0.remove(at));
        self.0.push(note);
    }

    /// The prompts from which one of `calls` may come, with that call.
    pub fn of_calls<'n>(&'n self, calls: &[Call], now_ms: u64) -> impl Iterator<Item = &'n Note> {
        self.0.iter().filter(move |note| note.expires_ms > now_ms && calls.contains(&note.call))
    }

    /// Takes the note that `call` comes from `prompt`, so that it cannot be taken again; whether there was one.
    pub fn take(&mut self, call: &Call, prompt: &str, now_ms: u64) -> bool {
        self.0.retain(|note| note.expires_ms > now_ms);
        let at = self.0.iter().position(|note| note.call == *call && note.prompt.as_str() == prompt);
        at.map(|at| self.0.remove(at)).is_some()
    }

    /// How many there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn of(&self, asker: &Asker) -> usize {
        self.0.iter().filter(|note| note.call.asker == *asker).count()
    }

    /// Reads what [`Notes::write`] has written; no bytes are none. `None` when they are something else.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let Some((version, rest)) = bytes.split_first() else { return Some(Self::default()) };
        let mut reader = Reader(rest);
        let mut notes = Self::default();
        while *version == VERSION && !reader.0.is_empty() {
            let call = Call { asker: Asker(reader.array()?), digest: reader.array()? };
            let expires_ms = reader.number()?;
            notes.0.push(Note { call, prompt: reader.text()?.to_owned().try_into().ok()?, expires_ms });
        }
        (*version == VERSION && notes.0.len() <= NOTES_PER_SLOT).then_some(notes)
    }

    /// The bytes that stand for it.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        let mut out = vec![VERSION];
        for Note { call, prompt, expires_ms } in &self.0 {
            out.extend(call.asker.0);
            out.extend(call.digest);
            out.extend(expires_ms.to_le_bytes());
            put_text(&mut out, prompt.as_str());
        }
        out
    }
}
