//! The tools of a client's request, and how the model may choose among them.

use crate::asked::choose;
use crate::conversation::{Request, Tool, ToolChoice};
use crate::error::Invalid;
use crate::fields::{At, Fields, raw_object, read};
use serde_json::value::RawValue;

/// Fields of functions that no other format has a place for.
const FUNCTION_FIELDS: [&str; 4] = ["allowed_callers", "async", "defer_loading", "output_schema"];

/// Tools that are no functions; the `type` of some goes on with a date. Without them the request asks the same, of a
/// model that can do less.
const OTHER_TOOLS: [&str; 13] = [
    "web_search",
    "file_search",
    "code_interpreter",
    "image_generation",
    "mcp",
    "computer",
    "custom",
    "local_shell",
    "shell",
    "apply_patch",
    "namespace",
    "tool_search",
    "programmatic_tool_calling",
];

/// Takes `tools`, `tool_choice` and `parallel_tool_calls`.
pub(super) fn read_all(fields: &mut Fields<'_>, at: &At<'_>, request: &mut Request) -> Result<(), Invalid> {
    if let Some(tools) = fields.read("tools", at, "an array of objects")? {
        read_tools(tools, &at.field("tools"), request)?;
    }
    let parallel = fields.read("parallel_tool_calls", at, "true or false")?;
    if let Some(choice) = fields.take("tool_choice", at)? {
        read_choice(choice, &at.field("tool_choice"), request)?;
    }
    // Without tools there is nothing to choose from, and other formats refuse the choice.
    if !request.tools.is_empty() {
        request.parallel_tool_calls = parallel;
    }
    Ok(())
}

fn read_tools(tools: Vec<Fields<'_>>, at: &At<'_>, request: &mut Request) -> Result<(), Invalid> {
    for (index, mut tool) in tools.into_iter().enumerate() {
        let at = &at.item(index);
        let kind: String = tool.require("type", at, "a string")?;
        if kind != "function" {
            let name = OTHER_TOOLS.into_iter().find(|known| kind.starts_with(known));
            request.note_dropped(name.unwrap_or("server_tools"));
            continue;
        }
        let parameters = match tool.take("parameters", at)? {
            Some(schema) => Some(raw_object(schema, &at.field("parameters"))?.to_owned()),
            None => None,
        };
        request.tools.push(Tool {
            name: tool.require("name", at, "a string")?,
            description: tool.read("description", at, "a string")?,
            parameters,
            // Other formats say `false` by saying nothing. Nothing said means here: strict, if the schema can be made
            // so; which for others, who refuse a schema that cannot, is nothing too.
            strict: tool.read("strict", at, "true or false")?.filter(|strict| *strict),
            cache: None,
        });
        tool.leave_out(&FUNCTION_FIELDS, at, request)?;
    }
    Ok(())
}

fn read_choice(choice: &RawValue, at: &At<'_>, request: &mut Request) -> Result<(), Invalid> {
    let choice = match choice.get() {
        r#""none""# => ToolChoice::None,
        r#""auto""# => ToolChoice::Auto,
        r#""required""# => ToolChoice::Required,
        _ => read_choice_object(choice, at, request)?,
    };
    choose(choice, at, request)
}

fn read_choice_object(choice: &RawValue, at: &At<'_>, request: &mut Request) -> Result<ToolChoice, Invalid> {
    let mut choice: Fields<'_> = read(choice, at, "none, auto, required or an object that names a tool")?;
    let kind: String = choice.require("type", at, "a string")?;
    match kind.as_str() {
        "function" => Ok(ToolChoice::Named(choice.require("name", at, "a string")?)),
        "allowed_tools" => {
            let mode: String = choice.require("mode", at, "auto or required")?;
            allow_only(choice.require("tools", at, "an array of objects")?, &at.field("tools"), request)?;
            Ok(if mode == "required" { ToolChoice::Required } else { ToolChoice::Auto })
        }
        _ => Err(at.fault("asks for a tool that cannot be carried to another provider")),
    }
}

/// Allowing some of the tools keeps the others in the provider's prompt cache; to the model it is the same as having
/// only these.
fn allow_only(allowed: Vec<Fields<'_>>, at: &At<'_>, request: &mut Request) -> Result<(), Invalid> {
    let mut names: Vec<String> = Vec::with_capacity(allowed.len());
    for (index, mut tool) in allowed.into_iter().enumerate() {
        names.extend(tool.read("name", &at.item(index), "a string")?);
    }
    request.tools.retain(|tool| names.contains(&tool.name));
    Ok(())
}
