//! Whole answers.

use super::error::of_object;
use super::item::{Item, Output, status, stop_reason};
use super::malformed;
use super::output::{self, Answer, COMPLETED, ItemIds};
use super::usage::{self, Calls};
use crate::conversation::{Part, Response};
use crate::error::{ApiError, ErrorKind, Malformed};
use crate::fields::{Fields, Unreadable};
use crate::usage::Usage;
use serde_json::value::RawValue;
use tollgate_kernel::json::Writer;

/// The object of an answer, as a body and as events carry it.
#[derive(Debug)]
pub(super) struct Told<'a>(Fields<'a>);

impl<'a> Told<'a> {
    pub(super) fn read(answer: &'a str) -> Result<Self, Unreadable> {
        Fields::of_text(answer).map(Self)
    }

    /// A string of it, empty when there is none.
    pub(super) fn text(&self, name: &str) -> Result<String, Unreadable> {
        Ok(self.0.text(name)?.unwrap_or_default())
    }

    /// Why it is incomplete.
    pub(super) fn incomplete(&self) -> Result<Option<String>, Unreadable> {
        match self.0.object("incomplete_details")? {
            Some(details) => details.text("reason"),
            None => Ok(None),
        }
    }

    /// The items of its output, as text.
    pub(super) fn output(&self) -> Result<Vec<&'a RawValue>, Unreadable> {
        self.0.list("output")
    }

    pub(super) fn usage(&self, calls: Calls) -> Option<Usage> {
        usage::read(&self.0, calls)
    }

    /// What sets its price besides figures.
    pub(super) fn seen(&self, calls: Calls) -> Usage {
        usage::seen(&self.0, calls)
    }

    /// The error that it is instead of an answer.
    pub(super) fn error(&self) -> Option<ApiError> {
        if let Some(error) = self.0.get("error") {
            return Some(of_object(error.get()));
        }
        let failed = self.text("status").is_ok_and(|status| status == "failed");
        failed.then(|| ApiError::new(ErrorKind::Internal, "the provider failed and gave no reason"))
    }
}

/// Reads a whole answer; see [`Format::read_response`](crate::Format::read_response).
///
/// # Errors
/// When the body is not a response with an output, or it failed.
pub fn read_response(body: &[u8]) -> Result<Response, Malformed> {
    let told = Fields::of_bytes(body).map(Told).map_err(malformed)?;
    match told.error() {
        Some(error) => Err(Malformed::error(error, told.usage(calls(&told)))),
        None => read_answer(&told).map_err(malformed),
    }
}

/// The calls in the output of an answer that failed, as far as it can be read.
fn calls(told: &Told<'_>) -> Calls {
    let mut calls = Calls::default();
    for item in told.output().unwrap_or_default() {
        if let Ok(item) = Item::read(item) {
            calls.count(&item.kind, &item.fields);
        }
    }
    calls
}

fn read_answer(told: &Told<'_>) -> Result<Response, Unreadable> {
    if told.0.get("output").is_none() {
        return Err(Unreadable);
    }
    let (mut output, mut calls) = (Output::default(), Calls::default());
    for item in told.output()? {
        let item = Item::read(item)?;
        calls.count(&item.kind, &item.fields);
        output.push(&item)?;
    }
    let (status, incomplete) = (told.text("status")?, told.incomplete()?);
    Ok(Response {
        id: told.text("id")?,
        model: told.text("model")?,
        parts: output.parts,
        stop: stop_reason(&status, incomplete.as_deref(), output.refused, output.calls > 0),
        usage: told.usage(calls),
        untranslated_bytes: output.untranslated_bytes,
        asides: output.asides,
    })
}

/// Writes a whole answer; see [`Format::write_response`](crate::Format::write_response).
#[must_use]
pub fn write_response(response: &Response, created: u64) -> Vec<u8> {
    let (status, incomplete) = status(response.stop);
    let usage = response.usage.as_ref();
    let answer = Answer { id: &response.id, model: &response.model, created, status, incomplete, usage };
    let mut out = Vec::new();
    let json = &mut Writer::new(&mut out);
    answer.begin(json);
    write_items(response, created, json);
    answer.end(json);
    out
}

fn write_items(response: &Response, created: u64, json: &mut Writer<'_>) {
    let ids = ItemIds::new(&response.id, created);
    let mut index = 0_usize;
    let mut parts = response.parts.iter().peekable();
    while let Some(part) = parts.next() {
        match part {
            Part::Text(text) => {
                // Texts that follow each other are one: a client that parses JSON out of a text parses one text.
                let mut text = text.clone();
                while let Some(Part::Text(more)) = parts.peek() {
                    text.push_str(more);
                    parts.next();
                }
                if text.is_empty() {
                    continue;
                }
                output::message(json, &ids.of("msg", index), COMPLETED, Some(&text));
            }
            Part::ToolCall(call) => {
                let arguments = if call.arguments.trim().is_empty() { "{}" } else { &call.arguments };
                output::call(json, &ids.of("fc", index), COMPLETED, (&call.id, &call.name), arguments);
            }
            Part::Reasoning(reasoning) => {
                let (id, encrypted) = match &reasoning.seal {
                    Some(seal) => {
                        let (id, encrypted) = output::sealed(seal, false);
                        (id.map(str::to_owned), Some(encrypted))
                    }
                    None => (None, None),
                };
                let id = id.unwrap_or_else(|| ids.of("rs", index));
                output::reasoning(json, &id, &reasoning.text, encrypted.as_deref());
            }
            Part::Image(_) | Part::Document(_) | Part::ToolResult(_) | Part::CacheBreakpoint(_) => continue,
        }
        index = index.saturating_add(1);
    }
}

#[cfg(test)]
mod tests;
