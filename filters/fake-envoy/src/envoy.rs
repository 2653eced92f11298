//! The worker that a test owns.

use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use crate::exchange::Exchange;
use crate::exports;
use crate::filter_manager::{self, call};
use crate::grpc::GrpcCall;
use crate::panics;
use crate::phase::Phase;
use crate::stream::{self, Stream};
use crate::world::{self, LogLine, Root, Violation};

/// A root context: one configured instance of a filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RootId(pub(crate) u32);

/// What Envoy says when a call's timeout has passed, and of all that is not reached.
pub(crate) const UNAVAILABLE: u32 = 14;

/// The filter refused its configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadError {
    /// What it logged while it was loaded.
    pub logs: Vec<LogLine>,
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the filter refused its configuration")?;
        self.logs.iter().try_for_each(|line| write!(f, "\n{}", line.message))
    }
}

impl std::error::Error for LoadError {}

/// One Envoy worker and one VM, on this thread. Dropping it ends all streams and roots of the filter.
#[derive(Debug)]
pub struct FakeEnvoy {
    /// The world is this thread's, so its owner must not leave the thread.
    not_send: PhantomData<*const ()>,
}

impl Default for FakeEnvoy {
    fn default() -> Self {
        Self::new()
    }
}

impl FakeEnvoy {
    /// An empty worker.
    ///
    /// # Panics
    /// While another one lives on this thread.
    pub fn new() -> Self {
        world::begin();
        panics::report();
        Self { not_send: PhantomData }
    }

    /// What is being tried, such as the input of a property test. It is printed if the filter panics, which nothing
    /// but the printed text survives.
    pub fn scenario(&self, text: impl fmt::Display) {
        world::with(|world| world.scenario = text.to_string());
    }

    /// Loads a filter: `init` is what its `_initialize` does, and is run unless it was the last one run.
    pub fn root(&self, init: fn(), plugin_config: &[u8]) -> Result<RootId, LoadError> {
        let known = |last: Option<fn()>| last.is_some_and(|last| std::ptr::fn_addr_eq(last, init));
        if !world::with(|world| known(world.last_init.replace(init))) {
            init();
            // The SDK may have put its own hook in place.
            panics::report();
        }
        let (id, size) = (world::next_context(), plugin_config.len());
        let logged = world::with(|world| {
            let root = Root { config: plugin_config.to_vec(), config_live: true, ..Root::default() };
            world.roots.insert(id, root);
            world.logs.len()
        });
        let config_live = |live| world::with(|world| world.roots.get_mut(&id).expect("just made").config_live = live);
        call(id, Phase::ContextCreate, "", || exports::proxy_on_context_create(id, 0));
        config_live(false);
        let mut loaded = call(id, Phase::VmStart, "0", || exports::proxy_on_vm_start(id, 0)).0;
        if loaded {
            config_live(true);
            loaded = call(id, Phase::Configure, &size.to_string(), || exports::proxy_on_configure(id, size)).0;
            config_live(false);
        }
        if loaded {
            return Ok(RootId(id));
        }
        call(id, Phase::Done, "", || exports::proxy_on_done(id));
        filter_manager::delete_root(id);
        Err(LoadError { logs: self.logs().split_off(logged) })
    }

    /// A downstream stream in an exchange of its own.
    pub fn stream(&self, root: RootId) -> Stream<'_> {
        self.exchange().stream(root)
    }

    /// An upstream stream in an exchange of its own.
    pub fn upstream_stream(&self, root: RootId) -> Stream<'_> {
        self.exchange().upstream_stream(root)
    }

    /// A new exchange, to put a downstream stream and its upstream streams in.
    pub fn exchange(&self) -> Exchange<'_> {
        Exchange::begin(self)
    }

    /// Above how many held bytes Envoy itself answers. One MiB if not set.
    pub fn buffer_limit(&self, bytes: usize) {
        world::with(|world| world.buffer_limit = bytes);
    }

    /// One tick of a root, whatever its period.
    pub fn tick(&self, root: RootId) {
        call(root.0, Phase::Tick, "", || exports::proxy_on_tick(root.0));
    }

    /// Moves the clock, which moves in no other way, ticks each root when its period is over, and ends each call when
    /// its timeout is.
    pub fn advance(&self, time: Duration) {
        let end = self.now() + time;
        let end = u64::try_from(end.as_nanos()).expect("a time before the year 2554");
        loop {
            let timeout = world::with(|world| world.grpc.next_timeout(end).cloned());
            let until = timeout.as_ref().map_or(end, |call| call.ends);
            if let Some(root) = world::with(|world| world.next_due(until)) {
                self.tick(RootId(root));
            } else if let Some(call) = timeout {
                world::with(|world| world.now = call.ends);
                self.fail_call(&call, UNAVAILABLE);
            } else {
                break;
            }
        }
        world::with(|world| world.now = end);
    }

    /// The clock, since the Unix epoch.
    pub fn now(&self) -> Duration {
        Duration::from_nanos(world::with(|world| world.now))
    }

    /// The value of a counter; zero if it was never incremented.
    pub fn counter(&self, name: &str) -> u64 {
        world::with(|world| world.metrics.counter(name))
    }

    /// The value of a gauge; zero if it was never set.
    pub fn gauge(&self, name: &str) -> u64 {
        world::with(|world| world.metrics.gauge(name))
    }

    /// Everything recorded in a histogram, in order.
    pub fn histogram(&self, name: &str) -> Vec<u64> {
        world::with(|world| world.metrics.histogram(name))
    }

    /// How often a metric was defined. Envoy keeps each definition for ever, so this must not grow with requests.
    pub fn metric_definitions(&self) -> usize {
        world::with(|world| world.metrics.definitions())
    }

    /// The value of a key in shared data.
    pub fn shared_data(&self, key: &str) -> Option<Vec<u8>> {
        world::with(|world| world.shared_data.get(key.as_bytes()).ok().map(|(value, _)| value))
    }

    /// Writes shared data as another worker would: whoever read it before fails its compare-and-swap.
    pub fn set_shared_data(&self, key: &str, value: impl AsRef<[u8]>) {
        let written = world::with(|world| world.shared_data.set(key.as_bytes(), value.as_ref(), 0));
        written.expect("a write without compare always succeeds");
    }

    /// Denies the VM shared data from now on, as `capability_restriction_config` does, or lets it have it again.
    pub fn deny_shared_data(&self, denied: bool) {
        world::with(|world| world.shared_data.denied = denied);
    }

    /// From now on no call can be sent: there is no such cluster, or no host in it.
    pub fn unreachable_services(&self) {
        world::with(|world| world.grpc.unreachable = true);
    }

    /// From now on the filter is not told of timeouts: `capability_restriction_config` has calls, but no callbacks.
    pub fn mute_services(&self) {
        world::with(|world| world.grpc.mute = true);
    }

    /// The gRPC calls under way, oldest first.
    pub fn calls(&self) -> Vec<GrpcCall> {
        world::with(|world| world.grpc.pending())
    }

    /// Brings the answer to a call.
    ///
    /// # Panics
    /// When the call is not under way: Envoy answers each once.
    pub fn answer_call(&self, call: &GrpcCall, answer: impl AsRef<[u8]>) {
        world::with(|world| world.grpc.end(call.token)).expect("a call under way");
        filter_manager::grpc_receive(call.root, call.token, answer.as_ref());
    }

    /// Ends a call with a gRPC status and no answer.
    ///
    /// # Panics
    /// When the call is not under way: Envoy answers each once.
    pub fn fail_call(&self, call: &GrpcCall, status: u32) {
        world::with(|world| world.grpc.end(call.token)).expect("a call under way");
        filter_manager::grpc_close(call.root, call.token, status);
    }

    /// What the filter logged so far.
    pub fn logs(&self) -> Vec<LogLine> {
        world::with(|world| world.logs.clone())
    }

    /// Every call so far that correct code never makes.
    pub fn violations(&self) -> Vec<Violation> {
        world::with(|world| world.violations.clone())
    }

    /// Ends a root, as a new configuration does once no stream uses the old one: at once, or when it says that it is done.
    pub fn end(&self, root: RootId) {
        if call(root.0, Phase::Done, "", || exports::proxy_on_done(root.0)).0 {
            filter_manager::delete_root(root.0);
        } else {
            world::with(|world| world.roots.get_mut(&root.0).expect("a root of this FakeEnvoy").ending = true);
        }
    }

    /// Whether a root is gone.
    pub fn is_over(&self, root: RootId) -> bool {
        world::with(|world| !world.roots.contains_key(&root.0))
    }
}

impl Drop for FakeEnvoy {
    fn drop(&mut self) {
        let (streams, roots) = world::with(|world| {
            (world.streams.keys().copied().collect::<Vec<_>>(), world.roots.keys().copied().collect::<Vec<_>>())
        });
        streams.into_iter().for_each(stream::finish);
        for root in roots {
            self.end(RootId(root));
            // The process ends, whether it is done or not.
            if !self.is_over(RootId(root)) {
                filter_manager::delete_root(root);
            }
        }
        world::end();
    }
}
