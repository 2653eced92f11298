//! A conversation into a request body.

use crate::conversation::{Media, Message, Part, Request, Role, Tool, ToolChoice};
use crate::error::Invalid;
use serde::Serialize;
use serde_json::value::RawValue;

/// Writes a whole request body; see [`Format::write_request`](crate::Format::write_request).
///
/// # Errors
/// Never for a conversation that a reader of this crate made.
pub fn write_request(request: &mut Request) -> Result<Vec<u8>, Invalid> {
    let mut dropped = Vec::new();
    let has_tools = !request.tools.is_empty();
    let body = RequestOut {
        model: &request.model,
        messages: write_messages(request, &mut dropped),
        tools: request.tools.iter().map(ToolOut::from).collect(),
        tool_choice: request.tool_choice.as_ref().filter(|_| has_tools).map(write_tool_choice),
        parallel_tool_calls: request.parallel_tool_calls.filter(|_| has_tools),
        max_completion_tokens: request.max_output_tokens,
        temperature: request.sampling.temperature,
        top_p: request.sampling.top_p,
        stop: &request.stop,
        user: request.end_user.as_deref(),
        stream: request.stream.then_some(true),
        stream_options: request.stream.then_some(StreamOptionsOut { include_usage: true }),
    };
    let body = serde_json::to_vec(&body).map_err(|_| Invalid::new("", "cannot be written as JSON"))?;
    for name in dropped {
        request.note_dropped(name);
    }
    Ok(body)
}

#[derive(Serialize)]
struct RequestOut<'a> {
    model: &'a str,
    messages: Vec<MessageOut<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<ToolOut<'a>>,
    /// Like the next, refused by OpenAI where there are no tools.
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_choice: Option<ToolChoiceOut<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parallel_tool_calls: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_completion_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<f64>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    stop: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream: Option<bool>,
    /// Without it a stream has no usage and nobody knows what it cost.
    #[serde(skip_serializing_if = "Option::is_none")]
    stream_options: Option<StreamOptionsOut>,
}

#[derive(Serialize)]
struct StreamOptionsOut {
    include_usage: bool,
}

#[derive(Serialize)]
#[serde(tag = "role", rename_all = "lowercase")]
enum MessageOut<'a> {
    System {
        content: &'a str,
    },
    User {
        content: ContentOut<'a>,
    },
    Assistant {
        content: Option<ContentOut<'a>>,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        tool_calls: Vec<ToolCallOut<'a>>,
    },
    Tool {
        tool_call_id: &'a str,
        content: ContentOut<'a>,
    },
}

/// A lone text is written as a string, the one form that every compatible server takes.
#[derive(Serialize)]
#[serde(untagged)]
enum ContentOut<'a> {
    Text(&'a str),
    Parts(Vec<PartOut<'a>>),
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum PartOut<'a> {
    Text { text: &'a str },
    ImageUrl { image_url: ImageUrlOut },
}

#[derive(Serialize)]
struct ImageUrlOut {
    url: String,
}

/// A call, as requests and answers have it.
#[derive(Serialize)]
pub(in crate::openai_chat) struct ToolCallOut<'a> {
    id: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    function: CalledOut<'a>,
}

#[derive(Serialize)]
struct CalledOut<'a> {
    name: &'a str,
    arguments: &'a str,
}

fn write_messages<'a>(request: &'a Request, dropped: &mut Vec<&'static str>) -> Vec<MessageOut<'a>> {
    let mut messages: Vec<_> =
        request.system.iter().map(|system| MessageOut::System { content: &system.text }).collect();
    for message in &request.messages {
        match message.role {
            Role::User => write_user(message, &mut messages, dropped),
            Role::Assistant => messages.push(write_assistant(message, dropped)),
        }
    }
    messages
}

/// Results go first, since a call must be answered before anything else is said.
fn write_user<'a>(message: &'a Message, messages: &mut Vec<MessageOut<'a>>, dropped: &mut Vec<&'static str>) {
    let mut said = Vec::new();
    let before = messages.len();
    for part in &message.parts {
        let Part::ToolResult(result) = part else {
            said.extend(write_part(part));
            continue;
        };
        let texts: Vec<_> = result.content.iter().filter_map(write_text).collect();
        if texts.len() < result.content.len() {
            dropped.push("tool_result.image");
        }
        if result.is_error {
            dropped.push("tool_result.is_error");
        }
        messages.push(MessageOut::Tool { tool_call_id: &result.id, content: write_content(texts) });
    }
    if !said.is_empty() || messages.len() == before {
        messages.push(MessageOut::User { content: write_content(said) });
    }
}

fn write_assistant<'a>(message: &'a Message, dropped: &mut Vec<&'static str>) -> MessageOut<'a> {
    if message.parts.iter().any(|part| matches!(part, Part::Image(_))) {
        dropped.push("assistant.image");
    }
    let texts: Vec<_> = message.parts.iter().filter_map(write_text).collect();
    let tool_calls = write_tool_calls(&message.parts);
    let only_calls = texts.is_empty() && !tool_calls.is_empty();
    MessageOut::Assistant { content: (!only_calls).then(|| write_content(texts)), tool_calls }
}

pub(in crate::openai_chat) fn write_tool_calls(parts: &[Part]) -> Vec<ToolCallOut<'_>> {
    let calls = parts.iter().filter_map(|part| match part {
        Part::ToolCall(call) => Some(call),
        _ => None,
    });
    calls
        .map(|call| ToolCallOut {
            id: &call.id,
            kind: "function",
            function: CalledOut { name: &call.name, arguments: &call.arguments },
        })
        .collect()
}

fn write_content(parts: Vec<PartOut<'_>>) -> ContentOut<'_> {
    match parts.as_slice() {
        [] => ContentOut::Text(""),
        [PartOut::Text { text }] => ContentOut::Text(text),
        _ => ContentOut::Parts(parts),
    }
}

fn write_text(part: &Part) -> Option<PartOut<'_>> {
    if let Part::Text(text) = part { Some(PartOut::Text { text }) } else { None }
}

fn write_part(part: &Part) -> Option<PartOut<'_>> {
    let Part::Image(image) = part else { return write_text(part) };
    let url = match image {
        Media::Url(url) => url.clone(),
        Media::Inline { media_type, base64 } => format!("data:{media_type};base64,{base64}"),
    };
    Some(PartOut::ImageUrl { image_url: ImageUrlOut { url } })
}

#[derive(Serialize)]
struct ToolOut<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    function: FunctionOut<'a>,
}

#[derive(Serialize)]
struct FunctionOut<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parameters: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    strict: Option<bool>,
}

impl<'a> From<&'a Tool> for ToolOut<'a> {
    fn from(tool: &'a Tool) -> Self {
        let function = FunctionOut {
            name: &tool.name,
            description: tool.description.as_deref(),
            parameters: tool.parameters.as_deref(),
            strict: tool.strict,
        };
        Self { kind: "function", function }
    }
}

#[derive(Serialize)]
#[serde(untagged)]
enum ToolChoiceOut<'a> {
    Mode(&'static str),
    Function {
        #[serde(rename = "type")]
        kind: &'static str,
        function: ChosenOut<'a>,
    },
}

#[derive(Serialize)]
struct ChosenOut<'a> {
    name: &'a str,
}

fn write_tool_choice(choice: &ToolChoice) -> ToolChoiceOut<'_> {
    match choice {
        ToolChoice::Auto => ToolChoiceOut::Mode("auto"),
        ToolChoice::None => ToolChoiceOut::Mode("none"),
        ToolChoice::Required => ToolChoiceOut::Mode("required"),
        ToolChoice::Named(name) => ToolChoiceOut::Function { kind: "function", function: ChosenOut { name } },
    }
}
