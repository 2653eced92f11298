//! The official tests of JSON Schema, draft 2020-12: `make test-native` installs them and runs this.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::arithmetic_side_effects, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use serde_json::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;
use tollgate_kernel::json::{Document, Limits as JsonLimits};
use tollgate_kernel::schema::{Invalid, Limits, Schema, Unsupported};

const LIMITS: JsonLimits = JsonLimits { bytes: 1 << 20, nodes: 1 << 16 };

/// The tests of a draft that schemas are still written in.
struct Draft {
    directory: &'static str,
    passed: usize,
    /// Tests whose schema is refused: by file and why, how many.
    refused: &'static [(&'static str, &'static str, usize)],
    /// What is checked, where the draft says that it is not.
    stricter: &'static [&'static str],
}

/// What is refused: references to other documents or by the URI of a part (`remote`), `$dynamicRef` and `$recursiveRef`
/// (`dynamic`), dialects of one's own (`dialect`), `\p{..}` in patterns (`pattern`).
const DRAFTS: [Draft; 4] = [
    Draft {
        directory: "draft2020-12",
        passed: 1139,
        refused: &[
            ("anchor", "remote", 6),
            ("defs", "remote", 2),
            ("dynamicRef", "dynamic", 6),
            ("dynamicRef", "remote", 34),
            ("ref", "remote", 30),
            ("refRemote", "remote", 31),
            ("unevaluatedItems", "remote", 2),
            ("unevaluatedProperties", "remote", 2),
            ("vocabulary", "dialect", 5),
        ],
        stricter: &[],
    },
    Draft {
        directory: "draft2020-12/optional",
        passed: 131,
        refused: &[
            ("cross-draft", "remote", 1),
            ("dynamicRef", "remote", 2),
            ("ecmascript-regex", "pattern", 14),
            ("format-assertion", "dialect", 4),
            ("id", "remote", 3),
            ("unknownKeyword", "remote", 3),
        ],
        stricter: &[],
    },
    Draft {
        directory: "draft2019-09",
        passed: 1113,
        refused: &[
            ("anchor", "remote", 6),
            ("defs", "remote", 2),
            ("recursiveRef", "dynamic", 30),
            ("recursiveRef", "remote", 4),
            ("ref", "remote", 32),
            ("refRemote", "remote", 31),
            ("unevaluatedItems", "remote", 2),
            ("unevaluatedProperties", "remote", 2),
            ("vocabulary", "dialect", 5),
        ],
        stricter: &[],
    },
    Draft {
        directory: "draft7",
        passed: 855,
        refused: &[("definitions", "remote", 2), ("ref", "remote", 32), ("refRemote", "remote", 23)],
        // What stands beside `$ref` counts, as in all later drafts.
        stricter: &["ref: ref overrides any sibling keywords: ref valid, maxItems ignored"],
    },
];

fn compile(schema: &Value) -> Result<Schema, Unsupported> {
    let text = schema.to_string();
    let document = Document::read(text.as_bytes(), LIMITS).unwrap();
    Schema::compile(document.root(), Limits::USUAL)
}

fn is_valid(schema: &Schema, data: &Value) -> bool {
    let text = data.to_string();
    let document = Document::read(text.as_bytes(), LIMITS).unwrap();
    match schema.check(document.root()) {
        Ok(()) => true,
        Err(Invalid::Violation(_)) => false,
        Err(Invalid::TooMuch) => panic!("too much: {text}"),
    }
}

fn suite() -> PathBuf {
    std::env::var_os("JSON_SCHEMA_SUITE")
        .map(PathBuf::from)
        .expect("JSON_SCHEMA_SUITE names the directory of the tests")
}

#[derive(Default)]
struct Outcome {
    passed: usize,
    refused: BTreeMap<(String, &'static str), usize>,
    wrong: Vec<String>,
}

impl Outcome {
    fn of(directory: &str) -> Self {
        let mut files: Vec<_> = std::fs::read_dir(suite().join("tests").join(directory))
            .unwrap_or_else(|error| panic!("{}: {error}", suite().display()))
            .map(|file| file.unwrap().path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
            .collect();
        files.sort();
        let mut outcome = Self::default();
        for file in files {
            let name = file.file_stem().unwrap().to_string_lossy().into_owned();
            let groups: Vec<Value> = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
            groups.iter().for_each(|group| outcome.add(&name, group));
        }
        outcome
    }

    fn add(&mut self, file: &str, group: &Value) {
        let tests = group["tests"].as_array().unwrap();
        let schema = match compile(&group["schema"]) {
            Ok(schema) => schema,
            Err(refused) => {
                *self.refused.entry((file.to_owned(), refused.why.name())).or_default() += tests.len();
                return;
            }
        };
        for test in tests {
            if is_valid(&schema, &test["data"]) == test["valid"].as_bool().unwrap() {
                self.passed += 1;
            } else {
                let [group, test] = [group, test].map(|described| described["description"].as_str().unwrap());
                self.wrong.push(format!("{file}: {group}: {test}"));
            }
        }
    }
}

#[test]
#[ignore = "the tests are not in this repository: `make test-native` installs and runs them"]
fn the_official_tests_pass_but_for_what_is_refused() {
    for Draft { directory, passed, refused, stricter } in DRAFTS {
        let outcome = Outcome::of(directory);
        assert_eq!(outcome.wrong, stricter, "{directory}");
        let found: Vec<_> = outcome.refused.iter().map(|((file, why), tests)| (file.as_str(), *why, *tests)).collect();
        assert_eq!((outcome.passed, found.as_slice()), (passed, refused), "{directory}");
    }
}
