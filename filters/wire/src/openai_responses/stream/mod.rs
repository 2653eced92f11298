//! Streams of events.

mod items;
mod read;
mod write;

pub use read::StreamReader;
pub use write::StreamWriter;
