//! Of whom something is: who has opened a session, begun a task or had a conversation, and where.

use crate::digest::short;
use crate::subject::{Subject, SubjectField};
use sha2::{Digest, Sha256};

/// Of whom something is: 128 bits, the same for the same owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OwnerId([u8; 16]);

impl OwnerId {
    pub(crate) const fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The owner that these parts tell.
    pub(crate) fn of(parts: &[&[u8]]) -> Self {
        Self(short(parts.iter().fold(Sha256::new(), |hash, part| hash.chain_update(part))))
    }

    /// The bits.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

/// What tells an owner: for what, at which places, and who by these fields.
///
/// Every part ends with a byte that none of them has: which is which is plain. What is not known is empty, which no known field
/// is.
pub(crate) fn parts<'p>(
    purpose: &'p [u8],
    places: &[&'p str],
    subject: &'p Subject,
    fields: &[SubjectField],
) -> Vec<&'p [u8]> {
    let places = places.iter().map(|place| place.as_bytes());
    let fields = fields.iter().map(|field| subject.text(*field).unwrap_or_default().as_bytes());
    let mut parts: Vec<&[u8]> = Vec::with_capacity(24);
    for part in [purpose].into_iter().chain(places).chain(fields) {
        parts.extend([part, b"\0"]);
    }
    parts
}
