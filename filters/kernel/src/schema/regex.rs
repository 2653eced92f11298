//! Regular expressions of ECMA-262, matched in time linear in the text.
//!
//! There are no back references, no `\p{..}` and no flags. What may lie around a place, `(?=..)`, `(?!..)`, `(?<=..)`, `(?<!..)`,
//! costs one more pass over the text each: a pass marks every place where it holds. Nothing is tried twice.

mod compile;
mod parse;
mod run;

use super::budget::{Budget, TooMuch};
use std::fmt;

/// How many instructions an expression may have: `.{1,1000}` has 2000.
const MAX_INSTRUCTIONS: usize = 8192;

/// One expression.
pub(super) struct Regex {
    main: Program,
    /// What may lie around a place. Those inside others come first.
    looks: Vec<Look>,
    classes: Vec<Class>,
}

/// A text is no expression, or one of those that are not supported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NotSupported;

struct Program {
    instructions: Vec<Instruction>,
    /// It matches at the beginning or nowhere.
    anchored: bool,
}

#[derive(Clone, Copy)]
enum Instruction {
    Char(char),
    /// Anything but the end of a line.
    Any,
    Class(usize),
    /// Goes on here and there.
    Split(usize),
    Jump(usize),
    If(Condition),
    Match,
}

/// What holds between two characters or does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Condition {
    Start,
    End,
    WordBoundary { is: bool },
    Look { which: usize, holds: bool },
}

struct Look {
    program: Program,
    direction: Direction,
}

/// Which way the text is read. What lies behind a place ends there, so it is read forwards; what lies ahead of it, backwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    Forwards,
    Backwards,
}

/// A set of characters.
#[derive(Debug, Clone, Default)]
struct Class {
    ranges: Vec<(char, char)>,
    negated: bool,
}

impl Regex {
    /// Reads an expression.
    ///
    /// # Errors
    /// When it is none, or has what is not supported.
    pub(super) fn new(text: &str) -> Result<Self, NotSupported> {
        let parsed = parse::parse(text)?;
        let main = compile::program(&parsed.main, Direction::Forwards)?;
        let looks = parsed.looks.iter().map(compile::look).collect::<Result<_, _>>()?;
        Ok(Self { main, looks, classes: parsed.classes })
    }

    /// Whether it matches somewhere in `text`.
    pub(super) fn is_match(&self, text: &str, budget: &mut Budget) -> Result<bool, TooMuch> {
        run::is_match(self, text, budget)
    }
}

impl Class {
    fn has(&self, char: char) -> bool {
        self.ranges.iter().any(|(first, last)| (*first..=*last).contains(&char)) != self.negated
    }
}

impl fmt::Debug for Regex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Regex({} instructions)", self.main.instructions.len())
    }
}

#[cfg(test)]
mod tests;
