//! OpenAI Responses, `POST /v1/responses`, read and written.
//!
//! Read and written without the state that the API can keep: a translated conversation is stored nowhere, so all of it
//! is in every request, reasoning too (as `encrypted_content`).

mod error;
mod item;
mod output;
mod request;
mod response;
mod stream;
mod usage;

pub use error::{read_error, write_error};
pub use request::{read_request, write_request};
pub use response::{read_response, write_response};
pub use stream::{StreamReader, StreamWriter};

use crate::error::Malformed;
use crate::fields::Unreadable;

fn malformed(_: Unreadable) -> Malformed {
    Malformed::of("the answer, or an event of it,")
}
