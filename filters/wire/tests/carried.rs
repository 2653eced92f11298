//! The tables of `docs/formats.md`, found by writing everything that a conversation may say in every format, and reading
//! it again. `UPDATE_DOCS=1` writes them (`make formats`).
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use serde_json::value::RawValue;
use std::fmt::Debug;
use std::path::Path;
use tollgate_kernel::{event_stream, sse};
use tollgate_wire::Format;
use tollgate_wire::conversation::{
    CacheTtl, Document, DocumentSource, Effort, Media, Message, OutputFormat, OutputSchema, Part, Reasoning,
    ReasoningRequest, Request, Response, Role, StopReason, Tool, ToolCall, ToolChoice, ToolResult,
};
use tollgate_wire::signature::{Origin, Seal, SealKind};
use tollgate_wire::stream::{Delta, Reader, Writer};
use tollgate_wire::usage::{ServiceTier, Usage};

const DOCS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/formats.md");
const CREATED: u64 = 1_760_000_000;

/// What becomes of a feature in a format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// The format's own reader finds what was asked, and nothing else has changed.
    Carried,
    /// It is said otherwise.
    Mapped,
    /// It is left out, and named.
    Dropped,
    /// The request is.
    Refused,
}

impl Verdict {
    const fn name(self) -> &'static str {
        match self {
            Self::Carried => "carried",
            Self::Mapped => "mapped",
            Self::Dropped => "dropped",
            Self::Refused => "refused",
        }
    }
}

/// The models that are asked: the current one of each format, and an older one that can be told something else.
fn models(format: Format) -> &'static [(&'static str, &'static str)] {
    match format {
        Format::OpenaiChat | Format::OpenaiResponses => &[("", "gpt-5.6")],
        Format::AnthropicMessages => &[("", "claude-sonnet-5-5"), ("4.6", "claude-opus-4-6")],
        Format::GoogleGemini => &[("", "gemini-3.8-flash"), ("2.5", "gemini-2.5-flash")],
        Format::BedrockConverse => {
            &[("", "us.anthropic.claude-sonnet-5-5-v1:0"), ("4.6", "us.anthropic.claude-opus-4-6-v1")]
        }
    }
}

/// One row of the first table: what a client asks beyond `before`.
struct Asked {
    row: &'static str,
    /// Its name in [`Request::dropped`], wherever it is dropped.
    dropped_as: &'static str,
    before: fn() -> Request,
    ask: fn(&mut Request, Format),
}

const fn asked(
    row: &'static str,
    dropped_as: &'static str,
    before: fn() -> Request,
    ask: fn(&mut Request, Format),
) -> Asked {
    Asked { row, dropped_as, before, ask }
}

/// No format leaves it out.
const NEVER: &str = "";

const ASKED: &[Asked] = &[
    asked("system prompt", NEVER, chat, |request, _| request.system.push("Be brief.".to_owned().into())),
    asked("several system and developer prompts", NEVER, chat, |request, _| {
        request.system.extend(["Be brief.", "Be kind."].map(|text| text.to_owned().into()));
    }),
    asked("several turns", NEVER, chat, |request, _| request.messages.extend([says("Hello."), user("Go on.")])),
    asked("a first turn of the model's", NEVER, chat, |request, _| request.messages.insert(0, says("Ask me."))),
    asked("tools", NEVER, chat, |request, _| request.tools = with_tool().tools),
    asked("a tool without a schema", NEVER, with_tool, |request, _| request.tools[0].parameters = None),
    asked("tool calls and their results", NEVER, with_tool, |request, _| request.messages = with_call().messages),
    asked("several calls in one turn", NEVER, with_tool, |request, _| {
        request.messages.push(Message { role: Role::Assistant, parts: vec![call("call_1"), call("call_2")] });
        let results = ["call_1", "call_2"].map(|id| result(id, vec![text("22 degrees")]));
        request.messages.push(Message { role: Role::User, parts: results.into() });
    }),
    asked("ids of calls of letters, digits, `_`, `-`", NEVER, with_call, |request, _| name_call(request, "toolu_01-A")),
    asked("other ids of calls", NEVER, with_call, |request, _| name_call(request, "functions.weather:0")),
    asked("tool choice: none", NEVER, with_tool, |request, _| request.tool_choice = Some(ToolChoice::None)),
    asked("tool choice: none, after calls", "tool_choice", with_call, |request, _| {
        request.tool_choice = Some(ToolChoice::None);
    }),
    asked("tool choice: required", NEVER, with_tool, |request, _| request.tool_choice = Some(ToolChoice::Required)),
    asked("tool choice: a named one", NEVER, with_tool, |request, _| {
        request.tool_choice = Some(ToolChoice::Named("weather".to_owned()));
    }),
    asked("one call at most", "parallel_tool_calls", with_tool, |request, _| request.parallel_tool_calls = Some(false)),
    asked("strict tools", "tool.strict", with_tool, |request, _| request.tools[0].strict = Some(true)),
    asked("a result that is an error", "tool_result.is_error", with_call, |request, _| {
        of_result(request, |result| result.is_error = true);
    }),
    asked("an image in a result", "tool_result.image", with_call, |request, _| {
        of_result(request, |result| result.content.push(image()));
    }),
    asked("a PDF in a result", "tool_result.document", with_call, |request, _| {
        of_result(request, |result| result.content.push(pdf(Some("report"))));
    }),
    asked("image, inline", NEVER, chat, |request, _| attach(request, image())),
    asked("image, by URL", NEVER, chat, |request, _| attach(request, Part::Image(at("cat.png")))),
    asked("PDF, inline, with a name", NEVER, chat, |request, _| attach(request, pdf(Some("report")))),
    asked("PDF, inline, without a name", NEVER, chat, |request, _| attach(request, pdf(None))),
    asked("PDF, by URL", NEVER, chat, |request, _| {
        attach(request, document(None, DocumentSource::File(at("report.pdf"))));
    }),
    asked("document of text", NEVER, chat, |request, _| {
        attach(request, document(None, DocumentSource::Text("Sales rose.".to_owned())));
    }),
    asked("document of text, with a name", "document.name", chat, |request, _| {
        attach(request, document(Some("report"), DocumentSource::Text("Sales rose.".to_owned())));
    }),
    asked("Word document, inline", NEVER, chat, |request, _| attach(request, word())),
    asked("answer of a JSON schema", NEVER, chat, |request, _| request.output = Some(schema(None))),
    asked("the schema's `strict`", NEVER, with_schema, |request, _| request.output = Some(schema(Some(true)))),
    asked("answer of any JSON object", "output", chat, |request, _| request.output = Some(OutputFormat::JsonObject)),
    asked("reasoning, as an effort", NEVER, chat, |request, _| request.reasoning = Some(effort(Effort::High))),
    asked("reasoning, as a budget", NEVER, chat, |request, _| {
        request.reasoning = Some(ReasoningRequest { budget_tokens: Some(2048), ..ReasoningRequest::default() });
    }),
    asked("reasoning, as much as the model likes", NEVER, chat, |request, _| {
        request.reasoning = Some(ReasoningRequest::default());
    }),
    asked("no reasoning", "reasoning", chat, |request, _| request.reasoning = Some(effort(Effort::None))),
    asked("reasoning shown", "reasoning", with_effort, |request, _| {
        request.reasoning.iter_mut().for_each(|reasoning| reasoning.shown = Some(true));
    }),
    asked("reasoning handed back, of the same origin", NEVER, with_turns, |request, format| {
        request.messages[1].parts.insert(0, thought(Some(own_seal(format))));
    }),
    asked("reasoning handed back, of another origin", "reasoning_content", with_turns, |request, format| {
        request.messages[1].parts.insert(0, thought(Some(foreign_seal(format))));
    }),
    asked("reasoning handed back, without a seal", "reasoning_content", with_turns, |request, _| {
        request.messages[1].parts.insert(0, thought(None));
    }),
    asked("cache hint on the system prompt", "cache_control", with_system, |request, _| {
        request.system[0].cache = Some(CacheTtl::Short);
    }),
    asked("cache hint on tools", "cache_control", with_tool, |request, _| {
        request.tools[0].cache = Some(CacheTtl::Short);
    }),
    asked("cache hint in the user's turn", "cache_control", with_turns, |request, _| {
        request.messages[0].parts.push(Part::CacheBreakpoint(CacheTtl::Short));
    }),
    asked("cache hint in the model's turn", "cache_control", with_turns, |request, _| {
        request.messages[1].parts.push(Part::CacheBreakpoint(CacheTtl::Short));
    }),
    asked("cache hint for the longer time", "cache_control", with_system, |request, _| {
        request.system[0].cache = Some(CacheTtl::Long);
    }),
    asked("`max_tokens`", NEVER, unbounded, |request, _| request.max_output_tokens = Some(1000)),
    asked("`max_tokens` below 16", NEVER, unbounded, |request, _| request.max_output_tokens = Some(5)),
    asked("no `max_tokens`", NEVER, chat, |request, _| request.max_output_tokens = None),
    asked("stop sequences", "stop", chat, |request, _| request.stop.push("END".to_owned())),
    asked("temperature up to 1", "temperature", chat, |request, _| request.sampling.temperature = Some(0.5)),
    asked("temperature above 1", "temperature", chat, |request, _| request.sampling.temperature = Some(1.5)),
    asked("`top_p`", "top_p", chat, |request, _| request.sampling.top_p = Some(0.5)),
    asked("`top_k`", "top_k", chat, |request, _| request.sampling.top_k = Some(40)),
    asked("frequency penalty", "frequency_penalty", chat, |request, _| request.sampling.frequency_penalty = Some(0.5)),
    asked("presence penalty", "presence_penalty", chat, |request, _| request.sampling.presence_penalty = Some(0.5)),
    asked("seed", "seed", chat, |request, _| request.sampling.seed = Some(7)),
    asked("end-user id", "end_user", chat, |request, _| request.end_user = Some("user-1".to_owned())),
    asked("metadata of `a-z`, `0-9`, `_`, `-`", "metadata", chat, |request, _| {
        request.metadata.push(("team".to_owned(), "search".to_owned()));
    }),
    asked("other metadata", "metadata", chat, |request, _| {
        request.metadata.push(("Team".to_owned(), "Search".to_owned()));
    }),
    asked("service tier: standard", NEVER, chat, |request, _| request.service_tier = Some(ServiceTier::Standard)),
    asked("service tier: flex", "service_tier", chat, |request, _| request.service_tier = Some(ServiceTier::Flex)),
    asked("service tier: priority", NEVER, chat, |request, _| request.service_tier = Some(ServiceTier::Priority)),
];

/// What is said by saying nothing: the body is the same with and without.
const GOES_WITHOUT_SAYING: &[(&str, &[Format])] = &[
    // Their schemas are always strict.
    ("the schema's `strict`", &[Format::AnthropicMessages, Format::GoogleGemini]),
    // Claude 4.6 thinks there when it is told to.
    ("no reasoning", &[Format::BedrockConverse]),
];

fn chat() -> Request {
    Request {
        model: "m".to_owned(),
        messages: vec![user("Hello.")],
        max_output_tokens: Some(8000),
        ..Request::default()
    }
}

fn unbounded() -> Request {
    Request { max_output_tokens: None, ..chat() }
}

fn with_system() -> Request {
    Request { system: vec!["Be brief.".to_owned().into()], ..chat() }
}

fn with_turns() -> Request {
    Request { messages: vec![user("Hello."), says("Hello."), user("Go on.")], ..chat() }
}

fn with_tool() -> Request {
    let tool = Tool {
        name: "weather".to_owned(),
        description: Some("The weather of a city.".to_owned()),
        parameters: Some(raw(r#"{"type":"object","properties":{"city":{"type":"string"}}}"#)),
        strict: None,
        cache: None,
    };
    Request { tools: vec![tool], ..chat() }
}

fn with_call() -> Request {
    let mut request = with_tool();
    request.messages.push(Message { role: Role::Assistant, parts: vec![call("call_1")] });
    let results = vec![result("call_1", vec![text("22 degrees")])];
    request.messages.push(Message { role: Role::User, parts: results });
    request
}

fn with_schema() -> Request {
    Request { output: Some(schema(None)), ..chat() }
}

fn with_effort() -> Request {
    Request { reasoning: Some(effort(Effort::High)), ..chat() }
}

fn raw(json: &str) -> Box<RawValue> {
    RawValue::from_string(json.to_owned()).unwrap()
}

fn text(text: &str) -> Part {
    Part::Text(text.to_owned())
}

fn user(said: &str) -> Message {
    Message { role: Role::User, parts: vec![text(said)] }
}

fn says(said: &str) -> Message {
    Message { role: Role::Assistant, parts: vec![text(said)] }
}

fn call(id: &str) -> Part {
    let arguments = r#"{"city":"Rome"}"#.to_owned();
    Part::ToolCall(ToolCall { id: id.to_owned(), name: "weather".to_owned(), arguments })
}

fn result(id: &str, content: Vec<Part>) -> Part {
    Part::ToolResult(ToolResult { id: id.to_owned(), content, is_error: false })
}

fn of_result(request: &mut Request, change: impl Fn(&mut ToolResult)) {
    let parts = request.messages.iter_mut().flat_map(|message| &mut message.parts);
    parts.for_each(|part| {
        if let Part::ToolResult(result) = part {
            change(result);
        }
    });
}

fn name_call(request: &mut Request, name: &str) {
    of_result(request, |result| result.id = name.to_owned());
    request.messages[1].parts = vec![call(name)];
}

fn attach(request: &mut Request, part: Part) {
    request.messages[0].parts.push(part);
}

fn inline(media_type: &str, base64: &str) -> Media {
    Media::Inline { media_type: media_type.to_owned(), base64: base64.to_owned() }
}

fn at(file: &str) -> Media {
    Media::Url(format!("https://example.com/{file}"))
}

fn image() -> Part {
    Part::Image(inline("image/png", "iVBORw0KGgo="))
}

fn document(name: Option<&str>, source: DocumentSource) -> Part {
    Part::Document(Document { name: name.map(str::to_owned), source })
}

fn pdf(name: Option<&str>) -> Part {
    document(name, DocumentSource::File(inline("application/pdf", "JVBERi0xLjQ=")))
}

fn word() -> Part {
    let media_type = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
    document(Some("report"), DocumentSource::File(inline(media_type, "UEsDBA==")))
}

fn schema(strict: Option<bool>) -> OutputFormat {
    let schema = raw(r#"{"type":"object","properties":{"city":{"type":"string"}}}"#);
    OutputFormat::JsonSchema(OutputSchema { name: Some("place".to_owned()), description: None, schema, strict })
}

fn effort(effort: Effort) -> ReasoningRequest {
    ReasoningRequest { effort: Some(effort), ..ReasoningRequest::default() }
}

fn thought(seal: Option<Seal>) -> Part {
    Part::Reasoning(Reasoning { text: "They greet.".to_owned(), seal })
}

fn seal_of(origin: Origin) -> Seal {
    let (kind, value) = match origin {
        Origin::Claude | Origin::Gemini => (SealKind::Signature, "c2VhbA=="),
        Origin::OpenaiResponses => (SealKind::Encrypted, "rs_1 c2VhbA=="),
        Origin::OpenaiChat => (SealKind::Signature, r#"{"type":"reasoning.text","signature":"c2VhbA=="}"#),
    };
    Seal { origin, kind, value: value.to_owned() }
}

fn own_seal(format: Format) -> Seal {
    seal_of(format.origin())
}

fn foreign_seal(format: Format) -> Seal {
    seal_of(if format.origin() == Origin::Claude { Origin::OpenaiResponses } else { Origin::Claude })
}

/// All that is said. Seals show no value of their own.
fn all_of(said: &impl Debug, parts: &[Part]) -> String {
    let seal = |part: &Part| match part {
        Part::Reasoning(reasoning) => reasoning.seal.as_ref().map(|seal| seal.value.clone()),
        _ => None,
    };
    format!("{said:?} {:?}", parts.iter().filter_map(seal).collect::<Vec<_>>())
}

/// The body, what the format's reader makes of it, and what was dropped.
fn sent(format: Format, mut request: Request) -> Option<(Vec<u8>, Request, Vec<&'static str>)> {
    let body = format.write_request(&mut request).ok()?;
    let mut arrived = format.read_request(&body).unwrap();
    assert!(arrived.dropped.is_empty(), "{} reads less than it writes: {:?}", format.name(), arrived.dropped);
    // Some formats have them in their path.
    (arrived.model, arrived.stream) = (request.model, request.stream);
    Some((body, arrived, request.dropped))
}

fn of_request(request: &Request) -> String {
    let parts: Vec<Part> = request.messages.iter().flat_map(|message| message.parts.clone()).collect();
    all_of(request, &parts)
}

fn verdict_on_request(row: &Asked, format: Format, model: &str) -> Verdict {
    let at = format!("{} in {} to {model}", row.row, format.name());
    let before = || Request { model: model.to_owned(), ..(row.before)() };
    let (said_before, mut expected, dropped) = sent(format, before()).unwrap();
    assert!(dropped.is_empty(), "{at}: {dropped:?}");
    let mut request = before();
    (row.ask)(&mut request, format);
    let Some((said, arrived, dropped)) = sent(format, request) else { return Verdict::Refused };
    if !dropped.is_empty() {
        assert_eq!(dropped, [row.dropped_as], "{at}");
        return Verdict::Dropped;
    }
    (row.ask)(&mut expected, format);
    if of_request(&arrived) == of_request(&expected) {
        return Verdict::Carried;
    }
    let silent = GOES_WITHOUT_SAYING.iter().any(|(silent, formats)| *silent == row.row && formats.contains(&format));
    assert!(said != said_before || silent, "{at}: lost, and nobody is told");
    Verdict::Mapped
}

/// What the current model of a format makes of it, and an older one, where that makes something else of it.
fn cell(row: &Asked, format: Format) -> String {
    let mut cell = String::new();
    let mut current = None;
    for (version, model) in models(format) {
        let verdict = verdict_on_request(row, format, model);
        match current {
            None => cell.push_str(verdict.name()),
            Some(current) if current == verdict => {}
            Some(_) => cell.push_str(&format!(" ({version}: {})", verdict.name())),
        }
        current = current.or(Some(verdict));
    }
    cell
}

/// What clients may ask in a format whose providers, or current models, are not asked it: it goes to others.
const MAY_ASK: &[(Format, &str, &str)] = &[
    (Format::OpenaiChat, "`top_k`", r#""top_k":40"#),
    (Format::OpenaiChat, "metadata", r#""metadata":{"team":"search"}"#),
    (Format::AnthropicMessages, "temperature", r#""temperature":0.5"#),
    (Format::AnthropicMessages, "`top_p`", r#""top_p":0.5"#),
    (Format::AnthropicMessages, "`top_k`", r#""top_k":40"#),
    (Format::BedrockConverse, "temperature", r#""inferenceConfig":{"temperature":0.5}"#),
    (Format::BedrockConverse, "`top_p`", r#""inferenceConfig":{"topP":0.5}"#),
    (Format::BedrockConverse, "`top_k`", r#""additionalModelRequestFields":{"top_k":40}"#),
    (Format::BedrockConverse, "no reasoning", r#""additionalModelRequestFields":{"thinking":{"type":"disabled"}}"#),
];

#[test]
fn what_clients_may_ask_is_read() {
    for (format, what, field) in MAY_ASK {
        let mut plain = format.write_request(&mut unbounded()).unwrap();
        let unasked = format.read_request(&plain).unwrap();
        assert_eq!(plain.pop(), Some(b'}'));
        let asked = format.read_request(&[&*plain, b",", field.as_bytes(), b"}"].concat()).unwrap();
        assert!(asked.dropped.is_empty(), "{} {what}", format.name());
        assert!(of_request(&asked) != of_request(&unasked), "{} {what}", format.name());
    }
}

/// One row of the second table: what a provider answers beyond `before`.
struct Told {
    row: &'static str,
    before: fn() -> Response,
    tell: fn(&mut Response, Format),
}

const fn told(row: &'static str, before: fn() -> Response, tell: fn(&mut Response, Format)) -> Told {
    Told { row, before, tell }
}

const TOLD: &[Told] = &[
    told("text", silence, |response, _| response.parts.push(text("Hello."))),
    told("refusal: its text, and that it is one", answer, |response, _| response.stop = StopReason::Refused),
    told("tool call, with its id", silence, |response, _| calls(response, vec![call("call_1")])),
    told("several tool calls", silence, |response, _| calls(response, vec![call("call_1"), call("call_2")])),
    told("arguments that are no JSON object", silence, |response, _| {
        let (id, name, arguments) = ("call_1".to_owned(), "weather".to_owned(), r#"{"city":"#.to_owned());
        calls(response, vec![Part::ToolCall(ToolCall { id, name, arguments })]);
    }),
    told("reasoning text", answer, |response, _| response.parts.insert(0, thought(None))),
    told("reasoning, with a seal of the same origin", answer, |response, format| {
        response.parts.insert(0, thought(Some(own_seal(format))));
    }),
    told("reasoning, with a seal of another origin", answer, |response, format| {
        response.parts.insert(0, thought(Some(foreign_seal(format))));
    }),
    told("what the provider's own tools did", answer, |response, _| response.untranslated_bytes = 9),
    told("stop: the model was done", cut, |response, _| response.stop = StopReason::End),
    told("stop: `max_tokens`", answer, |response, _| response.stop = StopReason::MaxTokens),
    told("stop: a stop sequence", cut, |response, _| response.stop = StopReason::StopSequence),
    told("stop: the tools called", with_call_at_end, |response, _| response.stop = StopReason::ToolUse),
    told("stop: withheld", silence, |response, _| response.stop = StopReason::Refused),
    told("usage: `input_fresh`", answer, |response, _| use_more(response, |usage| usage.input_fresh = 99)),
    told("usage: `input_cache_read`", answer, |response, _| use_more(response, |usage| usage.input_cache_read = 9)),
    told("usage: `input_cache_read_audio`", answer, |response, _| {
        use_more(response, |usage| usage.input_cache_read_audio = 9);
    }),
    told("usage: `input_cache_write_5m`", answer, |response, _| {
        use_more(response, |usage| usage.input_cache_write_5m = 9);
    }),
    told("usage: `input_cache_write_1h`", answer, |response, _| {
        use_more(response, |usage| usage.input_cache_write_1h = 9);
    }),
    told("usage: `input_audio`", answer, |response, _| use_more(response, |usage| usage.input_audio = 9)),
    told("usage: `input_image`", answer, |response, _| use_more(response, |usage| usage.input_image = 9)),
    told("usage: `output_text`", answer, |response, _| use_more(response, |usage| usage.output_text = 99)),
    told("usage: `output_reasoning`", answer, |response, _| use_more(response, |usage| usage.output_reasoning = 9)),
    told("usage: `output_audio`", answer, |response, _| use_more(response, |usage| usage.output_audio = 9)),
    told("usage: `output_image`", answer, |response, _| use_more(response, |usage| usage.output_image = 9)),
    told("usage: `web_search_calls`", answer, |response, _| use_more(response, |usage| usage.web_search_calls = 2)),
    told("usage: `web_fetch_calls`", answer, |response, _| use_more(response, |usage| usage.web_fetch_calls = 2)),
    told("usage: calls of other tools of the provider's", answer, |response, _| {
        use_more(response, |usage| usage.file_search_calls = 2);
    }),
    told("service tier: flex", answer, |response, _| {
        use_more(response, |usage| usage.service_tier = ServiceTier::Flex);
    }),
    told("service tier: priority", answer, |response, _| {
        use_more(response, |usage| usage.service_tier = ServiceTier::Priority);
    }),
    told("service tier: provisioned", answer, |response, _| {
        use_more(response, |usage| usage.service_tier = ServiceTier::Provisioned);
    }),
    told("id", answer, |response, _| response.id = "msg_1".to_owned()),
    told("model", answer, |response, _| response.model = "m-large".to_owned()),
];

fn answer() -> Response {
    Response { parts: vec![text("Hello.")], ..silence() }
}

fn silence() -> Response {
    Response {
        id: String::new(),
        model: String::new(),
        parts: Vec::new(),
        stop: StopReason::End,
        usage: Some(Usage { input_fresh: 10, output_text: 10, ..Usage::NONE }),
        untranslated_bytes: 0,
        asides: false,
    }
}

fn cut() -> Response {
    Response { stop: StopReason::MaxTokens, ..answer() }
}

fn with_call_at_end() -> Response {
    Response { parts: vec![call("call_1")], ..cut() }
}

fn calls(response: &mut Response, calls: Vec<Part>) {
    response.parts.extend(calls);
    response.stop = StopReason::ToolUse;
}

fn use_more(response: &mut Response, more: impl Fn(&mut Usage)) {
    response.usage.iter_mut().for_each(more);
}

/// What a client reads in the whole answer.
fn returned(format: Format, response: &Response) -> Response {
    format.read_response(&format.write_response(response, CREATED)).unwrap()
}

/// What a client reads in the streamed one.
fn streamed(format: Format, response: &Response) -> Response {
    let mut writer = Writer::new(format, true, CREATED);
    let mut body = Vec::new();
    deltas_of(response).iter().for_each(|delta| writer.write(delta, &mut body));
    gathered(&read_stream(format, &body))
}

fn of_response(response: &Response) -> String {
    all_of(response, &response.parts)
}

fn deltas_of(response: &Response) -> Vec<Delta> {
    let mut deltas = vec![Delta::Start { id: response.id.clone(), model: response.model.clone() }];
    let mut calls = 0..;
    for part in &response.parts {
        match part {
            Part::Text(text) => deltas.push(Delta::Text(text.clone())),
            Part::Reasoning(reasoning) => {
                deltas.push(Delta::Reasoning(reasoning.text.clone()));
                deltas.extend(reasoning.seal.clone().map(Delta::Seal));
            }
            Part::ToolCall(call) => {
                let index = calls.next().unwrap();
                deltas.push(Delta::ToolCall { index, id: call.id.clone(), name: call.name.clone() });
                deltas.push(Delta::ToolArguments { index, json: call.arguments.clone() });
            }
            _ => panic!("{part:?}"),
        }
    }
    if response.untranslated_bytes > 0 {
        deltas.push(Delta::Untranslated { bytes: response.untranslated_bytes });
    }
    deltas.push(Delta::Stop(response.stop));
    deltas.extend(response.usage.map(Delta::Usage));
    deltas.push(Delta::End);
    deltas
}

fn read_stream(format: Format, body: &[u8]) -> Vec<Delta> {
    let mut reader = Reader::new(format, 1);
    let mut deltas = Vec::new();
    let mut read = |event: sse::Event<'_>| reader.read(event.name, event.data, &mut deltas).unwrap();
    if format == Format::BedrockConverse {
        let mut framer = event_stream::Framer::new(64 * 1024);
        framer.push(body, &mut read).unwrap();
        framer.finish();
    } else {
        let mut framer = sse::Framer::new(64 * 1024);
        framer.push(body, &mut read).unwrap();
        framer.finish(read);
    }
    deltas
}

fn gathered(deltas: &[Delta]) -> Response {
    let mut response = Response { usage: None, ..silence() };
    for delta in deltas {
        match (delta, response.parts.last_mut()) {
            (Delta::Start { id, model }, _) => (response.id, response.model) = (id.clone(), model.clone()),
            (Delta::Text(text), _) => response.parts.push(Part::Text(text.clone())),
            (Delta::Reasoning(text), _) => {
                response.parts.push(Part::Reasoning(Reasoning { text: text.clone(), seal: None }));
            }
            (Delta::Seal(seal), Some(Part::Reasoning(before))) => before.seal = Some(seal.clone()),
            (Delta::ToolCall { id, name, .. }, _) => {
                let (id, name) = (id.clone(), name.clone());
                response.parts.push(Part::ToolCall(ToolCall { id, name, arguments: String::new() }));
            }
            (Delta::ToolArguments { json, .. }, Some(Part::ToolCall(call))) => call.arguments.push_str(json),
            (Delta::Stop(stop), _) => response.stop = *stop,
            (Delta::Usage(usage), _) => response.usage = Some(*usage),
            (Delta::Untranslated { bytes }, _) => {
                response.untranslated_bytes = response.untranslated_bytes.saturating_add(*bytes);
            }
            (Delta::Seen(_) | Delta::Aside | Delta::End, _) => {}
            _ => panic!("{delta:?}"),
        }
    }
    response
}

fn verdict_on_answer(row: &Told, format: Format, send: fn(Format, &Response) -> Response) -> Verdict {
    let before = (row.before)();
    let told_before = send(format, &before);
    let (mut response, mut expected) = (before, told_before.clone());
    (row.tell)(&mut response, format);
    (row.tell)(&mut expected, format);
    let arrived = of_response(&send(format, &response));
    match () {
        () if arrived == of_response(&expected) => Verdict::Carried,
        () if arrived == of_response(&told_before) => Verdict::Dropped,
        () => Verdict::Mapped,
    }
}

fn table<Row>(of: &str, rows: &[Row], name: fn(&Row) -> &str, cell: fn(&Row, Format) -> String) -> String {
    let line = |cells: [String; 6]| format!("| {} |\n", cells.join(" | "));
    let [a, b, c, d, e] = Format::ALL;
    let mut table =
        line([of.to_owned(), a.name().into(), b.name().into(), c.name().into(), d.name().into(), e.name().into()]);
    table.push_str("|---|---|---|---|---|---|\n");
    for row in rows {
        let [a, b, c, d, e] = Format::ALL.map(|format| cell(row, format));
        table.push_str(&line([name(row).to_owned(), a, b, c, d, e]));
    }
    table
}

/// The text between two marks is the right one. `UPDATE_DOCS` makes it so.
fn check(mark: &str, right: &str) {
    let (begin, end) = (format!("<!-- {mark} -->\n"), format!("<!-- end of {mark} -->"));
    let docs = std::fs::read_to_string(Path::new(DOCS)).unwrap();
    let (before, rest) = docs.split_once(&begin).unwrap();
    let (found, after) = rest.split_once(&end).unwrap();
    if found == right {
        return;
    }
    if std::env::var_os("UPDATE_DOCS").is_some() {
        return std::fs::write(DOCS, [before, &begin, right, &end, after].concat()).unwrap();
    }
    panic!("docs/formats.md says something else of {mark}: run `make formats`. It must say:\n\n{right}");
}

/// One test, because it may write the file.
#[test]
fn the_documentation_says_what_is_carried() {
    check("requests", &table("a request asks", ASKED, |row| row.row, cell));
    let of_client = |format: Format| {
        let asks = MAY_ASK.iter().filter(|(client, ..)| *client == format).map(|(_, what, _)| *what);
        asks.collect::<Vec<_>>().join(", ")
    };
    let clients = Format::ALL.map(|format| (format.name(), of_client(format)));
    let clients = clients.iter().filter(|(_, asks)| !asks.is_empty()).map(|(name, asks)| format!("- {name}: {asks}\n"));
    check("clients", &clients.collect::<String>());
    check(
        "answers",
        &table(
            "an answer tells",
            TOLD,
            |row| row.row,
            |row, format| {
                let whole = verdict_on_answer(row, format, returned);
                let stream = verdict_on_answer(row, format, streamed);
                match whole == stream {
                    true => whole.name().to_owned(),
                    false => format!("{} (streamed: {})", whole.name(), stream.name()),
                }
            },
        ),
    );
}
