//! Content blocks of a client's request into parts.

use super::{list, member, object};
use crate::bedrock_converse::media::{document_type, image_type};
use crate::bedrock_converse::reasoning;
use crate::conversation::{
    CacheTtl, Document, DocumentSource, Media, Message, Part, Reasoning, Request, Role, ToolCall, ToolResult,
};
use crate::error::Invalid;
use crate::fields::{At, Fields, read};
use serde_json::value::RawValue;

/// The kinds of blocks. Video, audio and search results are what is asked about: a request without them would be another
/// one.
const BLOCKS: [&str; 15] = [
    "text",
    "image",
    "document",
    "json",
    "cachePoint",
    "toolUse",
    "toolResult",
    "reasoningContent",
    "citationsContent",
    "guardContent",
    "toolAddition",
    "toolRemoval",
    "video",
    "audio",
    "searchResult",
];

/// Where the content of a file is.
const SOURCES: [&str; 4] = ["bytes", "s3Location", "text", "content"];

/// Where a block stands decides which there can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    System,
    Turn,
    ToolResult,
}

pub(super) fn read_turn(role: Role, content: &RawValue, at: &At<'_>, request: &mut Request) -> Result<(), Invalid> {
    let mut parts = Vec::new();
    read_blocks(content, Place::Turn, at, request, &mut parts)?;
    if !parts.is_empty() {
        request.messages.push(Message { role, parts });
    } else if role == Role::User {
        // A turn of the model may go (it may be all of a server's tools); a question may not.
        return Err(at.fault("holds nothing that can be carried to another provider"));
    }
    Ok(())
}

pub(super) fn read_system(content: &RawValue, at: &At<'_>, request: &mut Request) -> Result<(), Invalid> {
    let mut parts = Vec::new();
    read_blocks(content, Place::System, at, request, &mut parts)?;
    for part in parts {
        match part {
            Part::Text(text) => request.system.push(text.into()),
            Part::CacheBreakpoint(ttl) => match request.system.last_mut() {
                Some(last) => last.cache = Some(ttl),
                None => request.note_dropped("cachePoint"),
            },
            _ => return Err(at.fault("must be an array of text blocks")),
        }
    }
    Ok(())
}

fn read_blocks(
    content: &RawValue,
    place: Place,
    at: &At<'_>,
    request: &mut Request,
    parts: &mut Vec<Part>,
) -> Result<(), Invalid> {
    for (index, block) in list(content, at)?.into_iter().enumerate() {
        let at = &at.item(index);
        let (kind, value) = member(block, &BLOCKS, at)?;
        read_block(kind, value, place, &at.field(kind), request, parts)?;
    }
    Ok(())
}

fn read_block(
    kind: &str,
    value: &RawValue,
    place: Place,
    at: &At<'_>,
    request: &mut Request,
    parts: &mut Vec<Part>,
) -> Result<(), Invalid> {
    let in_turn = place == Place::Turn;
    match kind {
        "text" => parts.push(Part::Text(read(value, at, "a string")?)),
        "image" => parts.push(Part::Image(read_image(value, at, request)?)),
        "document" => parts.push(Part::Document(read_document(value, at, request)?)),
        "json" if place == Place::ToolResult => parts.push(Part::Text(value.get().to_owned())),
        "cachePoint" if place != Place::ToolResult => parts.push(Part::CacheBreakpoint(read_cache_point(value, at)?)),
        "toolUse" if in_turn => parts.extend(read_tool_use(value, at, request)?.map(Part::ToolCall)),
        "toolResult" if in_turn => parts.extend(read_tool_result(value, at, request)?.map(Part::ToolResult)),
        "reasoningContent" if in_turn => parts.push(Part::Reasoning(read_reasoning(value, at)?)),
        "citationsContent" if in_turn => read_cited(value, at, request, parts)?,
        "guardContent" if place != Place::ToolResult => read_guarded(value, at, request, parts)?,
        // They change which tools the model may call from here on, of those that `toolConfig` has anyway.
        "toolAddition" if in_turn => request.note_dropped("toolAddition"),
        "toolRemoval" if in_turn => request.note_dropped("toolRemoval"),
        _ => return Err(at.fault("is a block that cannot be carried to another provider's format")),
    }
    Ok(())
}

pub(super) fn read_cache_point(value: &RawValue, at: &At<'_>) -> Result<CacheTtl, Invalid> {
    let ttl: Option<String> = object(value, at)?.read("ttl", at, "a string")?;
    match ttl.as_deref() {
        None | Some("5m") => Ok(CacheTtl::Short),
        Some("1h") => Ok(CacheTtl::Long),
        Some(_) => Err(at.field("ttl").fault("must be 5m or 1h")),
    }
}

/// `None` for the call of a tool that the provider ran itself.
fn read_tool_use(value: &RawValue, at: &At<'_>, request: &mut Request) -> Result<Option<ToolCall>, Invalid> {
    let mut block = object(value, at)?;
    if block.has("type", at)? {
        request.note_dropped("server_tool_use");
        return Ok(None);
    }
    let call = ToolCall {
        id: block.require("toolUseId", at, "a string")?,
        name: block.require("name", at, "a string")?,
        arguments: block.require_object("input", at)?.get().to_owned(),
    };
    block.leave_out(&[], at, request)?;
    Ok(Some(call))
}

/// `None` for the result of a tool that the provider ran itself.
fn read_tool_result(value: &RawValue, at: &At<'_>, request: &mut Request) -> Result<Option<ToolResult>, Invalid> {
    let mut block = object(value, at)?;
    if block.has("type", at)? {
        request.note_dropped("server_tool_use");
        return Ok(None);
    }
    let mut content = Vec::new();
    let blocks: &RawValue = block.require("content", at, "an array of content blocks")?;
    read_blocks(blocks, Place::ToolResult, &at.field("content"), request, &mut content)?;
    let status: Option<String> = block.read("status", at, "a string")?;
    let result = ToolResult {
        id: block.require("toolUseId", at, "a string")?,
        content,
        is_error: status.is_some_and(|status| status == "error"),
    };
    block.leave_out(&[], at, request)?;
    Ok(Some(result))
}

fn read_reasoning(value: &RawValue, at: &At<'_>) -> Result<Reasoning, Invalid> {
    let (kind, value) = member(value, &["reasoningText", "redactedContent"], at)?;
    let at = &at.field(kind);
    match kind {
        "reasoningText" => {
            let mut block = object(value, at)?;
            let signature: Option<String> = block.read("signature", at, "a string")?;
            let text = block.require("text", at, "a string")?;
            let seal = signature.filter(|signature| !signature.is_empty());
            Ok(Reasoning { text, seal: seal.map(|signature| reasoning::signature(&signature)) })
        }
        _ => {
            let base64: String = read(value, at, "base64")?;
            Ok(Reasoning { text: String::new(), seal: Some(reasoning::redacted(&base64)) })
        }
    }
}

/// What was cited goes; what was said stays.
fn read_cited(value: &RawValue, at: &At<'_>, request: &mut Request, parts: &mut Vec<Part>) -> Result<(), Invalid> {
    let mut block = object(value, at)?;
    request.note_dropped("citationsContent");
    if let Some(content) = block.take("content", at)? {
        parts.push(Part::Text(read_texts(content, &at.field("content"))?));
    }
    Ok(())
}

/// A list of unions of which only text is known, as one text.
fn read_texts(content: &RawValue, at: &At<'_>) -> Result<String, Invalid> {
    let mut texts = String::new();
    for (index, piece) in list(content, at)?.into_iter().enumerate() {
        let at = &at.item(index);
        let piece: String = object(piece, at)?.require("text", at, "a string")?;
        if !texts.is_empty() {
            texts.push('\n');
        }
        texts.push_str(&piece);
    }
    Ok(texts)
}

/// Content that a guardrail looks at. There is none where the request goes, so it is content like other.
fn read_guarded(value: &RawValue, at: &At<'_>, request: &mut Request, parts: &mut Vec<Part>) -> Result<(), Invalid> {
    let (kind, value) = member(value, &["text", "image"], at)?;
    let at = &at.field(kind);
    request.note_dropped("guardContent");
    parts.push(match kind {
        "text" => Part::Text(object(value, at)?.require("text", at, "a string")?),
        _ => Part::Image(read_image(value, at, request)?),
    });
    Ok(())
}

fn read_image(value: &RawValue, at: &At<'_>, request: &mut Request) -> Result<Media, Invalid> {
    let mut block = object(value, at)?;
    let format: String = block.require("format", at, "a string")?;
    let source: &RawValue = block.require("source", at, "an object")?;
    block.leave_out(&["error"], at, request)?;
    let media_type = image_type(&format).ok_or_else(|| at.field("format").fault("must be png, jpeg, gif or webp"))?;
    let at = &at.field("source");
    let (kind, value) = member(source, &SOURCES, at)?;
    read_file(kind, value, Some(media_type), &at.field(kind), request)
}

fn read_document(value: &RawValue, at: &At<'_>, request: &mut Request) -> Result<Document, Invalid> {
    let mut block = object(value, at)?;
    let name = Some(block.require("name", at, "a string")?);
    let format: Option<String> = block.read("format", at, "a string")?;
    let source: &RawValue = block.require("source", at, "an object")?;
    if read_cites(&mut block, at)? {
        request.note_dropped("citations");
    }
    if block.has("context", at)? {
        request.note_dropped("document.context");
    }
    block.leave_out(&[], at, request)?;
    let media_type = match format.as_deref() {
        None => None,
        Some(format) => Some(document_type(format).ok_or_else(|| at.field("format").fault("is not a known format"))?),
    };
    let at = &at.field("source");
    let (kind, value) = member(source, &SOURCES, at)?;
    let at = &at.field(kind);
    let source = match kind {
        "text" => DocumentSource::Text(read(value, at, "a string")?),
        "content" => DocumentSource::Text(read_texts(value, at)?),
        _ => DocumentSource::File(read_file(kind, value, media_type, at, request)?),
    };
    Ok(Document { name, source })
}

fn read_cites(block: &mut Fields<'_>, at: &At<'_>) -> Result<bool, Invalid> {
    let Some(citations) = block.take("citations", at)? else { return Ok(false) };
    let at = &at.field("citations");
    Ok(object(citations, at)?.read("enabled", at, "true or false")?.unwrap_or(false))
}

fn read_file(
    kind: &str,
    value: &RawValue,
    media_type: Option<&str>,
    at: &At<'_>,
    request: &mut Request,
) -> Result<Media, Invalid> {
    match (kind, media_type) {
        ("bytes", Some(media_type)) => {
            Ok(Media::Inline { media_type: media_type.to_owned(), base64: read(value, at, "base64")? })
        }
        ("bytes", None) => Err(at.fault("needs a format beside the source")),
        ("s3Location", _) => {
            let mut location = object(value, at)?;
            let uri = location.require("uri", at, "a string")?;
            location.leave_out(&["bucketOwner"], at, request)?;
            Ok(Media::Url(uri))
        }
        _ => Err(at.fault("is a source that cannot be carried to another provider's format")),
    }
}
