//! Filter state and the properties that Envoy knows of a stream.

use crate::abi;
use crate::protobuf_struct::{self, Object};

/// Writes filter state `wasm.<key>`: readable by our other instances on this stream, by access logs, RBAC and routes.
///
/// # Errors
/// When there is no stream in this phase.
pub fn set(key: &str, value: &[u8]) -> abi::Result<()> {
    abi::set_property(key, value)
}

/// Reads filter state `wasm.<key>` that any of our instances wrote on this stream.
#[must_use]
pub fn get(key: &str) -> Option<Vec<u8>> {
    bytes(&["filter_state", &format!("wasm.{key}")])
}

/// A property, in Envoy's own encoding. `None` when it is missing or empty.
#[must_use]
pub fn bytes(path: &[&str]) -> Option<Vec<u8>> {
    abi::property(&path.join("\0")).ok().flatten().filter(|value| !value.is_empty())
}

/// A property that is text.
#[must_use]
pub fn text(path: &[&str]) -> Option<String> {
    bytes(path).and_then(|value| String::from_utf8(value).ok())
}

/// A property that is an unsigned integer (Envoy: eight bytes, little-endian).
#[must_use]
pub fn number(path: &[&str]) -> Option<u64> {
    bytes(path).and_then(|value| value.try_into().ok()).map(u64::from_le_bytes)
}

/// A property that is true or false (Envoy: one byte).
#[must_use]
pub fn flag(path: &[&str]) -> bool {
    bytes(path).is_some_and(|value| value == [1])
}

/// What native filters know of this request.
///
/// Read whole, in one call: Envoy tells a single value without its type, and eight bytes may be a number or a text.
#[derive(Debug)]
pub struct Metadata(Vec<u8>);

impl Metadata {
    /// All that is known now.
    #[must_use]
    pub fn read() -> Self {
        Self(bytes(&["metadata"]).unwrap_or_default())
    }

    /// What the filter of this name knows.
    #[must_use]
    pub fn of_filter(&self, name: &str) -> Option<Object<'_>> {
        protobuf_struct::of_filter(&self.0, name)
    }
}
