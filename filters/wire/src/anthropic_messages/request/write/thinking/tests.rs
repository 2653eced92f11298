//! What is promised of thinking that is asked for.

use super::*;
use crate::conversation::{Message, Part, Reasoning, Tool, ToolCall, ToolResult};
use crate::signature::{Origin, Seal, SealKind};
use Effort::{High, Low, Max, Medium, Minimal, Xhigh};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

fn thinking(request: &Request, generation: Generation) -> (Thinking, Dropped) {
    let mut dropped = Dropped::default();
    let turns = super::super::turns::turns(request, &mut dropped).unwrap();
    let thinking = Thinking::of(request, generation, &turns, &mut dropped);
    (thinking, dropped)
}

fn message(role: Role, part: Part) -> Message {
    Message { role, parts: vec![part] }
}

fn text(text: &str) -> Part {
    Part::Text(text.to_owned())
}

fn asking(effort: Option<Effort>, budget_tokens: Option<u64>, max_output_tokens: Option<u64>) -> Request {
    Request {
        messages: vec![message(Role::User, text("Hi"))],
        reasoning: Some(ReasoningRequest { effort, budget_tokens, shown: None }),
        max_output_tokens,
        ..Request::default()
    }
}

#[test]
fn every_model_is_told_in_its_own_way() {
    use Generation::{Adaptive, Both, Budgeted, Other};
    for (generation, effort, budget, way, told) in [
        (Other, None, None, Way::Adaptive, None),
        (Other, Some(High), None, Way::Adaptive, Some(High)),
        (Other, Some(Minimal), None, Way::Adaptive, Some(Low)),
        (Other, None, Some(2000), Way::Budget(2000), None),
        (Other, Some(High), Some(2000), Way::Budget(2000), Some(High)),
        (Other, Some(Effort::None), None, Way::Disabled, None),
        (Other, None, Some(0), Way::Disabled, None),
        (Both, Some(Xhigh), None, Way::Adaptive, Some(High)),
        (Both, Some(Max), Some(2000), Way::Budget(2000), Some(Max)),
        (Adaptive, Some(Xhigh), None, Way::Adaptive, Some(Xhigh)),
        (Adaptive, None, Some(512), Way::Adaptive, Some(Low)),
        (Adaptive, None, Some(10_000), Way::Adaptive, Some(High)),
        (Adaptive, None, None, Way::Adaptive, None),
        (Budgeted, None, None, Way::Budget(8192), None),
        (Budgeted, Some(Low), None, Way::Budget(2048), None),
        (Budgeted, Some(Low), Some(5000), Way::Budget(5000), None),
        (Budgeted, Some(Effort::None), None, Way::Disabled, None),
    ] {
        let (thinking, dropped) = thinking(&asking(effort, budget, Some(64_000)), generation);
        assert_eq!((thinking.way, thinking.effort), (way, told), "{generation:?} {effort:?} {budget:?}");
        assert_eq!(thinking.max_tokens, 64_000);
        assert!(dropped.is_empty());
    }
}

#[test]
fn a_budget_gives_way_to_the_clients_bound_and_never_the_other_way_round() {
    for (budget, bound, way, max_tokens, whole) in [
        (2000, Some(4000), Way::Budget(2000), 4000, true),
        (3999, Some(4000), Way::Budget(3999), 4000, true),
        (4000, Some(4000), Way::Budget(2000), 4000, false),
        (9000, Some(4000), Way::Budget(2000), 4000, false),
        (9000, Some(1500), Way::Budget(1024), 1500, false),
        (9000, Some(1025), Way::Budget(1024), 1025, false),
        (9000, Some(1024), Way::Default, 1024, false),
        (9000, Some(0), Way::Default, 0, false),
        (1, Some(4000), Way::Budget(1024), 4000, false),
        (9000, None, Way::Budget(9000), 13_096, true),
        (u64::MAX, Some(u64::MAX), Way::Budget(u64::MAX / 2), u64::MAX, false),
    ] {
        let (thinking, dropped) = thinking(&asking(None, Some(budget), bound), Generation::Other);
        assert_eq!((thinking.way, thinking.max_tokens), (way, max_tokens), "{budget} {bound:?}");
        assert_eq!(dropped.is_empty(), whole, "{budget} {bound:?}");
    }
}

#[test]
fn without_a_bound_there_is_room_for_the_thinking_and_the_answer() {
    for (effort, max_tokens) in [(Some(High), 4096 + 16_384), (None, 4096 + 8192), (Some(Effort::None), 4096)] {
        assert_eq!(thinking(&asking(effort, None, None), Generation::Adaptive).0.max_tokens, max_tokens);
    }
    let request = Request { reasoning: None, ..asking(None, None, None) };
    assert_eq!(thinking(&request, Generation::Adaptive).0.max_tokens, 4096);
}

#[test]
fn a_call_that_must_be_made_is_made_without_thinking() {
    let tool = Tool { name: "f".to_owned(), description: None, parameters: None, strict: None, cache: None };
    for (choice, way, effort) in [
        (ToolChoice::Auto, Way::Adaptive, Some(Medium)),
        (ToolChoice::None, Way::Adaptive, Some(Medium)),
        (ToolChoice::Required, Way::Default, Some(Medium)),
        (ToolChoice::Named("f".to_owned()), Way::Default, Some(Medium)),
    ] {
        let request =
            Request { tools: vec![tool.clone()], tool_choice: Some(choice), ..asking(Some(Medium), None, None) };
        let (thinking, dropped) = thinking(&request, Generation::Other);
        assert_eq!((thinking.way, thinking.effort), (way, effort));
        assert_eq!(dropped.is_empty(), way == Way::Adaptive);
    }
}

#[test]
fn a_turn_that_began_without_thinking_goes_on_without_a_budget() {
    let call = ToolCall { id: "t".to_owned(), name: "f".to_owned(), arguments: "{}".to_owned() };
    let result = ToolResult { id: "t".to_owned(), content: Vec::new(), is_error: false };
    let seal = Some(Seal { origin: Origin::Claude, kind: SealKind::Signature, value: "c2ln".to_owned() });
    let thought = message(Role::Assistant, Part::Reasoning(Reasoning { text: "Hm".to_owned(), seal }));
    let ask = message(Role::User, text("Hi"));
    let call = message(Role::Assistant, Part::ToolCall(call));
    let result = message(Role::User, Part::ToolResult(result));
    let said = message(Role::Assistant, text("So"));
    for (messages, can_think) in [
        (vec![ask.clone()], true),
        (vec![ask.clone(), call.clone(), result.clone()], false),
        (vec![ask.clone(), thought, call.clone(), result.clone()], true),
        (vec![ask.clone(), call.clone(), result.clone(), said.clone(), ask.clone()], true),
        (vec![ask.clone(), said], false),
    ] {
        let request = Request { messages: messages.clone(), ..asking(None, Some(2000), Some(9000)) };
        let (budgeted, dropped) = thinking(&request, Generation::Other);
        assert_eq!(budgeted.way, if can_think { Way::Budget(2000) } else { Way::Default }, "{messages:?}");
        assert_eq!(dropped.is_empty(), can_think);
        let request = Request { messages, ..asking(Some(High), None, Some(9000)) };
        assert_eq!(thinking(&request, Generation::Other).0.way, Way::Adaptive);
    }
}

#[test]
fn what_the_client_wants_to_see_is_said() {
    for (shown, expected) in [
        (None, r#"{"thinking":{"type":"adaptive"}}"#),
        (Some(true), r#"{"thinking":{"type":"adaptive","display":"summarized"}}"#),
        (Some(false), r#"{"thinking":{"type":"adaptive","display":"omitted"}}"#),
    ] {
        let mut request = asking(None, None, None);
        request.reasoning = Some(ReasoningRequest { shown, ..ReasoningRequest::default() });
        let mut json = Vec::new();
        let out = &mut Writer::new(&mut json);
        out.open_object();
        thinking(&request, Generation::Other).0.write(out);
        out.close_object();
        assert_eq!(String::from_utf8(json).unwrap(), expected);
    }
}
