//! The same conversations in every format. Each is recorded as every format says it (`fixtures/conversations`), so
//! what one format is translated into must be what the other's recording says: for every pair of client and provider.
//!
//! A new format adds its recordings, one line to `recordings!` and one to each table; it adds no test.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests"
)]

use serde_json::{Value, json};
use std::borrow::Cow;
use tollgate_kernel::{event_stream, sse};
use tollgate_wire::Format;
use tollgate_wire::conversation::{
    CacheTtl, Message, OutputFormat, Part, Reasoning, Request, Response, Role, StopReason, Tool, ToolCall,
};
use tollgate_wire::error::{ApiError, ErrorKind};
use tollgate_wire::replay::{Collector, stream};
use tollgate_wire::signature::{LABEL, LABEL_BASE64, Origin, Seal};
use tollgate_wire::stream::{Delta, Reader, Writer};
use tollgate_wire::usage::{ServiceTier, Usage};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

const CREATED: u64 = 1_760_000_000;

/// The formats with recordings.
const FORMATS: [Format; 5] = [
    Format::OpenaiChat,
    Format::OpenaiResponses,
    Format::AnthropicMessages,
    Format::GoogleGemini,
    Format::BedrockConverse,
];

/// What one format says of one conversation.
struct Recording {
    request: &'static [u8],
    response: &'static [u8],
    stream: &'static [u8],
}

impl Recording {
    fn stream(&self) -> Cow<'static, [u8]> {
        on_the_wire(self.stream)
    }
}

struct Conversation {
    name: &'static str,
    recordings: [(Format, Recording); FORMATS.len()],
}

impl Conversation {
    fn by(&self, format: Format) -> &Recording {
        &self.recordings.iter().find(|(recorded, _)| *recorded == format).unwrap().1
    }
}

macro_rules! recorded {
    ($conversation:literal, $($file:literal),+) => {
        include_bytes!(concat!("fixtures/conversations/", $conversation, "/", $($file),+))
    };
}

macro_rules! recording {
    ($conversation:literal, $format:ident, $name:literal, $stream:literal) => {
        (
            Format::$format,
            Recording {
                request: recorded!($conversation, $name, ".request.json"),
                response: recorded!($conversation, $name, ".response.json"),
                stream: recorded!($conversation, $name, ".stream.", $stream),
            },
        )
    };
}

macro_rules! recordings {
    ($($conversation:literal),*) => {
        [$(Conversation {
            name: $conversation,
            recordings: [
                recording!($conversation, OpenaiChat, "openai-chat", "sse"),
                recording!($conversation, AnthropicMessages, "anthropic-messages", "sse"),
                recording!($conversation, BedrockConverse, "bedrock-converse", "jsonl"),
                recording!($conversation, OpenaiResponses, "openai-responses", "sse"),
                recording!($conversation, GoogleGemini, "google-gemini", "sse"),
            ],
        }),*]
    };
}

const CONVERSATIONS: [Conversation; 13] = recordings![
    "text",
    "multi_turn",
    "tools",
    "images",
    "long_output",
    "refusal",
    "max_tokens",
    "stop_sequence",
    "reasoning",
    "documents",
    "structured_output",
    "cache_hints",
    "sampling"
];

fn conversation(name: &str) -> &'static Conversation {
    CONVERSATIONS.iter().find(|conversation| conversation.name == name).unwrap()
}

/// An error as every format says it: the whole body, and the stream that ends in it.
const ERRORS: [(Format, &[u8], &[u8]); FORMATS.len()] = [
    (Format::OpenaiChat, recorded!("error", "openai-chat.error.json"), recorded!("error", "openai-chat.stream.sse")),
    (
        Format::AnthropicMessages,
        recorded!("error", "anthropic-messages.error.json"),
        recorded!("error", "anthropic-messages.stream.sse"),
    ),
    (
        Format::BedrockConverse,
        recorded!("error", "bedrock-converse.error.json"),
        recorded!("error", "bedrock-converse.stream.jsonl"),
    ),
    (
        Format::OpenaiResponses,
        recorded!("error", "openai-responses.error.json"),
        recorded!("error", "openai-responses.stream.sse"),
    ),
    (
        Format::GoogleGemini,
        recorded!("error", "google-gemini.error.json"),
        recorded!("error", "google-gemini.stream.sse"),
    ),
];

/// What of [`asked`] a format has no place for. A request that says it anyway is told so, by the name that
/// [`dropped_as`] gives.
fn cannot_say(format: Format) -> &'static [&'static str] {
    match format {
        Format::OpenaiChat => &["tools.cache", "top_k", "metadata", "reasoning.shown"],
        Format::AnthropicMessages => &["frequency_penalty", "presence_penalty", "seed", "metadata", "service_tier"],
        Format::BedrockConverse => &["frequency_penalty", "presence_penalty", "seed", "end_user"],
        Format::OpenaiResponses => &["tools.cache", "stop", "top_k", "frequency_penalty", "presence_penalty", "seed"],
        // Labels are of few characters; those of the recordings are of others.
        Format::GoogleGemini => &[
            "system.cache",
            "turns.cache",
            "tools.cache",
            "tools.strict",
            "parallel_tool_calls",
            "end_user",
            "metadata",
        ],
    }
}

/// The name in [`Request::dropped`] of what [`asked`] tells by `key`.
fn dropped_as(key: &'static str) -> &'static str {
    match key {
        "system.cache" | "tools.cache" | "turns.cache" => "cache_control",
        "reasoning.shown" => "reasoning",
        "tools.strict" => "tool.strict",
        _ => key,
    }
}

/// What of [`asked`] a format says in other words, so that nothing is lost that matters, and nobody is told.
fn says_otherwise(format: Format) -> &'static [&'static str] {
    match format {
        // Its schemas have no name and are always strict.
        Format::AnthropicMessages => &["output.name", "output.strict"],
        // It has them in its path.
        Format::BedrockConverse => &["model", "stream"],
        // It takes no bound below 16.
        Format::OpenaiResponses => &["max_output_tokens"],
        // The first two stand in its path; its schemas have no name and are always strict.
        Format::GoogleGemini => &["model", "stream", "output.name", "output.strict"],
        _ => &[],
    }
}

/// Whether a format cannot ask what a conversation is about: it refuses, and its recording leaves a part out.
fn cannot_ask(format: Format, conversation: &str) -> bool {
    // Bedrock fetches no picture from the web.
    (format, conversation) == (Format::BedrockConverse, "images")
}

/// A request as the gateway has it: with the model, also where a format has that in its path.
fn read_request(format: Format, body: &[u8]) -> Request {
    let mut request = format.read_request(body).unwrap();
    if request.model.is_empty() {
        request.model = "m-large".to_owned();
    }
    request
}

/// What the gateway sends: for the provider's own model, which decides what Bedrock can be told.
fn write_request(format: Format, request: &mut Request) -> Vec<u8> {
    let known = match format {
        Format::BedrockConverse => "us.anthropic.claude-opus-4-6-v1",
        Format::OpenaiChat | Format::OpenaiResponses => "gpt-5.6",
        Format::AnthropicMessages | Format::GoogleGemini => "",
    };
    let model = request.model.clone();
    if !known.is_empty() {
        known.clone_into(&mut request.model);
    }
    let mut written = format.write_request(request).unwrap();
    if known.starts_with("gpt") {
        written = String::from_utf8(written).unwrap().replacen(known, &model, 1).into_bytes();
    }
    request.model = model;
    written
}

/// What of [`told`] a format has no place for.
fn cannot_tell(format: Format) -> &'static [&'static str] {
    match format {
        // Of OpenAI's tiers it has only `priority`.
        Format::AnthropicMessages => &["service_tier"],
        // It has no id and no model in its body, and one figure for all output.
        Format::BedrockConverse => &["id", "model", "output_text", "output_reasoning"],
        _ => &[],
    }
}

/// What may differ between requests of two formats.
fn lost(one: Format, other: Format) -> Vec<&'static str> {
    [cannot_say(one), cannot_say(other), says_otherwise(one), says_otherwise(other)].concat()
}

fn without(mut said: Value, names: &[&str]) -> Value {
    for name in names {
        said.as_object_mut().unwrap().remove(*name);
    }
    said
}

/// What a request that says `asked` to `client` must be told when it goes to `provider`.
fn expected_dropped(asked: &Value, reasoned: bool, client: Format, provider: Format) -> Vec<&'static str> {
    let says = |key: &&&str| !matches!(&asked[**key], Value::Null | Value::Bool(false)) && asked[**key] != json!([]);
    let keys = cannot_say(provider).iter().filter(says);
    let mut dropped: Vec<_> = keys.map(|key| dropped_as(key)).collect();
    dropped.extend((reasoned && client.origin() != provider.origin()).then_some("reasoning_content"));
    dropped.sort_unstable();
    dropped.dedup();
    dropped
}

fn reasoned(request: &Request) -> bool {
    request.messages.iter().flat_map(|message| &message.parts).any(|part| matches!(part, Part::Reasoning(_)))
}

/// Without the reasoning that a provider of another origin cannot read.
fn between(one: Format, other: Format, mut request: Request) -> Request {
    if one.origin() != other.origin() {
        for message in &mut request.messages {
            message.parts.retain(|part| !matches!(part, Part::Reasoning(_)));
        }
    }
    request
}

/// Every conversation with every pair of client and provider, equal ones too.
fn for_every_pair(check: impl Fn(&str, (Format, &Recording), (Format, &Recording))) {
    for_every_pair_that(|_, _| true, check);
}

/// As [`for_every_pair`], only those that can both ask it.
fn for_every_pair_that_asks(check: impl Fn(&str, (Format, &Recording), (Format, &Recording))) {
    for_every_pair_that(|format, conversation| !cannot_ask(format, conversation), check);
}

fn for_every_pair_that(
    can: impl Fn(Format, &str) -> bool,
    check: impl Fn(&str, (Format, &Recording), (Format, &Recording)),
) {
    for conversation in &CONVERSATIONS {
        let able = || FORMATS.into_iter().filter(|format| can(*format, conversation.name));
        for client in able() {
            for provider in able() {
                let pair = format!("{}: {} -> {}", conversation.name, client.name(), provider.name());
                check(&pair, (client, conversation.by(client)), (provider, conversation.by(provider)));
            }
        }
    }
}

#[test]
fn a_request_asks_the_same_in_every_format() {
    for_every_pair_that_asks(|pair, (client, said_by_client), (provider, recorded)| {
        let mut request = read_request(client, said_by_client.request);
        let expected_dropped = expected_dropped(&asked(&request), reasoned(&request), client, provider);
        let forwarded = write_request(provider, &mut request);
        let arrived = read_request(provider, &forwarded);
        let expected = between(client, provider, read_request(provider, recorded.request));
        let lost = lost(client, provider);
        assert_eq!(without(asked(&arrived), &lost), without(asked(&expected), &lost), "{pair}");
        request.dropped.sort_unstable();
        assert_eq!(request.dropped, expected_dropped, "{pair}");
    });
}

#[test]
fn a_request_comes_back_from_every_format_unchanged() {
    for_every_pair_that_asks(|pair, (client, said), (provider, _)| {
        let request = read_request(client, said.request);
        let mut going = request.clone();
        let mut there = read_request(provider, &write_request(provider, &mut going));
        let back = read_request(client, &write_request(client, &mut there));
        let (lost, before) = (lost(client, provider), between(client, provider, request));
        assert_eq!(without(asked(&back), &lost), without(asked(&before), &lost), "{pair}");
    });
}

#[test]
fn what_a_format_cannot_ask_is_refused_with_the_field_at_fault() {
    for conversation in &CONVERSATIONS {
        for provider in FORMATS.into_iter().filter(|provider| cannot_ask(*provider, conversation.name)) {
            for client in FORMATS.into_iter().filter(|client| !cannot_ask(*client, conversation.name)) {
                let mut request = read_request(client, conversation.by(client).request);
                let refusal = provider.write_request(&mut request).unwrap_err();
                assert_eq!(refusal.field, "messages", "{}: {refusal}", conversation.name);
            }
        }
    }
}

#[test]
fn an_answer_tells_the_same_in_every_format() {
    for_every_pair(|pair, (client, expected), (provider, said)| {
        let response = provider.read_response(said.response).unwrap();
        let returned = client.read_response(&client.write_response(&response, CREATED)).unwrap();
        let expected = client.read_response(expected.response).unwrap();
        assert_eq!(told(&returned, client, provider), told(&expected, client, provider), "{pair}");
        assert_eq!(seals(&returned.parts), seals(&response.parts), "{pair}");
    });
}

#[test]
fn a_streamed_answer_tells_the_same_as_the_whole_one() {
    for_every_pair(|pair, (client, expected), (provider, said)| {
        let deltas = read_stream(provider, &[&said.stream()]);
        let returned = gathered(&read_stream(client, &[&write_stream(client, &deltas)]));
        let expected = told(&client.read_response(expected.response).unwrap(), client, provider);
        assert_eq!(told(&gathered(&deltas), client, provider), expected, "{pair}");
        assert_eq!(told(&returned, client, provider), expected, "{pair}");
        assert_eq!(seals(&returned.parts), seals(&gathered(&deltas).parts), "{pair}");
    });
}

#[test]
fn a_streamed_answer_that_is_collected_tells_the_same_whole_and_streamed_again() {
    for_every_pair(|pair, (client, expected), (provider, said)| {
        let deltas = read_stream(provider, &[&said.stream()]);
        let mut collector = Collector::new(usize::MAX);
        deltas.iter().for_each(|delta| collector.push(delta));
        let collected = collector.finish().unwrap();
        let expected = told(&client.read_response(expected.response).unwrap(), client, provider);
        let kept = client.read_response(&client.write_response(&collected, CREATED)).unwrap();
        assert_eq!(told(&kept, client, provider), expected, "{pair}");
        assert_eq!(seals(&kept.parts), seals(&gathered(&deltas).parts), "{pair}");
        assert_eq!(told(&again(client, kept), client, provider), expected, "{pair}");
    });
}

#[test]
fn a_whole_answer_tells_the_same_when_it_is_streamed() {
    for_every_pair(|pair, (client, expected), (provider, said)| {
        let answered = match client == provider {
            true => said.response.to_vec(),
            false => client.write_response(&provider.read_response(said.response).unwrap(), CREATED),
        };
        let kept = client.read_response(&answered).unwrap();
        let seals_kept = seals(&kept.parts);
        let streamed = again(client, kept);
        let expected = told(&client.read_response(expected.response).unwrap(), client, provider);
        assert_eq!(told(&streamed, client, provider), expected, "{pair}");
        assert_eq!(seals(&streamed.parts), seals_kept, "{pair}");
    });
}

/// What a client has of a whole answer that is streamed to it.
fn again(client: Format, answer: Response) -> Response {
    gathered(&read_stream(client, &[&write_stream(client, &stream(answer))]))
}

/// The client hands back what it was answered, in the next turn of the conversation.
fn replayed(client: Format, request: &[u8], response: &[u8]) -> Vec<u8> {
    let mut request: Value = serde_json::from_slice(request).unwrap();
    let mut response: Value = serde_json::from_slice(response).unwrap();
    let user = json!({ "role": "user", "content": "Thanks." });
    let (turns, answer) = match client {
        Format::BedrockConverse => (
            "messages",
            vec![response["output"]["message"].take(), json!({ "role": "user", "content": [{ "text": "Thanks." }] })],
        ),
        Format::OpenaiChat => ("messages", vec![response["choices"][0]["message"].take(), user]),
        Format::AnthropicMessages => {
            ("messages", vec![json!({ "role": "assistant", "content": response["content"].take() }), user])
        }
        Format::OpenaiResponses => {
            let items = response["output"].as_array().unwrap().iter().cloned();
            ("input", items.chain([user]).collect())
        }
        Format::GoogleGemini => {
            let user = json!({ "role": "user", "parts": [{ "text": "Thanks." }] });
            ("contents", vec![response["candidates"][0]["content"].take(), user])
        }
    };
    request[turns].as_array_mut().unwrap().extend(answer);
    request.to_string().into_bytes()
}

#[test]
fn a_seal_goes_back_to_those_who_can_read_it_and_to_nobody_else() {
    let conversation = conversation("reasoning");
    for provider in FORMATS {
        let answer = provider.read_response(conversation.by(provider).response).unwrap();
        for client in FORMATS {
            let shown = client.write_response(&answer, CREATED);
            let labelled = [LABEL, LABEL_BASE64].iter().any(|label| String::from_utf8_lossy(&shown).contains(label));
            assert_eq!(labelled, client.origin() != provider.origin(), "{} {}", provider.name(), client.name());
            let request = read_request(client, &replayed(client, conversation.by(client).request, &shown));
            for next in FORMATS {
                let pair = format!("{} -> {} -> {}", provider.name(), client.name(), next.name());
                let mut request = request.clone();
                let body = write_request(next, &mut request);
                assert!(!String::from_utf8_lossy(&body).contains(LABEL), "{pair}");
                let arrived = read_request(next, &body);
                let arrived: Vec<_> = arrived.messages.into_iter().flat_map(|message| message.parts).collect();
                let arrived = seals(&arrived);
                if next.origin() == provider.origin() {
                    assert_eq!(arrived.last(), seals(&answer.parts).last(), "{pair}");
                } else {
                    assert!(request.dropped.contains(&"reasoning_content"), "{pair}");
                    assert!(arrived.iter().all(|(origin, _)| *origin == next.origin()), "{pair}");
                }
            }
        }
    }
}

#[test]
fn an_error_is_the_same_in_every_format() {
    for (provider, body, _) in ERRORS {
        for (client, ..) in ERRORS {
            let error = provider.read_error(429, body);
            assert_eq!(error, limited(), "{}", provider.name());
            assert_eq!(client.read_error(429, &client.write_error(&error)), limited(), "{}", client.name());
        }
    }
}

#[test]
fn an_error_in_a_stream_ends_it_in_every_format() {
    for (provider, _, stream) in ERRORS {
        for (client, ..) in ERRORS {
            let deltas = read_stream(provider, &[&on_the_wire(stream)]);
            let mut returned = read_stream(client, &[&write_stream(client, &deltas)]);
            assert_eq!(returned.pop(), Some(Delta::Error(limited())), "{} {}", provider.name(), client.name());
            assert!(returned.contains(&Delta::Text("Once".to_owned())));
            let after = [deltas, vec![Delta::Text("more".to_owned()), Delta::End]].concat();
            assert_eq!(read_stream(client, &[&write_stream(client, &after)]).last(), Some(&Delta::Error(limited())));
        }
    }
}

#[test]
fn a_stream_cut_anywhere_reads_the_same() {
    let conversation = conversation("tools");
    for provider in FORMATS {
        let stream = &*conversation.by(provider).stream();
        assert_cuts_change_nothing(provider, stream, &read_stream(provider, &[stream]));
    }
}

#[test]
fn a_stream_byte_by_byte_reads_the_same() {
    for conversation in &CONVERSATIONS {
        for provider in FORMATS {
            let stream = &*conversation.by(provider).stream();
            let bytes: Vec<&[u8]> = stream.chunks(1).collect();
            assert!(read_stream(provider, &bytes) == read_stream(provider, &[stream]), "{}", conversation.name);
        }
    }
}

#[test]
fn line_ends_byte_order_mark_and_folded_data_change_nothing_wherever_they_are_cut() {
    let conversation = conversation("text");
    for provider in FORMATS.into_iter().filter(|format| !is_framed(*format)) {
        let recorded = conversation.by(provider).stream;
        let expected = read_stream(provider, &[recorded]);
        let stream = std::str::from_utf8(recorded).unwrap();
        let folded = stream.replace("data: {", "data: {\ndata:");
        for variant in [
            stream.replace('\n', "\r"),
            stream.replace('\n', "\r\n"),
            format!("\u{feff}{stream}"),
            format!(": keep-alive\n\n{}", stream.replace("data: ", "data:")),
            folded.replace('\n', "\r\n"),
            folded,
        ] {
            assert_cuts_change_nothing(provider, variant.as_bytes(), &expected);
        }
    }
}

#[test]
fn a_stream_that_breaks_off_is_a_beginning_of_the_whole_one() {
    for_every_pair(|pair, (client, _), (provider, said)| {
        let stream = &*said.stream();
        let whole = read_events(provider, &[stream]);
        let whole_for_client = read_events(client, &[&write_stream(client, &whole)]);
        let mut end = 0;
        for event in events(provider, stream) {
            let deltas = read_events(provider, &[&stream[..end]]);
            assert!(whole.starts_with(&deltas), "{pair} after {end} bytes");
            let for_client = read_events(client, &[&write_stream(client, &deltas)]);
            assert!(
                whole_for_client.starts_with(&for_client),
                "{pair} after {end} bytes {whole_for_client:?} {for_client:?}"
            );
            end += event.len();
        }
        assert_eq!(end, stream.len(), "{pair}");
    });
}

/// The stream taken apart, each event with the bytes that end it.
fn events(format: Format, stream: &[u8]) -> Vec<&[u8]> {
    let mut rest = stream;
    let mut events = Vec::new();
    let length = |rest: &[u8]| {
        let framed = is_framed(format).then(|| rest.first_chunk()).flatten();
        let framed = framed.map(|length| u32::from_be_bytes(*length) as usize);
        framed.or_else(|| rest.windows(2).position(|bytes| bytes == b"\n\n").map(|at| at + 2))
    };
    while let Some(length) = length(rest) {
        let (event, after) = rest.split_at(length);
        events.push(event);
        rest = after;
    }
    events
}

/// Whether a format streams binary frames, which are recorded as lines of JSON.
fn is_framed(format: Format) -> bool {
    format == Format::BedrockConverse
}

/// A recorded stream as it comes over the wire: what is recorded as lines of JSON, in frames. The frames are made here,
/// so that neither what reads nor what writes them vouches for the other.
fn on_the_wire(recorded: &'static [u8]) -> Cow<'static, [u8]> {
    if !recorded.starts_with(b"{\"event\"") {
        return Cow::Borrowed(recorded);
    }
    let lines = std::str::from_utf8(recorded).unwrap().lines();
    Cow::Owned(lines.flat_map(|line| frame(&serde_json::from_str(line).unwrap())).collect())
}

fn frame(event: &Value) -> Vec<u8> {
    let name = event["event"].as_str().unwrap();
    let kind = if name.ends_with("Exception") { "exception" } else { "event" };
    let payload = event["payload"].to_string();
    let byte = |length: usize| u8::try_from(length).unwrap();
    let number = |length: usize| u32::try_from(length).unwrap().to_be_bytes();
    let header = |name: &str, value: &str| {
        [&[byte(name.len())], name.as_bytes(), &[7, 0, byte(value.len())], value.as_bytes()].concat()
    };
    let headers = [
        header(":message-type", kind),
        header(&format!(":{kind}-type"), name),
        header(":content-type", "application/json"),
    ]
    .concat();
    let mut frame = [number(headers.len() + payload.len() + 16), number(headers.len())].concat();
    frame.extend(crc32(&frame).to_be_bytes());
    frame.extend(headers);
    frame.extend(payload.bytes());
    frame.extend(crc32(&frame).to_be_bytes());
    frame
}

/// Bit by bit, as RFC 1952 describes it.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ if crc & 1 == 1 { 0xEDB8_8320 } else { 0 })
    })
}

/// Its name and its data.
type Event = (&'static str, &'static str);

/// Events that come before anything is said: until then another provider may take over.
const PREAMBLES: [(Format, &[Event]); FORMATS.len()] = [
    (
        Format::OpenaiChat,
        &[
            ("", r#"{"id":"","model":"","choices":[],"prompt_filter_results":[{"prompt_index":0}]}"#),
            ("", r#"{"id":"a","model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}"#),
            (
                "",
                r#"{"id":"a","model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":null,"refusal":null,"reasoning":null,"reasoning_details":[],"tool_calls":null,"annotations":[]}}]}"#,
            ),
            (
                "",
                r#"{"id":"a","model":"m","choices":[{"index":0,"delta":{"reasoning_content":""},"finish_reason":""}]}"#,
            ),
            (
                "",
                r#"{"id":"a","model":"m","choices":[{"index":0,"delta":{"content":""}}],"usage":{"prompt_tokens":9,"completion_tokens":0}}"#,
            ),
        ],
    ),
    (
        Format::AnthropicMessages,
        &[
            (
                "message_start",
                r#"{"type":"message_start","message":{"id":"a","type":"message","role":"assistant","model":"m","content":[],"usage":{"input_tokens":9,"output_tokens":1}}}"#,
            ),
            ("ping", r#"{"type":"ping"}"#),
            (
                "content_block_start",
                r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#,
            ),
            (
                "content_block_delta",
                r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":""}}"#,
            ),
        ],
    ),
    (
        Format::BedrockConverse,
        &[
            ("messageStart", r#"{"role":"assistant"}"#),
            ("contentBlockDelta", r#"{"delta":{"text":""},"contentBlockIndex":0}"#),
            ("contentBlockDelta", r#"{"delta":{"reasoningContent":{"text":""}},"contentBlockIndex":1}"#),
            ("contentBlockStop", r#"{"contentBlockIndex":0}"#),
            ("newEvent", r#"{"new":true}"#),
        ],
    ),
    (
        Format::OpenaiResponses,
        &[
            (
                "response.created",
                r#"{"type":"response.created","response":{"id":"a","model":"m","status":"in_progress","output":[],"usage":null},"sequence_number":0}"#,
            ),
            (
                "response.queued",
                r#"{"type":"response.queued","response":{"id":"a","model":"m","status":"queued","output":[],"usage":null},"sequence_number":1}"#,
            ),
            (
                "response.in_progress",
                r#"{"type":"response.in_progress","response":{"id":"a","model":"m","status":"in_progress","output":[],"usage":null},"sequence_number":2}"#,
            ),
            (
                "response.output_item.added",
                r#"{"type":"response.output_item.added","output_index":0,"item":{"id":"msg_1","type":"message","status":"in_progress","content":[],"role":"assistant"},"sequence_number":3}"#,
            ),
            (
                "response.content_part.added",
                r#"{"type":"response.content_part.added","item_id":"msg_1","output_index":0,"content_index":0,"part":{"type":"output_text","text":"","annotations":[]},"sequence_number":4}"#,
            ),
            (
                "response.output_text.delta",
                r#"{"type":"response.output_text.delta","item_id":"msg_1","output_index":0,"content_index":0,"delta":"","logprobs":[],"sequence_number":5}"#,
            ),
            ("keepalive", r#"{"type":"keepalive","sequence_number":6}"#),
        ],
    ),
    (
        Format::GoogleGemini,
        &[
            ("", r#"{"candidates":[{"content":{"parts":[{"text":""}],"role":"model"},"index":0}]}"#),
            (
                "",
                r#"{"usageMetadata":{"promptTokenCount":9,"totalTokenCount":9,"trafficType":"ON_DEMAND"},"modelVersion":"m","responseId":"a"}"#,
            ),
            ("", r#"{"candidates":[{"content":{"parts":[{"text":"","thought":true}],"role":"model"},"index":0}]}"#),
            ("", r#"{}"#),
            (
                "",
                r#"{"candidates":[{"content":{"role":"model"},"index":0,"finishReason":"FINISH_REASON_UNSPECIFIED"}]}"#,
            ),
            ("", r#"{"promptFeedback":{"safetyRatings":[]}}"#),
        ],
    ),
];

/// Sequences of events of which only the last says something: from then on nothing else may answer.
const FIRSTS: [(Format, &[&[Event]]); FORMATS.len()] = [
    (
        Format::OpenaiChat,
        &[
            &[("", r#"{"choices":[{"index":0,"delta":{"content":"H"}}]}"#)],
            &[("", r#"{"choices":[{"index":0,"delta":{"refusal":"N"}}]}"#)],
            &[("", r#"{"choices":[{"index":0,"delta":{"reasoning_content":"H"}}]}"#)],
            &[("", r#"{"choices":[{"index":0,"delta":{"reasoning":"H"}}]}"#)],
            &[(
                "",
                r#"{"choices":[{"index":0,"delta":{"reasoning_details":[{"type":"reasoning.text","text":"H"}]}}]}"#,
            )],
            &[(
                "",
                r#"{"choices":[{"index":0,"delta":{"reasoning_details":[{"type":"reasoning.encrypted","data":"x"}]}}]}"#,
            )],
            &[(
                "",
                r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"c","function":{"name":"f","arguments":""}}]}}]}"#,
            )],
            &[("", r#"{"choices":[{"index":0,"delta":{"audio":{"id":"x"}}}]}"#)],
            &[("", r#"{"choices":[{"index":1,"delta":{"content":"H"}}]}"#)],
            &[("", r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#)],
        ],
    ),
    (
        Format::AnthropicMessages,
        &[
            &[
                (
                    "content_block_start",
                    r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#,
                ),
                (
                    "content_block_delta",
                    r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"H"}}"#,
                ),
            ],
            // Newer models do not show what they think: nothing more comes for as long as they do.
            &[(
                "content_block_start",
                r#"{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}"#,
            )],
            &[(
                "content_block_start",
                r#"{"type":"content_block_start","index":0,"content_block":{"type":"redacted_thinking","data":"x"}}"#,
            )],
            &[(
                "content_block_start",
                r#"{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"c","name":"f","input":{}}}"#,
            )],
            &[(
                "content_block_start",
                r#"{"type":"content_block_start","index":0,"content_block":{"type":"server_tool_use","id":"c","name":"web_search","input":{}}}"#,
            )],
            &[(
                "message_delta",
                r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":1}}"#,
            )],
        ],
    ),
    (
        Format::BedrockConverse,
        &[
            &[("contentBlockDelta", r#"{"delta":{"text":"H"},"contentBlockIndex":0}"#)],
            &[("contentBlockDelta", r#"{"delta":{"reasoningContent":{"text":"H"}},"contentBlockIndex":0}"#)],
            &[
                (
                    "contentBlockDelta",
                    r#"{"delta":{"reasoningContent":{"redactedContent":"eA=="}},"contentBlockIndex":0}"#,
                ),
                ("contentBlockStop", r#"{"contentBlockIndex":0}"#),
            ],
            &[("contentBlockStart", r#"{"start":{"toolUse":{"toolUseId":"c","name":"f"}},"contentBlockIndex":0}"#)],
            &[(
                "contentBlockStart",
                r#"{"start":{"toolUse":{"toolUseId":"c","name":"nova_grounding","type":"server_tool_use"}},"contentBlockIndex":0}"#,
            )],
            &[("contentBlockStart", r#"{"start":{"image":{"format":"png"}},"contentBlockIndex":0}"#)],
            &[("messageStop", r#"{"stopReason":"end_turn"}"#)],
        ],
    ),
    (
        Format::OpenaiResponses,
        &[
            &[("", r#"{"type":"response.output_text.delta","output_index":0,"content_index":0,"delta":"H"}"#)],
            &[("", r#"{"type":"response.output_text.done","output_index":0,"content_index":0,"text":"H"}"#)],
            &[("", r#"{"type":"response.refusal.delta","output_index":0,"content_index":0,"delta":"N"}"#)],
            &[(
                "",
                r#"{"type":"response.output_item.added","output_index":0,"item":{"id":"rs_1","type":"reasoning","summary":[]}}"#,
            )],
            &[(
                "",
                r#"{"type":"response.reasoning_summary_text.delta","output_index":0,"summary_index":0,"delta":"H"}"#,
            )],
            &[("", r#"{"type":"response.reasoning_text.delta","output_index":0,"content_index":0,"delta":"H"}"#)],
            &[(
                "",
                r#"{"type":"response.output_item.added","output_index":0,"item":{"id":"fc_1","type":"function_call","call_id":"c","name":"f","arguments":""}}"#,
            )],
            &[(
                "",
                r#"{"type":"response.output_item.added","output_index":0,"item":{"id":"ws_1","type":"web_search_call","status":"in_progress"}}"#,
            )],
            &[("", r#"{"type":"response.web_search_call.searching","output_index":0,"item_id":"ws_1"}"#)],
            &[(
                "",
                r#"{"type":"response.output_item.done","output_index":0,"item":{"id":"msg_1","type":"message","content":[{"type":"output_text","text":"H"}]}}"#,
            )],
            &[(
                "",
                r#"{"type":"response.completed","response":{"id":"a","model":"m","status":"completed","output":[]}}"#,
            )],
        ],
    ),
    (
        Format::GoogleGemini,
        &[
            &[("", r#"{"candidates":[{"content":{"parts":[{"text":"H"}],"role":"model"},"index":0}]}"#)],
            &[("", r#"{"candidates":[{"content":{"parts":[{"text":"H","thought":true}],"role":"model"},"index":0}]}"#)],
            &[(
                "",
                r#"{"candidates":[{"content":{"parts":[{"text":"","thoughtSignature":"c2ln"}],"role":"model"},"index":0}]}"#,
            )],
            &[(
                "",
                r#"{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","args":{}}}],"role":"model"},"index":0}]}"#,
            )],
            &[(
                "",
                r#"{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","willContinue":true}}],"role":"model"},"index":0}]}"#,
            )],
            &[(
                "",
                r#"{"candidates":[{"content":{"parts":[{"executableCode":{"language":"PYTHON","code":"1"}}],"role":"model"},"index":0}]}"#,
            )],
            &[(
                "",
                r#"{"candidates":[{"content":{"parts":[{"inlineData":{"mimeType":"image/png","data":"iVBORw0KGgo="}}],"role":"model"},"index":0}]}"#,
            )],
            &[("", r#"{"candidates":[{"finishReason":"MAX_TOKENS","index":0}]}"#)],
            &[("", r#"{"candidates":[{"content":{"parts":[{"text":"H"}]},"index":1}]}"#)],
            &[("", r#"{"promptFeedback":{"blockReason":"SAFETY"}}"#)],
        ],
    ),
];

#[test]
fn nothing_before_the_first_word_commits_to_a_provider_and_the_first_word_does() {
    let read = |reader: &mut Reader, (name, data): Event| {
        let mut deltas = Vec::new();
        reader.read(name.as_bytes(), data.as_bytes(), &mut deltas).unwrap();
        deltas.iter().any(Delta::is_meaningful)
    };
    for (format, preamble) in PREAMBLES {
        let mut reader = Reader::new(format, 1);
        for event in preamble {
            assert!(!read(&mut reader, *event), "{} {event:?}", format.name());
        }
    }
    for (format, firsts) in FIRSTS {
        for first in firsts {
            let mut reader = Reader::new(format, 1);
            let meaningful: Vec<_> = first.iter().map(|event| read(&mut reader, *event)).collect();
            let (last, before) = meaningful.split_last().unwrap();
            assert!(*last && !before.contains(&true), "{} {first:?}: {meaningful:?}", format.name());
        }
    }
}

/// What clients get follows from the deltas alone.
fn assert_cuts_change_nothing(provider: Format, stream: &[u8], expected: &[Delta]) {
    for cut in 0..=stream.len() {
        let (head, tail) = stream.split_at(cut);
        assert!(read_stream(provider, &[head, tail]) == expected, "{} cut at byte {cut}", provider.name());
    }
}

/// A stream that has come to its end.
fn read_stream(format: Format, chunks: &[&[u8]]) -> Vec<Delta> {
    let mut deltas = read_events(format, chunks);
    // Where a format has no end marker, who reads it takes the end of the stream for one.
    if format == Format::GoogleGemini && deltas.iter().any(|delta| matches!(delta, Delta::Stop(_))) {
        deltas.push(Delta::End);
    }
    deltas
}

fn read_events(format: Format, chunks: &[&[u8]]) -> Vec<Delta> {
    let mut reader = Reader::new(format, 1);
    let mut deltas = Vec::new();
    let mut read = |event: sse::Event<'_>| reader.read(event.name, event.data, &mut deltas).unwrap();
    if is_framed(format) {
        let mut framer = event_stream::Framer::new(64 * 1024);
        chunks.iter().for_each(|chunk| framer.push(chunk, &mut read).unwrap());
        framer.finish();
    } else {
        let mut framer = sse::Framer::new(64 * 1024);
        chunks.iter().for_each(|chunk| framer.push(chunk, &mut read).unwrap());
        framer.finish(read);
    }
    deltas
}

fn write_stream(format: Format, deltas: &[Delta]) -> Vec<u8> {
    let mut writer = Writer::new(format, true, CREATED);
    let mut out = Vec::new();
    for delta in deltas {
        writer.write(delta, &mut out);
    }
    out
}

/// What a client has when a stream is over.
fn gathered(deltas: &[Delta]) -> Response {
    let mut response = Response {
        id: String::new(),
        model: String::new(),
        parts: Vec::new(),
        stop: StopReason::End,
        usage: None,
        untranslated_bytes: 0,
        asides: false,
    };
    let mut calls: Vec<ToolCall> = Vec::new();
    for delta in deltas {
        match delta {
            Delta::Start { id, model } => (response.id, response.model) = (id.clone(), model.clone()),
            Delta::Text(text) => response.parts.push(Part::Text(text.clone())),
            Delta::ToolCall { index, id, name } => {
                assert_eq!(*index as usize, calls.len(), "calls are numbered in order of appearance");
                calls.push(ToolCall { id: id.clone(), name: name.clone(), arguments: String::new() });
            }
            Delta::ToolArguments { index, json } => calls[*index as usize].arguments.push_str(json),
            Delta::Stop(stop) => response.stop = *stop,
            Delta::Usage(usage) => response.usage = Some(*usage),
            Delta::Error(error) => panic!("{error:?}"),
            Delta::Reasoning(text) => match response.parts.last_mut() {
                Some(Part::Reasoning(before)) if before.seal.is_none() => before.text.push_str(text),
                _ => response.parts.push(Part::Reasoning(Reasoning { text: text.clone(), seal: None })),
            },
            Delta::Seal(seal) => match response.parts.last_mut() {
                Some(Part::Reasoning(before)) if before.seal.is_none() => before.seal = Some(seal.clone()),
                _ => response.parts.push(Part::Reasoning(Reasoning { text: String::new(), seal: Some(seal.clone()) })),
            },
            Delta::Untranslated { .. } | Delta::Aside | Delta::Seen(_) | Delta::End => {}
        }
    }
    assert_eq!(deltas.iter().filter(|delta| matches!(delta, Delta::Stop(_))).count(), 1);
    assert_eq!(deltas.last(), Some(&Delta::End));
    response.parts.extend(calls.into_iter().map(Part::ToolCall));
    response
}

fn limited() -> ApiError {
    let message = "Rate limit reached, try again in 2 s";
    ApiError { code: Some("rate_limit_exceeded".to_owned()), ..ApiError::new(ErrorKind::RateLimit, message) }
}

/// All that a request asks, however its turns are cut into messages.
fn asked(request: &Request) -> Value {
    let schema = match &request.output {
        Some(OutputFormat::JsonSchema(schema)) => Some(schema),
        _ => None,
    };
    json!({
        "model": request.model,
        "system": request.system.iter().map(|system| &*system.text).collect::<Vec<_>>(),
        "system.cache": cached(request.system.iter().map(|system| system.cache)),
        "turns": turns(&request.messages),
        "turns.cache": cached(request.messages.iter().flat_map(|message| &message.parts).map(|part| match part {
            Part::CacheBreakpoint(ttl) => Some(*ttl),
            _ => None,
        })),
        "tools": request.tools.iter().map(tool).collect::<Vec<_>>(),
        "tools.strict": request.tools.iter().filter_map(|tool| tool.strict).collect::<Vec<_>>(),
        "tools.cache": cached(request.tools.iter().map(|tool| tool.cache)),
        "tool_choice": request.tool_choice.as_ref().map(|choice| format!("{choice:?}")),
        "parallel_tool_calls": request.parallel_tool_calls.map(|parallel| parallel.to_string()),
        "max_output_tokens": request.max_output_tokens,
        "temperature": request.sampling.temperature,
        "top_p": request.sampling.top_p,
        "top_k": request.sampling.top_k,
        "frequency_penalty": request.sampling.frequency_penalty,
        "presence_penalty": request.sampling.presence_penalty,
        "seed": request.sampling.seed,
        "stop": request.stop,
        "reasoning.effort": request.reasoning.and_then(|reasoning| reasoning.effort).map(|effort| effort.name()),
        "reasoning.budget_tokens": request.reasoning.and_then(|reasoning| reasoning.budget_tokens),
        "reasoning.shown": request.reasoning.and_then(|reasoning| reasoning.shown),
        "output": request.output.as_ref().map(output),
        "output.name": schema.and_then(|schema| schema.name.as_ref()),
        "output.strict": schema.and_then(|schema| schema.strict),
        "stream": request.stream,
        "end_user": request.end_user,
        "metadata": request.metadata,
        "service_tier": request.service_tier.map(ServiceTier::name),
    })
}

fn output(output: &OutputFormat) -> Value {
    match output {
        OutputFormat::JsonObject => json!("object"),
        OutputFormat::JsonSchema(schema) => json!({
            "description": schema.description,
            "schema": serde_json::from_str::<Value>(schema.schema.get()).unwrap(),
        }),
    }
}

/// What of a list is worth keeping in a cache: `2 Short` is its third.
fn cached(hints: impl Iterator<Item = Option<CacheTtl>>) -> Vec<String> {
    hints.enumerate().filter_map(|(at, hint)| hint.map(|ttl| format!("{at} {ttl:?}"))).collect()
}

fn turns(messages: &[Message]) -> Value {
    let mut turns: Vec<(Role, Vec<Value>)> = Vec::new();
    for message in messages {
        let parts = message.parts.iter().filter(|part| !matches!(part, Part::CacheBreakpoint(_))).map(part);
        match turns.last_mut() {
            Some((role, said)) if *role == message.role => said.extend(parts),
            _ => turns.push((message.role, parts.collect())),
        }
    }
    turns.into_iter().map(|(role, said)| json!([format!("{role:?}"), said])).collect()
}

fn part(part: &Part) -> Value {
    match part {
        Part::Text(text) => json!({ "text": text }),
        Part::Image(image) => json!({ "image": format!("{image:?}") }),
        // Names in Bedrock have no dots.
        Part::Document(document) => json!({ "document": format!("{document:?}").replace('.', "-") }),
        Part::Reasoning(reasoning) => json!({ "reasoning": reasoning.text, "seal": reasoning.seal.as_ref().map(raw) }),
        Part::CacheBreakpoint(ttl) => json!({ "cache": format!("{ttl:?}") }),
        Part::ToolCall(call) => {
            let arguments: Value = serde_json::from_str(&call.arguments).unwrap();
            json!({ "call": call.name, "id": call.id, "arguments": arguments })
        }
        Part::ToolResult(result) => {
            let mut content: Vec<Value> = Vec::new();
            for part in &result.content {
                // Not every format cuts a text into parts.
                match (part, content.last_mut()) {
                    (Part::Text(more), Some(Value::Object(before))) if before.contains_key("text") => {
                        before["text"] = json!(format!("{}{more}", before["text"].as_str().unwrap()));
                    }
                    _ => content.push(self::part(part)),
                }
            }
            json!({ "result": content, "id": result.id, "is_error": result.is_error })
        }
    }
}

/// The provider's own text in a seal, which is the same in all recordings.
fn raw(seal: &Seal) -> String {
    match seal.origin {
        Origin::OpenaiChat => {
            let element: Value = serde_json::from_str(&seal.value).unwrap();
            element["signature"].as_str().or(element["data"].as_str()).unwrap().to_owned()
        }
        Origin::OpenaiResponses => seal.value.split_once(' ').unwrap().1.to_owned(),
        Origin::Claude | Origin::Gemini => seal.value.clone(),
    }
}

/// Who can read what the model thought, and what they read.
fn seals(parts: &[Part]) -> Vec<(Origin, String)> {
    let seal_of = |part: &Part| match part {
        Part::Reasoning(reasoning) => reasoning.seal.as_ref().map(|seal| (seal.origin, raw(seal))),
        _ => None,
    };
    parts.iter().filter_map(seal_of).collect()
}

fn tool(tool: &Tool) -> Value {
    let parameters: Option<Value> = tool.parameters.as_ref().map(|schema| serde_json::from_str(schema.get()).unwrap());
    json!({ "name": tool.name, "description": tool.description, "parameters": parameters })
}

/// Google has no figure for what is written to a cache: that is prompt like any other.
fn without_cache_writes(usage: Usage, one: Format, other: Format) -> Usage {
    if ![one, other].contains(&Format::GoogleGemini) {
        return usage;
    }
    let input_fresh = usage.input_fresh + usage.input_cache_write_5m + usage.input_cache_write_1h;
    Usage { input_fresh, input_cache_write_5m: 0, input_cache_write_1h: 0, ..usage }
}

fn buckets(usage: Option<Usage>) -> Value {
    let Some(usage) = usage else { return json!({}) };
    let counts = usage.tokens().into_iter().chain(usage.calls());
    let mut buckets: serde_json::Map<String, Value> =
        counts.map(|(name, count)| (name.to_owned(), json!(count))).collect();
    buckets.insert("service_tier".to_owned(), usage.service_tier.name().into());
    buckets.insert("fast".to_owned(), usage.fast.into());
    buckets.insert("in_one_country".to_owned(), usage.in_one_country.into());
    buckets.insert("other_models".to_owned(), usage.other_models.into());
    Value::Object(buckets)
}

/// All that an answer tells and both formats can say: text pieces are one text, and only some formats tell a stop
/// sequence from an end.
fn told(response: &Response, one: Format, other: Format) -> Value {
    let text_of = |part: &Part| if let Part::Text(text) = part { Some(text.clone()) } else { None };
    let stop = if response.stop == StopReason::StopSequence { StopReason::End } else { response.stop };
    let cannot_tell = [cannot_tell(one), cannot_tell(other)].concat();
    let told = json!({
        "id": response.id,
        "model": response.model,
        "text": response.parts.iter().filter_map(text_of).collect::<String>(),
        "others": response.parts.iter().filter(|part| !matches!(part, Part::Text(_))).map(part).collect::<Vec<_>>(),
        "stop": format!("{stop:?}"),
        "output": response.usage.map(|usage| usage.output()),
        "usage": without(buckets(response.usage.map(|usage| without_cache_writes(usage, one, other))), &cannot_tell),
    });
    without(told, &cannot_tell)
}
