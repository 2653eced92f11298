//! Streams: a provider's Anthropic events into deltas.

use crate::anthropic_messages::error::Fault;
use crate::anthropic_messages::response::{Block, Content, has_asides, seal, stop_reason};
use crate::anthropic_messages::text_of;
use crate::anthropic_messages::usage::Figures;
use crate::conversation::Part;
use crate::error::Malformed;
use crate::fields::Fields;
use crate::signature::SealKind;
use crate::stream::Delta;
use crate::usage::Usage;
use serde_json::value::RawValue;

/// Blocks open at one time. Anthropic has one; servers that run tool calls side by side have a few.
const MAX_OPEN: usize = 128;

/// Reads one provider's stream.
///
/// Usage that comes before the stop is what was used so far: `message_start` tells the input, and of the output one
/// token. Final figures come after the stop.
#[derive(Debug, Default)]
pub struct StreamReader {
    figures: Figures,
    /// Figures other than those of `message_start` have come.
    counted: bool,
    /// Calls and thinking not yet closed, by content index: other blocks have indexes too, so ours is another.
    open: Vec<(u64, Open)>,
    calls: u32,
    stopped: bool,
    ended: bool,
}

#[derive(Debug)]
enum Open {
    Call { index: u32, has_arguments: bool },
    Thinking { signature: String },
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
        let fields = Fields::of_bytes(data).map_err(|_| Malformed::of("a stream event"))?;
        let kind = text_of(&fields, "type", "a stream event")?;
        match kind.as_deref().map_or(event, str::as_bytes) {
            b"message_start" => self.message_start(&fields, out)?,
            b"content_block_start" => self.block_start(&fields, out)?,
            b"content_block_delta" => self.block_delta(&fields, out)?,
            b"content_block_stop" => self.block_stop(index(&fields, "content_block_stop")?, out),
            b"message_delta" => self.message_delta(&fields, out)?,
            b"message_stop" => self.message_stop(out),
            b"error" => {
                self.ended = true;
                out.push(Delta::Error(fields.get("error").map(Fault::read).unwrap_or_default().into_error()));
            }
            _ => {}
        }
        Ok(())
    }

    fn message_start(&mut self, event: &Fields<'_>, out: &mut Vec<Delta>) -> Result<(), Malformed> {
        const NAME: &str = "message_start";
        let (mut id, mut model) = (None, None);
        if let Some(message) = part(event, "message", NAME)? {
            (id, model) = (text_of(&message, "id", NAME)?, text_of(&message, "model", NAME)?);
            self.count(message.get("usage"));
        }
        out.push(Delta::Start { id: id.unwrap_or_default(), model: model.unwrap_or_default() });
        match self.figures.usage() {
            Some(usage) => out.push(Delta::Usage(usage)),
            None => self.see(Usage::NONE, out),
        }
        Ok(())
    }

    /// Tells what is seen now, when it is not what was seen before.
    fn see(&self, before: Usage, out: &mut Vec<Delta>) {
        let seen = self.figures.seen();
        out.extend((seen != before).then_some(Delta::Seen(seen)));
    }

    fn block_start(&mut self, event: &Fields<'_>, out: &mut Vec<Delta>) -> Result<(), Malformed> {
        const NAME: &str = "content_block_start";
        let index = index(event, NAME)?;
        let Some(block) = event.get("content_block") else { return Ok(()) };
        let block = Block::read(block)?;
        match block.kind.as_str() {
            "tool_use" => self.call(index, &block, out)?,
            "thinking" => {
                // Only one is open at a time, so that only one signature is kept.
                let thinking = self.open.iter().position(|(_, open)| matches!(open, Open::Thinking { .. }));
                if let Some(before) = thinking {
                    self.open.swap_remove(before).1.close(out);
                }
                self.open(index, Open::Thinking { signature: block.text("signature")? })?;
                // Thinking that is not shown may take long, and is a beginning all the same.
                out.push(Delta::Untranslated { bytes: 0 });
                let shown = block.text("thinking")?;
                out.extend((!shown.is_empty()).then_some(Delta::Reasoning(shown)));
            }
            _ => match block.content()? {
                Content::Part(Part::Text(text)) => out.push(Delta::Text(text)),
                Content::Part(Part::Reasoning(reasoning)) => out.extend(reasoning.seal.map(Delta::Seal)),
                Content::Untranslated { bytes } => {
                    out.push(Delta::Untranslated { bytes });
                    if block.kind == "server_tool_use" {
                        let before = self.figures.seen();
                        self.figures.count_call(&block.text("name")?);
                        self.see(before, out);
                    }
                }
                Content::Part(_) | Content::Nothing => {}
            },
        }
        Ok(())
    }

    fn call(&mut self, index: u64, block: &Block<'_>, out: &mut Vec<Delta>) -> Result<(), Malformed> {
        let call = self.calls;
        // Anthropic begins with `{}` and sends the input in pieces; some servers send all of it here.
        let input = block.input();
        self.open(index, Open::Call { index: call, has_arguments: input.is_some() })?;
        self.calls = self.calls.saturating_add(1);
        out.push(Delta::ToolCall { index: call, id: block.text("id")?, name: block.text("name")? });
        out.extend(input.map(|input| Delta::ToolArguments { index: call, json: input.to_owned() }));
        Ok(())
    }

    fn open(&mut self, index: u64, open: Open) -> Result<(), Malformed> {
        if self.open.len() >= MAX_OPEN {
            return Err(Malformed::Unreadable("more blocks are open at once than any model writes".to_owned()));
        }
        self.open.retain(|(before, _)| *before != index);
        self.open.push((index, open));
        Ok(())
    }

    fn open_at(&mut self, index: u64) -> Option<&mut Open> {
        self.open.iter_mut().find(|(open, _)| *open == index).map(|(_, open)| open)
    }

    fn block_delta(&mut self, event: &Fields<'_>, out: &mut Vec<Delta>) -> Result<(), Malformed> {
        const NAME: &str = "content_block_delta";
        let index = index(event, NAME)?;
        let Some(delta) = part(event, "delta", NAME)? else { return Ok(()) };
        let piece = |name: &str| text_of(&delta, name, NAME).map(|piece| piece.filter(|piece| !piece.is_empty()));
        match text_of(&delta, "type", NAME)?.unwrap_or_default().as_str() {
            "text_delta" => out.extend(piece("text")?.map(Delta::Text)),
            "thinking_delta" => out.extend(piece("thinking")?.map(Delta::Reasoning)),
            "signature_delta" => {
                if let (Some(Open::Thinking { signature }), Some(whole)) = (self.open_at(index), piece("signature")?) {
                    *signature = whole;
                }
            }
            "input_json_delta" => match (self.open_at(index), piece("partial_json")?) {
                (_, None) => {}
                (Some(Open::Call { index, has_arguments }), Some(json)) => {
                    *has_arguments = true;
                    out.push(Delta::ToolArguments { index: *index, json });
                }
                // Input of a block that is no call of ours: of a tool that the provider runs itself.
                (_, Some(json)) => out.push(Delta::Untranslated { bytes: json.len() }),
            },
            "citations_delta" => out.push(Delta::Aside),
            "compaction_delta" => {
                out.extend(piece("content")?.map(|summary| Delta::Untranslated { bytes: summary.len() }));
            }
            _ => {}
        }
        Ok(())
    }

    fn block_stop(&mut self, index: u64, out: &mut Vec<Delta>) {
        if let Some(at) = self.open.iter().position(|(open, _)| *open == index) {
            self.open.swap_remove(at).1.close(out);
        }
    }

    fn message_delta(&mut self, event: &Fields<'_>, out: &mut Vec<Delta>) -> Result<(), Malformed> {
        const NAME: &str = "message_delta";
        let delta = part(event, "delta", NAME)?;
        let reason = delta.as_ref().map_or(Ok(None), |delta| text_of(delta, "stop_reason", NAME))?;
        out.extend(delta.as_ref().is_some_and(has_asides).then_some(Delta::Aside));
        let counted = self.count(event.get("usage"));
        self.counted |= counted;
        if reason.is_some() && !self.stopped {
            self.stop(reason.as_deref(), out);
        } else if counted {
            out.extend(self.figures.usage().map(Delta::Usage));
        }
        Ok(())
    }

    fn message_stop(&mut self, out: &mut Vec<Delta>) {
        self.stop(None, out);
        self.ended = true;
        out.push(Delta::End);
    }

    fn stop(&mut self, reason: Option<&str>, out: &mut Vec<Delta>) {
        if !self.stopped {
            self.stopped = true;
            self.open.drain(..).for_each(|(_, open)| open.close(out));
            out.push(Delta::Stop(stop_reason(reason, self.calls > 0)));
            if self.counted {
                out.extend(self.figures.usage().map(Delta::Usage));
            }
        }
    }

    /// Whether there was something to count.
    fn count(&mut self, usage: Option<&RawValue>) -> bool {
        let Some(later) = usage.and_then(Figures::read) else { return false };
        self.figures.merge(&later);
        later.usage().is_some()
    }
}

impl Open {
    fn close(self, out: &mut Vec<Delta>) {
        match self {
            Self::Thinking { signature } => out.extend(seal(SealKind::Signature, &signature).map(Delta::Seal)),
            // A call without arguments has no pieces here; elsewhere its arguments are still an object.
            Self::Call { index, has_arguments: false } => {
                out.push(Delta::ToolArguments { index, json: "{}".to_owned() });
            }
            Self::Call { .. } => {}
        }
    }
}

/// The object that an event's type promises; left out, there is nothing in it.
fn part<'a>(event: &Fields<'a>, name: &str, what: &str) -> Result<Option<Fields<'a>>, Malformed> {
    event.object(name).map_err(|_| Malformed::of(what))
}

fn index(event: &Fields<'_>, what: &str) -> Result<u64, Malformed> {
    event.count("index").map(Option::unwrap_or_default).map_err(|_| Malformed::of(what))
}

#[cfg(test)]
mod tests;
