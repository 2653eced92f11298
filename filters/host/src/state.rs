//! Filter state and the properties that Envoy knows of a stream.

use crate::abi;

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
