use super::*;
use crate::error::ErrorKind;
use crate::usage::Usage;
use serde_json::{Value, json};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

fn read(events: &[Value]) -> Vec<Delta> {
    let (mut reader, mut deltas) = (StreamReader::default(), Vec::new());
    for event in events {
        reader.read(b"", event.to_string().as_bytes(), &mut deltas).unwrap();
    }
    deltas
}

/// What is told, one line each.
fn told(events: &[Value]) -> Vec<String> {
    let show = |delta: &Delta| match delta {
        Delta::Text(text) => text.clone(),
        Delta::Reasoning(text) => format!("[{text}]"),
        Delta::Seal(seal) => format!("({})", seal.value),
        Delta::ToolCall { index, id, name } => format!("{index}:{id}={name}"),
        Delta::ToolArguments { index, json } => format!("{index}:{json}"),
        Delta::Untranslated { bytes } => format!("{bytes} bytes"),
        other => format!("{other:?}"),
    };
    read(events).iter().map(show).collect()
}

fn created() -> Value {
    json!({ "type": "response.created", "response": { "id": "r", "model": "m", "status": "in_progress", "output": [] } })
}

fn added(index: u64, item: &Value) -> Value {
    json!({ "type": "response.output_item.added", "output_index": index, "item": item })
}

fn done(index: u64, item: &Value) -> Value {
    json!({ "type": "response.output_item.done", "output_index": index, "item": item })
}

fn text(index: u64, part: u64, delta: &str) -> Value {
    json!({ "type": "response.output_text.delta", "output_index": index, "content_index": part, "delta": delta })
}

fn text_done(index: u64, part: u64, text: &str) -> Value {
    json!({ "type": "response.output_text.done", "output_index": index, "content_index": part, "text": text })
}

fn message(texts: &[&str]) -> Value {
    let content: Vec<_> = texts.iter().map(|text| json!({ "type": "output_text", "text": text })).collect();
    json!({ "id": "msg_1", "type": "message", "role": "assistant", "content": content })
}

fn call(name: &str, arguments: &str) -> Value {
    json!({ "id": "fc_1", "type": "function_call", "call_id": "c", "name": name, "arguments": arguments })
}

fn arguments(index: u64, delta: &str) -> Value {
    json!({ "type": "response.function_call_arguments.delta", "output_index": index, "delta": delta })
}

fn arguments_done(index: u64, arguments: &str) -> Value {
    json!({ "type": "response.function_call_arguments.done", "output_index": index, "arguments": arguments })
}

fn completed(output: &Value) -> Value {
    json!({ "type": "response.completed", "response": { "id": "r", "model": "m", "status": "completed",
        "output": output, "usage": { "input_tokens": 3, "output_tokens": 4 } } })
}

#[test]
fn the_last_event_stops_counts_and_ends() {
    let usage = Usage { input_fresh: 3, output_text: 4, ..Usage::NONE };
    let deltas = read(&[created(), text(0, 0, "Hi"), completed(&json!([message(&["Hi"])])), text(0, 0, "more")]);
    let expected = [
        Delta::Start { id: "r".into(), model: "m".into() },
        Delta::Text("Hi".into()),
        Delta::Stop(StopReason::End),
        Delta::Usage(usage),
        Delta::End,
    ];
    assert_eq!(deltas, expected);
}

#[test]
fn what_is_said_several_times_is_told_once() {
    let whole = [text(0, 0, "A"), text(0, 0, "B"), text_done(0, 0, "AB"), done(0, &message(&["AB", "C"]))];
    for (first, expected) in [(0, vec!["A", "B", "C"]), (2, vec!["AB", "C"]), (3, vec!["AB", "C"])] {
        assert_eq!(told(&whole[first..]), expected);
    }
    let twice = [whole.as_slice(), &whole[2..], &[text_done(0, 0, "AB")]].concat();
    assert_eq!(told(&twice), ["A", "B", "C"]);
}

#[test]
fn a_call_is_told_once_wherever_its_arguments_stand() {
    let begun = added(0, &call("f", ""));
    let whole = done(0, &call("f", "{\"a\":1}"));
    for (events, expected) in [
        (
            vec![
                begun.clone(),
                arguments(0, "{\"a\""),
                arguments(0, ":1}"),
                arguments_done(0, "{\"a\":1}"),
                whole.clone(),
            ],
            vec!["0:c=f", "0:{\"a\"", "0::1}"],
        ),
        (vec![begun.clone(), arguments_done(0, "{\"a\":1}"), whole.clone()], vec!["0:c=f", "0:{\"a\":1}"]),
        (vec![begun.clone(), whole.clone(), whole.clone()], vec!["0:c=f", "0:{\"a\":1}"]),
        (vec![whole.clone()], vec!["0:c=f", "0:{\"a\":1}"]),
        // Arguments of a call that has no name yet wait for its item.
        (vec![arguments(0, "{\"a\""), whole.clone()], vec!["0:c=f", "0:{\"a\":1}"]),
        (vec![added(0, &call("", "")), arguments(0, "{\"a\""), whole], vec!["0:c=f", "0:{\"a\":1}"]),
        (vec![begun.clone(), arguments_done(0, ""), done(0, &call("f", ""))], vec!["0:c=f", "0:{}"]),
    ] {
        assert_eq!(told(&events), expected, "{events:?}");
    }
    let ends = told(&[begun, completed(&json!([]))]);
    assert_eq!(ends[..3], ["0:c=f".to_owned(), "Start { id: \"r\", model: \"m\" }".to_owned(), "0:{}".to_owned()]);
}

#[test]
fn a_call_cut_before_its_arguments_is_not_a_call_without_any() {
    let mut cut = call("f", "");
    cut["status"] = json!("incomplete");
    let end = json!({ "type": "response.incomplete", "response": { "status": "incomplete" } });
    let lines = told(&[created(), added(0, &call("f", "")), end.clone()]);
    assert_eq!(lines[1..], ["0:c=f", "Stop(MaxTokens)", "End"]);
    let lines = told(&[created(), added(0, &call("f", "")), done(0, &cut), end]);
    assert_eq!(lines[1..], ["0:c=f", "0:", "Stop(MaxTokens)", "End"]);
}

#[test]
fn calls_side_by_side_are_told_apart() {
    let events = [added(0, &call("f", "")), added(1, &call("g", "")), arguments(1, "{}"), arguments(0, "[]")];
    assert_eq!(told(&events), ["0:c=f", "1:c=g", "1:{}", "0:[]"]);
}

#[test]
fn items_that_all_have_the_same_index_are_told_apart() {
    let events = [
        text(0, 0, "A"),
        done(0, &message(&["A"])),
        added(0, &call("f", "")),
        arguments(0, "{}"),
        done(0, &call("f", "{}")),
        text(0, 0, "B"),
        done(0, &message(&["B"])),
    ];
    assert_eq!(told(&events), ["A", "0:c=f", "0:{}", "B"]);
}

#[test]
fn an_output_that_no_event_told_is_told_at_the_end() {
    let output = json!([message(&["Hi"]), call("f", "{}")]);
    for before in [vec![], vec![created()], vec![created(), added(0, &message(&[]))]] {
        let events = [before, vec![completed(&output)]].concat();
        let lines = told(&events);
        assert!(lines.join(" ").contains("Hi 0:c=f 0:{} Stop(ToolUse)"), "{lines:?}");
    }
}

#[test]
fn each_summary_is_a_paragraph_and_the_seal_comes_last() {
    let delta = |part: u64, delta: &str| json!({ "type": "response.reasoning_summary_text.delta", "output_index": 0, "summary_index": part, "delta": delta });
    let raw = json!({ "type": "response.reasoning_text.delta", "output_index": 0, "content_index": 0, "delta": "R" });
    let summary = |text: &str| json!({ "type": "summary_text", "text": text });
    let item = json!({ "id": "rs_1", "type": "reasoning", "summary": [summary("AB"), summary("C")],
        "encrypted_content": "gAAA", "content": [{ "type": "reasoning_text", "text": "R" }] });
    let begun = json!({ "id": "rs_1", "type": "reasoning", "summary": [], "encrypted_content": "early" });
    let events = [added(0, &begun), delta(0, "A"), delta(0, "B"), delta(1, "C"), raw, done(0, &item)];
    assert_eq!(told(&events), ["0 bytes", "[A]", "[B]", "[\n\n]", "[C]", "[\n\n]", "[R]", "(rs_1 gAAA)"]);
    assert_eq!(told(&[done(0, &item)]), ["[AB\n\nC\n\nR]", "(rs_1 gAAA)"]);
}

#[test]
fn a_refusal_is_told_and_is_why_it_ends() {
    let delta = json!({ "type": "response.refusal.delta", "output_index": 0, "content_index": 0, "delta": "No." });
    let item = json!({ "type": "message", "content": [{ "type": "refusal", "refusal": "No." }] });
    for events in [vec![delta.clone(), done(0, &item)], vec![delta], vec![done(0, &item)]] {
        let lines = told(&[events, vec![completed(&json!([]))]].concat());
        assert_eq!(lines.iter().filter(|line| *line == "No.").count(), 1);
        assert!(lines.contains(&"Stop(Refused)".to_owned()), "{lines:?}");
    }
}

#[test]
fn tools_that_openai_runs_commit_and_are_counted() {
    let search = json!({ "id": "ws_1", "type": "web_search_call", "action": { "type": "search" } });
    let code = json!({ "id": "ci_1", "type": "code_interpreter_call", "code": "1 + 1" });
    let event = |kind: &str| json!({ "type": format!("response.{kind}"), "output_index": 0 });
    let typed = json!({ "type": "response.code_interpreter_call_code.delta", "output_index": 1, "delta": "1 + 1" });
    let output = json!([search, code]);
    let deltas = read(&[
        event("web_search_call.searching"),
        event("output_text.annotation.added"),
        done(0, &search),
        typed,
        done(1, &code),
        completed(&output),
    ]);
    let bytes: usize =
        deltas.iter().map(|delta| if let Delta::Untranslated { bytes } = delta { *bytes } else { 0 }).sum();
    assert_eq!(bytes, search.to_string().len() + code.to_string().len());
    let usage =
        deltas.iter().find_map(|delta| if let Delta::Usage(usage) = delta { Some(usage) } else { None }).unwrap();
    assert_eq!((usage.web_search_calls, usage.code_interpreter_calls), (1, 1));
    // Without events of their own they are counted where they stand.
    let Some(Delta::Usage(late)) = read(&[completed(&output)]).into_iter().rev().nth(1) else { panic!("usage") };
    assert_eq!((late.web_search_calls, late.code_interpreter_calls), (1, 1));
}

#[test]
fn calls_are_seen_when_they_begin_and_only_what_is_billed_stays() {
    let search = |action: &Value| json!({ "id": "ws", "type": "web_search_call", "action": action });
    let image = json!({ "id": "ig", "type": "image_generation_call", "result": null });
    let mut created = created();
    created["response"]["service_tier"] = json!("flex");
    let deltas = read(&[
        created,
        added(0, &search(&Value::Null)),
        done(0, &search(&json!({ "type": "open_page" }))),
        added(1, &image),
        done(1, &image),
        done(2, &search(&json!({ "type": "search" }))),
    ]);
    let seen: Vec<_> =
        deltas.into_iter().filter_map(|delta| if let Delta::Seen(seen) = delta { Some(seen) } else { None }).collect();
    let of = |web_search_calls, image_generation_calls| {
        let service_tier = crate::usage::ServiceTier::Flex;
        Usage { web_search_calls, image_generation_calls, service_tier, ..Usage::NONE }
    };
    assert_eq!(seen, [of(0, 0), of(1, 0), of(0, 0), of(0, 1), of(1, 1)]);
}

#[test]
fn every_end_is_understood() {
    for (event, response, expected) in [
        ("completed", json!({ "status": "completed" }), StopReason::End),
        (
            "completed",
            json!({ "status": "incomplete", "incomplete_details": { "reason": "max_output_tokens" } }),
            StopReason::MaxTokens,
        ),
        ("incomplete", json!({ "incomplete_details": { "reason": "content_filter" } }), StopReason::Refused),
        ("incomplete", json!({}), StopReason::MaxTokens),
        ("cancelled", json!({ "status": "cancelled" }), StopReason::Otherwise),
    ] {
        let deltas = read(&[text(0, 0, "x"), json!({ "type": format!("response.{event}"), "response": response })]);
        assert!(deltas.contains(&Delta::Stop(expected)), "{event} {response}: {deltas:?}");
        assert_eq!(deltas.last(), Some(&Delta::End));
    }
}

#[test]
fn done_ends_a_stream_that_did_not_say_so() {
    let mut reader = StreamReader::default();
    let mut deltas = Vec::new();
    reader.read(b"", b" [DONE]", &mut deltas).unwrap();
    reader.read(b"", b"[DONE]", &mut deltas).unwrap();
    assert_eq!(deltas, [Delta::Stop(StopReason::End), Delta::End]);
    let mut after = read(&[]);
    let mut reader = StreamReader::default();
    reader.read(b"", completed(&json!([])).to_string().as_bytes(), &mut after).unwrap();
    let so_far = after.len();
    reader.read(b"", b"[DONE]", &mut after).unwrap();
    assert_eq!(after.len(), so_far);
}

#[test]
fn an_error_is_read_however_it_is_sent() {
    let failed = json!({ "type": "response.failed", "response": { "id": "r", "model": "m", "status": "failed",
        "error": { "code": "rate_limit_exceeded", "message": "slow" }, "usage": { "input_tokens": 3, "output_tokens": 0 } } });
    for event in [
        json!({ "type": "error", "code": "rate_limit_exceeded", "message": "slow", "param": null, "sequence_number": 3 }),
        json!({ "type": "error", "error": { "type": "requests", "code": "rate_limit_exceeded", "message": "slow" } }),
        json!({ "error": { "code": "rate_limit_exceeded", "message": "slow" } }),
        failed.clone(),
    ] {
        let deltas = read(&[event.clone(), text(0, 0, "more")]);
        let Some(Delta::Error(error)) = deltas.last() else { panic!("{event}: {deltas:?}") };
        assert_eq!((error.kind, &*error.message), (ErrorKind::RateLimit, "slow"), "{event}");
    }
    let usage = Usage { input_fresh: 3, ..Usage::NONE };
    assert!(read(&[failed]).contains(&Delta::Usage(usage)));
    let bare = json!({ "type": "response.failed", "response": {} });
    assert!(matches!(read(&[bare]).last(), Some(Delta::Error(error)) if error.kind == ErrorKind::Internal));
}

#[test]
fn the_name_of_an_event_counts_where_its_data_has_no_type() {
    let (mut reader, mut deltas) = (StreamReader::default(), Vec::new());
    reader.read(b"response.output_text.delta", br#"{"delta":"Hi"}"#, &mut deltas).unwrap();
    reader.read(b"error", br#"{"message":"no"}"#, &mut deltas).unwrap();
    assert_eq!(deltas[0], Delta::Text("Hi".to_owned()));
    assert!(matches!(&deltas[1], Delta::Error(error) if error.message == "no"));
}

#[test]
fn what_cannot_be_read_is_refused_without_quoting_it() {
    for data in [
        &b"secret"[..],
        b"[]",
        b"\xff",
        br#"{"type":7}"#,
        br#"{"type":"response.completed"}"#,
        br#"{"type":"response.completed","response":"secret"}"#,
        br#"{"type":"response.output_text.delta","delta":{"secret":1}}"#,
        br#"{"type":"response.output_text.delta","delta":"secret","output_index":-1}"#,
        br#"{"type":"response.output_item.done","item":"secret"}"#,
    ] {
        let refusal = StreamReader::default().read(b"", data, &mut Vec::new()).unwrap_err();
        assert!(matches!(&refusal, Malformed::Unreadable(why) if !why.contains("secret")), "{refusal:?}");
    }
}

#[test]
fn items_without_end_are_refused() {
    let (mut reader, mut deltas) = (StreamReader::default(), Vec::new());
    let read = (0..=4096_u64)
        .try_for_each(|index| reader.read(b"", text(index, index, "x").to_string().as_bytes(), &mut deltas));
    assert!(read.is_err());
    assert_eq!(deltas.len(), MAX_ITEMS);
}

#[test]
fn parts_beyond_the_sixty_fourth_share_a_mark() {
    let mut told = 0;
    assert!(is_new(&mut told, 63));
    assert!(!is_new(&mut told, u64::MAX));
    assert!(is_new(&mut told, 0));
}

#[cfg(not(target_arch = "wasm32"))]
mod properties {
    use super::*;
    use proptest::prelude::*;

    const RECORDED: &str = include_str!("../../../../tests/fixtures/conversations/tools/openai-responses.stream.sse");

    proptest! {
        #[test]
        fn hostile_events_are_refused_or_survived(
            bytes: Vec<u8>,
            order in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>()), 0..40),
        ) {
            let (mut reader, mut deltas) = (StreamReader::default(), Vec::new());
            let _ = reader.read(&bytes, &bytes, &mut deltas);
            let events: Vec<_> = RECORDED.lines().filter_map(|line| line.strip_prefix("data: ")).collect();
            for (event, cut) in order {
                let event = events[event.index(events.len())].as_bytes();
                let _ = reader.read(b"", &event[..cut.index(event.len())], &mut deltas);
                let _ = reader.read(b"", event, &mut deltas);
            }
            let stops = deltas.iter().filter(|delta| matches!(delta, Delta::Stop(_))).count();
            prop_assert!(stops <= 1);
        }
    }
}
