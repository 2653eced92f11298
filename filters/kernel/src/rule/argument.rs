//! What an argument must be.

use super::{Fit, NotARule, Reason};
use crate::json::{self, Decimal, Kind, Place};
use crate::pattern::Patterns;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use std::borrow::Cow;
use std::ops::RangeInclusive;
use tollgate_config::{Fault, Read, Value, object};

/// What an argument must be, as it is written: a value, a text or a range. An argument that is not there is none of these.
#[derive(Debug, Clone, PartialEq, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ArgumentConfig {
    /// This.
    pub equals: Option<Scalar>,
    /// One of these.
    pub one_of: Option<Vec<Scalar>>,
    /// A string that fits one of these patterns.
    pub glob: Option<Patterns>,
    /// A number, at least this.
    pub min: Option<Number>,
    /// A number, at most this.
    pub max: Option<Number>,
    /// A string of at least so many characters.
    pub min_length: Option<usize>,
    /// A string of at most so many characters.
    pub max_length: Option<usize>,
}

object!(ArgumentConfig { equals, one_of, glob, min, max, min_length, max_length });

/// What an argument must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// One of these.
    OneOf(Vec<Scalar>),
    /// A string.
    Text {
        /// Which one of these fits.
        glob: Option<Patterns>,
        /// Of so many characters.
        length: RangeInclusive<usize>,
    },
    /// A number.
    Range {
        /// At least this.
        min: Option<Number>,
        /// At most this.
        max: Option<Number>,
    },
}

/// A string, a number or a flag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scalar {
    /// A string.
    Text(String),
    /// A number.
    Number(Number),
    /// A flag.
    Flag(bool),
}

/// A number, as JSON writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Number(String);

impl TryFrom<ArgumentConfig> for Condition {
    type Error = NotARule;

    fn try_from(config: ArgumentConfig) -> Result<Self, NotARule> {
        let ArgumentConfig { equals, one_of, glob, min, max, min_length, max_length } = config;
        let is_text = glob.is_some() || min_length.is_some() || max_length.is_some();
        let is_range = min.is_some() || max.is_some();
        let length = min_length.unwrap_or(0)..=max_length.unwrap_or(usize::MAX);
        match (equals, one_of, is_text, is_range) {
            (Some(value), None, false, false) => Ok(Self::OneOf(vec![value])),
            (None, Some(values), false, false) if !values.is_empty() => Ok(Self::OneOf(values)),
            (None, None, true, false) if !length.is_empty() => Ok(Self::Text { glob, length }),
            (None, None, false, true) => Ok(Self::Range { min, max }),
            _ => Err(NotARule::Condition),
        }
    }
}

impl Condition {
    pub(super) fn fit(&self, place: Place<'_, '_>) -> Fit {
        let value = match place {
            Place::Value(value) => value,
            Place::Absent => return Fit::No,
            Place::Unclear => return Fit::Unclear(Reason::UnclearArgument),
        };
        let fits = match self {
            Self::OneOf(scalars) => {
                let mut fits = scalars.iter().filter_map(|scalar| scalar.is(value)).peekable();
                fits.peek().is_some().then(|| fits.any(|fits| fits))
            }
            Self::Text { glob, length } => value
                .as_str()
                .map(|text| length.contains(&text.chars().count()) && glob.as_ref().is_none_or(|glob| glob.fit(&text))),
            Self::Range { min, max } => value.as_number().and_then(Decimal::of).map(|number| {
                min.as_ref().is_none_or(|min| min.decimal() <= Some(number))
                    && max.as_ref().is_none_or(|max| Some(number) <= max.decimal())
            }),
        };
        match fits {
            Some(true) => Fit::Yes,
            Some(false) => Fit::No,
            // It is of another type, and who knows what a server makes of it.
            None => Fit::Unclear(Reason::UnclearArgument),
        }
    }
}

impl Scalar {
    /// Whether `value` is the same; `None` when it is of another type.
    fn is(&self, value: json::Value<'_, '_>) -> Option<bool> {
        match (self, value.kind()) {
            (Self::Text(text), Kind::String) => value.as_str().map(|own| own == *text),
            (Self::Number(number), Kind::Number) => Some(Decimal::of(value.raw()) == number.decimal()),
            (Self::Flag(flag), Kind::Bool) => value.as_bool().map(|own| own == *flag),
            _ => None,
        }
    }
}

impl Number {
    fn of(text: &str, value: &Value<'_>) -> Result<Self, Fault> {
        let number = Decimal::of(text).map(|_| Self(text.to_owned()));
        number.ok_or_else(|| value.fault(&"a number with fewer digits is expected"))
    }

    /// INVARIANT: it is one.
    fn decimal(&self) -> Option<Decimal<'_>> {
        Decimal::of(&self.0)
    }
}

impl Read for Condition {
    fn read(value: &Value<'_>) -> Result<Self, Fault> {
        value.converted::<ArgumentConfig, _>()
    }
}

impl Read for Scalar {
    fn read(value: &Value<'_>) -> Result<Self, Fault> {
        match bool::read(value) {
            Ok(flag) => Ok(Self::Flag(flag)),
            Err(_) if value.is_text() => value.text("a string").map(Self::Text),
            Err(_) => value
                .number_text("a string, a number or a boolean")
                .and_then(|text| Number::of(text, value))
                .map(Self::Number),
        }
    }
}

impl Read for Number {
    fn read(value: &Value<'_>) -> Result<Self, Fault> {
        value.number_text("a number").and_then(|text| Self::of(text, value))
    }
}

impl JsonSchema for Condition {
    fn schema_name() -> Cow<'static, str> {
        "Condition".into()
    }

    /// As it is written.
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        ArgumentConfig::json_schema(generator)
    }
}

impl JsonSchema for Scalar {
    fn schema_name() -> Cow<'static, str> {
        "Scalar".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": ["string", "number", "boolean"]})
    }
}

impl JsonSchema for Number {
    fn schema_name() -> Cow<'static, str> {
        "Number".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "number"})
    }
}
