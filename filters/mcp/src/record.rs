//! The record: one JSON line per exchange, for people and for machines that count. Names of attributes are those of
//! OpenTelemetry's conventions for MCP where there is one.
//!
//! It never holds a header, a key's secret, a session's whole id, or what a tool answered; what it was called with only if the
//! configuration says so. What callers write is told by [`Words`]: redacted, and no longer than it may be.

mod words;

pub use words::{MAX_ARGUMENTS, Words};

use crate::approval;
use crate::exchange::{Approval, Asked, Decided, Exchange, Object, Transport};
use crate::session::Session;
use crate::tools::{Findings, Some16};
use tollgate_host::ending::Ending;
use tollgate_kernel::json::Writer;
use tollgate_kernel::mcp::answer::{Fault, Outcome, Tally};
use tollgate_kernel::subject::Label;
use tollgate_kernel::timestamp;
use tollgate_limits::Counted;

/// How many addresses of one request are named.
const MAX_URIS: usize = 16;

/// The record of an exchange, with what it has used of its limits.
#[must_use]
pub fn of(exchange: &Exchange, limits: &[Counted], ending: &Ending, words: Words<'_>) -> String {
    let mut line = Vec::with_capacity(1024);
    let json = &mut Writer::new(&mut line);
    let seen = exchange.began > 0;
    json.open_object().key("time").text(&timestamp::rfc3339_millis(if seen { exchange.began } else { ending.now }));
    json.key("filter").text("mcp");
    json.key("id").text(&exchange.request_id);
    json.text_if("trace_id", exchange.trace_id.as_deref());
    if let Some(caller) = &exchange.caller {
        json.key("subject");
        caller.subject.write(json);
    }
    json.key("asked").open_object();
    json.text_if("server", exchange.server.as_ref().map(|server| server.name.as_str()));
    json.text_if("http.request.method", exchange.transport.map(Transport::method));
    json.text_if("mcp.session.id", exchange.session.as_ref().map(Session::name));
    if let Some(asked) = &exchange.asked {
        write_asked(asked, exchange.arguments.as_deref(), words, json);
    }
    json.key("bytes").number(u64::try_from(exchange.request_bytes).unwrap_or(u64::MAX));
    json.close_object();
    write_decision(exchange, json);
    if let Some(approval) = &exchange.approval {
        write_approval(approval, words, json);
    }
    Counted::write_all(limits, json);
    write_answer(exchange, ending, words, json);
    json.close_object();
    String::from_utf8(line).unwrap_or_else(|_| r#"{"filter":"mcp"}"#.to_owned())
}

fn write_approval(approval: &Approval, words: Words<'_>, json: &mut Writer<'_>) {
    json.key("approval").open_object().key("state").text(approval.word);
    json.text_if("id", approval.id.map(|id| id.to_string()).as_deref());
    json.text_if("object", approval.object.as_deref().map(|object| words.object(object)).as_deref());
    for (name, subject) in [("by", &approval.by), ("of", &approval.of)] {
        if let Some(subject) = subject {
            json.key(name);
            subject.write(json);
        }
    }
    json.text_if("reason", approval.reason.as_deref().map(|reason| words.text(reason)).as_deref());
    json.close_object();
}

fn write_asked(asked: &Asked, arguments: Option<&str>, words: Words<'_>, json: &mut Writer<'_>) {
    json.key("mcp.protocol.version").text(asked.revision.name());
    json.text_if("mcp.method.name", asked.method.as_ref().map(|method| words.text(method.as_str())).as_deref());
    json.text_if("jsonrpc.request.id", asked.id.as_ref().map(|id| words.text(&id.shown()).into_owned()).as_deref());
    match &asked.object {
        Some(Object::Tool(name)) => json.key("gen_ai.tool.name").text(&words.text(name)),
        Some(Object::Prompt(name)) => json.key("gen_ai.prompt.name").text(&words.text(name)),
        Some(Object::Resource(uri)) => json.key("mcp.resource.uri").text(&words.object(uri)),
        Some(Object::Resources(uris)) => {
            json.key("mcp.resource.uris").open_list();
            uris.iter().take(MAX_URIS).for_each(|uri| json.text(&words.object(uri)));
            json.close_list();
            left(json, "mcp.resource.uris_more", uris.len().saturating_sub(MAX_URIS));
        }
        Some(Object::Task(_)) | None => {}
    }
    json.text_if("arguments_sha256", asked.arguments.map(|digest| digest.to_string()).as_deref());
    json.text_if(if asked.is_call() { "gen_ai.tool.call.arguments" } else { "arguments" }, arguments);
}

fn write_decision(exchange: &Exchange, json: &mut Writer<'_>) {
    json.key("decision").open_object();
    let decided = exchange.decided.as_ref();
    let (verdict, rule, reason) = match (&exchange.refusal, decided) {
        (Some(refusal), decided) => {
            let verdict = decided.filter(|decided| decided.verdict == "confirm").map_or("deny", |_| "confirm");
            (verdict, Some(refusal.rule()), refusal.reason())
        }
        (None, Some(Decided { verdict, rule, reason, .. })) => (*verdict, rule.clone(), *reason),
        (None, None) if let Some(reason) = exchange.visit => {
            (if reason == approval::http::SERVED { "allow" } else { "deny" }, None, reason)
        }
        (None, None) if exchange.began == 0 => {
            ("deny", Some("before the gate".to_owned()), "refused_by_another_filter")
        }
        (None, None) if exchange.transport.is_some_and(|transport| transport != Transport::Post) => {
            ("allow", None, "session")
        }
        (None, None) if exchange.asked.is_some() => ("allow", None, "answer"),
        (None, None) => ("deny", Some("request".to_owned()), "incomplete_request"),
    };
    json.key("verdict").text(verdict);
    json.text_if("rule", rule.as_deref());
    json.key("reason").text(reason);
    json.text_if("prompt", exchange.prompt.as_ref().map(Label::as_str));
    if let Some((rule, verdict)) = decided.and_then(|decided| decided.shadow.as_ref()) {
        json.key("shadow").open_object().key("rule").text(rule);
        json.key("verdict").text(verdict);
        json.close_object();
    }
    json.close_object();
}

/// What came of the request. Of lists, how much of them the caller was not shown.
fn write_tally(tally: &Tally, json: &mut Writer<'_>) {
    if tally.outcome != Outcome::None {
        json.key("outcome").text(tally.outcome.name());
    }
    match tally.outcome {
        Outcome::ToolError => json.key("error.type").text("tool_error"),
        Outcome::Error(Some(code)) => json.key("error.type").text(&code.to_string()),
        _ => {}
    }
    for (name, count) in [
        ("shown", tally.shown),
        ("hidden", tally.hidden),
        ("requests", tally.requests),
        ("notifications", tally.notifications),
        ("dropped", tally.dropped),
        ("redacted", tally.redacted),
    ] {
        json.number_if(name, Some(u64::from(count)).filter(|count| *count > 0));
    }
    json.text_if("fault", tally.fault.map(Fault::name));
}

/// What was found of tools in a list. The first of each; then how many there are.
fn write_tools(tools: &Findings, json: &mut Writer<'_>) {
    some(json, "tools_changed", &tools.changed, |json, changed| {
        json.key("tool").text(&changed.tool);
        json.key("was").text(&changed.was.to_string());
        json.key("digest").text(&changed.digest.to_string());
    });
    some(json, "tools_suspected", &tools.suspected, |json, (tool, finding)| {
        json.key("tool").text(tool);
        json.key("finding").text(finding.suspicion.name());
        json.key("part").text(finding.part.name());
    });
    some(json, "tools_held", &tools.held, |json, (tool, reason)| {
        json.key("tool").text(tool);
        json.key("reason").text(reason);
    });
}

fn some<T>(json: &mut Writer<'_>, name: &str, some: &Some16<T>, write: impl Fn(&mut Writer<'_>, &T)) {
    if some.all == 0 {
        return;
    }
    json.key(name).open_list();
    for one in &some.first {
        write(json.open_object(), one);
        json.close_object();
    }
    json.close_list();
    let all = usize::try_from(some.all).unwrap_or(usize::MAX);
    left(json, &format!("{name}_more"), all.saturating_sub(some.first.len()));
}

fn left(json: &mut Writer<'_>, name: &str, left: usize) {
    json.number_if(name, u64::try_from(left).ok().filter(|left| *left > 0));
}

fn write_answer(exchange: &Exchange, ending: &Ending, words: Words<'_>, json: &mut Writer<'_>) {
    json.key("answer").open_object();
    json.number_or_null("status", ending.status.map(u64::from));
    json.key("bytes").number(ending.bytes);
    json.key("ms").number(ending.ms(exchange.began));
    json.key("end").text(ending.word(exchange.refusal.is_some()));
    write_tally(&exchange.tally, json);
    json.text_if("replaced", exchange.replaced);
    write_tools(&exchange.tools, json);
    let details = ending.details.as_deref().filter(|details| *details != "via_upstream");
    json.text_if("details", details.map(|details| words.text(details)).as_deref());
    json.close_object();
}

#[cfg(test)]
mod tests;
