//! A ticket as text.

use super::{MAX_DEPTH, Name, Ticket, Transaction, Why};
use crate::bytes::Reader;
use crate::signing_keys::SigningKeys;
use crate::subject::{Label, Subject};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

const VERSION: u8 = 1;
/// Without the names of agents on the way.
const FIXED: usize = 62;
const NAME: usize = 8;
const MAC: usize = 16;
const PURPOSE: &[u8] = b"tollgate-ticket\0";
const USER: &[u8] = b"tollgate-ticket-user\0";

impl Ticket {
    /// Its text, signed with the first key.
    ///
    /// INVARIANT: its depth is at most [`MAX_DEPTH`], as [`super::Tickets::check`] has seen.
    #[must_use]
    pub fn write(&self, keys: &SigningKeys) -> String {
        let depth = u8::try_from(self.depth()).unwrap_or(u8::MAX);
        let mut out = vec![VERSION, depth];
        out.extend(self.expires_s.to_be_bytes());
        out.extend(self.transaction.0);
        out.extend(over_user(self.transaction, self.user.as_ref(), |parts| keys.sign_short::<NAME>(parts)));
        for name in [self.tier, self.holder].iter().chain(&self.ancestors) {
            out.extend(name.0);
        }
        out.extend(keys.sign_short::<MAC>(&[PURPOSE, &out]));
        URL_SAFE_NO_PAD.encode(out)
    }

    /// The ticket that `caller` presents.
    ///
    /// # Errors
    /// Why it is worth nothing.
    pub fn verify(keys: &SigningKeys, text: &[u8], caller: &Subject, now_s: u64) -> Result<Self, Why> {
        let bytes = decode(text).ok_or(Why::Malformed)?;
        let (signed, mac) = bytes.split_last_chunk::<MAC>().ok_or(Why::Malformed)?;
        let (ticket, user) = read(signed, caller.user.as_ref()).ok_or(Why::Malformed)?;
        if !keys.verify(&[PURPOSE, signed], mac) {
            return Err(Why::Forged);
        }
        if caller.agent.as_ref().is_none_or(|agent| Name::of_agent(Some(agent.as_str())) != ticket.holder) {
            return Err(Why::NotTheCallers);
        }
        if !over_user(ticket.transaction, ticket.user.as_ref(), |parts| keys.verify(parts, &user)) {
            return Err(Why::AnotherUser);
        }
        if now_s >= u64::from(ticket.expires_s) { Err(Why::Expired) } else { Ok(ticket) }
    }
}

/// The bytes of a text that no other text stands for, if they are not more than a ticket has.
fn decode(text: &[u8]) -> Option<Vec<u8>> {
    if text.len() > super::MAX_TEXT { None } else { URL_SAFE_NO_PAD.decode(text).ok() }
}

/// A ticket for `user`, and what is to be proven for that.
fn read(signed: &[u8], user: Option<&Label>) -> Option<(Ticket, [u8; NAME])> {
    let reader = &mut Reader(signed);
    let (version, depth) = (reader.byte()?, usize::from(reader.byte()?));
    let length = depth.checked_mul(NAME)?.checked_add(FIXED - MAC)?;
    if version != VERSION || !(1..=MAX_DEPTH).contains(&depth) || signed.len() != length {
        return None;
    }
    let expires_s = u32::from_be_bytes(reader.array()?);
    let transaction = Transaction(reader.array()?);
    let proof = reader.array()?;
    let (tier, holder) = (Name(reader.array()?), Name(reader.array()?));
    let ancestors = (0..depth).map(|_| reader.array().map(Name)).collect::<Option<_>>()?;
    Some((Ticket { transaction, user: user.cloned(), tier, holder, ancestors, expires_s }, proof))
}

/// What proves the user. Nobody is somebody too: no label is empty.
fn over_user<T>(transaction: Transaction, user: Option<&Label>, then: impl FnOnce(&[&[u8]]) -> T) -> T {
    then(&[USER, &transaction.0, user.map_or("", Label::as_str).as_bytes()])
}
