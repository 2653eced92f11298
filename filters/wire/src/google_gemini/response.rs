//! Whole answers.

use super::ORIGIN;
use super::parts::Parts;
use super::stream::StreamReader;
use super::{finish_reason, usage};
use crate::conversation::{Part, Reasoning, Response, StopReason, ToolCall};
use crate::error::Malformed;
use crate::json::Json;
use crate::stream::Delta;
use crate::usage::Usage;

/// Reads a whole successful JSON answer: a stream of one chunk.
///
/// # Errors
/// When the body is not an answer, or is an error object inside a 200.
pub fn read_response(body: &[u8]) -> Result<Response, Malformed> {
    let mut reader = StreamReader::default();
    let mut deltas = Vec::new();
    reader.read(b"", body, &mut deltas)?;
    let mut response = Response {
        id: String::new(),
        model: String::new(),
        parts: Vec::new(),
        stop: StopReason::End,
        usage: None,
        untranslated_bytes: 0,
    };
    let mut stopped = false;
    for delta in deltas {
        match delta {
            Delta::Start { id, model } => (response.id, response.model) = (id, model),
            Delta::Stop(stop) => (response.stop, stopped) = (stop, true),
            Delta::Usage(usage) => response.usage = Some(usage),
            Delta::Error(error) => return Err(Malformed::error(error, response.usage)),
            Delta::Untranslated { bytes } => {
                response.untranslated_bytes = response.untranslated_bytes.saturating_add(bytes);
            }
            said => push(said, &mut response.parts),
        }
    }
    if !stopped && !reader.has_answer() {
        return Err(Malformed::Unreadable("the answer has no candidate".to_owned()));
    }
    let calls_tools = response.parts.iter().any(|part| matches!(part, Part::ToolCall(_)));
    if !stopped && calls_tools {
        response.stop = StopReason::ToolUse;
    }
    Ok(response)
}

fn push(delta: Delta, parts: &mut Vec<Part>) {
    match (delta, parts.last_mut()) {
        (Delta::Text(text), _) => parts.push(Part::Text(text)),
        (Delta::Reasoning(text), Some(Part::Reasoning(before))) if before.seal.is_none() => before.text.push_str(&text),
        (Delta::Reasoning(text), _) => parts.push(Part::Reasoning(Reasoning { text, seal: None })),
        (Delta::Seal(seal), Some(Part::Reasoning(before))) if before.seal.is_none() => before.seal = Some(seal),
        (Delta::Seal(seal), _) => parts.push(Part::Reasoning(Reasoning { text: String::new(), seal: Some(seal) })),
        (Delta::ToolCall { id, name, .. }, _) => {
            parts.push(Part::ToolCall(ToolCall { id, name, arguments: String::new() }));
        }
        (Delta::ToolArguments { json, .. }, Some(Part::ToolCall(call))) => call.arguments.push_str(&json),
        _ => {}
    }
}

/// Writes a whole answer.
#[must_use]
pub fn write_response(response: &Response) -> Vec<u8> {
    let mut out = Vec::new();
    let json = &mut Json::new(&mut out);
    begin_chunk(json);
    let mut parts = Parts::default();
    for part in &response.parts {
        match part {
            Part::Text(text) => parts.text(text, json),
            Part::Reasoning(reasoning) => {
                if !reasoning.text.is_empty() {
                    parts.thought(&reasoning.text, json);
                }
                if let Some(seal) = &reasoning.seal {
                    parts.flush(json);
                    parts.sign(seal.for_client_base64(ORIGIN));
                }
            }
            Part::ToolCall(call) => parts.call(&call.id, &call.name, &call.arguments, None, json),
            Part::Image(_) | Part::Document(_) | Part::ToolResult(_) | Part::CacheBreakpoint(_) => {}
        }
    }
    parts.flush(json);
    end_chunk(&response.id, &response.model, Some(response.stop), response.usage.as_ref(), json);
    out
}

/// Begins a chunk up to the parts of its one candidate.
pub(super) fn begin_chunk(json: &mut Json<'_>) {
    json.open_object()
        .key("candidates")
        .open_list()
        .open_object()
        .key("content")
        .open_object()
        .key("parts")
        .open_list();
}

/// Ends a chunk that was begun.
pub(super) fn end_chunk(id: &str, model: &str, stop: Option<StopReason>, usage: Option<&Usage>, json: &mut Json<'_>) {
    json.close_list();
    json.key("role").text("model");
    json.close_object();
    if let Some(stop) = stop {
        json.key("finishReason").text(finish_reason(stop));
    }
    json.key("index").number(0);
    json.close_object();
    json.close_list();
    if let Some(usage) = usage {
        usage::write(usage, json);
    }
    for (name, value) in [("modelVersion", model), ("responseId", id)] {
        if !value.is_empty() {
            json.key(name).text(value);
        }
    }
    json.close_object();
}

#[cfg(test)]
mod tests;
