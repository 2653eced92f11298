//! One request of one client: its downstream stream, and an upstream stream for each attempt.

use std::collections::BTreeMap;
use std::marker::PhantomData;

use crate::envoy::{FakeEnvoy, RootId};
use crate::stream::Stream;
use crate::world;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Downstream,
    Upstream { attempt: u64 },
}

/// What the streams of one exchange share.
#[derive(Debug, Default)]
pub(crate) struct StreamInfo {
    pub(crate) started: u64,
    pub(crate) attempts: u64,
    /// With the `wasm.` that Envoy puts before what a filter writes.
    pub(crate) filter_state: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl StreamInfo {
    /// Downstream the attempts so far, in an upstream filter which one it is.
    pub(crate) fn attempts(&self, role: Role) -> u64 {
        match role {
            Role::Downstream => self.attempts,
            Role::Upstream { attempt } => attempt,
        }
    }
}

/// Groups the streams of one exchange: they see the same filter state, and attempts are counted.
#[derive(Clone, Copy, Debug)]
pub struct Exchange<'envoy> {
    index: usize,
    envoy: PhantomData<&'envoy FakeEnvoy>,
}

impl<'envoy> Exchange<'envoy> {
    pub(crate) fn begin(_: &'envoy FakeEnvoy) -> Self {
        world::with(|world| {
            let started = world.now;
            world.exchanges.push(StreamInfo { started, ..StreamInfo::default() });
            Exchange { index: world.exchanges.len() - 1, envoy: PhantomData }
        })
    }

    /// The filter as it sits in the listener: it sees the exchange once.
    pub fn stream(&self, root: RootId) -> Stream<'envoy> {
        Stream::open(root, self.index, Role::Downstream)
    }

    /// The filter as it sits in a cluster: a new one for each attempt, and none of them is logged.
    pub fn upstream_stream(&self, root: RootId) -> Stream<'envoy> {
        let attempt = world::with(|world| {
            let info = &mut world.exchanges[self.index];
            info.attempts += 1;
            info.attempts
        });
        Stream::open(root, self.index, Role::Upstream { attempt })
    }

    /// Filter state by its full name, as an access log format would name it: `wasm.tollgate.audit`.
    pub fn filter_state(&self, key: &str) -> Option<Vec<u8>> {
        world::with(|world| world.exchanges[self.index].filter_state.get(key.as_bytes()).cloned())
    }

    /// Writes filter state as a native filter would.
    pub fn set_filter_state(&self, key: &str, value: impl AsRef<[u8]>) {
        let value = value.as_ref().to_vec();
        world::with(|world| world.exchanges[self.index].filter_state.insert(key.as_bytes().to_vec(), value));
    }
}
