//! Streams of `chat.completion.chunk`.

mod read;
mod write;

#[cfg(test)]
mod tests;

pub use read::StreamReader;
pub use write::StreamWriter;
