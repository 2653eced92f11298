//! What somebody may ask for: a list of names.

use schemars::JsonSchema;
use std::fmt;
use tollgate_config::{Fault, Read, Value};

/// Names of what is allowed, for example of models.
#[derive(Debug, Clone, Default, PartialEq, Eq, JsonSchema)]
#[schemars(try_from = "Vec<String>")]
pub enum Allowed {
    /// Whatever is configured, now or later.
    #[default]
    All,
    /// These names.
    Only(Vec<String>),
}

/// `*` stands among names, where it could be read both ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AllAmongOthers;

impl Allowed {
    /// Whether `name` is one of them.
    #[must_use]
    pub fn allow(&self, name: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(names) => names.iter().any(|one| one == name),
        }
    }
}

impl TryFrom<Vec<String>> for Allowed {
    type Error = AllAmongOthers;

    fn try_from(names: Vec<String>) -> Result<Self, AllAmongOthers> {
        match names.as_slice() {
            [all] if all == "*" => Ok(Self::All),
            names if names.iter().any(|name| name == "*") => Err(AllAmongOthers),
            _ => Ok(Self::Only(names)),
        }
    }
}

impl Read for Allowed {
    fn read(value: &Value<'_>) -> Result<Self, Fault> {
        value.converted::<Vec<String>, _>()
    }
}

impl fmt::Display for AllAmongOthers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("`*` allows all and must be the only entry")
    }
}

impl std::error::Error for AllAmongOthers {}

#[cfg(test)]
mod tests {
    use super::Allowed;
    use serde_json::json;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn only_listed_names_are_allowed() {
        for (names, name, allowed) in [
            (json!([]), "fast", false),
            (json!(["fast"]), "fast", true),
            (json!(["fast"]), "fas", false),
            (json!(["fast", "smart"]), "smart", true),
            (json!(["fast*"]), "faster", false),
            (json!(["*"]), "anything", true),
        ] {
            let allowed_names: Allowed = tollgate_config::read(&names.to_string()).unwrap();
            assert_eq!(allowed_names.allow(name), allowed, "{names} {name}");
        }
    }
}
