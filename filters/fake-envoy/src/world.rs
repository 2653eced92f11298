//! Everything one Envoy worker knows, per thread. It is never borrowed while the filter runs, so that the filter's
//! calls can reach it.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::fmt;

use crate::direction::Direction;
use crate::exchange::{Role, StreamInfo};
use crate::grpc::Grpc;
use crate::local_reply::{LocalReply, Reply};
use crate::metrics::Metrics;
use crate::phase::{Phase, Side};
use crate::shared_data::SharedData;
use crate::status::{HostResult, Refusal, Status};

/// A call that correct filter code never makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The import that was called, or the callback that broke a rule.
    pub call: String,
    /// The callback that was running.
    pub phase: Option<Phase>,
    /// The context it was called for.
    pub context: Option<u32>,
    /// The rule that it breaks.
    pub rule: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.call)?;
        if let Some(phase) = self.phase {
            write!(f, " in {phase}")?;
        }
        if let Some(context) = self.context {
            write!(f, " of context {context}")?;
        }
        write!(f, ": {}", self.rule)
    }
}

/// A line that the filter logged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// As the SDK numbers them: 0 is trace, 5 is critical.
    pub level: u32,
    /// The text.
    pub message: String,
}

#[derive(Debug, Default)]
pub(crate) struct Root {
    pub(crate) config: Vec<u8>,
    /// Whether the plugin configuration can be read: only while the context is created and configured.
    pub(crate) config_live: bool,
    pub(crate) tick_period: Option<u64>,
    pub(crate) next_tick: u64,
    /// Whether it was asked to end, and was not done.
    pub(crate) ending: bool,
}

#[derive(Debug)]
pub(crate) struct StreamState {
    pub(crate) root: u32,
    pub(crate) role: Role,
    pub(crate) exchange: usize,
    pub(crate) request: Direction,
    pub(crate) response: Direction,
    /// Path joined by NUL, as the ABI passes it.
    pub(crate) properties: BTreeMap<Vec<u8>, Vec<u8>>,
    /// Whether the filter has a context for this stream; Envoy makes it with the first callback.
    pub(crate) created: bool,
    pub(crate) finished: bool,
    pub(crate) logging: bool,
    /// Why this stream was answered here, by the filter or by Envoy.
    pub(crate) replied: Option<String>,
    /// Whether the request outgrew the buffer: Envoy's 413 follows the callback that runs, whatever that does.
    pub(crate) overflowed: bool,
    /// A reply that did not go through this stream's response callbacks.
    pub(crate) direct_reply: Option<Reply>,
    pub(crate) reset: bool,
    pub(crate) route_cache_clears: usize,
    /// Whether request headers were taken into the filter's memory.
    pub(crate) request_headers_read: bool,
}

impl StreamState {
    pub(crate) fn side(&mut self, side: Side) -> &mut Direction {
        match side {
            Side::Request => &mut self.request,
            Side::Response => &mut self.response,
        }
    }

    /// Whether nothing of this side goes on any more.
    pub(crate) fn is_closed(&self, side: Side) -> bool {
        self.is_over() || (side == Side::Request && (self.replied.is_some() || self.overflowed))
    }

    /// Whether neither side moves any more.
    pub(crate) fn is_over(&self) -> bool {
        self.finished || self.reset || self.direct_reply.is_some() || self.response.forwarded().ended
    }
}

#[derive(Debug)]
pub(crate) enum Deferred {
    Resume(u32, Side),
    Reply(u32, LocalReply),
    /// The status of a call that failed before it was sent, for this root.
    GrpcClose(u32, u32, u32),
    DeleteRoot(u32),
}

#[derive(Debug)]
pub(crate) struct World {
    pub(crate) scenario: String,
    pub(crate) last_init: Option<fn()>,
    pub(crate) roots: BTreeMap<u32, Root>,
    pub(crate) streams: BTreeMap<u32, StreamState>,
    pub(crate) exchanges: Vec<StreamInfo>,
    pub(crate) shared_data: SharedData,
    pub(crate) metrics: Metrics,
    pub(crate) grpc: Grpc,
    /// The answer that the running callback brings.
    pub(crate) grpc_answer: Vec<u8>,
    pub(crate) now: u64,
    /// What the next random byte follows from.
    pub(crate) random: u64,
    pub(crate) buffer_limit: usize,
    pub(crate) logs: Vec<LogLine>,
    pub(crate) violations: Vec<Violation>,
    /// Every callback so far, for the report of a panic.
    pub(crate) trail: Vec<String>,
    pub(crate) deferred: VecDeque<Deferred>,
    running: Option<(u32, Phase)>,
    /// What `set_effective_context` chose for the rest of the running callback.
    effective: Option<u32>,
    /// Set by `send_local_response`: the action that the running callback returns does not count.
    pub(crate) action_ignored: bool,
}

thread_local! {
    static WORLD: RefCell<Option<World>> = const { RefCell::new(None) };
    // Never reset: the SDK's dispatcher outlives every world of its thread.
    static NEXT_CONTEXT: Cell<u32> = const { Cell::new(1) };
}

pub(crate) fn begin() {
    WORLD.with_borrow_mut(|world| {
        assert!(world.is_none(), "one FakeEnvoy at a time on a thread");
        *world = Some(World::new());
    });
}

pub(crate) fn end() {
    WORLD.with_borrow_mut(|world| *world = None);
}

pub(crate) fn with<R>(f: impl FnOnce(&mut World) -> R) -> R {
    WORLD.with_borrow_mut(|world| f(world.as_mut().expect("a FakeEnvoy lives on this thread")))
}

/// For callers that must not fail: the panic hook, and a log line written while no world exists.
pub(crate) fn try_with<R>(f: impl FnOnce(&mut World) -> R) -> Option<R> {
    WORLD.try_with(|world| world.try_borrow_mut().ok().and_then(|mut world| world.as_mut().map(f))).ok().flatten()
}

pub(crate) fn next_context() -> u32 {
    NEXT_CONTEXT.with(|next| next.replace(next.get() + 1))
}

impl World {
    fn new() -> Self {
        Self {
            scenario: String::new(),
            last_init: None,
            roots: BTreeMap::new(),
            streams: BTreeMap::new(),
            exchanges: Vec::new(),
            shared_data: SharedData::default(),
            metrics: Metrics::default(),
            grpc: Grpc::default(),
            grpc_answer: Vec::new(),
            // 2026-01-01T00:00:00Z; any fixed instant does.
            now: 1_767_225_600_000_000_000,
            random: 0,
            buffer_limit: 1024 * 1024,
            logs: Vec::new(),
            violations: Vec::new(),
            trail: Vec::new(),
            deferred: VecDeque::new(),
            running: None,
            effective: None,
            action_ignored: false,
        }
    }

    pub(crate) fn enter(&mut self, context: u32, phase: Phase, detail: &str) {
        assert!(self.running.is_none(), "Envoy never calls a filter from within its own host call");
        self.trail.push(format!("context {context}: {phase}({detail})"));
        (self.running, self.effective, self.action_ignored) = (Some((context, phase)), None, false);
    }

    /// Says whether the action that the callback returned is ignored.
    pub(crate) fn leave(&mut self) -> bool {
        (self.running, self.effective) = (None, None);
        std::mem::take(&mut self.action_ignored)
    }

    pub(crate) fn running_phase(&self) -> Option<Phase> {
        self.running.map(|(_, phase)| phase)
    }

    /// The context that a host call acts on.
    pub(crate) fn acting(&self) -> Option<u32> {
        self.effective.filter(|context| self.exists(*context)).or(self.running.map(|(context, _)| context))
    }

    pub(crate) fn set_effective(&mut self, context: u32) -> HostResult {
        if !self.exists(context) {
            return Err(Refusal::violation(Status::BadArgument, format!("context {context} does not exist")));
        }
        self.effective = Some(context);
        Ok(())
    }

    pub(crate) fn stream(&mut self, context: u32) -> &mut StreamState {
        self.streams.get_mut(&context).expect("a stream of this FakeEnvoy")
    }

    /// The stream that a host call acts on, or what Envoy answers a root context.
    pub(crate) fn acting_stream(&mut self, otherwise: Status) -> HostResult<&mut StreamState> {
        self.acting()
            .and_then(|context| self.streams.get_mut(&context))
            .ok_or_else(|| Refusal::violation(otherwise, "there is no stream in this context"))
    }

    pub(crate) fn acting_root_id(&self) -> u32 {
        let acting = self.acting().unwrap_or_default();
        self.streams.get(&acting).map_or(acting, |stream| stream.root)
    }

    /// The root of the acting context, which may be that context itself.
    pub(crate) fn acting_root(&mut self) -> HostResult<&mut Root> {
        let root = self.acting_root_id();
        self.roots.get_mut(&root).ok_or_else(|| Refusal::violation(Status::BadArgument, "there is no root context"))
    }

    pub(crate) fn violate(&mut self, call: &str, rule: impl Into<String>) {
        let (context, phase) = (self.acting(), self.running_phase());
        self.violations.push(Violation { call: call.to_owned(), phase, context, rule: rule.into() });
    }

    /// Moves the clock to the next tick that is due by `end`, and says whose it is.
    pub(crate) fn next_due(&mut self, end: u64) -> Option<u32> {
        let due = self.roots.iter_mut().filter(|(_, root)| root.tick_period.is_some() && root.next_tick <= end);
        let (id, root) = due.min_by_key(|(_, root)| root.next_tick)?;
        self.now = root.next_tick;
        root.next_tick += root.tick_period?;
        Some(*id)
    }

    fn exists(&self, context: u32) -> bool {
        self.roots.contains_key(&context) || self.streams.get(&context).is_some_and(|stream| stream.created)
    }
}
