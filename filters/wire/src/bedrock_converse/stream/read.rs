//! Streams: a provider's Converse events into deltas.

use crate::bedrock_converse::error::error_in_stream;
use crate::bedrock_converse::reasoning;
use crate::bedrock_converse::response::{has_asides, is_servers, stop_reason};
use crate::bedrock_converse::usage::read_usage;
use crate::bytes::{decode, encode};
use crate::error::Malformed;
use crate::fields::{Fields, Unreadable};
use crate::stream::Delta;
use std::mem;

/// Blocks open at one time. Bedrock has one; models that run tool calls side by side have a few.
const MAX_OPEN: usize = 128;

/// How much of seals may be open at one time.
const MAX_SEAL_BYTES: usize = 1024 * 1024;

/// Reads one provider's stream.
#[derive(Debug, Default)]
pub struct StreamReader {
    /// Blocks that are not only text and not yet ended.
    open: Vec<Open>,
    calls: u32,
    stopped: bool,
    ended: bool,
}

/// An open block: its number, which counts all blocks, and what it is.
#[derive(Debug)]
struct Open {
    block: u64,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    /// A tool call; its number counts calls only.
    Call { index: u32, has_arguments: bool },
    /// A tool that the provider runs itself, its result, or a picture.
    Untranslated,
    /// Reasoning, whose seal may come in pieces.
    Reasoning { signature: String, redacted: Vec<u8> },
}

impl StreamReader {
    /// Reads one event. A name that ends in `Exception`, or data that is no object, is an error.
    ///
    /// # Errors
    /// When a known event cannot be read.
    pub fn read(&mut self, event: &[u8], data: &[u8], out: &mut Vec<Delta>) -> Result<(), Malformed> {
        let name = str::from_utf8(event).unwrap_or_default();
        if self.ended || matches!(name, "" | "initial-response") {
            return Ok(());
        }
        if name.ends_with("Exception") || !data.trim_ascii_start().starts_with(b"{") {
            self.ended = true;
            out.push(Delta::Error(error_in_stream(name, data)));
            return Ok(());
        }
        let fields = Fields::of_bytes(data).map_err(|Unreadable| Malformed::of("a stream event"))?;
        self.event(name, &fields, out).map_err(|Unreadable| Malformed::of("a stream event"))
    }

    fn event(&mut self, name: &str, fields: &Fields<'_>, out: &mut Vec<Delta>) -> Result<(), Unreadable> {
        out.extend(has_asides(fields).then_some(Delta::Aside));
        match name {
            "messageStart" => out.push(Delta::Start { id: String::new(), model: String::new() }),
            "contentBlockStart" => self.block_start(fields, out)?,
            "contentBlockDelta" => self.block_delta(fields, out)?,
            "contentBlockStop" => self.block_stop(number(fields)?, out),
            "messageStop" => self.stop(fields.text("stopReason")?.as_deref(), out),
            "metadata" => {
                self.stop(None, out);
                self.ended = true;
                out.extend(read_usage(fields).map(Delta::Usage));
                out.push(Delta::End);
            }
            _ => {}
        }
        Ok(())
    }

    fn block_start(&mut self, fields: &Fields<'_>, out: &mut Vec<Delta>) -> Result<(), Unreadable> {
        let block = number(fields)?;
        let Some(start) = fields.object("start")? else { return Ok(()) };
        match start.object("toolUse")? {
            Some(call) if !is_servers(&call) => {
                let index = self.calls;
                self.calls = self.calls.saturating_add(1);
                self.open(block, Kind::Call { index, has_arguments: false })?;
                let id = call.text("toolUseId")?.unwrap_or_default();
                out.push(Delta::ToolCall { index, id, name: call.text("name")?.unwrap_or_default() });
            }
            Some(_) => self.open_untranslated(block, out)?,
            None if start.get("toolResult").is_some() || start.get("image").is_some() => {
                self.open_untranslated(block, out)?;
            }
            None => {}
        }
        Ok(())
    }

    fn open_untranslated(&mut self, block: u64, out: &mut Vec<Delta>) -> Result<(), Unreadable> {
        out.extend([Delta::Untranslated { bytes: 0 }, Delta::Aside]);
        self.open(block, Kind::Untranslated)
    }

    fn open(&mut self, block: u64, kind: Kind) -> Result<(), Unreadable> {
        if self.open.len() >= MAX_OPEN || self.find(block).is_some() {
            return Err(Unreadable);
        }
        self.open.push(Open { block, kind });
        Ok(())
    }

    fn find(&mut self, block: u64) -> Option<&mut Kind> {
        self.open.iter_mut().find(|open| open.block == block).map(|open| &mut open.kind)
    }

    fn block_delta(&mut self, fields: &Fields<'_>, out: &mut Vec<Delta>) -> Result<(), Unreadable> {
        let block = number(fields)?;
        let Some(delta) = fields.object("delta")? else { return Ok(()) };
        if let Some(text) = delta.text("text")? {
            out.extend(Some(text).filter(|text| !text.is_empty()).map(Delta::Text));
        } else if let Some(input) = delta.object("toolUse")? {
            self.arguments(block, input.text("input")?.unwrap_or_default(), out);
        } else if let Some(thought) = delta.object("reasoningContent")? {
            self.reasoning(block, &thought, out)?;
        } else if let Some(other) = delta.get("toolResult").or_else(|| delta.get("image")) {
            out.push(Delta::Untranslated { bytes: other.get().len() });
        } else if delta.get("citation").is_some() {
            out.push(Delta::Aside);
        }
        Ok(())
    }

    fn arguments(&mut self, block: u64, json: String, out: &mut Vec<Delta>) {
        match self.find(block) {
            _ if json.is_empty() => {}
            Some(Kind::Call { index, has_arguments }) => {
                *has_arguments = true;
                out.push(Delta::ToolArguments { index: *index, json });
            }
            Some(_) => out.push(Delta::Untranslated { bytes: json.len() }),
            None => {}
        }
    }

    fn reasoning(&mut self, block: u64, thought: &Fields<'_>, out: &mut Vec<Delta>) -> Result<(), Unreadable> {
        if let Some(text) = thought.text("text")? {
            out.extend(Some(text).filter(|text| !text.is_empty()).map(Delta::Reasoning));
            return Ok(());
        }
        if self.find(block).is_none() {
            self.open(block, Kind::Reasoning { signature: String::new(), redacted: Vec::new() })?;
        }
        let Some(Kind::Reasoning { signature, redacted }) = self.find(block) else { return Err(Unreadable) };
        if let Some(piece) = thought.text("signature")? {
            signature.push_str(&piece);
        }
        // Each piece is base64 by itself.
        if let Some(piece) = thought.text("redactedContent")? {
            redacted.extend(decode(&piece).ok_or(Unreadable)?);
        }
        if self.seal_bytes() > MAX_SEAL_BYTES { Err(Unreadable) } else { Ok(()) }
    }

    fn seal_bytes(&self) -> usize {
        let bytes = self.open.iter().map(|open| match &open.kind {
            Kind::Reasoning { signature, redacted } => signature.len().saturating_add(redacted.len()),
            Kind::Call { .. } | Kind::Untranslated => 0,
        });
        bytes.fold(0, usize::saturating_add)
    }

    fn block_stop(&mut self, block: u64, out: &mut Vec<Delta>) {
        if let Some(at) = self.open.iter().position(|open| open.block == block) {
            end(self.open.remove(at).kind, out);
        }
    }

    fn stop(&mut self, reason: Option<&str>, out: &mut Vec<Delta>) {
        for open in mem::take(&mut self.open) {
            end(open.kind, out);
        }
        if !self.stopped {
            self.stopped = true;
            out.push(Delta::Stop(stop_reason(reason, self.calls > 0)));
        }
    }
}

/// The number of the block that an event is about.
fn number(fields: &Fields<'_>) -> Result<u64, Unreadable> {
    Ok(fields.count("contentBlockIndex")?.unwrap_or_default())
}

/// What the end of a block says.
fn end(kind: Kind, out: &mut Vec<Delta>) {
    match kind {
        // A call without arguments has no pieces here; elsewhere its arguments are still an object.
        Kind::Call { index, has_arguments: false } => {
            out.push(Delta::ToolArguments { index, json: "{}".to_owned() });
        }
        Kind::Reasoning { signature, redacted } => {
            if !signature.is_empty() {
                out.push(Delta::Seal(reasoning::signature(&signature)));
            }
            if !redacted.is_empty() {
                out.push(Delta::Seal(reasoning::redacted(&encode(&redacted))));
            }
        }
        Kind::Call { .. } | Kind::Untranslated => {}
    }
}
