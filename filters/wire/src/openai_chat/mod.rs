//! OpenAI Chat Completions, `POST /v1/chat/completions`: as OpenAI speaks it, and as the many servers do that call
//! themselves compatible.

mod error;
mod request;
mod response;
mod stream;
mod usage;

pub use error::{read_error, write_error};
pub use request::{read_request, write_request};
pub use response::{read_response, write_response};
pub use stream::{StreamReader, StreamWriter};

use crate::conversation::StopReason;
use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;

/// A tool call's arguments. They are JSON text in a string; some compatible servers send the object itself.
#[derive(Debug, Default)]
struct Arguments(String);

impl<'de> Deserialize<'de> for Arguments {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?.get();
        if raw == "null" {
            return Ok(Self::default());
        }
        Ok(Self(serde_json::from_str(raw).unwrap_or_else(|_| raw.to_owned())))
    }
}

/// What the model says. It is a string; Mistral's reasoning models send parts, of which the texts are the answer.
#[derive(Debug, Default)]
struct Said(String);

#[derive(serde::Deserialize)]
struct SaidPart {
    text: Option<String>,
}

impl<'de> Deserialize<'de> for Said {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SaidVisitor)
    }
}

struct SaidVisitor;

impl<'de> Visitor<'de> for SaidVisitor {
    type Value = Said;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string or a list of parts")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Said, E> {
        Ok(Said(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<Said, A::Error> {
        let mut said = Said::default();
        while let Some(part) = parts.next_element::<SaidPart>()? {
            said.0.extend(part.text);
        }
        Ok(said)
    }
}

/// The id of a call that a compatible server gave none: answers refer to calls by id, so each needs one.
fn made_up_id(index: usize) -> String {
    format!("call_{index}")
}

/// Why an answer ended. `stop` is also said of an answer that calls the one tool it was told to call.
fn read_finish_reason(reason: &str, calls_tools: bool, refused: bool) -> StopReason {
    match reason {
        "length" => StopReason::MaxTokens,
        "tool_calls" | "function_call" => StopReason::ToolUse,
        "content_filter" => StopReason::Refused,
        _ if refused => StopReason::Refused,
        _ if calls_tools => StopReason::ToolUse,
        _ => StopReason::End,
    }
}

const fn finish_reason(stop: StopReason) -> &'static str {
    match stop {
        StopReason::End | StopReason::StopSequence => "stop",
        StopReason::MaxTokens => "length",
        StopReason::ToolUse => "tool_calls",
        StopReason::Refused => "content_filter",
    }
}
