use super::{StreamReader, StreamWriter};
use crate::conversation::StopReason;
use crate::error::{ApiError, ErrorKind, Malformed};
use crate::signature::{Origin, Seal, SealKind};
use crate::stream::Delta;
use crate::usage::Usage;
use tollgate_kernel::event_stream::Framer;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

fn read(events: &[(&str, &str)]) -> Result<Vec<Delta>, Malformed> {
    let mut reader = StreamReader::default();
    let mut deltas = Vec::new();
    for (name, data) in events {
        reader.read(name.as_bytes(), data.as_bytes(), &mut deltas)?;
    }
    Ok(deltas)
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

fn seal(origin: Origin, kind: SealKind, value: &str) -> Delta {
    Delta::Seal(Seal { origin, kind, value: value.to_owned() })
}

const START: (&str, &str) =
    ("contentBlockStart", r#"{"start":{"toolUse":{"toolUseId":"a","name":"f"}},"contentBlockIndex":1}"#);

#[test]
fn calls_side_by_side_are_told_apart_by_their_block() {
    let deltas = read(&[
        START,
        ("contentBlockStart", r#"{"start":{"toolUse":{"toolUseId":"b","name":"f"}},"contentBlockIndex":2}"#),
        ("contentBlockDelta", r#"{"delta":{"toolUse":{"input":"{"}},"contentBlockIndex":2}"#),
        ("contentBlockDelta", r#"{"delta":{"text":"beside"},"contentBlockIndex":0}"#),
        ("contentBlockDelta", r#"{"delta":{"toolUse":{"input":"{}"}},"contentBlockIndex":1}"#),
        ("contentBlockDelta", r#"{"delta":{"toolUse":{"input":"}"}},"contentBlockIndex":2}"#),
        ("contentBlockDelta", r#"{"delta":{"toolUse":{"input":"{}"}},"contentBlockIndex":9}"#),
        ("contentBlockStop", r#"{"contentBlockIndex":1}"#),
        ("contentBlockStop", r#"{"contentBlockIndex":2}"#),
    ]);
    let expected =
        [call(0, "a"), call(1, "b"), arguments(1, "{"), text("beside"), arguments(0, "{}"), arguments(1, "}")];
    assert_eq!(deltas.unwrap(), expected);
}

#[test]
fn a_call_without_input_has_an_empty_object() {
    for (end, rest) in [
        (("contentBlockStop", r#"{"contentBlockIndex":1}"#), vec![]),
        (("messageStop", r#"{"stopReason":"tool_use"}"#), vec![Delta::Stop(StopReason::ToolUse)]),
        (("metadata", "{}"), vec![Delta::Stop(StopReason::ToolUse), Delta::End]),
    ] {
        let deltas =
            read(&[START, ("contentBlockDelta", r#"{"delta":{"toolUse":{"input":""}},"contentBlockIndex":1}"#), end]);
        assert_eq!(deltas.unwrap(), [vec![call(0, "a"), arguments(0, "{}")], rest].concat());
    }
}

#[test]
fn what_the_provider_runs_itself_is_counted_and_not_called() {
    let deltas = read(&[
        (
            "contentBlockStart",
            r#"{"start":{"toolUse":{"toolUseId":"s","name":"nova_grounding","type":"server_tool_use"}},"contentBlockIndex":0}"#,
        ),
        ("contentBlockDelta", r#"{"delta":{"toolUse":{"input":"{\"q\":1}"}},"contentBlockIndex":0}"#),
        ("contentBlockStop", r#"{"contentBlockIndex":0}"#),
        ("contentBlockStart", r#"{"start":{"toolResult":{"toolUseId":"s"}},"contentBlockIndex":1}"#),
        ("contentBlockDelta", r#"{"delta":{"toolResult":[{"text":"found"}]},"contentBlockIndex":1}"#),
        ("contentBlockDelta", r#"{"delta":{"citation":{"title":"t"}},"contentBlockIndex":2}"#),
        ("contentBlockDelta", r#"{"delta":{"image":{"source":{"bytes":"eA=="}}},"contentBlockIndex":3}"#),
        ("messageStop", r#"{"stopReason":"end_turn"}"#),
    ]);
    let untranslated = |bytes| Delta::Untranslated { bytes };
    let expected = [
        untranslated(0),
        Delta::Aside,
        untranslated(r#"{"q":1}"#.len()),
        untranslated(0),
        Delta::Aside,
        untranslated(r#"[{"text":"found"}]"#.len()),
        Delta::Aside,
        untranslated(r#"{"source":{"bytes":"eA=="}}"#.len()),
        Delta::Stop(StopReason::End),
    ];
    assert_eq!(deltas.unwrap(), expected);
}

#[test]
fn a_seal_in_pieces_is_one_at_the_end_of_its_block() {
    let deltas = read(&[
        ("contentBlockDelta", r#"{"delta":{"reasoningContent":{"text":"Hm"}},"contentBlockIndex":0}"#),
        ("contentBlockDelta", r#"{"delta":{"reasoningContent":{"signature":"c2l"}},"contentBlockIndex":0}"#),
        ("contentBlockDelta", r#"{"delta":{"reasoningContent":{"signature":"n"}},"contentBlockIndex":0}"#),
        ("contentBlockStop", r#"{"contentBlockIndex":0}"#),
        ("contentBlockDelta", r#"{"delta":{"reasoningContent":{"redactedContent":"b3A="}},"contentBlockIndex":1}"#),
        ("contentBlockDelta", r#"{"delta":{"reasoningContent":{"redactedContent":"YXF1ZQ=="}},"contentBlockIndex":1}"#),
        ("contentBlockStop", r#"{"contentBlockIndex":1}"#),
    ]);
    let expected = [
        Delta::Reasoning("Hm".to_owned()),
        seal(Origin::Claude, SealKind::Signature, "c2ln"),
        seal(Origin::Claude, SealKind::Encrypted, "b3BhcXVl"),
    ];
    assert_eq!(deltas.unwrap(), expected);
}

#[test]
fn usage_comes_last_and_ends_the_stream() {
    let deltas = read(&[
        ("messageStart", r#"{"role":"assistant"}"#),
        ("contentBlockDelta", r#"{"delta":{"text":"Hi"},"contentBlockIndex":0}"#),
        ("messageStop", r#"{"stopReason":"end_turn"}"#),
        ("metadata", r#"{"usage":{"inputTokens":7,"outputTokens":9,"totalTokens":16},"serviceTier":{"type":"flex"}}"#),
        ("contentBlockDelta", r#"{"delta":{"text":"late"},"contentBlockIndex":0}"#),
    ])
    .unwrap();
    let [start, said, stop, Delta::Usage(usage), Delta::End] = deltas.as_slice() else { panic!("{deltas:?}") };
    assert_eq!(*start, Delta::Start { id: String::new(), model: String::new() });
    assert_eq!((said, stop), (&text("Hi"), &Delta::Stop(StopReason::End)));
    assert_eq!((usage.input_fresh, usage.output_text), (7, 9));
    // Figures that cannot be read spoil nothing.
    let deltas = read(&[("metadata", r#"{"usage":{"inputTokens":"many"}}"#)]).unwrap();
    assert_eq!(deltas, [Delta::Stop(StopReason::Otherwise), Delta::End]);
}

#[test]
fn an_exception_ends_the_stream_and_a_new_one_too() {
    for (name, data, status, kind) in [
        ("throttlingException", r#"{"message":"m"}"#, 429, ErrorKind::RateLimit),
        ("validationException", r#"{"message":"m"}"#, 400, ErrorKind::InvalidRequest),
        ("serviceUnavailableException", r#"{"message":"m"}"#, 503, ErrorKind::Overloaded),
        ("internalServerException", r#"{"message":"m"}"#, 500, ErrorKind::Internal),
        ("modelTimeoutException", r#"{"message":"m"}"#, 408, ErrorKind::Timeout),
        ("newException", r#"{"message":"m"}"#, 500, ErrorKind::Internal),
        ("InternalError", "the frame said so in a header", 500, ErrorKind::Internal),
        ("InternalError", "", 500, ErrorKind::Internal),
    ] {
        let deltas =
            read(&[(name, data), ("contentBlockDelta", r#"{"delta":{"text":"late"},"contentBlockIndex":0}"#)]).unwrap();
        let [Delta::Error(error)] = deltas.as_slice() else { panic!("{deltas:?}") };
        assert_eq!((error.status, error.kind), (status, kind), "{name}");
    }
}

#[test]
fn unknown_events_mean_nothing() {
    assert_eq!(read(&[("newEvent", "{}"), ("initial-response", ""), ("", "x")]).unwrap(), []);
    let unknown = [
        ("contentBlockStart", r#"{"start":{"new":{}},"contentBlockIndex":0}"#),
        ("contentBlockStart", r#"{"contentBlockIndex":0}"#),
        ("contentBlockDelta", r#"{"delta":{"new":1},"contentBlockIndex":0}"#),
        ("contentBlockDelta", "{}"),
        ("contentBlockStop", r#"{"contentBlockIndex":7}"#),
    ];
    assert_eq!(read(&unknown).unwrap(), []);
}

#[test]
fn a_known_event_of_another_form_is_refused_without_quoting_it() {
    for (name, data) in [
        ("contentBlockDelta", r#"{"delta":{"text":7}}"#),
        ("contentBlockDelta", r#"{"delta":"secret"}"#),
        ("contentBlockDelta", r#"{"delta":{"text":"secret"},"contentBlockIndex":-1}"#),
        ("contentBlockDelta", r#"{"delta":{"reasoningContent":{"redactedContent":"secret!"}}}"#),
        ("contentBlockStart", r#"{"start":["secret"]}"#),
        ("messageStop", r#"{"stopReason":["secret"]}"#),
        ("metadata", r#"{"secret""#),
    ] {
        let refusal = read(&[(name, data)]).unwrap_err();
        assert!(matches!(&refusal, Malformed::Unreadable(why) if !why.contains("secret")), "{refusal:?}");
    }
    assert!(read(&[START, START]).is_err());
}

#[test]
fn what_a_stream_keeps_is_bounded() {
    let mut reader = StreamReader::default();
    let refused = (0..1000).find(|block| {
        let start = format!(r#"{{"start":{{"toolUse":{{"toolUseId":"a","name":"f"}}}},"contentBlockIndex":{block}}}"#);
        reader.read(b"contentBlockStart", start.as_bytes(), &mut Vec::new()).is_err()
    });
    assert_eq!(refused, Some(128));

    let piece = format!(r#"{{"delta":{{"reasoningContent":{{"signature":"{}"}}}}}}"#, "x".repeat(1 << 16));
    let mut reader = StreamReader::default();
    let refused = (0..100).find(|_| reader.read(b"contentBlockDelta", piece.as_bytes(), &mut Vec::new()).is_err());
    assert_eq!(refused, Some(16));
}

/// The frames that a client gets, each as `name payload`.
fn written(deltas: &[Delta]) -> Vec<String> {
    let mut writer = StreamWriter::default();
    let mut out = Vec::new();
    deltas.iter().for_each(|delta| writer.write(delta, &mut out));
    let mut framer = Framer::new(1 << 20);
    let mut frames = Vec::new();
    let mut end = 0;
    framer
        .push(&out, |event| {
            let (name, data) = (String::from_utf8_lossy(event.name), String::from_utf8_lossy(event.data));
            frames.push(format!("{name} {data}"));
            end = event.end;
        })
        .unwrap();
    assert_eq!(end, out.len());
    frames
}

#[test]
fn blocks_are_written_in_order_and_usage_last() {
    let usage = Usage { input_fresh: 7, output_text: 9, ..Usage::NONE };
    let frames = written(&[
        Delta::Start { id: "a".to_owned(), model: "m".to_owned() },
        Delta::Usage(usage),
        Delta::Reasoning("Hm".to_owned()),
        seal(Origin::Claude, SealKind::Signature, "c2ln"),
        text("I "),
        text("look."),
        call(0, "c"),
        arguments(0, "{"),
        call(1, "d"),
        arguments(1, "{}"),
        arguments(0, "}"),
        Delta::Stop(StopReason::ToolUse),
        Delta::Usage(usage),
        Delta::End,
        text("late"),
    ]);
    assert_eq!(
        frames,
        [
            r#"messageStart {"role":"assistant"}"#,
            r#"contentBlockDelta {"delta":{"reasoningContent":{"text":"Hm"}},"contentBlockIndex":0}"#,
            r#"contentBlockDelta {"delta":{"reasoningContent":{"signature":"c2ln"}},"contentBlockIndex":0}"#,
            r#"contentBlockStop {"contentBlockIndex":0}"#,
            r#"contentBlockDelta {"delta":{"text":"I "},"contentBlockIndex":1}"#,
            r#"contentBlockDelta {"delta":{"text":"look."},"contentBlockIndex":1}"#,
            r#"contentBlockStop {"contentBlockIndex":1}"#,
            r#"contentBlockStart {"start":{"toolUse":{"toolUseId":"c","name":"f"}},"contentBlockIndex":2}"#,
            r#"contentBlockDelta {"delta":{"toolUse":{"input":"{"}},"contentBlockIndex":2}"#,
            r#"contentBlockDelta {"delta":{"toolUse":{"input":"}"}},"contentBlockIndex":2}"#,
            r#"contentBlockStop {"contentBlockIndex":2}"#,
            r#"contentBlockStart {"start":{"toolUse":{"toolUseId":"d","name":"f"}},"contentBlockIndex":3}"#,
            r#"contentBlockDelta {"delta":{"toolUse":{"input":"{}"}},"contentBlockIndex":3}"#,
            r#"contentBlockStop {"contentBlockIndex":3}"#,
            r#"messageStop {"stopReason":"tool_use"}"#,
            concat!(
                r#"metadata {"usage":{"inputTokens":7,"outputTokens":9,"totalTokens":16,"cacheReadInputTokens":0,"#,
                r#""cacheWriteInputTokens":0,"cacheDetails":[]},"metrics":{"latencyMs":0}}"#
            ),
        ]
    );
}

#[test]
fn what_other_formats_leave_out_is_made_up_for() {
    assert_eq!(
        written(&[text("Hi"), Delta::End]),
        [
            r#"messageStart {"role":"assistant"}"#,
            r#"contentBlockDelta {"delta":{"text":"Hi"},"contentBlockIndex":0}"#,
            r#"contentBlockStop {"contentBlockIndex":0}"#,
            r#"messageStop {"stopReason":"end_turn"}"#,
            concat!(
                r#"metadata {"usage":{"inputTokens":0,"outputTokens":0,"totalTokens":0,"cacheReadInputTokens":0,"#,
                r#""cacheWriteInputTokens":0,"cacheDetails":[]},"metrics":{"latencyMs":0}}"#
            ),
        ]
    );
    assert_eq!(written(&[Delta::Stop(StopReason::End), Delta::Stop(StopReason::ToolUse), text("late")]).len(), 2);
}

#[test]
fn reasoning_of_others_is_labelled_where_clients_keep_it() {
    let frames = written(&[
        seal(Origin::Gemini, SealKind::Signature, "Z2Vt"),
        Delta::Reasoning("Hm".to_owned()),
        seal(Origin::OpenaiResponses, SealKind::Encrypted, "rs_1 eA=="),
        seal(Origin::OpenaiResponses, SealKind::Encrypted, "rs_2 eA=="),
    ]);
    let delta = |index: u32, seal: &str| {
        format!(r#"contentBlockDelta {{"delta":{{"reasoningContent":{{{seal}}}}},"contentBlockIndex":{index}}}"#)
    };
    assert_eq!(
        frames,
        [
            r#"messageStart {"role":"assistant"}"#.to_owned(),
            delta(0, r#""signature":"tollgate:gemini:signature:Z2Vt""#),
            r#"contentBlockStop {"contentBlockIndex":0}"#.to_owned(),
            delta(1, r#""text":"Hm""#),
            delta(1, r#""signature":"tollgate:openai-responses:encrypted:rs_1 eA==""#),
            r#"contentBlockStop {"contentBlockIndex":1}"#.to_owned(),
            delta(2, r#""redactedContent":"dG9sbGdhdGU6b3BlbmFpLXJlc3BvbnNlczplbmNyeXB0ZWQ6cnNfMiBlQT09""#),
            r#"contentBlockStop {"contentBlockIndex":2}"#.to_owned(),
        ]
    );
}

#[test]
fn an_error_is_an_exception_and_nothing_follows_it() {
    let error = ApiError::new(ErrorKind::Overloaded, "later");
    let frames = written(&[text("Hi"), Delta::Error(error), text("more"), Delta::End]);
    assert_eq!(frames.last().unwrap(), r#"serviceUnavailableException {"message":"later"}"#);
    let error = ApiError::new(ErrorKind::Timeout, "too slow");
    assert_eq!(
        written(&[Delta::Error(error)]),
        [r#"modelStreamErrorException {"message":"too slow","originalStatusCode":504,"originalMessage":"too slow"}"#]
    );
}

#[test]
fn too_much_beside_an_incomplete_call_ends_the_stream() {
    let mut deltas = vec![call(0, "c"), arguments(0, "{")];
    deltas.extend((0..1100).map(|_| text(&"x".repeat(1024))));
    let frames = written(&deltas);
    assert!(frames.last().unwrap().starts_with("internalServerException "), "{frames:?}");
    assert_eq!(frames.len(), 4);
}

#[cfg(not(target_arch = "wasm32"))]
mod any_stream {
    use super::*;
    use proptest::prelude::*;

    fn delta() -> impl Strategy<Value = Delta> {
        prop_oneof![
            "[a-z\u{e9}\"]{0,4}".prop_map(Delta::Text),
            "[a-z]{0,4}".prop_map(Delta::Reasoning),
            Just(seal(Origin::Claude, SealKind::Signature, "c2ln")),
            Just(seal(Origin::Claude, SealKind::Encrypted, "eA==")),
            (0..3_u32).prop_map(|index| arguments(index, "{")),
            (0..3_u32).prop_map(|index| arguments(index, "}")),
            Just(call(0, "")),
        ]
    }

    /// Calls numbered as they come, and pieces only of those that were announced and are not complete.
    fn deltas() -> impl Strategy<Value = Vec<Delta>> {
        prop::collection::vec(delta(), 0..20).prop_map(|deltas| {
            let mut calls: Vec<String> = Vec::new();
            let mut kept = Vec::new();
            for delta in deltas {
                match delta {
                    Delta::ToolCall { .. } => {
                        kept.push(call(u32::try_from(calls.len()).unwrap(), "c"));
                        calls.push(String::new());
                    }
                    Delta::ToolArguments { index, json } => {
                        let written = calls.get_mut(index as usize);
                        let Some(written) = written.filter(|written| *written == "{" || json == "{") else { continue };
                        if *written != "{}" && *written != json {
                            written.push_str(&json);
                            kept.push(arguments(index, &json));
                        }
                    }
                    other => kept.push(other),
                }
            }
            kept
        })
    }

    /// Text, reasoning with its seals, and each call with its arguments, in the order of the calls.
    fn said(deltas: &[Delta]) -> (String, String, Vec<String>) {
        let (mut text, mut thought, mut calls) = (String::new(), String::new(), Vec::new());
        for delta in deltas {
            match delta {
                Delta::Text(piece) => text.push_str(piece),
                Delta::Reasoning(piece) => thought.push_str(piece),
                Delta::Seal(seal) => thought.push_str(&seal.value),
                Delta::ToolCall { .. } => calls.push(String::new()),
                Delta::ToolArguments { index, json } => calls[*index as usize].push_str(json),
                _ => {}
            }
        }
        for arguments in &mut calls {
            if arguments.is_empty() {
                arguments.push_str("{}");
            }
        }
        (text, thought, calls)
    }

    proptest! {
        #[test]
        fn what_is_written_says_the_same_when_it_is_read(deltas in deltas()) {
            let expected = said(&deltas);
            let whole = [deltas, vec![Delta::End]].concat();
            let frames = written(&whole);
            let events: Vec<(&str, &str)> = frames.iter().filter_map(|frame| frame.split_once(' ')).collect();
            let returned = read(&events).unwrap();
            prop_assert_eq!(said(&returned), expected);
            prop_assert_eq!(returned.last(), Some(&Delta::End));
        }
    }
}
