//! Agent cards: what an agent says of itself, and what a caller gets to read of it.
//!
//! A [`Card`] is read in the shape of 1.0, of 0.3, or of both at once, as agents serve it that speak both. What is [published]
//! (`Card::publish`) is written anew, and of what A2A has alone; what it does not have is left out, for nobody knows what that
//! leads to.
//!
//! - **Addresses.** Each interface leads to the gateway, or is left out: where its binding or version is none that the gateway
//!   lets through. There is one address for all bindings and versions of an agent. `documentationUrl`, `iconUrl` and the
//!   provider's `url` are for people and stay as they are.
//! - **Skills** that the caller may not use are left out.
//! - **Security** is what the gateway asks for, whatever the agent asks for.
//! - **Signatures** are checked with keys of the configuration alone ([`Verification`]). They say nothing of what is written anew,
//!   and are left out; the gateway signs in their place if it has a key.
//!
//! [published]: Card::publish

mod config;
mod etag;
mod fault;
mod interface;
mod payload;
mod security;
mod shape;
mod verification;
mod write;

pub use config::{CardConfig, Cards, CardsConfig, SignConfig};
pub use etag::Etag;
pub use fault::Reason;
pub use security::{Kind, Scheme, Security, SecurityConfig};
pub use verification::{Verification, When};

use crate::json::{Document, Value};
use crate::jws::{PrivateKey, Signature};
use interface::Interfaces;

/// How an agent is published.
#[derive(Debug, Clone, Copy)]
pub struct Publication<'p> {
    /// Where the gateway lets it be called.
    pub url: &'p str,
    /// Where it is called with gRPC, if it may be.
    pub grpc_url: Option<&'p str>,
    /// What the gateway asks for.
    pub security: &'p Security,
    /// What the gateway signs with.
    pub key: Option<&'p PrivateKey>,
}

/// A card, as its agent has written it.
#[derive(Debug, Clone, Copy)]
pub struct Card<'d, 'a>(Value<'d, 'a>);

impl<'d, 'a> Card<'d, 'a> {
    /// The card that `value` is.
    ///
    /// # Errors
    /// When it is no object.
    pub fn read(value: Value<'d, 'a>) -> Result<Self, Reason> {
        if value.is_object() { Ok(Self(value)) } else { Err(Reason::Member("card")) }
    }

    /// The card that a caller gets to whom the skills that are `shown` are.
    ///
    /// # Errors
    /// When it is no card, or leads nowhere.
    pub fn publish(self, how: &Publication<'_>, shown: &dyn Fn(&str) -> bool) -> Result<Vec<u8>, Reason> {
        let interfaces = Interfaces::read(self.0, how.grpc_url.is_some())?;
        if interfaces.is_empty() {
            return Err(Reason::NoInterface);
        }
        let mut card = write::card(self.0, &interfaces, how, shown)?;
        if let Some(key) = how.key {
            let payloads = {
                let document = read_again(&card)?;
                let mut payloads = payload::of_published(document.root())?;
                if interfaces.v1_0.is_empty() {
                    // Who speaks 1.0 makes a card of 1.0 of it before it checks anything.
                    let converted = write::card(self.0, &interfaces.converted(), how, shown)?;
                    payloads.extend(payload::of_published(read_again(&converted)?.root())?);
                }
                payloads
            };
            sign(&mut card, &payloads, key);
        }
        Ok(card)
    }
}

fn read_again(card: &[u8]) -> Result<Document<'_>, Reason> {
    Document::read(card, write::LIMITS).map_err(Reason::Json)
}

/// Puts signatures into a card that is written: one for each way to read it.
fn sign(card: &mut Vec<u8>, payloads: &[String], key: &PrivateKey) {
    let _ = card.pop();
    card.extend_from_slice(b",\"signatures\":");
    let json = &mut crate::json::Writer::new(card);
    json.open_list();
    for (at, payload) in payloads.iter().enumerate() {
        if payloads.iter().take(at).any(|other| other == payload) {
            continue;
        }
        let Signature { protected, signature } = Signature::of(payload, key);
        json.open_object().key("protected").text(&protected);
        json.key("signature").text(&signature);
        json.close_object();
    }
    json.close_list();
    card.push(b'}');
}

#[cfg(test)]
mod tests;
