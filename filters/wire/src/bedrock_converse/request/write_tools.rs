//! Tools of a provider's request.

use super::write_content::CachePoints;
use crate::arguments::write_no_parameters;
use crate::bedrock_converse::model::Family;
use crate::conversation::{Part, Request, Tool, ToolChoice};
use crate::dropped::Dropped;
use crate::error::Invalid;
use serde_json::value::RawValue;
use tollgate_kernel::json::Writer;

/// What a tool is for that the client no longer offers.
const NOT_OFFERED: &str = "No longer available: do not call it.";

/// Whether a tool was called before. Bedrock then requires tools, whatever the client offers now.
pub(super) fn has_tool_blocks(request: &Request) -> bool {
    let is_of_tool = |part: &Part| matches!(part, Part::ToolCall(_) | Part::ToolResult(_));
    request.messages.iter().any(|message| message.parts.iter().any(is_of_tool))
}

/// Writes the tools and how to choose. Not to call any is no choice here: then tools are left out, and where they must
/// stay the choice is dropped.
pub(super) fn write_tool_config(
    request: &Request,
    family: Family,
    cache_points: &mut CachePoints,
    dropped: &mut Dropped,
    json: &mut Writer<'_>,
) -> Result<(), Invalid> {
    let none = request.tool_choice == Some(ToolChoice::None) && !request.tools.is_empty();
    if none && !has_tool_blocks(request) {
        return Ok(());
    }
    json.key("toolConfig").open_object().key("tools").open_list();
    for tool in &request.tools {
        write_tool(tool, family, dropped, json)?;
        match tool.cache {
            // Nova keeps instructions and turns only.
            Some(_) if !family.is_claude(3, 5) => dropped.push("cache_control"),
            Some(ttl) => cache_points.write(ttl, dropped, json),
            None => {}
        }
    }
    if request.tools.is_empty() {
        write_tools_of_before(request, json);
    }
    json.close_list();
    if none {
        dropped.push("tool_choice");
    } else if !request.tools.is_empty() {
        write_choice(request, json);
    }
    json.close_object();
    Ok(())
}

fn write_tool(tool: &Tool, family: Family, dropped: &mut Dropped, json: &mut Writer<'_>) -> Result<(), Invalid> {
    let schema = tool.schema()?;
    let knows_strict = family.is_claude(4, 5) || matches!(family, Family::Openai | Family::GptOss);
    dropped.push_if(tool.strict == Some(true) && !knows_strict, "tool.strict");
    write_spec(&tool.name, tool.description.as_deref(), schema, tool.strict.filter(|_| knows_strict), json);
    Ok(())
}

fn write_spec(
    name: &str,
    description: Option<&str>,
    schema: Option<&RawValue>,
    strict: Option<bool>,
    json: &mut Writer<'_>,
) {
    json.open_object().key("toolSpec").open_object();
    json.key("name").text(name);
    json.text_if("description", description.filter(|description| !description.is_empty()));
    json.key("inputSchema").open_object();
    json.key("json");
    match schema {
        Some(schema) => json.raw(schema),
        None => write_no_parameters(json),
    }
    json.close_object();
    json.flag_if("strict", strict);
    json.close_object();
    json.close_object();
}

/// The tools that were called before, each once, when the client offers none now.
fn write_tools_of_before(request: &Request, json: &mut Writer<'_>) {
    let mut names: Vec<&str> = Vec::new();
    for part in request.messages.iter().flat_map(|message| &message.parts) {
        if let Part::ToolCall(call) = part
            && names.len() < MAX_TOOLS_OF_BEFORE
            && !names.contains(&call.name.as_str())
        {
            names.push(&call.name);
            write_spec(&call.name, Some(NOT_OFFERED), None, None, json);
        }
    }
}

/// Each is compared with all others.
const MAX_TOOLS_OF_BEFORE: usize = 128;

/// Written whenever something is said about the choice: what [`super::write_extra`] adds needs something to add to.
fn write_choice(request: &Request, json: &mut Writer<'_>) {
    if request.tool_choice.is_none() && request.parallel_tool_calls.is_none() {
        return;
    }
    json.key("toolChoice").open_object();
    match &request.tool_choice {
        Some(ToolChoice::Required) => json.key("any").open_object(),
        Some(ToolChoice::Named(name)) => {
            let tool = json.key("tool").open_object();
            tool.key("name").text(name);
            tool
        }
        Some(ToolChoice::Auto | ToolChoice::None) | None => json.key("auto").open_object(),
    }
    .close_object();
    json.close_object();
}
