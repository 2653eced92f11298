//! Streams: a provider's Anthropic events into deltas.

use crate::anthropic_messages::error::Fault;
use crate::anthropic_messages::response::{Block, stop_reason};
use crate::anthropic_messages::unreadable;
use crate::anthropic_messages::usage::Figures;
use crate::error::Malformed;
use crate::stream::Delta;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// Blocks open at one time. Anthropic has one; servers that run tool calls side by side have a few.
const MAX_OPEN_CALLS: usize = 128;

/// Reads one provider's stream.
#[derive(Debug, Default)]
pub struct StreamReader {
    figures: Figures,
    /// Tool calls not yet closed, by content index: other blocks have indexes too, so ours is another.
    open: BTreeMap<u64, OpenCall>,
    calls: u32,
    stopped: bool,
    ended: bool,
}

#[derive(Debug)]
struct OpenCall {
    index: u32,
    has_arguments: bool,
}

/// One event. The parts stay text until the type says that they matter, so an unknown event may hold anything.
#[derive(Debug, Deserialize)]
struct Event<'a> {
    #[serde(rename = "type")]
    kind: Option<String>,
    index: Option<u64>,
    #[serde(borrow)]
    message: Option<&'a RawValue>,
    #[serde(borrow)]
    content_block: Option<&'a RawValue>,
    #[serde(borrow)]
    delta: Option<&'a RawValue>,
    #[serde(borrow)]
    usage: Option<&'a RawValue>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Begun {
    id: Option<String>,
    model: Option<String>,
    usage: Option<Figures>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct BlockDelta {
    #[serde(rename = "type")]
    kind: String,
    text: Option<String>,
    thinking: Option<String>,
    partial_json: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct MessageDelta {
    stop_reason: Option<String>,
}

impl StreamReader {
    /// Reads one event. The `type` in the data decides; the event's name counts only where that is missing, because
    /// compatible servers leave out the one or the other.
    ///
    /// # Errors
    /// When a known event cannot be read.
    pub fn read(&mut self, event: &[u8], data: &[u8], out: &mut Vec<Delta>) -> Result<(), Malformed> {
        if self.ended || data.trim_ascii().is_empty() {
            return Ok(());
        }
        let parts: Event<'_> = serde_json::from_slice(data).map_err(|cause| unreadable("a stream event", &cause))?;
        match parts.kind.as_deref().map_or(event, str::as_bytes) {
            b"message_start" => self.message_start(part(parts.message, "message_start")?, out),
            b"content_block_start" => {
                self.block_start(parts.index, part(parts.content_block, "content_block_start")?, out)?;
            }
            b"content_block_delta" => self.block_delta(parts.index, part(parts.delta, "content_block_delta")?, out),
            b"content_block_stop" => self.block_stop(parts.index, out),
            b"message_delta" => {
                self.message_delta(&part(parts.delta, "message_delta")?, part(parts.usage, "message_delta")?, out);
            }
            b"message_stop" => self.message_stop(out),
            b"error" => {
                self.ended = true;
                out.push(Delta::Error(part::<Fault>(parts.error, "error")?.into_error()));
            }
            _ => {}
        }
        Ok(())
    }

    fn message_start(&mut self, begun: Begun, out: &mut Vec<Delta>) {
        out.push(Delta::Start { id: begun.id.unwrap_or_default(), model: begun.model.unwrap_or_default() });
        self.count(begun.usage, out);
    }

    fn block_start(&mut self, index: Option<u64>, block: Block<'_>, out: &mut Vec<Delta>) -> Result<(), Malformed> {
        match block.kind.as_str() {
            "text" => out.extend(block.text.filter(|text| !text.is_empty()).map(Delta::Text)),
            "tool_use" => {
                if self.open.len() >= MAX_OPEN_CALLS {
                    return Err(Malformed::Unreadable(
                        "more tool calls are open at once than any model makes".to_owned(),
                    ));
                }
                let call = self.calls;
                self.calls = self.calls.saturating_add(1);
                // Anthropic begins with `{}` and sends the input in pieces; some servers send all of it here.
                let input = block.input.map(RawValue::get).filter(|input| has_fields(input));
                let open = OpenCall { index: call, has_arguments: input.is_some() };
                self.open.insert(index.unwrap_or_default(), open);
                out.push(Delta::ToolCall {
                    index: call,
                    id: block.id.unwrap_or_default(),
                    name: block.name.unwrap_or_default(),
                });
                out.extend(input.map(|input| Delta::ToolArguments { index: call, json: input.to_owned() }));
            }
            _ => out.push(Delta::Untranslated { bytes: 0 }),
        }
        Ok(())
    }

    fn block_delta(&mut self, index: Option<u64>, delta: BlockDelta, out: &mut Vec<Delta>) {
        let said = |piece: &String| !piece.is_empty();
        match delta.kind.as_str() {
            "text_delta" => out.extend(delta.text.filter(said).map(Delta::Text)),
            "thinking_delta" => {
                out.extend(delta.thinking.filter(said).map(|text| Delta::Untranslated { bytes: text.len() }));
            }
            "input_json_delta" => {
                // Input of a block that is no call of ours (a server's own tool) means nothing here.
                if let Some(call) = self.open.get_mut(&index.unwrap_or_default())
                    && let Some(json) = delta.partial_json.filter(said)
                {
                    call.has_arguments = true;
                    out.push(Delta::ToolArguments { index: call.index, json });
                }
            }
            _ => {}
        }
    }

    fn block_stop(&mut self, index: Option<u64>, out: &mut Vec<Delta>) {
        // A call without arguments has no pieces here; elsewhere its arguments are still an object.
        if let Some(call) = self.open.remove(&index.unwrap_or_default()).filter(|call| !call.has_arguments) {
            out.push(Delta::ToolArguments { index: call.index, json: "{}".to_owned() });
        }
    }

    fn message_delta(&mut self, delta: &MessageDelta, usage: Option<Figures>, out: &mut Vec<Delta>) {
        if delta.stop_reason.is_some() {
            self.stop(delta.stop_reason.as_deref(), out);
        }
        self.count(usage, out);
    }

    fn message_stop(&mut self, out: &mut Vec<Delta>) {
        self.stop(None, out);
        self.ended = true;
        out.push(Delta::End);
    }

    fn stop(&mut self, reason: Option<&str>, out: &mut Vec<Delta>) {
        if !self.stopped {
            self.stopped = true;
            out.push(Delta::Stop(stop_reason(reason, self.calls > 0)));
        }
    }

    fn count(&mut self, later: Option<Figures>, out: &mut Vec<Delta>) {
        if let Some(later) = later {
            self.figures.merge(&later);
            out.extend(self.figures.usage().map(Delta::Usage));
        }
    }
}

/// The part of an event that its type promises; left out, it is empty.
fn part<'a, T: Deserialize<'a> + Default>(part: Option<&'a RawValue>, event: &str) -> Result<T, Malformed> {
    part.map_or_else(
        || Ok(T::default()),
        |part| serde_json::from_str(part.get()).map_err(|cause| unreadable(event, &cause)),
    )
}

fn has_fields(object: &str) -> bool {
    object.strip_prefix('{').is_some_and(|rest| !rest.trim_start().starts_with('}'))
}

#[cfg(test)]
mod tests;
