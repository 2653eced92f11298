//! The same conversations in every format. Each is recorded as every format says it (`fixtures/conversations`), so
//! what one format is translated into must be what the other's recording says: for every pair of client and provider.
//!
//! A new format adds its recordings and one line to `recordings!`; it adds no test.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests"
)]

use serde_json::{Value, json};
use tollgate_kernel::sse::Framer;
use tollgate_wire::Format;
use tollgate_wire::conversation::{
    Message, OutputFormat, Part, Reasoning, Request, Response, Role, StopReason, Tool, ToolCall,
};
use tollgate_wire::error::{ApiError, ErrorKind};
use tollgate_wire::stream::{Delta, Reader, Writer};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

const CREATED: u64 = 1_760_000_000;

/// The formats with recordings.
const FORMATS: [Format; 2] = [Format::OpenaiChat, Format::AnthropicMessages];

/// What one format says of one conversation.
struct Recording {
    request: &'static [u8],
    response: &'static [u8],
    stream: &'static [u8],
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
            ],
        }),*]
    };
}

const CONVERSATIONS: [Conversation; 8] =
    recordings!["text", "multi_turn", "tools", "images", "long_output", "refusal", "max_tokens", "stop_sequence"];

/// An error as every format says it: the whole body, and the stream that ends in it.
const ERRORS: [(Format, &[u8], &[u8]); FORMATS.len()] = [
    (Format::OpenaiChat, recorded!("error", "openai-chat.error.json"), recorded!("error", "openai-chat.stream.sse")),
    (
        Format::AnthropicMessages,
        recorded!("error", "anthropic-messages.error.json"),
        recorded!("error", "anthropic-messages.stream.sse"),
    ),
];

/// What of [`asked`] a format has no place for. A request that says it anyway is told so by these names.
fn cannot_say(format: Format) -> &'static [&'static str] {
    match format {
        _ => &[],
    }
}

fn without(mut asked: Value, names: &[&str]) -> Value {
    for name in names {
        asked.as_object_mut().unwrap().remove(*name);
    }
    asked
}

/// The names among `names` that `asked` says something by.
fn said<'a>(asked: &Value, names: &[&'a str]) -> Vec<&'a str> {
    let says = |name: &&&str| !matches!(&asked[**name], Value::Null | Value::Bool(false)) && asked[**name] != json!([]);
    names.iter().filter(says).copied().collect()
}

/// Every conversation with every pair of client and provider, equal ones too.
fn for_every_pair(check: impl Fn(&str, (Format, &Recording), (Format, &Recording))) {
    for conversation in &CONVERSATIONS {
        for client in FORMATS {
            for provider in FORMATS {
                let pair = format!("{}: {} -> {}", conversation.name, client.name(), provider.name());
                check(&pair, (client, conversation.by(client)), (provider, conversation.by(provider)));
            }
        }
    }
}

#[test]
fn a_request_asks_the_same_in_every_format() {
    for_every_pair(|pair, (client, said_by_client), (provider, expected)| {
        let mut request = client.read_request(said_by_client.request).unwrap();
        let before = asked(&request);
        let forwarded = provider.write_request(&mut request).unwrap();
        let arrived = asked(&provider.read_request(&forwarded).unwrap());
        let expected = asked(&provider.read_request(expected.request).unwrap());
        let lost = [cannot_say(provider), cannot_say(client)].concat();
        assert_eq!(without(arrived, &lost), without(expected, &lost), "{pair}");
        assert_eq!(request.dropped, said(&before, cannot_say(provider)), "{pair}");
    });
}

#[test]
fn a_request_comes_back_from_every_format_unchanged() {
    for_every_pair(|pair, (client, said), (provider, _)| {
        let mut request = client.read_request(said.request).unwrap();
        let before = asked(&request);
        let mut there = provider.read_request(&provider.write_request(&mut request).unwrap()).unwrap();
        let back = client.read_request(&client.write_request(&mut there).unwrap()).unwrap();
        let lost = [cannot_say(provider), cannot_say(client)].concat();
        assert_eq!(without(asked(&back), &lost), without(before, &lost), "{pair}");
    });
}

#[test]
fn an_answer_tells_the_same_in_every_format() {
    for_every_pair(|pair, (client, expected), (provider, said)| {
        let response = provider.read_response(said.response).unwrap();
        let returned = client.read_response(&client.write_response(&response, CREATED)).unwrap();
        assert_eq!(told(&returned), told(&client.read_response(expected.response).unwrap()), "{pair}");
    });
}

#[test]
fn a_streamed_answer_tells_the_same_as_the_whole_one() {
    for_every_pair(|pair, (client, expected), (provider, said)| {
        let deltas = read_stream(provider, &[said.stream]);
        let returned = read_stream(client, &[&write_stream(client, &deltas)]);
        let expected = told(&client.read_response(expected.response).unwrap());
        assert_eq!(told(&gathered(&deltas)), expected, "{pair}");
        assert_eq!(told(&gathered(&returned)), expected, "{pair}");
    });
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
            let deltas = read_stream(provider, &[stream]);
            let mut returned = read_stream(client, &[&write_stream(client, &deltas)]);
            assert_eq!(returned.pop(), Some(Delta::Error(limited())), "{} {}", provider.name(), client.name());
            assert!(returned.contains(&Delta::Text("Once".to_owned())));
            let after = [deltas, vec![Delta::Text("more".to_owned()), Delta::End]].concat();
            assert_eq!(read_stream(client, &[&write_stream(client, &after)]).last(), Some(&Delta::Error(limited())));
        }
    }
}

#[test]
fn a_stream_cut_anywhere_reads_and_translates_the_same() {
    let conversation = CONVERSATIONS.iter().find(|conversation| conversation.name == "tools").unwrap();
    for provider in FORMATS {
        let stream = conversation.by(provider).stream;
        assert_cuts_change_nothing(provider, stream, &Outcome::of(provider, &[stream]));
    }
}

#[test]
fn a_stream_byte_by_byte_reads_and_translates_the_same() {
    for conversation in &CONVERSATIONS {
        for provider in FORMATS {
            let stream = conversation.by(provider).stream;
            let bytes: Vec<&[u8]> = stream.chunks(1).collect();
            assert!(Outcome::of(provider, &bytes) == Outcome::of(provider, &[stream]), "{}", conversation.name);
        }
    }
}

#[test]
fn line_ends_byte_order_mark_and_folded_data_change_nothing_wherever_they_are_cut() {
    let conversation = CONVERSATIONS.iter().find(|conversation| conversation.name == "text").unwrap();
    for provider in FORMATS {
        let recorded = conversation.by(provider).stream;
        let expected = Outcome::of(provider, &[recorded]);
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

fn assert_cuts_change_nothing(provider: Format, stream: &[u8], expected: &Outcome) {
    for cut in 0..=stream.len() {
        let (head, tail) = stream.split_at(cut);
        assert!(Outcome::of(provider, &[head, tail]) == *expected, "{} cut at byte {cut}", provider.name());
    }
}

/// What a provider's stream means (its usage is a delta) and the bytes that clients of every format get of it.
#[derive(PartialEq)]
struct Outcome {
    deltas: Vec<Delta>,
    to_clients: Vec<Vec<u8>>,
}

impl Outcome {
    fn of(provider: Format, chunks: &[&[u8]]) -> Self {
        let deltas = read_stream(provider, chunks);
        let to_clients = FORMATS.map(|client| write_stream(client, &deltas)).to_vec();
        Self { deltas, to_clients }
    }
}

fn read_stream(format: Format, chunks: &[&[u8]]) -> Vec<Delta> {
    let mut framer = Framer::new(64 * 1024);
    let mut reader = Reader::new(format, 1);
    let mut deltas = Vec::new();
    for chunk in chunks {
        framer.push(chunk, |event| reader.read(event.name, event.data, &mut deltas).unwrap()).unwrap();
    }
    framer.finish(|event| reader.read(event.name, event.data, &mut deltas).unwrap());
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
            Delta::Untranslated { .. } | Delta::End => {}
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
    json!({
        "model": request.model,
        "system": request.system.iter().map(|system| json!({
            "text": system.text,
            "cache": system.cache.map(|ttl| format!("{ttl:?}")),
        })).collect::<Vec<_>>(),
        "turns": turns(&request.messages),
        "tools": request.tools.iter().map(tool).collect::<Vec<_>>(),
        "tool_choice": request.tool_choice.as_ref().map(|choice| format!("{choice:?}")),
        "parallel_tool_calls": request.parallel_tool_calls,
        "max_output_tokens": request.max_output_tokens,
        "temperature": request.sampling.temperature,
        "top_p": request.sampling.top_p,
        "top_k": request.sampling.top_k,
        "frequency_penalty": request.sampling.frequency_penalty,
        "presence_penalty": request.sampling.presence_penalty,
        "seed": request.sampling.seed,
        "stop": request.stop,
        "reasoning": request.reasoning.map(|reasoning| json!({
            "effort": reasoning.effort.map(|effort| format!("{effort:?}")),
            "budget_tokens": reasoning.budget_tokens,
            "shown": reasoning.shown,
        })),
        "output": request.output.as_ref().map(output),
        "stream": request.stream,
        "end_user": request.end_user,
        "metadata": request.metadata,
        "service_tier": request.service_tier,
    })
}

fn output(output: &OutputFormat) -> Value {
    match output {
        OutputFormat::JsonObject => json!("object"),
        OutputFormat::JsonSchema(schema) => json!({
            "name": schema.name,
            "description": schema.description,
            "schema": serde_json::from_str::<Value>(schema.schema.get()).unwrap(),
            "strict": schema.strict,
        }),
    }
}

fn turns(messages: &[Message]) -> Value {
    let mut turns: Vec<(Role, Vec<Value>)> = Vec::new();
    for message in messages {
        let parts = message.parts.iter().map(part);
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
        Part::Document(document) => json!({ "document": format!("{document:?}") }),
        Part::Reasoning(reasoning) => {
            let seal = reasoning.seal.as_ref().map(|seal| json!([format!("{:?}", seal.origin), seal.value]));
            json!({ "reasoning": reasoning.text, "seal": seal })
        }
        Part::CacheBreakpoint(ttl) => json!({ "cache": format!("{ttl:?}") }),
        Part::ToolCall(call) => {
            let arguments: Value = serde_json::from_str(&call.arguments).unwrap();
            json!({ "call": call.name, "id": call.id, "arguments": arguments })
        }
        Part::ToolResult(result) => {
            let content: Vec<Value> = result.content.iter().map(self::part).collect();
            json!({ "result": content, "id": result.id, "is_error": result.is_error })
        }
    }
}

fn tool(tool: &Tool) -> Value {
    let parameters: Option<Value> = tool.parameters.as_ref().map(|schema| serde_json::from_str(schema.get()).unwrap());
    json!({ "name": tool.name, "description": tool.description, "parameters": parameters, "strict": tool.strict,
            "cache": tool.cache.map(|ttl| format!("{ttl:?}")) })
}

/// All that an answer tells and every format can say: text pieces are one text, and only some formats tell a stop
/// sequence from an end.
fn told(response: &Response) -> Value {
    let text_of = |part: &Part| if let Part::Text(text) = part { Some(text.clone()) } else { None };
    let stop = if response.stop == StopReason::StopSequence { StopReason::End } else { response.stop };
    json!({
        "id": response.id,
        "model": response.model,
        "text": response.parts.iter().filter_map(text_of).collect::<String>(),
        "others": response.parts.iter().filter(|part| !matches!(part, Part::Text(_))).map(part).collect::<Vec<_>>(),
        "stop": format!("{stop:?}"),
        "usage": response.usage,
    })
}
