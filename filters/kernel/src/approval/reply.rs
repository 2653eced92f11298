//! What a client brings back, and what of it the server gets.

use super::question::{FIELD, KEY};
use crate::json::{Document, Value, write_escaped};
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

/// The message with our part left out of `params`, and the server's state where ours was. Everything else is byte for byte
/// as it was.
#[must_use]
pub fn forwarded(document: &Document<'_>, params: Value<'_, '_>, upstream: Option<&str>) -> Vec<u8> {
    let slice = |range: Range<usize>| document.text().get(range).unwrap_or_default();
    let mut members: Vec<String> = Vec::new();
    for member in params.members() {
        match member.key().as_ref() {
            "requestState" => {}
            "inputResponses" => {
                let others = member.value.members().filter(|response| !response.is(KEY));
                let others: Vec<&str> = others.map(|response| slice(response.range())).collect();
                if !others.is_empty() {
                    members.push(format!("\"inputResponses\":{{{}}}", others.join(",")));
                }
            }
            _ => members.push(slice(member.range()).to_owned()),
        }
    }
    if let Some(upstream) = upstream {
        let mut member = String::from("\"requestState\":\"");
        write_escaped(upstream, &mut |piece| member.push_str(piece));
        member.push('"');
        members.push(member);
    }
    let Range { start, end } = params.range();
    let before = slice(0..start);
    let after = slice(end..document.text().len());
    format!("{before}{{{}}}{after}", members.join(",")).into_bytes()
}

#[cfg(test)]
mod tests;
