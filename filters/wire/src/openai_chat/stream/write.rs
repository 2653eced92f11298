//! Deltas into chunks.

use crate::error::ApiError;
use crate::openai_chat::error::write_error_object;
use crate::openai_chat::finish_reason;
use crate::openai_chat::reasoning::{Side, is_of_call, write_delta, write_extra};
use crate::openai_chat::usage::{tier_name, write as write_usage};
use crate::signature::Seal;
use crate::stream::Delta;
use crate::usage::Usage;
use tollgate_kernel::json::Writer;

/// Writes a client's stream.
#[derive(Debug)]
pub struct StreamWriter {
    include_usage: bool,
    created: u64,
    id: String,
    model: String,
    /// May be known before the answer ends and is told after it.
    usage: Option<Usage>,
    /// Which piece of reasoning comes next, and whether some of its text came.
    thought: usize,
    thinking: bool,
    /// One that may stand in the tool call that follows.
    seal: Option<Seal>,
    progress: Progress,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Progress {
    Fresh,
    Started,
    Stopped,
    Ended,
}

impl StreamWriter {
    /// A writer at the start of a stream; see [`Writer::new`](crate::stream::Writer::new).
    #[must_use]
    pub const fn new(include_usage: bool, created: u64) -> Self {
        Self {
            include_usage,
            created,
            id: String::new(),
            model: String::new(),
            usage: None,
            thought: 0,
            thinking: false,
            seal: None,
            progress: Progress::Fresh,
        }
    }

    /// Appends what tells the client of `delta`; see [`Writer::write`](crate::stream::Writer::write).
    pub fn write(&mut self, delta: &Delta, out: &mut Vec<u8>) {
        if self.progress == Progress::Ended {
            return;
        }
        if !matches!(
            delta,
            Delta::ToolCall { .. } | Delta::Usage(_) | Delta::Seen(_) | Delta::Untranslated { .. } | Delta::Aside
        ) {
            self.write_seal(out);
        }
        match delta {
            Delta::Start { id, model } => {
                self.id.clone_from(id);
                self.model.clone_from(model);
                self.start(out);
            }
            Delta::Text(text) => self.write_text(text, out),
            Delta::Reasoning(text) => {
                self.thinking = true;
                self.write_thought(text, None, out);
            }
            Delta::Seal(seal) => self.seal(seal, out),
            Delta::Untranslated { .. } | Delta::Aside | Delta::Seen(_) => {}
            Delta::ToolCall { index, id, name } => self.write_call(*index, id, name, out),
            Delta::ToolArguments { index, json } => self.write_arguments(*index, json, out),
            Delta::Stop(stop) => self.stop(finish_reason(*stop), out),
            Delta::Usage(usage) => self.usage = Some(*usage),
            Delta::Error(error) => self.fail(error, out),
            Delta::End => self.end(out),
        }
    }

    /// The first chunk names the role and says nothing.
    fn start(&mut self, out: &mut Vec<u8>) {
        if self.progress == Progress::Fresh {
            self.progress = Progress::Started;
            let json = &mut self.open_choice(out);
            json.open_object();
            json.key("role").text("assistant");
            json.key("content").text("");
            json.close_object();
            self.close_choice(None, out);
        }
    }

    fn write_text(&mut self, text: &str, out: &mut Vec<u8>) {
        self.start(out);
        let json = &mut self.open_choice(out);
        json.open_object();
        json.key("content").text(text);
        json.close_object();
        self.close_choice(None, out);
    }

    fn write_thought(&mut self, text: &str, seal: Option<&Seal>, out: &mut Vec<u8>) {
        self.start(out);
        write_delta(text, seal, self.thought, &mut self.open_choice(out));
        self.close_choice(None, out);
    }

    fn seal(&mut self, seal: &Seal, out: &mut Vec<u8>) {
        if !self.thinking && is_of_call(seal) {
            self.seal = Some(seal.clone());
        } else {
            self.write_thought("", Some(seal), out);
            self.thought = self.thought.saturating_add(1);
            self.thinking = false;
        }
    }

    /// No tool call came that the seal could stand in.
    fn write_seal(&mut self, out: &mut Vec<u8>) {
        if let Some(seal) = self.seal.take() {
            self.write_thought("", Some(&seal), out);
            self.thought = self.thought.saturating_add(1);
        }
    }

    fn write_call(&mut self, index: u32, id: &str, name: &str, out: &mut Vec<u8>) {
        self.start(out);
        let seal = self.seal.take();
        let json = &mut self.open_call(index, out);
        json.key("id").text(id);
        json.key("type").text("function");
        json.key("function").open_object();
        json.key("name").text(name);
        json.key("arguments").text("");
        json.close_object();
        write_extra(seal.as_ref(), Side::Client, json);
        self.close_call(out);
    }

    fn write_arguments(&mut self, index: u32, arguments: &str, out: &mut Vec<u8>) {
        self.start(out);
        let json = &mut self.open_call(index, out);
        json.key("function").open_object();
        json.key("arguments").text(arguments);
        json.close_object();
        self.close_call(out);
    }

    fn stop(&mut self, reason: &'static str, out: &mut Vec<u8>) {
        self.start(out);
        if self.progress < Progress::Stopped {
            self.progress = Progress::Stopped;
            let json = &mut self.open_choice(out);
            json.open_object();
            json.close_object();
            self.close_choice(Some(reason), out);
        }
    }

    fn fail(&mut self, error: &ApiError, out: &mut Vec<u8>) {
        self.progress = Progress::Ended;
        out.extend_from_slice(b"data: ");
        write_error_object(error, &mut Writer::new(out));
        out.extend_from_slice(b"\n\n");
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        if let Some(usage) = self.usage.filter(|_| self.include_usage) {
            let json = &mut self.open_chunk(out);
            json.open_list();
            json.close_list();
            json.key("usage");
            write_usage(&usage, json);
            if let Some(tier) = tier_name(usage.service_tier) {
                json.key("service_tier").text(tier);
            }
            json.close_object();
            out.extend_from_slice(b"\n\n");
        }
        self.progress = Progress::Ended;
        out.extend_from_slice(b"data: [DONE]\n\n");
    }

    /// Opens a chunk, up to the value of `choices`.
    fn open_chunk<'a>(&self, out: &'a mut Vec<u8>) -> Writer<'a> {
        out.extend_from_slice(b"data: ");
        let mut json = Writer::new(out);
        json.open_object();
        json.key("id").text(&self.id);
        json.key("object").text("chat.completion.chunk");
        json.key("created").number(self.created);
        json.key("model").text(&self.model);
        json.key("choices");
        json
    }

    /// Opens a chunk, up to the value of the choice's `delta`.
    fn open_choice<'a>(&self, out: &'a mut Vec<u8>) -> Writer<'a> {
        let mut json = self.open_chunk(out);
        json.open_list().open_object();
        json.key("index").number(0);
        json.key("delta");
        json
    }

    fn close_choice(&self, reason: Option<&str>, out: &mut Vec<u8>) {
        let json = &mut Writer::new(out);
        json.key("logprobs").null();
        json.key("finish_reason").text_or_null(reason);
        json.close_object();
        json.close_list();
        // As every chunk but the last has it when usage was asked for.
        if self.include_usage {
            json.key("usage").null();
        }
        json.close_object();
        out.extend_from_slice(b"\n\n");
    }

    /// Opens a chunk, up to the fields of a tool call that come after its index.
    fn open_call<'a>(&self, index: u32, out: &'a mut Vec<u8>) -> Writer<'a> {
        let mut json = self.open_choice(out);
        json.open_object();
        json.key("tool_calls").open_list().open_object();
        json.key("index").number(u64::from(index));
        json
    }

    fn close_call(&self, out: &mut Vec<u8>) {
        let json = &mut Writer::new(out);
        json.close_object();
        json.close_list();
        json.close_object();
        self.close_choice(None, out);
    }
}
