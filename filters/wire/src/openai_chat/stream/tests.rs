use super::*;
use crate::conversation::StopReason;
use crate::error::{ApiError, ErrorKind, Malformed};
use crate::signature::{Origin, Seal, SealKind};
use crate::stream::Delta;
use crate::usage::{ServiceTier, Usage};
use serde_json::{Value, json};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

const TEXT: &str = include_str!("../../../tests/fixtures/openai_chat/stream_text.sse");
const TOOL_CALLS: &str = include_str!("../../../tests/fixtures/openai_chat/stream_tool_calls.sse");

fn data_of(stream: &str) -> impl Iterator<Item = &str> {
    stream.lines().filter_map(|line| line.strip_prefix("data: "))
}

fn read_all<'a>(events: impl IntoIterator<Item = &'a str>) -> Result<Vec<Delta>, Malformed> {
    let (mut reader, mut out) = (StreamReader::new(1), Vec::new());
    for data in events {
        reader.read(b"", data.as_bytes(), &mut out)?;
    }
    Ok(out)
}

/// What chunks with these `delta`s of choice 0 mean, without the start.
fn read_deltas(deltas: &[Value]) -> Result<Vec<Delta>, Malformed> {
    let chunks: Vec<_> = deltas.iter().map(|delta| json!({"choices": [{"delta": delta}]}).to_string()).collect();
    read_all(chunks.iter().map(String::as_str)).map(|deltas| deltas.into_iter().skip(1).collect())
}

fn write_all(include_usage: bool, deltas: &[Delta]) -> String {
    let (mut writer, mut out) = (StreamWriter::new(include_usage, 1_763_798_400), Vec::new());
    for delta in deltas {
        writer.write(delta, &mut out);
    }
    String::from_utf8(out).expect("utf-8")
}

fn start() -> Delta {
    Delta::Start { id: "chatcmpl-S1".into(), model: "gpt-5".into() }
}

fn text(text: &str) -> Delta {
    Delta::Text(text.into())
}

fn call(index: u32, id: &str, name: &str) -> Delta {
    Delta::ToolCall { index, id: id.into(), name: name.into() }
}

fn arguments(index: u32, json: &str) -> Delta {
    Delta::ToolArguments { index, json: json.into() }
}

fn cached_usage() -> Usage {
    Usage { input_fresh: 200, input_cache_read: 800, output_text: 50, output_reasoning: 150, ..Usage::default() }
}

#[test]
fn a_streamed_answer_says_what_the_whole_one_would() {
    let expected =
        [start(), text("Hel"), text("lo"), Delta::Stop(StopReason::End), Delta::Usage(cached_usage()), Delta::End];
    assert_eq!(read_all(data_of(TEXT)).unwrap(), expected);
}

#[test]
fn the_first_chunk_with_only_a_role_is_not_yet_an_answer() {
    let deltas = read_all(data_of(TEXT).take(1)).unwrap();
    assert_eq!(deltas, [start()]);
    assert!(!deltas[0].is_meaningful());
}

#[test]
fn tool_calls_are_put_together_by_their_index() {
    let expected = [
        Delta::Start { id: "chatcmpl-S2".into(), model: "gpt-5".into() },
        call(0, "call_a", "get_weather"),
        arguments(0, "{\"city\":"),
        arguments(0, "\"Oslo\"}"),
        call(1, "call_b", "get_time"),
        arguments(1, "{}"),
        Delta::Stop(StopReason::ToolUse),
        Delta::End,
    ];
    assert_eq!(read_all(data_of(TOOL_CALLS)).unwrap(), expected);
}

#[test]
fn tool_calls_of_compatible_servers_are_told_apart() {
    let two_calls = [call(0, "a", "f"), arguments(0, "1"), arguments(0, "2"), call(1, "b", "g"), arguments(1, "3")];
    let piece = |index: Value, id: &str, name: &str, arguments: &str| {
        let function = json!({"name": name, "arguments": arguments});
        json!({"tool_calls": [{"index": index, "id": id, "function": function}]})
    };
    let none = || Value::Null;
    for pieces in [
        // No index.
        [piece(none(), "a", "f", "1"), piece(none(), "", "", "2"), piece(none(), "b", "g", "3")],
        // The id and name in every piece.
        [piece(none(), "a", "f", "1"), piece(none(), "a", "f", "2"), piece(none(), "b", "g", "3")],
        [piece(json!(0), "a", "f", "1"), piece(json!(0), "a", "f", "2"), piece(json!(1), "b", "g", "3")],
        // One index for all.
        [piece(json!(0), "a", "f", "1"), piece(json!(0), "", "", "2"), piece(json!(0), "b", "g", "3")],
    ] {
        assert_eq!(read_deltas(&pieces).unwrap(), two_calls, "{pieces:?}");
    }
}

#[test]
fn calls_without_ids_get_one_each() {
    let pieces = json!([{"function": {"name": "f", "arguments": {"a": 1}}}, {"function": {"name": "f"}}]);
    let deltas = read_deltas(&[json!({ "tool_calls": pieces })]).unwrap();
    assert_eq!(deltas, [call(0, "call_0", "f"), arguments(0, "{\"a\":1}"), call(1, "call_1", "f")]);
}

#[test]
fn a_piece_of_no_call_is_malformed_and_calls_are_bounded() {
    let stray = json!({"tool_calls": [{"index": 3, "function": {"arguments": "{}"}}]});
    assert!(matches!(read_deltas(&[stray]), Err(Malformed::Unreadable(_))));
    let calls: Vec<_> = (0..1025).map(|index| json!({"index": index, "function": {"name": "f"}})).collect();
    assert!(matches!(read_deltas(&[json!({ "tool_calls": calls })]), Err(Malformed::Unreadable(_))));
}

#[test]
fn usage_is_found_wherever_a_server_puts_it() {
    let usage = |n: u64| json!({"prompt_tokens": 7, "completion_tokens": n});
    let expected = |n: u64| Delta::Usage(Usage { input_fresh: 7, output_text: n, ..Usage::default() });
    let chunk = |content: &str, usage: Value| {
        json!({"choices": [{"index": 0, "delta": {"content": content}}], "usage": usage}).to_string()
    };
    let start = Delta::Start { id: String::new(), model: String::new() };

    let in_every_chunk = [chunk("a", usage(1)), chunk("b", usage(2))];
    let deltas = read_all(in_every_chunk.iter().map(String::as_str)).unwrap();
    assert_eq!(deltas, [start.clone(), text("a"), expected(1), text("b"), expected(2)]);

    let null_and_then_alone = [chunk("a", Value::Null), json!({"choices": null, "usage": usage(3)}).to_string()];
    let deltas = read_all(null_and_then_alone.iter().map(String::as_str)).unwrap();
    assert_eq!(deltas, [start, text("a"), expected(3)]);
}

#[test]
fn a_stream_without_usage_tells_none_rather_than_zero() {
    let chunks: Vec<_> =
        (0..37).map(|n| json!({"choices": [{"delta": {"content": n.to_string()}}]}).to_string()).collect();
    let deltas = read_all(chunks.iter().map(String::as_str).chain(["[DONE]"])).unwrap();
    assert_eq!(deltas.iter().filter(|delta| matches!(delta, Delta::Text(_))).count(), 37);
    assert!(!deltas.iter().any(|delta| matches!(delta, Delta::Usage(_))));
}

#[test]
fn content_in_parts_is_what_was_thought_and_what_is_said() {
    let thinking = json!({"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}]});
    let answer = json!({"content": [{"type": "text", "text": "Oslo"}]});
    assert_eq!(read_deltas(&[thinking, answer]).unwrap(), [Delta::Reasoning("hm".into()), text("Oslo")]);
}

fn seal(origin: Origin, value: &str) -> Delta {
    Delta::Seal(Seal { origin, kind: SealKind::Signature, value: value.into() })
}

#[test]
fn the_call_that_googles_endpoint_signs_comes_after_its_seal() {
    let piece = json!({"tool_calls": [{"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"},
        "extra_content": {"google": {"thought_signature": "c2ln"}}}]});
    let value = r#"{"extra_content":{"google":{"thought_signature":"c2ln"}}}"#;
    let expected = [seal(Origin::OpenaiChat, value), call(0, "a", "f"), arguments(0, "{}")];
    assert_eq!(read_deltas(&[piece]).unwrap(), expected);
}

#[test]
fn a_seal_of_gemini_is_written_in_the_call_or_where_no_call_follows_among_the_reasoning() {
    let gemini = || seal(Origin::Gemini, "c2ln");
    for deltas in [
        vec![gemini(), call(0, "a", "f"), arguments(0, "{}")],
        vec![gemini(), text("x")],
        vec![Delta::Reasoning("Hm.".into()), gemini(), call(0, "a", "f")],
        vec![call(0, "a", "f"), arguments(0, "{}"), gemini(), call(1, "b", "g")],
    ] {
        let written = write_all(false, &deltas);
        let read: Vec<_> = read_all(data_of(&written)).unwrap().into_iter().skip(1).collect();
        assert_eq!(read, deltas);
        assert!(written.contains("tollgate:gemini:signature:c2ln"));
        assert_eq!(
            written.contains("extra_content"),
            matches!(deltas[0], Delta::ToolCall { .. }) || deltas.len() == 3 && deltas[0] == gemini()
        );
    }
}

#[test]
fn a_seal_that_nothing_follows_is_told_before_the_stop() {
    let deltas = [start(), seal(Origin::Gemini, "c2ln"), Delta::Stop(StopReason::End), Delta::End];
    assert_eq!(read_all(data_of(&write_all(false, &deltas))).unwrap(), deltas);
}

fn choice(index: u32, delta: &Value, reason: Option<&str>) -> String {
    json!({"id": "x", "choices": [{"index": index, "delta": delta, "finish_reason": reason}]}).to_string()
}

fn read_answers(answers: u64, events: &[String]) -> Vec<Delta> {
    let (mut reader, mut out) = (StreamReader::new(answers), Vec::new());
    for data in events {
        reader.read(b"", data.as_bytes(), &mut out).unwrap();
    }
    out.into_iter().skip(1).collect()
}

#[test]
fn of_several_answers_the_first_is_translated_and_all_must_have_stopped() {
    let says = |index, said: &str| choice(index, &json!({"role": "assistant", "content": said}), None);
    let stops = |index, reason| choice(index, &json!({}), Some(reason));
    let untranslated = |bytes| Delta::Untranslated { bytes };
    let events = [
        says(0, ""),
        says(1, ""),
        says(1, "other"),
        says(0, "first"),
        stops(0, "length"),
        says(1, "more"),
        stops(1, "stop"),
    ];
    let told = [untranslated(7), text("first"), untranslated(6), Delta::Stop(StopReason::MaxTokens)];
    assert_eq!(read_answers(2, &events), told);
    assert_eq!(read_answers(3, &events), told[..3]);
    // The first may be the last to stop.
    let events = [says(1, "o"), stops(1, "stop"), stops(1, "stop"), says(0, "f"), stops(0, "stop")];
    assert_eq!(read_answers(2, &events), [untranslated(3), text("f"), Delta::Stop(StopReason::End)]);
}

#[test]
fn a_server_that_gives_one_answer_of_several_has_stopped_when_the_stream_ends() {
    let said = [choice(0, &json!({"content": "x"}), Some("stop"))];
    let usage = json!({"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 1}}).to_string();
    for end in ["[DONE]".to_owned(), usage] {
        let deltas = read_answers(2, &[said[0].clone(), end.clone()]);
        assert_eq!(deltas[..2], [text("x"), Delta::Stop(StopReason::End)], "{end}");
    }
    assert_eq!(read_answers(2, &said), [text("x")]);
}

#[test]
fn the_tier_is_that_of_whichever_chunk_tells_it() {
    let usage = json!({"prompt_tokens": 1, "completion_tokens": 1});
    let early = [
        json!({"service_tier": "flex", "choices": [{"delta": {"content": "x"}}]}),
        json!({"service_tier": null, "choices": [], "usage": usage}),
    ];
    let late = [
        json!({"choices": [{"delta": {"content": "x"}}]}),
        json!({"choices": [], "usage": usage}),
        json!({"choices": [], "service_tier": "flex"}),
    ];
    for chunks in [&early[..], &late[..]] {
        let chunks: Vec<_> = chunks.iter().map(Value::to_string).collect();
        let deltas = read_all(chunks.iter().map(String::as_str)).unwrap();
        let Some(Delta::Usage(usage)) = deltas.last() else { panic!("{deltas:?}") };
        assert_eq!(usage.service_tier, ServiceTier::Flex, "{chunks:?}");
    }
}

#[test]
fn usage_that_comes_in_pieces_or_with_zeros_at_the_end_is_all_of_them() {
    let chunk = |usage: Value| json!({"choices": [], "usage": usage}).to_string();
    let chunks = [
        chunk(json!({"prompt_tokens": 7, "completion_tokens": 0, "prompt_tokens_details": {"cached_tokens": 5}})),
        chunk(json!({"prompt_tokens": 7, "completion_tokens": 3})),
        chunk(json!({"prompt_tokens": 0, "completion_tokens": 0})),
    ];
    let deltas = read_all(chunks.iter().map(String::as_str)).unwrap();
    let expected = Usage { input_fresh: 2, input_cache_read: 5, output_text: 3, ..Usage::default() };
    assert_eq!(deltas.last(), Some(&Delta::Usage(expected)));
}

#[test]
fn a_chunk_without_choices_does_not_start_the_answer() {
    let filter = r#"{"id":"","model":"","choices":[],"prompt_filter_results":[{"prompt_index":0}]}"#;
    let first = r#"{"id":"x","model":"m","choices":[{"delta":{"role":"assistant"},"finish_reason":""}]}"#;
    let expected = Delta::Start { id: "x".into(), model: "m".into() };
    assert_eq!(read_all([filter, first]).unwrap(), [expected]);
}

#[test]
fn an_error_in_the_stream_is_an_error() {
    let error = r#"{"error":{"message":"busy","type":"server_error","code":"server_is_overloaded"}}"#;
    let expected =
        ApiError { code: Some("server_is_overloaded".into()), ..ApiError::new(ErrorKind::Overloaded, "busy") };
    assert_eq!(read_all([error]).unwrap(), [Delta::Error(expected)]);
}

#[test]
fn a_stop_is_told_once_and_knows_what_the_answer_was() {
    let chunk =
        |delta: Value, reason: &str| json!({"choices": [{"delta": delta, "finish_reason": reason}]}).to_string();
    for (delta, reason, expected) in [
        (json!({"content": "x"}), "stop", StopReason::End),
        (json!({"refusal": "no"}), "stop", StopReason::Refused),
        (json!({"tool_calls": [{"index": 0, "id": "a", "function": {"name": "f"}}]}), "stop", StopReason::ToolUse),
        (json!({"content": "x"}), "length", StopReason::MaxTokens),
        (json!(null), "content_filter", StopReason::Refused),
    ] {
        let chunks = [chunk(delta, reason), chunk(json!({}), reason)];
        let deltas = read_all(chunks.iter().map(String::as_str)).unwrap();
        let stops: Vec<_> = deltas.iter().filter(|delta| matches!(delta, Delta::Stop(_))).collect();
        assert_eq!(stops, [&Delta::Stop(expected)], "{chunks:?}");
    }
}

#[test]
fn what_is_no_chunk_is_unreadable() {
    for data in ["x", "[1]", r#"{"choices":7}"#, "{", "\u{0}"] {
        assert!(matches!(read_all([data]), Err(Malformed::Unreadable(_))), "{data}");
    }
    assert_eq!(read_all(["", "{}"]).unwrap(), []);
}

#[test]
fn a_stream_is_written_as_openai_writes_it() {
    let deltas = [start(), text("Hi"), Delta::Stop(StopReason::End), Delta::End];
    let head = r#"data: {"id":"chatcmpl-S1","object":"chat.completion.chunk","created":1763798400,"model":"gpt-5","choices":[{"index":0,"delta":"#;
    let expected = format!(
        "{head}{}\n\n{head}{}\n\n{head}{}\n\ndata: [DONE]\n\n",
        r#"{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}]}"#,
        r#"{"content":"Hi"},"logprobs":null,"finish_reason":null}]}"#,
        r#"{},"logprobs":null,"finish_reason":"stop"}]}"#,
    );
    assert_eq!(write_all(false, &deltas), expected);
}

#[test]
fn usage_comes_last_and_only_when_asked_for() {
    let usage = Delta::Usage(cached_usage());
    for deltas in [
        [usage.clone(), start(), text("Hi"), Delta::Stop(StopReason::End), Delta::End],
        [start(), text("Hi"), Delta::Stop(StopReason::End), usage, Delta::End],
    ] {
        let asked = write_all(true, &deltas);
        let mut data: Vec<_> = data_of(&asked).collect();
        assert_eq!(data.pop(), Some("[DONE]"));
        let mut chunks: Vec<Value> = data.iter().map(|data| serde_json::from_str(data).unwrap()).collect();
        let last = chunks.pop().unwrap();
        assert_eq!((&last["choices"], &last["usage"]["prompt_tokens"]), (&json!([]), &json!(1000)));
        assert!(chunks.iter().all(|chunk| chunk.get("usage") == Some(&Value::Null)), "{asked}");
        assert!(!write_all(false, &deltas).contains("usage"));
    }
}

#[test]
fn a_stream_read_and_written_is_read_the_same_again() {
    for stream in [TEXT, TOOL_CALLS] {
        let deltas = read_all(data_of(stream)).unwrap();
        assert_eq!(read_all(data_of(&write_all(true, &deltas))).unwrap(), deltas);
    }
}

#[test]
fn after_an_error_nothing_more_is_written() {
    let error = ApiError::new(ErrorKind::Internal, "the provider's stream broke");
    let written = write_all(true, &[start(), Delta::Error(error), text("more"), Delta::End]);
    let last = data_of(&written).last().unwrap();
    let expected = json!({"error": {
        "message": "the provider's stream broke", "type": "server_error", "param": null, "code": null,
    }});
    assert_eq!(serde_json::from_str::<Value>(last).unwrap(), expected);
    assert!(!written.contains("[DONE]"));
}

#[cfg(not(target_arch = "wasm32"))]
proptest::proptest! {
    #[test]
    fn no_cut_of_an_event_makes_it_panic(event in 0..13_usize, cut: proptest::sample::Index, byte: u8) {
        let data = data_of(TEXT).chain(data_of(TOOL_CALLS)).nth(event).unwrap_or_default();
        let mut bytes = data.as_bytes().to_vec();
        let cut = cut.index(bytes.len());
        bytes[cut] = byte;
        let _ = StreamReader::new(1).read(b"", &bytes, &mut Vec::new());
        let _ = StreamReader::new(1).read(b"", &bytes[..cut], &mut Vec::new());
    }
}

#[test]
fn what_the_model_writes_counts_also_where_it_has_no_name_here() {
    for (delta, bytes) in [
        (json!({"audio": {"data": "AAAA"}}), 15),
        (json!({"function_call": {"name": "f", "arguments": "{}"}}), 29),
        (json!({"tool_calls": [{"index": 0, "type": "custom", "custom": {"name": "sql", "input": "select 1"}}]}), 8),
    ] {
        let read = read_deltas(std::slice::from_ref(&delta)).unwrap();
        assert_eq!(read, [Delta::Untranslated { bytes }], "{delta}");
        assert!(read[0].is_meaningful(), "the provider answers");
    }
    for empty in [json!({"audio": null, "annotations": [], "function_call": {}}), json!({"role": "assistant"})] {
        assert_eq!(read_deltas(&[empty]).unwrap(), []);
    }
}

#[test]
fn usage_in_a_chunk_that_tells_of_a_choice_is_not_mere_usage() {
    let usage = json!({"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3});
    let chunk = |choices: Value| json!({"choices": choices, "usage": usage}).to_string();
    let stop = chunk(json!([{"index": 0, "delta": {"content": "Hi"}, "finish_reason": "stop"}]));
    let other = chunk(json!([{"index": 1, "delta": {}, "finish_reason": "stop"}]));
    let read = read_all([stop.as_str(), other.as_str(), chunk(json!([])).as_str()]).unwrap();
    assert!(matches!(
        read.as_slice(),
        [.., Delta::Usage(_), Delta::Untranslated { bytes: 0 }, Delta::Usage(_), Delta::Usage(_)]
    ));
}

#[test]
fn figures_that_no_exchange_can_have_are_no_usage() {
    for tokens in [0, (1 << 40) + 1, u64::MAX] {
        let usage = json!({"prompt_tokens": tokens, "completion_tokens": 0});
        let chunk = json!({"choices": [], "usage": usage}).to_string();
        assert_eq!(read_all([chunk.as_str()]).unwrap(), [], "{tokens}");
    }
}

#[test]
fn an_id_that_would_be_kept_is_not_longer_than_any_is() {
    let call = |id: String| json!({"tool_calls": [{"index": 0, "id": id, "function": {"name": "f"}}]});
    assert!(read_deltas(&[call("x".repeat(1024))]).is_ok());
    assert!(read_deltas(&[call("x".repeat(1025))]).is_err());
}
