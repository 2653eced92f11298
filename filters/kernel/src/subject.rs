//! Who is asking.

use crate::json::Writer;
use schemars::JsonSchema;
use serde::Serialize;
use std::borrow::Borrow;
use std::fmt;
use tollgate_config::{Fault, Read, Value, object};

mod field;

pub use field::{Field, SubjectField};

/// Who is asking, as far as it was proven. What is not known is absent, never empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Subject {
    /// The virtual key that was shown. Follows from the key's entry and cannot be configured.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(skip_deserializing)]
    pub key: Option<KeyId>,
    /// The person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<Label>,
    /// The team that pays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team: Option<Label>,
    /// The product feature that asks, for example `support-chat`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub feature: Option<Label>,
    /// For example `production`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<Label>,
    /// The service level that was bought, for example `gold`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tier: Option<Label>,
    /// The agent that asks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<Label>,
}

object!(Subject { user, team, feature, environment, tier, agent; key: None });

/// A value of a subject: 1 to 64 of letters, digits, space and `. _ : / @ + -`. Labels become metric tags and stand
/// in headers, so nothing that separates or quotes there is allowed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[schemars(try_from = "String", extend("pattern" = "^[A-Za-z0-9 ._:/@+-]{1,64}$"))]
pub struct Label(String);

/// The public name of a virtual key: 1 to 64 of letters, digits and `-`. It has no `_`, which ends it in the key's text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[schemars(try_from = "String", extend("pattern" = "^[A-Za-z0-9-]{1,64}$"))]
pub struct KeyId(String);

/// Why a text is no [`Label`] or [`KeyId`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotAName {
    /// It is empty or longer than 64 characters.
    Length(usize),
    /// It has this character.
    Character(char),
}

const MAX_LENGTH: usize = 64;

impl Subject {
    /// What is known of `field`.
    #[must_use]
    pub const fn get(&self, field: Field) -> Option<&Label> {
        match field {
            Field::User => self.user.as_ref(),
            Field::Team => self.team.as_ref(),
            Field::Feature => self.feature.as_ref(),
            Field::Environment => self.environment.as_ref(),
            Field::Tier => self.tier.as_ref(),
            Field::Agent => self.agent.as_ref(),
        }
    }

    /// The text of `field`, if that is known.
    #[must_use]
    pub fn text(&self, field: SubjectField) -> Option<&str> {
        match field {
            SubjectField::Key => self.key.as_ref().map(KeyId::as_str),
            SubjectField::Other(field) => self.get(field).map(Label::as_str),
        }
    }

    /// Writes what is known, as records have it.
    pub fn write(&self, json: &mut Writer<'_>) {
        json.open_object();
        for field in SubjectField::ALL {
            json.text_if(field.name(), self.text(field));
        }
        json.close_object();
    }

    /// Says `label` of `field`.
    ///
    /// # Errors
    /// The field, when something else is already known of it.
    pub fn say(&mut self, field: Field, label: Label) -> Result<(), Field> {
        let known = match field {
            Field::User => &mut self.user,
            Field::Team => &mut self.team,
            Field::Feature => &mut self.feature,
            Field::Environment => &mut self.environment,
            Field::Tier => &mut self.tier,
            Field::Agent => &mut self.agent,
        };
        if *known.get_or_insert_with(|| label.clone()) == label { Ok(()) } else { Err(field) }
    }

    /// Says all that `other` says, but for its key.
    ///
    /// # Errors
    /// The field of which something else is already known.
    pub fn also(&mut self, other: &Self) -> Result<(), Field> {
        Field::ALL.into_iter().try_for_each(|field| match other.get(field) {
            Some(label) => self.say(field, label.clone()),
            None => Ok(()),
        })
    }
}

impl Label {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl KeyId {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `text` is a key id.
    pub(crate) fn check(text: &str) -> Result<(), NotAName> {
        check(text, "-")
    }
}

impl TryFrom<String> for Label {
    type Error = NotAName;

    fn try_from(text: String) -> Result<Self, NotAName> {
        check(&text, " ._:/@+-").map(|()| Self(text))
    }
}

impl TryFrom<String> for KeyId {
    type Error = NotAName;

    fn try_from(text: String) -> Result<Self, NotAName> {
        Self::check(&text).map(|()| Self(text))
    }
}

impl Read for Label {
    fn read(value: &Value<'_>) -> Result<Self, Fault> {
        value.converted::<String, _>()
    }
}

impl Read for KeyId {
    fn read(value: &Value<'_>) -> Result<Self, Fault> {
        value.converted::<String, _>()
    }
}

impl Borrow<str> for KeyId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Label {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for NotAName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length(length) => write!(f, "must have 1 to {MAX_LENGTH} characters, has {length}"),
            Self::Character(character) => write!(f, "must not have the character `{}`", character.escape_debug()),
        }
    }
}

impl std::error::Error for NotAName {}

/// Letters, digits and `punctuation` only, and few of them.
fn check(text: &str, punctuation: &str) -> Result<(), NotAName> {
    let allowed = |character: char| character.is_ascii_alphanumeric() || punctuation.contains(character);
    if let Some(character) = text.chars().find(|character| !allowed(*character)) {
        return Err(NotAName::Character(character));
    }
    if (1..=MAX_LENGTH).contains(&text.len()) { Ok(()) } else { Err(NotAName::Length(text.len())) }
}

#[cfg(test)]
mod tests {
    use super::{Field, KeyId, Label, Subject};
    use schemars::schema_for;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn label(text: &str) -> Result<Label, String> {
        Label::try_from(text.to_owned()).map_err(|error| error.to_string())
    }

    #[test]
    fn labels_hold_what_people_name_things_with() {
        for text in ["a", "Support Chat", "ada@example.org", "eu-west_1/a.b:c+d", &"x".repeat(64)] {
            assert_eq!(label(text).as_ref().map(Label::as_str), Ok(text));
        }
    }

    #[test]
    fn a_refused_label_names_the_character_that_is_not_allowed() {
        for (text, message) in [
            ("a;b=c", "must not have the character `;`"),
            ("a,b", "must not have the character `,`"),
            ("\"", "must not have the character `\\\"`"),
            ("a\r\nb", "must not have the character `\\r`"),
            ("a\0", "must not have the character `\\0`"),
            ("Zürich", "must not have the character `ü`"),
            ("", "must have 1 to 64 characters, has 0"),
            (&"x".repeat(65), "must have 1 to 64 characters, has 65"),
        ] {
            assert_eq!(label(text), Err(message.to_owned()));
        }
    }

    #[test]
    fn key_ids_hold_letters_digits_and_hyphens() {
        assert_eq!(KeyId::try_from("Support-2".to_owned()).unwrap().as_str(), "Support-2");
        for text in ["a_b", "a b", "a.b", "", &"x".repeat(65)] {
            KeyId::try_from(text.to_owned()).unwrap_err();
        }
    }

    #[test]
    fn a_subject_is_written_without_what_is_not_known() {
        let subject: Subject = tollgate_config::read(r#"{"team": "payments", "tier": "gold"}"#).unwrap();
        assert_eq!(subject.team, label("payments").ok());
        assert_eq!(serde_json::to_string(&subject).unwrap(), r#"{"team":"payments","tier":"gold"}"#);
        let proven = Subject { key: KeyId::try_from("k1".to_owned()).ok(), ..Subject::default() };
        assert_eq!(serde_json::to_string(&proven).unwrap(), r#"{"key":"k1"}"#);
    }

    #[test]
    fn a_field_is_said_once_or_twice_the_same() {
        let mut subject = Subject::default();
        for field in Field::ALL {
            assert_eq!((subject.get(field), Field::of_name(field.name())), (None, Some(field)));
            assert_eq!(subject.say(field, label(field.name()).unwrap()), Ok(()));
            assert_eq!(subject.say(field, label(field.name()).unwrap()), Ok(()));
            assert_eq!(subject.say(field, label("other").unwrap()), Err(field));
        }
        let written = serde_json::to_value(&subject).unwrap();
        assert!(Field::ALL.into_iter().all(|field| written[field.name()] == field.name()), "{written}");
        assert_eq!(Field::of_name("key"), None);
    }

    #[test]
    fn the_key_of_a_subject_cannot_be_configured() {
        for json in [r#"{"key": "k1"}"#, r#"{"squad": "a"}"#] {
            let error = tollgate_config::read::<Subject>(json).unwrap_err().to_string();
            assert!(error.contains(": unknown field"), "{error}");
        }
        let schema = schema_for!(Subject).to_value();
        assert_eq!(schema.pointer("/properties/key"), None);
        assert_eq!(schema.pointer("/additionalProperties"), Some(&false.into()));
    }

    #[test]
    fn schemas_state_what_is_allowed() {
        let pattern = |schema: schemars::Schema| schema.get("pattern").cloned();
        assert_eq!(pattern(schema_for!(Label)), Some("^[A-Za-z0-9 ._:/@+-]{1,64}$".into()));
        assert_eq!(pattern(schema_for!(KeyId)), Some("^[A-Za-z0-9-]{1,64}$".into()));
    }
}
