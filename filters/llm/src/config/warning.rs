//! What a configuration allows and an operator should know.

use super::Served;
use tollgate_config::Map;
use tollgate_kernel::limit::Unit;
use tollgate_kernel::subject::Label;
use tollgate_limits::warning::some;

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

/// Models whose calls are given again, though nobody notes them then.
pub(super) fn of_kept_calls(models: &Map<Label, Served>) -> Option<String> {
    let keeps = |model: &Served| model.cache.as_ref().is_some_and(|cache| cache.policy.tools);
    let which = some(models.iter().filter(|(_, model)| keeps(model)).map(|(name, _)| format!("models.{name}.cache")))?;
    Some(format!(
        "{which}: what is answered from the cache is no call that a model asks for, so rules with `from_prompts` refuse it"
    ))
}
