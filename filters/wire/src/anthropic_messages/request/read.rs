//! Requests: a client's Anthropic body into the conversation.

use crate::conversation::{
    Instruction, Media, Message, Part, Request, Role, Sampling, Tool, ToolCall, ToolChoice, ToolResult,
};
use crate::error::Invalid;
use crate::fields::{At, Fields, read};
use serde_json::value::RawValue;

/// Top-level fields that only Anthropic has.
const BODY_FIELDS: [&str; 11] = [
    "top_k",
    "service_tier",
    "cache_control",
    "container",
    "context_management",
    "diagnostics",
    "inference_geo",
    "mcp_servers",
    "output_config",
    "speed",
    "user_profile_id",
];

/// Fields of content blocks that only Anthropic has.
const BLOCK_FIELDS: [&str; 5] = ["cache_control", "citations", "caller", "toolset_name", "transformations"];

/// Content blocks that only Anthropic has, and without which the turns still say what was said. Others, a document for
/// example, are what is asked about: a request without them would be another one.
const BLOCKS: [&str; 11] = [
    "thinking",
    "redacted_thinking",
    "browser_state",
    "tool_reference",
    "server_tool_use",
    "web_search_tool_result",
    "web_fetch_tool_result",
    "code_execution_tool_result",
    "bash_code_execution_tool_result",
    "text_editor_code_execution_tool_result",
    "tool_search_tool_result",
];

/// Fields of custom tools that only Anthropic has.
const TOOL_FIELDS: [&str; 5] =
    ["cache_control", "allowed_callers", "defer_loading", "eager_input_streaming", "input_examples"];

/// Tools that Anthropic defines; the `type` goes on with a date.
const SERVER_TOOLS: [&str; 9] = [
    "web_search",
    "web_fetch",
    "code_execution",
    "bash",
    "text_editor",
    "computer",
    "browser",
    "memory",
    "tool_search_tool",
];

/// Reads a whole request body, to be written in another format.
///
/// # Errors
/// When the body is not a Messages request; the message names the field.
pub fn read_request(body: &[u8]) -> Result<Request, Invalid> {
    let at = &At::Body;
    let mut fields = Fields::of_body(body)?;
    let mut request = Request {
        model: fields.require("model", at, "a string")?,
        max_output_tokens: Some(fields.require("max_tokens", at, "a whole number")?),
        sampling: Sampling {
            temperature: fields.read("temperature", at, "a number")?,
            top_p: fields.read("top_p", at, "a number")?,
            ..Sampling::default()
        },
        stop: fields.read("stop_sequences", at, "an array of strings")?.unwrap_or_default(),
        stream: fields.read("stream", at, "true or false")?.unwrap_or(false),
        ..Request::default()
    };
    if let Some(system) = fields.take("system", at)? {
        request.system = read_system(system, &at.field("system"), &mut request)?;
    }
    read_messages(fields.require("messages", at, "an array of objects")?, &at.field("messages"), &mut request)?;
    if let Some(tools) = fields.read("tools", at, "an array of objects")? {
        request.tools = read_tools(tools, &at.field("tools"), &mut request)?;
    }
    if let Some(choice) = fields.read("tool_choice", at, "an object")? {
        read_tool_choice(choice, &at.field("tool_choice"), &mut request)?;
    }
    if let Some(metadata) = fields.read::<Fields<'_>>("metadata", at, "an object")? {
        request.end_user = read_end_user(metadata, &at.field("metadata"), &mut request)?;
    }
    if let Some(thinking) = fields.read::<Fields<'_>>("thinking", at, "an object")? {
        read_thinking(thinking, &at.field("thinking"), &mut request)?;
    }
    leave_out(fields, &BODY_FIELDS, at, &mut request)?;
    Ok(request)
}

fn read_messages(messages: Vec<Fields<'_>>, at: &At<'_>, request: &mut Request) -> Result<(), Invalid> {
    if messages.is_empty() {
        return Err(at.fault("needs at least one message"));
    }
    for (index, mut message) in messages.into_iter().enumerate() {
        let at = &at.item(index);
        let role: String = message.require("role", at, "a string")?;
        let content: &RawValue = message.require("content", at, "a string or an array of content blocks")?;
        leave_out(message, &[], at, request)?;
        let content_at = &at.field("content");
        match role.as_str() {
            "user" => read_turn(Role::User, content, content_at, request)?,
            "assistant" => read_turn(Role::Assistant, content, content_at, request)?,
            "system" => {
                // Other formats know instructions for the whole conversation, not from one turn on.
                if !request.messages.is_empty() {
                    request.note_dropped("messages.system");
                }
                let system = read_system(content, content_at, request)?;
                request.system.extend(system);
            }
            _ => return Err(at.field("role").fault("must be user, assistant or system")),
        }
    }
    Ok(())
}

fn read_turn(role: Role, content: &RawValue, at: &At<'_>, request: &mut Request) -> Result<(), Invalid> {
    let parts = read_content(content, at, request, read_turn_block)?;
    if !parts.is_empty() {
        request.messages.push(Message { role, parts });
    } else if role == Role::User {
        // A turn of the model may go (it may be all thinking); a question may not.
        return Err(at.fault("holds nothing that can be carried to another provider"));
    }
    Ok(())
}

fn read_system(content: &RawValue, at: &At<'_>, request: &mut Request) -> Result<Vec<Instruction>, Invalid> {
    let only_text = |part| match part {
        Part::Text(text) => Ok(text.into()),
        _ => Err(at.fault("must be a string or an array of text blocks")),
    };
    read_content(content, at, request, read_plain_block)?.into_iter().map(only_text).collect()
}

/// Reads one block of a content array; a block that cannot be carried is `None`.
type ReadBlock = fn(Fields<'_>, &At<'_>, &mut Request) -> Result<Option<Part>, Invalid>;

fn read_content(
    content: &RawValue,
    at: &At<'_>,
    request: &mut Request,
    read_block: ReadBlock,
) -> Result<Vec<Part>, Invalid> {
    if content.get().starts_with('"') {
        return Ok(vec![Part::Text(read(content, at, "a string")?)]);
    }
    let blocks: Vec<Fields<'_>> = read(content, at, "a string or an array of content blocks")?;
    let mut parts = Vec::with_capacity(blocks.len());
    for (index, block) in blocks.into_iter().enumerate() {
        parts.extend(read_block(block, &at.item(index), request)?);
    }
    Ok(parts)
}

/// A block of a turn.
fn read_turn_block(mut block: Fields<'_>, at: &At<'_>, request: &mut Request) -> Result<Option<Part>, Invalid> {
    let kind: String = block.require("type", at, "a string")?;
    let part = match kind.as_str() {
        "tool_use" => Part::ToolCall(ToolCall {
            id: block.require("id", at, "a string")?,
            name: block.require("name", at, "a string")?,
            arguments: read_object(block.require("input", at, "an object")?, &at.field("input"))?.get().to_owned(),
        }),
        "tool_result" => Part::ToolResult(ToolResult {
            id: block.require("tool_use_id", at, "a string")?,
            content: match block.take("content", at)? {
                Some(content) => read_content(content, &at.field("content"), request, read_plain_block)?,
                None => Vec::new(),
            },
            is_error: block.read("is_error", at, "true or false")?.unwrap_or(false),
        }),
        _ => return read_plain(&kind, block, at, request),
    };
    leave_out(block, &BLOCK_FIELDS, at, request)?;
    Ok(Some(part))
}

/// A block of a tool's result or of the system prompt. No block inside it has blocks, so nothing nests without end.
fn read_plain_block(mut block: Fields<'_>, at: &At<'_>, request: &mut Request) -> Result<Option<Part>, Invalid> {
    let kind: String = block.require("type", at, "a string")?;
    read_plain(&kind, block, at, request)
}

fn read_plain(kind: &str, mut block: Fields<'_>, at: &At<'_>, request: &mut Request) -> Result<Option<Part>, Invalid> {
    let part = match kind {
        "text" => Part::Text(block.require("text", at, "a string")?),
        "image" => Part::Image(read_image(block.require("source", at, "an object")?, &at.field("source"), request)?),
        other => {
            let Some(known) = BLOCKS.into_iter().find(|known| *known == other) else {
                return Err(at.fault("is a block that cannot be carried to another provider's format"));
            };
            request.note_dropped(known);
            return Ok(None);
        }
    };
    leave_out(block, &BLOCK_FIELDS, at, request)?;
    Ok(Some(part))
}

fn read_image(mut source: Fields<'_>, at: &At<'_>, request: &mut Request) -> Result<Media, Invalid> {
    let kind: String = source.require("type", at, "a string")?;
    let image = match kind.as_str() {
        "url" => Media::Url(source.require("url", at, "a string")?),
        "base64" => Media::Inline {
            media_type: source.require("media_type", at, "a string")?,
            base64: source.require("data", at, "a string")?,
        },
        "file" => return Err(at.fault("is in the provider's file store, which another provider cannot read")),
        _ => return Err(at.field("type").fault("must be base64, url or file")),
    };
    leave_out(source, &[], at, request)?;
    Ok(image)
}

fn read_tools(tools: Vec<Fields<'_>>, at: &At<'_>, request: &mut Request) -> Result<Vec<Tool>, Invalid> {
    let mut carried = Vec::with_capacity(tools.len());
    for (index, mut tool) in tools.into_iter().enumerate() {
        let at = &at.item(index);
        let kind: Option<String> = tool.read("type", at, "a string")?;
        if let Some(kind) = kind.filter(|kind| kind != "custom") {
            let name = SERVER_TOOLS.into_iter().find(|known| kind.starts_with(known));
            request.note_dropped(name.unwrap_or("server_tools"));
            continue;
        }
        carried.push(Tool {
            name: tool.require("name", at, "a string")?,
            description: tool.read("description", at, "a string")?,
            parameters: Some(
                read_object(tool.require("input_schema", at, "an object")?, &at.field("input_schema"))?.to_owned(),
            ),
            strict: tool.read("strict", at, "true or false")?,
            cache: None,
        });
        leave_out(tool, &TOOL_FIELDS, at, request)?;
    }
    Ok(carried)
}

fn read_tool_choice(mut choice: Fields<'_>, at: &At<'_>, request: &mut Request) -> Result<(), Invalid> {
    let kind: String = choice.require("type", at, "a string")?;
    let named: Option<String> = choice.read("name", at, "a string")?;
    let disable_parallel: Option<bool> = choice.read("disable_parallel_tool_use", at, "true or false")?;
    leave_out(choice, &[], at, request)?;
    let choice = match (kind.as_str(), named) {
        ("auto", _) => ToolChoice::Auto,
        ("any", _) => ToolChoice::Required,
        ("none", _) => ToolChoice::None,
        ("tool", Some(name)) => ToolChoice::Named(name),
        ("tool", None) => return Err(at.field("name").fault("required: a string")),
        _ => return Err(at.field("type").fault("must be auto, any, tool or none")),
    };
    let can_be_met = match &choice {
        ToolChoice::Named(name) => request.tools.iter().any(|tool| tool.name == *name),
        ToolChoice::Required => !request.tools.is_empty(),
        ToolChoice::Auto | ToolChoice::None => true,
    };
    if !can_be_met {
        return Err(at.fault("asks for a tool that is not there or cannot be carried to another provider"));
    }
    // Without tools there is nothing to choose from, and other formats refuse the choice.
    if !request.tools.is_empty() {
        request.tool_choice = Some(choice);
        request.parallel_tool_calls = disable_parallel.map(|disable| !disable);
    }
    Ok(())
}

fn read_end_user(mut metadata: Fields<'_>, at: &At<'_>, request: &mut Request) -> Result<Option<String>, Invalid> {
    let end_user = metadata.read("user_id", at, "a string")?;
    leave_out(metadata, &[], at, request)?;
    Ok(end_user)
}

fn read_thinking(mut thinking: Fields<'_>, at: &At<'_>, request: &mut Request) -> Result<(), Invalid> {
    let kind: String = thinking.require("type", at, "a string")?;
    if kind != "disabled" {
        request.note_dropped("thinking");
    }
    Ok(())
}

fn read_object<'a>(value: &'a RawValue, at: &At<'_>) -> Result<&'a RawValue, Invalid> {
    if value.get().starts_with('{') { Ok(value) } else { Err(at.fault("must be an object")) }
}

/// Names what is left of an object: `known` fields each by its own name, all others by one.
fn leave_out(
    mut fields: Fields<'_>,
    known: &[&'static str],
    at: &At<'_>,
    request: &mut Request,
) -> Result<(), Invalid> {
    for &name in known {
        if fields.has(name, at)? {
            request.note_dropped(name);
        }
    }
    if !fields.is_empty() {
        request.note_dropped("unknown_fields");
    }
    Ok(())
}
