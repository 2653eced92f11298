//! Tools of a provider's request.

use super::write::Lost;
use super::write_content::CachePoints;
use crate::bedrock_converse::model::Family;
use crate::conversation::{Part, Request, Tool, ToolChoice};
use crate::error::Invalid;
use crate::json::Json;
use serde_json::value::RawValue;

/// The schema of a tool without parameters: Bedrock requires one.
const NO_PARAMETERS: &str = r#"{"type":"object","properties":{}}"#;

/// What a tool is for that the client no longer offers.
const NOT_OFFERED: &str = "No longer available: do not call it.";

/// Whether a tool was called before. Bedrock then requires tools, whatever the client offers now.
pub(super) fn has_tool_blocks(request: &Request) -> bool {
    let is_of_tool = |part: &Part| matches!(part, Part::ToolCall(_) | Part::ToolResult(_));
    request.messages.iter().any(|message| message.parts.iter().any(is_of_tool))
}

/// Writes the tools and how to choose. Not to call any is no choice here: then tools are left out, and where they must
/// stay the choice is lost.
pub(super) fn write_tool_config(
    request: &Request,
    family: Family,
    cache_points: &mut CachePoints,
    lost: &mut Lost,
    json: &mut Json<'_>,
) -> Result<(), Invalid> {
    let none = request.tool_choice == Some(ToolChoice::None) && !request.tools.is_empty();
    if none && !has_tool_blocks(request) {
        return Ok(());
    }
    json.key("toolConfig").open_object().key("tools").open_list();
    for tool in &request.tools {
        write_tool(tool, family, lost, json)?;
        match tool.cache {
            // Nova keeps instructions and turns only.
            Some(_) if !family.is_claude(3, 5) => lost.push("cache_control"),
            Some(ttl) => cache_points.write(ttl, lost, json),
            None => {}
        }
    }
    if request.tools.is_empty() {
        write_tools_of_before(request, json);
    }
    json.close_list();
    if none {
        lost.push("tool_choice");
    } else if !request.tools.is_empty() {
        write_choice(request, json);
    }
    json.close_object();
    Ok(())
}

fn write_tool(tool: &Tool, family: Family, lost: &mut Lost, json: &mut Json<'_>) -> Result<(), Invalid> {
    let schema = tool.parameters.as_deref().map_or(NO_PARAMETERS, RawValue::get);
    if !schema.starts_with('{') {
        return Err(Invalid::new("tools", "the parameters of a tool must be a JSON object"));
    }
    let schema = if is_empty_object(schema) { NO_PARAMETERS } else { schema };
    let knows_strict = family.is_claude(4, 5) || matches!(family, Family::Openai | Family::GptOss);
    if tool.strict == Some(true) && !knows_strict {
        lost.push("tool.strict");
    }
    write_spec(&tool.name, tool.description.as_deref(), schema, tool.strict.filter(|_| knows_strict), json);
    Ok(())
}

fn write_spec(name: &str, description: Option<&str>, schema: &str, strict: Option<bool>, json: &mut Json<'_>) {
    json.open_object().key("toolSpec").open_object();
    json.key("name").text(name);
    if let Some(description) = description.filter(|description| !description.is_empty()) {
        json.key("description").text(description);
    }
    json.key("inputSchema").open_object();
    if let Ok(schema) = serde_json::from_str::<&RawValue>(schema) {
        json.key("json").raw(schema);
    }
    json.close_object();
    if let Some(strict) = strict {
        json.key("strict").flag(strict);
    }
    json.close_object();
    json.close_object();
}

fn is_empty_object(schema: &str) -> bool {
    schema.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).is_some_and(|inner| inner.trim().is_empty())
}

/// The tools that were called before, each once, when the client offers none now.
fn write_tools_of_before(request: &Request, json: &mut Json<'_>) {
    let mut names: Vec<&str> = Vec::new();
    for part in request.messages.iter().flat_map(|message| &message.parts) {
        if let Part::ToolCall(call) = part
            && names.len() < MAX_TOOLS_OF_BEFORE
            && !names.contains(&call.name.as_str())
        {
            names.push(&call.name);
            write_spec(&call.name, Some(NOT_OFFERED), NO_PARAMETERS, None, json);
        }
    }
}

/// Each is compared with all others.
const MAX_TOOLS_OF_BEFORE: usize = 128;

/// Written whenever something is said about the choice: what [`super::write_extra`] adds needs something to add to.
fn write_choice(request: &Request, json: &mut Json<'_>) {
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
