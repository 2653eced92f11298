//! The framing of a stream, as its format has it.

use crate::answer::Failure;
use tollgate_kernel::framing::Event;
use tollgate_kernel::{event_stream, sse};
use tollgate_wire::Format;

/// Cuts a provider's stream into events.
#[derive(Debug)]
pub(crate) enum Framing {
    /// Server-sent events.
    Sse(sse::Framer),
    /// Amazon's binary frames.
    EventStream(event_stream::Framer),
}

impl Framing {
    /// The framing of a stream of `format`. `max_event_bytes`: the largest event.
    pub(crate) const fn of(format: Format, max_event_bytes: usize) -> Self {
        match format {
            Format::BedrockConverse => Self::EventStream(event_stream::Framer::new(max_event_bytes)),
            _ => Self::Sse(sse::Framer::new(max_event_bytes)),
        }
    }

    /// The next bytes of the stream; tells of each event they complete.
    pub(crate) fn push(&mut self, bytes: &[u8], on_event: impl FnMut(Event<'_>)) -> Result<(), Failure> {
        match self {
            Self::Sse(framer) => framer.push(bytes, on_event).map_err(|_| Failure::too_large_event()),
            Self::EventStream(framer) => framer.push(bytes, on_event).map_err(|broken| match broken {
                event_stream::Broken::TooLarge(_) => Failure::too_large_event(),
                broken => Failure::new("malformed_answer", &broken.to_string()),
            }),
        }
    }

    /// The stream is over. Server-sent events may lack the last blank line; half a frame is nothing.
    pub(crate) fn finish(&mut self, on_event: impl FnOnce(Event<'_>)) {
        match self {
            Self::Sse(framer) => framer.finish(on_event),
            Self::EventStream(framer) => framer.finish(),
        }
    }

    /// Bytes held of the unfinished event.
    pub(crate) fn pending(&self) -> usize {
        match self {
            Self::Sse(framer) => framer.pending(),
            Self::EventStream(framer) => framer.pending(),
        }
    }

    /// Bytes of the stream since the last event ended.
    pub(crate) const fn unfinished(&self) -> usize {
        match self {
            Self::Sse(framer) => framer.unfinished(),
            Self::EventStream(framer) => framer.unfinished(),
        }
    }
}
