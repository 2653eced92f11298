//! What a usage costs, and how sure its price is.

use crate::money::NanoUsd;

/// What a usage costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Priced {
    /// The amount.
    pub cost: NanoUsd,
    /// How far prices are known.
    pub status: PriceStatus,
}

/// How far the prices of what was used are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PriceStatus {
    /// All of it has a listed price.
    Priced,
    /// A part has none: a service tier, a tool's calls, another model's tokens, or a bucket that may cost more than
    /// text. The amount has what is known, and for buckets the dearest that they usually cost.
    Partial,
    /// Nothing of it has a price.
    Unpriced,
}

impl PriceStatus {
    /// The word in records and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Priced => "priced",
            Self::Partial => "partial",
            Self::Unpriced => "unpriced",
        }
    }
}
