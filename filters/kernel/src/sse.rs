//! Server-sent events: from chunks of bytes, cut anywhere, to whole events.
//!
//! Follows the event stream format of the [WHATWG HTML standard][spec], section 9.2.6, with one deviation, said at
//! [`Framer::finish`]. `id` and `retry` concern a browser that reconnects; they are read over.
//!
//! The data of an [`Event`] is its `data` fields, joined by LF. An event ends after the blank line that completes it;
//! comments since the blank line before count with it. When a chunk ends between the CR and the LF of that blank
//! line, the event is complete at the CR and the LF belongs to what follows.
//!
//! [spec]: https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation

pub use crate::framing::{Event, TooLarge};

use memchr::{memchr, memchr2};
use std::borrow::Cow;
use std::mem;

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Cuts one stream into events. The events, and whether one is too large, do not depend on how the stream is chunked.
///
/// An event that lies within one chunk and has one line of data is borrowed from the chunk; only what a chunk leaves
/// unfinished is kept.
///
/// ```
/// # use tollgate_kernel::sse::Framer;
/// let mut framer = Framer::new(64 * 1024);
/// let mut seen = Vec::new();
/// framer.push(b"event: ping\ndata: {}\n\ndata: [DO", |event| seen.push(event.data.to_vec()))?;
/// framer.push(b"NE]\n\n", |event| seen.push(event.data.to_vec()))?;
/// assert_eq!(seen, [b"{}".to_vec(), b"[DONE]".to_vec()]);
/// # Ok::<(), tollgate_kernel::sse::TooLarge>(())
/// ```
#[derive(Debug)]
pub struct Framer {
    max_event_bytes: usize,
    /// The fields of the unfinished event.
    open: Fields<'static>,
    /// The unfinished line.
    line: Vec<u8>,
    /// No line was completed yet, so a byte order mark may come.
    at_start: bool,
    /// The last byte was CR: an LF that comes next ends no second line.
    after_cr: bool,
    /// Bytes of the stream since the last blank line.
    unfinished: usize,
    failed: bool,
}

impl Framer {
    /// A framer at the start of a stream. `max_event_bytes` bounds what an event may hold at any time: its name, its
    /// data and the line being read, whatever that line is. All that stands between two blank lines, comments and line
    /// ends too, may be twice as large.
    #[must_use]
    pub const fn new(max_event_bytes: usize) -> Self {
        Self {
            max_event_bytes,
            open: Fields::NONE,
            line: Vec::new(),
            at_start: true,
            after_cr: false,
            unfinished: 0,
            failed: false,
        }
    }

    /// Takes the next bytes of the stream and tells of each event they complete.
    ///
    /// # Errors
    /// When an event is too large; the events before it were told. The framer then holds nothing and refuses all that
    /// follows, because where the next event begins is not known.
    pub fn push(&mut self, bytes: &[u8], on_event: impl FnMut(Event<'_>)) -> Result<(), TooLarge> {
        if self.failed || self.read(bytes, on_event).is_none() {
            *self = Self { failed: true, unfinished: self.unfinished, ..Self::new(self.max_event_bytes) };
            return Err(TooLarge { max_event_bytes: self.max_event_bytes });
        }
        Ok(())
    }

    /// Ends the stream. Data that no blank line completed is told as one last event, its last line also without a line
    /// end. The standard drops it; but providers do end a stream without the last blank line, and that event may be
    /// the one with the usage. So the data of this event may be cut.
    pub fn finish(&mut self, on_event: impl FnOnce(Event<'_>)) {
        let mut open = mem::take(&mut self.open);
        open.read(self.complete_line(b""));
        let size = mem::take(&mut self.unfinished);
        if let Some(event) = open.event(0, size) {
            on_event(event);
        }
    }

    /// Bytes held of the unfinished event.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.open.len().saturating_add(self.line.len())
    }

    /// Bytes of the stream since the last blank line, line ends and comments among them: the last chunk ends with them,
    /// or holds nothing else. Of an event that was too large, what came of it until then.
    #[must_use]
    pub const fn unfinished(&self) -> usize {
        self.unfinished
    }

    /// `None` when an event is too large.
    fn read(&mut self, bytes: &[u8], mut on_event: impl FnMut(Event<'_>)) -> Option<()> {
        let Some(&last) = bytes.last() else { return Some(()) };
        let mut open = mem::take(&mut self.open);
        let mut rest = if self.after_cr { bytes.strip_prefix(b"\n").unwrap_or(bytes) } else { bytes };
        self.after_cr = last == b'\r';
        // A late LF is of the event it ends, or else of none.
        let begun = if self.unfinished == 0 { rest.len() } else { bytes.len() };
        self.unfinished = self.unfinished.saturating_add(begun);
        while let Some((line, after)) = split_line(rest) {
            self.check_room(&open, line, rest.len().saturating_sub(line.len()))?;
            let line = self.complete_line(line);
            if line.is_empty() {
                let end = bytes.len().saturating_sub(after.len());
                let size = mem::replace(&mut self.unfinished, after.len()).saturating_sub(after.len());
                if let Some(event) = open.event(end, size) {
                    on_event(event);
                }
                open = Fields::NONE;
            } else {
                open.read(line);
            }
            rest = after;
        }
        self.check_room(&open, rest, 0)?;
        self.line.extend_from_slice(rest);
        self.open = open.into_owned();
        Some(())
    }

    /// Measured alike for a line that is whole and for one still coming, so that chunking cannot change the answer: up to
    /// its end, of which an LF may come too late. After the line come `left` bytes.
    fn check_room(&self, open: &Fields<'_>, line: &[u8], left: usize) -> Option<()> {
        let held = open.len().saturating_add(self.line.len()).saturating_add(line.len());
        let block = self.unfinished.saturating_sub(left);
        (held <= self.max_event_bytes && block <= self.max_event_bytes.saturating_mul(2)).then_some(())
    }

    /// The line that ends with `tail`, together with what earlier chunks brought of it.
    fn complete_line<'a>(&mut self, tail: &'a [u8]) -> Cow<'a, [u8]> {
        let mut line = mem::take(&mut self.line);
        let line = if line.is_empty() {
            Cow::Borrowed(tail)
        } else {
            line.extend_from_slice(tail);
            Cow::Owned(line)
        };
        let marked = mem::take(&mut self.at_start) && line.starts_with(BYTE_ORDER_MARK);
        if marked { skip(line, BYTE_ORDER_MARK.len()) } else { line }
    }
}

/// The fields of one event as far as they were read.
#[derive(Debug, Default)]
struct Fields<'a> {
    name: Cow<'a, [u8]>,
    /// `None` until a `data` field, even an empty one, makes this an event to tell of.
    data: Option<Cow<'a, [u8]>>,
}

impl<'a> Fields<'a> {
    const NONE: Self = Self { name: Cow::Borrowed(b""), data: None };

    fn len(&self) -> usize {
        self.name.len().saturating_add(self.data.as_ref().map_or(0, |data| data.len()))
    }

    /// Reads one line that is not blank. A comment is a line whose field name is empty.
    fn read(&mut self, line: Cow<'a, [u8]>) {
        let (field, value) = match memchr(b':', &line).and_then(|colon| line.split_at_checked(colon)) {
            Some((field, value)) => (field, value.strip_prefix(b": ").or_else(|| value.strip_prefix(b":"))),
            None => (line.as_ref(), None),
        };
        let value_at = line.len().saturating_sub(value.map_or(0, <[u8]>::len));
        match field {
            b"event" => self.name = skip(line, value_at),
            b"data" => match &mut self.data {
                None => self.data = Some(skip(line, value_at)),
                Some(data) => {
                    let data = data.to_mut();
                    data.push(b'\n');
                    data.extend_from_slice(value.unwrap_or_default());
                }
            },
            _ => {}
        }
    }

    fn event(&self, end: usize, size: usize) -> Option<Event<'_>> {
        self.data.as_ref().map(|data| Event { name: &self.name, data, end, size })
    }

    fn into_owned(self) -> Fields<'static> {
        Fields { name: Cow::Owned(self.name.into_owned()), data: self.data.map(|data| Cow::Owned(data.into_owned())) }
    }
}

/// Writes the whole event `raw` with `data` in place of its own: where its first line of data was, and all other lines as they
/// are. CR and LF in `data` begin a new line of data.
pub fn rewrite(raw: &[u8], data: &[u8], out: &mut Vec<u8>) {
    let mut rest = raw.strip_prefix(BYTE_ORDER_MARK).unwrap_or(raw);
    out.extend_from_slice(raw.get(..raw.len().saturating_sub(rest.len())).unwrap_or_default());
    let mut is_written = false;
    while let Some((line, after)) = split_line(rest) {
        let whole = rest.get(..rest.len().saturating_sub(after.len())).unwrap_or_default();
        let end = whole.get(line.len()..).unwrap_or_default();
        rest = after;
        if line != b"data" && !line.starts_with(b"data:") {
            out.extend_from_slice(whole);
        } else if !mem::replace(&mut is_written, true) {
            for line in data.split(|byte| matches!(byte, b'\r' | b'\n')) {
                out.extend_from_slice(b"data: ");
                out.extend_from_slice(line);
                out.extend_from_slice(end);
            }
        }
    }
    out.extend_from_slice(rest);
}

/// The first line without its end (LF, CR or CRLF), and what comes after that end.
fn split_line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (line, rest) = bytes.split_at_checked(memchr2(b'\r', b'\n', bytes)?)?;
    let after = rest.strip_prefix(b"\r\n").or_else(|| rest.get(1..))?;
    Some((line, after))
}

/// `bytes` without the first `count`.
fn skip(bytes: Cow<'_, [u8]>, count: usize) -> Cow<'_, [u8]> {
    match bytes {
        Cow::Borrowed(bytes) => Cow::Borrowed(bytes.get(count..).unwrap_or_default()),
        Cow::Owned(mut bytes) => {
            bytes.drain(..count.min(bytes.len()));
            Cow::Owned(bytes)
        }
    }
}

#[cfg(test)]
mod tests;
