//! What is promised of streams that are read.

use super::*;
use crate::error::ErrorKind;
use crate::usage::Usage;
use serde_json::{Value, json};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

fn deltas(chunks: &[Value]) -> Vec<Delta> {
    let mut reader = StreamReader::default();
    let mut out = Vec::new();
    for chunk in chunks {
        reader.read(b"", chunk.to_string().as_bytes(), &mut out).unwrap();
    }
    out
}

/// The deltas of parts, each in a chunk of its own.
fn of_parts(parts: &[Value]) -> Vec<Delta> {
    let chunk = |part: &Value| json!({"candidates": [{"content": {"parts": [part]}}]});
    let mut deltas = deltas(&parts.iter().map(chunk).collect::<Vec<_>>());
    assert!(matches!(deltas.remove(0), Delta::Start { .. }));
    deltas
}

fn text(text: &str) -> Delta {
    Delta::Text(text.to_owned())
}

fn seal(value: &str) -> Delta {
    Delta::Seal(Seal { origin: ORIGIN, kind: SealKind::Signature, value: value.to_owned() })
}

fn call(index: u32, id: &str, name: &str) -> Delta {
    Delta::ToolCall { index, id: id.to_owned(), name: name.to_owned() }
}

fn arguments(index: u32, json: &str) -> Delta {
    Delta::ToolArguments { index, json: json.to_owned() }
}

#[test]
fn a_whole_answer_is_read_from_first_to_last_chunk() {
    let chunk = |text: &str, usage: Value| {
        json!({"candidates": [{"content": {"parts": [{"text": text}], "role": "model"}, "index": 0}],
               "usageMetadata": usage, "modelVersion": "gemini-3", "responseId": "r"})
    };
    let mut last = chunk("!", json!({"promptTokenCount": 4, "candidatesTokenCount": 2, "totalTokenCount": 6}));
    last["candidates"][0]["finishReason"] = json!("STOP");
    let usage = Usage { input_fresh: 4, ..Usage::default() };
    assert_eq!(
        deltas(&[
            chunk("", json!({"promptTokenCount": 4, "totalTokenCount": 4})),
            chunk("Hello", json!({"promptTokenCount": 4, "totalTokenCount": 4})),
            last,
        ]),
        [
            Delta::Start { id: "r".to_owned(), model: "gemini-3".to_owned() },
            Delta::Usage(usage),
            text("Hello"),
            text("!"),
            Delta::Stop(StopReason::End),
            Delta::Usage(Usage { output_text: 2, ..usage }),
        ]
    );
}

#[test]
fn it_stops_once_and_only_usage_counts_after_that() {
    let stop = |reason: &str| json!({"candidates": [{"content": {"parts": [{"text": "x"}]}, "finishReason": reason}]});
    let usage = |said: u64| json!({"usageMetadata": {"promptTokenCount": 1, "candidatesTokenCount": said}});
    let mut read = deltas(&[stop("MAX_TOKENS"), usage(5), stop("STOP"), usage(6), stop("STOP")]);
    read.remove(0);
    let counted = |output_text| Delta::Usage(Usage { input_fresh: 1, output_text, ..Usage::default() });
    assert_eq!(read, [text("x"), Delta::Stop(StopReason::MaxTokens), counted(5), counted(6)]);
}

#[test]
fn seals_stand_before_what_they_are_on_and_after_thoughts() {
    assert_eq!(
        of_parts(&[
            json!({"text": "Hm", "thought": true}),
            json!({"functionCall": {"id": "a", "name": "f", "args": {"n": 1}}, "thoughtSignature": "QQ=="}),
            json!({"functionCall": {"name": "g"}}),
            json!({"text": "", "thoughtSignature": "Qg=="}),
        ]),
        [
            Delta::Reasoning("Hm".to_owned()),
            seal("QQ=="),
            call(0, "a", "f"),
            arguments(0, r#"{"n":1}"#),
            call(1, "call_1", "g"),
            arguments(1, "{}"),
            seal("Qg=="),
        ]
    );
}

#[test]
fn arguments_that_come_in_pieces_become_json_text() {
    let piece = |path: &str, text: &str, goes_on: bool| {
        json!({"functionCall": {"partialArgs": [{"jsonPath": path, "stringValue": text, "willContinue": goes_on}],
               "willContinue": true}})
    };
    assert_eq!(
        of_parts(&[
            json!({"functionCall": {"name": "f", "id": "a", "willContinue": true}}),
            piece("$.city", "Os", true),
            piece("$.city", "lo", false),
            json!({"functionCall": {}}),
            json!({"functionCall": {"name": "g", "partialArgs": [{"jsonPath": "$.n", "numberValue": 1}]}}),
            json!({"functionCall": {"name": "h", "willContinue": true}}),
            json!({"functionCall": {"name": "i", "args": {}}}),
        ]),
        [
            call(0, "a", "f"),
            arguments(0, r#"{"city":"Os"#),
            arguments(0, r#"lo""#),
            arguments(0, "}"),
            call(1, "call_1", "g"),
            arguments(1, r#"{"n":1"#),
            arguments(1, "}"),
            call(2, "call_2", "h"),
            arguments(2, "{}"),
            call(3, "call_3", "i"),
            arguments(3, "{}"),
        ]
    );
}

#[test]
fn a_call_that_is_not_complete_is_closed_by_the_stop() {
    let parts = json!([{"functionCall": {"name": "f", "partialArgs": [{"jsonPath": "$.a[0]", "stringValue": "x",
        "willContinue": true}], "willContinue": true}}]);
    let read = deltas(&[json!({"candidates": [{"content": {"parts": parts}, "finishReason": "MAX_TOKENS"}]})]);
    let written: String = read
        .iter()
        .filter_map(|delta| if let Delta::ToolArguments { json, .. } = delta { Some(&**json) } else { None })
        .collect();
    assert_eq!(written, r#"{"a":["x"]}"#);
    assert_eq!(read.last(), Some(&Delta::Stop(StopReason::MaxTokens)));
}

#[test]
fn made_up_ids_are_plain_and_bounded() {
    let id = format!("a/b+{}", "x".repeat(100));
    let chunk = json!({"candidates": [{"content": {"parts": [{"functionCall": {"name": "f"}}]}}], "responseId": id});
    let read = deltas(&[chunk]);
    assert!(read.contains(&call(0, &format!("call_ab{}_0", "x".repeat(22)), "f")), "{read:?}");
}

#[test]
fn an_error_ends_the_stream() {
    let error = json!({"error": {"code": 503, "message": "why", "status": "UNAVAILABLE"}});
    let read = deltas(&[error, json!({"candidates": [{"finishReason": "STOP"}]})]);
    let [Delta::Error(error)] = read.as_slice() else { panic!("{read:?}") };
    assert_eq!((error.status, error.kind, error.message.as_str()), (503, ErrorKind::Overloaded, "why"));
}

#[test]
fn a_chunk_that_cannot_be_read_is_refused_without_quoting_it() {
    for data in
        ["[DONE]", "\u{feff}{}", r#"{"candidates":[{"content":"secret"}]}"#, r#"{"candidates":[{"index":"secret"}]}"#]
    {
        let refusal = StreamReader::default().read(b"", data.as_bytes(), &mut Vec::new()).unwrap_err();
        assert!(matches!(&refusal, Malformed::Unreadable(why) if !why.contains("secret")), "{data}: {refusal:?}");
    }
}

#[test]
fn a_broken_path_of_arguments_is_refused() {
    let chunk = json!({"candidates": [{"content": {"parts": [
        {"functionCall": {"name": "f", "partialArgs": [{"jsonPath": "$", "numberValue": 1}]}},
    ]}}]});
    let read = StreamReader::default().read(b"", chunk.to_string().as_bytes(), &mut Vec::new());
    assert!(read.is_err());
}

#[cfg(not(target_arch = "wasm32"))]
proptest::proptest! {
    #[test]
    fn no_chunk_makes_the_reader_panic(
        chunks in proptest::collection::vec(
            "[\\PC]{0,40}|\\{\"candidates\":\\[\\{\"content\":\\{\"parts\":\\[\\{\"functionCall\":\\{\"name\":\"f\",\"partialArgs\":\\[\\{\"jsonPath\":\"\\$[.a\\[\\]0-9]{0,8}\",\"boolValue\":true\\}\\],\"willContinue\":(true|false)\\}\\}\\]\\}\\}\\]\\}",
            0..8,
        )
    ) {
        let mut reader = StreamReader::default();
        for chunk in chunks {
            // Refused or not: only a panic would be wrong.
            let _refused = reader.read(b"", chunk.as_bytes(), &mut Vec::new());
        }
    }
}
