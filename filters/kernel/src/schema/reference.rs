//! Where references lead: within the document.

use super::budget::{Budget, TooMuch};
use super::compile::Source;
use super::{Check, Id, Schema, Unsupported, Why};
use crate::json::{Kind, Value};

/// Whether `#` is another place within `schema`.
pub(super) fn begins_resource(schema: Value<'_, '_>) -> bool {
    schema.get("$id").and_then(Value::as_str).is_some_and(|id| !id.starts_with('#'))
}

/// What `reference`, a value of `$ref`, leads to. `base` is what `#` is.
pub(super) fn resolve<'d, 'a>(
    reference: Value<'d, 'a>,
    base: Value<'d, 'a>,
    budget: &mut Budget,
) -> Result<Source<'d, 'a>, Unsupported> {
    let text = reference.as_str().ok_or_else(|| Why::Malformed("$ref").at(reference))?;
    let fragment = text.strip_prefix('#').ok_or_else(|| Why::Remote.at(reference))?;
    let fragment = decoded(fragment).ok_or_else(|| Why::Malformed("$ref").at(reference))?;
    let target = match fragment.strip_prefix('/') {
        _ if fragment.is_empty() => Ok(Some(Source { value: base, base })),
        Some(pointer) => pointed(base, pointer, budget),
        None => anchored(base, &fragment, budget),
    };
    target.map_err(|TooMuch| Why::TooLarge.at(reference))?.ok_or_else(|| Why::NoTarget.at(reference))
}

/// A fragment without the escapes of URIs.
fn decoded(fragment: &str) -> Option<String> {
    let mut parts = fragment.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let (digits, rest) = part.split_at_checked(2)?;
        let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        bytes.push(u8::from_str_radix(digits, 16).ok().filter(|_| is_hex)?);
        bytes.extend_from_slice(rest.as_bytes());
    }
    String::from_utf8(bytes).ok()
}

type Found<'d, 'a> = Result<Option<Source<'d, 'a>>, TooMuch>;

fn pointed<'d, 'a>(base: Value<'d, 'a>, pointer: &str, budget: &mut Budget) -> Found<'d, 'a> {
    let mut source = Source { value: base, base };
    for key in pointer.split('/') {
        let key = key.replace("~1", "/").replace("~0", "~");
        let value = match source.value.kind() {
            Kind::Array => key.parse().ok().and_then(|index| source.value.items().nth(index)),
            _ => source.value.get(&key),
        };
        budget.spend(size(source.value))?;
        let Some(value) = value else { return Ok(None) };
        budget.spend(size(value))?;
        source = Source { value, base: if begins_resource(value) { value } else { source.base } };
    }
    Ok(Some(source))
}

/// The schema in `base` with this name.
fn anchored<'d, 'a>(base: Value<'d, 'a>, name: &str, budget: &mut Budget) -> Found<'d, 'a> {
    let mut pending = vec![base];
    while let Some(value) = pending.pop() {
        budget.spend(size(value))?;
        // What only looks like a schema may have anything.
        let values = value.members().filter(|member| !member.is("enum") && !member.is("const"));
        let inside = values.map(|member| member.value).chain(value.items());
        pending.extend(inside.filter(|value| !begins_resource(*value)));
        let is = |key| value.get(key).and_then(Value::as_str).is_some_and(|anchor| anchor == name);
        let old = || value.get("$id").and_then(Value::as_str).is_some_and(|id| id.strip_prefix('#') == Some(name));
        if is("$anchor") || is("$dynamicAnchor") || old() {
            return Ok(Some(Source { value, base }));
        }
    }
    Ok(None)
}

/// How many steps it takes to go through it.
fn size(value: Value<'_, '_>) -> usize {
    value.members().count().saturating_add(value.items().count()).saturating_add(1)
}

impl Schema {
    /// One of the schemas that ask for themselves, of the same value, again and again.
    pub(super) fn endless(&self) -> Option<Id> {
        let mut waiting = vec![0_usize; self.nodes.len()];
        for id in self.nodes.iter().flat_map(|node| node.same_value()) {
            if let Some(count) = waiting.get_mut(id.0) {
                *count = count.saturating_add(1);
            }
        }
        let free = waiting.iter().enumerate().filter(|(_, count)| **count == 0);
        let mut free: Vec<_> = free.map(|(at, _)| at).collect();
        while let Some(node) = free.pop() {
            for id in self.nodes.get(node).into_iter().flat_map(|node| node.same_value()) {
                let Some(count) = waiting.get_mut(id.0) else { continue };
                *count = count.saturating_sub(1);
                if *count == 0 {
                    free.push(id.0);
                }
            }
        }
        waiting.iter().position(|count| *count > 0).map(Id)
    }
}

impl super::Node {
    /// The schemas that it asks of the same value.
    fn same_value(&self) -> impl Iterator<Item = Id> {
        self.checks.iter().flat_map(|check| match check {
            Check::All(ids) | Check::Any(ids) | Check::ExactlyOne(ids) => ids.clone(),
            Check::DependentSchemas(schemas) => schemas.iter().map(|(_, id)| *id).collect(),
            Check::Not(id) | Check::Reference(id) => vec![*id],
            Check::If { condition, then, otherwise } => {
                [Some(*condition), *then, *otherwise].into_iter().flatten().collect()
            }
            _ => Vec::new(),
        })
    }
}
