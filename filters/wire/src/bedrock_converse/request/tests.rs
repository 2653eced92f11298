use super::{read_request, write_request};
use crate::conversation::{
    CacheTtl, Document, DocumentSource, Effort, Instruction, Media, Message, OutputFormat, Part, Reasoning,
    ReasoningRequest, Request, Role, Tool, ToolCall, ToolChoice, ToolResult,
};
use crate::signature::{Origin, Seal, SealKind};
use crate::usage::ServiceTier;
use serde_json::{Value, json};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

const OPUS: &str = "us.anthropic.claude-opus-4-6-v1";
const HAIKU: &str = "anthropic.claude-haiku-4-5-20251001-v1:0";
const SONNET: &str = "anthropic.claude-3-7-sonnet-20250219-v1:0";
const LATEST: &str = "anthropic.claude-opus-5";
const NOVA: &str = "amazon.nova-2-lite-v1:0";
const OSS: &str = "openai.gpt-oss-120b-1:0";
const GPT: &str = "us.openai.gpt-5.6-terra";
const LLAMA: &str = "meta.llama3-3-70b-instruct-v1:0";

fn read(body: &Value) -> Request {
    read_request(body.to_string().as_bytes()).unwrap()
}

/// A client's request of one user turn, `more` beside it.
fn body(content: Value, more: Value) -> Value {
    let mut body = json!({ "messages": [{ "role": "user", "content": content }] });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

fn hi(more: Value) -> Value {
    body(json!([{ "text": "Hi" }]), more)
}

fn user(parts: Vec<Part>) -> Message {
    Message { role: Role::User, parts }
}

fn assistant(parts: Vec<Part>) -> Message {
    Message { role: Role::Assistant, parts }
}

fn text(text: &str) -> Part {
    Part::Text(text.to_owned())
}

fn call(arguments: &str) -> Part {
    Part::ToolCall(ToolCall { id: "c".to_owned(), name: "f".to_owned(), arguments: arguments.to_owned() })
}

fn result(content: Vec<Part>, is_error: bool) -> Part {
    Part::ToolResult(ToolResult { id: "c".to_owned(), content, is_error })
}

fn tool(name: &str) -> Tool {
    Tool { name: name.to_owned(), description: None, parameters: None, strict: None, cache: None }
}

fn to(model: &str, messages: Vec<Message>) -> Request {
    Request { model: model.to_owned(), messages, ..Request::default() }
}

/// What is sent, and what is said to be dropped.
fn written(mut request: Request) -> (Value, Vec<&'static str>) {
    let body = write_request(&mut request).unwrap();
    (serde_json::from_slice(&body).unwrap(), request.dropped)
}

fn sent(messages: Vec<Message>) -> Value {
    written(to(OPUS, messages)).0["messages"].clone()
}

fn refusal(messages: Vec<Message>) -> String {
    write_request(&mut to(OPUS, messages)).unwrap_err().to_string()
}

#[test]
fn every_field_is_carried_named_or_refused() {
    let request = read(&json!({
        "messages": [
            { "role": "system", "content": [{ "text": "First." }] },
            { "role": "user", "content": [
                { "text": "Look", "new": null }, { "cachePoint": { "type": "default", "ttl": "1h" } },
                { "guardContent": { "text": { "text": "guarded", "qualifiers": ["query"] } } },
            ] },
            { "role": "assistant", "content": [
                { "citationsContent": { "content": [{ "text": "I" }, { "text": "look." }], "citations": [] } },
                { "toolUse": { "toolUseId": "s", "name": "web", "input": {}, "type": "server_tool_use" } },
                { "toolResult": { "toolUseId": "s", "content": [], "type": "web_result" } },
                { "toolUse": { "toolUseId": "c", "name": "f", "input": { "a": 1 } } },
            ] },
            { "role": "user", "content": [{ "toolResult": { "toolUseId": "c", "status": "error", "content": [
                { "text": "a" }, { "json": { "b": 1 } },
                { "image": { "format": "jpeg", "source": { "bytes": "eA==" } } },
                { "document": { "format": "txt", "name": "n", "source": { "text": "d" } } },
            ] } }] },
            { "role": "system", "content": [{ "text": "Then." }, { "cachePoint": { "type": "default" } }] },
        ],
        "system": [{ "cachePoint": { "type": "default" } }, { "text": "Law." }, { "cachePoint": { "type": "default" } }],
        "inferenceConfig": { "maxTokens": 5, "temperature": 0.5, "topP": 0.25, "stopSequences": ["END"], "new": 1 },
        "toolConfig": { "tools": [
            { "toolSpec": { "name": "f", "description": "d", "inputSchema": { "json": { "type": "object" } }, "strict": true } },
            { "cachePoint": { "type": "default", "ttl": "5m" } },
            { "systemTool": { "name": "nova_grounding" } },
        ], "toolChoice": { "any": {} } },
        "additionalModelRequestFields": { "top_k": 7, "anthropic_beta": ["x"] },
        "additionalModelResponseFieldPaths": ["/x"],
        "requestMetadata": { "ticket": "T-1" },
        "serviceTier": { "type": "reserved" },
        "performanceConfig": { "latency": "optimized" },
        "outputConfig": { "effort": "max", "textFormat": { "type": "json_schema", "structure": { "jsonSchema": {
            "schema": "{\"type\": \"object\"}", "name": "n", "description": "d" } } } },
    }));
    assert_eq!((request.model.as_str(), request.stream), ("", false));
    assert_eq!(
        request.system.iter().map(|system| (system.text.as_str(), system.cache)).collect::<Vec<_>>(),
        [("Law.", Some(CacheTtl::Short)), ("First.", None), ("Then.", Some(CacheTtl::Short)),]
    );
    let told: Vec<String> = request.messages.iter().map(|message| format!("{:?}", message.parts)).collect();
    assert_eq!(
        told,
        [
            r#"[Text("Look"), CacheBreakpoint(Long), Text("guarded")]"#,
            r#"[Text("I\nlook."), ToolCall(ToolCall { id: "c", name: "f", arguments: "{\"a\":1}" })]"#,
            concat!(
                r#"[ToolResult(ToolResult { id: "c", content: [Text("a"), Text("{\"b\":1}"), "#,
                r#"Image(Inline { media_type: "image/jpeg", base64: "eA==" }), "#,
                r#"Document(Document { name: Some("n"), source: Text("d") })], is_error: true })]"#
            ),
        ]
    );
    assert_eq!(request.max_output_tokens, Some(5));
    assert_eq!((request.sampling.temperature, request.sampling.top_p), (Some(0.5), Some(0.25)));
    assert_eq!((request.sampling.top_k, &request.stop[..]), (Some(7), &["END".to_owned()][..]));
    let [tool] = request.tools.as_slice() else { panic!("{:?}", request.tools) };
    assert_eq!((tool.name.as_str(), tool.strict, tool.cache), ("f", Some(true), Some(CacheTtl::Short)));
    assert_eq!(request.tool_choice, Some(ToolChoice::Required));
    assert_eq!(request.metadata, [("ticket".to_owned(), "T-1".to_owned())]);
    assert_eq!(request.service_tier, Some(ServiceTier::Provisioned));
    assert_eq!(request.reasoning.unwrap().effort, Some(Effort::Max));
    let Some(OutputFormat::JsonSchema(schema)) = request.output else { panic!("no schema") };
    assert_eq!((schema.schema.get(), schema.name.as_deref()), (r#"{"type": "object"}"#, Some("n")));
    assert_eq!(
        request.dropped,
        [
            "cachePoint",
            "guardContent",
            "citationsContent",
            "server_tool_use",
            "messages.system",
            "unknown_fields",
            "systemTool",
            "additionalModelRequestFields",
            "performanceConfig",
            "additionalModelResponseFieldPaths",
        ]
    );
}

#[test]
fn documents_and_pictures_are_read_from_wherever_they_are() {
    let request = read(&body(
        json!([
            { "image": { "format": "png", "source": { "s3Location": { "uri": "s3://b/a.png", "bucketOwner": "1" } } } },
            { "document": { "format": "pdf", "name": "a", "source": { "bytes": "eA==" }, "context": "c" } },
            { "document": { "name": "b", "source": { "s3Location": { "uri": "s3://b/b" } }, "citations": { "enabled": true } } },
            { "document": { "name": "c", "source": { "content": [{ "text": "1" }, { "text": "2" }] },
                "citations": { "enabled": false } } },
        ]),
        json!({}),
    ));
    let told: Vec<String> = request.messages[0].parts.iter().map(|part| format!("{part:?}")).collect();
    assert_eq!(
        told,
        [
            r#"Image(Url("s3://b/a.png"))"#,
            r#"Document(Document { name: Some("a"), source: File(Inline { media_type: "application/pdf", base64: "eA==" }) })"#,
            r#"Document(Document { name: Some("b"), source: File(Url("s3://b/b")) })"#,
            r#"Document(Document { name: Some("c"), source: Text("1\n2") })"#,
        ]
    );
    assert_eq!(request.dropped, ["bucketOwner", "document.context", "citations"]);
}

#[test]
fn how_to_think_is_read_under_every_familys_name() {
    let thinking = |effort, budget_tokens, shown| Some(ReasoningRequest { effort, budget_tokens, shown });
    for (more, config, expected) in [
        (json!({}), json!({}), None),
        (json!({}), json!({ "effort": "low" }), thinking(Some(Effort::Low), None, None)),
        (
            json!({ "thinking": { "type": "enabled", "budget_tokens": 2000 } }),
            json!({}),
            thinking(None, Some(2000), None),
        ),
        (
            json!({ "reasoning_config": { "type": "enabled", "budget_tokens": 9 } }),
            json!({}),
            thinking(None, Some(9), None),
        ),
        (json!({ "thinking": { "type": "disabled" } }), json!({}), thinking(Some(Effort::None), None, None)),
        (
            json!({ "thinking": { "type": "disabled" } }),
            json!({ "effort": "max" }),
            thinking(Some(Effort::None), None, None),
        ),
        (
            json!({ "thinking": { "type": "adaptive", "display": "omitted" }, "output_config": { "effort": "xhigh" } }),
            json!({}),
            thinking(Some(Effort::Xhigh), None, Some(false)),
        ),
        (
            json!({ "thinking": { "type": "adaptive", "display": "summarized" } }),
            json!({ "effort": "high" }),
            thinking(Some(Effort::High), None, Some(true)),
        ),
        (
            json!({ "reasoningConfig": { "type": "enabled", "maxReasoningEffort": "medium" } }),
            json!({}),
            thinking(Some(Effort::Medium), None, None),
        ),
        (json!({ "reasoningConfig": { "type": "disabled" } }), json!({}), thinking(Some(Effort::None), None, None)),
        (json!({ "reasoning_effort": "high" }), json!({}), thinking(Some(Effort::High), None, None)),
        (json!({ "reasoning": { "effort": "minimal" } }), json!({}), thinking(Some(Effort::Minimal), None, None)),
    ] {
        let request = read(&hi(json!({ "additionalModelRequestFields": more, "outputConfig": config })));
        assert_eq!((request.reasoning, request.dropped), (expected, vec![]), "{more} {config}");
    }
    let more = json!({ "additionalModelRequestFields": { "inferenceConfig": { "topK": 3 } } });
    assert_eq!(read(&hi(more)).sampling.top_k, Some(3));
}

#[test]
fn a_fault_names_its_field_and_never_quotes_the_client() {
    let schema = |schema: &str| {
        json!({ "outputConfig": { "textFormat": { "type": "json_schema",
            "structure": { "jsonSchema": { "schema": schema } } } } })
    };
    for (body, expected) in [
        (json!([]), "the body is not a JSON object in UTF-8 (line 1, column 0)"),
        (json!({}), "messages: required: an array of objects"),
        (json!({ "messages": [] }), "messages: needs at least one message"),
        (
            json!({ "messages": [{ "role": "tool", "content": [] }] }),
            "messages[0].role: must be user, assistant or system",
        ),
        (json!({ "messages": [{ "role": "user", "content": "secret" }] }), "messages[0].content: must be an array"),
        (
            json!({ "messages": [{ "role": "user", "content": [] }] }),
            "messages[0].content: holds nothing that can be carried to another provider",
        ),
        (
            body(json!([{ "text": "a", "image": {} }]), json!({})),
            "messages[0].content[0]: must have exactly one member",
        ),
        (body(json!([{}]), json!({})), "messages[0].content[0]: must have exactly one member"),
        (
            body(json!([{ "secret": {} }]), json!({})),
            "messages[0].content[0]: is of a kind that cannot be carried to another provider",
        ),
        (body(json!([{ "text": 7 }]), json!({})), "messages[0].content[0].text: must be a string"),
        (
            body(json!([{ "video": {} }]), json!({})),
            "messages[0].content[0].video: is a block that cannot be carried to another provider's format",
        ),
        (
            body(json!([{ "audio": {} }]), json!({})),
            "messages[0].content[0].audio: is a block that cannot be carried to another provider's format",
        ),
        (
            body(json!([{ "searchResult": {} }]), json!({})),
            "messages[0].content[0].searchResult: is a block that cannot be carried to another provider's format",
        ),
        (
            body(json!([{ "image": { "format": "bmp", "source": { "bytes": "eA==" } } }]), json!({})),
            "messages[0].content[0].image.format: must be png, jpeg, gif or webp",
        ),
        (
            body(json!([{ "document": { "name": "n", "source": { "bytes": "eA==" } } }]), json!({})),
            "messages[0].content[0].document.source.bytes: needs a format beside the source",
        ),
        (
            body(json!([{ "toolUse": { "toolUseId": "c", "name": "f", "input": 7 } }]), json!({})),
            "messages[0].content[0].toolUse.input: must be an object",
        ),
        (
            body(json!([{ "toolResult": { "toolUseId": "c", "content": [{ "cachePoint": {} }] } }]), json!({})),
            "messages[0].content[0].toolResult.content[0].cachePoint: is a block that cannot be carried to another provider's format",
        ),
        (
            body(json!([{ "cachePoint": { "ttl": "2h" } }]), json!({})),
            "messages[0].content[0].cachePoint.ttl: must be 5m or 1h",
        ),
        (
            hi(json!({ "guardrailConfig": {} })),
            "guardrailConfig: names a guardrail of the provider's, which another provider does not have",
        ),
        (
            hi(json!({ "promptVariables": {} })),
            "promptVariables: belong to a prompt that is stored with the provider, which another provider does not have",
        ),
        (hi(json!({ "inferenceConfig": { "maxTokens": -1 } })), "inferenceConfig.maxTokens: must be a whole number"),
        (
            hi(json!({ "toolConfig": { "tools": [{ "toolSpec": { "name": "f", "inputSchema": { "json": [] } } }] } })),
            "toolConfig.tools[0].toolSpec.inputSchema.json: must be an object",
        ),
        (
            hi(json!({ "toolConfig": { "tools": [], "toolChoice": { "any": {} } } })),
            "toolConfig.toolChoice.any: asks for a tool that is not there or cannot be carried to another provider",
        ),
        (
            hi(schema("secret")),
            "outputConfig.textFormat.structure.jsonSchema.schema: must be the text of a JSON schema",
        ),
        (
            hi(json!({ "outputConfig": { "effort": "secret" } })),
            "outputConfig.effort: must be low, medium, high, xhigh or max",
        ),
        (hi(json!({ "requestMetadata": { "secret": 7 } })), "requestMetadata: must be an object of strings"),
    ] {
        let refusal = read_request(body.to_string().as_bytes()).unwrap_err().to_string();
        assert_eq!(refusal, expected, "{body}");
        assert!(!refusal.contains("secret"), "{refusal}");
    }
}

#[test]
fn turns_are_as_bedrock_wants_them() {
    let turns = sent(vec![
        user(vec![text(" "), text("a")]),
        user(vec![text("b"), result(vec![], false), Part::CacheBreakpoint(CacheTtl::Short)]),
        assistant(vec![text("")]),
        user(vec![Part::CacheBreakpoint(CacheTtl::Long)]),
        assistant(vec![text("c \n")]),
    ]);
    assert_eq!(
        turns,
        json!([
            { "role": "user", "content": [
                { "toolResult": { "toolUseId": "c", "content": [] } }, { "text": "a" }, { "text": "b" },
                { "cachePoint": { "type": "default" } },
            ] },
            { "role": "assistant", "content": [{ "text": "c" }] },
        ])
    );
    assert_eq!(refusal(vec![]), "messages: needs at least one message with content");
    assert_eq!(refusal(vec![user(vec![text(" ")])]), "messages: needs at least one message with content");
    assert_eq!(refusal(vec![assistant(vec![text("a")])]), "messages: must begin with the user for this provider");
    let turns = sent(vec![user(vec![Part::CacheBreakpoint(CacheTtl::Short), text("a")])]);
    assert_eq!(turns, json!([{ "role": "user", "content": [{ "text": "a" }] }]));
}

#[test]
fn pictures_and_documents_go_inline_or_from_s3_under_names_of_their_own() {
    let inline = |media_type: &str| Media::Inline { media_type: media_type.to_owned(), base64: "eA==".to_owned() };
    let address = |address: &str| Media::Url(address.to_owned());
    let document = |source| Part::Document(Document { name: Some("a.pdf".to_owned()), source });
    let file = |media| document(DocumentSource::File(media));
    let turns = sent(vec![user(vec![
        Part::Image(inline("image/png")),
        Part::Image(address("s3://b/a.jpg")),
        file(inline("text/csv; charset=utf-8")),
        file(address("s3://b/a.pdf")),
        file(address("s3://b/a")),
        document(DocumentSource::Text("Hé".to_owned())),
        text("x"),
    ])]);
    assert_eq!(
        turns[0]["content"],
        json!([
            { "image": { "format": "png", "source": { "bytes": "eA==" } } },
            { "image": { "format": "jpeg", "source": { "s3Location": { "uri": "s3://b/a.jpg" } } } },
            { "document": { "name": "a-pdf", "format": "csv", "source": { "bytes": "eA==" } } },
            { "document": { "name": "a-pdf (2)", "format": "pdf", "source": { "s3Location": { "uri": "s3://b/a.pdf" } } } },
            { "document": { "name": "a-pdf (3)", "source": { "s3Location": { "uri": "s3://b/a" } } } },
            { "document": { "name": "a-pdf (4)", "format": "txt", "source": { "bytes": "SMOp" } } },
            { "text": "x" },
        ])
    );
    for (part, expected) in [
        (
            Part::Image(address("https://x/a.png")),
            "messages: an image must be inline or in Amazon S3 for this provider",
        ),
        (Part::Image(address("s3://x/a")), "messages: an image must be PNG, JPEG, GIF or WebP for this provider"),
        (Part::Image(inline("image/tiff")), "messages: an image must be PNG, JPEG, GIF or WebP for this provider"),
        (file(address("https://x/a.pdf")), "messages: a document must be inline or in Amazon S3 for this provider"),
        (
            file(inline("application/zip")),
            "messages: a document must be PDF, HTML, Markdown, CSV, plain text, Word or Excel for this provider",
        ),
        (call("[]"), "messages: the arguments of a tool call must be a JSON object"),
    ] {
        assert_eq!(refusal(vec![user(vec![part])]), expected);
    }
}

#[test]
fn only_claudes_own_reasoning_goes_back_to_it() {
    let reasoning = |text: &str, seal: Option<(Origin, SealKind)>| {
        let seal = seal.map(|(origin, kind)| Seal { origin, kind, value: "c2ln".to_owned() });
        Part::Reasoning(Reasoning { text: text.to_owned(), seal })
    };
    let (body, dropped) = written(to(
        OPUS,
        vec![
            user(vec![text("a")]),
            assistant(vec![
                reasoning("Hm", Some((Origin::Claude, SealKind::Signature))),
                reasoning("", Some((Origin::Claude, SealKind::Signature))),
                reasoning("", Some((Origin::Claude, SealKind::Encrypted))),
                reasoning("Hm", Some((Origin::Gemini, SealKind::Signature))),
                reasoning("", Some((Origin::OpenaiResponses, SealKind::Encrypted))),
                reasoning("Hm", None),
                text("b"),
            ]),
        ],
    ));
    assert_eq!(
        body["messages"][1]["content"],
        json!([
            { "reasoningContent": { "reasoningText": { "text": "Hm", "signature": "c2ln" } } },
            { "reasoningContent": { "reasoningText": { "text": "", "signature": "c2ln" } } },
            { "reasoningContent": { "redactedContent": "c2ln" } },
            { "text": "b" },
        ])
    );
    assert_eq!(dropped, ["reasoning_content"]);
}

#[test]
fn tools_are_written_as_far_as_the_model_knows_them() {
    let request = |model: &str| {
        let strict = Tool { strict: Some(true), cache: Some(CacheTtl::Long), ..tool("f") };
        let empty = Tool { description: Some(String::new()), ..tool("g") };
        Request {
            tools: vec![strict, empty],
            system: vec![Instruction { text: "s".to_owned(), cache: Some(CacheTtl::Long) }],
            tool_choice: Some(ToolChoice::Required),
            parallel_tool_calls: Some(false),
            ..to(model, vec![user(vec![text("a")]), assistant(vec![call("{}")]), user(vec![result(vec![], true)])])
        }
    };
    let (body, dropped) = written(request(OPUS));
    let no_parameters = json!({ "json": { "type": "object", "properties": {} } });
    let config = json!({
        "tools": [
            { "toolSpec": { "name": "f", "inputSchema": no_parameters, "strict": true } },
            { "cachePoint": { "type": "default", "ttl": "1h" } },
            { "toolSpec": { "name": "g", "inputSchema": no_parameters } },
        ],
        "toolChoice": { "any": {} },
    });
    assert_eq!((&body["toolConfig"], dropped), (&config, vec![]));
    assert_eq!(body["additionalModelRequestFields"], json!({ "tool_choice": { "disable_parallel_tool_use": true } }));
    assert_eq!(body["messages"][2]["content"][0]["toolResult"]["status"], json!("error"));
    assert_eq!(body["system"], json!([{ "text": "s" }, { "cachePoint": { "type": "default", "ttl": "1h" } }]));

    let (body, dropped) = written(request(SONNET));
    assert_eq!(body["system"], json!([{ "text": "s" }, { "cachePoint": { "type": "default" } }]));
    assert_eq!(dropped, ["tool.strict", "cache_control", "parallel_tool_calls"]);
    let (body, dropped) = written(request(NOVA));
    assert_eq!(body["toolConfig"]["tools"].as_array().unwrap().len(), 2);
    assert_eq!(dropped, ["tool.strict", "cache_control", "parallel_tool_calls"]);
    let (body, dropped) = written(request(LLAMA));
    assert_eq!((&body["additionalModelRequestFields"], &body["system"]), (&json!(null), &json!([{ "text": "s" }])));
    assert_eq!(dropped, ["tool.strict", "cache_control", "tool_result.is_error", "parallel_tool_calls"]);
}

#[test]
fn cache_points_are_as_many_and_as_long_as_the_model_keeps_them() {
    let kept = |model: &str, hints: &[CacheTtl]| {
        let parts = hints.iter().flat_map(|ttl| [text("a"), Part::CacheBreakpoint(*ttl)]).collect();
        let (body, dropped) = written(to(model, vec![user(parts)]));
        let blocks = body["messages"][0]["content"].as_array().unwrap().clone();
        let points: Vec<Value> = blocks.into_iter().filter_map(|block| block.get("cachePoint").cloned()).collect();
        (points, !dropped.is_empty())
    };
    let (short, long) = (json!({ "type": "default" }), json!({ "type": "default", "ttl": "1h" }));
    for (model, hints, points, lost) in [
        (OPUS, vec![CacheTtl::Long, CacheTtl::Short], vec![&long, &short], false),
        (OPUS, vec![CacheTtl::Short, CacheTtl::Long], vec![&short, &short], true),
        (OPUS, vec![CacheTtl::Long; 5], vec![&long; 4], true),
        (SONNET, vec![CacheTtl::Long], vec![&short], true),
        (NOVA, vec![CacheTtl::Short], vec![&short], false),
        (LLAMA, vec![CacheTtl::Short], vec![], true),
    ] {
        let points = points.into_iter().cloned().collect::<Vec<_>>();
        assert_eq!(kept(model, &hints), (points, lost), "{model} {hints:?}");
    }
}

#[test]
fn how_to_choose_a_tool() {
    for (choice, parallel, expected) in [
        (None, None, json!(null)),
        (None, Some(true), json!({ "auto": {} })),
        (None, Some(false), json!({ "auto": {} })),
        (Some(ToolChoice::Auto), None, json!({ "auto": {} })),
        (Some(ToolChoice::Required), None, json!({ "any": {} })),
        (Some(ToolChoice::Named("f".to_owned())), None, json!({ "tool": { "name": "f" } })),
    ] {
        let (body, dropped) = written(Request {
            tools: vec![tool("f")],
            tool_choice: choice.clone(),
            parallel_tool_calls: parallel,
            ..to(OPUS, vec![user(vec![text("a")])])
        });
        assert_eq!((&body["toolConfig"]["toolChoice"], dropped), (&expected, vec![]), "{choice:?}");
        assert_eq!(body["additionalModelRequestFields"].is_object(), parallel == Some(false));
    }
    // Without tools there is nothing to choose from.
    let (body, dropped) = written(Request {
        tool_choice: Some(ToolChoice::Auto),
        parallel_tool_calls: Some(false),
        ..to(OPUS, vec![user(vec![text("a")])])
    });
    assert_eq!((body, dropped), (json!({ "messages": [{ "role": "user", "content": [{ "text": "a" }] }] }), vec![]));
}

#[test]
fn no_tool_is_to_be_called() {
    let called =
        || vec![user(vec![text("a")]), assistant(vec![call("{}"), call("{}")]), user(vec![result(vec![], false)])];
    let none = |tools, messages| Request { tools, tool_choice: Some(ToolChoice::None), ..to(OPUS, messages) };
    // Where no tool was called, none is told of.
    let (body, dropped) = written(none(vec![tool("f")], vec![user(vec![text("a")])]));
    assert_eq!((&body["toolConfig"], dropped), (&json!(null), vec![]));
    // Where one was, Bedrock requires tools, and cannot be told not to call one.
    let (body, dropped) = written(none(vec![tool("f")], called()));
    assert_eq!(body["toolConfig"]["tools"][0]["toolSpec"]["name"], json!("f"));
    assert_eq!((&body["toolConfig"]["toolChoice"], dropped), (&json!(null), vec!["tool_choice"]));
    // Also where the client offers none any more.
    let (body, dropped) = written(to(OPUS, called()));
    let schema = json!({ "json": { "type": "object", "properties": {} } });
    let gone = json!({ "name": "f", "description": "No longer available: do not call it.", "inputSchema": schema });
    assert_eq!((body["toolConfig"].clone(), dropped), (json!({ "tools": [{ "toolSpec": gone }] }), vec![]));
}

#[test]
fn every_model_is_asked_to_think_in_its_own_words() {
    let effort = |effort| ReasoningRequest { effort: Some(effort), ..ReasoningRequest::default() };
    let budget = |tokens| ReasoningRequest { budget_tokens: Some(tokens), ..ReasoningRequest::default() };
    let adaptive = json!({ "thinking": { "type": "adaptive" } });
    let enabled = |tokens: u64| json!({ "thinking": { "type": "enabled", "budget_tokens": tokens } });
    let nova = |effort: &str| json!({ "reasoningConfig": { "type": "enabled", "maxReasoningEffort": effort } });
    let all = || Vec::<&str>::new();
    let lost = || vec!["reasoning"];
    for (model, reasoning, more, config, dropped) in [
        (OPUS, effort(Effort::High), adaptive.clone(), json!("high"), all()),
        (OPUS, effort(Effort::Minimal), adaptive.clone(), json!("low"), all()),
        (OPUS, effort(Effort::Xhigh), adaptive.clone(), json!("high"), lost()),
        (LATEST, effort(Effort::Xhigh), adaptive.clone(), json!("xhigh"), all()),
        (OPUS, budget(8000), adaptive.clone(), json!("medium"), all()),
        (OPUS, ReasoningRequest::default(), adaptive.clone(), json!(null), all()),
        (
            OPUS,
            ReasoningRequest { shown: Some(false), ..effort(Effort::Low) },
            json!({ "thinking": { "type": "adaptive", "display": "omitted" } }),
            json!("low"),
            all(),
        ),
        (OPUS, effort(Effort::None), json!(null), json!(null), all()),
        (LATEST, effort(Effort::None), json!(null), json!(null), lost()),
        (HAIKU, effort(Effort::Low), enabled(2048), json!(null), all()),
        (HAIKU, budget(5000), enabled(5000), json!(null), all()),
        (HAIKU, budget(7), enabled(1024), json!(null), all()),
        (HAIKU, effort(Effort::High), enabled(9999), json!(null), all()),
        (HAIKU, ReasoningRequest { shown: Some(false), ..budget(5000) }, enabled(5000), json!(null), lost()),
        (HAIKU, effort(Effort::None), json!(null), json!(null), all()),
        (NOVA, effort(Effort::Minimal), nova("low"), json!(null), all()),
        (NOVA, effort(Effort::Max), nova("medium"), json!(null), lost()),
        (NOVA, effort(Effort::None), json!(null), json!(null), all()),
        (OSS, effort(Effort::Max), json!({ "reasoning_effort": "high" }), json!(null), all()),
        (OSS, effort(Effort::None), json!({ "reasoning_effort": "low" }), json!(null), lost()),
        (GPT, effort(Effort::None), json!({ "reasoning": { "effort": "none" } }), json!(null), all()),
        (GPT, effort(Effort::Minimal), json!({ "reasoning": { "effort": "low" } }), json!(null), all()),
        (LLAMA, effort(Effort::High), json!(null), json!(null), lost()),
        (LLAMA, effort(Effort::None), json!(null), json!(null), lost()),
        ("amazon.nova-lite-v1:0", effort(Effort::None), json!(null), json!(null), all()),
    ] {
        let (body, told) = written(Request {
            reasoning: Some(reasoning),
            max_output_tokens: Some(10_000),
            ..to(model, vec![user(vec![text("a")])])
        });
        assert_eq!(body["additionalModelRequestFields"], more, "{model} {reasoning:?}");
        assert_eq!((&body["outputConfig"]["effort"], told), (&config, dropped), "{model} {reasoning:?}");
    }
    // As much as Nova can think, only where nothing bounds it.
    let (body, dropped) =
        written(Request { reasoning: Some(effort(Effort::High)), ..to(NOVA, vec![user(vec![text("a")])]) });
    assert_eq!((&body["additionalModelRequestFields"], dropped), (&nova("high"), vec![]));
}

#[test]
fn claude_does_not_think_where_it_could_not_answer_as_asked() {
    let thinking = |model: &str, messages| Request {
        reasoning: Some(ReasoningRequest { effort: Some(Effort::High), ..ReasoningRequest::default() }),
        ..to(model, messages)
    };
    let hi = || vec![user(vec![text("a")])];
    // No room, an answer begun, a call asked for, and a call of another provider's without thinking that Claude can read.
    for request in [
        thinking(OPUS, vec![user(vec![text("a")]), assistant(vec![text("b")])]),
        Request { max_output_tokens: Some(1024), ..thinking(HAIKU, hi()) },
        Request { tools: vec![tool("f")], tool_choice: Some(ToolChoice::Required), ..thinking(HAIKU, hi()) },
        Request { tools: vec![tool("f")], tool_choice: Some(ToolChoice::Required), ..thinking(OPUS, hi()) },
        Request {
            tools: vec![tool("f")],
            ..thinking(
                HAIKU,
                vec![user(vec![text("a")]), assistant(vec![call("{}")]), user(vec![result(vec![], false)])],
            )
        },
    ] {
        let (body, dropped) = written(request);
        assert_eq!((&body["additionalModelRequestFields"], dropped), (&json!(null), vec!["reasoning"]));
    }
    // And where it thinks, it takes no sampling.
    for model in [HAIKU, OPUS, LATEST] {
        let mut request = thinking(model, hi());
        request.sampling.temperature = Some(0.5);
        request.sampling.top_p = Some(0.5);
        request.sampling.top_k = Some(5);
        let (body, dropped) = written(request);
        assert_eq!(
            (&body["inferenceConfig"], dropped),
            (&json!(null), vec!["temperature", "top_p", "top_k"]),
            "{model}"
        );
    }
}

#[test]
fn sampling_goes_as_far_as_the_model_takes_it() {
    for (model, temperature, inference, more, dropped) in [
        (OPUS, 0.5, json!({ "temperature": 0.5, "topP": 0.9 }), json!({ "top_k": 5 }), vec![]),
        (OPUS, 1.5, json!({ "temperature": 1.0, "topP": 0.9 }), json!({ "top_k": 5 }), vec!["temperature"]),
        (HAIKU, 0.5, json!({ "temperature": 0.5 }), json!({ "top_k": 5 }), vec!["top_p"]),
        (LATEST, 0.5, json!(null), json!(null), vec!["temperature", "top_p", "top_k"]),
        (NOVA, 0.5, json!({ "temperature": 0.5, "topP": 0.9 }), json!({ "inferenceConfig": { "topK": 5 } }), vec![]),
        (LLAMA, 0.5, json!({ "temperature": 0.5, "topP": 0.9 }), json!(null), vec!["top_k"]),
    ] {
        let mut request = to(model, vec![user(vec![text("a")])]);
        request.sampling.temperature = Some(temperature);
        request.sampling.top_p = Some(0.9);
        request.sampling.top_k = Some(5);
        let (body, told) = written(request);
        assert_eq!((&body["inferenceConfig"], &body["additionalModelRequestFields"]), (&inference, &more), "{model}");
        assert_eq!(told, dropped, "{model}");
    }
}

#[test]
fn what_bedrock_has_no_place_for_is_named() {
    let mut request = Request {
        stop: vec![" \n".to_owned(), "END".to_owned()],
        output: Some(OutputFormat::JsonObject),
        end_user: Some("u".to_owned()),
        metadata: vec![("ok".to_owned(), "a b".to_owned()), ("bad!".to_owned(), "x".to_owned())],
        service_tier: Some(ServiceTier::Batch),
        ..to(OPUS, vec![user(vec![text("a")])])
    };
    request.sampling.frequency_penalty = Some(0.5);
    request.sampling.presence_penalty = Some(0.5);
    request.sampling.seed = Some(7);
    let (body, dropped) = written(request);
    assert_eq!(body["inferenceConfig"], json!({ "stopSequences": ["END"] }));
    assert_eq!((&body["requestMetadata"], &body["outputConfig"]), (&json!({ "ok": "a b" }), &json!(null)));
    assert_eq!(
        dropped,
        ["stop", "frequency_penalty", "presence_penalty", "seed", "output", "metadata", "service_tier", "end_user",]
    );
}
