//! What is promised of whole answers.

use super::*;
use crate::error::ErrorKind;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

#[test]
fn text_reasoning_and_calls_are_read_and_the_rest_is_counted() {
    let body = br#"{"id":"msg_1","type":"message","role":"assistant","model":"claude-x","content":[
        {"type":"thinking","thinking":"Hm","signature":"c2ln"},
        {"type":"redacted_thinking","data":"b3BhcXVl"},
        {"type":"text","text":"I look.","citations":null},
        {"type":"server_tool_use","id":"srvtoolu_1","name":"web_search","input":{"query":"x"}},
        {"type":"web_search_tool_result","tool_use_id":"srvtoolu_1","content":[7]},
        {"type":"text","text":""},
        {"type":"tool_use","id":"toolu_1","name":"look","input":{"big": 12345678901234567890.0}}],
        "stop_reason":"tool_use","stop_sequence":null,
        "usage":{"input_tokens":10,"cache_read_input_tokens":5000,"cache_creation_input_tokens":3000,
        "cache_creation":{"ephemeral_5m_input_tokens":1000,"ephemeral_1h_input_tokens":2000},
        "output_tokens":300,"output_tokens_details":{"thinking_tokens":100},"service_tier":"standard"}}"#;
    let response = read_response(body).unwrap();
    assert_eq!((response.id.as_str(), response.model.as_str()), ("msg_1", "claude-x"));
    let [Part::Reasoning(shown), Part::Reasoning(hidden), Part::Text(text), Part::ToolCall(call)] =
        response.parts.as_slice()
    else {
        panic!("{response:?}")
    };
    assert_eq!(*shown, reasoning("Hm", Some(sealed(SealKind::Signature, "c2ln"))));
    assert_eq!(*hidden, reasoning("", Some(sealed(SealKind::Encrypted, "b3BhcXVl"))));
    assert_eq!(text, "I look.");
    assert_eq!(response.untranslated_bytes, r#"{"query":"x"}[7]"#.len());
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
        (Some("pause_turn"), false, StopReason::Otherwise),
        (Some("compaction"), false, StopReason::Otherwise),
        (Some("max_tokens"), true, StopReason::MaxTokens),
        (Some("model_context_window_exceeded"), false, StopReason::MaxTokens),
        (Some("stop_sequence"), false, StopReason::StopSequence),
        (Some("tool_use"), true, StopReason::ToolUse),
        (Some("refusal"), false, StopReason::Refused),
        (Some("a_new_reason"), false, StopReason::Otherwise),
        (Some("a_new_reason"), true, StopReason::ToolUse),
        (None, false, StopReason::Otherwise),
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
    let Err(Malformed::Error { error, .. }) = read_response(body) else { panic!("read as an answer") };
    assert_eq!((error.status, error.kind), (529, ErrorKind::Overloaded));
}

#[test]
fn what_is_no_answer_is_refused_without_quoting_it() {
    for body in [&b""[..], b"secret", b"{}", br#"{"content":"secret"}"#, br#"{"content":[]} secret"#, b"\xff"] {
        let refusal = read_response(body).unwrap_err();
        assert!(matches!(&refusal, Malformed::Unreadable(why) if !why.contains("secret")), "{refusal:?}");
    }
}

fn sealed(kind: SealKind, value: &str) -> Seal {
    Seal { origin: Origin::Claude, kind, value: value.to_owned() }
}

fn reasoning(text: &str, seal: Option<Seal>) -> Reasoning {
    Reasoning { text: text.to_owned(), seal }
}

fn response(parts: Vec<Part>, usage: Option<Usage>) -> Response {
    let (id, model) = ("msg_1".to_owned(), "m".to_owned());
    Response { id, model, parts, stop: StopReason::End, usage, untranslated_bytes: 0, asides: false }
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
        let mut json = Vec::new();
        write_object(arguments, &mut Writer::new(&mut json));
        assert_eq!(String::from_utf8(json).unwrap(), expected, "{arguments}");
    }
}

#[test]
fn an_unreadable_usage_never_spoils_the_answer() {
    for usage in ["7", "[]", r#"{"input_tokens":-1}"#] {
        let body = format!(r#"{{"content":[{{"type":"text","text":"Hi"}}],"usage":{usage}}}"#);
        let response = read_response(body.as_bytes()).unwrap();
        assert_eq!((response.parts.len(), response.usage), (1, None), "{usage}");
    }
}

#[test]
fn thinking_of_any_provider_has_a_place_and_comes_back() {
    let gemini = Seal { origin: Origin::Gemini, ..sealed(SealKind::Signature, "Z2Vt") };
    let openai = Seal { origin: Origin::OpenaiResponses, ..sealed(SealKind::Encrypted, "rs_1 enc") };
    for (said, written) in [
        (
            reasoning("Hm", Some(sealed(SealKind::Signature, "c2ln"))),
            r#"{"type":"thinking","thinking":"Hm","signature":"c2ln"}"#,
        ),
        (
            reasoning("", Some(sealed(SealKind::Signature, "c2ln"))),
            r#"{"type":"thinking","thinking":"","signature":"c2ln"}"#,
        ),
        (reasoning("", Some(sealed(SealKind::Encrypted, "b3Bh"))), r#"{"type":"redacted_thinking","data":"b3Bh"}"#),
        (reasoning("Hm", None), r#"{"type":"thinking","thinking":"Hm","signature":""}"#),
        (
            reasoning("", Some(gemini)),
            r#"{"type":"thinking","thinking":"","signature":"tollgate:gemini:signature:Z2Vt"}"#,
        ),
        (
            reasoning("Hm", Some(openai.clone())),
            r#"{"type":"thinking","thinking":"Hm","signature":"tollgate:openai-responses:encrypted:rs_1 enc"}"#,
        ),
        (
            reasoning("", Some(openai)),
            r#"{"type":"redacted_thinking","data":"tollgate:openai-responses:encrypted:rs_1 enc"}"#,
        ),
    ] {
        let body = write_response(&response(vec![Part::Reasoning(said.clone())], None));
        assert!(String::from_utf8_lossy(&body).contains(&format!(r#""content":[{written}]"#)), "{written}");
        let returned = read_response(&body).unwrap();
        assert!(matches!(returned.parts.as_slice(), [Part::Reasoning(back)] if *back == said), "{written}");
    }
    let odd = reasoning("Hm", Some(sealed(SealKind::Encrypted, "b3Bh")));
    let body = write_response(&response(vec![Part::Reasoning(odd), Part::Reasoning(reasoning("", None))], None));
    assert_eq!(read_response(&body).unwrap().parts.len(), 2, "the text, and what is encrypted");
}
