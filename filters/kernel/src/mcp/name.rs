//! Which names and addresses are looked at at all. A name that looks like another, or is shown as another, has no place in a
//! rule, an approval or a record.

use schemars::JsonSchema;
use std::fmt;
use tollgate_config::{Fault, Read, Value};

const MAX_NAME: usize = 128;
const MAX_URI: usize = 4096;

/// Names of tools and prompts: 1 to 128 of letters, digits, `_`, `-` and `.`, and what else is allowed.
#[derive(Debug, Clone, Default, PartialEq, Eq, JsonSchema)]
#[schemars(try_from = "String")]
pub struct Names {
    also: String,
}

/// A character that must not stand in names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotNames(char);

impl Names {
    /// Whether `name` is one.
    #[must_use]
    pub fn allow(&self, name: &str) -> bool {
        let allowed =
            |char: char| char.is_ascii_alphanumeric() || matches!(char, '_' | '-' | '.') || self.also.contains(char);
        (1..=MAX_NAME).contains(&name.len()) && name.chars().all(allowed)
    }
}

impl TryFrom<String> for Names {
    type Error = NotNames;

    /// What else is allowed.
    fn try_from(also: String) -> Result<Self, NotNames> {
        match also.chars().find(|char| !char.is_ascii_graphic() && *char != ' ') {
            Some(char) => Err(NotNames(char)),
            None => Ok(Self { also }),
        }
    }
}

impl Read for Names {
    fn read(value: &Value<'_>) -> Result<Self, Fault> {
        value.converted::<String, _>()
    }
}

impl fmt::Display for NotNames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "must have only visible characters of ASCII and spaces, not `{}`", self.0.escape_debug())
    }
}

impl std::error::Error for NotNames {}

/// Whether `text` is an address, or a template of addresses, that rules can be about: visible characters of ASCII, without
/// segments that lead elsewhere (`..`, `%2e%2e`) once a server resolves them, and without escapes that nobody needs (RFC 3986,
/// section 2.3): `%73ecret` is `secret` to the server, and not to a rule.
#[must_use]
pub fn is_uri(text: &str) -> bool {
    let visible = text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    (1..=MAX_URI).contains(&text.len()) && visible && !has_dot_segments(text) && !has_idle_escapes(text)
}

fn has_idle_escapes(uri: &str) -> bool {
    let once = uri.replace("%25", "%");
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let is_idle = |escape: &str| {
        let digits = escape.get(..2).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()).is_some_and(is_plain)
    };
    [uri, &once].into_iter().any(|text| text.split('%').skip(1).any(is_idle))
}

fn has_dot_segments(uri: &str) -> bool {
    let lower = uri.to_ascii_lowercase();
    // Twice: who decodes twice is led astray by `%252e`.
    let decode = |text: &str| text.replace("%25", "%").replace("%2e", ".").replace("%2f", "/").replace("%5c", "/");
    let path = decode(&decode(&lower));
    path.split(['/', '?', '#']).any(|segment| matches!(segment.split(';').next(), Some("." | "..")))
}

/// Whether `text` can be the id of a task.
pub(super) fn is_task_id(text: &str) -> bool {
    (1..=MAX_URI).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}
