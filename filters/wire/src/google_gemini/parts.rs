//! The parts of what the model says, written in order: thoughts, texts, calls of tools, and the signatures on them.

use crate::arguments::write_object;
use tollgate_kernel::json::Writer;

/// What one list of parts has still to say.
///
/// Elsewhere a signature stands with the thoughts before it; Google wants it on the text or the call that came of them.
#[derive(Debug, Default)]
pub(super) struct Parts {
    signature: Option<String>,
    after_thought: bool,
}

impl Parts {
    /// A thought, which closes what was signed before it.
    pub(super) fn thought(&mut self, text: &str, json: &mut Writer<'_>) {
        self.flush(json);
        self.after_thought = true;
        if !text.is_empty() {
            json.open_object().key("text").text(text);
            json.key("thought").flag(true);
            json.close_object();
        }
    }

    /// A signature of the thoughts before it, for the part after it. One that waits already is to be flushed first.
    pub(super) fn sign(&mut self, signature: String) {
        self.signature = Some(signature);
    }

    /// A text; empty, it says nothing.
    pub(super) fn text(&mut self, text: &str, json: &mut Writer<'_>) {
        if !text.is_empty() {
            json.open_object().key("text").text(text);
            self.end_part(None, json);
        }
    }

    /// A call of a tool. It has `signature` where nothing else signs it.
    pub(super) fn call(
        &mut self,
        id: &str,
        name: &str,
        arguments: &str,
        signature: Option<&str>,
        json: &mut Writer<'_>,
    ) {
        json.open_object().key("functionCall").open_object();
        if !id.is_empty() {
            json.key("id").text(id);
        }
        json.key("name").text(name);
        write_object(arguments, json.key("args"));
        json.close_object();
        self.end_part(signature, json);
    }

    fn end_part(&mut self, signature: Option<&str>, json: &mut Writer<'_>) {
        let own = self.signature.take();
        if let Some(signature) = own.as_deref().or(signature) {
            json.key("thoughtSignature").text(signature);
        }
        json.close_object();
        self.after_thought = false;
    }

    /// Nothing more comes that a signature could stand on.
    pub(super) fn flush(&mut self, json: &mut Writer<'_>) {
        if let Some(signature) = self.signature.take() {
            json.open_object().key("text").text("");
            if self.after_thought {
                json.key("thought").flag(true);
            }
            json.key("thoughtSignature").text(&signature);
            json.close_object();
        }
    }

    /// Puts `signature` in the place of the one that waits for its part.
    pub(super) const fn replace_signature(&mut self, signature: Option<String>) -> Option<String> {
        std::mem::replace(&mut self.signature, signature)
    }

    /// Whether a signature waits for its part.
    pub(super) const fn has_signature(&self) -> bool {
        self.signature.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn written(write: impl FnOnce(&mut Parts, &mut Writer<'_>)) -> String {
        let (mut parts, mut out) = (Parts::default(), Vec::new());
        let json = &mut Writer::new(&mut out);
        json.open_object().key("p").open_list();
        write(&mut parts, json);
        parts.flush(json);
        json.close_list();
        json.close_object();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_signature_stands_on_what_comes_after_it() {
        let said = written(|parts, json| {
            parts.thought("Hm", json);
            parts.sign("A".to_owned());
            parts.text("", json);
            parts.text("So", json);
            parts.text("!", json);
            parts.sign("B".to_owned());
            parts.call("c", "f", "{}", Some("none"), json);
            parts.call("", "g", "", Some("none"), json);
        });
        let expected = concat!(
            r#"{"p":[{"text":"Hm","thought":true},{"text":"So","thoughtSignature":"A"},{"text":"!"},"#,
            r#"{"functionCall":{"id":"c","name":"f","args":{}},"thoughtSignature":"B"},"#,
            r#"{"functionCall":{"name":"g","args":{}},"thoughtSignature":"none"}]}"#
        );
        assert_eq!(said, expected);
    }

    #[test]
    fn a_signature_that_nothing_comes_after_is_a_part_of_its_own() {
        let said = written(|parts, json| {
            parts.thought("a", json);
            parts.sign("A".to_owned());
            parts.thought("b", json);
            parts.text("c", json);
            parts.sign("B".to_owned());
            parts.flush(json);
            parts.sign("C".to_owned());
        });
        let expected = concat!(
            r#"{"p":[{"text":"a","thought":true},{"text":"","thought":true,"thoughtSignature":"A"},"#,
            r#"{"text":"b","thought":true},{"text":"c"},{"text":"","thoughtSignature":"B"},"#,
            r#"{"text":"","thoughtSignature":"C"}]}"#
        );
        assert_eq!(said, expected);
    }

    #[test]
    fn arguments_that_are_no_object_never_become_an_empty_call() {
        for (arguments, expected) in [
            (r#"{"a": 1}"#, r#"{"a": 1}"#),
            (" ", "{}"),
            (r#"{"a":"#, r#"{"malformed_arguments":"{\"a\":"}"#),
            ("[1]", r#"{"malformed_arguments":"[1]"}"#),
            ("{} {}", r#"{"malformed_arguments":"{} {}"}"#),
        ] {
            let said = written(|parts, json| parts.call("", "f", arguments, None, json));
            assert_eq!(said, format!(r#"{{"p":[{{"functionCall":{{"name":"f","args":{expected}}}}}]}}"#));
        }
    }
}
