//! Limits of a request: which count for it, what it may use at most, and what it used.
//!
//! [`claim`]s say which limits count, [`need`] how much each reserves. An [`admission`] reserves all of them or none, over the
//! [`ledger`] that all workers share and, for limits of a fleet, by waiting at the [`desk`] for a [`draw`] from its service.
//! What was granted is settled when the exchange is over.

pub mod admission;
pub mod claim;
pub mod desk;
pub mod draw;
pub mod ledger;
pub mod need;
pub mod settle;
pub mod told;

pub use claim::Claim;
pub use need::Need;

/// What a request holds of its limits.
#[derive(Debug, Default)]
pub struct Granted {
    /// The limits that count for it.
    pub claims: Vec<Claim>,
    /// What it may use at most of each target, by the target's place.
    pub needs: Vec<Need>,
}
