//! What is promised of requests.

use super::{read_request, write_request};
use crate::conversation::{
    Document, DocumentSource, Effort, Instruction, Media, Message, OutputFormat, OutputSchema, Part, Reasoning,
    ReasoningRequest, Request, Role, Sampling, Tool, ToolCall, ToolChoice, ToolResult,
};
use crate::error::Invalid;
use crate::signature::{Origin, Seal, SealKind};
use crate::usage::ServiceTier;
use serde_json::value::RawValue;
use serde_json::{Value, json};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

fn read(body: &Value) -> Request {
    read_request(body.to_string().as_bytes()).unwrap()
}

fn refused(body: &Value) -> Invalid {
    let refusal = read_request(body.to_string().as_bytes()).unwrap_err();
    assert!(!refusal.to_string().contains("secret"), "{refusal}");
    refusal
}

fn hi() -> Value {
    json!([{"role": "user", "parts": [{"text": "Hi"}]}])
}

/// A question with one more field.
fn with(name: &str, value: Value) -> Value {
    let mut body = json!({"contents": hi()});
    body[name] = value;
    body
}

/// What was said, short.
fn shown(request: &Request) -> Vec<String> {
    let turn = |message: &Message| {
        let side = if message.role == Role::User { "u" } else { "m" };
        format!("{side}: {}", message.parts.iter().map(shown_part).collect::<Vec<_>>().join(" | "))
    };
    request.messages.iter().map(turn).collect()
}

fn shown_part(part: &Part) -> String {
    match part {
        Part::Text(text) => text.clone(),
        Part::ToolCall(call) => format!("{} {}({})", call.id, call.name, call.arguments),
        Part::ToolResult(result) => {
            let content: Vec<_> = result.content.iter().map(shown_part).collect();
            format!("{}{} {}", result.id, if result.is_error { "!" } else { "" }, content.join("+"))
        }
        Part::Reasoning(reasoning) => {
            let seal = reasoning.seal.as_ref().map(|seal| format!("{:?} {}", seal.origin, seal.value));
            format!("[{}]{}", reasoning.text, seal.unwrap_or_default())
        }
        Part::Image(Media::Url(url)) => format!("image {url}"),
        Part::Image(Media::Inline { media_type, base64 }) => format!("{media_type} {base64}"),
        other => format!("{other:?}"),
    }
}

#[test]
fn every_field_is_read_by_both_of_its_names() {
    let camel = json!({
        "systemInstruction": {"parts": [{"text": "Be kind."}, {"text": "Be short."}]},
        "contents": [{"parts": [{"text": "Hi"}, {"inlineData": {"mimeType": "image/png", "data": "-_8="}}]}],
        "tools": [{"functionDeclarations": [{"name": "f", "parametersJsonSchema": {"type": "object"}}]}],
        "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["f"]}},
        "generationConfig": {
            "maxOutputTokens": 100, "topP": 0.5, "topK": 40.0, "temperature": 1, "stopSequences": ["END"], "seed": 7,
            "presencePenalty": 0.25, "frequencyPenalty": 0.5, "candidateCount": 1, "responseModalities": ["TEXT"],
            "responseMimeType": "application/json", "responseJsonSchema": {"type": "string"},
            "thinkingConfig": {"thinkingBudget": 2000, "includeThoughts": true},
        },
        "labels": {"ticket": "t-1"},
        "serviceTier": "flex",
        "model": "models/m",
    });
    let snake = json!({
        "system_instruction": {"parts": [{"text": "Be kind."}, {"text": "Be short."}]},
        "contents": [{"parts": [{"text": "Hi"}, {"inline_data": {"mime_type": "image/png", "data": "-_8="}}]}],
        "tools": [{"function_declarations": [{"name": "f", "parameters_json_schema": {"type": "object"}}]}],
        "tool_config": {"function_calling_config": {"mode": "ANY", "allowed_function_names": ["f"]}},
        "generation_config": {
            "max_output_tokens": "100", "top_p": 0.5, "top_k": 40, "temperature": 1, "stop_sequences": ["END"], "seed": 7,
            "presence_penalty": 0.25, "frequency_penalty": 0.5, "candidate_count": 1, "response_modalities": ["TEXT"],
            "response_mime_type": "application/json", "response_json_schema": {"type": "string"},
            "thinking_config": {"thinking_budget": 2000, "include_thoughts": true},
        },
        "labels": {"ticket": "t-1"},
        "service_tier": "FLEX",
    });
    for body in [camel, snake] {
        let request = read(&body);
        let system: Vec<_> = request.system.iter().map(|system| system.text.as_str()).collect();
        assert_eq!(system, ["Be kind.", "Be short."]);
        assert_eq!(shown(&request), ["u: Hi | image/png +/8="]);
        assert_eq!(request.tools[0].parameters.as_ref().unwrap().get(), r#"{"type":"object"}"#);
        assert_eq!(request.tool_choice, Some(ToolChoice::Named("f".to_owned())));
        assert_eq!(request.max_output_tokens, Some(100));
        let sampling = Sampling {
            temperature: Some(1.0),
            top_p: Some(0.5),
            top_k: Some(40),
            frequency_penalty: Some(0.5),
            presence_penalty: Some(0.25),
            seed: Some(7),
        };
        assert_eq!(request.sampling, sampling);
        assert_eq!(request.stop, ["END"]);
        let reasoning = ReasoningRequest { effort: None, budget_tokens: Some(2000), shown: Some(true) };
        assert_eq!(request.reasoning, Some(reasoning));
        assert!(
            matches!(&request.output, Some(OutputFormat::JsonSchema(schema)) if schema.schema.get() == r#"{"type":"string"}"#)
        );
        assert_eq!(request.metadata, [("ticket".to_owned(), "t-1".to_owned())]);
        assert_eq!(request.service_tier, Some(ServiceTier::Flex));
        assert_eq!(request.dropped, [""; 0]);
        assert_eq!((request.model.as_str(), request.stream), ("", false));
    }
}

#[test]
fn what_changes_how_but_not_what_is_left_out_by_name() {
    let config = |name: &str, value: Value| with("generationConfig", json!({name: value}));
    let part = |field: &str| json!({"contents": [{"parts": [{"text": "Hi", field: {}}]}]});
    for (body, expected) in [
        (with("safetySettings", json!([{"category": "X", "threshold": "OFF"}])), "safetySettings"),
        (with("store", json!(true)), "store"),
        (with("fieldOfTomorrow", json!(1)), "unknown_fields"),
        (with("tools", json!([{"google_search": {}}])), "googleSearch"),
        (with("tools", json!([{"codeExecution": {}}])), "codeExecution"),
        (with("tools", json!([{"urlContext": {}}])), "urlContext"),
        (with("toolConfig", json!({"retrievalConfig": {"languageCode": "de"}})), "retrievalConfig"),
        (config("mediaResolution", json!("MEDIA_RESOLUTION_LOW")), "mediaResolution"),
        (config("responseLogprobs", json!(true)), "responseLogprobs"),
        (config("speechConfig", json!({})), "speechConfig"),
        (part("videoMetadata"), "videoMetadata"),
        (part("partMetadata"), "partMetadata"),
    ] {
        assert_eq!(read(&body).dropped, [expected], "{body}");
    }
}

#[test]
fn what_cannot_be_left_out_is_refused_by_name() {
    let config = |name: &str, value: Value| with("generationConfig", json!({name: value}));
    let turn = |role: &str, part: Value| json!({"contents": [{"role": role, "parts": [part]}]});
    for (body, field) in [
        (json!({}), "contents"),
        (json!({"contents": []}), "contents"),
        (json!({"contents": "secret"}), "contents"),
        (turn("secret", json!({"text": "Hi"})), "contents[0].role"),
        (turn("user", json!({"text": ["secret"]})), "contents[0].parts[0].text"),
        (turn("user", json!({"text": "secret", "inlineData": {}})), "contents[0].parts[0]"),
        (turn("user", json!({"secret": {}})), "contents[0].parts[0]"),
        (turn("user", json!({"text": ""})), "contents[0].parts"),
        (turn("user", json!({"executableCode": {}})), "contents[0].parts"),
        (turn("user", json!({"functionCall": {"name": "f"}})), "contents[0].parts[0].functionCall"),
        (turn("model", json!({"functionCall": {"name": "f", "args": []}})), "contents[0].parts[0].functionCall.args"),
        (
            turn("user", json!({"functionResponse": {"name": "f", "response": {}}})),
            "contents[0].parts[0].functionResponse",
        ),
        (
            turn("user", json!({"inlineData": {"mimeType": "audio/wav", "data": "AAAA"}})),
            "contents[0].parts[0].inlineData.mimeType",
        ),
        (
            turn("user", json!({"inlineData": {"mimeType": "image/png", "data": "secret!"}})),
            "contents[0].parts[0].inlineData.data",
        ),
        (
            turn("user", json!({"fileData": {"fileUri": "https://www.youtube.com/watch?v=x"}})),
            "contents[0].parts[0].fileData.mimeType",
        ),
        (
            turn(
                "user",
                json!({"fileData": {"mimeType": "image/png", "fileUri": "https://generativelanguage.googleapis.com/v1beta/files/secret"}}),
            ),
            "contents[0].parts[0].fileData.fileUri",
        ),
        (with("cachedContent", json!("cachedContents/secret")), "cachedContent"),
        (with("continuationToken", json!("secret")), "continuationToken"),
        (with("toolConfig", json!({"functionCallingConfig": {"mode": "ANY"}})), "toolConfig.functionCallingConfig"),
        (
            with("toolConfig", json!({"functionCallingConfig": {"mode": "secret"}})),
            "toolConfig.functionCallingConfig.mode",
        ),
        (config("candidateCount", json!(2)), "generationConfig.candidateCount"),
        (config("responseModalities", json!(["TEXT", "IMAGE"])), "generationConfig.responseModalities"),
        (config("responseMimeType", json!("text/x.enum")), "generationConfig.responseMimeType"),
        (config("maxOutputTokens", json!(-1)), "generationConfig.maxOutputTokens"),
        (config("thinkingConfig", json!({"thinkingLevel": "secret"})), "generationConfig.thinkingConfig.thinkingLevel"),
        (config("thinkingConfig", json!({"thinkingBudget": -2})), "generationConfig.thinkingConfig.thinkingBudget"),
        (config("responseFormat", json!([{"text": {}}])), "generationConfig.responseFormat"),
        (with("systemInstruction", json!({"parts": [{"inlineData": {}}]})), "systemInstruction.parts[0].text"),
        (with("labels", json!({"a": 1})), "labels"),
    ] {
        assert_eq!(refused(&body).field, field, "{body}");
    }
}

#[test]
fn results_without_ids_find_their_calls_by_name_and_order() {
    let call = |name: &str| json!({"functionCall": {"name": name}});
    let result = |name: &str, output: &str| json!({"functionResponse": {"name": name, "response": {"output": output}}});
    let request = read(&json!({"contents": [
        {"role": "user", "parts": [{"text": "Go"}]},
        {"role": "model", "parts": [call("a"), call("b"), call("a"), {"functionCall": {"id": "own", "name": "b"}}]},
        {"role": "function", "parts": [
            result("b", "1"), result("a", "2"), result("a", "3"),
            {"functionResponse": {"id": "own", "name": "b", "response": {"output": "4"}}},
        ]},
        {"role": "model", "parts": [call("a")]},
        {"role": "user", "parts": [result("a", "5")]},
    ]}));
    assert_eq!(
        shown(&request),
        [
            "u: Go",
            "m: call_0 a({}) | call_1 b({}) | call_2 a({}) | own b({})",
            "u: call_1 1 | call_0 2 | call_2 3 | own 4",
            "m: call_4 a({})",
            "u: call_4 5",
        ]
    );
}

#[test]
fn what_is_looked_for_in_lists_is_bounded() {
    let many = |count: usize| vec![json!({"functionCall": {"name": "f"}}); count];
    let body = |count| json!({"contents": [{"role": "model", "parts": many(count)}]});
    assert_eq!(read(&body(1024)).messages.len(), 1);
    assert_eq!(refused(&body(1025)).field, "contents[0].parts[1024].functionCall");
    let config = json!({"mode": "ANY", "allowedFunctionNames": vec!["f"; 1025]});
    let refusal = refused(&with("toolConfig", json!({"functionCallingConfig": config})));
    assert_eq!(refusal.field, "toolConfig.functionCallingConfig.allowedFunctionNames");
}

#[test]
fn the_outcome_of_a_function_is_text_wherever_google_or_its_sdk_have_it() {
    for (response, expected) in [
        (json!({"output": "21.5 degrees"}), "call_0 21.5 degrees"),
        (json!({"result": {"degrees": 21.5}}), "call_0 {\"degrees\":21.5}"),
        (json!({"error": "no such city"}), "call_0! no such city"),
        (json!({"error": {"code": 7}}), "call_0! {\"code\":7}"),
        (json!({"degrees": 21.5}), "call_0 {\"degrees\":21.5}"),
        (json!({"output": 1, "unit": "C"}), "call_0 {\"output\":1,\"unit\":\"C\"}"),
        (json!({"output": null, "error": "e"}), "call_0! {\"error\":\"e\",\"output\":null}"),
        (json!({}), "call_0 {}"),
        (Value::Null, "call_0 "),
    ] {
        let request = read(&json!({"contents": [
            {"role": "model", "parts": [{"functionCall": {"name": "f"}}]},
            {"role": "user", "parts": [{"functionResponse": {"name": "f", "response": response}}]},
        ]}));
        assert_eq!(shown(&request)[1], format!("u: {expected}"));
    }
    let request = read(&json!({"contents": [
        {"role": "model", "parts": [{"functionCall": {"name": "f"}}]},
        {"role": "user", "parts": [{"functionResponse": {"name": "f", "response": {"output": "see"},
            "parts": [{"inlineData": {"mimeType": "image/png", "data": "AAAA"}}], "scheduling": "SILENT"}}]},
    ]}));
    assert_eq!(shown(&request)[1], "u: call_0 see+image/png AAAA");
    assert_eq!(request.dropped, ["scheduling"]);
}

#[test]
fn a_streamed_answer_that_the_sdk_hands_back_in_pieces_is_whole_again() {
    let seal = Seal { origin: Origin::Claude, kind: SealKind::Signature, value: "c2ln".to_owned() };
    let label = seal.for_client_base64(Origin::Gemini).replace('+', "-").replace('/', "_");
    let model = |part: Value| json!({"role": "model", "parts": [part]});
    let request = read(&json!({"contents": [
        {"role": "user", "parts": [{"text": "Go"}]},
        model(json!({"text": "The user", "thought": true})),
        model(json!({"text": " wants it.", "thought": true})),
        model(json!({"text": "I ", "thoughtSignature": label})),
        model(json!({"text": "\n"})),
        model(json!({"text": "go."})),
        model(json!({"functionCall": {"id": "x", "name": "f"}})),
        model(json!({"text": ""})),
    ]}));
    assert_eq!(shown(&request), ["u: Go", "m: [The user wants it.]Claude c2ln | I \ngo. | x f({})"]);
}

#[test]
fn a_signature_becomes_the_seal_of_the_thoughts_before_it() {
    let request = read(&json!({"contents": [{"role": "model", "parts": [
        {"text": "a", "thought": true},
        {"functionCall": {"id": "1", "name": "f"}, "thoughtSignature": "QQ=="},
        {"functionCall": {"id": "2", "name": "f"}, "thought_signature": "Qg=="},
        {"functionCall": {"id": "3", "name": "f"}, "thoughtSignature": "skip_thought_signature_validator"},
        {"text": "b", "thought": true, "thoughtSignature": "Qw=="},
        {"text": "", "thoughtSignature": "RA=="},
    ]}]}));
    let expected = "m: [a]Gemini QQ== | 1 f({}) | []Gemini Qg== | 2 f({}) | 3 f({}) | [b]Gemini Qw== | []Gemini RA==";
    assert_eq!(shown(&request), [expected]);
}

#[test]
fn a_choice_among_several_is_given_as_the_only_tools() {
    let body = |mode: &str, allowed: Value| {
        let declared = json!([{"name": "a"}, {"name": "b"}, {"name": "c"}]);
        json!({"contents": hi(), "tools": [{"functionDeclarations": declared}],
               "toolConfig": {"functionCallingConfig": {"mode": mode, "allowedFunctionNames": allowed}}})
    };
    for (mode, allowed, tools, choice) in [
        ("AUTO", json!([]), "abc", ToolChoice::Auto),
        ("NONE", json!([]), "abc", ToolChoice::None),
        ("ANY", json!([]), "abc", ToolChoice::Required),
        ("ANY", json!(["b"]), "abc", ToolChoice::Named("b".to_owned())),
        ("ANY", json!(["c", "a"]), "ac", ToolChoice::Required),
        ("VALIDATED", json!([]), "abc", ToolChoice::Auto),
        ("VALIDATED", json!(["b"]), "b", ToolChoice::Auto),
    ] {
        let request = read(&body(mode, allowed));
        let named: String = request.tools.iter().map(|tool| tool.name.as_str()).collect();
        assert_eq!((named.as_str(), request.tool_choice), (tools, Some(choice)), "{mode}");
    }
}

#[test]
fn googles_schemas_become_json_schema() {
    let request = read(&json!({
        "contents": hi(),
        "tools": [{"functionDeclarations": [{"name": "f", "parameters": {"type": "OBJECT"}}, {"name": "g"}]}],
        "generationConfig": {"responseSchema": {"type": "ARRAY", "items": {"type": "STRING"}}},
    }));
    assert_eq!(request.tools[0].parameters.as_ref().unwrap().get(), r#"{"type":"object"}"#);
    assert!(request.tools[1].parameters.is_none());
    let Some(OutputFormat::JsonSchema(schema)) = request.output else { panic!("{:?}", request.output) };
    assert_eq!(schema.schema.get(), r#"{"items":{"type":"string"},"type":"array"}"#);
}

#[test]
fn thinking_is_read_and_written() {
    let asked = |effort, budget_tokens, shown| Some(ReasoningRequest { effort, budget_tokens, shown });
    for (config, expected) in [
        (json!({"thinkingLevel": "HIGH"}), asked(Some(Effort::High), None, None)),
        (json!({"thinkingLevel": "XHIGH", "includeThoughts": true}), asked(Some(Effort::Xhigh), None, Some(true))),
        (json!({"thinkingBudget": 0}), asked(Some(Effort::None), None, None)),
        (json!({"thinkingBudget": -1, "includeThoughts": true}), asked(None, None, Some(true))),
        (json!({"thinkingBudget": 512}), asked(None, Some(512), None)),
    ] {
        let mut request = read(&with("generationConfig", json!({"thinkingConfig": config})));
        assert_eq!(request.reasoning, expected, "{config}");
        let written: Value = serde_json::from_slice(&write_request(&mut request).unwrap()).unwrap();
        assert_eq!(written["generationConfig"]["thinkingConfig"], config);
    }
    for config in [json!({}), json!({"includeThoughts": false}), json!({"thinkingLevel": "THINKING_LEVEL_UNSPECIFIED"})]
    {
        assert_eq!(read(&with("generationConfig", json!({"thinkingConfig": config}))).reasoning, None, "{config}");
    }
    let lower = with("generationConfig", json!({"thinkingConfig": {"thinkingLevel": "low"}}));
    assert_eq!(read(&lower).reasoning, asked(Some(Effort::Low), None, None));
}

// Written.

fn user(parts: Vec<Part>) -> Message {
    Message { role: Role::User, parts }
}

fn model(parts: Vec<Part>) -> Message {
    Message { role: Role::Assistant, parts }
}

fn text(text: &str) -> Part {
    Part::Text(text.to_owned())
}

fn call(id: &str, name: &str) -> Part {
    Part::ToolCall(ToolCall { id: id.to_owned(), name: name.to_owned(), arguments: "{}".to_owned() })
}

fn result(id: &str, content: Vec<Part>, is_error: bool) -> Part {
    Part::ToolResult(ToolResult { id: id.to_owned(), content, is_error })
}

fn thought(text: &str, origin: Origin, value: &str) -> Part {
    let seal = Seal { origin, kind: SealKind::Signature, value: value.to_owned() };
    Part::Reasoning(Reasoning { text: text.to_owned(), seal: Some(seal) })
}

fn asking(messages: Vec<Message>) -> Request {
    Request { messages, ..Request::default() }
}

fn written(request: &mut Request) -> Value {
    serde_json::from_slice(&write_request(request).unwrap()).unwrap()
}

#[test]
fn turns_are_written_as_google_wants_them() {
    let pdf = Media::Inline { media_type: "application/pdf".to_owned(), base64: "AAAA".to_owned() };
    let document = Document { name: Some("a.pdf".to_owned()), source: DocumentSource::File(pdf) };
    let mut request = asking(vec![
        user(vec![text("Hi"), text("")]),
        user(vec![Part::Document(document), Part::Image(Media::Url("https://a.example/b.png".to_owned()))]),
        model(vec![]),
        model(vec![text("I look."), call("1", "f"), call("2", "g")]),
        user(vec![result("2", vec![text("a"), text("b")], false)]),
        user(vec![result("1", vec![text("no")], true), text("So?")]),
    ]);
    request.system = vec![Instruction::from("Be kind.".to_owned()), Instruction::from(String::new())];
    assert_eq!(
        written(&mut request),
        json!({
            "systemInstruction": {"parts": [{"text": "Be kind."}]},
            "contents": [
                {"role": "user", "parts": [
                    {"text": "Hi"},
                    {"inlineData": {"mimeType": "application/pdf", "data": "AAAA", "displayName": "a.pdf"}},
                    {"fileData": {"mimeType": "image/png", "fileUri": "https://a.example/b.png"}},
                ]},
                {"role": "model", "parts": [
                    {"text": "I look."},
                    {"functionCall": {"id": "1", "name": "f", "args": {}},
                     "thoughtSignature": "skip_thought_signature_validator"},
                    {"functionCall": {"id": "2", "name": "g", "args": {}}},
                ]},
                {"role": "user", "parts": [
                    {"functionResponse": {"id": "2", "name": "g", "response": {"output": "ab"}}},
                    {"functionResponse": {"id": "1", "name": "f", "response": {"error": "no"}}},
                    {"text": "So?"},
                ]},
            ],
            "generationConfig": {},
        })
    );
    assert_eq!(request.dropped, [""; 0]);
}

#[test]
fn only_seals_of_geminis_own_go_back_to_it() {
    let mut request = asking(vec![
        user(vec![text("Hi")]),
        model(vec![thought("Hm", Origin::Gemini, "QQ=="), call("1", "f"), call("2", "f")]),
        user(vec![result("1", vec![], false), result("2", vec![], false)]),
        model(vec![thought("secret", Origin::Claude, "secret"), call("3", "f")]),
        user(vec![result("3", vec![], false)]),
        model(vec![text("Done."), thought("", Origin::Gemini, "Qg==")]),
        user(vec![text("Go on")]),
    ]);
    let body = written(&mut request);
    let parts = |turn: usize| body["contents"][turn]["parts"].clone();
    assert_eq!(
        parts(1),
        json!([
            {"text": "Hm", "thought": true},
            {"functionCall": {"id": "1", "name": "f", "args": {}}, "thoughtSignature": "QQ=="},
            {"functionCall": {"id": "2", "name": "f", "args": {}}},
        ])
    );
    assert_eq!(parts(3)[0]["thoughtSignature"], "skip_thought_signature_validator");
    assert_eq!(parts(5), json!([{"text": "Done."}, {"text": "", "thoughtSignature": "Qg=="}]));
    assert!(!body.to_string().contains("secret"));
    assert_eq!(request.dropped, ["reasoning_content"]);
}

#[test]
fn older_models_get_what_they_know() {
    let reasoning = |effort, budget_tokens| Some(ReasoningRequest { effort, budget_tokens, shown: None });
    for (name, asked, expected, dropped) in [
        ("gemini-2.5-pro", reasoning(Some(Effort::Low), None), json!({"thinkingBudget": 2048}), vec![]),
        ("gemini-2.5-pro", reasoning(Some(Effort::Max), None), json!({"thinkingBudget": 24576}), vec![]),
        ("gemini-2.5-pro", reasoning(Some(Effort::Low), Some(9)), json!({"thinkingBudget": 9}), vec!["reasoning"]),
        ("gemini-3-pro", reasoning(Some(Effort::Low), Some(9)), json!({"thinkingLevel": "LOW"}), vec!["reasoning"]),
        ("gemini-3-pro", reasoning(Some(Effort::Max), None), json!({"thinkingLevel": "XHIGH"}), vec![]),
        ("gemini-3-pro", reasoning(Some(Effort::None), None), json!({"thinkingBudget": 0}), vec![]),
        ("gemini-3-pro", reasoning(None, None), json!({"thinkingBudget": -1}), vec![]),
    ] {
        let mut request = asking(vec![user(vec![text("Hi")]), model(vec![call("1", "f")])]);
        (request.model, request.reasoning) = (name.to_owned(), asked);
        let body = written(&mut request);
        assert_eq!(body["generationConfig"]["thinkingConfig"], expected, "{name}");
        assert_eq!(request.dropped, dropped);
        let is_older = body["contents"][1]["parts"][0]["thoughtSignature"].is_null();
        assert_eq!(is_older, name == "gemini-2.5-pro");
    }
}

fn raw(json: &str) -> Box<RawValue> {
    serde_json::from_str(json).unwrap()
}

#[test]
fn settings_are_written_under_googles_names() {
    let mut request = asking(vec![user(vec![text("Hi")])]);
    let schema = r#"{"type": "object", "$schema": "x"}"#;
    request.tools = vec![Tool {
        name: "f".to_owned(),
        description: Some("d".to_owned()),
        parameters: Some(raw(schema)),
        strict: Some(false),
        cache: None,
    }];
    request.tool_choice = Some(ToolChoice::Named("f".to_owned()));
    request.max_output_tokens = Some(9);
    request.sampling = Sampling { temperature: Some(0.5), top_k: Some(3), seed: Some(-7), ..Sampling::default() };
    request.stop = vec!["END".to_owned()];
    request.output = Some(OutputFormat::JsonSchema(OutputSchema {
        name: Some("n".to_owned()),
        description: None,
        schema: raw(schema),
        strict: Some(true),
    }));
    request.metadata = vec![("ticket".to_owned(), "t-1".to_owned())];
    request.service_tier = Some(ServiceTier::Priority);
    let body = write_request(&mut request).unwrap();
    let expected = concat!(
        r#"{"contents":[{"role":"user","parts":[{"text":"Hi"}]}],"tools":[{"functionDeclarations":"#,
        r#"[{"name":"f","description":"d","parametersJsonSchema":{"type": "object", "$schema": "x"}}]}],"#,
        r#""toolConfig":{"functionCallingConfig":{"mode":"ANY","allowedFunctionNames":["f"]}},"#,
        r#""generationConfig":{"maxOutputTokens":9,"topK":3,"temperature":0.5,"seed":-7,"stopSequences":["END"],"#,
        r#""responseMimeType":"application/json","responseJsonSchema":{"type": "object", "$schema": "x"}},"#,
        r#""labels":{"ticket":"t-1"},"serviceTier":"priority"}"#,
    );
    assert_eq!(String::from_utf8(body).unwrap(), expected);
    assert_eq!(request.dropped, [""; 0]);
}

#[test]
fn what_google_does_not_take_is_left_out_by_name() {
    let mut request = asking(vec![user(vec![text("Hi"), Part::CacheBreakpoint(crate::conversation::CacheTtl::Short)])]);
    request.tools =
        vec![Tool { name: "f".to_owned(), description: None, parameters: None, strict: Some(true), cache: None }];
    request.parallel_tool_calls = Some(false);
    request.end_user = Some("u".to_owned());
    request.sampling.seed = Some(1 << 40);
    request.stop = ["", "1", "2", "3", "4", "5", "6"].map(str::to_owned).to_vec();
    request.metadata = vec![("Ticket".to_owned(), "1".to_owned()), ("a".to_owned(), "ok".to_owned())];
    request.service_tier = Some(ServiceTier::Batch);
    let body = written(&mut request);
    let expected =
        ["cache_control", "tool.strict", "parallel_tool_calls", "end_user", "seed", "stop", "metadata", "service_tier"];
    assert_eq!(request.dropped, expected);
    assert_eq!(body["generationConfig"], json!({"stopSequences": ["1", "2", "3", "4", "5"]}));
    assert_eq!(body["labels"], json!({"a": "ok"}));
}

#[test]
fn what_cannot_be_said_to_google_is_refused() {
    let arguments = |arguments: &str| {
        let call = ToolCall { id: "1".to_owned(), name: "f".to_owned(), arguments: arguments.to_owned() };
        vec![user(vec![text("Hi")]), model(vec![Part::ToolCall(call)])]
    };
    for messages in [
        vec![],
        vec![user(vec![text("")])],
        vec![user(vec![result("1", vec![], false)])],
        vec![user(vec![Part::Image(Media::Url("s3://bucket/secret.png".to_owned()))])],
        arguments("[1]"),
        arguments("{\"secret\":"),
    ] {
        let refusal = write_request(&mut asking(messages)).unwrap_err();
        assert_eq!(refusal.field, "messages");
        assert!(!refusal.message.contains("secret"));
    }
}
