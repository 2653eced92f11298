//! The end of an exchange.

use crate::Granted;
use crate::admission::settle as give;
use crate::claim::{Claim, State};
use crate::told::{self, Counted};

/// Counts what an exchange that is over has used, in the place of what it had reserved; `used` says how much of what a claim
/// counts. For the record, all that was counted.
pub fn settle(granted: &Granted, used: impl Fn(&Claim) -> u64, now_ms: u64) -> Vec<Counted> {
    told::decisions(granted);
    let count = |claim: &Claim| {
        let used = used(claim);
        let total = claim.reservation().and_then(|held| give(claim, held, used, now_ms));
        Counted::of(claim, used, total)
    };
    granted.claims.iter().filter(|claim| claim.state != State::Open).map(count).collect()
}
