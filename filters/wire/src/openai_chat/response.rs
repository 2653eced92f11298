//! Whole answers.

use crate::conversation::{Part, Response, ToolCall};
use crate::error::Malformed;
use crate::few::Few;
use crate::openai_chat::error::refuse_inner_error;
use crate::openai_chat::request::{ToolCallOut, write_tool_calls};
use crate::openai_chat::usage::{self, WireUsage};
use crate::openai_chat::{Arguments, Said, finish_reason, made_up_id, read_finish_reason};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

#[derive(Deserialize)]
struct ResponseIn<'a> {
    id: Option<String>,
    model: Option<String>,
    choices: Option<Few<ChoiceIn>>,
    #[serde(borrow)]
    usage: Option<&'a RawValue>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct ChoiceIn {
    message: MessageIn,
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct MessageIn {
    content: Option<Said>,
    refusal: Option<String>,
    tool_calls: Option<Few<ToolCallIn>>,
}

#[derive(Deserialize)]
struct ToolCallIn {
    id: Option<String>,
    /// `None`: a custom tool's, which only OpenAI has.
    function: Option<CalledIn>,
}

#[derive(Deserialize)]
struct CalledIn {
    name: String,
    #[serde(default)]
    arguments: Arguments,
}

/// Reads a whole answer; see [`Format::read_response`](crate::Format::read_response).
///
/// # Errors
/// When the body is not a chat completion with at least one choice, or is an error object inside a 200.
pub fn read_response(body: &[u8]) -> Result<Response, Malformed> {
    let unreadable = || Malformed::Unreadable("the answer is not a readable chat completion".to_owned());
    let response: ResponseIn<'_> = serde_json::from_slice(body).map_err(|_| unreadable())?;
    refuse_inner_error(response.error)?;
    let choice = response.choices.unwrap_or_default().0.into_iter().next().ok_or_else(unreadable)?;
    let calls = choice.message.tool_calls.unwrap_or_default().0;
    let refused = choice.message.refusal.as_ref().is_some_and(|text| !text.is_empty());
    let stop = read_finish_reason(choice.finish_reason.as_deref().unwrap_or_default(), !calls.is_empty(), refused);
    let texts = [choice.message.content.map(|said| said.0), choice.message.refusal].into_iter().flatten();
    let texts = texts.filter(|text| !text.is_empty()).map(Part::Text);
    let calls = calls.into_iter().enumerate().filter_map(|(index, call)| read_tool_call(index, call));
    Ok(Response {
        id: response.id.unwrap_or_default(),
        model: response.model.unwrap_or_default(),
        parts: texts.chain(calls).collect(),
        stop,
        usage: usage::read(response.usage),
        untranslated_bytes: 0,
    })
}

fn read_tool_call(index: usize, call: ToolCallIn) -> Option<Part> {
    let function = call.function?;
    let id = call.id.filter(|id| !id.is_empty()).unwrap_or_else(|| made_up_id(index));
    Some(Part::ToolCall(ToolCall { id, name: function.name, arguments: function.arguments.0 }))
}

#[derive(Serialize)]
struct ResponseOut<'a> {
    id: &'a str,
    object: &'static str,
    created: u64,
    model: &'a str,
    choices: [ChoiceOut<'a>; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<WireUsage>,
}

#[derive(Serialize)]
struct ChoiceOut<'a> {
    index: u32,
    message: MessageOut<'a>,
    logprobs: Option<()>,
    finish_reason: &'static str,
}

#[derive(Serialize)]
struct MessageOut<'a> {
    role: &'static str,
    content: Option<String>,
    refusal: Option<()>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<ToolCallOut<'a>>,
}

/// Writes a whole answer; see [`Format::write_response`](crate::Format::write_response).
#[must_use]
pub fn write_response(response: &Response, created: u64) -> Vec<u8> {
    let text: String = response.parts.iter().filter_map(text_of).collect();
    let tool_calls = write_tool_calls(&response.parts);
    let content = (!text.is_empty() || tool_calls.is_empty()).then_some(text);
    let message = MessageOut { role: "assistant", content, refusal: None, tool_calls };
    let body = ResponseOut {
        id: &response.id,
        object: "chat.completion",
        created,
        model: &response.model,
        choices: [ChoiceOut { index: 0, message, logprobs: None, finish_reason: finish_reason(response.stop) }],
        usage: response.usage.as_ref().map(WireUsage::from),
    };
    serde_json::to_vec(&body).unwrap_or_default()
}

fn text_of(part: &Part) -> Option<&str> {
    if let Part::Text(text) = part { Some(text) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conversation::StopReason;
    use crate::error::ErrorKind;
    use crate::usage::Usage;
    use serde_json::{Value, json};
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    /// Texts and calls of an answer, short.
    fn shown(parts: &[Part]) -> Vec<String> {
        let show = |part: &Part| match part {
            Part::Text(text) => text.clone(),
            Part::ToolCall(call) => format!("{} {}({})", call.id, call.name, call.arguments),
            other => format!("{other:?}"),
        };
        parts.iter().map(show).collect()
    }

    fn with_choice(choice: &Value) -> Response {
        read_response(json!({"id": "c", "model": "m", "choices": [choice]}).to_string().as_bytes()).expect("an answer")
    }

    #[test]
    fn an_answer_is_read_with_its_usage_taken_apart() {
        let body = include_bytes!("../../tests/fixtures/openai_chat/response_cached.json");
        let response = read_response(body).unwrap();
        assert_eq!((&*response.id, &*response.model), ("chatcmpl-CcR4wXv2", "gpt-5-2025-08-07"));
        assert_eq!(shown(&response.parts), ["Tolls were paid at gates."]);
        assert_eq!(response.stop, StopReason::End);
        let expected = Usage {
            input_fresh: 200,
            input_cache_read: 800,
            output_text: 50,
            output_reasoning: 150,
            ..Usage::default()
        };
        assert_eq!(response.usage, Some(expected));
    }

    #[test]
    fn tool_calls_keep_id_name_and_arguments() {
        let body = include_bytes!("../../tests/fixtures/openai_chat/response_tool_calls.json");
        let response = read_response(body).unwrap();
        assert_eq!(
            shown(&response.parts),
            [r#"call_oXw1 get_weather({"city":"Oslo"})"#, r#"call_p2Kq get_weather({"city":"Bergen"})"#]
        );
        assert_eq!((response.stop, response.usage), (StopReason::ToolUse, None));
    }

    #[test]
    fn compatible_servers_may_leave_out_ids_and_send_arguments_as_an_object() {
        let calls = json!([{"function": {"name": "f", "arguments": {"a": 1}}}, {"id": "", "function": {"name": "g"}}]);
        let response = with_choice(&json!({"message": {"content": "", "tool_calls": calls}, "finish_reason": "stop"}));
        assert_eq!(shown(&response.parts), [r#"call_0 f({"a":1})"#, "call_1 g()"]);
    }

    #[test]
    fn of_content_in_parts_the_texts_are_the_answer() {
        let content = json!([{"type": "thinking", "thinking": [{"text": "hm"}]}, {"type": "text", "text": "Oslo"}]);
        assert_eq!(shown(&with_choice(&json!({"message": {"content": content}})).parts), ["Oslo"]);
    }

    #[test]
    fn every_finish_reason_has_its_meaning() {
        let call = json!([{"id": "x", "function": {"name": "f", "arguments": "{}"}}]);
        for (message, reason, expected) in [
            (json!({"content": "a"}), json!("stop"), StopReason::End),
            (json!({"content": "a"}), json!(null), StopReason::End),
            (json!({"content": "a"}), json!("length"), StopReason::MaxTokens),
            (json!({"content": "a"}), json!("content_filter"), StopReason::Refused),
            (json!({"content": null, "refusal": "no"}), json!("stop"), StopReason::Refused),
            (json!({"tool_calls": call}), json!("tool_calls"), StopReason::ToolUse),
            (json!({"tool_calls": call}), json!("function_call"), StopReason::ToolUse),
            (json!({"tool_calls": call}), json!("stop"), StopReason::ToolUse),
            (json!({"tool_calls": call}), json!("length"), StopReason::MaxTokens),
        ] {
            let response = with_choice(&json!({"message": message, "finish_reason": reason}));
            assert_eq!(response.stop, expected, "{message} {reason}");
        }
    }

    #[test]
    fn an_error_inside_a_200_is_an_error() {
        let body = br#"{"error":{"message":"busy","type":"service_unavailable_error","code":"server_is_overloaded"}}"#;
        let Err(Malformed::Error(error)) = read_response(body) else { panic!("an error") };
        assert_eq!((error.status, error.kind, &*error.message), (503, ErrorKind::Overloaded, "busy"));
    }

    #[test]
    fn a_null_error_is_none() {
        let body = br#"{"error":null,"choices":[{"message":{"content":"hi"},"finish_reason":"stop"}]}"#;
        assert_eq!(shown(&read_response(body).unwrap().parts), ["hi"]);
    }

    #[test]
    fn what_is_no_answer_is_unreadable() {
        for body in ["", "{", "{}", r#"{"choices":[]}"#, r#"{"choices":null}"#, r#"{"choices":[{}]}"#, "[1]"] {
            assert!(matches!(read_response(body.as_bytes()), Err(Malformed::Unreadable(_))), "{body}");
        }
    }

    #[test]
    fn a_written_answer_has_openais_shape() {
        let call = ToolCall { id: "toolu_1".into(), name: "f".into(), arguments: "{\"a\":1}".into() };
        let response = Response {
            id: "msg_1".into(),
            model: "claude".into(),
            parts: vec![Part::Text("Let me ".into()), Part::Text("look.".into()), Part::ToolCall(call)],
            stop: StopReason::ToolUse,
            usage: Some(Usage { input_fresh: 10, input_cache_read: 30, output_text: 5, ..Usage::default() }),
        };
        let written: Value = serde_json::from_slice(&write_response(&response, 1_700_000_000)).unwrap();
        let expected = json!({
            "id": "msg_1", "object": "chat.completion", "created": 1_700_000_000, "model": "claude",
            "choices": [{
                "index": 0, "logprobs": null, "finish_reason": "tool_calls",
                "message": {
                    "role": "assistant", "content": "Let me look.", "refusal": null,
                    "tool_calls": [
                        {"id": "toolu_1", "type": "function", "function": {"name": "f", "arguments": "{\"a\":1}"}}
                    ],
                },
            }],
            "usage": {
                "prompt_tokens": 40, "completion_tokens": 5, "total_tokens": 45,
                "prompt_tokens_details": {"cached_tokens": 30, "cache_write_tokens": 0, "audio_tokens": 0},
                "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
            },
        });
        assert_eq!(written, expected);
    }

    #[test]
    fn content_is_null_only_beside_tool_calls() {
        let call = Part::ToolCall(ToolCall { id: "i".into(), name: "f".into(), arguments: "{}".into() });
        for (parts, expected) in [(vec![], json!("")), (vec![call], Value::Null)] {
            let response =
                Response { id: String::new(), model: String::new(), parts, stop: StopReason::End, usage: None };
            let written: Value = serde_json::from_slice(&write_response(&response, 0)).unwrap();
            assert_eq!(written["choices"][0]["message"]["content"], expected);
            assert_eq!(written.get("usage"), None);
        }
    }
}
