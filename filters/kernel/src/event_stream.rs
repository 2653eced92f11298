//! Amazon's binary event streams (`application/vnd.amazon.eventstream`): from chunks of bytes, cut anywhere, to whole
//! events.
//!
//! A frame is its length, the length of its headers and a checksum of both; then headers, payload and a checksum of all
//! before it; see [the specification][spec]. Lengths are believed only when their checksum is right, and nothing is
//! allocated for bytes that have not come.
//!
//! [spec]: https://smithy.io/2.0/aws/amazon-eventstream.html

use crate::framing::{Event, TooLarge};
use crc::{CRC_32_ISO_HDLC, Crc, Table};
use std::{fmt, mem};

/// The length of the frame, that of its headers, and the checksum of both.
const PRELUDE: usize = 12;
const CHECKSUM: usize = 4;

static CRC: Crc<u32, Table<1>> = Crc::<u32, Table<1>>::new(&CRC_32_ISO_HDLC);

/// What makes a stream unreadable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Broken {
    /// The checksum of a frame's lengths is wrong.
    PreludeChecksum,
    /// The checksum of a frame is wrong.
    FrameChecksum,
    /// The lengths of a frame contradict each other.
    Lengths,
    /// A header of a frame is not of the documented form, or given twice.
    Header,
    /// The headers of a frame do not say what it is.
    Unnamed,
    /// A frame is larger than the limit.
    TooLarge(TooLarge),
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PreludeChecksum => "the checksum of a frame's lengths is wrong",
            Self::FrameChecksum => "the checksum of a frame is wrong",
            Self::Lengths => "the lengths of a frame contradict each other",
            Self::Header => "a header of a frame is not of the documented form",
            Self::Unnamed => "the headers of a frame do not say what it is",
            Self::TooLarge(cause) => return cause.fmt(f),
        })
    }
}

impl std::error::Error for Broken {}

/// Cuts one stream into events. The events, and what is broken, do not depend on how the stream is chunked.
///
/// The name of an event is its `:event-type`, that of an exception its `:exception-type`, that of an error its
/// `:error-code`; its data is the payload, or for an error without payload its `:error-message`. A frame that lies
/// within one chunk is borrowed from it.
///
/// ```
/// # use tollgate_kernel::event_stream::Framer;
/// let frame = b"\0\0\0)\0\0\0\x17* \x17\xdb\x0b:event-type\x07\0\x08metadata{}\x0c\x8e\x01\x1b";
/// let mut framer = Framer::new(64 * 1024);
/// let (head, tail) = frame.split_at(20);
/// framer.push(head, |_| panic!("not whole"))?;
/// framer.push(tail, |event| assert_eq!((event.name, event.data), (&b"metadata"[..], &b"{}"[..])))?;
/// # Ok::<(), tollgate_kernel::event_stream::Broken>(())
/// ```
#[derive(Debug)]
pub struct Framer {
    max_event_bytes: usize,
    /// What came of the unfinished frame.
    open: Vec<u8>,
    broken: Option<Broken>,
    /// Bytes of the stream after the last whole frame.
    unfinished: usize,
}

impl Framer {
    /// A framer at the start of a stream. `max_event_bytes` bounds a whole frame.
    #[must_use]
    pub const fn new(max_event_bytes: usize) -> Self {
        Self { max_event_bytes, open: Vec::new(), broken: None, unfinished: 0 }
    }

    /// Takes the next bytes of the stream and tells of each event they complete.
    ///
    /// # Errors
    /// When the stream is broken; the events before that were told. The framer then holds nothing and refuses all that
    /// follows, because where the next frame begins is not known.
    pub fn push(&mut self, bytes: &[u8], on_event: impl FnMut(Event<'_>)) -> Result<(), Broken> {
        let result = self.broken.map_or_else(|| self.read(bytes, on_event), Err);
        if let Err(broken) = result {
            self.broken = Some(broken);
            self.open = Vec::new();
        }
        result
    }

    /// Ends the stream. A frame that is not whole is never told of: nothing vouches for what came of it.
    pub fn finish(&mut self) {
        self.open = Vec::new();
        self.unfinished = 0;
    }

    /// Bytes held of the unfinished frame.
    #[must_use]
    pub const fn pending(&self) -> usize {
        self.open.len()
    }

    /// Bytes of the stream after the last whole frame: the last chunk ends with them, or holds nothing else. Of a stream
    /// that is broken, what came from the broken frame on until then.
    #[must_use]
    pub const fn unfinished(&self) -> usize {
        self.unfinished
    }

    fn read(&mut self, bytes: &[u8], mut on_event: impl FnMut(Event<'_>)) -> Result<(), Broken> {
        self.unfinished = self.unfinished.saturating_add(bytes.len());
        let mut rest = bytes;
        if !self.open.is_empty() {
            let Some(frame) = self.complete(&mut rest)? else { return Ok(()) };
            self.tell(&frame, bytes.len().saturating_sub(rest.len()), &mut on_event)?;
        }
        while let Some(frame) = self.whole_frame(&mut rest)? {
            self.tell(frame, bytes.len().saturating_sub(rest.len()), &mut on_event)?;
        }
        self.open.extend_from_slice(rest);
        Ok(())
    }

    /// The frame that earlier chunks began, when `rest` completes it; takes from `rest` what belongs to it.
    fn complete(&mut self, rest: &mut &[u8]) -> Result<Option<Vec<u8>>, Broken> {
        self.fill(PRELUDE, rest);
        let Some(length) = self.frame_length(&self.open)? else { return Ok(None) };
        self.fill(length, rest);
        Ok((self.open.len() == length).then(|| mem::take(&mut self.open)))
    }

    /// Moves bytes from `rest` until the open frame has `length`, as far as there are any.
    fn fill(&mut self, length: usize, rest: &mut &[u8]) {
        let missing = length.saturating_sub(self.open.len()).min(rest.len());
        if let Some((taken, after)) = rest.split_at_checked(missing) {
            self.open.extend_from_slice(taken);
            *rest = after;
        }
    }

    /// Takes the frame that `rest` begins with, when all of it is there.
    fn whole_frame<'a>(&self, rest: &mut &'a [u8]) -> Result<Option<&'a [u8]>, Broken> {
        let length = self.frame_length(rest)?;
        Ok(length.and_then(|length| rest.split_at_checked(length)).map(|(frame, after)| {
            *rest = after;
            frame
        }))
    }

    /// How long the frame is that `bytes` begin with; `None` while that is not known.
    fn frame_length(&self, bytes: &[u8]) -> Result<Option<usize>, Broken> {
        let Some((prelude, _)) = bytes.split_at_checked(PRELUDE) else { return Ok(None) };
        let (numbers, checksum) = prelude.split_at_checked(PRELUDE.saturating_sub(CHECKSUM)).ok_or(Broken::Lengths)?;
        if CRC.checksum(numbers) != big_endian(checksum) {
            return Err(Broken::PreludeChecksum);
        }
        let (length, headers) = lengths(numbers)?;
        if length > self.max_event_bytes {
            return Err(Broken::TooLarge(TooLarge { max_event_bytes: self.max_event_bytes }));
        }
        let least = headers.saturating_add(PRELUDE).saturating_add(CHECKSUM);
        if length < least { Err(Broken::Lengths) } else { Ok(Some(length)) }
    }

    fn tell(&mut self, frame: &[u8], end: usize, on_event: &mut impl FnMut(Event<'_>)) -> Result<(), Broken> {
        let (name, data) = read_frame(frame)?;
        self.unfinished = self.unfinished.saturating_sub(frame.len());
        on_event(Event { name, data, end, size: frame.len() });
        Ok(())
    }
}

/// The length of a frame and that of its headers.
fn lengths(mut frame: &[u8]) -> Result<(usize, usize), Broken> {
    let mut length = || take_length(&mut frame, 4).ok_or(Broken::Lengths);
    Ok((length()?, length()?))
}

/// Name and data of a whole frame.
fn read_frame(frame: &[u8]) -> Result<(&[u8], &[u8]), Broken> {
    let (checked, checksum) = frame.split_at_checked(frame.len().saturating_sub(CHECKSUM)).ok_or(Broken::Lengths)?;
    if CRC.checksum(checked) != big_endian(checksum) {
        return Err(Broken::FrameChecksum);
    }
    let (prelude, content) = checked.split_at_checked(PRELUDE).ok_or(Broken::Lengths)?;
    let (_, headers) = lengths(prelude)?;
    let (headers, payload) = content.split_at_checked(headers).ok_or(Broken::Lengths)?;
    let headers = Headers::read(headers)?;
    let (name, data) = match headers.message_type {
        Some(b"exception") => (headers.exception_type, payload),
        Some(b"error") if payload.is_empty() => (headers.error_code, headers.error_message.unwrap_or_default()),
        Some(b"error") => (headers.error_code, payload),
        _ => (headers.event_type, payload),
    };
    Ok((name.filter(|name| !name.is_empty()).ok_or(Broken::Unnamed)?, data))
}

/// The headers that say what a frame is.
#[derive(Debug, Default)]
struct Headers<'a> {
    message_type: Option<&'a [u8]>,
    event_type: Option<&'a [u8]>,
    exception_type: Option<&'a [u8]>,
    error_code: Option<&'a [u8]>,
    error_message: Option<&'a [u8]>,
}

impl<'a> Headers<'a> {
    fn read(mut rest: &'a [u8]) -> Result<Self, Broken> {
        let mut headers = Self::default();
        while !rest.is_empty() {
            let (name, value) = read_header(&mut rest).ok_or(Broken::Header)?;
            let known = match name {
                b":message-type" => &mut headers.message_type,
                b":event-type" => &mut headers.event_type,
                b":exception-type" => &mut headers.exception_type,
                b":error-code" => &mut headers.error_code,
                b":error-message" => &mut headers.error_message,
                _ => continue,
            };
            let Value::Text(text) = value else { return Err(Broken::Header) };
            // Which of two counts differs between readers.
            if known.replace(text).is_some() {
                return Err(Broken::Header);
            }
        }
        Ok(headers)
    }
}

/// The types of a header's value.
const TRUE: usize = 0;
const FALSE: usize = 1;
const BYTE: usize = 2;
const SHORT: usize = 3;
const INTEGER: usize = 4;
const LONG: usize = 5;
const BYTES: usize = 6;
const STRING: usize = 7;
const TIMESTAMP: usize = 8;
const UUID: usize = 9;

/// The value of a header; none but text says what a frame is.
enum Value<'a> {
    Text(&'a [u8]),
    Other,
}

/// Takes one header: the length of its name, its name, the type of its value, its value.
fn read_header<'a>(rest: &mut &'a [u8]) -> Option<(&'a [u8], Value<'a>)> {
    let length = take_length(rest, 1).filter(|length| *length > 0)?;
    let name = take(rest, length)?;
    let kind = take_length(rest, 1)?;
    let length = match kind {
        TRUE | FALSE => 0,
        BYTE => 1,
        SHORT => 2,
        INTEGER => 4,
        LONG | TIMESTAMP => 8,
        BYTES | STRING => take_length(rest, 2)?,
        UUID => 16,
        _ => return None,
    };
    let value = take(rest, length)?;
    Some((name, if kind == STRING { Value::Text(value) } else { Value::Other }))
}

/// The first `length` bytes of `rest`, taken from it.
fn take<'a>(rest: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, after) = rest.split_at_checked(length)?;
    *rest = after;
    Some(taken)
}

/// A number of so many bytes, taken from `rest`.
fn take_length(rest: &mut &[u8], bytes: usize) -> Option<usize> {
    usize::try_from(big_endian(take(rest, bytes)?)).ok()
}

/// An unsigned number of at most four bytes.
fn big_endian(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0, |number, byte| (number << 8) | u32::from(*byte))
}

#[cfg(test)]
mod tests;
