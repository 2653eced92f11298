//! The loop around one stream: Envoy's callbacks in, one [`Step`] out of the filter's role, and one rule for all of
//! them: **what is not decided is held**.
//!
//! What the loop takes care of, so that no role has to: a body callback must not let go what the headers callback
//! holds; a request with trailers never ends in a body callback; our own local reply comes back through our own
//! response callbacks; a held response is drained into the role's memory, because Envoy empties what outgrows its
//! buffer limit; a host call that fails refuses the stream.
//!
//! Where Envoy cannot hold headers while it reads a body, a role says so ([`Stream::holds_headers`]): then they go on and
//! the body alone is held.

use crate::abi::{self, Buffer, Direction, Level, Map};
use crate::deadline::{self, Expire};
use crate::headers;
use crate::root::{self, Running};
use crate::state;
use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::Action;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::{Rc, Weak};

/// What a role decides in one callback.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// Not decided. Nothing moves on; response data given to the role is now the role's.
    Hold,
    /// Decided: everything held goes on as it is.
    Go,
    /// Decided, with the first bytes of the body replaced: of the whole request, or of the response data just given.
    Edit {
        /// How many bytes to replace, from the start.
        first: usize,
        /// What stands there instead.
        with: Vec<u8>,
    },
    /// Answered by us; nothing goes on.
    Reply(Reply),
}

/// An answer of our own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// A stable word for Envoy's `RESPONSE_CODE_DETAILS`.
    pub details: &'static str,
    /// Headers besides `:status` and `content-length`.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Reply {
    /// For faults of ours that no client format has words for.
    pub(crate) fn failure(details: &'static str) -> Self {
        Self { status: 500, details, headers: Vec::new(), body: details.as_bytes().to_vec() }
    }

    pub(crate) fn send(&self) {
        let pairs: Vec<(&str, &[u8])> = self.headers.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
        if let Err(error) = abi::send_local_response(self.status, self.details, &headers::serialize(&pairs), &self.body)
        {
            abi::log(Level::Error, &format!("tollgate: the reply {} could not be sent: {error}", self.details));
        }
    }
}

/// A whole request body, still in Envoy's buffer.
#[derive(Debug)]
pub struct RequestBody {
    /// Bytes.
    pub size: usize,
    /// Whether trailers came behind it.
    pub trailers: bool,
    /// For a request that is going to be held.
    pub waker: Waker,
}

/// Wakes a request that is held.
#[derive(Clone)]
pub struct Waker {
    context_id: u32,
    stream: Weak<dyn Wake>,
}

trait Wake {
    /// The stream's context is the effective one.
    fn wake(&self, context_id: u32);
}

impl fmt::Debug for Waker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Waker").field(&self.context_id).finish()
    }
}

impl Waker {
    /// Asks the role by [`Stream::woken`], unless the stream is over or its request decided. To be called where
    /// [`crate::grpc::call`] tells its answer.
    pub fn wake(&self) {
        if let Some(stream) = self.stream.upgrade()
            && abi::set_effective_context(self.context_id).is_ok()
        {
            stream.wake(self.context_id);
        }
    }
}

impl RequestBody {
    /// Copies the first `size` bytes out of Envoy.
    ///
    /// # Errors
    /// When the host refuses, or has fewer.
    pub fn read(&self, size: usize) -> abi::Result<Vec<u8>> {
        let bytes = if size == 0 { Vec::new() } else { abi::buffer(Buffer::Request, 0, size)? };
        if bytes.len() == size { Ok(bytes) } else { Err(abi::HostError::NotFound) }
    }
}

/// A filter's part on one stream. Called in the order below; every method answers what to do now.
///
/// An `Err` is a host call that failed: the stream is refused.
pub trait Stream: 'static {
    /// The request's headers are there, for [`headers::Headers::read`] and for changes, until the request goes on; `end`: no
    /// body follows. [`Step::Hold`] waits for it.
    ///
    /// # Errors
    /// When a host call failed.
    fn request_headers(&mut self, end: bool) -> abi::Result<Step>;

    /// Whether headers wait for what is decided of the body, for which the plugin needs
    /// `allow_on_headers_stop_iteration: true`. If not, they go on at once unless they are answered, a request's without its
    /// length; what is changed of them is changed in their callback.
    fn holds_headers(&self) -> bool {
        true
    }

    /// The held request's headers are there for a while, and nothing of its body.
    fn request_stalls(&mut self) -> Reply {
        Reply { status: 408, ..Reply::failure("tollgate_no_body") }
    }

    /// The held request has grown to `size` bytes and is not complete.
    ///
    /// # Errors
    /// When a host call failed.
    fn request_grows(&mut self, size: usize) -> abi::Result<Step>;

    /// The held request is complete; size 0 when it has no body. [`Step::Hold`] is an answer only with a
    /// [`Self::deadline`].
    ///
    /// # Errors
    /// When a host call failed.
    fn request_body(&mut self, body: &RequestBody) -> abi::Result<Step>;

    /// The held request's [`Waker`] was called. Headers and body can be read and changed as before; [`Step::Hold`] waits for
    /// another call of it, or for the deadline.
    ///
    /// # Errors
    /// When a host call failed.
    fn woken(&mut self) -> abi::Result<Step> {
        Ok(Step::Hold)
    }

    /// The response's headers are there, until the response goes on; `end`: no body follows. [`Step::Hold`] holds
    /// them and reads the body.
    ///
    /// # Errors
    /// When a host call failed.
    fn response_headers(&mut self, end: bool) -> abi::Result<Step>;

    /// Whether the next `size` bytes of the response are to be read. What is not read is not copied.
    fn reads_response(&mut self, size: usize) -> bool;

    /// More of the response. With `end`, [`Step::Hold`] is not an answer.
    ///
    /// # Errors
    /// When a host call failed.
    fn response_data(&mut self, data: &[u8], end: bool) -> abi::Result<Step>;

    /// When (nanoseconds since 1970) a complete request that is held, or a held response, must be decided.
    fn deadline(&self) -> Option<u64> {
        None
    }

    /// The deadline has passed. [`Step::Go`] or [`Step::Reply`]; of a request also [`Step::Hold`], with a later deadline.
    ///
    /// # Errors
    /// When a host call failed.
    fn expired(&mut self) -> abi::Result<Step> {
        Ok(Step::Go)
    }

    /// The stream is over, however it ended; of an attempt, before its exchange is logged.
    fn done(&mut self) {}

    /// The exchange is over, however it ended. Only downstream. Also called when another filter refused the request
    /// before this one saw it.
    fn log(&mut self) {}
}

/// Which direction of a stream may move.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Held,
    Open,
    Answered,
}

struct Flow<S> {
    stream: S,
    request: Way,
    request_size: usize,
    /// Whether all of the request is there.
    request_complete: bool,
    /// The request's headers went on before it was decided.
    headers_gone: bool,
    /// When something of the body must be there.
    stalls: Option<u64>,
    response: Way,
    response_began: bool,
    /// The details of our own reply.
    answered: &'static str,
    deadline: Option<u64>,
}

impl<S: Stream> Flow<S> {
    /// The one place that turns a decision about the request into an action.
    fn request(&mut self, step: abi::Result<Step>) -> Action {
        let done = step.and_then(|step| match step {
            Step::Hold if self.request_complete && self.stream.deadline().is_none() => {
                abi::log(Level::Error, "tollgate: undecided at the end of a request");
                Ok(self.answer(&Reply::failure("tollgate_undecided")))
            }
            Step::Hold => Ok(Way::Held),
            Step::Go => Ok(Way::Open),
            // The length of the whole is not known yet.
            Step::Edit { .. } if !self.request_complete => Err(abi::HostError::BadArgument),
            Step::Edit { first, with } => {
                // Envoy corrects no content-length: one that lies would smuggle a second request upstream.
                if !self.headers_gone {
                    let size = self.request_size.saturating_sub(first).saturating_add(with.len());
                    abi::set_header(Map::Request, "content-length", size.to_string().as_bytes())?;
                }
                abi::replace_buffer_prefix(Buffer::Request, first, &with)?;
                Ok(Way::Open)
            }
            Step::Reply(reply) => Ok(self.answer(&reply)),
        });
        self.request = done.unwrap_or_else(|error| self.fail("request", error));
        action(self.request)
    }

    /// Headers whose body follows: held with it, or let go before it.
    fn request_begins(&mut self) -> Action {
        if self.stream.holds_headers() {
            self.stalls = (!BODY_SEEN.get()).then(|| abi::now().saturating_add(STALLED));
            return action(self.request);
        }
        // Its length is not known before it is decided.
        match abi::remove_header(Map::Request, b"content-length") {
            Ok(()) => self.headers_gone = true,
            Err(error) => self.request = self.fail("request", error),
        }
        if self.headers_gone { Action::Continue } else { action(self.request) }
    }

    fn body_comes(&mut self) {
        if self.stalls.take().is_some() {
            BODY_SEEN.set(true);
        }
    }

    /// Whether nothing more is asked about the request: also where its answer came before its body.
    fn request_decided(&self) -> bool {
        self.request != Way::Held || self.response == Way::Answered
    }

    /// The same for the response; `given` is how much data the role was given in this callback.
    fn response(&mut self, step: abi::Result<Step>, given: usize, end: bool) -> Action {
        let done = step.and_then(|step| match step {
            Step::Hold if end => {
                abi::log(Level::Error, "tollgate: undecided at the end of a response");
                Ok(self.answer(&Reply::failure("tollgate_undecided")))
            }
            Step::Hold => {
                if given > 0 {
                    abi::replace_buffer_prefix(Buffer::Response, given, &[])?;
                }
                Ok(Way::Held)
            }
            Step::Go => Ok(Way::Open),
            // In trailers there may be no body to change.
            Step::Edit { first: 0, with } if with.is_empty() => Ok(Way::Open),
            Step::Edit { first, with } => {
                abi::replace_buffer_prefix(Buffer::Response, first, &with)?;
                Ok(Way::Open)
            }
            Step::Reply(reply) => Ok(self.answer(&reply)),
        });
        self.response = done.unwrap_or_else(|error| self.fail("response", error));
        action(self.response)
    }

    fn answer(&mut self, reply: &Reply) -> Way {
        reply.send();
        self.answered = reply.details;
        self.response = Way::Answered;
        Way::Answered
    }

    /// A request that outgrows Envoy's buffer is answered by Envoy, whatever we answered in the same callback.
    fn note_overruled(&mut self) {
        let details = || state::text(&["response", "code_details"]);
        if self.response == Way::Answered && details().is_some_and(|details| details != self.answered) {
            self.response = Way::Held;
        }
    }

    fn fail(&mut self, side: &str, error: abi::HostError) -> Way {
        abi::log(Level::Error, &format!("tollgate: {side} refused, a host call failed: {error}"));
        self.answer(&Reply::failure("tollgate_host_call_failed"))
    }

    fn request_complete(&mut self, trailers: bool, waker: Waker) -> Action {
        self.request_complete = true;
        let step = self.stream.request_body(&RequestBody { size: self.request_size, trailers, waker });
        self.request(step)
    }

    /// When this stream must be looked at though nothing happens to it.
    fn wanted_deadline(&self) -> Option<u64> {
        match self.stalls {
            Some(at) if self.request == Way::Held => Some(at),
            _ if self.request_waits() || self.response_waits() => self.stream.deadline(),
            _ => None,
        }
    }

    fn request_waits(&self) -> bool {
        self.request == Way::Held && self.request_complete && !self.response_began
    }

    fn response_waits(&self) -> bool {
        self.response_began && self.response == Way::Held
    }

    fn expired(&mut self, now: u64) {
        if self.stalls.take().is_some() && self.request == Way::Held {
            abi::log(Level::Error, NO_BODY);
            let reply = self.stream.request_stalls();
            self.request = self.answer(&reply);
        } else if self.request_waits() {
            let step = self.stream.expired();
            self.move_request(match step {
                Ok(Step::Hold) if self.wanted_deadline().is_none_or(|at| at <= now) => {
                    abi::log(Level::Error, "tollgate: undecided at the deadline of a request");
                    Ok(Step::Reply(Reply::failure("tollgate_undecided")))
                }
                step => step,
            });
        } else if self.response_waits() {
            let step = self.stream.expired();
            if self.response(step, 0, true) == Action::Continue
                && let Err(error) = abi::continue_stream(Direction::Response)
            {
                abi::log(Level::Error, &format!("tollgate: a response past its deadline could not go on: {error}"));
            }
        }
    }

    /// A decision about a request to which nothing else happened, so that it has to be moved.
    fn move_request(&mut self, step: abi::Result<Step>) {
        if self.request(step) == Action::Continue
            && let Err(error) = abi::continue_stream(Direction::Request)
        {
            self.request = self.fail("request", error);
        }
    }
}

/// How long nothing of a body may come after its headers, until some body has come to this worker.
const STALLED: u64 = 10_000_000_000;
const NO_BODY: &str = "tollgate: nothing of a request's body has come for 10 s; if that is so of every request, the plugin \
                       needs `allow_on_headers_stop_iteration: true`, or the filter `hold_headers: false`";

thread_local! {
    /// A body has come after headers that were held: the plugin has what that needs.
    static BODY_SEEN: Cell<bool> = const { Cell::new(false) };
}

/// Held and answered streams pause, open ones continue. After an answer Envoy ignores the action.
const fn action(way: Way) -> Action {
    match way {
        Way::Held | Way::Answered => Action::Pause,
        Way::Open => Action::Continue,
    }
}

fn adds_data(step: &abi::Result<Step>) -> bool {
    matches!(step, Ok(Step::Edit { with, .. }) if !with.is_empty())
}

/// A [`Stream`] as the SDK's dispatcher wants it, shared with the table of deadlines.
pub(crate) struct Shared<S: Stream> {
    root_id: u32,
    context_id: u32,
    flow: Rc<RefCell<Flow<S>>>,
}

impl<S: Stream> Shared<S> {
    pub(crate) fn new(root_id: u32, context_id: u32, stream: S) -> Self {
        let held = Way::Held;
        let flow = Flow {
            stream,
            request: held,
            request_size: 0,
            request_complete: false,
            headers_gone: false,
            stalls: None,
            response: held,
            response_began: false,
            answered: "",
            deadline: None,
        };
        Self { root_id, context_id, flow: Rc::new(RefCell::new(flow)) }
    }

    /// Runs one callback of the request, then keeps the deadline as the stream wants it.
    fn request<T>(&self, callback: impl FnOnce(&mut Flow<S>) -> T) -> T {
        root::within(Running::Request(self.root_id), || self.run(callback))
    }

    fn request_complete(&self, flow: &mut Flow<S>, trailers: bool) -> Action {
        let stream: Weak<dyn Wake> = Rc::<_>::downgrade(&self.flow) as Weak<dyn Wake>;
        flow.request_complete(trailers, Waker { context_id: self.context_id, stream })
    }

    fn run<T>(&self, callback: impl FnOnce(&mut Flow<S>) -> T) -> T {
        let mut flow = self.flow.borrow_mut();
        let result = callback(&mut flow);
        let wanted = flow.wanted_deadline();
        if wanted != flow.deadline {
            flow.deadline = wanted;
            match wanted {
                Some(at) => deadline::set(self.root_id, self.context_id, at, &self.flow),
                None => deadline::clear(self.context_id),
            }
        }
        result
    }

    fn response(&self, callback: impl FnOnce(&mut Flow<S>) -> Action) -> Action {
        self.run(|flow| {
            flow.response_began = true;
            match flow.response {
                Way::Answered => Action::Continue, // our own reply, on its way to the client
                _ => callback(flow),
            }
        })
    }
}

impl<S: Stream> Drop for Shared<S> {
    fn drop(&mut self) {
        deadline::clear(self.context_id);
    }
}

impl<S: Stream> Expire for RefCell<Flow<S>> {
    fn expired(&self, now: u64) -> Option<u64> {
        let mut flow = self.borrow_mut();
        if flow.wanted_deadline().is_some_and(|at| at <= now) {
            flow.expired(now);
        }
        flow.deadline = flow.wanted_deadline().filter(|at| *at > now);
        flow.deadline
    }
}

impl<S: Stream> Wake for RefCell<Flow<S>> {
    fn wake(&self, context_id: u32) {
        // In a callback of its own it cannot be asked, but that is not where answers are told.
        let Ok(mut flow) = self.try_borrow_mut() else { return };
        if !flow.request_waits() {
            return;
        }
        let step = flow.stream.woken();
        flow.move_request(step);
        flow.deadline = flow.wanted_deadline();
        match flow.deadline {
            Some(at) => deadline::move_to(context_id, at),
            None => deadline::clear(context_id),
        }
    }
}

impl<S: Stream> Context for Shared<S> {
    fn on_done(&mut self) -> bool {
        self.flow.borrow_mut().stream.done();
        true
    }
}

impl<S: Stream> HttpContext for Shared<S> {
    fn on_http_request_headers(&mut self, _: usize, end: bool) -> Action {
        self.request(|flow| {
            let step = flow.stream.request_headers(end);
            match step {
                Ok(Step::Hold) if end => self.request_complete(flow, false),
                Ok(Step::Hold) => flow.request_begins(),
                step => flow.request(step),
            }
        })
    }

    fn on_http_request_body(&mut self, size: usize, end: bool) -> Action {
        self.request(|flow| {
            if flow.request_decided() {
                return action(flow.request);
            }
            flow.body_comes();
            flow.request_size = size; // cumulative while held
            if end {
                return self.request_complete(flow, false);
            }
            let step = flow.stream.request_grows(size);
            flow.request(step)
        })
    }

    fn on_http_request_trailers(&mut self, _: usize) -> Action {
        self.request(|flow| {
            if flow.request_decided() {
                return action(flow.request);
            }
            flow.body_comes();
            self.request_complete(flow, true)
        })
    }

    fn on_http_response_headers(&mut self, _: usize, end: bool) -> Action {
        self.flow.borrow_mut().note_overruled();
        self.response(|flow| {
            let mut step = flow.stream.response_headers(end);
            if step == Ok(Step::Hold) && end {
                step = flow.stream.response_data(&[], true);
            }
            let action = flow.response(step, 0, end);
            let go_on = flow.response == Way::Held && !flow.stream.holds_headers();
            if go_on { Action::Continue } else { action }
        })
    }

    fn on_http_response_body(&mut self, size: usize, end: bool) -> Action {
        self.response(|flow| {
            if !flow.stream.reads_response(size) {
                return Action::Continue;
            }
            let data = if size == 0 { Ok(Vec::new()) } else { abi::buffer(Buffer::Response, 0, size) };
            let step = data.and_then(|data| flow.stream.response_data(&data, end));
            flow.response(step, size, end)
        })
    }

    fn on_http_response_trailers(&mut self, _: usize) -> Action {
        self.response(|flow| {
            if !flow.stream.reads_response(0) {
                return Action::Continue;
            }
            let step = flow.stream.response_data(&[], true);
            if flow.response == Way::Open && adds_data(&step) {
                // The body has gone on and Envoy takes no more of it: breaking off says that something is missing.
                flow.answer(&Reply::failure("tollgate_cut"));
                return action(flow.response);
            }
            flow.response(step, 0, true)
        })
    }

    fn on_log(&mut self) {
        self.flow.borrow_mut().stream.log();
    }
}
