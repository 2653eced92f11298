use super::*;
use crate::openai_responses::stream::items::MAX_KEPT_BYTES;
use crate::signature::{Origin, SealKind};
use serde_json::{Value, json};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

/// The data of every event. Their names are their types, and they are numbered.
fn write(deltas: &[Delta]) -> Vec<Value> {
    let (mut writer, mut out) = (StreamWriter::new(17), Vec::new());
    for delta in deltas {
        writer.write(delta, &mut out);
    }
    let events = String::from_utf8(out).unwrap();
    let event = |(number, event): (usize, &str)| {
        let (name, data) = event.split_once('\n').unwrap();
        let data: Value = serde_json::from_str(data.strip_prefix("data: ").unwrap()).unwrap();
        assert_eq!(name.strip_prefix("event: "), data["type"].as_str());
        assert_eq!(data["sequence_number"], number);
        data
    };
    events.split_terminator("\n\n").enumerate().map(event).collect()
}

/// The events, one line each.
fn lines(deltas: &[Delta]) -> Vec<String> {
    let line = |event: &Value| {
        let kind = event["type"].as_str().unwrap().trim_start_matches("response.").to_owned();
        let index = event["output_index"].as_u64().map_or(String::new(), |index| format!(" {index}"));
        let said = ["delta", "text", "arguments"].iter().find_map(|name| event[*name].as_str());
        format!("{kind}{index}{}", said.map_or(String::new(), |said| format!(" {said}")))
    };
    write(deltas).iter().map(line).collect()
}

fn start() -> Delta {
    Delta::Start { id: "r".into(), model: "m".into() }
}

fn text(text: &str) -> Delta {
    Delta::Text(text.to_owned())
}

fn call(index: u32) -> Delta {
    Delta::ToolCall { index, id: format!("c{index}"), name: "f".to_owned() }
}

fn arguments(index: u32, json: &str) -> Delta {
    Delta::ToolArguments { index, json: json.to_owned() }
}

fn seal(origin: Origin, value: &str) -> Delta {
    Delta::Seal(Seal { origin, kind: SealKind::Encrypted, value: value.to_owned() })
}

const STOP: Delta = Delta::Stop(StopReason::End);

#[test]
fn events_come_in_openais_order() {
    let usage = Usage { input_fresh: 3, output_text: 4, ..Usage::NONE };
    let deltas = [
        start(),
        Delta::Reasoning("H".into()),
        Delta::Reasoning("m".into()),
        seal(Origin::Claude, "c2ln"),
        text("I "),
        text("look"),
        call(0),
        arguments(0, "{\"a\""),
        arguments(0, ":1}"),
        Delta::Stop(StopReason::ToolUse),
        Delta::Usage(usage),
        Delta::End,
        text("more"),
    ];
    let expected = [
        "created",
        "in_progress",
        "output_item.added 0",
        "reasoning_summary_part.added 0",
        "reasoning_summary_text.delta 0 H",
        "reasoning_summary_text.delta 0 m",
        "reasoning_summary_text.done 0 Hm",
        "reasoning_summary_part.done 0",
        "output_item.done 0",
        "output_item.added 1",
        "content_part.added 1",
        "output_text.delta 1 I ",
        "output_text.delta 1 look",
        "output_text.done 1 I look",
        "content_part.done 1",
        "output_item.done 1",
        "output_item.added 2",
        "function_call_arguments.delta 2 {\"a\"",
        "function_call_arguments.delta 2 :1}",
        "function_call_arguments.done 2 {\"a\":1}",
        "output_item.done 2",
        "completed",
    ];
    assert_eq!(lines(&deltas), expected);
}

#[test]
fn the_last_event_repeats_the_items_as_they_were_done() {
    let deltas =
        [start(), Delta::Reasoning("Hm".into()), text("Hi"), call(0), Delta::Stop(StopReason::ToolUse), Delta::End];
    let events = write(&deltas);
    let done = |event: &&Value| event["type"] == "response.output_item.done";
    let items: Vec<_> = events.iter().filter(done).map(|event| event["item"].clone()).collect();
    let response = &events.last().unwrap()["response"];
    assert_eq!(response["output"], json!(items));
    assert_eq!(
        (&response["id"], &response["model"], &response["status"], &response["created_at"]),
        (&json!("r"), &json!("m"), &json!("completed"), &json!(17))
    );
    assert_eq!(items[1]["content"][0]["text"], "Hi");
    assert_eq!(
        items[2],
        json!({ "id": "fc_r_2", "type": "function_call", "status": "completed", "call_id": "c0",
        "name": "f", "arguments": "{}" })
    );
    let begun = &events[2]["item"];
    assert_eq!((&begun["id"], &begun["summary"]), (&json!("rs_r_0"), &json!([])));
}

#[test]
fn calls_side_by_side_stay_open_until_they_are_complete() {
    let deltas = [
        start(),
        call(0),
        call(1),
        arguments(1, "{}"),
        arguments(0, "{"),
        text("Hm"),
        arguments(0, "}"),
        call(2),
        STOP,
    ];
    let lines = lines(&deltas);
    assert_eq!(
        lines[2..],
        [
            "output_item.added 0",
            "output_item.added 1",
            "function_call_arguments.delta 1 {}",
            "function_call_arguments.delta 0 {",
            "function_call_arguments.done 1 {}",
            "output_item.done 1",
            "output_item.added 2",
            "content_part.added 2",
            "output_text.delta 2 Hm",
            "function_call_arguments.delta 0 }",
            "output_text.done 2 Hm",
            "content_part.done 2",
            "output_item.done 2",
            "output_item.added 3",
            "function_call_arguments.done 0 {}",
            "output_item.done 0",
            "function_call_arguments.delta 3 {}",
            "function_call_arguments.done 3 {}",
            "output_item.done 3",
        ]
    );
}

#[test]
fn a_seal_on_its_own_is_an_item_of_its_own() {
    let deltas = [start(), seal(Origin::Gemini, "c2ln"), seal(Origin::OpenaiResponses, "rs_9 gAAA"), STOP, Delta::End];
    let events = write(&deltas);
    let output = &events.last().unwrap()["response"]["output"];
    assert_eq!(
        *output,
        json!([
            { "id": "rs_r_0", "type": "reasoning", "summary": [], "encrypted_content": "tollgate:gemini:encrypted:c2ln" },
            { "id": "rs_9", "type": "reasoning", "summary": [], "encrypted_content": "gAAA" },
        ])
    );
}

#[test]
fn what_comes_without_a_start_makes_one() {
    for deltas in [vec![text("x")], vec![call(0)], vec![seal(Origin::Claude, "x")], vec![Delta::End]] {
        assert_eq!(lines(&deltas)[..2], ["created", "in_progress"]);
    }
    assert!(lines(&[Delta::Reasoning(String::new()), text(""), STOP]).is_empty());
}

#[test]
fn an_answer_cut_short_is_incomplete_and_so_is_its_last_item() {
    for (stop, event, status) in [
        (StopReason::MaxTokens, "response.incomplete", "incomplete"),
        (StopReason::Refused, "response.incomplete", "incomplete"),
        (StopReason::StopSequence, "response.completed", "completed"),
    ] {
        let events = write(&[start(), text("x"), Delta::Stop(stop), Delta::Stop(StopReason::End), Delta::End]);
        let last = events.last().unwrap();
        assert_eq!((&last["type"], &last["response"]["status"]), (&json!(event), &json!(status)));
        assert_eq!(last["response"]["output"][0]["status"], status);
    }
}

#[test]
fn a_call_cut_before_its_arguments_is_not_a_call_without_any() {
    for (stop, arguments) in [(StopReason::ToolUse, "{}"), (StopReason::MaxTokens, "")] {
        let events = write(&[start(), call(0), Delta::Stop(stop), Delta::End]);
        assert_eq!(events.last().unwrap()["response"]["output"][0]["arguments"], arguments);
    }
}

#[test]
fn an_error_has_its_fields_in_the_event_and_in_an_object() {
    let error = ApiError { code: Some("overloaded".into()), ..ApiError::new(ErrorKind::Overloaded, "busy") };
    let events = write(&[start(), text("x"), Delta::Error(error), text("more"), Delta::End]);
    let expected = json!({ "type": "error", "sequence_number": 5, "message": "busy", "code": "overloaded",
        "param": null, "error": { "message": "busy", "type": "service_unavailable_error", "param": null,
        "code": "overloaded" } });
    assert_eq!(*events.last().unwrap(), expected);
}

#[test]
fn what_does_not_fit_is_streamed_and_repeated_nowhere() {
    let piece = "x".repeat(MAX_KEPT_BYTES / 2);
    let mut deltas = vec![start(), Delta::Reasoning("Hm".into()), text(&piece), text(&piece), text("end")];
    deltas.extend([call(0), arguments(0, "{}"), call(1), STOP, Delta::End]);
    let events = write(&deltas);
    let of = |kind: &str| events.iter().filter(|event| event["type"] == kind).count();
    assert_eq!((of("response.output_text.delta"), of("response.output_text.done")), (3, 0));
    assert_eq!((of("response.output_item.added"), of("response.output_item.done")), (4, 1));
    assert_eq!(of("response.function_call_arguments.delta"), 1);
    let last = events.last().unwrap();
    assert_eq!(last["type"], "response.incomplete");
    assert_eq!(last["response"]["incomplete_details"]["reason"], "max_output_tokens");
    assert_eq!(last["response"]["output"].as_array().unwrap().len(), 1);
}

#[test]
fn memory_is_bounded_whatever_comes() {
    let (mut writer, mut out) = (StreamWriter::new(0), Vec::new());
    let long = "n".repeat(4 * 1024);
    for index in 0..10_000_u32 {
        let call = Delta::ToolCall { index, id: long.clone(), name: long.clone() };
        for delta in [call, Delta::Seal(Seal { value: long.clone(), ..own() }), text(&long)] {
            writer.write(&delta, &mut out);
        }
        if index % 64 == 0 {
            out.clear();
        }
    }
    let kept = |item: &Item| {
        item.id.len()
            + item.text.len()
            + match &item.kind {
                Kind::Call { id, name, .. } => id.len() + name.len(),
                Kind::Reasoning { encrypted } => encrypted.as_ref().map_or(0, String::len),
                Kind::Message => 0,
            }
    };
    assert!(writer.items.all.iter().map(kept).sum::<usize>() <= 2 * MAX_KEPT_BYTES);
    assert!(writer.items.all.len() <= MAX_ITEMS && writer.ended);
}

fn own() -> Seal {
    Seal { origin: Origin::OpenaiResponses, kind: SealKind::Encrypted, value: String::new() }
}

#[cfg(not(target_arch = "wasm32"))]
mod properties {
    use super::*;
    use proptest::prelude::*;

    fn delta() -> impl Strategy<Value = Delta> {
        prop_oneof![
            "[a-z]{0,3}".prop_map(Delta::Text),
            "[a-z]{0,3}".prop_map(Delta::Reasoning),
            Just(seal(Origin::Claude, "c2ln")),
            Just(seal(Origin::OpenaiResponses, "rs_9 gAAA")),
            (0_u32..4).prop_map(call),
            (0_u32..4, "[{}]|[0-9]").prop_map(|(index, json)| arguments(index, &json)),
            Just(Delta::Stop(StopReason::End)),
            Just(Delta::Untranslated { bytes: 3 }),
        ]
    }

    fn read(events: &[Value]) -> Vec<Delta> {
        let (mut reader, mut deltas) = (crate::openai_responses::StreamReader::default(), Vec::new());
        for event in events {
            reader.read(b"", event.to_string().as_bytes(), &mut deltas).unwrap();
        }
        deltas
    }

    /// Text and reasoning of a stream, in their order.
    fn said(deltas: &[Delta]) -> (String, String) {
        let (mut text, mut thoughts) = (String::new(), String::new());
        for delta in deltas {
            match delta {
                Delta::Text(piece) => text.push_str(piece),
                Delta::Reasoning(piece) => thoughts.push_str(piece),
                _ => {}
            }
        }
        (text, thoughts)
    }

    proptest! {
        #[test]
        fn every_item_is_begun_and_done_once_and_repeated_at_the_end(deltas in prop::collection::vec(delta(), 0..40)) {
            let events = write(&[deltas.as_slice(), &[Delta::End]].concat());
            let indexes = |kind: &str| -> Vec<u64> {
                let of = events.iter().filter(|event| event["type"] == kind);
                of.map(|event| event["output_index"].as_u64().unwrap()).collect()
            };
            let added = indexes("response.output_item.added");
            prop_assert_eq!(&added, &(0..added.len() as u64).collect::<Vec<_>>());
            let mut done = indexes("response.output_item.done");
            done.sort_unstable();
            prop_assert_eq!(&done, &added);
            let output = events.last().unwrap()["response"]["output"].as_array().unwrap();
            prop_assert_eq!(output.len(), added.len());
            for event in events.iter().filter(|event| event["type"] == "response.output_item.done") {
                let index = usize::try_from(event["output_index"].as_u64().unwrap()).unwrap();
                prop_assert_eq!(&event["item"], &output[index]);
            }
        }

        #[test]
        fn what_is_written_reads_back(deltas in prop::collection::vec(delta(), 0..40)) {
            let events = write(&[deltas.as_slice(), &[Delta::End]].concat());
            let returned = read(&events);
            prop_assert_eq!(said(&returned), said(&deltas));
            // The done events and the last one say it all again: without the pieces nothing is lost.
            let whole: Vec<_> = events
                .iter()
                .filter(|event| !event["type"].as_str().unwrap().ends_with(".delta"))
                .cloned()
                .collect();
            prop_assert_eq!(said(&read(&whole)), said(&deltas));
            prop_assert_eq!(returned.last(), Some(&Delta::End));
        }
    }
}
