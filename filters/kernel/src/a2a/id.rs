//! What names something.

/// The longest id of a context, a task, a message or a configuration, and the longest name of a skill or tenant.
pub const MAX_ID: usize = 256;

/// Whether `text` is looked at as an id at all: 1 to 256 visible characters of ASCII. They go into headers, keys and records.
#[must_use]
pub fn is_id(text: &str) -> bool {
    (1..=MAX_ID).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}
