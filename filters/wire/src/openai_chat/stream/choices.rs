//! The choices of a stream: the first is the answer, others are only counted.

use crate::conversation::StopReason;
use crate::error::Malformed;
use crate::fields::{Fields, Unreadable};
use crate::openai_chat::answer::{Said, all, has_asides, unnamed};
use crate::openai_chat::read_finish_reason;
use crate::openai_chat::reasoning::Thinking;
use crate::openai_chat::stream::calls::Calls;
use crate::openai_chat::stream::read::unreadable;
use crate::stream::Delta;

/// OpenAI allows 128.
const MAX_CHOICES: usize = 1024;

#[derive(Debug)]
pub(super) struct Choices {
    /// How many answers there will be.
    answers: u64,
    /// Which of them have stopped.
    stopped: Vec<u64>,
    /// Why the first has.
    stop: Option<StopReason>,
    told_stop: bool,
    refused: bool,
    thinking: Thinking,
    calls: Calls,
}

impl Choices {
    pub(super) fn new(answers: u64) -> Self {
        Self {
            answers,
            stopped: Vec::new(),
            stop: None,
            told_stop: false,
            refused: false,
            thinking: Thinking::default(),
            calls: Calls::default(),
        }
    }

    pub(super) const fn told_stop(&self) -> bool {
        self.told_stop
    }

    pub(super) fn read(&mut self, choice: &Fields<'_>, out: &mut Vec<Delta>) -> Result<(), Malformed> {
        let index = choice.count("index").map_err(unreadable)?.unwrap_or(0);
        let delta = choice.object("delta").map_err(unreadable)?.unwrap_or_default();
        if index == 0 {
            self.read_delta(&delta, out)?;
            out.extend(has_asides(choice).then_some(Delta::Aside));
        } else {
            tell_untranslated(all(&delta), out);
        }
        // Some compatible servers send an empty reason with every chunk.
        let reason = choice.text("finish_reason").map_err(unreadable)?.filter(|reason| !reason.is_empty());
        if let Some(reason) = reason {
            self.stop(index, &reason, out);
        }
        Ok(())
    }

    fn read_delta(&mut self, delta: &Fields<'_>, out: &mut Vec<Delta>) -> Result<(), Malformed> {
        self.thinking.read(delta, out).map_err(unreadable)?;
        let said = Said::read(delta).map_err(unreadable)?;
        if !said.thought.is_empty() {
            out.push(Delta::Reasoning(said.thought));
        }
        self.say(said.text, out);
        let refusal = refusal(delta).map_err(unreadable)?;
        self.refused |= !refusal.is_empty();
        self.say(refusal, out);
        for piece in delta.list("tool_calls").map_err(unreadable)? {
            self.thinking.close(out);
            self.calls.read(&Fields::of_text(piece.get()).map_err(unreadable)?, out)?;
        }
        tell_untranslated(unnamed(delta), out);
        Ok(())
    }

    fn say(&mut self, text: String, out: &mut Vec<Delta>) {
        if !text.is_empty() {
            self.thinking.close(out);
            out.push(Delta::Text(text));
        }
    }

    fn stop(&mut self, index: u64, reason: &str, out: &mut Vec<Delta>) {
        if index == 0 && self.stop.is_none() {
            self.thinking.close(out);
            self.stop = Some(read_finish_reason(reason, self.calls.any(), self.refused));
        }
        if !self.stopped.contains(&index) && self.stopped.len() < MAX_CHOICES {
            self.stopped.push(index);
        }
        if u64::try_from(self.stopped.len()).unwrap_or(u64::MAX) >= self.answers {
            self.end(out);
        }
    }

    /// Nothing more comes. A server that was asked for several answers may have given one.
    pub(super) fn end(&mut self, out: &mut Vec<Delta>) {
        if let Some(stop) = self.stop.filter(|_| !self.told_stop) {
            self.told_stop = true;
            out.push(Delta::Stop(stop));
        }
    }
}

fn refusal(delta: &Fields<'_>) -> Result<String, Unreadable> {
    Ok(delta.text("refusal")?.unwrap_or_default())
}

fn tell_untranslated(bytes: usize, out: &mut Vec<Delta>) {
    if bytes > 0 {
        out.push(Delta::Untranslated { bytes });
    }
}
