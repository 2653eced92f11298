//! Ids of contexts that prove whose they are.
//!
//! `tg-<random and MAC>`, in base64url: 67 characters that stand in paths, headers and names of files as they are.

use super::route::Seed;
use crate::owner::OwnerId;
use crate::signing_keys::SigningKeys;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

const PREFIX: &str = "tg-";
const PURPOSE: &[u8] = b"tollgate-a2a-context\0";

/// The id of `owner`'s context that began with these bytes.
pub(super) fn id(keys: &SigningKeys, owner: &OwnerId, Seed(random): Seed) -> String {
    let mac = keys.sign(&[PURPOSE, owner.bytes(), &random]);
    format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode([&random[..], &mac].concat()))
}

/// What a context began with, if its id proves that it is `owner`'s.
pub(super) fn proven(keys: &SigningKeys, owner: &OwnerId, id: &str) -> Option<Seed> {
    let (random, mac) = parts(id)?;
    keys.verify(&[PURPOSE, owner.bytes(), &random], &mac).then_some(Seed(random))
}

/// Whether an id has the form of those that prove something, to somebody with some key.
pub(super) fn is_ours(id: &str) -> bool {
    parts(id).is_some()
}

fn parts(id: &str) -> Option<([u8; 16], [u8; 32])> {
    let bytes = URL_SAFE_NO_PAD.decode(id.strip_prefix(PREFIX)?).ok()?;
    let (random, mac) = bytes.split_first_chunk()?;
    Some((*random, mac.try_into().ok()?))
}
