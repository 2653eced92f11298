//! All claims of a request, or none: reserves what it may use, leaves out candidates whose limits refuse, and refuses the
//! request when none of them is left or a limit of its own refuses.

use crate::claim::{Claim, State};
use crate::desk::{self, Outcome, Ticket, Wanted};
use crate::ledger;
use crate::need::Need;
use crate::service::Services;
use crate::{Granted, millis};
use std::rc::Rc;
use tollgate_host::metrics::count;
use tollgate_host::shared_data::Unavailable;
use tollgate_host::stream::Waker;
use tollgate_kernel::limit::counter::{Counter, Full, Lapse, Reservation};
use tollgate_kernel::limit::{Limit, Mode, Refill, WhenStoreFails};

/// After so long, one that is under way may be over.
pub(crate) const BUSY_MS: u64 = 1000;

/// A request's claims, while they are decided.
#[derive(Debug)]
pub struct Admission {
    granted: Granted,
    /// The candidates that are left, in order.
    candidates: Vec<usize>,
    lapse: Lapse,
    /// What is waited for, with the place among the claims.
    tickets: Vec<(usize, Ticket)>,
    /// Why candidates were left out, and then why the request is refused.
    denials: Vec<Denial>,
    refused: bool,
}

/// Why a limit says no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denial {
    /// The limit's name.
    pub name: String,
    /// What in the configuration it is.
    pub rule: String,
    /// Why.
    pub why: Why,
}

/// Why a limit says no.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// There is not enough.
    Full(Full),
    /// As much as may be at the same time is under way.
    Busy {
        /// How much that is.
        most: u64,
    },
    /// Nobody can say how much is left.
    StoreFailed,
    /// What the request needs of it has no bound.
    Unbound,
    /// What the request needs of it has no price.
    Unpriced,
}

impl Admission {
    /// Decides what this Envoy can: `needs` by the place of the target. The rest is left to [`Self::ask`].
    #[must_use]
    pub fn begin(claims: Vec<Claim>, needs: Vec<Need>, candidates: Vec<usize>, lapse: Lapse, now_ms: u64) -> Self {
        let granted = Granted { claims, needs };
        let mut admission =
            Self { granted, candidates, lapse, tickets: Vec::new(), denials: Vec::new(), refused: false };
        for index in 0..admission.granted.claims.len() {
            if admission.is_refused() {
                break;
            }
            admission.claim(index, now_ms);
        }
        admission
    }

    /// The same for a request that only one can serve.
    #[must_use]
    pub fn of_one(claims: Vec<Claim>, need: Need, lapse: Lapse, now_ms: u64) -> Self {
        Self::begin(claims, vec![need], vec![0], lapse, now_ms)
    }

    /// Asks services for what is missing, unless the request is refused already; `waker` is called when they have answered.
    pub fn ask(&mut self, services: &Rc<Services>, waker: &Waker, now: u64) {
        for index in 0..self.granted.claims.len() {
            if self.is_refused() {
                break;
            }
            let Some(claim) = self.granted.claims.get_mut(index) else { break };
            let State::Drawing(taken) = claim.state else { continue };
            let wanted = Wanted {
                limit: Rc::clone(&claim.limit),
                which: claim.which,
                values: std::mem::take(&mut claim.values),
                need: claim.need,
                taken,
                lapse: self.lapse,
                services: Rc::clone(services),
                waker: waker.clone(),
            };
            match desk::wait(wanted, now) {
                Ok(ticket) => self.tickets.push((index, ticket)),
                Err(outcome) => self.drawn(index, outcome, millis(now)),
            }
        }
    }

    /// Whether there is nothing more to wait for.
    #[must_use]
    pub fn is_decided(&self) -> bool {
        self.tickets.is_empty() || self.is_refused()
    }

    /// Until when it waits, in nanoseconds since 1970.
    #[must_use]
    pub fn deadline(&self) -> Option<u64> {
        self.tickets.iter().map(|(_, ticket)| ticket.until()).min()
    }

    /// Takes in what services have answered, and what is too late.
    pub fn look(&mut self, now: u64) {
        let answered = |(index, ticket): &(usize, Ticket)| Some((*index, ticket.outcome(now)?));
        let outcomes: Vec<_> = self.tickets.iter().filter_map(answered).collect();
        for (index, outcome) in outcomes {
            // It may have been given back because of the one before.
            if let Some(at) = self.tickets.iter().position(|(of, _)| *of == index) {
                drop(self.tickets.swap_remove(at));
                self.drawn(index, outcome, millis(now));
            }
        }
    }

    /// What is known of a draw now.
    fn drawn(&mut self, index: usize, outcome: Outcome, now_ms: u64) {
        let Some(claim) = self.granted.claims.get(index) else { return };
        let part = outcome.reservation();
        let over = |retry_after_ms| Full { left: part.amount, retry_after_ms };
        let state = match outcome {
            Outcome::Held(held) => Ok(State::Held(held)),
            Outcome::TooMuch(_) => Ok(State::Refused(over(None))),
            Outcome::OverLimit(_) => {
                let full = over(claim.resets_in_ms(now_ms));
                match claim.limit.mode {
                    Mode::Shadow => self.hold_anyway(claim, &part, now_ms).map(|held| State::Over(held, full)),
                    Mode::Enforce => Ok(State::Refused(full)),
                }
            }
            Outcome::Failed(_) => Err(Unavailable),
        };
        let state = state.unwrap_or_else(|Unavailable| {
            let uncounted = || self.hold_anyway(claim, &part, now_ms).unwrap_or(part);
            if claim.goes_on_uncounted() { State::Uncounted(uncounted()) } else { State::Unknown }
        });
        if matches!(state, State::Refused(_) | State::Unknown) {
            settle(claim, &part, 0, now_ms);
        }
        self.decide(index, state, now_ms);
    }

    /// Reserves all that a claim needs, in the place of a part of it.
    fn hold_anyway(&self, claim: &Claim, part: &Reservation, now_ms: u64) -> Result<Reservation, Unavailable> {
        let (limit, lapse) = (&claim.limit, self.lapse);
        ledger::change(&claim.which, now_ms, |counter| {
            counter.settle(limit, part, 0, now_ms);
            counter.reserve_anyway(limit, claim.need, now_ms, lapse)
        })
    }

    /// What was decided: the claims that are held and the candidates that are left, or why not.
    ///
    /// # Errors
    /// Why the request is refused, and the claims of which nothing is held any more.
    pub fn end(mut self, now_ms: u64) -> Result<(Granted, Vec<usize>), (Denial, Granted)> {
        if !self.is_refused() {
            return Ok((self.granted, self.candidates));
        }
        self.give_back(now_ms, |_| true);
        // Of a limit of the request's own there is one, the last; of candidates', the one that passes first.
        let soonest = |denial: &Denial| match denial.why {
            Why::Full(Full { retry_after_ms: Some(wait), .. }) => wait,
            Why::Busy { .. } => BUSY_MS,
            Why::StoreFailed => u64::MAX.saturating_sub(1),
            Why::Full(_) | Why::Unbound | Why::Unpriced => u64::MAX,
        };
        let denial = if self.refused { self.denials.pop() } else { self.denials.into_iter().min_by_key(soonest) };
        let nobody = Denial { name: String::new(), rule: "limits".to_owned(), why: Why::StoreFailed };
        Err((denial.unwrap_or(nobody), self.granted))
    }

    /// The client has left before it was decided.
    pub fn abandon(mut self, now_ms: u64) -> Granted {
        self.give_back(now_ms, |_| true);
        self.granted
    }

    const fn is_refused(&self) -> bool {
        self.refused || self.candidates.is_empty()
    }

    fn claim(&mut self, index: usize, now_ms: u64) {
        let Some(claim) = self.granted.claims.get_mut(index) else { return };
        let (limit, lapse) = (claim.limit.clone(), self.lapse);
        let enforced = limit.mode == Mode::Enforce;
        match claim.most(&self.candidates, &self.granted.needs) {
            Some(need) => claim.need = need,
            // Each candidate that cannot be bounded is left out: the others may still serve the request.
            None if enforced => {
                self.leave_out_unbound(index, now_ms);
                if self.is_refused() {
                    return;
                }
            }
            None => {}
        }
        let Some(claim) = self.granted.claims.get_mut(index) else { return };
        let (which, need) = (claim.which, claim.need);
        let state = if limit.store.is_some() {
            let nothing = Reservation::default();
            ledger::change(&which, now_ms, |counter| match counter.take(&limit, need, &nothing, now_ms, lapse) {
                taken if taken.missing == 0 => State::Held(taken.reservation),
                taken => State::Drawing(taken),
            })
        } else {
            ledger::change(&which, now_ms, |counter| match counter.reserve(&limit, need, now_ms, lapse) {
                Ok(held) => State::Held(held),
                Err(full) if enforced => State::Refused(full),
                Err(full) => State::Over(counter.reserve_anyway(&limit, need, now_ms, lapse), full),
            })
        };
        let uncounted =
            if claim.goes_on_uncounted() { State::Uncounted(Reservation::default()) } else { State::Unknown };
        self.decide(index, state.unwrap_or(uncounted), now_ms);
    }

    /// Leaves out the candidates of which nobody knows what they would use, and sets what the others need.
    fn leave_out_unbound(&mut self, index: usize, now_ms: u64) {
        let Some(claim) = self.granted.claims.get(index) else { return };
        let need = |target: &usize| self.granted.needs.get(*target).copied().unwrap_or_default();
        let unit = claim.limit.unit;
        let unknown: Vec<usize> = self
            .candidates
            .iter()
            .copied()
            .filter(|target| claim.counts(*target) && need(target).amount(unit).is_none())
            .collect();
        let unbound = unknown.iter().any(|target| need(target).tokens.is_none());
        let why = if unbound { Why::Unbound } else { Why::Unpriced };
        self.denials.push(Denial::new(claim, why));
        self.leave_out(&unknown, now_ms);
        let most = self.granted.claims.get(index).and_then(|claim| claim.most(&self.candidates, &self.granted.needs));
        if let Some(claim) = self.granted.claims.get_mut(index) {
            claim.need = most.unwrap_or_default();
        }
    }

    fn decide(&mut self, index: usize, state: State, now_ms: u64) {
        let Some(claim) = self.granted.claims.get_mut(index) else { return };
        claim.state = state;
        let why = match state {
            State::Refused(_) if claim.limit.refill == Refill::WhenOver => Why::Busy { most: claim.limit.amount },
            State::Refused(full) => Why::Full(full),
            State::Unknown => Why::StoreFailed,
            _ => return,
        };
        self.denials.push(Denial::new(claim, why));
        match claim.targets.clone() {
            Some(targets) => self.leave_out(&targets, now_ms),
            None => self.refused = true,
        }
    }

    /// Leaves candidates out, and gives back what only they would have used.
    fn leave_out(&mut self, targets: &[usize], now_ms: u64) {
        self.candidates.retain(|candidate| !targets.contains(candidate));
        let candidates = self.candidates.clone();
        self.give_back(now_ms, |claim| !candidates.iter().any(|target| claim.counts(*target)));
    }

    fn give_back(&mut self, now_ms: u64, of: impl Fn(&Claim) -> bool) {
        for (index, claim) in self.granted.claims.iter_mut().enumerate().filter(|(_, claim)| of(claim)) {
            let waits = self.tickets.iter().position(|(of, _)| *of == index);
            let held = waits.map(|at| self.tickets.swap_remove(at).1.reservation());
            if let Some(held) = held.or_else(|| claim.reservation().copied()) {
                settle(claim, &held, 0, now_ms);
                claim.state = State::GivenBack;
            }
        }
    }
}

/// Settles a reservation, and tells what all requests of the window have used that are over. What cannot be settled lapses.
pub(crate) fn settle(claim: &Claim, held: &Reservation, used: u64, now_ms: u64) -> Option<u64> {
    let settled = ledger::change(&claim.which, now_ms, |counter| {
        counter.settle(&claim.limit, held, used, now_ms);
        counter.standing(&claim.limit, now_ms).used
    });
    if settled.is_err() {
        unsettled(&claim.limit);
    }
    settled.ok()
}

/// Counts what could not be counted.
pub(crate) fn unsettled(limit: &Limit) {
    count("tollgate_limits_unsettled_total", &[("limit", limit.name.as_str())], 1);
}

impl Claim {
    fn goes_on_uncounted(&self) -> bool {
        self.limit.when_store_fails == WhenStoreFails::Allow || self.limit.mode == Mode::Shadow
    }

    fn resets_in_ms(&self, now_ms: u64) -> Option<u64> {
        Counter::default().standing(&self.limit, now_ms).resets_in_ms
    }
}

impl Denial {
    fn new(claim: &Claim, why: Why) -> Self {
        Self { name: claim.limit.name.as_str().to_owned(), rule: claim.limit.path(), why }
    }
}
