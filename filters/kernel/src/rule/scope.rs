//! Scopes of OAuth.

use schemars::JsonSchema;
use std::fmt;
use tollgate_config::{Fault, Read, Value};

/// A scope (RFC 6749, section 3.3): visible characters of ASCII but `"` and `\`.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema)]
#[schemars(try_from = "String", extend("pattern" = "^[!#-\\[\\]-~]{1,128}$"))]
pub struct Scope(String);

/// A text is no [`Scope`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotAScope;

const MAX_LENGTH: usize = 128;

impl Scope {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is the one that was granted.
    #[must_use]
    pub fn is(&self, granted: &str) -> bool {
        self.0 == granted
    }

    /// Scopes as a challenge, or a claim, has them.
    #[must_use]
    pub fn list(scopes: &[Self]) -> String {
        scopes.iter().map(Self::as_str).collect::<Vec<_>>().join(" ")
    }
}

impl TryFrom<String> for Scope {
    type Error = NotAScope;

    fn try_from(text: String) -> Result<Self, NotAScope> {
        let allowed = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\');
        let good = (1..=MAX_LENGTH).contains(&text.len()) && text.bytes().all(allowed);
        if good { Ok(Self(text)) } else { Err(NotAScope) }
    }
}

impl Read for Scope {
    fn read(value: &Value<'_>) -> Result<Self, Fault> {
        value.converted::<String, _>()
    }
}

impl fmt::Display for NotAScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "must be 1 to {MAX_LENGTH} visible characters of ASCII without `\"` and `\\`")
    }
}

impl std::error::Error for NotAScope {}
