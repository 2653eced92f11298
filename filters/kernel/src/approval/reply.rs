//! What a client brings back, and what of it the server gets.

use super::question::{FIELD, KEY};
use crate::json::{Document, Value};
use std::ops::Range;

/// The answer to our question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reply {
    /// There is none, or none that says yes or no.
    Missing,
    /// Yes.
    Yes,
    /// No, or nobody wanted to say.
    No,
}

impl Reply {
    /// Reads it from the parameters of a call.
    #[must_use]
    pub fn of(params: Option<Value<'_, '_>>) -> Self {
        let responses = params.and_then(|params| params.get("inputResponses"));
        let Some(response) = responses.and_then(|responses| responses.get(KEY)) else { return Self::Missing };
        let confirmed = response.get("content").and_then(|content| content.get(FIELD)).and_then(Value::as_bool);
        match (response.get("action").and_then(Value::as_str).as_deref(), confirmed) {
            (Some("accept"), Some(true)) => Self::Yes,
            (Some("accept"), Some(false)) | (Some("decline" | "cancel"), _) => Self::No,
            _ => Self::Missing,
        }
    }
}

/// What of the parameters is for the server, which has asked something of its own before: its state and the answers, as
/// members of an object. A client that is asked something else meanwhile does not send them again.
#[must_use]
pub fn carried(document: &Document<'_>, params: Value<'_, '_>) -> Option<String> {
    let mut members = Vec::new();
    for member in params.members() {
        match member.key().as_ref() {
            "requestState" => members.push(slice(document, member.range()).to_owned()),
            "inputResponses" => members.extend(others(document, member.value)),
            _ => {}
        }
    }
    (!members.is_empty()).then(|| members.join(","))
}

/// The message with our part left out of `params`, and with what was [`carried`] instead. Everything else is byte for byte as
/// it was.
#[must_use]
pub fn forwarded(document: &Document<'_>, params: Value<'_, '_>, carried: Option<&str>) -> Vec<u8> {
    let mut members: Vec<String> = Vec::new();
    for member in params.members() {
        match member.key().as_ref() {
            "requestState" => {}
            "inputResponses" if carried.is_some() => {}
            "inputResponses" => members.extend(others(document, member.value)),
            _ => members.push(slice(document, member.range()).to_owned()),
        }
    }
    members.extend(carried.map(str::to_owned));
    let Range { start, end } = params.range();
    let (before, after) = (slice(document, 0..start), slice(document, end..document.text().len()));
    format!("{before}{{{}}}{after}", members.join(",")).into_bytes()
}

/// The answers that are not ours, if there are any.
fn others(document: &Document<'_>, responses: Value<'_, '_>) -> Option<String> {
    let others = responses.members().filter(|response| !response.is(KEY));
    let others: Vec<&str> = others.map(|response| slice(document, response.range())).collect();
    (!others.is_empty()).then(|| format!("\"inputResponses\":{{{}}}", others.join(",")))
}

fn slice<'a>(document: &Document<'a>, range: Range<usize>) -> &'a str {
    document.text().get(range).unwrap_or_default()
}

#[cfg(test)]
mod tests;
