//! What a test drives and reads: one HTTP stream at one filter.

use std::marker::PhantomData;

use crate::direction::{Direction, Forwarded};
use crate::envoy::{FakeEnvoy, RootId};
use crate::exchange::Role;
use crate::exports;
use crate::filter_manager::{self, Delivery};
use crate::headers::Headers;
use crate::local_reply::Reply;
use crate::phase::{Phase, Side};
use crate::world::{self, StreamState, World};

/// One HTTP stream at one filter. Parts are driven in their order: headers, data, trailers; the response may begin
/// before the request has ended. Driving them in another order panics, because a peer of Envoy cannot do that. Nothing is
/// delivered any more once the stream was answered, reset or done.
#[derive(Clone, Copy, Debug)]
pub struct Stream<'envoy> {
    context: u32,
    envoy: PhantomData<&'envoy FakeEnvoy>,
}

impl Stream<'_> {
    pub(crate) fn open(root: RootId, exchange: usize, role: Role) -> Self {
        let context = world::next_context();
        let state = StreamState {
            root: root.0,
            role,
            exchange,
            request: Direction::default(),
            response: Direction::default(),
            properties: Default::default(),
            created: false,
            finished: false,
            logging: false,
            replied: None,
            overflowed: false,
            direct_reply: None,
            reset: false,
            route_cache_clears: 0,
            request_headers_read: false,
        };
        world::with(|world| world.streams.insert(context, state));
        Self { context, envoy: PhantomData }
    }

    /// Request headers arrive; `end` when neither body nor trailers follow.
    pub fn request_headers(&self, headers: impl Into<Headers>, end: bool) -> Delivery {
        self.drive(|context| filter_manager::headers(context, Side::Request, headers.into(), end))
    }

    /// A piece of the request's body arrives; `end` when it is the last and no trailers follow.
    pub fn request_data(&self, data: impl AsRef<[u8]>, end: bool) -> Delivery {
        self.drive(|context| filter_manager::data(context, Side::Request, data.as_ref(), end))
    }

    /// The request's trailers arrive, and with them its end.
    pub fn request_trailers(&self, trailers: impl Into<Headers>) -> Delivery {
        self.drive(|context| filter_manager::trailers(context, Side::Request, trailers.into()))
    }

    /// The next hop's response headers arrive; `end` when neither body nor trailers follow.
    pub fn response_headers(&self, headers: impl Into<Headers>, end: bool) -> Delivery {
        self.drive(|context| filter_manager::headers(context, Side::Response, headers.into(), end))
    }

    /// A piece of the response's body arrives; `end` when it is the last and no trailers follow.
    pub fn response_data(&self, data: impl AsRef<[u8]>, end: bool) -> Delivery {
        self.drive(|context| filter_manager::data(context, Side::Response, data.as_ref(), end))
    }

    /// The response's trailers arrive, and with them its end.
    pub fn response_trailers(&self, trailers: impl Into<Headers>) -> Delivery {
        self.drive(|context| filter_manager::trailers(context, Side::Response, trailers.into()))
    }

    /// The access log is written. An upstream stream is never logged, so this does nothing there. For a stream whose
    /// request never came, the filter gets a context just for this.
    pub fn log(&self) {
        let logged = self.with(|stream| stream.role == Role::Downstream && !stream.finished);
        if logged {
            filter_manager::create(self.context);
            self.with(|stream| stream.logging = true);
            filter_manager::call(self.context, Phase::Log, "", || exports::proxy_on_log(self.context));
            self.with(|stream| stream.logging = false);
        }
    }

    /// The stream is destroyed, at its end or, if the client went away, at any time.
    pub fn done(&self) {
        finish(self.context);
    }

    /// The end that Envoy gives every stream: the log, then the destruction.
    pub fn finish(&self) {
        self.log();
        self.done();
    }

    /// Sets what `get_property` answers for a path, in the byte format that Envoy uses for it.
    pub fn property(&self, path: &[&str], value: impl AsRef<[u8]>) {
        let path = path.join("\0").into_bytes();
        self.with(|stream| stream.properties.insert(path, value.as_ref().to_vec()));
    }

    /// What the next hop got of the request.
    pub fn forwarded_request(&self) -> Forwarded {
        self.with(|stream| stream.request.forwarded().clone())
    }

    /// What the filter let go of the response, towards the client.
    pub fn forwarded_response(&self) -> Forwarded {
        self.with(|stream| stream.response.forwarded().clone())
    }

    /// What the client got of a reply made here, by the filter or by Envoy; `None` until it has all of it.
    pub fn reply(&self) -> Option<Reply> {
        filter_manager::reply(self.context)
    }

    /// Whether the stream was cut: by the filter, or because a reply came after response headers had gone.
    pub fn was_reset(&self) -> bool {
        self.with(|stream| stream.reset)
    }

    /// Whether the filter took any of the request's headers into its memory.
    pub fn request_headers_read(&self) -> bool {
        self.with(|stream| stream.request_headers_read)
    }

    /// How often the filter asked for the route to be chosen again.
    pub fn route_cache_clears(&self) -> usize {
        self.with(|stream| stream.route_cache_clears)
    }

    fn drive(&self, deliver: impl FnOnce(u32) -> Delivery) -> Delivery {
        if self.with(|stream| stream.replied.is_some() || stream.is_over()) {
            return Delivery::Undelivered;
        }
        deliver(self.context)
    }

    fn with<R>(&self, f: impl FnOnce(&mut StreamState) -> R) -> R {
        world::with(|world| f(world.stream(self.context)))
    }
}

/// Ends the filter's context of a stream, if it has one.
pub(crate) fn finish(context: u32) {
    let created = world::with(|world: &mut World| {
        let stream = world.stream(context);
        stream.created && !std::mem::replace(&mut stream.finished, true)
    });
    if created {
        let (done, _) = filter_manager::call(context, Phase::Done, "", || exports::proxy_on_done(context));
        if !done {
            world::with(|world| world.violate("on_done", "a stream that is not done at its end is never deleted"));
        }
        filter_manager::call(context, Phase::Delete, "", || exports::proxy_on_delete(context));
    }
    world::with(|world| {
        let stream = world.stream(context);
        (stream.created, stream.finished) = (false, true);
    });
}
