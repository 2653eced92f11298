//! What is wrong with a card.

use crate::json;
use std::fmt;

/// Why a card is not shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// It is not JSON, or more than is read.
    Json(json::Fault),
    /// This of it is not as cards have it.
    Member(&'static str),
    /// It has no interface that leads through the gateway.
    NoInterface,
    /// It must be signed, and is not.
    Unsigned,
    /// No signature of it is by a key of the configuration.
    Signature,
}

impl Reason {
    /// The word in records.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Json(_) => "card_json",
            Self::Member(_) => "card_shape",
            Self::NoInterface => "card_no_interface",
            Self::Unsigned => "card_unsigned",
            Self::Signature => "card_signature",
        }
    }
}

/// Never quotes the card.
impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Json(fault) => return fault.fmt(f),
            Self::Member(name) => return write!(f, "`{name}` is not as cards have it"),
            Self::NoInterface => "no interface that leads through the gateway",
            Self::Unsigned => "not signed",
            Self::Signature => "no signature is by a key of the configuration",
        })
    }
}

impl std::error::Error for Reason {}
