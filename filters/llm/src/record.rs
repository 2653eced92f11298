//! The record: one JSON line per exchange, for people and for machines that count.
//!
//! It never holds a prompt, an answer, a header or a key's secret: only what is named here.

use crate::bill::Bill;
use crate::cache::{Consulted, Found};
use crate::exchange::{Attempt, Exchange, Outcome};
use crate::limits::told::Counted;
use crate::settle::{Ending, Settled};
use crate::timing::Timing;
use serde::Serialize;
use tollgate_kernel::calibration::{Calibration, Ratio};
use tollgate_kernel::subject::Subject;
use tollgate_kernel::timestamp;
use tollgate_wire::conversation::StopReason;
use tollgate_wire::endpoint::Operation;
use tollgate_wire::money::NanoUsd;
use tollgate_wire::price::{PriceSource, PriceStatus};
use tollgate_wire::usage::{Certainty, Usage};

#[derive(Serialize)]
struct Record<'a> {
    /// When the request came, RFC 3339 with milliseconds.
    time: String,
    filter: &'static str,
    /// Envoy's `x-request-id`.
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<&'a Subject>,
    asked: Asked<'a>,
    decision: Decision<'a>,
    /// The limits that count for it, and what they have counted.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    limits: &'a [Counted],
    #[serde(skip_serializing_if = "Option::is_none")]
    cache: Option<Cache>,
    attempts: Vec<Tried<'a>>,
    answer: Answer<'a>,
    cost: Cost,
}

#[derive(Serialize, Default)]
struct Asked<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    format: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    operation: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream: Option<bool>,
    bytes: usize,
}

#[derive(Serialize)]
struct Decision<'a> {
    verdict: &'static str,
    /// What in the configuration decided.
    rule: String,
    reason: &'a str,
}

/// What the cache did, where the model has one.
#[derive(Serialize)]
struct Cache {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    age_s: Option<u64>,
    /// What the answer had cost that was given again.
    #[serde(skip_serializing_if = "Option::is_none")]
    saved_nano_usd: Option<NanoUsd>,
    /// The answer was kept.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    stored: bool,
}

#[derive(Serialize)]
struct Tried<'a> {
    provider: &'a str,
    /// What OpenTelemetry calls it (`gen_ai.provider.name`).
    #[serde(skip_serializing_if = "Option::is_none")]
    system: Option<&'static str>,
    model: &'a str,
    status: Option<u16>,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    /// The model that the provider says answered (`gen_ai.response.model`).
    #[serde(skip_serializing_if = "str::is_empty")]
    response_model: &'a str,
    /// Why the answer ended (`gen_ai.response.finish_reasons`).
    #[serde(skip_serializing_if = "Option::is_none")]
    finish_reason: Option<&'static str>,
    ms: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    time_to_first_token_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    time_per_output_token_us: Option<u64>,
    usage: Option<Usage>,
    certainty: Certainty,
    /// What the estimated part of the usage was made with.
    #[serde(skip_serializing_if = "Option::is_none")]
    basis: Option<Basis>,
    cost_nano_usd: Option<NanoUsd>,
    #[serde(skip_serializing_if = "Option::is_none")]
    price: Option<Price>,
    /// The client's fields that this provider was not sent.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    dropped: &'a [&'static str],
}

#[derive(Serialize)]
struct Basis {
    input_bytes_per_token: f64,
    output_bytes_per_token: f64,
    /// From how many answers both were learned: the fewer of the two.
    samples: u64,
}

#[derive(Serialize)]
struct Price {
    status: &'static str,
    /// `config`, or the version of the shipped table.
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<&'static str>,
}

#[derive(Serialize)]
struct Answer<'a> {
    status: Option<u16>,
    bytes: u64,
    /// From the request to the first meaningful piece of the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    time_to_first_token_ms: Option<u64>,
    ms: u64,
    end: &'static str,
    /// Envoy's words for how it ended, when it did not end well.
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<&'a str>,
}

#[derive(Serialize)]
struct Cost {
    nano_usd: NanoUsd,
    /// The same in dollars, exact.
    usd: String,
    certainty: Certainty,
    /// How far the prices of what was used are known.
    price: PriceStatus,
    unpriced: bool,
}

/// The record of an exchange that the gate saw.
#[must_use]
pub fn of_exchange(exchange: &Exchange, settled: &Settled, limits: &[Counted], ending: &Ending) -> String {
    let (model, stream) = exchange.asked.as_ref().map(|(model, stream)| (model.as_str(), *stream)).unzip();
    let answered = exchange.attempts.iter().rev().find_map(|attempt| attempt.first_token);
    line(&Record {
        time: timestamp::rfc3339_millis(exchange.began),
        filter: "llm",
        id: &exchange.request_id,
        trace: exchange.trace_id.as_deref(),
        subject: exchange.caller.as_ref().map(|caller| &caller.subject),
        asked: Asked {
            format: Some(exchange.format.name()),
            operation: exchange.operation.map(Operation::name),
            model,
            stream,
            bytes: exchange.request_bytes,
        },
        decision: decision(exchange),
        limits,
        cache: exchange.cache.as_ref().map(Cache::of),
        attempts: exchange.attempts.iter().zip(&settled.bills).map(|(one, bill)| tried(exchange, one, bill)).collect(),
        answer: Answer {
            status: ending.status,
            bytes: exchange.response_bytes,
            time_to_first_token_ms: answered.map(|at| millis(exchange.began, at)),
            ms: millis(exchange.began, ending.now),
            end: settled.end.name(),
            details: ending.details.as_deref(),
        },
        cost: Cost {
            nano_usd: settled.cost,
            usd: settled.cost.to_string(),
            certainty: settled.certainty,
            price: settled.price,
            unpriced: settled.price == PriceStatus::Unpriced,
        },
    })
}

/// The record of a request that another filter answered before the gate saw it.
#[must_use]
pub fn of_stranger(ending: &Ending) -> String {
    line(&Record {
        time: timestamp::rfc3339_millis(ending.now),
        filter: "llm",
        id: "",
        trace: None,
        subject: None,
        asked: Asked::default(),
        decision: Decision { verdict: "deny", rule: "before the gate".to_owned(), reason: "refused_by_another_filter" },
        limits: &[],
        cache: None,
        attempts: Vec::new(),
        answer: Answer {
            status: ending.status,
            bytes: 0,
            time_to_first_token_ms: None,
            ms: 0,
            end: "refused",
            details: ending.details.as_deref(),
        },
        cost: Cost {
            nano_usd: NanoUsd(0),
            usd: NanoUsd(0).to_string(),
            certainty: Certainty::Exact,
            price: PriceStatus::Priced,
            unpriced: false,
        },
    })
}

fn decision(exchange: &Exchange) -> Decision<'_> {
    let models = || {
        let proof = exchange.caller.as_ref().and_then(|caller| caller.proofs.first());
        proof.map_or_else(String::new, |proof| format!("{}.models", proof.rule()))
    };
    match (&exchange.refusal, &exchange.admitted) {
        (None, _) if let Some(reason) = exchange.answered => Decision { verdict: "allow", rule: models(), reason },
        (Some(refusal), _) => Decision { verdict: "deny", rule: refusal.rule(), reason: refusal.reason() },
        (None, Some(admitted)) => {
            Decision { verdict: "allow", rule: format!("models.{}", admitted.model), reason: "model_allowed" }
        }
        (None, None) => Decision { verdict: "deny", rule: "request".to_owned(), reason: "incomplete_request" },
    }
}

fn tried<'a>(exchange: &'a Exchange, attempt: &'a Attempt, bill: &Bill) -> Tried<'a> {
    let target = exchange.admitted.as_ref().and_then(|admitted| admitted.targets().get(attempt.target));
    let (outcome, reason) = outcome(&attempt.outcome);
    let timing = Timing::of(attempt, bill.usage.as_ref(), exchange.is_streamed());
    Tried {
        provider: target.map_or("", |target| target.provider.as_str()),
        system: target.and_then(|target| target.system),
        model: target.map_or("", |target| target.model.as_str()),
        status: attempt.status,
        outcome,
        reason,
        response_model: &attempt.tally.model,
        finish_reason: attempt.tally.finish.map(StopReason::name),
        ms: timing.duration_ms,
        time_to_first_token_ms: timing.first_token_ms,
        time_per_output_token_us: timing.per_output_token_us,
        usage: bill.usage,
        certainty: bill.certainty,
        basis: bill.basis.as_ref().map(Basis::of),
        cost_nano_usd: bill.cost,
        price: bill
            .price
            .map(|status| Price { status: status.name(), source: bill.price_source.map(PriceSource::name) }),
        dropped: &attempt.dropped,
    }
}

impl Cache {
    fn of(consulted: &Consulted) -> Self {
        let (status, reason) = consulted.found.told();
        let (age_s, saved_nano_usd) = match consulted.found {
            Found::Hit { age, saved } => (Some(age), saved),
            Found::Miss | Found::Bypass(_) | Found::Unavailable => (None, None),
        };
        Self { status, reason, age_s, saved_nano_usd, stored: consulted.stored }
    }
}

impl Basis {
    fn of(calibration: &Calibration) -> Self {
        let ratio = |ratio: &Ratio| f64::from(u32::try_from(ratio.hundredths()).unwrap_or(u32::MAX)) / 100.0;
        Self {
            input_bytes_per_token: ratio(&calibration.input),
            output_bytes_per_token: ratio(&calibration.output),
            samples: calibration.input.samples().min(calibration.output.samples()),
        }
    }
}

/// The word for an outcome in records and metrics, and its reason.
#[must_use]
pub const fn outcome(outcome: &Outcome) -> (&'static str, Option<&'static str>) {
    match outcome {
        Outcome::Waiting => ("waiting", None),
        Outcome::Relaying => ("relaying", None),
        Outcome::Served => ("served", None),
        Outcome::Refused(reason) | Outcome::Failed(reason) => ("failed", Some(*reason)),
        Outcome::Rejected(reason) => ("rejected", Some(*reason)),
        Outcome::Cut(reason) => ("cut", Some(*reason)),
        Outcome::Abandoned => ("abandoned", None),
    }
}

const fn millis(from: u64, to: u64) -> u64 {
    to.saturating_sub(from).div_euclid(1_000_000)
}

fn line(record: &Record<'_>) -> String {
    let mut line = Vec::with_capacity(1024);
    let written = serde_json::to_writer(&mut line, record);
    written.ok().and_then(|()| String::from_utf8(line).ok()).unwrap_or_else(|| r#"{"filter":"llm"}"#.to_owned())
}

#[cfg(test)]
mod tests;
