//! What clients and operators are told of limits.

use crate::admission::{BUSY_MS, Denial, Why};
use crate::claim::{Claim, State};
use crate::{Granted, ledger};
use tollgate_host::metrics::count;
use tollgate_kernel::json::Writer;
use tollgate_kernel::limit::counter::Full;
use tollgate_kernel::limit::{Every, Mode, Refill, Unit};

/// Longer than this, no SDK should wait for.
const WORTH_WAITING_S: u64 = 60;

/// A claim in a record.
#[derive(Debug)]
pub struct Counted {
    /// What in the configuration it is.
    limit: String,
    /// What it counts. Dollars by the billionth.
    unit: &'static str,
    /// What was reserved before the request.
    reserved: u64,
    /// What was counted after it.
    used: u64,
    /// What all requests have used together since the window began, if there is one and this Envoy keeps the limit.
    total: Option<u64>,
    /// Of how much.
    of: u64,
    /// What became of it.
    verdict: &'static str,
}

impl Counted {
    /// Writes all of them as records have them, if there are some.
    pub fn write_all(limits: &[Self], json: &mut Writer<'_>) {
        if !limits.is_empty() {
            json.key("limits").open_list();
            limits.iter().for_each(|limit| limit.write(json));
            json.close_list();
        }
    }

    /// Writes it as records have it.
    pub fn write(&self, json: &mut Writer<'_>) {
        json.open_object().key("limit").text(&self.limit);
        json.key("unit").text(self.unit);
        json.key("reserved").number(self.reserved);
        json.key("used").number(self.used);
        json.number_if("total", self.total);
        json.key("of").number(self.of);
        json.key("verdict").text(self.verdict);
        json.close_object();
    }

    /// A claim that is settled.
    #[must_use]
    pub fn of(claim: &Claim, used: u64, total: Option<u64>) -> Self {
        let unit = if claim.limit.unit == Unit::Usd { "nano_usd" } else { claim.limit.unit.name() };
        let (limit, verdict) = (claim.limit.path(), claim.verdict());
        let held = matches!(claim.state, State::Held(_) | State::Over(..) | State::Uncounted(_));
        let (reserved, used) = if held { (claim.need, used) } else { (0, 0) };
        let total = total.filter(|_| held && claim.limit.store.is_none() && claim.limit.refill != Refill::WhenOver);
        Self { limit, unit, reserved, used, total, of: claim.limit.amount, verdict }
    }
}

/// Counts what became of a request's claims.
pub(crate) fn decisions(granted: &Granted) {
    for claim in granted.claims.iter().filter(|claim| claim.state != State::Open) {
        let labels = [("limit", claim.limit.name.as_str()), ("outcome", claim.verdict())];
        count("tollgate_limits_total", &labels, 1);
    }
}

/// How the limits that this Envoy keeps stand, as `draft-ietf-httpapi-ratelimit-headers-10` writes it. Dollars by the millionth.
#[must_use]
pub fn headers(granted: &Granted, now_ms: u64) -> Vec<(&'static str, String)> {
    let (mut policies, mut standings) = (Vec::new(), Vec::new());
    for claim in granted.claims.iter().filter(|claim| claim.limit.mode == Mode::Enforce && claim.limit.store.is_none())
    {
        let limit = &claim.limit;
        let Ok(standing) = ledger::change(&claim.which, now_ms, |counter| counter.standing(limit, now_ms)) else {
            continue;
        };
        let (parts, unit) = match limit.unit {
            Unit::Usd => (1000, "micro-usd"),
            Unit::ResultBytes => (1, "content-bytes"),
            Unit::Concurrent => (1, "concurrent-requests"),
            Unit::Streams => (1, "concurrent-streams"),
            unit => (1, unit.name()),
        };
        let parameter =
            |name: &str, seconds: Option<u64>| seconds.map_or_else(String::new, |seconds| format!(";{name}={seconds}"));
        let (window, reset) =
            (parameter("w", seconds_of(limit.refill)), parameter("t", standing.resets_in_ms.map(seconds)));
        let quota = limit.amount.checked_div(parts).unwrap_or_default();
        let left = standing.left.checked_div(parts).unwrap_or_default();
        policies.push(format!("\"{}\";q={quota}{window};qu=\"{unit}\"", limit.name));
        standings.push(format!("\"{}\";r={left}{reset}", limit.name));
    }
    if policies.is_empty() {
        return Vec::new();
    }
    vec![("ratelimit-policy", policies.join(", ")), ("ratelimit", standings.join(", "))]
}

const fn seconds_of(refill: Refill) -> Option<u64> {
    Some(match refill {
        Refill::Window(Every::Minute, _) => 60,
        Refill::Window(Every::Hour, _) => 3600,
        Refill::Window(Every::Day, _) => 86_400,
        Refill::Window(Every::Week, _) => 604_800,
        Refill::Window(Every::Month, _) => 2_592_000,
        Refill::Steady { millis, .. } => millis.div_ceil(1000),
        Refill::WhenOver => return None,
    })
}

const fn seconds(millis: u64) -> u64 {
    millis.div_ceil(1000)
}

impl Denial {
    /// The stable reason code.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self.why {
            Why::Full(_) | Why::Busy { .. } => "limit_exceeded",
            Why::StoreFailed => "limit_store_failed",
            Why::Unbound => "unbounded_output",
            Why::Unpriced => "unpriced_model",
        }
    }

    /// What the client is told.
    #[must_use]
    pub fn message(&self) -> String {
        let name = &self.name;
        match self.why {
            Why::Full(Full { retry_after_ms: Some(wait), .. }) => format!(
                "the limit `{name}` leaves no room for this request; there may be room again in {} seconds",
                seconds(wait)
            ),
            Why::Full(Full { retry_after_ms: None, .. }) => {
                format!("this request may use more than the limit `{name}` allows at all; ask for fewer tokens")
            }
            Why::Busy { most } => format!(
                "the limit `{name}` allows {most} at the same time, and so many are under way; try again when one of them is over"
            ),
            Why::StoreFailed => {
                format!("how much the limit `{name}` leaves cannot be told at the moment; try again later")
            }
            Why::Unbound => format!(
                "the limit `{name}` applies, and how long an answer of this model may be is not known: set the most output \
                 tokens in the request"
            ),
            Why::Unpriced => format!("the limit `{name}` applies, and this model has no price"),
        }
    }

    /// After how many seconds it is worth asking again, if that is known.
    #[must_use]
    pub fn wait_s(&self) -> Option<u64> {
        match self.why {
            Why::Full(Full { retry_after_ms, .. }) => retry_after_ms.map(|wait| seconds(wait).max(1)),
            Why::Busy { .. } => Some(seconds(BUSY_MS)),
            Why::StoreFailed => Some(1),
            Why::Unbound | Why::Unpriced => None,
        }
    }

    /// Headers that say when to ask again. SDKs of OpenAI and Anthropic ask again by themselves unless they are told.
    #[must_use]
    pub fn headers(&self) -> Vec<(&'static str, String)> {
        if matches!(self.why, Why::Unbound | Why::Unpriced) {
            return Vec::new();
        }
        let wait = self.wait_s();
        let mut headers: Vec<(&'static str, String)> = Vec::new();
        headers.extend(wait.map(|wait| ("retry-after", wait.to_string())));
        if wait.is_none_or(|wait| wait > WORTH_WAITING_S) {
            headers.push(("x-should-retry", "false".to_owned()));
        }
        headers
    }
}
