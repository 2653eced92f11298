//! Chunks into deltas.

use crate::error::Malformed;
use crate::fields::{Fields, Unreadable};
use crate::openai_chat::error::read_inner_error;
use crate::openai_chat::stream::choices::Choices;
use crate::openai_chat::usage::Figures;
use crate::stream::Delta;

/// Reads a provider's stream.
#[derive(Debug)]
pub struct StreamReader {
    started: bool,
    choices: Choices,
    figures: Figures,
}

pub(super) fn unreadable(_: Unreadable) -> Malformed {
    Malformed::Unreadable("an event of the stream is not a readable chunk".to_owned())
}

impl StreamReader {
    /// A reader at the start of a stream of so many answers.
    #[must_use]
    pub fn new(answers: u64) -> Self {
        Self { started: false, choices: Choices::new(answers), figures: Figures::default() }
    }

    /// Reads one event; see [`Reader::read`](crate::stream::Reader::read). The event's name says nothing here.
    ///
    /// # Errors
    /// When the data is not a chunk, or a piece of a tool call belongs to none.
    pub fn read(&mut self, _event: &[u8], data: &[u8], out: &mut Vec<Delta>) -> Result<(), Malformed> {
        match data.trim_ascii() {
            b"" => return Ok(()),
            b"[DONE]" => {
                self.choices.end(out);
                out.push(Delta::End);
                return Ok(());
            }
            _ => {}
        }
        // Checked for UTF-8 as a whole: piece by piece takes longer.
        let chunk = Fields::of_bytes(data).map_err(unreadable)?;
        if let Some(error) = chunk.get("error") {
            if self.figures.merge(chunk.get("usage"), chunk.get("service_tier")) {
                out.extend(self.figures.usage().map(Delta::Usage));
            }
            out.push(Delta::Error(read_inner_error(error.get())));
            return Ok(());
        }
        self.read_chunk(&chunk, out)
    }

    fn read_chunk(&mut self, chunk: &Fields<'_>, out: &mut Vec<Delta>) -> Result<(), Malformed> {
        let choices = chunk.list("choices").map_err(unreadable)?;
        // A chunk without choices may come before the answer, with no id yet (Azure's prompt filter results).
        if !self.started && !choices.is_empty() {
            self.started = true;
            let text = |name| chunk.given(name).unwrap_or_default();
            out.push(Delta::Start { id: text("id"), model: text("model") });
        }
        let (before, of_choices) = (out.len(), !choices.is_empty());
        for choice in choices {
            self.choices.read(&Fields::of_text(choice.get()).map_err(unreadable)?, out)?;
        }
        let usage = chunk.get("usage");
        let seen = self.figures.seen();
        if !self.figures.merge(usage, chunk.get("service_tier")) {
            return Ok(());
        }
        if usage.is_some() && !of_choices {
            self.choices.end(out); // It comes after all choices.
        }
        if let Some(usage) = self.figures.usage() {
            if of_choices && out.len() == before && self.choices.told_stop() {
                out.push(Delta::Untranslated { bytes: 0 }); // no mere usage: something is told of a choice
            }
            out.push(Delta::Usage(usage));
        } else if self.figures.seen() != seen {
            out.push(Delta::Seen(self.figures.seen()));
        }
        Ok(())
    }
}
