//! What a configuration allows and an operator should know.

use super::Served;
use std::rc::Rc;
use tollgate_config::Map;
use tollgate_kernel::limit::{Limit, Unit};
use tollgate_kernel::subject::Label;

/// How many of several are named.
const NAMED: usize = 3;

/// Limits whose counters are gone with the process long before their window ends.
pub(super) fn of_process<'a>(limits: impl Iterator<Item = &'a Rc<Limit>>) -> Option<String> {
    let which = some(limits.filter(|limit| limit.store.is_none() && limit.is_long()).map(|limit| limit.path()))?;
    Some(format!(
        "{which}: what was used is forgotten when this Envoy ends; to keep it, name a rate limit service as its `store` \
         (docs/limits.md)"
    ))
}

/// Models that a limit of one of these units will refuse for want of a bound or a price.
pub(super) fn of_unknown(units: &[Unit], models: &Map<Label, Served>) -> Vec<String> {
    let targets = || {
        let all = models.iter().flat_map(|(name, model)| model.targets.iter().enumerate().map(move |at| (name, at)));
        all.map(|(name, (index, target))| (format!("models.{name}.targets[{index}]"), target))
    };
    let counts = |unit| units.contains(&unit);
    let unpriced = some(targets().filter(|(_, target)| target.price.is_none()).map(|(path, _)| path));
    let unbound = some(targets().filter(|(_, target)| target.max_output_tokens.is_none()).map(|(path, _)| path));
    let mut warnings = Vec::new();
    if let Some(which) = unpriced.filter(|_| counts(Unit::Usd)) {
        warnings.push(format!("{which}: has no price, so it serves nothing for which a limit of dollars counts"));
    }
    if let Some(which) = unbound.filter(|_| counts(Unit::Usd) || counts(Unit::Tokens)) {
        warnings.push(format!(
            "{which}: no `max_output_tokens`, so where a limit of tokens or dollars counts, it serves only requests that \
             say how long their answer may be"
        ));
    }
    warnings
}

/// The first few of several, and how many more there are.
fn some(mut all: impl Iterator<Item = String>) -> Option<String> {
    let mut named: Vec<String> = all.by_ref().take(NAMED).collect();
    let more = all.count();
    if more > 0 {
        named.push(format!("and {more} more"));
    }
    if named.is_empty() { None } else { Some(named.join(", ")) }
}
