//! The skill that a message declares.
//!
//! The protocol has no place for it (versions 0.3 and 1.0). Agents agree on a key of `metadata`, of the message or of the request,
//! or on an extension, whose URI is then the key. What is declared is declared, not proven: the agent may do something else.

use super::Reason;
use super::id::is_id;
use super::member;
use crate::json::{Kind, Value};
use schemars::JsonSchema;
use std::borrow::Cow;
use std::fmt;
use tollgate_config::{Fault, Read};

const MAX_KEYS: usize = 16;
const MAX_KEY: usize = 256;
/// In the object of an extension.
const SKILL: [&str; 3] = ["skill", "skillId", "skill_id"];

/// The keys of metadata under which a skill stands: its name, or an object whose `skill`, `skillId` or `skill_id` is its name.
/// Default: those three.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema)]
#[schemars(try_from = "Vec<String>")]
#[schemars(extend("minItems" = 1, "maxItems" = 16))]
pub struct SkillKeys(Vec<String>);

/// Not 1 to 16 keys of 1 to 256 visible characters of ASCII.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotKeys;

impl SkillKeys {
    /// The skill that these metadata declare. Those that declare one must declare the same.
    pub(super) fn find<'a>(&self, metadata: &[Value<'_, 'a>]) -> Result<Option<Cow<'a, str>>, Reason> {
        let mut skill: Option<Cow<'a, str>> = None;
        for object in metadata {
            for member in object.members() {
                if !self.0.iter().any(|key| member.is(key)) {
                    if self.0.iter().any(|key| member.resembles(key)) {
                        return Err(Reason::ResemblingKey);
                    }
                    continue;
                }
                let Some(named) = named(member.value)? else { continue };
                if skill.as_ref().is_some_and(|skill| *skill != named) {
                    return Err(Reason::Skills);
                }
                skill = Some(named);
            }
        }
        Ok(skill)
    }
}

fn named<'a>(value: Value<'_, 'a>) -> Result<Option<Cow<'a, str>>, Reason> {
    const SPELLING: member::Spelling = &SKILL;
    match value.kind() {
        Kind::Object => return member::id(value, SPELLING),
        Kind::Null => return Ok(None),
        _ => {}
    }
    value.as_str().filter(|name| is_id(name)).map(Some).ok_or(Reason::Parameter("skill"))
}

impl Default for SkillKeys {
    fn default() -> Self {
        Self(SKILL.map(str::to_owned).to_vec())
    }
}

impl TryFrom<Vec<String>> for SkillKeys {
    type Error = NotKeys;

    fn try_from(keys: Vec<String>) -> Result<Self, NotKeys> {
        let is_key =
            |key: &String| (1..=MAX_KEY).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
        if (1..=MAX_KEYS).contains(&keys.len()) && keys.iter().all(is_key) { Ok(Self(keys)) } else { Err(NotKeys) }
    }
}

impl Read for SkillKeys {
    fn read(value: &tollgate_config::Value<'_>) -> Result<Self, Fault> {
        value.converted::<Vec<String>, _>()
    }
}

impl fmt::Display for NotKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("must have 1 to 16 keys of 1 to 256 visible characters of ASCII, for example `[\"skill\"]`")
    }
}

impl std::error::Error for NotKeys {}
