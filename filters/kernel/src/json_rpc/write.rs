//! Answers.

use super::Id;
use crate::json::write_escaped;

/// Whom an answer is for.
#[derive(Debug, Clone, Copy)]
pub enum Recipient<'i> {
    /// Who sent the request of this id.
    Of(&'i Id<'i>),
    /// Who sent what has no id that could be read, as JSON-RPC says it: `"id":null`.
    Null,
    /// The same as MCP says it: without `id`.
    Unnamed,
}

/// An error. `data` is JSON.
#[must_use]
pub fn error(recipient: Recipient<'_>, code: i32, message: &str, data: Option<&str>) -> Vec<u8> {
    let mut out = begin(recipient);
    out.extend_from_slice(b",\"error\":{\"code\":");
    out.extend_from_slice(code.to_string().as_bytes());
    out.extend_from_slice(b",\"message\":\"");
    write_escaped(message, &mut |piece| out.extend_from_slice(piece.as_bytes()));
    out.push(b'"');
    if let Some(data) = data {
        out.extend_from_slice(b",\"data\":");
        out.extend_from_slice(data.as_bytes());
    }
    out.extend_from_slice(b"}}");
    out
}

/// A result, which is JSON.
#[must_use]
pub fn result(id: &Id<'_>, result: &str) -> Vec<u8> {
    let mut out = begin(Recipient::Of(id));
    out.extend_from_slice(b",\"result\":");
    out.extend_from_slice(result.as_bytes());
    out.push(b'}');
    out
}

fn begin(recipient: Recipient<'_>) -> Vec<u8> {
    let mut out = br#"{"jsonrpc":"2.0""#.to_vec();
    let id = match recipient {
        Recipient::Of(id) => id.raw(),
        Recipient::Null => "null",
        Recipient::Unnamed => return out,
    };
    out.extend_from_slice(b",\"id\":");
    out.extend_from_slice(id.as_bytes());
    out
}
