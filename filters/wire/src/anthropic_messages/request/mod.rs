//! Requests.

mod read;
mod write;

pub use read::read_request;
pub use write::write_request;
