//! How many calls a transaction has made.
//!
//! Its first call needs no note. The others are counted in [`SLOTS`] slots of [`ENTRIES`] transactions each, until the last ticket
//! of the transaction has expired. There is no room: the call is refused. So no transaction makes more calls than it may since
//! another was forgotten; and with the default lifetime of tickets the gateway takes some hundreds of transactions a second that
//! go further than one call. A gateway that has started anew counts anew.

use super::Transaction;
use crate::bytes::Reader;

/// How many slots there are.
pub const SLOTS: u16 = 256;
/// How many transactions a slot has room for.
pub const ENTRIES: usize = 128;

const ENTRY: usize = 24;

/// Transactions, and how many calls they have made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Slot(Vec<Entry>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Entry {
    transaction: Transaction,
    calls: u32,
    until_s: u32,
}

/// A call of a transaction cannot be counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotCounted {
    /// The transaction has made as many as it may.
    TooMany,
    /// There is no room in its slot.
    Full,
}

impl Transaction {
    /// Where its calls are counted.
    #[must_use]
    pub const fn slot(self) -> u8 {
        let Self([first, ..]) = self;
        first
    }
}

impl Slot {
    /// The slot that these bytes are; `None` when they are none.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let (entries, rest) = bytes.as_chunks::<ENTRY>();
        let entry = |bytes: &[u8; ENTRY]| {
            let reader = &mut Reader(bytes);
            Some(Entry {
                transaction: Transaction(reader.array()?),
                calls: u32::from_le_bytes(reader.array()?),
                until_s: u32::from_le_bytes(reader.array()?),
            })
        };
        let all: Option<Vec<_>> = entries.iter().map(entry).collect();
        all.filter(|all| rest.is_empty() && all.len() <= ENTRIES).map(Self)
    }

    /// Its bytes.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        let entry =
            |one: &Entry| [&one.transaction.0[..], &one.calls.to_le_bytes(), &one.until_s.to_le_bytes()].concat();
        self.0.iter().flat_map(entry).collect()
    }

    /// Counts one more call of a transaction, whose ticket is good until `until_s`: one that follows from its first call.
    ///
    /// # Errors
    /// When there may be none. Nothing is changed then but what is over.
    pub fn count(&mut self, transaction: Transaction, most: u32, until_s: u32, now_s: u64) -> Result<(), NotCounted> {
        self.0.retain(|entry| u64::from(entry.until_s) > now_s);
        let full = self.0.len() >= ENTRIES;
        let known = self.0.iter_mut().find(|entry| entry.transaction == transaction);
        let calls = known.as_ref().map_or(1, |entry| entry.calls);
        if calls >= most {
            return Err(NotCounted::TooMany);
        }
        let calls = calls.saturating_add(1);
        match known {
            Some(entry) => (entry.calls, entry.until_s) = (calls, entry.until_s.max(until_s)),
            None if full => return Err(NotCounted::Full),
            None => self.0.push(Entry { transaction, calls, until_s }),
        }
        Ok(())
    }
}
