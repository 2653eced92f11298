//! Where claims wait for their draw: of each counter one at a time, first come first served.
//!
//! One draw at a time because Limitador reads before it counts, so that draws which reach it at once may all pass: so at most
//! as many go beyond a limit as there are workers, less one. And because a draw is for the counter, not for a request: what
//! one brings is there for whoever is next, also when who asked has left.
//!
//! The desk is the VM's, so it knows the claims of every configuration that is in use. It holds only what held requests
//! hold: who leaves, leaves the desk.

use crate::admission::unsettled;
use crate::draw::{Draw, Drawn};
use crate::service::{Service, Services};
use crate::{ledger, millis};
use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};
use tollgate_host::abi;
use tollgate_host::grpc::{self, Method};
use tollgate_host::stream::Waker;
use tollgate_kernel::limit::Limit;
use tollgate_kernel::limit::bucket::Fingerprint;
use tollgate_kernel::limit::counter::{Lapse, Reservation, Taken};
use tollgate_kernel::rate_limit_service::{METHOD, SERVICE};

/// What a claim needs that its counter does not have.
#[derive(Debug)]
pub struct Wanted {
    /// Of which limit.
    pub limit: Rc<Limit>,
    /// Of which of its counters.
    pub which: Fingerprint,
    /// What tells that counter from the limit's others.
    pub values: Vec<(&'static str, String)>,
    /// How much of it the request needs.
    pub need: u64,
    /// What it has of it, and what not.
    pub taken: Taken,
    /// How long a reservation holds.
    pub lapse: Lapse,
    /// Who can be asked.
    pub services: Rc<Services>,
    /// Whom to wake.
    pub waker: Waker,
}

/// What became of what was wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// All that is needed is reserved.
    Held(Reservation),
    /// There is not enough; a part is reserved.
    OverLimit(Reservation),
    /// More is needed than a service can count; a part is reserved.
    TooMuch(Reservation),
    /// Nobody can say how much is left; a part is reserved.
    Failed(Reservation),
}

/// A place at the desk; who drops it leaves.
#[derive(Debug)]
pub struct Ticket {
    waiting: Rc<Waiting>,
    /// Until when it is worth waiting, in nanoseconds since 1970.
    until: u64,
}

#[derive(Debug)]
struct Waiting {
    wanted: Wanted,
    turn: Cell<Turn>,
}

#[derive(Debug, Clone, Copy)]
enum Turn {
    Waits(Taken),
    Decided(Outcome),
}

/// A draw under way.
struct Asked {
    draw: Draw,
    limit: Rc<Limit>,
    which: Fingerprint,
    at_ms: u64,
    /// Whose it is; it may have left.
    by: Weak<Waiting>,
}

/// Why no draw is under way.
enum Unasked {
    TooMuch,
    Failed,
}

/// Who waits for a counter, of which a draw is under way, in the order they came.
struct Queue {
    which: Fingerprint,
    waiting: Vec<Rc<Waiting>>,
}

thread_local! {
    static DESK: RefCell<Vec<Queue>> = const { RefCell::new(Vec::new()) };
}

/// Waits for what is wanted, and asks for it when it is the first.
///
/// # Errors
/// What became of it at once.
pub fn wait(wanted: Wanted, now: u64) -> Result<Ticket, Outcome> {
    let (which, part) = (wanted.which, wanted.taken.reservation);
    let timeout = wanted.service().ok_or(Outcome::Failed(part))?.timeout();
    let turn = Cell::new(Turn::Waits(wanted.taken));
    let waiting = Rc::new(Waiting { wanted, turn });
    if !in_queue(&which, |queue| queue.push(Rc::clone(&waiting))) {
        waiting.ask(millis(now)).map_err(|unasked| unasked.outcome(part))?;
        begin(which, vec![Rc::clone(&waiting)]);
    }
    let until = now.saturating_add(u64::try_from(timeout.as_nanos()).unwrap_or(u64::MAX));
    Ok(Ticket { waiting, until })
}

/// A draw was answered, or was not. What it brought is the counter's, and whoever waits tries again.
fn answered(asked: &Asked, drawn: Drawn) {
    let now_ms = millis(abi::now());
    if drawn == Drawn::Given {
        asked.credit(now_ms);
    }
    let mut waiting = end(&asked.which).into_iter();
    let mut decided = Vec::new();
    while let Some(first) = waiting.next() {
        match first.try_again(asked, drawn, now_ms) {
            Some(outcome) => {
                first.turn.set(Turn::Decided(outcome));
                decided.push(first);
            }
            // It has made the next draw.
            None => begin(asked.which, [first].into_iter().chain(waiting.by_ref()).collect()),
        }
    }
    // Who is woken may leave the desk with other claims, so it must be as it should be.
    decided.iter().for_each(|waiting| waiting.wanted.waker.wake());
}

/// A draw is under way.
fn begin(which: Fingerprint, waiting: Vec<Rc<Waiting>>) {
    DESK.with_borrow_mut(|desk| desk.push(Queue { which, waiting }));
}

/// It is over. Tells who waits.
fn end(which: &Fingerprint) -> Vec<Rc<Waiting>> {
    let queue =
        DESK.with_borrow_mut(|desk| desk.iter().position(|queue| queue.which == *which).map(|at| desk.swap_remove(at)));
    queue.map_or_else(Vec::new, |queue| queue.waiting)
}

/// Whether there is a queue to do this with.
fn in_queue(which: &Fingerprint, act: impl FnOnce(&mut Vec<Rc<Waiting>>)) -> bool {
    DESK.with_borrow_mut(|desk| {
        desk.iter_mut().find(|queue| queue.which == *which).map(|queue| act(&mut queue.waiting)).is_some()
    })
}

impl Wanted {
    fn service(&self) -> Option<&Service> {
        self.limit.store.as_ref().and_then(|store| self.services.get(store))
    }
}

impl Waiting {
    /// What becomes of it after the draw of another, or its own; `None` when it makes the next one.
    fn try_again(self: &Rc<Self>, asked: &Asked, drawn: Drawn, now_ms: u64) -> Option<Outcome> {
        if drawn == Drawn::Failed {
            return Some(Outcome::Failed(self.reservation()));
        }
        let Wanted { limit, which, need, lapse, .. } = &self.wanted;
        let held = self.reservation();
        let taken = ledger::change(which, now_ms, |counter| counter.take(limit, *need, &held, now_ms, *lapse));
        let Ok(taken) = taken else { return Some(Outcome::Failed(held)) };
        if taken.missing == 0 {
            return Some(Outcome::Held(taken.reservation));
        }
        self.turn.set(Turn::Waits(taken));
        if drawn == Drawn::OverLimit && asked.refuses(self, &taken, now_ms) {
            return Some(Outcome::OverLimit(taken.reservation));
        }
        self.ask(now_ms).err().map(|unasked| unasked.outcome(taken.reservation))
    }

    /// Draws what is missing.
    fn ask(self: &Rc<Self>, now_ms: u64) -> Result<(), Unasked> {
        let Wanted { limit, which, values, .. } = &self.wanted;
        let Turn::Waits(taken) = self.turn.get() else { return Err(Unasked::Failed) };
        let draw = Draw::of(limit.unit, taken.missing).ok_or(Unasked::TooMuch)?;
        let service = self.wanted.service().ok_or(Unasked::Failed)?;
        let method = Method { cluster: service.cluster.as_str(), service: SERVICE, method: METHOD };
        let message = draw.message(service.domain.as_str(), limit, values, now_ms);
        let by = Rc::downgrade(self);
        let asked = Asked { draw, limit: Rc::clone(limit), which: *which, at_ms: now_ms, by };
        grpc::call(&method, &message, service.timeout(), move |answer| answered(&asked, Drawn::of(answer)))
            .map_err(|_| Unasked::Failed)
    }

    fn reservation(&self) -> Reservation {
        match self.turn.get() {
            Turn::Waits(taken) => taken.reservation,
            Turn::Decided(outcome) => outcome.reservation(),
        }
    }
}

impl Asked {
    fn credit(&self, now_ms: u64) {
        let Self { draw, limit, which, at_ms, .. } = self;
        if ledger::change(which, now_ms, |counter| counter.credit(limit, draw.amount, *at_ms, now_ms)).is_err() {
            unsettled(limit);
        }
    }

    /// Whether what the service refused to give it refuses also to this one: in the same window, to who asked and to who
    /// needs as much.
    fn refuses(&self, waiting: &Rc<Waiting>, taken: &Taken, now_ms: u64) -> bool {
        let as_much = || Draw::of(self.limit.unit, taken.missing).is_none_or(|draw| draw.hits >= self.draw.hits);
        let asked = self.by.as_ptr() == Rc::as_ptr(waiting);
        let refused = asked || (Rc::ptr_eq(&self.limit, &waiting.wanted.limit) && as_much());
        refused && !self.limit.begins_between(self.at_ms, now_ms)
    }
}

impl Unasked {
    const fn outcome(&self, part: Reservation) -> Outcome {
        match self {
            Self::TooMuch => Outcome::TooMuch(part),
            Self::Failed => Outcome::Failed(part),
        }
    }
}

impl Outcome {
    /// What is reserved.
    #[must_use]
    pub const fn reservation(self) -> Reservation {
        match self {
            Self::Held(held) | Self::OverLimit(held) | Self::TooMuch(held) | Self::Failed(held) => held,
        }
    }
}

impl Ticket {
    /// What became of it; when it is no longer worth waiting at `now`, that it failed. `None` while it waits.
    #[must_use]
    pub fn outcome(&self, now: u64) -> Option<Outcome> {
        match self.waiting.turn.get() {
            Turn::Decided(outcome) => Some(outcome),
            Turn::Waits(taken) => (self.until <= now).then_some(Outcome::Failed(taken.reservation)),
        }
    }

    /// Until when it waits.
    #[must_use]
    pub const fn until(&self) -> u64 {
        self.until
    }

    /// What is reserved meanwhile.
    #[must_use]
    pub fn reservation(&self) -> Reservation {
        self.waiting.reservation()
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        in_queue(&self.waiting.wanted.which, |queue| queue.retain(|other| !Rc::ptr_eq(other, &self.waiting)));
    }
}
