//! Whole answers.

use super::arguments::as_object;
use super::error::Fault;
use super::usage::{Figures, Written};
use super::{to_json, unreadable};
use crate::conversation::{Part, Response, StopReason, ToolCall};
use crate::error::Malformed;
use crate::few::Few;
use crate::usage::Usage;
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};

/// The name that arguments are written under when they are not a JSON object.
const MALFORMED_ARGUMENTS: &str = "malformed_arguments";

/// Reads a whole successful JSON answer. Thinking, and what Anthropic's own tools did, is skipped: no other format has
/// a place for it.
///
/// # Errors
/// When the body is not a Messages answer, or is an error object inside a 200.
pub fn read_response(body: &[u8]) -> Result<Response, Malformed> {
    #[derive(Deserialize)]
    struct Answer<'a> {
        id: Option<String>,
        model: Option<String>,
        #[serde(borrow)]
        content: Option<Few<Block<'a>>>,
        stop_reason: Option<String>,
        usage: Option<Figures>,
        error: Option<Fault>,
    }
    let answer: Answer<'_> = serde_json::from_slice(body).map_err(|cause| unreadable("the answer", &cause))?;
    if let Some(fault) = answer.error {
        return Err(Malformed::Error(fault.into_error()));
    }
    let blocks = answer.content.ok_or_else(|| Malformed::Unreadable("the answer has no content".to_owned()))?.0;
    let parts: Vec<Part> = blocks.into_iter().filter_map(Block::into_part).collect();
    let calls_tools = parts.iter().any(|part| matches!(part, Part::ToolCall(_)));
    Ok(Response {
        id: answer.id.unwrap_or_default(),
        model: answer.model.unwrap_or_default(),
        stop: stop_reason(answer.stop_reason.as_deref(), calls_tools),
        parts,
        usage: answer.usage.and_then(|figures| figures.usage()),
        untranslated_bytes: 0,
    })
}

/// A content block of an answer; `type` decides which fields count.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Block<'a> {
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) text: Option<String>,
    pub(super) id: Option<String>,
    pub(super) name: Option<String>,
    #[serde(borrow)]
    pub(super) input: Option<&'a RawValue>,
}

impl Block<'_> {
    fn into_part(self) -> Option<Part> {
        match self.kind.as_str() {
            "text" => self.text.filter(|text| !text.is_empty()).map(Part::Text),
            "tool_use" => Some(Part::ToolCall(ToolCall {
                id: self.id.unwrap_or_default(),
                name: self.name.unwrap_or_default(),
                arguments: self.input.map_or("{}", RawValue::get).to_owned(),
            })),
            _ => None,
        }
    }
}

/// What Anthropic's `stop_reason` means. Where a server gives none or a new one, what was said decides.
pub(super) fn stop_reason(name: Option<&str>, calls_tools: bool) -> StopReason {
    match name {
        Some("end_turn" | "pause_turn") => StopReason::End,
        Some("max_tokens" | "model_context_window_exceeded") => StopReason::MaxTokens,
        Some("stop_sequence") => StopReason::StopSequence,
        Some("tool_use") => StopReason::ToolUse,
        Some("refusal") => StopReason::Refused,
        _ if calls_tools => StopReason::ToolUse,
        _ => StopReason::End,
    }
}

/// Anthropic's name of a stop reason.
pub(super) const fn stop_reason_name(stop: StopReason) -> &'static str {
    match stop {
        StopReason::End => "end_turn",
        StopReason::MaxTokens => "max_tokens",
        StopReason::StopSequence => "stop_sequence",
        StopReason::ToolUse => "tool_use",
        StopReason::Refused => "refusal",
    }
}

/// A Messages answer, whole or as `message_start` carries it. The official clients require every field.
#[derive(Debug, Serialize)]
pub(super) struct Message<'a> {
    id: &'a str,
    r#type: &'static str,
    role: &'static str,
    model: &'a str,
    content: Vec<Content<'a>>,
    stop_reason: Option<&'static str>,
    stop_sequence: Option<&'static str>,
    usage: Written,
}

/// A content block to be written.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Content<'a> {
    Text { text: &'a str },
    ToolUse { id: &'a str, name: &'a str, input: Box<RawValue> },
}

impl<'a> Message<'a> {
    /// The answer at its beginning, when nothing was said yet.
    pub(super) fn begun(id: &'a str, model: &'a str, usage: &Usage) -> Self {
        Self {
            id,
            r#type: "message",
            role: "assistant",
            model,
            content: Vec::new(),
            stop_reason: None,
            stop_sequence: None,
            usage: Written::whole(usage),
        }
    }
}

/// Writes a whole successful JSON answer. Which stop sequence came up is not known here, so `stop_sequence` is null.
#[must_use]
pub fn write_response(response: &Response) -> Vec<u8> {
    let usage = response.usage.unwrap_or_default();
    to_json(&Message {
        content: response.parts.iter().filter_map(content).collect(),
        stop_reason: Some(stop_reason_name(response.stop)),
        ..Message::begun(&response.id, &response.model, &usage)
    })
}

fn content(part: &Part) -> Option<Content<'_>> {
    match part {
        Part::Text(text) => (!text.is_empty()).then_some(Content::Text { text }),
        Part::ToolCall(call) => {
            Some(Content::ToolUse { id: &call.id, name: &call.name, input: tool_input(&call.arguments) })
        }
        _ => None,
    }
}

/// `input` must be an object. Where the model wrote none, or was cut off, the text goes under a name that no schema
/// has: an empty object could be taken for a call that means everything.
pub(super) fn tool_input(arguments: &str) -> Box<RawValue> {
    as_object(arguments).unwrap_or_else(|| {
        let wrapped = serde_json::json!({ MALFORMED_ARGUMENTS: arguments });
        to_raw_value(&wrapped).unwrap_or_default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn text_and_calls_are_read_and_the_rest_is_skipped() {
        let body = br#"{"id":"msg_1","type":"message","role":"assistant","model":"claude-x","content":[
            {"type":"thinking","thinking":"Hm","signature":"c2ln"},
            {"type":"redacted_thinking","data":"b3BhcXVl"},
            {"type":"text","text":"I look.","citations":null},
            {"type":"server_tool_use","id":"srvtoolu_1","name":"web_search","input":{"query":"x"}},
            {"type":"web_search_tool_result","tool_use_id":"srvtoolu_1","content":[]},
            {"type":"text","text":""},
            {"type":"tool_use","id":"toolu_1","name":"look","input":{"big": 12345678901234567890.0}}],
            "stop_reason":"tool_use","stop_sequence":null,
            "usage":{"input_tokens":10,"cache_read_input_tokens":5000,"cache_creation_input_tokens":3000,
            "cache_creation":{"ephemeral_5m_input_tokens":1000,"ephemeral_1h_input_tokens":2000},
            "output_tokens":300,"output_tokens_details":{"thinking_tokens":100},"service_tier":"standard"}}"#;
        let response = read_response(body).unwrap();
        assert_eq!((response.id.as_str(), response.model.as_str()), ("msg_1", "claude-x"));
        let [Part::Text(text), Part::ToolCall(call)] = response.parts.as_slice() else { panic!("{response:?}") };
        assert_eq!(text, "I look.");
        assert_eq!((call.id.as_str(), call.name.as_str()), ("toolu_1", "look"));
        assert_eq!(call.arguments, r#"{"big": 12345678901234567890.0}"#);
        assert_eq!(response.stop, StopReason::ToolUse);
        let usage = Usage {
            input_fresh: 10,
            input_cache_read: 5000,
            input_cache_write_5m: 1000,
            input_cache_write_1h: 2000,
            output_text: 200,
            output_reasoning: 100,
            ..Usage::default()
        };
        assert_eq!(response.usage, Some(usage));
    }

    #[test]
    fn an_answer_without_figures_has_no_usage() {
        for usage in ["", r#","usage":null"#, r#","usage":{}"#, r#","usage":{"input_tokens":0,"output_tokens":0}"#] {
            let body = format!(r#"{{"content":[]{usage}}}"#);
            assert_eq!(read_response(body.as_bytes()).unwrap().usage, None, "{usage}");
        }
    }

    #[test]
    fn every_stop_reason_is_understood() {
        for (name, calls_tools, expected) in [
            (Some("end_turn"), false, StopReason::End),
            (Some("pause_turn"), false, StopReason::End),
            (Some("max_tokens"), true, StopReason::MaxTokens),
            (Some("model_context_window_exceeded"), false, StopReason::MaxTokens),
            (Some("stop_sequence"), false, StopReason::StopSequence),
            (Some("tool_use"), true, StopReason::ToolUse),
            (Some("refusal"), false, StopReason::Refused),
            (Some("a_new_reason"), false, StopReason::End),
            (Some("a_new_reason"), true, StopReason::ToolUse),
            (None, false, StopReason::End),
        ] {
            assert_eq!(stop_reason(name, calls_tools), expected, "{name:?}");
        }
    }

    #[test]
    fn every_stop_reason_reads_back_as_itself() {
        for stop in
            [StopReason::End, StopReason::MaxTokens, StopReason::StopSequence, StopReason::ToolUse, StopReason::Refused]
        {
            assert_eq!(stop_reason(Some(stop_reason_name(stop)), false), stop);
        }
    }

    #[test]
    fn an_error_inside_a_success_is_an_error() {
        let body = br#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#;
        let Err(Malformed::Error(error)) = read_response(body) else { panic!("read as an answer") };
        assert_eq!((error.status, error.kind), (529, ErrorKind::Overloaded));
    }

    #[test]
    fn what_is_no_answer_is_refused_without_quoting_it() {
        for body in [&b""[..], b"secret", b"{}", br#"{"content":"secret"}"#, br#"{"content":[]} secret"#, b"\xff"] {
            let refusal = read_response(body).unwrap_err();
            assert!(matches!(&refusal, Malformed::Unreadable(why) if !why.contains("secret")), "{refusal:?}");
        }
    }

    fn response(parts: Vec<Part>, usage: Option<Usage>) -> Response {
        Response { id: "msg_1".to_owned(), model: "m".to_owned(), parts, stop: StopReason::End, usage }
    }

    #[test]
    fn an_answer_is_written_with_every_field_that_the_official_clients_require() {
        let call = ToolCall { id: "t".to_owned(), name: "f".to_owned(), arguments: "{\"a\": 1}".to_owned() };
        let parts = vec![Part::Text("Hi".to_owned()), Part::Text(String::new()), Part::ToolCall(call)];
        let usage = Usage { input_fresh: 1, output_text: 2, output_reasoning: 3, ..Usage::default() };
        assert_eq!(
            String::from_utf8(write_response(&response(parts, Some(usage)))).unwrap(),
            concat!(
                r#"{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"Hi"},"#,
                r#"{"type":"tool_use","id":"t","name":"f","input":{"a": 1}}],"stop_reason":"end_turn","#,
                r#""stop_sequence":null,"usage":{"input_tokens":1,"cache_creation_input_tokens":0,"#,
                r#""cache_read_input_tokens":0,"cache_creation":{"ephemeral_5m_input_tokens":0,"#,
                r#""ephemeral_1h_input_tokens":0},"output_tokens":5,"output_tokens_details":{"thinking_tokens":3}}}"#,
            )
        );
        assert!(write_response(&response(Vec::new(), None)).ends_with(br#""output_tokens":0}}"#));
    }

    #[test]
    fn arguments_that_are_no_object_never_become_an_empty_call() {
        for (arguments, expected) in [
            ("{\"a\":1}", "{\"a\":1}"),
            ("", "{}"),
            ("{\"a\":", r#"{"malformed_arguments":"{\"a\":"}"#),
            ("[1]", r#"{"malformed_arguments":"[1]"}"#),
        ] {
            assert_eq!(tool_input(arguments).get(), expected, "{arguments}");
        }
    }
}
