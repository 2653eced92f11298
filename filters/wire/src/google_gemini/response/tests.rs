//! What is promised of whole answers.

use super::*;
use crate::conversation::{Reasoning, ToolCall};
use crate::error::ErrorKind;
use crate::signature::{Origin, Seal, SealKind};
use serde_json::{Value, json};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

fn read(body: &Value) -> Response {
    read_response(body.to_string().as_bytes()).unwrap()
}

fn with_parts(parts: &Value) -> Response {
    let candidate = json!({"content": {"role": "model", "parts": parts}, "finishReason": "STOP", "index": 0});
    read(&json!({"candidates": [candidate], "modelVersion": "gemini-3", "responseId": "r-1"}))
}

/// What an answer says, short.
fn shown(parts: &[Part]) -> Vec<String> {
    let show = |part: &Part| match part {
        Part::Text(text) => text.clone(),
        Part::ToolCall(call) => format!("{} {}({})", call.id, call.name, call.arguments),
        Part::Reasoning(reasoning) => {
            format!("[{}]{}", reasoning.text, reasoning.seal.as_ref().map_or("", |seal| &seal.value))
        }
        other => format!("{other:?}"),
    };
    parts.iter().map(show).collect()
}

#[test]
fn thoughts_texts_and_calls_are_read_in_order_with_their_seals() {
    let response = with_parts(&json!([
        {"text": "Hm", "thought": true},
        {"text": "I look.", "thoughtSignature": "QQ=="},
        {"text": ""},
        {"functionCall": {"name": "look", "args": {"at": 1.0}}, "thoughtSignature": "Qg=="},
        {"functionCall": {"id": "own", "name": "time"}},
        {"text": "", "thoughtSignature": "Qw=="},
    ]));
    assert_eq!((response.id.as_str(), response.model.as_str()), ("r-1", "gemini-3"));
    assert_eq!(response.stop, StopReason::ToolUse);
    let said = shown(&response.parts);
    let arguments = r#"{"at":1.0}"#;
    let call = format!("call_r-1_0 look({arguments})");
    assert_eq!(said, ["[Hm]QQ==", "I look.", "[]Qg==", &call, "own time({})", "[]Qw=="]);
}

#[test]
fn what_only_google_has_a_place_for_is_counted_and_left_out() {
    let response = with_parts(&json!([
        {"executableCode": {"language": "PYTHON", "code": "print(1)"}},
        {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "1"}},
        {"text": "1"},
        {"inlineData": {"mimeType": "image/png", "data": "iVBORw0KGgo="}},
    ]));
    assert_eq!(shown(&response.parts), ["1"]);
    assert_eq!(
        response.untranslated_bytes,
        r#"{"code":"print(1)","language":"PYTHON"}"#.len() + r#"{"data":"iVBORw0KGgo=","mimeType":"image/png"}"#.len()
    );
}

#[test]
fn a_refused_prompt_is_an_answer_that_refuses() {
    let response = read(&json!({
        "promptFeedback": {"blockReason": "PROHIBITED_CONTENT"},
        "usageMetadata": {"promptTokenCount": 8, "totalTokenCount": 8},
        "modelVersion": "gemini-3",
    }));
    assert_eq!((response.stop, response.parts.len()), (StopReason::Refused, 0));
    assert_eq!(response.usage.unwrap().input_fresh, 8);
}

#[test]
fn a_candidate_without_content_is_an_answer() {
    for (candidate, expected) in [
        (json!({"finishReason": "SAFETY"}), StopReason::Refused),
        (json!({"finishReason": "MAX_TOKENS", "content": {"role": "model"}}), StopReason::MaxTokens),
        (json!({"finishReason": "MALFORMED_FUNCTION_CALL", "finishMessage": "why"}), StopReason::Otherwise),
        (json!({"content": {"parts": [{"functionCall": {"name": "f"}}]}}), StopReason::ToolUse),
        (json!({}), StopReason::Otherwise),
    ] {
        assert_eq!(read(&json!({"candidates": [candidate]})).stop, expected, "{candidate}");
    }
}

#[test]
fn only_the_first_of_several_candidates_is_translated() {
    let candidate = |index: u32, text: &str| json!({"content": {"parts": [{"text": text}]}, "index": index});
    let response = read(&json!({"candidates": [candidate(1, "no"), candidate(0, "yes")]}));
    assert_eq!(shown(&response.parts), ["yes"]);
    assert!(response.untranslated_bytes > 0);
}

#[test]
fn an_error_inside_a_success_is_an_error() {
    let body = br#"{"error":{"code":503,"message":"The model is overloaded.","status":"UNAVAILABLE"}}"#;
    let Err(Malformed::Error { error, .. }) = read_response(body) else { panic!("read as an answer") };
    assert_eq!((error.status, error.kind), (503, ErrorKind::Overloaded));
}

#[test]
fn what_is_no_answer_is_refused_without_quoting_it() {
    for body in [
        &b""[..],
        b"secret",
        b"{}",
        b"[]",
        b"\xff",
        br#"{"candidates":[]}"#,
        br#"{"candidates":"secret"}"#,
        br#"{"candidates":[{"content":{"parts":[{"text":["secret"]}]}}]}"#,
        br#"{"candidates":[{}]} secret"#,
        br#"{"usageMetadata":{"promptTokenCount":1}}"#,
    ] {
        let refusal = read_response(body).unwrap_err();
        assert!(matches!(&refusal, Malformed::Unreadable(why) if !why.contains("secret")), "{refusal:?}");
    }
}

fn response(parts: Vec<Part>, usage: Option<Usage>) -> Response {
    Response {
        id: "r".to_owned(),
        model: "m".to_owned(),
        parts,
        stop: StopReason::End,
        usage,
        untranslated_bytes: 0,
        asides: false,
    }
}

#[test]
fn an_answer_is_written_as_google_writes_it() {
    let seal = Seal { origin: Origin::Claude, kind: SealKind::Signature, value: "c2ln".to_owned() };
    let parts = vec![
        Part::Reasoning(Reasoning { text: "Hm".to_owned(), seal: Some(seal) }),
        Part::Text("Hi".to_owned()),
        Part::Text(String::new()),
        Part::ToolCall(ToolCall { id: "t".to_owned(), name: "f".to_owned(), arguments: "{\"a\": 1}".to_owned() }),
    ];
    let usage = Usage { input_fresh: 1, output_text: 2, output_reasoning: 3, ..Usage::default() };
    assert_eq!(
        String::from_utf8(write_response(&response(parts, Some(usage)))).unwrap(),
        concat!(
            r#"{"candidates":[{"content":{"parts":[{"text":"Hm","thought":true},"#,
            r#"{"text":"Hi","thoughtSignature":"dG9sbGdhdGU6Y2xhdWRlOnNpZ25hdHVyZTpjMmxu"},"#,
            r#"{"functionCall":{"id":"t","name":"f","args":{"a": 1}}}],"role":"model"},"finishReason":"STOP","index":0}],"#,
            r#""usageMetadata":{"promptTokenCount":1,"candidatesTokenCount":2,"totalTokenCount":6,"thoughtsTokenCount":3},"#,
            r#""modelVersion":"m","responseId":"r"}"#,
        )
    );
}
