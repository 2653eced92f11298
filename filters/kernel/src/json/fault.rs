//! What is wrong with a text.

use std::fmt;

/// Why a text is not read. Says nothing of what stands in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// What is wrong.
    pub reason: Reason,
    /// At which byte.
    pub at: usize,
}

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// It is longer than allowed.
    TooLarge,
    /// It has more keys and values than allowed.
    TooManyNodes,
    /// It is deeper than [`MAX_DEPTH`](super::MAX_DEPTH).
    TooDeep,
    /// It is not UTF-8.
    Utf8,
    /// It begins with a byte order mark.
    ByteOrderMark,
    /// It ends too early.
    Incomplete,
    /// Something else is expected.
    Unexpected,
    /// Something follows the value.
    Trailing,
    /// A control character stands in a string.
    ControlCharacter,
    /// A backslash is followed by what is no escape.
    Escape,
    /// An escape is half of a surrogate pair.
    Surrogate,
    /// A number is not written as numbers are.
    Number,
    /// A number is longer than [`MAX_NUMBER`](super::MAX_NUMBER).
    LongNumber,
    /// A number is larger than others can hold.
    LargeNumber,
    /// A key stands twice in an object.
    DuplicateKey,
    /// A key has the character U+0000.
    NulInKey,
}

impl Reason {
    /// The word in records.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::TooLarge => "too_large",
            Self::TooManyNodes => "too_many_nodes",
            Self::TooDeep => "too_deep",
            Self::Utf8 => "utf8",
            Self::ByteOrderMark => "byte_order_mark",
            Self::Incomplete => "incomplete",
            Self::Unexpected => "unexpected",
            Self::Trailing => "trailing",
            Self::ControlCharacter => "control_character",
            Self::Escape => "escape",
            Self::Surrogate => "surrogate",
            Self::Number => "number",
            Self::LongNumber => "long_number",
            Self::LargeNumber => "large_number",
            Self::DuplicateKey => "duplicate_key",
            Self::NulInKey => "nul_in_key",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLarge => "too large",
            Self::TooManyNodes => "too many values",
            Self::TooDeep => "too deep",
            Self::Utf8 => "not UTF-8",
            Self::ByteOrderMark => "begins with a byte order mark",
            Self::Incomplete => "ends too early",
            Self::Unexpected => "not JSON",
            Self::Trailing => "something follows the value",
            Self::ControlCharacter => "a control character in a string",
            Self::Escape => "no such escape",
            Self::Surrogate => "half of a surrogate pair",
            Self::Number => "not a number",
            Self::LongNumber => "a number is too long",
            Self::LargeNumber => "a number is too large",
            Self::DuplicateKey => "a key stands twice in an object",
            Self::NulInKey => "a key has the character U+0000",
        })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {}", self.reason, self.at)
    }
}

impl std::error::Error for Fault {}
