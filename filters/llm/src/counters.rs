//! Envoy stats of an exchange. Labels come from the configuration, but for teams that an issuer of tokens or certificates
//! names; `host::metrics` bounds their number.

use crate::cache::Found;
use crate::exchange::Exchange;
use crate::record::outcome;
use crate::settle::Settled;
use tollgate_host::metrics::{count as add, record};
use tollgate_wire::endpoint::Operation;
use tollgate_wire::price::PriceStatus;
use tollgate_wire::usage::Usage;

const NONE: &str = "none";

/// Counts a settled exchange.
pub fn count(exchange: &Exchange, settled: &Settled) {
    let team =
        exchange.caller.as_ref().and_then(|caller| caller.subject.team.as_ref()).map_or(NONE, |team| team.as_str());
    let admitted = exchange.admitted.as_ref().map(|admitted| &admitted.model);
    let model = admitted.or(exchange.cache.as_ref().map(|cache| &cache.model)).map_or(NONE, |model| model.as_str());
    let asked = [("team", team), ("model", model)];
    add("tollgate_llm_requests_total", &[asked[0], asked[1], ("outcome", settled.end.name())], 1);
    if let Some(refusal) = &exchange.refusal {
        add("tollgate_llm_refusals_total", &[("team", team), ("reason", refusal.reason())], 1);
    }
    if let Some(cache) = &exchange.cache {
        add("tollgate_llm_cache_total", &[asked[1], ("outcome", cache.found.outcome())], 1);
        if let Found::Hit { saved: Some(saved), .. } = cache.found {
            add("tollgate_llm_cache_saved_nano_usd_total", &asked, saved.0);
        }
    }
    let operation = ("operation", exchange.operation.map_or(NONE, Operation::name));
    let targets = exchange.admitted.as_ref().map_or(&[][..], |admitted| admitted.targets());
    for (attempt, bill) in exchange.attempts.iter().zip(&settled.bills) {
        let provider = ("provider", targets.get(attempt.target).map_or(NONE, |target| target.provider.as_str()));
        add("tollgate_llm_attempts_total", &[provider, ("outcome", outcome(&attempt.outcome).0)], 1);
        if let Some(usage) = bill.usage {
            for (kind, tokens) in usage.tokens() {
                add("tollgate_llm_tokens_total", &[asked[0], asked[1], provider, ("kind", kind)], tokens);
            }
            for (kind, calls) in usage.calls() {
                add("tollgate_llm_provider_tool_calls_total", &[asked[0], asked[1], provider, ("kind", kind)], calls);
            }
        }
        if let Some(cost) = bill.cost {
            add("tollgate_llm_cost_nano_usd_total", &[asked[0], asked[1], provider], cost.0);
        }
        let served = [operation, asked[1], provider];
        record("gen_ai_server_request_duration_milliseconds", &served, bill.timing.duration_ms);
        for (name, value) in [
            ("gen_ai_server_time_to_first_token_milliseconds", bill.timing.first_token_ms),
            ("gen_ai_server_time_per_output_token_microseconds", bill.timing.per_output_token_us),
            ("gen_ai_client_operation_output_tokens", bill.usage.as_ref().map(Usage::output)),
        ] {
            if let Some(value) = value {
                record(name, &served, value);
            }
        }
        match bill.price {
            Some(PriceStatus::Unpriced) => add("tollgate_llm_unpriced_total", &[asked[1], provider], 1),
            Some(PriceStatus::Partial) => add("tollgate_llm_partly_priced_total", &[asked[1], provider], 1),
            Some(PriceStatus::Priced) | None => {}
        }
    }
}
