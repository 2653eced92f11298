//! Requests.

mod input;
mod read;
mod tools;
mod write;
mod write_input;

pub use read::read_request;
pub use write::write_request;

/// Why what is kept at the provider cannot be asked for.
const STATE: &str =
    "is kept at the provider, where another provider cannot read it: send the whole conversation in input";

#[cfg(test)]
mod tests;
