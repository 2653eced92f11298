//! What the model thought. OpenAI's own Chat Completions hide it; compatible servers show it, in three ways:
//!
//! - `reasoning_content` (DeepSeek, vLLM and most) or `reasoning` (OpenRouter, newer vLLM), a string. Some servers want it
//!   back in the next turn, OpenAI refuses it. So the seal of such a text is the field's name.
//! - `reasoning_details` (OpenRouter), a list of elements, each a text with a signature, or encrypted. They must come
//!   back as they were. So the seal is the whole element but for its text.
//! - `extra_content` of a tool call (Google's endpoint), with the signature of the call. The seal is that field.

use crate::conversation::{Part, Reasoning};
use crate::fields::{Fields, Unreadable};
use crate::signature::{LABEL, Origin, Seal, SealKind, TRANSLATED};
use crate::stream::Delta;
use serde_json::value::RawValue;
use tollgate_kernel::json::Writer;

#[cfg(test)]
mod tests;

/// What an element that Tollgate made for a client has as its `format`. Like the label of a seal it shows, when it comes
/// back, that the conversation is not the provider's own.
const FORMAT: &str = TRANSLATED;

/// Names of the fields with reasoning as a string.
const FIELDS: [&str; 2] = ["reasoning_content", "reasoning"];

/// No seal is kept for more than this; it is only the frame of a text.
const MAX_FRAME_BYTES: usize = 4096;

/// Reads reasoning out of messages and deltas. It says when a text begins and goes on; its end shows only in what follows.
#[derive(Debug, Default)]
pub(super) struct Thinking {
    /// The text that may still go on.
    open: Option<Open>,
}

#[derive(Debug, PartialEq, Eq)]
struct Open {
    /// The element's type, empty for a string.
    kind: String,
    index: Option<u64>,
    seal: String,
}

impl Thinking {
    /// Reads the reasoning of a message, or of the next delta.
    pub(super) fn read(&mut self, message: &Fields<'_>, out: &mut Vec<Delta>) -> Result<(), Unreadable> {
        let mut details = Vec::new();
        let mut told = false;
        for detail in message.list("reasoning_details")? {
            let detail = Detail::read(&Fields::of_text(detail.get())?)?;
            told |= !detail.text.is_empty();
            details.push(detail);
        }
        if !told {
            self.read_string(message, details.is_empty(), out)?;
        }
        for detail in details {
            self.read_detail(detail, out);
        }
        Ok(())
    }

    fn read_string(&mut self, message: &Fields<'_>, alone: bool, out: &mut Vec<Delta>) -> Result<(), Unreadable> {
        for field in FIELDS {
            let Some(text) = message.text(field)?.filter(|text| !text.is_empty()) else { continue };
            if alone {
                self.go_on(String::new(), None, format!("\"{field}\""), out);
            }
            out.push(Delta::Reasoning(text));
            break;
        }
        Ok(())
    }

    fn read_detail(&mut self, detail: Detail, out: &mut Vec<Delta>) {
        let Detail { kind, index, text, seal, frame } = detail;
        match frame {
            Some(frame) => self.go_on(kind, index, frame, out),
            None => self.close(out),
        }
        if !text.is_empty() {
            out.push(Delta::Reasoning(text));
        }
        if let Some(seal) = seal {
            self.open = None;
            out.push(Delta::Seal(seal));
        }
    }

    fn go_on(&mut self, kind: String, index: Option<u64>, seal: String, out: &mut Vec<Delta>) {
        if self.open.as_ref().is_some_and(|open| (&open.kind, open.index) != (&kind, index)) {
            self.close(out);
        }
        // What is kept while a stream runs is only the frame of a text.
        let seal = if seal.len() > MAX_FRAME_BYTES { String::new() } else { seal };
        self.open = Some(Open { kind, index, seal });
    }

    /// Something else is said.
    pub(super) fn close(&mut self, out: &mut Vec<Delta>) {
        if let Some(open) = self.open.take().filter(|open| !open.seal.is_empty()) {
            out.push(Delta::Seal(Seal { origin: Origin::OpenaiChat, kind: SealKind::Signature, value: open.seal }));
        }
    }

    /// The reasoning of a whole message.
    pub(super) fn parts(message: &Fields<'_>) -> Result<Vec<Part>, Unreadable> {
        let (mut thinking, mut deltas) = (Self::default(), Vec::new());
        thinking.read(message, &mut deltas)?;
        thinking.close(&mut deltas);
        let mut parts = Vec::new();
        let mut text = String::new();
        for delta in deltas {
            match delta {
                Delta::Reasoning(more) => text.push_str(&more),
                Delta::Seal(seal) => {
                    parts.push(Part::Reasoning(Reasoning { text: std::mem::take(&mut text), seal: Some(seal) }));
                }
                _ => {}
            }
        }
        if !text.is_empty() {
            parts.push(Part::Reasoning(Reasoning { text, seal: None }));
        }
        Ok(parts)
    }
}

/// An element of `reasoning_details`, or a piece of one.
struct Detail {
    kind: String,
    index: Option<u64>,
    text: String,
    seal: Option<Seal>,
    /// The provider's own element without its text.
    frame: Option<String>,
}

impl Detail {
    fn read(detail: &Fields<'_>) -> Result<Self, Unreadable> {
        let text = |name| Ok(detail.text(name)?.filter(|text| !text.is_empty()));
        let (data, signature) = (text("data")?, text("signature")?);
        let kind = if data.is_some() { SealKind::Encrypted } else { SealKind::Signature };
        let token = data.or(signature);
        let seal = token.as_deref().map(|token| Seal::from_client(Origin::OpenaiChat, kind, token));
        let labelled = seal.filter(|seal| token.as_ref() != Some(&seal.value));
        let translated = text("format")?.is_some_and(|format| format.starts_with(LABEL));
        let frame = (labelled.is_none() && (token.is_some() || !translated)).then(|| frame(detail));
        let own = frame.as_ref().filter(|_| token.is_some());
        let own = own.map(|frame| Seal { origin: Origin::OpenaiChat, kind, value: frame.clone() });
        Ok(Self {
            kind: text("type")?.unwrap_or_default(),
            index: detail.count("index").unwrap_or_default(),
            text: text("text")?.or(text("summary")?).unwrap_or_default(),
            seal: labelled.or(own),
            frame,
        })
    }
}

/// An element without its text.
fn frame(detail: &Fields<'_>) -> String {
    let mut out = Vec::new();
    let mut json = Writer::new(&mut out);
    json.open_object();
    for (name, value) in detail.iter().filter(|(name, _)| !matches!(*name, "text" | "summary")) {
        json.key(name).raw(value);
    }
    json.close_object();
    String::from_utf8(out).unwrap_or_default()
}

/// Writes the reasoning in an answer for a client: its text where most look for it, and all of it in elements, which
/// clients that know them hand back.
pub(super) fn write_for_client(parts: &[Part], json: &mut Writer<'_>) {
    let texts = || reasoning(parts).map(|reasoning| &*reasoning.text).filter(|text| !text.is_empty());
    if texts().next().is_some() {
        json.key("reasoning_content").open_text();
        texts().for_each(|text| json.more_text(text));
        json.close_text();
    }
    if reasoning(parts).all(|reasoning| field_name(reasoning).is_some()) {
        return;
    }
    json.key("reasoning_details").open_list();
    for (index, reasoning) in reasoning(parts).enumerate() {
        match &reasoning.seal {
            Some(seal) if seal.origin == Origin::OpenaiChat => write_own(&reasoning.text, seal, json),
            seal => write_foreign(&reasoning.text, seal.as_ref(), index, json),
        }
    }
    json.close_list();
}

/// Writes what a provider of this format gave before, in its places. Whether something was left out.
pub(super) fn write_for_provider(parts: &[Part], json: &mut Writer<'_>) -> bool {
    let own = |reasoning: &&Reasoning| reasoning.seal.as_ref().is_some_and(|seal| seal.origin == Origin::OpenaiChat);
    let all = || reasoning(parts);
    for field in FIELDS {
        let texts = || all().filter(|reasoning| own(reasoning) && field_name(reasoning) == Some(field));
        if texts().next().is_some() {
            json.key(field).open_text();
            texts().for_each(|reasoning| json.more_text(&reasoning.text));
            json.close_text();
        }
    }
    let details = || all().filter(|reasoning| own(reasoning) && element(reasoning).is_some());
    if details().next().is_some() {
        json.key("reasoning_details").open_list();
        for reasoning in details() {
            reasoning.seal.iter().for_each(|seal| write_own(&reasoning.text, seal, json));
        }
        json.close_list();
    }
    let written = |reasoning: &&Reasoning| field_name(reasoning).is_some() || element(reasoning).is_some();
    all().any(|reasoning| !own(&reasoning) || !written(&reasoning))
}

/// The field that reasoning without elements came in.
fn field_name(reasoning: &Reasoning) -> Option<&'static str> {
    let seal = reasoning.seal.as_ref().filter(|seal| seal.origin == Origin::OpenaiChat)?;
    let name = seal.value.strip_prefix('"')?.strip_suffix('"')?;
    FIELDS.into_iter().find(|field| *field == name)
}

/// The element that reasoning came in, without its text. A client may have made it up: then it is only JSON.
fn element(reasoning: &Reasoning) -> Option<Fields<'_>> {
    reasoning.seal.as_ref().and_then(|seal| Fields::of_text(&seal.value).ok())
}

fn write_own(text: &str, seal: &Seal, json: &mut Writer<'_>) {
    let frame = Fields::of_text(&seal.value).unwrap_or_default();
    json.open_object();
    for (name, value) in frame.iter().filter(|(name, _)| !matches!(*name, "text" | "summary")) {
        json.key(name).raw(value);
    }
    let kind = frame.get("type").map_or("", RawValue::get);
    if !text.is_empty() && kind != "\"reasoning.encrypted\"" {
        json.key(if kind == "\"reasoning.summary\"" { "summary" } else { "text" }).text(text);
    }
    json.close_object();
}

fn write_foreign(text: &str, seal: Option<&Seal>, index: usize, json: &mut Writer<'_>) {
    let encrypted = text.is_empty() && seal.is_some_and(|seal| seal.kind == SealKind::Encrypted);
    json.open_object();
    json.key("type").text(if encrypted { "reasoning.encrypted" } else { "reasoning.text" });
    if !text.is_empty() {
        json.key("text").text(text);
    }
    if let Some(seal) = seal {
        json.key(if encrypted { "data" } else { "signature" }).text(&seal.for_client(Origin::OpenaiChat));
    }
    json.key("format").text(FORMAT);
    json.key("index").number(u64::try_from(index).unwrap_or(u64::MAX));
    json.close_object();
}

/// Writes one step of a stream for a client, the value of `delta`.
pub(super) fn write_delta(text: &str, seal: Option<&Seal>, index: usize, json: &mut Writer<'_>) {
    json.open_object();
    if !text.is_empty() {
        json.key("reasoning_content").text(text);
    }
    json.key("reasoning_details").open_list();
    match seal {
        Some(seal) if seal.origin == Origin::OpenaiChat => write_own(text, seal, json),
        seal => write_foreign(text, seal, index, json),
    }
    json.close_list();
    json.close_object();
}

/// The reasoning of a message that does not stand in a tool call.
fn reasoning(parts: &[Part]) -> impl Iterator<Item = &Reasoning> {
    let with_next = parts.iter().zip(parts.iter().skip(1).map(Some).chain([None]));
    with_next.filter_map(|(part, next)| match part {
        Part::Reasoning(reasoning) if signs_call(reasoning) && matches!(next, Some(Part::ToolCall(_))) => None,
        Part::Reasoning(reasoning) => Some(reasoning),
        _ => None,
    })
}

fn signs_call(reasoning: &Reasoning) -> bool {
    reasoning.text.is_empty() && reasoning.seal.as_ref().is_some_and(is_of_call)
}

/// Whether a seal without reasoning stands in the tool call that follows it.
pub(super) fn is_of_call(seal: &Seal) -> bool {
    match seal.origin {
        Origin::Gemini => true,
        Origin::OpenaiChat => own_extra(seal).is_some(),
        Origin::Claude | Origin::OpenaiResponses => false,
    }
}

fn own_extra(seal: &Seal) -> Option<&RawValue> {
    let fields = Fields::of_text(&seal.value).ok()?;
    fields.get("extra_content").filter(|_| fields.get("type").is_none())
}

/// Who wrote a message, or for whom it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// It keeps seals for whoever made them.
    Client,
    /// It reads its own.
    Provider,
}

/// Writes the seal of a tool call, a field of it. Whether nothing was left out.
pub(super) fn write_extra(seal: Option<&Seal>, side: Side, json: &mut Writer<'_>) -> bool {
    let Some(seal) = seal else { return true };
    if let Some(extra) = own_extra(seal).filter(|_| seal.origin == Origin::OpenaiChat) {
        json.key("extra_content").raw(extra);
        return true;
    }
    if side == Side::Provider {
        return false;
    }
    json.key("extra_content").open_object();
    json.key("google").open_object();
    json.key("thought_signature").text(&seal.for_client(Origin::OpenaiChat));
    json.close_object();
    json.close_object();
    true
}

/// The seal of a tool call. Without a label it is Google's. In a client's history it is Gemini's; a provider that makes it
/// is Google's endpoint of this format, to which it goes back in this format.
pub(super) fn read_extra(call: &Fields<'_>, side: Side) -> Option<Seal> {
    let extra = call.object("extra_content").ok()??;
    let of = |name| extra.object(name).ok()??.text("thought_signature").ok()?.filter(|token| !token.is_empty());
    let token = of("google").or_else(|| of("vertex"))?;
    let seal = Seal::from_client(Origin::Gemini, SealKind::Signature, &token);
    if side == Side::Client || seal.value != token {
        return Some(seal);
    }
    let mut value = Vec::new();
    let mut json = Writer::new(&mut value);
    json.open_object().key("extra_content").raw(call.get("extra_content")?);
    json.close_object();
    Some(Seal { origin: Origin::OpenaiChat, kind: seal.kind, value: String::from_utf8(value).ok()? })
}
