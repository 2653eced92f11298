//! What is promised of streams that are written.

use super::*;
use crate::signature::{Seal, SealKind};
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

/// The events without `message_start`, each as one short line.
fn told(deltas: &[Delta]) -> Vec<String> {
    written(deltas).split_terminator("\n\n").map(told_event).filter(|line| line != "start").collect()
}

fn told_event(event: &str) -> String {
    let (name, data) = event.strip_prefix("event: ").and_then(|event| event.split_once("\ndata: ")).unwrap();
    let data: serde_json::Value = serde_json::from_str(data).unwrap();
    assert_eq!(data["type"], name);
    match name {
        "message_start" => "start".to_owned(),
        "content_block_start" if data["content_block"]["type"] == "tool_use" => {
            format!("{} call {}", data["index"], data["content_block"]["id"].as_str().unwrap())
        }
        "content_block_start" => {
            let block = &data["content_block"];
            let sealed = block["data"].as_str().map(|data| format!(" {data}")).unwrap_or_default();
            format!("{} {}{sealed}", data["index"], block["type"].as_str().unwrap())
        }
        "content_block_delta" if data["delta"]["type"] == "signature_delta" => {
            format!("{} = {}", data["index"], data["delta"]["signature"].as_str().unwrap())
        }
        "content_block_delta" => {
            let delta = &data["delta"];
            let piece =
                delta["text"].as_str().or(delta["partial_json"].as_str()).or(delta["thinking"].as_str()).unwrap();
            format!("{} {piece}", data["index"])
        }
        "content_block_stop" => format!("{} stop", data["index"]),
        "message_delta" => {
            let usage = &data["usage"];
            format!("{} {}/{}", data["delta"]["stop_reason"], usage["input_tokens"], usage["output_tokens"])
        }
        other => other.to_owned(),
    }
}

fn start() -> Delta {
    Delta::Start { id: "msg_1".to_owned(), model: "m".to_owned() }
}

fn text(text: &str) -> Delta {
    Delta::Text(text.to_owned())
}

fn call(index: u32, id: &str) -> Delta {
    Delta::ToolCall { index, id: id.to_owned(), name: "f".to_owned() }
}

fn arguments(index: u32, json: &str) -> Delta {
    Delta::ToolArguments { index, json: json.to_owned() }
}

fn thought(text: &str) -> Delta {
    Delta::Reasoning(text.to_owned())
}

fn seal(origin: Origin, kind: SealKind) -> Delta {
    Delta::Seal(Seal { origin, kind, value: "c2ln".to_owned() })
}

fn usage(input_fresh: u64, output_text: u64) -> Delta {
    Delta::Usage(Usage { input_fresh, output_text, ..Usage::default() })
}

#[test]
fn an_answer_is_written_as_the_official_clients_read_it() {
    assert_eq!(
        written(&[start(), text("Hi"), Delta::Stop(StopReason::End), usage(9, 2), Delta::End]),
        concat!(
            "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\",",
            "\"type\":\"message\",\"role\":\"assistant\",\"model\":\"m\",\"content\":[],\"stop_reason\":null,",
            "\"stop_sequence\":null,\"usage\":{\"input_tokens\":0,\"cache_creation_input_tokens\":0,",
            "\"cache_read_input_tokens\":0,\"output_tokens\":0}}}\n\n",
            "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,",
            "\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n",
            "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,",
            "\"delta\":{\"type\":\"text_delta\",\"text\":\"Hi\"}}\n\n",
            "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n",
            "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\",",
            "\"stop_sequence\":null},\"usage\":{\"input_tokens\":9,\"cache_creation_input_tokens\":0,",
            "\"cache_read_input_tokens\":0,\"output_tokens\":2}}\n\n",
            "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
        )
    );
}

#[test]
fn the_stop_waits_for_the_final_usage() {
    let stop = Delta::Stop(StopReason::MaxTokens);
    for (deltas, expected) in [
        (vec![stop.clone()], vec![]),
        (vec![stop.clone(), Delta::End], vec!["\"max_tokens\" 0/0", "message_stop"]),
        (vec![usage(1, 1), stop.clone(), Delta::End], vec!["\"max_tokens\" 1/1", "message_stop"]),
        (vec![usage(1, 1), stop.clone(), usage(9, 2), Delta::End], vec!["\"max_tokens\" 9/2", "message_stop"]),
        (vec![stop, usage(9, 2), usage(9, 2), Delta::End], vec!["\"max_tokens\" 9/2", "message_stop"]),
        (vec![Delta::End], vec!["\"end_turn\" 0/0", "message_stop"]),
    ] {
        assert_eq!(told(&deltas), expected, "{deltas:?}");
    }
}

#[test]
fn one_block_is_open_at_a_time_and_indexes_count_all_blocks() {
    assert_eq!(
        told(&[
            start(),
            text("a"),
            text(""),
            text("b"),
            call(0, "x"),
            arguments(0, "{\"n\":"),
            arguments(0, "1}"),
            call(1, "y"),
            arguments(1, "{}"),
            text("c"),
            Delta::Stop(StopReason::ToolUse),
        ]),
        [
            "0 text",
            "0 a",
            "0 b",
            "0 stop",
            "1 call x",
            "1 {\"n\":",
            "1 1}",
            "1 stop",
            "2 call y",
            "2 {}",
            "2 stop",
            "3 text",
            "3 c",
            "3 stop"
        ]
    );
}

#[test]
fn calls_that_come_side_by_side_are_written_one_after_another() {
    assert_eq!(
        told(&[
            call(0, "x"),
            call(1, "y"),
            call(2, "z"),
            arguments(1, "{\"b\":"),
            arguments(0, "{\"a\":"),
            arguments(1, "2}"),
            arguments(0, "1}"),
            arguments(2, "{\"c\":3"),
            arguments(2, "}"),
            Delta::Stop(StopReason::ToolUse),
        ]),
        [
            "0 call x",
            "0 {\"a\":",
            "0 1}",
            "0 stop",
            "1 call y",
            "1 {\"b\":2}",
            "1 stop",
            "2 call z",
            "2 {\"c\":3",
            "2 }",
            "2 stop"
        ]
    );
}

#[test]
fn text_never_cuts_a_call_in_two() {
    assert_eq!(
        told(&[call(0, "x"), arguments(0, "{\"a\":"), text("b"), text("c"), arguments(0, "1}"), text("d")]),
        ["0 call x", "0 {\"a\":", "0 1}", "0 stop", "1 text", "1 bc", "1 d"]
    );
}

#[test]
fn what_waits_is_bounded() {
    let mut writer = StreamWriter::default();
    let mut out = Vec::new();
    writer.write(&call(0, "x"), &mut out);
    let piece = text(&"x".repeat(1024));
    for _ in 0..2000 {
        writer.write(&piece, &mut out);
    }
    assert!(writer.ended && out.len() < 10_000);
    assert!(String::from_utf8(out).unwrap().contains("event: error\n"));
}

#[test]
fn calls_that_wait_for_one_without_arguments_are_written_at_the_stop() {
    assert_eq!(
        told(&[call(0, "x"), call(1, "y"), arguments(1, "{}"), Delta::Stop(StopReason::ToolUse)]),
        ["0 call x", "0 stop", "1 call y", "1 {}", "1 stop"]
    );
}

#[test]
fn an_error_is_the_last_event_and_the_first_when_nothing_was_said() {
    let error = Delta::Error(ApiError::new(ErrorKind::Overloaded, "busy"));
    let expected = concat!(
        "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",",
        "\"message\":\"busy\"}}\n\n"
    );
    assert_eq!(written(&[error.clone(), text("x"), Delta::End, error.clone()]), expected);
    assert_eq!(told(&[start(), text("a"), error, Delta::End]), ["0 text", "0 a", "error"]);
}

#[test]
fn nothing_is_written_before_the_start_of_the_message() {
    for delta in [text("a"), call(0, "x"), Delta::End] {
        assert!(written(&[delta]).starts_with("event: message_start\n"));
    }
    assert_eq!(written(&[start(), start()]).matches("event: message_start").count(), 1);
}

#[test]
fn thinking_is_a_block_that_its_seal_ends() {
    let claude = || seal(Origin::Claude, SealKind::Signature);
    let redacted = || seal(Origin::Claude, SealKind::Encrypted);
    let openai = || seal(Origin::OpenaiResponses, SealKind::Encrypted);
    for (deltas, expected) in [
        (
            vec![thought("a"), thought(""), thought("b"), claude(), text("c")],
            vec!["0 thinking", "0 a", "0 b", "0 = c2ln", "0 stop", "1 text", "1 c"],
        ),
        (vec![claude(), text("c")], vec!["0 thinking", "0 = c2ln", "0 stop", "1 text", "1 c"]),
        (vec![thought("a"), text("c")], vec!["0 thinking", "0 a", "0 stop", "1 text", "1 c"]),
        (
            vec![thought("a"), claude(), redacted(), thought("b")],
            vec!["0 thinking", "0 a", "0 = c2ln", "0 stop", "1 redacted_thinking c2ln", "1 stop", "2 thinking", "2 b"],
        ),
        (vec![thought("a"), redacted()], vec!["0 thinking", "0 a", "0 stop", "1 redacted_thinking c2ln", "1 stop"]),
        (
            vec![thought("a"), openai(), openai()],
            vec![
                "0 thinking",
                "0 a",
                "0 = tollgate:openai-responses:encrypted:c2ln",
                "0 stop",
                "1 redacted_thinking tollgate:openai-responses:encrypted:c2ln",
                "1 stop",
            ],
        ),
        (
            vec![text("c"), seal(Origin::Gemini, SealKind::Signature), call(0, "x"), arguments(0, "{}")],
            vec![
                "0 text",
                "0 c",
                "0 stop",
                "1 thinking",
                "1 = tollgate:gemini:signature:c2ln",
                "1 stop",
                "2 call x",
                "2 {}",
            ],
        ),
    ] {
        assert_eq!(told(&deltas), expected, "{deltas:?}");
    }
}

#[test]
fn thinking_that_comes_beside_a_call_waits_with_its_seal() {
    assert_eq!(
        told(&[
            call(0, "x"),
            arguments(0, "{"),
            thought("a"),
            thought("b"),
            seal(Origin::Claude, SealKind::Signature),
            seal(Origin::Claude, SealKind::Encrypted),
            thought("c"),
            text("d"),
            arguments(0, "}"),
            Delta::Stop(StopReason::ToolUse),
        ]),
        [
            "0 call x",
            "0 {",
            "0 }",
            "0 stop",
            "1 thinking",
            "1 ab",
            "1 = c2ln",
            "1 stop",
            "2 redacted_thinking c2ln",
            "2 stop",
            "3 thinking",
            "3 c",
            "3 stop",
            "4 text",
            "4 d",
            "4 stop",
        ]
    );
}

#[test]
fn a_split_and_a_tier_that_came_after_the_start_are_told_at_the_end() {
    let usage = Usage { input_cache_write_1h: 7, output_text: 2, fast: true, ..Usage::default() };
    let stream = written(&[start(), text("Hi"), Delta::Stop(StopReason::End), Delta::Usage(usage), Delta::End]);
    let delta = stream.split_once("event: message_delta\ndata: ").unwrap().1;
    assert!(delta.contains(r#""cache_creation":{"ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":7}"#));
    assert!(delta.contains(r#""speed":"fast""#));
}

#[cfg(not(target_arch = "wasm32"))]
mod properties {
    use super::*;
    use crate::anthropic_messages::StreamReader;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    /// Some calls, and in which order their pieces come. A call begins right before its first piece.
    fn interleaved() -> impl Strategy<Value = (Vec<String>, Vec<Delta>)> {
        let json = prop::sample::select(vec![
            r#"{}"#,
            r#"{"a":{"b":[1,2,{}]}}"#,
            r#"{"text":"} \" ] { \\"}"#,
            r#"{"city":"Zürich 🚪"}"#,
        ]);
        (prop::collection::vec(json, 1..5), prop::collection::vec((0..6usize, 1..4usize), 0..40)).prop_map(
            |(calls, order)| {
                let mut rest: Vec<Vec<char>> = calls.iter().map(|json| json.chars().collect()).collect();
                let finish = (0..calls.len()).map(|call| (call, usize::MAX));
                let mut begun: Vec<usize> = Vec::new();
                let mut deltas = vec![start()];
                for (call, count) in order.into_iter().chain(finish) {
                    let Some(rest) = rest.get_mut(call) else {
                        deltas.push(match count {
                            1 => text("said"),
                            2 => thought("thought"),
                            _ => seal(Origin::Claude, SealKind::Signature),
                        });
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
        fn any_interleaving_of_calls_and_text_is_one_legal_stream_that_loses_nothing((calls, deltas) in interleaved()) {
            let stream = written(&deltas);
            let mut open = None;
            let mut reader = StreamReader::default();
            let mut returned = Vec::new();
            for event in stream.split_terminator("\n\n") {
                let data = event.split_once("\ndata: ").unwrap().1;
                let json: serde_json::Value = serde_json::from_str(data).unwrap();
                match json["type"].as_str().unwrap() {
                    "content_block_start" => prop_assert!(open.replace(json["index"].clone()).is_none()),
                    "content_block_delta" => prop_assert_eq!(open.as_ref(), Some(&json["index"])),
                    "content_block_stop" => prop_assert_eq!(open.take(), Some(json["index"].clone())),
                    _ => prop_assert!(open.is_none()),
                }
                reader.read(b"", data.as_bytes(), &mut returned).unwrap();
            }
            let mut read: BTreeMap<u32, String> = BTreeMap::new();
            for delta in &returned {
                if let Delta::ToolArguments { index, json } = delta {
                    read.entry(*index).or_default().push_str(json);
                }
            }
            let said = |deltas: &[Delta]| -> String {
                deltas.iter().filter_map(|delta| if let Delta::Text(text) = delta { Some(&**text) } else { None }).collect()
            };
            let thinking = |deltas: &[Delta]| -> String {
                deltas.iter().filter_map(|delta| match delta {
                    Delta::Reasoning(text) => Some(&**text),
                    Delta::Seal(_) => Some("!"),
                    _ => None,
                }).collect()
            };
            prop_assert_eq!(read.into_values().collect::<Vec<_>>(), calls);
            prop_assert_eq!(said(&returned), said(&deltas));
            prop_assert_eq!(thinking(&returned), thinking(&deltas));
        }

        #[test]
        fn no_event_makes_the_reader_panic(events in prop::collection::vec("[\\PC]{0,40}|\\{\"type\":\"[a-z_]{4,20}\",\"index\":[0-9]{1,3}\\}", 0..8)) {
            let mut reader = StreamReader::default();
            for event in events {
                // Refused or not: only a panic would be wrong.
                let _refused = reader.read(b"content_block_stop", event.as_bytes(), &mut Vec::new());
            }
        }
    }
}
