//! One JSON line per edge: who called whom, for whom, what for, was it allowed, and what came of it.

use crate::exchange::{Asked, Decided, Exchange, Said};
use crate::refusal::Refusal;
use tollgate_host::ending::Ending;
use tollgate_kernel::a2a::Dialect;
use tollgate_kernel::a2a::answer::{Fault, Outcome, State, Tally};
use tollgate_kernel::json::Writer;
use tollgate_kernel::timestamp;
use tollgate_limits::Counted;

/// The longest name that is told of what A2A does not have, and the longest id of a request. Both are as long as the caller likes.
const MAX_NAME: usize = 128;

/// The record of an exchange, with what it has used of its limits.
#[must_use]
pub fn of(exchange: &Exchange, limits: &[Counted], ending: &Ending) -> String {
    let mut line = Vec::with_capacity(1024);
    let json = &mut Writer::new(&mut line);
    let seen = exchange.began > 0;
    json.open_object().key("time").text(&timestamp::rfc3339_millis(if seen { exchange.began } else { ending.now }));
    json.key("filter").text("agent");
    json.key("id").text(&exchange.request_id);
    json.text_if("trace_id", exchange.trace_id.as_deref());
    if let Some(caller) = &exchange.caller {
        json.key("subject");
        caller.subject.write(json);
        if !caller.chain.is_empty() {
            json.key("chain").open_list();
            caller.chain.iter().for_each(|agent| json.text(agent.as_str()));
            json.close_list();
        }
    }
    json.key("asked").open_object();
    json.text_if("callee", exchange.callee.as_ref().map(|callee| callee.name.as_str()));
    write_dialect(exchange.dialect, json);
    if let Some(asked) = &exchange.asked {
        write_asked(asked, json);
    }
    json.key("bytes").number(u64::try_from(exchange.request_bytes).unwrap_or(u64::MAX));
    json.close_object();
    if let Some(hop) = &exchange.hop {
        hop.write(json);
    }
    write_decision(exchange, json);
    Counted::write_all(limits, json);
    write_answer(exchange, ending, json);
    json.close_object();
    String::from_utf8(line).unwrap_or_else(|_| r#"{"filter":"agent"}"#.to_owned())
}

fn write_dialect(dialect: Option<Dialect>, json: &mut Writer<'_>) {
    let Some(dialect) = dialect else { return };
    json.key("a2a.binding").text(dialect.binding.name());
    json.key("a2a.version").text(dialect.version.name());
}

fn write_asked(asked: &Asked, json: &mut Writer<'_>) {
    let name = begin(asked.operation.as_str());
    json.text_if("a2a.operation", Some(name.as_str()).filter(|name| !name.is_empty()));
    json.text_if("jsonrpc.request.id", asked.id.as_ref().map(|id| begin(&id.shown())).as_deref());
    let Some(Said { tenant, context, task, message, skill, extensions, push }) = &asked.said else {
        if !name.is_empty() {
            json.key("unread").flag(true);
        }
        return;
    };
    for (name, said) in [
        ("a2a.tenant", tenant),
        ("gen_ai.conversation.id", context),
        ("a2a.task.id", task),
        ("a2a.message.id", message),
        ("a2a.skill", skill),
    ] {
        json.text_if(name, said.as_deref());
    }
    if !extensions.is_empty() {
        json.key("a2a.extensions").open_list();
        extensions.iter().for_each(|extension| json.text(extension));
        json.close_list();
    }
    json.number_if("push_addresses", u64::try_from(*push).ok().filter(|push| *push > 0));
}

fn begin(text: &str) -> String {
    text.chars().take(MAX_NAME).collect()
}

fn write_decision(exchange: &Exchange, json: &mut Writer<'_>) {
    json.key("decision").open_object();
    let decided = exchange.decided.as_ref();
    let (verdict, rule, reason) = match (&exchange.refusal, decided) {
        (Some(refusal), _) => ("deny", Some(refusal.rule()), refusal.reason()),
        (None, Some(Decided { verdict, rule, reason, .. })) => (*verdict, rule.clone(), *reason),
        (None, None) if exchange.began == 0 => {
            ("deny", Some("before the gate".to_owned()), "refused_by_another_filter")
        }
        (None, None) => ("deny", Some("request".to_owned()), "incomplete_request"),
    };
    json.key("verdict").text(verdict);
    json.text_if("rule", rule.as_deref());
    json.key("reason").text(reason);
    if let Some(Refusal::Mismatch(fault)) = &exchange.refusal {
        json.key("mismatch").text(fault.reason());
        for (proof, subject) in &exchange.claimed {
            json.key(proof);
            subject.write(json);
        }
    }
    if let Some((rule, verdict)) = decided.and_then(|decided| decided.shadow.as_ref()) {
        json.key("shadow").open_object().key("rule").text(rule);
        json.key("verdict").text(verdict);
        json.close_object();
    }
    json.close_object();
}

/// What came of the request, as the agent has said.
fn write_tally(tally: &Tally, json: &mut Writer<'_>) {
    if tally.outcome != Outcome::None {
        json.key("outcome").text(tally.outcome.name());
    }
    if let Outcome::Error(Some(code)) = tally.outcome {
        json.key("error.type").text(&code.to_string());
    }
    json.text_if("gen_ai.conversation.id", tally.context.as_deref());
    json.text_if("a2a.task.id", tally.task.as_deref());
    json.text_if("state", tally.state.map(State::name));
    if tally.states.iter().next().is_some() {
        json.key("states").open_list();
        tally.states.iter().for_each(|state| json.text(state.name()));
        json.close_list();
    }
    for (name, count) in
        [("payloads", tally.payloads), ("artifacts", tally.artifacts), ("shown", tally.shown), ("hidden", tally.hidden)]
    {
        json.number_if(name, Some(u64::from(count)).filter(|count| *count > 0));
    }
    json.text_if("fault", tally.fault.map(Fault::name));
}

fn write_answer(exchange: &Exchange, ending: &Ending, json: &mut Writer<'_>) {
    json.key("answer").open_object();
    json.number_or_null("status", ending.status.map(u64::from));
    json.key("bytes").number(ending.bytes);
    json.key("ms").number(ending.ms(exchange.began));
    json.key("end").text(ending.word(exchange.refusal.is_some()));
    write_tally(&exchange.tally, json);
    json.text_if("details", ending.details.as_deref().filter(|details| *details != "via_upstream"));
    json.close_object();
}

#[cfg(test)]
mod tests;
