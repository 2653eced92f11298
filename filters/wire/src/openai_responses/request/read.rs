//! A client's body into the conversation.

use super::input::Input;
use super::{STATE, tools};
use crate::asked::effort;
use crate::conversation::{CacheTtl, Instruction, OutputFormat, OutputSchema, ReasoningRequest, Request, Sampling};
use crate::error::Invalid;
use crate::fields::{At, Fields, read};
use crate::openai_chat::tier_of_name;
use crate::usage::ServiceTier;
use serde_json::value::RawValue;

/// Fields that no other format has a place for. They change how an answer is made, not what is asked.
const BODY_FIELDS: [&str; 8] = [
    "access_programs",
    "background_options",
    "context_management",
    "image",
    "max_tool_calls",
    "moderation",
    "prompt_cache_key",
    "prompt_cache_retention",
];

/// Reads a whole request body; see [`Format::read_request`](crate::Format::read_request).
///
/// # Errors
/// When the body is not a Responses request, or asks for something that only this format can say and that changes the
/// answer's meaning; the message names the field.
pub fn read_request(body: &[u8]) -> Result<Request, Invalid> {
    let at = &At::Body;
    let mut fields = Fields::of_body(body)?;
    refuse_state(&mut fields, at)?;
    let mut request = Request {
        model: fields.require("model", at, "a string")?,
        max_output_tokens: fields.read("max_output_tokens", at, "a whole number, not negative")?,
        sampling: Sampling {
            temperature: fields.read("temperature", at, "a number")?,
            top_p: fields.read("top_p", at, "a number")?,
            ..Sampling::default()
        },
        stream: fields.read("stream", at, "true or false")?.unwrap_or(false),
        ..Request::default()
    };
    if let Some(instructions) = fields.read::<String>("instructions", at, "a string")? {
        request.system.push(Instruction::from(instructions));
    }
    let ttl = read_cache_options(&mut fields, at, &mut request)?;
    let input = fields.require("input", at, "a string or an array of items")?;
    Input { request: &mut request, ttl }.read(input, &at.field("input"))?;
    if request.messages.is_empty() {
        return Err(at.field("input").fault("must hold at least one user or assistant message"));
    }
    tools::read_all(&mut fields, at, &mut request)?;
    if let Some(reasoning) = fields.read("reasoning", at, "an object")? {
        request.reasoning = read_reasoning(reasoning, &at.field("reasoning"), &mut request)?;
    }
    if let Some(text) = fields.read("text", at, "an object")? {
        read_text(text, &at.field("text"), &mut request)?;
    }
    if let Some(metadata) = fields.read::<Fields<'_>>("metadata", at, "an object of strings")? {
        request.metadata = read_metadata(&metadata, &at.field("metadata"))?;
    }
    if let Some(name) = fields.read::<String>("service_tier", at, "a string")? {
        read_service_tier(&name, &mut request);
    }
    read_end_user(&mut fields, at, &mut request)?;
    read_harmless(&mut fields, at, &mut request)?;
    fields.leave_out(&BODY_FIELDS, at, &mut request)?;
    Ok(request)
}

fn refuse_state(fields: &mut Fields<'_>, at: &At<'_>) -> Result<(), Invalid> {
    for name in ["previous_response_id", "conversation", "prompt"] {
        if fields.has(name, at)? {
            return Err(at.field(name).fault(STATE));
        }
    }
    if fields.read("background", at, "true or false")?.unwrap_or(false) {
        return Err(at.field("background").fault("cannot be asked of another provider"));
    }
    Ok(())
}

/// The time that breakpoints without one of their own have.
fn read_cache_options(fields: &mut Fields<'_>, at: &At<'_>, request: &mut Request) -> Result<CacheTtl, Invalid> {
    let at = &at.field("prompt_cache_options");
    let Some(mut options) = fields.read::<Fields<'_>>("prompt_cache_options", &At::Body, "an object")? else {
        return Ok(CacheTtl::Short);
    };
    let ttl = options.read::<String>("ttl", at, "a string")?;
    if options.read("prewarm", at, "true or false")?.unwrap_or(false) {
        return Err(at.field("prewarm").fault("cannot be asked of another provider"));
    }
    request.note_dropped("prompt_cache_options");
    Ok(if ttl.as_deref() == Some("12h") { CacheTtl::Long } else { CacheTtl::Short })
}

fn read_reasoning(
    mut reasoning: Fields<'_>,
    at: &At<'_>,
    request: &mut Request,
) -> Result<Option<ReasoningRequest>, Invalid> {
    let effort = effort(&mut reasoning, "effort", at)?;
    let deprecated = reasoning.has("generate_summary", at)?;
    let shown = (reasoning.has("summary", at)? || deprecated).then_some(true);
    if !reasoning.is_empty() {
        // `context` and `mode`.
        request.note_dropped("reasoning");
    }
    let asks = effort.is_some() || shown.is_some();
    Ok(asks.then_some(ReasoningRequest { effort, budget_tokens: None, shown }))
}

fn read_text(mut text: Fields<'_>, at: &At<'_>, request: &mut Request) -> Result<(), Invalid> {
    if let Some(format) = text.read("format", at, "an object")? {
        request.output = read_format(format, &at.field("format"), request)?;
    }
    text.leave_out(&["verbosity"], at, request)
}

fn read_format(mut format: Fields<'_>, at: &At<'_>, request: &mut Request) -> Result<Option<OutputFormat>, Invalid> {
    let kind: String = format.require("type", at, "a string")?;
    let output = match kind.as_str() {
        "text" => None,
        "json_object" => Some(OutputFormat::JsonObject),
        "json_schema" => Some(OutputFormat::JsonSchema(OutputSchema {
            name: Some(format.require("name", at, "a string")?),
            description: format.read("description", at, "a string")?,
            schema: format.require_object("schema", at)?.to_owned(),
            strict: format.read("strict", at, "true or false")?,
        })),
        _ => return Err(at.field("type").fault("must be text, json_object or json_schema")),
    };
    format.leave_out(&[], at, request)?;
    Ok(output)
}

fn read_metadata(metadata: &Fields<'_>, at: &At<'_>) -> Result<Vec<(String, String)>, Invalid> {
    let mut labels = Vec::new();
    for (name, value) in metadata.iter() {
        labels.push((name.to_owned(), read(value, &at.field(name), "a string")?));
    }
    Ok(labels)
}

fn read_service_tier(name: &str, request: &mut Request) {
    match tier_of_name(name) {
        _ if name == "auto" => {}
        ServiceTier::Other => request.note_dropped("service_tier"),
        tier => request.service_tier = Some(tier),
    }
}

/// Two names of one thing; where they differ, the one that other formats call so too.
fn read_end_user(fields: &mut Fields<'_>, at: &At<'_>, request: &mut Request) -> Result<(), Invalid> {
    let user: Option<String> = fields.read("user", at, "a string")?;
    let safety: Option<String> = fields.read("safety_identifier", at, "a string")?;
    if user.is_some() && safety.is_some() && user != safety {
        request.note_dropped("safety_identifier");
    }
    request.end_user = user.or(safety);
    Ok(())
}

/// Fields that ask for nothing at the value that many clients send.
fn read_harmless(fields: &mut Fields<'_>, at: &At<'_>, request: &mut Request) -> Result<(), Invalid> {
    // Obfuscation pads events against who measures them on the wire; what is translated has none.
    fields.has("stream_options", at)?;
    if let Some(include) = fields.read::<Vec<&RawValue>>("include", at, "an array of strings")?
        // Encrypted reasoning is always included.
        && include.iter().any(|name| name.get() != "\"reasoning.encrypted_content\"")
    {
        request.note_dropped("include");
    }
    for (name, nothing) in [("store", "false"), ("top_logprobs", "0"), ("truncation", "\"disabled\"")] {
        if fields.take(name, at)?.is_some_and(|value| value.get() != nothing) {
            request.note_dropped(name);
        }
    }
    Ok(())
}
