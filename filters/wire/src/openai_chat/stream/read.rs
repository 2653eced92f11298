//! Chunks into deltas.

use crate::error::Malformed;
use crate::openai_chat::error::read_inner_error;
use crate::openai_chat::{Arguments, Said, made_up_id, read_finish_reason, usage};
use crate::stream::Delta;
use serde::Deserialize;
use serde_json::value::RawValue;

/// No answer calls this many tools; a stream that goes on opening calls is broken or hostile.
const MAX_TOOL_CALLS: usize = 1024;

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
    choices: Option<Vec<ChoiceIn>>,
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

#[derive(Default, Deserialize)]
struct DeltaIn {
    content: Option<Said>,
    /// Not OpenAI's, but many compatible servers'.
    #[serde(alias = "reasoning")]
    reasoning_content: Option<Said>,
    refusal: Option<String>,
    tool_calls: Option<Vec<PieceIn>>,
}

#[derive(Deserialize)]
struct PieceIn {
    index: Option<u32>,
    id: Option<String>,
    function: Option<FunctionIn>,
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
        let choices = chunk.choices.unwrap_or_default();
        if !self.started && !choices.is_empty() {
            self.started = true;
            out.push(Delta::Start { id: text(chunk.id), model: text(chunk.model) });
        }
        for choice in choices {
            self.read_choice(choice, out)?;
        }
        out.extend(usage::read(chunk.usage).map(Delta::Usage));
        Ok(())
    }

    fn read_choice(&mut self, choice: ChoiceIn, out: &mut Vec<Delta>) -> Result<(), Malformed> {
        let said = |text: &String| !text.is_empty();
        let delta = choice.delta.unwrap_or_default();
        let reasoned = delta.reasoning_content.map(|said| said.0).filter(said);
        out.extend(reasoned.map(|text| Delta::Untranslated { bytes: text.len() }));
        out.extend(delta.content.map(|said| said.0).filter(said).map(Delta::Text));
        if let Some(refusal) = delta.refusal.filter(said) {
            self.refused = true;
            out.push(Delta::Text(refusal));
        }
        for piece in delta.tool_calls.into_iter().flatten() {
            self.read_piece(choice.index.unwrap_or(0), piece, out)?;
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
        let PieceIn { index, id, function } = piece;
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
        if position >= MAX_TOOL_CALLS {
            return Err(Malformed::Unreadable(format!("more than {MAX_TOOL_CALLS} tool calls in one answer")));
        }
        let id = if call.id.is_empty() { made_up_id(position) } else { call.id.clone() };
        self.calls.push(call);
        out.push(Delta::ToolCall { index: u32::try_from(position).unwrap_or(u32::MAX), id, name });
        Ok(position)
    }
}
