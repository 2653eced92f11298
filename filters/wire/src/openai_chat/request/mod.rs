//! Requests.

mod messages;
mod parts;
mod read;
mod tools;
mod write;
mod write_messages;

#[cfg(test)]
mod tests;

pub use read::read_request;
pub use write::write_request;
pub(super) use write_messages::write_tool_calls;
