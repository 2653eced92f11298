//! Counters as Envoy stats, with labels.
//!
//! Envoy's wasm stats have no labels; `stats_tags` in the bootstrap cuts them out of the name:
//! `tollgate_llm_requests_total.team=.=support;.;` becomes `tollgate_llm_requests_total{team="support"}`.

use crate::abi::{self, Metric};
use std::cell::RefCell;
use std::collections::BTreeMap;

/// Envoy never forgets a stat, so their number is bounded: past this many, counts go to the counter without labels.
pub const MAX_COUNTERS: usize = 10_000;

thread_local! {
    static COUNTERS: RefCell<Counters> = RefCell::default();
}

#[derive(Default)]
struct Counters {
    ids: BTreeMap<String, u32>,
    /// The name at hand; one buffer for all.
    name: String,
}

/// Adds `by` to a counter. Label values must not contain `;.;`; configured names cannot.
pub fn count(name: &str, labels: &[(&str, &str)], by: u64) {
    let by = i64::try_from(by).unwrap_or(i64::MAX);
    if by == 0 {
        return; // the host refuses it, and nothing is lost
    }
    let id = COUNTERS.with_borrow_mut(|counters| {
        let Counters { ids, name: full } = counters;
        full.clear();
        full.push_str(name);
        full.push_str(if labels.is_empty() { "" } else { "." });
        full.extend(labels.iter().flat_map(|(label, value)| [label, "=.=", value, ";.;"]));
        let key = if ids.len() < MAX_COUNTERS || ids.contains_key(full) { full } else { name };
        if let Some(id) = ids.get(key) {
            return Some(*id);
        }
        let id = abi::define_metric(Metric::Counter, key).ok()?;
        ids.insert(key.to_owned(), id);
        Some(id)
    });
    if id.is_none_or(|id| abi::increment_metric(id, by).is_err()) {
        abi::log(abi::Level::Warn, &format!("counter {name} was not counted"));
    }
}
