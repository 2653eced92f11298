//! Whether a card is its agent's.

use super::shape::{items, text};
use super::{Card, Reason, payload};
use crate::jws::{self, PublicKey};
use schemars::JsonSchema;
use tollgate_config::{Fault, Read, Value, object};

/// How many signatures of a card are looked at.
const MAX_SIGNATURES: usize = 8;

/// When the agent's card must be signed, and by whom. Keys that a signature says to be found somewhere are never fetched.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Verification {
    /// When.
    #[schemars(default)]
    pub when: When,
    /// Public keys: one of them must have signed.
    #[schemars(length(min = 1))]
    pub keys: Vec<PublicKey>,
}

object!(Verification { when = When::Always, keys });

/// When a card must be signed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum When {
    /// Always.
    #[default]
    Always,
    /// Where it has signatures at all: one that has lost them passes.
    IfPresent,
}

impl Read for When {
    fn read(value: &Value<'_>) -> Result<Self, Fault> {
        value.one_of("enum When", &[("always", Self::Always), ("if_present", Self::IfPresent)])
    }
}

impl Verification {
    /// Checks the signatures of a card.
    ///
    /// # Errors
    /// When it must not be shown.
    pub fn check(&self, card: Card<'_, '_>) -> Result<(), Reason> {
        let Card(card) = card;
        let signatures = items(card, "signatures")?;
        if signatures.is_empty() {
            return if self.when == When::Always { Err(Reason::Unsigned) } else { Ok(()) };
        }
        let payloads = payload::of_signed(card)?;
        for one in signatures.into_iter().take(MAX_SIGNATURES) {
            let (Some(protected), Some(signature)) = (text(one, "protected")?, text(one, "signature")?) else {
                continue;
            };
            if jws::proves(&protected, &signature, &payloads, &self.keys) {
                return Ok(());
            }
        }
        Err(Reason::Signature)
    }
}
