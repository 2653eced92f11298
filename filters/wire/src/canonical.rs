//! The one spelling of a request body: what two requests must have in common to ask the same.

use crate::endpoint::{Endpoint, Operation};
use crate::format::Format;
use memchr::memchr2;

/// Of a request with more fields the order counts, as of one with escapes in their keys; none has so many, and nobody writes
/// these.
const MAX_SORTED: usize = 256;

/// Tells `out` the canonical form of `body`, piece by piece: its fields in the order of their keys (SDKs write them in
/// another for a stream), without those that only say how the answer is delivered, and without white space. What stands
/// in a field stays as it was written: two requests may ask the same in different words, but never something else in the
/// same.
///
/// `body` is one valid JSON object, as [`Envelope::read`](crate::envelope::Envelope::read) has found; of anything else
/// the form says nothing.
pub fn canonical(endpoint: &Endpoint, body: &[u8], mut out: impl FnMut(&[u8])) {
    let delivery = delivery(endpoint);
    let mut fields = fields(body);
    fields.retain(|(key, _)| !delivery.contains(key));
    // Two spellings of one key are two of the same key.
    if fields.len() <= MAX_SORTED && !fields.iter().any(|(key, _)| key.contains(&b'\\')) {
        fields.sort_by_key(|(key, _)| *key); // two of the same key stay in their order
    }
    out(b"{");
    for (at, (key, value)) in fields.into_iter().enumerate() {
        if at > 0 {
            out(b",");
        }
        out(key);
        out(b":");
        Tokens(value).for_each(&mut out);
    }
    out(b"}");
}

/// The fields of an object: keys, quotes included, and values.
fn fields(body: &[u8]) -> Vec<(&[u8], &[u8])> {
    let mut fields = Vec::new();
    let mut tokens = Tokens(body);
    tokens.next(); // the brace
    while let Some(key) = tokens.next().filter(|key| key.starts_with(b"\"")) {
        tokens.next(); // the colon
        let from = tokens.0;
        let (mut depth, mut length) = (0_usize, 0);
        while let Some(token) = tokens.next() {
            depth = match token.first() {
                Some(b'{' | b'[') => depth.saturating_add(1),
                Some(b'}' | b']') if depth > 0 => depth.saturating_sub(1),
                Some(b',' | b'}') if depth == 0 => break,
                _ => depth,
            };
            length = from.len().saturating_sub(tokens.0.len());
        }
        fields.push((key, from.get(..length).unwrap_or_default()));
    }
    fields
}

/// The keys of the fields that only say how the answer is delivered, as JSON. A key in another spelling is another key.
const fn delivery(endpoint: &Endpoint) -> &'static [&'static [u8]] {
    match (endpoint.operation, endpoint.format) {
        (Operation::Chat, Format::OpenaiChat | Format::OpenaiResponses) => &[b"\"stream\"", b"\"stream_options\""],
        (Operation::Chat, Format::AnthropicMessages) => &[b"\"stream\""],
        // Their paths say it.
        (Operation::Chat, Format::GoogleGemini | Format::BedrockConverse) => &[],
        (Operation::Embeddings | Operation::CountTokens | Operation::Models, _) => &[],
    }
}

/// The tokens of JSON.
struct Tokens<'a>(&'a [u8]);

impl<'a> Iterator for Tokens<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let json = self.0.trim_ascii_start();
        let ends = |byte: &u8| matches!(byte, b',' | b'}' | b']' | b':') || byte.is_ascii_whitespace();
        let length = match json.first()? {
            b'"' => string_length(json),
            b'{' | b'}' | b'[' | b']' | b',' | b':' => 1,
            _ => json.iter().position(ends).unwrap_or(json.len()),
        };
        let (token, rest) = json.split_at_checked(length)?;
        self.0 = rest;
        Some(token)
    }
}

/// The length of the string that `json` begins with, quotes included.
fn string_length(json: &[u8]) -> usize {
    let mut at = 1;
    while let Some(found) = json.get(at..).and_then(|rest| memchr2(b'"', b'\\', rest)) {
        let end = at.saturating_add(found);
        if json.get(end) == Some(&b'"') {
            return end.saturating_add(1);
        }
        at = end.saturating_add(2); // an escape, of which the first letter may be a quote
    }
    json.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn endpoint(format: Format) -> Endpoint {
        Endpoint { format, operation: Operation::Chat, model: None, stream: false }
    }

    fn form(format: Format, body: &str) -> String {
        let mut form = Vec::new();
        canonical(&endpoint(format), body.as_bytes(), |piece| form.extend_from_slice(piece));
        String::from_utf8(form).unwrap()
    }

    #[test]
    fn white_space_and_delivery_do_not_count_and_everything_else_does() {
        for (body, expected) in [
            ("{}", "{}"),
            (" {\n} ", "{}"),
            (r#"{ "a" : [ 1 , -2.50 , true ] , "b" : " c , \" } " }"#, r#"{"a":[1,-2.50,true],"b":" c , \" } "}"#),
            (r#"{"stream":true}"#, "{}"),
            (r#"{"stream":true,"a":1}"#, r#"{"a":1}"#),
            (r#"{"a":1, "stream" : false }"#, r#"{"a":1}"#),
            (r#"{"a":1,"stream_options":{"x":[{"a":"}"}],"y":2},"b":{"stream":1}}"#, r#"{"a":1,"b":{"stream":1}}"#),
            (r#"{"a":"stream","b":["stream",{"stream":1}]}"#, r#"{"a":"stream","b":["stream",{"stream":1}]}"#),
            (r#"{"\u0073tream":true}"#, r#"{"\u0073tream":true}"#),
            (r#"{"b":1,"a":2}"#, r#"{"a":2,"b":1}"#),
            (r#"{"b":{"d":1,"c":2},"a":2}"#, r#"{"a":2,"b":{"d":1,"c":2}}"#),
            (r#"{"a":2,"b":0,"a":1}"#, r#"{"a":2,"a":1,"b":0}"#),
            (r#"{"a":1,"b":0,"a":2}"#, r#"{"a":1,"a":2,"b":0}"#),
            (r#"{"a":1.0}"#, r#"{"a":1.0}"#),
            (r#"{"b":0,"\u0061":1,"a":2}"#, r#"{"b":0,"\u0061":1,"a":2}"#),
            (r#"{"b":0,"a":2,"\u0061":1}"#, r#"{"b":0,"a":2,"\u0061":1}"#),
            (r#"{"a":"\\","b":"\\\""}"#, r#"{"a":"\\","b":"\\\""}"#),
        ] {
            assert_eq!(form(Format::OpenaiChat, body), expected, "{body}");
        }
    }

    #[test]
    fn only_formats_that_say_how_it_is_delivered_leave_that_out() {
        let body = r#"{"stream":true,"stream_options":{}}"#;
        for (format, expected) in [
            (Format::OpenaiChat, "{}"),
            (Format::OpenaiResponses, "{}"),
            (Format::AnthropicMessages, r#"{"stream_options":{}}"#),
            (Format::GoogleGemini, body),
            (Format::BedrockConverse, body),
        ] {
            assert_eq!(form(format, body), expected);
        }
        let mut told = Vec::new();
        let embeddings = Endpoint { operation: Operation::Embeddings, ..endpoint(Format::OpenaiChat) };
        canonical(&embeddings, body.as_bytes(), |piece| told.extend_from_slice(piece));
        assert_eq!(told, body.as_bytes());
    }

    #[test]
    fn of_a_request_with_very_many_fields_the_order_counts() {
        let body = |fields: &mut dyn Iterator<Item = usize>| {
            let fields: Vec<String> = fields.map(|at| format!("\"{at:03}\":0")).collect();
            form(Format::OpenaiChat, &format!("{{{}}}", fields.join(",")))
        };
        assert_eq!(body(&mut (0..MAX_SORTED)), body(&mut (0..MAX_SORTED).rev()));
        assert_ne!(body(&mut (0..=MAX_SORTED)), body(&mut (0..=MAX_SORTED).rev()));
    }

    #[test]
    fn what_is_no_request_has_some_form() {
        for body in
            ["", "x", "[1]", "{", "{\"", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":[}", "{\"a\":1}}", "{1:2}", "\"\\"]
        {
            assert!(form(Format::OpenaiChat, body).starts_with('{'));
        }
    }

    #[cfg(not(target_arch = "wasm32"))]
    mod of_any_request {
        use super::{Format, form};
        use proptest::prelude::*;
        use serde_json::{Map, Value};

        /// Few names and values, so that requests that are nearly the same are common.
        fn value() -> impl Strategy<Value = Value> {
            let text = prop_oneof!["[ab,{}\\[\\]:\"\\\\ ]{0,3}", Just("stream".to_owned())];
            let leaf = prop_oneof![
                any::<bool>().prop_map(Value::from),
                (0..3_u8).prop_map(Value::from),
                Just(Value::Null),
                text.prop_map(Value::from)
            ];
            leaf.prop_recursive(3, 12, 3, |inner| {
                prop_oneof![
                    proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
                    object(inner).prop_map(Value::from)
                ]
            })
        }

        fn object(inner: impl Strategy<Value = Value>) -> impl Strategy<Value = Map<String, Value>> {
            let name = prop_oneof!["[ab\", ]{0,2}", Just("stream".to_owned()), Just("stream_options".to_owned())];
            proptest::collection::vec((name, inner), 0..4).prop_map(|fields| fields.into_iter().collect())
        }

        /// JSON with white space wherever it may stand.
        fn spaced(value: &Value, spaces: &mut impl Iterator<Item = &'static str>) -> String {
            let mut space = || spaces.next().unwrap_or_default();
            let (before, after) = (space(), space());
            let inner = match value {
                Value::Array(items) => {
                    let items: Vec<String> = items.iter().map(|item| spaced(item, spaces)).collect();
                    format!("[{}{}]", spaces.next().unwrap_or_default(), items.join(","))
                }
                Value::Object(fields) => {
                    let fields: Vec<String> = fields
                        .iter()
                        .map(|(name, value)| {
                            let name = spaced(&Value::from(name.as_str()), spaces);
                            format!("{name}:{}", spaced(value, spaces))
                        })
                        .collect();
                    format!("{{{}{}}}", spaces.next().unwrap_or_default(), fields.join(","))
                }
                leaf => leaf.to_string(),
            };
            format!("{before}{inner}{after}")
        }

        fn undelivered(request: &Map<String, Value>) -> Value {
            let mut request = request.clone();
            request.retain(|name, _| !matches!(name.as_str(), "stream" | "stream_options"));
            Value::from(request)
        }

        proptest! {
            #[test]
            fn two_that_differ_are_never_the_same(a in object(value()), b in object(value())) {
                let forms = [&a, &b].map(|request| form(Format::OpenaiChat, &Value::from(request.clone()).to_string()));
                prop_assert_eq!(forms[0] == forms[1], undelivered(&a) == undelivered(&b));
            }

            #[test]
            fn it_says_the_same_however_it_is_spaced(
                request in object(value()),
                spaces in proptest::collection::vec(prop_oneof![Just(""), Just(" "), Just("\n"), Just("\t\r")], 0..32),
            ) {
                let tight = Value::from(request.clone());
                let loose = spaced(&tight, &mut spaces.into_iter().cycle().take(1000));
                prop_assert_eq!(serde_json::from_str::<Value>(&loose).unwrap(), tight.clone());
                let canonical = form(Format::OpenaiChat, &loose);
                let turned = request.iter().rev().map(|(name, value)| format!("{}:{value}", Value::from(name.as_str())));
                let turned = format!("{{{}}}", turned.collect::<Vec<_>>().join(","));
                let escaped = request.keys().any(|name| name.contains('"'));
                prop_assert!(escaped || canonical == form(Format::OpenaiChat, &turned));
                prop_assert_eq!(serde_json::from_str::<Value>(&canonical).unwrap(), undelivered(&request));
            }
        }
    }
}
