//! What is promised of requests that are written.

use super::*;
use crate::conversation::{
    Document, DocumentSource, Instruction, Media, Message, OutputSchema, Part, Reasoning, ReasoningRequest, Role,
    Sampling, ToolCall, ToolResult,
};
use crate::signature::{Origin, Seal, SealKind};
use serde_json::{Value, json};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

fn turn(role: Role, parts: Vec<Part>) -> Message {
    Message { role, parts }
}

fn text(text: &str) -> Part {
    Part::Text(text.to_owned())
}

fn call(arguments: &str) -> Part {
    Part::ToolCall(ToolCall { id: "t".to_owned(), name: "f".to_owned(), arguments: arguments.to_owned() })
}

fn result(content: Vec<Part>, is_error: bool) -> Part {
    Part::ToolResult(ToolResult { id: "t".to_owned(), content, is_error })
}

fn tool(parameters: Option<&str>) -> Tool {
    let parameters = parameters.map(|parameters| serde_json::from_str(parameters).unwrap());
    Tool { name: "f".to_owned(), description: None, parameters, strict: None, cache: None }
}

fn hello() -> Request {
    Request { messages: vec![turn(Role::User, vec![text("Hi")])], ..Request::default() }
}

fn written(request: &mut Request) -> Value {
    serde_json::from_slice(&write_request(request).unwrap()).unwrap()
}

fn said(messages: Vec<Message>) -> Value {
    written(&mut Request { messages, ..Request::default() })["messages"].take()
}

#[test]
fn a_plain_question_is_written_with_all_that_anthropic_requires() {
    let mut request = Request { model: "claude-x".to_owned(), ..hello() };
    assert_eq!(
        String::from_utf8(write_request(&mut request).unwrap()).unwrap(),
        concat!(
            r#"{"model":"claude-x","max_tokens":4096,"#,
            r#""messages":[{"role":"user","content":[{"type":"text","text":"Hi"}]}],"stream":false}"#
        )
    );
    assert!(request.dropped.is_empty());
}

#[test]
fn a_full_request_is_written() {
    let mut request = Request {
        system: vec!["Be brief.".to_owned().into(), " ".to_owned().into()],
        tools: vec![tool(Some(r#"{"type":"object","properties":{"a":{}}}"#))],
        tool_choice: Some(ToolChoice::Named("f".to_owned())),
        parallel_tool_calls: Some(false),
        max_output_tokens: Some(7),
        sampling: Sampling { temperature: Some(0.5), top_p: Some(0.9), top_k: Some(40), ..Sampling::default() },
        service_tier: Some(ServiceTier::Standard),
        stop: vec!["END".to_owned()],
        stream: true,
        end_user: Some("u1".to_owned()),
        ..hello()
    };
    assert_eq!(
        written(&mut request),
        json!({
            "model": "", "max_tokens": 7, "stream": true, "temperature": 0.5, "top_p": 0.9,
            "top_k": 40, "service_tier": "standard_only",
            "system": [{"type": "text", "text": "Be brief."}],
            "messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}],
            "tools": [{"name": "f", "input_schema": {"type": "object", "properties": {"a": {}}}}],
            "tool_choice": {"type": "tool", "name": "f", "disable_parallel_tool_use": true},
            "stop_sequences": ["END"], "metadata": {"user_id": "u1"},
        })
    );
}

#[test]
fn turns_of_one_role_become_one_and_empty_ones_none() {
    let block = |text: &str| json!({"type": "text", "text": text});
    assert_eq!(
        said(vec![
            turn(Role::User, vec![text("a"), text(""), text(" \n")]),
            turn(Role::Assistant, vec![text("")]),
            turn(Role::User, vec![text("b")]),
            turn(Role::Assistant, vec![text("c \n")]),
        ]),
        json!([
            {"role": "user", "content": [block("a"), block("b")]},
            {"role": "assistant", "content": [block("c")]},
        ])
    );
}

#[test]
fn results_come_before_all_else_that_the_user_says() {
    let image = Part::Image(Media::Url("https://x/y.png".to_owned()));
    assert_eq!(
        said(vec![
            turn(Role::User, vec![text("go")]),
            turn(Role::Assistant, vec![call("{}")]),
            turn(Role::User, vec![text("and")]),
            turn(Role::User, vec![result(vec![text("ok"), image], false), result(vec![], true)]),
        ])[2],
        json!({"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": "t", "content": [
                {"type": "text", "text": "ok"}, {"type": "image", "source": {"type": "url", "url": "https://x/y.png"}}]},
            {"type": "tool_result", "tool_use_id": "t", "is_error": true},
            {"type": "text", "text": "and"},
        ]})
    );
}

#[test]
fn arguments_must_be_an_object() {
    for (arguments, expected) in
        [("{\"a\": 1}", Some(json!({"a": 1}))), ("", Some(json!({}))), ("[]", None), ("{", None)]
    {
        let messages = vec![turn(Role::User, vec![text("go")]), turn(Role::Assistant, vec![call(arguments)])];
        let body = write_request(&mut Request { messages, ..Request::default() });
        let input = body
            .map(|body| serde_json::from_slice::<Value>(&body).unwrap()["messages"][1]["content"][0]["input"].take());
        match expected {
            Some(expected) => assert_eq!(input, Ok(expected)),
            None => assert_eq!(
                input.unwrap_err().to_string(),
                "messages: the arguments of a tool call must be a JSON object"
            ),
        }
    }
}

#[test]
fn a_tool_without_parameters_gets_the_schema_of_none() {
    let none = json!({"type": "object", "properties": {}});
    for parameters in [None, Some("{}"), Some("{ }")] {
        let mut request = Request { tools: vec![tool(parameters)], ..hello() };
        assert_eq!(written(&mut request)["tools"][0]["input_schema"], none, "{parameters:?}");
    }
    let mut request = Request { tools: vec![tool(Some("[]"))], ..hello() };
    assert_eq!(
        write_request(&mut request).unwrap_err().to_string(),
        "tools: the parameters of a tool must be a JSON object"
    );
}

#[test]
fn every_choice_has_anthropics_form() {
    let named = ToolChoice::Named("f".to_owned());
    for (choice, parallel, expected) in [
        (None, None, json!(null)),
        (None, Some(false), json!({"type": "auto", "disable_parallel_tool_use": true})),
        (Some(ToolChoice::Auto), None, json!({"type": "auto"})),
        (Some(ToolChoice::Required), Some(true), json!({"type": "any", "disable_parallel_tool_use": false})),
        (Some(named), None, json!({"type": "tool", "name": "f"})),
        (Some(ToolChoice::None), Some(false), json!({"type": "none"})),
    ] {
        let mut request =
            Request { tools: vec![tool(None)], tool_choice: choice, parallel_tool_calls: parallel, ..hello() };
        assert_eq!(written(&mut request)["tool_choice"], expected);
        request.tools.clear();
        assert_eq!(written(&mut request)["tool_choice"], Value::Null);
    }
}

#[test]
fn what_anthropic_would_refuse_is_cut_to_what_it_takes_and_named() {
    let stop = vec!["\n\n".to_owned(), "END".to_owned()];
    let mut request = Request {
        sampling: Sampling { temperature: Some(1.7), ..Sampling::default() },
        stop,
        dropped: vec!["logit_bias"],
        ..hello()
    };
    let body = written(&mut request);
    assert_eq!((&body["temperature"], &body["stop_sequences"]), (&json!(1.0), &json!(["END"])));
    assert_eq!(request.dropped, ["logit_bias", "temperature", "stop"]);
}

#[test]
fn a_conversation_must_begin_with_the_user() {
    let messages = vec![turn(Role::Assistant, vec![text("Hello!")]), turn(Role::User, vec![text("Hi")])];
    let fault = write_request(&mut Request { messages, ..Request::default() }).unwrap_err();
    assert_eq!(fault.to_string(), "messages: must begin with the user for this provider");
    let messages = vec![turn(Role::User, vec![text("")])];
    let fault = write_request(&mut Request { messages, ..Request::default() }).unwrap_err();
    assert_eq!(fault.to_string(), "messages: needs at least one message with content");
}

#[test]
fn what_anthropic_has_no_place_for_is_named() {
    let mut request = Request {
        sampling: Sampling {
            frequency_penalty: Some(0.5),
            presence_penalty: Some(0.5),
            seed: Some(7),
            ..Sampling::default()
        },
        output: Some(OutputFormat::JsonObject),
        metadata: vec![("ticket".to_owned(), "T-1".to_owned())],
        service_tier: Some(ServiceTier::Flex),
        ..hello()
    };
    let body = written(&mut request);
    assert_eq!(
        request.dropped,
        ["frequency_penalty", "presence_penalty", "seed", "output", "metadata", "service_tier"]
    );
    let mut keys: Vec<&String> = body.as_object().unwrap().keys().collect();
    keys.sort();
    assert_eq!(keys, ["max_tokens", "messages", "model", "stream"]);
}

#[test]
fn every_service_tier_has_the_nearest_word() {
    for (tier, expected, dropped) in [
        (None, json!(null), false),
        (Some(ServiceTier::Standard), json!("standard_only"), false),
        (Some(ServiceTier::Priority), json!("auto"), false),
        (Some(ServiceTier::Batch), json!(null), true),
    ] {
        let mut request = Request { service_tier: tier, ..hello() };
        assert_eq!(written(&mut request)["service_tier"], expected);
        assert_eq!(!request.dropped.is_empty(), dropped);
    }
}

#[test]
fn a_schema_goes_on_byte_for_byte() {
    let schema = r#"{"type": "object", "z":1.50}"#;
    let output = OutputSchema {
        name: Some("city".to_owned()),
        description: None,
        schema: serde_json::from_str(schema).unwrap(),
        strict: Some(true),
    };
    let mut request = Request { output: Some(OutputFormat::JsonSchema(output)), ..hello() };
    let body = String::from_utf8(write_request(&mut request).unwrap()).unwrap();
    assert!(
        body.contains(&format!(r#""output_config":{{"format":{{"type":"json_schema","schema":{schema}}}}}"#)),
        "{body}"
    );
    assert!(request.dropped.is_empty());
}

/// Which sampling settings a model gets, and which are named as left out.
#[test]
fn a_model_gets_the_sampling_settings_that_it_takes() {
    let thinking = Some(ReasoningRequest::default());
    let all = ["temperature", "top_p", "top_k"];
    for (model, reasoning, top_p, taken) in [
        ("m-large", None, 0.9, &all[..]),
        ("m-large", thinking, 0.9, &[]),
        ("m-large", thinking, 0.95, &["top_p"]),
        ("claude-opus-4-6", None, 0.9, &["temperature", "top_k"]),
        ("claude-haiku-4-5", None, 0.9, &["temperature", "top_k"]),
        ("claude-opus-4-6", thinking, 0.95, &["top_p"]),
        ("claude-opus-5", None, 0.9, &[]),
        ("claude-opus-5", thinking, 1.0, &[]),
    ] {
        let mut request = Request {
            model: model.to_owned(),
            max_output_tokens: Some(20_000),
            sampling: Sampling { temperature: Some(0.5), top_p: Some(top_p), top_k: Some(4), ..Sampling::default() },
            reasoning,
            ..hello()
        };
        let body = written(&mut request);
        let written: Vec<&str> = all.into_iter().filter(|name| !body[*name].is_null()).collect();
        assert_eq!(written, taken, "{model} {reasoning:?}");
        let left_out: Vec<&str> = all.into_iter().filter(|name| !taken.contains(name)).collect();
        assert_eq!(request.dropped, left_out, "{model} {reasoning:?}");
    }
}

fn reasoning(text: &str, seal: Option<(Origin, SealKind)>) -> Part {
    let seal = seal.map(|(origin, kind)| Seal { origin, kind, value: "c2ln".to_owned() });
    Part::Reasoning(Reasoning { text: text.to_owned(), seal })
}

const SIGNED: Option<(Origin, SealKind)> = Some((Origin::Claude, SealKind::Signature));

#[test]
fn only_thinking_of_claude_goes_back_to_claude() {
    for (part, expected) in [
        (reasoning("Hm", SIGNED), Some(json!({"type": "thinking", "thinking": "Hm", "signature": "c2ln"}))),
        (reasoning("", SIGNED), Some(json!({"type": "thinking", "thinking": "", "signature": "c2ln"}))),
        (
            reasoning("", Some((Origin::Claude, SealKind::Encrypted))),
            Some(json!({"type": "redacted_thinking", "data": "c2ln"})),
        ),
        (reasoning("Hm", None), None),
        (reasoning("Hm", Some((Origin::Gemini, SealKind::Signature))), None),
        (reasoning("", Some((Origin::OpenaiResponses, SealKind::Encrypted))), None),
    ] {
        let messages = vec![turn(Role::User, vec![text("Hi")]), turn(Role::Assistant, vec![part.clone(), text("So.")])];
        let mut request = Request { messages, ..Request::default() };
        let body = written(&mut request);
        let dropped = if expected.is_some() { vec![] } else { vec!["reasoning_content"] };
        let so = json!({"type": "text", "text": "So."});
        let blocks: Vec<Value> = expected.into_iter().chain([so]).collect();
        assert_eq!(body["messages"][1]["content"], json!(blocks), "{part:?}");
        assert_eq!(request.dropped, dropped);
    }
}

#[test]
fn with_a_budget_a_turn_begins_with_its_thinking() {
    let kinds = |budget_tokens: Option<u64>| -> Vec<String> {
        let parts = vec![text("a"), reasoning("b", SIGNED), reasoning("c", SIGNED), text("d"), reasoning("e", SIGNED)];
        let mut request = Request {
            messages: vec![
                turn(Role::User, vec![text("Hi")]),
                turn(Role::Assistant, parts),
                turn(Role::User, vec![text("?")]),
            ],
            reasoning: Some(ReasoningRequest { budget_tokens, ..ReasoningRequest::default() }),
            ..Request::default()
        };
        let body = written(&mut request);
        let block = |block: &Value| block["text"].as_str().or(block["thinking"].as_str()).unwrap().to_owned();
        body["messages"][1]["content"].as_array().unwrap().iter().map(block).collect()
    };
    assert_eq!(kinds(Some(2000)), ["b", "c", "a", "d", "e"]);
    assert_eq!(kinds(None), ["a", "b", "c", "d", "e"], "thinking between other things must stay where it was");
}

#[test]
fn marks_for_the_cache_stand_on_the_block_before_them() {
    let mark = |ttl| Part::CacheBreakpoint(ttl);
    let (short, long) = (CacheTtl::Short, CacheTtl::Long);
    let mut request = Request {
        system: vec![
            Instruction { text: "a".to_owned(), cache: Some(long) },
            Instruction { text: " ".to_owned(), cache: Some(long) },
        ],
        tools: vec![Tool { cache: Some(long), ..tool(None) }],
        messages: vec![
            turn(Role::User, vec![text("b"), text("c")]),
            turn(Role::User, vec![mark(long)]),
            turn(Role::Assistant, vec![text("d"), reasoning("e", SIGNED), mark(short), call("{}")]),
            turn(Role::User, vec![text("f"), result(vec![text("g")], false)]),
        ],
        ..Request::default()
    };
    let body = written(&mut request);
    let (one_hour, usual) = (json!({"type": "ephemeral", "ttl": "1h"}), json!({"type": "ephemeral"}));
    assert_eq!(body["system"], json!([{"type": "text", "text": "a", "cache_control": one_hour}]));
    assert_eq!(body["tools"][0]["cache_control"], one_hour);
    let messages = &body["messages"];
    assert_eq!(messages[0]["content"][1]["cache_control"], one_hour);
    assert_eq!(messages[1]["content"][0]["cache_control"], usual, "thinking cannot be marked");
    assert_eq!(body.to_string().matches("cache_control").count(), 4);
    assert!(request.dropped.is_empty());

    request.messages.push(turn(Role::User, vec![mark(short)]));
    let body = written(&mut request);
    assert_eq!(body["tools"][0]["cache_control"], json!(null));
    assert_eq!(body.to_string().matches("cache_control").count(), 4);
    assert_eq!(request.dropped, ["cache_control"]);

    let mut request = hello();
    request.messages[0].parts.insert(0, mark(short));
    assert!(!written(&mut request).to_string().contains("cache_control"));
    assert_eq!(request.dropped, ["cache_control"]);
}

#[test]
fn documents_stand_in_turns_and_in_results() {
    let document = |text: &str| Part::Document(Document { name: None, source: DocumentSource::Text(text.to_owned()) });
    let block = json!({"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "a"}});
    let messages = said(vec![turn(
        Role::User,
        vec![document("a"), document(" "), result(vec![document("a"), document("")], false)],
    )]);
    assert_eq!(messages[0]["content"], json!([{"type": "tool_result", "tool_use_id": "t", "content": [block]}, block]));
}

#[test]
fn ids_of_other_providers_get_letters_that_anthropic_takes() {
    let ids = |id: &str| -> (String, String) {
        let call = ToolCall { id: id.to_owned(), name: "f".to_owned(), arguments: "{}".to_owned() };
        let result = ToolResult { id: id.to_owned(), content: vec![], is_error: false };
        let messages = said(vec![
            turn(Role::User, vec![text("go")]),
            turn(Role::Assistant, vec![Part::ToolCall(call)]),
            turn(Role::User, vec![Part::ToolResult(result)]),
        ]);
        let id = |at: usize, name: &str| messages[at]["content"][0][name].as_str().unwrap().to_owned();
        (id(1, "id"), id(2, "tool_use_id"))
    };
    for (id, expected) in
        [("call_1-A", "call_1-A"), ("functions.f:0", "functions_2e_f_3a_0"), ("é", "_e9_"), ("a b", "a_20_b")]
    {
        assert_eq!(ids(id), (expected.to_owned(), expected.to_owned()));
    }
}

#[test]
fn a_tool_whose_name_anthropic_refuses_is_refused() {
    for name in ["", "a.b", "naïve", &"x".repeat(129)] {
        let mut request = Request { tools: vec![Tool { name: name.to_owned(), ..tool(None) }], ..hello() };
        assert_eq!(
            write_request(&mut request).unwrap_err().to_string(),
            "tools: the name of a tool must be 1 to 128 letters, digits, _ or - for this provider"
        );
    }
}
