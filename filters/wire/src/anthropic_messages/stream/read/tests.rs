//! What is promised of streams that are read.

use super::*;
use crate::conversation::StopReason;
use crate::error::ErrorKind;
use crate::usage::Usage;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

fn deltas(events: &[&str]) -> Vec<Delta> {
    let mut reader = StreamReader::default();
    let mut out = Vec::new();
    for event in events {
        reader.read(b"", event.as_bytes(), &mut out).unwrap();
    }
    out
}

fn text(text: &str) -> Delta {
    Delta::Text(text.to_owned())
}

fn call(index: u32, id: &str, name: &str) -> Delta {
    Delta::ToolCall { index, id: id.to_owned(), name: name.to_owned() }
}

fn arguments(index: u32, json: &str) -> Delta {
    Delta::ToolArguments { index, json: json.to_owned() }
}

#[test]
fn a_whole_answer_is_read_from_first_to_last_event() {
    let usage = Usage { input_fresh: 25, output_text: 1, ..Usage::default() };
    assert_eq!(
        deltas(&[
            r#"{"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","content":[],"model":"claude-x","stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":25,"output_tokens":1}}}"#,
            r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#,
            r#"{"type":"ping"}"#,
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hello"}}"#,
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":""}}"#,
            r#"{"type":"content_block_stop","index":0}"#,
            r#"{"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":15}}"#,
            r#"{"type":"message_stop"}"#,
        ]),
        [
            Delta::Start { id: "msg_1".to_owned(), model: "claude-x".to_owned() },
            Delta::Usage(usage),
            text("Hello"),
            Delta::Stop(StopReason::End),
            Delta::Usage(Usage { output_text: 15, ..usage }),
            Delta::End,
        ]
    );
}

#[test]
fn calls_are_counted_without_the_blocks_between_them() {
    assert_eq!(
        deltas(&[
            r#"{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}"#,
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"Hm"}}"#,
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"c2ln"}}"#,
            r#"{"type":"content_block_stop","index":0}"#,
            r#"{"type":"content_block_start","index":1,"content_block":{"type":"text","text":"I look."}}"#,
            r#"{"type":"content_block_stop","index":1}"#,
            r#"{"type":"content_block_start","index":2,"content_block":{"type":"tool_use","id":"toolu_a","name":"time","input":{}}}"#,
            r#"{"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":""}}"#,
            r#"{"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"{\"zone\":"}}"#,
            r#"{"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"\"UTC\"}"}}"#,
            r#"{"type":"content_block_stop","index":2}"#,
            r#"{"type":"content_block_start","index":3,"content_block":{"type":"server_tool_use","id":"srvtoolu_1","name":"web_search","input":{}}}"#,
            r#"{"type":"content_block_delta","index":3,"delta":{"type":"input_json_delta","partial_json":"{}"}}"#,
            r#"{"type":"content_block_stop","index":3}"#,
            r#"{"type":"content_block_start","index":4,"content_block":{"type":"tool_use","id":"toolu_b","name":"now","input":{}}}"#,
            r#"{"type":"content_block_stop","index":4}"#,
        ]),
        [
            Delta::Untranslated { bytes: 0 },
            Delta::Untranslated { bytes: 2 },
            text("I look."),
            call(0, "toolu_a", "time"),
            arguments(0, r#"{"zone":"#),
            arguments(0, r#""UTC"}"#),
            Delta::Untranslated { bytes: 0 },
            call(1, "toolu_b", "now"),
            arguments(1, "{}"),
        ]
    );
}

#[test]
fn input_given_whole_at_the_start_of_a_block_is_kept() {
    assert_eq!(
        deltas(&[
            r#"{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"t","name":"f","input":{"a":1}}}"#,
            r#"{"type":"content_block_stop","index":0}"#,
        ]),
        [call(0, "t", "f"), arguments(0, r#"{"a":1}"#)]
    );
}

#[test]
fn zeros_at_the_start_are_no_usage() {
    let usage = Usage { input_fresh: 42, output_text: 7, ..Usage::default() };
    assert_eq!(
        deltas(&[
            r#"{"type":"message_start","message":{"id":"m","model":"x","usage":{"input_tokens":0,"output_tokens":0}}}"#,
            r#"{"type":"message_delta","delta":{"stop_reason":"max_tokens"},"usage":{"input_tokens":42,"output_tokens":7}}"#,
        ]),
        [
            Delta::Start { id: "m".to_owned(), model: "x".to_owned() },
            Delta::Stop(StopReason::MaxTokens),
            Delta::Usage(usage)
        ]
    );
}

#[test]
fn an_error_event_has_the_documented_status_and_ends_the_stream() {
    for (kind, status, expected) in [
        ("overloaded_error", 529, ErrorKind::Overloaded),
        ("rate_limit_error", 429, ErrorKind::RateLimit),
        ("api_error", 500, ErrorKind::Internal),
        ("a_new_error", 500, ErrorKind::Internal),
    ] {
        let event = format!(r#"{{"type":"error","error":{{"type":"{kind}","message":"why"}}}}"#);
        let out = deltas(&[&event, r#"{"type":"message_stop"}"#]);
        let [Delta::Error(error)] = out.as_slice() else { panic!("{out:?}") };
        assert_eq!((error.status, error.kind, error.message.as_str()), (status, expected, "why"));
    }
}

#[test]
fn the_type_in_the_data_decides_and_the_event_name_fills_in_for_it() {
    for (name, data, expected) in [
        ("", r#"{"type":"message_stop"}"#, true),
        ("message_stop", "{}", true),
        ("ping", r#"{"type":"message_stop"}"#, true),
        ("message_stop", r#"{"type":"ping"}"#, false),
        ("ping", "", false),
        ("new_event", r#"{"delta":"of another form","usage":[]}"#, false),
    ] {
        let mut out = Vec::new();
        StreamReader::default().read(name.as_bytes(), data.as_bytes(), &mut out).unwrap();
        assert_eq!(out.contains(&Delta::End), expected, "{name} {data}");
    }
}

#[test]
fn a_complete_stream_stops_exactly_once() {
    let stop = r#"{"type":"message_delta","delta":{"stop_reason":"stop_sequence"},"usage":{}}"#;
    let end = r#"{"type":"message_stop"}"#;
    assert_eq!(deltas(&[stop, stop, end, end]), [Delta::Stop(StopReason::StopSequence), Delta::End]);
    assert_eq!(deltas(&[end]), [Delta::Stop(StopReason::End), Delta::End]);
}

#[test]
fn a_known_event_that_cannot_be_read_is_refused_without_quoting_it() {
    for data in [
        "[DONE]",
        "\u{feff}{}",
        r#"{"type":"message_start","message":"secret"}"#,
        r#"{"type":"content_block_delta","index":"secret","delta":{}}"#,
        r#"{"type":"content_block_delta","delta":{"type":"text_delta","text":["secret"]}}"#,
        r#"{"type":"message_delta","usage":{"output_tokens":-1}}"#,
    ] {
        let refusal = StreamReader::default().read(b"", data.as_bytes(), &mut Vec::new()).unwrap_err();
        assert!(matches!(&refusal, Malformed::Unreadable(why) if !why.contains("secret")), "{data}: {refusal:?}");
    }
}

#[test]
fn calls_that_are_never_closed_do_not_fill_the_memory() {
    let mut reader = StreamReader::default();
    let refused = (0..1000).find(|index| {
        let event =
            format!(r#"{{"type":"content_block_start","index":{index},"content_block":{{"type":"tool_use"}}}}"#);
        reader.read(b"", event.as_bytes(), &mut Vec::new()).is_err()
    });
    assert_eq!(refused, Some(MAX_OPEN_CALLS));
}
