//! Streams: deltas into a client's Anthropic events.

use crate::anthropic_messages::arguments::Progress;
use crate::anthropic_messages::error::write_error;
use crate::anthropic_messages::response::{Content, Message, stop_reason_name, tool_input};
use crate::anthropic_messages::to_json;
use crate::anthropic_messages::usage::Written;
use crate::conversation::StopReason;
use crate::error::{ApiError, ErrorKind};
use crate::stream::Delta;
use crate::usage::Usage;
use serde::Serialize;
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
    Call { index: u32, progress: Progress },
}

/// A block that began while a call was open.
#[derive(Debug)]
enum Waiting {
    Text(String),
    Call { index: u32, id: String, name: String, arguments: String },
}

#[derive(Debug, Default)]
enum Stop {
    #[default]
    Unknown,
    Held(StopReason),
    Written,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Event<'a> {
    MessageStart { message: Message<'a> },
    ContentBlockStart { index: u32, content_block: Content<'a> },
    ContentBlockDelta { index: u32, delta: BlockDelta<'a> },
    ContentBlockStop { index: u32 },
    MessageDelta { delta: MessageDelta, usage: Written },
    MessageStop,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum BlockDelta<'a> {
    TextDelta { text: &'a str },
    InputJsonDelta { partial_json: &'a str },
}

#[derive(Serialize)]
struct MessageDelta {
    stop_reason: &'static str,
    stop_sequence: Option<&'static str>,
}

impl Event<'_> {
    const fn name(&self) -> &'static str {
        match self {
            Self::MessageStart { .. } => "message_start",
            Self::ContentBlockStart { .. } => "content_block_start",
            Self::ContentBlockDelta { .. } => "content_block_delta",
            Self::ContentBlockStop { .. } => "content_block_stop",
            Self::MessageDelta { .. } => "message_delta",
            Self::MessageStop => "message_stop",
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        write_event(self.name(), &to_json(self), out);
    }
}

fn write_event(name: &str, json: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(b"event: ");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\ndata: ");
    out.extend_from_slice(json);
    out.extend_from_slice(b"\n\n");
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
            Delta::Reasoning(_) | Delta::Seal(_) | Delta::Untranslated { .. } => {}
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
                write_event("error", &write_error(error), out);
            }
            Delta::End => self.end(out),
        }
    }

    /// Clients accept nothing before `message_start`, so what comes without a start makes one.
    fn begin(&mut self, id: &str, model: &str, out: &mut Vec<u8>) {
        if !self.begun {
            self.begun = true;
            Event::MessageStart { message: Message::begun(id, model, &self.usage) }.write(out);
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
            self.open_block(Open::Text, Content::Text { text: "" }, out);
        }
        self.block_delta(BlockDelta::TextDelta { text }, out);
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
            self.block_delta(BlockDelta::InputJsonDelta { partial_json: json }, out);
        }
    }

    fn open_call(&mut self, index: u32, id: &str, name: &str, out: &mut Vec<u8>) {
        self.close(out);
        let open = Open::Call { index, progress: Progress::default() };
        self.open_block(open, Content::ToolUse { id, name, input: tool_input("") }, out);
    }

    fn open_block(&mut self, open: Open, content_block: Content<'_>, out: &mut Vec<u8>) {
        self.begin("", "", out);
        self.open = Some(open);
        Event::ContentBlockStart { index: self.next, content_block }.write(out);
    }

    fn block_delta(&self, delta: BlockDelta<'_>, out: &mut Vec<u8>) {
        Event::ContentBlockDelta { index: self.next, delta }.write(out);
    }

    fn close(&mut self, out: &mut Vec<u8>) {
        if self.open.take().is_some() {
            Event::ContentBlockStop { index: self.next }.write(out);
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
        let delta = MessageDelta { stop_reason: stop_reason_name(reason), stop_sequence: None };
        Event::MessageDelta { delta, usage: Written::delta(&self.usage) }.write(out);
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        self.close_all(out);
        match self.stop {
            Stop::Unknown => self.message_delta(StopReason::End, out),
            Stop::Held(reason) => self.message_delta(reason, out),
            Stop::Written => {}
        }
        self.ended = true;
        Event::MessageStop.write(out);
    }
}

#[cfg(test)]
mod tests;
