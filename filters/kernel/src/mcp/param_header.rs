//! Which arguments of a tool are repeated in headers: its schema says so with `x-mcp-header`.

use crate::json::{Pointer, Value};
use std::fmt;

const KEY: &str = "x-mcp-header";

/// An argument that is repeated in the header `Mcp-Param-<name>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Annotation {
    /// What the header is called behind `Mcp-Param-`.
    pub name: String,
    /// Where in the arguments it stands.
    pub argument: Pointer,
}

/// A schema with an annotation that is not allowed. Clients do not show such a tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadAnnotation;

/// The annotations of an input schema.
///
/// # Errors
/// When one stands at what is no property of the arguments or of an object in them, at what is neither string, integer nor
/// boolean, or has a name that is none of a header or another's.
pub fn annotations(schema: Value<'_, '_>) -> Result<Vec<Annotation>, BadAnnotation> {
    let mut found: Vec<Annotation> = Vec::new();
    let mut left = vec![(schema, Vec::new())];
    while let Some((schema, path)) = left.pop() {
        for member in schema.members() {
            if member.is(KEY) && !path.is_empty() {
                let name = member.value.as_str().filter(|name| is_token(name) && is_primitive(schema));
                let name = name.ok_or(BadAnnotation)?.into_owned();
                if found.iter().any(|other| other.name.eq_ignore_ascii_case(&name)) {
                    return Err(BadAnnotation);
                }
                found.push(Annotation { name, argument: Pointer::of(path.clone()) });
            } else if member.is("properties") && member.value.is_object() {
                left.extend(member.value.members().map(|property| {
                    let path = path.iter().cloned().chain([property.key().into_owned()]);
                    (property.value, path.collect())
                }));
            } else if member.is(KEY) || has_annotation(member.value) {
                return Err(BadAnnotation);
            }
        }
    }
    Ok(found)
}

/// Whether something that looks like an annotation stands anywhere in `value`.
fn has_annotation(value: Value<'_, '_>) -> bool {
    let mut left = vec![value];
    while let Some(value) = left.pop() {
        if value.get(KEY).is_some() {
            return true;
        }
        left.extend(value.items());
        left.extend(value.members().map(|member| member.value));
    }
    false
}

fn is_primitive(schema: Value<'_, '_>) -> bool {
    matches!(schema.get("type").and_then(Value::as_str).as_deref(), Some("string" | "integer" | "boolean"))
}

/// RFC 9110, section 5.6.2.
fn is_token(name: &str) -> bool {
    let is_char = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !name.is_empty() && name.bytes().all(is_char)
}

impl fmt::Display for BadAnnotation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("`x-mcp-header` stands where it must not, or names no header of its own")
    }
}

impl std::error::Error for BadAnnotation {}
