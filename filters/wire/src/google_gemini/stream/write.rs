//! Streams: deltas into a client's Gemini chunks.

use crate::arguments::as_object;
use crate::conversation::StopReason;
use crate::error::{ApiError, ErrorKind};
use crate::google_gemini::ORIGIN;
use crate::google_gemini::error::write_error;
use crate::google_gemini::parts::Parts;
use crate::google_gemini::response::{begin_chunk, end_chunk};
use crate::stream::{Delta, Stop};
use crate::usage::Usage;
use tollgate_kernel::json::Writer;

/// How much of calls may wait to be complete.
const MAX_WAITING_BYTES: usize = 1024 * 1024;

/// Writes one client's stream.
///
/// Google has calls whole, and its reason to stop together with the usage. So calls wait for their arguments, and a stop
/// for the usage that other formats report after it. Every chunk has a part: the official SDK's chats forget an answer
/// with a chunk without.
#[derive(Debug, Default)]
pub struct StreamWriter {
    id: String,
    model: String,
    ended: bool,
    parts: Parts,
    /// Calls not written yet, in order.
    calls: Vec<Call>,
    waiting_bytes: usize,
    usage: Option<Usage>,
    stop: Stop,
}

#[derive(Debug)]
struct Call {
    index: u32,
    id: String,
    name: String,
    arguments: String,
    signature: Option<String>,
    /// Looked at and found to be incomplete; not looked at again before the end.
    incomplete: bool,
}

impl StreamWriter {
    /// Appends to `out` the chunks that tell the client of `delta`. After [`Delta::Error`] or [`Delta::End`] nothing
    /// more is written.
    pub fn write(&mut self, delta: &Delta, out: &mut Vec<u8>) {
        if self.ended {
            return;
        }
        match delta {
            Delta::Start { id, model } => (self.id, self.model) = (id.clone(), model.clone()),
            Delta::Text(text) if !text.is_empty() => {
                self.write_complete_calls(out);
                begin(out);
                self.parts.text(text, &mut Writer::new(out));
                self.finish(None, out);
            }
            Delta::Reasoning(text) if !text.is_empty() => {
                self.write_complete_calls(out);
                begin(out);
                self.parts.thought(text, &mut Writer::new(out));
                self.finish(None, out);
            }
            Delta::Seal(seal) => {
                self.write_complete_calls(out);
                if self.parts.has_signature() {
                    begin(out);
                    self.parts.flush(&mut Writer::new(out));
                    self.finish(None, out);
                }
                self.parts.sign(seal.for_client_base64(ORIGIN));
            }
            Delta::Text(_) | Delta::Reasoning(_) | Delta::Untranslated { .. } | Delta::Aside | Delta::Seen(_) => {}
            Delta::ToolCall { index, id, name } => self.call(*index, id, name, out),
            Delta::ToolArguments { index, json } => self.arguments(*index, json, out),
            Delta::Stop(reason) => {
                self.write_calls(usize::MAX, out);
                if matches!(self.stop, Stop::Unknown) {
                    self.stop = Stop::Held(*reason);
                }
            }
            Delta::Usage(usage) => {
                self.usage = Some(*usage);
                if let Stop::Held(reason) = self.stop {
                    self.last(reason, out);
                }
            }
            Delta::Error(error) => {
                self.ended = true;
                out.extend_from_slice(b"data: ");
                out.extend_from_slice(&write_error(error));
                out.extend_from_slice(b"\n\n");
            }
            Delta::End => self.end(out),
        }
    }

    fn call(&mut self, index: u32, id: &str, name: &str, out: &mut Vec<u8>) {
        self.write_complete_calls(out);
        let signature = self.parts.replace_signature(None);
        let (id, name) = (id.to_owned(), name.to_owned());
        let call = Call { index, id, name, arguments: String::new(), signature, incomplete: false };
        let bytes = call.bytes();
        self.calls.push(call);
        self.wait(bytes, out);
    }

    fn arguments(&mut self, index: u32, json: &str, out: &mut Vec<u8>) {
        // A piece of a call that was complete and written has nothing left to say.
        if let Some(call) = self.calls.iter_mut().find(|call| call.index == index) {
            call.arguments.push_str(json);
            self.wait(json.len(), out);
        }
    }

    fn wait(&mut self, bytes: usize, out: &mut Vec<u8>) {
        self.waiting_bytes = self.waiting_bytes.saturating_add(bytes);
        if self.waiting_bytes > MAX_WAITING_BYTES {
            self.calls = Vec::new();
            let message = "the provider sent a tool call that is larger than the gateway holds";
            self.write(&Delta::Error(ApiError::new(ErrorKind::Internal, message)), out);
        }
    }

    /// Something else comes: what stands complete at the head of the calls stands before it.
    fn write_complete_calls(&mut self, out: &mut Vec<u8>) {
        let mut complete = 0_usize;
        for call in &mut self.calls {
            call.incomplete = call.incomplete || !is_complete(&call.arguments);
            if call.incomplete {
                break;
            }
            complete = complete.saturating_add(1);
        }
        self.write_calls(complete, out);
    }

    /// Writes the first `count` calls.
    fn write_calls(&mut self, count: usize, out: &mut Vec<u8>) {
        let rest = self.calls.split_off(count.min(self.calls.len()));
        for call in std::mem::replace(&mut self.calls, rest) {
            self.waiting_bytes = self.waiting_bytes.saturating_sub(call.bytes());
            begin(out);
            let of_others = self.parts.replace_signature(call.signature);
            self.parts.call(&call.id, &call.name, &call.arguments, None, &mut Writer::new(out));
            self.parts.replace_signature(of_others);
            self.finish(None, out);
        }
    }

    fn last(&mut self, reason: StopReason, out: &mut Vec<u8>) {
        self.stop = Stop::Written;
        begin(out);
        let json = &mut Writer::new(out);
        if self.parts.has_signature() {
            self.parts.flush(json);
        } else {
            json.open_object().key("text").text("");
            json.close_object();
        }
        self.finish(Some(reason), out);
    }

    /// Ends a chunk that was begun.
    fn finish(&self, stop: Option<StopReason>, out: &mut Vec<u8>) {
        let usage = self.usage.as_ref().filter(|_| stop.is_some());
        end_chunk(&self.id, &self.model, stop, usage, &mut Writer::new(out));
        out.extend_from_slice(b"\n\n");
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        self.write_calls(usize::MAX, out);
        match self.stop {
            Stop::Unknown => self.last(StopReason::End, out),
            Stop::Held(reason) => self.last(reason, out),
            Stop::Written => {}
        }
        self.ended = true;
    }
}

impl Call {
    fn bytes(&self) -> usize {
        let texts = [self.id.len(), self.name.len(), self.arguments.len(), size_of::<Self>()];
        texts.into_iter().fold(0, usize::saturating_add)
    }
}

/// Nothing at all may be the beginning of something.
fn is_complete(arguments: &str) -> bool {
    !arguments.trim().is_empty() && as_object(arguments).is_some()
}

fn begin(out: &mut Vec<u8>) {
    out.extend_from_slice(b"data: ");
    begin_chunk(&mut Writer::new(out));
}

#[cfg(test)]
mod tests;
