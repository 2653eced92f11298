//! Envoy's filter manager for one filter: what arrives is offered to the filter, and its answer decides what goes on.
//! What happens on overflow and with local replies was observed on Envoy 1.40.0, callback by callback.

use crate::direction::Direction;
use crate::exchange::Role;
use crate::exports;
use crate::headers::Headers;
use crate::local_reply::{LocalReply, Reply};
use crate::phase::{Part, Phase, Side};
use crate::world::{self, Deferred};

/// What became of one thing that a test drove into a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// The filter returned Continue.
    Continued,
    /// The filter returned Pause.
    Paused,
    /// The stream was answered or reset during the callback; the returned action did not count.
    Replied,
    /// The filter was not called: the stream is over, or never began for it.
    Undelivered,
}

/// Calls into the filter, then does what the filter's host calls deferred. Says whether its action is ignored.
pub(crate) fn call<R>(context: u32, phase: Phase, detail: &str, export: impl FnOnce() -> R) -> (R, bool) {
    world::with(|world| world.enter(context, phase, detail));
    let result = export();
    let ignored = world::with(|world| world.leave());
    while let Some(action) = world::with(|world| world.deferred.pop_front()) {
        match action {
            Deferred::Resume(context, side) => resume(context, side),
            Deferred::Reply(context, reply) => local_reply(context, reply),
            Deferred::GrpcClose(root, token, status) => grpc_close(root, token, status),
            Deferred::DeleteRoot(root) => delete_root(root),
        }
    }
    (result, ignored)
}

/// A root is gone, and its calls with it.
pub(crate) fn delete_root(root: u32) {
    call(root, Phase::Delete, "", || exports::proxy_on_delete(root));
    world::with(|world| {
        world.roots.remove(&root);
        world.grpc.forget_root(root);
    });
}

/// A call brought no answer, but a status.
pub(crate) fn grpc_close(root: u32, token: u32, status: u32) {
    let detail = format!("{token}, {status}");
    call(root, Phase::GrpcClose, &detail, || exports::proxy_on_grpc_close(root, token, status));
}

/// A call was answered.
pub(crate) fn grpc_receive(root: u32, token: u32, answer: &[u8]) {
    world::with(|world| world.grpc_answer = answer.to_vec());
    let detail = format!("{token}, {}", answer.len());
    call(root, Phase::GrpcReceive, &detail, || exports::proxy_on_grpc_receive(root, token, answer.len()));
    world::with(|world| world.grpc_answer.clear());
}

/// Makes the filter's context for a stream, if it has none yet.
pub(crate) fn create(context: u32) {
    let root = world::with(|world| {
        let stream = world.stream(context);
        (!std::mem::replace(&mut stream.created, true)).then_some(stream.root)
    });
    if let Some(root) = root {
        call(context, Phase::ContextCreate, "", || exports::proxy_on_context_create(context, root));
    }
}

pub(crate) fn headers(context: u32, side: Side, headers: Headers, end: bool) -> Delivery {
    let Some(count) = arrive(context, side, Part::Headers, |direction| direction.headers_arrive(headers, end)) else {
        return Delivery::Undelivered;
    };
    create(context);
    let export = match side {
        Side::Request => exports::proxy_on_request_headers,
        Side::Response => exports::proxy_on_response_headers,
    };
    offer(context, side, Part::Headers, &format!("{count}, end={end}"), || export(context, count, end))
}

pub(crate) fn data(context: u32, side: Side, data: &[u8], end: bool) -> Delivery {
    let Some(size) = arrive(context, side, Part::Body, |direction| direction.data_arrives(data, end)) else {
        return Delivery::Undelivered;
    };
    // Of a response the filter is not told what overflows. Of a request it is, but its answer no longer counts.
    let overflowed = overflows(context, side);
    if overflowed && side == Side::Response {
        local_reply(context, LocalReply::too_large(side));
        return Delivery::Undelivered;
    }
    world::with(|world| world.stream(context).overflowed |= overflowed);
    let export = match side {
        Side::Request => exports::proxy_on_request_body,
        Side::Response => exports::proxy_on_response_body,
    };
    let delivery = offer(context, side, Part::Body, &format!("{size}, end={end}"), || export(context, size, end));
    if overflowed || (delivery == Delivery::Paused && overflows(context, side)) {
        local_reply(context, LocalReply::too_large(side));
        return Delivery::Replied;
    }
    delivery
}

pub(crate) fn trailers(context: u32, side: Side, trailers: Headers) -> Delivery {
    let Some(count) = arrive(context, side, Part::Trailers, |direction| direction.trailers_arrive(trailers)) else {
        return Delivery::Undelivered;
    };
    let export = match side {
        Side::Request => exports::proxy_on_request_trailers,
        Side::Response => exports::proxy_on_response_trailers,
    };
    offer(context, side, Part::Trailers, &count.to_string(), || export(context, count))
}

/// Takes one part in, and says with which size to offer it to the filter; `None` if it is not offered.
fn arrive(context: u32, side: Side, part: Part, take: impl FnOnce(&mut Direction) -> usize) -> Option<usize> {
    world::with(|world| {
        let stream = world.stream(context);
        if stream.is_over() {
            return None;
        }
        let size = take(stream.side(side));
        if stream.created || side.phase(part) == Phase::RequestHeaders {
            return Some(size);
        }
        // The answer to a request that never came here, say of an earlier filter, passes by.
        stream.side(side).continue_after(part);
        None
    })
}

fn overflows(context: u32, side: Side) -> bool {
    world::with(|world| {
        let limit = world.buffer_limit;
        world.stream(context).side(side).held() > limit
    })
}

/// Offers one part to the filter and does what its action says.
fn offer(context: u32, side: Side, part: Part, detail: &str, export: impl FnOnce() -> u32) -> Delivery {
    let (action, ignored) = call(context, side.phase(part), detail, export);
    world::with(|world| {
        let stream = world.stream(context);
        if ignored || stream.is_closed(side) {
            return Delivery::Replied;
        }
        match action {
            0 => {
                stream.side(side).continue_after(part);
                Delivery::Continued
            }
            _ => {
                stream.side(side).pause_after(part);
                Delivery::Paused
            }
        }
    })
}

fn resume(context: u32, side: Side) {
    world::with(|world| {
        if let Some(stream) = world.streams.get_mut(&context)
            && !stream.is_closed(side)
            && stream.side(side).is_stopped()
        {
            stream.side(side).release();
        }
    });
}

/// Answers the stream here. Through the filter's response callbacks if no response has begun; straight to the client
/// if its headers are still held; and when they are gone, all that is left is to cut the stream.
fn local_reply(context: u32, reply: LocalReply) {
    let body = world::with(|world| {
        let stream = world.streams.get_mut(&context).filter(|stream| !stream.is_over())?;
        stream.replied = Some(reply.details.clone());
        if stream.response.is_released() {
            stream.reset = true;
            return None;
        }
        // A reply of an upstream filter is the router's, downstream of this stream.
        if stream.response.headers.entries.is_some() || stream.role != Role::Downstream {
            stream.direct_reply = Some(reply.clone().into_reply());
            return None;
        }
        Some(reply.body.clone())
    });
    if let Some(body) = body {
        headers(context, Side::Response, reply.response_headers(), body.is_empty());
        if !body.is_empty() {
            data(context, Side::Response, &body, true);
        }
    }
}

/// What the client got of a reply made here, once it has all of it.
pub(crate) fn reply(context: u32) -> Option<Reply> {
    world::with(|world| {
        let stream = world.stream(context);
        let details = stream.replied.clone()?;
        if stream.direct_reply.is_some() {
            return stream.direct_reply.clone();
        }
        let sent = stream.response.forwarded();
        let headers = sent.headers.clone().filter(|_| sent.ended)?;
        let status = headers.text(":status").and_then(|status| status.parse().ok()).unwrap_or_default();
        Some(Reply { status, headers, body: sent.body.clone(), details })
    })
}
