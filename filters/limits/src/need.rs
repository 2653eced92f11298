//! What a request may use at most.

use tollgate_kernel::limit::Unit;

/// What a request may use at most of one target: of whoever may serve it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Need {
    /// Tokens of input and output; `None` when nothing bounds its output.
    pub tokens: Option<u64>,
    /// What they cost, in billionths of a dollar; `None` when they have no price, or no bound.
    pub nano_usd: Option<u64>,
}

impl Need {
    /// How much of what is counted. `None` when nobody knows. What a tool will answer has no bound: there must be room for a
    /// byte.
    #[must_use]
    pub const fn amount(&self, unit: Unit) -> Option<u64> {
        match unit {
            Unit::Requests
            | Unit::Calls
            | Unit::Messages
            | Unit::ResultBytes
            | Unit::Concurrent
            | Unit::Streams
            | Unit::NotFound => Some(1),
            Unit::Tokens => self.tokens,
            Unit::Usd => self.nano_usd,
        }
    }
}
