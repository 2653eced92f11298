//! What is wrong with a configuration.

use std::fmt;

/// What is wrong, and where: `gate.keys[0].id: must not have the character `_``.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault(String);

impl Fault {
    #[cold]
    #[inline(never)]
    pub(crate) fn new(path: &str, reason: &str) -> Self {
        if path.is_empty() { Self(reason.to_owned()) } else { Self([path, ": ", reason].concat()) }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Fault {}
