//! Streams: deltas into a client's Anthropic events.

use crate::anthropic_messages::error::write_error;
use crate::anthropic_messages::response::{
    stop_reason_name, write_call, write_message, write_redacted, write_text, write_thinking,
};
use crate::anthropic_messages::usage::write_delta;
use crate::blocks::{Blocks, Step, TooMuch};
use crate::conversation::StopReason;
use crate::error::{ApiError, ErrorKind};
use crate::signature::Origin;
use crate::stream::{Delta, Stop};
use crate::usage::Usage;
use tollgate_kernel::json::Writer;

/// Writes one client's stream.
///
/// Anthropic has one block open at a time and its stop reason and final usage in one event. So a stop waits for the
/// usage that other formats report after it.
#[derive(Debug, Default)]
pub struct StreamWriter {
    ended: bool,
    blocks: Blocks,
    message: Message,
    stop: Stop,
}

/// The message that the blocks are of.
#[derive(Debug, Default)]
struct Message {
    begun: bool,
    usage: Usage,
}

impl StreamWriter {
    /// Appends to `out` the events that tell the client of `delta`. After [`Delta::Error`] or [`Delta::End`] nothing
    /// more is written.
    pub fn write(&mut self, delta: &Delta, out: &mut Vec<u8>) {
        if self.ended {
            return;
        }
        match delta {
            Delta::Start { id, model } => self.message.begin(id, model, out),
            Delta::Text(_)
            | Delta::Reasoning(_)
            | Delta::Seal(_)
            | Delta::ToolCall { .. }
            | Delta::ToolArguments { .. } => self.content(delta, out),
            Delta::Untranslated { .. } | Delta::Aside | Delta::Seen(_) => {}
            Delta::Stop(reason) => {
                self.end_blocks(out);
                if matches!(self.stop, Stop::Unknown) {
                    self.stop = Stop::Held(*reason);
                }
            }
            Delta::Usage(usage) => {
                self.message.usage = *usage;
                if let Stop::Held(reason) = self.stop {
                    self.message_delta(reason, out);
                }
            }
            Delta::Error(error) => self.error(error, out),
            Delta::End => self.end(out),
        }
    }

    fn content(&mut self, delta: &Delta, out: &mut Vec<u8>) {
        let Self { blocks, message, .. } = self;
        if let Err(TooMuch) = blocks.push(delta, &mut |block, step| message.write_step(block, step, out)) {
            self.error(&ApiError::new(ErrorKind::Internal, TooMuch::MESSAGE), out);
        }
    }

    fn end_blocks(&mut self, out: &mut Vec<u8>) {
        let Self { blocks, message, .. } = self;
        blocks.end_all(&mut |block, step| message.write_step(block, step, out));
    }

    fn error(&mut self, error: &ApiError, out: &mut Vec<u8>) {
        self.ended = true;
        begin_frame("error", out);
        out.extend_from_slice(&write_error(error));
        out.extend_from_slice(b"\n\n");
    }

    fn message_delta(&mut self, reason: StopReason, out: &mut Vec<u8>) {
        self.message.begin("", "", out);
        self.stop = Stop::Written;
        let mut data = begin_event("message_delta", out);
        data.key("delta").open_object();
        data.key("stop_reason").text(stop_reason_name(reason));
        data.key("stop_sequence").null();
        data.close_object();
        data.key("usage");
        write_delta(&self.message.usage, &mut data);
        end_event(out);
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        self.end_blocks(out);
        match self.stop {
            Stop::Unknown => self.message_delta(StopReason::End, out),
            Stop::Held(reason) => self.message_delta(reason, out),
            Stop::Written => {}
        }
        self.ended = true;
        begin_event("message_stop", out);
        end_event(out);
    }
}

impl Message {
    /// Clients accept nothing before `message_start`, so what comes without a start makes one.
    fn begin(&mut self, id: &str, model: &str, out: &mut Vec<u8>) {
        if !self.begun {
            self.begun = true;
            let mut data = begin_event("message_start", out);
            data.key("message");
            write_message(id, model, &[], None, &self.usage, &mut data);
            end_event(out);
        }
    }

    fn write_step(&mut self, block: u32, step: Step<'_>, out: &mut Vec<u8>) {
        match step {
            Step::Text(text) => return write_piece(block, "text_delta", "text", text, out),
            Step::Reasoning(text) => return write_piece(block, "thinking_delta", "thinking", text, out),
            Step::Arguments(json) => return write_piece(block, "input_json_delta", "partial_json", json, out),
            Step::Seal { seal, after_text } if seal.stands_alone(after_text) => return,
            Step::Seal { seal, .. } => {
                let signature = seal.for_client(Origin::Claude);
                return write_piece(block, "signature_delta", "signature", &signature, out);
            }
            Step::End => {
                begin_event("content_block_stop", out).key("index").number(block.into());
                return end_event(out);
            }
            Step::BeginText | Step::BeginReasoning(_) | Step::BeginCall { .. } => self.begin("", "", out),
        }
        let mut data = begin_event("content_block_start", out);
        data.key("index").number(block.into());
        data.key("content_block");
        match step {
            Step::BeginReasoning(Some(seal)) if seal.stands_alone(false) => write_redacted(seal, &mut data),
            Step::BeginReasoning(_) => write_thinking("", "", &mut data),
            Step::BeginCall { id, name } => write_call(id, name, "", &mut data),
            _ => write_text("", &mut data),
        }
        end_event(out);
    }
}

fn write_piece(block: u32, kind: &str, field: &str, piece: &str, out: &mut Vec<u8>) {
    let mut data = begin_event("content_block_delta", out);
    data.key("index").number(block.into());
    data.key("delta").open_object();
    data.key("type").text(kind);
    data.key(field).text(piece);
    data.close_object();
    end_event(out);
}

/// Begins an event; the data is open for the fields after its type.
fn begin_event<'a>(name: &str, out: &'a mut Vec<u8>) -> Writer<'a> {
    begin_frame(name, out);
    let mut data = Writer::new(out);
    data.open_object().key("type").text(name);
    data
}

fn end_event(out: &mut Vec<u8>) {
    out.extend_from_slice(b"}\n\n");
}

fn begin_frame(name: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(b"event: ");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\ndata: ");
}

#[cfg(test)]
mod tests;
