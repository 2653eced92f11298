//! What an answer carries: of each task, message and event the envelope, never the parts.

use super::{Fault, State};
use crate::a2a::member::{self, Spelling};
use crate::a2a::{Binding, Dialect, Version};
use crate::json::{Kind, Value};
use std::borrow::Cow;

/// The envelope of one of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen<'a> {
    /// What it is.
    pub what: What,
    /// Of which task. A message may be of none.
    pub task: Option<Cow<'a, str>>,
    /// Of which context, if it says so.
    pub context: Option<Cow<'a, str>>,
    /// In which state the task is, if it says so.
    pub state: Option<State>,
}

/// What an answer carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// A task, with so many artifacts.
    Task(u32),
    /// A message instead of a task.
    Message,
    /// A new state of a task.
    StatusUpdate,
    /// An artifact of a task, or more of one that has begun.
    ArtifactUpdate {
        /// It goes on with one that has begun.
        appends: bool,
    },
}

impl<'a> Seen<'a> {
    /// The one thing that the answer to a message is, or an event of a stream.
    pub(super) fn one_of(value: Value<'_, 'a>, dialect: Dialect) -> Result<Self, Fault> {
        if (dialect.binding, dialect.version) == (Binding::JsonRpc, Version::V0_3) {
            let kind = member::text(value, member::KIND)?;
            return match kind.as_deref() {
                Some("task") => Self::task(value),
                Some("message") => Self::message(value),
                Some("status-update") => Self::status(value),
                Some("artifact-update") => Self::artifact(value),
                _ => Err(Fault::Payload("kind")),
            };
        }
        let message = match dialect.version {
            Version::V0_3 => member::MESSAGE_OR_MSG,
            Version::V1_0 => member::MESSAGE,
        };
        let mut found = None;
        for spelling in [member::TASK, message, member::STATUS_UPDATE, member::ARTIFACT_UPDATE] {
            if let Some(inner) = member::object(value, spelling)?
                && found.replace((spelling, inner)).is_some()
            {
                return Err(Fault::Payload("result"));
            }
        }
        match found {
            Some((member::TASK, inner)) => Self::task(inner),
            Some((member::STATUS_UPDATE, inner)) => Self::status(inner),
            Some((member::ARTIFACT_UPDATE, inner)) => Self::artifact(inner),
            Some((_, inner)) => Self::message(inner),
            None => Err(Fault::Payload("result")),
        }
    }

    /// A task.
    pub(super) fn task(value: Value<'_, 'a>) -> Result<Self, Fault> {
        let artifacts = match member::get(value, member::ARTIFACTS)? {
            None => 0,
            Some(artifacts) if artifacts.kind() == Kind::Array => {
                u32::try_from(artifacts.items().count()).unwrap_or(u32::MAX)
            }
            Some(_) => return Err(Fault::Payload("artifacts")),
        };
        Self::of_task(What::Task(artifacts), value, member::ID)
    }

    fn message(value: Value<'_, 'a>) -> Result<Self, Fault> {
        let (task, context) = (member::id(value, member::TASK_ID)?, member::id(value, member::CONTEXT_ID)?);
        Ok(Self { what: What::Message, task, context, state: None })
    }

    fn status(value: Value<'_, 'a>) -> Result<Self, Fault> {
        Self::of_task(What::StatusUpdate, value, member::TASK_ID)
    }

    fn artifact(value: Value<'_, 'a>) -> Result<Self, Fault> {
        let appends = member::flag(value, member::APPEND)?.unwrap_or_default();
        Self::of_task(What::ArtifactUpdate { appends }, value, member::TASK_ID)
    }

    fn of_task(what: What, value: Value<'_, 'a>, id: Spelling) -> Result<Self, Fault> {
        let task = member::id(value, id)?.ok_or(Fault::Payload(member::name(id)))?;
        let context = member::id(value, member::CONTEXT_ID)?;
        let status = member::object(value, member::STATUS)?;
        let state = status.map(|status| member::text(status, member::STATE)).transpose()?.flatten();
        Ok(Self { what, task: Some(task), context, state: state.map(|state| State::of_text(&state)) })
    }
}
