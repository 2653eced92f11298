//! A conversation into a request body.

use crate::conversation::{OutputFormat, Request, Tool, ToolChoice};
use crate::dropped::Dropped;
use crate::error::Invalid;
use crate::openai_chat::request::write_messages::write_messages;
use crate::openai_chat::usage::tier_name;
use crate::openai_models::keep_what_is_understood;
use tollgate_kernel::json::Writer;

/// What the schema of an answer is called where the client's format has no names.
const SCHEMA_NAME: &str = "answer";

/// Writes a whole request body; see [`Format::write_request`](crate::Format::write_request).
///
/// # Errors
/// When a picture or document stands at an address that only another provider can read.
pub fn write_request(request: &mut Request) -> Result<Vec<u8>, Invalid> {
    keep_what_is_understood(request);
    let mut body = Vec::new();
    let mut dropped = Dropped::default();
    let json = &mut Writer::new(&mut body);
    json.open_object();
    json.key("model").text(&request.model);
    write_messages(request, json, &mut dropped)?;
    write_tools(request, json, &mut dropped);
    write_settings(request, json, &mut dropped);
    if request.stream {
        json.key("stream").flag(true);
        // Without it a stream has no usage and nobody knows what it cost.
        json.key("stream_options").open_object();
        json.key("include_usage").flag(true);
        json.close_object();
    }
    json.close_object();
    dropped.note_in(request);
    Ok(body)
}

fn write_tools(request: &Request, json: &mut Writer<'_>, dropped: &mut Dropped) {
    // OpenAI refuses a choice, and how many at once, where there are no tools.
    if request.tools.is_empty() {
        return;
    }
    json.key("tools").open_list();
    for tool in &request.tools {
        write_tool(tool, json);
    }
    json.close_list();
    dropped.push_if(request.tools.iter().any(|tool| tool.cache.is_some()), "cache_control");
    if let Some(choice) = &request.tool_choice {
        json.key("tool_choice");
        match choice {
            ToolChoice::Auto => json.text("auto"),
            ToolChoice::None => json.text("none"),
            ToolChoice::Required => json.text("required"),
            ToolChoice::Named(name) => {
                open_function(name, json);
                json.close_object();
                json.close_object();
            }
        }
    }
    json.flag_if("parallel_tool_calls", request.parallel_tool_calls);
}

/// Opens two objects, that of the type and that of the function.
fn open_function(name: &str, json: &mut Writer<'_>) {
    json.open_object();
    json.key("type").text("function");
    json.key("function").open_object();
    json.key("name").text(name);
}

fn write_tool(tool: &Tool, json: &mut Writer<'_>) {
    open_function(&tool.name, json);
    json.text_if("description", tool.description.as_deref());
    if let Some(parameters) = &tool.parameters {
        json.key("parameters").raw(parameters);
    }
    json.flag_if("strict", tool.strict);
    json.close_object();
    json.close_object();
}

fn write_settings(request: &Request, json: &mut Writer<'_>, dropped: &mut Dropped) {
    let sampling = &request.sampling;
    json.number_if("max_completion_tokens", request.max_output_tokens);
    for (name, value) in [
        ("temperature", sampling.temperature),
        ("top_p", sampling.top_p),
        ("frequency_penalty", sampling.frequency_penalty),
        ("presence_penalty", sampling.presence_penalty),
    ] {
        json.float_if(name, value);
    }
    if let Some(seed) = sampling.seed {
        json.key("seed").signed(seed);
    }
    dropped.push_if(sampling.top_k.is_some(), "top_k");
    if !request.stop.is_empty() {
        json.key("stop").open_list();
        request.stop.iter().for_each(|stop| json.text(stop));
        json.close_list();
    }
    write_reasoning(request, json, dropped);
    if let Some(output) = &request.output {
        write_output(output, json);
    }
    json.text_if("user", request.end_user.as_deref());
    // OpenAI takes labels only of answers that it stores, and nobody asked it to.
    dropped.push_if(!request.metadata.is_empty(), "metadata");
    if let Some(tier) = request.service_tier {
        match tier_name(tier) {
            Some(name) => json.key("service_tier").text(name),
            None => dropped.push("service_tier"),
        }
    }
}

fn write_reasoning(request: &Request, json: &mut Writer<'_>, dropped: &mut Dropped) {
    let Some(reasoning) = request.reasoning else { return };
    json.key("reasoning_effort").text(reasoning.as_effort().name());
    dropped.push_if(reasoning.shown == Some(true), "reasoning");
}

fn write_output(output: &OutputFormat, json: &mut Writer<'_>) {
    json.key("response_format").open_object();
    match output {
        OutputFormat::JsonObject => json.key("type").text("json_object"),
        OutputFormat::JsonSchema(schema) => {
            json.key("type").text("json_schema");
            json.key("json_schema").open_object();
            json.key("name").text(schema.name.as_deref().unwrap_or(SCHEMA_NAME));
            json.text_if("description", schema.description.as_deref());
            json.key("schema").raw(&schema.schema);
            json.flag_if("strict", schema.strict);
            json.close_object();
        }
    }
    json.close_object();
}
