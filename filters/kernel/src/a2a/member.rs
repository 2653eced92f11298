//! Members of objects, in both spellings: that of JSON and that of the protocol buffers, which readers of theirs accept too.
//!
//! Both at once are refused, as is a key that is read as one of them where capital letters are not told from others. `null` and
//! the empty text are as if nothing stood there, as they are to every such reader.

use super::Reason;
use super::id::is_id;
use crate::json::{Kind, Value};
use std::borrow::Cow;

/// How a member is called; the first is its name in faults.
pub(in crate::a2a) type Spelling = &'static [&'static str];

pub(in crate::a2a) const ACTOR_CHAIN: Spelling = &["actorChain", "actor_chain"];
pub(in crate::a2a) const APPEND: Spelling = &["append"];
pub(in crate::a2a) const ARTIFACT_UPDATE: Spelling = &["artifactUpdate", "artifact_update"];
pub(in crate::a2a) const ARTIFACTS: Spelling = &["artifacts"];
pub(in crate::a2a) const AUTHENTICATION: Spelling = &["authentication"];
pub(in crate::a2a) const BLOCKING: Spelling = &["blocking"];
pub(in crate::a2a) const CONFIG: Spelling = &["config"];
pub(in crate::a2a) const CONFIGURATION: Spelling = &["configuration"];
pub(in crate::a2a) const CONTEXT_ID: Spelling = &["contextId", "context_id"];
pub(in crate::a2a) const CREDENTIALS: Spelling = &["credentials"];
pub(in crate::a2a) const EXTENSIONS: Spelling = &["extensions"];
pub(in crate::a2a) const HISTORY_LENGTH: Spelling = &["historyLength", "history_length"];
pub(in crate::a2a) const ID: Spelling = &["id"];
pub(in crate::a2a) const KIND: Spelling = &["kind"];
pub(in crate::a2a) const MESSAGE: Spelling = &["message"];
/// In 0.3 over HTTP: the field is `request`, and `message` in JSON.
pub(in crate::a2a) const MESSAGE_OR_REQUEST: Spelling = &["message", "request"];
pub(in crate::a2a) const MESSAGE_ID: Spelling = &["messageId", "message_id"];
pub(in crate::a2a) const METADATA: Spelling = &["metadata"];
/// In answers of 0.3 over HTTP: the field is `msg`.
pub(in crate::a2a) const MESSAGE_OR_MSG: Spelling = &["message", "msg"];
pub(in crate::a2a) const NAME: Spelling = &["name"];
pub(in crate::a2a) const PARENT: Spelling = &["parent"];
pub(in crate::a2a) const PUSH_CONFIG: Spelling = &["pushNotificationConfig", "push_notification_config"];
pub(in crate::a2a) const PUSH_CONFIG_ID: Spelling = &["pushNotificationConfigId", "push_notification_config_id"];
/// In 0.3 over HTTP.
pub(in crate::a2a) const PUSH_NOTIFICATION: Spelling = &["pushNotification", "push_notification"];
pub(in crate::a2a) const REFERENCE_TASK_IDS: Spelling = &["referenceTaskIds", "reference_task_ids"];
pub(in crate::a2a) const RETURN_IMMEDIATELY: Spelling = &["returnImmediately", "return_immediately"];
pub(in crate::a2a) const SCHEME: Spelling = &["scheme"];
pub(in crate::a2a) const SCHEMES: Spelling = &["schemes"];
pub(in crate::a2a) const STATE: Spelling = &["state"];
pub(in crate::a2a) const STATUS: Spelling = &["status"];
pub(in crate::a2a) const STATUS_UPDATE: Spelling = &["statusUpdate", "status_update"];
pub(in crate::a2a) const TASK: Spelling = &["task"];
pub(in crate::a2a) const TASK_ID: Spelling = &["taskId", "task_id"];
pub(in crate::a2a) const TASK_PUSH_CONFIG: Spelling = &["taskPushNotificationConfig", "task_push_notification_config"];
pub(in crate::a2a) const TASKS: Spelling = &["tasks"];
pub(in crate::a2a) const TENANT: Spelling = &["tenant"];
pub(in crate::a2a) const TOKEN: Spelling = &["token"];
pub(in crate::a2a) const TOTAL_SIZE: Spelling = &["totalSize", "total_size"];
pub(in crate::a2a) const URL: Spelling = &["url"];

/// How many items a list that is read may have.
const MAX_ITEMS: usize = 64;

/// The member of `object` in one of its spellings.
pub(in crate::a2a) fn get<'d, 'a>(object: Value<'d, 'a>, spelling: Spelling) -> Result<Option<Value<'d, 'a>>, Reason> {
    let mut found = None;
    for member in object.members() {
        if spelling.iter().any(|key| member.is(key)) {
            if found.replace(member.value).is_some() {
                return Err(Reason::BothSpellings(name(spelling)));
            }
        } else if spelling.iter().any(|key| member.resembles(key)) {
            return Err(Reason::ResemblingKey);
        }
    }
    Ok(found.filter(|value| value.kind() != Kind::Null))
}

/// The same, of a member that must be an object.
pub(in crate::a2a) fn object<'d, 'a>(of: Value<'d, 'a>, spelling: Spelling) -> Result<Option<Value<'d, 'a>>, Reason> {
    match get(of, spelling)? {
        Some(value) if !value.is_object() => Err(Reason::Parameter(name(spelling))),
        value => Ok(value),
    }
}

/// The same, of a text.
pub(in crate::a2a) fn text<'a>(of: Value<'_, 'a>, spelling: Spelling) -> Result<Option<Cow<'a, str>>, Reason> {
    let Some(value) = get(of, spelling)? else { return Ok(None) };
    let text = value.as_str().ok_or(Reason::Parameter(name(spelling)))?;
    Ok(Some(text).filter(|text| !text.is_empty()))
}

/// The same, of an id.
pub(in crate::a2a) fn id<'a>(of: Value<'_, 'a>, spelling: Spelling) -> Result<Option<Cow<'a, str>>, Reason> {
    match text(of, spelling)? {
        Some(id) if !is_id(&id) => Err(Reason::Parameter(name(spelling))),
        id => Ok(id),
    }
}

/// The same, of a list of up to 64 texts that are `allowed`.
pub(in crate::a2a) fn texts<'a>(
    of: Value<'_, 'a>,
    spelling: Spelling,
    allowed: impl Fn(&str) -> bool,
) -> Result<Vec<Cow<'a, str>>, Reason> {
    let fault = Reason::Parameter(name(spelling));
    let Some(list) = get(of, spelling)? else { return Ok(Vec::new()) };
    if list.kind() != Kind::Array || list.items().nth(MAX_ITEMS).is_some() {
        return Err(fault);
    }
    list.items().map(|item| item.as_str().filter(|text| allowed(text)).ok_or(fault)).collect()
}

/// The same, of a flag.
pub(in crate::a2a) fn flag(of: Value<'_, '_>, spelling: Spelling) -> Result<Option<bool>, Reason> {
    let Some(value) = get(of, spelling)? else { return Ok(None) };
    value.as_bool().map(Some).ok_or(Reason::Parameter(name(spelling)))
}

/// The same, of a count: a number, or a text that is one, as readers of protocol buffers accept it.
pub(in crate::a2a) fn count(of: Value<'_, '_>, spelling: Spelling) -> Result<Option<u32>, Reason> {
    let Some(value) = get(of, spelling)? else { return Ok(None) };
    let digits = value.as_str().or_else(|| value.as_number().map(Cow::Borrowed));
    digits.and_then(|digits| digits.parse().ok()).map(Some).ok_or(Reason::Parameter(name(spelling)))
}

/// Its name in faults.
pub(in crate::a2a) fn name(spelling: Spelling) -> &'static str {
    spelling.first().copied().unwrap_or_default()
}
