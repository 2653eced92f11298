//! The items of a client's input into instructions and turns.

use super::STATE;
use crate::conversation::{
    CacheTtl, Document, DocumentSource, Instruction, Media, Message, Part, Reasoning, Request, Role, ToolCall,
    ToolResult,
};
use crate::error::Invalid;
use crate::fields::{At, Fields, read};
use crate::media;
use crate::openai_responses::item::{PARAGRAPH, seal};
use serde_json::value::RawValue;

/// What tools of the provider did, without which the turns still say what was said. Other items are asked about, or
/// wait for an answer: a request without them would be another one.
const HOSTED_ITEMS: [&str; 8] = [
    "web_search_call",
    "file_search_call",
    "code_interpreter_call",
    "image_generation_call",
    "mcp_list_tools",
    "mcp_call",
    "tool_search_call",
    "tool_search_output",
];

const IN_A_STORE: &str = "is in the provider's file store, which another provider cannot read";

/// Reads `input` into a request.
#[derive(Debug)]
pub(super) struct Input<'r> {
    pub(super) request: &'r mut Request,
    /// The time of breakpoints that say none.
    pub(super) ttl: CacheTtl,
}

impl Input<'_> {
    pub(super) fn read(&mut self, input: &RawValue, at: &At<'_>) -> Result<(), Invalid> {
        if input.get().starts_with('"') {
            let text = Part::Text(read(input, at, "a string")?);
            self.request.messages.push(Message { role: Role::User, parts: vec![text] });
            return Ok(());
        }
        let items: Vec<Fields<'_>> = read(input, at, "a string or an array of items")?;
        for (index, item) in items.into_iter().enumerate() {
            self.item(item, &at.item(index))?;
        }
        Ok(())
    }

    fn item(&mut self, mut item: Fields<'_>, at: &At<'_>) -> Result<(), Invalid> {
        let role: Option<String> = item.read("role", at, "a string")?;
        let kind: Option<String> = item.read("type", at, "a string")?;
        // Only the item itself is of use, in whatever state it is.
        item.has("status", at)?;
        match (kind.as_deref(), role) {
            (Some("message") | None, Some(role)) => self.message(&role, item, at),
            (Some("message"), None) => Err(at.field("role").lacks("a string")),
            (Some("function_call"), _) => self.function_call(item, at),
            (Some("function_call_output"), _) => self.function_call_output(item, at),
            (Some("reasoning"), _) => self.reasoning(item, at),
            (None, None) | (Some("item_reference"), _) => Err(at.fault(STATE)),
            (Some("compaction"), _) => Err(at.fault("is readable for its provider only")),
            (Some(kind), _) => {
                let known = HOSTED_ITEMS.into_iter().find(|known| *known == kind);
                let refused = || at.fault("is an item that cannot be carried to another provider's format");
                self.request.note_dropped(known.ok_or_else(refused)?);
                Ok(())
            }
        }
    }

    fn message(&mut self, role: &str, mut message: Fields<'_>, at: &At<'_>) -> Result<(), Invalid> {
        let content: &RawValue = message.require("content", at, "a string or an array of parts")?;
        message.has("id", at)?;
        message.leave_out(&["phase"], at, self.request)?;
        let parts = self.content(content, &at.field("content"))?;
        match role {
            "user" => self.request.messages.push(Message { role: Role::User, parts }),
            "assistant" => {
                for part in parts {
                    self.assistant(part);
                }
            }
            "system" | "developer" => self.instructions(parts, &at.field("content"))?,
            _ => return Err(at.field("role").fault("must be user, assistant, system or developer")),
        }
        Ok(())
    }

    fn instructions(&mut self, parts: Vec<Part>, at: &At<'_>) -> Result<(), Invalid> {
        // Other formats know instructions for the whole conversation, not from one turn on.
        if !self.request.messages.is_empty() {
            self.request.note_dropped("messages.system");
        }
        for part in parts {
            match part {
                Part::Text(text) => self.request.system.push(Instruction::from(text)),
                Part::CacheBreakpoint(ttl) => {
                    if let Some(last) = self.request.system.last_mut() {
                        last.cache = Some(ttl);
                    }
                }
                _ => return Err(at.fault("instructions must be text")),
            }
        }
        Ok(())
    }

    /// What the model said in one answer is one turn, in however many items.
    fn assistant(&mut self, part: Part) {
        match self.request.messages.last_mut() {
            Some(last) if last.role == Role::Assistant => last.parts.push(part),
            _ => self.request.messages.push(Message { role: Role::Assistant, parts: vec![part] }),
        }
    }

    fn content(&mut self, content: &RawValue, at: &At<'_>) -> Result<Vec<Part>, Invalid> {
        let expected = "a string or an array of parts";
        if content.get().starts_with('"') {
            let text: String = read(content, at, expected)?;
            return Ok(if text.is_empty() { Vec::new() } else { vec![Part::Text(text)] });
        }
        let given: Vec<Fields<'_>> = read(content, at, expected)?;
        let mut parts = Vec::with_capacity(given.len());
        for (index, part) in given.into_iter().enumerate() {
            self.part(part, &at.item(index), &mut parts)?;
        }
        Ok(parts)
    }

    fn part(&mut self, mut part: Fields<'_>, at: &At<'_>, parts: &mut Vec<Part>) -> Result<(), Invalid> {
        let kind: String = part.require("type", at, "a string")?;
        let breakpoint: Option<Fields<'_>> = part.read("prompt_cache_breakpoint", at, "an object")?;
        parts.push(match kind.as_str() {
            "input_text" => Part::Text(part.require("text", at, "a string")?),
            "output_text" => {
                for name in ["annotations", "logprobs"] {
                    if part.take(name, at)?.is_some_and(|value| value.get() != "[]") {
                        self.request.note_dropped(name);
                    }
                }
                Part::Text(part.require("text", at, "a string")?)
            }
            "refusal" => Part::Text(part.require("refusal", at, "a string")?),
            "input_image" => Part::Image(self.image(&mut part, at)?),
            "input_file" => Part::Document(self.document(&mut part, at)?),
            _ => return Err(at.fault("is a part that cannot be carried to another provider's format")),
        });
        part.leave_out(&[], at, self.request)?;
        if let Some(mut breakpoint) = breakpoint {
            let ttl = breakpoint.read::<String>("ttl", &at.field("prompt_cache_breakpoint"), "a string")?;
            parts.push(Part::CacheBreakpoint(match ttl.as_deref() {
                Some("12h") => CacheTtl::Long,
                Some(_) => CacheTtl::Short,
                None => self.ttl,
            }));
        }
        Ok(())
    }

    fn image(&mut self, part: &mut Fields<'_>, at: &At<'_>) -> Result<Media, Invalid> {
        if part.has("file_id", at)? {
            return Err(at.field("file_id").fault(IN_A_STORE));
        }
        self.detail(part, at, "input_image.detail")?;
        let url: String = part.require("image_url", at, "a string")?;
        let expected = || at.field("image_url").fault("must be an http, https or base64 data URL of an image");
        media::read(&url).filter(media::may_be_image).ok_or_else(expected)
    }

    fn document(&mut self, part: &mut Fields<'_>, at: &At<'_>) -> Result<Document, Invalid> {
        if part.has("file_id", at)? {
            return Err(at.field("file_id").fault(IN_A_STORE));
        }
        self.detail(part, at, "input_file.detail")?;
        let name = part.read("filename", at, "a string")?;
        let (field, url) = match part.read::<String>("file_data", at, "a string")? {
            Some(data) => ("file_data", data),
            None => ("file_url", part.require("file_url", at, "a string")?),
        };
        let expected = || at.field(field).fault("must be a base64 data URL, or for file_url an http or https one");
        let file = media::read(&url).ok_or_else(expected)?;
        Ok(Document { name, source: DocumentSource::File(file) })
    }

    fn detail(&mut self, part: &mut Fields<'_>, at: &At<'_>, name: &'static str) -> Result<(), Invalid> {
        if part.take("detail", at)?.is_some_and(|detail| detail.get() != "\"auto\"") {
            self.request.note_dropped(name);
        }
        Ok(())
    }

    fn function_call(&mut self, mut call: Fields<'_>, at: &At<'_>) -> Result<(), Invalid> {
        let part = Part::ToolCall(ToolCall {
            id: call.require("call_id", at, "a string")?,
            name: call.require("name", at, "a string")?,
            arguments: call.require("arguments", at, "a string")?,
        });
        call.has("id", at)?;
        call.leave_out(&["namespace", "caller", "async"], at, self.request)?;
        self.assistant(part);
        Ok(())
    }

    fn function_call_output(&mut self, mut output: Fields<'_>, at: &At<'_>) -> Result<(), Invalid> {
        let id = output.require("call_id", at, "a string")?;
        let mut content =
            self.content(output.require("output", at, "a string or an array of parts")?, &at.field("output"))?;
        for name in ["id", "name"] {
            output.has(name, at)?;
        }
        output.leave_out(&["namespace", "caller"], at, self.request)?;
        // At the end of a result is after it.
        let breakpoint = content.pop_if(|part| matches!(part, Part::CacheBreakpoint(_)));
        let result = Part::ToolResult(ToolResult { id, content, is_error: false });
        let parts = std::iter::once(result).chain(breakpoint);
        // Results of the calls of one turn belong into one turn.
        match self.request.messages.last_mut() {
            Some(last) if last.parts.iter().any(|part| matches!(part, Part::ToolResult(_))) => last.parts.extend(parts),
            _ => self.request.messages.push(Message { role: Role::User, parts: parts.collect() }),
        }
        Ok(())
    }

    fn reasoning(&mut self, mut item: Fields<'_>, at: &At<'_>) -> Result<(), Invalid> {
        let id: String = item.read("id", at, "a string")?.unwrap_or_default();
        let encrypted: Option<String> = item.read("encrypted_content", at, "a string")?;
        let seal = encrypted.filter(|encrypted| !encrypted.is_empty()).map(|encrypted| seal(&id, &encrypted));
        let mut text = String::new();
        for name in ["summary", "content"] {
            let parts: Vec<Fields<'_>> = item.read(name, at, "an array of objects")?.unwrap_or_default();
            for (index, mut part) in parts.into_iter().enumerate() {
                let at = &at.field(name);
                let thought: String = part.require("text", &at.item(index), "a string")?;
                if !text.is_empty() && !thought.is_empty() {
                    text.push_str(PARAGRAPH);
                }
                text.push_str(&thought);
            }
        }
        item.leave_out(&[], at, self.request)?;
        if text.is_empty() && seal.is_none() {
            // Only its provider knows what was thought.
            self.request.note_dropped("reasoning_content");
        } else {
            self.assistant(Part::Reasoning(Reasoning { text, seal }));
        }
        Ok(())
    }
}
