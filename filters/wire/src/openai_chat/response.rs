//! Whole answers.

use crate::conversation::{Part, Reasoning, Response, ToolCall};
use crate::error::Malformed;
use crate::fields::{Fields, Unreadable, list};
use crate::openai_chat::answer::{Said, all, arguments, custom_input, has_asides, untranslated};
use crate::openai_chat::error::read_inner_error;
use crate::openai_chat::reasoning::{Side, Thinking, read_extra, write_for_client};
use crate::openai_chat::request::write_tool_calls;
use crate::openai_chat::usage::{self, Figures, tier_name};
use crate::openai_chat::{finish_reason, read_finish_reason};
use crate::usage::Usage;
use tollgate_kernel::json::Writer;

#[cfg(test)]
mod tests;

/// Reads a whole answer; see [`Format::read_response`](crate::Format::read_response).
///
/// # Errors
/// When the body is not a chat completion with at least one choice, or is an error object inside a 200.
pub fn read_response(body: &[u8]) -> Result<Response, Malformed> {
    let unreadable = |_| Malformed::Unreadable("the answer is not a readable chat completion".to_owned());
    let response = Fields::of_bytes(body).map_err(unreadable)?;
    if let Some(error) = response.get("error") {
        return Err(Malformed::error(read_inner_error(error.get()), figures(&response)));
    }
    read_choices(&response).map_err(unreadable)
}

fn read_choices(response: &Fields<'_>) -> Result<Response, Unreadable> {
    let choices = response.list("choices")?;
    let mut first = 0;
    for (at, choice) in choices.iter().enumerate() {
        if Fields::of_text(choice.get())?.count("index") == Ok(Some(0)) {
            first = at;
        }
    }
    let mut others: usize = 0;
    for (_, choice) in choices.iter().enumerate().filter(|(at, _)| *at != first) {
        let message = Fields::of_text(choice.get())?.object("message")?.unwrap_or_default();
        others = others.saturating_add(all(&message));
    }
    let choice = Fields::of_text(choices.get(first).ok_or(Unreadable)?.get())?;
    let message = choice.object("message")?.ok_or(Unreadable)?;
    let refusal = message.text("refusal")?.unwrap_or_default();
    let parts = read_parts(&message, &refusal)?;
    let calls_tools = message.get("tool_calls").is_some_and(|calls| list(calls).is_ok_and(|calls| !calls.is_empty()));
    let reason = choice.text("finish_reason")?.unwrap_or_default();
    Ok(Response {
        id: response.text("id")?.unwrap_or_default(),
        model: response.text("model")?.unwrap_or_default(),
        parts,
        stop: read_finish_reason(&reason, calls_tools, !refusal.is_empty()),
        usage: figures(response),
        untranslated_bytes: others.saturating_add(untranslated(&message)),
        asides: has_asides(&choice),
    })
}

fn figures(response: &Fields<'_>) -> Option<Usage> {
    let mut figures = Figures::default();
    figures.merge(response.get("usage"), response.get("service_tier"));
    figures.usage()
}

fn read_parts(message: &Fields<'_>, refusal: &str) -> Result<Vec<Part>, Unreadable> {
    let mut parts = Thinking::parts(message)?;
    let said = Said::read(message)?;
    if !said.thought.is_empty() {
        parts.push(Part::Reasoning(Reasoning { text: said.thought, seal: None }));
    }
    for text in [&*said.text, refusal] {
        if !text.is_empty() {
            parts.push(Part::Text(text.to_owned()));
        }
    }
    for (index, call) in message.list("tool_calls")?.into_iter().enumerate() {
        read_tool_call(index, &Fields::of_text(call.get())?, &mut parts)?;
    }
    Ok(parts)
}

fn read_tool_call(index: usize, call: &Fields<'_>, parts: &mut Vec<Part>) -> Result<(), Unreadable> {
    if custom_input(call).is_some() {
        return Ok(());
    }
    let Some(function) = call.object("function")? else { return Ok(()) };
    let id = call.text("id")?.filter(|id| !id.is_empty()).unwrap_or_else(|| ToolCall::made_up_id(index));
    let name = function.text("name")?.ok_or(Unreadable)?;
    if let Some(seal) = read_extra(call, Side::Provider) {
        parts.push(Part::Reasoning(Reasoning { text: String::new(), seal: Some(seal) }));
    }
    parts.push(Part::ToolCall(ToolCall { id, name, arguments: arguments(&function) }));
    Ok(())
}

/// Writes a whole answer; see [`Format::write_response`](crate::Format::write_response).
#[must_use]
pub fn write_response(response: &Response, created: u64) -> Vec<u8> {
    let mut body = Vec::new();
    let json = &mut Writer::new(&mut body);
    json.open_object();
    json.key("id").text(&response.id);
    json.key("object").text("chat.completion");
    json.key("created").number(created);
    json.key("model").text(&response.model);
    json.key("choices").open_list().open_object();
    json.key("index").number(0);
    json.key("message").open_object();
    write_message(&response.parts, json);
    json.close_object();
    json.key("logprobs").null();
    json.key("finish_reason").text(finish_reason(response.stop));
    json.close_object();
    json.close_list();
    if let Some(usage) = &response.usage {
        json.key("usage");
        usage::write(usage, json);
        if let Some(tier) = tier_name(usage.service_tier) {
            json.key("service_tier").text(tier);
        }
    }
    json.close_object();
    body
}

fn write_message(parts: &[Part], json: &mut Writer<'_>) {
    let texts = || parts.iter().filter_map(|part| if let Part::Text(text) = part { Some(text) } else { None });
    json.key("role").text("assistant");
    json.key("content");
    if texts().all(String::is_empty) && parts.iter().any(|part| matches!(part, Part::ToolCall(_))) {
        json.null();
    } else {
        json.open_text();
        texts().for_each(|text| json.more_text(text));
        json.close_text();
    }
    json.key("refusal").null();
    write_for_client(parts, json);
    write_tool_calls(parts, Side::Client, json);
}
