//! Lists, and what is left out of them.

use super::{Editor, Fault, Shown, Tally};
use crate::json::{Edits, Kind, Value};
use crate::mcp::Method;
use std::borrow::Cow;

/// A list that a client asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum List {
    /// `tools/list`.
    Tools,
    /// `prompts/list`.
    Prompts,
    /// `resources/list`.
    Resources,
    /// `resources/templates/list`.
    Templates,
}

/// An entry of a list.
#[derive(Debug, Clone)]
pub struct Entry<'d, 'a> {
    /// Of which.
    pub list: List,
    /// Its `name`, `uri` or `uriTemplate`.
    pub name: Cow<'a, str>,
    /// An object.
    pub value: Value<'d, 'a>,
}

impl List {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Tools, Self::Prompts, Self::Resources, Self::Templates];

    /// The list that `method` asks for.
    #[must_use]
    pub const fn of_method(method: Method) -> Option<Self> {
        match method {
            Method::ToolsList => Some(Self::Tools),
            Method::PromptsList => Some(Self::Prompts),
            Method::ResourcesList => Some(Self::Resources),
            Method::TemplatesList => Some(Self::Templates),
            _ => None,
        }
    }

    /// Where in the result it stands.
    const fn key(self) -> &'static str {
        match self {
            Self::Tools => "tools",
            Self::Prompts => "prompts",
            Self::Resources => "resources",
            Self::Templates => "resourceTemplates",
        }
    }

    /// What names an entry.
    const fn name_key(self) -> &'static str {
        match self {
            Self::Tools | Self::Prompts => "name",
            Self::Resources => "uri",
            Self::Templates => "uriTemplate",
        }
    }
}

/// Which of the lists `result` has.
pub(super) fn lists(result: Value<'_, '_>) -> impl Iterator<Item = List> {
    List::ALL.into_iter().filter(move |list| result.members().any(|it| it.is(list.key()) || it.resembles(list.key())))
}

/// Leaves out of `list`, which `result` is, what the client is not shown.
pub(super) fn filter<'a>(
    list: List,
    result: Value<'_, 'a>,
    editor: &mut dyn Editor,
    edits: &mut Edits,
    tally: &mut Tally,
) -> Result<(), Fault> {
    let array = member(result, list.key())?.filter(|array| array.kind() == Kind::Array).ok_or(Fault::NotAList)?;
    let entries = array.items().map(|value| entry(list, value)).collect::<Result<Vec<_>, _>>()?;
    let mut names: Vec<_> = entries.iter().map(|entry| &entry.name).collect();
    names.sort_unstable();
    if names.array_windows().any(|[one, other]| one == other) {
        return Err(Fault::DuplicateEntry);
    }
    let mut left_out = Vec::new();
    for entry in &entries {
        let is_hidden = editor.entry(entry) == Shown::No;
        let count = if is_hidden { &mut tally.hidden } else { &mut tally.shown };
        *count = count.saturating_add(1);
        left_out.push((entry.value.range(), is_hidden));
    }
    edits.leave_out(&left_out);
    Ok(())
}

fn entry<'d, 'a>(list: List, value: Value<'d, 'a>) -> Result<Entry<'d, 'a>, Fault> {
    let name = member(value, list.name_key())?.and_then(Value::as_str).ok_or(Fault::NotAnEntry)?;
    Ok(Entry { list, name, value })
}

/// The member `key`, if no other could be taken for it.
pub(super) fn member<'d, 'a>(of: Value<'d, 'a>, key: &str) -> Result<Option<Value<'d, 'a>>, Fault> {
    if of.members().any(|member| member.resembles(key)) {
        return Err(Fault::ResemblingKey);
    }
    Ok(of.get(key))
}
