//! What is signed of a card: RFC 8785 of it, without `signatures`.
//!
//! Which members that are is not one answer. The specification (section 8.4.1) wants those that say something, or that must be
//! there; the official SDKs read the card in their version first, and leave out whatever is empty. So a card has a text for each
//! version in which it is read, and its own. Who checks takes one of them, and all of them say the same.

use super::Reason;
use super::shape::{CARD, member, write_members};
use super::write::LIMITS;
use crate::a2a::Version;
use crate::json::{Document, Value, Writer};

const SIGNATURES: &[&str] = &["signatures"];

/// The texts that a signature of a card that comes from its agent can be of. A card in both shapes is one of 1.0: what it has of
/// 0.3 beside says the same, or is not published.
pub(super) fn of_signed(card: Value<'_, '_>) -> Result<Vec<String>, Reason> {
    Ok(vec![of_version(card, version(card))?, card.rfc_8785(SIGNATURES)])
}

/// The texts of a card that is published: in each version that it has, and its own.
pub(super) fn of_published(card: Value<'_, '_>) -> Result<Vec<String>, Reason> {
    let mut texts = Vec::new();
    for (version, interfaces) in [(Version::V1_0, "supportedInterfaces"), (Version::V0_3, "url")] {
        if member(card, interfaces).is_some() {
            texts.push(of_version(card, version)?);
        }
    }
    texts.push(card.rfc_8785(SIGNATURES));
    Ok(texts)
}

fn version(card: Value<'_, '_>) -> Version {
    if member(card, "supportedInterfaces").is_some() { Version::V1_0 } else { Version::V0_3 }
}

/// What a reader of this version finds in it.
fn of_version(card: Value<'_, '_>, version: Version) -> Result<String, Reason> {
    let mut text = Vec::with_capacity(card.range().len());
    let json = &mut Writer::new(&mut text);
    json.open_object();
    write_members(card, CARD, Some(version), json)?;
    json.close_object();
    Ok(Document::read(&text, LIMITS).map_err(Reason::Json)?.root().rfc_8785_of_what_is_said(SIGNATURES))
}
