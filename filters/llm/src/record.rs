//! The record: one JSON line per exchange, for people and for machines that count.
//!
//! It never holds a prompt, an answer, a header or a key's secret: only what is named here.

use crate::cache::{Consulted, Found};
use crate::exchange::{Exchange, Outcome};
use crate::settle::{Ending, Settled};
use tollgate_kernel::json::Writer;
use tollgate_kernel::timestamp;
use tollgate_limits::Counted;
use tollgate_wire::endpoint::Operation;
use tollgate_wire::money::NanoUsd;
use tollgate_wire::price::PriceStatus;
use tollgate_wire::usage::Certainty;

mod attempt;

struct Decision<'a> {
    verdict: &'static str,
    /// What in the configuration decided.
    rule: String,
    reason: &'a str,
}

struct Answer<'a> {
    bytes: u64,
    /// From the request to the first meaningful piece of the answer.
    first_token_ms: Option<u64>,
    ms: u64,
    end: &'static str,
    ending: &'a Ending,
}

/// The record of an exchange that the gate saw.
#[must_use]
pub fn of_exchange(exchange: &Exchange, settled: &Settled, limits: &[Counted], ending: &Ending) -> String {
    let answered = exchange.attempts.iter().rev().find_map(|attempt| attempt.first_token);
    line(exchange.began, &exchange.request_id, &|json| {
        json.text_if("trace", exchange.trace_id.as_deref());
        if let Some(caller) = &exchange.caller {
            json.key("subject");
            caller.subject.write(json);
        }
        json.key("asked").open_object().key("format").text(exchange.format.name());
        json.text_if("operation", exchange.operation.map(Operation::name));
        json.text_if("model", exchange.asked.as_ref().map(|(model, _)| model.as_str()));
        json.flag_if("stream", exchange.asked.as_ref().map(|(_, stream)| *stream));
        json.key("bytes").number(count(exchange.request_bytes));
        if let Some(prompted) = &exchange.prompt {
            json.key("prompt").text(prompted.name.as_str());
            json.key("calls_noted").number(prompted.noted);
        }
        json.close_object();
        write_decision(&decision(exchange), json);
        Counted::write_all(limits, json);
        if let Some(cache) = &exchange.cache {
            write_cache(cache, json);
        }
        json.key("attempts").open_list();
        for (one, bill) in exchange.attempts.iter().zip(&settled.bills) {
            attempt::write(exchange, one, bill, json);
        }
        json.close_list();
        let answer = Answer {
            bytes: exchange.response_bytes,
            first_token_ms: answered.map(|at| millis(exchange.began, at)),
            ms: millis(exchange.began, ending.now),
            end: settled.end.name(),
            ending,
        };
        write_answer(&answer, json);
        write_cost(settled.cost, settled.certainty, settled.price, json);
    })
}

/// The record of a request that another filter answered before the gate saw it.
#[must_use]
pub fn of_stranger(ending: &Ending) -> String {
    line(ending.now, "", &|json| {
        json.key("asked").open_object().key("bytes").number(0);
        json.close_object();
        let (rule, reason) = ("before the gate".to_owned(), "refused_by_another_filter");
        write_decision(&Decision { verdict: "deny", rule, reason }, json);
        json.key("attempts").open_list().close_list();
        write_answer(&Answer { bytes: 0, first_token_ms: None, ms: 0, end: "refused", ending }, json);
        write_cost(NanoUsd(0), Certainty::Exact, PriceStatus::Priced, json);
    })
}

/// One record. `began`: when the request came, in nanoseconds since 1970; `id`: Envoy's `x-request-id`.
fn line(began: u64, id: &str, rest: &dyn Fn(&mut Writer<'_>)) -> String {
    let mut line = Vec::with_capacity(1024);
    let json = &mut Writer::new(&mut line);
    json.open_object().key("time").text(&timestamp::rfc3339_millis(began));
    json.key("filter").text("llm");
    json.key("id").text(id);
    rest(json);
    json.close_object();
    String::from_utf8(line).unwrap_or_else(|_| r#"{"filter":"llm"}"#.to_owned())
}

fn write_decision(decision: &Decision<'_>, json: &mut Writer<'_>) {
    json.key("decision").open_object().key("verdict").text(decision.verdict);
    json.key("rule").text(&decision.rule);
    json.key("reason").text(decision.reason);
    json.close_object();
}

/// What the cache did, where the model has one.
fn write_cache(consulted: &Consulted, json: &mut Writer<'_>) {
    let (status, reason) = consulted.found.told();
    json.key("cache").open_object().key("status").text(status);
    json.text_if("reason", reason);
    if let Found::Hit { age, saved } = consulted.found {
        json.key("age_s").number(age);
        // What the answer had cost that was given again.
        json.number_if("saved_nano_usd", saved.map(|cost| cost.0));
    }
    json.flag_if("stored", consulted.stored.then_some(true));
    json.close_object();
}

fn write_answer(answer: &Answer<'_>, json: &mut Writer<'_>) {
    json.key("answer").open_object();
    json.number_or_null("status", answer.ending.status.map(u64::from));
    json.key("bytes").number(answer.bytes);
    json.number_if("time_to_first_token_ms", answer.first_token_ms);
    json.key("ms").number(answer.ms);
    json.key("end").text(answer.end);
    // Envoy's words for how it ended, when it did not end well.
    json.text_if("details", answer.ending.details.as_deref());
    json.close_object();
}

/// `usd` is the same in dollars, exact; `price`, how far the prices of what was used are known.
fn write_cost(cost: NanoUsd, certainty: Certainty, price: PriceStatus, json: &mut Writer<'_>) {
    json.key("cost").open_object().key("nano_usd").number(cost.0);
    json.key("usd").text(&cost.to_string());
    json.key("certainty").text(certainty.name());
    json.key("price").text(price.name());
    json.key("unpriced").flag(price == PriceStatus::Unpriced);
    json.close_object();
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

fn count(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
