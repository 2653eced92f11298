//! Providers that answer by script, each in its own format. What they say carries the number of the attempt, so that
//! nothing of an attempt can hide.

use serde_json::{Value, json};

/// An answer, whoever gives it.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) says: Says,
    /// Only this much of the body comes, of 256.
    pub(crate) cut: Option<u8>,
    pub(crate) then: Then,
}

/// What is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Says {
    /// A whole answer in JSON.
    Json,
    /// Embeddings.
    Embeddings,
    /// A count of tokens.
    Count,
    /// A whole answer of some kilobytes.
    LongJson,
    /// A call of the tool `search`.
    Call,
    /// A streamed answer.
    Stream,
    /// A streamed call of the tool `search`.
    CallStream,
    /// One of some kilobytes.
    LongStream,
    /// A stream that fails at once, with status 200.
    StreamOfError,
    /// A stream that fails after a part of the answer.
    StreamThenError,
    /// A stream in which nothing is said.
    Pings,
    /// An error object with status 200.
    ErrorInside,
    /// An error object with this status.
    Error(u16),
    /// This status with a page for people.
    Page(u16),
    /// A compressed answer.
    Gzip,
    /// No response, on a connection.
    Nothing,
    /// No connection.
    Unreachable,
}

/// What comes after the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    End,
    Trailers,
    Reset,
    Hang,
}

/// An answer as one provider gives it.
#[derive(Debug)]
pub(crate) struct Script {
    pub(crate) connects: bool,
    pub(crate) responds: bool,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) then: Then,
}

impl Answer {
    pub(crate) const fn whole(says: Says) -> Self {
        Self { says, cut: None, then: Then::End }
    }

    pub(crate) const fn then(says: Says, then: Then) -> Self {
        Self { says, cut: None, then }
    }

    /// As `provider` gives it at its attempt `index`, from 0.
    pub(crate) fn of(&self, provider: &str, index: usize) -> Script {
        let anthropic = provider == "anthropic";
        let said = mark(index);
        let (status, content_type, body) = match self.says {
            Says::Json if anthropic => (200, JSON, anthropic_json(&said)),
            Says::Json => (200, JSON, openai_json(&said)),
            Says::Call => (200, JSON, call_json(anthropic, &said)),
            Says::CallStream => (200, SSE, call_stream(anthropic, &said)),
            Says::Embeddings => (200, JSON, openai_embeddings(&said)),
            Says::Count => (200, JSON, json!({"input_tokens": 14, "said": said}).to_string().into_bytes()),
            Says::LongJson if anthropic => (200, JSON, long(&said, anthropic_json)),
            Says::LongJson => (200, JSON, long(&said, openai_json)),
            Says::Stream => (200, SSE, stream(anthropic, &said, &[])),
            Says::LongStream => (200, SSE, long(&said, |said| stream(anthropic, said, &[]))),
            Says::StreamOfError => (200, SSE, error_event(anthropic, &said)),
            Says::StreamThenError => (200, SSE, stream(anthropic, &said, &error_event(anthropic, &said))),
            Says::Pings => (200, SSE, ": ping\n\n".repeat(20).into_bytes()),
            Says::ErrorInside => (200, JSON, error(anthropic, &said)),
            Says::Error(status) => (status, JSON, error(anthropic, &said)),
            Says::Page(status) => (status, "text/html", format!("<html>{said}</html>").into_bytes()),
            Says::Gzip => (200, JSON, b"\x1f\x8b".to_vec()),
            Says::Nothing | Says::Unreachable => (200, JSON, Vec::new()),
        };
        let mut headers = vec![
            (":status", status.to_string()),
            ("content-type", content_type.to_owned()),
            ("request-id", said.clone()),
            ("set-cookie", format!("cf={said}")),
            ("content-length", body.len().to_string()),
        ];
        if self.says == Says::Gzip {
            headers.push(("content-encoding", "gzip".to_owned()));
        }
        let length = self.cut.map_or(body.len(), |cut| body.len() * usize::from(cut) / 256);
        Script {
            connects: self.says != Says::Unreachable,
            responds: !matches!(self.says, Says::Nothing | Says::Unreachable),
            headers,
            body: body[..length].to_vec(),
            then: self.then,
        }
    }
}

/// What everything that attempt `index` says has in it.
pub(crate) fn mark(index: usize) -> String {
    format!("<attempt {index} speaks>")
}

const JSON: &str = "application/json";
const SSE: &str = "text/event-stream; charset=utf-8";

/// A hundred times as much said, and counted.
fn long(said: &str, answer: impl FnOnce(&str) -> Vec<u8>) -> Vec<u8> {
    let body = String::from_utf8(answer(&said.repeat(100))).expect("UTF-8");
    body.replace("_tokens\":7", "_tokens\":700").into_bytes()
}

fn openai_json(said: &str) -> Vec<u8> {
    let choice = json!({"index": 0, "message": {"role": "assistant", "content": said}, "finish_reason": "stop"});
    let usage = json!({"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18});
    json!({"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "gpt-5", "choices": [choice], "usage": usage})
        .to_string()
        .into_bytes()
}

fn openai_embeddings(said: &str) -> Vec<u8> {
    let data = json!([{"object": "embedding", "index": 0, "embedding": [0.25, -0.5], "said": said}]);
    let usage = json!({"prompt_tokens": 11, "total_tokens": 11});
    json!({"object": "list", "data": data, "model": "text-embedding-3", "usage": usage}).to_string().into_bytes()
}

fn anthropic_json(said: &str) -> Vec<u8> {
    json!({
        "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-4-5",
        "content": [{"type": "text", "text": said}], "stop_reason": "end_turn", "stop_sequence": null,
        "usage": {"input_tokens": 11, "output_tokens": 7},
    })
    .to_string()
    .into_bytes()
}

/// The arguments of the tool that is called.
pub(crate) fn arguments(said: &str) -> String {
    json!({"query": said}).to_string()
}

fn call_json(anthropic: bool, said: &str) -> Vec<u8> {
    if anthropic {
        let call = json!({"type": "tool_use", "id": "toolu_1", "name": "search", "input": {"query": said}});
        let body = String::from_utf8(anthropic_json(said)).expect("UTF-8");
        let mut body: Value = serde_json::from_str(&body).expect("JSON");
        (body["content"], body["stop_reason"]) = (json!([call]), json!("tool_use"));
        return body.to_string().into_bytes();
    }
    let function = json!({"name": "search", "arguments": arguments(said)});
    let call = json!({"id": "call_1", "type": "function", "function": function});
    let mut body: Value = serde_json::from_slice(&openai_json(said)).expect("JSON");
    body["choices"][0]["message"] = json!({"role": "assistant", "content": null, "tool_calls": [call]});
    body["choices"][0]["finish_reason"] = json!("tool_calls");
    body.to_string().into_bytes()
}

fn call_stream(anthropic: bool, said: &str) -> Vec<u8> {
    let arguments = arguments(said);
    let (head, tail) = arguments.split_at(arguments.len() / 2);
    let events = if anthropic {
        let (mut begin, mut end) = anthropic_stream(said);
        begin.truncate(1);
        let block = json!({"type": "tool_use", "id": "toolu_1", "name": "search", "input": {}});
        begin.push(json!({"type": "content_block_start", "index": 0, "content_block": block}));
        begin.extend([head, tail].map(|piece| {
            json!({"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": piece}})
        }));
        end[1]["delta"]["stop_reason"] = json!("tool_use");
        [begin, end].concat()
    } else {
        let (mut begin, mut end) = openai_stream(said);
        let chunk = |call: Value| {
            let mut chunk = begin[0].clone();
            chunk["choices"][0]["delta"] = json!({"tool_calls": [call]});
            chunk
        };
        let calls = [
            chunk(
                json!({"index": 0, "id": "call_1", "type": "function", "function": {"name": "search", "arguments": head}}),
            ),
            chunk(json!({"index": 0, "function": {"arguments": tail}})),
        ];
        begin.truncate(1);
        begin.extend(calls);
        end[0]["choices"][0]["finish_reason"] = json!("tool_calls");
        [begin, end].concat()
    };
    let event = |event: &Value| match event["type"].as_str() {
        Some(name) => format!("event: {name}\ndata: {event}\n\n"),
        None => format!("data: {event}\n\n"),
    };
    let events: String = events.iter().map(event).collect();
    [events.as_str(), if anthropic { "" } else { "data: [DONE]\n\n" }].concat().into_bytes()
}

fn error(anthropic: bool, said: &str) -> Vec<u8> {
    let body = if anthropic {
        json!({"type": "error", "error": {"type": "overloaded_error", "message": said}})
    } else {
        json!({"error": {"message": said, "type": "server_error", "param": null, "code": "server_is_overloaded"}})
    };
    body.to_string().into_bytes()
}

fn error_event(anthropic: bool, said: &str) -> Vec<u8> {
    let name: &[u8] = if anthropic { b"event: error\n" } else { b"" };
    [name, b"data: ", &error(anthropic, said), b"\n\n"].concat()
}

/// A streamed answer; with `instead`, that is its end.
fn stream(anthropic: bool, said: &str, instead: &[u8]) -> Vec<u8> {
    let (begin, end) = if anthropic { anthropic_stream(said) } else { openai_stream(said) };
    let event = |event: &Value| match event["type"].as_str() {
        Some(name) => format!("event: {name}\ndata: {event}\n\n"),
        None => format!("data: {event}\n\n"),
    };
    let begin: String = begin.iter().map(event).collect();
    let end: String = end.iter().map(event).collect();
    let done = if anthropic { "" } else { "data: [DONE]\n\n" };
    if instead.is_empty() {
        [begin, end, done.to_owned()].concat().into_bytes()
    } else {
        [begin.as_bytes(), instead].concat()
    }
}

fn openai_stream(said: &str) -> (Vec<Value>, Vec<Value>) {
    let chunk = |delta: Value, finish: Value| {
        let choice = json!({"index": 0, "delta": delta, "finish_reason": finish});
        json!({"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "gpt-5", "choices": [choice]})
    };
    let usage = json!({"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18});
    (
        vec![
            chunk(json!({"role": "assistant", "content": ""}), Value::Null),
            chunk(json!({"content": said}), Value::Null),
            chunk(json!({"content": "ø"}), Value::Null),
        ],
        vec![
            chunk(json!({}), json!("stop")),
            json!({"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "gpt-5", "choices": [], "usage": usage}),
        ],
    )
}

fn anthropic_stream(said: &str) -> (Vec<Value>, Vec<Value>) {
    let delta =
        |text: &str| json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}});
    let message = json!({
        "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-4-5", "content": [],
        "stop_reason": null, "stop_sequence": null, "usage": {"input_tokens": 11, "output_tokens": 1},
    });
    (
        vec![
            json!({"type": "message_start", "message": message}),
            json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}),
            json!({"type": "ping"}),
            delta(said),
            delta("ø"),
        ],
        vec![
            json!({"type": "content_block_stop", "index": 0}),
            json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 7}}),
            json!({"type": "message_stop"}),
        ],
    )
}
