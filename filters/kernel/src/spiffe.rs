//! A subject from the name of a workload: its SPIFFE id, which stands in its certificate.

use crate::subject::{Field, Label, NotAName, Subject};
use schemars::JsonSchema;
use std::fmt;
use tollgate_config::{Fault, Read, Value};

/// What SPIFFE ids begin with.
pub(crate) const SCHEME: &str = "spiffe://";

/// What SPIFFE ids look like, for example `spiffe://example.org/ns/{environment}/sa/{team}`. A segment is a text, a
/// field of the subject in braces, or `*`, which is anything.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema)]
#[schemars(try_from = "String")]
#[schemars(with = "String", extend("pattern" = "^spiffe://[a-z0-9._-]+/"))]
pub struct SpiffePattern {
    domain: String,
    segments: Vec<Segment>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Segment {
    Exactly(String),
    Said(Field),
    Anything,
}

/// Why a text is no [`SpiffePattern`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotAPattern {
    /// It is not `spiffe://`, a trust domain and a path.
    Form,
    /// These braces hold no field of a subject.
    Field(String),
    /// This field stands in it twice.
    Twice(Field),
}

impl SpiffePattern {
    /// What the pattern says of the workload with this id; `None` when the id is not of the pattern.
    ///
    /// # Errors
    /// The field whose segment cannot be its label.
    pub fn subject(&self, id: &str) -> Option<Result<Subject, (Field, NotAName)>> {
        let (domain, path) = id.strip_prefix(SCHEME)?.split_once('/')?;
        let shown: Vec<&str> = path.split('/').collect();
        if domain != self.domain || shown.len() != self.segments.len() || !shown.iter().all(|text| is_segment(text)) {
            return None;
        }
        let mut subject = Subject::default();
        for (segment, shown) in self.segments.iter().zip(shown) {
            match segment {
                Segment::Exactly(text) if text != shown => return None,
                Segment::Exactly(_) | Segment::Anything => {}
                Segment::Said(field) => match Label::try_from(shown.to_owned()) {
                    // Each field stands in a pattern once.
                    Ok(label) => drop(subject.say(*field, label)),
                    Err(fault) => return Some(Err((*field, fault))),
                },
            }
        }
        Some(Ok(subject))
    }
}

/// A segment of a SPIFFE id's path (SPIFFE-ID, section 2.2).
fn is_segment(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
    !text.is_empty() && text != "." && text != ".." && text.bytes().all(allowed)
}

impl TryFrom<String> for SpiffePattern {
    type Error = NotAPattern;

    fn try_from(text: String) -> Result<Self, NotAPattern> {
        let (domain, path) =
            text.strip_prefix(SCHEME).and_then(|rest| rest.split_once('/')).ok_or(NotAPattern::Form)?;
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-_".contains(&byte);
        if domain.is_empty() || !domain.bytes().all(allowed) {
            return Err(NotAPattern::Form);
        }
        let mut segments = Vec::new();
        for text in path.split('/') {
            let name = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
            let segment = match (text, name) {
                ("*", _) => Segment::Anything,
                (_, Some(name)) => {
                    Segment::Said(Field::of_name(name).ok_or_else(|| NotAPattern::Field(name.to_owned()))?)
                }
                (text, None) if is_segment(text) => Segment::Exactly(text.to_owned()),
                _ => return Err(NotAPattern::Form),
            };
            match segment {
                Segment::Said(field) if segments.contains(&segment) => return Err(NotAPattern::Twice(field)),
                segment => segments.push(segment),
            }
        }
        Ok(Self { domain: domain.to_owned(), segments })
    }
}

impl Read for SpiffePattern {
    fn read(value: &Value<'_>) -> Result<Self, Fault> {
        value.converted::<String, _>()
    }
}

impl fmt::Display for NotAPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Form => f.write_str(
                "must be a SPIFFE id like `spiffe://example.org/ns/{environment}/sa/{team}`, of which a whole segment may be a field in braces, or `*`",
            ),
            Self::Field(name) => {
                write!(f, "found `{{{name}}}`, expected one of")?;
                Field::ALL.into_iter().try_for_each(|field| write!(f, " `{{{}}}`", field.name()))
            }
            Self::Twice(field) => write!(f, "must not have `{{{}}}` twice", field.name()),
        }
    }
}

impl std::error::Error for NotAPattern {}

#[cfg(test)]
mod tests {
    use super::SpiffePattern;
    use crate::subject::Field;
    use serde_json::{Value, json};
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn pattern(text: &str) -> SpiffePattern {
        text.to_owned().try_into().unwrap()
    }

    fn read(text: &str, id: &str) -> Option<Result<Value, Field>> {
        pattern(text).subject(id).map(|found| found.map(|subject| json!(subject)).map_err(|(field, _)| field))
    }

    #[test]
    fn an_id_of_the_pattern_says_its_fields() {
        let said = |text, id| read(text, id).unwrap().unwrap();
        let id = "spiffe://example.org/ns/prod/sa/support_bot.2";
        assert_eq!(
            said("spiffe://example.org/ns/{environment}/sa/{team}", id),
            json!({"environment": "prod", "team": "support_bot.2"})
        );
        assert_eq!(said("spiffe://example.org/ns/{team}/sa/*", id), json!({"team": "prod"}));
        assert_eq!(said("spiffe://example.org/ns/prod/sa/support_bot.2", id), json!({}));
    }

    #[test]
    fn an_id_of_another_form_is_nobody() {
        for id in [
            "",
            "spiffe://example.org",
            "spiffe://example.org/",
            "spiffe://example.org/ns/prod/sa",
            "spiffe://example.org/ns/prod/sa/",
            "spiffe://example.org/ns/prod/sa/support/x",
            "spiffe://example.org//ns/prod/sa/support",
            "spiffe://example.org/ns/prod/xx/support",
            "spiffe://example.org/NS/prod/sa/support",
            "spiffe://Example.org/ns/prod/sa/support",
            "spiffe://example.org.evil/ns/prod/sa/support",
            "spiffe://user@example.org/ns/prod/sa/support",
            "spiffe://example.org:443/ns/prod/sa/support",
            "SPIFFE://example.org/ns/prod/sa/support",
            "https://example.org/ns/prod/sa/support",
            "spiffe://example.org/ns/../sa/support",
            "spiffe://example.org/ns/./sa/support",
            "spiffe://example.org/ns/pr%6fd/sa/support",
            "spiffe://example.org/ns/prod/sa/support?x",
            "spiffe://example.org/ns/prod/sa/support#x",
            "spiffe://example.org/ns/prod/sa/sup port",
            "spiffe://example.org/ns/prod/sa/{team}",
        ] {
            assert_eq!(read("spiffe://example.org/ns/{environment}/sa/{team}", id), None, "{id}");
        }
    }

    #[test]
    fn a_segment_too_long_for_its_field_is_at_fault() {
        let id = format!("spiffe://example.org/{}", "x".repeat(65));
        assert_eq!(read("spiffe://example.org/{team}", &id), Some(Err(Field::Team)));
    }

    #[test]
    fn a_pattern_that_could_mean_two_things_is_refused() {
        for (text, message) in [
            ("", "must be a SPIFFE id"),
            ("example.org/{team}", "must be a SPIFFE id"),
            ("https://example.org/{team}", "must be a SPIFFE id"),
            ("spiffe://{team}/sa/x", "must be a SPIFFE id"),
            ("spiffe:///sa/{team}", "must be a SPIFFE id"),
            ("spiffe://example.org", "must be a SPIFFE id"),
            ("spiffe://example.org/", "must be a SPIFFE id"),
            ("spiffe://example.org/sa/x{team}", "must be a SPIFFE id"),
            ("spiffe://example.org/sa/{team}-x", "must be a SPIFFE id"),
            ("spiffe://example.org/sa/**", "must be a SPIFFE id"),
            ("spiffe://example.org/sa/a b", "must be a SPIFFE id"),
            ("spiffe://example.org/{squad}", "found `{squad}`, expected one of `{user}` `{team}`"),
            ("spiffe://example.org/{key}", "found `{key}`, expected one of"),
            ("spiffe://example.org/{team}/{team}", "must not have `{team}` twice"),
        ] {
            let error = SpiffePattern::try_from(text.to_owned()).unwrap_err().to_string();
            assert!(error.starts_with(message), "{text}: {error}");
        }
    }
}
