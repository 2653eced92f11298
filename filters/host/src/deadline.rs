//! Deadlines of held streams and of calls. Envoy gives timers to roots only, so one table per VM knows which streams wait,
//! and a root ticks only while there are any, or calls under way.

use crate::{abi, grpc};
use std::cell::RefCell;
use std::rc::{Rc, Weak};

/// How exact deadlines are.
const TICK_MS: u32 = 25;

/// Something that waits on one stream.
pub(crate) trait Expire {
    /// The deadline has passed; the stream's context is the effective one. Answers the next deadline, after `now`.
    fn expired(&self, now: u64) -> Option<u64>;
}

struct Waiting {
    context_id: u32,
    at: u64,
    stream: Weak<dyn Expire>,
}

/// Lists, as they hold few, and each tick looks at all of them.
struct Table {
    streams: Vec<Waiting>,
    /// Roots.
    ticking: Vec<u32>,
}

impl Table {
    /// One per context.
    fn wait(&mut self, stream: Waiting) {
        self.forget(stream.context_id);
        self.streams.push(stream);
    }

    fn forget(&mut self, context_id: u32) {
        if let Some(at) = self.streams.iter().position(|one| one.context_id == context_id) {
            drop(self.streams.swap_remove(at));
        }
    }

    /// Whether the root did not tick.
    fn start(&mut self, root_id: u32) -> bool {
        let starts = !self.ticking.contains(&root_id);
        self.ticking.extend(starts.then_some(root_id));
        starts
    }

    /// Whether the root ticked.
    fn stop(&mut self, root_id: u32) -> bool {
        let ticking = self.ticking.len();
        self.ticking.retain(|other| *other != root_id);
        self.ticking.len() < ticking
    }
}

thread_local! {
    static TABLE: RefCell<Table> = const { RefCell::new(Table { streams: Vec::new(), ticking: Vec::new() }) };
}

/// Calls `stream.expired()` soon after `at` (nanoseconds since 1970), unless [`clear`]ed before. One per context.
pub(crate) fn set(root_id: u32, context_id: u32, at: u64, stream: &Rc<impl Expire + 'static>) {
    let stream: Weak<dyn Expire> = Rc::<_>::downgrade(stream) as Weak<dyn Expire>;
    TABLE.with_borrow_mut(|table| table.wait(Waiting { context_id, at, stream }));
    keep_ticking(root_id);
}

/// Has the root, whose context is the effective one or a stream's of it, tick until nothing waits any more.
pub(crate) fn keep_ticking(root_id: u32) {
    // Setting the period again would put off the tick that is due.
    let start = TABLE.with_borrow_mut(|table| table.start(root_id));
    if start && abi::set_tick_period(TICK_MS).is_err() {
        abi::log(abi::Level::Error, "no timer: deadlines of held streams rest on the route's own timeouts");
    }
}

/// Puts a stream's deadline off, if it has one.
pub(crate) fn move_to(context_id: u32, at: u64) {
    TABLE.with_borrow_mut(|table| {
        let waiting = table.streams.iter_mut().find(|one| one.context_id == context_id);
        waiting.into_iter().for_each(|one| one.at = at);
    });
}

/// Forgets a stream's deadline.
pub(crate) fn clear(context_id: u32) {
    TABLE.with_borrow_mut(|table| table.forget(context_id));
}

/// Expires what is due; from the root's `on_tick`.
pub(crate) fn tick(root_id: u32) {
    let now = abi::now();
    let due: Vec<Waiting> = TABLE.with_borrow_mut(|table| table.streams.extract_if(.., |one| one.at <= now).collect());
    for Waiting { context_id, stream, .. } in due {
        let next = match stream.upgrade() {
            Some(stream) if abi::set_effective_context(context_id).is_ok() => stream.expired(now),
            _ => None,
        };
        if let Some(at) = next {
            TABLE.with_borrow_mut(|table| table.wait(Waiting { context_id, at, stream }));
        }
    }
    let is_root = abi::set_effective_context(root_id).is_ok();
    grpc::expire(now);
    let idle = TABLE.with_borrow_mut(|table| table.streams.is_empty() && grpc::is_idle() && table.stop(root_id));
    if is_root && idle && abi::set_effective_context(root_id).is_ok() {
        // A tick too many does no harm.
        let _ = abi::set_tick_period(0);
    }
}

/// The root is gone, and its timer with it.
pub(crate) fn forget_root(root_id: u32) {
    TABLE.with_borrow_mut(|table| table.stop(root_id));
}
