//! What a call of a provider's own tool costs, and what a request costs.

use super::decimal::Decimal;
use crate::usage::Usage;

const COUNT: usize = 6;

/// The fields in configurations. The first is for every request that used anything.
pub(super) const FEES: [&str; COUNT] =
    ["request", "web_search", "web_fetch", "file_search", "code_interpreter", "image_generation"];

/// Listed fees, dollars each, by name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Fees(pub(super) [Option<Decimal>; COUNT]);

impl Fees {
    /// All fees together in billionths of dollars, and whether each call had one.
    pub(super) fn owed(&self, usage: &Usage) -> (u128, bool) {
        let [request, of_tools @ ..] = self.0;
        let mut owed = u128::from(request.map_or(0, |fee| fee.0));
        let mut listed = true;
        for ((_, calls), fee) in usage.calls().into_iter().zip(of_tools) {
            listed &= calls == 0 || fee.is_some();
            owed = owed.saturating_add(u128::from(calls).saturating_mul(u128::from(fee.map_or(0, |fee| fee.0))));
        }
        (owed, listed)
    }
}
