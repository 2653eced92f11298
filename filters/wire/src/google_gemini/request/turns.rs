//! The turns of a provider's Gemini body.

use super::contents::MAX_WAITING;
use crate::arguments::as_object;
use crate::conversation::{Part, Reasoning, Request, Role, ToolResult};
use crate::dropped::Dropped;
use crate::error::Invalid;
use crate::google_gemini::parts::Parts;
use crate::google_gemini::{NO_SIGNATURE, ORIGIN, before_gemini_3, media};
use tollgate_kernel::json::Writer;

/// One turn after another. Those of one side that follow each other are one: Google counts the results in it.
struct Turns<'a, 'j, 'o> {
    json: &'j mut Writer<'o>,
    open: Option<Role>,
    parts: Parts,
    /// The open turn has a call.
    calls: bool,
    /// Every call so far, newest last, for the names that results go by.
    names: Vec<(&'a str, &'a str)>,
    needs_signatures: bool,
}

/// Writes the turns into an open list.
pub(super) fn write(request: &Request, dropped: &mut Dropped, json: &mut Writer<'_>) -> Result<(), Invalid> {
    let mut turns = Turns {
        json,
        open: None,
        parts: Parts::default(),
        calls: false,
        names: Vec::new(),
        needs_signatures: !before_gemini_3(&request.model),
    };
    let mut said = false;
    for message in &request.messages {
        for part in &message.parts {
            said |= turns.write(message.role, part, dropped)?;
        }
    }
    turns.close();
    if said { Ok(()) } else { Err(Invalid::new("messages", "needs at least one message with content")) }
}

impl<'a> Turns<'a, '_, '_> {
    /// Writes one part. `false`: it says nothing.
    fn write(&mut self, role: Role, part: &'a Part, dropped: &mut Dropped) -> Result<bool, Invalid> {
        match part {
            Part::CacheBreakpoint(_) => return Ok(false),
            Part::Text(text) if text.is_empty() => return Ok(false),
            Part::Reasoning(reasoning) => return Ok(self.reasoning(role, reasoning, dropped)),
            Part::Text(text) => {
                self.turn_to(role);
                self.parts.text(text, self.json);
            }
            Part::ToolCall(call) => {
                if as_object(&call.arguments).is_none() {
                    return Err(Invalid::new("messages", "the arguments of a tool call must be a JSON object"));
                }
                self.turn_to(role);
                // Of calls side by side only the first is signed.
                let unsigned = (self.needs_signatures && !self.calls).then_some(NO_SIGNATURE);
                self.parts.call(&call.id, &call.name, &call.arguments, unsigned, self.json);
                self.calls = true;
                self.names.push((&call.id, &call.name));
            }
            Part::ToolResult(result) => {
                self.turn_to(role);
                self.result(result)?;
            }
            Part::Image(_) | Part::Document(_) => {
                self.turn_to(role);
                self.parts.flush(self.json);
                self.json.open_object();
                write_media(part, self.json)?;
                self.json.close_object();
            }
        }
        Ok(true)
    }

    /// Only Gemini's own seals mean something to it. What has another's would be refused there, or worse, believed.
    fn reasoning(&mut self, role: Role, reasoning: &Reasoning, dropped: &mut Dropped) -> bool {
        let seal = match &reasoning.seal {
            Some(seal) if seal.origin != ORIGIN => {
                dropped.push("reasoning_content");
                return false;
            }
            seal => seal.as_ref(),
        };
        if role != Role::Assistant {
            return false;
        }
        self.turn_to(role);
        if !reasoning.text.is_empty() {
            self.parts.thought(&reasoning.text, self.json);
        }
        if let Some(seal) = seal {
            self.parts.flush(self.json);
            self.parts.sign(seal.value.clone());
        }
        true
    }

    fn result(&mut self, result: &ToolResult) -> Result<(), Invalid> {
        let known = self.names.iter().rev().take(MAX_WAITING).find(|(id, _)| *id == result.id);
        let unknown = || Invalid::new("messages", "a tool result answers no call before it");
        let &(id, name) = known.ok_or_else(unknown)?;
        let text: String = result.content.iter().filter_map(text_of).collect();
        let json = &mut *self.json;
        json.open_object().key("functionResponse").open_object();
        if !id.is_empty() {
            json.key("id").text(id);
        }
        json.key("name").text(name);
        json.key("response").open_object().key(if result.is_error { "error" } else { "output" }).text(&text);
        json.close_object();
        let mut media = result.content.iter().filter(|part| is_media(part)).peekable();
        if media.peek().is_some() {
            json.key("parts").open_list();
            for part in media {
                json.open_object();
                write_media(part, json)?;
                json.close_object();
            }
            json.close_list();
        }
        json.close_object();
        json.close_object();
        Ok(())
    }

    fn turn_to(&mut self, role: Role) {
        if self.open != Some(role) {
            self.close();
            self.open = Some(role);
            let name = if role == Role::User { "user" } else { "model" };
            self.json.open_object().key("role").text(name);
            self.json.key("parts").open_list();
        }
    }

    fn close(&mut self) {
        if self.open.take().is_some() {
            self.parts.flush(self.json);
            self.json.close_list();
            self.json.close_object();
            self.calls = false;
        }
    }
}

fn text_of(part: &Part) -> Option<&str> {
    if let Part::Text(text) = part { Some(text) } else { None }
}

const fn is_media(part: &Part) -> bool {
    matches!(part, Part::Image(_) | Part::Document(_))
}

fn write_media(part: &Part, json: &mut Writer<'_>) -> Result<(), Invalid> {
    match part {
        Part::Image(image) => media::write_image(image, json),
        Part::Document(document) => media::write_document(document, json),
        _ => Ok(()),
    }
}
