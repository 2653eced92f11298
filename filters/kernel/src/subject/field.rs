//! What there is to know of a subject.

use schemars::JsonSchema;
use tollgate_config::{Fault, Read, Value};

/// What a subject has besides its key: what a configuration, a token, a certificate or another gateway can say of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, JsonSchema)]
#[schemars(rename_all = "lowercase")]
pub enum Field {
    /// The person.
    User,
    /// The team that pays.
    Team,
    /// The product feature that asks.
    Feature,
    /// For example `production`.
    Environment,
    /// The service level that was bought.
    Tier,
    /// The agent that asks.
    Agent,
}

/// A field of the subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, JsonSchema)]
#[schemars(rename_all = "lowercase")]
pub enum SubjectField {
    /// The virtual key.
    Key,
    /// What else is known.
    #[schemars(untagged)]
    Other(Field),
}

impl Field {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::User, Self::Team, Self::Feature, Self::Environment, Self::Tier, Self::Agent];

    /// Its name, as in a [`Subject`](crate::subject::Subject).
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Team => "team",
            Self::Feature => "feature",
            Self::Environment => "environment",
            Self::Tier => "tier",
            Self::Agent => "agent",
        }
    }

    /// The field of this name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.name() == name)
    }
}

impl SubjectField {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Key,
        Self::Other(Field::User),
        Self::Other(Field::Team),
        Self::Other(Field::Feature),
        Self::Other(Field::Environment),
        Self::Other(Field::Tier),
        Self::Other(Field::Agent),
    ];

    /// Its name, as in a [`Subject`](super::Subject).
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Other(field) => field.name(),
        }
    }
}

impl Read for Field {
    fn read(value: &Value<'_>) -> Result<Self, Fault> {
        value.one_of("enum Field", &Self::ALL.map(|field| (field.name(), field)))
    }
}

impl Read for SubjectField {
    fn read(value: &Value<'_>) -> Result<Self, Fault> {
        value.one_of("enum SubjectField", &Self::ALL.map(|field| (field.name(), field)))
    }
}
