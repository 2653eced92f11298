//! When an agent counts as lost.

use crate::rule::Within;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use std::borrow::Cow;
use std::fmt;
use tollgate_config::{Fault, Read, Value, object};

/// When an agent counts as lost, as it is written.
#[derive(Debug, Clone, Copy, PartialEq, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct RunawayConfig {
    /// The same call with the same arguments, again and again.
    pub repeats: Option<RepeatsConfig>,
    /// Calls that fail, one after the other.
    pub errors: Option<ErrorsConfig>,
}

/// How often the same call may be made.
#[derive(Debug, Clone, Copy, PartialEq, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct RepeatsConfig {
    /// So many times ..
    #[schemars(range(min = 1))]
    pub times: u32,
    /// .. within so long.
    pub within: Within,
}

/// How many calls in a row may fail.
#[derive(Debug, Clone, Copy, PartialEq, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ErrorsConfig {
    /// When so many have failed ..
    #[schemars(range(min = 2))]
    pub streak: u32,
    /// .. none is made for so long.
    pub rest: Within,
}

object!(RunawayConfig { repeats, errors });
object!(RepeatsConfig { times, within });
object!(ErrorsConfig { streak, rest });

/// When an agent counts as lost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Runaway {
    /// The same call, again and again.
    pub repeats: Option<Repeats>,
    /// Failures, one after the other.
    pub errors: Option<Errors>,
}

/// How often the same call may be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Repeats {
    /// So many times.
    pub times: u32,
    /// Within so many milliseconds.
    pub within_ms: u64,
}

/// How many calls in a row may fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Errors {
    /// So many.
    pub streak: u32,
    /// Then none is made for so many milliseconds.
    pub rest_ms: u64,
}

/// Why something is no [`Runaway`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotRunaway {
    /// Not even once.
    Times,
    /// The first failure.
    Streak,
}

impl TryFrom<RunawayConfig> for Runaway {
    type Error = NotRunaway;

    fn try_from(config: RunawayConfig) -> Result<Self, NotRunaway> {
        let millis = |within: Within| within.seconds.saturating_mul(1000);
        let repeats = config.repeats.map(|RepeatsConfig { times, within }| match times {
            0 => Err(NotRunaway::Times),
            times => Ok(Repeats { times, within_ms: millis(within) }),
        });
        let errors = config.errors.map(|ErrorsConfig { streak, rest }| match streak {
            0 | 1 => Err(NotRunaway::Streak),
            streak => Ok(Errors { streak, rest_ms: millis(rest) }),
        });
        Ok(Self { repeats: repeats.transpose()?, errors: errors.transpose()? })
    }
}

impl JsonSchema for Runaway {
    fn schema_name() -> Cow<'static, str> {
        "Runaway".into()
    }

    /// As it is written.
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        RunawayConfig::json_schema(generator)
    }
}

impl Read for Runaway {
    fn read(value: &Value<'_>) -> Result<Self, Fault> {
        value.converted::<RunawayConfig, _>()
    }
}

impl fmt::Display for NotRunaway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Times => "`repeats.times` must be 1 or more",
            Self::Streak => "`errors.streak` must be 2 or more",
        })
    }
}

impl std::error::Error for NotRunaway {}
