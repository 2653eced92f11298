//! What is promised of streams that are read.

use super::*;
use crate::conversation::StopReason;
use crate::error::ErrorKind;
use crate::signature::{Origin, Seal};
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

fn sealed(kind: SealKind, value: &str) -> Delta {
    Delta::Seal(Seal { origin: Origin::Claude, kind, value: value.to_owned() })
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
            Delta::Reasoning("Hm".to_owned()),
            sealed(SealKind::Signature, "c2ln"),
            text("I look."),
            call(0, "toolu_a", "time"),
            arguments(0, r#"{"zone":"#),
            arguments(0, r#""UTC"}"#),
            Delta::Untranslated { bytes: 0 },
            Delta::Seen(Usage { web_search_calls: 1, ..Usage::NONE }),
            Delta::Untranslated { bytes: 2 },
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
    assert_eq!(deltas(&[end]), [Delta::Stop(StopReason::Otherwise), Delta::End]);
}

#[test]
fn a_known_event_that_cannot_be_read_is_refused_without_quoting_it() {
    for data in [
        "[DONE]",
        "\u{feff}{}",
        r#"{"type":"message_start","message":"secret"}"#,
        r#"{"type":"content_block_delta","index":"secret","delta":{}}"#,
        r#"{"type":"content_block_delta","delta":{"type":"text_delta","text":["secret"]}}"#,
        r#"{"type":"message_delta","delta":{"stop_reason":["secret"]}}"#,
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
    assert_eq!(refused, Some(MAX_OPEN));
}

const START: &str =
    r#"{"type":"message_start","message":{"id":"m","model":"x","usage":{"input_tokens":25,"output_tokens":1}}}"#;

/// The final figures that `events` tell: those after the stop.
fn final_usage(events: &[&str]) -> Option<Usage> {
    let out = deltas(events);
    let stop = out.iter().position(|delta| matches!(delta, Delta::Stop(_))).unwrap();
    let usage = |delta: &Delta| if let Delta::Usage(usage) = delta { Some(*usage) } else { None };
    out[stop..].iter().filter_map(usage).next_back()
}

#[test]
fn figures_of_the_start_alone_are_never_the_final_ones() {
    let expected = Some(Usage { input_fresh: 25, output_text: 15, ..Usage::default() });
    let stop = r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"}}"#;
    let empty = r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{}}"#;
    let broken = r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":-1}}"#;
    let counted = r#"{"type":"message_delta","delta":{},"usage":{"output_tokens":15}}"#;
    let both = r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":15}}"#;
    let end = r#"{"type":"message_stop"}"#;
    for (events, expected) in [
        (&[START, end][..], None),
        (&[START, stop, end], None),
        (&[START, empty, end], None),
        (&[START, broken, end], None),
        (&[START, both, end], expected),
        (&[START, counted, stop, end], expected),
        (&[START, stop, counted, end], expected),
        (&[START, counted, end], expected),
        (&[START, both, both, end], expected),
    ] {
        assert_eq!(final_usage(events), expected, "{events:?}");
    }
}

#[test]
fn thinking_is_sealed_when_its_block_ends() {
    let start = |thinking: &str, signature: &str| {
        format!(
            r#"{{"type":"content_block_start","index":0,"content_block":{{"type":"thinking","thinking":"{thinking}","signature":"{signature}"}}}}"#
        )
    };
    let signature = r#"{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"c2ln"}}"#;
    let progress = r#"{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"","estimated_tokens":50}}"#;
    let stop = r#"{"type":"content_block_stop","index":0}"#;
    let end = r#"{"type":"message_stop"}"#;
    let (begun, hm) = (Delta::Untranslated { bytes: 0 }, Delta::Reasoning("Hm".to_owned()));
    let seal = sealed(SealKind::Signature, "c2ln");
    for (events, expected) in [
        (vec![&*start("", ""), progress, signature, stop], vec![begun.clone(), seal.clone()]),
        (vec![&*start("Hm", "c2ln"), stop], vec![begun.clone(), hm.clone(), seal.clone()]),
        (vec![&*start("Hm", ""), stop], vec![begun.clone(), hm.clone()]),
        (vec![&*start("", ""), signature, signature, stop], vec![begun.clone(), seal.clone()]),
        (
            vec![&*start("Hm", ""), signature, end],
            vec![begun, hm, seal, Delta::Stop(StopReason::Otherwise), Delta::End],
        ),
        (vec![signature, stop], vec![]),
    ] {
        assert_eq!(deltas(&events), expected, "{events:?}");
    }
    let redacted =
        r#"{"type":"content_block_start","index":0,"content_block":{"type":"redacted_thinking","data":"b3Bh"}}"#;
    assert_eq!(deltas(&[redacted, stop]), [sealed(SealKind::Encrypted, "b3Bh")]);
}

#[test]
fn what_the_provider_did_itself_is_counted() {
    let start = |block: &str| format!(r#"{{"type":"content_block_start","index":3,"content_block":{block}}}"#);
    let none = Usage::NONE;
    let (searched, fetched) = (Usage { web_search_calls: 1, ..none }, Usage { web_fetch_calls: 1, ..none });
    for (block, bytes, seen) in [
        (r#"{"type":"server_tool_use","id":"s","name":"web_search","input":{}}"#, 0, searched),
        (r#"{"type":"server_tool_use","id":"s","name":"web_search","input":{"q":1}}"#, 7, searched),
        (r#"{"type":"server_tool_use","id":"s","name":"web_fetch","input":{}}"#, 0, fetched),
        (r#"{"type":"server_tool_use","id":"s","name":"code_execution","input":{}}"#, 0, none),
        (r#"{"type":"web_search_tool_result","tool_use_id":"s","content":[{"a":1}]}"#, 9, none),
        (r#"{"type":"compaction","content":null}"#, 0, none),
        (r#"{"type":"fallback","from":{"model":"a"},"to":{"model":"b"}}"#, 0, none),
    ] {
        let seen = (seen != none).then_some(Delta::Seen(seen));
        let expected: Vec<_> = [Delta::Untranslated { bytes }].into_iter().chain(seen).collect();
        assert_eq!(deltas(&[&start(block)]), expected, "{block}");
    }
    let summary =
        r#"{"type":"content_block_delta","index":3,"delta":{"type":"compaction_delta","content":"They spoke."}}"#;
    assert_eq!(deltas(&[summary]), [Delta::Untranslated { bytes: 11 }]);
    let citation =
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"citations_delta","citation":{"text":[]}}}"#;
    assert_eq!(deltas(&[citation]), [Delta::Aside]);
}

#[test]
fn nothing_before_the_answer_commits_to_it() {
    let ping = r#"{"type":"ping"}"#;
    assert!(deltas(&[START, ping]).iter().all(|delta| !delta.is_meaningful()));
    let thinking = r#"{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":""}}"#;
    assert!(deltas(&[thinking]).iter().any(Delta::is_meaningful));
}

#[test]
fn thinking_that_is_never_closed_does_not_fill_the_memory() {
    let mut reader = StreamReader::default();
    let mut out = Vec::new();
    for index in 0..1000 {
        let event = format!(
            r#"{{"type":"content_block_start","index":{index},"content_block":{{"type":"thinking","thinking":"","signature":"c2ln"}}}}"#
        );
        reader.read(b"", event.as_bytes(), &mut out).unwrap();
        assert_eq!(reader.open.len(), 1);
    }
    assert_eq!(out.iter().filter(|delta| matches!(delta, Delta::Seal(_))).count(), 999);
}

#[cfg(not(target_arch = "wasm32"))]
proptest::proptest! {
    /// Refused or not: only a panic would be wrong, or a stop that is told twice.
    #[test]
    fn events_in_any_order_with_any_parts_are_survived(
        events in proptest::collection::vec((0..6usize, 0..4u64, 0..6usize, 0..7usize), 0..20)
    ) {
        let kinds = ["message_start", "content_block_start", "content_block_delta", "content_block_stop", "message_delta", "message_stop"];
        let blocks = ["text", "thinking", "redacted_thinking", "tool_use", "server_tool_use", "new"];
        let pieces = ["text_delta", "thinking_delta", "signature_delta", "input_json_delta", "citations_delta", "compaction_delta", "new"];
        let mut reader = StreamReader::default();
        let mut out = Vec::new();
        for (kind, index, block, piece) in events {
            let event = serde_json::json!({
                "type": kinds[kind], "index": index,
                "content_block": {"type": blocks[block], "text": "a", "thinking": "b", "signature": "c", "data": "d", "input": {"e": 1}},
                "delta": {"type": pieces[piece], "text": "f", "thinking": "g", "signature": "h", "partial_json": "{", "content": "i", "stop_reason": "end_turn"},
                "usage": {"output_tokens": index},
            });
            reader.read(b"", event.to_string().as_bytes(), &mut out).unwrap();
        }
        proptest::prop_assert!(out.iter().filter(|delta| matches!(delta, Delta::Stop(_))).count() <= 1);
        proptest::prop_assert!(out.iter().filter(|delta| matches!(delta, Delta::End)).count() <= 1);
    }
}
