//! Tools, and how the model may choose among them.

use crate::conversation::{Tool, ToolChoice};
use crate::error::Invalid;
use crate::fields::{At, Fields, read};
use serde_json::value::RawValue;

pub(super) fn read_tools(tools: Vec<&RawValue>, at: &At<'_>) -> Result<Vec<Tool>, Invalid> {
    let mut read_tools = Vec::new();
    for (index, tool) in tools.into_iter().enumerate() {
        let at = &at.item(index);
        let expected = "an object with a function that has a name";
        let mut tool: Fields<'_> = read(tool, at, expected)?;
        let only_functions = || at.fault("only function tools can be translated");
        let mut function: Fields<'_> = tool.read("function", at, expected)?.ok_or_else(only_functions)?;
        let at = &at.field("function");
        read_tools.push(Tool {
            name: function.require("name", at, "a string")?,
            description: function.read("description", at, "a string")?,
            parameters: function.take("parameters", at)?.map(ToOwned::to_owned),
            strict: function.read("strict", at, "true or false")?,
            cache: None,
        });
    }
    Ok(read_tools)
}

pub(super) fn read_choice(choice: &RawValue, at: &At<'_>) -> Result<ToolChoice, Invalid> {
    match choice.get() {
        r#""none""# => return Ok(ToolChoice::None),
        r#""auto""# => return Ok(ToolChoice::Auto),
        r#""required""# => return Ok(ToolChoice::Required),
        _ => {}
    }
    let mut choice: Fields<'_> = read(choice, at, "none, auto, required or an object that names a function")?;
    let only_functions = || at.fault("only the choice of one function can be translated");
    let mut function: Fields<'_> = choice.read("function", at, "an object")?.ok_or_else(only_functions)?;
    Ok(ToolChoice::Named(function.require("name", &at.field("function"), "a string")?))
}
