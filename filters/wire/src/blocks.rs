//! Deltas into content blocks of which one is open at a time, as clients of some formats expect them.
//!
//! Only providers that run tool calls side by side make anything wait: what comes while a call is open and not complete
//! waits for it.

use crate::arguments::Progress;
use crate::signature::Seal;
use crate::stream::Delta;
use std::collections::VecDeque;

/// How much may wait for a call to be complete.
const MAX_WAITING_BYTES: usize = 1024 * 1024;

/// The blocks of one answer.
#[derive(Debug, Default)]
pub(crate) struct Blocks {
    /// Number of the open block, or of the next one.
    index: u32,
    open: Option<Open>,
    waiting: VecDeque<Waiting>,
    waiting_bytes: usize,
}

#[derive(Debug)]
enum Open {
    Text,
    Reasoning { said: bool },
    Call { index: u32, progress: Progress },
}

/// What came while a call was open.
#[derive(Debug)]
enum Waiting {
    Text(String),
    Reasoning(String),
    Seal(Seal),
    Call { index: u32, id: String, name: String, arguments: String },
}

/// One step of writing blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step<'a> {
    /// A block of text begins.
    BeginText,
    /// A block of reasoning begins: with a text, or with the seal that is all of it.
    BeginReasoning(Option<&'a Seal>),
    /// A tool call begins.
    BeginCall { id: &'a str, name: &'a str },
    /// More of the open text.
    Text(&'a str),
    /// More of the open reasoning.
    Reasoning(&'a str),
    /// The seal of the open reasoning, of which some text was shown or none. The block ends next.
    Seal { seal: &'a Seal, after_text: bool },
    /// More of the open call's arguments.
    Arguments(&'a str),
    /// The open block ends.
    End,
}

/// More waits than one stream may hold: the provider sent too much beside a tool call that it did not complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooMuch;

impl TooMuch {
    pub(crate) const MESSAGE: &str = "the provider sent too much beside a tool call that it did not complete";
}

/// Takes a step and the number of the block it concerns.
type OnStep<'a> = &'a mut dyn FnMut(u32, Step<'_>);

impl Blocks {
    /// Takes one delta; one that is no content takes no step.
    ///
    /// # Errors
    /// When too much waits. What waited is lost then.
    pub(crate) fn push(&mut self, delta: &Delta, on_step: OnStep<'_>) -> Result<(), TooMuch> {
        match delta {
            Delta::Text(text) if self.is_busy() => self.wait_for_text(text),
            Delta::Text(text) => self.text(text, on_step),
            Delta::Reasoning(text) if self.is_busy() => self.wait_for_reasoning(text),
            Delta::Reasoning(text) => self.reasoning(text, on_step),
            Delta::Seal(seal) if self.is_busy() => self.wait(seal.value.len(), Waiting::Seal(seal.clone())),
            Delta::Seal(seal) => self.seal(seal, on_step),
            Delta::ToolCall { index, id, name } if self.is_busy() => {
                let (id, name) = (id.clone(), name.clone());
                let bytes = id.len().saturating_add(name.len());
                self.wait(bytes, Waiting::Call { index: *index, id, name, arguments: String::new() });
            }
            Delta::ToolCall { index, id, name } => self.call(*index, id, name, on_step),
            Delta::ToolArguments { index, json } => self.arguments(*index, json, on_step),
            Delta::Start { .. }
            | Delta::Untranslated { .. }
            | Delta::Aside
            | Delta::Stop(_)
            | Delta::Usage(_)
            | Delta::Seen(_)
            | Delta::Error(_)
            | Delta::End => {}
        }
        if self.waiting_bytes <= MAX_WAITING_BYTES {
            return Ok(());
        }
        self.waiting = VecDeque::new();
        Err(TooMuch)
    }

    /// Ends the open block and writes whole what waited behind it: nothing more will complete it.
    pub(crate) fn end_all(&mut self, on_step: OnStep<'_>) {
        while self.begin_next(on_step) {}
        self.end(on_step);
    }

    /// Whether a call is open whose arguments are not complete.
    const fn is_busy(&self) -> bool {
        matches!(&self.open, Some(Open::Call { progress, .. }) if !progress.is_complete())
    }

    fn text(&mut self, text: &str, on_step: OnStep<'_>) {
        if text.is_empty() {
            return;
        }
        if !matches!(self.open, Some(Open::Text)) {
            self.begin(Open::Text, Step::BeginText, on_step);
        }
        on_step(self.index, Step::Text(text));
    }

    fn reasoning(&mut self, text: &str, on_step: OnStep<'_>) {
        if text.is_empty() {
            return;
        }
        if !matches!(self.open, Some(Open::Reasoning { .. })) {
            self.begin(Open::Reasoning { said: false }, Step::BeginReasoning(None), on_step);
        }
        self.open = Some(Open::Reasoning { said: true });
        on_step(self.index, Step::Reasoning(text));
    }

    fn seal(&mut self, seal: &Seal, on_step: OnStep<'_>) {
        let after_text = matches!(self.open, Some(Open::Reasoning { said: true })) && !seal.stands_alone(true);
        if !after_text {
            self.begin(Open::Reasoning { said: false }, Step::BeginReasoning(Some(seal)), on_step);
        }
        on_step(self.index, Step::Seal { seal, after_text });
        self.end(on_step);
    }

    fn call(&mut self, index: u32, id: &str, name: &str, on_step: OnStep<'_>) {
        let progress = Progress::default();
        self.begin(Open::Call { index, progress }, Step::BeginCall { id, name }, on_step);
    }

    fn arguments(&mut self, piece_of: u32, json: &str, on_step: OnStep<'_>) {
        if matches!(self.open, Some(Open::Call { index, .. }) if index == piece_of) {
            self.open_call_goes_on(json, on_step);
            while !self.is_busy() && self.begin_next(on_step) {}
            return;
        }
        let waiting = self.waiting.iter_mut().find_map(|waiting| match waiting {
            Waiting::Call { index, arguments, .. } if *index == piece_of => Some(arguments),
            _ => None,
        });
        // A piece of a call that is complete and ended has nothing left to say.
        if let Some(arguments) = waiting {
            arguments.push_str(json);
            self.count_waiting(json.len());
        }
    }

    fn open_call_goes_on(&mut self, json: &str, on_step: OnStep<'_>) {
        if let Some(Open::Call { progress, .. }) = &mut self.open
            && !json.is_empty()
        {
            progress.push(json);
            on_step(self.index, Step::Arguments(json));
        }
    }

    fn wait_for_text(&mut self, text: &str) {
        match self.waiting.back_mut() {
            Some(Waiting::Text(before)) => {
                before.push_str(text);
                self.count_waiting(text.len());
            }
            _ => self.wait(text.len(), Waiting::Text(text.to_owned())),
        }
    }

    fn wait_for_reasoning(&mut self, text: &str) {
        match self.waiting.back_mut() {
            Some(Waiting::Reasoning(before)) => {
                before.push_str(text);
                self.count_waiting(text.len());
            }
            _ => self.wait(text.len(), Waiting::Reasoning(text.to_owned())),
        }
    }

    fn wait(&mut self, bytes: usize, waiting: Waiting) {
        self.waiting.push_back(waiting);
        self.count_waiting(bytes.saturating_add(size_of::<Waiting>()));
    }

    const fn count_waiting(&mut self, bytes: usize) {
        self.waiting_bytes = self.waiting_bytes.saturating_add(bytes);
    }

    /// Begins the block that waited longest, `false` when none did.
    fn begin_next(&mut self, on_step: OnStep<'_>) -> bool {
        match self.waiting.pop_front() {
            Some(Waiting::Text(text)) => self.text(&text, on_step),
            Some(Waiting::Reasoning(text)) => self.reasoning(&text, on_step),
            Some(Waiting::Seal(seal)) => self.seal(&seal, on_step),
            Some(Waiting::Call { index, id, name, arguments }) => {
                self.call(index, &id, &name, on_step);
                self.open_call_goes_on(&arguments, on_step);
            }
            None => {
                self.waiting_bytes = 0;
                return false;
            }
        }
        true
    }

    fn begin(&mut self, open: Open, step: Step<'_>, on_step: OnStep<'_>) {
        self.end(on_step);
        self.open = Some(open);
        on_step(self.index, step);
    }

    fn end(&mut self, on_step: OnStep<'_>) {
        if self.open.take().is_some() {
            on_step(self.index, Step::End);
            self.index = self.index.saturating_add(1);
        }
    }
}

#[cfg(test)]
mod tests;
