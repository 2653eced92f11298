use super::*;
use crate::conversation::StopReason;
use crate::error::ErrorKind;
use crate::signature::{Origin, Seal, SealKind};
use crate::usage::Usage;
use serde_json::{Value, json};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

/// Texts and calls of an answer, short.
fn shown(parts: &[Part]) -> Vec<String> {
    let show = |part: &Part| match part {
        Part::Text(text) => text.clone(),
        Part::ToolCall(call) => format!("{} {}({})", call.id, call.name, call.arguments),
        Part::Reasoning(Reasoning { text, seal: None }) => format!("({text})"),
        Part::Reasoning(Reasoning { text, seal: Some(seal) }) => format!("({text} | {})", seal.value),
        other => format!("{other:?}"),
    };
    parts.iter().map(show).collect()
}

fn answer(parts: Vec<Part>) -> Response {
    let (id, model) = ("msg_1".into(), "claude".into());
    Response { id, model, parts, stop: StopReason::End, usage: None, untranslated_bytes: 0, asides: false }
}

fn written_message(parts: Vec<Part>) -> Value {
    let written: Value = serde_json::from_slice(&write_response(&answer(parts), 0)).expect("JSON");
    written["choices"][0]["message"].clone()
}

fn with_choice(choice: &Value) -> Response {
    read_response(json!({"id": "c", "model": "m", "choices": [choice]}).to_string().as_bytes()).expect("an answer")
}

#[test]
fn an_answer_is_read_with_its_usage_taken_apart() {
    let body = include_bytes!("../../../tests/fixtures/openai_chat/response_cached.json");
    let response = read_response(body).unwrap();
    assert_eq!((&*response.id, &*response.model), ("chatcmpl-CcR4wXv2", "gpt-5-2025-08-07"));
    assert_eq!(shown(&response.parts), ["Tolls were paid at gates."]);
    assert_eq!(response.stop, StopReason::End);
    let expected =
        Usage { input_fresh: 200, input_cache_read: 800, output_text: 50, output_reasoning: 150, ..Usage::default() };
    assert_eq!(response.usage, Some(expected));
}

#[test]
fn tool_calls_keep_id_name_and_arguments() {
    let body = include_bytes!("../../../tests/fixtures/openai_chat/response_tool_calls.json");
    let response = read_response(body).unwrap();
    assert_eq!(
        shown(&response.parts),
        [r#"call_oXw1 get_weather({"city":"Oslo"})"#, r#"call_p2Kq get_weather({"city":"Bergen"})"#]
    );
    assert_eq!((response.stop, response.usage), (StopReason::ToolUse, None));
}

#[test]
fn compatible_servers_may_leave_out_ids_and_send_arguments_as_an_object() {
    let calls = json!([{"function": {"name": "f", "arguments": {"a": 1}}}, {"id": "", "function": {"name": "g"}}]);
    let response = with_choice(&json!({"message": {"content": "", "tool_calls": calls}, "finish_reason": "stop"}));
    assert_eq!(shown(&response.parts), [r#"call_0 f({"a":1})"#, "call_1 g()"]);
}

#[test]
fn content_in_parts_is_what_was_thought_and_what_is_said() {
    let content = json!([{"type": "thinking", "thinking": [{"text": "hm"}]}, {"type": "text", "text": "Oslo"}]);
    assert_eq!(shown(&with_choice(&json!({"message": {"content": content}})).parts), ["(hm)", "Oslo"]);
}

#[test]
fn of_several_answers_the_first_is_translated_and_the_others_are_counted() {
    let choice =
        |index: u32, text: &str| json!({"index": index, "message": {"content": text}, "finish_reason": "stop"});
    for choices in [json!([choice(0, "first"), choice(1, "other")]), json!([choice(1, "other"), choice(0, "first")])] {
        let body = json!({ "choices": choices }).to_string();
        let response = read_response(body.as_bytes()).unwrap();
        assert_eq!((shown(&response.parts), response.untranslated_bytes), (vec!["first".to_owned()], 7));
    }
}

#[test]
fn what_only_openai_can_say_is_counted() {
    for (message, expected) in [
        (json!({"content": "x", "audio": {"data": "AAAA"}}), 15),
        (json!({"content": "x", "annotations": [{"type": "url_citation"}]}), 25),
        (json!({"tool_calls": [{"id": "c", "type": "custom", "custom": {"name": "sql", "input": "select 1"}}]}), 8),
        (json!({"content": "x", "audio": null, "annotations": [], "function_call": {}, "prefix": false}), 0),
    ] {
        let response = with_choice(&json!({ "message": message }));
        assert_eq!(response.untranslated_bytes, expected, "{message}");
        assert!(!response.parts.iter().any(|part| matches!(part, Part::ToolCall(_))), "{message}");
    }
}

#[test]
fn a_call_signed_by_googles_endpoint_keeps_its_signature() {
    let extra = json!({"google": {"thought_signature": "c2ln"}});
    let call = json!({"id": "c", "function": {"name": "f", "arguments": "{}"}, "extra_content": extra});
    let response = with_choice(&json!({"message": {"tool_calls": [call]}}));
    let seal = r#"( | {"extra_content":{"google":{"thought_signature":"c2ln"}}})"#;
    assert_eq!(shown(&response.parts), [seal, "c f({})"]);
    assert_eq!(written_message(response.parts)["tool_calls"][0]["extra_content"], extra);
}

#[test]
fn a_seal_of_gemini_stands_in_the_call_that_it_signs() {
    let seal = Seal { origin: Origin::Gemini, kind: SealKind::Signature, value: "c2ln".into() };
    let signed = || Part::Reasoning(Reasoning { text: String::new(), seal: Some(seal.clone()) });
    let call = Part::ToolCall(ToolCall { id: "c".into(), name: "f".into(), arguments: "{}".into() });
    let message = written_message(vec![signed(), call.clone()]);
    let label = "tollgate:gemini:signature:c2ln";
    assert_eq!(message["tool_calls"][0]["extra_content"], json!({"google": {"thought_signature": label}}));
    assert_eq!(message.get("reasoning_details"), None);
    // Of a text it has no place but among the reasoning.
    let message = written_message(vec![signed(), Part::Text("x".into()), call]);
    assert_eq!(message["reasoning_details"][0]["signature"], label);
    assert_eq!(message["tool_calls"][0].get("extra_content"), None);
}

#[test]
fn every_finish_reason_has_its_meaning() {
    let call = json!([{"id": "x", "function": {"name": "f", "arguments": "{}"}}]);
    for (message, reason, expected) in [
        (json!({"content": "a"}), json!("stop"), StopReason::End),
        (json!({"content": "a"}), json!("eos"), StopReason::End),
        (json!({"content": "a"}), json!("insufficient_system_resource"), StopReason::Otherwise),
        (json!({"content": "a"}), json!(null), StopReason::Otherwise),
        (json!({"content": "a"}), json!("length"), StopReason::MaxTokens),
        (json!({"content": "a"}), json!("content_filter"), StopReason::Refused),
        (json!({"content": null, "refusal": "no"}), json!("stop"), StopReason::Refused),
        (json!({"tool_calls": call}), json!("tool_calls"), StopReason::ToolUse),
        (json!({"tool_calls": call}), json!("function_call"), StopReason::ToolUse),
        (json!({"tool_calls": call}), json!("stop"), StopReason::ToolUse),
        (json!({"tool_calls": call}), json!("length"), StopReason::MaxTokens),
    ] {
        let response = with_choice(&json!({"message": message, "finish_reason": reason}));
        assert_eq!(response.stop, expected, "{message} {reason}");
    }
}

#[test]
fn an_error_inside_a_200_is_an_error() {
    let body = br#"{"error":{"message":"busy","type":"service_unavailable_error","code":"server_is_overloaded"}}"#;
    let Err(Malformed::Error { error, .. }) = read_response(body) else { panic!("an error") };
    assert_eq!((error.status, error.kind, &*error.message), (503, ErrorKind::Overloaded, "busy"));
}

#[test]
fn a_null_error_is_none() {
    let body = br#"{"error":null,"choices":[{"message":{"content":"hi"},"finish_reason":"stop"}]}"#;
    assert_eq!(shown(&read_response(body).unwrap().parts), ["hi"]);
}

#[test]
fn what_is_no_answer_is_unreadable() {
    for body in ["", "{", "{}", r#"{"choices":[]}"#, r#"{"choices":null}"#, r#"{"choices":[{}]}"#, "[1]"] {
        assert!(matches!(read_response(body.as_bytes()), Err(Malformed::Unreadable(_))), "{body}");
    }
}

#[test]
fn a_written_answer_has_openais_shape() {
    let call = ToolCall { id: "toolu_1".into(), name: "f".into(), arguments: "{\"a\":1}".into() };
    let response = Response {
        id: "msg_1".into(),
        model: "claude".into(),
        parts: vec![Part::Text("Let me ".into()), Part::Text("look.".into()), Part::ToolCall(call)],
        stop: StopReason::ToolUse,
        usage: Some(Usage { input_fresh: 10, input_cache_read: 30, output_text: 5, ..Usage::default() }),
        untranslated_bytes: 0,
        asides: false,
    };
    let written: Value = serde_json::from_slice(&write_response(&response, 1_700_000_000)).unwrap();
    let expected = json!({
        "id": "msg_1", "object": "chat.completion", "created": 1_700_000_000, "model": "claude",
        "choices": [{
            "index": 0, "logprobs": null, "finish_reason": "tool_calls",
            "message": {
                "role": "assistant", "content": "Let me look.", "refusal": null,
                "tool_calls": [
                    {"id": "toolu_1", "type": "function", "function": {"name": "f", "arguments": "{\"a\":1}"}}
                ],
            },
        }],
        "usage": {
            "prompt_tokens": 40, "completion_tokens": 5, "total_tokens": 45,
            "prompt_tokens_details": {"cached_tokens": 30, "cache_write_tokens": 0, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
        },
        "service_tier": "default",
    });
    assert_eq!(written, expected);
}

#[test]
fn content_is_null_only_beside_tool_calls() {
    let call = Part::ToolCall(ToolCall { id: "i".into(), name: "f".into(), arguments: "{}".into() });
    for (parts, expected) in [(vec![], json!("")), (vec![call], Value::Null)] {
        let response = answer(parts);
        let written: Value = serde_json::from_slice(&write_response(&response, 0)).unwrap();
        assert_eq!(written["choices"][0]["message"]["content"], expected);
        assert_eq!(written.get("usage"), None);
    }
}
