//! One direction of a stream at one filter: what has arrived, what is held, what may be touched, what was let go.

use crate::headers::Headers;
use crate::phase::Part;

/// What left the filter towards the next hop, as it was when it left.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Forwarded {
    /// The headers, once they were let go.
    pub headers: Option<Headers>,
    /// All body bytes let go so far.
    pub body: Vec<u8>,
    /// The trailers, once they were let go.
    pub trailers: Option<Headers>,
    /// Whether the next hop saw the end of the message.
    pub ended: bool,
}

/// Envoy keeps a pointer to each header map and clears it when the filter may no longer touch the map.
#[derive(Debug, Default)]
pub(crate) struct Map {
    pub(crate) entries: Option<Headers>,
    pub(crate) live: bool,
}

impl Map {
    fn arrive(&mut self, entries: Headers) -> usize {
        let count = entries.len();
        *self = Map { entries: Some(entries), live: true };
        count
    }
}

#[derive(Debug, Default)]
pub(crate) struct Direction {
    pub(crate) headers: Map,
    pub(crate) trailers: Map,
    /// Whether the last byte, or the trailers, have arrived.
    ended: bool,
    /// The bytes of the body callback that runs, and whether the filter may touch them.
    chunk: Vec<u8>,
    chunk_live: bool,
    /// The bytes held for the filter, and whether body calls see them rather than the chunk.
    held: Option<Vec<u8>>,
    buffering: bool,
    /// Whether the filter paused and nothing has continued it since.
    stopped: bool,
    headers_released: bool,
    forwarded: Forwarded,
}

impl Direction {
    /// Takes headers in, and says how many.
    pub(crate) fn headers_arrive(&mut self, headers: Headers, end: bool) -> usize {
        assert!(self.headers.entries.is_none(), "headers only come once");
        self.ended = end;
        self.headers.arrive(headers)
    }

    /// Takes a chunk in, and says how many bytes the body callback is told: all that is held, once it buffers.
    pub(crate) fn data_arrives(&mut self, data: &[u8], end: bool) -> usize {
        assert!(self.headers.entries.is_some() && !self.ended, "data only comes between headers and end");
        self.ended = end;
        self.chunk_live = true;
        if self.buffering {
            self.held.get_or_insert_default().extend_from_slice(data);
        } else {
            self.chunk = data.to_vec();
        }
        self.body().map_or(0, |body| body.len())
    }

    /// Takes trailers in, and says how many.
    pub(crate) fn trailers_arrive(&mut self, trailers: Headers) -> usize {
        assert!(self.headers.entries.is_some() && !self.ended, "trailers only come between headers and end");
        self.ended = true;
        self.trailers.arrive(trailers)
    }

    /// The filter returned Continue from the callback for `part`: that, and all that is held before it, goes on.
    pub(crate) fn continue_after(&mut self, part: Part) {
        match part {
            Part::Headers => {
                self.headers.live = false;
                self.release_headers();
            }
            Part::Body => {
                let chunk = std::mem::take(&mut self.chunk);
                self.held.get_or_insert_default().extend(chunk);
                (self.chunk_live, self.buffering) = (false, false);
                self.release();
            }
            Part::Trailers => {
                self.trailers.live = false;
                self.release();
            }
        }
    }

    /// The filter returned Pause from the callback for `part`.
    pub(crate) fn pause_after(&mut self, part: Part) {
        self.stopped = true;
        if part == Part::Body {
            let chunk = std::mem::take(&mut self.chunk);
            self.held.get_or_insert_default().extend(chunk);
            self.buffering = true;
        }
    }

    /// Lets go of everything that is held, in order.
    pub(crate) fn release(&mut self) {
        self.stopped = false;
        self.release_headers();
        if let Some(body) = self.held.take() {
            self.forwarded.body.extend(body);
        }
        self.forwarded.trailers = self.trailers.entries.clone();
        self.forwarded.ended = self.ended;
    }

    /// What `continue_stream` does to the pointers of the request, whichever side it continues.
    pub(crate) fn forget_pointers(&mut self) {
        (self.headers.live, self.trailers.live, self.chunk_live) = (false, false, false);
    }

    /// The body that buffer calls see: what is held once the filter buffers, else the chunk of the running callback.
    pub(crate) fn body(&mut self) -> Option<&mut Vec<u8>> {
        if self.buffering { self.held.as_mut() } else { self.chunk_live.then_some(&mut self.chunk) }
    }

    pub(crate) fn held(&self) -> usize {
        self.held.as_ref().map_or(0, Vec::len)
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped
    }

    pub(crate) fn is_released(&self) -> bool {
        self.headers_released
    }

    pub(crate) fn forwarded(&self) -> &Forwarded {
        &self.forwarded
    }

    fn release_headers(&mut self) {
        if !self.headers_released {
            self.headers_released = true;
            self.forwarded.headers = self.headers.entries.clone();
            self.forwarded.ended = self.ended && self.held.is_none() && self.trailers.entries.is_none();
        }
    }
}
