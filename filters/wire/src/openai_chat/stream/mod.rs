//! Streams of `chat.completion.chunk`.

mod calls;
mod choices;
mod read;
mod write;

#[cfg(test)]
mod tests;

pub use read::StreamReader;
pub use write::StreamWriter;
