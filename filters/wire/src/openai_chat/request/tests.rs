use super::*;
use crate::conversation::{
    CacheTtl, Document, DocumentSource, Effort, Media, Message, OutputFormat, OutputSchema, Part, Reasoning,
    ReasoningRequest, Request, Role, Tool, ToolCall, ToolChoice, ToolResult,
};
use crate::signature::{Origin, Seal, SealKind};
use serde_json::{Value, json};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

const FULL: &[u8] = include_bytes!("../../../tests/fixtures/openai_chat/request_full.json");
const FULL_EXPECTED: &[u8] = include_bytes!("../../../tests/fixtures/openai_chat/request_full.expected.json");

/// A request with one user message and `extra` fields.
fn with(extra: &Value) -> Vec<u8> {
    let mut body = json!({"model": "gpt-5.6", "messages": [{"role": "user", "content": "hi"}]});
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
    assert_eq!(request.dropped, ["messages.name", "image_url.detail", "logit_bias", "unknown_fields"]);
}

#[test]
fn instructions_are_kept_apart_from_the_turns() {
    let request = read_request(FULL).unwrap();
    let instructions: Vec<_> = request.system.iter().map(|system| &*system.text).collect();
    assert_eq!(instructions, ["Answer shortly.", "Use metric units."]);
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
    let inline = |media_type: &str| Some(Media::Inline { media_type: media_type.into(), base64: "aGk=".into() });
    for (url, expected) in [
        ("https://example.com/a.png", Some(Media::Url("https://example.com/a.png".into()))),
        ("HTTP://example.com/a.png", Some(Media::Url("HTTP://example.com/a.png".into()))),
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
        (json!({"model": null}), "model: required: a string"),
        (json!({"model": ""}), "model: must not be empty"),
        (json!({"messages": []}), "messages: must hold at least one user or assistant message"),
        (json!({"messages": "hi"}), "messages: must be an array of messages"),
        (json!({"temperature": "hot"}), "temperature: must be a number"),
        (json!({"max_tokens": -1}), "max_tokens: must be a whole number, not negative"),
        (json!({"seed": 1.5}), "seed: must be a whole number"),
        (json!({"metadata": {"a": 1}}), "metadata: must be an object of strings"),
        (
            json!({"reasoning_effort": "hard"}),
            "reasoning_effort: must be none, minimal, low, medium, high, xhigh or max",
        ),
        (
            json!({"response_format": {"type": "grammar"}}),
            "response_format.type: must be text, json_object or json_schema",
        ),
        (
            json!({"response_format": {"type": "json_schema", "json_schema": {"name": "x"}}}),
            "response_format.json_schema.schema: a JSON Schema object",
        ),
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
        (message(json!({"role": "tool", "content": "x"})), "messages[0].tool_call_id: required: a string"),
        (message(json!({"role": "user", "content": 5})), "messages[0].content: must be a string or an array of parts"),
        (
            message(json!({"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "input_audio"}]})),
            "messages[0].content[1].type: only text, image_url and file parts can be translated",
        ),
        (
            message(json!({"role": "user", "content": [{"type": "text"}]})),
            "messages[0].content[0].text: required: a string",
        ),
        (
            message(json!({"role": "user", "content": [{"type": "file", "file": {"file_id": "file-1"}}]})),
            "messages[0].content[0].file.file_id: only this provider has the file; send it as file_data",
        ),
        (
            message(json!({"role": "user", "content": [{"type": "file", "file": {"file_data": "aGk="}}]})),
            "messages[0].content[0].file.file_data: must be a base64 data URL, or the base64 of a PDF",
        ),
        (
            message(json!({"role": "assistant", "content": "x", "reasoning_content": 7})),
            "messages[0]: reasoning_content and reasoning must be strings, reasoning_details an array of objects",
        ),
        (
            message(json!({"role": "assistant", "tool_calls": [{"id": "c", "type": "custom", "custom": {}}]})),
            "messages[0].tool_calls[0]: only calls of functions can be translated",
        ),
        (message(json!("secret")), "messages[0]: must be an object"),
    ] {
        assert_eq!(fault(&with(&extra)), expected, "{extra}");
    }
    for body in [&b""[..], b"[]", b"{", b"{} {}"] {
        assert!(fault(body).starts_with("the body is not a JSON object"), "{body:?}");
    }
    assert_eq!(fault(b"{\"model\":\"\xff\"}"), "the body is not valid UTF-8");
}

#[test]
fn a_field_at_its_default_asks_for_nothing() {
    let extra = json!({
        "logprobs": false, "store": false, "frequency_penalty": 0.0, "logit_bias": {}, "seed": null, "n": 1,
        "stream_options": {"include_usage": false}, "metadata": {}, "service_tier": "auto",
        "response_format": {"type": "text"},
    });
    let mut request = read_request(&with(&extra)).unwrap();
    assert!(request.dropped.is_empty(), "{:?}", request.dropped);
    assert_eq!(written(&mut request), written(&mut read_request(&with(&json!({}))).unwrap()));
}

#[test]
fn how_and_how_much_comes_back_as_it_was() {
    let extra = json!({
        "temperature": 0.2, "top_p": 0.9, "frequency_penalty": -0.5, "presence_penalty": 0.25, "seed": -7,
        "stop": ["END"], "reasoning_effort": "xhigh", "user": "u-17", "service_tier": "priority",
        "response_format": {"type": "json_schema", "json_schema": {
            "name": "city", "description": "A city", "schema": {"type": "object"}, "strict": true,
        }},
    });
    let mut request = read_request(&with(&extra)).unwrap();
    let body = written(&mut request);
    for (name, value) in extra.as_object().unwrap() {
        assert_eq!(&body[name], value);
    }
    assert!(request.dropped.is_empty());
}

#[test]
fn what_openai_has_no_place_for_is_named() {
    let request = || read_request(&with(&json!({}))).unwrap();
    for (change, field, expected, dropped) in [
        (json!({"top_k": 40}), "top_k", Value::Null, vec!["top_k"]),
        (json!({"metadata": {"ticket": "T-1"}}), "metadata", Value::Null, vec!["metadata"]),
        (json!({"service_tier": "batch"}), "service_tier", Value::Null, vec!["service_tier"]),
        (json!({"service_tier": "new"}), "service_tier", Value::Null, vec!["service_tier"]),
        (json!({"service_tier": "fast"}), "service_tier", json!("priority"), vec![]),
        (json!({"service_tier": "scale"}), "service_tier", json!("scale"), vec![]),
        (json!({"safety_identifier": "u-1"}), "user", json!("u-1"), vec![]),
        (json!({"safety_identifier": "u-1", "user": "u-2"}), "user", json!("u-2"), vec!["safety_identifier"]),
        (
            json!({"verbosity": "low", "prompt_cache_key": "k"}),
            "verbosity",
            Value::Null,
            vec!["prompt_cache_key", "verbosity"],
        ),
    ] {
        let mut request = read_request(&with(&change)).unwrap();
        assert_eq!(written(&mut request)[field], expected, "{change}");
        request.dropped.sort_unstable();
        assert_eq!(request.dropped, dropped, "{change}");
    }
    let reasoning = |effort, budget_tokens, shown| Some(ReasoningRequest { effort, budget_tokens, shown });
    for (reasoning, expected, dropped) in [
        (reasoning(Some(Effort::None), None, None), json!("none"), vec![]),
        (reasoning(None, Some(5000), Some(false)), json!("medium"), vec![]),
        (reasoning(Some(Effort::Max), Some(5000), Some(true)), json!("max"), vec!["reasoning"]),
        (reasoning(None, None, None), json!("medium"), vec![]),
    ] {
        let mut request = Request { reasoning, ..request() };
        assert_eq!((&written(&mut request)["reasoning_effort"], &request.dropped), (&expected, &dropped));
    }
}

#[test]
fn a_schema_without_a_name_gets_one() {
    let schema = serde_json::value::to_raw_value(&json!({"type": "object"})).unwrap();
    let schema = OutputSchema { name: None, description: None, schema, strict: None };
    let mut request = read_request(&with(&json!({}))).unwrap();
    request.output = Some(OutputFormat::JsonSchema(schema));
    let expected = json!({"type": "json_schema", "json_schema": {"name": "answer", "schema": {"type": "object"}}});
    assert_eq!(written(&mut request)["response_format"], expected);
    request.output = Some(OutputFormat::JsonObject);
    assert_eq!(written(&mut request)["response_format"], json!({"type": "json_object"}));
}

#[test]
fn a_file_is_its_bytes_with_or_without_their_type() {
    let inline =
        |media_type: &str, base64: &str| Media::Inline { media_type: media_type.into(), base64: base64.into() };
    for (data, expected) in [
        ("data:application/pdf;base64,JVBERi0xLjQK", inline("application/pdf", "JVBERi0xLjQK")),
        ("data:text/csv;charset=utf-8;base64,YQ==", inline("text/csv", "YQ==")),
        ("JVBERi0xLjQK", inline("application/pdf", "JVBERi0xLjQK")),
    ] {
        let content = json!([{"type": "file", "file": {"filename": "a.pdf", "file_data": data}}]);
        let request = read_request(&with(&json!({"messages": [{"role": "user", "content": content}]}))).unwrap();
        let [Part::Document(document)] = &request.messages[0].parts[..] else { panic!("{data}") };
        assert_eq!(document, &Document { name: Some("a.pdf".into()), source: DocumentSource::File(expected) });
    }
}

fn user(parts: Vec<Part>) -> Request {
    let messages = vec![Message { role: Role::User, parts }];
    Request { model: "gpt-5.6".into(), messages, ..Request::default() }
}

#[test]
fn documents_are_written_as_files_or_as_text() {
    let document = |name: Option<&str>, source| Part::Document(Document { name: name.map(Into::into), source });
    let pdf = || DocumentSource::File(Media::Inline { media_type: "application/pdf".into(), base64: "JVBERi".into() });
    let mut request =
        user(vec![document(None, pdf()), document(Some("notes"), DocumentSource::Text("Some notes.".into()))]);
    let expected = json!([
        {"type": "file", "file": {"filename": "document.pdf", "file_data": "data:application/pdf;base64,JVBERi"}},
        {"type": "text", "text": "Some notes."},
    ]);
    assert_eq!(written(&mut request)["messages"][0]["content"], expected);
    assert_eq!(request.dropped, ["document.name"]);
    let result = |content| Part::ToolResult(ToolResult { id: "c".into(), content, is_error: false });
    let mut request = user(vec![result(vec![document(None, pdf()), Part::Text("x".into())])]);
    assert_eq!(written(&mut request)["messages"][0]["content"], "x");
    assert_eq!(request.dropped, ["tool_result.document"]);
}

#[test]
fn what_stands_at_an_address_that_the_provider_cannot_read_is_refused() {
    let at = |url: &str| Media::Url(url.into());
    let document = |url| Part::Document(Document { name: None, source: DocumentSource::File(at(url)) });
    for part in
        [document("https://example.com/a.pdf"), Part::Image(at("gs://a/b.png")), Part::Image(at("s3://a/b.png"))]
    {
        assert_eq!(write_request(&mut user(vec![part])).unwrap_err().field, "messages");
    }
}

#[test]
fn cache_breakpoints_stand_on_the_part_before_them() {
    let breakpoint = |ttl: &str| json!({"mode": "explicit", "ttl": ttl});
    let text =
        |text: &str, ttl: &str| json!({"type": "text", "text": text, "prompt_cache_breakpoint": breakpoint(ttl)});
    let messages = json!([
        {"role": "system", "content": [text("Rules.", "12h")]},
        {"role": "user", "content": [text("A", "30m"), {"type": "text", "text": "B"}]},
        {"role": "assistant", "content": null, "tool_calls": [
            {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}},
            {"id": "c2", "type": "function", "function": {"name": "f", "arguments": "{}"}},
        ]},
        {"role": "tool", "tool_call_id": "c1", "content": [text("one", "30m")]},
        {"role": "tool", "tool_call_id": "c2", "content": "two"},
    ]);
    let mut request = read_request(&with(&json!({ "messages": messages }))).unwrap();
    assert_eq!(request.system[0].cache, Some(CacheTtl::Long));
    assert_eq!(request.messages.len(), 3, "results of one turn are one turn");
    assert_eq!(written(&mut request)["messages"], messages);
    assert!(request.dropped.is_empty());
}

#[test]
fn a_cache_hint_without_a_ttl_and_that_of_other_clients_are_read_too() {
    for (hint, expected) in [
        (json!({"prompt_cache_breakpoint": {"mode": "explicit"}}), CacheTtl::Short),
        (json!({"cache_control": {"type": "ephemeral"}}), CacheTtl::Short),
        (json!({"cache_control": {"type": "ephemeral", "ttl": "1h"}}), CacheTtl::Long),
    ] {
        let mut part = json!({"type": "text", "text": "x"});
        part.as_object_mut().unwrap().extend(hint.as_object().unwrap().clone());
        let request = read_request(&with(&json!({"messages": [{"role": "user", "content": [part]}]}))).unwrap();
        let [Part::Text(_), Part::CacheBreakpoint(ttl)] = &request.messages[0].parts[..] else { panic!("{hint}") };
        assert_eq!(*ttl, expected);
    }
}

#[test]
fn a_cache_hint_that_has_no_part_to_stand_on_is_named() {
    let hint = || Part::CacheBreakpoint(CacheTtl::Short);
    let result = |content| Part::ToolResult(ToolResult { id: "c".into(), content, is_error: false });
    let mut tools = user(vec![Part::Text("x".into())]);
    let cache = Some(CacheTtl::Long);
    tools.tools.push(Tool { name: "f".into(), description: None, parameters: None, strict: None, cache });
    for mut request in [tools, user(vec![hint(), Part::Text("x".into())]), user(vec![result(vec![]), hint()])] {
        write_request(&mut request).unwrap();
        assert_eq!(request.dropped, ["cache_control"], "{request:?}");
    }
}

fn thought(text: &str, origin: Origin, value: &str) -> Part {
    let seal = Some(Seal { origin, kind: SealKind::Signature, value: value.into() });
    Part::Reasoning(Reasoning { text: text.into(), seal })
}

fn call() -> Part {
    Part::ToolCall(ToolCall { id: "c".into(), name: "f".into(), arguments: "{}".into() })
}

#[test]
fn a_provider_gets_back_its_own_reasoning_only() {
    let own = |value| thought("Hm.", Origin::OpenaiChat, value);
    let element = json!({"type": "reasoning.text", "signature": "s", "text": "Hm."});
    let summary = json!({"type": "reasoning.summary", "summary": "Hm."});
    let extra = json!({"google": {"thought_signature": "s"}});
    let unsealed = Part::Reasoning(Reasoning { text: "Hm.".into(), seal: None });
    for (parts, field, expected, left_out) in [
        (vec![own("\"reasoning_content\"")], "/reasoning_content", json!("Hm."), false),
        (vec![own("\"reasoning\"")], "/reasoning", json!("Hm."), false),
        (vec![own(r#"{"type":"reasoning.text","signature":"s"}"#)], "/reasoning_details", json!([element]), false),
        (vec![own(r#"{"type":"reasoning.summary"}"#)], "/reasoning_details", json!([summary]), false),
        (vec![own("\"role\"")], "/role", json!("assistant"), true),
        (vec![own("no JSON")], "/role", json!("assistant"), true),
        (vec![thought("Hm.", Origin::Claude, "s")], "/role", json!("assistant"), true),
        (vec![unsealed], "/role", json!("assistant"), true),
        (
            vec![thought("", Origin::OpenaiChat, r#"{"extra_content":{"google":{"thought_signature":"s"}}}"#), call()],
            "/tool_calls/0/extra_content",
            extra,
            false,
        ),
        (vec![thought("", Origin::Gemini, "s"), call()], "/tool_calls/0/id", json!("c"), true),
    ] {
        let messages = vec![Message { role: Role::Assistant, parts }];
        let mut request = Request { model: "gpt-5.6".into(), messages, ..Request::default() };
        let body = written(&mut request);
        let message = &body["messages"][0];
        assert_eq!(message.pointer(field), Some(&expected), "{body}");
        assert_eq!(request.dropped.contains(&"reasoning_content"), left_out, "{body}");
        if left_out {
            for field in ["reasoning_content", "reasoning", "reasoning_details"] {
                assert_eq!(message.get(field), None, "{body}");
            }
        }
    }
}

#[test]
fn the_seals_of_a_clients_history_are_whose_they_are() {
    let label = "tollgate:claude:signature:c2ln";
    let message = json!({
        "role": "assistant", "content": "Oslo.", "reasoning_content": "Hm.", "annotations": [], "audio": null,
        "reasoning_details": [{"type": "reasoning.text", "text": "Hm.", "signature": label, "format": "tollgate:translated"}],
        "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"},
            "extra_content": {"google": {"thought_signature": "c2ln"}}}],
    });
    let request = read_request(&with(&json!({ "messages": [message] }))).unwrap();
    let [Part::Reasoning(claude), Part::Text(_), Part::Reasoning(gemini), Part::ToolCall(_)] =
        &request.messages[0].parts[..]
    else {
        panic!("{request:?}")
    };
    let seal = |origin| Some(Seal { origin, kind: SealKind::Signature, value: "c2ln".into() });
    assert_eq!(claude, &Reasoning { text: "Hm.".into(), seal: seal(Origin::Claude) });
    assert_eq!(gemini, &Reasoning { text: String::new(), seal: seal(Origin::Gemini) });
    assert!(request.dropped.is_empty());
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
    let image = || Part::Image(Media::Url("https://example.com/a.png".into()));
    let call = ToolCall { id: "c1".into(), name: "f".into(), arguments: "{}".into() };
    let parts = vec![
        Part::Text("and now?".into()),
        result("c1", vec![Part::Text("one".into()), image(), Part::Text("two".into())], false),
        result("c2", vec![image()], true),
    ];
    let mut request = Request {
        model: "gpt-5.6".into(),
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
    let mut request = Request { model: "gpt-5.6".into(), messages: vec![message], stream: true, ..Request::default() };
    assert_eq!(
        written(&mut request),
        json!({
            "model": "gpt-5.6", "messages": [{"role": "user", "content": "hi"}],
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
    assert_eq!(written(&mut request), json!({"model": "gpt-5.6", "messages": [{"role": "user", "content": "hi"}]}));
    request.tools.push(Tool { name: "f".into(), description: None, parameters: None, strict: None, cache: None });
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
