//! Envoy stats of an exchange. Labels come from the configuration, but for teams that an issuer of tokens or certificates
//! names; `host::metrics` bounds their number.

use crate::exchange::Exchange;
use crate::refusal::Refusal;
use tollgate_host::ending::Ending;
use tollgate_host::metrics::{count as add, record};
use tollgate_kernel::mcp::Named;

const NONE: &str = "none";

/// Counts an exchange that is over.
pub fn count(exchange: &Exchange, ending: &Ending) {
    let subject = exchange.caller.as_ref().map(|caller| &caller.subject);
    let team = ("team", subject.and_then(|subject| subject.team.as_ref()).map_or(NONE, |team| team.as_str()));
    let server = ("server", exchange.server.as_ref().map_or(NONE, |server| server.name.as_str()));
    add("tollgate_mcp_requests_total", &[team, server, ("outcome", ending.word(exchange.refusal.is_some()))], 1);
    if let Some(reason) = exchange.refusal.as_ref().map(Refusal::reason).or(exchange.replaced) {
        add("tollgate_mcp_refusals_total", &[team, server, ("reason", reason)], 1);
    }
    if let Some((_, verdict)) = exchange.decided.as_ref().and_then(|decided| decided.shadow.as_ref()) {
        add("tollgate_mcp_shadow_total", &[team, server, ("verdict", verdict)], 1);
    }
    if let Some(approval) = &exchange.approval {
        add("tollgate_mcp_approvals_total", &[server, ("state", approval.word)], 1);
    }
    if let Some(asked) = exchange.asked.as_ref().filter(|_| exchange.went_on) {
        // A caller can make up as many methods as it likes.
        let method = match &asked.method {
            Some(Named::Known(method)) => method.name(),
            Some(Named::Other(_)) => "other",
            None => "answer",
        };
        let outcome = ("outcome", exchange.tally.outcome.name());
        record(
            "mcp_server_operation_duration_milliseconds",
            &[server, ("method", method), outcome],
            ending.ms(exchange.began),
        );
    }
    for (name, amount) in [
        ("tollgate_mcp_hidden_total", exchange.tally.hidden),
        ("tollgate_mcp_redacted_total", exchange.tally.redacted),
        ("tollgate_mcp_dropped_total", exchange.tally.dropped),
        ("tollgate_mcp_tools_changed_total", exchange.tools.changed.all),
        ("tollgate_mcp_tools_suspected_total", exchange.tools.newly_suspected),
    ] {
        add(name, &[server], u64::from(amount));
    }
    if let Some(fault) = exchange.tally.fault {
        add("tollgate_mcp_answer_faults_total", &[server, ("reason", fault.name())], 1);
    }
}
