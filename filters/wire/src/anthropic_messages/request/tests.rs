//! What is promised of requests in both directions.

use super::{read_request, write_request};
use crate::conversation::{Image, Message, Part, Request, Role, Tool, ToolCall, ToolChoice, ToolResult};
use serde_json::{Value, json};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

fn body_with(fields: &Value) -> Value {
    let mut body = json!({"model": "m", "max_tokens": 10, "messages": [{"role": "user", "content": "Hi"}]});
    body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    body
}

fn read_with(fields: &Value) -> Request {
    read_request(body_with(fields).to_string().as_bytes()).unwrap()
}

fn refusal(fields: &Value) -> String {
    read_request(body_with(fields).to_string().as_bytes()).unwrap_err().to_string()
}

fn user_blocks(blocks: &Value) -> Value {
    json!({"messages": [{"role": "user", "content": blocks}]})
}

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
    Tool { name: "f".to_owned(), description: None, parameters, strict: None }
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
fn a_full_request_is_read() {
    let request = read_with(&json!({
        "model": "claude-x", "max_tokens": 1000, "stream": true, "temperature": 0.5, "top_p": 0.9,
        "system": [{"type": "text", "text": "Be brief."}, {"type": "text", "text": "Be kind."}],
        "stop_sequences": ["END"], "metadata": {"user_id": "u1"},
        "tools": [{"name": "f", "description": "does f", "input_schema": {"type": "object"}, "strict": true}],
        "tool_choice": {"type": "any", "disable_parallel_tool_use": true},
        "messages": [
            {"role": "user", "content": [
                {"type": "text", "text": "See"},
                {"type": "image", "source": {"type": "url", "url": "https://x/y.png"}},
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aGk="}}]},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "f", "input": {"a": 1}}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "is_error": true, "content": "no"}]},
        ],
    }));
    assert_eq!(request.model, "claude-x");
    assert_eq!(request.system, ["Be brief.", "Be kind."]);
    assert_eq!((request.max_output_tokens, request.stream), (Some(1000), true));
    assert_eq!((request.temperature, request.top_p), (Some(0.5), Some(0.9)));
    assert_eq!((request.stop, request.end_user.as_deref()), (vec!["END".to_owned()], Some("u1")));
    assert_eq!((request.tool_choice, request.parallel_tool_calls), (Some(ToolChoice::Required), Some(false)));
    let [f] = request.tools.as_slice() else { panic!("{:?}", request.tools) };
    assert_eq!((f.name.as_str(), f.description.as_deref(), f.strict), ("f", Some("does f"), Some(true)));
    assert_eq!(f.parameters.as_ref().unwrap().get(), r#"{"type":"object"}"#);
    let [question, calls, results] = request.messages.as_slice() else { panic!("{:?}", request.messages) };
    let [Part::Text(see), Part::Image(url), Part::Image(inline)] = question.parts.as_slice() else { panic!() };
    assert_eq!((see.as_str(), url), ("See", &Image::Url("https://x/y.png".to_owned())));
    let (media_type, base64) = ("image/png".to_owned(), "aGk=".to_owned());
    assert_eq!(*inline, Image::Inline { media_type, base64 });
    let [Part::ToolCall(call)] = calls.parts.as_slice() else { panic!() };
    assert_eq!((calls.role, call.arguments.as_str()), (Role::Assistant, r#"{"a":1}"#));
    let [Part::ToolResult(result)] = results.parts.as_slice() else { panic!() };
    assert!(result.is_error && matches!(result.content.as_slice(), [Part::Text(no)] if no == "no"));
    assert!(request.dropped.is_empty());
}

#[test]
fn arguments_and_schemas_go_on_byte_for_byte() {
    let arguments = r#"{"z": 12345678901234567890123, "a":1.50}"#;
    let body = format!(
        r#"{{"model":"m","max_tokens":1,"tools":[{{"name":"f","input_schema":{arguments}}}],
        "messages":[{{"role":"assistant","content":[{{"type":"tool_use","id":"t","name":"f","input":{arguments}}}]}}]}}"#
    );
    let request = read_request(body.as_bytes()).unwrap();
    let Some(Part::ToolCall(call)) = request.messages[0].parts.first() else { panic!("{request:?}") };
    assert_eq!(call.arguments, arguments);
    assert_eq!(request.tools[0].parameters.as_ref().unwrap().get(), arguments);
}

#[test]
fn what_cannot_be_carried_is_named_once() {
    let cached = json!({"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}});
    for (fields, expected) in [
        (json!({"top_k": 5, "service_tier": "auto"}), vec!["top_k", "service_tier"]),
        (json!({"top_k": null, "thinking": {"type": "disabled"}}), vec![]),
        (json!({"thinking": {"type": "enabled", "budget_tokens": 1024}}), vec!["thinking"]),
        (json!({"new_1": 1, "new_2": 2, "metadata": {"other": 1}}), vec!["unknown_fields"]),
        (user_blocks(&json!([cached, cached])), vec!["cache_control"]),
        (
            json!({"tools": [{"type": "web_search_20250305", "name": "web_search"}, {"type": "new_1", "name": "n"}]}),
            vec!["web_search", "server_tools"],
        ),
        (
            json!({"tools": [{"type": "custom", "name": "f", "input_schema": {}, "defer_loading": true}]}),
            vec!["defer_loading"],
        ),
    ] {
        assert_eq!(read_with(&fields).dropped, expected, "{fields}");
    }
}

#[test]
fn a_turn_of_thinking_only_goes_but_a_question_never_does() {
    let thinking = json!({"type": "thinking", "thinking": "Hm", "signature": "c2ln"});
    let request = read_with(&json!({"messages": [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": [thinking]},
        {"role": "user", "content": "And?"},
    ]}));
    assert_eq!((request.messages.len(), request.dropped), (2, vec!["thinking"]));
    assert_eq!(
        refusal(&user_blocks(&json!([{"type": "thinking", "thinking": "Hm", "signature": "c2ln"}]))),
        "messages[0].content: holds nothing that can be carried to another provider"
    );
}

#[test]
fn a_question_about_something_is_not_asked_without_it() {
    let text = json!({"type": "text", "text": "What does it say?"});
    for (block, refused) in [
        (
            json!({"type": "document", "source": {}}),
            "messages[0].content[1]: is a block that cannot be carried to another provider's format",
        ),
        (
            json!({"type": "new", "text": 7}),
            "messages[0].content[1]: is a block that cannot be carried to another provider's format",
        ),
        (
            json!({"type": "image", "source": {"type": "file", "file_id": "f"}}),
            "messages[0].content[1].source: is in the provider's file store, which another provider cannot read",
        ),
    ] {
        assert_eq!(refusal(&user_blocks(&json!([text, block]))), refused);
    }
}

#[test]
fn instructions_inside_the_conversation_join_the_system_prompt() {
    let user = json!({"role": "user", "content": "Hi"});
    let system = json!({"role": "system", "content": "Be brief."});
    for (messages, dropped) in [(json!([system, user]), vec![]), (json!([user, system]), vec!["messages.system"])] {
        let request = read_with(&json!({"system": "You are Bo.", "messages": messages}));
        assert_eq!(
            (request.system, request.dropped),
            (vec!["You are Bo.".to_owned(), "Be brief.".to_owned()], dropped)
        );
    }
}

#[test]
fn a_choice_that_no_carried_tool_can_meet_is_refused() {
    let search = json!([{"type": "web_search_20250305", "name": "web_search"}]);
    for choice in [json!({"type": "any"}), json!({"type": "tool", "name": "web_search"})] {
        assert_eq!(
            refusal(&json!({"tools": search, "tool_choice": choice})),
            "tool_choice: asks for a tool that is not there or cannot be carried to another provider"
        );
    }
    let request =
        read_with(&json!({"tools": search, "tool_choice": {"type": "auto", "disable_parallel_tool_use": true}}));
    assert_eq!((request.tool_choice, request.parallel_tool_calls), (None, None));
}

#[test]
fn a_fault_names_its_field_and_quotes_nothing() {
    let block = |block: Value| user_blocks(&json!([{"type": "text", "text": "x"}, block]));
    for (fields, expected) in [
        (json!({"model": 7}), "model: must be a string"),
        (json!({"model": null}), "model: required: a string"),
        (json!({"max_tokens": null}), "max_tokens: required: a whole number"),
        (json!({"max_tokens": -1}), "max_tokens: must be a whole number"),
        (json!({"stream": "secret"}), "stream: must be true or false"),
        (json!({"stop_sequences": "secret"}), "stop_sequences: must be an array of strings"),
        (json!({"messages": []}), "messages: needs at least one message"),
        (json!({"messages": ["secret"]}), "messages: must be an array of objects"),
        (
            json!({"messages": [{"role": "secret", "content": "x"}]}),
            "messages[0].role: must be user, assistant or system",
        ),
        (user_blocks(&json!(7)), "messages[0].content: must be a string or an array of content blocks"),
        (block(json!({"text": "secret"})), "messages[0].content[1].type: required: a string"),
        (block(json!({"type": "text"})), "messages[0].content[1].text: required: a string"),
        (
            block(json!({"type": "tool_use", "id": "t", "name": "f", "input": "secret"})),
            "messages[0].content[1].input: must be an object",
        ),
        (
            block(json!({"type": "tool_result", "tool_use_id": "t", "content": [{"type": "text", "text": 1}]})),
            "messages[0].content[1].content[0].text: must be a string",
        ),
        (
            block(json!({"type": "image", "source": {"type": "secret"}})),
            "messages[0].content[1].source.type: must be base64, url or file",
        ),
        (
            json!({"system": [{"type": "image", "source": {"type": "url", "url": "secret"}}]}),
            "system: must be a string or an array of text blocks",
        ),
        (json!({"tools": [{"name": "f"}]}), "tools[0].input_schema: required: an object"),
        (json!({"tool_choice": {"type": "tool"}}), "tool_choice.name: required: a string"),
        (json!({"tool_choice": "auto"}), "tool_choice: must be an object"),
    ] {
        assert_eq!(refusal(&fields), expected);
    }
}

#[test]
fn a_field_given_twice_is_refused() {
    let body = br#"{"model":"m","max_tokens":1,"max_tokens":2,"messages":[{"role":"user","content":"Hi"}]}"#;
    assert_eq!(read_request(body).unwrap_err().to_string(), "max_tokens: given twice");
    let body = br#"{"model":"m","max_tokens":1,"messages":[{"role":"user","content":"Hi","c\u006fntent":"Ho"}]}"#;
    assert_eq!(read_request(body).unwrap_err().to_string(), "messages[0].content: given twice");
}

#[test]
fn what_is_no_json_object_is_refused() {
    let deep = "[".repeat(100_000);
    for body in ["", "null", "[]", "{", "{} {}", "{\"model\":\"\u{1}\"}", &deep] {
        let fault = read_request(body.as_bytes()).unwrap_err();
        assert!(fault.field.is_empty() && fault.message.starts_with("the body is not a JSON object"), "{fault}");
    }
    assert!(read_request(b"{\"model\":\"\xff\"}").is_err());
}

#[test]
fn results_inside_results_inside_results_do_not_exhaust_the_stack() {
    let depth = 50_000;
    let open = r#"[{"type":"tool_result","tool_use_id":"t","content":"#;
    let content = format!("{}\"\"{}", open.repeat(depth), "}]".repeat(depth));
    let body = format!(r#"{{"model":"m","max_tokens":1,"messages":[{{"role":"user","content":{content}}}]}}"#);
    assert!(read_request(body.as_bytes()).is_err(), "a result holds no results");
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
        system: vec!["Be brief.".to_owned(), " ".to_owned()],
        tools: vec![tool(Some(r#"{"type":"object","properties":{"a":{}}}"#))],
        tool_choice: Some(ToolChoice::Named("f".to_owned())),
        parallel_tool_calls: Some(false),
        max_output_tokens: Some(7),
        temperature: Some(0.5),
        top_p: Some(0.9),
        stop: vec!["END".to_owned()],
        stream: true,
        end_user: Some("u1".to_owned()),
        ..hello()
    };
    assert_eq!(
        written(&mut request),
        json!({
            "model": "", "max_tokens": 7, "stream": true, "temperature": 0.5, "top_p": 0.9,
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
    let image = Part::Image(Image::Url("https://x/y.png".to_owned()));
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
    let mut request = Request { temperature: Some(1.7), stop, dropped: vec!["seed"], ..hello() };
    let body = written(&mut request);
    assert_eq!((&body["temperature"], &body["stop_sequences"]), (&json!(1.0), &json!(["END"])));
    assert_eq!(request.dropped, ["seed", "temperature", "stop"]);
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
