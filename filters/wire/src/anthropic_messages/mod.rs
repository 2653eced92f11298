//! Anthropic Messages, `POST /v1/messages`, version 2023-06-01, read and written.

mod error;
pub(crate) mod model;
mod request;
mod response;
mod stream;
mod usage;

pub use error::{read_error, write_error};
pub use request::{read_request, write_request};
pub use response::{read_response, write_response};
pub use stream::{StreamReader, StreamWriter};

use crate::error::Malformed;
use crate::fields::Fields;

/// The text that `object` has under `name`, if any.
///
/// # Errors
/// When something else stands there.
fn text_of(object: &Fields<'_>, name: &str, what: &str) -> Result<Option<String>, Malformed> {
    object.text(name).map_err(|_| Malformed::of(what))
}
