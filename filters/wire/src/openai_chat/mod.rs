//! OpenAI Chat Completions, `POST /v1/chat/completions`: as OpenAI speaks it, and as the many servers do that call
//! themselves compatible.

mod answer;
mod error;
mod reasoning;
mod request;
mod response;
mod stream;
mod usage;

pub(crate) use error::read_inner_error;
pub use error::{read_error, write_error};
pub use request::{read_request, write_request};
pub use response::{read_response, write_response};
pub use stream::{StreamReader, StreamWriter};
pub(crate) use usage::{tier_name, tier_of_name};

use crate::conversation::StopReason;

/// Why an answer ended. `stop` is also said of an answer that calls the one tool it was told to call.
fn read_finish_reason(reason: &str, calls_tools: bool, refused: bool) -> StopReason {
    match reason {
        "length" => StopReason::MaxTokens,
        "tool_calls" | "function_call" => StopReason::ToolUse,
        "content_filter" => StopReason::Refused,
        _ if refused => StopReason::Refused,
        _ if calls_tools => StopReason::ToolUse,
        "stop" | "eos" | "eos_token" => StopReason::End,
        _ => StopReason::Otherwise,
    }
}

const fn finish_reason(stop: StopReason) -> &'static str {
    match stop {
        StopReason::End | StopReason::StopSequence | StopReason::Otherwise => "stop",
        StopReason::MaxTokens => "length",
        StopReason::ToolUse => "tool_calls",
        StopReason::Refused => "content_filter",
    }
}
