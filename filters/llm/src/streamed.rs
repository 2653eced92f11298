//! A streamed answer on its way to the client. Pure: what comes out does not depend on how the bytes are cut.
//!
//! Until its commit point (the first delta that [`Delta::is_meaningful`]) everything is held, and a failure leaves no
//! trace with the client. After it every event goes on when it is complete; a failure then becomes an error event in
//! the client's format, and nothing follows it.

use crate::answer::{Failure, Relay, Tally, reason_of};
use crate::config::Limits;
use tollgate_kernel::sse::{Event, Framer};
use tollgate_wire::Format;
use tollgate_wire::stream::{Delta, Reader, Writer};

/// One stream.
#[derive(Debug)]
pub struct Streamed {
    framer: Framer,
    events: Events,
    limits: Limits,
    /// Bytes taken in before the commit point.
    held: usize,
}

#[derive(Debug)]
struct Events {
    reader: Reader,
    path: Path,
    to: Format,
    /// Reused between events.
    deltas: Vec<Delta>,
    /// What the client gets next.
    out: Vec<u8>,
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
    Translated(Writer),
    /// As they came, each when it is whole: a cut must not leave half an event with the client, and OpenAI's extra
    /// usage chunk, which we ask for, is not for a client that did not. `begun` is what came so far of the event that
    /// is not whole.
    Verbatim { begun: Vec<u8>, hide_usage: bool },
}

impl Streamed {
    /// A stream of format `from` for a client of format `to`. `include_usage`: the client asked for OpenAI's extra
    /// usage chunk. `created`: seconds since 1970, for formats whose answers carry it.
    #[must_use]
    pub fn new(from: Format, to: Format, include_usage: bool, created: u64, limits: &Limits) -> Self {
        let path = if from != to {
            Path::Translated(Writer::new(to, include_usage, created))
        } else {
            Path::Verbatim { begun: Vec::new(), hide_usage: from == Format::OpenaiChat && !include_usage }
        };
        let events = Events {
            reader: Reader::new(from),
            path,
            to,
            deltas: Vec::new(),
            out: Vec::new(),
            committed: false,
            ended: false,
            closed: false,
        };
        Self { framer: Framer::new(limits.event_bytes), events, limits: *limits, held: 0 }
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
            self.held = self.held.saturating_add(data.len());
            return match read {
                Err(failure) => Relay::Failed(failure),
                Ok(()) if end => {
                    Relay::Failed(Failure::new("empty_answer", "the provider's stream ended without an answer"))
                }
                Ok(()) if self.held > self.limits.held_bytes => {
                    Relay::Failed(Failure::new("no_answer_in_held_bytes", "the provider did not begin to answer"))
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
        let Self { framer, events, limits, .. } = self;
        let mut failure = None;
        let mut from = 0;
        let mut take = |event: &Event<'_>, to: usize, whole: bool| {
            if failure.is_none() && !events.closed {
                let raw = data.get(from..to).unwrap_or_default();
                failure = events.take(event, raw, whole, tally).err();
            }
            from = to;
        };
        let framed = framer.push(data, |event| take(&event, event.end, true));
        if end {
            framer.finish(|event| take(&event, data.len(), false));
        }
        if let Some(failure) = failure {
            return Err(failure);
        }
        framed.map_err(|_| Failure::new("event_too_large", "the provider sent an event larger than allowed"))?;
        let between_events = framer.pending() == 0;
        events.rest(data.get(from..).unwrap_or_default(), between_events, limits.event_bytes)
    }
}

impl Events {
    /// One event; `raw` is what the newest chunk holds of it. Not `whole`: the stream ended in it.
    fn take(&mut self, event: &Event<'_>, raw: &[u8], whole: bool, tally: &mut Tally) -> Result<(), Failure> {
        let mut deltas = std::mem::take(&mut self.deltas);
        deltas.clear();
        if let Err(malformed) = self.reader.read(event.name, event.data, &mut deltas) {
            match &self.path {
                _ if !whole => return Ok(()),
                Path::Verbatim { .. } if self.committed => {} // the client may understand what we do not
                Path::Verbatim { .. } | Path::Translated(_) => return Err(Failure::of(malformed)),
            }
        }
        for delta in &deltas {
            self.note(delta, tally)?;
        }
        match &mut self.path {
            Path::Translated(writer) => deltas.iter().for_each(|delta| writer.write(delta, &mut self.out)),
            Path::Verbatim { begun, hide_usage: true } if matches!(deltas.as_slice(), [Delta::Usage(_)]) => {
                begun.clear()
            }
            Path::Verbatim { begun, .. } => {
                self.out.append(begun);
                self.out.extend_from_slice(raw);
            }
        }
        self.deltas = deltas;
        Ok(())
    }

    fn note(&mut self, delta: &Delta, tally: &mut Tally) -> Result<(), Failure> {
        let mut written = |bytes: usize| {
            tally.output_bytes = tally.output_bytes.saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
        };
        match delta {
            Delta::Start { .. } => {}
            Delta::Text(text) => written(text.len()),
            Delta::ToolCall { name, .. } => written(name.len()),
            Delta::ToolArguments { json, .. } => written(json.len()),
            Delta::Untranslated { bytes } => written(*bytes),
            Delta::Usage(usage) => tally.usage = Some(*usage),
            Delta::Stop(_) => tally.stopped = true,
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

    /// Bytes that complete no event.
    fn rest(&mut self, raw: &[u8], between_events: bool, limit: usize) -> Result<(), Failure> {
        match &mut self.path {
            Path::Translated(_) => {}
            Path::Verbatim { begun, .. } => {
                begun.extend_from_slice(raw);
                if between_events {
                    self.out.append(begun); // comments: they keep a connection alive, also the client's
                } else if begun.len() > limit.saturating_mul(2) {
                    return Err(Failure::new("event_too_large", "the provider sent an event larger than allowed"));
                }
            }
        }
        Ok(())
    }

    /// Ends a committed stream with an error event in the client's format.
    fn close(&mut self, failure: &Failure, tally: &mut Tally) {
        tally.cut = Some(failure.reason);
        self.closed = true;
        let error = Delta::Error(failure.error.clone());
        match &mut self.path {
            Path::Translated(writer) => writer.write(&error, &mut self.out),
            Path::Verbatim { .. } => Writer::new(self.to, false, 0).write(&error, &mut self.out),
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
