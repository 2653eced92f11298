//! One attempt in a record.

use super::outcome;
use crate::bill::Bill;
use crate::exchange::{Attempt, Exchange};
use tollgate_kernel::calibration::{Calibration, Ratio};
use tollgate_kernel::json::Writer;
use tollgate_wire::conversation::StopReason;
use tollgate_wire::price::PriceSource;
use tollgate_wire::usage::{ServiceTier, Usage};

pub(super) fn write(exchange: &Exchange, attempt: &Attempt, bill: &Bill, json: &mut Writer<'_>) {
    let target = exchange.admitted.as_ref().and_then(|admitted| admitted.targets().get(attempt.target));
    let (outcome, reason) = outcome(&attempt.outcome);
    json.open_object().key("provider").text(target.map_or("", |target| target.provider.as_str()));
    // What OpenTelemetry calls it (`gen_ai.provider.name`).
    json.text_if("system", target.and_then(|target| target.system));
    json.key("model").text(target.map_or("", |target| target.model.as_str()));
    json.number_or_null("status", attempt.status.map(u64::from));
    json.key("outcome").text(outcome);
    json.text_if("reason", reason);
    // The model that the provider says answered (`gen_ai.response.model`), and why the answer ended
    // (`gen_ai.response.finish_reasons`).
    json.text_if("response_model", Some(attempt.tally.model.as_str()).filter(|model| !model.is_empty()));
    json.text_if("finish_reason", attempt.tally.finish.map(StopReason::name));
    json.key("ms").number(bill.timing.duration_ms);
    json.number_if("time_to_first_token_ms", bill.timing.first_token_ms);
    json.number_if("time_per_output_token_us", bill.timing.per_output_token_us);
    match &bill.usage {
        Some(usage) => write_usage(usage, json),
        None => json.key("usage").null(),
    }
    json.key("certainty").text(bill.certainty.name());
    if let Some(basis) = &bill.basis {
        write_basis(basis, json);
    }
    json.number_or_null("cost_nano_usd", bill.cost.map(|cost| cost.0));
    if let Some(status) = bill.price {
        json.key("price").open_object().key("status").text(status.name());
        // `config`, or the version of the shipped table.
        json.text_if("source", bill.price_source.map(PriceSource::name));
        json.close_object();
    }
    if !attempt.dropped.is_empty() {
        // The client's fields that this provider was not sent.
        json.key("dropped").open_list();
        attempt.dropped.iter().for_each(|field| json.text(field));
        json.close_list();
    }
    json.close_object();
}

/// Most buckets of most records are empty; what is left out is 0.
fn write_usage(usage: &Usage, json: &mut Writer<'_>) {
    let always = ["input_fresh", "output_text"];
    json.key("usage").open_object();
    for (bucket, tokens) in usage.tokens() {
        json.number_if(bucket, Some(tokens).filter(|tokens| *tokens > 0 || always.contains(&bucket)));
    }
    for (tool, calls) in usage.calls() {
        json.number_if(&format!("{tool}_calls"), Some(calls).filter(|calls| *calls > 0));
    }
    json.text_if(
        "service_tier",
        Some(usage.service_tier).filter(|tier| *tier != ServiceTier::Standard).map(ServiceTier::name),
    );
    for (name, flag) in
        [("fast", usage.fast), ("in_one_country", usage.in_one_country), ("other_models", usage.other_models)]
    {
        json.flag_if(name, flag.then_some(true));
    }
    json.close_object();
}

/// What the estimated part of the usage was made with. `samples`: from how many answers both ratios were learned, the fewer
/// of the two.
fn write_basis(basis: &Calibration, json: &mut Writer<'_>) {
    let ratio = |ratio: &Ratio| f64::from(u32::try_from(ratio.hundredths()).unwrap_or(u32::MAX)) / 100.0;
    json.key("basis").open_object().key("input_bytes_per_token").float(ratio(&basis.input));
    json.key("output_bytes_per_token").float(ratio(&basis.output));
    json.key("samples").number(basis.input.samples().min(basis.output.samples()));
    json.close_object();
}
