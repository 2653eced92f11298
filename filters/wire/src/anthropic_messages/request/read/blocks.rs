//! Content blocks of a request.

use super::settings::read_cache_control;
use crate::anthropic_messages::response::seal;
use crate::asked::take_breakpoints;
use crate::conversation::{Document, DocumentSource, Media, Part, Reasoning, Request, ToolCall, ToolResult};
use crate::error::Invalid;
use crate::fields::{At, Fields, read};
use crate::signature::SealKind;
use serde_json::value::RawValue;

/// Fields of content blocks that only Anthropic has.
const BLOCK_FIELDS: [&str; 4] = ["citations", "caller", "toolset_name", "transformations"];

/// Content blocks that only Anthropic has, and without which the turns still say what was said. Others, a file in its
/// store for example, are what is asked about: a request without them would be another one.
const BLOCKS: [&str; 14] = [
    "browser_state",
    "tool_reference",
    "server_tool_use",
    "web_search_tool_result",
    "web_fetch_tool_result",
    "code_execution_tool_result",
    "bash_code_execution_tool_result",
    "text_editor_code_execution_tool_result",
    "tool_search_tool_result",
    "advisor_tool_result",
    "mcp_tool_use",
    "mcp_tool_result",
    "mcp_tool_listing",
    "fallback",
];

/// Reads one block of a content array, of a kind, and adds what it says.
type ReadBlock = fn(&str, Fields<'_>, &At<'_>, &mut Request, &mut Vec<Part>) -> Result<(), Invalid>;

/// A string, or an array of blocks that `read_block` reads. Where a block wants the prompt cached up to it, a breakpoint
/// follows it.
pub(super) fn read_content(
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
    for (index, mut block) in blocks.into_iter().enumerate() {
        let at = &at.item(index);
        let kind: String = block.require("type", at, "a string")?;
        let cache = read_cache_control(&mut block, at)?;
        read_block(&kind, block, at, request, &mut parts)?;
        if !parts.is_empty() {
            parts.extend(cache.map(Part::CacheBreakpoint));
        }
    }
    Ok(parts)
}

/// A block of a turn.
pub(super) fn read_turn_block(
    kind: &str,
    mut block: Fields<'_>,
    at: &At<'_>,
    request: &mut Request,
    parts: &mut Vec<Part>,
) -> Result<(), Invalid> {
    match kind {
        "tool_use" => parts.push(Part::ToolCall(ToolCall {
            id: block.require("id", at, "a string")?,
            name: block.require("name", at, "a string")?,
            arguments: block.require_object("input", at)?.get().to_owned(),
        })),
        "tool_result" => read_tool_result(&mut block, at, request, parts)?,
        "thinking" => {
            let text: String = block.require("thinking", at, "a string")?;
            let signature: Option<String> = block.read("signature", at, "a string")?;
            push_reasoning(text, SealKind::Signature, &signature.unwrap_or_default(), parts);
        }
        "redacted_thinking" => {
            let data: String = block.require("data", at, "a string")?;
            push_reasoning(String::new(), SealKind::Encrypted, &data, parts);
        }
        // The summary stands for all that was said before it. There is none where it failed.
        "compaction" => {
            let summary: Option<String> = block.read("content", at, "a string")?;
            parts.extend(summary.map(Part::Text));
            return block.leave_out(&["encrypted_content", "signature", "tool_changes"], at, request);
        }
        _ => return read_plain(kind, block, at, request, parts),
    }
    block.leave_out(&BLOCK_FIELDS, at, request)
}

fn push_reasoning(text: String, kind: SealKind, sealed: &str, parts: &mut Vec<Part>) {
    let seal = seal(kind, sealed);
    if !text.is_empty() || seal.is_some() {
        parts.push(Part::Reasoning(Reasoning { text, seal }));
    }
}

fn read_tool_result(
    block: &mut Fields<'_>,
    at: &At<'_>,
    request: &mut Request,
    parts: &mut Vec<Part>,
) -> Result<(), Invalid> {
    let mut content = match block.take("content", at)? {
        Some(content) => read_content(content, &at.field("content"), request, read_plain)?,
        None => Vec::new(),
    };
    let cache = take_breakpoints(&mut content);
    parts.push(Part::ToolResult(ToolResult {
        id: block.require("tool_use_id", at, "a string")?,
        content,
        is_error: block.read("is_error", at, "true or false")?.unwrap_or(false),
    }));
    parts.extend(cache.map(Part::CacheBreakpoint));
    Ok(())
}

/// A block of a turn, of a tool's result or of the system prompt. No block inside it has blocks of every kind, so nothing
/// nests without end.
pub(super) fn read_plain(
    kind: &str,
    mut block: Fields<'_>,
    at: &At<'_>,
    request: &mut Request,
    parts: &mut Vec<Part>,
) -> Result<(), Invalid> {
    match kind {
        "document" => read_document(&mut block, at, request, parts)?,
        "search_result" => read_search_result(&mut block, at, request, parts)?,
        _ => return read_innermost(kind, block, at, request, parts),
    }
    block.leave_out(&BLOCK_FIELDS, at, request)
}

/// Text or an image.
fn read_innermost(
    kind: &str,
    mut block: Fields<'_>,
    at: &At<'_>,
    request: &mut Request,
    parts: &mut Vec<Part>,
) -> Result<(), Invalid> {
    match kind {
        "text" => parts.push(Part::Text(block.require("text", at, "a string")?)),
        "image" => {
            let source = block.require("source", at, "an object")?;
            parts.push(Part::Image(read_image(source, &at.field("source"), request)?));
        }
        other => {
            let Some(known) = BLOCKS.into_iter().find(|known| *known == other) else {
                return Err(at.fault("is a block that cannot be carried to another provider's format"));
            };
            request.note_dropped(known);
            return Ok(());
        }
    }
    block.leave_out(&BLOCK_FIELDS, at, request)
}

fn read_image(mut source: Fields<'_>, at: &At<'_>, request: &mut Request) -> Result<Media, Invalid> {
    let kind: String = source.require("type", at, "a string")?;
    let image = match kind.as_str() {
        "url" => Media::Url(source.require("url", at, "a string")?),
        "base64" => read_inline(&mut source, at)?,
        "file" => return Err(in_file_store(at)),
        _ => return Err(at.field("type").fault("must be base64, url or file")),
    };
    source.leave_out(&[], at, request)?;
    Ok(image)
}

fn read_inline(source: &mut Fields<'_>, at: &At<'_>) -> Result<Media, Invalid> {
    Ok(Media::Inline {
        media_type: source.require("media_type", at, "a string")?,
        base64: source.require("data", at, "a string")?,
    })
}

#[cold]
fn in_file_store(at: &At<'_>) -> Invalid {
    at.fault("is in the provider's file store, which another provider cannot read")
}

fn read_document(
    block: &mut Fields<'_>,
    at: &At<'_>,
    request: &mut Request,
    parts: &mut Vec<Part>,
) -> Result<(), Invalid> {
    let name: Option<String> = block.read("title", at, "a string")?;
    // What the model is told of a document beside it, it can be told before it.
    let context: Option<String> = block.read("context", at, "a string")?;
    parts.extend(context.filter(|context| !context.is_empty()).map(Part::Text));
    let mut source: Fields<'_> = block.require("source", at, "an object")?;
    let at = &at.field("source");
    let kind: String = source.require("type", at, "a string")?;
    let content = match kind.as_str() {
        "base64" => DocumentSource::File(read_inline(&mut source, at)?),
        "url" => DocumentSource::File(Media::Url(source.require("url", at, "a string")?)),
        "text" => {
            // Always `text/plain`.
            source.has("media_type", at)?;
            DocumentSource::Text(source.require("data", at, "a string")?)
        }
        "content" => {
            let content = source.require("content", at, "a string or an array of content blocks")?;
            let content = read_content(content, &at.field("content"), request, read_innermost)?;
            match text_of(&content) {
                Some(text) => DocumentSource::Text(text),
                // No other format has documents of pictures; what is in them can be shown all the same.
                None => {
                    parts.extend(content);
                    return source.leave_out(&[], at, request);
                }
            }
        }
        "file" => return Err(in_file_store(at)),
        _ => return Err(at.field("type").fault("must be base64, text, content, url or file")),
    };
    parts.push(Part::Document(Document { name, source: content }));
    source.leave_out(&[], at, request)
}

/// A passage that was found for a question: to the model, a short document that says where it is from.
fn read_search_result(
    block: &mut Fields<'_>,
    at: &At<'_>,
    request: &mut Request,
    parts: &mut Vec<Part>,
) -> Result<(), Invalid> {
    let source: String = block.require("source", at, "a string")?;
    let name: String = block.require("title", at, "a string")?;
    let content = block.require("content", at, "an array of text blocks")?;
    let at = &at.field("content");
    let content = read_content(content, at, request, read_innermost)?;
    let text = text_of(&content).ok_or_else(|| at.fault("must be an array of text blocks"))?;
    let source = DocumentSource::Text(format!("{source}\n\n{text}"));
    parts.push(Part::Document(Document { name: Some(name), source }));
    Ok(())
}

/// The text of parts that are all text.
fn text_of(parts: &[Part]) -> Option<String> {
    let mut whole = String::new();
    for part in parts {
        match part {
            Part::Text(text) => {
                if !whole.is_empty() {
                    whole.push('\n');
                }
                whole.push_str(text);
            }
            Part::CacheBreakpoint(_) => {}
            _ => return None,
        }
    }
    Some(whole)
}
