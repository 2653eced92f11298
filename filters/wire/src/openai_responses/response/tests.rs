use super::*;
use crate::conversation::{Reasoning, StopReason, ToolCall};
use crate::signature::{Origin, Seal, SealKind};
use serde_json::{Value, json};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

fn read(answer: &Value) -> Response {
    read_response(answer.to_string().as_bytes()).expect("an answer")
}

fn with_output(output: &Value) -> Response {
    read(&json!({ "id": "resp_1", "model": "m", "status": "completed", "output": output }))
}

/// Parts of an answer, short.
fn shown(parts: &[Part]) -> Vec<String> {
    let show = |part: &Part| match part {
        Part::Text(text) => text.clone(),
        Part::ToolCall(call) => format!("{} {}({})", call.id, call.name, call.arguments),
        Part::Reasoning(Reasoning { text, seal }) => {
            format!("[{text}|{}]", seal.as_ref().map_or("", |seal| &seal.value))
        }
        other => format!("{other:?}"),
    };
    parts.iter().map(show).collect()
}

#[test]
fn items_are_read_in_their_order() {
    let summary = |text| json!({ "type": "summary_text", "text": text });
    let response = with_output(&json!([
        { "id": "rs_1", "type": "reasoning", "summary": [summary("One."), summary("Two.")], "encrypted_content": "gAAA" },
        { "id": "rs_2", "type": "reasoning", "summary": [], "encrypted_content": "gBBB" },
        { "id": "rs_3", "type": "reasoning", "summary": [], "content": null },
        { "id": "rs_4", "type": "reasoning", "summary": [], "content": [{ "type": "reasoning_text", "text": "Raw." }] },
        { "id": "msg_1", "type": "message", "role": "assistant", "content": [
            { "type": "output_text", "text": "I look.", "annotations": [] }, { "type": "output_text", "text": "" }] },
        { "id": "fc_1", "type": "function_call", "call_id": "call_1", "name": "f", "arguments": "{\"a\": 1}" },
    ]));
    assert_eq!(
        shown(&response.parts),
        ["[One.\n\nTwo.|rs_1 gAAA]", "[|rs_2 gBBB]", "[Raw.|]", "I look.", r#"call_1 f({"a": 1})"#]
    );
    assert_eq!((&*response.id, &*response.model, response.stop), ("resp_1", "m", StopReason::ToolUse));
    assert_eq!((response.untranslated_bytes, response.usage), (0, None));
}

#[test]
fn compatible_servers_may_leave_out_ids_and_send_arguments_as_an_object() {
    let response = with_output(&json!([
        { "type": "function_call", "name": "f", "arguments": { "a": 1 } },
        { "type": "function_call", "id": "fc_9", "call_id": "", "name": "g" },
        { "type": "function_call", "arguments": "{}" },
    ]));
    assert_eq!(shown(&response.parts), [r#"call_0 f({"a":1})"#, "fc_9 g({})"]);
}

#[test]
fn a_refusal_is_told_and_is_why_it_ended() {
    let response = with_output(&json!([{ "type": "message", "content": [{ "type": "refusal", "refusal": "No." }] }]));
    assert_eq!((shown(&response.parts), response.stop), (vec!["No.".to_owned()], StopReason::Refused));
    let empty = with_output(&json!([{ "type": "message", "content": [{ "type": "refusal", "refusal": "" }] }]));
    assert_eq!(empty.stop, StopReason::End);
}

#[test]
fn tools_that_openai_runs_are_counted_and_not_translated() {
    let searches = json!([
        { "id": "ws_1", "type": "web_search_call", "status": "completed", "action": { "type": "search", "query": "x" } },
        { "id": "ws_2", "type": "web_search_call", "status": "completed", "action": { "type": "open_page", "url": "u" } },
        { "id": "ws_3", "type": "web_search_call", "status": "completed" },
        { "id": "fs_1", "type": "file_search_call", "queries": ["x"] },
        { "id": "ci_1", "type": "code_interpreter_call", "code": "1 + 1" },
        { "id": "ig_1", "type": "image_generation_call", "result": "iVBORw0KGgo=" },
        { "id": "mc_1", "type": "mcp_call", "name": "x" },
    ]);
    let mut answer =
        json!({ "status": "completed", "output": searches, "usage": { "input_tokens": 1, "output_tokens": 2 } });
    let response = read(&answer);
    let usage = response.usage.unwrap();
    assert_eq!((usage.web_search_calls, usage.file_search_calls), (2, 1));
    assert_eq!((usage.code_interpreter_calls, usage.image_generation_calls), (1, 1));
    assert!(response.parts.is_empty());
    let bytes: usize = searches.as_array().unwrap().iter().map(|item| item.to_string().len()).sum();
    assert_eq!(response.untranslated_bytes, bytes - searches[5].to_string().len());
    answer["tool_usage"] =
        json!({ "web_search": { "num_requests": 5 }, "image_gen": { "input_tokens": 7, "output_tokens": 9 } });
    let usage = read(&answer).usage.unwrap();
    assert_eq!((usage.web_search_calls, usage.input_image, usage.output_image), (5, 7, 9));
}

#[test]
fn an_answer_that_failed_is_an_error() {
    let failed =
        json!({ "status": "failed", "output": [], "error": { "code": "rate_limit_exceeded", "message": "slow" } });
    for (answer, kind, message) in [
        (failed, ErrorKind::RateLimit, "slow"),
        (json!({ "error": { "type": "overloaded_error", "message": "busy" } }), ErrorKind::Overloaded, "busy"),
        (json!({ "status": "failed", "output": [] }), ErrorKind::Internal, "the provider failed and gave no reason"),
    ] {
        let Err(Malformed::Error { error, .. }) = read_response(answer.to_string().as_bytes()) else {
            panic!("{answer}")
        };
        assert_eq!((error.kind, &*error.message), (kind, message));
    }
}

#[test]
fn what_is_no_answer_is_refused_without_quoting_it() {
    for body in [
        &b""[..],
        b"secret",
        b"{}",
        br#"{"output":"secret"}"#,
        br#"{"output":["secret"]}"#,
        br#"{"output":[{"type":"message","content":"secret"}]}"#,
        br#"{"output":[]} secret"#,
        b"\xff",
    ] {
        let refusal = read_response(body).unwrap_err();
        assert!(matches!(&refusal, Malformed::Unreadable(why) if !why.contains("secret")), "{refusal:?}");
    }
}

#[test]
fn a_written_answer_has_openais_shape() {
    let call = ToolCall { id: "toolu_1".into(), name: "f".into(), arguments: String::new() };
    let seal = |origin, value: &str| Some(Seal { origin, kind: SealKind::Signature, value: value.to_owned() });
    let response = Response {
        id: "msg_01".into(),
        model: "claude".into(),
        parts: vec![
            Part::Reasoning(Reasoning { text: "Hm.".into(), seal: seal(Origin::Claude, "c2ln") }),
            Part::Reasoning(Reasoning { text: String::new(), seal: seal(Origin::OpenaiResponses, "rs_9 gAAA") }),
            Part::Text("Let me ".into()),
            Part::Text("look.".into()),
            Part::Text(String::new()),
            Part::ToolCall(call),
        ],
        stop: StopReason::ToolUse,
        usage: Some(Usage { input_fresh: 10, input_cache_read: 30, output_text: 5, ..Usage::default() }),
        untranslated_bytes: 0,
        asides: false,
    };
    let written: Value = serde_json::from_slice(&write_response(&response, 17)).unwrap();
    let text = json!({ "type": "output_text", "text": "Let me look.", "annotations": [], "logprobs": [] });
    let expected = json!({
        "id": "msg_01", "object": "response", "created_at": 17, "status": "completed", "background": false,
        "error": null, "incomplete_details": null, "model": "claude",
        "output": [
            { "id": "rs_msg_01_0", "type": "reasoning", "summary": [{ "type": "summary_text", "text": "Hm." }],
              "encrypted_content": "tollgate:claude:signature:c2ln" },
            { "id": "rs_9", "type": "reasoning", "summary": [], "encrypted_content": "gAAA" },
            { "id": "msg_msg_01_2", "type": "message", "status": "completed", "role": "assistant", "content": [text] },
            { "id": "fc_msg_01_3", "type": "function_call", "status": "completed", "call_id": "toolu_1", "name": "f",
              "arguments": "{}" },
        ],
        "service_tier": "default",
        "usage": {
            "input_tokens": 40,
            "input_tokens_details": { "cached_tokens": 30, "cache_write_tokens": 0,
                "cache_write_tokens_details": { "ttl_30m_tokens": 0, "ttl_12h_tokens": 0 } },
            "output_tokens": 5, "output_tokens_details": { "reasoning_tokens": 0 }, "total_tokens": 45,
        },
        "instructions": null, "max_output_tokens": null, "previous_response_id": null, "temperature": null,
        "top_p": null, "user": null, "metadata": {}, "parallel_tool_calls": true, "store": false,
        "text": { "format": { "type": "text" } }, "tool_choice": "auto", "tools": [], "truncation": "disabled",
    });
    assert_eq!(written, expected);
}

#[test]
fn an_answer_cut_short_is_incomplete() {
    for (stop, status, reason) in [
        (StopReason::End, "completed", Value::Null),
        (StopReason::StopSequence, "completed", Value::Null),
        (StopReason::MaxTokens, "incomplete", json!({ "reason": "max_output_tokens" })),
        (StopReason::Refused, "incomplete", json!({ "reason": "content_filter" })),
    ] {
        let (id, model) = (String::new(), String::new());
        let parts = vec![Part::Text("One".into())];
        let response = Response { id, model, parts, stop, usage: None, untranslated_bytes: 0, asides: false };
        let written: Value = serde_json::from_slice(&write_response(&response, 0)).unwrap();
        assert_eq!((&written["status"], &written["incomplete_details"]), (&json!(status), &reason));
        assert_eq!(written["usage"], Value::Null);
    }
}
