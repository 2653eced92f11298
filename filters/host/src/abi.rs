//! The proxy-wasm ABI 0.2.1 as `Result`s.
//!
//! Numbers and signatures are those of the ABI; what each call answers in which phase is Envoy's, and a wrong phase is
//! an `Err`, never a panic.
#![expect(
    unsafe_code,
    reason = "the ABI is C; every pointer passed is live for the call, every one returned is ours to free"
)]

use std::fmt;
use std::ptr::{null, null_mut};

/// Why the host refused a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostError {
    /// No such header, property, key or metric.
    NotFound,
    /// The call does not fit this phase, or an argument is out of range.
    BadArgument,
    /// Any other status.
    Status(u32),
}

impl fmt::Display for HostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound => f.write_str("not found"),
            Self::BadArgument => f.write_str("not possible in this phase, or a bad argument"),
            Self::Status(status) => write!(f, "host status {status}"),
        }
    }
}

impl std::error::Error for HostError {}

/// Result of a host call.
pub type Result<T> = std::result::Result<T, HostError>;

const fn check(status: u32) -> Result<()> {
    match status {
        0 => Ok(()),
        1 => Err(HostError::NotFound),
        2 => Err(HostError::BadArgument),
        other => Err(HostError::Status(other)),
    }
}

/// Severity of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Level {
    /// Worth knowing.
    Info = 2,
    /// Something an operator should look at.
    Warn = 3,
    /// Something is broken.
    Error = 4,
}

/// A body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Buffer {
    /// The request's body.
    Request = 0,
    /// The response's body.
    Response = 1,
    /// The answer to a gRPC call, in the callback that brings it.
    GrpcAnswer = 5,
    /// The plugin's own configuration, in `on_configure`.
    PluginConfiguration = 7,
}

/// A header map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Map {
    /// Request headers.
    Request = 0,
    /// Response headers.
    Response = 2,
}

/// A direction of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Direction {
    /// From the client to the provider.
    Request = 0,
    /// And back.
    Response = 1,
}

/// A kind of Envoy stat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Metric {
    /// Only grows.
    Counter = 0,
    /// How values are distributed.
    Histogram = 2,
}

#[link(wasm_import_module = "env")]
unsafe extern "C" {
    fn proxy_log(level: u32, data: *const u8, size: usize) -> u32;
    fn proxy_get_current_time_nanoseconds(time: *mut u64) -> u32;
    fn proxy_set_tick_period_milliseconds(period: u32) -> u32;
    fn proxy_set_effective_context(context_id: u32) -> u32;
    fn proxy_get_buffer_bytes(buffer: u32, start: usize, max: usize, data: *mut *mut u8, size: *mut usize) -> u32;
    fn proxy_set_buffer_bytes(buffer: u32, start: usize, size: usize, data: *const u8, data_size: usize) -> u32;
    fn proxy_get_header_map_pairs(map: u32, data: *mut *mut u8, size: *mut usize) -> u32;
    fn proxy_set_header_map_pairs(map: u32, data: *const u8, size: usize) -> u32;
    fn proxy_replace_header_map_value(map: u32, key: *const u8, key_size: usize, value: *const u8, size: usize) -> u32;
    fn proxy_remove_header_map_value(map: u32, key: *const u8, key_size: usize) -> u32;
    fn proxy_get_property(path: *const u8, path_size: usize, data: *mut *mut u8, size: *mut usize) -> u32;
    fn proxy_set_property(path: *const u8, path_size: usize, data: *const u8, size: usize) -> u32;
    fn proxy_get_shared_data(
        key: *const u8,
        key_size: usize,
        data: *mut *mut u8,
        size: *mut usize,
        cas: *mut u32,
    ) -> u32;
    fn proxy_set_shared_data(key: *const u8, key_size: usize, value: *const u8, size: usize, cas: u32) -> u32;
    fn proxy_continue_stream(direction: u32) -> u32;
    fn proxy_send_local_response(
        status: u32,
        details: *const u8,
        details_size: usize,
        body: *const u8,
        body_size: usize,
        headers: *const u8,
        headers_size: usize,
        grpc_status: i32,
    ) -> u32;
    fn proxy_done() -> u32;
    fn proxy_define_metric(kind: u32, name: *const u8, name_size: usize, id: *mut u32) -> u32;
    fn proxy_increment_metric(id: u32, offset: i64) -> u32;
    fn proxy_record_metric(id: u32, value: u64) -> u32;
}

/// Takes over memory that the host allocated through our `proxy_on_memory_allocate` export.
///
/// # Safety
/// `data` and `size` must be what one host call just wrote.
unsafe fn take(data: *mut u8, size: usize) -> Vec<u8> {
    if data.is_null() { Vec::new() } else { unsafe { Vec::from_raw_parts(data, size, size) } }
}

/// Writes a line to Envoy's log, component `wasm`.
pub fn log(level: Level, line: &str) {
    // A log line that cannot be written has nowhere to be reported.
    let _ = unsafe { proxy_log(level as u32, line.as_ptr(), line.len()) };
}

/// Nanoseconds since 1970; 0 when the host has no clock.
#[must_use]
pub fn now() -> u64 {
    let mut time = 0;
    let _ = unsafe { proxy_get_current_time_nanoseconds(&raw mut time) };
    time
}

#[cfg(target_os = "wasi")]
#[link(wasm_import_module = "wasi_snapshot_preview1")]
unsafe extern "C" {
    fn random_get(buffer: *mut u8, size: usize) -> u32;
}

/// Bytes that nobody can guess.
#[cfg(target_os = "wasi")]
pub fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    check(unsafe { random_get(bytes.as_mut_ptr(), N) })?;
    Ok(bytes)
}

/// Bytes of the tests, which only differ.
#[cfg(not(target_os = "wasi"))]
pub fn random<const N: usize>() -> Result<[u8; N]> {
    use std::hash::{BuildHasher, RandomState};
    let mut bytes = [0; N];
    for piece in bytes.chunks_mut(8) {
        let random = RandomState::new().hash_one(0).to_le_bytes();
        piece.iter_mut().zip(random).for_each(|(byte, random)| *byte = random);
    }
    Ok(bytes)
}

/// Asks for `on_tick` of the current root every `milliseconds`; 0 stops it.
pub fn set_tick_period(milliseconds: u32) -> Result<()> {
    check(unsafe { proxy_set_tick_period_milliseconds(milliseconds) })
}

/// Makes the following calls act on another context of this VM.
pub fn set_effective_context(context_id: u32) -> Result<()> {
    check(unsafe { proxy_set_effective_context(context_id) })
}

/// Bytes of a buffer, at most `max` from `start`. Empty when there are none.
pub fn buffer(buffer: Buffer, start: usize, max: usize) -> Result<Vec<u8>> {
    let (mut data, mut size) = (null_mut(), 0);
    match check(unsafe { proxy_get_buffer_bytes(buffer as u32, start, max, &raw mut data, &raw mut size) }) {
        Ok(()) => Ok(unsafe { take(data, size) }),
        Err(HostError::NotFound) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// Replaces the first `size` bytes of a buffer.
pub fn replace_buffer_prefix(buffer: Buffer, size: usize, with: &[u8]) -> Result<()> {
    check(unsafe { proxy_set_buffer_bytes(buffer as u32, 0, size, with.as_ptr(), with.len()) })
}

/// A whole header map in the ABI's serialised form; see [`crate::headers::Headers`].
pub fn header_pairs(map: Map) -> Result<Vec<u8>> {
    let (mut data, mut size) = (null_mut(), 0);
    check(unsafe { proxy_get_header_map_pairs(map as u32, &raw mut data, &raw mut size) })?;
    Ok(unsafe { take(data, size) })
}

/// Replaces a whole header map by serialised pairs.
pub fn set_header_pairs(map: Map, pairs: &[u8]) -> Result<()> {
    check(unsafe { proxy_set_header_map_pairs(map as u32, pairs.as_ptr(), pairs.len()) })
}

/// Sets a header to exactly this one value.
pub fn set_header(map: Map, name: &str, value: &[u8]) -> Result<()> {
    check(unsafe { proxy_replace_header_map_value(map as u32, name.as_ptr(), name.len(), value.as_ptr(), value.len()) })
}

/// Removes every value of a header.
pub fn remove_header(map: Map, name: &[u8]) -> Result<()> {
    check(unsafe { proxy_remove_header_map_value(map as u32, name.as_ptr(), name.len()) })
}

/// A property in Envoy's own encoding; `path` is NUL-separated. `None` when it is not set.
pub fn property(path: &str) -> Result<Option<Vec<u8>>> {
    let (mut data, mut size) = (null_mut(), 0);
    match check(unsafe { proxy_get_property(path.as_ptr(), path.len(), &raw mut data, &raw mut size) }) {
        Ok(()) => Ok(Some(unsafe { take(data, size) })),
        Err(HostError::NotFound) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Writes filter state `wasm.<key>` of this stream.
pub fn set_property(key: &str, value: &[u8]) -> Result<()> {
    check(unsafe { proxy_set_property(key.as_ptr(), key.len(), value.as_ptr(), value.len()) })
}

/// A value that every worker and every filter with the same `vm_id` sees, and the number to change it by; `None` when
/// the key was never set.
pub fn shared_data(key: &str) -> Result<Option<(Vec<u8>, u32)>> {
    let (mut data, mut size, mut cas) = (null_mut(), 0, 0);
    match check(unsafe { proxy_get_shared_data(key.as_ptr(), key.len(), &raw mut data, &raw mut size, &raw mut cas) }) {
        Ok(()) => Ok(Some((unsafe { take(data, size) }, cas))),
        Err(HostError::NotFound) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Changes a value if nobody has since `cas` was read; `false`: somebody was faster. Always writes when `cas` is 0, and
/// when the key was never set: Envoy has no create-if-absent. Keys are never freed: their number must be bounded.
pub fn set_shared_data(key: &str, value: &[u8], cas: u32) -> Result<bool> {
    const CAS_MISMATCH: u32 = 8;
    match check(unsafe { proxy_set_shared_data(key.as_ptr(), key.len(), value.as_ptr(), value.len(), cas) }) {
        Ok(()) => Ok(true),
        Err(HostError::Status(CAS_MISMATCH)) => Ok(false),
        Err(error) => Err(error),
    }
}

/// The current root, which was not done when Envoy asked it, is done now.
pub fn done() -> Result<()> {
    check(unsafe { proxy_done() })
}

/// Lets a held direction of the current stream go on.
pub fn continue_stream(direction: Direction) -> Result<()> {
    check(unsafe { proxy_continue_stream(direction as u32) })
}

/// Answers the current stream ourselves. `details` shows as `RESPONSE_CODE_DETAILS`; `headers` are serialised pairs.
pub fn send_local_response(status: u16, details: &str, headers: &[u8], body: &[u8]) -> Result<()> {
    const NOT_GRPC: i32 = -1;
    let details_data = if details.is_empty() { null() } else { details.as_ptr() };
    check(unsafe {
        proxy_send_local_response(
            u32::from(status),
            details_data,
            details.len(),
            body.as_ptr(),
            body.len(),
            headers.as_ptr(),
            headers.len(),
            NOT_GRPC,
        )
    })
}

/// Defines a metric, or finds it. Gives a new id at each call: keep it.
pub fn define_metric(kind: Metric, name: &str) -> Result<u32> {
    let mut id = 0;
    check(unsafe { proxy_define_metric(kind as u32, name.as_ptr(), name.len(), &raw mut id) })?;
    Ok(id)
}

/// Adds to a metric; the host refuses 0 and less for counters.
pub fn increment_metric(id: u32, by: i64) -> Result<()> {
    check(unsafe { proxy_increment_metric(id, by) })
}

/// Records a value of a histogram.
pub fn record_metric(id: u32, value: u64) -> Result<()> {
    check(unsafe { proxy_record_metric(id, value) })
}
