//! What belongs to whom, where it cannot be told from its id.
//!
//! Ids that servers and agents give prove nothing, and stand in many places. So they stay as they are, and whose each is, is noted: in
//! slots of [`ENTRIES`] notes, of which one owner has [`MOST`] at most. A note is kept until it expires and is never given up for
//! another before. There is no room: nothing is noted, and whoever is not noted has nothing.

use crate::bytes::Reader;
use crate::digest::short;
use crate::owner::OwnerId;
use sha2::{Digest, Sha256};

/// How many notes a slot has room for.
pub const ENTRIES: usize = 64;
/// How many of them may be one owner's.
pub const MOST: usize = 16;

/// Of what a note is: 128 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key([u8; 16]);

/// Whose something is, and what else is known of it since it was noted first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Note<const MORE: usize = 0> {
    /// Whose it is.
    pub owner: OwnerId,
    /// What else is known.
    pub more: [u8; MORE],
}

/// For how many seconds something is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// For so many, or longer if it was to be.
    AtLeast(u64),
    /// For so many from now on.
    For(u64),
}

/// Notes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Slot<const MORE: usize = 0>(Vec<Entry<MORE>>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry<const MORE: usize> {
    key: Key,
    note: Note<MORE>,
    until_s: u64,
}

/// Something cannot be noted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotNoted {
    /// There is no room in its slot.
    Full,
    /// Its owner has as many as may be.
    TooMany,
    /// It is somebody else's.
    Taken,
}

impl Key {
    /// What is called `id` there. The names of the place have no byte 0.
    #[must_use]
    pub fn of(place: &[&[u8]], id: &str) -> Self {
        let hash = place.iter().fold(Sha256::new(), |hash, name| hash.chain_update(name).chain_update(b"\0"));
        Self(short(hash.chain_update(id)))
    }

    /// In which of so many slots it is noted.
    #[must_use]
    pub fn slot(self, slots: u16) -> u16 {
        let Self([low, high, ..]) = self;
        u16::from_le_bytes([low, high]).checked_rem(slots).unwrap_or_default()
    }
}

impl<const MORE: usize> Slot<MORE> {
    /// The slot that these bytes are; `None` when they are none.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader(bytes);
        let mut entries = Vec::with_capacity(ENTRIES);
        while !reader.0.is_empty() {
            let key = Key(reader.array()?);
            let owner = OwnerId::new(reader.array()?);
            let until_s = reader.number()?;
            entries.push(Entry { key, note: Note { owner, more: reader.array()? }, until_s });
        }
        Some(Self(entries))
    }

    /// Its bytes.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        let entry = |entry: &Entry<MORE>| {
            let Entry { key, note, until_s } = entry;
            [&key.0[..], note.owner.bytes(), &until_s.to_le_bytes(), &note.more].concat()
        };
        self.0.iter().flat_map(entry).collect()
    }

    /// Notes whose something is, or that it was seen again.
    ///
    /// # Errors
    /// When it cannot be. Nothing is changed then but what is over.
    pub fn note(&mut self, key: Key, note: Note<MORE>, kept: Kept, now_s: u64) -> Result<(), NotNoted> {
        self.0.retain(|entry| entry.until_s > now_s);
        if let Some(known) = self.0.iter_mut().find(|entry| entry.key == key) {
            if known.note.owner != note.owner {
                return Err(NotNoted::Taken);
            }
            known.until_s = kept.until(now_s, known.until_s);
            return Ok(());
        }
        if self.0.iter().filter(|entry| entry.note.owner == note.owner).count() >= MOST {
            return Err(NotNoted::TooMany);
        }
        if self.0.len() >= ENTRIES {
            return Err(NotNoted::Full);
        }
        self.0.push(Entry { key, note, until_s: kept.until(now_s, now_s) });
        Ok(())
    }

    /// What is known of it.
    #[must_use]
    pub fn find(&self, key: Key, now_s: u64) -> Option<Note<MORE>> {
        self.0.iter().find(|entry| entry.key == key && entry.until_s > now_s).map(|entry| entry.note)
    }
}

impl Kept {
    fn until(self, now_s: u64, known_s: u64) -> u64 {
        match self {
            Self::AtLeast(seconds) => now_s.saturating_add(seconds).max(known_s),
            Self::For(seconds) => now_s.saturating_add(seconds),
        }
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
    use super::{ENTRIES, Kept, Key, MOST, NotNoted, Note, Slot};
    use crate::owner::OwnerId;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    const KEPT: Kept = Kept::AtLeast(10);

    fn key(id: &str) -> Key {
        Key::of(&[b"crm"], id)
    }

    fn of(owner: u8) -> Note {
        Note { owner: OwnerId::new([owner; 16]), more: [] }
    }

    #[test]
    fn a_note_is_its_owners_until_it_is_over() {
        let (ada, eve) = (of(1), of(2));
        let mut slot = Slot::default();
        slot.note(key("t"), ada, KEPT, 100).unwrap();
        assert_eq!(slot.find(key("t"), 109), Some(ada));
        assert_eq!(slot.find(key("t"), 110), None, "over");
        assert_eq!(slot.find(key("u"), 109), None);
        assert_eq!(slot.find(Key::of(&[b"other"], "t"), 109), None);
        assert_eq!(slot.note(key("t"), eve, KEPT, 109), Err(NotNoted::Taken));
        assert_eq!(slot.find(key("t"), 109), Some(ada));
        assert_eq!(slot.note(key("t"), eve, KEPT, 200), Ok(()), "ids may come again when they are over");
        assert_eq!(Slot::read(&slot.write()), Some(slot));
    }

    #[test]
    fn what_is_seen_again_is_kept_as_it_was_noted_first() {
        let first = Note { more: *b"first", owner: OwnerId::new([1; 16]) };
        let mut slot = Slot::default();
        for (kept, now_s, until_s) in [
            (Kept::For(10), 100, 110),
            (Kept::AtLeast(5), 100, 110),
            (Kept::AtLeast(50), 100, 150),
            (Kept::For(3), 100, 103),
            (Kept::For(u64::MAX), 102, u64::MAX),
        ] {
            slot.note(key("t"), Note { more: if now_s == 100 { *b"first" } else { *b"other" }, ..first }, kept, now_s)
                .unwrap();
            assert_eq!(slot.find(key("t"), until_s - 1), Some(first));
            assert_eq!(slot.find(key("t"), until_s), None);
        }
        assert_eq!(Slot::read(&slot.write()), Some(slot));
    }

    #[test]
    fn no_note_is_given_up_for_another_and_nobody_fills_the_slots() {
        let mut slot = Slot::default();
        let mut noted = Vec::new();
        for owner in 0..6 {
            for id in 0..=MOST {
                let key = key(&format!("{owner}-{id}"));
                match slot.note(key, of(owner), KEPT, 100) {
                    Ok(()) => noted.push((key, of(owner))),
                    Err(fault) if id == MOST && noted.len() < ENTRIES => assert_eq!(fault, NotNoted::TooMany),
                    Err(fault) => assert!(noted.len() == ENTRIES && fault != NotNoted::Taken, "{fault:?}"),
                }
            }
        }
        assert_eq!(noted.len(), ENTRIES);
        assert!(noted.iter().all(|(key, note)| slot.find(*key, 109) == Some(*note)));
        slot.note(key("new"), of(0), KEPT, 110).unwrap();
        assert_eq!(slot.write().len(), 40, "what is over makes room");
    }

    #[test]
    fn what_is_no_slot_is_not_read_as_one() {
        assert_eq!(Slot::<0>::read(b""), Some(Slot::default()));
        assert_eq!(Slot::<0>::read(&[0; 39]), None);
        assert_eq!(Slot::<0>::read(&[0; 81]), None);
        assert_eq!(Slot::<8>::read(&[0; 40]), None);
        assert!(Slot::<8>::read(&[0; 48]).is_some());
        assert!((0..1000).all(|at| key(&format!("{at}")).slot(64) < 64));
    }
}
