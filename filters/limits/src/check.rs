//! What limits may say in the configuration of a filter.

use crate::draw;
use crate::service::Services;
use std::rc::Rc;
use tollgate_kernel::limit::{Attribute, Limit, Refill, Unit};
use tollgate_kernel::subject::{Label, SubjectField};

/// What a filter knows of its requests, besides who asks.
#[derive(Debug, Clone, Copy)]
pub struct Counts<'a> {
    /// What it counts.
    pub units: &'a [Unit],
    /// What it can tell requests apart by.
    pub attributes: &'a [Attribute],
}

/// Checks limits that stand in one list. `at` is its path.
///
/// # Errors
/// The path to what is at fault, what was found and what was expected.
#[inline(never)]
pub fn check(limits: &[Rc<Limit>], services: &Services, counts: &Counts<'_>, at: &str) -> Result<(), String> {
    for (index, limit) in limits.iter().enumerate() {
        counts.check(limit).map_err(|error| format!("{at}[{index}].{error}"))?;
        if limits.iter().take(index).any(|before| before.name == limit.name) {
            return Err(format!("{at}[{index}].name: found `{}` twice, expected a name for each limit", limit.name));
        }
        check_store(limit, services).map_err(|error| format!("{at}[{index}].{error}"))?;
    }
    Ok(())
}

fn check_store(limit: &Limit, services: &Services) -> Result<(), String> {
    let Some(store) = &limit.store else { return Ok(()) };
    if !services.contains_key(store) {
        let known = listed(&services.keys().map(Label::as_str).collect::<Vec<_>>(), ", ");
        return Err(format!("store: found `{store}`, expected one of {known}"));
    }
    let windowed = matches!(limit.refill, Refill::Window(..));
    if draw::hits(limit.unit, limit.amount).is_none() || !windowed {
        return Err(format!(
            "{}: found more than a rate limit service can count, which is 4294967295, or 429496 dollars",
            limit.unit.name()
        ));
    }
    Ok(())
}

impl Counts<'_> {
    fn check(&self, limit: &Limit) -> Result<(), String> {
        if !self.units.contains(&limit.unit) {
            let counted = listed(&self.units.iter().map(|unit| unit.name()).collect::<Vec<_>>(), " and ");
            return Err(format!("{}: this filter counts {counted}", limit.unit.name()));
        }
        let unknown = |attribute: &Attribute| !self.knows(*attribute);
        if let Some((attribute, _)) = limit.matches.iter().find(|(attribute, _)| unknown(attribute)) {
            let name = attribute.name();
            return Err(format!("match.{name}: {}", self.expected(name)));
        }
        match limit.per.iter().enumerate().find(|(_, attribute)| unknown(attribute)) {
            Some((index, attribute)) => Err(format!("per[{index}]: {}", self.expected(attribute.name()))),
            None => Ok(()),
        }
    }

    fn knows(&self, attribute: Attribute) -> bool {
        matches!(attribute, Attribute::Subject(_)) || self.attributes.contains(&attribute)
    }

    fn expected(&self, found: &str) -> String {
        let known = SubjectField::ALL.into_iter().map(Attribute::Subject).chain(self.attributes.iter().copied());
        format!("found `{found}`, expected one of {}", listed(&known.map(Attribute::name).collect::<Vec<_>>(), ", "))
    }
}

/// Names with commas between, and `last` before the last of them.
#[inline(never)]
fn listed(names: &[&str], last: &str) -> String {
    let mut listed = String::new();
    for (index, name) in names.iter().enumerate() {
        let between = match names.len().saturating_sub(index) {
            _ if index == 0 => "",
            1 => last,
            _ => ", ",
        };
        [between, "`", name, "`"].into_iter().for_each(|piece| listed.push_str(piece));
    }
    listed
}

#[cfg(test)]
mod tests;
