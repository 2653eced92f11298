//! Parts into content blocks of a provider's request.

use crate::arguments::as_object;
use crate::bedrock_converse::media::{
    Names, document_format, document_format_of_address, image_format, image_format_of_address,
};
use crate::bedrock_converse::model::Family;
use crate::bedrock_converse::reasoning;
use crate::bytes::encode;
use crate::conversation::{
    CacheTtl, Document, DocumentSource, Media, Message, Part, Reasoning, Request, Role, ToolResult,
};
use crate::dropped::Dropped;
use crate::error::Invalid;
use crate::signature::Origin;
use tollgate_kernel::json::Writer;

/// Writes the content of one request.
#[derive(Debug)]
pub(super) struct Content {
    family: Family,
    cache_points: CachePoints,
    names: Names,
}

/// A turn as Bedrock wants it: roles alternate, and no turn is empty.
struct Turn<'a> {
    role: Role,
    parts: Vec<&'a Part>,
}

impl Content {
    pub(super) fn new(family: Family, cache_points: CachePoints) -> Self {
        Self { family, cache_points, names: Names::default() }
    }

    pub(super) fn write_turns(
        mut self,
        request: &Request,
        dropped: &mut Dropped,
        json: &mut Writer<'_>,
    ) -> Result<(), Invalid> {
        let turns = self.turns(&request.messages, dropped);
        match turns.first() {
            None => return Err(Invalid::new("messages", "needs at least one message with content")),
            Some(first) if first.role == Role::Assistant => {
                return Err(Invalid::new("messages", "must begin with the user for this provider"));
            }
            Some(_) => {}
        }
        let last = turns.len().saturating_sub(1);
        json.open_list();
        for (index, turn) in turns.iter().enumerate() {
            self.write_turn(turn, index == last, dropped, json)?;
        }
        json.close_list();
        Ok(())
    }

    fn turns<'a>(&self, messages: &'a [Message], dropped: &mut Dropped) -> Vec<Turn<'a>> {
        let mut turns: Vec<Turn<'a>> = Vec::with_capacity(messages.len());
        for message in messages {
            let parts: Vec<&Part> = message.parts.iter().filter(|part| self.carries(part, dropped)).collect();
            match turns.last_mut() {
                _ if parts.iter().all(|part| matches!(part, Part::CacheBreakpoint(_))) => {}
                Some(last) if last.role == message.role => last.parts.extend(parts),
                _ => turns.push(Turn { role: message.role, parts }),
            }
        }
        turns
    }

    fn carries(&self, part: &Part, dropped: &mut Dropped) -> bool {
        match part {
            // Text that is empty or white space only is refused.
            Part::Text(text) => !text.trim().is_empty(),
            Part::Reasoning(reasoning) if is_readable(reasoning) => true,
            Part::Reasoning(_) => {
                dropped.push("reasoning_content");
                false
            }
            Part::Image(_) | Part::Document(_) | Part::ToolCall(_) | Part::ToolResult(_) | Part::CacheBreakpoint(_) => {
                true
            }
        }
    }

    fn write_turn(
        &mut self,
        turn: &Turn<'_>,
        last: bool,
        dropped: &mut Dropped,
        json: &mut Writer<'_>,
    ) -> Result<(), Invalid> {
        let role = if turn.role == Role::User { "user" } else { "assistant" };
        json.open_object().key("role").text(role);
        json.key("content").open_list();
        // Results must come before anything else that the user says.
        let (mut results, mut others) = (Vec::new(), Vec::new());
        for part in &turn.parts {
            let is_result = turn.role == Role::User && matches!(part, Part::ToolResult(_));
            if is_result { results.push(*part) } else { others.push(*part) }
        }
        let mut begun = false;
        for (index, part) in results.iter().chain(&others).enumerate() {
            match part {
                // A cache point ends something.
                Part::CacheBreakpoint(_) if !begun => continue,
                Part::CacheBreakpoint(ttl) => self.cache_points.write(*ttl, dropped, json),
                // A last turn of the model is continued by it, and must not end in white space.
                Part::Text(text)
                    if last && turn.role == Role::Assistant && index.saturating_add(1) == turn.parts.len() =>
                {
                    write_text(text.trim_end(), json);
                }
                part => self.write_part(part, dropped, json)?,
            }
            begun = true;
        }
        json.close_list();
        json.close_object();
        Ok(())
    }

    fn write_part(&mut self, part: &Part, dropped: &mut Dropped, json: &mut Writer<'_>) -> Result<(), Invalid> {
        match part {
            Part::Text(text) => write_text(text, json),
            Part::Image(image) => write_image(image, json)?,
            Part::Document(document) => self.write_document(document, json)?,
            Part::Reasoning(reasoning) => write_reasoning(reasoning, json),
            Part::ToolCall(call) => {
                let input = as_object(&call.arguments)
                    .ok_or_else(|| Invalid::new("messages", "the arguments of a tool call must be a JSON object"))?;
                json.open_object().key("toolUse").open_object();
                json.key("toolUseId").text(&call.id);
                json.key("name").text(&call.name);
                json.key("input").raw(input);
                json.close_object();
                json.close_object();
            }
            Part::ToolResult(result) => self.write_tool_result(result, dropped, json)?,
            Part::CacheBreakpoint(_) => {}
        }
        Ok(())
    }

    fn write_tool_result(
        &mut self,
        result: &ToolResult,
        dropped: &mut Dropped,
        json: &mut Writer<'_>,
    ) -> Result<(), Invalid> {
        json.open_object().key("toolResult").open_object();
        json.key("toolUseId").text(&result.id);
        json.key("content").open_list();
        for part in &result.content {
            match part {
                Part::Text(text) if !text.trim().is_empty() => write_text(text, json),
                Part::Image(image) => write_image(image, json)?,
                Part::Document(document) => self.write_document(document, json)?,
                Part::CacheBreakpoint(_) => dropped.push("cache_control"),
                Part::Text(_) | Part::Reasoning(_) | Part::ToolCall(_) | Part::ToolResult(_) => {}
            }
        }
        json.close_list();
        match result.is_error {
            true if self.family.knows_failed_tools() => json.key("status").text("error"),
            true => dropped.push("tool_result.is_error"),
            false => {}
        }
        json.close_object();
        json.close_object();
        Ok(())
    }

    fn write_document(&mut self, document: &Document, json: &mut Writer<'_>) -> Result<(), Invalid> {
        let too_many = || Invalid::new("messages", "has more documents than this provider reads");
        let name = self.names.unique(document.name.as_deref()).ok_or_else(too_many)?;
        json.open_object().key("document").open_object();
        json.key("name").text(&name);
        match &document.source {
            DocumentSource::File(Media::Inline { media_type, base64 }) => {
                let media_type = media_type.split(';').next().unwrap_or_default().trim();
                let format = document_format(media_type).ok_or_else(|| {
                    Invalid::new(
                        "messages",
                        "a document must be PDF, HTML, Markdown, CSV, plain text, Word or Excel for this provider",
                    )
                })?;
                json.key("format").text(format);
                write_bytes(base64, json);
            }
            DocumentSource::File(Media::Url(address)) => {
                if let Some(format) = document_format_of_address(address) {
                    json.key("format").text(format);
                }
                write_place(address, "a document must be inline or in Amazon S3 for this provider", json)?;
            }
            // As a file, which every model that reads documents knows; text as such came later.
            DocumentSource::Text(text) => {
                json.key("format").text("txt");
                write_bytes(&encode(text.as_bytes()), json);
            }
        }
        json.close_object();
        json.close_object();
        Ok(())
    }
}

/// Whether Claude can read what was thought: only with its own seal.
pub(super) fn is_readable(reasoning: &Reasoning) -> bool {
    reasoning.seal.as_ref().is_some_and(|seal| seal.origin == Origin::Claude)
}

fn write_text(text: &str, json: &mut Writer<'_>) {
    json.open_object().key("text").text(text);
    json.close_object();
}

/// As many as Claude takes.
const MAX_CACHE_POINTS: usize = 4;

/// Points up to which the prompt is kept, in the order of the prompt: tools, instructions, turns.
#[derive(Debug)]
pub(super) struct CachePoints {
    family: Family,
    written: usize,
    short: bool,
}

impl CachePoints {
    pub(super) const fn new(family: Family) -> Self {
        Self { family, written: 0, short: false }
    }

    /// Writes a point as far as the model keeps it: some know no longer time, and none after a shorter one.
    pub(super) fn write(&mut self, ttl: CacheTtl, dropped: &mut Dropped, json: &mut Writer<'_>) {
        if !self.family.caches() || self.written >= MAX_CACHE_POINTS {
            return dropped.push("cache_control");
        }
        let long = ttl == CacheTtl::Long && !self.short && self.family.is_claude(4, 5);
        dropped.push_if(ttl == CacheTtl::Long && !long, "cache_control");
        self.written = self.written.saturating_add(1);
        self.short |= !long;
        json.open_object().key("cachePoint").open_object().key("type").text("default");
        if long {
            json.key("ttl").text("1h");
        }
        json.close_object();
        json.close_object();
    }
}

fn write_image(image: &Media, json: &mut Writer<'_>) -> Result<(), Invalid> {
    let format = match image {
        Media::Inline { media_type, .. } => image_format(media_type),
        Media::Url(address) if is_in_s3(address) => image_format_of_address(address),
        Media::Url(_) => {
            return Err(Invalid::new("messages", "an image must be inline or in Amazon S3 for this provider"));
        }
    };
    let format =
        format.ok_or_else(|| Invalid::new("messages", "an image must be PNG, JPEG, GIF or WebP for this provider"))?;
    json.open_object().key("image").open_object();
    json.key("format").text(format);
    match image {
        Media::Inline { base64, .. } => write_bytes(base64, json),
        Media::Url(address) => write_place(address, "", json)?,
    }
    json.close_object();
    json.close_object();
    Ok(())
}

fn write_bytes(base64: &str, json: &mut Writer<'_>) {
    json.key("source").open_object().key("bytes").text(base64);
    json.close_object();
}

fn write_place(address: &str, otherwise: &str, json: &mut Writer<'_>) -> Result<(), Invalid> {
    if !is_in_s3(address) {
        return Err(Invalid::new("messages", otherwise));
    }
    json.key("source").open_object().key("s3Location").open_object().key("uri").text(address);
    json.close_object();
    json.close_object();
    Ok(())
}

fn is_in_s3(address: &str) -> bool {
    address.starts_with("s3://")
}

/// Writes reasoning that is readable, with the provider's own seal.
fn write_reasoning(reasoning: &Reasoning, json: &mut Writer<'_>) {
    let Some(seal) = &reasoning.seal else { return };
    json.open_object().key("reasoningContent").open_object();
    if reasoning::replaces(seal, !reasoning.text.is_empty()) {
        json.key("redactedContent").text(&seal.value);
    } else {
        json.key("reasoningText").open_object().key("text").text(&reasoning.text);
        json.key("signature").text(&seal.value);
        json.close_object();
    }
    json.close_object();
    json.close_object();
}
