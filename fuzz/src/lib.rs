//! What the fuzz targets do with their bytes. Each must hold for any bytes; a panic is a find.

use tollgate_kernel::{event_stream, sse};
use tollgate_wire::Format;
use tollgate_wire::endpoint::Endpoint;
use tollgate_wire::envelope::{self, Envelope};
use tollgate_wire::quirks::Quirks;
use tollgate_wire::stream::{Delta, Reader, Writer};

const MAX_EVENT: usize = 64 * 1024;

/// One wire format: the first byte chooses what the others are.
pub fn format(format: Format, data: &[u8]) {
    let Some((what, bytes)) = data.split_first() else { return };
    match what % 4 {
        0 => request(format, bytes),
        1 => response(format, bytes),
        2 => error(format, bytes),
        _ => stream(format, bytes),
    }
}

/// A request that can be read can be written in any format, and then be read again.
fn request(format: Format, bytes: &[u8]) {
    let Ok(read) = format.read_request(bytes) else { return };
    for to in Format::ALL {
        let mut request = read.clone();
        let Ok(written) = to.write_request(&mut request) else { continue };
        assert!(is_json(&written), "{to:?} wrote no JSON");
        assert!(to.read_request(&written).is_ok(), "{to:?} does not read what it wrote: {}", shown(&written));
    }
}

/// An answer that can be read can be written in any format, and its usage adds up.
fn response(format: Format, bytes: &[u8]) {
    let Ok(read) = format.read_response(bytes) else { return };
    for to in Format::ALL {
        let written = to.write_response(&read, 0);
        assert!(is_json(&written), "{to:?} wrote no JSON");
        assert!(to.read_response(&written).is_ok(), "{to:?} does not read what it wrote: {}", shown(&written));
    }
}

fn error(format: Format, bytes: &[u8]) {
    let error = format.read_error(500, bytes);
    for to in Format::ALL {
        assert!(is_json(&to.write_error(&error)), "{to:?} wrote no JSON");
    }
}

/// A stream means the same however it is cut, and every writer survives it.
fn stream(format: Format, bytes: &[u8]) {
    let whole = deltas(format, bytes, usize::MAX);
    for size in [1, 7] {
        assert!(deltas(format, bytes, size) == whole, "cut at {size}, the stream means something else");
    }
    for to in Format::ALL {
        let (mut writer, mut out) = (Writer::new(to, true, 0), Vec::new());
        for delta in &whole {
            writer.write(delta, &mut out);
        }
        // Every writer repeats what it must in several events, but no more than a few times.
        assert!(out.len() <= (bytes.len() + 4096) * 64, "{to:?} wrote {} bytes of {}", out.len(), bytes.len());
    }
}

fn deltas(format: Format, bytes: &[u8], size: usize) -> Vec<Delta> {
    let (mut reader, mut deltas) = (Reader::new(format, 1), Vec::new());
    events(format, bytes, size, |name, data| {
        let _ = reader.read(name, data, &mut deltas);
    });
    deltas
}

/// The events of a stream that comes in chunks of `size`.
fn events(format: Format, bytes: &[u8], size: usize, mut on_event: impl FnMut(&[u8], &[u8])) {
    let chunks = bytes.chunks(size.min(bytes.len()).max(1));
    if format == Format::BedrockConverse {
        let mut framer = event_stream::Framer::new(MAX_EVENT);
        for chunk in chunks {
            if framer.push(chunk, |event| on_event(event.name, event.data)).is_err() {
                return;
            }
        }
    } else {
        let mut framer = sse::Framer::new(MAX_EVENT);
        for chunk in chunks {
            if framer.push(chunk, |event| on_event(event.name, event.data)).is_err() {
                return;
            }
        }
        framer.finish(|event| on_event(event.name, event.data));
    }
}

/// Both framings: events do not depend on cuts, and nothing is kept beyond the limit.
pub fn framing(data: &[u8]) {
    let Some((which, bytes)) = data.split_first() else { return };
    let format = if which % 2 == 0 { Format::OpenaiChat } else { Format::BedrockConverse };
    let all = |size| {
        let mut all = Vec::new();
        events(format, bytes, size, |name, data| all.push((name.to_vec(), data.to_vec())));
        all
    };
    let whole = all(usize::MAX);
    for size in [1, 3, 16] {
        assert!(all(size) == whole, "cut at {size}, the events are others");
    }
}

/// What the gate reads of any body; what it edits is still one JSON object that asks for the new model.
pub fn envelope(data: &[u8]) {
    const PATHS: [&str; 7] = [
        "/v1/chat/completions",
        "/v1/responses",
        "/v1/messages",
        "/v1beta/models/m:generateContent",
        "/model/m/converse",
        "/v1/embeddings",
        "/v1/messages/count_tokens",
    ];
    let Some((which, body)) = data.split_first() else { return };
    let Some(endpoint) = PATHS.get(usize::from(which % 8)).and_then(|path| Endpoint::of_path(path)) else { return };
    let Ok(read) = Envelope::read(&endpoint, body) else { return };
    for quirks in [Quirks::default(), Quirks { max_tokens: true, no_stream_options: true }] {
        let edited = envelope::apply(body, &read.edits("another", quirks));
        assert!(is_json(&edited), "no JSON any more: {}", shown(&edited));
        let again = Envelope::read(&endpoint, &edited);
        let again = again.unwrap_or_else(|fault| panic!("{fault}: {}", shown(&edited)));
        assert_eq!(again.model, if endpoint.model.is_some() { "m" } else { "another" });
        assert_eq!((again.stream, again.max_output_tokens), (read.stream, read.max_output_tokens));
    }
}

fn is_json(bytes: &[u8]) -> bool {
    serde_json::from_slice::<&serde_json::value::RawValue>(bytes).is_ok()
}

fn shown(bytes: &[u8]) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}
