//! Header maps and body buffers: who may touch which, and when.

use crate::direction::Map;
use crate::headers::Headers;
use crate::phase::Phase;
use crate::status::{HostResult, Refusal, Status};
use crate::world::{StreamState, World};

fn map(stream: &mut StreamState, kind: u32) -> Option<&mut Map> {
    match kind {
        0 => Some(&mut stream.request.headers),
        1 => Some(&mut stream.request.trailers),
        2 => Some(&mut stream.response.headers),
        3 => Some(&mut stream.response.trailers),
        _ => None,
    }
}

/// In `on_log` Envoy also shows what the access log sees: everything but request trailers.
fn is_logged(kind: u32) -> bool {
    matches!(kind, 0 | 2 | 3)
}

fn dead(kind: u32) -> Refusal {
    let name = ["request headers", "request trailers", "response headers", "response trailers"];
    let name = usize::try_from(kind).ok().and_then(|kind| name.get(kind)).unwrap_or(&"this map");
    Refusal::violation(Status::BadArgument, format!("{name} cannot be touched here"))
}

fn readable(world: &mut World, kind: u32) -> HostResult<&Headers> {
    let stream = world.acting_stream(Status::BadArgument)?;
    let logged = stream.logging && is_logged(kind);
    map(stream, kind).filter(|map| map.live || logged).and_then(|map| map.entries.as_ref()).ok_or_else(|| dead(kind))
}

fn writable(world: &mut World, kind: u32) -> HostResult<&mut Headers> {
    let stream = world.acting_stream(Status::BadArgument)?;
    map(stream, kind).filter(|map| map.live).and_then(|map| map.entries.as_mut()).ok_or_else(|| dead(kind))
}

/// A map that cannot be read is empty, not an error: Envoy's own rule for this one call.
pub(crate) fn pairs(world: &mut World, kind: u32) -> Headers {
    readable(world, kind).cloned().unwrap_or_default()
}

pub(crate) fn value(world: &mut World, kind: u32, name: &[u8]) -> HostResult<Vec<u8>> {
    let value = readable(world, kind)?.get_bytes(name);
    value.map(<[u8]>::to_vec).ok_or_else(|| Refusal::answer(Status::NotFound))
}

pub(crate) fn set_pairs(world: &mut World, kind: u32, pairs: Option<Headers>) -> HostResult {
    let pairs = pairs.ok_or_else(|| Refusal::violation(Status::BadArgument, "the encoded pairs are cut short"))?;
    pairs.iter().try_for_each(|(name, value)| check(name, value))?;
    *writable(world, kind)? = pairs;
    Ok(())
}

pub(crate) fn add(world: &mut World, kind: u32, name: &[u8], value: &[u8]) -> HostResult {
    check(name, value)?;
    writable(world, kind)?.add(name, value);
    Ok(())
}

pub(crate) fn replace(world: &mut World, kind: u32, name: &[u8], value: &[u8]) -> HostResult {
    check(name, value)?;
    writable(world, kind)?.replace(name, value);
    Ok(())
}

pub(crate) fn remove(world: &mut World, kind: u32, name: &[u8]) -> HostResult {
    writable(world, kind)?.remove(name);
    Ok(())
}

/// Envoy only asserts this in debug builds; in a release build such a header splits the message.
pub(crate) fn check(name: &[u8], value: &[u8]) -> HostResult {
    let splits = |byte: &u8| matches!(byte, b'\r' | b'\n' | 0);
    if name.is_empty() || name.iter().chain(value).any(splits) {
        return Err(Refusal::violation(Status::BadArgument, "a header is empty or has CR, LF or NUL in it"));
    }
    Ok(())
}

fn body(world: &mut World, kind: u32) -> HostResult<Option<&mut Vec<u8>>> {
    let stream = world.acting_stream(Status::NotFound)?;
    Ok(match kind {
        0 => stream.request.body(),
        _ => stream.response.body(),
    })
}

/// `max` bytes of a buffer from `start`, cut to what is there; nothing when the buffer is not there.
pub(crate) fn get_buffer(world: &mut World, kind: u32, start: usize, max: usize) -> HostResult<Vec<u8>> {
    let bytes: &[u8] = match kind {
        0 | 1 => body(world, kind)?.map_or(&[], |body| body),
        5 if world.running_phase() == Some(Phase::GrpcReceive) => &world.grpc_answer,
        5 => return Err(Refusal::violation(Status::NotFound, "no answer came in this callback")),
        6 => &[],
        7 => match world.acting_root()? {
            root if root.config_live => &root.config,
            _ => return Err(Refusal::violation(Status::NotFound, "the configuration is only there in on_configure")),
        },
        _ => return Err(Refusal::violation(Status::NotFound, format!("buffer {kind} is not part of this host"))),
    };
    let end = start
        .checked_add(max)
        .ok_or_else(|| Refusal::violation(Status::BadArgument, "the range overflows"))?
        .min(bytes.len());
    Ok(bytes.get(start..end).unwrap_or_default().to_vec())
}

/// From zero: drop `size` bytes and put `value` before the rest. At or after the end: append. Nothing else.
pub(crate) fn set_buffer(world: &mut World, kind: u32, start: usize, size: usize, value: &[u8]) -> HostResult {
    if kind > 1 {
        return Err(Refusal::violation(Status::BadArgument, format!("buffer {kind} cannot be written")));
    }
    let body = body(world, kind)?
        .ok_or_else(|| Refusal::violation(Status::BadArgument, "there is no body to write in this callback"))?;
    if start == 0 {
        let dropped = size.min(body.len());
        drop(body.splice(..dropped, value.iter().copied()));
    } else if start >= body.len() {
        body.extend_from_slice(value);
    } else {
        return Err(Refusal::violation(Status::BadArgument, "a body cannot be written from its middle"));
    }
    Ok(())
}
