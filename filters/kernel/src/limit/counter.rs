//! One counter of a limit: what was used, and what is reserved for requests that are under way.

use super::{Limit, Refill};

/// Into how many steps the time is cut after which reservations lapse: so many amounts are kept and no more, however many
/// requests are under way.
const STEPS: u64 = 7;

/// Only a running request may be in the way of another: it is worth asking again after so long.
const SOON_MS: u64 = 1000;

/// What one counter knows. It is changed only through its limit, and always with the time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counter {
    /// When the window began; where room comes back steadily: until when it has come back. Nanoseconds, because many come
    /// back in one millisecond.
    pub(super) since_ns: u64,
    /// From when on nothing of this is worth keeping, but what is reserved.
    pub(super) ends_ms: u64,
    /// What requests that are over have used.
    pub(super) used: u64,
    /// How much of it was drawn from the service that keeps the limit. What others have drawn there is not known here.
    pub(super) drawn: u64,
    pub(super) reserved: Vec<Lapsing>,
}

/// What lapses at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Lapsing {
    /// Seconds since 1970.
    pub(super) until_s: u32,
    pub(super) amount: u64,
}

/// What a request holds of a counter until it is settled.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reservation {
    /// How much.
    pub amount: u64,
    since_ns: u64,
    until_s: u32,
}

/// There is not enough left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Full {
    /// How much is.
    pub left: u64,
    /// When asking again makes sense; `None` when a request like this never fits.
    pub retry_after_ms: Option<u64>,
}

/// How a counter stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// What requests that are over have used.
    pub used: u64,
    /// What neither they nor those under way take.
    pub left: u64,
    /// When all of it is there again; `None` when that is for who is under way to say.
    pub resets_in_ms: Option<u64>,
}

/// What a counter had for a request of a limit that a service keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// What was there is reserved.
    pub reservation: Reservation,
    /// What is missing, and has to be drawn from the service: also what was used before without having been drawn.
    pub missing: u64,
}

/// How long a reservation holds when nobody settles it: as many seconds, and a seventh more at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lapse(pub u64);

impl Counter {
    /// Reserves `need`, if so much is left.
    ///
    /// # Errors
    /// When it is not. Nothing is reserved then.
    pub fn reserve(&mut self, limit: &Limit, need: u64, now_ms: u64, lapse: Lapse) -> Result<Reservation, Full> {
        self.advance(limit, now_ms);
        let room = limit.room();
        if self.used.saturating_add(self.reserved()).saturating_add(need) > room {
            return Err(self.full(limit, need, now_ms));
        }
        Ok(self.hold(need, now_ms, lapse))
    }

    /// Reserves `need`, also when it is not left: for limits that refuse nothing.
    pub fn reserve_anyway(&mut self, limit: &Limit, need: u64, now_ms: u64, lapse: Lapse) -> Reservation {
        self.advance(limit, now_ms);
        self.hold(need, now_ms, lapse)
    }

    /// Gives a reservation back and counts what was `used` instead, unless only what is under way counts. A request counts in
    /// the window in which it began: when that is over, nothing is left to count.
    pub fn settle(&mut self, limit: &Limit, reservation: &Reservation, used: u64, now_ms: u64) {
        self.advance(limit, now_ms);
        if !self.is_of_this_window(limit, reservation) {
            return;
        }
        if let Some(lapsing) = self.reserved.iter_mut().find(|lapsing| lapsing.until_s == reservation.until_s) {
            lapsing.amount = lapsing.amount.saturating_sub(reservation.amount);
        }
        self.reserved.retain(|lapsing| lapsing.amount > 0);
        if limit.refill != Refill::WhenOver {
            self.used = self.used.saturating_add(used);
        }
        self.set_end(limit);
    }

    /// Reserves of `need` what was drawn from the service and not used, in the place of what is `held` already, and tells
    /// what is missing.
    pub fn take(&mut self, limit: &Limit, need: u64, held: &Reservation, now_ms: u64, lapse: Lapse) -> Taken {
        self.settle(limit, held, 0, now_ms);
        let taken = self.used.saturating_add(self.reserved());
        let (have, owed) = (self.drawn.saturating_sub(taken), taken.saturating_sub(self.drawn));
        let part = have.min(need);
        let missing = need.saturating_sub(part).saturating_add(owed);
        Taken { reservation: self.hold(part, now_ms, lapse), missing }
    }

    /// Adds what was drawn from the service, which counted it at `drawn_ms`. In a window that is over, it is worth nothing in
    /// the next one.
    pub fn credit(&mut self, limit: &Limit, drawn: u64, drawn_ms: u64, now_ms: u64) {
        self.advance(limit, now_ms);
        if !limit.begins_between(drawn_ms, now_ms) {
            self.drawn = self.drawn.saturating_add(drawn);
        }
    }

    /// How it stands now.
    #[must_use]
    pub fn standing(&self, limit: &Limit, now_ms: u64) -> Standing {
        let mut now = self.clone();
        now.advance(limit, now_ms);
        let resets_in_ms = match limit.refill {
            Refill::Window(every, offset) => Some(every.span(offset, now_ms).end_ms.saturating_sub(now_ms)),
            Refill::Steady { millis, .. } => Some(comes_back_in(now.used, limit.amount, millis)),
            Refill::WhenOver => None,
        };
        let left = limit.room().saturating_sub(now.used).saturating_sub(now.reserved());
        Standing { used: now.used, left, resets_in_ms }
    }

    /// Whether nothing of it is worth keeping: its window is over, or nothing was used in it. Who is refused, or only
    /// asks, must not take a place from others.
    pub(super) fn is_over(&self, now_ms: u64) -> bool {
        let is_new = self.used == 0 && self.drawn == 0;
        (is_new || self.ends_ms <= now_ms) && self.reserved.iter().all(|lapsing| has_lapsed(lapsing, now_ms))
    }

    fn is_of_this_window(&self, limit: &Limit, reservation: &Reservation) -> bool {
        match limit.refill {
            Refill::Window(..) => reservation.since_ns == self.since_ns,
            Refill::Steady { .. } | Refill::WhenOver => true,
        }
    }

    /// What time alone changes.
    fn advance(&mut self, limit: &Limit, now_ms: u64) {
        self.reserved.retain(|lapsing| !has_lapsed(lapsing, now_ms));
        match limit.refill {
            Refill::Window(every, offset) => {
                let span = every.span(offset, now_ms);
                // A clock that was set back does not bring a window back.
                if nanos(span.start_ms) > self.since_ns || self.ends_ms == 0 {
                    *self = Self { since_ns: nanos(span.start_ms), ends_ms: span.end_ms, ..Self::default() };
                }
            }
            Refill::Steady { millis, .. } => {
                let (amount, period) = (u128::from(limit.amount), u128::from(nanos(millis)));
                let elapsed = u128::from(nanos(now_ms).saturating_sub(self.since_ns));
                let back = elapsed.saturating_mul(amount).checked_div(period).unwrap_or(0);
                let back = u64::try_from(back).unwrap_or(u64::MAX);
                if back >= self.used {
                    (self.used, self.since_ns) = (0, nanos(now_ms).max(self.since_ns));
                } else {
                    self.used = self.used.saturating_sub(back);
                    // Only the time for what came back is over: the rest of it counts for the next one.
                    let over = u128::from(back).saturating_mul(period).div_ceil(amount.max(1));
                    self.since_ns = self.since_ns.saturating_add(u64::try_from(over).unwrap_or(u64::MAX));
                }
                self.set_end(limit);
            }
            Refill::WhenOver => {}
        }
    }

    fn set_end(&mut self, limit: &Limit) {
        if let Refill::Steady { millis, .. } = limit.refill {
            self.ends_ms =
                self.since_ns.div_ceil(1_000_000).saturating_add(comes_back_in(self.used, limit.amount, millis));
        }
    }

    fn hold(&mut self, amount: u64, now_ms: u64, lapse: Lapse) -> Reservation {
        let step = lapse.0.div_euclid(STEPS).max(1);
        let until_s =
            now_ms.div_euclid(1000).saturating_add(lapse.0).div_euclid(step).saturating_add(1).saturating_mul(step);
        let until_s = u32::try_from(until_s).unwrap_or(u32::MAX);
        if amount > 0 {
            match self.reserved.iter_mut().find(|lapsing| lapsing.until_s == until_s) {
                Some(lapsing) => lapsing.amount = lapsing.amount.saturating_add(amount),
                None => self.reserved.push(Lapsing { until_s, amount }),
            }
        }
        Reservation { amount, since_ns: self.since_ns, until_s }
    }

    fn reserved(&self) -> u64 {
        self.reserved.iter().fold(0, |sum, lapsing| sum.saturating_add(lapsing.amount))
    }

    fn full(&self, limit: &Limit, need: u64, now_ms: u64) -> Full {
        let room = limit.room();
        let wanted = self.used.saturating_add(need);
        let retry_after_ms = match limit.refill {
            _ if need > room => None,
            Refill::Window(..) if wanted > room => Some(self.ends_ms.saturating_sub(now_ms)),
            Refill::Window(..) => Some(SOON_MS.min(self.ends_ms.saturating_sub(now_ms))),
            Refill::Steady { millis, .. } if wanted > room => {
                Some(comes_back_in(wanted.saturating_sub(room), limit.amount, millis))
            }
            Refill::Steady { .. } | Refill::WhenOver => Some(SOON_MS),
        };
        Full { left: room.saturating_sub(self.used).saturating_sub(self.reserved()), retry_after_ms }
    }
}

impl Limit {
    /// How much may be used at once.
    #[must_use]
    pub const fn room(&self) -> u64 {
        match self.refill {
            Refill::Window(..) | Refill::WhenOver => self.amount,
            Refill::Steady { burst, .. } => burst,
        }
    }

    /// Whether a window has begun after `before_ms`, until `now_ms`.
    #[must_use]
    pub fn begins_between(&self, before_ms: u64, now_ms: u64) -> bool {
        match self.refill {
            Refill::Window(every, offset) => {
                every.span(offset, before_ms).start_ms < every.span(offset, now_ms).start_ms
            }
            Refill::Steady { .. } | Refill::WhenOver => false,
        }
    }
}

/// In how many milliseconds so much comes back, of `amount` in `millis`.
fn comes_back_in(used: u64, amount: u64, millis: u64) -> u64 {
    let wait = u128::from(used).saturating_mul(u128::from(millis)).div_ceil(u128::from(amount.max(1)));
    u64::try_from(wait).unwrap_or(u64::MAX)
}

const fn nanos(millis: u64) -> u64 {
    millis.saturating_mul(1_000_000)
}

const fn has_lapsed(lapsing: &Lapsing, now_ms: u64) -> bool {
    (lapsing.until_s as u64).saturating_mul(1000) <= now_ms
}

#[cfg(test)]
mod tests;
