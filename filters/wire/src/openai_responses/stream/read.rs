//! Streams: a provider's events into deltas.

use crate::arguments;
use crate::conversation::StopReason;
use crate::error::Malformed;
use crate::fields::{Fields, Unreadable};
use crate::openai_responses::error::of_object;
use crate::openai_responses::item::{Item, PARAGRAPH, Said, has_asides, stop_reason};
use crate::openai_responses::malformed;
use crate::openai_responses::response::Told;
use crate::openai_responses::usage::Calls;
use crate::stream::Delta;
use crate::usage::Usage;
use serde_json::value::RawValue;
use std::mem;

/// No answer has more items; a stream that goes on beginning some is broken or hostile.
const MAX_ITEMS: usize = 4096;

/// Reads one provider's stream.
///
/// Everything is said several times: in pieces, whole when a text is done, in its item, and in the last event.
/// Compatible servers leave out the one or the other. So it is kept which texts were told, and each is told from the
/// first event that has it.
#[derive(Debug, Default)]
pub struct StreamReader {
    started: bool,
    ended: bool,
    refused: bool,
    calls: u32,
    /// Tools that the provider ran itself.
    hosted: Calls,
    /// What was told before the figures.
    seen: Usage,
    slots: Vec<Slot>,
}

/// What was told of one item.
#[derive(Debug, Default)]
struct Slot {
    output_index: u64,
    /// Which parts of its content were told; no message has 64.
    content: u64,
    /// Which parts of its summary.
    summary: u64,
    /// The part of its reasoning that was told last.
    thought: Option<(bool, u64)>,
    /// Its number, where it is a call.
    call: Option<u32>,
    has_arguments: bool,
    /// Bytes told of what is not translated.
    untranslated: usize,
    /// Itself, where it is a call of a tool that the provider runs.
    begun: Calls,
    done: bool,
}

/// An event's fields. What they hold is read only where its type says that they matter, so an unknown event may hold
/// anything.
type Event<'a> = Fields<'a>;

impl StreamReader {
    /// Reads one event; see [`Reader::read`](crate::stream::Reader::read). The `type` in the data decides; the event's
    /// name counts only where that is missing.
    ///
    /// # Errors
    /// When an event cannot be read, or there are too many items.
    pub fn read(&mut self, event: &[u8], data: &[u8], out: &mut Vec<Delta>) -> Result<(), Malformed> {
        let data = data.trim_ascii();
        if self.ended || data.is_empty() {
            return Ok(());
        }
        // Not OpenAI's, but some compatible servers end every stream so.
        if data == b"[DONE]" {
            self.stop("", None, out);
            out.push(Delta::End);
            return Ok(());
        }
        let data = str::from_utf8(data).map_err(|_| malformed(Unreadable))?;
        let fields = Fields::of_text(data).map_err(malformed)?;
        let kind = fields.text("type").map_err(malformed)?;
        let kind = kind.unwrap_or_else(|| String::from_utf8_lossy(event).into_owned());
        if let Some(name) = kind.strip_prefix("response.") {
            return self.read_event(name, &fields, out).map_err(malformed);
        }
        let inner = fields.get("error");
        if kind == "error" || inner.is_some() {
            self.ended = true;
            // The fields stand in an object, or as documented in the event itself.
            out.push(Delta::Error(of_object(inner.map_or(data, RawValue::get))));
        }
        Ok(())
    }

    fn read_event(&mut self, name: &str, event: &Event<'_>, out: &mut Vec<Delta>) -> Result<(), Unreadable> {
        match name {
            "created" | "in_progress" | "queued" => self.start(&told(event)?, out),
            "completed" | "incomplete" | "failed" | "cancelled" => self.end(name, &told(event)?, out),
            "output_item.added" => self.item_added(event, out),
            "output_item.done" => match event.get("item") {
                Some(item) => self.tell(index(event)?, &Item::read(item)?, out),
                None => Ok(()),
            },
            "output_text.delta" | "output_text.done" | "refusal.delta" | "refusal.done" => self.say(event, name, out),
            "reasoning_summary_text.delta"
            | "reasoning_summary_text.done"
            | "reasoning_text.delta"
            | "reasoning_text.done" => self.think(event, name, out),
            "function_call_arguments.delta" | "function_call_arguments.done" => self.argue(event, out),
            "output_text.annotation.added" => {
                out.push(Delta::Aside);
                Ok(())
            }
            // They frame what the events above say.
            "content_part.added" | "content_part.done" => Ok(()),
            "reasoning_summary_part.added" | "reasoning_summary_part.done" => Ok(()),
            _ => self.untranslated(name, event, out),
        }
    }

    fn start(&mut self, told: &Told<'_>, out: &mut Vec<Delta>) -> Result<(), Unreadable> {
        if !self.started {
            self.started = true;
            out.push(Delta::Start { id: told.text("id")?, model: told.text("model")? });
        }
        self.see(told.seen(self.all_hosted()), out);
        Ok(())
    }

    /// Calls that are done, and such as were begun: a client that leaves before they are done owes them too.
    fn all_hosted(&self) -> Calls {
        let begun = self.slots.iter().filter(|slot| !slot.done).map(|slot| slot.begun);
        begun.fold(self.hosted, Calls::and)
    }

    fn see_calls(&mut self, out: &mut Vec<Delta>) {
        let service_tier = self.seen.service_tier;
        self.see(Usage { service_tier, ..self.all_hosted().usage() }, out);
    }

    fn see(&mut self, seen: Usage, out: &mut Vec<Delta>) {
        if mem::replace(&mut self.seen, seen) != seen {
            out.push(Delta::Seen(seen));
        }
    }

    /// The item at an index. Where the one there is done, `goes_on` means another: servers that do not count items give
    /// each the index 0.
    fn slot(&mut self, output_index: u64, goes_on: bool) -> Result<&mut Slot, Unreadable> {
        let found = self.slots.iter().rposition(|slot| slot.output_index == output_index && !(slot.done && goes_on));
        let index = match found {
            Some(index) => index,
            None if self.slots.len() < MAX_ITEMS => {
                self.slots.push(Slot { output_index, ..Slot::default() });
                self.slots.len().saturating_sub(1)
            }
            None => return Err(Unreadable),
        };
        self.slots.get_mut(index).ok_or(Unreadable)
    }

    fn item_added(&mut self, event: &Event<'_>, out: &mut Vec<Delta>) -> Result<(), Unreadable> {
        let Some(item) = event.get("item") else { return Ok(()) };
        let (item, calls) = (Item::read(item)?, self.calls);
        let slot = self.slot(index(event)?, true)?;
        match item.kind.as_str() {
            "message" => {}
            // Its arguments follow in pieces, or whole when it is done.
            "function_call" => self.calls = slot.begin_call(&item, calls, out)?,
            // The provider works on it, also where it shows nothing of what it thinks.
            kind => {
                out.push(Delta::Untranslated { bytes: 0 });
                slot.begun = Calls::default();
                slot.begun.count(kind, &item.fields);
                self.see_calls(out);
            }
        }
        Ok(())
    }

    /// Tells of an item that is done what was not told of it.
    fn tell(&mut self, output_index: u64, item: &Item<'_>, out: &mut Vec<Delta>) -> Result<(), Unreadable> {
        let (mut calls, mut refused) = (self.calls, self.refused);
        let slot = self.slot(output_index, false)?;
        if mem::replace(&mut slot.done, true) {
            return Ok(());
        }
        match item.kind.as_str() {
            "message" => {
                refused |= slot.tell_message(item.said()?, out);
                out.extend(item.has_asides()?.then_some(Delta::Aside));
            }
            "function_call" => {
                calls = slot.begin_call(item, calls, out)?;
                if let Some(index) = slot.call
                    && !mem::replace(&mut slot.has_arguments, true)
                {
                    out.push(Delta::ToolArguments { index, json: item.arguments() });
                }
            }
            "reasoning" => {
                let thoughts = item.thoughts()?;
                if slot.thought.is_none() && !thoughts.is_empty() {
                    out.push(Delta::Reasoning(thoughts));
                }
                out.extend(item.seal()?.map(Delta::Seal));
            }
            kind => {
                let bytes = item.untranslated_bytes().saturating_sub(slot.untranslated);
                self.hosted.count(kind, &item.fields);
                out.extend([Delta::Untranslated { bytes }, Delta::Aside]);
                self.see_calls(out);
            }
        }
        (self.calls, self.refused) = (calls, refused);
        Ok(())
    }

    /// A piece of a message, or the whole of it.
    fn say(&mut self, event: &Event<'_>, name: &str, out: &mut Vec<Delta>) -> Result<(), Unreadable> {
        let (is_delta, refusal) = (name.ends_with("delta"), name.starts_with("refusal"));
        let said = event.text(if is_delta {
            "delta"
        } else if refusal {
            "refusal"
        } else {
            "text"
        })?;
        let Some(said) = said.filter(|said| !said.is_empty()) else { return Ok(()) };
        out.extend(has_asides(event).then_some(Delta::Aside));
        let part = event.count("content_index")?.unwrap_or(0);
        let slot = self.slot(index(event)?, is_delta)?;
        if is_new(&mut slot.content, part) || is_delta {
            out.push(Delta::Text(said));
        }
        self.refused |= refusal;
        Ok(())
    }

    /// A piece of reasoning, or the whole of it. Each summary is a paragraph.
    fn think(&mut self, event: &Event<'_>, name: &str, out: &mut Vec<Delta>) -> Result<(), Unreadable> {
        let (is_delta, is_summary) = (name.ends_with("delta"), name.starts_with("reasoning_summary"));
        let thought = event.text(if is_delta { "delta" } else { "text" })?;
        let Some(thought) = thought.filter(|thought| !thought.is_empty()) else { return Ok(()) };
        let part = event.count(if is_summary { "summary_index" } else { "content_index" })?.unwrap_or(0);
        let slot = self.slot(index(event)?, is_delta)?;
        let told = if is_summary { &mut slot.summary } else { &mut slot.content };
        if is_new(told, part) || is_delta {
            if slot.thought.is_some_and(|last| last != (is_summary, part)) {
                out.push(Delta::Reasoning(PARAGRAPH.to_owned()));
            }
            slot.thought = Some((is_summary, part));
            out.push(Delta::Reasoning(thought));
        }
        Ok(())
    }

    /// A piece of a call's arguments, or the whole of them. A call that was not begun is told when it is done: only its
    /// item has its name.
    fn argue(&mut self, event: &Event<'_>, out: &mut Vec<Delta>) -> Result<(), Unreadable> {
        let (delta, whole) = (event.text("delta")?, event.get("arguments"));
        let is_delta = delta.is_some();
        let json = delta.unwrap_or_else(|| whole.map(arguments::said).unwrap_or_default());
        let slot = self.slot(index(event)?, false)?;
        if let Some(index) = slot.call
            && !slot.done
            && !json.is_empty()
            && (is_delta || !slot.has_arguments)
        {
            slot.has_arguments = true;
            out.push(Delta::ToolArguments { index, json });
        }
        Ok(())
    }

    /// What a tool of the provider does, and what else only OpenAI has.
    fn untranslated(&mut self, name: &str, event: &Event<'_>, out: &mut Vec<Delta>) -> Result<(), Unreadable> {
        let delta = event.get("delta");
        if delta.is_some() || name.contains("_call") || name.starts_with("mcp_") {
            let bytes = delta.map_or(0, |delta| delta.get().len());
            let slot = self.slot(index(event)?, true)?;
            slot.untranslated = slot.untranslated.saturating_add(bytes);
            out.push(Delta::Untranslated { bytes });
        }
        Ok(())
    }

    fn end(&mut self, name: &str, told: &Told<'_>, out: &mut Vec<Delta>) -> Result<(), Unreadable> {
        self.start(told, out)?;
        // The indexes of its output need not be those of the events, so it counts where these said nothing.
        if self.slots.iter().all(Slot::says_nothing) {
            for (item, index) in told.output()?.into_iter().zip(0_u64..) {
                self.tell(index, &Item::read(item)?, out)?;
            }
        }
        let usage = told.usage(self.hosted).map(Delta::Usage);
        if let Some(error) = told.error().or_else(|| (name == "failed").then(|| of_object("{}"))) {
            self.ended = true;
            out.extend(usage);
            out.push(Delta::Error(error));
            return Ok(());
        }
        // Some compatible servers send `response.completed` whatever the status.
        let status = told.text("status")?;
        let status = if status == "incomplete" { &status } else { name };
        self.stop(status, told.incomplete()?.as_deref(), out);
        out.extend(usage);
        out.push(Delta::End);
        Ok(())
    }

    fn stop(&mut self, status: &str, incomplete: Option<&str>, out: &mut Vec<Delta>) {
        let stop = stop_reason(status, incomplete, self.refused, self.calls > 0);
        // Elsewhere the arguments of every call that is whole are an object.
        for slot in self.slots.iter().filter(|slot| !slot.has_arguments && stop == StopReason::ToolUse) {
            out.extend(slot.call.map(|index| Delta::ToolArguments { index, json: "{}".to_owned() }));
        }
        self.ended = true;
        out.push(Delta::Stop(stop));
    }
}

/// The answer in an event that has one.
fn told<'a>(event: &Event<'a>) -> Result<Told<'a>, Unreadable> {
    event.get("response").ok_or(Unreadable).and_then(|response| Told::read(response.get()))
}

/// Which item of the output an event is of.
fn index(event: &Event<'_>) -> Result<u64, Unreadable> {
    Ok(event.count("output_index")?.unwrap_or(0))
}

impl Slot {
    /// Tells that a call begins, once. How many have, with it.
    fn begin_call(&mut self, item: &Item<'_>, calls: u32, out: &mut Vec<Delta>) -> Result<u32, Unreadable> {
        if self.call.is_none()
            && let Some(call) = item.call(calls)?
        {
            self.call = Some(calls);
            out.push(Delta::ToolCall { index: calls, id: call.id, name: call.name });
            return Ok(calls.saturating_add(1));
        }
        Ok(calls)
    }

    /// Tells what was not told of a message. Whether it says no.
    fn tell_message(&mut self, pieces: Vec<Said>, out: &mut Vec<Delta>) -> bool {
        let mut refused = false;
        for (said, index) in pieces.into_iter().zip(0_u64..) {
            let new = is_new(&mut self.content, index);
            let text = match said {
                Said::Text(text) => text,
                Said::Refusal(text) => {
                    refused |= !text.is_empty();
                    text
                }
                Said::Other(bytes) => {
                    out.extend(new.then_some(Delta::Untranslated { bytes }));
                    continue;
                }
            };
            if new && !text.is_empty() {
                out.push(Delta::Text(text));
            }
        }
        refused
    }

    const fn says_nothing(&self) -> bool {
        self.content == 0 && self.summary == 0 && !self.has_arguments && self.untranslated == 0 && !self.done
    }
}

/// Marks the part at `index` as told. Whether it was not.
const fn is_new(told: &mut u64, index: u64) -> bool {
    let bit = 1_u64 << if index < 64 { index } else { 63 };
    let new = *told & bit == 0;
    *told |= bit;
    new
}

#[cfg(test)]
mod tests;
