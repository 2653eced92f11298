//! What servers that call themselves OpenAI-compatible do otherwise.

use schemars::JsonSchema;
use tollgate_config::object;

/// Quirks of an OpenAI-compatible server. Others need no word: usage in a chunk that still has choices, usage repeated in
/// every chunk and a stream without `[DONE]` are always understood.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, JsonSchema)]
#[schemars(deny_unknown_fields, default)]
pub struct Quirks {
    /// It knows `max_tokens` only, not `max_completion_tokens`.
    pub max_tokens: bool,
    /// It refuses `stream_options`. What its streams use is then known only if it reports it unasked.
    pub no_stream_options: bool,
}

object!(default Quirks { max_tokens, no_stream_options });
