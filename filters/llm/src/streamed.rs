//! A streamed answer on its way to the client. Pure: what comes out does not depend on how the bytes are cut.
//!
//! Until its commit point (the first delta that [`Delta::is_meaningful`]) everything is held, and a failure leaves no
//! trace with the client. After it every event goes on when it is complete; a failure then becomes an error event in
//! the client's format, and nothing follows it.

use crate::answer::{Failure, Passage, Relay, Tally, for_client, reason_of};
use crate::budget::Share;
use crate::config::Bounds;
use crate::framing::Framing;
use tollgate_kernel::framing::Event;
use tollgate_wire::Format;
use tollgate_wire::calls::Calls;
use tollgate_wire::error::ApiError;
use tollgate_wire::replay::Collector;
use tollgate_wire::stream::{Delta, Reader, Writer};

/// One stream.
#[derive(Debug)]
pub struct Streamed {
    framing: Framing,
    events: Events,
    bounds: Bounds,
    /// Bytes taken in so far.
    taken: usize,
    share: Share,
}

#[derive(Debug)]
struct Events {
    reader: Reader,
    path: Path,
    passage: Passage,
    /// Makes one piece of it, for the cache.
    collector: Option<Collector>,
    /// Reused between events.
    deltas: Vec<Delta>,
    /// What the client gets next.
    out: Vec<u8>,
    /// The newest chunk ended between the CR and the LF that end a hidden event.
    hidden_at_cr: bool,
    committed: bool,
    /// The provider said that the stream is complete.
    ended: bool,
    /// The client was told of an error: nothing comes after it.
    closed: bool,
}

/// How events reach the client.
#[derive(Debug)]
enum Path {
    /// In another format.
    Translated(Box<Writer>),
    /// As they came, each when it is whole: a cut must not leave half an event with the client, and OpenAI's extra
    /// usage chunk, which we ask for, is not for a client that did not. `begun` is what came so far of the event that
    /// is not whole.
    Verbatim { begun: Vec<u8>, hide_usage: bool },
}

impl Streamed {
    /// A stream that begins.
    #[must_use]
    pub fn new(passage: Passage, bounds: &Bounds) -> Self {
        let Passage { from, to, include_usage, answers, created, .. } = passage;
        let path = if from != to {
            Path::Translated(Box::new(Writer::new(to, include_usage, created)))
        } else {
            Path::Verbatim { begun: Vec::new(), hide_usage: from == Format::OpenaiChat && !include_usage }
        };
        let events = Events {
            reader: Reader::new(from, answers),
            path,
            passage,
            collector: None,
            deltas: Vec::new(),
            out: Vec::new(),
            hidden_at_cr: false,
            committed: false,
            ended: false,
            closed: false,
        };
        Self {
            framing: Framing::of(from, bounds.event_bytes),
            events,
            bounds: *bounds,
            taken: 0,
            share: Share::default(),
        }
    }

    /// Collects the answer, if it is not larger than `room`.
    #[must_use]
    pub fn collecting(mut self, room: Option<usize>) -> Self {
        self.events.collector = room.map(Collector::new);
        self
    }

    /// The whole answer, as a client gets it that wants it in one piece; `None` when it was not collected, or would not
    /// be the same.
    pub fn collected(&mut self) -> Option<Vec<u8>> {
        let Passage { to, created, .. } = self.events.passage;
        let answer = self.events.collector.take()?.finish().filter(|answer| answer.is_whole())?;
        Some(to.write_response(&answer, created))
    }

    /// Whether the provider has said that the answer is complete.
    #[must_use]
    pub const fn ended(&self) -> bool {
        self.events.ended
    }

    /// Whether the commit point has passed.
    #[must_use]
    pub const fn committed(&self) -> bool {
        self.events.committed
    }

    /// More of the stream; `end`: the provider ended it.
    pub fn data(&mut self, data: &[u8], end: bool, tally: &mut Tally) -> Relay {
        if self.events.closed {
            return Relay::Bytes(Vec::new());
        }
        let was_committed = self.committed();
        let read = self.read(data, end, tally);
        if !self.committed() {
            return match read {
                Err(failure) => Relay::Failed(failure),
                Ok(()) if end => {
                    Relay::Failed(Failure::new("empty_answer", "the provider's stream ended without an answer"))
                }
                Ok(()) => Relay::Hold,
            };
        }
        match read {
            Err(failure) => self.events.close(&failure, tally),
            Ok(()) if end => self.events.finish(tally),
            Ok(()) => {}
        }
        let out = std::mem::take(&mut self.events.out);
        if was_committed && out == data { Relay::Unchanged } else { Relay::Bytes(out) }
    }

    fn read(&mut self, data: &[u8], end: bool, tally: &mut Tally) -> Result<(), Failure> {
        let Self { framing, events, bounds, taken, share } = self;
        let mut failure = None;
        let mut from = events.skip_hidden(data);
        let framed = framing.push(data, |event| {
            if failure.is_none() && !events.closed {
                let before = taken.saturating_add(event.end).saturating_sub(event.size);
                let raw = data.get(from..event.end).unwrap_or_default();
                let in_time = events.check_held(before, bounds);
                failure = in_time.and_then(|()| events.take(&event, raw, true, tally)).err();
            }
            from = event.end;
        });
        if let Some(failure) = failure {
            return Err(failure);
        }
        if events.closed {
            return Ok(());
        }
        *taken = taken.saturating_add(data.len());
        let unfinished = framing.unfinished();
        events.rest(data.get(from..).unwrap_or_default(), unfinished);
        events.check_held(taken.saturating_sub(unfinished), bounds)?;
        framed?;
        if end {
            framing.finish(|event| failure = events.take(&event, b"", false, tally).err());
            failure.map_or(Ok(()), Err)?;
            events.end(tally)?;
        }
        let kept = framing.pending().saturating_add(events.kept());
        let collected = events.collector.as_ref().map_or(0, Collector::bytes);
        let collected = collected.saturating_add(tally.calls.as_ref().map_or(0, Calls::bytes));
        if share.resize(kept.saturating_add(collected), bounds.held_total_bytes).is_ok() {
            return Ok(());
        }
        (events.collector, tally.calls) = (None, None); // the client's own answer comes first
        share.resize(kept, bounds.held_total_bytes).map_err(|_| Failure::out_of_memory())
    }
}

impl Events {
    /// Refuses a stream that goes on after `before` bytes and has not begun to answer. Measured in whole events, so that
    /// chunking cannot change the answer.
    fn check_held(&self, before: usize, bounds: &Bounds) -> Result<(), Failure> {
        if !self.committed && before > bounds.held_bytes {
            return Err(Failure::new("no_answer_in_held_bytes", "the provider did not begin to answer"));
        }
        Ok(())
    }

    /// One event; `raw` is what the newest chunk holds of it. Not `whole`: the stream ended in it.
    fn take(&mut self, event: &Event<'_>, raw: &[u8], whole: bool, tally: &mut Tally) -> Result<(), Failure> {
        self.hidden_at_cr = false; // what came after it was no LF
        let mut deltas = std::mem::take(&mut self.deltas);
        deltas.clear();
        if let Err(malformed) = self.reader.read(event.name, event.data, &mut deltas) {
            self.collector = None;
            match &self.path {
                _ if !whole => return Ok(()),
                Path::Verbatim { .. } if self.committed => {} // the client may understand what we do not
                Path::Verbatim { .. } | Path::Translated(_) => return Err(Failure::of(malformed)),
            }
        }
        // What the provider says of our account is not for the client, in no format.
        let mut reworded = None;
        for delta in &mut deltas {
            if let Delta::Start { id, model } = delta {
                self.passage.name(id, model);
            }
            self.note(delta, tally)?;
            if let Delta::Error(error) = delta {
                let told = for_client(error.clone());
                if told != *error {
                    reworded = Some(told.clone());
                }
                *error = told;
            }
        }
        match &mut self.path {
            Path::Translated(writer) => deltas.iter().for_each(|delta| writer.write(delta, &mut self.out)),
            Path::Verbatim { begun, hide_usage } => {
                self.out.append(begun);
                self.out.extend_from_slice(raw);
                let unasked = *hide_usage && matches!(deltas.as_slice(), [Delta::Usage(_)]);
                if unasked || reworded.is_some() {
                    self.out.truncate(self.out.len().saturating_sub(event.size));
                    self.hidden_at_cr = raw.ends_with(b"\r");
                } else if !whole {
                    self.out.extend_from_slice(b"\n\n");
                }
                if let Some(error) = reworded {
                    self.tell(error);
                }
            }
        }
        self.deltas = deltas;
        Ok(())
    }

    fn note(&mut self, delta: &Delta, tally: &mut Tally) -> Result<(), Failure> {
        if let Some(collector) = &mut self.collector {
            collector.push(delta);
        }
        if let Some(calls) = &mut tally.calls {
            calls.push(delta);
        }
        let mut written = |bytes: usize| {
            tally.output_bytes = tally.output_bytes.saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
        };
        match delta {
            Delta::Start { model, .. } => tally.answered_by(model),
            Delta::Text(text) | Delta::Reasoning(text) => written(text.len()),
            Delta::ToolCall { name, .. } => written(name.len()),
            Delta::ToolArguments { json, .. } => written(json.len()),
            Delta::Untranslated { bytes } => {
                written(*bytes);
                tally.untranslated |= *bytes > 0;
            }
            Delta::Seal(_) | Delta::Aside => {}
            Delta::Usage(usage) => {
                tally.usage = Some(*usage);
                tally.usage_is_final = tally.stopped;
            }
            Delta::Seen(seen) => tally.seen = *seen,
            Delta::Stop(reason) => {
                tally.stopped = true;
                tally.finish = Some(*reason);
            }
            Delta::End => {
                tally.stopped |= self.committed;
                self.ended = true;
            }
            Delta::Error(error) if !self.committed => return Err(Failure::sent(error.clone())),
            Delta::Error(error) => {
                tally.cut = Some(reason_of(error));
                self.closed = true;
            }
        }
        self.committed |= delta.is_meaningful();
        Ok(())
    }

    /// The provider ended the stream, which in formats without an end marker is one.
    fn end(&mut self, tally: &mut Tally) -> Result<(), Failure> {
        let mut deltas = Vec::new();
        if !self.closed {
            self.reader.end(&mut deltas);
        }
        for delta in &deltas {
            self.note(delta, tally)?;
            if let Path::Translated(writer) = &mut self.path {
                writer.write(delta, &mut self.out);
            }
        }
        Ok(())
    }

    /// Bytes that complete no event; the last `unfinished` belong to one that has begun. Those before are comments: they
    /// keep a connection alive, also the client's.
    fn rest(&mut self, raw: &[u8], unfinished: usize) {
        self.hidden_at_cr &= raw.is_empty();
        if let Path::Verbatim { begun, .. } = &mut self.path {
            begun.extend_from_slice(raw);
            self.out.extend(begun.drain(..begun.len().saturating_sub(unfinished)));
        }
    }

    /// Where in a chunk the client's part begins: not with the LF of a hidden event.
    fn skip_hidden(&mut self, data: &[u8]) -> usize {
        let hidden_at_cr = self.hidden_at_cr;
        self.hidden_at_cr &= data.is_empty();
        usize::from(hidden_at_cr && data.starts_with(b"\n"))
    }

    /// Bytes kept for later.
    fn kept(&self) -> usize {
        match &self.path {
            Path::Verbatim { begun, .. } if self.committed => begun.len(),
            Path::Verbatim { begun, .. } => begun.len().saturating_add(self.out.len()),
            Path::Translated(_) if self.committed => 0,
            Path::Translated(_) => self.out.len(),
        }
    }

    /// Ends a committed stream with an error event in the client's format.
    fn close(&mut self, failure: &Failure, tally: &mut Tally) {
        tally.cut = Some(failure.reason);
        self.closed = true;
        self.tell(failure.error.clone());
    }

    /// Writes an error event in the client's format.
    fn tell(&mut self, error: ApiError) {
        let error = Delta::Error(error);
        match &mut self.path {
            Path::Translated(writer) => writer.write(&error, &mut self.out),
            Path::Verbatim { .. } => Writer::new(self.passage.to, false, 0).write(&error, &mut self.out),
        }
    }

    /// The provider ended the stream.
    fn finish(&mut self, tally: &mut Tally) {
        if self.closed {
            return;
        }
        if !tally.stopped {
            let failure = Failure::new("stream_cut", "the provider's stream ended in the middle of the answer");
            return self.close(&failure, tally);
        }
        if let Path::Translated(writer) = &mut self.path
            && !self.ended
        {
            writer.write(&Delta::End, &mut self.out);
        }
    }
}

#[cfg(test)]
mod tests;
