//! Requests: the conversation into a provider's Gemini body.

use super::read::{DYNAMIC, level};
use super::turns;
use crate::conversation::{Effort, OutputFormat, Part, ReasoningRequest, Request, Tool, ToolChoice};
use crate::dropped::Dropped;
use crate::error::Invalid;
use crate::google_gemini::before_gemini_3;
use crate::usage::ServiceTier;
use tollgate_kernel::json::Writer;

/// Google takes no more stop sequences.
const MAX_STOPS: usize = 5;

/// The most that every model with thinking budgets allows.
const MAX_BUDGET: u64 = 24_576;

/// Labels are Google Cloud's: no longer than this, and of few characters.
const MAX_LABEL: usize = 63;

/// Writes a whole request body. `request.dropped` grows by what Gemini cannot carry.
///
/// # Errors
/// When leaving a part out would change what was asked.
pub fn write_request(request: &mut Request) -> Result<Vec<u8>, Invalid> {
    let mut dropped = Dropped::default();
    let mut out = Vec::new();
    let json = &mut Writer::new(&mut out);
    json.open_object();
    write_system(request, json);
    json.key("contents").open_list();
    turns::write(request, &mut dropped, json)?;
    json.close_list();
    write_tools(request, json)?;
    write_config(request, &mut dropped, json);
    write_labels(request, &mut dropped, json);
    write_tier(request, &mut dropped, json);
    json.close_object();
    note_what_has_no_place(request);
    dropped.note_in(request);
    Ok(out)
}

/// What Gemini has no field for at all.
fn note_what_has_no_place(request: &mut Request) {
    let mut breakpoints = request.messages.iter().flat_map(|message| &message.parts);
    let is_breakpoint = |part: &Part| matches!(part, Part::CacheBreakpoint(_));
    let cached = request.system.iter().any(|system| system.cache.is_some())
        || request.tools.iter().any(|tool| tool.cache.is_some())
        || breakpoints.any(is_breakpoint);
    let strict = request.tools.iter().any(|tool| tool.strict == Some(true));
    for (name, is_asked) in [
        ("cache_control", cached),
        ("tool.strict", strict),
        ("parallel_tool_calls", request.parallel_tool_calls == Some(false)),
        ("end_user", request.end_user.is_some()),
    ] {
        if is_asked {
            request.note_dropped(name);
        }
    }
}

fn write_system(request: &Request, json: &mut Writer<'_>) {
    let mut texts = request.system.iter().map(|system| system.text.as_str()).filter(|text| !text.is_empty()).peekable();
    if texts.peek().is_none() {
        return;
    }
    json.key("systemInstruction").open_object().key("parts").open_list();
    for text in texts {
        json.open_object().key("text").text(text);
        json.close_object();
    }
    json.close_list();
    json.close_object();
}

fn write_tools(request: &Request, json: &mut Writer<'_>) -> Result<(), Invalid> {
    if request.tools.is_empty() {
        return Ok(());
    }
    json.key("tools").open_list().open_object().key("functionDeclarations").open_list();
    for tool in &request.tools {
        write_tool(tool, json)?;
    }
    json.close_list();
    json.close_object();
    json.close_list();
    if let Some(choice) = &request.tool_choice {
        json.key("toolConfig").open_object().key("functionCallingConfig").open_object().key("mode").text(
            match choice {
                ToolChoice::Auto => "AUTO",
                ToolChoice::None => "NONE",
                ToolChoice::Required | ToolChoice::Named(_) => "ANY",
            },
        );
        if let ToolChoice::Named(name) = choice {
            json.key("allowedFunctionNames").open_list().text(name);
            json.close_list();
        }
        json.close_object();
        json.close_object();
    }
    Ok(())
}

fn write_tool(tool: &Tool, json: &mut Writer<'_>) -> Result<(), Invalid> {
    json.open_object().key("name").text(&tool.name);
    json.text_if("description", tool.description.as_deref());
    if let Some(schema) = &tool.parameters {
        if !schema.get().starts_with('{') {
            return Err(Invalid::new("tools", "the parameters of a tool must be a JSON object"));
        }
        json.key("parametersJsonSchema").raw(schema);
    }
    json.close_object();
    Ok(())
}

fn write_config(request: &Request, dropped: &mut Dropped, json: &mut Writer<'_>) {
    let sampling = &request.sampling;
    json.key("generationConfig").open_object();
    for (name, count) in [("maxOutputTokens", request.max_output_tokens), ("topK", sampling.top_k)] {
        json.number_if(name, count);
    }
    for (name, number) in [
        ("temperature", sampling.temperature),
        ("topP", sampling.top_p),
        ("frequencyPenalty", sampling.frequency_penalty),
        ("presencePenalty", sampling.presence_penalty),
    ] {
        json.float_if(name, number);
    }
    match sampling.seed.map(i32::try_from) {
        Some(Ok(seed)) => json.key("seed").signed(seed.into()),
        // Google's are 32 bits wide.
        Some(Err(_)) => dropped.push("seed"),
        None => {}
    }
    write_stops(request, dropped, json);
    if let Some(output) = &request.output {
        json.key("responseMimeType").text("application/json");
        if let OutputFormat::JsonSchema(schema) = output {
            json.key("responseJsonSchema").raw(&schema.schema);
        }
    }
    if let Some(reasoning) = &request.reasoning {
        write_thinking(reasoning, before_gemini_3(&request.model), dropped, json);
    }
    json.close_object();
}

fn write_stops(request: &Request, dropped: &mut Dropped, json: &mut Writer<'_>) {
    let stops = request.stop.iter().filter(|stop| !stop.is_empty()).take(MAX_STOPS);
    let count = stops.clone().count();
    dropped.push_if(count < request.stop.len(), "stop");
    if count > 0 {
        json.key("stopSequences").open_list();
        for stop in stops {
            json.text(stop);
        }
        json.close_list();
    }
}

/// Google takes a level or a budget, not both. Older models know budgets only.
fn write_thinking(reasoning: &ReasoningRequest, budgets_only: bool, dropped: &mut Dropped, json: &mut Writer<'_>) {
    json.key("thinkingConfig").open_object();
    let budget = match (reasoning.effort, reasoning.budget_tokens) {
        (Some(Effort::None), _) => Some(0),
        (Some(_), Some(tokens)) if budgets_only => {
            dropped.push("reasoning");
            Some(tokens)
        }
        (Some(effort), None) if budgets_only => Some(effort.budget_tokens().min(MAX_BUDGET)),
        (Some(effort), budget) => {
            json.key("thinkingLevel").text(level(effort));
            dropped.push_if(budget.is_some(), "reasoning");
            None
        }
        (None, Some(tokens)) => Some(tokens),
        (None, None) => {
            json.key("thinkingBudget").signed(DYNAMIC);
            None
        }
    };
    json.number_if("thinkingBudget", budget);
    json.flag_if("includeThoughts", reasoning.shown);
    json.close_object();
}

/// A label that Google Cloud does not take would cost the client its whole answer.
fn write_labels(request: &Request, dropped: &mut Dropped, json: &mut Writer<'_>) {
    let fits = |text: &str| {
        let fit = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'-');
        text.len() <= MAX_LABEL && text.bytes().all(fit)
    };
    let begins_well = |name: &str| name.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase());
    let labels = request.metadata.iter().filter(|(name, value)| begins_well(name) && fits(name) && fits(value));
    let count = labels.clone().count();
    dropped.push_if(count < request.metadata.len(), "metadata");
    if count > 0 {
        json.key("labels").open_object();
        for (name, value) in labels {
            json.key(name).text(value);
        }
        json.close_object();
    }
}

fn write_tier(request: &Request, dropped: &mut Dropped, json: &mut Writer<'_>) {
    match request.service_tier {
        Some(ServiceTier::Standard) => json.key("serviceTier").text("standard"),
        Some(ServiceTier::Flex) => json.key("serviceTier").text("flex"),
        Some(ServiceTier::Priority) => json.key("serviceTier").text("priority"),
        Some(ServiceTier::Batch | ServiceTier::Provisioned | ServiceTier::Other) => dropped.push("service_tier"),
        None => {}
    }
}
