//! Instructions and turns into the items of a provider's input.

use crate::conversation::{
    CacheTtl, Document, DocumentSource, Instruction, Media, Message, Part, Reasoning, Role, ToolCall, ToolResult,
};
use crate::dropped::Dropped;
use crate::error::Invalid;
use crate::media::{has_url, write_url};
use crate::openai_responses::item::opened;
use crate::openai_responses::output::summary_part;
use tollgate_kernel::json::Writer;

/// Writes items of the input.
#[derive(Debug)]
pub(super) struct Items<'i, 'o> {
    pub(super) json: &'i mut Writer<'o>,
    pub(super) dropped: &'i mut Dropped,
}

impl Items<'_, '_> {
    pub(super) fn instruction(&mut self, instruction: &Instruction) {
        self.begin("message");
        self.json.key("role").text("system");
        match instruction.cache {
            None => self.json.key("content").text(&instruction.text),
            Some(ttl) => {
                self.json.key("content").open_list();
                self.text("input_text", &instruction.text, Some(ttl));
                self.json.close_list();
            }
        }
        self.json.close_object();
    }

    pub(super) fn turn(&mut self, message: &Message) -> Result<(), Invalid> {
        match message.role {
            Role::User => self.user(&message.parts),
            Role::Assistant => {
                self.assistant(&message.parts);
                Ok(())
            }
        }
    }

    /// Results go first, since a call must be answered before anything else is said.
    fn user(&mut self, parts: &[Part]) -> Result<(), Invalid> {
        let mut said = Vec::with_capacity(parts.len());
        let mut parts_left = parts.iter().peekable();
        let mut has_results = false;
        while let Some(part) = parts_left.next() {
            let Part::ToolResult(result) = part else {
                said.push(part);
                continue;
            };
            has_results = true;
            let after = parts_left.next_if(|part| matches!(part, Part::CacheBreakpoint(_)));
            let content: Vec<&Part> = result.content.iter().chain(after).collect();
            self.result(result, &content)?;
        }
        if said.is_empty() && has_results {
            return Ok(());
        }
        self.begin("message");
        self.json.key("role").text("user");
        self.content("content", &said)?;
        self.json.close_object();
        Ok(())
    }

    fn result(&mut self, result: &ToolResult, content: &[&Part]) -> Result<(), Invalid> {
        self.dropped.push_if(result.is_error, "tool_result.is_error");
        self.begin("function_call_output");
        self.json.key("call_id").text(&result.id);
        self.content("output", content)?;
        self.json.close_object();
        Ok(())
    }

    /// A lone text is written as a string, the one form that every compatible server takes.
    fn content(&mut self, name: &str, parts: &[&Part]) -> Result<(), Invalid> {
        match parts {
            [] => self.json.key(name).text(""),
            [Part::Text(text)] => self.json.key(name).text(text),
            _ => {
                self.json.key(name).open_list();
                for (index, part) in parts.iter().enumerate() {
                    let ttl = match parts.get(index.saturating_add(1)) {
                        Some(Part::CacheBreakpoint(ttl)) => Some(*ttl),
                        _ => None,
                    };
                    self.part(part, ttl)?;
                }
                if let Some(Part::CacheBreakpoint(_)) = parts.first() {
                    self.dropped.push("cache_control");
                }
                self.json.close_list();
            }
        }
        Ok(())
    }

    fn part(&mut self, part: &Part, ttl: Option<CacheTtl>) -> Result<(), Invalid> {
        match part {
            Part::Text(text) => self.text("input_text", text, ttl),
            Part::Image(image) => self.image(image, ttl)?,
            Part::Document(document) => self.document(document, ttl)?,
            // Of the part before; the others are no content of what a user says.
            Part::CacheBreakpoint(_) | Part::Reasoning(_) | Part::ToolCall(_) | Part::ToolResult(_) => {}
        }
        Ok(())
    }

    fn text(&mut self, kind: &str, text: &str, ttl: Option<CacheTtl>) {
        self.begin(kind);
        self.json.key("text").text(text);
        self.end_part(ttl);
    }

    fn image(&mut self, image: &Media, ttl: Option<CacheTtl>) -> Result<(), Invalid> {
        if !has_url(image) {
            return Err(unreachable("an image"));
        }
        self.begin("input_image");
        write_url(image, self.json.key("image_url"));
        self.json.key("detail").text("auto");
        self.end_part(ttl);
        Ok(())
    }

    fn document(&mut self, document: &Document, ttl: Option<CacheTtl>) -> Result<(), Invalid> {
        let name = document.name.as_deref();
        match &document.source {
            DocumentSource::Text(text) => {
                self.text("input_text", text, ttl);
                self.drop_name(name);
            }
            DocumentSource::File(file) => {
                if !has_url(file) {
                    return Err(unreachable("a document"));
                }
                self.begin("input_file");
                match file {
                    Media::Url(_) => {
                        write_url(file, self.json.key("file_url"));
                        self.drop_name(name);
                    }
                    Media::Inline { media_type, .. } => {
                        // OpenAI wants a name with the bytes.
                        let made_up = || format!("document.{}", extension(media_type));
                        self.json.key("filename").text(&name.map_or_else(made_up, str::to_owned));
                        write_url(file, self.json.key("file_data"));
                    }
                }
                self.end_part(ttl);
            }
        }
        Ok(())
    }

    fn drop_name(&mut self, name: Option<&str>) {
        self.dropped.push_if(name.is_some(), "document.name");
    }

    /// Ends a part, and with it perhaps a prefix of the prompt.
    fn end_part(&mut self, ttl: Option<CacheTtl>) {
        if let Some(ttl) = ttl {
            self.json.key("prompt_cache_breakpoint").open_object();
            self.json.key("mode").text("explicit");
            self.json.key("ttl").text(if ttl == CacheTtl::Long { "12h" } else { "30m" });
            self.json.close_object();
        }
        self.json.close_object();
    }

    fn assistant(&mut self, parts: &[Part]) {
        // OpenAI refuses reasoning that nothing follows.
        let speaks = |part: &Part| matches!(part, Part::Text(_) | Part::ToolCall(_));
        let end = parts.iter().rposition(speaks).map_or(0, |last| last.saturating_add(1));
        let mut texts: Vec<&str> = Vec::new();
        for (index, part) in parts.iter().enumerate() {
            match part {
                Part::Text(text) => texts.push(text),
                Part::ToolCall(call) => {
                    self.said(&mut texts);
                    self.call(call);
                }
                Part::Reasoning(reasoning) => {
                    self.said(&mut texts);
                    let written = index < end && self.reasoning(reasoning);
                    self.dropped.push_if(!written, "reasoning_content");
                }
                // What the model said has no place for one.
                Part::CacheBreakpoint(_) => self.dropped.push("cache_control"),
                Part::Image(_) => self.dropped.push("assistant.image"),
                Part::Document(_) => self.dropped.push("assistant.document"),
                Part::ToolResult(_) => {}
            }
        }
        self.said(&mut texts);
    }

    /// Writes what the model said so far.
    fn said(&mut self, texts: &mut Vec<&str>) {
        if texts.is_empty() {
            return;
        }
        self.begin("message");
        self.json.key("role").text("assistant");
        if let [text] = texts.as_slice() {
            self.json.key("content").text(text);
        } else {
            self.json.key("content").open_list();
            for text in texts.iter() {
                self.begin("output_text");
                self.json.key("text").text(text);
                self.json.key("annotations").open_list().close_list();
                self.json.close_object();
            }
            self.json.close_list();
        }
        self.json.close_object();
        texts.clear();
    }

    fn call(&mut self, call: &ToolCall) {
        self.begin("function_call");
        self.json.key("call_id").text(&call.id);
        self.json.key("name").text(&call.name);
        self.json.key("arguments").text(if call.arguments.trim().is_empty() { "{}" } else { &call.arguments });
        self.json.close_object();
    }

    /// Reasoning that is OpenAI's own; any other it could not read, and refuses. `false`: it was.
    fn reasoning(&mut self, reasoning: &Reasoning) -> bool {
        let Some((id, encrypted)) = reasoning.seal.as_ref().and_then(opened) else { return false };
        self.begin("reasoning");
        if !id.is_empty() {
            self.json.key("id").text(id);
        }
        self.json.key("summary").open_list();
        if !reasoning.text.is_empty() {
            summary_part(self.json, &reasoning.text);
        }
        self.json.close_list();
        self.json.key("encrypted_content").text(encrypted);
        self.json.close_object();
        true
    }

    fn begin(&mut self, kind: &str) {
        self.json.open_object();
        self.json.key("type").text(kind);
    }
}

#[cold]
fn unreachable(what: &str) -> Invalid {
    Invalid::new("messages", format!("{what} is at an address that this provider cannot read"))
}

/// How a file of that type is usually called.
fn extension(media_type: &str) -> &str {
    match media_type {
        "text/plain" => "txt",
        "text/markdown" => "md",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document" => "docx",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" => "xlsx",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation" => "pptx",
        "application/msword" => "doc",
        "application/vnd.ms-excel" => "xls",
        _ => media_type.split_once('/').map_or("bin", |(_, kind)| kind),
    }
}
