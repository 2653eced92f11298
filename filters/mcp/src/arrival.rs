//! What a request says before its body is read.

use crate::config::{Server, Servers};
use crate::exchange::{Exchange, Transport};
use crate::refusal::Refusal;
use std::rc::Rc;
use tollgate_host::abi;
use tollgate_host::headers::Headers;
use tollgate_host::request;
use tollgate_identity::credentials;
use tollgate_kernel::mcp::{self, Revision};
use tollgate_kernel::token;

/// Where the transport that Streamable HTTP has replaced is served by habit.
const OLD_PATHS: [&str; 3] = ["/sse", "/messages", "/message"];

/// The start of every record, also of a request that is refused at once.
pub(crate) fn begin(headers: &Headers) -> Exchange {
    Exchange {
        began: abi::now(),
        request_id: request::id(headers),
        trace_id: request::trace_id(headers),
        ..Exchange::default()
    }
}

/// The server that a request is for.
pub(crate) fn server(servers: &Servers, headers: &Headers) -> Result<Rc<Server>, Refusal> {
    let target = headers.text(":path").unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    if token::is_in_query(query) {
        return Err(Refusal::TokenInQuery);
    }
    match servers.find(path, headers.text(":authority").unwrap_or_default()) {
        Some(server) => Ok(Rc::clone(server)),
        None if OLD_PATHS.iter().any(|old| path.trim_end_matches('/').ends_with(old)) => Err(Refusal::OldTransport),
        None => Err(Refusal::UnknownPath),
    }
}

/// What a request does, as far as its headers say.
pub(crate) fn transport(headers: &Headers) -> Result<Transport, Refusal> {
    let transport = match headers.one(":method") {
        Some(b"POST") => Transport::Post,
        Some(b"GET") => Transport::Listen,
        Some(b"DELETE") => Transport::End,
        _ => return Err(Refusal::Method),
    };
    if headers.all("content-encoding").any(|value| !value.trim_ascii().eq_ignore_ascii_case(b"identity")) {
        return Err(Refusal::ContentEncoding);
    }
    match transport {
        Transport::Post if !is_json(headers) => Err(Refusal::ContentType),
        Transport::Post => Ok(transport),
        Transport::Listen | Transport::End => sessions(headers).map(|()| transport),
    }
}

/// Only revisions with sessions have streams and ends of them.
fn sessions(headers: &Headers) -> Result<(), Refusal> {
    let mut versions = headers.all("mcp-protocol-version");
    let revision = match (versions.next(), versions.next()) {
        (None, _) => Revision::WITHOUT_HEADER,
        (Some(version), None) => {
            let version = str::from_utf8(version).unwrap_or_default().trim();
            let unknown = || mcp::Reason::UnsupportedVersion(mcp::Requested::of(version), mcp::Era::Sessions);
            Revision::of_name(version).ok_or_else(unknown).map_err(Refusal::Protocol)?
        }
        (Some(_), Some(_)) => {
            return Err(Refusal::Protocol(mcp::Reason::RepeatedHeader(mcp::Headers::VERSION)));
        }
    };
    if revision.is_stateless() { Err(Refusal::Method) } else { Ok(()) }
}

/// Whether it is said once that the body is JSON, and in UTF-8 if anything is said of that.
fn is_json(headers: &Headers) -> bool {
    let Some(value) = headers.text("content-type") else { return false };
    let mut parts = value.split(';').map(str::trim);
    let json = parts.next().is_some_and(|media| media.eq_ignore_ascii_case("application/json"));
    json && parts.all(|parameter| match parameter.split_once('=') {
        Some((name, value)) => {
            name.eq_ignore_ascii_case("charset") && value.trim_matches('"').eq_ignore_ascii_case("utf-8")
        }
        None => parameter.is_empty(),
    })
}

/// Whether a client's header must not go on: credentials, our own headers, those that steer Envoy's router, and what would
/// let a server compress what has to be read.
pub(crate) fn is_stripped(name: &[u8]) -> bool {
    request::is_own(name)
        || name == b"accept-encoding"
        || credentials::HEADERS.iter().any(|header| header.as_bytes() == name)
}

#[cfg(test)]
mod tests;
