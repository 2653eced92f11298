//! Streams: a provider's Gemini chunks into deltas. A whole answer is one chunk.

use super::arguments::Assembly;
use crate::conversation::{StopReason, ToolCall};
use crate::error::Malformed;
use crate::fields::{Fields, Unreadable};
use crate::google_gemini::error::read_inner_error;
use crate::google_gemini::usage::Figures;
use crate::google_gemini::{ORIGIN, read_finish_reason};
use crate::signature::{Seal, SealKind};
use crate::stream::Delta;
use serde_json::value::RawValue;

/// As much of the answer's id as goes into ids of calls: other formats bound these.
const MAX_ID_BYTES: usize = 24;

/// Google allows 8.
const MAX_CANDIDATES: usize = 128;

/// Reads one provider's stream. It has no end marker: nothing but usage comes after [`Delta::Stop`].
#[derive(Debug, Default)]
pub struct StreamReader {
    started: bool,
    /// There was a candidate, or the prompt was refused.
    answered: bool,
    /// How many candidates there will be; the first is the answer, others are only counted.
    candidates: u64,
    /// Those that have begun, and whether they have stopped.
    begun: Vec<(u64, bool)>,
    /// Why the first has stopped.
    stop: Option<StopReason>,
    told_stop: bool,
    failed: bool,
    figures: Figures,
    /// What the ids of calls that come without one begin with.
    id: String,
    calls: u32,
    /// The call whose arguments still come, the last one.
    open: Option<Assembly>,
}

impl StreamReader {
    /// A reader at the start of a stream of so many answers.
    #[must_use]
    pub fn new(answers: u64) -> Self {
        Self { candidates: answers, ..Self::default() }
    }

    /// Reads one chunk. The event's name says nothing here.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read(&mut self, _event: &[u8], data: &[u8], out: &mut Vec<Delta>) -> Result<(), Malformed> {
        if self.failed || data.trim_ascii().is_empty() {
            return Ok(());
        }
        self.chunk(data, out).map_err(|_| Malformed::of("the answer"))
    }

    /// Whether anything at all was answered, be it nothing or no.
    pub(in crate::google_gemini) const fn has_answer(&self) -> bool {
        self.answered
    }

    fn chunk(&mut self, data: &[u8], out: &mut Vec<Delta>) -> Result<(), Unreadable> {
        let chunk = Fields::of_bytes(data)?;
        if let Some(error) = chunk.get("error") {
            self.failed = true;
            if let Some(metadata) = chunk.get("usageMetadata") {
                self.figures.count(metadata);
                out.extend(self.figures.usage().map(Delta::Usage));
            }
            out.push(Delta::Error(read_inner_error(error)));
            return Ok(());
        }
        if !self.started {
            self.start(&chunk, out)?;
        }
        let (counted, told_stop) = (self.figures, self.told_stop);
        for candidate in chunk.list("candidates")? {
            self.candidate(candidate, out)?;
        }
        if chunk.object("promptFeedback")?.is_some_and(|feedback| feedback.get("blockReason").is_some()) {
            self.answered = true;
            self.stop(StopReason::Refused, out);
            self.tell_stop(out);
        }
        let metadata = chunk.get("usageMetadata");
        if let Some(metadata) = metadata {
            self.figures.count(metadata);
        }
        // The figures that come with the end are told even when they are no news: they are the last word.
        if self.figures != counted || (metadata.is_some() && self.told_stop != told_stop) {
            match self.figures.usage() {
                Some(usage) => out.push(Delta::Usage(usage)),
                None if self.figures.seen() != counted.seen() => out.push(Delta::Seen(self.figures.seen())),
                None => {}
            }
        }
        Ok(())
    }

    fn start(&mut self, chunk: &Fields<'_>, out: &mut Vec<Delta>) -> Result<(), Unreadable> {
        self.started = true;
        let id = chunk.text("responseId")?.unwrap_or_default();
        let model = chunk.text("modelVersion")?.unwrap_or_default();
        self.figures.of_model(&model);
        let plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        self.id = id.bytes().filter(plain).take(MAX_ID_BYTES).map(char::from).collect();
        out.push(Delta::Start { id, model });
        Ok(())
    }

    fn candidate(&mut self, candidate: &RawValue, out: &mut Vec<Delta>) -> Result<(), Unreadable> {
        let bytes = candidate.get().len();
        let candidate = Fields::of_text(candidate.get())?;
        self.answered = true;
        let index = candidate.count("index")?.unwrap_or(0);
        let reason = candidate.text("finishReason")?.filter(|reason| reason != "FINISH_REASON_UNSPECIFIED");
        if index > 0 {
            out.push(Delta::Untranslated { bytes });
        } else {
            self.figures.count_tools(&candidate);
            out.extend(has_asides(&candidate).then_some(Delta::Aside));
            if self.stop.is_none() {
                self.first(&candidate, reason.as_deref(), out)?;
            }
        }
        self.note(index, reason.is_some());
        if self.begun.iter().filter(|(_, stopped)| *stopped).count() >= self.expected() {
            self.tell_stop(out);
        }
        Ok(())
    }

    fn first(&mut self, candidate: &Fields<'_>, reason: Option<&str>, out: &mut Vec<Delta>) -> Result<(), Unreadable> {
        if let Some(content) = candidate.object("content")? {
            for part in content.list("parts")? {
                self.part(&Fields::of_text(part.get())?, out)?;
            }
        }
        if let Some(reason) = reason {
            self.stop(read_finish_reason(reason, self.calls > 0), out);
        }
        Ok(())
    }

    fn expected(&self) -> usize {
        usize::try_from(self.candidates).unwrap_or(usize::MAX)
    }

    fn note(&mut self, index: u64, stopped: bool) {
        if let Some((_, before)) = self.begun.iter_mut().find(|(known, _)| *known == index) {
            *before |= stopped;
        } else if self.begun.len() < MAX_CANDIDATES {
            self.begun.push((index, stopped));
        }
    }

    /// The provider ended the stream; see [`Reader::end`](crate::stream::Reader::end). A server that was asked for several
    /// candidates may have given fewer.
    pub fn end(&mut self, out: &mut Vec<Delta>) {
        let whole = self.stop.is_some() && self.begun.iter().all(|(_, stopped)| *stopped);
        if whole && !self.told_stop {
            self.tell_stop(out);
            out.extend(self.figures.usage().map(Delta::Usage));
        }
    }

    fn part(&mut self, part: &Fields<'_>, out: &mut Vec<Delta>) -> Result<(), Unreadable> {
        let signature = part.text("thoughtSignature")?.filter(|text| !text.is_empty());
        let seal = signature.map(|text| Delta::Seal(Seal::from_client_base64(ORIGIN, SealKind::Signature, &text)));
        let text = part.text("text")?;
        if is_true(part, "thought") {
            out.extend(text.filter(|text| !text.is_empty()).map(Delta::Reasoning));
            out.extend(seal);
            return Ok(());
        }
        if let Some(call) = part.object("functionCall")? {
            return self.call(&call, seal, out);
        }
        out.extend(seal);
        match text {
            Some(text) => out.extend(Some(text).filter(|text| !text.is_empty()).map(Delta::Text)),
            None => self.untranslated(part, out),
        }
        Ok(())
    }

    /// What only Google has a place for: code that it ran, tools of its own, pictures.
    fn untranslated(&mut self, part: &Fields<'_>, out: &mut Vec<Delta>) {
        for (name, value) in part.iter().filter(|(name, _)| *name != "thoughtSignature") {
            if name == "executableCode" {
                self.figures.count_code_run();
            }
            // What its tools found is not what the model wrote.
            let written = !matches!(name, "codeExecutionResult" | "toolResponse");
            out.push(Delta::Untranslated { bytes: if written { value.get().len() } else { 0 } });
        }
    }

    fn call(&mut self, call: &Fields<'_>, seal: Option<Delta>, out: &mut Vec<Delta>) -> Result<(), Unreadable> {
        let pieces = call.list("partialArgs")?;
        let goes_on = is_true(call, "willContinue");
        if let Some(name) = call.text("name")?.filter(|name| !name.is_empty()) {
            self.close(out);
            out.extend(seal);
            let id = call.text("id")?.filter(|id| !id.is_empty()).unwrap_or_else(|| self.made_up_id());
            out.push(Delta::ToolCall { index: self.calls, id, name });
            self.calls = self.calls.saturating_add(1);
            let none = (pieces.is_empty() && !goes_on).then_some("{}");
            if let Some(arguments) = call.get("args").map(RawValue::get).or(none) {
                self.arguments(arguments.to_owned(), out);
                return Ok(());
            }
            self.open = Some(Assembly::default());
        }
        // Without a name it goes on with the call before it. If there is none it says nothing.
        if let Some(open) = &mut self.open {
            let mut json = String::new();
            for piece in pieces {
                open.push(&Fields::of_text(piece.get())?, &mut json)?;
            }
            if !json.is_empty() {
                self.arguments(json, out);
            }
            if !goes_on {
                self.close(out);
            }
        }
        Ok(())
    }

    /// Arguments of the last call.
    fn arguments(&self, json: String, out: &mut Vec<Delta>) {
        out.push(Delta::ToolArguments { index: self.calls.saturating_sub(1), json });
    }

    /// Unique in a conversation as far as the answer's id is, and the same however the answer is read.
    fn made_up_id(&self) -> String {
        let calls = self.calls;
        if self.id.is_empty() { ToolCall::made_up_id(calls) } else { format!("call_{}_{calls}", self.id) }
    }

    fn close(&mut self, out: &mut Vec<Delta>) {
        if let Some(open) = self.open.take() {
            self.arguments(open.end(), out);
        }
    }

    fn stop(&mut self, reason: StopReason, out: &mut Vec<Delta>) {
        self.close(out);
        self.stop.get_or_insert(reason);
    }

    fn tell_stop(&mut self, out: &mut Vec<Delta>) {
        if let Some(stop) = self.stop.filter(|_| !self.told_stop) {
            self.told_stop = true;
            out.push(Delta::Stop(stop));
        }
    }
}

/// Whether a candidate says more than its content: where that was read, and how likely each token was.
fn has_asides(candidate: &Fields<'_>) -> bool {
    const ASIDES: [&str; 4] = ["citationMetadata", "groundingMetadata", "urlContextMetadata", "logprobsResult"];
    ASIDES.iter().any(|name| candidate.says(name))
}

fn is_true(fields: &Fields<'_>, name: &str) -> bool {
    fields.get(name).is_some_and(|value| value.get() == "true")
}

#[cfg(test)]
mod tests;
