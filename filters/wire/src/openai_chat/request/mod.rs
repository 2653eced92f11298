//! Requests.

mod read;
mod write;

#[cfg(test)]
mod tests;

pub use read::read_request;
pub use write::write_request;
pub(super) use write::{ToolCallOut, write_tool_calls};
