//! Streams: deltas into a client's Anthropic events.

use crate::anthropic_messages::arguments::Progress;
use crate::anthropic_messages::error::write_error;
use crate::anthropic_messages::response::{
    stands_alone, stop_reason_name, tool_input, write_call, write_message, write_redacted, write_text, write_thinking,
};
use crate::anthropic_messages::usage::write_delta;
use crate::conversation::StopReason;
use crate::error::{ApiError, ErrorKind};
use crate::json::Json;
use crate::signature::{Origin, Seal};
use crate::stream::Delta;
use crate::usage::Usage;
use std::collections::VecDeque;

/// How much may wait for a call to be complete. Only servers that run calls side by side make anything wait.
const MAX_WAITING_BYTES: usize = 1024 * 1024;

/// Writes one client's stream.
///
/// Anthropic has one block open at a time and its stop reason and final usage in one event. So what comes while a
/// call is open and not complete waits for it, and a stop waits for the usage that other formats report after it.
#[derive(Debug, Default)]
pub struct StreamWriter {
    begun: bool,
    ended: bool,
    open: Option<Open>,
    waiting: VecDeque<Waiting>,
    waiting_bytes: usize,
    /// Content index of the next block.
    next: u32,
    usage: Usage,
    stop: Stop,
}

#[derive(Debug)]
enum Open {
    Text,
    Thinking,
    Call { index: u32, progress: Progress },
}

/// A block that began while a call was open.
#[derive(Debug)]
enum Waiting {
    Text(String),
    Thinking { text: String, seal: Option<Seal> },
    Call { index: u32, id: String, name: String, arguments: String },
}

#[derive(Debug, Default)]
enum Stop {
    #[default]
    Unknown,
    Held(StopReason),
    Written,
}

/// Begins an event; the data is open for the fields after its type.
fn begin_event<'a>(name: &str, out: &'a mut Vec<u8>) -> Json<'a> {
    begin_frame(name, out);
    let mut data = Json::new(out);
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

impl StreamWriter {
    /// Appends to `out` the events that tell the client of `delta`. After [`Delta::Error`] or [`Delta::End`] nothing
    /// more is written.
    pub fn write(&mut self, delta: &Delta, out: &mut Vec<u8>) {
        if self.ended {
            return;
        }
        match delta {
            Delta::Start { id, model } => self.begin(id, model, out),
            Delta::Text(text) => self.text(text, out),
            Delta::Reasoning(text) => self.thinking(text, out),
            Delta::Seal(seal) => self.seal(seal, out),
            Delta::Untranslated { .. } => {}
            Delta::ToolCall { index, id, name } => self.call(*index, id, name, out),
            Delta::ToolArguments { index, json } => self.arguments(*index, json, out),
            Delta::Stop(reason) => {
                self.close_all(out);
                if matches!(self.stop, Stop::Unknown) {
                    self.stop = Stop::Held(*reason);
                }
            }
            Delta::Usage(usage) => {
                self.usage = *usage;
                if let Stop::Held(reason) = self.stop {
                    self.message_delta(reason, out);
                }
            }
            Delta::Error(error) => {
                self.ended = true;
                begin_frame("error", out);
                out.extend_from_slice(&write_error(error));
                out.extend_from_slice(b"\n\n");
            }
            Delta::End => self.end(out),
        }
    }

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

    fn text(&mut self, text: &str, out: &mut Vec<u8>) {
        if text.is_empty() {
            return;
        }
        if self.is_busy() {
            match self.waiting.back_mut() {
                Some(Waiting::Text(before)) => before.push_str(text),
                _ => self.waiting.push_back(Waiting::Text(text.to_owned())),
            }
            return self.count_waiting(text.len(), out);
        }
        if !matches!(self.open, Some(Open::Text)) {
            self.close(out);
            let mut data = self.open_block(Open::Text, out);
            write_text("", &mut data);
            end_event(out);
        }
        self.block_delta("text_delta", "text", text, out);
    }

    fn thinking(&mut self, text: &str, out: &mut Vec<u8>) {
        if text.is_empty() {
            return;
        }
        if self.is_busy() {
            match self.waiting.back_mut() {
                Some(Waiting::Thinking { text: before, seal: None }) => before.push_str(text),
                _ => self.waiting.push_back(Waiting::Thinking { text: text.to_owned(), seal: None }),
            }
            return self.count_waiting(text.len(), out);
        }
        self.open_thinking(out);
        self.block_delta("thinking_delta", "thinking", text, out);
    }

    fn open_thinking(&mut self, out: &mut Vec<u8>) {
        if !matches!(self.open, Some(Open::Thinking)) {
            self.close(out);
            let mut data = self.open_block(Open::Thinking, out);
            write_thinking("", "", &mut data);
            end_event(out);
        }
    }

    /// A seal ends the thinking that it is of.
    fn seal(&mut self, seal: &Seal, out: &mut Vec<u8>) {
        if self.is_busy() {
            match self.waiting.back_mut() {
                Some(Waiting::Thinking { seal: before @ None, .. }) => *before = Some(seal.clone()),
                _ => self.waiting.push_back(Waiting::Thinking { text: String::new(), seal: Some(seal.clone()) }),
            }
            return self.count_waiting(seal.value.len().saturating_add(size_of::<Waiting>()), out);
        }
        if stands_alone(seal, matches!(self.open, Some(Open::Thinking))) {
            self.close(out);
            let mut data = self.open_block(Open::Thinking, out);
            write_redacted(seal, &mut data);
            end_event(out);
        } else {
            self.open_thinking(out);
            self.block_delta("signature_delta", "signature", &seal.for_client(Origin::Claude), out);
        }
        self.close(out);
    }

    fn call(&mut self, index: u32, id: &str, name: &str, out: &mut Vec<u8>) {
        if self.is_busy() {
            let (id, name) = (id.to_owned(), name.to_owned());
            let bytes = id.len().saturating_add(name.len()).saturating_add(size_of::<Waiting>());
            self.waiting.push_back(Waiting::Call { index, id, name, arguments: String::new() });
            self.count_waiting(bytes, out);
        } else {
            self.open_call(index, id, name, out);
        }
    }

    fn arguments(&mut self, piece_of: u32, json: &str, out: &mut Vec<u8>) {
        if matches!(self.open, Some(Open::Call { index, .. }) if index == piece_of) {
            self.open_call_goes_on(json, out);
            while !self.is_busy() && self.open_next(out) {}
            return;
        }
        let waiting = self.waiting.iter_mut().find_map(|waiting| match waiting {
            Waiting::Call { index, arguments, .. } if *index == piece_of => Some(arguments),
            _ => None,
        });
        // A piece of a call that is complete and closed has nothing left to say.
        if let Some(arguments) = waiting {
            arguments.push_str(json);
            self.count_waiting(json.len(), out);
        }
    }

    /// Whether a call is open whose arguments are not complete.
    const fn is_busy(&self) -> bool {
        matches!(&self.open, Some(Open::Call { progress, .. }) if !progress.is_complete())
    }

    fn count_waiting(&mut self, bytes: usize, out: &mut Vec<u8>) {
        self.waiting_bytes = self.waiting_bytes.saturating_add(bytes);
        if self.waiting_bytes > MAX_WAITING_BYTES {
            let message = "the provider sent too much beside a tool call that it did not complete";
            self.write(&Delta::Error(ApiError::new(ErrorKind::Internal, message)), out);
            self.waiting.clear();
        }
    }

    /// Writes the block that waited longest, `false` when none did. It stays open.
    fn open_next(&mut self, out: &mut Vec<u8>) -> bool {
        match self.waiting.pop_front() {
            Some(Waiting::Text(text)) => {
                self.close(out);
                self.text(&text, out);
            }
            Some(Waiting::Thinking { text, seal }) => {
                self.close(out);
                self.thinking(&text, out);
                if let Some(seal) = seal {
                    self.seal(&seal, out);
                }
            }
            Some(Waiting::Call { index, id, name, arguments }) => {
                self.open_call(index, &id, &name, out);
                self.open_call_goes_on(&arguments, out);
            }
            None => {
                self.waiting_bytes = 0;
                return false;
            }
        }
        true
    }

    fn open_call_goes_on(&mut self, json: &str, out: &mut Vec<u8>) {
        if let Some(Open::Call { progress, .. }) = &mut self.open
            && !json.is_empty()
        {
            progress.push(json);
            self.block_delta("input_json_delta", "partial_json", json, out);
        }
    }

    fn open_call(&mut self, index: u32, id: &str, name: &str, out: &mut Vec<u8>) {
        self.close(out);
        let open = Open::Call { index, progress: Progress::default() };
        let mut data = self.open_block(open, out);
        write_call(id, name, &tool_input(""), &mut data);
        end_event(out);
    }

    /// Begins the event that opens a block, which the caller writes.
    fn open_block<'a>(&mut self, open: Open, out: &'a mut Vec<u8>) -> Json<'a> {
        self.begin("", "", out);
        self.open = Some(open);
        let mut data = begin_event("content_block_start", out);
        data.key("index").number(self.next.into());
        data.key("content_block");
        data
    }

    fn block_delta(&self, kind: &str, field: &'static str, piece: &str, out: &mut Vec<u8>) {
        let mut data = begin_event("content_block_delta", out);
        data.key("index").number(self.next.into());
        data.key("delta").open_object();
        data.key("type").text(kind);
        data.key(field).text(piece);
        data.close_object();
        end_event(out);
    }

    fn close(&mut self, out: &mut Vec<u8>) {
        if self.open.take().is_some() {
            let mut data = begin_event("content_block_stop", out);
            data.key("index").number(self.next.into());
            end_event(out);
            self.next = self.next.saturating_add(1);
        }
    }

    /// Closes the open block and writes whole what waited behind it: nothing more will complete it.
    fn close_all(&mut self, out: &mut Vec<u8>) {
        self.close(out);
        while self.open_next(out) {
            self.close(out);
        }
    }

    fn message_delta(&mut self, reason: StopReason, out: &mut Vec<u8>) {
        self.begin("", "", out);
        self.stop = Stop::Written;
        let mut data = begin_event("message_delta", out);
        data.key("delta").open_object();
        data.key("stop_reason").text(stop_reason_name(reason));
        data.key("stop_sequence").null();
        data.close_object();
        data.key("usage");
        write_delta(&self.usage, &mut data);
        end_event(out);
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        self.close_all(out);
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

#[cfg(test)]
mod tests;
