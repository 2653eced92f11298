//! Requests: a client's Converse body into the conversation.

use super::read_content::{read_system, read_turn};
use super::read_tools::{read_tool_choice, read_tools};
use super::{extra, member, object};
use crate::asked::labels;
use crate::bedrock_converse::usage::tier;
use crate::conversation::{Effort, OutputFormat, OutputSchema, ReasoningRequest, Request, Role, Sampling};
use crate::error::Invalid;
use crate::fields::{At, Fields, read};
use serde_json::value::RawValue;

/// Fields without which the answer would be another one, or one that the client must not have.
const REFUSED: [(&str, &str); 2] = [
    ("guardrailConfig", "names a guardrail of the provider's, which another provider does not have"),
    ("promptVariables", "belong to a prompt that is stored with the provider, which another provider does not have"),
];

/// Reads a whole request body, to be written in another format. It has no model and does not say whether it streams.
///
/// # Errors
/// When the body is not a Converse request; the message names the field.
pub fn read_request(body: &[u8]) -> Result<Request, Invalid> {
    let at = &At::Body;
    let mut fields = Fields::of_body(body)?;
    let mut request = Request::default();
    for (name, why) in REFUSED {
        if fields.has(name, at)? {
            return Err(at.field(name).fault(why));
        }
    }
    if let Some(system) = fields.take("system", at)? {
        read_system(system, &at.field("system"), &mut request)?;
    }
    read_messages(fields.require("messages", at, "an array of objects")?, &at.field("messages"), &mut request)?;
    if let Some(config) = fields.take("inferenceConfig", at)? {
        read_inference(config, &at.field("inferenceConfig"), &mut request)?;
    }
    if let Some(config) = fields.take("toolConfig", at)? {
        read_tool_config(config, &at.field("toolConfig"), &mut request)?;
    }
    if let Some(more) = fields.take("additionalModelRequestFields", at)? {
        extra::read(more, &at.field("additionalModelRequestFields"), &mut request)?;
    }
    if let Some(config) = fields.take("outputConfig", at)? {
        read_output_config(config, &at.field("outputConfig"), &mut request)?;
    }
    if let Some(metadata) = fields.take("requestMetadata", at)? {
        let at = &at.field("requestMetadata");
        request.metadata = labels(&object(metadata, at)?, at)?;
    }
    if let Some(config) = fields.take("serviceTier", at)? {
        let at = &at.field("serviceTier");
        let name: String = object(config, at)?.require("type", at, "a string")?;
        request.service_tier = Some(tier(&name));
    }
    if let Some(config) = fields.take("performanceConfig", at)? {
        let at = &at.field("performanceConfig");
        let latency: Option<String> = object(config, at)?.read("latency", at, "a string")?;
        if latency.is_some_and(|latency| latency != "standard") {
            request.note_dropped("performanceConfig");
        }
    }
    fields.leave_out(&["additionalModelResponseFieldPaths"], at, &mut request)?;
    Ok(request)
}

fn read_messages(messages: Vec<&RawValue>, at: &At<'_>, request: &mut Request) -> Result<(), Invalid> {
    if messages.is_empty() {
        return Err(at.fault("needs at least one message"));
    }
    for (index, message) in messages.into_iter().enumerate() {
        let at = &at.item(index);
        let mut message = object(message, at)?;
        let role: String = message.require("role", at, "a string")?;
        let content: &RawValue = message.require("content", at, "an array of content blocks")?;
        message.leave_out(&[], at, request)?;
        let content_at = &at.field("content");
        match role.as_str() {
            "user" => read_turn(Role::User, content, content_at, request)?,
            "assistant" => read_turn(Role::Assistant, content, content_at, request)?,
            "system" => {
                // Other formats know instructions for the whole conversation, not from one turn on.
                if !request.messages.is_empty() {
                    request.note_dropped("messages.system");
                }
                read_system(content, content_at, request)?;
            }
            _ => return Err(at.field("role").fault("must be user, assistant or system")),
        }
    }
    Ok(())
}

fn read_inference(config: &RawValue, at: &At<'_>, request: &mut Request) -> Result<(), Invalid> {
    let mut config = object(config, at)?;
    request.max_output_tokens = config.read("maxTokens", at, "a whole number")?;
    request.sampling = Sampling {
        temperature: config.read("temperature", at, "a number")?,
        top_p: config.read("topP", at, "a number")?,
        ..Sampling::default()
    };
    request.stop = config.read("stopSequences", at, "an array of strings")?.unwrap_or_default();
    config.leave_out(&[], at, request)
}

fn read_tool_config(config: &RawValue, at: &At<'_>, request: &mut Request) -> Result<(), Invalid> {
    let mut config = object(config, at)?;
    if let Some(tools) = config.take("tools", at)? {
        read_tools(tools, &at.field("tools"), request)?;
    }
    if let Some(choice) = config.take("toolChoice", at)? {
        read_tool_choice(choice, &at.field("toolChoice"), request)?;
    }
    config.leave_out(&[], at, request)
}

fn read_output_config(config: &RawValue, at: &At<'_>, request: &mut Request) -> Result<(), Invalid> {
    let mut config = object(config, at)?;
    if let Some(effort) = config.take("effort", at)? {
        read_effort(effort, &at.field("effort"), request)?;
    }
    if let Some(format) = config.take("textFormat", at)? {
        request.output = Some(read_text_format(format, &at.field("textFormat"), request)?);
    }
    config.leave_out(&[], at, request)
}

/// Reads an effort under any of its names. Where thinking was switched off before, it stays off.
pub(super) fn read_effort(effort: &RawValue, at: &At<'_>, request: &mut Request) -> Result<(), Invalid> {
    let name: String = read(effort, at, "a string")?;
    let effort = Effort::of_name(&name).ok_or_else(|| at.fault("must be low, medium, high, xhigh or max"))?;
    let reasoning = request.reasoning.get_or_insert(ReasoningRequest::default());
    if reasoning.effort != Some(Effort::None) {
        reasoning.effort = Some(effort);
    }
    Ok(())
}

fn read_text_format(format: &RawValue, at: &At<'_>, request: &mut Request) -> Result<OutputFormat, Invalid> {
    let mut format = object(format, at)?;
    let kind: String = format.require("type", at, "a string")?;
    let structure: &RawValue = format.require("structure", at, "an object")?;
    format.leave_out(&[], at, request)?;
    let at = &at.field("structure");
    let (_, schema) = member(structure, &["jsonSchema"], at)?;
    if kind != "json_schema" {
        return Err(at.fault("must be a JSON schema"));
    }
    let at = &at.field("jsonSchema");
    let mut fields = object(schema, at)?;
    let text: String = fields.require("schema", at, "the text of a JSON schema")?;
    let schema = serde_json::from_str::<Box<RawValue>>(&text).ok().filter(|schema| schema.get().starts_with('{'));
    let schema = OutputSchema {
        name: fields.read("name", at, "a string")?,
        description: fields.read("description", at, "a string")?,
        schema: schema.ok_or_else(|| at.field("schema").fault("must be the text of a JSON schema"))?,
        // Bedrock knows no other way.
        strict: Some(true),
    };
    fields.leave_out(&[], at, request)?;
    Ok(OutputFormat::JsonSchema(schema))
}
