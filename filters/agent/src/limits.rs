//! What of its limits a request may use, and what it used.

use crate::config::Gate;
use crate::exchange::Exchange;
use std::rc::Rc;
use tollgate_kernel::a2a::Operation;
use tollgate_kernel::limit::counter::Lapse;
use tollgate_kernel::limit::{Attribute, Limit, Unit};
use tollgate_limits::{Admission, Claim, Counted, Counts, Need, State, claim};

/// What limits may say of requests to agents.
pub const COUNTS: Counts<'_> = Counts {
    units: &[Unit::Requests, Unit::Messages, Unit::ResultBytes, Unit::Concurrent, Unit::Streams, Unit::NotFound],
    attributes: &[Attribute::Callee, Attribute::Skill, Attribute::Operation],
};

/// Reserves of all limits that count for what is asked what it may use: messages are what is sent, streams what streams. Not found
/// is what is `not_theirs`, or may turn out not to be there.
#[must_use]
pub fn reserve(gate: &Gate, exchange: &Exchange, not_theirs: bool, now_ms: u64) -> Admission {
    let lapse = Lapse(gate.bounds.reservation_s);
    let operation = exchange.asked.as_ref().and_then(|asked| asked.operation());
    let counts = |limit: &&Rc<Limit>| match limit.unit {
        Unit::Messages => operation.is_some_and(Operation::sends),
        Unit::Streams => operation.is_some_and(Operation::streams),
        Unit::NotFound => not_theirs || operation == Some(Operation::GetTask),
        _ => true,
    };
    let claims = claim::claims(gate.limits.iter().filter(counts), &|attribute| value(exchange, attribute));
    Admission::of_one(claims, Need::default(), lapse, now_ms)
}

fn value(exchange: &Exchange, attribute: Attribute) -> Option<&str> {
    let asked = exchange.asked.as_ref();
    match attribute {
        Attribute::Subject(field) => exchange.caller.as_ref().and_then(|caller| caller.subject.text(field)),
        Attribute::Callee => exchange.callee.as_ref().map(|callee| callee.name.as_str()),
        Attribute::Skill => asked.and_then(|asked| asked.said.as_ref()).and_then(|said| said.skill.as_deref()),
        // A caller can make up as many names as it likes of what A2A does not have.
        Attribute::Operation => asked.and_then(|asked| asked.operation()).map(Operation::name),
        // The configuration names none of the others.
        _ => None,
    }
}

/// Counts what an exchange that is over has used. `went_on`: it reached its agent; `bytes`: what that has answered.
pub fn settle(exchange: &Exchange, bytes: u64, now_ms: u64) -> Vec<Counted> {
    let used = |claim: &Claim| match claim.limit.unit {
        _ if claim.state == State::GivenBack => 0,
        Unit::NotFound => u64::from(exchange.is_not_found()),
        _ if !exchange.went_on => 0,
        Unit::ResultBytes => bytes,
        Unit::Concurrent | Unit::Streams => 0,
        _ => 1,
    };
    tollgate_limits::settle(&exchange.limits, used, now_ms)
}
