//! What records hold.

use schemars::JsonSchema;
use tollgate_config::object;

/// What records hold besides what is in all of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, JsonSchema)]
#[schemars(deny_unknown_fields, default)]
pub struct RecordConfig {
    /// What tools and prompts are called with, up to 4 KiB of it, and the queries of resources' addresses. `redact` applies.
    pub arguments: bool,
}

object!(default RecordConfig { arguments });
