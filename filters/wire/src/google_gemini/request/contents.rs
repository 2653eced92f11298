//! The turns of a client's Gemini body.

use crate::conversation::{Message, Part, Reasoning, Request, Role, ToolCall, ToolResult};
use crate::error::Invalid;
use crate::fields::At;
use crate::google_gemini::object::Object;
use crate::google_gemini::{NO_SIGNATURE, ORIGIN, media};
use crate::signature::{Seal, SealKind};
use serde_json::value::RawValue;

/// What a part may be. Exactly one of them.
const KINDS: [&str; 9] = [
    "text",
    "inlineData",
    "fileData",
    "functionCall",
    "functionResponse",
    "executableCode",
    "codeExecutionResult",
    "toolCall",
    "toolResponse",
];

/// Fields of parts that only Google has.
pub(super) const PART_FIELDS: [&str; 9] = [
    "mediaResolution",
    "videoMetadata",
    "mediaProcessing",
    "partMetadata",
    "speechMetadata",
    "documentMetadata",
    "spreadsheetMetadata",
    "audioMetadata",
    "audioTranscription",
];

/// The other thing that Google lets stand for a signature.
const NO_SIGNATURE_EITHER: &str = "context_engineering_is_the_way_to_go";

/// So many calls may wait for their results. No model makes more at once; each result is looked for among them.
pub(super) const MAX_WAITING: usize = 1024;

/// Calls that wait for their results. Google finds them by name and order where they have no ids.
#[derive(Debug, Default)]
struct Calls {
    waiting: Vec<Call>,
    count: usize,
}

#[derive(Debug)]
struct Call {
    id: String,
    name: String,
}

/// Reads the turns into `request`.
pub(super) fn read(contents: Vec<&RawValue>, at: &At<'_>, request: &mut Request) -> Result<(), Invalid> {
    if contents.is_empty() {
        return Err(at.lacks("an array of at least one object"));
    }
    let mut calls = Calls::default();
    for (index, content) in contents.into_iter().enumerate() {
        let at = &at.item(index);
        let mut content = Object::of(content, at)?;
        let role = match content.text("role", at)?.as_deref() {
            Some("user" | "function" | "") | None => Role::User,
            Some("model") => Role::Assistant,
            Some(_) => return Err(at.field("role").fault("must be user or model")),
        };
        let parts = content.list("parts", at)?;
        content.leave_out(&[], at, request)?;
        read_turn(role, parts, &at.field("parts"), &mut calls, request)?;
    }
    Ok(())
}

fn read_turn(
    role: Role,
    parts: Vec<&RawValue>,
    at: &At<'_>,
    calls: &mut Calls,
    request: &mut Request,
) -> Result<(), Invalid> {
    // The SDK's chats hand a streamed answer back in as many turns as it had chunks.
    let goes_on = role == Role::Assistant && request.messages.last().is_some_and(|last| last.role == role);
    let before = if goes_on { request.messages.pop() } else { None };
    let mut turn = before.map(|message| message.parts).unwrap_or_default();
    for (index, part) in parts.into_iter().enumerate() {
        let at = &at.item(index);
        let part = Object::of(part, at)?;
        let joins = goes_on && index == 0;
        match role {
            Role::User => read_users_part(part, at, calls, request, &mut turn)?,
            Role::Assistant => read_models_part(part, joins, at, calls, request, &mut turn)?,
        }
    }
    if !turn.is_empty() {
        request.messages.push(Message { role, parts: turn });
    } else if role == Role::User {
        // A turn of the model may go (it may be all code that Google ran); a question may not.
        return Err(at.fault("holds nothing that can be carried to another provider"));
    }
    Ok(())
}

fn read_users_part(
    mut part: Object<'_>,
    at: &At<'_>,
    calls: &mut Calls,
    request: &mut Request,
    turn: &mut Vec<Part>,
) -> Result<(), Invalid> {
    let kind = take_kind(&mut part, at)?;
    // Clients that keep one list of parts for both sides may have these here too; they say nothing of a user.
    part.take("thought", at)?;
    part.take("thoughtSignature", at)?;
    let (name, value) = match kind {
        Some(kind) => kind,
        None => return leave_out_unknown(part, at, request),
    };
    let at_value = &at.field(name);
    match name {
        "text" => {
            let text: String = crate::fields::read(value, at_value, "a string")?;
            if !text.is_empty() {
                turn.push(Part::Text(text));
            }
        }
        "functionResponse" => {
            let result = read_result(Object::of(value, at_value)?, at_value, calls, request)?;
            turn.push(Part::ToolResult(result));
        }
        "functionCall" => return Err(at_value.fault("only the model calls functions")),
        _ => turn.extend(read_data(name, value, at_value, request)?),
    }
    part.leave_out(&PART_FIELDS, at, request)
}

fn read_models_part(
    mut part: Object<'_>,
    joins: bool,
    at: &At<'_>,
    calls: &mut Calls,
    request: &mut Request,
    turn: &mut Vec<Part>,
) -> Result<(), Invalid> {
    let kind = take_kind(&mut part, at)?;
    let is_thought = part.flag("thought", at)? == Some(true);
    let signature = part.text("thoughtSignature", at)?;
    let Some((name, value)) = kind else {
        push_seal(signature, turn);
        return leave_out_unknown(part, at, request);
    };
    let at_value = &at.field(name);
    match name {
        "text" => {
            let text: String = crate::fields::read(value, at_value, "a string")?;
            if is_thought {
                push_thought(text, turn);
                push_seal(signature, turn);
            } else {
                let joins = joins && signature.is_none();
                push_seal(signature, turn);
                push_text(text, joins, turn);
            }
        }
        "functionCall" => {
            let call = read_call(Object::of(value, at_value)?, at_value, calls, request)?;
            push_seal(signature, turn);
            turn.push(Part::ToolCall(call));
        }
        "functionResponse" => return Err(at_value.fault("only the user hands in results")),
        _ => {
            let data = read_data(name, value, at_value, request)?;
            if data.is_some() {
                push_seal(signature, turn);
            }
            turn.extend(data);
        }
    }
    part.leave_out(&PART_FIELDS, at, request)
}

/// The one kind of thing that a part is.
fn take_kind<'a>(part: &mut Object<'a>, at: &At<'_>) -> Result<Option<(&'static str, &'a RawValue)>, Invalid> {
    let mut kind = None;
    for name in KINDS {
        if let Some(value) = part.take(name, at)?
            && kind.replace((name, value)).is_some()
        {
            return Err(at.fault("must be one kind of thing only"));
        }
    }
    Ok(kind)
}

/// A part of a kind that is not known here cannot be left out; one that is nothing at all can.
fn leave_out_unknown(part: Object<'_>, at: &At<'_>, request: &mut Request) -> Result<(), Invalid> {
    let unknown = || at.fault("is a part that cannot be carried to another provider");
    let known_before = request.dropped.contains(&"unknown_fields");
    part.leave_out(&PART_FIELDS, at, request)?;
    if !known_before && request.dropped.contains(&"unknown_fields") { Err(unknown()) } else { Ok(()) }
}

fn read_data(
    name: &'static str,
    value: &RawValue,
    at: &At<'_>,
    request: &mut Request,
) -> Result<Option<Part>, Invalid> {
    let mut data = Object::of(value, at)?;
    let part = match name {
        "inlineData" => media::read_inline(&mut data, at)?,
        "fileData" => media::read_file(&mut data, at)?,
        other => {
            request.note_dropped(other);
            return Ok(None);
        }
    };
    data.leave_out(&[], at, request)?;
    Ok(Some(part))
}

fn read_call(mut call: Object<'_>, at: &At<'_>, calls: &mut Calls, request: &mut Request) -> Result<ToolCall, Invalid> {
    let name = call.text("name", at)?.ok_or_else(|| at.field("name").lacks("a string"))?;
    let made_up = || ToolCall::made_up_id(calls.count);
    let id = call.text("id", at)?.filter(|id| !id.is_empty()).unwrap_or_else(made_up);
    let arguments = call.take("args", at)?.map_or("{}", RawValue::get);
    if !arguments.starts_with('{') {
        return Err(at.field("args").fault("must be an object"));
    }
    call.leave_out(&["partialArgs", "willContinue"], at, request)?;
    let call = ToolCall { id, name, arguments: arguments.to_owned() };
    calls.count = calls.count.saturating_add(1);
    if calls.waiting.len() == MAX_WAITING {
        return Err(at.fault("is one of more calls without results than any model makes"));
    }
    calls.waiting.push(Call { id: call.id.clone(), name: call.name.clone() });
    Ok(call)
}

fn read_result(
    mut result: Object<'_>,
    at: &At<'_>,
    calls: &mut Calls,
    request: &mut Request,
) -> Result<ToolResult, Invalid> {
    let name = result.text("name", at)?;
    let given = result.text("id", at)?.filter(|id| !id.is_empty());
    let answers = |call: &Call| match &given {
        Some(id) => call.id == *id,
        None => Some(&call.name) == name.as_ref(),
    };
    let found = calls.waiting.iter().position(answers).map(|index| calls.waiting.remove(index).id);
    let id = given.or(found).ok_or_else(|| at.fault("answers no call of a function before it"))?;
    let (text, is_error) = read_outcome(result.take("response", at)?, &at.field("response"))?;
    let mut content = vec![Part::Text(text)];
    for (index, part) in result.list("parts", at)?.into_iter().enumerate() {
        let at = &at.field("parts");
        let at = &at.item(index);
        let mut part = Object::of(part, at)?;
        match take_kind(&mut part, at)? {
            Some((name @ ("inlineData" | "fileData"), value)) => {
                content.extend(read_data(name, value, &at.field(name), request)?);
            }
            _ => return Err(at.fault("must be inlineData or fileData")),
        }
        part.leave_out(&PART_FIELDS, at, request)?;
    }
    result.leave_out(&["willContinue", "scheduling"], at, request)?;
    Ok(ToolResult { id, content, is_error })
}

/// What a function returned, as text, and whether it failed. Google gives `output` and `error` a meaning, its SDK writes
/// `result`; anything else is all of it the outcome.
fn read_outcome(response: Option<&RawValue>, at: &At<'_>) -> Result<(String, bool), Invalid> {
    let Some(response) = response else { return Ok((String::new(), false)) };
    let fields = Object::of(response, at)?;
    let is_error = fields.iter().any(|(name, value)| name == "error" && value.get() != "null");
    let mut all = fields.iter();
    match (all.next(), all.next()) {
        (Some(("output" | "result" | "error", value)), None) => {
            let text = serde_json::from_str(value.get()).unwrap_or_else(|_| value.get().to_owned());
            Ok((text, is_error))
        }
        _ => Ok((response.get().to_owned(), is_error)),
    }
}

fn push_text(text: String, joins: bool, turn: &mut Vec<Part>) {
    match turn.last_mut() {
        _ if text.is_empty() => {}
        Some(Part::Text(before)) if joins => before.push_str(&text),
        _ => turn.push(Part::Text(text)),
    }
}

/// Thoughts come in pieces; other providers check theirs as a whole.
fn push_thought(text: String, turn: &mut Vec<Part>) {
    match turn.last_mut() {
        _ if text.is_empty() => {}
        Some(Part::Reasoning(before)) if before.seal.is_none() => before.text.push_str(&text),
        _ => turn.push(Part::Reasoning(Reasoning { text, seal: None })),
    }
}

/// Google signs what came of the thoughts; here the seal stands with the thoughts.
fn push_seal(signature: Option<String>, turn: &mut Vec<Part>) {
    let Some(signature) = signature.filter(|text| !text.is_empty()) else { return };
    if matches!(signature.as_str(), NO_SIGNATURE | NO_SIGNATURE_EITHER) {
        return;
    }
    let seal = Some(Seal::from_client_base64(ORIGIN, SealKind::Signature, &signature));
    match turn.last_mut() {
        Some(Part::Reasoning(before)) if before.seal.is_none() => before.seal = seal,
        _ => turn.push(Part::Reasoning(Reasoning { text: String::new(), seal })),
    }
}
