//! The few fields of a request that Tollgate reads or owns, and where they stand in the body.
//!
//! One scan, no tree: a conversation of a megabyte is validated and skipped, not copied. What is written back is a
//! list of [`Edit`]s, so that every byte Tollgate does not own reaches the provider as the client sent it.

use crate::error::Invalid;
use crate::format::Format;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;
use std::ops::Range;

/// No provider's model name comes near this.
const MAX_MODEL_BYTES: usize = 256;

/// What Tollgate must know of a request before it decides anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// The model asked for.
    pub model: String,
    /// Where the model's JSON value stands in the body, quotes included.
    pub model_range: Range<usize>,
    /// The client wants a stream.
    pub stream: bool,
    /// The client itself asked for OpenAI's usage chunk, and must get it.
    pub include_usage: bool,
    /// Upper bound of output tokens per answer.
    pub max_output_tokens: Option<u64>,
    /// How many answers are wanted (OpenAI's `n`): each may cost `max_output_tokens`.
    pub answers: u64,
    /// What to write where so that the provider reports the usage of a stream; `None` when it does anyway.
    usage_request: Option<UsageRequest>,
}

/// Bytes to put in the place of a range of the body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// What goes away; empty for an insertion.
    pub range: Range<usize>,
    /// What comes instead.
    pub bytes: Vec<u8>,
}

/// A text, and the range of the body that it takes the place of.
type UsageRequest = (Range<usize>, &'static str);

impl Envelope {
    /// Reads the envelope of a request body and validates that the body is one JSON object.
    ///
    /// A key that is read here may stand only once and in its exact spelling: servers disagree on which of two
    /// duplicates counts, and some match keys whatever their case, so the provider could see another model than the
    /// one that was allowed.
    ///
    /// # Errors
    /// When the body is not one JSON object in UTF-8, or one of the fields read is missing, doubled or of a wrong type.
    pub fn read(format: Format, body: &[u8]) -> Result<Self, Invalid> {
        let text = std::str::from_utf8(body).map_err(|_| Invalid::new("", "the body is not valid UTF-8"))?;
        let fields = Fields::read(text, "", owned_names(format))?;
        let model = fields.value("model").ok_or_else(|| Invalid::new("model", "is required"))?;
        let stream = read_flag("stream", fields.value("stream"))?;
        let usage_request = match format {
            Format::OpenaiChat => read_stream_options(text, fields.value("stream_options"))?,
            _ => None,
        };
        let bounds = [
            read_count("max_tokens", fields.value("max_tokens"))?,
            read_count("max_completion_tokens", fields.value("max_completion_tokens"))?,
        ];
        Ok(Self {
            model_range: range_in(text, model.get()),
            model: read_model(model)?,
            stream,
            include_usage: format == Format::OpenaiChat && usage_request.is_none(),
            max_output_tokens: bounds.into_iter().flatten().max(),
            answers: read_count("n", fields.value("n"))?.map_or(1, |n| n.max(1)),
            usage_request: usage_request.filter(|_| stream),
        })
    }

    /// The edits that ask the provider for `model` and for the usage of a stream: ascending, not overlapping, none
    /// when the body already says so.
    #[must_use]
    pub fn edits(&self, model: &str) -> Vec<Edit> {
        let mut edits = Vec::new();
        if model != self.model {
            let bytes = serde_json::Value::from(model).to_string().into_bytes();
            edits.push(Edit { range: self.model_range.clone(), bytes });
        }
        if let Some((range, text)) = &self.usage_request {
            edits.push(Edit { range: range.clone(), bytes: text.as_bytes().to_vec() });
        }
        edits.sort_by_key(|edit| edit.range.start);
        edits
    }
}

/// `body` with `edits` made, which are ascending and do not overlap.
#[must_use]
pub fn apply(body: &[u8], edits: &[Edit]) -> Vec<u8> {
    let grown = edits.iter().fold(body.len(), |len, edit| len.saturating_add(edit.bytes.len()));
    let mut out = Vec::with_capacity(grown);
    let mut kept_from = 0;
    for edit in edits {
        out.extend_from_slice(body.get(kept_from..edit.range.start).unwrap_or_default());
        out.extend_from_slice(&edit.bytes);
        kept_from = edit.range.end;
    }
    out.extend_from_slice(body.get(kept_from..).unwrap_or_default());
    out
}

/// The keys that [`Envelope::read`] takes in.
const fn owned_names(format: Format) -> &'static [&'static str] {
    match format {
        Format::OpenaiChat => &["model", "stream", "stream_options", "max_tokens", "max_completion_tokens", "n"],
        Format::AnthropicMessages => &["model", "stream", "max_tokens"],
        Format::OpenaiResponses => &["model", "stream", "max_output_tokens"],
        Format::GoogleGemini | Format::BedrockConverse => &["model"],
    }
}

fn read_model(value: &RawValue) -> Result<String, Invalid> {
    let model: String = serde_json::from_str(value.get()).map_err(|_| Invalid::new("model", "must be a string"))?;
    match model.len() {
        0 => Err(Invalid::new("model", "must not be empty")),
        1..=MAX_MODEL_BYTES => Ok(model),
        _ => Err(Invalid::new("model", format!("must not be longer than {MAX_MODEL_BYTES} bytes"))),
    }
}

/// Absent and `null` are `false`, as they are for the providers.
fn read_flag(name: &str, value: Option<&RawValue>) -> Result<bool, Invalid> {
    match value.map(RawValue::get) {
        Some("true") => Ok(true),
        None | Some("false" | "null") => Ok(false),
        Some(_) => Err(Invalid::new(name, "must be true or false")),
    }
}

fn read_count(name: &str, value: Option<&RawValue>) -> Result<Option<u64>, Invalid> {
    let Some(value) = value else { return Ok(None) };
    serde_json::from_str(value.get()).map_err(|_| Invalid::new(name, "must be a whole number, not negative"))
}

/// What makes the provider report the usage of a stream; `None` when the client asked for it.
fn read_stream_options(body: &str, value: Option<&RawValue>) -> Result<Option<UsageRequest>, Invalid> {
    let Some(value) = value else {
        // The body has a `model`, so another field follows.
        let inside = inside_brace(body.len().saturating_sub(body.trim_start().len()));
        return Ok(Some((inside, r#""stream_options":{"include_usage":true},"#)));
    };
    let range = range_in(body, value.get());
    if value.get() == "null" {
        return Ok(Some((range, r#"{"include_usage":true}"#)));
    }
    let options = Fields::read(value.get(), "stream_options", &["include_usage"])?;
    let asked = options.value("include_usage");
    if read_flag("stream_options.include_usage", asked)? {
        return Ok(None);
    }
    Ok(Some(match asked {
        Some(no) => (range_in(body, no.get()), "true"),
        None if options.is_empty => (inside_brace(range.start), r#""include_usage":true"#),
        None => (inside_brace(range.start), r#""include_usage":true,"#),
    }))
}

/// The empty range after the brace that stands at `brace`.
const fn inside_brace(brace: usize) -> Range<usize> {
    let at = brace.saturating_add(1);
    at..at
}

/// Where `part`, borrowed from `whole`, stands in it.
fn range_in(whole: &str, part: &str) -> Range<usize> {
    let start = part.as_ptr().addr().saturating_sub(whole.as_ptr().addr());
    start..start.saturating_add(part.len())
}

/// The values that one JSON object has under the names asked for.
struct Fields<'a> {
    names: &'static [&'static str],
    values: Vec<Option<&'a RawValue>>,
    is_empty: bool,
    fault: Option<(&'static str, &'static str)>,
}

impl<'a> Fields<'a> {
    /// `at` is the path of the object itself, empty for the body.
    fn read(text: &'a str, at: &str, names: &'static [&'static str]) -> Result<Self, Invalid> {
        let mut json = serde_json::Deserializer::from_str(text);
        let empty = Self { names, values: vec![None; names.len()], is_empty: true, fault: None };
        let fields = json.deserialize_map(empty).and_then(|fields| json.end().map(|()| fields)).map_err(|error| {
            let place = format!("line {} column {}", error.line(), error.column());
            if at.is_empty() {
                Invalid::new("", format!("the body is not one valid JSON object ({place})"))
            } else {
                Invalid::new(at, "must be an object or null")
            }
        })?;
        match fields.fault {
            None => Ok(fields),
            Some((name, message)) if at.is_empty() => Err(Invalid::new(name, message)),
            Some((name, message)) => Err(Invalid::new(format!("{at}.{name}"), message)),
        }
    }

    fn value(&self, name: &str) -> Option<&'a RawValue> {
        let at = self.names.iter().position(|known| *known == name)?;
        self.values.get(at).copied().flatten()
    }
}

impl<'a> Visitor<'a> for Fields<'a> {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'a>>(mut self, mut map: A) -> Result<Self, A::Error> {
        while let Some(key) = map.next_key_seed(KeyOf(self.names))? {
            self.is_empty = false;
            match key {
                Key::Other => {
                    map.next_value::<IgnoredAny>()?;
                }
                Key::Misspelt(name) => {
                    self.fault.get_or_insert((name, "given in another spelling; keys are case-sensitive"));
                    map.next_value::<IgnoredAny>()?;
                }
                Key::Owned(at, name) => {
                    let value = map.next_value::<&'a RawValue>()?;
                    if let Some(slot) = self.values.get_mut(at)
                        && slot.replace(value).is_some()
                    {
                        self.fault.get_or_insert((name, "given twice"));
                    }
                }
            }
        }
        Ok(self)
    }
}

/// What an object's key is to us.
enum Key {
    Owned(usize, &'static str),
    Misspelt(&'static str),
    Other,
}

/// Sorts a key among the names asked for, without a copy of it.
struct KeyOf(&'static [&'static str]);

impl<'a> DeserializeSeed<'a> for KeyOf {
    type Value = Key;

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<Key, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for KeyOf {
    type Value = Key;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<Key, E> {
        let mut names = self.0.iter().enumerate();
        Ok(names
            .find(|(_, name)| folds_to(key, name))
            .map_or(Key::Other, |(at, name)| if key == *name { Key::Owned(at, name) } else { Key::Misspelt(name) }))
    }
}

/// Whether a server that ignores case takes `key` for `name`. Go's `encoding/json` folds as Unicode does, where the
/// long s and the Kelvin sign are an s and a k.
fn folds_to(key: &str, name: &str) -> bool {
    key.chars()
        .map(|c| match c {
            '\u{17f}' => 's',
            '\u{212a}' => 'k',
            _ => c.to_ascii_lowercase(),
        })
        .eq(name.chars())
}

#[cfg(test)]
mod tests {
    use super::*;
    use Format::{AnthropicMessages, OpenaiChat};
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn edited(format: Format, body: &str, model: &str) -> String {
        let envelope = Envelope::read(format, body.as_bytes()).expect("a valid body");
        String::from_utf8(apply(body.as_bytes(), &envelope.edits(model))).expect("utf-8")
    }

    fn fault(body: impl AsRef<[u8]>) -> String {
        Envelope::read(OpenaiChat, body.as_ref()).expect_err("an invalid body").to_string()
    }

    #[test]
    fn an_envelope_says_what_is_asked() {
        let body = br#" {"messages":[{"model":"no"}],"model":"gpt-5","stream":true,"max_tokens":7,"n":2} "#;
        let envelope = Envelope::read(OpenaiChat, body).unwrap();
        assert_eq!(envelope.model, "gpt-5");
        assert_eq!(&body[envelope.model_range.clone()], br#""gpt-5""#);
        assert_eq!((envelope.stream, envelope.include_usage), (true, false));
        assert_eq!((envelope.max_output_tokens, envelope.answers), (Some(7), 2));
    }

    #[test]
    fn escapes_in_keys_and_values_are_read_as_every_parser_reads_them() {
        let envelope = Envelope::read(OpenaiChat, br#"{"\u006dodel":"gpt\u002d5"}"#).unwrap();
        assert_eq!(envelope.model, "gpt-5");
    }

    #[test]
    fn the_larger_of_two_output_bounds_counts() {
        for (body, expected) in [
            (r#"{"model":"m"}"#, None),
            (r#"{"model":"m","max_tokens":null}"#, None),
            (r#"{"model":"m","max_tokens":10,"max_completion_tokens":20}"#, Some(20)),
            (r#"{"model":"m","max_tokens":30,"max_completion_tokens":20}"#, Some(30)),
        ] {
            let envelope = Envelope::read(OpenaiChat, body.as_bytes()).unwrap();
            assert_eq!(envelope.max_output_tokens, expected, "{body}");
        }
    }

    #[test]
    fn a_body_that_two_parsers_could_read_differently_is_refused() {
        let not_json = "the body is not one valid JSON object";
        let misspelt = "given in another spelling";
        for (body, expected) in [
            (r#"{"model":"a","model":"b"}"#, "model: given twice"),
            (r#"{"model":"a","\u006dodel":"b"}"#, "model: given twice"),
            (r#"{"model":"a","Model":"b"}"#, "model: given in another spelling"),
            ("{\"model\":\"a\",\"\u{17f}tream\":true}", "stream: given in another spelling"),
            ("{\"model\":\"a\",\"max_to\u{212a}ens\":1}", "max_tokens: given in another spelling"),
            (r#"{"model":"a","STREAM_OPTIONS":null}"#, misspelt),
            (r#"{"model":"a","N":9}"#, misspelt),
            (
                r#"{"model":"a","stream_options":{"include_usage":false,"include_usage":true}}"#,
                "include_usage: given twice",
            ),
            (
                r#"{"model":"a","stream_options":{"Include_Usage":true}}"#,
                "stream_options.include_usage: given in another",
            ),
            (r#"{"model":"a"}{}"#, not_json),
            (r#"{"model":"a"} x"#, not_json),
            (r#"{"model":"a",}"#, not_json),
            (r#"{"model":"a","messages":[{]}"#, not_json),
            (r#"{"model":"a","messages":["#, not_json),
            ("{\"model\":\"a\",\"user\":\"\n\"}", not_json),
            (r#"[{"model":"a"}]"#, not_json),
            ("", not_json),
        ] {
            let fault = fault(body);
            assert!(fault.contains(expected), "{body}: {fault}");
        }
    }

    #[test]
    fn a_field_of_a_wrong_type_is_named_and_not_quoted() {
        for (body, expected) in [
            (r#"{}"#, "model: is required"),
            (r#"{"model":""}"#, "model: must not be empty"),
            (r#"{"model":7}"#, "model: must be a string"),
            (r#"{"model":null}"#, "model: must be a string"),
            (r#"{"model":"m","stream":"true"}"#, "stream: must be true or false"),
            (r#"{"model":"m","stream":1}"#, "stream: must be true or false"),
            (r#"{"model":"m","max_tokens":-1}"#, "max_tokens: must be a whole number, not negative"),
            (r#"{"model":"m","max_tokens":18446744073709551616}"#, "max_tokens: must be a whole number, not negative"),
            (r#"{"model":"m","stream_options":[]}"#, "stream_options: must be an object or null"),
            (
                r#"{"model":"m","stream_options":{"include_usage":1}}"#,
                "stream_options.include_usage: must be true or false",
            ),
        ] {
            assert_eq!(fault(body), expected, "{body}");
        }
        assert_eq!(fault(format!(r#"{{"model":"{}"}}"#, "m".repeat(257))), "model: must not be longer than 256 bytes");
        assert_eq!(fault(b"{\"model\":\"m\",\"user\":\"\xff\"}"), "the body is not valid UTF-8");
    }

    #[test]
    fn a_streams_usage_is_asked_for_and_all_else_stays_as_it_came() {
        for (body, expected) in [
            (r#"{"model":"m","stream":false}"#, r#"{"model":"m","stream":false}"#),
            (r#"{"model":"m","stream_options":null}"#, r#"{"model":"m","stream_options":null}"#),
            (
                " {\n\"model\" : \"m\", \"stream\":true}",
                " {\"stream_options\":{\"include_usage\":true},\n\"model\" : \"m\", \"stream\":true}",
            ),
            (
                r#"{"stream_options": null ,"model":"m","stream":true}"#,
                r#"{"stream_options": {"include_usage":true} ,"model":"m","stream":true}"#,
            ),
            (
                r#"{"stream_options":{ },"model":"m","stream":true}"#,
                r#"{"stream_options":{"include_usage":true },"model":"m","stream":true}"#,
            ),
            (
                r#"{"model":"m","stream":true,"stream_options":{"x": 1}}"#,
                r#"{"model":"m","stream":true,"stream_options":{"include_usage":true,"x": 1}}"#,
            ),
            (
                r#"{"model":"m","stream":true,"stream_options":{"include_usage" : false,"x":1}}"#,
                r#"{"model":"m","stream":true,"stream_options":{"include_usage" : true,"x":1}}"#,
            ),
            (
                r#"{"model":"m","stream":true,"stream_options":{"include_usage":true}}"#,
                r#"{"model":"m","stream":true,"stream_options":{"include_usage":true}}"#,
            ),
        ] {
            assert_eq!(edited(OpenaiChat, body, "m"), expected);
        }
    }

    #[test]
    fn the_model_is_replaced_in_its_place_and_escaped() {
        let body = r#"{"stream":true,"temperature":1.0,"model": "a" ,"seed":12345678901234567890123}"#;
        assert_eq!(
            edited(OpenaiChat, body, "x\"y"),
            r#"{"stream_options":{"include_usage":true},"stream":true,"temperature":1.0,"model": "x\"y" ,"seed":12345678901234567890123}"#
        );
    }

    #[test]
    fn anthropic_reports_usage_unasked() {
        let body = r#"{"model":"claude","stream":true,"max_tokens":9,"stream_options":7,"n":"x"}"#;
        let envelope = Envelope::read(AnthropicMessages, body.as_bytes()).unwrap();
        assert_eq!((envelope.max_output_tokens, envelope.answers), (Some(9), 1));
        assert_eq!(envelope.edits("claude"), []);
    }

    #[cfg(not(target_arch = "wasm32"))]
    #[expect(clippy::arithmetic_side_effects, reason = "tests")]
    mod properties {
        use super::*;
        use proptest::prelude::*;
        use serde_json::{Map, Value, json};

        fn any_json() -> impl Strategy<Value = Value> {
            let leaf = prop_oneof![
                Just(Value::Null),
                any::<bool>().prop_map(Value::from),
                any::<i64>().prop_map(Value::from),
                any::<String>().prop_map(Value::from),
            ];
            leaf.prop_recursive(3, 24, 4, |inner| {
                prop_oneof![
                    prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                    prop::collection::hash_map("[a-z\"\\\\ß]{0,8}", inner, 0..4)
                        .prop_map(|map| map.into_iter().collect::<Map<_, _>>().into()),
                ]
            })
        }

        fn options() -> impl Strategy<Value = Option<Value>> {
            prop_oneof![
                Just(None),
                Just(Some(Value::Null)),
                Just(Some(json!({}))),
                Just(Some(json!({"include_obfuscation": false}))),
                Just(Some(json!({"include_usage": false, "x": [1]}))),
                Just(Some(json!({"a": 1, "include_usage": null}))),
                Just(Some(json!({"include_usage": true}))),
            ]
        }

        /// The edits that make `body` out of what `edits` made of it: possible only if nothing else was changed.
        fn undo(body: &[u8], edits: &[Edit]) -> Vec<Edit> {
            let (mut grown, mut shrunk) = (0, 0);
            let undo_one = |edit: &Edit| {
                let start = edit.range.start + grown - shrunk;
                grown += edit.bytes.len();
                shrunk += edit.range.len();
                Edit { range: start..start + edit.bytes.len(), bytes: body[edit.range.clone()].to_vec() }
            };
            edits.iter().map(undo_one).collect()
        }

        proptest! {
            #[test]
            fn edits_change_the_owned_fields_and_nothing_else(
                others in prop::collection::btree_map("[a-z]{3,4}|[A-Z\"\\\\é]{2,4}", any_json(), 0..5),
                stream in any::<bool>(),
                options in options(),
                model in "\\PC{1,20}",
                new_model in "\\PC{1,20}",
                pretty in any::<bool>(),
            ) {
                let mut object: Map<String, Value> = others.into_iter().collect();
                object.insert("model".into(), model.into());
                object.insert("stream".into(), stream.into());
                if let Some(options) = options {
                    object.insert("stream_options".into(), options);
                }
                let body = if pretty { serde_json::to_vec_pretty(&object) } else { serde_json::to_vec(&object) }.unwrap();

                let edits = Envelope::read(OpenaiChat, &body).unwrap().edits(&new_model);
                let edited = apply(&body, &edits);

                let mut expected = object;
                expected.insert("model".into(), new_model.into());
                if stream {
                    let options = expected.entry("stream_options").or_insert(Value::Null);
                    if options.is_null() {
                        *options = json!({});
                    }
                    options["include_usage"] = true.into();
                }
                prop_assert_eq!(serde_json::from_slice::<Map<_, _>>(&edited).unwrap(), expected);

                prop_assert_eq!(apply(&edited, &undo(&body, &edits)), body);
            }

            #[test]
            fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
                let _ = Envelope::read(OpenaiChat, &bytes);
            }
        }
    }
}
