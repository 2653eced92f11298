//! The 37 functions that a proxy-wasm module imports, under the names and signatures of ABI 0.2.1, and WASI's `random_get`.
#![expect(unsafe_op_in_unsafe_fn, reason = "each import reads and writes where the filter's pointers say")]

use std::time::Duration;

use crate::envoy::UNAVAILABLE;
use crate::grpc::{self, GrpcCall};
use crate::local_reply::LocalReply;
use crate::memory::{bytes, decode_pairs, encode_pairs, give};
use crate::phase::Side;
use crate::status::{HostResult, Refusal, Status};
use crate::world::{self, Deferred, LogLine, World};
use crate::{maps, properties};

/// Runs one host call and keeps what is wrong with it.
fn host<T>(call: &str, f: impl FnOnce(&mut World) -> HostResult<T>) -> Result<T, u32> {
    world::with(|world| {
        let result = match world.running_phase() {
            Some(_) => f(world),
            None => Err(Refusal::violation(Status::InternalFailure, "called outside of a callback")),
        };
        result.map_err(|refusal| {
            if let Some(rule) = refusal.violation {
                world.violate(call, rule);
            }
            refusal.status as u32
        })
    })
}

fn status(result: Result<(), u32>) -> u32 {
    result.err().unwrap_or(Status::Ok as u32)
}

/// Writes the result of a call to where the filter wants it.
unsafe fn write<T>(result: Result<T, u32>, place: *mut T) -> u32 {
    status(result.map(|value| place.write(value)))
}

unsafe fn write_bytes(result: Result<Vec<u8>, u32>, data: *mut *mut u8, size: *mut usize) -> u32 {
    status(result.map(|value| give(&value, data, size)))
}

#[unsafe(no_mangle)]
unsafe extern "C" fn proxy_log(level: u32, data: *const u8, size: usize) -> u32 {
    let message = String::from_utf8_lossy(bytes(data, size)).into_owned();
    // Allowed everywhere, `_initialize` and a thread without a world among it.
    world::try_with(|world| world.logs.push(LogLine { level, message }));
    Status::Ok as u32
}

#[unsafe(no_mangle)]
unsafe extern "C" fn proxy_get_log_level(level: *mut u32) -> u32 {
    const INFO: u32 = 2;
    write(Ok(INFO), level)
}

#[unsafe(no_mangle)]
unsafe extern "C" fn proxy_get_current_time_nanoseconds(time: *mut u64) -> u32 {
    write(Ok(world::with(|world| world.now)), time)
}

/// WASI's. Every world gives the same bytes, and no two calls of one.
#[unsafe(no_mangle)]
unsafe extern "C" fn random_get(data: *mut u8, size: usize) -> u16 {
    world::with(|world| {
        for at in 0..size {
            // SplitMix64, a step for each byte.
            world.random = world.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mixed = (world.random ^ (world.random >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            data.add(at).write((mixed >> 56) as u8);
        }
    });
    0
}

#[unsafe(no_mangle)]
unsafe extern "C" fn proxy_set_tick_period_milliseconds(period: u32) -> u32 {
    status(host("proxy_set_tick_period_milliseconds", |world| {
        let now = world.now;
        let root = world.acting_root()?;
        root.tick_period = (period > 0).then_some(u64::from(period) * 1_000_000);
        root.next_tick = now + root.tick_period.unwrap_or_default();
        Ok(())
    }))
}

#[unsafe(no_mangle)]
unsafe extern "C" fn proxy_get_buffer_bytes(
    kind: u32,
    start: usize,
    max: usize,
    data: *mut *mut u8,
    size: *mut usize,
) -> u32 {
    let result = host("proxy_get_buffer_bytes", |world| maps::get_buffer(world, kind, start, max));
    write_bytes(result, data, size)
}

#[unsafe(no_mangle)]
unsafe extern "C" fn proxy_set_buffer_bytes(
    kind: u32,
    start: usize,
    size: usize,
    data: *const u8,
    data_size: usize,
) -> u32 {
    let value = bytes(data, data_size);
    status(host("proxy_set_buffer_bytes", |world| maps::set_buffer(world, kind, start, size, value)))
}

/// Notes that a filter takes in headers of the request (map 0).
fn note_read(world: &mut World, kind: u32) {
    if let (0, Ok(stream)) = (kind, world.acting_stream(Status::BadArgument)) {
        stream.request_headers_read = true;
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn proxy_get_header_map_pairs(kind: u32, data: *mut *mut u8, size: *mut usize) -> u32 {
    let result = host("proxy_get_header_map_pairs", |world| {
        note_read(world, kind);
        Ok(encode_pairs(&maps::pairs(world, kind)))
    });
    write_bytes(result, data, size)
}

#[unsafe(no_mangle)]
unsafe extern "C" fn proxy_set_header_map_pairs(kind: u32, data: *const u8, size: usize) -> u32 {
    let pairs = decode_pairs(bytes(data, size));
    status(host("proxy_set_header_map_pairs", |world| maps::set_pairs(world, kind, pairs)))
}

#[unsafe(no_mangle)]
unsafe extern "C" fn proxy_get_header_map_value(
    kind: u32,
    name: *const u8,
    name_size: usize,
    data: *mut *mut u8,
    size: *mut usize,
) -> u32 {
    let name = bytes(name, name_size);
    let result = host("proxy_get_header_map_value", |world| {
        note_read(world, kind);
        maps::value(world, kind, name)
    });
    write_bytes(result, data, size)
}

#[unsafe(no_mangle)]
unsafe extern "C" fn proxy_add_header_map_value(
    kind: u32,
    name: *const u8,
    name_size: usize,
    value: *const u8,
    value_size: usize,
) -> u32 {
    let (name, value) = (bytes(name, name_size), bytes(value, value_size));
    status(host("proxy_add_header_map_value", |world| maps::add(world, kind, name, value)))
}

#[unsafe(no_mangle)]
unsafe extern "C" fn proxy_replace_header_map_value(
    kind: u32,
    name: *const u8,
    name_size: usize,
    value: *const u8,
    value_size: usize,
) -> u32 {
    let (name, value) = (bytes(name, name_size), bytes(value, value_size));
    status(host("proxy_replace_header_map_value", |world| maps::replace(world, kind, name, value)))
}

#[unsafe(no_mangle)]
unsafe extern "C" fn proxy_remove_header_map_value(kind: u32, name: *const u8, name_size: usize) -> u32 {
    let name = bytes(name, name_size);
    status(host("proxy_remove_header_map_value", |world| maps::remove(world, kind, name)))
}

#[unsafe(no_mangle)]
unsafe extern "C" fn proxy_get_property(
    path: *const u8,
    path_size: usize,
    data: *mut *mut u8,
    size: *mut usize,
) -> u32 {
    let path = bytes(path, path_size);
    write_bytes(host("proxy_get_property", |world| properties::get(world, path)), data, size)
}

#[unsafe(no_mangle)]
unsafe extern "C" fn proxy_set_property(path: *const u8, path_size: usize, value: *const u8, value_size: usize) -> u32 {
    let (path, value) = (bytes(path, path_size), bytes(value, value_size));
    status(host("proxy_set_property", |world| properties::set(world, path, value)))
}

#[unsafe(no_mangle)]
unsafe extern "C" fn proxy_get_shared_data(
    key: *const u8,
    key_size: usize,
    data: *mut *mut u8,
    size: *mut usize,
    cas: *mut u32,
) -> u32 {
    let key = bytes(key, key_size);
    let result = host("proxy_get_shared_data", |world| world.shared_data.get(key));
    status(result.map(|(value, current)| {
        give(&value, data, size);
        cas.write(current);
    }))
}

#[unsafe(no_mangle)]
unsafe extern "C" fn proxy_set_shared_data(
    key: *const u8,
    key_size: usize,
    value: *const u8,
    value_size: usize,
    cas: u32,
) -> u32 {
    let (key, value) = (bytes(key, key_size), bytes(value, value_size));
    status(host("proxy_set_shared_data", |world| world.shared_data.set(key, value, cas)))
}

#[unsafe(no_mangle)]
unsafe extern "C" fn proxy_continue_stream(kind: u32) -> u32 {
    status(host("proxy_continue_stream", |world| {
        let side = side(kind)?;
        let (context, phase) = (world.acting().unwrap_or_default(), world.running_phase());
        let stream = world.acting_stream(Status::BadArgument)?;
        let idle = !stream.is_over() && stream.replied.is_none() && !stream.side(side).is_stopped();
        stream.request.forget_pointers();
        world.deferred.push_back(Deferred::Resume(context, side));
        if phase.and_then(|phase| phase.side()) == Some(side) {
            return Err(Refusal::violation(Status::Ok, "continues what the running callback decides: return Continue"));
        }
        if idle {
            return Err(Refusal::violation(Status::Ok, "nothing is held on this side"));
        }
        Ok(())
    }))
}

#[unsafe(no_mangle)]
unsafe extern "C" fn proxy_close_stream(kind: u32) -> u32 {
    status(host("proxy_close_stream", |world| {
        side(kind)?;
        world.acting_stream(Status::BadArgument)?.reset = true;
        Ok(())
    }))
}

fn side(kind: u32) -> HostResult<Side> {
    match kind {
        0 => Ok(Side::Request),
        1 => Ok(Side::Response),
        _ => Err(Refusal::violation(Status::BadArgument, "an HTTP filter has only a request and a response")),
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn proxy_send_local_response(
    status_code: u32,
    details: *const u8,
    details_size: usize,
    body: *const u8,
    body_size: usize,
    headers: *const u8,
    headers_size: usize,
    _grpc_status: i32,
) -> u32 {
    let headers = decode_pairs(bytes(headers, headers_size));
    let body = bytes(body, body_size).to_vec();
    let details = String::from_utf8_lossy(bytes(details, details_size)).into_owned();
    status(host("proxy_send_local_response", |world| {
        let headers = headers.ok_or_else(|| Refusal::violation(Status::BadArgument, "the headers are cut short"))?;
        send_local_response(world, LocalReply { status: status_code, headers, body, details })
    }))
}

fn send_local_response(world: &mut World, reply: LocalReply) -> HostResult {
    let context = world.acting().unwrap_or_default();
    reply.headers.iter().try_for_each(|(name, value)| maps::check(name, value))?;
    let stream = world.acting_stream(Status::BadArgument)?;
    let overflowed = stream.overflowed && stream.replied.is_none();
    let late = stream.replied.is_some() || stream.is_over() || stream.logging;
    world.action_ignored = true;
    let asked = world.deferred.iter().any(|action| matches!(action, Deferred::Reply(of, _) if *of == context));
    if late || asked {
        return Err(Refusal::violation(Status::Ok, "the stream was already answered: the first reply wins"));
    }
    // Not the filter's fault, but the client gets Envoy's 413 and not this.
    if !overflowed {
        world.deferred.push_back(Deferred::Reply(context, reply));
    }
    Ok(())
}

#[unsafe(no_mangle)]
unsafe extern "C" fn proxy_set_effective_context(context: u32) -> u32 {
    status(host("proxy_set_effective_context", |world| world.set_effective(context)))
}

#[unsafe(no_mangle)]
unsafe extern "C" fn proxy_define_metric(kind: u32, name: *const u8, name_size: usize, id: *mut u32) -> u32 {
    let name = bytes(name, name_size);
    write(host("proxy_define_metric", |world| world.metrics.define(kind, name)), id)
}

#[unsafe(no_mangle)]
unsafe extern "C" fn proxy_get_metric(id: u32, value: *mut u64) -> u32 {
    write(host("proxy_get_metric", |world| world.metrics.get(id)), value)
}

#[unsafe(no_mangle)]
unsafe extern "C" fn proxy_record_metric(id: u32, value: u64) -> u32 {
    status(host("proxy_record_metric", |world| world.metrics.record(id, value)))
}

#[unsafe(no_mangle)]
unsafe extern "C" fn proxy_increment_metric(id: u32, offset: i64) -> u32 {
    status(host("proxy_increment_metric", |world| world.metrics.increment(id, offset)))
}

#[unsafe(no_mangle)]
unsafe extern "C" fn proxy_call_foreign_function(
    name: *const u8,
    name_size: usize,
    _arguments: *const u8,
    _arguments_size: usize,
    data: *mut *mut u8,
    size: *mut usize,
) -> u32 {
    let name = bytes(name, name_size);
    let result = host("proxy_call_foreign_function", |world| match name {
        b"clear_route_cache" => {
            world.acting_stream(Status::BadArgument)?.route_cache_clears += 1;
            Ok(Vec::new())
        }
        _ => Err(Refusal::violation(Status::NotFound, "this host has no such foreign function")),
    });
    write_bytes(result, data, size)
}

#[unsafe(no_mangle)]
unsafe extern "C" fn proxy_grpc_call(
    target: *const u8,
    target_size: usize,
    service: *const u8,
    service_size: usize,
    method: *const u8,
    method_size: usize,
    _metadata: *const u8,
    _metadata_size: usize,
    message: *const u8,
    message_size: usize,
    timeout: u32,
    token: *mut u32,
) -> u32 {
    let text = |data, size| String::from_utf8_lossy(bytes(data, size)).into_owned();
    let (service, method) = (text(service, service_size), text(method, method_size));
    let (target, message) = (bytes(target, target_size), bytes(message, message_size).to_vec());
    let result = host("proxy_grpc_call", |world| {
        if timeout == 0 {
            return Err(Refusal::violation(Status::Ok, "without a timeout Envoy waits for ever"));
        }
        let (cluster, authority) = grpc::target(target)?;
        let (token, root) = (world.grpc.next_token(), world.acting_root_id());
        if world.grpc.unreachable {
            world.deferred.push_back(Deferred::GrpcClose(root, token, UNAVAILABLE));
            return Err(Refusal::answer(Status::InternalFailure));
        }
        let timeout = Duration::from_millis(u64::from(timeout));
        let ends = world.now + u64::try_from(timeout.as_nanos()).expect("49 days");
        world.grpc.start(GrpcCall { token, root, ends, cluster, authority, service, method, message, timeout });
        Ok(token)
    });
    write(result, token)
}

#[unsafe(no_mangle)]
unsafe extern "C" fn proxy_done() -> u32 {
    status(host("proxy_done", |world| {
        let id = world.acting().unwrap_or_default();
        let ending = world.roots.get_mut(&id).is_some_and(|root| std::mem::take(&mut root.ending));
        if !ending {
            return Err(Refusal::violation(Status::NotFound, "no root whose end Envoy waits for"));
        }
        world.deferred.push_back(Deferred::DeleteRoot(id));
        Ok(())
    }))
}

/// Imports that no filter of ours uses: refused, and kept as a violation.
macro_rules! unused {
    ($($name:ident($($argument:ty),*);)*) => {$(
        #[unsafe(no_mangle)]
        extern "C" fn $name($(_: $argument),*) -> u32 {
            let refused = host(stringify!($name), |_| -> HostResult {
                Err(Refusal::violation(Status::InternalFailure, "not part of this host"))
            });
            status(refused)
        }
    )*};
}

unused! {
    proxy_register_shared_queue(*const u8, usize, *mut u32);
    proxy_resolve_shared_queue(*const u8, usize, *const u8, usize, *mut u32);
    proxy_dequeue_shared_queue(u32, *mut *mut u8, *mut usize);
    proxy_enqueue_shared_queue(u32, *const u8, usize);
    proxy_http_call(*const u8, usize, *const u8, usize, *const u8, usize, *const u8, usize, u32, *mut u32);
    proxy_grpc_stream(*const u8, usize, *const u8, usize, *const u8, usize, *const u8, usize, *mut u32);
    proxy_grpc_send(u32, *const u8, usize, bool);
    proxy_grpc_cancel(u32);
    proxy_grpc_close(u32);
    proxy_get_status(*mut u32, *mut *mut u8, *mut usize);
}
