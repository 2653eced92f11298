use super::{Blocks, MAX_WAITING_BYTES, Step, TooMuch};
use crate::signature::{Origin, Seal, SealKind};
use crate::stream::Delta;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

fn text(text: &str) -> Delta {
    Delta::Text(text.to_owned())
}

fn reasoning(text: &str) -> Delta {
    Delta::Reasoning(text.to_owned())
}

fn seal(value: &str) -> Delta {
    Delta::Seal(Seal { origin: Origin::Gemini, kind: SealKind::Signature, value: value.to_owned() })
}

fn call(index: u32) -> Delta {
    Delta::ToolCall { index, id: format!("call_{index}"), name: "f".to_owned() }
}

fn arguments(index: u32, json: &str) -> Delta {
    Delta::ToolArguments { index, json: json.to_owned() }
}

/// The steps in short, each with its block: `0( 0t:Hi 0)`.
fn steps(deltas: &[Delta]) -> String {
    let mut blocks = Blocks::default();
    let mut steps = Vec::new();
    let mut note = |index: u32, step: Step<'_>| {
        steps.push(match step {
            Step::BeginText => format!("{index}(text"),
            Step::BeginReasoning(_) => format!("{index}(reasoning"),
            Step::BeginCall { id, name } => format!("{index}({id}:{name}"),
            Step::Text(said) | Step::Reasoning(said) | Step::Arguments(said) => said.to_owned(),
            Step::Seal { seal, after_text } => format!("{}:{after_text}", seal.value),
            Step::End => format!("{index})"),
        });
    };
    for delta in deltas {
        blocks.push(delta, &mut note).unwrap();
    }
    blocks.end_all(&mut note);
    steps.join(" ")
}

#[test]
fn blocks_follow_one_another() {
    for (deltas, expected) in [
        (vec![], ""),
        (vec![text(""), reasoning("")], ""),
        (vec![text("a"), text("b")], "0(text a b 0)"),
        (vec![reasoning("a"), reasoning("b"), text("c")], "0(reasoning a b 0) 1(text c 1)"),
        (vec![reasoning("a"), seal("s"), text("b")], "0(reasoning a s:true 0) 1(text b 1)"),
        (vec![reasoning("a"), seal("s"), reasoning("b")], "0(reasoning a s:true 0) 1(reasoning b 1)"),
        (vec![seal("s"), call(0)], "0(reasoning s:false 0) 1(call_0:f 1)"),
        (vec![text("a"), seal("s"), seal("t")], "0(text a 0) 1(reasoning s:false 1) 2(reasoning t:false 2)"),
        (
            vec![call(0), arguments(0, "{"), arguments(0, "}"), call(1), arguments(1, "{}"), text("a")],
            "0(call_0:f { } 0) 1(call_1:f {} 1) 2(text a 2)",
        ),
        (vec![Delta::End, Delta::Untranslated { bytes: 3 }], ""),
    ] {
        assert_eq!(steps(&deltas), expected, "{deltas:?}");
    }
}

#[test]
fn what_comes_beside_an_open_call_waits_for_it() {
    let deltas = [
        call(0),
        arguments(0, "{\"a\":"),
        call(1),
        text("x"),
        text("y"),
        reasoning("r"),
        seal("s"),
        arguments(1, "{"),
        arguments(0, "1}"),
        arguments(1, "}"),
        arguments(0, "late"),
    ];
    let expected = "0(call_0:f {\"a\": 1} 0) 1(call_1:f { } 1) 2(text xy 2) 3(reasoning r s:true 3)";
    // What comes of a call that has ended has nothing left to say.
    assert_eq!(steps(&deltas), expected);
    // Nothing is complete: all is written anyway when nothing more can come.
    let expected = "0(call_0:f {\"a\": 0) 1(call_1:f { 1) 2(text xy 2) 3(reasoning r s:true 3)";
    assert_eq!(steps(&deltas[..8]), expected);
}

#[test]
fn what_waits_is_bounded() {
    let mut blocks = Blocks::default();
    let mut ignore = |_: u32, _: Step<'_>| {};
    blocks.push(&call(0), &mut ignore).unwrap();
    let kilobyte = text(&"x".repeat(1024));
    let pushed = (0..2000).find(|_| blocks.push(&kilobyte, &mut ignore).is_err()).unwrap();
    assert!(pushed <= MAX_WAITING_BYTES / 1024);
    assert!(blocks.waiting.is_empty());

    let mut blocks = Blocks::default();
    let refused = (0..u32::MAX).find_map(|index| blocks.push(&call(index), &mut ignore).err());
    assert_eq!(refused, Some(TooMuch));
}
