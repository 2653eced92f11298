#![expect(clippy::arithmetic_side_effects, reason = "tests")]

use super::Streamed;
use crate::answer::{Passage, Relay, Tally};
use crate::config::Bounds;
use crate::example;
use crate::framing::Framing;
use Format::{AnthropicMessages, BedrockConverse, GoogleGemini, OpenaiChat, OpenaiResponses};
use tollgate_wire::Format;
use tollgate_wire::stream::{Delta, Reader, Writer};
use tollgate_wire::usage::Usage;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

macro_rules! recorded {
    ($($name:literal),*) => {[$(
        ($name, OpenaiChat, stream!($name, "openai-chat")),
        ($name, AnthropicMessages, stream!($name, "anthropic-messages")),
        ($name, OpenaiResponses, stream!($name, "openai-responses")),
        ($name, GoogleGemini, stream!($name, "google-gemini")),
    )*]};
}

macro_rules! stream {
    ($name:literal, $format:literal) => {
        include_str!(concat!("../../../wire/tests/fixtures/conversations/", $name, "/", $format, ".stream.sse"))
    };
}

/// The same answers as all providers stream them that stream in text.
const RECORDED: [(&str, Format, &str); 36] = recorded!(
    "text",
    "tools",
    "stop_sequence",
    "max_tokens",
    "multi_turn",
    "images",
    "refusal",
    "error",
    "long_output"
);

fn recorded(name: &str, format: Format) -> &'static str {
    let found = RECORDED.iter().find(|(recorded, by, _)| (*recorded, *by) == (name, format));
    found.map(|(_, _, stream)| *stream).expect("a recording")
}

/// One way through the gateway.
#[derive(Debug, Clone, Copy)]
struct Way {
    from: Format,
    to: Format,
    include_usage: bool,
}

impl Way {
    fn passage(self) -> Passage {
        Passage { include_usage: self.include_usage, ..example::passage(self.from, self.to) }
    }
}

const fn way(from: Format, to: Format) -> Way {
    Way { from, to, include_usage: false }
}

fn ways(from: Format) -> impl Iterator<Item = Way> {
    Format::ALL.into_iter().flat_map(move |to| [false, true].map(|include_usage| Way { from, to, include_usage }))
}

/// What became of a stream.
#[derive(Debug, PartialEq)]
struct Relayed {
    /// All that the client got, but for line ends after the last event: the LF of a CRLF may come too late for it.
    client: Vec<u8>,
    /// Why another provider is asked, if it is.
    failed: Option<&'static str>,
    tally: Tally,
}

impl Relayed {
    fn new(to: Format, mut client: Vec<u8>, failed: Option<&'static str>, tally: Tally) -> Self {
        if to != BedrockConverse {
            assert!(client.is_empty() || client.ends_with(b"\n") || client.ends_with(b"\r"), "the last event is whole");
            client.truncate(client.trim_ascii_end().len());
        }
        Self { client, failed, tally }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.client).into_owned()
    }

    fn deltas(&self, to: Format) -> Vec<Delta> {
        let end: &[u8] = if to == BedrockConverse { b"" } else { b"\n\n" };
        deltas(to, &[&self.client, end].concat())
    }
}

/// Relays the chunks; the last of them ends the stream.
fn relay<'a>(way: Way, bounds: &Bounds, chunks: impl IntoIterator<Item = &'a [u8]>) -> Relayed {
    let mut streamed = Streamed::new(way.passage(), bounds);
    let (mut client, mut tally) = (Vec::new(), Tally::default());
    let mut chunks = chunks.into_iter().peekable();
    while let Some(chunk) = chunks.next() {
        let end = chunks.peek().is_none();
        let relay = streamed.data(chunk, end, &mut tally);
        assert!(streamed.committed() || matches!(relay, Relay::Hold | Relay::Failed(_)), "relayed before the commit");
        match relay {
            Relay::Hold => assert!(!end, "undecided at the end"),
            Relay::Unchanged => client.extend_from_slice(chunk),
            Relay::Bytes(bytes) => client.extend(bytes),
            Relay::Failed(failure) => {
                assert!(client.is_empty(), "a failed attempt was seen by the client");
                return Relayed::new(way.to, client, Some(failure.reason), tally);
            }
        }
    }
    Relayed::new(way.to, client, None, tally)
}

fn at_once(way: Way, bounds: &Bounds, stream: &str) -> Relayed {
    relay(way, bounds, [stream.as_bytes()])
}

/// The outcome, which every cut of the stream must lead to.
fn whatever_the_cut(way: Way, bounds: &Bounds, stream: &str) -> Relayed {
    let (whole, bytes) = (at_once(way, bounds, stream), stream.as_bytes());
    let byte_by_byte = bytes.chunks(1).chain([&b""[..]]);
    assert_eq!(relay(way, bounds, byte_by_byte), whole, "{way:?} byte by byte");
    // Debug builds are slow: of a long stream not every cut is tried.
    for at in (0..=bytes.len()).step_by(1 + bytes.len() / 80) {
        let (head, tail) = bytes.split_at(at);
        assert_eq!(relay(way, bounds, [head, tail]), whole, "{way:?} cut at {at}");
    }
    whole
}

fn deltas(format: Format, stream: &[u8]) -> Vec<Delta> {
    let (mut framing, mut reader, mut deltas) = (Framing::of(format, 1 << 20), Reader::new(format, 1), Vec::new());
    let mut read = |name: &[u8], data: &[u8]| reader.read(name, data, &mut deltas).expect("a readable event");
    framing.push(stream, |event| read(event.name, event.data)).expect("no limit");
    framing.finish(|event| panic!("an event was left unfinished: {event:?}"));
    deltas
}

/// Whether a stream of this format says that it is complete.
fn says_end(format: Format) -> bool {
    format != GoogleGemini
}

fn said(deltas: &[Delta]) -> String {
    deltas.iter().fold(String::new(), |said, delta| match delta {
        Delta::Text(text) => said + text,
        Delta::ToolCall { index, id, name } => said + &format!("<{index} {id} {name}>"),
        Delta::ToolArguments { json, .. } => said + json,
        _ => said,
    })
}

/// `stream` without the blocks that hold `part`.
fn without(stream: &str, part: &str) -> String {
    stream.split_inclusive("\n\n").filter(|block| !block.contains(part)).collect()
}

/// OpenAI's extra chunk, and nothing else, has usage and no choices.
const USAGE_CHUNK: &str = r#""choices":[],"usage":{"#;

#[test]
fn no_cut_of_a_recorded_stream_changes_what_comes_out() {
    let bounds = Bounds::default();
    for (name, from, stream) in RECORDED {
        for way in ways(from) {
            let relayed = whatever_the_cut(way, &bounds, stream);
            assert_eq!(relayed.failed, None, "{name} {way:?}");
        }
    }
}

#[test]
fn not_a_single_byte_of_a_stream_is_a_place_that_matters() {
    let bounds = Bounds::default();
    for (name, from, stream) in RECORDED.into_iter().filter(|(name, ..)| matches!(*name, "stop_sequence" | "error")) {
        for way in Format::ALL.map(|to| way(from, to)) {
            let whole = at_once(way, &bounds, stream);
            for at in 0..=stream.len() {
                let (head, tail) = stream.as_bytes().split_at(at);
                assert_eq!(relay(way, &bounds, [head, tail]), whole, "{name} {way:?} cut at {at}");
            }
        }
    }
}

#[test]
fn line_ends_and_comments_change_nothing_either() {
    let bounds = Bounds::default();
    for (_, from, stream) in RECORDED.into_iter().take(8) {
        let commented = stream.replace("data: ", ": in between\ndata: ").replace("\n\n", "\n\n: keep-alive\n\n");
        for stream in [stream.replace('\n', "\r\n"), stream.replace('\n', "\r"), commented] {
            ways(from).for_each(|way| drop(whatever_the_cut(way, &bounds, &stream)));
        }
    }
}

#[test]
fn the_same_format_passes_byte_for_byte_but_for_a_usage_chunk_that_the_client_did_not_ask_for() {
    let bounds = Bounds::default();
    // An error that speaks of our account is told in other words.
    for (name, from, stream) in RECORDED.into_iter().filter(|(name, ..)| *name != "error") {
        let asked = Way { include_usage: true, ..way(from, from) };
        assert_eq!(at_once(asked, &bounds, stream).text(), stream.trim_end(), "{name}");
        let unasked = at_once(way(from, from), &bounds, stream);
        assert_eq!(unasked.text(), without(stream, USAGE_CHUNK).trim_end(), "{name}");
        for line_end in ["\r\n", "\r"] {
            let stream = stream.replace('\n', line_end);
            let relayed = whatever_the_cut(asked, &bounds, &stream);
            assert_eq!(relayed.text(), stream.trim_end(), "{name}");
        }
    }
}

#[test]
fn a_hidden_usage_chunk_takes_no_keep_alive_with_it_and_is_still_counted() {
    let stream = recorded("text", OpenaiChat)
        .replace("\n\ndata: {\"id", "\n\n: keep-alive\n\ndata: {\"id")
        .replace('\n', "\r\n");
    let relayed = whatever_the_cut(way(OpenaiChat, OpenaiChat), &Bounds::default(), &stream);
    let usage = stream.split_inclusive("\r\n\r\n").find(|block| block.contains(USAGE_CHUNK)).expect("it is in there");
    assert_eq!(relayed.text(), stream.replace(usage, "").trim_end());
    assert!(relayed.tally.usage.is_some());
}

#[test]
fn every_other_format_says_the_same() {
    let bounds = Bounds::default();
    for (name, from, stream) in RECORDED.into_iter().filter(|(name, ..)| *name != "error") {
        let expected = deltas(from, stream.as_bytes());
        for to in Format::ALL.into_iter().filter(|to| *to != from) {
            let relayed = at_once(way(from, to), &bounds, stream);
            let client = relayed.deltas(to);
            assert_eq!(said(&client), said(&expected), "{name} {to:?}");
            assert_eq!(client.last() == Some(&Delta::End), says_end(to), "{name} {to:?}");
            assert_eq!(client.iter().filter(|delta| matches!(delta, Delta::Stop(_))).count(), 1, "{name} {to:?}");
            assert!(relayed.tally.stopped && relayed.tally.cut.is_none(), "{name} {to:?}");
        }
    }
}

#[test]
fn the_tally_is_the_providers_whatever_the_client_speaks_and_sees() {
    let bounds = Bounds::default();
    for (name, from, stream) in RECORDED {
        let tallies: Vec<Tally> = ways(from).map(|way| at_once(way, &bounds, stream).tally).collect();
        assert!(tallies.iter().all(|tally| *tally == tallies[0]), "{name}: {tallies:?}");
        assert!(tallies[0].output_bytes > 0, "{name}");
    }
    let text = at_once(way(OpenaiChat, OpenaiChat), &bounds, recorded("text", OpenaiChat)).tally;
    let same = at_once(way(AnthropicMessages, OpenaiChat), &bounds, recorded("text", AnthropicMessages)).tally;
    assert_eq!(text.usage.map(|usage: Usage| usage.output()), same.usage.map(|usage| usage.output()));
}

const FIRST_EVENT_ERRORS: [(Format, &str, &str); 4] = [
    (OpenaiChat, "data: {\"error\":{\"message\":\"busy\",\"code\":\"server_is_overloaded\"}}\n\n", "overloaded"),
    (
        OpenaiChat,
        "data: {\"id\":\"a\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\n\n\
         data: {\"error\":{\"message\":\"slow\",\"code\":\"rate_limit_exceeded\"}}\n\n",
        "rate_limited",
    ),
    (
        AnthropicMessages,
        "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"busy\"}}\n\n",
        "overloaded",
    ),
    (
        AnthropicMessages,
        "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"usage\":{\"input_tokens\":9}}}\n\n\
         event: ping\ndata: {\"type\":\"ping\"}\n\n: hm\n\n\
         event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"api_error\",\"message\":\"no\"}}\n\n",
        "provider_error",
    ),
];

#[test]
fn an_error_before_anything_was_said_leaves_no_trace_with_the_client() {
    for (from, stream, reason) in FIRST_EVENT_ERRORS {
        for way in ways(from) {
            let relayed = whatever_the_cut(way, &Bounds::default(), stream);
            assert_eq!(relayed.failed, Some(reason), "{stream}");
        }
        let mut streamed = Streamed::new(way(from, from).passage(), &Bounds::default());
        let Relay::Failed(failure) = streamed.data(stream.as_bytes(), false, &mut Tally::default()) else {
            panic!("a failure")
        };
        assert!(failure.provider_refused, "the provider said so itself, so it does not bill for it");
    }
}

#[test]
fn an_error_after_the_commit_point_is_the_last_that_the_client_sees() {
    for (_, from, stream) in RECORDED.into_iter().filter(|(name, ..)| *name == "error") {
        let chatty = [stream, ": bye\n\n", recorded("text", from), "data: {"].concat();
        for way in ways(from) {
            let relayed = whatever_the_cut(way, &Bounds::default(), &chatty);
            assert_eq!(relayed, at_once(way, &Bounds::default(), stream), "nothing comes after the error");
            assert_eq!((relayed.failed, relayed.tally.cut), (None, Some("rate_limited")));
            assert!(matches!(relayed.deltas(way.to).last(), Some(Delta::Error(_))));
        }
    }
}

/// Cut everywhere, in the middle of events too, and ended properly at that place, as HTTP goes.
#[test]
fn an_error_in_the_middle_is_told_without_the_words_that_name_our_account() {
    let text = |way: Way| {
        at_once(way, &Bounds::default(), MID_STREAM.iter().find(|(format, _)| *format == way.from).unwrap().1).text()
    };
    for (from, _) in MID_STREAM {
        for way in ways(from) {
            let text = text(way);
            assert!(!text.contains("org-ours"), "{way:?}: {text}");
        }
    }
}

#[test]
fn what_stands_before_such_an_error_goes_on_however_it_is_cut() {
    for (from, stream) in MID_STREAM {
        let stream = stream.replacen("\n\n", "\n\n: keep-alive\n\nevent: x\n\n", 1);
        let relayed = whatever_the_cut(way(from, from), &Bounds::default(), &stream);
        assert!(relayed.text().contains(": keep-alive\n\nevent: x\n\n"), "{}", relayed.text());
        assert!(matches!(relayed.deltas(from).last(), Some(Delta::Error(_))));
    }
}

#[test]
fn only_the_line_feed_of_a_hidden_event_itself_is_hidden() {
    let (text, usage) = (
        "data: {\"choices\":[{\"delta\":{\"content\":\"Hi\"}}]}",
        "data: {\"choices\":[],\"usage\":\
        {\"prompt_tokens\":7,\"completion_tokens\":2,\"total_tokens\":9}}",
    );
    for between in ["", "data: {\"type\":\"ping\"}\n\n", ": x\n"] {
        let stream = format!("{text}\n\n{usage}\r\r{between}{text}\n\n{text}\n\ndata: [DONE]\n\n");
        let relayed = whatever_the_cut(way(OpenaiChat, OpenaiChat), &Bounds::default(), &stream);
        assert_eq!(relayed.text().matches("Hi").count(), 3);
        for at in 0..stream.len() {
            let (head, tail) = stream.as_bytes().split_at(at);
            assert_eq!(relay(way(OpenaiChat, OpenaiChat), &Bounds::default(), [head, tail]), relayed, "cut at {at}");
        }
    }
}

/// The provider answers, then limits our rate or refuses our key.
const MID_STREAM: [(Format, &str); 2] = [
    (
        OpenaiChat,
        "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hi\"}}]}\n\ndata: {\"error\":{\"message\":\"Rate limit \
         reached in organization org-ours\",\"type\":\"requests\",\"code\":\"rate_limit_exceeded\"}}\n\n",
    ),
    (
        AnthropicMessages,
        "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"Hi\"}}\n\n\
         event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"authentication_error\",\"message\":\"key of org-ours\"}}\n\n",
    ),
];

#[test]
fn a_stream_that_ends_too_early_is_told_in_the_clients_format_and_never_as_complete() {
    let bounds = Bounds::default();
    for (_, from, stream) in RECORDED.into_iter().filter(|(name, ..)| *name == "stop_sequence") {
        for stream in [stream.to_owned(), stream.replace('\n', "\r\n")] {
            for (end, way) in (0..stream.len()).zip(ways(from).collect::<Vec<_>>().into_iter().cycle()) {
                let Some(cut) = stream.get(..end) else { continue };
                let relayed = at_once(way, &bounds, cut);
                let in_pieces = cut.as_bytes().chunks(1 + end % 40).chain([&b""[..]]);
                assert_eq!(relay(way, &bounds, in_pieces), relayed, "{way:?} ends at {end}");
                let Relayed { failed, tally, .. } = &relayed;
                if failed.is_some() {
                    assert_eq!((failed, tally.cut), (&Some("empty_answer"), None));
                    continue;
                }
                let last = relayed.deltas(way.to).pop();
                match tally.cut {
                    Some(reason) => assert!(reason == "stream_cut" && matches!(last, Some(Delta::Error(_)))),
                    None => assert!(tally.stopped && !matches!(last, Some(Delta::Error(_)))),
                }
            }
        }
    }
}

#[test]
fn a_complete_answer_without_its_end_marker_is_complete() {
    for (from, stream, marker) in [
        (OpenaiChat, recorded("text", OpenaiChat), "[DONE]"),
        (AnthropicMessages, recorded("text", AnthropicMessages), "message_stop"),
    ] {
        let stream = without(stream, marker);
        for way in ways(from) {
            let relayed = whatever_the_cut(way, &Bounds::default(), &stream);
            assert!(relayed.tally.stopped && relayed.tally.cut.is_none());
            let ended = relayed.deltas(way.to).last() == Some(&Delta::End);
            assert_eq!(
                ended,
                way.from != way.to && says_end(way.to),
                "what we write is whole, what we pass on is the provider's"
            );
        }
    }
}

#[test]
fn a_last_event_without_its_blank_line_is_told_and_completed() {
    for (name, from, stream) in RECORDED.into_iter().take(8) {
        for way in ways(from) {
            let whole = at_once(way, &Bounds::default(), stream);
            for missing in [1, 2] {
                let (cut, _) = stream.split_at(stream.len() - missing);
                let relayed = whatever_the_cut(way, &Bounds::default(), cut);
                assert_eq!(relayed.deltas(way.to), whole.deltas(way.to), "{name} {way:?}");
                assert_eq!(relayed.tally, whole.tally);
            }
        }
    }
}

/// The frames of a stream that is recorded as text.
fn in_frames(from: Format, stream: &str) -> Vec<u8> {
    let (mut writer, mut frames) = (Writer::new(BedrockConverse, false, 0), Vec::new());
    deltas(from, stream.as_bytes()).iter().for_each(|delta| writer.write(delta, &mut frames));
    frames
}

#[test]
fn binary_frames_are_relayed_alike_however_they_are_cut() {
    let bounds = Bounds::default();
    for (name, from, stream) in RECORDED.into_iter().filter(|(_, from, _)| *from == AnthropicMessages) {
        let frames = in_frames(from, stream);
        for way in ways(BedrockConverse) {
            let whole = relay(way, &bounds, [&frames[..]]);
            if way.to == BedrockConverse && name != "error" {
                assert_eq!(whole.client, frames, "{name}");
            }
            assert_eq!(said(&whole.deltas(way.to)), said(&deltas(from, stream.as_bytes())), "{name}");
            assert_eq!(relay(way, &bounds, frames.chunks(1).chain([&b""[..]])), whole, "{name} byte by byte");
        }
    }
}

#[test]
fn a_frame_with_a_wrong_checksum_ends_the_stream() {
    let frames = in_frames(AnthropicMessages, recorded("text", AnthropicMessages));
    let mut broken = frames.clone();
    let last = broken.len() - 1;
    broken[last] ^= 1;
    for way in ways(BedrockConverse) {
        let relayed = relay(way, &Bounds::default(), [&broken[..]]);
        assert_eq!((relayed.failed, relayed.tally.cut), (None, Some("malformed_answer")));
        assert!(matches!(relayed.deltas(way.to).last(), Some(Delta::Error(_))));
        assert_eq!(relay(way, &Bounds::default(), [&broken[..12]]).failed, Some("empty_answer"));
    }
}

#[test]
fn a_provider_that_only_pings_did_not_answer() {
    let (ping, comment) = ("event: ping\ndata: {\"type\":\"ping\"}\n\n", ": processing\n\n");
    for idle in ["", ping, comment, "\n", "data: [DONE]\n\n", "event: message_stop\n\n", "id: 1\n\n"] {
        for way in ways(OpenaiChat) {
            let relayed = whatever_the_cut(way, &Bounds::default(), &idle.repeat(3));
            assert_eq!((relayed.failed, relayed.tally), (Some("empty_answer"), Tally::default()), "{idle:?}");
        }
    }
    for way in ways(AnthropicMessages) {
        let bounds = Bounds { held_bytes: 200, ..Bounds::default() };
        let relayed = whatever_the_cut(way, &bounds, &[ping.repeat(4), comment.repeat(9)].concat());
        assert_eq!(relayed.failed, Some("no_answer_in_held_bytes"));
    }
}

#[test]
fn what_may_be_held_is_what_comes_before_the_answer_not_the_answer() {
    let ping = ": ping\n\n".repeat(10);
    let long = "x".repeat(500);
    let event =
        format!("data: {{\"choices\":[{{\"delta\":{{\"content\":\"{long}\"}},\"finish_reason\":\"stop\"}}]}}\n\n");
    let stream = [ping.as_str(), &event].concat();
    for way in ways(OpenaiChat) {
        let bounds = Bounds { held_bytes: ping.len(), ..Bounds::default() };
        let relayed = whatever_the_cut(way, &bounds, &stream);
        assert!(relayed.failed.is_none() && relayed.text().contains(&long));
        let bounds = Bounds { held_bytes: ping.len() - 1, ..Bounds::default() };
        assert_eq!(whatever_the_cut(way, &bounds, &stream).failed, Some("no_answer_in_held_bytes"));
    }
}

#[test]
fn an_event_that_is_too_large_is_never_passed_on_in_part() {
    let bounds = Bounds { event_bytes: 400, ..Bounds::default() };
    let huge = format!("data: {{\"choices\":[{{\"delta\":{{\"content\":\"{}\"}}}}]}}\n\n", "x".repeat(400));
    let answer = "data: {\"choices\":[{\"delta\":{\"content\":\"Hi\"}}]}\n\n";
    for way in ways(OpenaiChat) {
        let first = whatever_the_cut(way, &bounds, &huge);
        assert_eq!(first.failed, Some("event_too_large"));
        let later = whatever_the_cut(way, &bounds, &[answer, &huge, answer].concat());
        assert_eq!((later.failed, later.tally.cut), (None, Some("event_too_large")));
        assert_eq!(said(&later.deltas(way.to)), "Hi");
        assert!(matches!(later.deltas(way.to).last(), Some(Delta::Error(_))));
    }
}

#[test]
fn an_event_is_as_large_wherever_its_last_line_end_is_cut() {
    let comment = |bytes: usize| format!(": {}\r\n", "x".repeat(bytes));
    for more in 60..90 {
        let event = format!("{}{}data: {{\"choices\":[]}}\r\n\r\n", comment(80), comment(more));
        let bounds = Bounds { event_bytes: 100, ..Bounds::default() };
        whatever_the_cut(way(OpenaiChat, OpenaiChat), &bounds, &event);
    }
}

#[test]
fn an_event_that_cannot_be_read_fails_the_attempt_until_something_was_said() {
    let (answer, broken) = ("data: {\"choices\":[{\"delta\":{\"content\":\"Hi\"}}]}\n\n", "data: <html>\n\n");
    let stop = "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";
    let bounds = Bounds::default();
    for way in ways(OpenaiChat) {
        let first = whatever_the_cut(way, &bounds, &[broken, answer, stop].concat());
        assert_eq!(first.failed, Some("malformed_answer"));
        let later = whatever_the_cut(way, &bounds, &[answer, broken, stop].concat());
        // Of the same format the client may understand what we do not.
        let cut = (way.from != way.to).then_some("malformed_answer");
        assert_eq!((later.failed, later.tally.cut), (None, cut), "{way:?}");
        assert_eq!(later.text().contains(broken.trim_end()), way.from == way.to);
    }
}

#[test]
fn held_streams_together_stay_within_the_workers_budget() {
    let bounds = Bounds { held_total_bytes: 150, ..Bounds::default() };
    let mut tally = Tally::default();
    let held = b"data: {\"choices\":[]}\n\ndata: {\"choices\":[],\"id\":\"0123456789\"";
    let passage = || way(OpenaiChat, OpenaiChat).passage();
    let mut first = Streamed::new(passage(), &bounds);
    let mut second = Streamed::new(passage(), &bounds);
    assert_eq!(first.data(held, false, &mut tally), Relay::Hold);
    let Relay::Failed(failure) = second.data(held, false, &mut tally) else { panic!("a failure") };
    assert_eq!((failure.reason, failure.provider_refused), ("out_of_memory_budget", false));
    drop((first, second));
    let mut third = Streamed::new(passage(), &bounds);
    assert_eq!(third.data(held, false, &mut tally), Relay::Hold, "what was held is free again");
}

#[cfg(not(target_arch = "wasm32"))]
mod any_stream {
    use super::*;
    use proptest::prelude::*;

    /// Streams made of what providers send, what they should not send, and rubbish.
    fn stream() -> impl Strategy<Value = String> {
        let piece = prop::sample::select(vec![
            "data: {\"id\":\"1\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}",
            "data: {\"choices\":[{\"delta\":{\"content\":\"Hi\"}}]}",
            "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}",
            "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":2,\"total_tokens\":9}}",
            "data: {\"error\":{\"message\":\"busy\",\"code\":429}}",
            "data: [DONE]",
            "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"m\",\"usage\":{\"input_tokens\":5}}}",
            "data: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"Ho\"}}",
            "data: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":4}}",
            "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"busy\"}}",
            "data: {\"type\":\"message_stop\"}",
            "data: {\"type\":\"ping\"}",
            ": keep-alive",
            "data: <html>",
            "event: x",
            "id: 7",
            "data",
            "\u{feff}",
        ]);
        let line_end = prop::sample::select(vec!["\n\n", "\n\n", "\r\n\r\n", "\r\r", "\n", "\r\n", "\r", ""]);
        prop::collection::vec((piece, line_end), 0..16)
            .prop_map(|pieces| pieces.into_iter().flat_map(|(piece, end)| [piece, end]).collect())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        #[test]
        fn comes_out_the_same_in_any_chunks(
            stream in stream(),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
            (from, to) in prop::sample::select(vec![
                (OpenaiChat, OpenaiChat),
                (OpenaiChat, AnthropicMessages),
                (AnthropicMessages, OpenaiChat),
                (AnthropicMessages, AnthropicMessages),
            ]),
            include_usage in any::<bool>(),
            held_bytes in prop::sample::select(vec![0_usize, 100, 300, 1 << 16]),
            event_bytes in prop::sample::select(vec![90_usize, 1 << 20]),
        ) {
            let way = Way { from, to, include_usage };
            let bounds = Bounds { held_bytes, event_bytes, ..Bounds::default() };
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect();
            cuts.extend([0, stream.len()]);
            cuts.sort_unstable();
            let bytes = stream.as_bytes();
            let whole = at_once(way, &bounds, &stream);
            let chunks = cuts.windows(2).map(|cut| &bytes[cut[0]..cut[1]]);
            prop_assert_eq!(&relay(way, &bounds, chunks), &whole);
            let byte_by_byte = bytes.chunks(1).chain([&b""[..]]);
            prop_assert_eq!(&relay(way, &bounds, byte_by_byte), &whole);
        }
    }
}
