//! Streams.

mod arguments;
mod read;
mod write;

pub use read::StreamReader;
pub use write::StreamWriter;
