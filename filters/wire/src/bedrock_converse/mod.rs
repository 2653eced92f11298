//! Amazon Bedrock Converse, `POST /model/{model}/converse` and `/converse-stream`, read and written.
//!
//! The model, and whether the answer is a stream, stand in the path: a request that was read has neither, and the caller
//! sets both. An answer has no id and no model in its body either.

mod error;
mod media;
mod model;
mod reasoning;
mod request;
mod response;
mod stream;
mod usage;

pub use error::{read_error, write_error};
pub use request::{read_request, write_request};
pub use response::{read_response, write_response};
pub use stream::{StreamReader, StreamWriter};
