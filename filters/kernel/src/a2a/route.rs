//! Which operation a method and path of HTTP+JSON are.
//!
//! Version 0.3 begins with `/v1`, version 1.0 with nothing or a tenant. A path that some server could take for another's is
//! none: encoded delimiters, `//`, dot segments, `;`, an id that ends as a verb does, a tenant called as the resources are.

use super::id::is_id;
use super::{Operation, Reason, Version};
use crate::percent::decode;
use std::borrow::Cow;

/// What a method and path say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Route {
    pub(super) operation: Operation,
    pub(super) version: Version,
    pub(super) tenant: Option<String>,
    pub(super) task: Option<String>,
    pub(super) config: Option<String>,
}

/// What servers may take for the end of a segment or of a path, once it is decoded.
const DELIMITERS: &[u8] = b"/\\?#%:;";
const MAX_PATH: usize = 2048;
const VERBS: [&str; 2] = [":cancel", ":subscribe"];
const RESERVED: [&str; 4] = ["tasks", "v1", "card", "extendedAgentCard"];

/// The route, if there is one, of a path without its query.
pub(super) fn route(method: &str, path: &str) -> Result<Option<Route>, Reason> {
    let path = path.strip_prefix('/').filter(|path| path.len() <= MAX_PATH).ok_or(Reason::Path)?;
    let segments = path.split('/').map(segment).collect::<Option<Vec<_>>>().ok_or(Reason::Path)?;
    let segments: Vec<&str> = segments.iter().map(|segment| &**segment).collect();
    Ok(match segments.as_slice() {
        ["v1", rest @ ..] => at(method, rest, Version::V0_3, None),
        [tenant, rest @ ..] => at(method, &segments, Version::V1_0, None)
            .or_else(|| at(method, rest, Version::V1_0, is_tenant(tenant).then(|| (*tenant).to_owned())?.into())),
        [] => None,
    })
}

fn segment(raw: &str) -> Option<Cow<'_, str>> {
    let is_plain = |byte: u8| byte.is_ascii_graphic() && !b"\\;?#".contains(&byte);
    let said = decode(raw, DELIMITERS).filter(|_| raw.bytes().all(is_plain))?;
    (is_id(&said) && !matches!(&*said, "." | "..")).then_some(said)
}

fn is_tenant(name: &str) -> bool {
    !name.contains(':') && !RESERVED.contains(&name)
}

fn at(method: &str, segments: &[&str], version: Version, tenant: Option<String>) -> Option<Route> {
    let is_id = |id: &&str| !VERBS.iter().any(|verb| id.ends_with(verb));
    let (operation, task, config) = match (method, segments) {
        ("POST", ["message:send"]) => (Operation::SendMessage, None, None),
        ("POST", ["message:stream"]) => (Operation::SendStreamingMessage, None, None),
        ("GET", ["tasks"]) => (Operation::ListTasks, None, None),
        ("GET", ["tasks", id]) if is_id(id) => (Operation::GetTask, Some(*id), None),
        ("GET" | "POST", ["tasks", task]) => match (method, task.rsplit_once(':')?) {
            ("POST", (id, "cancel")) => (Operation::CancelTask, Some(id), None),
            // The specification says POST, its normative source GET.
            (_, (id, "subscribe")) => (Operation::SubscribeToTask, Some(id), None),
            _ => return None,
        },
        ("POST", ["tasks", id, "pushNotificationConfigs"]) => (Operation::CreatePushConfig, Some(*id), None),
        ("GET", ["tasks", id, "pushNotificationConfigs"]) => (Operation::ListPushConfigs, Some(*id), None),
        ("GET", ["tasks", id, "pushNotificationConfigs", of]) => (Operation::GetPushConfig, Some(*id), Some(*of)),
        ("DELETE", ["tasks", id, "pushNotificationConfigs", of]) => (Operation::DeletePushConfig, Some(*id), Some(*of)),
        ("GET", ["extendedAgentCard"]) if version == Version::V1_0 => (Operation::GetExtendedCard, None, None),
        ("GET", ["card"]) if version == Version::V0_3 => (Operation::GetExtendedCard, None, None),
        _ => return None,
    };
    if !task.is_none_or(|id| !id.is_empty() && is_id(&id)) {
        return None;
    }
    Some(Route { operation, version, tenant, task: task.map(str::to_owned), config: config.map(str::to_owned) })
}
