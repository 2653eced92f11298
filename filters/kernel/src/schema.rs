//! JSON Schema, as tools describe their arguments and results with it.
//!
//! It is draft 2020-12, and of older drafts what is still sent: `definitions`, `dependencies`, `items` with a list,
//! `additionalItems`. `format`, `contentMediaType` and whatever is unknown say nothing about a value, as the standard has it.
//! `pattern` is ECMA-262 without back references and `\p{..}`.
//!
//! A schema comes from a server, so it is not trusted either. What cannot be followed to the letter is [`Unsupported`] as a
//! whole: references to other documents, `$dynamicRef`, `$recursiveRef`, other dialects, a keyword whose value is none of its own,
//! and references that go in circles. A check is bounded by [`Limits::steps`]: where they do not suffice, a value is not valid.

mod array;
mod budget;
mod by_itself;
mod check;
mod compile;
mod keyword;
mod object;
mod reference;
mod regex;
mod unsupported;
mod violation;

pub use unsupported::{Unsupported, Why};
pub use violation::{Invalid, Violation};

use crate::json::Value;
use regex::Regex;
use std::fmt;

/// How much a schema may be, and a check of a value with it.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Schemas in it.
    pub schemas: usize,
    /// Steps of a check: a value with one schema, an instruction of a pattern with one character.
    pub steps: u32,
}

/// A schema, ready to check values.
pub struct Schema {
    /// What refers to another refers to its place here. The first is the one that was asked for.
    nodes: Vec<Node>,
    steps: u32,
}

/// The place of a schema among all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Id(usize);

/// All that a value must be.
#[derive(Default)]
struct Node {
    checks: Vec<Check>,
    /// Of what no other check has looked at.
    unevaluated_properties: Option<Id>,
    unevaluated_items: Option<Id>,
}

enum Check {
    /// `false`.
    Never,
    Type(Types),
    /// Values in the spelling that the same values have. One value if it is `const`.
    OneOf {
        values: Vec<String>,
        keyword: &'static str,
    },
    /// How it compares with a number.
    Bound {
        keyword: &'static str,
        bound: String,
    },
    MultipleOf(String),
    Size {
        keyword: &'static str,
        of: Counted,
        bound: usize,
    },
    Pattern(Regex),
    Unique,
    Required(Vec<String>),
    Properties(Properties),
    Names(Id),
    DependentRequired(Vec<(String, Vec<String>)>),
    DependentSchemas(Vec<(String, Id)>),
    Items {
        first: Vec<Id>,
        others: Option<Id>,
    },
    Contains {
        what: Id,
        least: usize,
        most: Option<usize>,
    },
    All(Vec<Id>),
    Any(Vec<Id>),
    ExactlyOne(Vec<Id>),
    Not(Id),
    If {
        condition: Id,
        then: Option<Id>,
        otherwise: Option<Id>,
    },
    Reference(Id),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Counted {
    Characters,
    Items,
    Properties,
}

/// `properties`, `patternProperties` and `additionalProperties`.
#[derive(Default)]
struct Properties {
    /// By name, in order.
    named: Vec<(String, Id)>,
    patterns: Vec<(Regex, Id)>,
    others: Option<Id>,
}

/// A set of types.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Types(u8);

impl Limits {
    /// More than any tool needs: a check of a megabyte of arguments takes a tenth of these steps.
    pub const USUAL: Self = Self { schemas: 4096, steps: 1 << 20 };
}

impl Schema {
    /// The schema that `value` is.
    ///
    /// # Errors
    /// When it is none, or has what is not supported.
    pub fn compile(value: Value<'_, '_>, limits: Limits) -> Result<Self, Unsupported> {
        compile::compile(value, limits)
    }

    /// Whether `value` is valid.
    ///
    /// # Errors
    /// What is wrong with it, or that it takes too much to find out.
    pub fn check(&self, value: Value<'_, '_>) -> Result<(), Invalid> {
        check::check(self, value)
    }
}

impl fmt::Debug for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Schema({})", self.nodes.len())
    }
}

#[cfg(test)]
mod tests;
