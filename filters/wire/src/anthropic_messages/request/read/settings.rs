//! How a request is to be answered.

use crate::conversation::{CacheTtl, Effort, OutputFormat, OutputSchema, ReasoningRequest, Request, Sampling};
use crate::error::Invalid;
use crate::fields::{At, Fields};
use crate::usage::ServiceTier;

/// Efforts that Anthropic has.
const EFFORTS: [Effort; 5] = [Effort::Low, Effort::Medium, Effort::High, Effort::Xhigh, Effort::Max];

/// Reads the fields of the body that are not the conversation itself.
pub(super) fn read_settings(fields: &mut Fields<'_>, at: &At<'_>, request: &mut Request) -> Result<(), Invalid> {
    request.sampling = Sampling {
        temperature: fields.read("temperature", at, "a number")?,
        top_p: fields.read("top_p", at, "a number")?,
        top_k: fields.read("top_k", at, "a whole number")?,
        ..Sampling::default()
    };
    request.stop = fields.read("stop_sequences", at, "an array of strings")?.unwrap_or_default();
    request.stream = fields.read("stream", at, "true or false")?.unwrap_or(false);
    let service_tier: Option<String> = fields.read("service_tier", at, "a string")?;
    request.service_tier = match service_tier.as_deref() {
        // Priority where the account has bought it: what other providers do unasked.
        None | Some("auto") => None,
        Some("standard_only") => Some(ServiceTier::Standard),
        Some(_) => return Err(at.field("service_tier").fault("must be auto or standard_only")),
    };
    if let Some(mut metadata) = fields.read::<Fields<'_>>("metadata", at, "an object")? {
        let at = &at.field("metadata");
        request.end_user = metadata.read("user_id", at, "a string")?;
        metadata.leave_out(&[], at, request)?;
    }
    if let Some(thinking) = fields.read("thinking", at, "an object")? {
        read_thinking(thinking, &at.field("thinking"), request)?;
    }
    if let Some(config) = fields.read("output_config", at, "an object")? {
        read_output_config(config, &at.field("output_config"), request)?;
    }
    // Where the format stood in the beta; the official clients still take it there.
    if let Some(format) = fields.read("output_format", at, "an object")? {
        read_output_format(format, &at.field("output_format"), request)?;
    }
    Ok(())
}

fn read_thinking(mut thinking: Fields<'_>, at: &At<'_>, request: &mut Request) -> Result<(), Invalid> {
    let kind: String = thinking.require("type", at, "a string")?;
    let mut reasoning = ReasoningRequest::default();
    match kind.as_str() {
        "adaptive" => {}
        "enabled" => {
            reasoning.budget_tokens = Some(thinking.require("budget_tokens", at, "a whole number")?);
        }
        "disabled" => reasoning.effort = Some(Effort::None),
        "between_tools" => {
            // No thinking but short notes between calls, which other formats do not know.
            reasoning.effort = Some(Effort::None);
            request.note_dropped("reasoning");
        }
        _ => return Err(at.field("type").fault("must be enabled, adaptive, disabled or between_tools")),
    }
    let display: Option<String> = thinking.read("display", at, "a string")?;
    reasoning.shown = match display.as_deref() {
        None => None,
        Some("summarized" | "updates") => Some(true),
        Some("omitted") => Some(false),
        Some(_) => return Err(at.field("display").fault("must be summarized or omitted")),
    };
    request.reasoning = Some(reasoning);
    thinking.leave_out(&["block_binding"], at, request)
}

fn read_output_config(mut config: Fields<'_>, at: &At<'_>, request: &mut Request) -> Result<(), Invalid> {
    let effort: Option<String> = config.read("effort", at, "a string")?;
    if let Some(effort) = effort {
        let effort = Effort::of_name(&effort).filter(|effort| EFFORTS.contains(effort));
        let effort = effort.ok_or_else(|| at.field("effort").fault("must be low, medium, high, xhigh or max"))?;
        let reasoning = request.reasoning.get_or_insert_default();
        if reasoning.effort == Some(Effort::None) {
            // How much to write without thinking is another effort than that of thinking.
            request.note_dropped("reasoning");
        } else {
            reasoning.effort = Some(effort);
        }
    }
    if let Some(format) = config.read("format", at, "an object")? {
        read_output_format(format, &at.field("format"), request)?;
    }
    config.leave_out(&["task_budget"], at, request)
}

fn read_output_format(mut format: Fields<'_>, at: &At<'_>, request: &mut Request) -> Result<(), Invalid> {
    let kind: String = format.require("type", at, "a string")?;
    if kind != "json_schema" {
        return Err(at.field("type").fault("must be json_schema"));
    }
    let schema = format.require_object("schema", at)?.to_owned();
    request.output =
        Some(OutputFormat::JsonSchema(OutputSchema { name: None, description: None, schema, strict: None }));
    format.leave_out(&[], at, request)
}

/// Takes the `cache_control` of an object.
pub(super) fn read_cache_control(object: &mut Fields<'_>, at: &At<'_>) -> Result<Option<CacheTtl>, Invalid> {
    let Some(mut control) = object.read::<Fields<'_>>("cache_control", at, "an object")? else { return Ok(None) };
    let at = &at.field("cache_control");
    let kind: String = control.require("type", at, "a string")?;
    if kind != "ephemeral" {
        return Err(at.field("type").fault("must be ephemeral"));
    }
    let ttl: Option<String> = control.read("ttl", at, "a string")?;
    match ttl.as_deref() {
        None | Some("5m") => Ok(Some(CacheTtl::Short)),
        Some("1h") => Ok(Some(CacheTtl::Long)),
        Some(_) => Err(at.field("ttl").fault("must be 5m or 1h")),
    }
}
