//! Envoy stats of an exchange. Labels come from the configuration, but for teams that an issuer of tokens or certificates
//! names; `host::metrics` bounds their number.

use crate::exchange::Exchange;
use crate::refusal::Refusal;
use tollgate_host::metrics::count as add;

const NONE: &str = "none";

/// Counts an exchange that is over.
pub fn count(exchange: &Exchange) {
    let subject = exchange.caller.as_ref().map(|caller| &caller.subject);
    let team = subject.and_then(|subject| subject.team.as_ref()).map_or(NONE, |team| team.as_str());
    let server = exchange.server.as_ref().map_or(NONE, |server| server.name.as_str());
    let verdict = match (&exchange.refusal, &exchange.decided) {
        (Some(_), _) => "deny",
        (None, Some(decided)) => decided.verdict,
        (None, None) => "allow",
    };
    let asked = [("team", team), ("server", server), ("outcome", verdict)];
    add("tollgate_mcp_requests_total", &asked, 1);
    let of_server = [asked[1]];
    add("tollgate_mcp_tools_changed_total", &of_server, u64::from(exchange.tools.changed.all));
    add("tollgate_mcp_tools_suspected_total", &of_server, u64::from(exchange.tools.newly_suspected));
    if let Some(reason) = exchange.refusal.as_ref().map(Refusal::reason).or(exchange.replaced) {
        add("tollgate_mcp_refusals_total", &[asked[0], asked[1], ("reason", reason)], 1);
    }
}
