//! How configurations are read: JSON, with the path to every fault.
//!
//! A type of a configuration implements [`Read`]; [`object!`](crate::object) does it for a struct, by the list of its
//! fields. A value is text until a type asks for it, and everything but the type's own few lines is one code for all
//! types: what `derive` makes of each is four times as much, which Envoy compiles before it is ready.

mod fault;
mod kinds;
mod map;
mod object;
mod value;

pub use fault::Fault;
pub use map::{Iter, Map};
pub use object::Object;
pub use value::Value;

/// What a configuration can have.
pub trait Read: Sized {
    /// Reads it.
    ///
    /// # Errors
    /// When something else stands there: where, what was found and what was expected.
    fn read(value: &Value<'_>) -> Result<Self, Fault>;

    /// What it is where nothing stands. `None`: something must.
    #[must_use]
    fn absent() -> Option<Self> {
        None
    }
}

/// Reads `json` as a `T`.
///
/// # Errors
/// When it is something else: where, what was found and what was expected.
pub fn read<T: Read>(json: &str) -> Result<T, Fault> {
    T::read(&Value::top(json)?)
}

/// Reads the configuration of a plugin. `expected` is what one must have at least.
///
/// # Errors
/// The path to what is at fault, what was found and what was expected.
pub fn read_plugin<T: Read>(json: &[u8], expected: &str) -> Result<T, String> {
    if json.is_empty() {
        return Err(format!("found no configuration, expected {expected}"));
    }
    let json = str::from_utf8(json).map_err(|_| "found bytes that are not UTF-8, expected JSON".to_owned())?;
    read(json).map_err(|fault| fault.to_string())
}

#[cfg(test)]
mod tests;
