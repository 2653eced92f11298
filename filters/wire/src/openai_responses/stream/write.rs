//! Streams: deltas into a client's events.

use super::items::{Item, Items, Kind, MAX_ITEMS, write_item};
use crate::conversation::StopReason;
use crate::error::{ApiError, ErrorKind};
use crate::fields::Fields;
use crate::openai_responses::item::status;
use crate::openai_responses::output::{self, Answer, COMPLETED, IN_PROGRESS, INCOMPLETE, ItemIds};
use crate::openai_responses::write_error;
use crate::signature::Seal;
use crate::stream::Delta;
use crate::usage::Usage;
use std::mem;
use tollgate_kernel::json::Writer;

/// Writes one client's stream.
#[derive(Debug, Default)]
pub struct StreamWriter {
    created: u64,
    id: String,
    model: String,
    ids: ItemIds,
    begun: bool,
    ended: bool,
    /// Number of the next event.
    sequence: u64,
    items: Items,
    usage: Option<Usage>,
    stop: Option<StopReason>,
}

impl StreamWriter {
    /// A writer at the start of a stream; see [`Writer::new`](crate::stream::Writer::new).
    #[must_use]
    pub fn new(created: u64) -> Self {
        Self { created, ..Self::default() }
    }

    /// Appends what tells the client of `delta`; see [`Writer::write`](crate::stream::Writer::write).
    pub fn write(&mut self, delta: &Delta, out: &mut Vec<u8>) {
        if self.ended {
            return;
        }
        match delta {
            Delta::Start { id, model } => self.begin(id, model, out),
            Delta::Text(text) => self.say(text, out),
            Delta::Reasoning(text) => self.think(text, out),
            Delta::Seal(seal) => self.seal(seal, out),
            Delta::Untranslated { .. } | Delta::Aside | Delta::Seen(_) => {}
            Delta::ToolCall { index, id, name } => {
                self.open(Kind::Call { index: *index, id: id.clone(), name: name.clone() }, None, out);
            }
            Delta::ToolArguments { index, json } => self.arguments(*index, json, out),
            Delta::Stop(reason) => {
                self.stop.get_or_insert(*reason);
                self.close_all(out);
            }
            Delta::Usage(usage) => self.usage = Some(*usage),
            Delta::Error(error) => self.fail(error, out),
            Delta::End => self.end(out),
        }
    }

    /// Clients accept nothing before `response.created`, so what comes without a start makes one.
    fn begin(&mut self, id: &str, model: &str, out: &mut Vec<u8>) {
        if self.begun {
            return;
        }
        self.begun = true;
        (self.id, self.model) = (id.to_owned(), model.to_owned());
        self.ids = ItemIds::new(id, self.created);
        for event in ["response.created", "response.in_progress"] {
            self.whole(event, IN_PROGRESS, None, out);
        }
    }

    /// Begins an event; its fields are to follow, and [`finish`].
    fn event<'o>(&mut self, name: &str, out: &'o mut Vec<u8>) -> Writer<'o> {
        out.extend_from_slice(b"event: ");
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b"\ndata: ");
        let mut json = Writer::new(out);
        json.open_object();
        json.key("type").text(name);
        json.key("sequence_number").number(self.sequence);
        self.sequence = self.sequence.saturating_add(1);
        json
    }

    /// Begins an event of the item at `index`.
    fn item_event<'o>(&mut self, name: &str, index: usize, out: &'o mut Vec<u8>) -> Writer<'o> {
        let mut json = self.event(name, out);
        json.key("item_id").text(self.items.all.get(index).map_or("", |item| &item.id));
        json.key("output_index").number(number(index));
        json
    }

    /// Begins an event of the text at `index`: the one part of a message, or the one summary of reasoning.
    fn part_event<'o>(&mut self, name: &str, index: usize, out: &'o mut Vec<u8>) -> Writer<'o> {
        let thinks = self.items.all.get(index).is_some_and(|item| matches!(item.kind, Kind::Reasoning { .. }));
        let mut json = self.item_event(name, index, out);
        json.key(if thinks { "summary_index" } else { "content_index" }).number(0);
        json
    }

    fn say(&mut self, text: &str, out: &mut Vec<u8>) {
        if text.is_empty() {
            return;
        }
        let index = match self.items.last_open(|kind| matches!(kind, Kind::Message)) {
            Some(index) => index,
            None => {
                let Some(index) = self.open(Kind::Message, None, out) else { return };
                let mut json = self.part_event("response.content_part.added", index, out);
                json.key("part");
                output::text_part(&mut json, "");
                finish(out);
                index
            }
        };
        let mut json = self.part_event("response.output_text.delta", index, out);
        json.key("delta").text(text);
        json.key("logprobs").open_list().close_list();
        finish(out);
        self.items.keep(index, text);
    }

    fn think(&mut self, text: &str, out: &mut Vec<u8>) {
        if text.is_empty() {
            return;
        }
        let index = match self.items.last_open(|kind| matches!(kind, Kind::Reasoning { .. })) {
            Some(index) => index,
            None => {
                let Some(index) = self.open(Kind::Reasoning { encrypted: None }, None, out) else { return };
                let mut json = self.part_event("response.reasoning_summary_part.added", index, out);
                json.key("part");
                output::summary_part(&mut json, "");
                finish(out);
                index
            }
        };
        let mut json = self.part_event("response.reasoning_summary_text.delta", index, out);
        json.key("delta").text(text);
        finish(out);
        self.items.keep(index, text);
    }

    /// A seal ends the reasoning before it, or is an item of its own.
    fn seal(&mut self, seal: &Seal, out: &mut Vec<u8>) {
        let open = self.items.last_open(|kind| matches!(kind, Kind::Reasoning { .. }));
        let (own_id, sealed) = output::sealed(seal, open.is_some());
        let opened = open.or_else(|| self.open(Kind::Reasoning { encrypted: None }, own_id, out));
        let Some(index) = opened else { return };
        self.items.seal(index, sealed);
        self.close(index, COMPLETED, out);
    }

    fn arguments(&mut self, piece_of: u32, piece: &str, out: &mut Vec<u8>) {
        // A piece of a call that is complete and done has nothing left to say.
        if let Some(index) = self.items.open_call(piece_of)
            && !piece.is_empty()
        {
            let mut json = self.item_event("response.function_call_arguments.delta", index, out);
            json.key("delta").text(piece);
            finish(out);
            self.items.keep(index, piece);
        }
    }

    /// Begins an item, which ends the one before; but a call that still waits for arguments stays open: only servers
    /// that run calls side by side begin another item then, and its pieces say which item they are of. `None` when
    /// there are too many.
    fn open(&mut self, kind: Kind, own_id: Option<&str>, out: &mut Vec<u8>) -> Option<usize> {
        self.begin("", "", out);
        let index = self.items.all.len();
        if index == MAX_ITEMS {
            self.fail(&ApiError::new(ErrorKind::Internal, "the provider sent more items than any answer has"), out);
            return None;
        }
        if !self.items.last_waits() {
            self.close(index.saturating_sub(1), COMPLETED, out);
        }
        let prefix = match &kind {
            Kind::Message => "msg",
            Kind::Reasoning { .. } => "rs",
            Kind::Call { .. } => "fc",
        };
        let id = own_id.map_or_else(|| self.ids.of(prefix, index), str::to_owned);
        let mut json = self.event("response.output_item.added", out);
        json.key("output_index").number(number(index));
        json.key("item");
        write_item(&kind, &id, "", IN_PROGRESS, &mut json);
        finish(out);
        self.items.push(kind, id);
        Some(index)
    }

    /// Says that an item is done: its text, its part, and it.
    fn close(&mut self, index: usize, status: &'static str, out: &mut Vec<u8>) {
        let Some(item) = self.items.all.get_mut(index).filter(|item| item.status.is_none()) else { return };
        item.status = Some(status);
        if item.cut {
            return;
        }
        let text = mem::take(&mut item.text);
        match &item.kind {
            Kind::Message => {
                let mut json = self.part_event("response.output_text.done", index, out);
                json.key("text").text(&text);
                json.key("logprobs").open_list().close_list();
                finish(out);
                let mut json = self.part_event("response.content_part.done", index, out);
                json.key("part");
                output::text_part(&mut json, &text);
                finish(out);
            }
            Kind::Reasoning { .. } if text.is_empty() => {}
            Kind::Reasoning { .. } => {
                let mut json = self.part_event("response.reasoning_summary_text.done", index, out);
                json.key("text").text(&text);
                finish(out);
                let mut json = self.part_event("response.reasoning_summary_part.done", index, out);
                json.key("part");
                output::summary_part(&mut json, &text);
                finish(out);
            }
            Kind::Call { .. } => {
                let mut json = self.item_event("response.function_call_arguments.done", index, out);
                json.key("arguments").text(&text);
                finish(out);
            }
        }
        let mut json = self.event("response.output_item.done", out);
        json.key("output_index").number(number(index));
        json.key("item");
        if let Some(item) = self.items.all.get_mut(index) {
            item.text = text;
            write_item(&item.kind, &item.id, &item.text, status, &mut json);
        }
        finish(out);
    }

    /// Nothing more will complete what is open. What was being said when an answer was cut short is not whole.
    fn close_all(&mut self, out: &mut Vec<u8>) {
        let is_whole = status(self.stop.unwrap_or(StopReason::End)).1.is_none();
        for index in 0..self.items.all.len() {
            // Elsewhere a call without arguments has no pieces; here its arguments are still an object.
            if let Some(Item { kind: Kind::Call { index: call, .. }, text, cut: false, status: None, .. }) =
                self.items.all.get(index)
                && is_whole
                && text.is_empty()
            {
                self.arguments(*call, "{}", out);
            }
            self.close(index, if is_whole { COMPLETED } else { INCOMPLETE }, out);
        }
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        self.begin("", "", out);
        self.close_all(out);
        self.ended = true;
        let (status, reason) = match self.stop.unwrap_or(StopReason::End) {
            // Not all of it is in the last event.
            StopReason::End | StopReason::StopSequence | StopReason::ToolUse | StopReason::Otherwise
                if self.items.full =>
            {
                status(StopReason::MaxTokens)
            }
            stop => status(stop),
        };
        let event = if reason.is_some() { "response.incomplete" } else { "response.completed" };
        self.whole(event, status, reason, out);
    }

    /// An event with the whole answer as it is so far.
    fn whole(&mut self, event: &str, status: &'static str, incomplete: Option<&'static str>, out: &mut Vec<u8>) {
        let mut json = self.event(event, out);
        json.key("response");
        let usage = self.usage.as_ref().filter(|_| self.ended);
        let (id, model, created) = (&*self.id, &*self.model, self.created);
        let answer = Answer { id, model, created, status, incomplete, usage };
        answer.begin(&mut json);
        for item in &self.items.all {
            if let Some(status) = item.status.filter(|_| !item.cut) {
                write_item(&item.kind, &item.id, &item.text, status, &mut json);
            }
        }
        answer.end(&mut json);
        finish(out);
    }

    /// OpenAI documents an error's fields in the event and sends them in an object in it. Its SDKs look for either, so
    /// both are there.
    fn fail(&mut self, error: &ApiError, out: &mut Vec<u8>) {
        self.ended = true;
        let mut json = self.event("error", out);
        json.key("message").text(&error.message);
        for (name, value) in [("code", &error.code), ("param", &error.param)] {
            match value {
                Some(value) => json.key(name).text(value),
                None => json.key(name).null(),
            }
        }
        let body = write_error(error);
        let object = str::from_utf8(&body).ok().and_then(|body| Fields::of_text(body).ok());
        if let Some(object) = object.and_then(|object| object.get("error")) {
            json.key("error").raw(object);
        }
        finish(out);
    }
}

/// Ends an event.
fn finish(out: &mut Vec<u8>) {
    out.extend_from_slice(b"}\n\n");
}

fn number(index: usize) -> u64 {
    u64::try_from(index).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
