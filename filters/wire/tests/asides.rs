//! What stands beside an answer and has no place in another format is noticed, whole and streamed: such an answer is
//! not the same when it is written again.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use tollgate_wire::Format;
use tollgate_wire::stream::{Delta, Reader};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

/// A format, a whole answer with something beside it, and the event of a stream that says the same.
type Case = (Format, &'static str, (&'static str, &'static str));

const ASIDES: [Case; 13] = [
    (
        Format::OpenaiChat,
        r#"{"choices":[{"index":0,"message":{"content":"Hi"},"logprobs":{"content":[{"token":"Hi"}]},"finish_reason":"stop"}]}"#,
        ("", r#"{"choices":[{"index":0,"delta":{"content":"Hi"},"logprobs":{"content":[{"token":"Hi"}]}}]}"#),
    ),
    (
        Format::OpenaiResponses,
        r#"{"status":"completed","output":[{"type":"message","content":[{"type":"output_text","text":"Hi","annotations":[{"type":"url_citation"}]}]}]}"#,
        (
            "",
            r#"{"type":"response.output_text.annotation.added","output_index":0,"annotation":{"type":"url_citation"}}"#,
        ),
    ),
    (
        Format::OpenaiResponses,
        r#"{"status":"completed","output":[{"type":"message","content":[{"type":"output_text","text":"Hi","logprobs":[{"token":"Hi"}]}]}]}"#,
        ("", r#"{"type":"response.output_text.delta","output_index":0,"delta":"Hi","logprobs":[{"token":"Hi"}]}"#),
    ),
    (
        Format::OpenaiResponses,
        r#"{"status":"completed","output":[{"type":"image_generation_call","result":"aGk="}]}"#,
        (
            "",
            r#"{"type":"response.output_item.done","output_index":0,"item":{"type":"image_generation_call","result":"aGk="}}"#,
        ),
    ),
    (
        Format::AnthropicMessages,
        r#"{"content":[{"type":"text","text":"Hi","citations":[{"type":"page_location"}]}],"stop_reason":"end_turn"}"#,
        (
            "",
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"citations_delta","citation":{"type":"page_location"}}}"#,
        ),
    ),
    (
        Format::AnthropicMessages,
        r#"{"content":[{"type":"text","text":"Hi"}],"stop_reason":"stop_sequence","stop_sequence":"END"}"#,
        ("", r#"{"type":"message_delta","delta":{"stop_reason":"stop_sequence","stop_sequence":"END"}}"#),
    ),
    (
        Format::AnthropicMessages,
        r#"{"content":[{"type":"text","text":"Hi"}],"stop_reason":"end_turn","container":{"id":"c"}}"#,
        ("", r#"{"type":"message_delta","delta":{"stop_reason":"end_turn","container":{"id":"c"}}}"#),
    ),
    (
        Format::GoogleGemini,
        r#"{"candidates":[{"content":{"parts":[{"text":"Hi"}]},"finishReason":"STOP","groundingMetadata":{"webSearchQueries":["hi"]}}]}"#,
        (
            "",
            r#"{"candidates":[{"content":{"parts":[{"text":"Hi"}]},"groundingMetadata":{"webSearchQueries":["hi"]}}]}"#,
        ),
    ),
    (
        Format::GoogleGemini,
        r#"{"candidates":[{"content":{"parts":[{"text":"Hi"}]},"finishReason":"STOP","citationMetadata":{"citationSources":[{}]}}]}"#,
        ("", r#"{"candidates":[{"content":{"parts":[{"text":"Hi"}]},"citationMetadata":{"citationSources":[{}]}}]}"#),
    ),
    (
        Format::GoogleGemini,
        r#"{"candidates":[{"content":{"parts":[{"text":"Hi"}]},"finishReason":"STOP","logprobsResult":{"chosenCandidates":[{}]}}]}"#,
        ("", r#"{"candidates":[{"content":{"parts":[{"text":"Hi"}]},"logprobsResult":{"chosenCandidates":[{}]}}]}"#),
    ),
    (
        Format::BedrockConverse,
        r#"{"output":{"message":{"content":[{"citationsContent":{"content":[{"text":"Hi"}],"citations":[{"title":"t"}]}}]}},"stopReason":"end_turn"}"#,
        ("contentBlockDelta", r#"{"delta":{"citation":{"title":"t"}},"contentBlockIndex":0}"#),
    ),
    (
        Format::BedrockConverse,
        r#"{"output":{"message":{"content":[{"text":"Hi"}]}},"stopReason":"end_turn","additionalModelResponseFields":{"stop_sequence":"END"}}"#,
        ("messageStop", r#"{"stopReason":"end_turn","additionalModelResponseFields":{"stop_sequence":"END"}}"#),
    ),
    (
        Format::BedrockConverse,
        r#"{"output":{"message":{"content":[{"text":"Hi"}]}},"stopReason":"end_turn","trace":{"guardrail":{}}}"#,
        ("metadata", r#"{"usage":{"inputTokens":1,"outputTokens":1},"trace":{"guardrail":{}}}"#),
    ),
];

#[test]
fn what_stands_beside_an_answer_is_noticed_whole_and_streamed() {
    for (format, whole, (name, data)) in ASIDES {
        let response = format.read_response(whole.as_bytes()).unwrap();
        assert!(response.asides && !response.is_whole(), "{whole}");
        let mut deltas = Vec::new();
        Reader::new(format, 1).read(name.as_bytes(), data.as_bytes(), &mut deltas).unwrap();
        assert!(deltas.contains(&Delta::Aside), "{data}: {deltas:?}");
    }
}

#[test]
fn places_for_it_that_are_empty_say_nothing() {
    for (format, whole, (name, data)) in [
        (
            Format::OpenaiChat,
            r#"{"choices":[{"index":0,"message":{"content":"Hi","annotations":[]},"logprobs":null,"finish_reason":"stop"}]}"#,
            ("", r#"{"choices":[{"index":0,"delta":{"content":"Hi"},"logprobs":null}]}"#),
        ),
        (
            Format::OpenaiResponses,
            r#"{"status":"completed","output":[{"type":"message","content":[{"type":"output_text","text":"Hi","annotations":[ ],"logprobs":[]}]}]}"#,
            ("", r#"{"type":"response.output_text.delta","output_index":0,"delta":"Hi","logprobs":[]}"#),
        ),
        (
            Format::AnthropicMessages,
            r#"{"content":[{"type":"text","text":"Hi","citations":null}],"stop_reason":"end_turn","stop_sequence":null,"container":null}"#,
            ("", r#"{"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null}}"#),
        ),
        (
            Format::GoogleGemini,
            r#"{"candidates":[{"content":{"parts":[{"text":"Hi"}]},"finishReason":"STOP","safetyRatings":[{}],"groundingMetadata":{}}]}"#,
            ("", r#"{"candidates":[{"content":{"parts":[{"text":"Hi"}]},"groundingMetadata":{ }}]}"#),
        ),
        (
            Format::BedrockConverse,
            r#"{"output":{"message":{"content":[{"text":"Hi"}]}},"stopReason":"end_turn","additionalModelResponseFields":null}"#,
            ("messageStop", r#"{"stopReason":"end_turn"}"#),
        ),
    ] {
        assert!(format.read_response(whole.as_bytes()).unwrap().is_whole(), "{whole}");
        let mut deltas = Vec::new();
        Reader::new(format, 1).read(name.as_bytes(), data.as_bytes(), &mut deltas).unwrap();
        assert!(!deltas.contains(&Delta::Aside), "{data}: {deltas:?}");
    }
}
