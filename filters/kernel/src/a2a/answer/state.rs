//! States of tasks.

use std::fmt;

/// The state of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It is accepted.
    Submitted,
    /// It is worked on.
    Working,
    /// The client must say more.
    InputRequired,
    /// Somebody must authenticate. It gives nobody any right.
    AuthRequired,
    /// It is done.
    Completed,
    /// It went wrong.
    Failed,
    /// It was ended.
    Canceled,
    /// The agent does not do it.
    Rejected,
    /// Another, or none.
    Unknown,
}

/// Which states were seen.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct States(u16);

impl State {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Submitted,
        Self::Working,
        Self::InputRequired,
        Self::AuthRequired,
        Self::Completed,
        Self::Failed,
        Self::Canceled,
        Self::Rejected,
        Self::Unknown,
    ];

    /// The word in records.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Submitted => "submitted",
            Self::Working => "working",
            Self::InputRequired => "input_required",
            Self::AuthRequired => "auth_required",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Canceled => "canceled",
            Self::Rejected => "rejected",
            Self::Unknown => "unknown",
        }
    }

    /// The state that is written so: `input-required`, `TASK_STATE_INPUT_REQUIRED`.
    #[must_use]
    pub fn of_text(text: &str) -> Self {
        if text == "TASK_STATE_CANCELLED" {
            return Self::Canceled;
        }
        let is = |name: &str| match text.strip_prefix("TASK_STATE_") {
            Some(upper) => upper == name.to_ascii_uppercase(),
            None => text == name.replace('_', "-"),
        };
        Self::ALL.into_iter().find(|state| is(state.name())).unwrap_or(Self::Unknown)
    }

    /// Whether nothing more comes of a task that is in it.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Canceled | Self::Rejected)
    }

    fn bit(self) -> u16 {
        Self::ALL
            .iter()
            .position(|state| *state == self)
            .map_or(0, |at| 1_u16.checked_shl(at.try_into().unwrap_or(0)).unwrap_or(0))
    }
}

impl States {
    pub(super) fn add(&mut self, state: State) {
        self.0 |= state.bit();
    }

    /// Whether `state` was seen.
    #[must_use]
    pub fn has(self, state: State) -> bool {
        self.0 & state.bit() != 0
    }

    /// Those that were seen.
    pub fn iter(self) -> impl Iterator<Item = State> {
        State::ALL.into_iter().filter(move |state| self.has(*state))
    }
}

impl fmt::Debug for States {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}
