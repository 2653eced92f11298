//! What every framer of a stream has in common: from chunks of bytes, cut anywhere, to whole events.

use std::fmt;

/// One event that carries data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event<'a> {
    /// What kind of event it is: the `event` field of server-sent events, `:event-type` of a binary frame; empty when
    /// there is none.
    pub name: &'a [u8],
    /// What it says.
    pub data: &'a [u8],
    /// Where the event ends in the chunk just pushed, so `chunk[previous end..end]` is what this chunk holds of the
    /// event. 0 for an event that no chunk completed.
    pub end: usize,
    /// How many bytes of the stream it took, over all chunks.
    pub size: usize,
}

/// An event outgrew the limit of its framer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooLarge {
    /// That limit.
    pub max_event_bytes: usize,
}

impl fmt::Display for TooLarge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an event of the stream is larger than {} bytes", self.max_event_bytes)
    }
}

impl std::error::Error for TooLarge {}
