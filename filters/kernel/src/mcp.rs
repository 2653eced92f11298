//! MCP over Streamable HTTP, as far as requests are decided upon: in every revision, the one without sessions included.
//!
//! What the body says counts. Headers that repeat it ([`Headers`]) must agree with it, in the revisions that demand them and in
//! those that do not know them: somebody may route by them.

pub mod answer;
pub mod event_id;
mod fault;
mod headers;
pub mod lint;
mod method;
mod name;
mod param_header;
mod refusal;
mod revision;
pub mod session;
pub mod task;
pub mod tool;

pub use fault::{Era, Fault, HEADER_MISMATCH, MISSING_CAPABILITY, Reason, Requested, UNSUPPORTED_VERSION};
pub use headers::Headers;
pub use method::{ActsOn, Method, Named};
pub use name::{Names, NotNames, is_uri};
pub use param_header::{Annotation, BadAnnotation, annotations};
pub use refusal::Refused;
pub use revision::Revision;

use crate::json::{Document, Value};
use crate::json_rpc::{Id, Message};
use std::borrow::Cow;

/// In `_meta`: the revision that a request is written in.
pub const VERSION_KEY: &str = "io.modelcontextprotocol/protocolVersion";
/// In `_meta`: what the client can do.
pub const CAPABILITIES_KEY: &str = "io.modelcontextprotocol/clientCapabilities";

/// How many resources one request may be about: each is decided upon and recorded.
const MAX_SUBSCRIPTIONS: usize = 256;

/// The members of parameters that something is decided by.
const PARAMETERS: [&str; 11] = [
    "task",
    "_meta",
    "name",
    "uri",
    "arguments",
    "taskId",
    "ref",
    "notifications",
    "protocolVersion",
    "requestState",
    "inputResponses",
];

/// What a client has posted.
#[derive(Debug)]
pub struct Posted<'d, 'a> {
    /// In which revision it is written.
    pub revision: Revision,
    /// What it is.
    pub content: Content<'d, 'a>,
}

/// What a message of a client is.
#[derive(Debug)]
pub enum Content<'d, 'a> {
    /// It asks for something.
    Call(Call<'d, 'a>),
    /// It says something.
    Notice(Named<'a>),
    /// It answers a request of the server's.
    Answer(Id<'a>),
}

/// A request.
#[derive(Debug)]
pub struct Call<'d, 'a> {
    /// What the answer will carry.
    pub id: Id<'a>,
    /// What is asked for.
    pub method: Named<'a>,
    /// On what it acts.
    pub target: Target<'a>,
    /// The tasks that it names.
    pub tasks: Vec<Cow<'a, str>>,
    /// An object.
    pub params: Option<Value<'d, 'a>>,
    /// What the tool or prompt is called with: an object.
    pub arguments: Option<Value<'d, 'a>>,
    /// What the client says that it can do: with each request where there are no sessions, else when it opens one.
    pub capabilities: Option<Value<'d, 'a>>,
}

/// What a request acts on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target<'a> {
    /// Nothing in particular.
    Nothing,
    /// The tool of this name.
    Tool(Cow<'a, str>),
    /// The prompt of this name.
    Prompt(Cow<'a, str>),
    /// The resource at this URI, or those that fit this URI template.
    Resource(Cow<'a, str>),
    /// The resources at these URIs.
    Resources(Vec<Cow<'a, str>>),
    /// The task with this id.
    Task(Cow<'a, str>),
}

impl<'d, 'a> Posted<'d, 'a> {
    /// Reads what was posted with these headers.
    ///
    /// # Errors
    /// What is wrong, and the answer to it.
    pub fn read(document: &'d Document<'a>, headers: Headers<'_>, names: &Names) -> Result<Self, Fault<'a>> {
        let message = Message::of(document)?;
        let id = match &message {
            Message::Request { id, .. } => Some(id.clone()),
            _ => None,
        };
        Self::of(message, headers, names).map_err(|reason| Fault { reason, id })
    }

    fn of(message: Message<'d, 'a>, headers: Headers<'_>, names: &Names) -> Result<Self, Reason> {
        let params = match &message {
            Message::Request { params, .. } | Message::Notification { params, .. } => *params,
            Message::Result { .. } | Message::Error { .. } => None,
        };
        let meta = meta(params)?;
        let is_request = matches!(message, Message::Request { .. });
        let revision = revision(headers, meta, is_request)?;
        headers.single("Mcp-Session-Id")?;
        let content = match message {
            Message::Request { id, method, params } => {
                let method = Named::of(method);
                check_method(&method, revision, is_request)?;
                let target = target(&method, params, names)?;
                let tasks = tasks(&method, &target, params)?;
                headers.agree(revision, &method, &target)?;
                let arguments = arguments(params)?;
                opens_old_transport(&method, params)?;
                let capabilities = match method {
                    Named::Known(Method::Initialize) => params.and_then(|params| params.get("capabilities")),
                    _ => meta.and_then(|meta| meta.get(CAPABILITIES_KEY)),
                };
                Content::Call(Call { id, method, target, tasks, params, arguments, capabilities })
            }
            Message::Notification { method, .. } => {
                let method = Named::of(method);
                check_method(&method, revision, is_request)?;
                headers.agree_if_there(&method)?;
                Content::Notice(method)
            }
            _ if revision.is_stateless() => return Err(Reason::Answer),
            Message::Result { id, .. } | Message::Error { id: Some(id), .. } => Content::Answer(id),
            Message::Error { id: None, .. } => return Err(Reason::Message(crate::json_rpc::Reason::Id)),
        };
        Ok(Self { revision, content })
    }
}

/// `_meta`, after no parameter was found that some reader takes for another.
fn meta<'d, 'a>(params: Option<Value<'d, 'a>>) -> Result<Option<Value<'d, 'a>>, Reason> {
    let Some(params) = params else { return Ok(None) };
    unlike(params, &PARAMETERS)?;
    let Some(meta) = params.get("_meta") else { return Ok(None) };
    if !meta.is_object() {
        return Err(Reason::Parameter("_meta"));
    }
    unlike(meta, &[VERSION_KEY, CAPABILITIES_KEY])?;
    Ok(Some(meta))
}

fn unlike(object: Value<'_, '_>, known: &[&str]) -> Result<(), Reason> {
    let resembles = object.members().any(|member| known.iter().any(|key| member.resembles(key)));
    if resembles { Err(Reason::ResemblingKey) } else { Ok(()) }
}

/// The revision, of which header and `_meta` say the same.
fn revision(headers: Headers<'_>, meta: Option<Value<'_, '_>>, is_request: bool) -> Result<Revision, Reason> {
    let header = headers.text(Headers::VERSION)?;
    let own = match meta.and_then(|meta| meta.get(VERSION_KEY)) {
        Some(version) => Some(version.as_str().ok_or(Reason::Parameter(VERSION_KEY))?),
        None => None,
    };
    let revision = match (header, &own) {
        (None, None) => Revision::WITHOUT_HEADER,
        (None, Some(_)) => return Err(Reason::MissingHeader(Headers::VERSION)),
        (Some(header), Some(own)) if header != own => return Err(Reason::Mismatch(Headers::VERSION)),
        (Some(header), own) => {
            let era = if own.is_some() { Era::Stateless } else { Era::Sessions };
            Revision::of_name(header).ok_or(Reason::UnsupportedVersion(Requested::of(header), era))?
        }
    };
    if revision.is_stateless() && is_request {
        own.ok_or(Reason::Parameter(VERSION_KEY))?;
        let capabilities = meta.and_then(|meta| meta.get(CAPABILITIES_KEY));
        capabilities.filter(|value| value.is_object()).ok_or(Reason::Parameter(CAPABILITIES_KEY))?;
    }
    Ok(revision)
}

/// A method that wants an answer must not come as a notification: it would run unseen.
fn check_method(method: &Named<'_>, revision: Revision, is_request: bool) -> Result<(), Reason> {
    let is_known_notification = method.as_str().starts_with("notifications/");
    match method {
        _ if is_known_notification == is_request => Err(Reason::Direction),
        Named::Known(method) if !method.is_in(revision) => Err(Reason::NoSuchMethod(revision)),
        // To a server that does not tell capital letters from others it is one that rules know by its name.
        Named::Other(name) if Method::ALL.into_iter().any(|known| known.name().eq_ignore_ascii_case(name)) => {
            Err(Reason::NoSuchMethod(revision))
        }
        _ => Ok(()),
    }
}

fn arguments<'d, 'a>(params: Option<Value<'d, 'a>>) -> Result<Option<Value<'d, 'a>>, Reason> {
    match params.and_then(|params| params.get("arguments")) {
        None => Ok(None),
        Some(arguments) if arguments.is_object() => Ok(Some(arguments)),
        Some(_) => Err(Reason::Parameter("arguments")),
    }
}

fn target<'a>(method: &Named<'a>, params: Option<Value<'_, 'a>>, names: &Names) -> Result<Target<'a>, Reason> {
    let Named::Known(method) = method else { return Ok(Target::Nothing) };
    let name = |of: Value<'_, 'a>| text(of, "name", |name| names.allow(name));
    let uri = |of: Value<'_, 'a>| text(of, "uri", is_uri);
    let params = |needed| params.ok_or(Reason::Parameter(needed));
    Ok(match method.acts_on() {
        ActsOn::Nothing => Target::Nothing,
        ActsOn::Tool => Target::Tool(name(params("name")?)?),
        ActsOn::Prompt => Target::Prompt(name(params("name")?)?),
        ActsOn::Resource => Target::Resource(uri(params("uri")?)?),
        ActsOn::Task => Target::Task(text(params("taskId")?, "taskId", name::is_task_id)?),
        ActsOn::Reference => {
            let reference = params("ref")?.get("ref").filter(|value| value.is_object());
            let reference = reference.ok_or(Reason::Parameter("ref"))?;
            unlike(reference, &["type", "name", "uri"])?;
            match reference.get("type").and_then(Value::as_str).as_deref() {
                Some("ref/prompt") => Target::Prompt(name(reference)?),
                Some("ref/resource") => Target::Resource(uri(reference)?),
                _ => return Err(Reason::Parameter("ref")),
            }
        }
        ActsOn::Subscriptions => Target::Resources(subscriptions(params("notifications")?)?),
    })
}

/// The revision that came before Streamable HTTP has no place here.
fn opens_old_transport(method: &Named<'_>, params: Option<Value<'_, '_>>) -> Result<(), Reason> {
    const OLD: &str = "2024-11-05";
    let offered = params.and_then(|params| params.get("protocolVersion")).and_then(Value::as_str);
    let opens = *method == Named::Known(Method::Initialize) && offered.as_deref() == Some(OLD);
    if opens { Err(Reason::OldTransport) } else { Ok(()) }
}

/// The tasks that a request names: the one it acts on, or those that a client wants to hear of.
fn tasks<'a>(
    method: &Named<'a>,
    target: &Target<'a>,
    params: Option<Value<'_, 'a>>,
) -> Result<Vec<Cow<'a, str>>, Reason> {
    const IDS: &str = "taskIds";
    if let Target::Task(id) = target {
        return Ok(vec![id.clone()]);
    }
    let listens = *method == Named::Known(Method::SubscriptionsListen);
    let filter = params.filter(|_| listens).and_then(|params| params.get("notifications"));
    let Some(filter) = filter else { return Ok(Vec::new()) };
    unlike(filter, &[IDS])?;
    match filter.get(IDS) {
        None => Ok(Vec::new()),
        Some(ids) if ids.kind() == crate::json::Kind::Array => {
            ids.items().map(|id| id.as_str().filter(|id| name::is_task_id(id)).ok_or(Reason::Parameter(IDS))).collect()
        }
        Some(_) => Err(Reason::Parameter(IDS)),
    }
}

/// The URIs that a client wants to hear of.
fn subscriptions<'a>(params: Value<'_, 'a>) -> Result<Vec<Cow<'a, str>>, Reason> {
    const URIS: &str = "resourceSubscriptions";
    let filter = params.get("notifications").filter(|value| value.is_object());
    let filter = filter.ok_or(Reason::Parameter("notifications"))?;
    unlike(filter, &[URIS])?;
    let Some(uris) = filter.get(URIS) else { return Ok(Vec::new()) };
    if uris.kind() != crate::json::Kind::Array || uris.items().count() > MAX_SUBSCRIPTIONS {
        return Err(Reason::Parameter(URIS));
    }
    uris.items().map(|uri| uri.as_str().filter(|uri| is_uri(uri)).ok_or(Reason::Parameter(URIS))).collect()
}

fn text<'a>(of: Value<'_, 'a>, key: &'static str, allowed: impl Fn(&str) -> bool) -> Result<Cow<'a, str>, Reason> {
    of.get(key).and_then(Value::as_str).filter(|text| allowed(text)).ok_or(Reason::Parameter(key))
}

impl Target<'_> {
    /// What `Mcp-Name` repeats of it.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Tool(text) | Self::Prompt(text) | Self::Resource(text) | Self::Task(text) => Some(text),
            Self::Nothing | Self::Resources(_) => None,
        }
    }
}

#[cfg(test)]
mod tests;
