//! What models call tools.

use schemars::JsonSchema;
use std::fmt;
use tollgate_config::{Fault, Read, Value};

const SERVER: &str = "{server}";
const TOOL: &str = "{tool}";

/// Each name makes a call slower to look for.
const MOST: usize = 8;

/// Names in which `{server}` and `{tool}` stand for those of the server and of the tool.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema)]
#[schemars(try_from = "Vec<String>")]
#[schemars(extend("minItems" = 1, "maxItems" = 8, "items" = {"type": "string", "pattern": "\\{tool\\}"}))]
pub struct CalledByModels(Vec<String>);

/// A list is no list of such names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotNames;

impl CalledByModels {
    /// What `call` makes of each name of a tool, and of the same with `_` for what providers allow in no name.
    pub fn of<T>(&self, server: &str, tool: &str, call: impl Fn(&str) -> T) -> Vec<T> {
        let mut calls = Vec::new();
        for name in self.0.iter().map(|name| named(name, server, tool)) {
            calls.push(call(&name));
            if !name.chars().all(is_plain) {
                calls.push(call(&name.replace(|character| !is_plain(character), "_")));
            }
        }
        calls
    }
}

const fn is_plain(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '_' | '-')
}

/// Piece by piece, so that a tool called `{server}` stays one.
fn named(name: &str, server: &str, tool: &str) -> String {
    let pieces = name.split(TOOL).map(|piece| piece.replace(SERVER, server));
    pieces.collect::<Vec<_>>().join(tool)
}

impl Default for CalledByModels {
    fn default() -> Self {
        Self(["{tool}", "{server}__{tool}", "mcp__{server}__{tool}"].map(str::to_owned).into())
    }
}

impl TryFrom<Vec<String>> for CalledByModels {
    type Error = NotNames;

    fn try_from(names: Vec<String>) -> Result<Self, NotNames> {
        let fits = (1..=MOST).contains(&names.len()) && names.iter().all(|name| name.contains(TOOL));
        if fits { Ok(Self(names)) } else { Err(NotNames) }
    }
}

impl Read for CalledByModels {
    fn read(value: &Value<'_>) -> Result<Self, Fault> {
        value.converted::<Vec<String>, _>()
    }
}

impl fmt::Display for NotNames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("must be 1 to 8 names with `{tool}` in each, for example `[\"{server}__{tool}\"]`")
    }
}

#[cfg(test)]
mod tests {
    use super::CalledByModels;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn models_call_a_tool_by_its_own_name_or_with_the_servers_before_it() {
        let names = CalledByModels::default().of("crm", "search", str::to_owned);
        assert_eq!(names, ["search", "crm__search", "mcp__crm__search"]);
        let own: CalledByModels = tollgate_config::read(r#"["{server}_{tool}_{server}"]"#).unwrap();
        assert_eq!(own.of("crm", "a.b/c", str::to_owned), ["crm_a.b/c_crm", "crm_a_b_c_crm"]);
        assert_eq!(own.of("crm", "{server}", str::to_owned), ["crm_{server}_crm", "crm__server__crm"]);
    }

    #[test]
    fn names_without_the_tools_are_refused() {
        for names in ["[]", r#"["{server}"]"#, r#"["{tool}","search"]"#] {
            let error = tollgate_config::read::<CalledByModels>(names).unwrap_err().to_string();
            assert!(error.contains("with `{tool}` in each"), "{error}");
        }
    }
}
