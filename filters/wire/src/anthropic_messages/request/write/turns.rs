//! The conversation itself.

use super::cache::write_cache_control;
use super::documents::{write_document, write_image};
use super::{has_text, tool_name};
use crate::anthropic_messages::response::{write_redacted, write_thinking};
use crate::arguments::as_object;
use crate::conversation::{CacheTtl, DocumentSource, Message, Part, Reasoning, Request, Role, ToolCall, ToolResult};
use crate::dropped::Dropped;
use crate::error::Invalid;
use crate::signature::{Origin, Seal, SealKind};
use tollgate_kernel::json::Writer;

/// A turn as Anthropic wants it.
pub(super) struct Turn<'a> {
    pub(super) role: Role,
    pub(super) blocks: Vec<Block<'a>>,
}

/// A content block, and for how long the prompt up to it is worth keeping.
pub(super) struct Block<'a> {
    said: Said<'a>,
    pub(super) cache: Option<CacheTtl>,
}

#[derive(Clone, Copy)]
enum Said<'a> {
    Text(&'a str),
    Thinking(&'a Reasoning, &'a Seal),
    /// Whatever else; never one that is left out.
    Part(&'a Part),
}

impl Said<'_> {
    const fn is_thinking(self) -> bool {
        matches!(self, Self::Thinking(..))
    }

    const fn is_result(self) -> bool {
        matches!(self, Self::Part(Part::ToolResult(_)))
    }
}

impl Turn<'_> {
    pub(super) fn has_thinking(&self) -> bool {
        self.blocks.iter().any(|block| block.said.is_thinking())
    }

    pub(super) fn begins_with_result(&self) -> bool {
        self.blocks.first().is_some_and(|block| block.said.is_result())
    }

    /// Moves the first thinking of the turn to its beginning, where it must be when it has a budget.
    pub(super) fn begin_with_thinking(&mut self) {
        let Some(from) = self.blocks.iter().position(|block| block.said.is_thinking()) else { return };
        let thinking = self.blocks.iter().skip(from).take_while(|block| block.said.is_thinking()).count();
        if let Some(head) = self.blocks.get_mut(..from.saturating_add(thinking)) {
            head.rotate_left(from);
        }
    }

    /// Results must come before anything else that the user says.
    fn begin_with_results(&mut self) {
        let mut results = 0;
        for at in 0..self.blocks.len() {
            if self.blocks.get(at).is_some_and(|block| block.said.is_result()) {
                if let Some(span) = self.blocks.get_mut(results..=at) {
                    span.rotate_right(1);
                }
                results = results.saturating_add(1);
            }
        }
    }

    /// A last turn of the model is continued by it, and must not end in white space.
    fn trim_end(&mut self) {
        if self.role == Role::Assistant
            && let Some(Block { said: Said::Text(text), .. }) = self.blocks.last_mut()
        {
            *text = text.trim_end();
        }
    }
}

/// The turns as Anthropic wants them: roles alternate, the user begins, no turn is empty.
pub(super) fn turns<'a>(request: &'a Request, dropped: &mut Dropped) -> Result<Vec<Turn<'a>>, Invalid> {
    let mut turns: Vec<Turn<'_>> = Vec::with_capacity(request.messages.len());
    for message in &request.messages {
        add(message, &mut turns, dropped);
    }
    match turns.first() {
        None => return Err(Invalid::new("messages", "needs at least one message with content")),
        Some(first) if first.role == Role::Assistant => {
            return Err(Invalid::new("messages", "must begin with the user for this provider"));
        }
        Some(_) => {}
    }
    for turn in turns.iter_mut().filter(|turn| turn.role == Role::User) {
        turn.begin_with_results();
    }
    if let Some(last) = turns.last_mut() {
        last.trim_end();
    }
    Ok(turns)
}

fn add<'a>(message: &'a Message, turns: &mut Vec<Turn<'a>>, dropped: &mut Dropped) {
    for part in &message.parts {
        let said = match part {
            Part::Text(text) if has_text(text) => Said::Text(text),
            Part::Text(_) => continue,
            Part::Document(document) if !says_something(&document.source) => continue,
            Part::Image(_) | Part::Document(_) | Part::ToolCall(_) | Part::ToolResult(_) => Said::Part(part),
            Part::Reasoning(reasoning) => match claude_seal(reasoning) {
                Some(seal) if message.role == Role::Assistant => Said::Thinking(reasoning, seal),
                _ => {
                    dropped.push("reasoning_content");
                    continue;
                }
            },
            Part::CacheBreakpoint(ttl) => {
                mark(*ttl, turns, dropped);
                continue;
            }
        };
        let block = Block { said, cache: None };
        match turns.last_mut() {
            Some(last) if last.role == message.role => last.blocks.push(block),
            _ => turns.push(Turn { role: message.role, blocks: vec![block] }),
        }
    }
}

fn says_something(source: &DocumentSource) -> bool {
    !matches!(source, DocumentSource::Text(text) if !has_text(text))
}

/// What proves that Claude thought so. Without it, or with what another model wrote, Anthropic refuses the conversation.
fn claude_seal(reasoning: &Reasoning) -> Option<&Seal> {
    reasoning.seal.as_ref().filter(|seal| seal.origin == Origin::Claude)
}

/// Marks the last block so far. Thinking cannot be marked, so what stands before it is.
fn mark(ttl: CacheTtl, turns: &mut [Turn<'_>], dropped: &mut Dropped) {
    let mut blocks = turns.iter_mut().rev().flat_map(|turn| turn.blocks.iter_mut().rev());
    match blocks.find(|block| !block.said.is_thinking()) {
        Some(Block { cache: Some(CacheTtl::Long), .. }) => {}
        Some(block) => block.cache = Some(ttl),
        None => dropped.push("cache_control"),
    }
}

pub(super) fn write_turn(turn: &Turn<'_>, out: &mut Writer<'_>) -> Result<(), Invalid> {
    out.open_object();
    out.key("role").text(if turn.role == Role::User { "user" } else { "assistant" });
    out.key("content").open_list();
    for block in &turn.blocks {
        match block.said {
            Said::Thinking(_, seal) if seal.kind == SealKind::Encrypted => write_redacted(seal, out),
            Said::Thinking(reasoning, seal) => write_thinking(&reasoning.text, &seal.value, out),
            Said::Text(text) => write_text(text, block.cache, out),
            Said::Part(part) => write_part(part, block.cache, out)?,
        }
    }
    out.close_list();
    out.close_object();
    Ok(())
}

fn write_text(text: &str, cache: Option<CacheTtl>, out: &mut Writer<'_>) {
    out.open_object();
    out.key("type").text("text");
    out.key("text").text(text);
    write_cache_control(cache, out);
    out.close_object();
}

fn write_part(part: &Part, cache: Option<CacheTtl>, out: &mut Writer<'_>) -> Result<(), Invalid> {
    out.open_object();
    match part {
        Part::Image(image) => {
            out.key("type").text("image");
            write_image(image, out)?;
        }
        Part::Document(document) => {
            out.key("type").text("document");
            write_document(document, out)?;
        }
        Part::ToolCall(call) => write_call(call, out)?,
        Part::ToolResult(result) => write_result(result, out)?,
        // Written elsewhere, or left out.
        Part::Text(_) | Part::Reasoning(_) | Part::CacheBreakpoint(_) => {}
    }
    write_cache_control(cache, out);
    out.close_object();
    Ok(())
}

fn write_call(call: &ToolCall, out: &mut Writer<'_>) -> Result<(), Invalid> {
    let input = as_object(&call.arguments)
        .ok_or_else(|| Invalid::new("messages", "the arguments of a tool call must be a JSON object"))?;
    out.key("type").text("tool_use");
    out.key("id").text(&call_id(&call.id));
    out.key("name").text(tool_name(&call.name, "messages")?);
    out.key("input").raw(input);
    Ok(())
}

fn write_result(result: &ToolResult, out: &mut Writer<'_>) -> Result<(), Invalid> {
    out.key("type").text("tool_result");
    out.key("tool_use_id").text(&call_id(&result.id));
    let mut begun = false;
    for part in &result.content {
        let says_something = match part {
            Part::Text(text) => has_text(text),
            Part::Document(document) => says_something(&document.source),
            Part::Image(_) => true,
            _ => false,
        };
        if !says_something {
            continue;
        }
        if !begun {
            begun = true;
            out.key("content").open_list();
        }
        match part {
            Part::Text(text) => write_text(text, None, out),
            part => write_part(part, None, out)?,
        }
    }
    if begun {
        out.close_list();
    }
    if result.is_error {
        out.key("is_error").flag(true);
    }
    Ok(())
}

/// An id with the letters that Anthropic takes in one. Ids of other providers have others too; a call and its result get
/// the same.
fn call_id(id: &str) -> std::borrow::Cow<'_, str> {
    let takes = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-');
    if id.chars().all(takes) {
        return id.into();
    }
    let mut taken = String::with_capacity(id.len());
    for letter in id.chars() {
        match takes(letter) {
            true => taken.push(letter),
            // As a number, so that two ids stay two.
            false => taken.push_str(&format!("_{:x}_", u32::from(letter))),
        }
    }
    taken.into()
}
