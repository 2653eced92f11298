//! What whole messages and deltas of an answer have in common.

use crate::arguments::said;
use crate::fields::{Fields, Unreadable, list};

/// Other fields than these have no name here: audio, calls of the old kind, citations.
const KNOWN: [&str; 9] = [
    "role",
    "content",
    "refusal",
    "tool_calls",
    "reasoning_content",
    "reasoning",
    "reasoning_details",
    "extra_content",
    "name",
];

/// What the model says, and of Mistral's reasoning models what it thinks, which comes in parts of the same field.
#[derive(Debug, Default)]
pub(super) struct Said {
    pub(super) text: String,
    pub(super) thought: String,
}

impl Said {
    pub(super) fn read(message: &Fields<'_>) -> Result<Self, Unreadable> {
        let mut said = Self::default();
        match message.get("content") {
            None => {}
            Some(parts) if parts.get().starts_with('[') => {
                for part in list(parts)? {
                    said.read_part(&Fields::of_text(part.get())?)?;
                }
            }
            Some(text) => said.text = serde_json::from_str(text.get()).map_err(|_| Unreadable)?,
        }
        Ok(said)
    }

    fn read_part(&mut self, part: &Fields<'_>) -> Result<(), Unreadable> {
        self.text.push_str(&part.text("text")?.unwrap_or_default());
        if part.get("thinking").is_some() {
            for thought in part.list("thinking")? {
                self.thought.push_str(&Fields::of_text(thought.get())?.text("text")?.unwrap_or_default());
            }
        }
        Ok(())
    }
}

/// A tool call's arguments.
pub(super) fn arguments(called: &Fields<'_>) -> String {
    called.get("arguments").map(said).unwrap_or_default()
}

/// Bytes of what the model wrote that is not translated. A call of a custom tool is one: only OpenAI has them.
pub(super) fn untranslated(message: &Fields<'_>) -> usize {
    let calls = message.list("tool_calls").unwrap_or_default();
    let custom = calls.iter().filter_map(|call| custom_input(&Fields::of_text(call.get()).ok()?));
    custom.fold(unnamed(message), usize::saturating_add)
}

/// Bytes of what the model wrote in fields that have no name here.
pub(super) fn unnamed(message: &Fields<'_>) -> usize {
    let unknown = message.iter().filter(|(name, _)| !KNOWN.contains(name));
    unknown.map(|(_, value)| written(value.get())).fold(0, usize::saturating_add)
}

/// Whether a choice has more than its message.
pub(super) fn has_asides(choice: &Fields<'_>) -> bool {
    choice.says("logprobs")
}

fn written(value: &str) -> usize {
    let says = value.starts_with(['"', '{', '[']) && !matches!(value, "\"\"" | "[]" | "{}");
    if says { value.len() } else { 0 }
}

/// Bytes that a custom tool was given; `None` of a call of a function.
pub(super) fn custom_input(call: &Fields<'_>) -> Option<usize> {
    let custom = call.object("custom").ok()??;
    Some(custom.text("input").ok().flatten().map_or(0, |input| input.len()))
}

/// Bytes of an answer beside the first, which is not translated.
pub(super) fn all(message: &Fields<'_>) -> usize {
    let fields = ["content", "refusal", "tool_calls", "reasoning_content", "reasoning"];
    let known = fields.into_iter().filter_map(|name| message.get(name)).map(|value| written(value.get()));
    known.fold(unnamed(message), usize::saturating_add)
}
