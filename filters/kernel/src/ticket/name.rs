//! Names in 8 bytes.

use crate::hex;
use sha2::{Digest, Sha256};
use std::borrow::Cow;

/// An agent's or a tier's name: how its SHA-256 begins. A ticket has no room for names, and these are no secrets: who may choose
/// them is who configures the gateway, or proves identities to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Name(pub(super) [u8; 8]);

/// Names that are known.
#[derive(Debug, Clone, Default)]
pub struct Names(Vec<(Name, String)>);

impl Name {
    /// What is not known.
    pub const NONE: Self = Self([0; 8]);

    /// Of an agent.
    #[must_use]
    pub fn of_agent(name: Option<&str>) -> Self {
        name.map_or(Self::NONE, |name| Self::of(b"agent\0", name))
    }

    /// Of a tier.
    #[must_use]
    pub fn of_tier(name: Option<&str>) -> Self {
        name.map_or(Self::NONE, |name| Self::of(b"tier\0", name))
    }

    #[inline(never)]
    fn of(kind: &[u8], name: &str) -> Self {
        let whole: [u8; 32] = Sha256::new().chain_update(kind).chain_update(name).finalize().into();
        whole.first_chunk().map_or(Self::NONE, |first| Self(*first))
    }
}

impl Names {
    /// These agents.
    pub fn of_agents<'n>(names: impl Iterator<Item = &'n str>) -> Self {
        Self(names.map(|name| (Name::of_agent(Some(name)), name.to_owned())).collect())
    }

    /// These tiers.
    pub fn of_tiers<'n>(names: impl Iterator<Item = &'n str>) -> Self {
        Self(names.map(|name| (Name::of_tier(Some(name)), name.to_owned())).collect())
    }

    /// The name, if it is known; else `#` and its digest; `?` for none. No name is written like these.
    #[must_use]
    pub fn tell(&self, name: Name) -> Cow<'_, str> {
        if name == Name::NONE {
            return "?".into();
        }
        let found = self.0.iter().find(|(known, _)| *known == name);
        found.map_or_else(|| format!("#{}", hex::write(&name.0)).into(), |(_, text)| text.as_str().into())
    }
}
