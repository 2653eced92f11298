//! JSON written piece by piece, without a type for every object.
//!
//! Every derived `Serialize` is a few kilobytes of wasm, which every Envoy compiles at every start before it serves
//! anything; a call of these functions is a few dozen bytes.

use serde_json::value::RawValue;

/// A JSON text as it grows. Keys and values are the caller's; commas are not.
#[derive(Debug, Default)]
pub(crate) struct Json(Vec<u8>);

impl Json {
    /// The text.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// Begins an object: the whole text, or a member of a list.
    pub(crate) fn object(&mut self) -> &mut Self {
        self.begin(None, b'{')
    }

    /// Begins an object under a key.
    pub(crate) fn object_at(&mut self, key: &str) -> &mut Self {
        self.begin(Some(key), b'{')
    }

    /// Begins a list under a key.
    pub(crate) fn list_at(&mut self, key: &str) -> &mut Self {
        self.begin(Some(key), b'[')
    }

    /// Ends an object.
    pub(crate) fn end_object(&mut self) -> &mut Self {
        self.0.push(b'}');
        self
    }

    /// Ends a list.
    pub(crate) fn end_list(&mut self) -> &mut Self {
        self.0.push(b']');
        self
    }

    /// A text under a key.
    pub(crate) fn text(&mut self, key: &str, value: &str) -> &mut Self {
        self.key(key);
        self.string(value);
        self
    }

    /// A text under a key, if there is one.
    pub(crate) fn maybe_text(&mut self, key: &str, value: Option<&str>) -> &mut Self {
        if let Some(value) = value {
            self.text(key, value);
        }
        self
    }

    /// A text in a list.
    pub(crate) fn item_text(&mut self, value: &str) -> &mut Self {
        self.separate();
        self.string(value);
        self
    }

    /// A whole number under a key.
    pub(crate) fn count(&mut self, key: &str, value: u64) -> &mut Self {
        self.plain(key, &value.to_string())
    }

    /// A number under a key, if there is one. What JSON has no text for is left out.
    pub(crate) fn maybe_number(&mut self, key: &str, value: Option<f64>) -> &mut Self {
        match value {
            Some(value) if value.is_finite() => {
                let text = serde_json::Number::from_f64(value).map_or_else(String::new, |number| number.to_string());
                self.plain(key, &text)
            }
            _ => self,
        }
    }

    /// True or false under a key.
    pub(crate) fn flag(&mut self, key: &str, value: bool) -> &mut Self {
        self.plain(key, if value { "true" } else { "false" })
    }

    /// Nothing under a key.
    pub(crate) fn null(&mut self, key: &str) -> &mut Self {
        self.plain(key, "null")
    }

    /// JSON text under a key, as it is.
    pub(crate) fn raw(&mut self, key: &str, value: &RawValue) -> &mut Self {
        self.plain(key, value.get())
    }

    /// JSON text under a key: only what is known to be JSON.
    pub(crate) fn plain(&mut self, key: &str, json: &str) -> &mut Self {
        self.key(key);
        self.0.extend_from_slice(json.as_bytes());
        self
    }

    fn begin(&mut self, key: Option<&str>, bracket: u8) -> &mut Self {
        match key {
            Some(key) => self.key(key),
            None => self.separate(),
        }
        self.0.push(bracket);
        self
    }

    fn key(&mut self, key: &str) {
        self.separate();
        self.string(key);
        self.0.push(b':');
    }

    /// A comma, unless this is the first thing in its object or list.
    fn separate(&mut self) {
        if !matches!(self.0.last(), None | Some(b'{' | b'[' | b':')) {
            self.0.push(b',');
        }
    }

    /// Writing a string into memory cannot fail.
    fn string(&mut self, text: &str) {
        let _ = serde_json::to_writer(&mut self.0, text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn commas_stand_where_json_wants_them() {
        let raw: Box<RawValue> = serde_json::from_str(r#"{"x": [1]}"#).unwrap();
        let mut json = Json::default();
        json.object().text("a", "\"{[:,").object_at("b").end_object().list_at("c");
        json.object().count("d", 1).null("e").end_object().object().flag("f", true).end_object().item_text("g");
        json.end_list().list_at("h").end_list().raw("i", &raw).maybe_text("j", None).maybe_text("k", Some(""));
        json.maybe_number("l", Some(0.7)).maybe_number("m", None).maybe_number("n", Some(f64::NAN)).end_object();
        let written: Value = serde_json::from_slice(&json.into_bytes()).unwrap();
        let expected = json!({
            "a": "\"{[:,", "b": {}, "c": [{"d": 1, "e": null}, {"f": true}, "g"], "h": [], "i": {"x": [1]}, "k": "",
            "l": 0.7,
        });
        assert_eq!(written, expected);
    }
}
