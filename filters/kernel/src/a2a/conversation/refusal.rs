//! Why something of a conversation is refused, and how that is told.

use crate::a2a::{Answer, Binding, Dialect, Error, Refused};
use crate::json_rpc::Id;
use crate::owned::NotNoted;

/// Why something is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// It is not there, or not the caller's: nobody learns which.
    NotThere,
    /// The context whose tasks are asked for is not there, or not the caller's: an empty list, as of a context that is not there.
    NothingToList,
    /// The agent answers in another context than the message was sent in.
    ContextReplaced,
    /// The agent answers in a context that is somebody else's.
    ContextOfAnother,
    /// It cannot be noted whose a task or a context is.
    NotNoted(NotNoted),
}

impl Refusal {
    /// The word in records.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotThere | Self::NothingToList => "not_there",
            Self::ContextReplaced => "context_replaced",
            Self::ContextOfAnother => "context_of_another",
            Self::NotNoted(why) => why.name(),
        }
    }

    /// What it says beside its code.
    #[must_use]
    pub const fn message(self) -> &'static str {
        match self {
            Self::NotThere | Self::NothingToList => "Task not found",
            Self::ContextReplaced => {
                "the agent answers in another context than it was asked in; for agents that insist on ids of their own the gateway has `conversations: table`"
            }
            Self::ContextOfAnother => "the agent answers in a context that is not the caller's",
            Self::NotNoted(NotNoted::Taken) => "the agent answers with a task that is not the caller's",
            Self::NotNoted(_) => "there is no room to note whose the task is; try again when others have ended",
        }
    }

    /// The answer to the request `id`.
    #[must_use]
    pub fn answer(self, dialect: Dialect, id: Option<&Id<'_>>) -> Answer {
        let message = self.message();
        match self {
            Self::NotThere => Error::TaskNotFound.answer(dialect, id, None),
            Self::NothingToList => nothing(dialect, id),
            Self::ContextReplaced | Self::ContextOfAnother | Self::NotNoted(NotNoted::Taken) => {
                Error::InvalidAgentResponse.answer(dialect, id, Some(message))
            }
            Self::NotNoted(_) => Refused::Limited(None).answer(dialect, id, self.name(), message),
        }
    }
}

/// An empty list.
fn nothing(dialect: Dialect, id: Option<&Id<'_>>) -> Answer {
    let list = r#"{"tasks":[],"nextPageToken":"","pageSize":0,"totalSize":0}"#;
    let body = match (dialect.binding, id) {
        (Binding::JsonRpc, Some(id)) => format!(r#"{{"jsonrpc":"2.0","id":{},"result":{list}}}"#, id.raw()),
        _ => list.to_owned(),
    };
    let content_type = "application/json";
    Answer { status: 200, grpc_status: None, content_type, retry_after: None, body: body.into_bytes() }
}
