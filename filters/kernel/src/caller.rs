//! Who asks, however it was proven.

use crate::allowed::Allowed;
use crate::key_ring::KeyEntry;
use crate::subject::Subject;
use std::rc::Rc;

/// Who asks, and what proved it.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Who it is.
    pub subject: Subject,
    /// What proved it. Each says what it allows, and only what all allow is allowed.
    pub proofs: Vec<Proof>,
}

/// What proves who asks.
#[derive(Debug, Clone)]
pub enum Proof {
    /// A virtual key.
    Key(Rc<KeyEntry>),
}

impl Caller {
    /// Who has shown the key of `entry`.
    #[must_use]
    pub fn of_key(entry: Rc<KeyEntry>) -> Self {
        Self { subject: entry.subject.clone(), proofs: vec![Proof::Key(entry)] }
    }

    /// The virtual key among the proofs.
    #[must_use]
    pub fn key(&self) -> Option<&Rc<KeyEntry>> {
        self.proofs.iter().map(|Proof::Key(entry)| entry).next()
    }

    /// Whether this model may be asked for.
    ///
    /// # Errors
    /// The proof that does not allow it.
    pub fn check_model(&self, model: &str) -> Result<(), &Proof> {
        self.proofs.iter().find(|proof| !proof.models().allow(model)).map_or(Ok(()), Err)
    }
}

impl Proof {
    /// Where the configuration says what it allows.
    #[must_use]
    pub fn rule(&self) -> String {
        let Self::Key(entry) = self;
        format!("keys.{}", entry.id)
    }

    fn models(&self) -> &Allowed {
        let Self::Key(entry) = self;
        &entry.models
    }
}
