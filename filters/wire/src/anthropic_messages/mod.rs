//! Anthropic Messages, `POST /v1/messages`, version 2023-06-01, read and written.

mod arguments;
mod error;
mod request;
mod response;
mod stream;
mod usage;

pub use error::{read_error, write_error};
pub use request::{read_request, write_request};
pub use response::{read_response, write_response};
pub use stream::{StreamReader, StreamWriter};

use crate::error::Malformed;
use serde::Serialize;

/// JSON text of `value`. Nothing written here can fail to serialize: keys are strings and the writer is memory.
fn to_json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}

/// A fault of `what`. Says where, never what stood there: that may be part of a prompt.
fn unreadable(what: &str, cause: &serde_json::Error) -> Malformed {
    Malformed::Unreadable(format!(
        "{what} is not of the documented form (line {}, column {})",
        cause.line(),
        cause.column()
    ))
}
