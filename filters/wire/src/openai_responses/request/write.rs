//! The conversation into a provider's body.

use super::write_input::Items;
use crate::conversation::{Effort, OutputFormat, Part, ReasoningRequest, Request, Tool, ToolChoice};
use crate::dropped::Dropped;
use crate::error::Invalid;
use crate::openai_chat::tier_name;
use crate::openai_models::keep_what_is_understood;
use crate::openai_responses::item::opened;
use tollgate_kernel::json::Writer;

/// The least bound that OpenAI takes. Clients ask for less only to see whether a model is there.
const MIN_OUTPUT_TOKENS: u64 = 16;

/// The name of a schema whose format has none: OpenAI requires one.
const SCHEMA_NAME: &str = "answer";

/// Writes a whole request body; see [`Format::write_request`](crate::Format::write_request).
///
/// # Errors
/// When leaving a part out would change what was asked.
pub fn write_request(request: &mut Request) -> Result<Vec<u8>, Invalid> {
    keep_what_is_understood(request);
    let (mut out, mut dropped) = (Vec::new(), Dropped::default());
    let json = &mut Writer::new(&mut out);
    json.open_object();
    json.key("model").text(&request.model);
    write_input(request, json, &mut dropped)?;
    write_tools(request, json, &mut dropped);
    if let Some(bound) = request.max_output_tokens {
        json.key("max_output_tokens").number(bound.max(MIN_OUTPUT_TOKENS));
    }
    write_sampling(request, json, &mut dropped);
    if let Some(reasoning) = request.reasoning {
        write_reasoning(reasoning, json);
    }
    if let Some(output) = &request.output {
        write_output(output, json);
    }
    json.text_if("user", request.end_user.as_deref());
    write_metadata(&request.metadata, json);
    if let Some(tier) = request.service_tier {
        match tier_name(tier) {
            Some(name) => json.key("service_tier").text(name),
            None => dropped.push("service_tier"),
        }
    }
    // The client has the whole conversation and sends it each time, so nothing is to be kept at the provider. What the
    // model thought is then kept nowhere, unless it is in the answer. A model that cannot reason refuses to be asked
    // for that.
    json.key("store").flag(false);
    if may_reason(request) {
        json.key("include").open_list().text("reasoning.encrypted_content");
        json.close_list();
    }
    if request.stream {
        json.key("stream").flag(true);
    }
    json.close_object();
    dropped.note_in(request);
    Ok(out)
}

fn may_reason(request: &Request) -> bool {
    let reasoned = |part: &Part| match part {
        Part::Reasoning(reasoning) => reasoning.seal.as_ref().and_then(opened).is_some(),
        _ => false,
    };
    match request.reasoning {
        Some(reasoning) => reasoning.as_effort() != Effort::None,
        None => request.messages.iter().flat_map(|message| &message.parts).any(reasoned),
    }
}

/// One instruction is `instructions`. More of them, and one that is to be cached, are messages.
fn write_input(request: &Request, json: &mut Writer<'_>, dropped: &mut Dropped) -> Result<(), Invalid> {
    let mut system = request.system.as_slice();
    if let [only] = system
        && only.cache.is_none()
    {
        json.key("instructions").text(&only.text);
        system = &[];
    }
    json.key("input").open_list();
    let mut items = Items { json, dropped };
    for instruction in system {
        items.instruction(instruction);
    }
    for message in &request.messages {
        items.turn(message)?;
    }
    if request.messages.is_empty() {
        return Err(Invalid::new("messages", "needs at least one message"));
    }
    json.close_list();
    Ok(())
}

fn write_tools(request: &Request, json: &mut Writer<'_>, dropped: &mut Dropped) {
    // Without tools a choice among them is refused.
    if request.tools.is_empty() {
        return;
    }
    json.key("tools").open_list();
    for tool in &request.tools {
        write_tool(tool, json);
        dropped.push_if(tool.cache.is_some(), "cache_control");
    }
    json.close_list();
    match &request.tool_choice {
        None => {}
        Some(ToolChoice::Auto) => json.key("tool_choice").text("auto"),
        Some(ToolChoice::None) => json.key("tool_choice").text("none"),
        Some(ToolChoice::Required) => json.key("tool_choice").text("required"),
        Some(ToolChoice::Named(name)) => {
            json.key("tool_choice").open_object();
            json.key("type").text("function");
            json.key("name").text(name);
            json.close_object();
        }
    }
    json.flag_if("parallel_tool_calls", request.parallel_tool_calls);
}

fn write_tool(tool: &Tool, json: &mut Writer<'_>) {
    let strict = tool.strict.unwrap_or(false);
    json.open_object();
    json.key("type").text("function");
    json.key("name").text(&tool.name);
    json.text_if("description", tool.description.as_deref());
    json.key("parameters");
    match &tool.parameters {
        Some(schema) => json.raw(schema),
        None => write_no_parameters(strict, json),
    }
    // Left out it means true here, and false in every other format.
    json.key("strict").flag(strict);
    json.close_object();
}

/// The schema of a tool without parameters: OpenAI requires one.
fn write_no_parameters(strict: bool, json: &mut Writer<'_>) {
    json.open_object().key("type").text("object");
    json.key("properties").open_object().close_object();
    if strict {
        json.key("additionalProperties").flag(false);
    }
    json.close_object();
}

fn write_sampling(request: &Request, json: &mut Writer<'_>, dropped: &mut Dropped) {
    let sampling = &request.sampling;
    for (name, number) in [("temperature", sampling.temperature), ("top_p", sampling.top_p)] {
        json.float_if(name, number);
    }
    for (name, is_asked) in [
        ("stop", !request.stop.is_empty()),
        ("top_k", sampling.top_k.is_some()),
        ("frequency_penalty", sampling.frequency_penalty.is_some_and(|penalty| penalty != 0.0)),
        ("presence_penalty", sampling.presence_penalty.is_some_and(|penalty| penalty != 0.0)),
        ("seed", sampling.seed.is_some()),
    ] {
        dropped.push_if(is_asked, name);
    }
}

fn write_reasoning(reasoning: ReasoningRequest, json: &mut Writer<'_>) {
    json.key("reasoning").open_object();
    json.key("effort").text(reasoning.as_effort().name());
    json.text_if("summary", (reasoning.shown == Some(true)).then_some("auto"));
    json.close_object();
}

fn write_output(output: &OutputFormat, json: &mut Writer<'_>) {
    json.key("text").open_object();
    json.key("format").open_object();
    match output {
        OutputFormat::JsonObject => json.key("type").text("json_object"),
        OutputFormat::JsonSchema(schema) => {
            json.key("type").text("json_schema");
            json.key("name").text(schema.name.as_deref().unwrap_or(SCHEMA_NAME));
            json.text_if("description", schema.description.as_deref());
            json.key("schema").raw(&schema.schema);
            json.flag_if("strict", schema.strict);
        }
    }
    json.close_object();
    json.close_object();
}

fn write_metadata(metadata: &[(String, String)], json: &mut Writer<'_>) {
    if metadata.is_empty() {
        return;
    }
    json.key("metadata").open_object();
    for (name, value) in metadata {
        json.key(name).text(value);
    }
    json.close_object();
}
