use super::*;
use serde_json::{Value, json};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

fn read_all(messages: &[Value]) -> Vec<Delta> {
    let (mut thinking, mut out) = (Thinking::default(), Vec::new());
    for message in messages {
        thinking.read(&Fields::of_text(&message.to_string()).expect("an object"), &mut out).expect("reasoning");
    }
    thinking.close(&mut out);
    out
}

/// Texts and seals, short: own ones by their value, others by their label.
fn shown(deltas: &[Delta]) -> Vec<String> {
    let show = |delta: &Delta| match delta {
        Delta::Reasoning(text) => text.clone(),
        Delta::Seal(seal) if seal.origin == Origin::OpenaiChat => format!("| {}", seal.value),
        Delta::Seal(seal) => seal.for_client(Origin::OpenaiChat),
        other => format!("{other:?}"),
    };
    deltas.iter().map(show).collect()
}

fn text(text: &str) -> Value {
    json!({"type": "reasoning.text", "text": text, "index": 0})
}

#[test]
fn reasoning_is_found_wherever_a_server_shows_it() {
    let signed = json!({"type": "reasoning.text", "text": "Hm.", "signature": "s"});
    let encrypted = json!({"type": "reasoning.encrypted", "data": "x", "id": "rs_1"});
    let unknown = json!({"type": "reasoning.new", "secret": [1]});
    for (message, expected) in [
        (json!({"reasoning_content": "Hm."}), vec!["Hm.", "| \"reasoning_content\""]),
        (json!({"reasoning": "Hm."}), vec!["Hm.", "| \"reasoning\""]),
        (json!({"reasoning": "Hm.", "reasoning_content": "Hm."}), vec!["Hm.", "| \"reasoning_content\""]),
        (
            json!({"reasoning": "Hm.", "reasoning_details": [signed]}),
            vec!["Hm.", r#"| {"signature":"s","type":"reasoning.text"}"#],
        ),
        (
            json!({"reasoning_details": [{"type": "reasoning.summary", "summary": "Hm."}, encrypted]}),
            vec![
                "Hm.",
                r#"| {"type":"reasoning.summary"}"#,
                r#"| {"data":"x","id":"rs_1","type":"reasoning.encrypted"}"#,
            ],
        ),
        (
            json!({"reasoning": "Hm.", "reasoning_details": [encrypted]}),
            vec!["Hm.", r#"| {"data":"x","id":"rs_1","type":"reasoning.encrypted"}"#],
        ),
        (json!({"reasoning_details": [unknown]}), vec![r#"| {"secret":[1],"type":"reasoning.new"}"#]),
        (json!({"reasoning_content": "", "reasoning": null, "reasoning_details": []}), vec![]),
        (json!({}), vec![]),
    ] {
        assert_eq!(shown(&read_all(std::slice::from_ref(&message))), expected, "{message}");
    }
}

#[test]
fn pieces_of_one_text_have_one_seal() {
    let chunk = |detail: Value| json!({"reasoning": detail["text"], "reasoning_details": [detail]});
    let signature = json!({"type": "reasoning.text", "signature": "s", "format": "f", "index": 0});
    let other = json!({"type": "reasoning.text", "text": "So.", "index": 1});
    let own = r#"| {"format":"f","index":0,"signature":"s","type":"reasoning.text"}"#;
    let first = r#"| {"index":0,"type":"reasoning.text"}"#;
    let second = r#"| {"index":1,"type":"reasoning.text"}"#;
    for (details, expected) in [
        (vec![text("H"), text("m."), signature.clone()], vec!["H", "m.", own]),
        (vec![text("H"), text("m.")], vec!["H", "m.", first]),
        (vec![text("H"), other.clone()], vec!["H", first, "So.", second]),
        (vec![text("H"), signature, other], vec!["H", own, "So.", second]),
    ] {
        let chunks: Vec<_> = details.into_iter().map(chunk).collect();
        assert_eq!(shown(&read_all(&chunks)), expected, "{chunks:?}");
    }
    let strings = [json!({"reasoning_content": "H"}), json!({"reasoning_content": "m."})];
    assert_eq!(shown(&read_all(&strings)), ["H", "m.", "| \"reasoning_content\""]);
}

#[test]
fn what_was_translated_for_a_client_is_nobodys_own_when_it_comes_back() {
    let labelled = "tollgate:claude:encrypted:x";
    for (detail, expected) in [
        (json!({"type": "reasoning.text", "text": "Hm.", "format": FORMAT}), vec!["Hm."]),
        (
            json!({"type": "reasoning.text", "text": "Hm.", "signature": labelled, "format": FORMAT}),
            vec!["Hm.", labelled],
        ),
        // A client that knows only some fields of an element.
        (json!({"type": "reasoning.text", "text": "Hm.", "signature": labelled}), vec!["Hm.", labelled]),
        (json!({"type": "reasoning.encrypted", "data": labelled, "format": FORMAT}), vec![labelled]),
    ] {
        let message = json!({"reasoning_content": "Hm.", "reasoning_details": [detail]});
        let read = read_all(std::slice::from_ref(&message));
        let told: Vec<_> = shown(&read).into_iter().filter(|told| told != "Hm.").collect();
        assert_eq!(told, expected.into_iter().filter(|told| *told != "Hm.").collect::<Vec<_>>(), "{message}");
    }
}

#[test]
fn the_frame_that_is_kept_while_a_stream_runs_is_bounded() {
    let long = "x".repeat(MAX_FRAME_BYTES);
    let unsigned = json!({"type": "reasoning.text", "text": "Hm.", "id": long});
    assert_eq!(shown(&read_all(&[json!({ "reasoning_details": [unsigned] })])), ["Hm."]);
    let signed = json!({"type": "reasoning.text", "text": "Hm.", "signature": long});
    assert_eq!(read_all(&[json!({ "reasoning_details": [signed] })]).len(), 2, "a signature may be long");
}

#[test]
fn reasoning_that_is_none_is_unreadable() {
    for message in [
        json!({"reasoning_content": 7}),
        json!({"reasoning_details": "x"}),
        json!({"reasoning_details": ["x"]}),
        json!({"reasoning_details": [{"type": 7}]}),
        json!({"reasoning_details": [{"type": "reasoning.text", "text": ["x"]}]}),
    ] {
        let text = message.to_string();
        assert!(Thinking::parts(&Fields::of_text(&text).unwrap()).is_err(), "{message}");
    }
}

fn sealed(text: &str, origin: Origin, kind: SealKind, value: &str) -> Part {
    Part::Reasoning(Reasoning { text: text.into(), seal: Some(Seal { origin, kind, value: value.into() }) })
}

fn unsealed(text: &str) -> Part {
    Part::Reasoning(Reasoning { text: text.into(), seal: None })
}

fn written_for_client(parts: &[Part]) -> Value {
    let mut out = Vec::new();
    let mut json = Writer::new(&mut out);
    json.open_object();
    write_for_client(parts, &mut json);
    json.close_object();
    serde_json::from_slice(&out).expect("JSON")
}

#[test]
fn a_client_is_shown_the_text_and_given_the_seals() {
    let parts = [
        unsealed("One. "),
        sealed("Two.", Origin::Claude, SealKind::Signature, "s"),
        sealed("", Origin::Claude, SealKind::Encrypted, "x"),
        sealed("", Origin::Claude, SealKind::Signature, "y"),
        sealed("Three.", Origin::OpenaiResponses, SealKind::Encrypted, "rs_1 z"),
    ];
    let expected = json!({
        "reasoning_content": "One. Two.Three.",
        "reasoning_details": [
            {"type": "reasoning.text", "text": "One. ", "format": FORMAT, "index": 0},
            {"type": "reasoning.text", "text": "Two.", "signature": "tollgate:claude:signature:s", "format": FORMAT, "index": 1},
            {"type": "reasoning.encrypted", "data": "tollgate:claude:encrypted:x", "format": FORMAT, "index": 2},
            {"type": "reasoning.text", "signature": "tollgate:claude:signature:y", "format": FORMAT, "index": 3},
            {"type": "reasoning.text", "text": "Three.", "signature": "tollgate:openai-responses:encrypted:rs_1 z", "format": FORMAT, "index": 4},
        ],
    });
    assert_eq!(written_for_client(&parts), expected);
    assert_eq!(written_for_client(&[Part::Text("x".into())]), json!({}));
}

#[test]
fn what_this_format_showed_is_shown_the_same_again() {
    for message in [
        json!({"reasoning_content": "Hm."}),
        json!({"reasoning_content": "Hm.", "reasoning_details": [{"type": "reasoning.text", "text": "Hm.", "signature": "s", "index": 3}]}),
        json!({"reasoning_content": "Hm.", "reasoning_details": [
            {"type": "reasoning.summary", "summary": "Hm."}, {"type": "reasoning.encrypted", "data": "x"},
        ]}),
        json!({"reasoning_details": [{"type": "reasoning.new", "secret": [1]}]}),
    ] {
        let text = message.to_string();
        let parts = Thinking::parts(&Fields::of_text(&text).unwrap()).unwrap();
        assert_eq!(written_for_client(&parts), message);
    }
}
