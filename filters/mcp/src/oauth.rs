//! What OAuth has of MCP: where clients get tokens, what they are told when one is missing or lacks a scope, and where a token
//! may go.

use crate::config::{Gate, Oauth, Server, Servers};
use crate::exchange::Exchange;
use crate::refusal::Refusal;
use std::rc::Rc;
use tollgate_host::abi::{self, Map};
use tollgate_host::headers::Headers;
use tollgate_host::stream::Reply;

const CHALLENGE: &str = "www-authenticate";
/// How long clients and caches may keep metadata.
const CACHED: &str = "public, max-age=3600";

/// The metadata of a server (RFC 9728), for anybody, browsers included.
pub(crate) fn metadata(servers: &Servers, headers: &Headers) -> Option<(Rc<Server>, Reply)> {
    let path = path(headers.text(":path")?);
    let (server, oauth) = servers.with_metadata(path, headers.text(":authority").unwrap_or_default())?;
    let mut told = vec![("access-control-allow-origin", "*".to_owned())];
    let (status, body) = match headers.one(":method")? {
        b"GET" | b"HEAD" => {
            told.push(("content-type", "application/json".to_owned()));
            told.push(("cache-control", CACHED.to_owned()));
            (200, oauth.metadata.clone().into_bytes())
        }
        // Clients in browsers send `MCP-Protocol-Version`, about which the browser asks first.
        b"OPTIONS" => {
            told.push(("access-control-allow-methods", "GET".to_owned()));
            told.push(("access-control-allow-headers", "*".to_owned()));
            (204, Vec::new())
        }
        _ => return None,
    };
    Some((Rc::clone(server), Reply { status, details: "resource_metadata", headers: told, body }))
}

fn path(target: &str) -> &str {
    target.split_once('?').map_or(target, |(path, _)| path)
}

/// The answer that a refusal is, with the challenge that says how to do better. A token that is shown and proves nobody is one
/// that `jwt_authn` has not verified.
pub(crate) fn reply(gate: &Gate, exchange: &Exchange, refusal: &Refusal, headers: &Headers) -> Reply {
    let oauth = exchange.server.as_ref().and_then(|server| server.oauth.as_ref());
    let asked = exchange.asked.as_ref();
    match (oauth, refusal) {
        (Some(oauth), Refusal::Policy(policy)) if policy.lacks.is_some() => {
            let mut reply = refusal.reply(asked, crate::config::Refusals::Status);
            let scopes = policy.lacks.as_deref().unwrap_or_default();
            reply.headers.push((CHALLENGE, challenge(oauth, Some("insufficient_scope"), scopes)));
            reply
        }
        (oauth, _) => {
            let mut reply = refusal.reply(asked, gate.refusals);
            if let Some(oauth) = oauth.filter(|_| reply.status == 401) {
                reply.headers.retain(|(name, _)| *name != CHALLENGE);
                let error = headers.all("authorization").next().map(|_| "invalid_token");
                reply.headers.push((CHALLENGE, challenge(oauth, error, &oauth.first_scopes)));
            }
            reply
        }
    }
}

fn challenge(oauth: &Oauth, error: Option<&str>, scopes: &str) -> String {
    let mut text = "Bearer ".to_owned();
    let mut parameter = |name: &str, value: &str| {
        if !value.is_empty() {
            let comma = if text.ends_with(' ') { "" } else { ", " };
            text.push_str(&format!("{comma}{name}=\"{value}\""));
        }
    };
    parameter("error", error.unwrap_or_default());
    parameter("scope", scopes);
    parameter("resource_metadata", &oauth.metadata_url);
    text
}

/// Has challenges of the server itself lead to our metadata: its own address for them is not one that clients know.
///
/// # Errors
/// When the host refuses.
pub(crate) fn rewrite(exchange: &Exchange, headers: &Headers) -> abi::Result<()> {
    let Some(oauth) = exchange.server.as_ref().and_then(|server| server.oauth.as_ref()) else { return Ok(()) };
    let all: Vec<&str> = headers.all(CHALLENGE).filter_map(|value| str::from_utf8(value).ok()).collect();
    match rewritten(&all.join(", "), &oauth.metadata_url) {
        Some(text) => abi::set_header(Map::Response, CHALLENGE, text.as_bytes()),
        None => Ok(()),
    }
}

/// The challenges with this address of metadata in place of every other; `None` if they have none.
fn rewritten(challenges: &str, url: &str) -> Option<String> {
    const NAME: &str = "resource_metadata=";
    // The same length: only letters of ASCII change.
    let lower = challenges.to_ascii_lowercase();
    let (mut text, mut from) = (String::new(), 0_usize);
    while let Some(at) = lower.get(from..)?.find(NAME) {
        let value = from.checked_add(at)?.checked_add(NAME.len())?;
        text.push_str(challenges.get(from..value)?);
        text.push_str(&format!("\"{url}\""));
        let rest = challenges.get(value..)?;
        let length = match rest.strip_prefix('"') {
            Some(quoted) => quoted.find('"').map_or(rest.len(), |end| end.saturating_add(2)),
            None => rest.find([',', ' ']).unwrap_or(rest.len()),
        };
        from = value.checked_add(length)?;
    }
    text.push_str(challenges.get(from..)?);
    (from > 0).then_some(text)
}

/// Whether the caller's token goes on: the configuration says so, it is for this server, and it is the token that was
/// verified and no other credential.
pub(crate) fn forwards_token(exchange: &Exchange, headers: &Headers) -> bool {
    let found = exchange.server.as_ref().filter(|server| server.config.forward_token).zip(exchange.token.as_ref());
    let Some((server, verified)) = found else { return false };
    server.oauth.as_ref().is_some_and(|oauth| verified.goes_on_to(std::slice::from_ref(&oauth.resource), headers))
}

#[cfg(test)]
mod tests {
    use super::rewritten;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn every_address_of_metadata_becomes_ours_and_nothing_else_changes() {
        for (theirs, expected) in [
            ("Bearer", None),
            ("Bearer realm=\"x\"", None),
            ("Bearer resource_metadata=\"https://in/x\"", Some("Bearer resource_metadata=\"U\"")),
            (
                "Bearer error=\"invalid_token\", Resource_Metadata=\"https://in\", scope=\"a b\"",
                Some("Bearer error=\"invalid_token\", Resource_Metadata=\"U\", scope=\"a b\""),
            ),
            ("Bearer resource_metadata=https://in, a=b", Some("Bearer resource_metadata=\"U\", a=b")),
            ("Bearer resource_metadata=\"https://in", Some("Bearer resource_metadata=\"U\"")),
            (
                "A resource_metadata=\"a\", B resource_metadata=\"b\"",
                Some("A resource_metadata=\"U\", B resource_metadata=\"U\""),
            ),
            ("Bearer resource_metadata=", Some("Bearer resource_metadata=\"U\"")),
        ] {
            assert_eq!(rewritten(theirs, "U").as_deref(), expected, "{theirs}");
        }
    }
}
