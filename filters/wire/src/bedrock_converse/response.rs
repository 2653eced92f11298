//! Whole answers.

use super::error::error_in_answer;
use super::reasoning;
use super::usage::{read_usage, write_usage};
use crate::arguments::write_object;
use crate::conversation::{Part, Reasoning, Response, StopReason, ToolCall};
use crate::error::Malformed;
use crate::fields::{Fields, Unreadable};
use serde_json::value::RawValue;
use tollgate_kernel::json::Writer;

/// Reads a whole successful JSON answer. Id and model are empty: they are not in it.
///
/// # Errors
/// When the body is not a Converse answer, or is an error object inside a 200.
pub fn read_response(body: &[u8]) -> Result<Response, Malformed> {
    let fields = Fields::of_bytes(body).map_err(|_| Malformed::of("the answer"))?;
    if let Some(error) = error_in_answer(&fields) {
        return Err(Malformed::error(error, read_usage(&fields)));
    }
    read_answer(&fields).map_err(|Unreadable| Malformed::of("the answer"))
}

fn read_answer(fields: &Fields<'_>) -> Result<Response, Unreadable> {
    let message = fields.object("output")?.ok_or(Unreadable)?.object("message")?.ok_or(Unreadable)?;
    let mut read = Content::default();
    for block in message.list("content")? {
        read.block(block)?;
    }
    let calls_tools = read.parts.iter().any(|part| matches!(part, Part::ToolCall(_)));
    Ok(Response {
        id: String::new(),
        model: String::new(),
        stop: stop_reason(fields.text("stopReason")?.as_deref(), calls_tools),
        parts: read.parts,
        usage: read_usage(fields),
        untranslated_bytes: read.untranslated_bytes,
        asides: read.asides || has_asides(fields),
    })
}

/// The content of an answer.
#[derive(Debug, Default)]
struct Content {
    parts: Vec<Part>,
    untranslated_bytes: usize,
    asides: bool,
}

impl Content {
    fn block(&mut self, block: &RawValue) -> Result<(), Unreadable> {
        let fields = Fields::of_text(block.get())?;
        if let Some(text) = fields.text("text")? {
            self.text(text);
        } else if let Some(call) = fields.object("toolUse")? {
            match tool_call(&call)? {
                Some(call) => self.parts.push(Part::ToolCall(call)),
                None => self.skip(block),
            }
        } else if let Some(reasoning) = fields.object("reasoningContent")? {
            self.parts.extend(read_reasoning(&reasoning)?.map(Part::Reasoning));
        } else if let Some(cited) = fields.object("citationsContent")? {
            // Each piece of text has its sources beside it, which have no place elsewhere.
            self.asides = true;
            for piece in cited.list("content")? {
                self.text(Fields::of_text(piece.get())?.text("text")?.unwrap_or_default());
            }
        } else {
            self.skip(block);
        }
        Ok(())
    }

    fn text(&mut self, text: String) {
        if !text.is_empty() {
            self.parts.push(Part::Text(text));
        }
    }

    /// A picture, a tool that the provider runs itself, or its result.
    fn skip(&mut self, block: &RawValue) {
        self.asides = true;
        self.untranslated_bytes = self.untranslated_bytes.saturating_add(block.get().len());
    }
}

/// Whether there is more beside an answer or its end: what a guardrail did, fields that only this model has.
pub(super) fn has_asides(fields: &Fields<'_>) -> bool {
    ["trace", "additionalModelResponseFields"].iter().any(|name| fields.says(name))
}

/// `None` for the call of a tool that the provider runs itself.
fn tool_call(call: &Fields<'_>) -> Result<Option<ToolCall>, Unreadable> {
    if is_servers(call) {
        return Ok(None);
    }
    Ok(Some(ToolCall {
        id: call.text("toolUseId")?.unwrap_or_default(),
        name: call.text("name")?.unwrap_or_default(),
        arguments: call.get("input").map_or("{}", RawValue::get).to_owned(),
    }))
}

/// Whether the provider runs the tool itself.
pub(super) fn is_servers(call: &Fields<'_>) -> bool {
    call.get("type").is_some()
}

fn read_reasoning(fields: &Fields<'_>) -> Result<Option<Reasoning>, Unreadable> {
    if let Some(block) = fields.object("reasoningText")? {
        let signature = block.text("signature")?.filter(|signature| !signature.is_empty());
        let seal = signature.map(|signature| reasoning::signature(&signature));
        let text = block.text("text")?.unwrap_or_default();
        return Ok((seal.is_some() || !text.is_empty()).then_some(Reasoning { text, seal }));
    }
    let redacted = fields.text("redactedContent")?;
    Ok(redacted.map(|base64| Reasoning { text: String::new(), seal: Some(reasoning::redacted(&base64)) }))
}

/// What Bedrock's `stopReason` means. Where it gives a new one, what was said decides; output that is said to be
/// malformed is an end, whatever it looks like.
pub(super) fn stop_reason(name: Option<&str>, calls_tools: bool) -> StopReason {
    match name {
        Some("end_turn") => StopReason::End,
        Some("malformed_model_output" | "malformed_tool_use") => StopReason::Otherwise,
        Some("tool_use") => StopReason::ToolUse,
        Some("max_tokens" | "model_context_window_exceeded") => StopReason::MaxTokens,
        Some("stop_sequence") => StopReason::StopSequence,
        Some("content_filtered" | "guardrail_intervened") => StopReason::Refused,
        _ if calls_tools => StopReason::ToolUse,
        _ => StopReason::Otherwise,
    }
}

/// Bedrock's name of a stop reason.
pub(super) const fn stop_reason_name(stop: StopReason) -> &'static str {
    match stop {
        StopReason::End | StopReason::Otherwise => "end_turn",
        StopReason::MaxTokens => "max_tokens",
        StopReason::StopSequence => "stop_sequence",
        StopReason::ToolUse => "tool_use",
        StopReason::Refused => "content_filtered",
    }
}

/// Writes a whole successful JSON answer. Id and model have no place in it.
#[must_use]
pub fn write_response(response: &Response) -> Vec<u8> {
    let mut out = Vec::new();
    let mut json = Writer::new(&mut out);
    json.open_object().key("output").open_object().key("message").open_object();
    json.key("role").text("assistant");
    json.key("content").open_list();
    for part in &response.parts {
        write_part(part, &mut json);
    }
    json.close_list();
    json.close_object();
    json.close_object();
    json.key("stopReason").text(stop_reason_name(response.stop));
    write_usage(&response.usage.unwrap_or_default(), &mut json);
    json.close_object();
    out
}

fn write_part(part: &Part, json: &mut Writer<'_>) {
    match part {
        Part::Text(text) if !text.is_empty() => {
            json.open_object().key("text").text(text);
            json.close_object();
        }
        Part::ToolCall(call) => {
            json.open_object().key("toolUse").open_object();
            json.key("toolUseId").text(&call.id);
            json.key("name").text(&call.name);
            write_object(&call.arguments, json.key("input"));
            json.close_object();
            json.close_object();
        }
        Part::Reasoning(reasoning) => write_reasoning(reasoning, json),
        Part::Text(_) | Part::Image(_) | Part::Document(_) | Part::ToolResult(_) | Part::CacheBreakpoint(_) => {}
    }
}

fn write_reasoning(reasoning: &Reasoning, json: &mut Writer<'_>) {
    json.open_object().key("reasoningContent").open_object();
    match &reasoning.seal {
        Some(seal) if reasoning::replaces(seal, !reasoning.text.is_empty()) => {
            json.key("redactedContent").text(&reasoning::redacted_base64(seal));
        }
        seal => {
            json.key("reasoningText").open_object().key("text").text(&reasoning.text);
            if let Some(seal) = seal {
                json.key("signature").text(&reasoning::signature_text(seal));
            }
            json.close_object();
        }
    }
    json.close_object();
    json.close_object();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use crate::signature::{Origin, Seal, SealKind};
    use crate::usage::Usage;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn text_reasoning_and_calls_are_read_and_the_rest_is_counted() {
        let skipped = [
            r#"{"toolUse":{"toolUseId":"s1","name":"nova_grounding","input":{"query":"x"},"type":"server_tool_use"}}"#,
            r#"{"toolResult":{"toolUseId":"s1","content":[],"type":"nova_grounding_result"}}"#,
            r#"{"image":{"format":"png","source":{"bytes":"iVBORw0KGgo="}}}"#,
        ];
        let body = format!(
            r#"{{"output":{{"message":{{"role":"assistant","content":[
            {{"reasoningContent":{{"reasoningText":{{"text":"Hm","signature":"c2ln"}}}}}},
            {{"reasoningContent":{{"redactedContent":"b3BhcXVl"}}}},
            {{"reasoningContent":{{"reasoningText":{{"text":"Unsigned"}}}}}},
            {{"reasoningContent":{{"reasoningText":{{"text":"","signature":""}}}}}},
            {{"text":"I look."}},
            {}, {}, {},
            {{"citationsContent":{{"content":[{{"text":"Cited."}}],"citations":[{{"title":"t"}}]}}}},
            {{"text":""}},
            {{"toolUse":{{"toolUseId":"t1","name":"look","input":{{"big": 12345678901234567890.0}}}}}}]}}}},
            "stopReason":"tool_use","usage":{{"inputTokens":7,"outputTokens":9,"totalTokens":16}},
            "metrics":{{"latencyMs":5}}}}"#,
            skipped[0], skipped[1], skipped[2]
        );
        let response = read_response(body.as_bytes()).unwrap();
        assert_eq!((response.id.as_str(), response.model.as_str()), ("", ""));
        let told: Vec<String> = response.parts.iter().map(|part| format!("{part:?}")).collect();
        assert_eq!(
            told,
            [
                r#"Reasoning(Reasoning { text: "Hm", seal: Some(Claude Signature of 4 bytes) })"#,
                r#"Reasoning(Reasoning { text: "", seal: Some(Claude Encrypted of 8 bytes) })"#,
                r#"Reasoning(Reasoning { text: "Unsigned", seal: None })"#,
                r#"Text("I look.")"#,
                r#"Text("Cited.")"#,
                r#"ToolCall(ToolCall { id: "t1", name: "look", arguments: "{\"big\": 12345678901234567890.0}" })"#,
            ]
        );
        assert_eq!(response.untranslated_bytes, skipped.concat().len());
        assert_eq!(response.stop, StopReason::ToolUse);
        assert_eq!(response.usage, Some(Usage { input_fresh: 7, output_text: 9, ..Usage::NONE }));
    }

    #[test]
    fn every_stop_reason_is_understood() {
        for (name, calls_tools, expected) in [
            (Some("end_turn"), false, StopReason::End),
            (Some("max_tokens"), true, StopReason::MaxTokens),
            (Some("model_context_window_exceeded"), false, StopReason::MaxTokens),
            (Some("stop_sequence"), false, StopReason::StopSequence),
            (Some("tool_use"), true, StopReason::ToolUse),
            (Some("content_filtered"), false, StopReason::Refused),
            (Some("guardrail_intervened"), false, StopReason::Refused),
            (Some("malformed_model_output"), false, StopReason::Otherwise),
            (Some("malformed_tool_use"), true, StopReason::Otherwise),
            (Some("a_new_reason"), false, StopReason::Otherwise),
            (Some("a_new_reason"), true, StopReason::ToolUse),
            (None, false, StopReason::Otherwise),
        ] {
            assert_eq!(stop_reason(name, calls_tools), expected, "{name:?}");
        }
        for stop in
            [StopReason::End, StopReason::MaxTokens, StopReason::StopSequence, StopReason::ToolUse, StopReason::Refused]
        {
            assert_eq!(stop_reason(Some(stop_reason_name(stop)), false), stop);
        }
    }

    #[test]
    fn an_error_inside_a_success_is_an_error() {
        let body = br#"{"__type":"ServiceUnavailableException","message":"m"}"#;
        let Err(Malformed::Error { error, .. }) = read_response(body) else { panic!("read as an answer") };
        assert_eq!((error.status, error.kind), (503, ErrorKind::Overloaded));
    }

    #[test]
    fn what_is_no_answer_is_refused_without_quoting_it() {
        for body in [
            &b""[..],
            b"secret",
            b"{}",
            br#"{"output":{}}"#,
            br#"{"output":{"message":{"content":"secret"}}}"#,
            br#"{"output":{"message":{"content":["secret"]}}}"#,
            br#"{"output":{"message":{"content":[{"text":7}]}}}"#,
            br#"{"output":{"message":{"content":[]}}} secret"#,
            b"\xff",
        ] {
            let refusal = read_response(body).unwrap_err();
            assert!(matches!(&refusal, Malformed::Unreadable(why) if !why.contains("secret")), "{refusal:?}");
        }
    }

    fn written(parts: Vec<Part>, usage: Option<Usage>) -> String {
        let (id, model) = ("id".to_owned(), "m".to_owned());
        let response =
            Response { id, model, parts, stop: StopReason::End, usage, untranslated_bytes: 0, asides: false };
        String::from_utf8(write_response(&response)).unwrap()
    }

    #[test]
    fn an_answer_is_written_with_every_field_that_the_official_clients_require() {
        let call = |arguments: &str| {
            Part::ToolCall(ToolCall { id: "t".to_owned(), name: "f".to_owned(), arguments: arguments.to_owned() })
        };
        let parts = vec![Part::Text("Hi".to_owned()), Part::Text(String::new()), call("{\"a\": 1}"), call("[")];
        assert_eq!(
            written(parts, Some(Usage { input_fresh: 1, output_text: 2, ..Usage::NONE })),
            concat!(
                r#"{"output":{"message":{"role":"assistant","content":[{"text":"Hi"},"#,
                r#"{"toolUse":{"toolUseId":"t","name":"f","input":{"a": 1}}},"#,
                r#"{"toolUse":{"toolUseId":"t","name":"f","input":{"malformed_arguments":"["}}}]}},"#,
                r#""stopReason":"end_turn","usage":{"inputTokens":1,"outputTokens":2,"totalTokens":3,"#,
                r#""cacheReadInputTokens":0,"cacheWriteInputTokens":0,"cacheDetails":[]},"metrics":{"latencyMs":0}}"#
            )
        );
        assert!(written(Vec::new(), None).contains(r#""content":[]"#));
    }

    #[test]
    fn reasoning_of_any_origin_comes_back_as_it_was() {
        for origin in [Origin::Claude, Origin::Gemini, Origin::OpenaiResponses, Origin::OpenaiChat] {
            for kind in [SealKind::Signature, SealKind::Encrypted] {
                for text in ["Hm", ""] {
                    if (origin, kind, text) == (Origin::Claude, SealKind::Encrypted, "Hm") {
                        continue; // Claude has none like that
                    }
                    let seal = Some(Seal { origin, kind, value: "c2ln".to_owned() });
                    let reasoning = Reasoning { text: text.to_owned(), seal };
                    let body = written(vec![Part::Reasoning(reasoning.clone())], None);
                    let parts = read_response(body.as_bytes()).unwrap().parts;
                    let [Part::Reasoning(returned)] = parts.as_slice() else { panic!("{body}") };
                    assert_eq!(*returned, reasoning, "{body}");
                }
            }
        }
    }
}
