//! What is promised of streams that are written.

use super::*;
use crate::signature::{Origin, Seal, SealKind};
use serde_json::Value;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

fn written(deltas: &[Delta]) -> String {
    let mut writer = StreamWriter::default();
    let mut out = Vec::new();
    for delta in deltas {
        writer.write(delta, &mut out);
    }
    String::from_utf8(out).unwrap()
}

/// Every chunk as one short line. Each has a candidate with parts, as the SDK's chats want it.
fn told(deltas: &[Delta]) -> Vec<String> {
    let stream = written(deltas);
    let chunks = stream.split_terminator("\n\n").map(|chunk| chunk.strip_prefix("data: ").unwrap());
    chunks.map(|chunk| told_chunk(&serde_json::from_str(chunk).unwrap())).collect()
}

fn told_chunk(chunk: &Value) -> String {
    if !chunk["error"].is_null() {
        return format!("error {}", chunk["error"]["status"].as_str().unwrap());
    }
    let candidate = &chunk["candidates"][0];
    let parts: Vec<_> = candidate["content"]["parts"].as_array().unwrap().iter().map(told_part).collect();
    assert!(!parts.is_empty(), "{chunk}");
    let extras = [&candidate["finishReason"], &chunk["usageMetadata"]["totalTokenCount"]];
    extras
        .iter()
        .filter(|extra| !extra.is_null())
        .fold(parts.join(" "), |line, extra| format!("{line} {}", bare(extra)))
}

fn told_part(part: &Value) -> String {
    let mut line = match &part["functionCall"] {
        Value::Null => part["text"].as_str().unwrap().to_owned(),
        call => format!("{}({})", call["id"].as_str().unwrap(), call["args"]),
    };
    if part["thought"] == true {
        line = format!("[{line}]");
    }
    let signature = &part["thoughtSignature"];
    if signature.is_null() { line } else { format!("{line} {}", bare(signature)) }
}

fn bare(value: &Value) -> String {
    value.to_string().trim_matches('"').to_owned()
}

fn text(text: &str) -> Delta {
    Delta::Text(text.to_owned())
}

fn thought(text: &str) -> Delta {
    Delta::Reasoning(text.to_owned())
}

fn seal(value: &str) -> Delta {
    Delta::Seal(Seal { origin: Origin::Gemini, kind: SealKind::Signature, value: value.to_owned() })
}

fn call(index: u32, id: &str) -> Delta {
    Delta::ToolCall { index, id: id.to_owned(), name: "f".to_owned() }
}

fn arguments(index: u32, json: &str) -> Delta {
    Delta::ToolArguments { index, json: json.to_owned() }
}

fn usage(input_fresh: u64) -> Delta {
    Delta::Usage(Usage { input_fresh, ..Usage::default() })
}

const END: Delta = Delta::Stop(StopReason::End);

#[test]
fn an_answer_is_written_as_the_official_client_reads_it() {
    let start = Delta::Start { id: "r".to_owned(), model: "m".to_owned() };
    assert_eq!(
        written(&[start, text("Hi"), END, usage(9), Delta::End]),
        concat!(
            r#"data: {"candidates":[{"content":{"parts":[{"text":"Hi"}],"role":"model"},"index":0}],"#,
            r#""modelVersion":"m","responseId":"r"}"#,
            "\n\n",
            r#"data: {"candidates":[{"content":{"parts":[{"text":""}],"role":"model"},"finishReason":"STOP","index":0}],"#,
            r#""usageMetadata":{"promptTokenCount":9,"candidatesTokenCount":0,"totalTokenCount":9},"#,
            r#""modelVersion":"m","responseId":"r"}"#,
            "\n\n",
        )
    );
}

#[test]
fn the_stop_waits_for_the_final_usage() {
    for (deltas, expected) in [
        (vec![END], vec![]),
        (vec![END, Delta::End], vec![" STOP"]),
        (vec![usage(1), END, Delta::End], vec![" STOP 1"]),
        (vec![usage(1), END, usage(9), Delta::End], vec![" STOP 9"]),
        (vec![END, usage(9), usage(10), Delta::End, Delta::End], vec![" STOP 9"]),
        (vec![Delta::Stop(StopReason::MaxTokens), END, Delta::End], vec![" MAX_TOKENS"]),
        (vec![Delta::End], vec![" STOP"]),
    ] {
        assert_eq!(told(&deltas), expected, "{deltas:?}");
    }
}

#[test]
fn a_signature_stands_on_what_comes_after_it() {
    assert_eq!(
        told(&[
            thought("Hm"),
            thought("."),
            seal("A"),
            text("a"),
            text(""),
            text("b"),
            seal("B"),
            call(0, "x"),
            arguments(0, "{}"),
            seal("C"),
            seal("D"),
            END,
            Delta::End,
        ]),
        ["[Hm]", "[.]", "a A", "b", "x({}) B", " C", " D STOP"]
    );
    assert_eq!(told(&[thought("a"), seal("A"), thought("b"), seal("B"), Delta::End]), ["[a]", "[] A [b]", "[] B STOP"]);
}

#[test]
fn calls_that_come_side_by_side_are_written_whole_and_in_order() {
    let deltas = [
        call(0, "x"),
        call(1, "y"),
        call(2, "z"),
        arguments(1, "{\"b\":"),
        arguments(0, "{\"a\":"),
        arguments(1, "2}"),
        arguments(0, "1}"),
        arguments(9, "{}"),
        Delta::Stop(StopReason::ToolUse),
        arguments(2, "{}"),
        Delta::End,
    ];
    assert_eq!(told(&deltas), ["x({\"a\":1})", "y({\"b\":2})", "z({})", " STOP"]);
}

#[test]
fn a_complete_call_stands_before_what_comes_after_it_and_an_incomplete_one_waits() {
    assert_eq!(
        told(&[
            call(0, "x"),
            arguments(0, "{}"),
            text("a"),
            seal("S"),
            call(1, "y"),
            arguments(1, "{"),
            text("b"),
            seal("T"),
            arguments(1, "}"),
            END,
            Delta::End
        ]),
        ["x({})", "a", "b", "y({}) S", " T STOP"]
    );
}

#[test]
fn arguments_that_are_no_object_never_become_an_empty_call() {
    let deltas = [call(0, "x"), arguments(0, "{\"a\":"), Delta::Stop(StopReason::MaxTokens), Delta::End];
    assert_eq!(told(&deltas), ["x({\"malformed_arguments\":\"{\\\"a\\\":\"})", " MAX_TOKENS"]);
}

#[test]
fn what_waits_is_bounded_and_what_was_written_waits_no_more() {
    let mut writer = StreamWriter::default();
    let mut out = Vec::new();
    let piece = format!("{{\"a\":\"{}\"}}", "x".repeat(1000));
    for index in 0..2000 {
        writer.write(&call(index, "x"), &mut out);
        writer.write(&arguments(index, &piece), &mut out);
        assert!(!writer.ended && writer.calls.len() < 2);
    }
    out.clear();
    writer.write(&call(2000, "x"), &mut out);
    for _ in 0..2000 {
        writer.write(&arguments(2000, &piece), &mut out);
    }
    assert!(writer.ended && writer.calls.is_empty() && out.len() < 10_000);
    assert!(String::from_utf8(out).unwrap().contains("data: {\"error\":"));
}

#[test]
fn an_error_is_the_last_chunk_and_the_first_when_nothing_was_said() {
    let error = Delta::Error(ApiError::new(ErrorKind::Overloaded, "busy"));
    let expected = "data: {\"error\":{\"code\":503,\"message\":\"busy\",\"status\":\"UNAVAILABLE\"}}\n\n";
    assert_eq!(written(&[error.clone(), text("x"), Delta::End, error.clone()]), expected);
    assert_eq!(told(&[text("a"), error, Delta::End]), ["a", "error UNAVAILABLE"]);
}

#[cfg(not(target_arch = "wasm32"))]
mod properties {
    use super::*;
    use crate::google_gemini::StreamReader;
    use proptest::prelude::*;

    /// Some calls, and in which order their pieces come. A call begins right before its first piece.
    fn interleaved() -> impl Strategy<Value = (Vec<String>, Vec<Delta>)> {
        let json = prop::sample::select(vec![
            r#"{}"#,
            r#"{"a":{"b":[1,2,{}]}}"#,
            r#"{"text":"} \" ] { \\"}"#,
            r#"{"city":"Zürich 🚪"}"#,
        ]);
        (prop::collection::vec(json, 1..5), prop::collection::vec((0..7usize, 1..4usize), 0..40)).prop_map(
            |(calls, order)| {
                let mut rest: Vec<Vec<char>> = calls.iter().map(|json| json.chars().collect()).collect();
                let finish = (0..calls.len()).map(|call| (call, usize::MAX));
                let mut begun: Vec<usize> = Vec::new();
                let mut deltas = Vec::new();
                for (call, count) in order.into_iter().chain(finish) {
                    let Some(rest) = rest.get_mut(call) else {
                        deltas.push(if call == 6 { thought("thought") } else { text("said") });
                        continue;
                    };
                    let index = begun.iter().position(|begun| *begun == call).unwrap_or(begun.len());
                    let index_on_wire = u32::try_from(index).unwrap();
                    if index == begun.len() {
                        begun.push(call);
                        deltas.push(super::call(index_on_wire, calls[call]));
                    }
                    let piece: String = rest.drain(..count.min(rest.len())).collect();
                    deltas.push(arguments(index_on_wire, &piece));
                }
                deltas.extend([Delta::Stop(StopReason::ToolUse), Delta::End]);
                (begun.into_iter().map(|call| calls[call].to_owned()).collect(), deltas)
            },
        )
    }

    proptest! {
        #[test]
        fn any_interleaving_is_a_stream_that_loses_nothing((calls, deltas) in interleaved()) {
            told(&deltas);
            let stream = written(&deltas);
            let mut reader = StreamReader::default();
            let mut returned = Vec::new();
            for chunk in stream.split_terminator("\n\n") {
                reader.read(b"", chunk.strip_prefix("data: ").unwrap().as_bytes(), &mut returned).unwrap();
            }
            let said = |deltas: &[Delta]| -> String {
                deltas.iter().filter_map(|delta| if let Delta::Text(text) | Delta::Reasoning(text) = delta { Some(&**text) } else { None }).collect()
            };
            let called: Vec<_> = returned.iter().filter_map(|delta| if let Delta::ToolArguments { json, .. } = delta { Some(json.clone()) } else { None }).collect();
            prop_assert_eq!(called, calls);
            prop_assert_eq!(said(&returned), said(&deltas));
            prop_assert_eq!(returned.last(), Some(&Delta::Stop(StopReason::ToolUse)));
        }
    }
}
