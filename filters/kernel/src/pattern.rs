//! Patterns of names.

use schemars::JsonSchema;
use std::fmt;
use tollgate_config::{Fault, Read, Value};

/// A name in which every `*` stands for any characters, or none.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema)]
pub struct Pattern(String);

/// One pattern, or several of which one must fit.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema)]
#[schemars(try_from = "Vec<String>")]
#[schemars(extend("minItems" = 1))]
pub struct Patterns(Vec<Pattern>);

/// There is none in a list of patterns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoPattern;

impl From<String> for Pattern {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl Pattern {
    /// Whether the whole of `name` fits, if capital letters are not told from others.
    #[must_use]
    pub fn fits_folded(&self, name: &str) -> bool {
        self.fits_by(name.as_bytes(), <[u8]>::eq_ignore_ascii_case)
    }

    /// Whether the whole of `name` fits.
    #[must_use]
    pub fn fits(&self, name: &str) -> bool {
        self.fits_by(name.as_bytes(), |one, other| one == other)
    }

    /// Takes each `*` for as little as possible, so that it never goes back in a name.
    fn fits_by(&self, name: &[u8], same: impl Fn(&[u8], &[u8]) -> bool) -> bool {
        let mut parts = self.0.as_bytes().split(|byte| *byte == b'*');
        let head = parts.next().unwrap_or_default();
        let Some(tail) = parts.next_back() else { return same(name, head) };
        let Some((_, left)) = name.split_at_checked(head.len()).filter(|(begin, _)| same(begin, head)) else {
            return false;
        };
        let end = left.len().checked_sub(tail.len()).and_then(|at| left.split_at_checked(at));
        let Some((between, _)) = end.filter(|(_, end)| same(end, tail)) else { return false };
        let after = |left: &[u8], part: &[u8]| match part.len() {
            0 => Some(0),
            size => Some(left.windows(size).position(|window| same(window, part))?.saturating_add(size)),
        };
        parts.try_fold(between, |left, part| left.get(after(left, part)?..)).is_some()
    }
}

impl Patterns {
    /// Whether the whole of `name` fits one of them.
    #[must_use]
    pub fn fit(&self, name: &str) -> bool {
        self.0.iter().any(|pattern| pattern.fits(name))
    }

    /// Those that only one name fits.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|Pattern(text)| text.as_str()).filter(|text| !text.contains('*'))
    }

    /// Whether the whole of `name` fits one of them, if capital letters are not told from others.
    #[must_use]
    pub fn fit_folded(&self, name: &str) -> bool {
        self.0.iter().any(|pattern| pattern.fits_folded(name))
    }
}

impl TryFrom<Vec<String>> for Patterns {
    type Error = NoPattern;

    fn try_from(patterns: Vec<String>) -> Result<Self, NoPattern> {
        if patterns.is_empty() { Err(NoPattern) } else { Ok(Self(patterns.into_iter().map(Pattern::from).collect())) }
    }
}

impl Read for Patterns {
    fn read(value: &Value<'_>) -> Result<Self, Fault> {
        value.converted::<Vec<String>, _>()
    }
}

impl fmt::Display for Patterns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().enumerate().try_for_each(|(at, Pattern(text))| {
            let comma = if at == 0 { "" } else { ", " };
            write!(f, "{comma}`{text}`")
        })
    }
}

impl fmt::Display for NoPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("must have a pattern, for example `[\"gpt-*\"]`")
    }
}

impl std::error::Error for NoPattern {}

#[cfg(test)]
mod tests {
    use super::Pattern;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn a_star_stands_for_anything_and_the_rest_for_itself() {
        for (pattern, fitting, others) in [
            ("gpt-4o", &["gpt-4o"][..], &["gpt-4", "gpt-4o-mini", "GPT-4o", ""][..]),
            ("*", &["", "anything"], &[]),
            ("gpt-*", &["gpt-", "gpt-4o"], &["gpt", "a-gpt-4o"]),
            ("*-mini", &["-mini", "gpt-4o-mini"], &["mini", "gpt-4o-mini-2"]),
            ("a*a", &["aa", "aba"], &["a", "ab", "ba"]),
            ("a*b*c", &["abc", "axbxc", "abbc", "abcbc"], &["ac", "acb", "ab", "acbb"]),
            ("**", &["", "x"], &[]),
            ("a**b", &["ab", "axb"], &["a", "b"]),
            ("*a*b*", &["ab", "xaxbx"], &["ba", "a"]),
        ] {
            let pattern = Pattern::from(pattern.to_owned());
            fitting.iter().for_each(|name| assert!(pattern.fits(name), "{pattern:?} {name}"));
            others.iter().for_each(|name| assert!(!pattern.fits(name), "{pattern:?} {name}"));
        }
    }

    #[test]
    fn a_hostile_name_costs_no_more_than_its_length() {
        let pattern = Pattern::from("*a".repeat(32) + "*b");
        assert!(!pattern.fits(&"a".repeat(100_000)));
    }
}
