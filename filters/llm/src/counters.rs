//! Envoy stats of an exchange. Every label comes from the configuration, so their number is bounded by it.

use crate::exchange::Exchange;
use crate::record::outcome;
use crate::settle::Settled;
use tollgate_host::metrics::count as add;

const NONE: &str = "none";

/// Counts a settled exchange.
pub fn count(exchange: &Exchange, settled: &Settled) {
    let team = exchange.key.as_ref().and_then(|key| key.subject.team.as_ref()).map_or(NONE, |team| team.as_str());
    let model = exchange.admitted.as_ref().map_or(NONE, |admitted| admitted.model.as_str());
    let asked = [("team", team), ("model", model)];
    add("tollgate_llm_requests_total", &[asked[0], asked[1], ("outcome", settled.end.name())], 1);
    if let Some(refusal) = &exchange.refusal {
        add("tollgate_llm_refusals_total", &[("team", team), ("reason", refusal.reason())], 1);
    }
    let targets = exchange.admitted.as_ref().map_or(&[][..], |admitted| admitted.targets());
    for (attempt, bill) in exchange.attempts.iter().zip(&settled.bills) {
        let provider = ("provider", targets.get(attempt.target).map_or(NONE, |target| target.provider.as_str()));
        add("tollgate_llm_attempts_total", &[provider, ("outcome", outcome(&attempt.outcome).0)], 1);
        if let Some(usage) = bill.usage {
            for (kind, tokens) in [
                ("input_fresh", usage.input_fresh),
                ("input_cache_read", usage.input_cache_read),
                ("input_cache_write_5m", usage.input_cache_write_5m),
                ("input_cache_write_1h", usage.input_cache_write_1h),
                ("input_audio", usage.input_audio),
                ("output_text", usage.output_text),
                ("output_reasoning", usage.output_reasoning),
                ("output_audio", usage.output_audio),
            ] {
                add("tollgate_llm_tokens_total", &[asked[0], asked[1], provider, ("kind", kind)], tokens);
            }
        }
        if let Some(cost) = bill.cost {
            add("tollgate_llm_cost_nano_usd_total", &[asked[0], asked[1], provider], cost.0);
        }
        if bill.unpriced {
            add("tollgate_llm_unpriced_total", &[asked[1], provider], 1);
        }
    }
}
