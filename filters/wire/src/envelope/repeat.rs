//! Whether a request, asked again, may be given the same answer again.

use super::scan::Fields;
use crate::fields::is_nothing;
use serde_json::value::RawValue;

/// What decides whether the same answer may be given again, as far as the request says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Repeat {
    /// Whether it asks for the likeliest answer, a temperature of 0; `None` when it does not say.
    pub likeliest: Option<bool>,
    /// The model may call tools, or the provider does: what these find changes.
    pub tools: bool,
    /// It begins with, or leaves behind, what is kept at the provider.
    pub kept_at_provider: bool,
    /// The provider adds to it what it keeps: so much that nobody here knows.
    pub continued: bool,
}

/// Fields by which a model has tools.
const TOOLS: [&str; 5] = ["tools", "functions", "web_search_options", "mcp_servers", "toolConfig"];

/// Shall it be kept at the provider?
const STORE: &str = "store";

/// Fields by which a request goes on from what is kept at a provider.
const CONTINUED: [&str; 7] = [
    "previous_response_id",
    "conversation",
    "prompt",
    "container",
    "cachedContent",
    "cached_content",
    "promptVariables",
];

impl Repeat {
    /// What a body says.
    pub(super) fn of(fields: &Fields<'_>) -> Self {
        let says = |name: &&str| fields.value(name).is_some_and(|value| !is_nothing(value));
        let (tools, continued) = (TOOLS.iter().any(says), CONTINUED.iter().any(says));
        let mut repeat = Self { tools, continued, kept_at_provider: continued || says(&STORE), likeliest: None };
        repeat.note(fields);
        repeat
    }

    /// Notes the temperature that stands in an object. Where several have one, who knows which counts.
    pub(super) fn note(&mut self, fields: &Fields<'_>) {
        if let Some(temperature) = fields.value("temperature").filter(|value| value.get() != "null") {
            self.likeliest = Some(self.likeliest.unwrap_or(true) && is_zero(temperature));
        }
    }
}

fn is_zero(value: &RawValue) -> bool {
    serde_json::from_str(value.get()).is_ok_and(|number: f64| number == 0.0)
}
