//! Streams.

mod frame;
mod read;
mod write;

pub use read::StreamReader;
pub use write::StreamWriter;

#[cfg(test)]
mod tests;
