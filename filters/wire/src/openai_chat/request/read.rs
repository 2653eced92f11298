//! A request body into a conversation.

use crate::asked::{effort, labels};
use crate::conversation::{OutputFormat, OutputSchema, ReasoningRequest, Request, Sampling};
use crate::error::Invalid;
use crate::fields::{At, Fields, read};
use crate::openai_chat::request::{messages, tools};
use crate::openai_chat::usage::tier_of_name;
use crate::usage::ServiceTier;
use serde_json::value::RawValue;

/// Fields of the API that no other format has a place for.
const NOT_CARRIED: [&str; 16] = [
    "audio",
    "logit_bias",
    "logprobs",
    "modalities",
    "moderation",
    "prediction",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "safety_identifier",
    "store",
    "top_logprobs",
    "verbosity",
    "web_search_options",
    // Whether the client wants usage is the stream writer's to know; this is only the rest of it.
    "stream_options",
    "n",
];

/// Reads a whole request body; see [`Format::read_request`](crate::Format::read_request).
///
/// # Errors
/// When the body is not a Chat Completions request, or asks for something that only this format can say and that
/// changes the answer's meaning.
pub fn read_request(body: &[u8]) -> Result<Request, Invalid> {
    let at = &At::Body;
    let mut fields = Fields::of_body(body)?;
    let mut request = Request {
        model: fields.require("model", at, "a string")?,
        sampling: read_sampling(&mut fields, at)?,
        ..Request::default()
    };
    if request.model.is_empty() {
        return Err(at.field("model").fault("must not be empty"));
    }
    read_settings(&mut fields, &mut request, at)?;
    messages::read(fields.require("messages", at, "an array of messages")?, &at.field("messages"), &mut request)?;
    if let Some(list) = fields.read("tools", at, "an array of tools")? {
        request.tools = tools::read_tools(list, &at.field("tools"))?;
    }
    if let Some(choice) = fields.take("tool_choice", at)? {
        request.tool_choice = Some(tools::read_choice(choice, &at.field("tool_choice"))?);
    }
    refuse(&mut fields, at)?;
    leave_out(fields, &NOT_CARRIED, &mut request);
    Ok(request)
}

fn read_sampling(fields: &mut Fields<'_>, at: &At<'_>) -> Result<Sampling, Invalid> {
    let mut number = |name| fields.read::<f64>(name, at, "a number");
    let asked = |penalty: &f64| *penalty != 0.0;
    Ok(Sampling {
        temperature: number("temperature")?,
        top_p: number("top_p")?,
        frequency_penalty: number("frequency_penalty")?.filter(asked),
        presence_penalty: number("presence_penalty")?.filter(asked),
        // Not OpenAI's, but many compatible servers'.
        top_k: fields.read("top_k", at, "a whole number, not negative")?,
        seed: fields.read("seed", at, "a whole number")?,
    })
}

fn read_settings(fields: &mut Fields<'_>, request: &mut Request, at: &At<'_>) -> Result<(), Invalid> {
    for name in ["max_tokens", "max_completion_tokens"] {
        let bound = fields.read(name, at, "a whole number, not negative")?;
        request.max_output_tokens = request.max_output_tokens.max(bound);
    }
    request.parallel_tool_calls = fields.read("parallel_tool_calls", at, "true or false")?;
    request.stream = fields.read("stream", at, "true or false")?.unwrap_or(false);
    if let Some(stop) = fields.take("stop", at)? {
        request.stop = read_stop(stop, &at.field("stop"))?;
    }
    request.end_user = fields.read("user", at, "a string")?;
    if request.end_user.is_none() {
        request.end_user = fields.read("safety_identifier", at, "a string")?;
    }
    if let Some(metadata) = fields.read("metadata", at, "an object of strings")? {
        request.metadata = labels(&metadata, &at.field("metadata"))?;
    }
    if let Some(tier) = fields.read::<String>("service_tier", at, "a string")? {
        read_tier(&tier, request);
    }
    if let Some(effort) = effort(fields, "reasoning_effort", at)? {
        request.reasoning = Some(ReasoningRequest { effort: Some(effort), ..ReasoningRequest::default() });
    }
    if let Some(format) = fields.read("response_format", at, "an object with a type")? {
        request.output = read_output(format, &at.field("response_format"))?;
    }
    Ok(())
}

fn read_stop(stop: &RawValue, at: &At<'_>) -> Result<Vec<String>, Invalid> {
    let expected = "a string or an array of strings";
    if stop.get().starts_with('"') {
        return Ok(vec![read(stop, at, expected)?]);
    }
    read(stop, at, expected)
}

/// `auto` leaves it to the provider's account, as saying nothing does.
pub(crate) fn read_tier(tier: &str, request: &mut Request) {
    match tier_of_name(tier) {
        _ if tier == "auto" => {}
        ServiceTier::Other => request.note_dropped("service_tier"),
        known => request.service_tier = Some(known),
    }
}

fn read_output(mut format: Fields<'_>, at: &At<'_>) -> Result<Option<OutputFormat>, Invalid> {
    let kind: String = format.require("type", at, "a string")?;
    match kind.as_str() {
        "text" => Ok(None),
        "json_object" => Ok(Some(OutputFormat::JsonObject)),
        "json_schema" => {
            let mut schema: Fields<'_> = format.require("json_schema", at, "an object")?;
            let at = &at.field("json_schema");
            let expected = "a JSON Schema object";
            let raw = schema.take("schema", at)?.ok_or_else(|| at.field("schema").fault(expected))?;
            if !raw.get().starts_with('{') {
                return Err(at.field("schema").fault(expected));
            }
            Ok(Some(OutputFormat::JsonSchema(OutputSchema {
                name: schema.read("name", at, "a string")?,
                description: schema.read("description", at, "a string")?,
                schema: raw.to_owned(),
                strict: schema.read("strict", at, "true or false")?,
            })))
        }
        _ => Err(at.field("type").fault("must be text, json_object or json_schema")),
    }
}

/// Without these the request would be another one.
fn refuse(fields: &mut Fields<'_>, at: &At<'_>) -> Result<(), Invalid> {
    if fields.get("n").is_some_and(|n| n.get() != "1") {
        return Err(at.field("n").fault("more than one answer cannot be translated to this model's provider"));
    }
    if fields.get("modalities").is_some_and(|modalities| !matches!(modalities.get(), "null" | "[]" | r#"["text"]"#)) {
        return Err(at.field("modalities").fault("only text can be had from this model's provider"));
    }
    for name in ["functions", "function_call"] {
        if fields.has(name, at)? {
            return Err(at.field(name).fault("is deprecated and not translated; use tools"));
        }
    }
    Ok(())
}

/// Names what is not carried. A field at the value it has when left out asks for nothing.
pub(super) fn leave_out(fields: Fields<'_>, known: &[&'static str], request: &mut Request) {
    for (name, value) in fields.iter() {
        let asks_nothing = match name {
            "stream_options" | "n" | "modalities" => true,
            "logprobs" | "store" => matches!(value.get(), "false" | "null"),
            _ => matches!(value.get(), "null" | "{}" | "[]"),
        };
        if !asks_nothing {
            let known = known.iter().find(|known| **known == name);
            request.note_dropped(known.unwrap_or(&"unknown_fields"));
        }
    }
}
