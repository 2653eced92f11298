//! What a configuration allows and an operator should know.

use std::rc::Rc;
use tollgate_kernel::limit::Limit;

/// How many of several are named.
const NAMED: usize = 3;

/// Limits whose counters are gone with the process long before their window ends.
pub fn of_process<'a>(limits: impl Iterator<Item = &'a Rc<Limit>>) -> Option<String> {
    let which = some(limits.filter(|limit| limit.store.is_none() && limit.is_long()).map(|limit| limit.path()))?;
    Some(format!(
        "{which}: what was used is forgotten when this Envoy ends; to keep it, name a rate limit service as its `store` \
         (docs/limits.md)"
    ))
}

/// The first few of several, and how many more there are.
pub fn some(mut all: impl Iterator<Item = String>) -> Option<String> {
    let mut named: Vec<String> = all.by_ref().take(NAMED).collect();
    let more = all.count();
    if more > 0 {
        named.push(format!("and {more} more"));
    }
    if named.is_empty() { None } else { Some(named.join(", ")) }
}
