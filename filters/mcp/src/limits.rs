//! What of its limits a call may use, and what it used.

use crate::config::Gate;
use crate::exchange::{Asked, Exchange, Object};
use crate::session::Session;
use std::rc::Rc;
use tollgate_kernel::limit::counter::Lapse;
use tollgate_kernel::limit::{Attribute, Limit, Unit};
use tollgate_limits::{Admission, Claim, Counted, Counts, Need, State, claim};

/// What limits may say of requests to servers.
pub const COUNTS: Counts<'_> = Counts {
    units: &[Unit::Requests, Unit::Calls, Unit::ResultBytes, Unit::Concurrent],
    attributes: &[Attribute::Server, Attribute::Tool, Attribute::Session],
};

/// Reserves of all limits that count for what is asked what it may use: of requests anything, of the rest calls of tools.
#[must_use]
pub fn reserve(gate: &Gate, exchange: &Exchange, now_ms: u64) -> Admission {
    let lapse = Lapse(gate.bounds.reservation_s);
    let is_call = exchange.asked.as_ref().is_some_and(Asked::is_call);
    let counts = |limit: &&Rc<Limit>| is_call || limit.unit == Unit::Requests;
    let claims = claim::claims(gate.limits.iter().filter(counts), &|attribute| value(exchange, attribute));
    Admission::of_one(claims, Need::default(), lapse, now_ms)
}

fn value(exchange: &Exchange, attribute: Attribute) -> Option<&str> {
    match attribute {
        Attribute::Subject(field) => exchange.caller.as_ref().and_then(|caller| caller.subject.text(field)),
        Attribute::Server => exchange.owner.as_deref(),
        Attribute::Tool => match exchange.asked.as_ref().and_then(|asked| asked.object.as_ref()) {
            Some(Object::Tool(name)) => Some(name),
            _ => None,
        },
        Attribute::Session => exchange.session.as_ref().map(Session::name),
        // The configuration names none of the others.
        _ => None,
    }
}

/// Counts what an exchange that is over has used. `went_on`: it reached its server; `bytes`: what that has answered.
pub fn settle(exchange: &Exchange, went_on: bool, bytes: u64, now_ms: u64) -> Vec<Counted> {
    let used = |claim: &Claim| match claim.limit.unit {
        _ if !went_on || claim.state == State::GivenBack => 0,
        Unit::ResultBytes => bytes,
        Unit::Concurrent => 0,
        _ => 1,
    };
    tollgate_limits::settle(&exchange.limits, used, now_ms)
}
