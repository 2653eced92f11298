//! Google Gemini, `generateContent` and `streamGenerateContent?alt=sse`: the Gemini API and Vertex AI, read and written.
//!
//! The model, and whether it streams, stand in the path: they are the caller's.

mod error;
mod media;
mod object;
mod parts;
mod request;
mod response;
mod schema;
mod stream;
mod usage;

pub use error::{read_error, write_error};
pub use request::{read_request, write_request};
pub use response::{read_response, write_response};
pub use stream::{StreamReader, StreamWriter};

use crate::conversation::StopReason;
use crate::signature::Origin;

const ORIGIN: Origin = Origin::Gemini;

/// What stands for the signature of a call that Gemini did not make: it refuses a call without any.
const NO_SIGNATURE: &str = "skip_thought_signature_validator";

/// Whether a model is of the generations that know thinking as a number of tokens only, take calls without signatures,
/// and have their searches billed by the answer.
fn before_gemini_3(model: &str) -> bool {
    model.contains("gemini-1") || model.contains("gemini-2")
}

/// Why an answer ended. Google says `STOP` also of an answer that calls tools.
fn read_finish_reason(reason: &str, calls_tools: bool) -> StopReason {
    match reason {
        // `CONTINUATION`: the answer is not complete, the next request may have more of it.
        "MAX_TOKENS" | "CONTINUATION" => StopReason::MaxTokens,
        "SAFETY"
        | "RECITATION"
        | "LANGUAGE"
        | "BLOCKLIST"
        | "PROHIBITED_CONTENT"
        | "SPII"
        | "ESCALATION"
        | "MODEL_ARMOR"
        | "IMAGE_SAFETY"
        | "IMAGE_PROHIBITED_CONTENT"
        | "IMAGE_RECITATION" => StopReason::Refused,
        _ if calls_tools => StopReason::ToolUse,
        "STOP" => StopReason::End,
        _ => StopReason::Otherwise,
    }
}

const fn finish_reason(stop: StopReason) -> &'static str {
    match stop {
        StopReason::End | StopReason::StopSequence | StopReason::ToolUse | StopReason::Otherwise => "STOP",
        StopReason::MaxTokens => "MAX_TOKENS",
        StopReason::Refused => "SAFETY",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn every_finish_reason_is_understood() {
        for (reason, calls_tools, expected) in [
            ("STOP", false, StopReason::End),
            ("STOP", true, StopReason::ToolUse),
            ("MAX_TOKENS", true, StopReason::MaxTokens),
            ("SAFETY", false, StopReason::Refused),
            ("RECITATION", false, StopReason::Refused),
            ("PROHIBITED_CONTENT", true, StopReason::Refused),
            ("MALFORMED_FUNCTION_CALL", false, StopReason::Otherwise),
            ("UNEXPECTED_TOOL_CALL", true, StopReason::ToolUse),
            ("A_NEW_REASON", false, StopReason::Otherwise),
        ] {
            assert_eq!(read_finish_reason(reason, calls_tools), expected, "{reason}");
        }
    }

    #[test]
    fn a_written_finish_reason_reads_back_as_far_as_google_tells_them_apart() {
        for (stop, expected) in [
            (StopReason::End, StopReason::End),
            (StopReason::StopSequence, StopReason::End),
            (StopReason::Otherwise, StopReason::End),
            (StopReason::MaxTokens, StopReason::MaxTokens),
            (StopReason::Refused, StopReason::Refused),
        ] {
            assert_eq!(read_finish_reason(finish_reason(stop), false), expected);
        }
        assert_eq!(read_finish_reason(finish_reason(StopReason::ToolUse), true), StopReason::ToolUse);
    }
}
