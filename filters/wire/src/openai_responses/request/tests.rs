use super::*;
use crate::conversation::{
    CacheTtl, Document, DocumentSource, Effort, Instruction, Media, Message, OutputFormat, OutputSchema, Part,
    Reasoning, ReasoningRequest, Request, Role, Tool, ToolCall, ToolChoice, ToolResult,
};
use crate::error::Invalid;
use crate::signature::{Origin, Seal, SealKind};
use crate::usage::ServiceTier;
use serde_json::{Value, json};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

fn body(fields: Value) -> Value {
    let mut body = json!({ "model": "gpt-5.6", "input": "Hi" });
    body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    body
}

fn read(fields: Value) -> Request {
    let body = body(fields);
    read_request(body.to_string().as_bytes()).unwrap_or_else(|invalid| panic!("{invalid}: {body}"))
}

fn refused(fields: Value) -> Invalid {
    let body = body(fields);
    let refusal = read_request(body.to_string().as_bytes());
    refusal.err().unwrap_or_else(|| panic!("not refused: {body}"))
}

fn write(request: &mut Request) -> Value {
    serde_json::from_slice(&write_request(request).unwrap()).unwrap()
}

fn asking(parts: Vec<Part>) -> Request {
    Request { model: "gpt-5.6".into(), messages: vec![Message { role: Role::User, parts }], ..Request::default() }
}

fn text(text: &str) -> Part {
    Part::Text(text.to_owned())
}

fn weather() -> Value {
    json!({ "type": "function", "name": "weather", "parameters": { "type": "object" }, "strict": true })
}

/// Parts, short.
fn shown(message: &Message) -> Vec<String> {
    let show = |part: &Part| match part {
        Part::Text(text) => text.clone(),
        Part::ToolCall(call) => format!("{}={}({})", call.id, call.name, call.arguments),
        Part::ToolResult(result) => format!("{}->{}", result.id, result.content.len()),
        Part::Reasoning(Reasoning { text, seal }) => {
            format!("[{text}|{}]", seal.as_ref().map_or("", |seal| &seal.value))
        }
        Part::CacheBreakpoint(ttl) => format!("{ttl:?}"),
        Part::Image(media) => format!("{media:?}"),
        Part::Document(document) => format!("{document:?}"),
    };
    message.parts.iter().map(show).collect()
}

#[test]
fn items_become_turns() {
    let request = read(json!({ "instructions": "Be brief.", "input": [
        { "role": "developer", "content": [{ "type": "input_text", "text": "Be kind.",
            "prompt_cache_breakpoint": { "mode": "explicit", "ttl": "12h" } }] },
        { "type": "message", "role": "user", "content": "Weather?" },
        { "id": "rs_1", "type": "reasoning", "summary": [{ "type": "summary_text", "text": "A." },
            { "type": "summary_text", "text": "B." }], "encrypted_content": "gAAA" },
        { "id": "msg_1", "type": "message", "role": "assistant", "status": "completed", "content": [
            { "type": "output_text", "text": "I look.", "annotations": [], "logprobs": [] },
            { "type": "refusal", "refusal": "Or not." }] },
        { "id": "fc_1", "type": "function_call", "status": "completed", "call_id": "c1", "name": "f", "arguments": "{}" },
        { "type": "function_call", "call_id": "c2", "name": "f", "arguments": "{\"a\": 1}" },
        { "type": "function_call_output", "call_id": "c1", "output": "warm" },
        { "type": "function_call_output", "call_id": "c2", "output": [{ "type": "input_text", "text": "x" },
            { "type": "input_image", "image_url": "data:image/png;base64,iVBO" }] },
        { "role": "user", "content": [{ "type": "input_text", "text": "And?" }] },
    ] }));
    let system: Vec<_> = request.system.iter().map(|system| (&*system.text, system.cache)).collect();
    assert_eq!(system, [("Be brief.", None), ("Be kind.", Some(CacheTtl::Long))]);
    let turns: Vec<_> = request.messages.iter().map(|message| (message.role, shown(message))).collect();
    let expected = |role, parts: &[&str]| (role, parts.iter().map(|part| (*part).to_owned()).collect::<Vec<_>>());
    assert_eq!(
        turns,
        [
            expected(Role::User, &["Weather?"]),
            expected(Role::Assistant, &["[A.\n\nB.|rs_1 gAAA]", "I look.", "Or not.", "c1=f({})", "c2=f({\"a\": 1})"]),
            expected(Role::User, &["c1->1", "c2->2"]),
            expected(Role::User, &["And?"]),
        ]
    );
    assert_eq!(request.dropped, [""; 0]);
}

#[test]
fn a_breakpoint_has_its_own_time_or_that_of_the_request() {
    let part = |ttl: Value| json!({ "type": "input_text", "text": "x", "prompt_cache_breakpoint": { "mode": "explicit", "ttl": ttl } });
    for (options, ttl, expected) in [
        (json!(null), json!(null), "Short"),
        (json!(null), json!("30m"), "Short"),
        (json!(null), json!("12h"), "Long"),
        (json!({ "ttl": "12h" }), json!(null), "Long"),
        (json!({ "ttl": "12h" }), json!("30m"), "Short"),
    ] {
        let request =
            read(json!({ "prompt_cache_options": options, "input": [{ "role": "user", "content": [part(ttl)] }] }));
        assert_eq!(shown(&request.messages[0]), ["x", expected]);
    }
}

#[test]
fn a_breakpoint_at_the_end_of_a_result_is_after_it() {
    let request = read(json!({ "input": [
        { "type": "function_call_output", "call_id": "c", "output": [{ "type": "input_text", "text": "x",
            "prompt_cache_breakpoint": { "mode": "explicit" } }] },
        { "type": "function_call_output", "call_id": "d", "output": "" },
    ] }));
    assert_eq!(shown(&request.messages[0]), ["c->1", "Short", "d->0"]);
    assert_eq!(request.messages.len(), 1);
}

#[test]
fn images_and_files_are_read() {
    let parts = json!([
        { "type": "input_image", "image_url": "https://a.example/x.png", "detail": "auto" },
        { "type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBE" },
        { "type": "input_file", "file_url": "https://a.example/a.pdf" },
    ]);
    let request = read(json!({ "input": [{ "role": "user", "content": parts }] }));
    let document = |name: Option<&str>, file| {
        Part::Document(Document { name: name.map(str::to_owned), source: DocumentSource::File(file) })
    };
    let pdf = Media::Inline { media_type: "application/pdf".into(), base64: "JVBE".into() };
    let expected = Message {
        role: Role::User,
        parts: vec![
            Part::Image(Media::Url("https://a.example/x.png".into())),
            document(Some("a.pdf"), pdf),
            document(None, Media::Url("https://a.example/a.pdf".into())),
        ],
    };
    assert_eq!(shown(&request.messages[0]), shown(&expected));
    assert_eq!(request.dropped, [""; 0]);
}

#[test]
fn what_only_openai_has_is_left_out_by_name() {
    let hosted = |kind: &str| json!({ "input": [{ "type": kind, "id": "x" }, { "role": "user", "content": "Hi" }] });
    let part = |part: Value| json!({ "input": [{ "role": "user", "content": [part] }] });
    let said = |part: Value| json!({ "input": [{ "role": "assistant", "content": [part] }] });
    for (fields, expected) in [
        (json!({ "store": true }), "store"),
        (json!({ "truncation": "auto" }), "truncation"),
        (json!({ "top_logprobs": 2 }), "top_logprobs"),
        (json!({ "include": ["reasoning.encrypted_content", "message.output_text.logprobs"] }), "include"),
        (json!({ "text": { "verbosity": "low" } }), "verbosity"),
        (json!({ "reasoning": { "context": "all_turns" } }), "reasoning"),
        (json!({ "service_tier": "ultrafast" }), "service_tier"),
        (json!({ "user": "a", "safety_identifier": "b" }), "safety_identifier"),
        (json!({ "max_tool_calls": 3 }), "max_tool_calls"),
        (json!({ "prompt_cache_key": "k" }), "prompt_cache_key"),
        (json!({ "prompt_cache_options": { "mode": "implicit" } }), "prompt_cache_options"),
        (json!({ "moderation": { "model": "x" } }), "moderation"),
        (json!({ "a_new_field": 1 }), "unknown_fields"),
        (json!({ "tools": [{ "type": "web_search_preview_2025_03_11" }] }), "web_search"),
        (json!({ "tools": [{ "type": "custom", "name": "x" }] }), "custom"),
        (json!({ "tools": [{ "type": "a_new_one" }] }), "server_tools"),
        (hosted("web_search_call"), "web_search_call"),
        (hosted("mcp_call"), "mcp_call"),
        (hosted("reasoning"), "reasoning_content"),
        (
            json!({ "input": [{ "role": "user", "content": "Hi" }, { "role": "system", "content": "x" }] }),
            "messages.system",
        ),
        (json!({ "input": [{ "role": "assistant", "phase": "commentary", "content": "x" }] }), "phase"),
        (
            part(json!({ "type": "input_image", "detail": "high", "image_url": "https://a.example/x" })),
            "input_image.detail",
        ),
        (said(json!({ "type": "output_text", "text": "x", "annotations": [{}] })), "annotations"),
    ] {
        let request = read(fields.clone());
        assert_eq!(request.dropped, [expected], "{fields}");
    }
}

#[test]
fn what_asks_for_nothing_is_not_named() {
    let request = read(json!({
        "store": false, "truncation": "disabled", "top_logprobs": 0, "include": ["reasoning.encrypted_content"],
        "background": false, "previous_response_id": null, "conversation": null, "stream": true,
        "stream_options": { "include_obfuscation": false }, "service_tier": "auto", "reasoning": {}, "metadata": {},
        "text": { "format": { "type": "text" } }, "user": "u", "safety_identifier": "u", "tool_choice": "auto",
        "parallel_tool_calls": true,
    }));
    assert_eq!(request.dropped, [""; 0]);
    assert!(request.stream && request.reasoning.is_none() && request.output.is_none());
    assert_eq!(
        (request.end_user.as_deref(), request.tool_choice, request.parallel_tool_calls),
        (Some("u"), None, None)
    );
}

#[test]
fn what_is_kept_at_the_provider_is_refused_by_its_field() {
    let item = |item: Value| json!({ "input": [item] });
    for (fields, field) in [
        (json!({ "previous_response_id": "resp_1" }), "previous_response_id"),
        (json!({ "conversation": "conv_1" }), "conversation"),
        (json!({ "conversation": { "id": "conv_1" } }), "conversation"),
        (json!({ "prompt": { "id": "pmpt_1" } }), "prompt"),
        (json!({ "background": true }), "background"),
        (json!({ "prompt_cache_options": { "prewarm": true } }), "prompt_cache_options.prewarm"),
        (item(json!({ "type": "item_reference", "id": "msg_1" })), "input[0]"),
        (item(json!({ "id": "msg_1" })), "input[0]"),
        (item(json!({ "type": "compaction", "encrypted_content": "x" })), "input[0]"),
        (item(json!({ "type": "computer_call", "id": "x" })), "input[0]"),
        (item(json!({ "type": "custom_tool_call_output", "call_id": "x", "output": "y" })), "input[0]"),
        (item(json!({ "type": "mcp_approval_response", "approve": true })), "input[0]"),
        (
            item(json!({ "role": "user", "content": [{ "type": "input_image", "file_id": "f" }] })),
            "input[0].content[0].file_id",
        ),
        (
            item(json!({ "role": "user", "content": [{ "type": "input_file", "file_id": "f" }] })),
            "input[0].content[0].file_id",
        ),
        (item(json!({ "role": "user", "content": [{ "type": "input_audio" }] })), "input[0].content[0]"),
    ] {
        assert_eq!(refused(fields.clone()).field, field, "{fields}");
    }
}

#[test]
fn a_fault_names_its_field_and_quotes_nothing() {
    let item = |item: Value| json!({ "input": [item] });
    for (fields, field) in [
        (json!({ "model": null }), "model"),
        (json!({ "input": null }), "input"),
        (json!({ "input": [] }), "input"),
        (json!({ "input": ["secret"] }), "input"),
        (json!({ "max_output_tokens": "secret" }), "max_output_tokens"),
        (json!({ "reasoning": { "effort": "secret" } }), "reasoning.effort"),
        (json!({ "text": { "format": { "type": "secret" } } }), "text.format.type"),
        (
            json!({ "text": { "format": { "type": "json_schema", "name": "x", "schema": "secret" } } }),
            "text.format.schema",
        ),
        (json!({ "metadata": { "a": 1 } }), "metadata.a"),
        (json!({ "tools": [{ "type": "function" }] }), "tools[0].name"),
        (json!({ "tool_choice": "required" }), "tool_choice"),
        (json!({ "tool_choice": { "type": "function", "name": "secret" } }), "tool_choice"),
        (json!({ "tool_choice": { "type": "web_search_preview" } }), "tool_choice"),
        (
            json!({ "tools": [weather()], "tool_choice": { "type": "allowed_tools", "mode": "required", "tools": [] } }),
            "tool_choice",
        ),
        (item(json!({ "type": "message" })), "input[0].role"),
        (item(json!({ "role": "secret", "content": "x" })), "input[0].role"),
        (item(json!({ "role": "user", "content": 7 })), "input[0].content"),
        (
            item(json!({ "role": "system", "content": [{ "type": "input_image", "image_url": "https://a.example" }] })),
            "input[0].content",
        ),
        (
            item(json!({ "role": "user", "content": [{ "type": "input_image", "image_url": "secret" }] })),
            "input[0].content[0].image_url",
        ),
        (
            item(json!({ "role": "user", "content": [{ "type": "input_file", "file_data": "secret" }] })),
            "input[0].content[0].file_data",
        ),
        (item(json!({ "type": "function_call", "name": "f", "arguments": "{}" })), "input[0].call_id"),
        (item(json!({ "type": "function_call_output", "output": "x" })), "input[0].call_id"),
        (item(json!({ "type": "reasoning", "summary": [{ "type": "summary_text" }] })), "input[0].summary[0].text"),
    ] {
        let invalid = refused(fields.clone());
        assert_eq!(invalid.field, field, "{fields}");
        assert!(!invalid.to_string().contains("secret"), "{invalid}");
    }
}

#[test]
fn allowed_tools_are_the_only_ones() {
    let other = json!({ "type": "function", "name": "other", "parameters": null, "strict": false });
    let allowed =
        json!({ "type": "allowed_tools", "mode": "required", "tools": [{ "type": "function", "name": "weather" }] });
    let request = read(json!({ "tools": [weather(), other], "tool_choice": allowed }));
    let names: Vec<_> = request.tools.iter().map(|tool| &*tool.name).collect();
    assert_eq!((names, request.tool_choice), (vec!["weather"], Some(ToolChoice::Required)));
}

#[test]
fn strict_means_the_same_on_both_sides() {
    let tool = |strict: Value| json!({ "tools": [{ "type": "function", "name": "f", "strict": strict }] });
    for (strict, expected) in [(json!(true), Some(true)), (json!(false), None), (json!(null), None)] {
        assert_eq!(read(tool(strict)).tools[0].strict, expected);
    }
    for (strict, expected) in [(Some(true), true), (Some(false), false), (None, false)] {
        let tool = Tool { name: "f".into(), description: None, parameters: None, strict, cache: None };
        let written = write(&mut Request { tools: vec![tool], ..asking(vec![text("Hi")]) });
        assert_eq!(written["tools"][0]["strict"], expected);
        assert_eq!(written["tools"][0]["parameters"].get("additionalProperties").is_some(), expected);
    }
}

#[test]
fn a_lone_instruction_is_instructions_and_more_are_messages() {
    let instruction = |text: &str, cache| Instruction { text: text.to_owned(), cache };
    let mut request = asking(vec![text("Hi")]);
    request.system = vec![instruction("Be brief.", None)];
    let written = write(&mut request);
    assert_eq!(written["instructions"], "Be brief.");
    assert_eq!(written["input"], json!([{ "type": "message", "role": "user", "content": "Hi" }]));
    request.system = vec![instruction("Be brief.", None), instruction("Be kind.", Some(CacheTtl::Long))];
    let written = write(&mut request);
    let kind = json!([{ "type": "input_text", "text": "Be kind.",
        "prompt_cache_breakpoint": { "mode": "explicit", "ttl": "12h" } }]);
    assert_eq!(
        written["input"],
        json!([
            { "type": "message", "role": "system", "content": "Be brief." },
            { "type": "message", "role": "system", "content": kind },
            { "type": "message", "role": "user", "content": "Hi" },
        ])
    );
    assert!(written.get("instructions").is_none());
}

#[test]
fn results_go_before_what_the_user_says_and_keep_their_breakpoint() {
    let result = |content| Part::ToolResult(ToolResult { id: "c".into(), content, is_error: true });
    let mut request = asking(vec![
        Part::CacheBreakpoint(CacheTtl::Short),
        text("Now?"),
        Part::CacheBreakpoint(CacheTtl::Long),
        result(vec![text("x")]),
        Part::CacheBreakpoint(CacheTtl::Short),
        result(vec![]),
    ]);
    let point = |ttl: &str| json!({ "mode": "explicit", "ttl": ttl });
    assert_eq!(
        write(&mut request)["input"],
        json!([
            { "type": "function_call_output", "call_id": "c", "output": [
                { "type": "input_text", "text": "x", "prompt_cache_breakpoint": point("30m") }] },
            { "type": "function_call_output", "call_id": "c", "output": "" },
            { "type": "message", "role": "user", "content": [
                { "type": "input_text", "text": "Now?", "prompt_cache_breakpoint": point("12h") }] },
        ])
    );
    assert_eq!(request.dropped, ["tool_result.is_error", "cache_control"]);
}

#[test]
fn documents_are_files_or_text() {
    let document = |name: Option<&str>, source| Part::Document(Document { name: name.map(str::to_owned), source });
    let inline = |media_type: &str| {
        DocumentSource::File(Media::Inline { media_type: media_type.to_owned(), base64: "QQ==".to_owned() })
    };
    for (part, expected, dropped) in [
        (
            document(Some("a.pdf"), inline("application/pdf")),
            json!({ "type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,QQ==" }),
            "",
        ),
        (
            document(None, inline("text/plain")),
            json!({ "type": "input_file", "filename": "document.txt", "file_data": "data:text/plain;base64,QQ==" }),
            "",
        ),
        (
            document(Some("a"), DocumentSource::File(Media::Url("https://a.example/a".to_owned()))),
            json!({ "type": "input_file", "file_url": "https://a.example/a" }),
            "document.name",
        ),
        (
            document(Some("a"), DocumentSource::Text("Long.".to_owned())),
            json!({ "type": "input_text", "text": "Long." }),
            "document.name",
        ),
    ] {
        let mut request = asking(vec![part, text("?")]);
        assert_eq!(write(&mut request)["input"][0]["content"][0], expected);
        assert_eq!(request.dropped.first().copied().unwrap_or_default(), dropped);
    }
    let elsewhere = Media::Url("gs://bucket/a.png".to_owned());
    assert_eq!(write_request(&mut asking(vec![Part::Image(elsewhere)])).unwrap_err().field, "messages");
}

fn reasoning(origin: Origin, value: &str) -> Part {
    let seal = Seal { origin, kind: SealKind::Encrypted, value: value.to_owned() };
    Part::Reasoning(Reasoning { text: "Hm.".to_owned(), seal: Some(seal) })
}

#[test]
fn only_reasoning_of_openais_own_goes_back_and_only_before_something() {
    let call = || Part::ToolCall(ToolCall { id: "c".into(), name: "f".into(), arguments: " ".into() });
    let own = || reasoning(Origin::OpenaiResponses, "rs_1 gAAA");
    let unsealed = Part::Reasoning(Reasoning { text: "Hm.".to_owned(), seal: None });
    let image = Part::Image(Media::Url("https://a.example".into()));
    let mut request = asking(vec![text("Hi")]);
    request.messages.push(Message {
        role: Role::Assistant,
        parts: vec![
            reasoning(Origin::Claude, "c2ln"),
            unsealed,
            own(),
            text("I "),
            text("look."),
            Part::CacheBreakpoint(CacheTtl::Short),
            image,
            reasoning(Origin::OpenaiResponses, " gBBB"),
            call(),
            own(),
        ],
    });
    let summary = json!([{ "type": "summary_text", "text": "Hm." }]);
    let said = |text: &str| json!({ "type": "output_text", "text": text, "annotations": [] });
    let written = write(&mut request);
    assert_eq!(
        written["input"].as_array().unwrap()[1..],
        [
            json!({ "type": "reasoning", "id": "rs_1", "summary": summary, "encrypted_content": "gAAA" }),
            json!({ "type": "message", "role": "assistant", "content": [said("I "), said("look.")] }),
            json!({ "type": "reasoning", "summary": summary, "encrypted_content": "gBBB" }),
            json!({ "type": "function_call", "call_id": "c", "name": "f", "arguments": "{}" }),
        ]
    );
    assert_eq!(written["include"], json!(["reasoning.encrypted_content"]));
    assert_eq!(request.dropped, ["reasoning_content", "cache_control", "assistant.image"]);
}

#[test]
fn reasoning_is_asked_for_as_an_effort_and_then_included() {
    let asked = |effort, budget_tokens, shown| Some(ReasoningRequest { effort, budget_tokens, shown });
    let include = json!(["reasoning.encrypted_content"]);
    for (reasoning, expected, included) in [
        (None, Value::Null, Value::Null),
        (
            asked(Some(Effort::High), Some(1), Some(true)),
            json!({ "effort": "high", "summary": "auto" }),
            include.clone(),
        ),
        (asked(None, Some(8000), None), json!({ "effort": "medium" }), include.clone()),
        (asked(None, None, Some(true)), json!({ "effort": "medium", "summary": "auto" }), include.clone()),
        (asked(None, None, Some(false)), json!({ "effort": "medium" }), include),
        (asked(Some(Effort::None), None, None), json!({ "effort": "none" }), Value::Null),
        (asked(None, Some(0), None), json!({ "effort": "none" }), Value::Null),
    ] {
        let written = write(&mut Request { reasoning, ..asking(vec![text("Hi")]) });
        assert_eq!((&written["reasoning"], &written["include"]), (&expected, &included), "{reasoning:?}");
        assert_eq!(written["store"], false);
    }
}

#[test]
fn a_bound_below_the_least_is_raised_to_it() {
    for (asked, expected) in [(1, 16), (16, 16), (17, 17)] {
        let mut request = Request { max_output_tokens: Some(asked), ..asking(vec![text("Hi")]) };
        assert_eq!(write(&mut request)["max_output_tokens"], expected);
        assert_eq!(request.dropped, [""; 0]);
    }
}

#[test]
fn what_responses_has_no_place_for_is_named() {
    let mut request = asking(vec![text("Hi")]);
    request.stop = vec!["END".into()];
    request.sampling.top_k = Some(1);
    request.sampling.frequency_penalty = Some(0.0);
    request.sampling.presence_penalty = Some(0.5);
    request.sampling.seed = Some(7);
    request.service_tier = Some(ServiceTier::Batch);
    write(&mut request);
    assert_eq!(request.dropped, ["stop", "top_k", "presence_penalty", "seed", "service_tier"]);
}

#[test]
fn a_schema_without_a_name_gets_one() {
    let schema = serde_json::from_str(r#"{"type": "object"}"#).unwrap();
    let schema = OutputSchema { name: None, description: Some("A city.".into()), schema, strict: None };
    let mut request = asking(vec![text("Hi")]);
    request.output = Some(OutputFormat::JsonSchema(schema));
    let written = String::from_utf8(write_request(&mut request).unwrap()).unwrap();
    let format = r#""text":{"format":{"type":"json_schema","name":"answer","description":"A city.","schema":{"type": "object"}}}"#;
    assert!(written.contains(format), "{written}");
    request.output = Some(OutputFormat::JsonObject);
    assert_eq!(write(&mut request)["text"], json!({ "format": { "type": "json_object" } }));
}

#[test]
fn nothing_to_say_is_refused() {
    assert_eq!(write_request(&mut Request::default()).unwrap_err().field, "messages");
}
