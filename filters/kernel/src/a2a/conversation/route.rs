//! Where a conversation goes on: agents may keep it in the memory of one of their instances.

use crate::digest::short;
use crate::hex;
use sha2::{Digest, Sha256};

const PURPOSE: &[u8] = b"tollgate-a2a-route\0";

/// What a conversation began with: the random bytes of its context's id, or, where the agent makes that, others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seed(pub(super) [u8; 16]);

/// What all requests of a conversation have in common, for a ring hash over instances of an agent.
///
/// A plain digest of its random bytes, so that it stays as it is when signing keys are rotated or Envoy restarts. It tells nobody the
/// id of the context, and who does not choose that does not choose the instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route([u8; 8]);

impl Seed {
    /// Of a context that somebody else has called so.
    pub(super) fn of_name(context: &str) -> Self {
        Self(short(Sha256::new().chain_update(context)))
    }
}

impl Route {
    /// The header that it stands in.
    pub const HEADER: &'static str = "x-tollgate-context";

    pub(super) fn of(place: &[u8; 16], seed: Seed) -> Self {
        Self(short(Sha256::new().chain_update(PURPOSE).chain_update(place).chain_update(seed.0)))
    }

    /// The value of the header: 16 hex digits.
    #[must_use]
    pub fn value(self) -> String {
        hex::write(&self.0)
    }
}
