//! Which states were used, so that none is used twice.
//!
//! They are remembered until they expire, in one process of Envoy, by all of its workers. Another Envoy with the same keys
//! does not know of them: there the same yes is good once more. Where that matters, clients must stay with one Envoy (a
//! consistent hash of who asks), or the rule must say `by: approver`.

use super::Id;
use crate::bytes::Reader;

/// How many slots there are.
pub const SLOTS: u8 = 32;
/// How many states one remembers: 24 bytes each.
pub const STATES_PER_SLOT: usize = 256;

const VERSION: u8 = 1;

/// Some of the states that were used.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Used(Vec<(Id, u64)>);

/// Why a state cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotUsed {
    /// It was before.
    Before,
    /// That it was could not be remembered.
    Full,
}

/// Where a state is remembered.
#[must_use]
pub const fn slot(nonce: &Id) -> u8 {
    let [first, ..] = nonce.0;
    first % SLOTS
}

impl Used {
    /// Uses a state that expires at `expires_ms`.
    ///
    /// # Errors
    /// When it must not be.
    pub fn add(&mut self, nonce: &Id, expires_ms: u64, now_ms: u64) -> Result<(), NotUsed> {
        if self.0.iter().any(|(known, _)| known == nonce) {
            return Err(NotUsed::Before);
        }
        self.0.retain(|(_, expires_ms)| *expires_ms > now_ms);
        if self.0.len() >= STATES_PER_SLOT {
            return Err(NotUsed::Full);
        }
        self.0.push((*nonce, expires_ms));
        Ok(())
    }

    /// Reads what [`Used::write`] has written; no bytes are none. `None` when they are something else.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let Some((version, rest)) = bytes.split_first() else { return Some(Self::default()) };
        let mut reader = Reader(rest);
        let mut used = Self::default();
        while !reader.0.is_empty() {
            used.0.push((Id(reader.array()?), reader.number()?));
        }
        (*version == VERSION && used.0.len() <= STATES_PER_SLOT).then_some(used)
    }

    /// The bytes that stand for it.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        let mut out = vec![VERSION];
        for (nonce, expires_ms) in &self.0 {
            out.extend(nonce.0);
            out.extend(expires_ms.to_le_bytes());
        }
        out
    }
}
