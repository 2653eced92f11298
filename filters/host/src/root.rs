//! What is done in the name of a root, and so outlives the stream in whose callback it is done.
//!
//! The SDK tells the answer to a call to the context whose callback ran when the call was made, whatever context was the
//! effective one: it has a note of its own. So a call made in a stream's callback is answered to nobody once the stream is
//! gone (tried on Envoy 1.40). To have it answered to the root, the call is made in a callback of the root: in one that Envoy
//! never makes, because it belongs to queues that we do not have, and that we make ourselves.
#![expect(unsafe_code, reason = "an export of the SDK's, which Rust knows only by its symbol")]

use crate::abi::{self, HostError};
use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;

unsafe extern "C" {
    safe fn proxy_on_queue_ready(context_id: u32, queue_id: u32);
}

/// Whose callback runs.
#[derive(Clone, Copy)]
pub(crate) enum Running {
    /// None in which a call can be made.
    Other,
    /// This root's.
    Root(u32),
    /// One of a request of this root's.
    Request(u32),
}

thread_local! {
    static RUNNING: Cell<Running> = const { Cell::new(Running::Other) };
    /// What a root has to do next.
    static TASK: RefCell<Option<Box<dyn FnOnce()>>> = const { RefCell::new(None) };
    /// The SDK panics when a root is called that is not there.
    static ROOTS: RefCell<BTreeSet<u32>> = const { RefCell::new(BTreeSet::new()) };
}

pub(crate) fn begin(root_id: u32) {
    ROOTS.with_borrow_mut(|roots| roots.insert(root_id));
}

pub(crate) fn end(root_id: u32) {
    ROOTS.with_borrow_mut(|roots| roots.remove(&root_id));
}

/// Runs the body of a callback.
pub(crate) fn within<T>(running: Running, callback: impl FnOnce() -> T) -> T {
    let before = RUNNING.replace(running);
    let result = callback();
    RUNNING.set(before);
    result
}

/// Runs `task` in a callback of a root: of the one whose callback runs, or whose request's. Tells which.
///
/// # Errors
/// When the running callback is neither a root's nor one of a request.
pub(crate) fn run<T: 'static>(task: impl FnOnce() -> T + 'static) -> abi::Result<(u32, T)> {
    match RUNNING.get() {
        // The SDK has it borrowed, and would panic if it were called once more.
        Running::Root(root_id) => {
            // It may have woken a stream before.
            abi::set_effective_context(root_id)?;
            Ok((root_id, task()))
        }
        Running::Request(root_id) if ROOTS.with_borrow(|roots| roots.contains(&root_id)) => {
            let done = Rc::new(Cell::new(None));
            let result = Rc::clone(&done);
            TASK.set(Some(Box::new(move || done.set(Some(task())))));
            proxy_on_queue_ready(root_id, 0);
            Ok((root_id, result.take().ok_or(HostError::BadArgument)?))
        }
        Running::Request(_) | Running::Other => Err(HostError::BadArgument),
    }
}

/// The callback that [`run`] makes.
pub(crate) fn run_task() {
    if let Some(task) = TASK.take() {
        task();
    }
}
