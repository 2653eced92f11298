//! What the fuzz targets do with their bytes. Each must hold for any bytes; a panic is a find.

pub mod a2a;
pub mod card;
pub mod tickets;

use crc::{CRC_32_ISO_HDLC, Crc};
use tollgate_kernel::approval::pending::Slot;
use tollgate_kernel::approval::state::State;
use tollgate_kernel::approval::{Call, Id as Nonce, form};
use tollgate_kernel::json::{Digest, Document, Kind, Limits, Value};
use tollgate_kernel::json_rpc::Id;
use tollgate_kernel::limit::Limit;
use tollgate_kernel::limit::bucket::{Bucket, Fingerprint};
use tollgate_kernel::limit::counter::{Lapse, Reservation};
use tollgate_kernel::mcp::answer::{
    AnswerReader, Awaited, Editor, Entry, Expected, Form, List, Onward, Purpose, Shown, Tally,
};
use tollgate_kernel::mcp::lint::lint;
use tollgate_kernel::mcp::tool::Definition;
use tollgate_kernel::mcp::{Content, Headers, Names, Posted, Revision};
use tollgate_kernel::rate_limit_service::Answer;
use tollgate_kernel::redact::Redactor;
use tollgate_kernel::schema::{self, Invalid, Schema};
use tollgate_kernel::signed_subject::RequestLine;
use tollgate_kernel::signing_keys::SigningKeys;
use tollgate_kernel::subject::Subject;
use tollgate_kernel::x509::uri_names;
use tollgate_kernel::{event_stream, sse};
use tollgate_wire::Format;
use tollgate_wire::canonical::canonical;
use tollgate_wire::endpoint::Endpoint;
use tollgate_wire::envelope::{self, Envelope};
use tollgate_wire::quirks::Quirks;
use tollgate_wire::stream::{Delta, Reader, Writer};

const MAX_EVENT: usize = 64 * 1024;
const CRC: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);

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

/// A request that can be read can be written in any format, or is refused. What a provider makes of it is the
/// provider's: media types that it does not know, for example.
fn request(format: Format, bytes: &[u8]) {
    let Ok(read) = format.read_request(bytes) else { return };
    for to in Format::ALL {
        let mut request = read.clone();
        let Ok(written) = to.write_request(&mut request) else { continue };
        assert!(is_json(&written), "{to:?} wrote no JSON");
        let _ = to.read_request(&written);
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

/// Every event is survived, and so is every delta by every writer.
fn stream(format: Format, bytes: &[u8]) {
    let (mut reader, mut deltas) = (Reader::new(format, 1), Vec::<Delta>::new());
    if format == Format::BedrockConverse {
        // A line an event: a fuzzer finds no checksums.
        for line in bytes.split(|byte| *byte == b'\n') {
            let mut parts = line.splitn(2, |byte| *byte == b'\t');
            let (name, data) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
            let _ = reader.read(name, data, &mut deltas);
        }
    } else {
        let mut framer = sse::Framer::new(MAX_EVENT);
        let _ = framer.push(bytes, |event| drop(reader.read(event.name, event.data, &mut deltas)));
        framer.finish(|event| drop(reader.read(event.name, event.data, &mut deltas)));
    }
    for to in Format::ALL {
        let (mut writer, mut out) = (Writer::new(to, true, 0), Vec::new());
        for delta in &deltas {
            writer.write(delta, &mut out);
        }
        // Every writer repeats what it must in several events, but no more than a few times.
        assert!(out.len() <= (bytes.len() + 4096) * 64, "{to:?} wrote {} bytes of {}", out.len(), bytes.len());
    }
}

/// What a rate limit service answers: fields that nobody knows, before and after it, change nothing.
pub fn rate_limit_service(data: &[u8]) {
    const UNKNOWN: &[u8] = b"\x98\x06\x07";
    if let Ok(answer) = Answer::decode(data) {
        assert_eq!(Answer::decode(&[UNKNOWN, data, UNKNOWN].concat()), Ok(answer));
    }
}

/// Both framings: what comes out does not depend on cuts. The first byte says whether the others are server-sent events,
/// binary frames, or what stands between the checksums of a frame.
pub fn framing(data: &[u8]) {
    let Some((which, bytes)) = data.split_first() else { return };
    match which % 3 {
        0 => same_however_cut(bytes, sse_events),
        1 => same_however_cut(bytes, frame_events),
        _ => same_however_cut(&frame(bytes), frame_events),
    }
}

type Events = Vec<(Vec<u8>, Vec<u8>)>;

fn same_however_cut(bytes: &[u8], events: fn(&[u8], usize) -> Events) {
    let whole = events(bytes, bytes.len().max(1));
    for size in [1, 3, 16] {
        assert!(events(bytes, size) == whole, "in pieces of {size}, the events are others");
    }
}

fn sse_events(bytes: &[u8], size: usize) -> Events {
    let (mut framer, mut events) = (sse::Framer::new(MAX_EVENT), Vec::new());
    for chunk in bytes.chunks(size) {
        if framer.push(chunk, |event| events.push((event.name.to_vec(), event.data.to_vec()))).is_err() {
            return events;
        }
    }
    framer.finish(|event| events.push((event.name.to_vec(), event.data.to_vec())));
    events
}

fn frame_events(bytes: &[u8], size: usize) -> Events {
    let (mut framer, mut events) = (event_stream::Framer::new(MAX_EVENT), Vec::new());
    for chunk in bytes.chunks(size) {
        if framer.push(chunk, |event| events.push((event.name.to_vec(), event.data.to_vec()))).is_err() {
            return events;
        }
    }
    events
}

/// A frame with right lengths and checksums around headers (the first byte says how many bytes of them) and a payload.
fn frame(bytes: &[u8]) -> Vec<u8> {
    let Some((headers, rest)) = bytes.split_first() else { return Vec::new() };
    let headers = usize::from(*headers).min(rest.len());
    let mut frame = Vec::new();
    frame.extend(u32::try_from(16 + rest.len()).unwrap_or(u32::MAX).to_be_bytes());
    frame.extend(u32::try_from(headers).unwrap_or(u32::MAX).to_be_bytes());
    frame.extend(CRC.checksum(&frame).to_be_bytes());
    frame.extend(rest);
    frame.extend(CRC.checksum(&frame).to_be_bytes());
    frame
}

/// What is kept of limits, whoever wrote it, and what counting makes of it at any time.
pub fn limits(data: &[u8]) {
    const LIMITS: [&str; 5] = [
        r#"{"name": "a", "tokens": 1000, "every": "month", "utc_offset": "-08:00"}"#,
        r#"{"name": "b", "usd": 10000000, "every": "week"}"#,
        r#"{"name": "c", "requests": 18446744073709551615, "every": "minute", "burst": 7}"#,
        r#"{"name": "d", "requests": 1, "every": "hour", "burst": 1}"#,
        r#"{"name": "e", "concurrent": 3}"#,
    ];
    let Some((which, rest)) = data.split_first() else { return };
    let Some(limit) = LIMITS.get(usize::from(which % 5)) else { return };
    let limit: Limit = tollgate_config::read(limit).unwrap();
    let Some((steps, kept)) = rest.split_at_checked(rest.len().min(200) / 20 * 20) else { return };
    let mut bucket = match which / 5 % 2 {
        0 => Bucket::default(),
        _ => Bucket::read(kept).unwrap_or_default(),
    };
    let mut held = Vec::<Reservation>::new();
    for step in steps.chunks_exact(20) {
        let (what, who) = (step[0], step[1].to_string());
        let (now, lapse) = (number(&step[2..8]), number(&step[8..12]));
        let amount = number(&step[12..20]) >> (what / 8);
        let Ok(counter) = bucket.counter(&Fingerprint::of(&limit, |_| Some(&who)), now) else { continue };
        match what % 8 {
            0..3 => held.extend(counter.reserve(&limit, amount, now, Lapse(lapse))),
            3 => held.push(counter.reserve_anyway(&limit, amount, now, Lapse(lapse))),
            _ => counter.settle(&limit, &held.pop().unwrap_or_default(), amount, now),
        }
        let standing = counter.standing(&limit, now);
        assert!(standing.left <= limit.room(), "{standing:?}");
        let written = bucket.write();
        assert_eq!(Bucket::read(&written).as_ref(), Some(&bucket), "{written:?}");
    }
}

fn number(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// What proves who asks: a signed header, and the names in a certificate.
pub fn proofs(data: &[u8]) {
    let keys = SigningKeys::parse("0123456789abcdef0123456789abcdef").unwrap();
    let line = RequestLine { method: b"POST", authority: b"a", path: b"/" };
    assert!(keys.prove(data, &line, u64::MAX, 0).is_err(), "nobody signed this");
    for name in uri_names(data).unwrap_or_default() {
        assert!(name.len() < data.len());
    }
}

/// What clients bring back of a question, what is kept of calls that wait, and what a browser answers: the first byte says
/// which of them the others are.
pub fn approvals(data: &[u8]) {
    let Some((which, bytes)) = data.split_first() else { return };
    match which % 3 {
        0 => state(bytes),
        1 => {
            if let Some(slot) = Slot::read(bytes) {
                let written = slot.write();
                assert_eq!(Slot::read(&written).as_ref(), Some(&slot));
                // Of each call what it needs, and no more than was there.
                assert!(written.len() <= bytes.len().max(1));
            }
        }
        _ => {
            let names = ["decision", "reason", "token"];
            for value in form::fields(bytes, names).into_iter().flatten().flatten() {
                assert!(value.len() < bytes.len());
            }
        }
    }
}

/// Only what was sealed is opened, and only as it was.
fn state(bytes: &[u8]) {
    let keys = SigningKeys::random(&[7; 32]);
    let subject = Subject::default();
    let call =
        Call { subject: &subject, server: "a", method: "b", object: "c", parameters: Digest([1; 32]), rule: "d" };
    let Ok(text) = str::from_utf8(bytes) else { return };
    assert!(State::open(&keys, &call, text, 0).is_err(), "nobody signed this");
    assert!(State::open(&keys, &call, &format!("tollgate1.{text}"), 0).is_err(), "nor this");
    let state = State { expires_ms: 1, nonce: Nonce([2; 16]), upstream: Some(text.to_owned()) };
    let Some(sealed) = state.seal(&keys, &call) else { return };
    assert_eq!(State::open(&keys, &call, &sealed, 0).as_ref(), Ok(&state));
    let at = bytes.iter().map(|byte| usize::from(*byte)).sum::<usize>() % sealed.len();
    let mut changed = sealed.into_bytes();
    changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
    let changed = String::from_utf8(changed).unwrap();
    assert!(State::open(&keys, &call, &changed, 0).is_err(), "{at} of {changed}");
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
    let mut form = Vec::new();
    canonical(&endpoint, body, |piece| form.extend_from_slice(piece));
    assert!(is_json(&form), "no JSON any more: {}", shown(&form));
    let mut again = Vec::new();
    canonical(&endpoint, &form, |piece| again.extend_from_slice(piece));
    assert_eq!(shown(&again), shown(&form), "one spelling only");
    for quirks in [Quirks::default(), Quirks { max_tokens: true, no_stream_options: true }] {
        let edited = envelope::apply(body, &read.edits("another", quirks));
        assert!(is_json(&edited), "no JSON any more: {}", shown(&edited));
        let again = Envelope::read(&endpoint, &edited);
        let again = again.unwrap_or_else(|fault| panic!("{fault}: {}", shown(&edited)));
        assert_eq!(again.model, if endpoint.model.is_some() { "m" } else { "another" });
        assert_eq!((again.stream, again.max_output_tokens), (read.stream, read.max_output_tokens));
    }
}

/// What the strict reader accepts, `serde_json` accepts as the same; the one spelling of it is its own one spelling.
pub fn json(data: &[u8]) {
    let Ok(document) = Document::read(data, LIMITS) else { return };
    let tree: serde_json::Value =
        serde_json::from_slice(data).unwrap_or_else(|error| panic!("{error}: {}", shown(data)));
    same(document.root(), &tree);
    let text = spelled(document.root());
    let again = Document::read(text.as_bytes(), LIMITS).unwrap_or_else(|fault| panic!("{fault}: {text}"));
    assert_eq!(spelled(again.root()), text);
    assert_eq!(again.root().digest(), document.root().digest());
    for member in document.root().members() {
        let key = member.key();
        let without = document.without(document.root(), &[&key]);
        let left = Document::read(&without, LIMITS).unwrap_or_else(|fault| panic!("{fault}: {}", shown(&without)));
        assert!(left.root().get(&key).is_none());
        assert_eq!(left.root().members().count() + 1, document.root().members().count());
    }
}

const LIMITS: Limits = Limits { bytes: 1 << 20, nodes: 1 << 16 };

fn spelled(value: Value<'_, '_>) -> String {
    let mut text = String::new();
    value.canonical(&mut |piece| text.push_str(piece));
    text
}

fn same(value: Value<'_, '_>, tree: &serde_json::Value) {
    use serde_json::Value as Tree;
    match (value.kind(), tree) {
        (Kind::Null, Tree::Null) => {}
        (Kind::Bool, Tree::Bool(flag)) => assert_eq!(value.as_bool(), Some(*flag)),
        (Kind::String, Tree::String(text)) => assert_eq!(value.as_str().as_deref(), Some(text.as_str())),
        (Kind::Number, Tree::Number(number)) => {
            let read: Option<serde_json::Number> = serde_json::from_str(value.raw()).ok();
            assert_eq!(read.as_ref(), Some(number));
        }
        (Kind::Array, Tree::Array(items)) => {
            assert_eq!(value.items().count(), items.len());
            value.items().zip(items).for_each(|(value, tree)| same(value, tree));
        }
        (Kind::Object, Tree::Object(members)) => {
            assert_eq!(value.members().count(), members.len());
            value.members().for_each(|member| same(member.value, &tree[&*member.key()]));
        }
        _ => panic!("{} is not {tree}", value.raw()),
    }
}

/// What a client posts, with a revision that the first byte chooses: a fault has an answer, and what is no fault is, to
/// `serde_json`, a message with the same method and id.
pub fn mcp(data: &[u8]) {
    const VERSIONS: [&[u8]; 4] = [b"2025-03-26", b"2025-11-25", b"2026-07-28", b"2027-01-01"];
    let Some((which, body)) = data.split_first() else { return };
    let version = VERSIONS.get(usize::from(which % 5)).map(|version| ("mcp-protocol-version", *version));
    let Ok(document) = Document::read(body, LIMITS) else { return };
    let tree: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    let method = tree["method"].as_str().unwrap_or_default().as_bytes();
    let name = ["name", "uri", "taskId"].iter().find_map(|key| tree["params"][key].as_str());
    let mut headers: Vec<(&str, &[u8])> = version.into_iter().collect();
    headers.push(("mcp-method", method));
    headers.extend(name.map(|name| ("mcp-name", name.as_bytes())).filter(|_| *which < 128));
    match Posted::read(&document, Headers(&headers), &Names::default()) {
        Err(fault) => assert!(is_json(&fault.answer()) && (400..500).contains(&fault.reason.status())),
        Ok(Posted { content: Content::Call(call), .. }) => {
            assert_eq!(call.method.as_str().as_bytes(), method);
            assert_eq!(serde_json::from_str::<serde_json::Value>(call.id.raw()).ok().as_ref(), tree.get("id"));
            assert!(tree.get("result").is_none() && tree.get("error").is_none());
        }
        Ok(Posted { content: Content::Notice(notice), .. }) => {
            assert_eq!(notice.as_str().as_bytes(), method);
            assert!(tree.get("id").is_none() && method.starts_with(b"notifications/"));
        }
        Ok(Posted { content: Content::Answer(_), .. }) => assert!(tree.get("method").is_none()),
    }
}

/// A schema and, in the next line, a value. Whatever they are, it takes no longer than its steps, what is said is short, and a
/// value that is valid by a schema without references is not by its opposite.
pub fn schema(data: &[u8]) {
    let mut lines = data.splitn(2, |byte| *byte == b'\n');
    let mut next = || lines.next().unwrap_or_default();
    let (Ok(schema), Ok(value)) = (Document::read(next(), LIMITS), Document::read(next(), LIMITS)) else { return };
    let limits = schema::Limits { schemas: 1000, steps: 100_000 };
    let Ok(compiled) = Schema::compile(schema.root(), limits) else { return };
    let checked = compiled.check(value.root());
    match &checked {
        Err(Invalid::TooMuch) => return,
        Err(Invalid::Violation(violation)) => assert!(violation.pointer.len() <= 256 && violation.text.len() <= 256),
        Ok(()) => {}
    }
    if schema.text().contains("$") {
        return;
    }
    let not = format!("{{\"not\":{}}}", schema.text());
    let Ok(not) = Document::read(not.as_bytes(), LIMITS) else { return };
    let not = Schema::compile(not.root(), limits).unwrap_or_else(|unsupported| panic!("{unsupported}"));
    match not.check(value.root()) {
        Err(Invalid::TooMuch) => {}
        opposite => assert_ne!(opposite.is_ok(), checked.is_ok()),
    }
}

/// What is redacted of any text, and that nothing is left of it.
pub fn redact(data: &[u8]) {
    const ALL: &str = r#"{"patterns": ["keys", "card_numbers", "email"], "also": ["EMP-*", "*-x", "a*:b*c"]}"#;
    let redactor: Redactor = tollgate_config::read(ALL).unwrap();
    if let Some(once) = str::from_utf8(data).ok().and_then(|text| redactor.redact(text)) {
        assert_eq!(redactor.redact(&once), None, "{once}");
    }
    let Ok(document) = Document::read(data, LIMITS) else { return };
    if let Some(json) = redactor.redact_json(document.root()) {
        assert!(is_json(json.as_bytes()), "no JSON any more: {json}");
    }
}

/// What a server answers, read as the first byte says: what comes out does not depend on cuts, is what came in where nothing is
/// decided upon and no response is one too many, and has of a list only what is shown.
pub fn mcp_answer(data: &[u8]) {
    let Some((which, raw)) = data.split_first() else { return };
    let form = if which & 1 == 0 { Form::Json } else { Form::EventStream };
    let purpose = match which >> 1 & 3 {
        0 => Purpose::Watch,
        1 => Purpose::Inspect,
        2 => Purpose::Filter(List::Tools),
        _ => Purpose::FilterAny,
    };
    let one = Document::read(b"1", LIMITS).unwrap();
    let awaited = match which >> 3 & 3 {
        0 => Awaited::Nothing,
        1 => Awaited::Resumed,
        _ => Awaited::Response(Id::of(one.root()).unwrap().into_owned()),
    };
    let expected = Expected { awaited, purpose, revision: Revision::ALL[usize::from(which >> 5 & 3)] };
    let (out, tally) = answered(form, &expected, raw, raw.len().max(1));
    for size in [1, 3, 16] {
        let (pieces, same) = answered(form, &expected, raw, size);
        assert!(
            tally == same && pieces == out,
            "in pieces of {size}: {} {same:?} not {} {tally:?}",
            shown(&pieces),
            shown(&out)
        );
    }
    if form == Form::Json {
        if purpose == Purpose::Watch {
            assert!(out == raw || tally.redacted > 0 || tally.fault.is_some(), "{}", shown(&out));
        } else {
            assert!(out.is_empty() || is_json(&out), "{}", shown(&out));
        }
        let tree: serde_json::Value = serde_json::from_slice(&out).unwrap_or_default();
        let tools = tree["result"]["tools"].as_array().filter(|_| purpose == Purpose::Filter(List::Tools));
        let mut names = tools.into_iter().flatten().map(|tool| tool["name"].as_str().unwrap());
        assert!(names.all(|name| !name.starts_with('s')), "{}", shown(&out));
    }
}

/// Hides what begins with `s`, and redacts `TOKEN`.
struct HidesS(Redactor);

impl Editor for HidesS {
    fn entry(&mut self, entry: &Entry<'_, '_>) -> Shown {
        if let Ok(tool) = Definition::read(entry.value) {
            assert_eq!(tool.name, entry.name);
            assert!(entry.value.get("_meta").is_some() || tool.digest() == entry.value.digest());
        }
        assert!(lint(entry.value, &|name| name == "send_email").len() <= 4 * 8);
        if entry.name.starts_with('s') { Shown::No } else { Shown::Yes }
    }

    fn redactor(&self) -> Option<&Redactor> {
        Some(&self.0)
    }
}

fn answered(form: Form, expected: &Expected, raw: &[u8], size: usize) -> (Vec<u8>, Tally) {
    let limits = Limits { bytes: 1000, nodes: 100 };
    let mut editor = HidesS(tollgate_config::read(r#"{"also": ["TOKEN"], "in": ["results"]}"#).unwrap());
    let (mut reader, mut out) = (AnswerReader::new(form, expected.clone(), limits), Vec::new());
    for chunk in raw.chunks(size) {
        match reader.push(chunk, &mut editor) {
            Onward::Unchanged => out.extend_from_slice(chunk),
            Onward::Bytes(bytes) => out.extend(bytes),
        }
    }
    out.extend(reader.finish(&mut editor));
    (out, *reader.tally())
}

fn is_json(bytes: &[u8]) -> bool {
    serde_json::from_slice::<&serde_json::value::RawValue>(bytes).is_ok()
}

fn shown(bytes: &[u8]) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}
