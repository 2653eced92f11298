//! Tool arguments as JSON text, whole and in pieces.

use serde_json::value::RawValue;
use tollgate_kernel::json::Writer;

/// The name that arguments are written under when they are not a JSON object.
const MALFORMED: &str = "malformed_arguments";

/// `arguments` as a JSON object; nothing at all is what some servers write for a tool without parameters.
pub(crate) fn as_object(arguments: &str) -> Option<&RawValue> {
    let text = if arguments.trim().is_empty() { "{}" } else { arguments };
    serde_json::from_str::<&RawValue>(text).ok().filter(|value| value.get().starts_with('{'))
}

/// The arguments in a provider's answer. They are JSON text in a string; some servers send the object itself.
pub(crate) fn said(value: &RawValue) -> String {
    serde_json::from_str(value.get()).unwrap_or_else(|_| value.get().to_owned())
}

/// Writes what a model gave as arguments where they must be an object. Where it wrote none, or was cut off, the text
/// goes under a name that no schema has: an empty object could be taken for a call that means everything.
pub(crate) fn write_object(arguments: &str, json: &mut Writer<'_>) {
    if let Some(object) = as_object(arguments) {
        return json.raw(object);
    }
    json.open_object().key(MALFORMED).text(arguments);
    json.close_object();
}

/// Writes the schema of no arguments, where a tool must have one.
pub(crate) fn write_no_parameters(json: &mut Writer<'_>) {
    json.open_object().key("type").text("object");
    json.key("properties").open_object().close_object();
    json.close_object();
}

/// Watches pieces of one JSON object go by and knows when it is closed. Keeps no text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Progress {
    depth: u32,
    in_string: bool,
    escaped: bool,
    complete: bool,
}

impl Progress {
    pub(crate) fn push(&mut self, piece: &str) {
        for byte in piece.bytes() {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' if self.in_string => self.escaped = true,
                b'"' => self.in_string = !self.in_string,
                _ if self.in_string => {}
                b'{' | b'[' => self.depth = self.depth.saturating_add(1),
                b'}' | b']' => {
                    self.depth = self.depth.saturating_sub(1);
                    self.complete = self.depth == 0;
                }
                _ => {}
            }
        }
    }

    pub(crate) const fn is_complete(&self) -> bool {
        self.complete
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn only_an_object_is_taken_for_arguments() {
        for (text, expected, written) in [
            ("{\"a\": 1}", Some("{\"a\": 1}"), "{\"a\": 1}"),
            (" {} ", Some("{}"), "{}"),
            ("", Some("{}"), "{}"),
            (" \n", Some("{}"), "{}"),
            ("[]", None, r#"{"malformed_arguments":"[]"}"#),
            ("null", None, r#"{"malformed_arguments":"null"}"#),
            ("{\"a\":", None, r#"{"malformed_arguments":"{\"a\":"}"#),
            ("{} {}", None, r#"{"malformed_arguments":"{} {}"}"#),
        ] {
            assert_eq!(as_object(text).map(RawValue::get), expected, "{text}");
            let mut out = Vec::new();
            write_object(text, &mut Writer::new(&mut out));
            assert_eq!(String::from_utf8(out).unwrap(), written);
        }
    }

    #[test]
    fn an_object_is_complete_at_its_last_brace_and_not_before() {
        let text = r#"{"a":"} \" {","b":[{}, "\\"],"é":{"c":1}}"#;
        for (end, _) in text.char_indices() {
            let (head, tail) = text.split_at(end);
            let mut progress = Progress::default();
            progress.push(head);
            assert!(!progress.is_complete(), "{head}");
            progress.push(tail);
            assert!(progress.is_complete(), "{head} + {tail}");
        }
    }
}
