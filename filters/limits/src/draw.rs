//! Draws from a rate limit service, for limits that a fleet of Envoys shares.
//!
//! The service counts hits and never gives one back. So what a request needs is drawn before it, and what it did not use of
//! that stays with this Envoy's counter for the next ones: the fleet never uses more than the service has given out. Only
//! what an Envoy holds when its process ends is lost, until the window ends, and a draw that is answered too late.

use std::num::NonZeroU32;
use tollgate_host::grpc;
use tollgate_kernel::limit::{Every, Limit, Refill, Unit};
use tollgate_kernel::rate_limit_service::{Answer, Descriptor, Override, Request, Unit as Window};
use tollgate_kernel::timestamp::rfc3339_millis;

/// What a service is asked to count of a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Draw {
    /// How much.
    pub hits: NonZeroU32,
    /// As much in the limit's own unit, or a little more than was asked for.
    pub amount: u64,
}

/// What a service has said of a draw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drawn {
    /// It has counted it.
    Given,
    /// There is not enough.
    OverLimit,
    /// It did not say.
    Failed,
}

impl Drawn {
    /// What an answer says. When there is room again follows from our window: the service's own is another.
    #[must_use]
    pub fn of(answer: grpc::Answer) -> Self {
        match answer.ok().and_then(|bytes| Answer::decode(&bytes).ok()) {
            Some(Answer::Ok) => Self::Given,
            Some(Answer::OverLimit { .. }) => Self::OverLimit,
            None => Self::Failed,
        }
    }
}

/// A service counts in 32 bits: dollars by the ten-thousandth, of which that is 429,496 dollars.
const NANO_USD_PER_HIT: u64 = 100_000;

const fn per_hit(unit: Unit) -> u64 {
    match unit {
        Unit::Usd => NANO_USD_PER_HIT,
        Unit::Requests
        | Unit::Tokens
        | Unit::Calls
        | Unit::Messages
        | Unit::ResultBytes
        | Unit::Concurrent
        | Unit::Streams
        | Unit::NotFound => 1,
    }
}

/// How many hits an amount is, rounded up; `None`: more than can be counted.
#[must_use]
pub fn hits(unit: Unit, amount: u64) -> Option<NonZeroU32> {
    NonZeroU32::new(u32::try_from(amount.div_ceil(per_hit(unit))).ok()?)
}

impl Draw {
    /// A draw of what is missing; `None` when it is too much.
    #[must_use]
    pub fn of(unit: Unit, missing: u64) -> Option<Self> {
        let hits = hits(unit, missing)?;
        Some(Self { hits, amount: u64::from(hits.get()).saturating_mul(per_hit(unit)) })
    }

    /// What the service is sent: of which counter of `limit` is told by `values`. A service that takes limits from the
    /// request (envoyproxy/ratelimit) finds this one there; another has it in its own configuration. The window stands among
    /// the entries, so that it is ours and every Envoy's: the service's own, which begins where it will, only has to be longer.
    #[must_use]
    pub fn message(&self, domain: &str, limit: &Limit, values: &[(&str, String)], now_ms: u64) -> Vec<u8> {
        let Refill::Window(every, offset) = limit.refill else { return Vec::new() };
        let path = limit.path();
        let window = rfc3339_millis(every.span(offset, now_ms).start_ms.saturating_mul(1_000_000));
        let mut entries = vec![("limit", path.as_str()), ("window", window.as_str())];
        entries.extend(values.iter().map(|(name, value)| (*name, value.as_str())));
        let limit =
            hits(limit.unit, limit.amount).map(|hits| Override { requests_per_unit: hits.get(), unit: longer(every) });
        Request { domain, descriptors: &[Descriptor { entries: &entries, limit }], hits: self.hits }.encode()
    }
}

const fn longer(every: Every) -> Window {
    match every {
        Every::Minute => Window::Hour,
        Every::Hour => Window::Day,
        Every::Day => Window::Month,
        Every::Week | Every::Month => Window::Year,
    }
}
