use super::*;
use crate::conversation::{Image, Message, Part, Request, Role, Tool, ToolCall, ToolChoice, ToolResult};
use serde_json::{Value, json};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

const FULL: &[u8] = include_bytes!("../../../tests/fixtures/openai_chat/request_full.json");
const FULL_EXPECTED: &[u8] = include_bytes!("../../../tests/fixtures/openai_chat/request_full.expected.json");

/// A request with one user message and `extra` fields.
fn with(extra: &Value) -> Vec<u8> {
    let mut body = json!({"model": "m", "messages": [{"role": "user", "content": "hi"}]});
    for (name, value) in extra.as_object().expect("an object") {
        body[name] = value.clone();
    }
    body.to_string().into_bytes()
}

fn fault(body: &[u8]) -> String {
    read_request(body).expect_err("an invalid request").to_string()
}

fn written(request: &mut Request) -> Value {
    serde_json::from_slice(&write_request(request).expect("a request")).expect("JSON")
}

#[test]
fn what_the_conversation_carries_comes_back_as_it_was() {
    let mut request = read_request(FULL).unwrap();
    assert_eq!(written(&mut request), serde_json::from_slice::<Value>(FULL_EXPECTED).unwrap());
}

#[test]
fn what_is_not_carried_is_named_once_in_the_order_of_first_use() {
    let request = read_request(FULL).unwrap();
    assert_eq!(request.dropped, ["logit_bias", "messages.name", "image_url.detail", "seed", "unknown_fields"]);
}

#[test]
fn instructions_are_kept_apart_from_the_turns() {
    let request = read_request(FULL).unwrap();
    assert_eq!(request.system, ["Answer shortly.", "Use metric units."]);
    assert_eq!(request.messages.len(), 4);
}

#[test]
fn consecutive_tool_results_become_one_turn() {
    let request = read_request(FULL).unwrap();
    let turn = &request.messages[2];
    assert_eq!(turn.role, Role::User);
    let ids: Vec<_> = turn
        .parts
        .iter()
        .map(|part| match part {
            Part::ToolResult(result) => &*result.id,
            _ => "no result",
        })
        .collect();
    assert_eq!(ids, ["call_1", "call_2"]);
}

#[test]
fn a_tools_schema_is_the_clients_own_text() {
    let body = br#"{"model":"m","messages":[{"role":"user","content":"x"}],
        "tools":[{"type":"function","function":{"name":"f","parameters":{"z":1.50, "a":12345678901234567890123}}}]}"#;
    let mut request = read_request(body).unwrap();
    let out = String::from_utf8(write_request(&mut request).unwrap()).unwrap();
    assert!(out.contains(r#""parameters":{"z":1.50, "a":12345678901234567890123}"#), "{out}");
}

#[test]
fn both_forms_of_stop_and_tool_choice_are_read() {
    for (stop, expected) in [(json!("a"), vec!["a"]), (json!(["a", "b"]), vec!["a", "b"]), (json!(null), vec![])] {
        assert_eq!(read_request(&with(&json!({ "stop": stop }))).unwrap().stop, expected);
    }
    for (choice, expected) in [
        (json!("auto"), Some(ToolChoice::Auto)),
        (json!("none"), Some(ToolChoice::None)),
        (json!("required"), Some(ToolChoice::Required)),
        (json!({"type": "function", "function": {"name": "f"}}), Some(ToolChoice::Named("f".into()))),
        (json!(null), None),
    ] {
        assert_eq!(read_request(&with(&json!({ "tool_choice": choice }))).unwrap().tool_choice, expected);
    }
}

#[test]
fn the_larger_of_both_output_bounds_is_written_as_the_new_one() {
    let mut request = read_request(&with(&json!({"max_tokens": 30, "max_completion_tokens": 20}))).unwrap();
    let body = written(&mut request);
    assert_eq!((&body["max_completion_tokens"], body.get("max_tokens")), (&json!(30), None));
}

#[test]
fn an_image_is_an_address_or_its_bytes() {
    let inline = |media_type: &str| Some(Image::Inline { media_type: media_type.into(), base64: "aGk=".into() });
    for (url, expected) in [
        ("https://example.com/a.png", Some(Image::Url("https://example.com/a.png".into()))),
        ("HTTP://example.com/a.png", Some(Image::Url("HTTP://example.com/a.png".into()))),
        ("data:image/png;base64,aGk=", inline("image/png")),
        ("data:image/svg+xml;charset=utf-8;base64,aGk=", inline("image/svg+xml")),
        ("data:image/png,hi", None),
        ("data:text/html;base64,aGk=", None),
        ("data:image/png;base64,", None),
        ("file:///etc/passwd", None),
        ("a.png", None),
    ] {
        let content = json!([{"type": "image_url", "image_url": {"url": url}}]);
        let read = read_request(&with(&json!({"messages": [{"role": "user", "content": content}]})));
        match (read, expected) {
            (Ok(request), Some(expected)) => {
                assert!(matches!(&request.messages[0].parts[..], [Part::Image(image)] if *image == expected), "{url}");
            }
            (Err(fault), None) => assert_eq!(fault.field, "messages[0].content[0].image_url.url", "{url}"),
            (read, _) => panic!("{url}: {read:?}"),
        }
    }
}

#[test]
fn a_request_that_cannot_be_carried_is_refused_with_the_field_at_fault() {
    let message = |message: Value| json!({ "messages": [message] });
    for (extra, expected) in [
        (json!({"n": 2}), "n: more than one answer cannot be translated to this model's provider"),
        (json!({"model": 7}), "model: must be a string"),
        (json!({"model": null}), "model: is required"),
        (json!({"messages": []}), "messages: must hold at least one user or assistant message"),
        (json!({"messages": "hi"}), "messages: must be an array"),
        (json!({"temperature": "hot"}), "temperature: must be a number"),
        (json!({"max_tokens": -1}), "max_tokens: must be a whole number, not negative"),
        (json!({"stop": [1]}), "stop: must be a string or an array of strings"),
        (json!({"functions": [{"name": "f"}]}), "functions: is deprecated and not translated; use tools"),
        (
            json!({"tools": [{"type": "custom", "custom": {"name": "x"}}]}),
            "tools[0]: only function tools can be translated",
        ),
        (
            json!({"tool_choice": {"type": "allowed_tools", "allowed_tools": {}}}),
            "tool_choice: only the choice of one function can be translated",
        ),
        (json!({"tool_choice": "any"}), "tool_choice: must be none, auto, required or an object that names a function"),
        (
            message(json!({"role": "robot", "content": "x"})),
            "messages[0].role: must be system, developer, user, assistant or tool",
        ),
        (message(json!({"role": "tool", "content": "x"})), "messages[0].tool_call_id: is required"),
        (message(json!({"role": "user", "content": 5})), "messages[0].content: must be a string or an array of parts"),
        (
            message(json!({"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "input_audio"}]})),
            "messages[0].content[1].type: only text and image_url parts can be translated",
        ),
        (message(json!({"role": "user", "content": [{"type": "text"}]})), "messages[0].content[0].text: is required"),
        (
            message(json!({"role": "assistant", "tool_calls": [{"id": "c", "type": "custom", "custom": {}}]})),
            "messages[0].tool_calls[0]: only calls of functions can be translated",
        ),
        (message(json!("secret")), "messages[0]: must be an object with a role and fields of their documented types"),
    ] {
        assert_eq!(fault(&with(&extra)), expected, "{extra}");
    }
    for body in [&b""[..], b"[]", b"{", b"{} {}"] {
        assert!(fault(body).starts_with("the body is not one valid JSON object"), "{body:?}");
    }
    assert_eq!(fault(b"{\"model\":\"\xff\"}"), "the body is not valid UTF-8");
}

#[test]
fn a_field_at_its_default_asks_for_nothing() {
    let extra = json!({"logprobs": false, "frequency_penalty": 0.0, "logit_bias": {}, "seed": null, "n": 1});
    assert!(read_request(&with(&extra)).unwrap().dropped.is_empty());
    assert_eq!(read_request(&with(&json!({"seed": 0}))).unwrap().dropped, ["seed"]);
}

#[test]
fn a_refusal_in_the_history_is_text() {
    let messages = json!([{"role": "user", "content": "x"}, {"role": "assistant", "content": null, "refusal": "No."}]);
    let request = read_request(&with(&json!({ "messages": messages }))).unwrap();
    assert!(matches!(&request.messages[1].parts[..], [Part::Text(text)] if text == "No."));
}

#[test]
fn tool_results_are_written_before_what_the_user_says_with_them() {
    let result = |id: &str, content, is_error| Part::ToolResult(ToolResult { id: id.into(), content, is_error });
    let image = || Part::Image(Image::Url("https://example.com/a.png".into()));
    let call = ToolCall { id: "c1".into(), name: "f".into(), arguments: "{}".into() };
    let parts = vec![
        Part::Text("and now?".into()),
        result("c1", vec![Part::Text("one".into()), image(), Part::Text("two".into())], false),
        result("c2", vec![image()], true),
    ];
    let mut request = Request {
        model: "m".into(),
        messages: vec![
            Message { role: Role::Assistant, parts: vec![Part::Text("wait".into()), Part::ToolCall(call)] },
            Message { role: Role::User, parts },
        ],
        ..Request::default()
    };
    let expected = json!([
        {"role": "assistant", "content": "wait",
         "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]},
        {"role": "tool", "tool_call_id": "c1",
         "content": [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}]},
        {"role": "tool", "tool_call_id": "c2", "content": ""},
        {"role": "user", "content": "and now?"},
    ]);
    assert_eq!(written(&mut request)["messages"], expected);
    assert_eq!(request.dropped, ["tool_result.image", "tool_result.is_error"]);
}

#[test]
fn a_written_stream_always_asks_for_usage() {
    let message = Message { role: Role::User, parts: vec![Part::Text("hi".into())] };
    let mut request = Request { model: "m".into(), messages: vec![message], stream: true, ..Request::default() };
    assert_eq!(
        written(&mut request),
        json!({
            "model": "m", "messages": [{"role": "user", "content": "hi"}],
            "stream": true, "stream_options": {"include_usage": true},
        })
    );
}

#[test]
fn fields_about_tools_are_left_out_where_there_are_none() {
    let mut request = Request {
        tool_choice: Some(ToolChoice::Auto),
        parallel_tool_calls: Some(false),
        ..read_request(&with(&json!({}))).unwrap()
    };
    assert_eq!(written(&mut request), json!({"model": "m", "messages": [{"role": "user", "content": "hi"}]}));
    request.tools.push(Tool { name: "f".into(), description: None, parameters: None, strict: None });
    let body = written(&mut request);
    assert_eq!((&body["tool_choice"], &body["parallel_tool_calls"]), (&json!("auto"), &json!(false)));
}

#[cfg(not(target_arch = "wasm32"))]
proptest::proptest! {
    #[test]
    fn no_cut_of_a_request_makes_it_panic(cut in 0..FULL.len(), byte: u8) {
        let mut body = FULL.to_vec();
        body[cut] = byte;
        let _ = read_request(&body);
        let _ = read_request(&body[..cut]);
    }
}
