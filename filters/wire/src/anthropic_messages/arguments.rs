//! Tool arguments as JSON text, whole and in pieces.

use serde_json::value::RawValue;

/// `arguments` as a JSON object; nothing at all is what some servers write for a tool without parameters.
pub(super) fn as_object(arguments: &str) -> Option<Box<RawValue>> {
    let text = if arguments.trim().is_empty() { "{}" } else { arguments };
    serde_json::from_str::<Box<RawValue>>(text).ok().filter(|value| value.get().starts_with('{'))
}

/// Watches pieces of one JSON object go by and knows when it is closed. Keeps no text.
#[derive(Debug, Default)]
pub(super) struct Progress {
    depth: u32,
    in_string: bool,
    escaped: bool,
    complete: bool,
}

impl Progress {
    pub(super) fn push(&mut self, piece: &str) {
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

    pub(super) const fn is_complete(&self) -> bool {
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
        for (text, expected) in [
            ("{\"a\": 1}", Some("{\"a\": 1}")),
            (" {} ", Some("{}")),
            ("", Some("{}")),
            (" \n", Some("{}")),
            ("[]", None),
            ("null", None),
            ("{\"a\":", None),
            ("{} {}", None),
        ] {
            assert_eq!(as_object(text).as_deref().map(RawValue::get), expected, "{text}");
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
