//! Digests that are cut short: enough to tell things apart.

use sha2::{Digest, Sha256};

/// The first bytes of a hash.
pub(crate) fn short<const N: usize>(hash: Sha256) -> [u8; N] {
    let whole: [u8; 32] = hash.finalize().into();
    let mut short = [0; N];
    short.iter_mut().zip(whole).for_each(|(short, byte)| *short = byte);
    short
}
