//! Limits of a request, for every filter: which count for it, what it may use at most, and what it used.
//!
//! [`claim`]s say which limits count, a [`Need`] how much each reserves. An [`Admission`] reserves all of them or none, over
//! the [`ledger`] that all workers share and, for limits of a fleet, by waiting at the [`desk`] for a [`draw`] from its
//! [`Service`]. What was granted is [`settle`]d when the exchange is over, and [`told`].
//!
//! Before the first request, [`check()`] looks at what is configured, and [`ledger::prepare`] makes the counters.

pub mod admission;
pub mod check;
pub mod claim;
pub mod desk;
pub mod draw;
pub mod ledger;
mod need;
mod service;
mod settle;
pub mod told;
pub mod warning;

pub use admission::{Admission, Denial, Why};
pub use check::{Counts, check};
pub use claim::{Claim, State};
pub use need::Need;
pub use service::{Service, Services};
pub use settle::settle;
pub use told::Counted;

#[cfg(all(test, not(target_arch = "wasm32")))]
use fake_envoy as _; // what the host's ABI is linked to

/// What a request holds of its limits.
#[derive(Debug, Default)]
pub struct Granted {
    /// The limits that count for it.
    pub claims: Vec<Claim>,
    /// What it may use at most of each target, by the target's place.
    pub needs: Vec<Need>,
}

/// Whole milliseconds of a time in nanoseconds.
const fn millis(nanos: u64) -> u64 {
    nanos.div_euclid(1_000_000)
}
