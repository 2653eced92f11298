//! The turns of a conversation into `messages`.

use crate::conversation::{
    CacheTtl, Document, DocumentSource, Media, Message, Part, Request, Role, ToolCall, ToolResult,
};
use crate::dropped::Dropped;
use crate::error::Invalid;
use crate::media::{has_url, write_url};
use crate::openai_chat::reasoning::{Side, is_of_call, write_extra, write_for_provider};
use crate::signature::Seal;
use tollgate_kernel::json::Writer;

/// A part of a message's content, and whether the prompt up to here is worth keeping.
struct Piece<'a> {
    content: Content<'a>,
    cache: Option<CacheTtl>,
}

enum Content<'a> {
    Text(&'a str),
    Image(&'a Media),
    File { name: Option<&'a str>, bytes: &'a Media },
}

pub(super) fn write_messages(request: &Request, json: &mut Writer<'_>, dropped: &mut Dropped) -> Result<(), Invalid> {
    json.key("messages").open_list();
    for system in &request.system {
        open_message("system", json);
        write_content(&[Piece { content: Content::Text(&system.text), cache: system.cache }], json);
        json.close_object();
    }
    for message in &request.messages {
        match message.role {
            Role::User => write_user(message, json, dropped)?,
            Role::Assistant => write_assistant(message, json, dropped)?,
        }
    }
    json.close_list();
    Ok(())
}

fn open_message(role: &str, json: &mut Writer<'_>) {
    json.open_object();
    json.key("role").text(role);
}

/// Results go first, since a call must be answered before anything else is said.
fn write_user(message: &Message, json: &mut Writer<'_>, dropped: &mut Dropped) -> Result<(), Invalid> {
    let mut said = Vec::new();
    let mut answers = false;
    let mut parts = message.parts.iter().peekable();
    while let Some(part) = parts.next() {
        let Part::ToolResult(result) = part else {
            push_piece(part, &mut said, dropped)?;
            continue;
        };
        answers = true;
        let cache = match parts.peek() {
            Some(Part::CacheBreakpoint(ttl)) => Some(*ttl),
            _ => None,
        };
        if cache.is_some() {
            parts.next();
        }
        write_result(result, cache, json, dropped)?;
    }
    if !said.is_empty() || !answers {
        open_message("user", json);
        write_content(&said, json);
        json.close_object();
    }
    Ok(())
}

fn write_result(
    result: &ToolResult,
    cache: Option<CacheTtl>,
    json: &mut Writer<'_>,
    dropped: &mut Dropped,
) -> Result<(), Invalid> {
    let mut texts = Vec::new();
    for part in &result.content {
        match part {
            Part::Text(_) | Part::Document(Document { source: DocumentSource::Text(_), .. }) => {
                push_piece(part, &mut texts, dropped)?;
            }
            Part::Document(_) => dropped.push("tool_result.document"),
            Part::Image(_) => dropped.push("tool_result.image"),
            _ => {}
        }
    }
    match texts.last_mut() {
        Some(last) => last.cache = cache,
        None => dropped.push_if(cache.is_some(), "cache_control"),
    }
    dropped.push_if(result.is_error, "tool_result.is_error");
    open_message("tool", json);
    json.key("tool_call_id").text(&result.id);
    write_content(&texts, json);
    json.close_object();
    Ok(())
}

fn write_assistant(message: &Message, json: &mut Writer<'_>, dropped: &mut Dropped) -> Result<(), Invalid> {
    let mut said = Vec::new();
    for part in &message.parts {
        match part {
            Part::Image(_) => dropped.push("assistant.image"),
            Part::Document(_) => dropped.push("assistant.document"),
            _ => push_piece(part, &mut said, dropped)?,
        }
    }
    open_message("assistant", json);
    if said.is_empty() && message.parts.iter().any(|part| matches!(part, Part::ToolCall(_))) {
        json.key("content").null();
    } else {
        write_content(&said, json);
    }
    let left_out = write_for_provider(&message.parts, json);
    let all_sealed = write_tool_calls(&message.parts, Side::Provider, json);
    dropped.push_if(left_out || !all_sealed, "reasoning_content");
    json.close_object();
    Ok(())
}

/// Writes `tool_calls`, if there are any. Whether none lost its seal.
pub(in crate::openai_chat) fn write_tool_calls(parts: &[Part], side: Side, json: &mut Writer<'_>) -> bool {
    if !parts.iter().any(|part| matches!(part, Part::ToolCall(_))) {
        return true;
    }
    let mut all_sealed = true;
    let mut before = None;
    json.key("tool_calls").open_list();
    for part in parts {
        if let Part::ToolCall(call) = part {
            all_sealed &= write_tool_call(call, before, side, json);
        }
        before = match part {
            Part::Reasoning(reasoning) if reasoning.text.is_empty() => reasoning.seal.as_ref(),
            _ => None,
        };
    }
    json.close_list();
    all_sealed
}

fn write_tool_call(call: &ToolCall, seal: Option<&Seal>, side: Side, json: &mut Writer<'_>) -> bool {
    json.open_object();
    json.key("id").text(&call.id);
    json.key("type").text("function");
    json.key("function").open_object();
    json.key("name").text(&call.name);
    json.key("arguments").text(&call.arguments);
    json.close_object();
    let written = write_extra(seal.filter(|seal| is_of_call(seal)), side, json);
    json.close_object();
    written
}

/// Adds what can stand in a message's content; other parts have their own places.
fn push_piece<'a>(part: &'a Part, pieces: &mut Vec<Piece<'a>>, dropped: &mut Dropped) -> Result<(), Invalid> {
    let content = match part {
        Part::Text(text) => Content::Text(text),
        Part::Image(image) => {
            if !has_url(image) {
                let message = "this model's provider takes images inline or from http and https addresses only";
                return Err(Invalid::new("messages", message));
            }
            Content::Image(image)
        }
        Part::Document(document) => document_content(document, dropped)?,
        Part::CacheBreakpoint(ttl) => {
            match pieces.last_mut() {
                Some(last) => last.cache = Some(*ttl),
                None => dropped.push("cache_control"),
            }
            return Ok(());
        }
        Part::Reasoning(_) | Part::ToolCall(_) | Part::ToolResult(_) => return Ok(()),
    };
    pieces.push(Piece { content, cache: None });
    Ok(())
}

fn document_content<'a>(document: &'a Document, dropped: &mut Dropped) -> Result<Content<'a>, Invalid> {
    match &document.source {
        DocumentSource::Text(text) => {
            dropped.push_if(document.name.is_some(), "document.name");
            Ok(Content::Text(text))
        }
        DocumentSource::File(bytes @ Media::Inline { .. }) => {
            Ok(Content::File { name: document.name.as_deref(), bytes })
        }
        DocumentSource::File(Media::Url(_)) => {
            Err(Invalid::new("messages", "this model's provider takes documents inline only, not by their address"))
        }
    }
}

/// A lone text is written as a string, the one form that every compatible server takes.
fn write_content(pieces: &[Piece<'_>], json: &mut Writer<'_>) {
    json.key("content");
    match pieces {
        [] => json.text(""),
        [Piece { content: Content::Text(text), cache: None }] => json.text(text),
        _ => {
            json.open_list();
            pieces.iter().for_each(|piece| write_piece(piece, json));
            json.close_list();
        }
    }
}

fn write_piece(piece: &Piece<'_>, json: &mut Writer<'_>) {
    json.open_object();
    match piece.content {
        Content::Text(text) => {
            json.key("type").text("text");
            json.key("text").text(text);
        }
        Content::Image(image) => {
            json.key("type").text("image_url");
            json.key("image_url").open_object();
            write_url(image, json.key("url"));
            json.close_object();
        }
        Content::File { name, bytes } => {
            json.key("type").text("file");
            json.key("file").open_object();
            // OpenAI refuses bytes without a name.
            json.key("filename").text(name.unwrap_or("document.pdf"));
            write_url(bytes, json.key("file_data"));
            json.close_object();
        }
    }
    if let Some(ttl) = piece.cache {
        json.key("prompt_cache_breakpoint").open_object();
        json.key("mode").text("explicit");
        json.key("ttl").text(if ttl == CacheTtl::Short { "30m" } else { "12h" });
        json.close_object();
    }
    json.close_object();
}
