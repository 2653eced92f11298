//! What a client asks for, as far as formats read it alike.

use crate::conversation::{CacheTtl, Effort, Part, Request, ToolChoice};
use crate::error::Invalid;
use crate::fields::{At, Fields, read};

/// The client's labels.
pub(crate) fn labels(labels: &Fields<'_>, at: &At<'_>) -> Result<Vec<(String, String)>, Invalid> {
    let mut pairs = Vec::new();
    for (name, value) in labels.iter() {
        // The names are the client's own text, so no fault quotes them.
        pairs.push((name.to_owned(), read(value, at, "an object of strings")?));
    }
    Ok(pairs)
}

/// Takes `name`, an effort as OpenAI calls it.
pub(crate) fn effort(fields: &mut Fields<'_>, name: &str, at: &At<'_>) -> Result<Option<Effort>, Invalid> {
    let Some(effort) = fields.read::<String>(name, at, "a string")? else { return Ok(None) };
    let unknown = || at.field(name).fault("must be none, minimal, low, medium, high, xhigh or max");
    Effort::of_name(&effort).map(Some).ok_or_else(unknown)
}

/// Takes over a choice among the tools that were read.
pub(crate) fn choose(choice: ToolChoice, at: &At<'_>, request: &mut Request) -> Result<(), Invalid> {
    let can_be_met = match &choice {
        ToolChoice::Named(name) => request.tools.iter().any(|tool| tool.name == *name),
        ToolChoice::Required => !request.tools.is_empty(),
        ToolChoice::Auto | ToolChoice::None => true,
    };
    if !can_be_met {
        return Err(at.fault("asks for a tool that is not there or cannot be carried to another provider"));
    }
    // Without tools there is nothing to choose from, and other formats refuse the choice.
    if !request.tools.is_empty() {
        request.tool_choice = Some(choice);
    }
    Ok(())
}

/// Takes the breakpoints out of a tool's result. One inside is one after it: the rest of the result is not worth a prompt
/// of its own.
pub(crate) fn take_breakpoints(content: &mut Vec<Part>) -> Option<CacheTtl> {
    let mut cache = None;
    content.retain(|part| match part {
        Part::CacheBreakpoint(ttl) => {
            cache = Some(*ttl);
            false
        }
        _ => true,
    });
    cache
}
