//! The table of `docs/mcp-methods.md`, from the code.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::path::Path;
use tollgate_kernel::mcp::{ActsOn, Method, Named, Revision};

const DOCS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/mcp-methods.md");
const BEGIN: &str = "<!-- methods -->\n";
const END: &str = "<!-- end of methods -->";

#[test]
fn the_documentation_says_what_becomes_of_each_method() {
    let mut right = String::from("| method | revisions | if no rule matches | rules know it by |\n|---|---|---|---|\n");
    Method::ALL.into_iter().map(line).for_each(|line| right.push_str(&line));
    let docs = std::fs::read_to_string(Path::new(DOCS)).unwrap();
    let (before, rest) = docs.split_once(BEGIN).unwrap();
    let (found, after) = rest.split_once(END).unwrap();
    if found == right {
        return;
    }
    if std::env::var_os("UPDATE_DOCS").is_some() {
        return std::fs::write(DOCS, [before, BEGIN, &right, END, after].concat()).unwrap();
    }
    panic!("docs/mcp-methods.md is not current: run `make formats`. It must say:\n\n{right}");
}

fn line(method: Method) -> String {
    let known: Vec<Revision> = Revision::ALL.into_iter().filter(|revision| method.is_in(*revision)).collect();
    let revisions = match known.as_slice() {
        all if all.len() == Revision::ALL.len() => "all".to_owned(),
        [only] => only.name().to_owned(),
        [first, .., Revision::July2026] => format!("from {}", first.name()),
        [first, .., last] if *first == Revision::March2025 => format!("to {}", last.name()),
        other => panic!("{}: no words for {other:?}", method.name()),
    };
    let otherwise = if Named::Known(method).acts() { "denied" } else { "allowed" };
    let known_by = match method.acts_on() {
        ActsOn::Nothing => "`methods`",
        ActsOn::Tool => "`tools`, `methods`",
        ActsOn::Prompt => "`prompts`, `methods`",
        ActsOn::Resource => "`resources`, `methods`",
        ActsOn::Reference => "`prompts` or `resources`, `methods`",
        ActsOn::Task => "`methods`; only who began the task",
        ActsOn::Subscriptions => "`resources`, each of them; `methods`",
    };
    format!("| `{}` | {revisions} | {otherwise} | {known_by} |\n", method.name())
}
