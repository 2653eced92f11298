//! The call ticket: what an agent that is called carries to whom it calls, so that a chain of calls is known as one.
//!
//! The gateway makes one for the agent that is called, whenever it lets a call through. It says in which transaction, at which
//! depth, for which user and tier, and who has called whom so far. Only the agent that it was made for may present it, for the
//! same user, until it expires, as often as it likes within its fan-out ([`calls`]). It is text of at most [`MAX_TEXT`] characters
//! of base64url, which travels in a header of its own and in `tracestate` ([`trace`]), over:
//!
//! | bytes | what |
//! |---|---|
//! | 1 | version: 1 |
//! | 1 | depth: 1 to [`MAX_DEPTH`] |
//! | 4 | until when it is good: seconds since 1970 |
//! | 16 | the transaction |
//! | 8 | the user: the beginning of a MAC over transaction and user, so that nobody without a key can try names |
//! | 8 | the tier, as a [`Name`] |
//! | 8 | for whom it was made |
//! | 8 each | the agents on the way, the first caller first: as many as the depth |
//! | 16 | the beginning of HMAC-SHA-256 over all of that |
//!
//! What does not verify is worth as much as none. It is removed in either case: no agent sees another's.

pub mod calls;
mod codec;
mod name;
mod rules;
pub mod trace;

pub use name::{Name, Names};
pub use rules::{Loops, NotTickets, Refusal, Require, TicketConfig, Tickets};

use crate::hex;
use crate::subject::{Label, Subject};
use std::fmt;

/// The greatest depth that can be allowed.
pub const MAX_DEPTH: usize = 16;
/// As many characters as a member of `tracestate` may have.
pub const MAX_TEXT: usize = 256;
/// The header that it travels in.
pub const HEADER: &str = "x-tollgate-ticket";

/// Calls that follow from one, which none of them followed from: random.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transaction(pub [u8; 16]);

/// A ticket that was just made, or has verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ticket {
    /// In which transaction.
    pub transaction: Transaction,
    /// For whom.
    pub user: Option<Label>,
    /// With which tier the transaction began.
    pub tier: Name,
    /// Who was called, and may present it.
    pub holder: Name,
    /// Who has called whom so far, the first caller first. Never empty.
    pub ancestors: Vec<Name>,
    /// From when on it is good for nothing: seconds since 1970.
    pub expires_s: u32,
}

/// Who calls whom.
#[derive(Debug, Clone, Copy)]
pub struct Edge<'e> {
    /// Who calls.
    pub caller: &'e Subject,
    /// The agent that is called.
    pub callee: &'e str,
}

/// Why a ticket is worth nothing. In the order in which that is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// It is not written as described.
    Malformed,
    /// It is not made with a key of ours.
    Forged,
    /// It was made for another agent than the one that presents it.
    NotTheCallers,
    /// It was made for another user than the one that is called for.
    AnotherUser,
    /// It was good once.
    Expired,
}

impl Ticket {
    /// The ticket of a call: of the first one of `new`, or below the ticket that its caller has presented. It is not yet said that
    /// there may be such a call: see [`Tickets::check`].
    #[must_use]
    pub fn of_call(above: Option<&Self>, edge: Edge<'_>, new: Transaction, expires_s: u64) -> Self {
        let Edge { caller: Subject { agent, user, tier, .. }, callee } = edge;
        let (transaction, tier, before) = match above {
            Some(above) => (above.transaction, above.tier, &*above.ancestors),
            None => (new, Name::of_tier(tier.as_ref().map(Label::as_str)), &[][..]),
        };
        let mut ancestors = before.to_vec();
        ancestors.push(Name::of_agent(agent.as_ref().map(Label::as_str)));
        let expires_s = u32::try_from(expires_s).unwrap_or(u32::MAX);
        Self { transaction, user: user.clone(), tier, holder: Name::of_agent(Some(callee)), ancestors, expires_s }
    }

    /// How many calls deep: 1 for the first of a transaction.
    #[must_use]
    pub const fn depth(&self) -> usize {
        self.ancestors.len()
    }

    /// Whether who is called calls already, directly or not.
    #[must_use]
    pub fn is_loop(&self) -> bool {
        self.ancestors.contains(&self.holder)
    }
}

impl Why {
    /// The word in records.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::Forged => "forged",
            Self::NotTheCallers => "not_the_callers",
            Self::AnotherUser => "another_user",
            Self::Expired => "expired",
        }
    }
}

impl fmt::Display for Transaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::write(&self.0))
    }
}

#[cfg(test)]
mod tests;
