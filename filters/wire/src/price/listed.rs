//! A price, and who says so.

use super::Price;
use super::table::TABLE_VERSION;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use std::borrow::Cow;
use tollgate_config::{Fault, Read, Value};

/// A price as a target has it: of the configuration, or of the shipped table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The price.
    pub price: Price,
    /// Who says so.
    pub source: PriceSource,
}

/// Where a price stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PriceSource {
    /// In the configuration.
    Config,
    /// In the shipped table.
    Table,
}

impl PriceSource {
    /// The word in records: which table, in case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Config => "config",
            Self::Table => TABLE_VERSION,
        }
    }
}

/// What is read comes from a configuration.
impl Read for Listed {
    fn read(value: &Value<'_>) -> Result<Self, Fault> {
        Price::read(value).map(|price| Self { price, source: PriceSource::Config })
    }
}

impl JsonSchema for Listed {
    fn schema_name() -> Cow<'static, str> {
        Price::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Price::json_schema(generator)
    }
}
