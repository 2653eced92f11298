//! `messages` into turns.

use crate::asked::take_breakpoints;
use crate::conversation::{CacheTtl, Instruction, Message, Part, Reasoning, Request, Role, ToolCall, ToolResult};
use crate::error::Invalid;
use crate::fields::{At, Fields, read as read_value};
use crate::openai_chat::answer::arguments;
use crate::openai_chat::reasoning::{Side, Thinking, read_extra};
use crate::openai_chat::request::parts::read_content;
use crate::openai_chat::request::read::leave_out;
use serde_json::value::RawValue;

/// What an answer has and its next request need not.
const NOT_CARRIED: [&str; 1] = ["annotations"];

pub(super) fn read(messages: Vec<&RawValue>, at: &At<'_>, request: &mut Request) -> Result<(), Invalid> {
    for (index, message) in messages.into_iter().enumerate() {
        let at = &at.item(index);
        read_message(read_value(message, at, "an object")?, at, request)?;
    }
    if request.messages.is_empty() {
        return Err(at.fault("must hold at least one user or assistant message"));
    }
    Ok(())
}

fn read_message(mut message: Fields<'_>, at: &At<'_>, request: &mut Request) -> Result<(), Invalid> {
    let role: String = message.require("role", at, "a string")?;
    let content = message.take("content", at)?;
    if message.has("name", at)? {
        request.note_dropped("messages.name");
    }
    if message.has("function_call", at)? {
        return Err(at.field("function_call").fault("is deprecated and not translated; use tool_calls"));
    }
    let content = read_content(content, &at.field("content"), request)?;
    match role.as_str() {
        "system" | "developer" => push_instructions(content, at, request)?,
        "user" => request.messages.push(Message { role: Role::User, parts: content }),
        "assistant" => push_answer(&mut message, content, at, request)?,
        "tool" => {
            let id = message.require("tool_call_id", at, "a string")?;
            push_result(id, content, &mut request.messages);
        }
        _ => return Err(at.field("role").fault("must be system, developer, user, assistant or tool")),
    }
    leave_out(message, &NOT_CARRIED, request);
    Ok(())
}

fn push_instructions(content: Vec<Part>, at: &At<'_>, request: &mut Request) -> Result<(), Invalid> {
    // Other formats know instructions for the whole conversation, not from one turn on.
    if !request.messages.is_empty() {
        request.note_dropped("messages.system");
    }
    let before = request.system.len();
    for part in content {
        match part {
            Part::Text(text) => request.system.push(text.into()),
            Part::CacheBreakpoint(ttl) => cache_last(request.system.get_mut(before..), ttl),
            _ => return Err(at.field("content").fault("instructions must be text")),
        }
    }
    Ok(())
}

fn cache_last(instructions: Option<&mut [Instruction]>, ttl: CacheTtl) {
    if let Some([.., last]) = instructions {
        last.cache = Some(ttl);
    }
}

fn push_answer(
    message: &mut Fields<'_>,
    content: Vec<Part>,
    at: &At<'_>,
    request: &mut Request,
) -> Result<(), Invalid> {
    if message.has("audio", at)? {
        return Err(at.field("audio").fault("cannot be translated to this model's provider"));
    }
    let thought = "reasoning_content and reasoning must be strings, reasoning_details an array of objects";
    let mut parts = Thinking::parts(message).map_err(|_| at.fault(thought))?;
    for name in ["reasoning_content", "reasoning", "reasoning_details"] {
        message.take(name, at)?;
    }
    parts.extend(content);
    parts.extend(message.read("refusal", at, "a string")?.map(Part::Text));
    let calls: Option<Vec<&RawValue>> = message.read("tool_calls", at, "an array of calls")?;
    for (index, call) in calls.into_iter().flatten().enumerate() {
        let at = &at.field("tool_calls");
        let at = &at.item(index);
        push_call(read_value(call, at, "an object with an id and a function")?, at, &mut parts)?;
    }
    request.messages.push(Message { role: Role::Assistant, parts });
    Ok(())
}

fn push_call(mut call: Fields<'_>, at: &At<'_>, parts: &mut Vec<Part>) -> Result<(), Invalid> {
    let only_functions = || at.fault("only calls of functions can be translated");
    let function: Option<Fields<'_>> = call.read("function", at, "an object with a name")?;
    let mut function = function.ok_or_else(only_functions)?;
    let id = call.require("id", at, "a string")?;
    let arguments = arguments(&function);
    let name = function.require("name", &at.field("function"), "a string")?;
    if let Some(seal) = read_extra(&call, Side::Client) {
        parts.push(Part::Reasoning(Reasoning { text: String::new(), seal: Some(seal) }));
    }
    parts.push(Part::ToolCall(ToolCall { id, name, arguments }));
    Ok(())
}

/// Results of the calls of one turn belong into one turn.
fn push_result(id: String, mut content: Vec<Part>, messages: &mut Vec<Message>) {
    let cache = take_breakpoints(&mut content).map(Part::CacheBreakpoint);
    let result = Part::ToolResult(ToolResult { id, content, is_error: false });
    let parts = [Some(result), cache].into_iter().flatten();
    let only_results = |message: &Message| {
        message.parts.iter().all(|part| matches!(part, Part::ToolResult(_) | Part::CacheBreakpoint(_)))
    };
    match messages.last_mut() {
        Some(last) if last.role == Role::User && !last.parts.is_empty() && only_results(last) => {
            last.parts.extend(parts);
        }
        _ => messages.push(Message { role: Role::User, parts: parts.collect() }),
    }
}
