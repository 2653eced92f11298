//! Which limits count for a request.

use super::need::Need;
use crate::config::Target;
use std::rc::Rc;
use tollgate_kernel::limit::bucket::Fingerprint;
use tollgate_kernel::limit::counter::{Full, Reservation, Taken};
use tollgate_kernel::limit::{Attribute, Limit};
use tollgate_kernel::subject::Subject;

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

/// One counter of a limit that counts for a request.
#[derive(Debug)]
pub struct Claim {
    /// The limit.
    pub limit: Rc<Limit>,
    /// Which of its counters.
    pub which: Fingerprint,
    /// What tells that counter from the limit's others, for a service that keeps it.
    pub values: Vec<(&'static str, String)>,
    /// The targets whose use it counts; `None`: whoever serves the request.
    pub targets: Option<Vec<usize>>,
    /// How much of it the request needs.
    pub need: u64,
    /// What became of it.
    pub state: State,
}

/// What became of a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Not decided.
    Open,
    /// Some is reserved; the rest has to be drawn from the service.
    Drawing(Taken),
    /// Reserved.
    Held(Reservation),
    /// Reserved, though there is not enough: the limit refuses nothing.
    Over(Reservation, Full),
    /// Reserved, as far as that goes: nobody can say how much is left, and the request may go on.
    Uncounted(Reservation),
    /// There is not enough.
    Refused(Full),
    /// Nobody can say how much is left, and the request may not go on.
    Unknown,
    /// Given back, because another limit has refused.
    GivenBack,
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
            if limit.applies(|attribute| asked.value(attribute, None)) {
                of_request.push(Claim::new(limit, asked, None));
            }
            continue;
        }
        for (index, target) in candidates.iter().filter_map(|index| targets.get(*index).map(|target| (*index, target)))
        {
            if !limit.applies(|attribute| asked.value(attribute, Some(target))) {
                continue;
            }
            let claim = Claim::new(limit, asked, Some((index, target)));
            match of_candidates.iter_mut().find(|other| other.which == claim.which) {
                Some(same) => same.targets.get_or_insert_default().push(index),
                None => of_candidates.push(claim),
            }
        }
    }
    of_candidates.append(&mut of_request);
    of_candidates
}

impl Claim {
    fn new(limit: &Rc<Limit>, asked: &Asked<'_>, target: Option<(usize, &Target)>) -> Self {
        let value_of = |attribute| asked.value(attribute, target.map(|(_, target)| target));
        let named = |attribute: &Attribute| (attribute.name(), value_of(*attribute).unwrap_or("none").to_owned());
        let values = if limit.store.is_some() { limit.per.iter().map(named).collect() } else { Vec::new() };
        Self {
            which: Fingerprint::of(limit, value_of),
            limit: Rc::clone(limit),
            values,
            targets: target.map(|(index, _)| vec![index]),
            need: 0,
            state: State::Open,
        }
    }

    /// Whether it counts what this target is used for.
    #[must_use]
    pub fn counts(&self, target: usize) -> bool {
        self.targets.as_ref().is_none_or(|targets| targets.contains(&target))
    }

    /// The most that any of `candidates` that it counts may use; `None` when nobody knows of one.
    #[must_use]
    pub fn most(&self, candidates: &[usize], needs: &[Need]) -> Option<u64> {
        let counted = candidates.iter().filter(|target| self.counts(**target));
        counted
            .map(|target| needs.get(*target)?.amount(self.limit.unit))
            .try_fold(0, |most, need| Some(most.max(need?)))
    }

    /// What is reserved of it.
    #[must_use]
    pub const fn reservation(&self) -> Option<&Reservation> {
        match &self.state {
            State::Drawing(taken) => Some(&taken.reservation),
            State::Held(held) | State::Over(held, _) | State::Uncounted(held) => Some(held),
            State::Open | State::Refused(_) | State::Unknown | State::GivenBack => None,
        }
    }

    /// The word for what became of it, in records and metrics.
    #[must_use]
    pub const fn verdict(&self) -> &'static str {
        match self.state {
            State::Held(_) => "allowed",
            State::Over(..) => "would_refuse",
            State::Uncounted(_) => "allowed_uncounted",
            State::Refused(_) => "refused",
            State::Unknown => "refused_uncounted",
            State::Open | State::Drawing(_) => "undecided",
            State::GivenBack => "given_back",
        }
    }
}

#[cfg(test)]
mod tests;
