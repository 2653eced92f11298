//! Revisions of the protocol.

/// A revision of MCP that is spoken over Streamable HTTP. Later ones are greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Revision {
    /// 2025-03-26.
    March2025,
    /// 2025-06-18.
    June2025,
    /// 2025-11-25, the last one with sessions.
    November2025,
    /// 2026-07-28, in which every request stands for itself.
    July2026,
}

impl Revision {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::March2025, Self::June2025, Self::November2025, Self::July2026];

    /// That of a request that names none: the last one that had no header for it.
    pub const WITHOUT_HEADER: Self = Self::March2025;

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::March2025 => "2025-03-26",
            Self::June2025 => "2025-06-18",
            Self::November2025 => "2025-11-25",
            Self::July2026 => "2026-07-28",
        }
    }

    /// The revision of this name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|revision| revision.name() == name)
    }

    /// Whether it has no sessions: every request says revision and capabilities, and headers repeat its body.
    #[must_use]
    pub fn is_stateless(self) -> bool {
        self >= Self::July2026
    }
}
