//! A tool, as its server lists it.

use super::param_header::{Annotation, BadAnnotation, annotations};
use crate::json::{Digest, Kind, Value};
use std::borrow::Cow;
use std::fmt;

/// What is not digested: servers write there what changes from answer to answer, and models are not shown it.
const NOT_DIGESTED: [&str; 1] = ["_meta"];
/// The members of a definition that something is decided by.
const MEMBERS: [&str; 6] = ["name", "title", "description", "inputSchema", "outputSchema", "annotations"];
const HINTS: [&str; 4] = ["readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"];

/// A tool's definition.
#[derive(Debug, Clone)]
pub struct Definition<'d, 'a> {
    /// What it is called with.
    pub name: Cow<'a, str>,
    /// What people are shown instead.
    pub title: Option<Cow<'a, str>>,
    /// What it does.
    pub description: Option<Cow<'a, str>>,
    /// What its arguments are: an object.
    pub input_schema: Value<'d, 'a>,
    /// What its structured result is: an object.
    pub output_schema: Option<Value<'d, 'a>>,
    /// What the server says of it.
    pub hints: Hints,
    /// Which arguments are repeated in headers. Clients do not show a tool with a bad one.
    pub headers: Result<Vec<Annotation>, BadAnnotation>,
    whole: Value<'d, 'a>,
}

/// What a server says of a tool. Not to be believed, unless the server is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Hints {
    /// It changes nothing.
    pub read_only: Option<bool>,
    /// It may delete or overwrite.
    pub destructive: Option<bool>,
    /// To call it twice is to call it once.
    pub idempotent: Option<bool>,
    /// It deals with what is outside.
    pub open_world: Option<bool>,
}

/// Why something is no definition of a tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadDefinition {
    /// It is no object.
    NotAnObject,
    /// This member is missing or is not what it must be.
    Member(&'static str),
    /// A key differs from a known one only in ways that some readers do not see.
    ResemblingKey,
}

/// The digest of the definition that `value` is, or is meant to be: [`Definition::digest`].
#[must_use]
pub fn digest(value: Value<'_, '_>) -> Digest {
    value.digest_without(&NOT_DIGESTED)
}

impl<'d, 'a> Definition<'d, 'a> {
    /// The definition that `value` is. What is `null` is not there: some servers write out what they do not say.
    ///
    /// # Errors
    /// When a member that something is decided by is not what it must be.
    pub fn read(value: Value<'d, 'a>) -> Result<Self, BadDefinition> {
        if !value.is_object() {
            return Err(BadDefinition::NotAnObject);
        }
        unlike(value, &MEMBERS)?;
        let text = |key| said(value, key).map(|it| it.as_str().ok_or(BadDefinition::Member(key))).transpose();
        let object = |key| {
            let value = said(value, key);
            value.map(|it| Some(it).filter(|it| it.is_object()).ok_or(BadDefinition::Member(key))).transpose()
        };
        let input_schema = object("inputSchema")?.ok_or(BadDefinition::Member("inputSchema"))?;
        Ok(Self {
            name: text("name")?.ok_or(BadDefinition::Member("name"))?,
            title: text("title")?,
            description: text("description")?,
            input_schema,
            output_schema: object("outputSchema")?,
            hints: object("annotations")?.map(Hints::read).transpose()?.unwrap_or_default(),
            headers: annotations(input_schema),
            whole: value,
        })
    }

    /// What is the same as long as the tool is. Of the whole definition, what nobody knows yet and icons included, but for
    /// `_meta`: a model may be shown any of it, and `_meta` says more of an answer than of the tool. White space, the order of
    /// keys and escapes do not matter.
    #[must_use]
    pub fn digest(&self) -> Digest {
        digest(self.whole)
    }

    /// The whole definition.
    #[must_use]
    pub const fn value(&self) -> Value<'d, 'a> {
        self.whole
    }
}

impl Hints {
    fn read(value: Value<'_, '_>) -> Result<Self, BadDefinition> {
        unlike(value, &HINTS)?;
        let hint = |key| said(value, key).map(|it| it.as_bool().ok_or(BadDefinition::Member(key))).transpose();
        let [read_only, destructive, idempotent, open_world] = HINTS.map(hint);
        Ok(Self { read_only: read_only?, destructive: destructive?, idempotent: idempotent?, open_world: open_world? })
    }

    /// Whether it changes nothing, by what is said. Not said, it may.
    #[must_use]
    pub fn is_read_only(self) -> bool {
        self.read_only == Some(true)
    }

    /// Whether it may delete or overwrite, by what is said. Not said, it may if it changes anything.
    #[must_use]
    pub fn is_destructive(self) -> bool {
        !self.is_read_only() && self.destructive != Some(false)
    }
}

fn said<'d, 'a>(object: Value<'d, 'a>, key: &str) -> Option<Value<'d, 'a>> {
    object.get(key).filter(|value| value.kind() != Kind::Null)
}

fn unlike(object: Value<'_, '_>, known: &[&str]) -> Result<(), BadDefinition> {
    let resembles = object.members().any(|member| known.iter().any(|key| member.resembles(key)));
    if resembles { Err(BadDefinition::ResemblingKey) } else { Ok(()) }
}

impl BadDefinition {
    /// The word in records.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotAnObject => "not_an_object",
            Self::Member(_) => "member",
            Self::ResemblingKey => "resembling_key",
        }
    }
}

impl fmt::Display for BadDefinition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAnObject => f.write_str("expected an object"),
            Self::Member(key) => write!(f, "`{key}` is missing or is not what it must be"),
            Self::ResemblingKey => f.write_str("a key differs from a known one only by case"),
        }
    }
}

impl std::error::Error for BadDefinition {}

#[cfg(test)]
mod tests;
