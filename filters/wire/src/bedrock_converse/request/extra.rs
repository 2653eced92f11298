//! `additionalModelRequestFields` of a client's request: what only some models know, each family under its own name.

use super::object;
use super::read::read_effort;
use crate::conversation::{Effort, ReasoningRequest, Request, ToolChoice};
use crate::error::Invalid;
use crate::fields::{At, Fields};
use serde_json::value::RawValue;

pub(super) fn read(fields: &RawValue, at: &At<'_>, request: &mut Request) -> Result<(), Invalid> {
    let mut fields = object(fields, at)?;
    for name in ["thinking", "reasoning_config"] {
        if let Some(thinking) = fields.take(name, at)? {
            read_thinking(thinking, &at.field(name), request)?;
        }
    }
    if let Some(config) = fields.take("reasoningConfig", at)? {
        read_nova(config, &at.field("reasoningConfig"), request)?;
    }
    for name in ["output_config", "reasoning"] {
        if let Some(config) = fields.take(name, at)? {
            let at = &at.field(name);
            let mut config = object(config, at)?;
            read_effort_of(&mut config, "effort", at, request)?;
            note_rest(&config, request);
        }
    }
    read_effort_of(&mut fields, "reasoning_effort", at, request)?;
    request.sampling.top_k = fields.read("top_k", at, "a whole number")?;
    if let Some(config) = fields.take("inferenceConfig", at)? {
        let at = &at.field("inferenceConfig");
        let mut config = object(config, at)?;
        request.sampling.top_k = config.read("topK", at, "a whole number")?.or(request.sampling.top_k);
        note_rest(&config, request);
    }
    if let Some(choice) = fields.take("tool_choice", at)? {
        read_choice(choice, &at.field("tool_choice"), request)?;
    }
    note_rest(&fields, request);
    Ok(())
}

fn note_rest(fields: &Fields<'_>, request: &mut Request) {
    if !fields.is_empty() {
        request.note_dropped("additionalModelRequestFields");
    }
}

fn read_effort_of(fields: &mut Fields<'_>, name: &str, at: &At<'_>, request: &mut Request) -> Result<(), Invalid> {
    match fields.take(name, at)? {
        Some(effort) => read_effort(effort, &at.field(name), request),
        None => Ok(()),
    }
}

/// Claude's.
fn read_thinking(thinking: &RawValue, at: &At<'_>, request: &mut Request) -> Result<(), Invalid> {
    let mut thinking = object(thinking, at)?;
    let kind: String = thinking.require("type", at, "a string")?;
    let budget_tokens = thinking.read("budget_tokens", at, "a whole number")?;
    let display: Option<String> = thinking.read("display", at, "a string")?;
    request.reasoning = Some(match kind.as_str() {
        "disabled" => ReasoningRequest { effort: Some(Effort::None), ..ReasoningRequest::default() },
        "enabled" | "adaptive" => {
            ReasoningRequest { effort: None, budget_tokens, shown: display.map(|display| display != "omitted") }
        }
        _ => return Err(at.field("type").fault("must be enabled, adaptive or disabled")),
    });
    thinking.leave_out(&[], at, request)
}

/// Nova's.
fn read_nova(config: &RawValue, at: &At<'_>, request: &mut Request) -> Result<(), Invalid> {
    let mut config = object(config, at)?;
    let kind: String = config.require("type", at, "a string")?;
    let effort = if kind == "disabled" { Some(Effort::None) } else { None };
    request.reasoning = Some(ReasoningRequest { effort, ..ReasoningRequest::default() });
    read_effort_of(&mut config, "maxReasoningEffort", at, request)?;
    config.leave_out(&[], at, request)
}

/// Claude's, of which `toolConfig` has all but this.
fn read_choice(choice: &RawValue, at: &At<'_>, request: &mut Request) -> Result<(), Invalid> {
    let mut choice = object(choice, at)?;
    let kind: Option<String> = choice.read("type", at, "a string")?;
    let disable: Option<bool> = choice.read("disable_parallel_tool_use", at, "true or false")?;
    if !request.tools.is_empty() {
        request.parallel_tool_calls = disable.map(|disable| !disable);
        if kind.as_deref() == Some("none") {
            request.tool_choice = Some(ToolChoice::None);
        }
    }
    choice.leave_out(&["name"], at, request)
}
