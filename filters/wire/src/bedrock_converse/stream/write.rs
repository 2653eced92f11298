//! Streams: deltas into a client's Converse events.

use super::frame::{self, Message};
use crate::bedrock_converse::error::exception;
use crate::bedrock_converse::reasoning;
use crate::bedrock_converse::response::stop_reason_name;
use crate::bedrock_converse::usage::write_usage;
use crate::blocks::{Blocks, Step, TooMuch};
use crate::conversation::StopReason;
use crate::error::{ApiError, ErrorKind};
use crate::stream::Delta;
use crate::usage::Usage;
use tollgate_kernel::json::Writer;

/// Writes one client's stream, in binary frames. Clients expect one block open at a time, and usage last.
#[derive(Debug, Default)]
pub struct StreamWriter {
    begun: bool,
    stopped: bool,
    ended: bool,
    blocks: Blocks,
    usage: Usage,
}

impl StreamWriter {
    /// Appends to `out` the frames that tell the client of `delta`. After [`Delta::Error`] or [`Delta::End`] nothing
    /// more is written.
    pub fn write(&mut self, delta: &Delta, out: &mut Vec<u8>) {
        if self.ended {
            return;
        }
        match delta {
            Delta::Start { .. } => self.begin(out),
            Delta::Text(_)
            | Delta::Reasoning(_)
            | Delta::Seal(_)
            | Delta::ToolCall { .. }
            | Delta::ToolArguments { .. } => self.content(delta, out),
            Delta::Untranslated { .. } | Delta::Aside | Delta::Seen(_) => {}
            Delta::Usage(usage) => self.usage = *usage,
            Delta::Stop(reason) => self.stop(*reason, out),
            Delta::Error(error) => self.error(error, out),
            Delta::End => self.end(out),
        }
    }

    /// What comes without a start makes one.
    fn begin(&mut self, out: &mut Vec<u8>) {
        if !self.begun {
            self.begun = true;
            write_event("messageStart", out, |json| json.key("role").text("assistant"));
        }
    }

    fn content(&mut self, delta: &Delta, out: &mut Vec<u8>) {
        if self.stopped {
            return;
        }
        self.begin(out);
        if let Err(TooMuch) = self.blocks.push(delta, &mut |block, step| write_step(block, step, out)) {
            self.error(&ApiError::new(ErrorKind::Internal, TooMuch::MESSAGE), out);
        }
    }

    fn stop(&mut self, reason: StopReason, out: &mut Vec<u8>) {
        if self.stopped {
            return;
        }
        self.stopped = true;
        self.begin(out);
        self.blocks.end_all(&mut |block, step| write_step(block, step, out));
        write_event("messageStop", out, |json| json.key("stopReason").text(stop_reason_name(reason)));
    }

    fn error(&mut self, error: &ApiError, out: &mut Vec<u8>) {
        self.ended = true;
        let (name, payload) = exception(error);
        frame::write(Message::Exception(name), &payload, out);
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        self.stop(StopReason::End, out);
        self.ended = true;
        let usage = self.usage;
        write_event("metadata", out, |json| write_usage(&usage, json));
    }
}

/// Blocks of text and reasoning begin with their first piece; only calls are announced.
fn write_step(block: u32, step: Step<'_>, out: &mut Vec<u8>) {
    match step {
        Step::BeginText | Step::BeginReasoning(_) => {}
        Step::BeginCall { id, name } => write_block_event("contentBlockStart", block, out, |json| {
            json.key("start").open_object().key("toolUse").open_object();
            json.key("toolUseId").text(id);
            json.key("name").text(name);
            json.close_object();
            json.close_object();
        }),
        Step::End => write_block_event("contentBlockStop", block, out, |_| {}),
        Step::Text(_) | Step::Reasoning(_) | Step::Seal { .. } | Step::Arguments(_) => {
            write_block_event("contentBlockDelta", block, out, |json| {
                json.key("delta").open_object();
                write_delta(step, json);
                json.close_object();
            });
        }
    }
}

fn write_delta(step: Step<'_>, json: &mut Writer<'_>) {
    match step {
        Step::Text(text) => return json.key("text").text(text),
        Step::Arguments(text) => json.key("toolUse").open_object().key("input").text(text),
        Step::Reasoning(text) => json.key("reasoningContent").open_object().key("text").text(text),
        Step::Seal { seal, after_text } => {
            json.key("reasoningContent").open_object();
            if reasoning::replaces(seal, after_text) {
                json.key("redactedContent").text(&reasoning::redacted_base64(seal));
            } else {
                json.key("signature").text(&reasoning::signature_text(seal));
            }
        }
        Step::BeginText | Step::BeginReasoning(_) | Step::BeginCall { .. } | Step::End => return,
    }
    json.close_object();
}

fn write_block_event(name: &'static str, block: u32, out: &mut Vec<u8>, write: impl FnOnce(&mut Writer<'_>)) {
    write_event(name, out, |json| {
        write(json);
        json.key("contentBlockIndex").number(u64::from(block));
    });
}

fn write_event(name: &'static str, out: &mut Vec<u8>, write: impl FnOnce(&mut Writer<'_>)) {
    let mut payload = Vec::new();
    let mut json = Writer::new(&mut payload);
    json.open_object();
    write(&mut json);
    json.close_object();
    frame::write(Message::Event(name), &payload, out);
}
