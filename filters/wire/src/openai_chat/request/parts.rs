//! The content of a message.

use crate::conversation::{CacheTtl, Document, DocumentSource, Media, Part, Request};
use crate::error::Invalid;
use crate::fields::{At, Fields, read};
use crate::media;
use crate::openai_chat::request::read::leave_out;
use serde_json::value::RawValue;

/// An empty string is no part: assistants that only call tools come with one.
pub(super) fn read_content(
    content: Option<&RawValue>,
    at: &At<'_>,
    request: &mut Request,
) -> Result<Vec<Part>, Invalid> {
    let Some(content) = content else { return Ok(Vec::new()) };
    let expected = "a string or an array of parts";
    if content.get().starts_with('"') {
        let text: String = read(content, at, expected)?;
        return Ok(if text.is_empty() { Vec::new() } else { vec![Part::Text(text)] });
    }
    let mut parts = Vec::new();
    for (index, part) in read::<Vec<&RawValue>>(content, at, expected)?.into_iter().enumerate() {
        let at = &at.item(index);
        let mut part: Fields<'_> = read(part, at, "an object with a type")?;
        parts.push(read_part(&mut part, at, request)?);
        // The second is what clients of OpenRouter and LiteLLM say to Claude in this format.
        for name in ["prompt_cache_breakpoint", "cache_control"] {
            if let Some(breakpoint) = part.read(name, at, "an object")? {
                parts.push(read_breakpoint(breakpoint, &at.field(name))?);
            }
        }
        leave_out(part, &[], request);
    }
    Ok(parts)
}

fn read_breakpoint(mut breakpoint: Fields<'_>, at: &At<'_>) -> Result<Part, Invalid> {
    let ttl: Option<String> = breakpoint.read("ttl", at, "a string")?;
    Ok(Part::CacheBreakpoint(match ttl.as_deref() {
        Some("12h" | "1h") => CacheTtl::Long,
        _ => CacheTtl::Short,
    }))
}

fn read_part(part: &mut Fields<'_>, at: &At<'_>, request: &mut Request) -> Result<Part, Invalid> {
    let kind: String = part.require("type", at, "a string")?;
    match kind.as_str() {
        "text" => Ok(Part::Text(part.require("text", at, "a string")?)),
        "refusal" => Ok(Part::Text(part.require("refusal", at, "a string")?)),
        "image_url" => read_image(part.require("image_url", at, "an object")?, &at.field("image_url"), request),
        "file" => read_file(part.require("file", at, "an object")?, &at.field("file")),
        _ => Err(at.field("type").fault("only text, image_url and file parts can be translated")),
    }
}

fn read_image(mut image: Fields<'_>, at: &At<'_>, request: &mut Request) -> Result<Part, Invalid> {
    if image.read::<String>("detail", at, "a string")?.is_some_and(|detail| detail != "auto") {
        request.note_dropped("image_url.detail");
    }
    let url: String = image.require("url", at, "a string")?;
    let fault = || at.field("url").fault("must be an http, https or base64 data URL");
    media::read(&url).filter(media::may_be_image).map(Part::Image).ok_or_else(fault)
}

fn read_file(mut file: Fields<'_>, at: &At<'_>) -> Result<Part, Invalid> {
    if file.has("file_id", at)? {
        return Err(at.field("file_id").fault("only this provider has the file; send it as file_data"));
    }
    let name: Option<String> = file.read("filename", at, "a string")?;
    let data: String = file.require("file_data", at, "a string")?;
    let fault = || at.field("file_data").fault("must be a base64 data URL, or the base64 of a PDF");
    // The bytes alone are a PDF if they begin as one.
    let media = if data.starts_with("JVBERi") {
        Some(Media::Inline { media_type: "application/pdf".to_owned(), base64: data })
    } else {
        media::read(&data).filter(|media| matches!(media, Media::Inline { .. }))
    };
    Ok(Part::Document(Document { name, source: DocumentSource::File(media.ok_or_else(fault)?) }))
}
