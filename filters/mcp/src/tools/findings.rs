//! What an exchange tells of tools, for record and counters.

use tollgate_kernel::json::Digest;
use tollgate_kernel::mcp::lint::Finding;

/// What one exchange tells of tools. Names are `<server>.<tool>`, as in rules.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    /// Those with another definition than before.
    pub changed: Some16<Changed>,
    /// Those of a list in which something is suspicious.
    pub suspected: Some16<(String, Finding)>,
    /// How many of these findings nobody knew before.
    pub newly_suspected: u32,
    /// Those of a list that are held back or, in shadow, would be; and why.
    pub held: Some16<(String, &'static str)>,
}

/// A tool with another definition than before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// Its name.
    pub tool: String,
    /// The digest of what it was, or should be.
    pub was: Digest,
    /// Of what it is.
    pub digest: Digest,
}

/// How many there are, and the first 16 of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Some16<T> {
    /// The first.
    pub first: Vec<T>,
    /// How many there are.
    pub all: u32,
}

impl<T> Default for Some16<T> {
    fn default() -> Self {
        Self { first: Vec::new(), all: 0 }
    }
}

impl<T> Some16<T> {
    /// One more.
    pub fn push(&mut self, one: T) {
        self.all = self.all.saturating_add(1);
        if self.first.len() < 16 {
            self.first.push(one);
        }
    }
}
