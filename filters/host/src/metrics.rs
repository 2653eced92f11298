//! Counters and histograms as Envoy stats, with labels.
//!
//! Envoy's wasm stats have no labels; `stats_tags` in the bootstrap cuts them out of the name:
//! `tollgate_llm_requests_total.team=.=support;.;` becomes `tollgate_llm_requests_total{team="support"}`.

use crate::abi::{self, Metric};
use std::cell::RefCell;

/// Envoy never forgets a stat, so their number is bounded: past this many, counts go to the stat without labels.
pub const MAX_METRICS: usize = 10_000;

thread_local! {
    static METRICS: RefCell<Metrics> = const { RefCell::new(Metrics { ids: Vec::new(), name: String::new() }) };
}

struct Metrics {
    /// By name, ascending.
    ids: Vec<(String, u32)>,
    /// The name at hand; one buffer for all.
    name: String,
}

/// Adds `by` to a counter. Label values must not contain `;.;`; configured names cannot.
pub fn count(name: &str, labels: &[(&str, &str)], by: u64) {
    // The host refuses 0, and nothing is lost.
    if by > 0 {
        let by = i64::try_from(by).unwrap_or(i64::MAX);
        told(name, id(Metric::Counter, name, labels).is_some_and(|id| abi::increment_metric(id, by).is_ok()));
    }
}

/// Records a value of a histogram, with labels as above.
pub fn record(name: &str, labels: &[(&str, &str)], value: u64) {
    told(name, id(Metric::Histogram, name, labels).is_some_and(|id| abi::record_metric(id, value).is_ok()));
}

fn told(name: &str, done: bool) {
    if !done {
        abi::log(abi::Level::Warn, &format!("{name} was not counted"));
    }
}

fn id(kind: Metric, name: &str, labels: &[(&str, &str)]) -> Option<u32> {
    METRICS.with_borrow_mut(|metrics| {
        let Metrics { ids, name: full } = metrics;
        full.clear();
        full.push_str(name);
        full.push_str(if labels.is_empty() { "" } else { "." });
        full.extend(labels.iter().flat_map(|(label, value)| [label, "=.=", value, ";.;"]));
        let find = |ids: &[(String, u32)], key: &str| ids.binary_search_by(|(name, _)| name.as_str().cmp(key));
        let (key, place) = match find(ids, full) {
            Err(_) if ids.len() >= MAX_METRICS => (name, find(ids, name)),
            place => (full.as_str(), place),
        };
        let at = match place {
            Ok(at) => return ids.get(at).map(|(_, id)| *id),
            Err(at) => at,
        };
        let id = abi::define_metric(kind, key).ok()?;
        ids.insert(at, (key.to_owned(), id));
        Some(id)
    })
}
