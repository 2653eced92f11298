//! Binary frames (`application/vnd.amazon.eventstream`), written.

use crc::{CRC_32_ISO_HDLC, Crc, Table};

static CRC: Crc<u32, Table<1>> = Crc::<u32, Table<1>>::new(&CRC_32_ISO_HDLC);

/// What a frame is besides its prelude, headers and payload.
const OVERHEAD: usize = 16;

/// What a frame tells of.
#[derive(Debug, Clone, Copy)]
pub(super) enum Message {
    Event(&'static str),
    Exception(&'static str),
}

/// Appends a frame with a JSON payload.
pub(super) fn write(message: Message, payload: &[u8], out: &mut Vec<u8>) {
    let mut headers = Vec::new();
    let (kind, key, name) = match message {
        Message::Event(name) => ("event", ":event-type", name),
        Message::Exception(name) => ("exception", ":exception-type", name),
    };
    for (key, value) in [(key, name), (":content-type", "application/json"), (":message-type", kind)] {
        write_header(key, value, &mut headers);
    }
    let length = headers.len().saturating_add(payload.len()).saturating_add(OVERHEAD);
    let begin = out.len();
    out.extend_from_slice(&big_endian(length));
    out.extend_from_slice(&big_endian(headers.len()));
    write_checksum(begin, out);
    out.extend_from_slice(&headers);
    out.extend_from_slice(payload);
    write_checksum(begin, out);
}

/// Our names and words are short.
fn write_header(key: &str, value: &str, out: &mut Vec<u8>) {
    out.push(u8::try_from(key.len()).unwrap_or(u8::MAX));
    out.extend_from_slice(key.as_bytes());
    out.push(7); // a string
    out.extend_from_slice(&u16::try_from(value.len()).unwrap_or(u16::MAX).to_be_bytes());
    out.extend_from_slice(value.as_bytes());
}

/// Of all that was written of the frame.
fn write_checksum(begin: usize, out: &mut Vec<u8>) {
    let checksum = CRC.checksum(out.get(begin..).unwrap_or_default());
    out.extend_from_slice(&checksum.to_be_bytes());
}

fn big_endian(length: usize) -> [u8; 4] {
    u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes()
}
