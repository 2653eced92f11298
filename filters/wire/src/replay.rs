//! An answer said again: a streamed one as a whole, and a whole one as a stream.

use crate::conversation::{Part, Reasoning, Response, StopReason, ToolCall};
use crate::stream::Delta;
use crate::usage::Usage;

/// What a piece of an answer takes besides its text.
const PIECE_BYTES: usize = 64;

/// Collects a stream into the whole answer that says the same.
#[derive(Debug)]
pub struct Collector {
    id: String,
    model: String,
    parts: Vec<Part>,
    /// Where among the parts each call is.
    calls: Vec<usize>,
    stop: Option<StopReason>,
    usage: Option<Usage>,
    untranslated_bytes: usize,
    asides: bool,
    bytes: usize,
    max_bytes: usize,
    /// Not all of it could be collected: it was too much, it failed, or a piece belongs to nothing.
    failed: bool,
}

impl Collector {
    /// A collector of an answer of at most `max_bytes`. Of one that is larger it keeps nothing.
    #[must_use]
    pub const fn new(max_bytes: usize) -> Self {
        Self {
            id: String::new(),
            model: String::new(),
            parts: Vec::new(),
            calls: Vec::new(),
            stop: None,
            usage: None,
            untranslated_bytes: 0,
            asides: false,
            bytes: 0,
            max_bytes,
            failed: false,
        }
    }

    /// Roughly the memory that it takes.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Gives up: the answer is not all there.
    pub fn fail(&mut self) {
        self.failed = true;
        (self.parts, self.calls, self.bytes) = (Vec::new(), Vec::new(), 0);
    }

    /// The next delta.
    pub fn push(&mut self, delta: &Delta) {
        if self.failed {
            return;
        }
        match delta {
            Delta::Start { id, model } => {
                self.count(id.len().saturating_add(model.len()));
                (self.id, self.model) = (id.clone(), model.clone());
            }
            Delta::Text(text) => self.text(text),
            Delta::Reasoning(text) => self.reasoning(text),
            Delta::Seal(seal) => {
                self.count(seal.value.len());
                match self.parts.last_mut() {
                    Some(Part::Reasoning(before)) if before.seal.is_none() => before.seal = Some(seal.clone()),
                    _ => self.part(Part::Reasoning(Reasoning { text: String::new(), seal: Some(seal.clone()) })),
                }
            }
            Delta::ToolCall { index, id, name } => self.call(*index, id, name),
            Delta::ToolArguments { index, json } => self.arguments(*index, json),
            Delta::Untranslated { bytes } => self.untranslated_bytes = self.untranslated_bytes.saturating_add(*bytes),
            Delta::Aside => self.asides = true,
            Delta::Stop(stop) => self.stop = Some(*stop),
            Delta::Usage(usage) => self.usage = Some(*usage),
            Delta::Error(_) => self.fail(),
            Delta::Seen(_) | Delta::End => {}
        }
        if self.bytes > self.max_bytes {
            self.fail();
        }
    }

    /// The whole answer; `None` when there is none, or not all of it.
    #[must_use]
    pub fn finish(self) -> Option<Response> {
        let Self { id, model, parts, usage, untranslated_bytes, asides, .. } = self;
        let stop = self.stop.filter(|_| !self.failed)?;
        Some(Response { id, model, parts, stop, usage, untranslated_bytes, asides })
    }

    fn count(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_add(bytes);
    }

    fn part(&mut self, part: Part) {
        self.count(PIECE_BYTES);
        self.parts.push(part);
    }

    fn text(&mut self, text: &str) {
        self.count(text.len());
        match self.parts.last_mut() {
            Some(Part::Text(before)) => before.push_str(text),
            _ => self.part(Part::Text(text.to_owned())),
        }
    }

    fn reasoning(&mut self, text: &str) {
        self.count(text.len());
        match self.parts.last_mut() {
            Some(Part::Reasoning(before)) if before.seal.is_none() => before.text.push_str(text),
            _ => self.part(Part::Reasoning(Reasoning { text: text.to_owned(), seal: None })),
        }
    }

    fn call(&mut self, index: u32, id: &str, name: &str) {
        if usize::try_from(index) != Ok(self.calls.len()) {
            return self.fail();
        }
        self.count(id.len().saturating_add(name.len()));
        self.calls.push(self.parts.len());
        let (id, name) = (id.to_owned(), name.to_owned());
        self.part(Part::ToolCall(ToolCall { id, name, arguments: String::new() }));
    }

    fn arguments(&mut self, index: u32, json: &str) {
        self.count(json.len());
        let at = usize::try_from(index).ok().and_then(|index| self.calls.get(index).copied());
        match at.and_then(|at| self.parts.get_mut(at)) {
            Some(Part::ToolCall(call)) => call.arguments.push_str(json),
            _ => self.fail(),
        }
    }
}

/// The stream that says the same as a whole answer.
#[must_use]
pub fn stream(response: Response) -> Vec<Delta> {
    let Response { id, model, parts, stop, usage, .. } = response;
    let mut deltas = vec![Delta::Start { id, model }];
    let mut calls: u32 = 0;
    for part in parts {
        match part {
            Part::Text(text) => deltas.push(Delta::Text(text)),
            Part::Reasoning(Reasoning { text, seal }) => {
                deltas.extend((!text.is_empty()).then_some(Delta::Reasoning(text)));
                deltas.extend(seal.map(Delta::Seal));
            }
            Part::ToolCall(ToolCall { id, name, arguments }) => {
                deltas.push(Delta::ToolCall { index: calls, id, name });
                deltas.push(Delta::ToolArguments { index: calls, json: arguments });
                calls = calls.saturating_add(1);
            }
            // No model answers with these.
            Part::Image(_) | Part::Document(_) | Part::ToolResult(_) | Part::CacheBreakpoint(_) => {}
        }
    }
    deltas.push(Delta::Stop(stop));
    deltas.extend(usage.map(Delta::Usage));
    deltas.push(Delta::End);
    deltas
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{ApiError, ErrorKind};
    use crate::signature::{Origin, Seal, SealKind};
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn text(text: &str) -> Delta {
        Delta::Text(text.to_owned())
    }

    fn call(index: u32) -> Delta {
        Delta::ToolCall { index, id: format!("c{index}"), name: "f".to_owned() }
    }

    fn arguments(index: u32, json: &str) -> Delta {
        Delta::ToolArguments { index, json: json.to_owned() }
    }

    fn collected(max_bytes: usize, deltas: &[Delta]) -> Option<Response> {
        let mut collector = Collector::new(max_bytes);
        for delta in deltas {
            collector.push(delta);
            assert!(collector.bytes() <= max_bytes);
        }
        collector.finish()
    }

    #[test]
    fn pieces_are_put_together_in_the_order_they_came() {
        let seal = Seal { origin: Origin::Claude, kind: SealKind::Signature, value: "s".to_owned() };
        let start = Delta::Start { id: "a".to_owned(), model: "m".to_owned() };
        let pieces = [
            start.clone(),
            Delta::Reasoning("H".to_owned()),
            Delta::Reasoning("m".to_owned()),
            Delta::Seal(seal.clone()),
            text("I "),
            text("look."),
            call(0),
            call(1),
            arguments(1, "{}"),
            arguments(0, "{\"a\":"),
            arguments(0, "1}"),
            text("So."),
            Delta::Usage(Usage { input_fresh: 1, ..Usage::NONE }),
            Delta::Stop(StopReason::ToolUse),
            Delta::Usage(Usage { input_fresh: 2, ..Usage::NONE }),
            Delta::End,
        ];
        let whole = [
            start,
            Delta::Reasoning("Hm".to_owned()),
            Delta::Seal(seal),
            text("I look."),
            call(0),
            arguments(0, "{\"a\":1}"),
            call(1),
            arguments(1, "{}"),
            text("So."),
            Delta::Stop(StopReason::ToolUse),
            Delta::Usage(Usage { input_fresh: 2, ..Usage::NONE }),
            Delta::End,
        ];
        assert_eq!(stream(collected(1000, &pieces).unwrap()), whole);
    }

    #[test]
    fn what_is_not_all_there_is_no_answer() {
        let error = Delta::Error(ApiError::new(ErrorKind::Internal, ""));
        let stop = || Delta::Stop(StopReason::End);
        for (deltas, why) in [
            (vec![text("Half"), Delta::End], "it never stopped"),
            (vec![text("Half"), stop(), error], "it failed"),
            (vec![arguments(0, "{}"), stop()], "arguments of no call"),
            (vec![call(1), stop()], "a call out of turn"),
            (vec![text(&"x".repeat(1001)), stop()], "too large"),
            (vec![text(&"x".repeat(1001)), text("small"), stop()], "too large before"),
            ((0..20).map(call).chain([stop()]).collect(), "many small pieces"),
        ] {
            assert!(collected(1000, &deltas).is_none(), "{why}");
        }
    }
}
