//! Whole answers.

use super::ORIGIN;
use super::parts::Parts;
use super::stream::StreamReader;
use super::{finish_reason, usage};
use crate::conversation::{Part, Response, StopReason};
use crate::error::Malformed;
use crate::replay::Collector;
use crate::stream::Delta;
use crate::usage::Usage;
use tollgate_kernel::json::Writer;

/// Reads a whole successful JSON answer: a stream of one chunk.
///
/// # Errors
/// When the body is not an answer, or is an error object inside a 200.
pub fn read_response(body: &[u8]) -> Result<Response, Malformed> {
    let mut reader = StreamReader::default();
    let mut deltas = Vec::new();
    reader.read(b"", body, &mut deltas)?;
    let mut answer = Collector::new(usize::MAX);
    let (mut usage, mut stopped, mut calls_tools) = (None, false, false);
    for delta in deltas {
        match delta {
            Delta::Error(error) => return Err(Malformed::error(error, usage)),
            Delta::Usage(figures) => usage = Some(figures),
            Delta::Stop(_) => stopped = true,
            Delta::ToolCall { .. } => calls_tools = true,
            _ => {}
        }
        answer.push(&delta);
    }
    if !stopped && reader.has_answer() {
        answer.push(&Delta::Stop(if calls_tools { StopReason::ToolUse } else { StopReason::Otherwise }));
    }
    answer.finish().ok_or_else(|| Malformed::Unreadable("the answer has no candidate".to_owned()))
}

/// Writes a whole answer.
#[must_use]
pub fn write_response(response: &Response) -> Vec<u8> {
    let mut out = Vec::new();
    let json = &mut Writer::new(&mut out);
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
pub(super) fn begin_chunk(json: &mut Writer<'_>) {
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
pub(super) fn end_chunk(id: &str, model: &str, stop: Option<StopReason>, usage: Option<&Usage>, json: &mut Writer<'_>) {
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
