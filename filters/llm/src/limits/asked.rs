//! Which limits count for a request.

use crate::config::Target;
use std::rc::Rc;
use tollgate_kernel::limit::{Attribute, Limit, Unit};
use tollgate_kernel::subject::Subject;
use tollgate_limits::Claim;
use tollgate_limits::Counts;

/// What limits may say of requests for models.
pub const COUNTS: Counts<'_> = Counts {
    units: &[Unit::Requests, Unit::Tokens, Unit::Usd],
    attributes: &[
        Attribute::Model,
        Attribute::Route,
        Attribute::Operation,
        Attribute::Provider,
        Attribute::ProviderModel,
    ],
};

/// A request, as limits see it.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// Who asks.
    pub subject: &'a Subject,
    /// The model asked for.
    pub model: &'a str,
    /// Its route.
    pub route: &'a str,
    /// What is asked for.
    pub operation: &'static str,
}

impl Asked<'_> {
    fn value<'a>(&'a self, attribute: Attribute, target: Option<&'a Target>) -> Option<&'a str> {
        match attribute {
            Attribute::Subject(field) => self.subject.text(field),
            Attribute::Model => Some(self.model),
            Attribute::Route => Some(self.route),
            Attribute::Operation => Some(self.operation),
            Attribute::Provider => target.map(|target| target.provider.as_str()),
            Attribute::ProviderModel => target.map(|target| target.model.as_str()),
            // The configuration names none of them.
            Attribute::Server | Attribute::Tool | Attribute::Session | Attribute::Callee | Attribute::Skill => None,
        }
    }
}

/// The claims of a request on `limits`, for those of `targets` that are `candidates`: first those that can leave out a
/// candidate, then those that can only refuse the request.
pub fn claims<'a>(
    limits: impl Iterator<Item = &'a Rc<Limit>>,
    asked: &Asked<'_>,
    targets: &[Target],
    candidates: &[usize],
) -> Vec<Claim> {
    let (mut of_candidates, mut of_request): (Vec<Claim>, Vec<Claim>) = (Vec::new(), Vec::new());
    for limit in limits {
        if !limit.attributes().any(Attribute::is_of_candidate) {
            of_request.extend(Claim::of(limit, &|attribute| asked.value(attribute, None), None));
            continue;
        }
        for (index, target) in candidates.iter().filter_map(|index| targets.get(*index).map(|target| (*index, target)))
        {
            let value_of = |attribute| asked.value(attribute, Some(target));
            let Some(claim) = Claim::of(limit, &value_of, Some(vec![index])) else { continue };
            match of_candidates.iter_mut().find(|other| other.which == claim.which) {
                Some(same) => same.targets.get_or_insert_default().push(index),
                None => of_candidates.push(claim),
            }
        }
    }
    of_candidates.append(&mut of_request);
    of_candidates
}

#[cfg(test)]
mod tests;
