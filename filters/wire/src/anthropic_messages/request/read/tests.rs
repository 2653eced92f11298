//! What is promised of requests that are read.

use super::*;
use crate::conversation::{CacheTtl, Document, DocumentSource, Effort, Media, OutputFormat, ReasoningRequest};
use crate::signature::{Origin, Seal, SealKind};
use crate::usage::ServiceTier;
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
    assert_eq!(request.system, ["Be brief.", "Be kind."].map(|text| Instruction::from(text.to_owned())));
    assert_eq!((request.max_output_tokens, request.stream), (Some(1000), true));
    assert_eq!((request.sampling.temperature, request.sampling.top_p), (Some(0.5), Some(0.9)));
    assert_eq!((request.stop, request.end_user.as_deref()), (vec!["END".to_owned()], Some("u1")));
    assert_eq!((request.tool_choice, request.parallel_tool_calls), (Some(ToolChoice::Required), Some(false)));
    let [f] = request.tools.as_slice() else { panic!("{:?}", request.tools) };
    assert_eq!((f.name.as_str(), f.description.as_deref(), f.strict), ("f", Some("does f"), Some(true)));
    assert_eq!(f.parameters.as_ref().unwrap().get(), r#"{"type":"object"}"#);
    let [question, calls, results] = request.messages.as_slice() else { panic!("{:?}", request.messages) };
    let [Part::Text(see), Part::Image(url), Part::Image(inline)] = question.parts.as_slice() else { panic!() };
    assert_eq!((see.as_str(), url), ("See", &Media::Url("https://x/y.png".to_owned())));
    let (media_type, base64) = ("image/png".to_owned(), "aGk=".to_owned());
    assert_eq!(*inline, Media::Inline { media_type, base64 });
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
    let cited = json!({"type": "text", "text": "x", "citations": []});
    let answered = |block: Value| {
        json!({"messages": [
        {"role": "user", "content": "Hi"}, {"role": "assistant", "content": [{"type": "text", "text": "x"}, block]}]})
    };
    for (fields, expected) in [
        (json!({"speed": "fast", "inference_geo": "us"}), vec!["inference_geo", "speed"]),
        (json!({"speed": null, "service_tier": "auto"}), vec![]),
        (json!({"fallbacks": "default", "mcp_servers": []}), vec!["mcp_servers", "fallbacks"]),
        (json!({"thinking": {"type": "adaptive", "block_binding": {}}}), vec!["block_binding"]),
        (json!({"output_config": {"task_budget": {}, "effort": null}}), vec!["task_budget"]),
        (json!({"new_1": 1, "new_2": 2, "metadata": {"other": 1}}), vec!["unknown_fields"]),
        (user_blocks(&json!([cited, cited])), vec!["citations"]),
        (
            answered(json!({"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}})),
            vec!["server_tool_use"],
        ),
        (answered(json!({"type": "mcp_tool_use", "id": "s"})), vec!["mcp_tool_use"]),
        (answered(json!({"type": "fallback"})), vec!["fallback"]),
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
fn a_turn_of_what_cannot_be_carried_goes_but_a_question_never_does() {
    let search = json!({"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}});
    let request = read_with(&json!({"messages": [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": [search]},
        {"role": "user", "content": "And?"},
    ]}));
    assert_eq!((request.messages.len(), request.dropped), (2, vec!["server_tool_use"]));
    assert_eq!(
        refusal(&user_blocks(&json!([{"type": "thinking", "thinking": "Hm", "signature": "c2ln"}]))),
        "messages[0].content: holds nothing that can be carried to another provider"
    );
}

#[test]
fn thinking_is_carried_with_its_seal() {
    let sealed = |origin, kind, value: &str| Some(Seal { origin, kind, value: value.to_owned() });
    for (block, expected) in [
        (
            json!({"type": "thinking", "thinking": "Hm", "signature": "c2ln"}),
            Some(("Hm", sealed(Origin::Claude, SealKind::Signature, "c2ln"))),
        ),
        (
            json!({"type": "thinking", "thinking": "", "signature": "c2ln"}),
            Some(("", sealed(Origin::Claude, SealKind::Signature, "c2ln"))),
        ),
        (json!({"type": "thinking", "thinking": "Hm", "signature": ""}), Some(("Hm", None))),
        (json!({"type": "thinking", "thinking": "", "signature": ""}), None),
        (
            json!({"type": "redacted_thinking", "data": "b3Bh"}),
            Some(("", sealed(Origin::Claude, SealKind::Encrypted, "b3Bh"))),
        ),
        (
            json!({"type": "thinking", "thinking": "Hm", "signature": "tollgate:gemini:signature:Z2Vt"}),
            Some(("Hm", sealed(Origin::Gemini, SealKind::Signature, "Z2Vt"))),
        ),
    ] {
        let text = json!({"type": "text", "text": "So."});
        let request = read_with(&json!({"messages": [
            {"role": "user", "content": "Hi"}, {"role": "assistant", "content": [block, text]}]}));
        let read: Vec<_> = request.messages[1]
            .parts
            .iter()
            .filter_map(|part| match part {
                Part::Reasoning(reasoning) => Some((reasoning.text.as_str(), reasoning.seal.clone())),
                _ => None,
            })
            .collect();
        assert_eq!(read, expected.into_iter().collect::<Vec<_>>(), "{block}");
        assert!(request.dropped.is_empty());
    }
}

#[test]
fn how_much_to_think_is_carried() {
    let none = ReasoningRequest::default();
    for (fields, expected, dropped) in [
        (json!({}), None, vec![]),
        (json!({"thinking": {"type": "adaptive"}}), Some(none), vec![]),
        (
            json!({"thinking": {"type": "adaptive", "display": "summarized"}, "output_config": {"effort": "xhigh"}}),
            Some(ReasoningRequest { effort: Some(Effort::Xhigh), shown: Some(true), ..none }),
            vec![],
        ),
        (
            json!({"thinking": {"type": "enabled", "budget_tokens": 2000, "display": "omitted"}}),
            Some(ReasoningRequest { budget_tokens: Some(2000), shown: Some(false), ..none }),
            vec![],
        ),
        (
            json!({"output_config": {"effort": "low"}}),
            Some(ReasoningRequest { effort: Some(Effort::Low), ..none }),
            vec![],
        ),
        (
            json!({"thinking": {"type": "disabled"}}),
            Some(ReasoningRequest { effort: Some(Effort::None), ..none }),
            vec![],
        ),
        (
            json!({"thinking": {"type": "disabled"}, "output_config": {"effort": "low"}}),
            Some(ReasoningRequest { effort: Some(Effort::None), ..none }),
            vec!["reasoning"],
        ),
        (
            json!({"thinking": {"type": "between_tools"}}),
            Some(ReasoningRequest { effort: Some(Effort::None), ..none }),
            vec!["reasoning"],
        ),
    ] {
        let request = read_with(&fields);
        assert_eq!((request.reasoning, request.dropped), (expected, dropped), "{fields}");
    }
}

#[test]
fn what_the_answer_must_be_is_carried() {
    let format = json!({"type": "json_schema", "schema": {"type": "object"}});
    for fields in [json!({"output_config": {"format": format}}), json!({"output_format": format})] {
        let request = read_with(&fields);
        let Some(OutputFormat::JsonSchema(output)) = request.output else { panic!("{fields}") };
        assert_eq!((output.schema.get(), output.name, output.strict), (r#"{"type":"object"}"#, None, None));
        assert!(request.dropped.is_empty());
    }
}

#[test]
fn settings_are_carried() {
    let request = read_with(&json!({"top_k": 40, "service_tier": "standard_only"}));
    assert_eq!((request.sampling.top_k, request.service_tier), (Some(40), Some(ServiceTier::Standard)));
}

#[test]
fn every_cache_mark_is_carried_to_where_the_prompt_is_worth_keeping() {
    let short = json!({"type": "ephemeral"});
    let long = json!({"type": "ephemeral", "ttl": "1h"});
    let request = read_with(&json!({
        "cache_control": {"type": "ephemeral", "ttl": "5m"},
        "system": [{"type": "text", "text": "a", "cache_control": long}, {"type": "text", "text": "b"}],
        "tools": [
            {"name": "f", "input_schema": {}},
            {"name": "g", "input_schema": {}, "cache_control": short},
            {"name": "h", "input_schema": {}},
            {"type": "web_search_20250305", "name": "web_search", "cache_control": long},
        ],
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "a", "cache_control": short}, {"type": "text", "text": "b"}]},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "f", "input": {}, "cache_control": long}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": [
                {"type": "text", "text": "a", "cache_control": long}, {"type": "text", "text": "b"}]}]},
            {"role": "user", "content": "And?"},
        ],
    }));
    assert_eq!(request.system.iter().map(|system| system.cache).collect::<Vec<_>>(), [Some(CacheTtl::Long), None]);
    let tools: Vec<_> = request.tools.iter().map(|tool| tool.cache).collect();
    assert_eq!(tools, [None, Some(CacheTtl::Short), Some(CacheTtl::Long)]);
    let marks: Vec<Vec<Option<CacheTtl>>> = request
        .messages
        .iter()
        .map(|message| {
            message
                .parts
                .iter()
                .map(|part| if let Part::CacheBreakpoint(ttl) = part { Some(*ttl) } else { None })
                .collect()
        })
        .collect();
    let (short, long) = (Some(CacheTtl::Short), Some(CacheTtl::Long));
    assert_eq!(marks, [vec![None, short, None], vec![None, long], vec![None, long], vec![None, short]]);
    let Part::ToolResult(result) = &request.messages[2].parts[0] else { panic!() };
    assert_eq!(result.content.len(), 2);
    assert_eq!(request.dropped, ["web_search"]);
}

#[test]
fn documents_of_every_source_are_carried() {
    let document = |source: Value| json!({"type": "document", "title": "a.pdf", "source": source});
    let text = |text: &str| DocumentSource::Text(text.to_owned());
    let (media_type, base64) = ("application/pdf".to_owned(), "JVBERi0=".to_owned());
    for (block, expected) in [
        (
            document(json!({"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="})),
            DocumentSource::File(Media::Inline { media_type, base64 }),
        ),
        (
            document(json!({"type": "url", "url": "https://x/a.pdf"})),
            DocumentSource::File(Media::Url("https://x/a.pdf".to_owned())),
        ),
        (document(json!({"type": "text", "media_type": "text/plain", "data": "a"})), text("a")),
        (document(json!({"type": "content", "content": "a"})), text("a")),
        (
            document(
                json!({"type": "content", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}),
            ),
            text("a\nb"),
        ),
        (
            json!({"type": "search_result", "title": "a.pdf", "source": "https://x", "content": [{"type": "text", "text": "a"}]}),
            text("https://x\n\na"),
        ),
    ] {
        let result = json!({"type": "tool_result", "tool_use_id": "t", "content": [block]});
        let request = read_with(&user_blocks(&json!([block, result])));
        let [Part::Document(read), Part::ToolResult(result)] = request.messages[0].parts.as_slice() else {
            panic!("{block}")
        };
        let expected = Document { name: Some("a.pdf".to_owned()), source: expected };
        assert_eq!(*read, expected);
        assert!(matches!(result.content.as_slice(), [Part::Document(read)] if *read == expected));
        assert!(request.dropped.is_empty(), "{:?}", request.dropped);
    }
}

#[test]
fn what_no_other_format_has_in_a_document_is_shown_beside_it() {
    let image = json!({"type": "image", "source": {"type": "url", "url": "https://x/y.png"}});
    let request = read_with(&user_blocks(&json!([
        {"type": "document", "context": "From 2020.", "source": {"type": "text", "media_type": "text/plain", "data": "a"}},
        {"type": "document", "source": {"type": "content", "content": [{"type": "text", "text": "b"}, image]}},
    ])));
    let [Part::Text(context), Part::Document(_), Part::Text(b), Part::Image(_)] = request.messages[0].parts.as_slice()
    else {
        panic!("{request:?}")
    };
    assert_eq!((context.as_str(), b.as_str()), ("From 2020.", "b"));
}

#[test]
fn a_summary_stands_for_what_it_summarizes() {
    let request = read_with(&json!({"messages": [
        {"role": "assistant", "content": [{"type": "compaction", "content": "They spoke of Oslo.", "signature": "c2ln"}]},
        {"role": "assistant", "content": [{"type": "compaction", "content": null}]},
        {"role": "user", "content": "And?"},
    ]}));
    assert!(matches!(request.messages[0].parts.as_slice(), [Part::Text(summary)] if summary == "They spoke of Oslo."));
    assert_eq!((request.messages.len(), request.dropped), (2, vec!["signature"]));
}

#[test]
fn a_question_about_something_is_not_asked_without_it() {
    let text = json!({"type": "text", "text": "What does it say?"});
    for (block, refused) in [
        (
            json!({"type": "container_upload", "file_id": "f"}),
            "messages[0].content[1]: is a block that cannot be carried to another provider's format",
        ),
        (
            json!({"type": "document", "source": {"type": "file", "file_id": "f"}}),
            "messages[0].content[1].source: is in the provider's file store, which another provider cannot read",
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
            (["You are Bo.", "Be brief."].map(|text| text.to_owned().into()).to_vec(), dropped)
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
        (json!({"top_k": 0.5}), "top_k: must be a whole number"),
        (
            json!({"thinking": {"type": "secret"}}),
            "thinking.type: must be enabled, adaptive, disabled or between_tools",
        ),
        (json!({"thinking": {"type": "enabled"}}), "thinking.budget_tokens: required: a whole number"),
        (
            json!({"thinking": {"type": "adaptive", "display": "secret"}}),
            "thinking.display: must be summarized or omitted",
        ),
        (json!({"output_config": {"effort": "none"}}), "output_config.effort: must be low, medium, high, xhigh or max"),
        (json!({"output_config": {"format": {"type": "text"}}}), "output_config.format.type: must be json_schema"),
        (
            json!({"output_config": {"format": {"type": "json_schema", "schema": 7}}}),
            "output_config.format.schema: must be an object",
        ),
        (json!({"service_tier": "flex"}), "service_tier: must be auto or standard_only"),
        (json!({"cache_control": {"type": "secret"}}), "cache_control.type: must be ephemeral"),
        (
            block(json!({"type": "text", "text": "x", "cache_control": {"type": "ephemeral", "ttl": "2h"}})),
            "messages[0].content[1].cache_control.ttl: must be 5m or 1h",
        ),
        (block(json!({"type": "document", "source": {}})), "messages[0].content[1].source.type: required: a string"),
        (
            block(json!({"type": "search_result", "source": "s", "title": "t", "content": [
            {"type": "image", "source": {"type": "url", "url": "secret"}}]})),
            "messages[0].content[1].content: must be an array of text blocks",
        ),
        (
            json!({"thread": {"type": "continue", "previous_message_id": "secret"}}),
            "thread: cannot be carried to another provider",
        ),
        (json!({"compaction": {"type": "summarize"}}), "compaction: cannot be carried to another provider"),
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
