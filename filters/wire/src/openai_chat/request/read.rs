//! A request body into a conversation.

use crate::conversation::{Media, Message, Part, Request, Role, Tool, ToolCall, ToolChoice, ToolResult};
use crate::error::Invalid;
use crate::openai_chat::Arguments;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// Fields of the API that no other format has a place for.
const NOT_CARRIED: [&str; 21] = [
    "audio",
    "frequency_penalty",
    "logit_bias",
    "logprobs",
    "metadata",
    "modalities",
    "moderation",
    "prediction",
    "presence_penalty",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "reasoning_effort",
    "response_format",
    "safety_identifier",
    "seed",
    "service_tier",
    "store",
    "top_logprobs",
    "verbosity",
    "web_search_options",
];

/// Reads a whole request body; see [`Format::read_request`](crate::Format::read_request).
///
/// # Errors
/// When the body is not a Chat Completions request, or asks for something that only this format can say and that
/// changes the answer's meaning.
pub fn read_request(body: &[u8]) -> Result<Request, Invalid> {
    let text = std::str::from_utf8(body).map_err(|_| Invalid::new("", "the body is not valid UTF-8"))?;
    let Object(fields) = serde_json::from_str(text).map_err(|error| {
        let place = format!("line {} column {}", error.line(), error.column());
        Invalid::new("", format!("the body is not one valid JSON object ({place})"))
    })?;
    let mut request = Request::default();
    for (name, value) in fields {
        if value.get() != "null" {
            read_field(&mut request, &name, value)?;
        }
    }
    if request.model.is_empty() {
        return Err(Invalid::new("model", "is required"));
    }
    if request.messages.is_empty() {
        return Err(Invalid::new("messages", "must hold at least one user or assistant message"));
    }
    Ok(request)
}

fn read_field(request: &mut Request, name: &str, value: &RawValue) -> Result<(), Invalid> {
    match name {
        "model" => request.model = parse(name, value, "must be a string")?,
        "messages" => read_messages(request, value)?,
        "tools" => request.tools = read_tools(value)?,
        "tool_choice" => request.tool_choice = Some(read_tool_choice(value)?),
        "parallel_tool_calls" => request.parallel_tool_calls = Some(parse(name, value, "must be true or false")?),
        "max_tokens" | "max_completion_tokens" => {
            let bound = parse(name, value, "must be a whole number, not negative")?;
            request.max_output_tokens = request.max_output_tokens.max(Some(bound));
        }
        "temperature" => request.sampling.temperature = Some(parse(name, value, "must be a number")?),
        "top_p" => request.sampling.top_p = Some(parse(name, value, "must be a number")?),
        "stop" => request.stop = read_stop(value)?,
        "stream" => request.stream = parse(name, value, "must be true or false")?,
        "user" => request.end_user = Some(parse(name, value, "must be a string")?),
        // Whether the client wants usage is the stream writer's to know.
        "stream_options" => {}
        "n" if value.get() == "1" => {}
        "n" => return Err(Invalid::new(name, "more than one answer cannot be translated to this model's provider")),
        "functions" | "function_call" => return Err(Invalid::new(name, "is deprecated and not translated; use tools")),
        _ => note_not_carried(request, name, value),
    }
    Ok(())
}

/// A field at the value it has when left out asks for nothing.
fn note_not_carried(request: &mut Request, name: &str, value: &RawValue) {
    let asks_nothing = match name {
        "logprobs" | "store" => value.get() == "false",
        "frequency_penalty" | "presence_penalty" => serde_json::from_str(value.get()).is_ok_and(|n: f64| n == 0.0),
        _ => matches!(value.get(), "{}" | "[]"),
    };
    if !asks_nothing {
        let known = NOT_CARRIED.into_iter().find(|known| *known == name);
        request.note_dropped(known.unwrap_or("unknown_fields"));
    }
}

fn parse<'a, T: Deserialize<'a>>(path: &str, value: &'a RawValue, expected: &str) -> Result<T, Invalid> {
    serde_json::from_str(value.get()).map_err(|_| Invalid::new(path, expected))
}

fn read_stop(value: &RawValue) -> Result<Vec<String>, Invalid> {
    if value.get().starts_with('"') {
        return Ok(vec![parse("stop", value, "must be a string or an array of strings")?]);
    }
    parse("stop", value, "must be a string or an array of strings")
}

#[derive(serde::Deserialize)]
struct MessageIn<'a> {
    #[serde(borrow)]
    role: Cow<'a, str>,
    #[serde(borrow)]
    content: Option<&'a RawValue>,
    refusal: Option<String>,
    #[serde(borrow)]
    tool_calls: Option<Vec<&'a RawValue>>,
    tool_call_id: Option<String>,
    name: Option<IgnoredAny>,
    audio: Option<IgnoredAny>,
    function_call: Option<IgnoredAny>,
}

fn read_messages(request: &mut Request, value: &RawValue) -> Result<(), Invalid> {
    let messages: Vec<&RawValue> = parse("messages", value, "must be an array")?;
    for (index, message) in messages.into_iter().enumerate() {
        let path = format!("messages[{index}]");
        let expected = "must be an object with a role and fields of their documented types";
        let message = parse::<MessageIn<'_>>(&path, message, expected)?;
        read_message(request, &path, message)?;
    }
    Ok(())
}

fn read_message(request: &mut Request, path: &str, message: MessageIn<'_>) -> Result<(), Invalid> {
    if message.name.is_some() {
        request.note_dropped("messages.name");
    }
    if message.function_call.is_some() {
        return Err(Invalid::new(format!("{path}.function_call"), "is deprecated and not translated; use tool_calls"));
    }
    let content = read_content(request, &format!("{path}.content"), message.content)?;
    match &*message.role {
        "system" | "developer" => {
            for part in content {
                let Part::Text(text) = part else {
                    return Err(Invalid::new(format!("{path}.content"), "instructions must be text"));
                };
                request.system.push(text.into());
            }
        }
        "user" => request.messages.push(Message { role: Role::User, parts: content }),
        "assistant" => {
            if message.audio.is_some() {
                return Err(Invalid::new(format!("{path}.audio"), "cannot be translated to this model's provider"));
            }
            let mut parts = content;
            parts.extend(message.refusal.map(Part::Text));
            for (index, call) in message.tool_calls.into_iter().flatten().enumerate() {
                parts.push(Part::ToolCall(read_tool_call(&format!("{path}.tool_calls[{index}]"), call)?));
            }
            request.messages.push(Message { role: Role::Assistant, parts });
        }
        "tool" => {
            let missing = || Invalid::new(format!("{path}.tool_call_id"), "is required");
            let id = message.tool_call_id.ok_or_else(missing)?;
            push_tool_result(&mut request.messages, ToolResult { id, content, is_error: false });
        }
        _ => {
            let roles = "must be system, developer, user, assistant or tool";
            return Err(Invalid::new(format!("{path}.role"), roles));
        }
    }
    Ok(())
}

/// Results of the calls of one turn belong into one turn.
fn push_tool_result(messages: &mut Vec<Message>, result: ToolResult) {
    let result = Part::ToolResult(result);
    match messages.last_mut() {
        Some(last) if matches!(last.parts.last(), Some(Part::ToolResult(_))) => last.parts.push(result),
        _ => messages.push(Message { role: Role::User, parts: vec![result] }),
    }
}

#[derive(serde::Deserialize)]
struct PartIn<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    text: Option<String>,
    refusal: Option<String>,
    #[serde(borrow)]
    image_url: Option<ImageUrlIn<'a>>,
    prompt_cache_breakpoint: Option<IgnoredAny>,
}

#[derive(serde::Deserialize)]
struct ImageUrlIn<'a> {
    #[serde(borrow)]
    url: Cow<'a, str>,
    #[serde(borrow)]
    detail: Option<Cow<'a, str>>,
}

/// An empty string is no part: assistants that only call tools come with one.
fn read_content(request: &mut Request, path: &str, content: Option<&RawValue>) -> Result<Vec<Part>, Invalid> {
    let Some(content) = content else { return Ok(Vec::new()) };
    let expected = "must be a string or an array of parts";
    if content.get().starts_with('"') {
        let text: String = parse(path, content, expected)?;
        return Ok(if text.is_empty() { Vec::new() } else { vec![Part::Text(text)] });
    }
    let parts: Vec<&RawValue> = parse(path, content, expected)?;
    let read = |(index, part)| read_part(request, &format!("{path}[{index}]"), part);
    parts.into_iter().enumerate().map(read).collect()
}

fn read_part(request: &mut Request, path: &str, part: &RawValue) -> Result<Part, Invalid> {
    let part: PartIn<'_> = parse(path, part, "must be an object with a type and fields of their documented types")?;
    if part.prompt_cache_breakpoint.is_some() {
        request.note_dropped("prompt_cache_breakpoint");
    }
    let missing = |field: &str| Invalid::new(format!("{path}.{field}"), "is required");
    match &*part.kind {
        "text" => part.text.map(Part::Text).ok_or_else(|| missing("text")),
        "refusal" => part.refusal.map(Part::Text).ok_or_else(|| missing("refusal")),
        "image_url" => {
            let image = part.image_url.ok_or_else(|| missing("image_url"))?;
            if image.detail.is_some_and(|detail| detail != "auto") {
                request.note_dropped("image_url.detail");
            }
            let expected =
                || Invalid::new(format!("{path}.image_url.url"), "must be an http, https or base64 data URL");
            read_image(&image.url).map(Part::Image).ok_or_else(expected)
        }
        _ => Err(Invalid::new(format!("{path}.type"), "only text and image_url parts can be translated")),
    }
}

fn read_image(url: &str) -> Option<Media> {
    let (scheme, rest) = url.split_once(':')?;
    match &*scheme.to_ascii_lowercase() {
        "http" | "https" if rest.starts_with("//") => Some(Media::Url(url.to_owned())),
        "data" => {
            let (head, base64) = rest.split_once(',')?;
            let media_type = head.strip_suffix(";base64")?.split(';').next()?;
            (media_type.starts_with("image/") && !base64.is_empty())
                .then(|| Media::Inline { media_type: media_type.to_owned(), base64: base64.to_owned() })
        }
        _ => None,
    }
}

#[derive(serde::Deserialize)]
struct ToolCallIn<'a> {
    id: String,
    #[serde(borrow)]
    function: Option<CalledIn<'a>>,
}

#[derive(serde::Deserialize)]
struct CalledIn<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(default)]
    arguments: Arguments,
}

fn read_tool_call(path: &str, call: &RawValue) -> Result<ToolCall, Invalid> {
    let call: ToolCallIn<'_> = parse(path, call, "must be an object with an id and a function")?;
    let only_functions = || Invalid::new(path, "only calls of functions can be translated");
    let function = call.function.ok_or_else(only_functions)?;
    Ok(ToolCall { id: call.id, name: function.name.into_owned(), arguments: function.arguments.0 })
}

#[derive(serde::Deserialize)]
struct ToolIn {
    function: Option<FunctionIn>,
}

#[derive(serde::Deserialize)]
struct FunctionIn {
    name: String,
    description: Option<String>,
    parameters: Option<Box<RawValue>>,
    strict: Option<bool>,
}

fn read_tools(value: &RawValue) -> Result<Vec<Tool>, Invalid> {
    let tools: Vec<&RawValue> = parse("tools", value, "must be an array")?;
    let read = |(index, tool)| {
        let path = format!("tools[{index}]");
        let tool: ToolIn = parse(&path, tool, "must be an object with a function that has a name")?;
        let FunctionIn { name, description, parameters, strict } =
            tool.function.ok_or_else(|| Invalid::new(path, "only function tools can be translated"))?;
        Ok(Tool { name, description, parameters, strict, cache: None })
    };
    tools.into_iter().enumerate().map(read).collect()
}

#[derive(serde::Deserialize)]
struct ToolChoiceIn {
    function: Option<ChosenIn>,
}

#[derive(serde::Deserialize)]
struct ChosenIn {
    name: String,
}

fn read_tool_choice(value: &RawValue) -> Result<ToolChoice, Invalid> {
    let expected = "must be none, auto, required or an object that names a function";
    match value.get() {
        r#""none""# => Ok(ToolChoice::None),
        r#""auto""# => Ok(ToolChoice::Auto),
        r#""required""# => Ok(ToolChoice::Required),
        _ => parse::<ToolChoiceIn>("tool_choice", value, expected)?
            .function
            .map(|function| ToolChoice::Named(function.name))
            .ok_or_else(|| Invalid::new("tool_choice", "only the choice of one function can be translated")),
    }
}

/// An object's fields in the order they came, values unread.
struct Object<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de> Deserialize<'de> for Object<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor)
    }
}

struct ObjectVisitor;

impl<'de> Visitor<'de> for ObjectVisitor {
    type Value = Object<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object<'de>, A::Error> {
        let mut fields = Vec::new();
        while let Some(field) = map.next_entry()? {
            fields.push(field);
        }
        Ok(Object(fields))
    }
}
