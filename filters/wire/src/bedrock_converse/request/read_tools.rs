//! Tools of a client's request.

use super::read_content::read_cache_point;
use super::{list, member, object};
use crate::asked::choose;
use crate::conversation::{Request, Tool, ToolChoice};
use crate::error::Invalid;
use crate::fields::{At, raw_object};
use serde_json::value::RawValue;

pub(super) fn read_tools(tools: &RawValue, at: &At<'_>, request: &mut Request) -> Result<(), Invalid> {
    for (index, tool) in list(tools, at)?.into_iter().enumerate() {
        let at = &at.item(index);
        let (kind, value) = member(tool, &["toolSpec", "cachePoint", "systemTool"], at)?;
        let at = &at.field(kind);
        match kind {
            "toolSpec" => read_tool(value, at, request)?,
            "cachePoint" => {
                let ttl = read_cache_point(value, at)?;
                match request.tools.last_mut() {
                    Some(last) => last.cache = Some(ttl),
                    None => request.note_dropped("cachePoint"),
                }
            }
            // The provider has it, and runs it.
            _ => request.note_dropped("systemTool"),
        }
    }
    Ok(())
}

fn read_tool(value: &RawValue, at: &At<'_>, request: &mut Request) -> Result<(), Invalid> {
    let mut tool = object(value, at)?;
    let schema: &RawValue = tool.require("inputSchema", at, "an object")?;
    let schema_at = &at.field("inputSchema");
    let (kind, schema) = member(schema, &["json"], schema_at)?;
    let schema_at = &schema_at.field(kind);
    let read = Tool {
        name: tool.require("name", at, "a string")?,
        description: tool.read("description", at, "a string")?,
        parameters: Some(raw_object(schema, schema_at)?.to_owned()),
        strict: tool.read("strict", at, "true or false")?,
        cache: None,
    };
    tool.leave_out(&[], at, request)?;
    request.tools.push(read);
    Ok(())
}

pub(super) fn read_tool_choice(choice: &RawValue, at: &At<'_>, request: &mut Request) -> Result<(), Invalid> {
    let (kind, value) = member(choice, &["auto", "any", "tool"], at)?;
    let at = &at.field(kind);
    let choice = match kind {
        "auto" => ToolChoice::Auto,
        "any" => ToolChoice::Required,
        _ => ToolChoice::Named(object(value, at)?.require("name", at, "a string")?),
    };
    choose(choice, at, request)
}
