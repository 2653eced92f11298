//! What an operator names.

use super::scan::{Run, Scan};
use schemars::JsonSchema;
use std::fmt;
use tollgate_config::{Fault, Read, Value};

/// A text in which every `*` stands for letters, digits, `-` and `_`, as many as there are, or none: `EMP-*`.
#[derive(Clone, PartialEq, Eq, JsonSchema)]
#[schemars(try_from = "String")]
#[schemars(extend("minLength" = 3, "maxLength" = 128, "pattern" = "^[^\\[\\]]*$"))]
pub struct Glob {
    /// What it begins with; nothing, if that is a star.
    head: String,
    /// What follows, each after a star.
    parts: Vec<String>,
    /// It ends with a star.
    open: bool,
}

/// A text is no [`Glob`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotAGlob {
    /// It is longer than 128 bytes, or fewer than 3 are not `*`.
    Length,
    /// It has `[` or `]`, which stand around what replaces it.
    Bracket,
}

impl TryFrom<String> for Glob {
    type Error = NotAGlob;

    fn try_from(text: String) -> Result<Self, NotAGlob> {
        let literal = text.bytes().filter(|byte| *byte != b'*').count();
        if literal < 3 || text.len() > 128 {
            return Err(NotAGlob::Length);
        }
        if text.contains(['[', ']']) {
            return Err(NotAGlob::Bracket);
        }
        let mut parts = text.split('*').map(str::to_owned);
        let head = parts.next().unwrap_or_default();
        let parts = parts.filter(|part| !part.is_empty()).collect();
        Ok(Self { head, parts, open: text.ends_with('*') })
    }
}

impl Glob {
    /// Where it ends if it begins at `at`. It takes as little as it can before each of its texts, and all at its end.
    pub(super) fn find(&self, scan: &mut Scan<'_>, which: usize, at: usize) -> Option<usize> {
        if self.head.is_empty() && scan.before(at).is_some_and(is_word) || !scan.text.from(at).starts_with(&self.head) {
            return None;
        }
        let mut end = at.saturating_add(self.head.len());
        let hopeless = scan.hopeless.get(which).copied().unwrap_or_default();
        // From within the same word nothing else follows.
        if !self.parts.is_empty() && end < hopeless {
            return None;
        }
        let first_word = word_end(scan, end);
        for part in &self.parts {
            let word = word_end(scan, end);
            let until = word.saturating_add(part.len());
            let within = scan.text.from(end).0.get(..until.saturating_sub(end)).unwrap_or(scan.text.from(end).0);
            let Some(found) = within.windows(part.len()).position(|window| window == part.as_bytes()) else {
                if let Some(hopeless) = scan.hopeless.get_mut(which) {
                    *hopeless = first_word;
                }
                return None;
            };
            end = end.saturating_add(found).saturating_add(part.len());
        }
        Some(if self.open { word_end(scan, end) } else { end })
    }
}

fn word_end(scan: &mut Scan<'_>, at: usize) -> usize {
    scan.end_of(Run::Word, is_word, at)
}

const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_') || !byte.is_ascii()
}

impl Read for Glob {
    fn read(value: &Value<'_>) -> Result<Self, Fault> {
        value.converted::<String, _>()
    }
}

/// What is secret may stand in it.
impl fmt::Debug for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Glob({} parts)", self.parts.len())
    }
}

impl fmt::Display for NotAGlob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Length => "must have at most 128 bytes, and at least 3 that are not `*`",
            Self::Bracket => "must not have `[` or `]`",
        })
    }
}

impl std::error::Error for NotAGlob {}
