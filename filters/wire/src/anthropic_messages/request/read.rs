//! Requests: a client's Anthropic body into the conversation.

mod blocks;
mod settings;

use crate::asked::choose;
use crate::conversation::{CacheTtl, Instruction, Message, Part, Request, Role, Tool, ToolChoice};
use crate::error::Invalid;
use crate::fields::{At, Fields};
use blocks::{read_content, read_plain, read_turn_block};
use serde_json::value::RawValue;
use settings::{read_cache_control, read_settings};

/// Top-level fields that only Anthropic has.
const BODY_FIELDS: [&str; 10] = [
    "container",
    "context_management",
    "diagnostics",
    "inference_geo",
    "mcp_servers",
    "speed",
    "user_profile_id",
    "billing_policy",
    "fallbacks",
    "fallback_credit_token",
];

/// Fields that make a request another one: the conversation is at the provider, or is not to be answered.
const OTHER_REQUESTS: [&str; 2] = ["thread", "compaction"];

/// Fields of a system message that only Anthropic has.
const SYSTEM_MESSAGE_FIELDS: [&str; 2] = ["clear_at", "output_config"];

/// Fields of custom tools that only Anthropic has.
const TOOL_FIELDS: [&str; 4] = ["allowed_callers", "defer_loading", "eager_input_streaming", "input_examples"];

/// Tools that Anthropic defines; the `type` goes on with a date.
const SERVER_TOOLS: [&str; 11] = [
    "web_search",
    "web_fetch",
    "code_execution",
    "bash",
    "text_editor",
    "computer",
    "browser",
    "memory",
    "tool_search_tool",
    "advisor",
    "mcp_toolset",
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
        ..Request::default()
    };
    if let Some(system) = fields.take("system", at)? {
        request.system = read_system(system, &at.field("system"), &mut request)?;
    }
    read_messages(fields.require("messages", at, "an array of objects")?, &at.field("messages"), &mut request)?;
    if let Some(ttl) = read_cache_control(&mut fields, at)? {
        mark_end(ttl, &mut request);
    }
    if let Some(tools) = fields.read("tools", at, "an array of objects")? {
        read_tools(tools, &at.field("tools"), &mut request)?;
    }
    if let Some(choice) = fields.read("tool_choice", at, "an object")? {
        read_tool_choice(choice, &at.field("tool_choice"), &mut request)?;
    }
    read_settings(&mut fields, at, &mut request)?;
    for name in OTHER_REQUESTS {
        if fields.has(name, at)? {
            return Err(at.field(name).fault("cannot be carried to another provider"));
        }
    }
    fields.leave_out(&BODY_FIELDS, at, &mut request)?;
    Ok(request)
}

fn read_messages(messages: Vec<Fields<'_>>, at: &At<'_>, request: &mut Request) -> Result<(), Invalid> {
    if messages.is_empty() {
        return Err(at.fault("needs at least one message"));
    }
    for (index, mut message) in messages.into_iter().enumerate() {
        let at = &at.item(index);
        let role: String = message.require("role", at, "a string")?;
        match role.as_str() {
            "user" => read_turn(Role::User, message, at, request)?,
            "assistant" => read_turn(Role::Assistant, message, at, request)?,
            "system" => read_system_message(message, at, request)?,
            _ => return Err(at.field("role").fault("must be user, assistant or system")),
        }
    }
    Ok(())
}

fn read_turn(role: Role, mut message: Fields<'_>, at: &At<'_>, request: &mut Request) -> Result<(), Invalid> {
    let content: &RawValue = message.require("content", at, "a string or an array of content blocks")?;
    message.leave_out(&[], at, request)?;
    let at = &at.field("content");
    let mut parts = read_content(content, at, request, read_turn_block)?;
    if role == Role::User && parts.iter().any(|part| matches!(part, Part::Reasoning(_))) {
        // Only a model thinks.
        parts.retain(|part| !matches!(part, Part::Reasoning(_)));
        request.note_dropped("reasoning_content");
    }
    if parts.iter().any(|part| !matches!(part, Part::CacheBreakpoint(_))) {
        request.messages.push(Message { role, parts });
    } else if role == Role::User {
        // A turn of the model may go (it may be all about tools of its provider); a question may not.
        return Err(at.fault("holds nothing that can be carried to another provider"));
    }
    Ok(())
}

/// Other formats know instructions for the whole conversation, not from one turn on.
fn read_system_message(mut message: Fields<'_>, at: &At<'_>, request: &mut Request) -> Result<(), Invalid> {
    if let Some(content) = message.take("content", at)? {
        if !request.messages.is_empty() {
            request.note_dropped("messages.system");
        }
        let system = read_system(content, &at.field("content"), request)?;
        request.system.extend(system);
    }
    message.leave_out(&SYSTEM_MESSAGE_FIELDS, at, request)
}

fn read_system(content: &RawValue, at: &At<'_>, request: &mut Request) -> Result<Vec<Instruction>, Invalid> {
    let mut system: Vec<Instruction> = Vec::new();
    for part in read_content(content, at, request, read_plain)? {
        match (part, system.last_mut()) {
            (Part::Text(text), _) => system.push(text.into()),
            (Part::CacheBreakpoint(ttl), Some(last)) => last.cache = Some(ttl),
            _ => return Err(at.fault("must be a string or an array of text blocks")),
        }
    }
    Ok(system)
}

/// The body's own `cache_control` stands for one on the last block.
fn mark_end(ttl: CacheTtl, request: &mut Request) {
    if let Some(last) = request.messages.last_mut()
        && !matches!(last.parts.last(), Some(Part::CacheBreakpoint(_)))
    {
        last.parts.push(Part::CacheBreakpoint(ttl));
    }
}

fn read_tools(tools: Vec<Fields<'_>>, at: &At<'_>, request: &mut Request) -> Result<(), Invalid> {
    for (index, mut tool) in tools.into_iter().enumerate() {
        let at = &at.item(index);
        let cache = read_cache_control(&mut tool, at)?;
        let kind: Option<String> = tool.read("type", at, "a string")?;
        if let Some(kind) = kind.filter(|kind| kind != "custom") {
            let name = SERVER_TOOLS.into_iter().find(|known| kind.starts_with(known));
            request.note_dropped(name.unwrap_or("server_tools"));
            match request.tools.last_mut() {
                Some(before) => before.cache = cache.or(before.cache),
                None if cache.is_some() => request.note_dropped("cache_control"),
                None => {}
            }
            continue;
        }
        request.tools.push(Tool {
            name: tool.require("name", at, "a string")?,
            description: tool.read("description", at, "a string")?,
            parameters: Some(tool.require_object("input_schema", at)?.to_owned()),
            strict: tool.read("strict", at, "true or false")?,
            cache,
        });
        tool.leave_out(&TOOL_FIELDS, at, request)?;
    }
    Ok(())
}

fn read_tool_choice(mut choice: Fields<'_>, at: &At<'_>, request: &mut Request) -> Result<(), Invalid> {
    let kind: String = choice.require("type", at, "a string")?;
    let named: Option<String> = choice.read("name", at, "a string")?;
    let disable_parallel: Option<bool> = choice.read("disable_parallel_tool_use", at, "true or false")?;
    choice.leave_out(&[], at, request)?;
    let choice = match (kind.as_str(), named) {
        ("auto", _) => ToolChoice::Auto,
        ("any", _) => ToolChoice::Required,
        ("none", _) => ToolChoice::None,
        ("tool", Some(name)) => ToolChoice::Named(name),
        ("tool", None) => return Err(at.field("name").lacks("a string")),
        _ => return Err(at.field("type").fault("must be auto, any, tool or none")),
    };
    choose(choice, at, request)?;
    if !request.tools.is_empty() {
        request.parallel_tool_calls = disable_parallel.map(|disable| !disable);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
