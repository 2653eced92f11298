//! A subject from the claims of a token that somebody else has verified.

use crate::subject::{Field, Label, Subject};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use std::borrow::Cow;
use std::fmt;
use tollgate_config::{Fault, Map, Read, Value};

/// Where a claim stands: the names that lead to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimPath(Vec<String>);

/// A claim as it was found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Claim<'a> {
    /// It is not there, or null.
    Absent,
    /// Text.
    Text(&'a str),
    /// A number.
    Number(f64),
    /// Anything that cannot be one value of a subject.
    Other,
}

/// Why claims say nobody. It never holds a claim's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClaimFault {
    /// The claim at this place cannot be a [`Label`].
    Invalid(ClaimPath),
    /// The claim at this place must be there.
    Missing(ClaimPath),
}

/// 2^53: below it every whole number is carried exactly, everywhere. It may itself have been the next one.
const EXACT: f64 = 9_007_199_254_740_992.0;

impl ClaimPath {
    /// The claim that these names lead to.
    #[must_use]
    pub fn of(names: &[&str]) -> Self {
        Self(names.iter().map(|name| (*name).to_owned()).collect())
    }

    /// The claim `scope` (RFC 8693, section 4.2; RFC 9068).
    #[must_use]
    pub fn scope() -> Self {
        Self::of(&["scope"])
    }

    /// The names, outermost first.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

impl Claim<'_> {
    /// The text that can stand for it: itself, or the digits of a whole number.
    #[must_use]
    pub fn text(self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text.to_owned()),
            Self::Number(number) if number.fract() == 0.0 && number.abs() < EXACT => Some(format!("{number:.0}")),
            Self::Absent | Self::Number(_) | Self::Other => None,
        }
    }
}

/// The subject that claims are mapped to. What is not there stays unknown, but for what is required.
///
/// # Errors
/// The first claim that is at fault.
pub fn subject<'a>(
    claims: &Map<Field, ClaimPath>,
    required: &[Field],
    find: impl Fn(&ClaimPath) -> Claim<'a>,
) -> Result<Subject, ClaimFault> {
    let mut subject = Subject::default();
    for (field, path) in claims {
        let text = match find(path) {
            Claim::Absent if required.contains(field) => return Err(ClaimFault::Missing(path.clone())),
            Claim::Absent => continue,
            claim => claim.text(),
        };
        let label = text.and_then(|text| Label::try_from(text).ok());
        label.and_then(|label| subject.say(*field, label).ok()).ok_or_else(|| ClaimFault::Invalid(path.clone()))?;
    }
    Ok(subject)
}

impl fmt::Display for ClaimPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("."))
    }
}

impl Read for ClaimPath {
    fn read(value: &Value<'_>) -> Result<Self, Fault> {
        const EXPECTED: &str = "the name of a claim, or a list of names";
        let names: Vec<String> = match value.is_list() {
            true => Read::read(value)?,
            false => value.text(EXPECTED)?.split('.').map(str::to_owned).collect(),
        };
        if names.is_empty() || names.iter().any(String::is_empty) {
            return Err(value.fault(&"found an empty name, expected the name of a claim"));
        }
        Ok(Self(names))
    }
}

impl JsonSchema for ClaimPath {
    fn schema_name() -> Cow<'static, str> {
        "ClaimPath".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Where a claim stands: names with dots between, each one step down; or, where a name has dots itself, a list of names.",
            "anyOf": [
                {"type": "string", "minLength": 1},
                {"type": "array", "items": {"type": "string", "minLength": 1}, "minItems": 1},
            ],
        })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::{Claim, ClaimFault, ClaimPath, subject};
    use crate::subject::Field;
    use serde_json::{Value, json};
    use tollgate_config::Map;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn mapping(claims: Value) -> Map<Field, ClaimPath> {
        tollgate_config::read(&claims.to_string()).unwrap()
    }

    /// What stands in a token.
    pub(crate) fn find<'a>(token: &'a Value, path: &ClaimPath) -> Claim<'a> {
        match path.names().try_fold(token, |value, name| value.get(name)) {
            None | Some(Value::Null) => Claim::Absent,
            Some(Value::String(text)) => Claim::Text(text),
            Some(Value::Number(number)) => Claim::Number(number.as_f64().unwrap()),
            Some(_) => Claim::Other,
        }
    }

    fn mapped(claims: Value, required: &[Field], token: &Value) -> Result<Value, ClaimFault> {
        subject(&mapping(claims), required, |path| find(token, path)).map(|subject| json!(subject))
    }

    #[test]
    fn claims_become_a_subject_however_deep_they_stand() {
        let token = json!({"sub": "ada@example.org", "org": {"team": "eng", "n": 7}, "https://x.example/plan": "gold"});
        let claims = json!({"user": "sub", "team": "org.team", "tier": ["https://x.example/plan"], "feature": ["org", "n"], "environment": "env"});
        let expected = json!({"user": "ada@example.org", "team": "eng", "tier": "gold", "feature": "7"});
        assert_eq!(mapped(claims, &[], &token), Ok(expected));
    }

    #[test]
    fn a_claim_that_is_no_label_is_named_and_never_quoted() {
        for value in [
            json!(""),
            json!("a;b"),
            json!("Zürich"),
            json!("a\nb"),
            json!("x".repeat(65)),
            json!(true),
            json!(["eng"]),
            json!({"name": "eng"}),
            json!(0.5),
            json!(1e300),
            json!(9_007_199_254_740_992_u64),
            json!(9_007_199_254_740_993_u64),
        ] {
            let fault = mapped(json!({"team": "org.team"}), &[], &json!({"org": {"team": value}})).unwrap_err();
            let ClaimFault::Invalid(path) = fault else { panic!("{value}: {fault:?}") };
            assert_eq!(path.to_string(), "org.team");
        }
    }

    #[test]
    fn only_what_is_required_must_be_there() {
        let claims = json!({"user": "sub", "team": "org.team"});
        for (token, required, expected) in [
            (json!({"sub": "ada"}), &[][..], Ok(json!({"user": "ada"}))),
            (json!({"sub": "ada"}), &[Field::User], Ok(json!({"user": "ada"}))),
            (json!({"sub": "ada"}), &[Field::Team], Err("org.team")),
            (json!({"sub": "ada", "org": {"team": null}}), &[Field::Team], Err("org.team")),
            (json!({"sub": "ada", "org": "eng"}), &[Field::Team], Err("org.team")),
        ] {
            let found = mapped(claims.clone(), required, &token).map_err(|fault| match fault {
                ClaimFault::Missing(path) => path.to_string(),
                ClaimFault::Invalid(_) => "invalid".to_owned(),
            });
            assert_eq!(found, expected.map_err(str::to_owned), "{token}");
        }
    }

    #[test]
    fn a_path_has_names() {
        for path in [json!(""), json!("a..b"), json!("."), json!([]), json!([""]), json!(["a", ""])] {
            let error = tollgate_config::read::<ClaimPath>(&path.to_string()).unwrap_err().to_string();
            assert_eq!(error, "found an empty name, expected the name of a claim");
        }
        for path in [json!(7), json!({}), json!([7])] {
            tollgate_config::read::<ClaimPath>(&path.to_string()).unwrap_err();
        }
    }
}
