//! How far a server's tools are trusted.

use schemars::JsonSchema;
use tollgate_config::{Fault, Map, Read, Value, object};
use tollgate_kernel::json::Digest;

/// Which definitions of tools are approved. A tool with another one is neither shown nor called.
#[derive(Debug, Default, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Pin {
    /// By a tool's name, as its server lists it: the digest of its definition, 64 hex digits.
    #[schemars(default)]
    pub tools: Map<String, Digest>,
    /// Whether of a tool that is not in `tools` the first definition seen is approved, until Envoy restarts. If not, such a tool
    /// is neither shown nor called.
    #[schemars(default)]
    pub first_use: bool,
    /// Whether nothing is hidden or refused, and records only say what would be.
    #[schemars(default)]
    pub shadow: bool,
}

object!(Pin { tools = Map::default(), first_use = false, shadow = false });

impl Pin {
    pub(super) fn check(&self) -> Result<(), String> {
        if self.tools.iter().next().is_none() && !self.first_use {
            return Err("found neither `tools` nor `first_use: true`, so that no tool could be called".to_owned());
        }
        Ok(())
    }
}

/// What becomes of a tool whose definition speaks to the model behind the user's back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, JsonSchema)]
#[schemars(rename_all = "lowercase")]
pub enum Lint {
    /// Nobody looks.
    None,
    /// Log, record and a counter say so.
    #[default]
    Warn,
    /// It is neither shown nor called either, unless its digest is in `pin.tools`.
    Hide,
}

impl Read for Lint {
    fn read(value: &Value<'_>) -> Result<Self, Fault> {
        value.one_of("enum Lint", &[("none", Self::None), ("warn", Self::Warn), ("hide", Self::Hide)])
    }
}
