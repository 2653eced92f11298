//! Asking a service over gRPC.
//!
//! A call is the root's: it goes on when the stream in whose callback it was made ends, and its answer is told all the same,
//! once and soon after its timeout at the latest. What waits for it, say a held request, is woken by its [`crate::stream::Waker`].
//!
//! The SDK's own wrapper is used, because only it makes the SDK route answers. It panics on a status that it does not
//! expect, so what is passed leaves Envoy (`Context::grpcCall`; tried on 1.40) only those that it does:
//! - `BadArgument`, which it does not: only of a `GrpcService` that no client can be made of. Of one with a cluster's name
//!   one can, whether or not there is such a cluster.
//! - `ParseFailure`: only of a cluster's name passed as it is. That would be worse than a panic: Envoy first reads it as a
//!   serialised `GrpcService`, and aborts when it can be read as one. `p1`, `envoy` and `aggregate` can. We pass the
//!   message itself.
//! - `InternalFailure` is all else: no such cluster, no host in it, a full circuit breaker, a restricted capability.

use crate::abi::{self, Buffer, HostError};
use crate::{deadline, root};
use proxy_wasm::hostcalls;
use std::cell::RefCell;
use std::fmt;
use std::time::Duration;

/// The largest answer that is taken in, in bytes. What our callers ask for has some hundred.
pub const MAX_ANSWER: usize = 64 * 1024;

/// A unary method of a service behind a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Method<'a> {
    /// Envoy's name of the cluster, at most [`MAX_CLUSTER`] bytes.
    pub cluster: &'a str,
    /// The service with its package.
    pub service: &'a str,
    /// The method.
    pub method: &'a str,
}

/// The longest name of a cluster that can be called, in bytes: what is passed must be text to the SDK, and longer
/// lengths are not.
pub const MAX_CLUSTER: usize = 100;

/// A call that brought no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallFailed {
    /// The gRPC status; 14 also when the service was not reached, broke off, or the timeout passed.
    Status(u32),
    /// Envoy has not even told of the timeout: it may call us, but not back (`capability_restriction_config` without
    /// `proxy_on_grpc_receive` and `proxy_on_grpc_close`).
    Unanswered,
    /// There was an answer, of more than [`MAX_ANSWER`] bytes or not to be read.
    Unreadable,
}

impl fmt::Display for CallFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(f, "gRPC status {status}"),
            Self::Unanswered => f.write_str("no answer and no timeout"),
            Self::Unreadable => f.write_str("an answer that cannot be read"),
        }
    }
}

impl std::error::Error for CallFailed {}

/// What a call brought.
pub type Answer = Result<Vec<u8>, CallFailed>;

struct Waiting {
    /// The SDK's.
    token: u32,
    /// Whose callback is told.
    root_id: u32,
    /// Until when, in nanoseconds since 1970: Envoy's own timer comes before.
    until: u64,
    answered: Box<dyn FnOnce(Answer)>,
}

/// How long after its timeout Envoy has to tell of it.
const GRACE: Duration = Duration::from_secs(1);

thread_local! {
    /// The calls under way.
    static WAITING: RefCell<Vec<Waiting>> = const { RefCell::new(Vec::new()) };
}

/// Sends `message`. `answered` is told what came of it, in a callback of no stream; it may make other calls. To be made in
/// a callback of a request, or in `answered`.
///
/// # Errors
/// When Envoy can tell at once that there will be no answer: there is no such cluster, or no host in it. `answered` is not
/// told then.
pub fn call(
    method: &Method<'_>,
    message: &[u8],
    timeout: Duration,
    answered: impl FnOnce(Answer) + 'static,
) -> abi::Result<()> {
    let service = grpc_service(method.cluster).ok_or(HostError::BadArgument)?;
    // To Envoy, no milliseconds are no timeout.
    let timeout = timeout.clamp(Duration::from_millis(1), Duration::from_millis(u64::from(u32::MAX)));
    let (name, function, message) = (method.service.to_owned(), method.method.to_owned(), message.to_vec());
    let send = move || hostcalls::dispatch_grpc_call(&service, &name, &function, Vec::new(), Some(&message), timeout);
    let (root_id, sent) = root::run(send)?;
    let token = sent.map_err(|status| HostError::Status(status as u32))?;
    let wait = u64::try_from(timeout.saturating_add(GRACE).as_nanos()).unwrap_or(u64::MAX);
    let waiting = Waiting { token, root_id, until: abi::now().saturating_add(wait), answered: Box::new(answered) };
    WAITING.with_borrow_mut(|calls| calls.push(waiting));
    deadline::keep_ticking(root_id);
    Ok(())
}

/// `envoy.config.core.v3.GrpcService` for a cluster of Envoy's.
fn grpc_service(cluster: &str) -> Option<String> {
    /// What servers refuse in `:authority`, which otherwise is the cluster's name.
    const PLAIN: &str = "tollgate";
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:".contains(&byte);
    if cluster.is_empty() || cluster.len() > MAX_CLUSTER {
        return None;
    }
    let field = |number: u8, text: &str| Some(format!("{}{}{text}", char::from(number << 3 | 2), length(text)?));
    let authority = if cluster.bytes().all(known) { String::new() } else { field(2, PLAIN)? };
    field(1, &format!("{}{authority}", field(1, cluster)?))
}

/// A length that is one byte, so that it is text.
fn length(text: &str) -> Option<char> {
    u8::try_from(text.len()).ok().filter(u8::is_ascii).map(char::from)
}

/// Tells the answer that the running callback of a root brings.
pub(crate) fn answered(token: u32, status: u32, size: usize) {
    let Some(call) = take(|call| call.token == token) else { return };
    let read = || match size {
        0 => Some(Vec::new()),
        1..=MAX_ANSWER => abi::buffer(Buffer::GrpcAnswer, 0, size).ok().filter(|bytes| bytes.len() == size),
        _ => None,
    };
    (call.answered)(if status == 0 { read().ok_or(CallFailed::Unreadable) } else { Err(CallFailed::Status(status)) });
}

/// Tells of the calls of which Envoy has told nothing by `now`; in a callback of a root.
pub(crate) fn expire(now: u64) {
    fail(|call| call.until <= now);
}

/// Whether any call is under way.
pub(crate) fn is_idle() -> bool {
    WAITING.with_borrow(Vec::is_empty)
}

/// Whether an answer will be told to this root.
pub(crate) fn is_awaited_by(root_id: u32) -> bool {
    WAITING.with_borrow(|calls| calls.iter().any(|call| call.root_id == root_id))
}

/// The root is gone, and Envoy tells nobody of its calls.
pub(crate) fn forget_root(root_id: u32) {
    fail(|call| call.root_id == root_id);
}

fn fail(which: impl Fn(&Waiting) -> bool) {
    while let Some(call) = take(&which) {
        (call.answered)(Err(CallFailed::Unanswered));
    }
}

fn take(which: impl Fn(&Waiting) -> bool) -> Option<Waiting> {
    WAITING.with_borrow_mut(|calls| calls.iter().position(which).map(|at| calls.swap_remove(at)))
}
