//! Requests: the conversation into a provider's Anthropic body.

mod cache;
mod documents;
mod thinking;
mod turns;

use crate::anthropic_messages::model::Generation;
use crate::arguments::write_no_parameters;
use crate::conversation::{CacheTtl, OutputFormat, Request, Tool, ToolChoice};
use crate::dropped::Dropped;
use crate::error::Invalid;
use crate::usage::ServiceTier;
use cache::write_cache_control;
use thinking::{Thinking, Way};
use tollgate_kernel::json::Writer;
use turns::{Turn, turns, write_turn};

/// Anthropic's highest temperature; other formats go to 2.
const MAX_TEMPERATURE: f64 = 1.0;

/// The least `top_p` beside thinking.
const MIN_TOP_P_OF_THINKING: f64 = 0.95;

/// The longest name of a tool.
const MAX_TOOL_NAME: usize = 128;

/// Writes a whole request body. `request.dropped` grows by what Anthropic, or the model that is asked, cannot carry.
///
/// # Errors
/// When leaving a part out would change what was asked.
pub fn write_request(request: &mut Request) -> Result<Vec<u8>, Invalid> {
    let mut dropped = Dropped::default();
    let json = write_body(request, &mut dropped)?;
    dropped.note_in(request);
    Ok(json)
}

fn write_body(request: &Request, dropped: &mut Dropped) -> Result<Vec<u8>, Invalid> {
    let mut turns = turns(request, dropped)?;
    let mut system = system(request, dropped);
    let mut tools: Vec<(&Tool, Option<CacheTtl>)> = request.tools.iter().map(|tool| (tool, tool.cache)).collect();
    let marks = tools.iter_mut().map(|(_, cache)| cache);
    let marks = marks.chain(system.iter_mut().map(|(_, cache)| cache));
    let marks = marks.chain(turns.iter_mut().flat_map(|turn| &mut turn.blocks).map(|block| &mut block.cache));
    dropped.push_if(cache::keep_to_the_rules(marks.filter(|cache| cache.is_some()).collect()), "cache_control");
    let generation = Generation::of(&request.model);
    let thinking = Thinking::of(request, generation, &turns, dropped);
    if matches!(thinking.way, Way::Budget(_)) {
        turns.iter_mut().for_each(Turn::begin_with_thinking);
    }

    let mut body = Vec::new();
    let out = &mut Writer::new(&mut body);
    out.open_object().key("model").text(&request.model);
    out.key("max_tokens").number(thinking.max_tokens);
    write_system(&system, out);
    out.key("messages").open_list();
    turns.iter().try_for_each(|turn| write_turn(turn, out))?;
    out.close_list();
    write_tools(&tools, out)?;
    write_tool_choice(request, out);
    write_sampling(request, generation, &thinking, dropped, out);
    write_stop(&request.stop, dropped, out);
    thinking.write(out);
    write_output_config(request, &thinking, dropped, out);
    write_account(request, dropped, out);
    out.key("stream").flag(request.stream);
    out.close_object();
    Ok(body)
}

/// Anthropic refuses text that is empty or white space only.
fn has_text(text: &str) -> bool {
    !text.trim().is_empty()
}

fn system<'a>(request: &'a Request, dropped: &mut Dropped) -> Vec<(&'a str, Option<CacheTtl>)> {
    let mut system: Vec<(&str, Option<CacheTtl>)> = Vec::with_capacity(request.system.len());
    for instruction in &request.system {
        match (has_text(&instruction.text), system.last_mut()) {
            (true, _) => system.push((&instruction.text, instruction.cache)),
            (false, Some((_, cache))) => *cache = instruction.cache.or(*cache),
            (false, None) if instruction.cache.is_some() => dropped.push("cache_control"),
            (false, None) => {}
        }
    }
    system
}

fn write_system(system: &[(&str, Option<CacheTtl>)], out: &mut Writer<'_>) {
    if system.is_empty() {
        return;
    }
    out.key("system").open_list();
    for (text, cache) in system {
        out.open_object();
        out.key("type").text("text");
        out.key("text").text(text);
        write_cache_control(*cache, out);
        out.close_object();
    }
    out.close_list();
}

fn write_tools(tools: &[(&Tool, Option<CacheTtl>)], out: &mut Writer<'_>) -> Result<(), Invalid> {
    if tools.is_empty() {
        return Ok(());
    }
    out.key("tools").open_list();
    for (tool, cache) in tools {
        out.open_object();
        out.key("name").text(tool_name(&tool.name, "tools")?);
        out.text_if("description", tool.description.as_deref());
        out.key("input_schema");
        write_schema(tool, out)?;
        out.flag_if("strict", tool.strict);
        write_cache_control(*cache, out);
        out.close_object();
    }
    out.close_list();
    Ok(())
}

/// A tool under another name would be called by it, so a name that Anthropic refuses cannot be changed here.
fn tool_name<'a>(name: &'a str, field: &str) -> Result<&'a str, Invalid> {
    let takes = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if (1..=MAX_TOOL_NAME).contains(&name.len()) && name.bytes().all(takes) {
        return Ok(name);
    }
    Err(Invalid::new(field, "the name of a tool must be 1 to 128 letters, digits, _ or - for this provider"))
}

/// Anthropic requires a schema, with a type.
fn write_schema(tool: &Tool, out: &mut Writer<'_>) -> Result<(), Invalid> {
    match tool.schema()? {
        Some(schema) => out.raw(schema),
        None => write_no_parameters(out),
    }
    Ok(())
}

/// Whether calls may be parallel is part of the choice here, so wishing for that alone makes it `auto`. Without tools
/// Anthropic refuses any choice.
fn write_tool_choice(request: &Request, out: &mut Writer<'_>) {
    if request.tools.is_empty() || (request.tool_choice.is_none() && request.parallel_tool_calls.is_none()) {
        return;
    }
    let (kind, name) = match request.tool_choice.as_ref().unwrap_or(&ToolChoice::Auto) {
        ToolChoice::Auto => ("auto", None),
        ToolChoice::Required => ("any", None),
        ToolChoice::Named(name) => ("tool", Some(name.as_str())),
        ToolChoice::None => ("none", None),
    };
    out.key("tool_choice").open_object();
    out.key("type").text(kind);
    out.text_if("name", name);
    if let Some(parallel) = request.parallel_tool_calls.filter(|_| kind != "none") {
        out.key("disable_parallel_tool_use").flag(!parallel);
    }
    out.close_object();
}

fn write_sampling(
    request: &Request,
    generation: Generation,
    thinking: &Thinking,
    dropped: &mut Dropped,
    out: &mut Writer<'_>,
) {
    let sampling = &request.sampling;
    let newest = generation == Generation::Adaptive;
    let mut keep = |takes: bool, name: &'static str, number: Option<f64>| {
        number.filter(|_| {
            dropped.push_if(!takes, name);
            takes
        })
    };
    // Thinking wants the usual temperature.
    let temperature = keep(!newest && !thinking.is_on(), "temperature", sampling.temperature);
    // Claudes before 4.7 take the one or the other.
    let alone = temperature.is_none() || generation == Generation::Other;
    let beside_thinking = sampling.top_p.is_none_or(|top_p| !thinking.is_on() || top_p >= MIN_TOP_P_OF_THINKING);
    let top_p = keep(!newest && alone && beside_thinking, "top_p", sampling.top_p);
    let takes_top_k = !newest && !thinking.is_on();
    if let Some(temperature) = temperature {
        dropped.push_if(temperature > MAX_TEMPERATURE, "temperature");
        out.key("temperature").float(temperature.min(MAX_TEMPERATURE));
    }
    out.float_if("top_p", top_p);
    match sampling.top_k {
        Some(top_k) if takes_top_k => out.key("top_k").number(top_k),
        Some(_) => dropped.push("top_k"),
        None => {}
    }
    for (asked, name) in [
        (sampling.frequency_penalty.is_some(), "frequency_penalty"),
        (sampling.presence_penalty.is_some(), "presence_penalty"),
        (sampling.seed.is_some(), "seed"),
    ] {
        dropped.push_if(asked, name);
    }
}

/// Anthropic refuses a stop sequence of white space only, which others allow.
fn write_stop(stop: &[String], dropped: &mut Dropped, out: &mut Writer<'_>) {
    dropped.push_if(stop.iter().any(|stop| !has_text(stop)), "stop");
    if stop.iter().any(|stop| has_text(stop)) {
        out.key("stop_sequences").open_list();
        stop.iter().filter(|stop| has_text(stop)).for_each(|stop| out.text(stop));
        out.close_list();
    }
}

/// Anthropic's schema has no name and is always kept to; it has no JSON without a schema.
fn write_output_config(request: &Request, thinking: &Thinking, dropped: &mut Dropped, out: &mut Writer<'_>) {
    let schema = match &request.output {
        None => None,
        Some(OutputFormat::JsonSchema(output)) => Some(&*output.schema),
        Some(OutputFormat::JsonObject) => {
            dropped.push("output");
            None
        }
    };
    if schema.is_none() && thinking.effort.is_none() {
        return;
    }
    out.key("output_config").open_object();
    if let Some(effort) = thinking.effort {
        out.key("effort").text(effort.name());
    }
    if let Some(schema) = schema {
        out.key("format").open_object();
        out.key("type").text("json_schema");
        out.key("schema").raw(schema);
        out.close_object();
    }
    out.close_object();
}

/// For whom, and how it is to be served.
fn write_account(request: &Request, dropped: &mut Dropped, out: &mut Writer<'_>) {
    if let Some(user_id) = &request.end_user {
        out.key("metadata").open_object();
        out.key("user_id").text(user_id);
        out.close_object();
    }
    dropped.push_if(!request.metadata.is_empty(), "metadata");
    match request.service_tier {
        None => {}
        Some(ServiceTier::Standard) => out.key("service_tier").text("standard_only"),
        // Priority as far as the account has bought it.
        Some(ServiceTier::Priority) => out.key("service_tier").text("auto"),
        Some(_) => dropped.push("service_tier"),
    }
}

#[cfg(test)]
mod tests;
