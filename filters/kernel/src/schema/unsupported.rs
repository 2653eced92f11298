//! Why a schema is not used.

use std::fmt;

/// A schema that is none, or cannot be followed to the letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unsupported {
    /// Why.
    pub why: Why,
    /// At which byte of the document it stands.
    pub at: usize,
}

/// Why a schema is not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// It is neither an object nor a boolean.
    NotASchema,
    /// This keyword has a value that it cannot have.
    Malformed(&'static str),
    /// It has more schemas than allowed.
    TooLarge,
    /// `$schema` names another dialect.
    Dialect,
    /// A reference to another document.
    Remote,
    /// A reference to nothing.
    NoTarget,
    /// This keyword means something else wherever it is used from.
    Dynamic(&'static str),
    /// A reference that leads back to itself.
    Endless,
    /// A pattern that is no regular expression, or one with what is not supported.
    Pattern,
    /// `multipleOf` has more than 18 digits.
    LongDivisor,
}

impl Why {
    /// The word in records.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotASchema => "not_a_schema",
            Self::Malformed(_) => "malformed",
            Self::TooLarge => "too_large",
            Self::Dialect => "dialect",
            Self::Remote => "remote",
            Self::NoTarget => "no_target",
            Self::Dynamic(_) => "dynamic",
            Self::Endless => "endless",
            Self::Pattern => "pattern",
            Self::LongDivisor => "long_divisor",
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotASchema => "a schema must be an object or a boolean",
            Self::Malformed(keyword) => return write!(f, "`{keyword}` has a value that it cannot have"),
            Self::TooLarge => "too many schemas",
            Self::Dialect => "another dialect in `$schema`",
            Self::Remote => "a reference to another document",
            Self::NoTarget => "a reference to nothing",
            Self::Dynamic(keyword) => return write!(f, "`{keyword}` is not supported"),
            Self::Endless => "a reference that leads back to itself",
            Self::Pattern => "a regular expression that is none or is not supported",
            Self::LongDivisor => "`multipleOf` must have at most 18 digits",
        })
    }
}

impl fmt::Display for Unsupported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {}", self.why, self.at)
    }
}

impl std::error::Error for Unsupported {}
