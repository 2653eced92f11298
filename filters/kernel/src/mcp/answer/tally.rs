//! What is recorded of an answer.

use super::Fault;
use crate::json::{Kind, Value};

/// What came of a request, and what else its answer brought.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// What came of the request, as the server has said.
    pub outcome: Outcome,
    /// Bytes of the answer as it came.
    pub bytes: u64,
    /// What the server asked.
    pub requests: u32,
    /// What the server said.
    pub notifications: u32,
    /// Messages that the client was not shown: second responses, responses to nothing, and what the editor kept back.
    pub dropped: u32,
    /// Entries of lists that the client was shown.
    pub shown: u32,
    /// Entries of lists that it was not shown.
    pub hidden: u32,
    /// Strings, keys and numbers that were redacted.
    pub redacted: u32,
    /// Why the answer was not passed on.
    pub fault: Option<Fault>,
}

/// What came of a request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Outcome {
    /// There was no response.
    #[default]
    None,
    /// A result.
    Result,
    /// A result that says that the tool failed: `isError`.
    ToolError,
    /// An error, with its code, if that is a whole number.
    Error(Option<i32>),
    /// Something is asked of the client first.
    InputRequired,
    /// The result will come of a task.
    Task,
    /// Part of the answer was not read: it was only watched, and too large or no message.
    Unread,
}

impl Outcome {
    /// The word in records.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Result => "result",
            Self::ToolError => "tool_error",
            Self::Error(_) => "error",
            Self::InputRequired => "input_required",
            Self::Task => "task",
            Self::Unread => "unread",
        }
    }

    pub(super) fn of_result(result: Value<'_, '_>) -> Self {
        let kind = result.get("resultType").and_then(Value::as_str);
        let task = || result.get("task").is_some_and(|task| task.get("taskId").is_some());
        match kind.as_deref() {
            Some("input_required") => Self::InputRequired,
            Some("task") => Self::Task,
            // Revision 2025-11-25 has no `resultType`.
            None if task() => Self::Task,
            _ if result.get("isError").and_then(Value::as_bool) == Some(true) => Self::ToolError,
            _ => Self::Result,
        }
    }

    pub(super) fn of_error(error: Value<'_, '_>) -> Self {
        let code = error.get("code").filter(|code| code.kind() == Kind::Number);
        Self::Error(code.and_then(|code| code.raw().parse().ok()))
    }
}
