//! Requests: the conversation into a provider's Anthropic body.

use crate::anthropic_messages::arguments::as_object;
use crate::anthropic_messages::to_json;
use crate::conversation::{Media, Part, Request, Role, Tool, ToolChoice};
use crate::error::Invalid;
use serde::Serialize;
use serde_json::value::RawValue;

/// `max_tokens` when the client set no bound: Anthropic requires one, and every current model allows this much.
const DEFAULT_MAX_TOKENS: u64 = 4096;

/// Anthropic's highest temperature; other formats go to 2.
const MAX_TEMPERATURE: f64 = 1.0;

#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    max_tokens: u64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    system: Vec<Block<'a>>,
    messages: Vec<Turn<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<CustomTool<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_choice: Option<Choice<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<f64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    stop_sequences: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<Metadata<'a>>,
    stream: bool,
}

#[derive(Serialize)]
struct Turn<'a> {
    #[serde(serialize_with = "role_name")]
    role: Role,
    content: Vec<Block<'a>>,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Block<'a> {
    Text {
        text: &'a str,
    },
    Image {
        source: Source<'a>,
    },
    ToolUse {
        id: &'a str,
        name: &'a str,
        input: Box<RawValue>,
    },
    ToolResult {
        tool_use_id: &'a str,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        content: Vec<Self>,
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        is_error: bool,
    },
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Source<'a> {
    Url { url: &'a str },
    Base64 { media_type: &'a str, data: &'a str },
}

#[derive(Serialize)]
struct CustomTool<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    input_schema: Schema<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    strict: Option<bool>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Schema<'a> {
    Own(&'a RawValue),
    Empty { r#type: &'static str, properties: Properties },
}

#[derive(Serialize)]
struct Properties {}

impl Schema<'_> {
    /// The schema of a tool without parameters: Anthropic requires one.
    const EMPTY: Self = Self::Empty { r#type: "object", properties: Properties {} };
}

#[derive(Serialize)]
struct Choice<'a> {
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    disable_parallel_tool_use: Option<bool>,
}

#[derive(Serialize)]
struct Metadata<'a> {
    user_id: &'a str,
}

/// Writes a whole request body. `request.dropped` grows by what Anthropic cannot carry.
///
/// # Errors
/// When leaving a part out would change what was asked.
pub fn write_request(request: &mut Request) -> Result<Vec<u8>, Invalid> {
    let mut cannot_carry = Vec::new();
    let body = Body {
        model: &request.model,
        max_tokens: request.max_output_tokens.unwrap_or(DEFAULT_MAX_TOKENS),
        system: request.system.iter().filter_map(|text| text_block(&text.text)).collect(),
        messages: turns(request)?,
        tools: request.tools.iter().map(custom_tool).collect::<Result<_, _>>()?,
        tool_choice: tool_choice(request),
        temperature: request.sampling.temperature.map(|temperature| {
            if temperature > MAX_TEMPERATURE {
                cannot_carry.push("temperature");
            }
            temperature.min(MAX_TEMPERATURE)
        }),
        top_p: request.sampling.top_p,
        stop_sequences: request.stop.iter().map(String::as_str).filter(|stop| !stop.trim().is_empty()).collect(),
        metadata: request.end_user.as_deref().map(|user_id| Metadata { user_id }),
        stream: request.stream,
    };
    // Anthropic refuses a stop sequence of white space only, which others allow.
    if body.stop_sequences.len() < request.stop.len() {
        cannot_carry.push("stop");
    }
    let json = to_json(&body);
    for name in cannot_carry {
        request.note_dropped(name);
    }
    Ok(json)
}

/// The turns as Anthropic wants them: roles alternate, the user begins, no turn is empty.
fn turns(request: &Request) -> Result<Vec<Turn<'_>>, Invalid> {
    let mut turns: Vec<Turn<'_>> = Vec::with_capacity(request.messages.len());
    for message in &request.messages {
        let blocks = blocks(&message.parts)?;
        match turns.last_mut() {
            _ if blocks.is_empty() => {}
            Some(last) if last.role == message.role => last.content.extend(blocks),
            _ => turns.push(Turn { role: message.role, content: blocks }),
        }
    }
    match turns.first() {
        None => return Err(Invalid::new("messages", "needs at least one message with content")),
        Some(first) if first.role == Role::Assistant => {
            return Err(Invalid::new("messages", "must begin with the user for this provider"));
        }
        Some(_) => {}
    }
    for turn in turns.iter_mut().filter(|turn| turn.role == Role::User) {
        // Results must come before anything else that the user says. The sort is stable.
        turn.content.sort_by_key(|block| !matches!(block, Block::ToolResult { .. }));
    }
    trim_prefill(&mut turns);
    Ok(turns)
}

/// A last turn of the model is continued by it, and must not end in white space.
fn trim_prefill(turns: &mut [Turn<'_>]) {
    if let Some(Turn { role: Role::Assistant, content }) = turns.last_mut()
        && let Some(Block::Text { text }) = content.last_mut()
    {
        *text = text.trim_end();
    }
}

fn blocks(parts: &[Part]) -> Result<Vec<Block<'_>>, Invalid> {
    parts.iter().filter_map(|part| block(part).transpose()).collect()
}

fn block(part: &Part) -> Result<Option<Block<'_>>, Invalid> {
    Ok(match part {
        Part::Text(text) => text_block(text),
        Part::Image(Media::Url(url)) => Some(Block::Image { source: Source::Url { url } }),
        Part::Image(Media::Inline { media_type, base64 }) => {
            Some(Block::Image { source: Source::Base64 { media_type, data: base64 } })
        }
        Part::ToolCall(call) => Some(Block::ToolUse {
            id: &call.id,
            name: &call.name,
            input: as_object(&call.arguments)
                .ok_or_else(|| Invalid::new("messages", "the arguments of a tool call must be a JSON object"))?,
        }),
        Part::ToolResult(result) => Some(Block::ToolResult {
            tool_use_id: &result.id,
            content: blocks(&result.content)?,
            is_error: result.is_error,
        }),
        Part::Document(_) | Part::Reasoning(_) | Part::CacheBreakpoint(_) => None,
    })
}

/// Anthropic refuses text that is empty or white space only.
fn text_block(text: &str) -> Option<Block<'_>> {
    (!text.trim().is_empty()).then_some(Block::Text { text })
}

fn custom_tool(tool: &Tool) -> Result<CustomTool<'_>, Invalid> {
    let input_schema = match tool.parameters.as_deref() {
        Some(schema) if is_empty_object(schema) => Schema::EMPTY,
        Some(schema) if schema.get().starts_with('{') => Schema::Own(schema),
        Some(_) => return Err(Invalid::new("tools", "the parameters of a tool must be a JSON object")),
        None => Schema::EMPTY,
    };
    Ok(CustomTool { name: &tool.name, description: tool.description.as_deref(), input_schema, strict: tool.strict })
}

fn is_empty_object(value: &RawValue) -> bool {
    value.get().strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).is_some_and(|inner| inner.trim().is_empty())
}

/// Whether calls may be parallel is part of the choice here, so wishing for that alone makes it `auto`. Without tools
/// Anthropic refuses any choice.
fn tool_choice(request: &Request) -> Option<Choice<'_>> {
    if request.tools.is_empty() || (request.tool_choice.is_none() && request.parallel_tool_calls.is_none()) {
        return None;
    }
    let parallel = request.parallel_tool_calls.map(|parallel| !parallel);
    let (r#type, name, disable_parallel_tool_use) = match request.tool_choice.as_ref().unwrap_or(&ToolChoice::Auto) {
        ToolChoice::Auto => ("auto", None, parallel),
        ToolChoice::Required => ("any", None, parallel),
        ToolChoice::Named(name) => ("tool", Some(name.as_str()), parallel),
        ToolChoice::None => ("none", None, None),
    };
    Some(Choice { r#type, name, disable_parallel_tool_use })
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serialize_with calls")]
fn role_name<S: serde::Serializer>(role: &Role, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(match role {
        Role::User => "user",
        Role::Assistant => "assistant",
    })
}
