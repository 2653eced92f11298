//! Requests.

mod contents;
mod read;
mod turns;
mod write;

pub use read::read_request;
pub use write::write_request;

#[cfg(test)]
mod tests;
