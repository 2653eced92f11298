//! Requests.

mod input;
mod read;
mod tools;
mod write;
mod write_input;

pub use read::read_request;
pub use write::write_request;

use crate::conversation::Request;
use crate::error::Invalid;
use crate::fields::{At, Fields};

/// Why what is kept at the provider cannot be asked for.
const STATE: &str =
    "is kept at the provider, where another provider cannot read it: send the whole conversation in input";

/// Names what is left of an object: `known` fields each by its own name, all others by one.
fn leave_out(
    mut fields: Fields<'_>,
    known: &[&'static str],
    at: &At<'_>,
    request: &mut Request,
) -> Result<(), Invalid> {
    for &name in known {
        if fields.has(name, at)? {
            request.note_dropped(name);
        }
    }
    if !fields.is_empty() {
        request.note_dropped("unknown_fields");
    }
    Ok(())
}

#[cfg(test)]
mod tests;
