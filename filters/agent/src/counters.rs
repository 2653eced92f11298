//! Envoy stats of an exchange. Labels come from the configuration, but for teams and agents that an issuer of tokens or
//! certificates names; `host::metrics` bounds their number.

use crate::card;
use crate::exchange::Exchange;
use crate::refusal::Refusal;
use tollgate_host::ending::Ending;
use tollgate_host::metrics::{count as add, record};
use tollgate_kernel::a2a::Named;
use tollgate_kernel::a2a::answer::{Fault, State};

const NONE: &str = "none";

/// Counts an exchange that is over.
pub fn count(exchange: &Exchange, ending: &Ending) {
    let subject = exchange.caller.as_ref().map(|caller| &caller.subject);
    let caller = ("caller", subject.and_then(|subject| subject.agent.as_ref()).map_or(NONE, |agent| agent.as_str()));
    let callee = ("callee", exchange.callee.as_ref().map_or(NONE, |callee| callee.name.as_str()));
    let outcome = ending.word(exchange.refusal.is_some());
    add("tollgate_agent_requests_total", &[caller, callee, ("outcome", outcome)], 1);
    if let Some(reason) = exchange.refusal.as_ref().map(Refusal::reason) {
        add("tollgate_agent_refusals_total", &[caller, callee, ("reason", reason)], 1);
    }
    if let Some((_, verdict)) = exchange.decided.as_ref().and_then(|decided| decided.shadow.as_ref()) {
        add("tollgate_agent_shadow_total", &[caller, callee, ("verdict", verdict)], 1);
    }
    if let Some(asked) = exchange.asked.as_ref().filter(|_| exchange.went_on) {
        // A caller can make up as many as it likes.
        let operation = match &asked.operation {
            Named::Known(operation) => operation.name(),
            Named::Other(name) if name == card::OPERATION => card::OPERATION,
            Named::Other(_) => "other",
        };
        let outcome = ("outcome", exchange.tally.outcome.name());
        let labels = [callee, ("operation", operation), outcome];
        record("tollgate_agent_operation_duration_milliseconds", &labels, ending.ms(exchange.began));
    }
    if exchange.tally.states.has(State::AuthRequired) {
        add("tollgate_agent_auth_required_total", &[callee], 1);
    }
    // What is refused is no fault of the agent's.
    if let Some(fault) = exchange.tally.fault.filter(|fault| *fault != Fault::Refused) {
        add("tollgate_agent_answer_faults_total", &[callee, ("reason", fault.name())], 1);
    }
}
