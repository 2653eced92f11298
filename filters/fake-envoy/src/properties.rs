//! `get_property` and `set_property`: what a test set, what follows from the stream, and filter state.

use crate::status::{HostResult, Refusal, Status};
use crate::world::{StreamState, World};

pub(crate) fn get(world: &mut World, path: &[u8]) -> HostResult<Vec<u8>> {
    let missing = || Refusal::answer(Status::NotFound);
    let now = world.now;
    let acting = world.acting().and_then(|context| world.streams.get(&context));
    // A root context has no stream to ask about: an ordinary answer here, because Envoy gives it for any absent value.
    let stream = acting.ok_or_else(missing)?;
    let parts: Vec<&str> = path.split(|byte| *byte == 0).filter_map(|part| std::str::from_utf8(part).ok()).collect();
    if let ["request", name, ..] = parts[..]
        && follows_from_headers(name)
        && !(stream.request.headers.live || stream.logging)
    {
        return Err(missing());
    }
    if let Some(value) = stream.properties.get(path) {
        return Ok(value.clone());
    }
    let info = &world.exchanges[stream.exchange];
    let value = match parts[..] {
        ["filter_state", key] => info.filter_state.get(key.as_bytes()).cloned(),
        ["request", "time"] => Some(info.started.to_le_bytes().to_vec()),
        ["request", "duration"] if stream.logging => Some((now - info.started).to_le_bytes().to_vec()),
        ["upstream", "request_attempt_count"] => Some(info.attempts(stream.role).to_le_bytes().to_vec()),
        [key] => info.filter_state.get(format!("wasm.{key}").as_bytes()).cloned(),
        _ => derived(stream, &parts),
    };
    value.ok_or_else(missing)
}

/// These read the request header map, so they are gone with its pointer.
fn follows_from_headers(name: &str) -> bool {
    matches!(
        name,
        "path" | "url_path" | "host" | "method" | "scheme" | "id" | "useragent" | "headers" | "query" | "referer"
    )
}

fn derived(stream: &StreamState, parts: &[&str]) -> Option<Vec<u8>> {
    let request = |name: &str| stream.request.headers.entries.as_ref()?.get(name).map(<[u8]>::to_vec);
    let response = stream.response.headers.entries.as_ref();
    match *parts {
        ["request", "path"] => request(":path"),
        ["request", "url_path"] => Some(request(":path")?.split(|byte| *byte == b'?').next()?.to_vec()),
        ["request", "query"] => Some(request(":path")?.splitn(2, |byte| *byte == b'?').nth(1)?.to_vec()),
        ["request", "host"] => request(":authority"),
        ["request", "method"] => request(":method"),
        ["request", "scheme"] => request(":scheme"),
        ["request", "useragent"] => request("user-agent"),
        ["request", "referer"] => request("referer"),
        ["request", "headers", name] => request(name),
        ["request", "id"] => request("x-request-id").or_else(|| Some(format!("request-{}", stream.exchange).into())),
        ["request", "protocol"] => Some(b"HTTP/1.1".to_vec()),
        ["response", "headers", name] => response?.get(name).map(<[u8]>::to_vec),
        ["response", "code"] => Some(response?.text(":status")?.parse::<u64>().ok()?.to_le_bytes().to_vec()),
        ["response", "flags"] => Some(0u64.to_le_bytes().to_vec()),
        ["response", "code_details"] => match &stream.replied {
            Some(details) => Some(details.clone().into()),
            None => response.map(|_| b"via_upstream".to_vec()),
        },
        _ => None,
    }
}

/// Written as filter state, which all streams of one exchange and every native reader share.
pub(crate) fn set(world: &mut World, path: &[u8], value: &[u8]) -> HostResult {
    let exchange = world.acting_stream(Status::NotFound)?.exchange;
    let key = [b"wasm.", path].concat();
    world.exchanges[exchange].filter_state.insert(key, value.to_vec());
    if path.contains(&0) {
        return Err(Refusal::violation(Status::Ok, "native features cannot name a property of several parts"));
    }
    Ok(())
}
