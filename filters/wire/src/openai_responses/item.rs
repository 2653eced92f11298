//! Items of an answer's output, as they are read.

use crate::arguments::said;
use crate::conversation::{Part, Reasoning, StopReason, ToolCall};
use crate::fields::{Fields, Unreadable};
use crate::signature::{LABEL, Origin, Seal, SealKind};
use serde_json::value::RawValue;

/// One item; its `type` decides which fields count.
#[derive(Debug)]
pub(super) struct Item<'a> {
    pub(super) kind: String,
    pub(super) fields: Fields<'a>,
    /// Bytes of it.
    pub(super) bytes: usize,
}

/// A piece of a message.
#[derive(Debug)]
pub(super) enum Said {
    Text(String),
    /// The same, but it says no.
    Refusal(String),
    /// Of a kind that only OpenAI has, so many bytes of it.
    Other(usize),
}

impl<'a> Item<'a> {
    pub(super) fn read(item: &'a RawValue) -> Result<Self, Unreadable> {
        let fields = Fields::of_text(item.get())?;
        Ok(Self { kind: fields.text("type")?.unwrap_or_default(), fields, bytes: item.get().len() })
    }

    /// The pieces of a message, in order. Empty ones too: they have an index.
    pub(super) fn said(&self) -> Result<Vec<Said>, Unreadable> {
        let mut said = Vec::new();
        for raw in self.fields.list("content")? {
            let part = Fields::of_text(raw.get())?;
            said.push(match part.text("type")?.as_deref() {
                Some("output_text") => Said::Text(part.text("text")?.unwrap_or_default()),
                Some("refusal") => Said::Refusal(part.text("refusal")?.unwrap_or_default()),
                _ => Said::Other(raw.get().len()),
            });
        }
        Ok(said)
    }

    /// Whether a text of a message says where it was read, or how likely each token was.
    pub(super) fn has_asides(&self) -> Result<bool, Unreadable> {
        for part in self.fields.list("content")? {
            if has_asides(&Fields::of_text(part.get())?) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The call that a `function_call` is. `None` without a name: then it is not complete.
    pub(super) fn call(&self, index: u32) -> Result<Option<ToolCall>, Unreadable> {
        let Some(name) = self.given("name")? else { return Ok(None) };
        let id = match self.given("call_id")? {
            Some(id) => id,
            None => self.given("id")?.unwrap_or_else(|| ToolCall::made_up_id(index)),
        };
        Ok(Some(ToolCall { id, name, arguments: self.arguments() }))
    }

    fn given(&self, name: &str) -> Result<Option<String>, Unreadable> {
        Ok(self.fields.text(name)?.filter(|text| !text.is_empty()))
    }

    /// The arguments of a call: nothing at all is what some servers write for a tool without parameters. Of a call that
    /// was cut short it is all there is.
    pub(super) fn arguments(&self) -> String {
        let arguments = self.fields.get("arguments").map(said).unwrap_or_default();
        let is_cut = || self.fields.text("status").is_ok_and(|status| status.as_deref() == Some("incomplete"));
        if arguments.trim().is_empty() && !is_cut() { "{}".to_owned() } else { arguments }
    }

    /// What is shown of reasoning: summaries, then with some servers the reasoning itself; each as one paragraph.
    pub(super) fn thoughts(&self) -> Result<String, Unreadable> {
        let mut thoughts = String::new();
        for name in ["summary", "content"] {
            for part in self.fields.list(name)? {
                let thought = Fields::of_text(part.get())?.text("text")?.unwrap_or_default();
                if !thoughts.is_empty() && !thought.is_empty() {
                    thoughts.push_str(PARAGRAPH);
                }
                thoughts.push_str(&thought);
            }
        }
        Ok(thoughts)
    }

    /// The encrypted reasoning.
    pub(super) fn seal(&self) -> Result<Option<Seal>, Unreadable> {
        let Some(encrypted) = self.given("encrypted_content")? else { return Ok(None) };
        Ok(Some(seal(&self.fields.text("id")?.unwrap_or_default(), &encrypted)))
    }

    /// Bytes of an item that only OpenAI has. A picture is no text: it is billed as a call.
    pub(super) fn untranslated_bytes(&self) -> usize {
        if self.kind == "image_generation_call" { 0 } else { self.bytes }
    }
}

/// Whether a text, or a piece of one, has more beside it.
pub(super) fn has_asides(part: &Fields<'_>) -> bool {
    part.says("annotations") || part.says("logprobs")
}

/// What stands between two summaries.
pub(super) const PARAGRAPH: &str = "\n\n";

/// The seal that the `encrypted_content` of the item `id` is. OpenAI's own is bound to the id, so both go together.
pub(super) fn seal(id: &str, encrypted: &str) -> Seal {
    let (origin, kind) = (Origin::OpenaiResponses, SealKind::Encrypted);
    if encrypted.starts_with(LABEL) {
        return Seal::from_client(origin, kind, encrypted);
    }
    Seal { origin, kind, value: format!("{id} {encrypted}") }
}

/// Id and encrypted content of OpenAI's own seal; `None` of another's.
pub(super) fn opened(seal: &Seal) -> Option<(&str, &str)> {
    (seal.origin == Origin::OpenaiResponses).then(|| seal.value.split_once(' ').unwrap_or(("", &seal.value)))
}

/// What items say of a whole answer.
#[derive(Debug, Default)]
pub(super) struct Output {
    pub(super) parts: Vec<Part>,
    pub(super) refused: bool,
    pub(super) calls: u32,
    pub(super) untranslated_bytes: usize,
    pub(super) asides: bool,
}

impl Output {
    pub(super) fn push(&mut self, item: &Item<'_>) -> Result<(), Unreadable> {
        match item.kind.as_str() {
            "message" => {
                self.asides |= item.has_asides()?;
                for said in item.said()? {
                    self.push_said(said);
                }
            }
            "function_call" => {
                if let Some(call) = item.call(self.calls)? {
                    self.calls = self.calls.saturating_add(1);
                    self.parts.push(Part::ToolCall(call));
                }
            }
            "reasoning" => {
                let (text, seal) = (item.thoughts()?, item.seal()?);
                if !text.is_empty() || seal.is_some() {
                    self.parts.push(Part::Reasoning(Reasoning { text, seal }));
                }
            }
            _ => {
                self.asides = true; // a picture has no bytes that count
                self.untranslated(item.untranslated_bytes());
            }
        }
        Ok(())
    }

    fn push_said(&mut self, said: Said) {
        match said {
            Said::Text(text) | Said::Refusal(text) if text.is_empty() => {}
            Said::Text(text) => self.parts.push(Part::Text(text)),
            Said::Refusal(text) => {
                self.refused = true;
                self.parts.push(Part::Text(text));
            }
            Said::Other(bytes) => self.untranslated(bytes),
        }
    }

    fn untranslated(&mut self, bytes: usize) {
        self.untranslated_bytes = self.untranslated_bytes.saturating_add(bytes);
    }
}

/// Why an answer ended. `status` and the reason of an incomplete one say it; and where it is complete, what was said.
pub(super) fn stop_reason(status: &str, incomplete: Option<&str>, refused: bool, calls_tools: bool) -> StopReason {
    match (status, incomplete) {
        (_, Some("content_filter")) => StopReason::Refused,
        // It stopped where it could, to hear more.
        ("incomplete", Some("steered")) => StopReason::Otherwise,
        ("incomplete", _) => StopReason::MaxTokens,
        _ if refused => StopReason::Refused,
        _ if calls_tools => StopReason::ToolUse,
        ("completed" | "", _) => StopReason::End,
        _ => StopReason::Otherwise,
    }
}

/// `status` and, of an incomplete answer, its reason.
pub(super) const fn status(stop: StopReason) -> (&'static str, Option<&'static str>) {
    match stop {
        StopReason::End | StopReason::StopSequence | StopReason::ToolUse | StopReason::Otherwise => ("completed", None),
        StopReason::MaxTokens => ("incomplete", Some("max_output_tokens")),
        StopReason::Refused => ("incomplete", Some("content_filter")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn every_end_is_understood() {
        for (status, incomplete, refused, calls, expected) in [
            ("completed", None, false, false, StopReason::End),
            ("completed", None, false, true, StopReason::ToolUse),
            ("completed", None, true, false, StopReason::Refused),
            ("", None, false, false, StopReason::End),
            ("incomplete", Some("max_output_tokens"), false, true, StopReason::MaxTokens),
            ("incomplete", Some("content_filter"), false, false, StopReason::Refused),
            ("incomplete", Some("steered"), false, false, StopReason::Otherwise),
            ("cancelled", None, false, false, StopReason::Otherwise),
            ("incomplete", Some("a_new_reason"), false, false, StopReason::MaxTokens),
            ("incomplete", None, false, false, StopReason::MaxTokens),
        ] {
            assert_eq!(stop_reason(status, incomplete, refused, calls), expected, "{status} {incomplete:?}");
        }
    }

    #[test]
    fn every_end_reads_back_as_itself() {
        for stop in [StopReason::End, StopReason::MaxTokens, StopReason::ToolUse, StopReason::Refused] {
            let (status, reason) = status(stop);
            assert_eq!(stop_reason(status, reason, false, stop == StopReason::ToolUse), stop);
        }
        for end in [StopReason::StopSequence, StopReason::Otherwise] {
            assert_eq!(status(end), status(StopReason::End));
        }
    }

    #[test]
    fn a_seal_is_the_id_and_the_content() {
        assert_eq!(opened(&seal("rs_1", "gAAA==")), Some(("rs_1", "gAAA==")));
        assert_eq!(opened(&seal("", "gAAA==")), Some(("", "gAAA==")));
        assert_eq!(opened(&Seal { origin: Origin::Claude, ..seal("rs_1", "x") }), None);
    }
}
