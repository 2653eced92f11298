//! What is wrong with a value.

use super::budget::TooMuch;
use std::fmt::{self, Write};

/// Why a value is not valid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Invalid {
    /// It breaks its schema.
    Violation(Violation),
    /// It takes more steps to find out than [`Limits::steps`](super::Limits::steps), or schemas apply too deep in each other.
    TooMuch,
}

/// How a value breaks its schema, for whoever made the value. Quotes the schema and the keys on the way, never a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Where: a JSON pointer into the value, of at most 256 bytes. Empty for the value itself.
    pub pointer: String,
    /// The keyword that says so.
    pub keyword: &'static str,
    /// What it must be, in at most 256 bytes: ``must have the property `table` ``.
    pub text: String,
}

/// How long pointers and texts are at most, in bytes.
const MAX: usize = 256;

/// How a value, or one in it, breaks a schema.
pub(super) struct Failure {
    /// How many steps it is from the whole value.
    pub(super) depth: usize,
    pub(super) violation: Violation,
}

/// Why a check goes no further.
pub(super) enum Stop {
    Fails(Failure),
    TooMuch,
}

impl From<TooMuch> for Stop {
    fn from(_: TooMuch) -> Self {
        Self::TooMuch
    }
}

/// How one comes from the whole value to one in it.
#[derive(Clone, Copy)]
pub(super) enum Path<'p> {
    Whole,
    Key(&'p Self, &'p str),
    Index(&'p Self, usize),
}

impl Path<'_> {
    pub(super) fn depth(&self) -> usize {
        match self {
            Self::Whole => 0,
            Self::Key(parent, _) | Self::Index(parent, _) => parent.depth().saturating_add(1),
        }
    }

    pub(super) fn pointer(&self) -> String {
        let mut text = Short::default();
        // What does not fit is left out.
        let _ = self.write(&mut text);
        text.0
    }

    fn write(&self, out: &mut Short) -> fmt::Result {
        match self {
            Self::Whole => Ok(()),
            Self::Key(parent, key) => {
                parent.write(out)?;
                out.write_char('/')?;
                key.chars().try_for_each(|char| match char {
                    '~' => out.write_str("~0"),
                    '/' => out.write_str("~1"),
                    char if char.is_control() => out.write_char('\u{fffd}'),
                    char => out.write_char(char),
                })
            }
            Self::Index(parent, index) => {
                parent.write(out)?;
                write!(out, "/{index}")
            }
        }
    }
}

/// A text that ends where it would be too long.
#[derive(Default)]
pub(super) struct Short(pub(super) String);

impl Short {
    pub(super) fn of(text: &dyn fmt::Display) -> String {
        let mut short = Self::default();
        let _ = write!(short, "{text}");
        short.0
    }
}

impl Write for Short {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        const MORE: &str = "...";
        let left = MAX.saturating_sub(MORE.len()).saturating_sub(self.0.len());
        if text.len() <= left {
            self.0.push_str(text);
            return Ok(());
        }
        let fits = text.char_indices().map(|(at, _)| at).take_while(|at| *at <= left).last().unwrap_or_default();
        self.0.push_str(text.get(..fits).unwrap_or_default());
        self.0.push_str(MORE);
        Err(fmt::Error)
    }
}

/// Names or values, as they are listed in a sentence.
pub(super) struct List<'l>(pub(super) &'l [String]);

impl fmt::Display for List<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().enumerate().try_for_each(|(at, name)| {
            f.write_str(if at == 0 { "`" } else { ", `" })?;
            name.chars().try_for_each(|char| f.write_char(if char.is_control() { '\u{fffd}' } else { char }))?;
            f.write_char('`')
        })
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pointer, keyword, text } = self;
        if pointer.is_empty() { write!(f, "{text} ({keyword})") } else { write!(f, "`{pointer}` {text} ({keyword})") }
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Violation(violation) => violation.fmt(f),
            Self::TooMuch => f.write_str("takes too much work to check against its schema"),
        }
    }
}

impl std::error::Error for Invalid {}
