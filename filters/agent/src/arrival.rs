//! What a request says before its body is read.

use crate::config::{Agent, Agents};
use crate::exchange::Exchange;
use std::rc::Rc;
use tollgate_host::headers::Headers;
use tollgate_host::{abi, request};
use tollgate_identity::credentials;
use tollgate_kernel::a2a::{Arrival, Fault, Head};
use tollgate_kernel::headers as kernel;

/// The start of every record, also of a request that is refused at once.
pub(crate) fn begin(headers: &Headers) -> Exchange {
    Exchange {
        began: abi::now(),
        request_id: request::id(headers),
        trace_id: request::trace_id(headers),
        ..Exchange::default()
    }
}

/// The agent that a request is for, and where below its own path, with the query.
pub(crate) fn agent<'h>(agents: &Agents, headers: &'h Headers) -> Option<(Rc<Agent>, &'h str)> {
    let target = headers.text(":path").unwrap_or_default();
    let path = target.split_once('?').map_or(target, |(path, _)| path);
    let (agent, below) = agents.find(path, headers.text(":authority").unwrap_or_default())?;
    let at = path.len().checked_sub(below.len())?;
    target.get(at..).map(|below| (Rc::clone(agent), below))
}

/// All headers, as the kernel reads them.
pub(crate) fn all(headers: &Headers) -> Vec<(&str, &[u8])> {
    headers.iter().filter_map(|(name, value)| Some((str::from_utf8(name).ok()?, value))).collect()
}

/// What a request does there, as far as its headers say.
pub(crate) fn arrival(headers: &Headers, below: &str) -> Result<Arrival, Fault<'static>> {
    let all = all(headers);
    let method = headers.text(":method").unwrap_or_default();
    Arrival::of(Head { method, path: below, headers: kernel::Headers(&all) })
}

/// Whether a client's header must not go on: credentials, our own headers, those that steer Envoy's router or say who has shown
/// which certificate, those by which some frameworks take another path than was decided on, and what would let an agent compress
/// what has to be read, answer with a part of it, or with nothing since the client has it.
pub(crate) fn is_stripped(name: &[u8]) -> bool {
    request::is_own(name)
        || matches!(name, b"accept-encoding" | b"x-forwarded-client-cert")
        || matches!(name, b"x-original-url" | b"x-rewrite-url" | b"x-forwarded-prefix" | b"x-script-name")
        || matches!(name, b"range" | b"if-range" | b"if-none-match" | b"if-modified-since")
        || credentials::HEADERS.iter().any(|header| header.as_bytes() == name)
}

/// Whether this header is one of `names`. Many who read headers take `_` for `-`.
pub(crate) fn is_among(names: &[String], name: &[u8]) -> bool {
    let same = |(a, b): (&u8, &u8)| a == b || (*a, *b) == (b'-', b'_');
    names.iter().any(|own| own.len() == name.len() && own.as_bytes().iter().zip(name).all(same))
}

/// Whether the caller's token goes on: the configuration says so, it is meant for the agent that is called, and it is the token
/// that was verified and no other credential.
pub(crate) fn forwards_token(exchange: &Exchange, headers: &Headers) -> bool {
    let found = exchange.callee.as_ref().filter(|callee| callee.config.forward_token).zip(exchange.token.as_ref());
    found.is_some_and(|(callee, token)| token.goes_on_to(&callee.config.audiences, headers))
}

#[cfg(test)]
mod tests;
