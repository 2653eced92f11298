//! Chunks into deltas.

use crate::error::Malformed;
use crate::few::Few;
use crate::openai_chat::error::read_inner_error;
use crate::openai_chat::{Arguments, Said, made_up_id, read_finish_reason, usage};
use crate::stream::Delta;
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;

/// No answer calls this many tools; a stream that goes on opening calls is broken or hostile.
const MAX_TOOL_CALLS: usize = 1024;

/// Ids of calls are kept until their stream ends; none is this long.
const MAX_NAME_BYTES: usize = 1024;

/// Reads a provider's stream.
#[derive(Debug, Default)]
pub struct StreamReader {
    started: bool,
    stopped: bool,
    refused: bool,
    /// By order of appearance.
    calls: Vec<Call>,
}

/// A tool call that has begun, and what its further pieces are told by.
#[derive(Debug)]
struct Call {
    choice: u32,
    index: Option<u32>,
    /// As the provider gave it, empty when it gave none.
    id: String,
}

/// All is optional: compatible servers leave out, or send as `null`, whatever they have nothing to say in.
#[derive(Deserialize)]
struct ChunkIn<'a> {
    // Every chunk repeats these two; only the first one's are decoded.
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    model: Option<&'a RawValue>,
    choices: Option<Few<ChoiceIn>>,
    #[serde(borrow)]
    usage: Option<&'a RawValue>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct ChoiceIn {
    index: Option<u32>,
    delta: Option<DeltaIn>,
    finish_reason: Option<String>,
}

#[derive(Default)]
struct DeltaIn {
    content: Option<Said>,
    reasoning: Option<Said>,
    refusal: Option<String>,
    tool_calls: Option<Few<PieceIn>>,
    /// Bytes of what has no name here: audio, calls of old or custom kinds. The model wrote it all the same.
    unknown: usize,
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "snake_case")]
enum DeltaKey {
    Role,
    Content,
    /// Not OpenAI's, but many compatible servers'.
    #[serde(alias = "reasoning_content")]
    Reasoning,
    Refusal,
    ToolCalls,
    #[serde(other)]
    Unknown,
}

impl<'de> Deserialize<'de> for DeltaIn {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(DeltaVisitor)
    }
}

struct DeltaVisitor;

impl<'de> Visitor<'de> for DeltaVisitor {
    type Value = DeltaIn;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a delta")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<DeltaIn, A::Error> {
        let mut delta = DeltaIn::default();
        while let Some(key) = fields.next_key()? {
            match key {
                DeltaKey::Role => drop(fields.next_value::<IgnoredAny>()?),
                DeltaKey::Content => delta.content = fields.next_value()?,
                DeltaKey::Reasoning => delta.reasoning = fields.next_value()?,
                DeltaKey::Refusal => delta.refusal = fields.next_value()?,
                DeltaKey::ToolCalls => delta.tool_calls = fields.next_value()?,
                DeltaKey::Unknown => {
                    let value = fields.next_value::<&RawValue>()?.get();
                    let empty = matches!(value, "null" | "\"\"" | "[]" | "{}");
                    delta.unknown = delta.unknown.saturating_add(if empty { 0 } else { value.len() });
                }
            }
        }
        Ok(delta)
    }
}

#[derive(Deserialize)]
struct PieceIn {
    index: Option<u32>,
    id: Option<String>,
    function: Option<FunctionIn>,
    /// A call of a custom tool, which only OpenAI has.
    custom: Option<CustomIn>,
}

#[derive(Deserialize)]
struct CustomIn {
    input: Option<String>,
}

#[derive(Default, Deserialize)]
struct FunctionIn {
    name: Option<String>,
    #[serde(default)]
    arguments: Arguments,
}

/// A string; empty when there is none.
fn text(value: Option<&RawValue>) -> String {
    value.and_then(|value| serde_json::from_str(value.get()).ok()).unwrap_or_default()
}

impl StreamReader {
    /// A reader at the start of a stream of so many answers.
    #[must_use]
    pub fn new(_answers: u64) -> Self {
        Self::default()
    }

    /// Reads one event; see [`Reader::read`](crate::stream::Reader::read). The event's name says nothing here.
    ///
    /// # Errors
    /// When the data is not a chunk, or a piece of a tool call belongs to none.
    pub fn read(&mut self, _event: &[u8], data: &[u8], out: &mut Vec<Delta>) -> Result<(), Malformed> {
        match data.trim_ascii() {
            b"" => return Ok(()),
            b"[DONE]" => {
                out.push(Delta::End);
                return Ok(());
            }
            _ => {}
        }
        // Checked for UTF-8 as a whole: piece by piece takes longer.
        let chunk: ChunkIn<'_> = str::from_utf8(data)
            .ok()
            .and_then(|data| serde_json::from_str(data).ok())
            .ok_or_else(|| Malformed::Unreadable("an event of the stream is not a readable chunk".to_owned()))?;
        if let Some(error) = chunk.error {
            out.push(Delta::Error(read_inner_error(error)));
            return Ok(());
        }
        // A chunk without choices may come before the answer, with no id yet (Azure's prompt filter results).
        let choices = chunk.choices.unwrap_or_default().0;
        if !self.started && !choices.is_empty() {
            self.started = true;
            out.push(Delta::Start { id: text(chunk.id), model: text(chunk.model) });
        }
        let (before, of_choices) = (out.len(), !choices.is_empty());
        for choice in choices {
            self.read_choice(choice, out)?;
        }
        if let Some(usage) = usage::read(chunk.usage) {
            if of_choices && out.len() == before && self.stopped {
                out.push(Delta::Untranslated { bytes: 0 }); // no mere usage: something is told of a choice
            }
            out.push(Delta::Usage(usage));
        }
        Ok(())
    }

    fn read_choice(&mut self, choice: ChoiceIn, out: &mut Vec<Delta>) -> Result<(), Malformed> {
        let said = |text: &String| !text.is_empty();
        let delta = choice.delta.unwrap_or_default();
        let reasoned = delta.reasoning.map(|said| said.0).filter(said);
        out.extend(reasoned.map(|text| Delta::Untranslated { bytes: text.len() }));
        out.extend(delta.content.map(|said| said.0).filter(said).map(Delta::Text));
        if let Some(refusal) = delta.refusal.filter(said) {
            self.refused = true;
            out.push(Delta::Text(refusal));
        }
        for piece in delta.tool_calls.unwrap_or_default().0 {
            self.read_piece(choice.index.unwrap_or(0), piece, out)?;
        }
        if delta.unknown > 0 {
            out.push(Delta::Untranslated { bytes: delta.unknown });
        }
        // Some compatible servers send an empty reason with every chunk.
        let reason = choice.finish_reason.filter(|reason| !reason.is_empty() && !self.stopped);
        if let Some(reason) = reason {
            self.stopped = true;
            out.push(Delta::Stop(read_finish_reason(&reason, !self.calls.is_empty(), self.refused)));
        }
        Ok(())
    }

    fn read_piece(&mut self, choice: u32, piece: PieceIn, out: &mut Vec<Delta>) -> Result<(), Malformed> {
        let PieceIn { index, id, function, custom } = piece;
        if let Some(CustomIn { input }) = custom {
            out.push(Delta::Untranslated { bytes: input.map_or(0, |input| input.len()) });
            return Ok(());
        }
        let id = id.unwrap_or_default();
        let function = function.unwrap_or_default();
        let name = function.name.unwrap_or_default();
        let position = match self.find(choice, index, &id, &name) {
            Some(position) => position,
            None => self.open(Call { choice, index, id }, name, out)?,
        };
        if !function.arguments.0.is_empty() {
            let index = u32::try_from(position).unwrap_or(u32::MAX);
            out.push(Delta::ToolArguments { index, json: function.arguments.0 });
        }
        Ok(())
    }

    /// The call that a piece continues, `None` when it begins one. OpenAI sends the index with every piece and the id
    /// with the first. Others leave the index out, repeat the id in every piece, or give every call index 0 and an
    /// id of its own.
    fn find(&self, choice: u32, index: Option<u32>, id: &str, name: &str) -> Option<usize> {
        let same_call = |call: &Call| match index {
            _ if call.choice != choice => false,
            Some(_) if call.index != index => false,
            Some(_) => id.is_empty() || call.id.is_empty() || call.id == id,
            None if id.is_empty() => name.is_empty(),
            None => call.id == id,
        };
        self.calls.iter().rposition(same_call)
    }

    fn open(&mut self, call: Call, name: String, out: &mut Vec<Delta>) -> Result<usize, Malformed> {
        let position = self.calls.len();
        if name.is_empty() {
            return Err(Malformed::Unreadable("a piece of a tool call belongs to no call".to_owned()));
        }
        if call.id.len().max(name.len()) > MAX_NAME_BYTES {
            return Err(Malformed::Unreadable(format!("an id or name of more than {MAX_NAME_BYTES} bytes")));
        }
        if position >= MAX_TOOL_CALLS {
            return Err(Malformed::Unreadable(format!("more than {MAX_TOOL_CALLS} tool calls in one answer")));
        }
        let id = if call.id.is_empty() { made_up_id(position) } else { call.id.clone() };
        self.calls.push(call);
        out.push(Delta::ToolCall { index: u32::try_from(position).unwrap_or(u32::MAX), id, name });
        Ok(position)
    }
}
