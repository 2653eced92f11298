//! Redaction as it is written.

use super::{Glob, Redactor};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use std::borrow::Cow;
use std::fmt;
use tollgate_config::{Fault, Read, Value, object};

/// What is replaced by `[redacted:..]`, and where.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct RedactConfig {
    /// What is known by its form.
    #[schemars(default)]
    pub patterns: Vec<Known>,
    /// Texts of one's own, up to 64. `*` stands for letters, digits, `-` and `_`: `EMP-*`.
    #[schemars(default, length(max = 64))]
    pub also: Vec<Glob>,
    /// Where: in records, in what servers answer, or both. Default: `[records]`.
    #[schemars(rename = "in", default = "records", length(min = 1))]
    pub places: Vec<Where>,
}

object!(RedactConfig { patterns = Vec::new(), also = Vec::new(), places as "in" = records() });

fn records() -> Vec<Where> {
    vec![Where::Records]
}

/// What is known by its form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum Known {
    /// Keys of APIs, by what the large providers let them begin with; Tollgate's own; JSON Web Tokens; private keys in PEM.
    Keys,
    /// Numbers of payment cards: 13 to 19 digits with a check digit that is right, spaces or `-` between them.
    CardNumbers,
    /// Addresses of e-mail.
    Email,
}

/// Where something is replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum Where {
    /// In the gate's own records.
    Records,
    /// In what servers answer, before clients read it.
    Results,
}

/// A configuration that replaces nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotRedacting {
    /// Neither `patterns` nor `also` names something.
    Nothing,
    /// `in` names no place.
    Nowhere,
    /// More than 64 in `also`: each is looked for at every byte.
    TooMany,
}

const MAX_ALSO: usize = 64;

impl Known {
    /// All.
    pub const ALL: [Self; 3] = [Self::Keys, Self::CardNumbers, Self::Email];

    /// Its name, in configurations and in what replaces it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Keys => "keys",
            Self::CardNumbers => "card_numbers",
            Self::Email => "email",
        }
    }
}

impl TryFrom<RedactConfig> for Redactor {
    type Error = NotRedacting;

    fn try_from(config: RedactConfig) -> Result<Self, NotRedacting> {
        let RedactConfig { patterns, also, places } = config;
        if patterns.is_empty() && also.is_empty() {
            return Err(NotRedacting::Nothing);
        }
        if places.is_empty() {
            return Err(NotRedacting::Nowhere);
        }
        if also.len() > MAX_ALSO {
            return Err(NotRedacting::TooMany);
        }
        // In one order, so that what is replaced does not depend on how it is written.
        let known = Known::ALL.into_iter().filter(|known| patterns.contains(known)).collect();
        Ok(Self { known, also, places })
    }
}

impl Read for Redactor {
    fn read(value: &Value<'_>) -> Result<Self, Fault> {
        value.converted::<RedactConfig, _>()
    }
}

impl Read for Known {
    fn read(value: &Value<'_>) -> Result<Self, Fault> {
        value.one_of("enum Known", &Self::ALL.map(|known| (known.name(), known)))
    }
}

impl Read for Where {
    fn read(value: &Value<'_>) -> Result<Self, Fault> {
        value.one_of("enum Where", &[("records", Self::Records), ("results", Self::Results)])
    }
}

impl JsonSchema for Redactor {
    fn schema_name() -> Cow<'static, str> {
        "Redactor".into()
    }

    /// As it is written.
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        RedactConfig::json_schema(generator)
    }
}

impl fmt::Display for NotRedacting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nothing => "`patterns` or `also` must name what is redacted",
            Self::Nowhere => "`in` must name `records` or `results`",
            Self::TooMany => "`also` must have at most 64 entries",
        })
    }
}

impl std::error::Error for NotRedacting {}
