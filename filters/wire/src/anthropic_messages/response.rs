//! Whole answers.

use super::error::Fault;
use super::text_of;
use super::usage::{Figures, write_delta, write_whole};
use crate::arguments::write_object;
use crate::conversation::{Part, Reasoning, Response, StopReason, ToolCall};
use crate::error::Malformed;
use crate::fields::{Fields, list};
use crate::signature::{Origin, Seal, SealKind};
use crate::usage::Usage;
use serde_json::value::RawValue;
use tollgate_kernel::json::Writer;

/// Reads a whole successful JSON answer. What Anthropic's own tools did is counted, not translated.
///
/// # Errors
/// When the body is not a Messages answer, or is an error object inside a 200.
pub fn read_response(body: &[u8]) -> Result<Response, Malformed> {
    const ANSWER: &str = "the answer";
    let answer = Fields::of_bytes(body).map_err(|_| Malformed::of(ANSWER))?;
    if let Some(error) = answer.get("error") {
        return Err(Malformed::error(Fault::read(error).into_error(), figures(&answer)));
    }
    let content = answer.get("content").ok_or_else(|| Malformed::of(ANSWER))?;
    let mut parts = Vec::new();
    let mut untranslated_bytes: usize = 0;
    let mut asides = has_asides(&answer);
    for block in list(content).map_err(|_| Malformed::of(ANSWER))? {
        let block = Block::read(block)?;
        asides |= block.has_sources();
        match block.content()? {
            Content::Part(part) => parts.push(part),
            Content::Untranslated { bytes } => untranslated_bytes = untranslated_bytes.saturating_add(bytes),
            Content::Nothing => {}
        }
    }
    let calls_tools = parts.iter().any(|part| matches!(part, Part::ToolCall(_)));
    let reason = text_of(&answer, "stop_reason", ANSWER)?;
    Ok(Response {
        id: text_of(&answer, "id", ANSWER)?.unwrap_or_default(),
        model: text_of(&answer, "model", ANSWER)?.unwrap_or_default(),
        parts,
        stop: stop_reason(reason.as_deref(), calls_tools),
        usage: figures(&answer),
        untranslated_bytes,
        asides,
    })
}

/// Whether an answer, or its end, says which stop sequence came up, or where its code ran.
pub(super) fn has_asides(answer: &Fields<'_>) -> bool {
    answer.says("stop_sequence") || answer.says("container")
}

fn figures(answer: &Fields<'_>) -> Option<Usage> {
    answer.get("usage").and_then(Figures::read).and_then(|figures| figures.usage())
}

/// A content block of an answer, whole or as it begins in a stream.
#[derive(Debug)]
pub(super) struct Block<'a> {
    pub(super) kind: String,
    fields: Fields<'a>,
}

/// What a block says.
#[derive(Debug)]
pub(super) enum Content {
    Part(Part),
    /// A tool that the provider runs itself, what it returned, and what else no other format has a place for.
    Untranslated {
        bytes: usize,
    },
    Nothing,
}

impl<'a> Block<'a> {
    const NAME: &'static str = "a content block";

    pub(super) fn read(block: &'a RawValue) -> Result<Self, Malformed> {
        let fields = Fields::of_text(block.get()).map_err(|_| Malformed::of(Self::NAME))?;
        Ok(Self { kind: text_of(&fields, "type", Self::NAME)?.unwrap_or_default(), fields })
    }

    pub(super) fn text(&self, name: &str) -> Result<String, Malformed> {
        Ok(text_of(&self.fields, name, Self::NAME)?.unwrap_or_default())
    }

    /// The input of a call, as far as there is any: in a stream it begins as `{}`.
    pub(super) fn input(&self) -> Option<&'a str> {
        let has_fields =
            |object: &&str| object.strip_prefix('{').is_some_and(|rest| !rest.trim_start().starts_with('}'));
        self.fields.get("input").map(RawValue::get).filter(has_fields)
    }

    /// Whether its text says where it was read.
    pub(super) fn has_sources(&self) -> bool {
        self.fields.says("citations")
    }

    pub(super) fn content(&self) -> Result<Content, Malformed> {
        let part = match self.kind.as_str() {
            "text" => match self.text("text")? {
                text if text.is_empty() => return Ok(Content::Nothing),
                text => Part::Text(text),
            },
            "tool_use" => Part::ToolCall(ToolCall {
                id: self.text("id")?,
                name: self.text("name")?,
                arguments: self.fields.get("input").map_or("{}", RawValue::get).to_owned(),
            }),
            "thinking" => {
                let seal = seal(SealKind::Signature, &self.text("signature")?);
                let reasoning = Reasoning { text: self.text("thinking")?, seal };
                if reasoning.text.is_empty() && reasoning.seal.is_none() {
                    return Ok(Content::Nothing);
                }
                Part::Reasoning(reasoning)
            }
            "redacted_thinking" => match seal(SealKind::Encrypted, &self.text("data")?) {
                None => return Ok(Content::Nothing),
                seal => Part::Reasoning(Reasoning { text: String::new(), seal }),
            },
            _ => return Ok(Content::Untranslated { bytes: self.untranslated_bytes() }),
        };
        Ok(Content::Part(part))
    }

    fn untranslated_bytes(&self) -> usize {
        let content = self.fields.get("content").map_or(0, |content| content.get().len());
        self.input().map_or(0, str::len).saturating_add(content)
    }
}

/// The seal that `text` is. From a client it may be one that we labelled.
pub(super) fn seal(kind: SealKind, text: &str) -> Option<Seal> {
    (!text.is_empty()).then(|| Seal::from_client(Origin::Claude, kind, text))
}

/// What Anthropic's `stop_reason` means. Where a server gives none or a new one, what was said decides.
pub(super) fn stop_reason(name: Option<&str>, calls_tools: bool) -> StopReason {
    match name {
        Some("end_turn") => StopReason::End,
        Some("max_tokens" | "model_context_window_exceeded") => StopReason::MaxTokens,
        Some("stop_sequence") => StopReason::StopSequence,
        Some("tool_use") => StopReason::ToolUse,
        Some("refusal") => StopReason::Refused,
        _ if calls_tools => StopReason::ToolUse,
        // `pause_turn`, `compaction`, a new one.
        _ => StopReason::Otherwise,
    }
}

/// Anthropic's name of a stop reason.
pub(super) const fn stop_reason_name(stop: StopReason) -> &'static str {
    match stop {
        StopReason::End | StopReason::Otherwise => "end_turn",
        StopReason::MaxTokens => "max_tokens",
        StopReason::StopSequence => "stop_sequence",
        StopReason::ToolUse => "tool_use",
        StopReason::Refused => "refusal",
    }
}

/// Writes a whole successful JSON answer. Which stop sequence came up is not known here, so `stop_sequence` is null.
#[must_use]
pub fn write_response(response: &Response) -> Vec<u8> {
    let usage = response.usage.unwrap_or_default();
    let mut body = Vec::new();
    let out = &mut Writer::new(&mut body);
    write_message(&response.id, &response.model, &response.parts, Some(response.stop), &usage, out);
    body
}

/// A Messages answer, whole or, without a stop, as `message_start` carries it. The official clients require every field.
pub(super) fn write_message(
    id: &str,
    model: &str,
    parts: &[Part],
    stop: Option<StopReason>,
    usage: &Usage,
    out: &mut Writer<'_>,
) {
    out.open_object();
    out.key("id").text(id);
    out.key("type").text("message");
    out.key("role").text("assistant");
    out.key("model").text(model);
    out.key("content").open_list();
    for part in parts {
        write_part(part, out);
    }
    out.close_list();
    match stop {
        Some(stop) => out.key("stop_reason").text(stop_reason_name(stop)),
        None => out.key("stop_reason").null(),
    }
    out.key("stop_sequence").null();
    out.key("usage");
    match stop {
        Some(_) => write_whole(usage, out),
        None => write_delta(usage, out),
    }
    out.close_object();
}

fn write_part(part: &Part, out: &mut Writer<'_>) {
    match part {
        Part::Text(text) if !text.is_empty() => write_text(text, out),
        Part::ToolCall(call) => write_call(&call.id, &call.name, &call.arguments, out),
        Part::Reasoning(reasoning) => write_reasoning(reasoning, out),
        _ => {}
    }
}

fn write_reasoning(reasoning: &Reasoning, out: &mut Writer<'_>) {
    let seal = reasoning.seal.as_ref();
    let (signature, redacted) = match seal {
        Some(seal) if seal.stands_alone(!reasoning.text.is_empty()) => (None, Some(seal)),
        seal => (seal, None),
    };
    if !reasoning.text.is_empty() || signature.is_some() {
        let signature = signature.map(|seal| seal.for_client(Origin::Claude));
        write_thinking(&reasoning.text, &signature.unwrap_or_default(), out);
    }
    if let Some(seal) = redacted {
        write_redacted(seal, out);
    }
}

pub(super) fn write_text(text: &str, out: &mut Writer<'_>) {
    out.open_object();
    out.key("type").text("text");
    out.key("text").text(text);
    out.close_object();
}

pub(super) fn write_call(id: &str, name: &str, arguments: &str, out: &mut Writer<'_>) {
    out.open_object();
    out.key("type").text("tool_use");
    out.key("id").text(id);
    out.key("name").text(name);
    write_object(arguments, out.key("input"));
    out.close_object();
}

pub(super) fn write_thinking(text: &str, signature: &str, out: &mut Writer<'_>) {
    out.open_object();
    out.key("type").text("thinking");
    out.key("thinking").text(text);
    out.key("signature").text(signature);
    out.close_object();
}

pub(super) fn write_redacted(seal: &Seal, out: &mut Writer<'_>) {
    out.open_object();
    out.key("type").text("redacted_thinking");
    out.key("data").text(&seal.for_client(Origin::Claude));
    out.close_object();
}

#[cfg(test)]
mod tests;
