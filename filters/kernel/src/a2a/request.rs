//! What a request says before its body is there.

use super::call::{Said, root};
use super::query::Query;
use super::route::{Route, route};
use super::{Binding, Call, Dialect, Fault, Named, Operation, Reason, SkillKeys, Version, extension};
use crate::headers::{Headers, plain};
use crate::json::Document;
use crate::json_rpc::{self, Message};

/// Method, path and headers of a request.
#[derive(Debug, Clone, Copy)]
pub struct Head<'h> {
    /// The method of HTTP.
    pub method: &'h str,
    /// The path below the agent's own, with its query: nothing or `/` is the agent itself, which JSON-RPC is spoken with.
    pub path: &'h str,
    /// The headers.
    pub headers: Headers<'h>,
}

/// Who arrives.
#[derive(Debug, Clone)]
pub enum Arrival {
    /// Somebody reads the agent's card, at today's path or the one before 0.3.
    Card,
    /// Somebody speaks gRPC: the operation, if its path is one of A2A's. gRPC-Web is not spoken by agents.
    Grpc(Option<(Operation, Version)>),
    /// A request that is read.
    Request(Request),
}

/// Whether a request has a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    /// It must.
    Needed,
    /// It may.
    Optional,
    /// It must not.
    None,
}

/// A request, as far as its head says.
#[derive(Debug, Clone)]
pub struct Request {
    asked: Asked,
    /// The version that header or query name, or that of a request that names none.
    version: Version,
    query: Query,
    extensions: Vec<String>,
}

#[derive(Debug, Clone)]
enum Asked {
    JsonRpc,
    Route(Route),
    /// Method and path of HTTP that A2A does not have.
    Other(String),
}

const VERSION: &str = "A2A-Version";
/// What a token is called in a query (RFC 6750, section 2.3). Envoy finds it there too, and the agent would get it with the path.
const TOKEN: &str = "access_token";
const CARDS: [&str; 2] = ["/.well-known/agent-card.json", "/.well-known/agent.json"];
const OVERRIDES: [&str; 3] = ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"];
const MAX_OTHER: usize = 256;

impl Arrival {
    /// Who arrives with this head.
    ///
    /// # Errors
    /// What is wrong with it, and the answer to that.
    pub fn of(head: Head<'_>) -> Result<Self, Fault<'static>> {
        let (path, query) = head.path.split_once('?').unwrap_or((head.path, ""));
        let is_json_rpc = head.method == "POST" && matches!(path, "" | "/");
        let binding = if is_json_rpc { Binding::JsonRpc } else { Binding::HttpJson };
        // Until the version is known, the one that the path has.
        let guess = if path.starts_with("/v1/") || is_json_rpc { Version::V0_3 } else { Version::V1_0 };
        let fault = |reason| Fault { reason, dialect: Dialect { binding, version: guess }, id: None };
        if head.method == "HEAD" && (CARDS.contains(&path) || route("GET", path).map_err(fault)?.is_some()) {
            return Err(fault(Reason::Head));
        }
        let query = Query::read(query).map_err(fault)?;
        if query.get(&[TOKEN]).map_err(fault)?.is_some() {
            return Err(fault(Reason::TokenInQuery));
        }
        if is_grpc(head.headers).map_err(fault)? {
            return Ok(Self::Grpc(Operation::of_grpc_path(path).filter(|_| head.method == "POST")));
        }
        if head.method == "GET" && CARDS.contains(&path) {
            return Ok(Self::Card);
        }
        Request::of(head, is_json_rpc, path, query).map(Self::Request).map_err(fault)
    }
}

impl Request {
    fn of(head: Head<'_>, is_json_rpc: bool, path: &str, query: Query) -> Result<Self, Reason> {
        if OVERRIDES.iter().any(|name| head.headers.all(name).next().is_some()) {
            return Err(Reason::MethodOverride);
        }
        let version = version(head.headers, &query)?;
        let asked = match is_json_rpc {
            true => Asked::JsonRpc,
            false if matches!(path, "" | "/") => other(head.method, "/")?,
            false => {
                route(head.method, path)?.map_or_else(|| other(head.method, path), |route| Ok(Asked::Route(route)))?
            }
        };
        let request = Self { asked, version, query, extensions: extension::of_headers(head.headers)? };
        request.check_content(head.headers)?;
        Ok(request)
    }

    /// A body that is not called JSON is read as something else by somebody.
    fn check_content(&self, headers: Headers<'_>) -> Result<(), Reason> {
        let single = |name| headers.find("", name).map_err(|()| Reason::RepeatedHeader(name));
        if single("Content-Encoding")?.is_some_and(|coding| !coding.eq_ignore_ascii_case(b"identity")) {
            return Err(Reason::ContentEncoding);
        }
        let kind = single("Content-Type")?;
        let is_json = kind.is_some_and(|kind| is_json(kind, self.dialect().binding));
        match self.body() {
            Body::Needed if !is_json => Err(Reason::ContentType),
            Body::Optional if kind.is_some() && !is_json => Err(Reason::ContentType),
            _ => Ok(()),
        }
    }

    /// What the caller speaks, as far as the head says it.
    #[must_use]
    pub const fn dialect(&self) -> Dialect {
        match &self.asked {
            Asked::JsonRpc => Dialect { binding: Binding::JsonRpc, version: self.version },
            Asked::Route(route) => Dialect { binding: Binding::HttpJson, version: route.version },
            Asked::Other(_) => Dialect { binding: Binding::HttpJson, version: self.version },
        }
    }

    /// Whether it has a body.
    #[must_use]
    pub const fn body(&self) -> Body {
        match &self.asked {
            Asked::JsonRpc => Body::Needed,
            Asked::Other(_) => Body::Optional,
            Asked::Route(route) => match route.operation {
                Operation::SendMessage | Operation::SendStreamingMessage | Operation::CreatePushConfig => Body::Needed,
                // By POST; it is not worth telling apart.
                Operation::CancelTask | Operation::SubscribeToTask => Body::Optional,
                _ => Body::None,
            },
        }
    }

    /// A fault of this request's, before its id is known.
    #[must_use]
    pub fn fault<'a>(&self, reason: Reason) -> Fault<'a> {
        Fault { reason, dialect: self.dialect(), id: None }
    }

    /// Reads its body, if it has one.
    ///
    /// # Errors
    /// What is wrong, and the answer to it.
    pub fn read<'d, 'a>(
        &self,
        document: Option<&'d Document<'a>>,
        skills: &SkillKeys,
    ) -> Result<Call<'d, 'a>, Fault<'a>> {
        match (document, self.body()) {
            (None, Body::Needed) | (Some(_), Body::None) => return Err(self.fault(Reason::Body)),
            _ => {}
        }
        let (said, params) = match (&self.asked, document) {
            (Asked::JsonRpc, Some(document)) => return self.json_rpc(document, skills),
            (Asked::JsonRpc, None) => return Err(self.fault(Reason::Body)),
            (Asked::Other(name), _) => (self.said(Named::Other(name.clone().into()), None, skills), None),
            (Asked::Route(route), document) => {
                if route.version != self.version {
                    return Err(self.fault(Reason::OtherVersion(route.version)));
                }
                let params = document.map(root).transpose().map_err(|reason| self.fault(reason))?;
                (self.said(Named::Known(route.operation), Some(route), skills), params)
            }
        };
        Call::read(said, params).map_err(|reason| self.fault(reason))
    }

    fn json_rpc<'d, 'a>(&self, document: &'d Document<'a>, skills: &SkillKeys) -> Result<Call<'d, 'a>, Fault<'a>> {
        let mut dialect = self.dialect();
        let message = Message::of(document).map_err(|json_rpc::Fault { reason, id }| Fault {
            reason: Reason::Message(reason),
            dialect,
            id,
        })?;
        let (id, method, params) = match message {
            Message::Request { id, method, params } => (id, method, params),
            Message::Notification { .. } => return Err(self.fault(Reason::Notification)),
            Message::Result { .. } | Message::Error { .. } => return Err(self.fault(Reason::Answer)),
        };
        let operation = match Operation::of_method(&method) {
            Some((operation, version)) => {
                dialect.version = version;
                if version != self.version {
                    return Err(Fault { reason: Reason::OtherVersion(version), dialect, id: Some(id) });
                }
                Named::Known(operation)
            }
            None => Named::Other(method),
        };
        let said = Said { id: Some(id.clone()), ..self.said(operation, None, skills) };
        Call::read(said, params).map_err(|reason| Fault { reason, dialect, id: Some(id) })
    }

    fn said<'r, 'a>(&'r self, operation: Named<'a>, route: Option<&'r Route>, skills: &'r SkillKeys) -> Said<'r, 'a> {
        let Self { query, extensions, .. } = self;
        Said { dialect: self.dialect(), id: None, operation, route, query, extensions, skills }
    }
}

/// The version that header and query name; each may leave it to the other.
fn version(headers: Headers<'_>, query: &Query) -> Result<Version, Reason> {
    let of_name = |name: &str| match name {
        "" => Ok(Version::V0_3),
        name => Version::of_name(name).ok_or(Reason::UnsupportedVersion),
    };
    let header = headers.find("", VERSION).map_err(|()| Reason::RepeatedHeader(VERSION))?;
    let header = header.map(|value| plain(value).ok_or(Reason::MalformedHeader(VERSION))).transpose()?;
    match (header.map(of_name).transpose()?, query.get(&[VERSION])?.map(of_name).transpose()?) {
        (Some(header), Some(query)) if header != query => Err(Reason::TwoVersions),
        (header, query) => Ok(header.or(query).unwrap_or(Version::V0_3)),
    }
}

/// Method and path, as an operator may list them.
fn other(method: &str, path: &str) -> Result<Asked, Reason> {
    let name = format!("{method} {path}");
    let is_plain = name.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
    if name.len() <= MAX_OTHER && is_plain { Ok(Asked::Other(name)) } else { Err(Reason::Path) }
}

/// `application/grpc`, and what gRPC, and Envoy, take for one. What only resembles it is refused: it might go on unread, and be
/// read by somebody.
fn is_grpc(headers: Headers<'_>) -> Result<bool, Reason> {
    const GRPC: &[u8] = b"application/grpc";
    let kinds = || headers.all("Content-Type");
    if !kinds().any(|kind| kind.get(..GRPC.len()).is_some_and(|kind| kind.eq_ignore_ascii_case(GRPC))) {
        return Ok(false);
    }
    if kinds().count() > 1 {
        return Err(Reason::RepeatedHeader("Content-Type"));
    }
    let is_grpc = |kind: &[u8]| kind.strip_prefix(GRPC).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"+"));
    if kinds().all(is_grpc) { Ok(true) } else { Err(Reason::ContentType) }
}

/// `application/json`, and over HTTP also `application/a2a+json`; in UTF-8 if it says in what.
fn is_json(kind: &[u8], binding: Binding) -> bool {
    let Some(kind) = plain(kind) else { return false };
    let mut parts = kind.split(';').map(str::trim);
    let media = parts.next().unwrap_or_default();
    let is_media = media.eq_ignore_ascii_case("application/json")
        || (binding == Binding::HttpJson && media.eq_ignore_ascii_case("application/a2a+json"));
    let is_utf8 = |parameter: &str| {
        let (name, value) = parameter.split_once('=').unwrap_or_default();
        !name.eq_ignore_ascii_case("charset") || value.trim_matches('"').eq_ignore_ascii_case("utf-8")
    };
    is_media && parts.all(is_utf8)
}
