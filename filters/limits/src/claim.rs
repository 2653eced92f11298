//! Which limits count for a request.

use crate::need::Need;
use std::rc::Rc;
use tollgate_kernel::limit::bucket::Fingerprint;
use tollgate_kernel::limit::counter::{Full, Reservation, Taken};
use tollgate_kernel::limit::{Attribute, Limit};

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

/// What tells the attributes of a request. No type of its own for each caller: claims are a good deal of code.
pub type ValueOf<'f, 'v> = dyn Fn(Attribute) -> Option<&'v str> + 'f;

/// The claims of a request, of which `value_of` tells the attributes, on those of `limits` that count for it, whoever serves it.
pub fn claims<'l, 'v>(limits: impl Iterator<Item = &'l Rc<Limit>>, value_of: &ValueOf<'_, 'v>) -> Vec<Claim> {
    limits.filter_map(|limit| Claim::of(limit, value_of, None)).collect()
}

impl Claim {
    /// A claim on `limit` by a request of which `value_of` tells the attributes, for what it uses of `targets`; `None` when the
    /// limit does not count for it.
    #[inline(never)]
    pub fn of<'v>(limit: &Rc<Limit>, value_of: &ValueOf<'_, 'v>, targets: Option<Vec<usize>>) -> Option<Self> {
        if !limit.applies(value_of) {
            return None;
        }
        let named = |attribute: &Attribute| (attribute.name(), value_of(*attribute).unwrap_or("none").to_owned());
        let values = if limit.store.is_some() { limit.per.iter().map(named).collect() } else { Vec::new() };
        Some(Self {
            which: Fingerprint::of(limit, value_of),
            limit: Rc::clone(limit),
            values,
            targets,
            need: 0,
            state: State::Open,
        })
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
