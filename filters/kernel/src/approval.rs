//! "Are you sure?": calls that run only after somebody has said yes.
//!
//! What is agreed to is one [`Call`]: by this subject, of this server, with these parameters, under this rule. A yes is good
//! for that call, once, and not for long. Who says it is the person at the client, whose question travels with the client as a
//! [`state::State`], or somebody else, who finds it among those that are [`pending`].

mod call;
pub mod form;
pub mod form_token;
pub mod pending;
pub mod question;
pub mod reply;
pub mod shown;
pub mod state;
pub mod used;

pub use call::Call;

use std::fmt;

/// What is told apart by it was made with 128 random bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Id(pub [u8; 16]);

impl Id {
    /// Reads 32 digits, lower case.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits: &[u8; 32] = text.as_bytes().try_into().ok()?;
        let digit = |byte: u8| match byte {
            b'0'..=b'9' => byte.checked_sub(b'0'),
            b'a'..=b'f' => byte.checked_sub(b'a' - 10),
            _ => None,
        };
        let mut bytes = [0; 16];
        for (byte, [high, low]) in bytes.iter_mut().zip(digits.as_chunks().0) {
            *byte = digit(*high)? << 4 | digit(*low)?;
        }
        Some(Self(bytes))
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests;
