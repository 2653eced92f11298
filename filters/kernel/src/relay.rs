//! An answer passed on as it comes, message by message: JSON, or server-sent events.
//!
//! A message is held until it is whole, then shown to whoever decides on it, and passed on: byte for byte as it came, unless it
//! is wanted otherwise. Comments, `id`, `retry`, line ends and white space stay as they are; of an event that is changed, all but its
//! data. What comes out does not depend on how the answer is cut.

mod events;

use crate::framing::Event;
use crate::sse::rewrite;
use events::Events;
use std::mem;

/// In what form an answer comes: its content type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `application/json`: one message.
    Json,
    /// `text/event-stream`: a message in each event.
    EventStream,
}

/// What the client gets instead of a chunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Onward {
    /// The chunk as it is.
    Unchanged,
    /// These bytes; none while a message is not whole.
    Bytes(Vec<u8>),
}

/// What comes of a message.
#[derive(Debug)]
pub(crate) enum Fate {
    AsItIs,
    Dropped,
    Changed(Vec<u8>),
}

/// Why no messages can be made out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// One is larger than may be held.
    TooLarge,
    /// A stream of events begins as JSON does.
    NotEvents,
}

/// What decides on the messages of one answer.
pub(crate) trait Messages {
    /// Why an answer is not passed on.
    type Fault: From<Unreadable> + PartialEq;

    /// The largest message. Of a stream three times as many bytes may be held: a message, and the event that it comes in, half
    /// of it comments and line ends.
    fn max_bytes(&self) -> usize;
    /// Whether what cannot be read goes on unread.
    fn only_watches(&self) -> bool;
    /// Counts bytes that have come.
    fn count(&mut self, bytes: usize);
    /// Something goes on unread.
    fn unread(&mut self);
    /// The one message of an answer that is no stream.
    fn body(&mut self, body: &[u8]) -> Result<Fate, Self::Fault>;
    /// What an event carries.
    fn event(&mut self, event: &Event<'_>) -> Result<Fate, Self::Fault>;
    /// The message that a fault is told with, if somebody still waits for one.
    fn fail(&mut self, fault: Self::Fault) -> Option<Vec<u8>>;
    /// The event that such a message comes in; its data is replaced.
    fn frame(&self) -> &'static [u8] {
        b"data\n\n"
    }
}

/// Passes one answer on.
pub(crate) struct Relay {
    held: Held,
    state: State,
}

/// What of the answer is held.
enum Held {
    /// What came so far.
    Body(Vec<u8>),
    Events(Events),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Reading,
    /// The rest goes on unread.
    Passing,
    /// Nothing more goes on.
    Closed,
}

impl Relay {
    pub(crate) const fn new(form: Form, max_bytes: usize) -> Self {
        let held = match form {
            Form::Json => Held::Body(Vec::new()),
            Form::EventStream => Held::Events(Events::new(max_bytes)),
        };
        Self { held, state: State::Reading }
    }

    pub(crate) const fn state(&self) -> State {
        self.state
    }

    /// Bytes held.
    pub(crate) fn held(&self) -> usize {
        match &self.held {
            Held::Body(body) => body.len(),
            Held::Events(events) => events.held(),
        }
    }

    /// What the client gets instead of the next `chunk`.
    pub(crate) fn push(&mut self, chunk: &[u8], messages: &mut impl Messages) -> Onward {
        messages.count(chunk.len());
        match self.state {
            State::Reading => {}
            State::Passing => return Onward::Unchanged,
            State::Closed => return Onward::Bytes(Vec::new()),
        }
        let mut out = Vec::new();
        let read = match &mut self.held {
            Held::Body(body) if body.len().saturating_add(chunk.len()) <= messages.max_bytes() => {
                body.extend_from_slice(chunk);
                Ok(())
            }
            Held::Body(_) => Err(Unreadable::TooLarge.into()),
            Held::Events(events) => events.read(chunk, messages, &mut out),
        };
        match read {
            Ok(()) => {}
            Err(fault) if messages.only_watches() && fault == Unreadable::TooLarge.into() => {
                messages.unread();
                self.pass(chunk, &mut out);
            }
            Err(fault) => self.close(fault, messages, &mut out),
        }
        if same(&out, chunk) { Onward::Unchanged } else { Onward::Bytes(out) }
    }

    /// What the client gets instead of the last `chunk`.
    pub(crate) fn last(&mut self, chunk: &[u8], messages: &mut impl Messages) -> Onward {
        if self.is_new() && chunk.len() <= messages.max_bytes() {
            messages.count(chunk.len());
            return self.body(chunk, messages);
        }
        match (self.push(chunk, messages), self.finish(messages)) {
            (onward, rest) if rest.is_empty() => onward,
            (Onward::Unchanged, rest) => Onward::Bytes([chunk, &rest].concat()),
            (Onward::Bytes(bytes), rest) => Onward::Bytes([bytes, rest].concat()),
        }
    }

    /// What the client gets after the last chunk.
    pub(crate) fn finish(&mut self, messages: &mut impl Messages) -> Vec<u8> {
        if self.state != State::Reading {
            return Vec::new();
        }
        let Held::Body(body) = &mut self.held else {
            self.state = State::Closed;
            return Vec::new();
        };
        let body = mem::take(body);
        match self.body(&body, messages) {
            Onward::Unchanged => body,
            Onward::Bytes(bytes) => bytes,
        }
    }

    /// What the client gets instead of the whole `body`.
    fn body(&mut self, body: &[u8], messages: &mut impl Messages) -> Onward {
        self.state = State::Closed;
        match messages.body(body) {
            Ok(Fate::AsItIs) => Onward::Unchanged,
            Ok(Fate::Dropped) => Onward::Bytes(Vec::new()),
            Ok(Fate::Changed(message)) => Onward::Bytes(message),
            Err(fault) => {
                let mut out = Vec::new();
                self.close(fault, messages, &mut out);
                Onward::Bytes(out)
            }
        }
    }

    /// Lets all of a body that has not begun go on unread; whether it does.
    pub(crate) fn lets_pass(&mut self) -> bool {
        let is_new = self.is_new();
        if is_new {
            self.state = State::Passing;
        }
        is_new
    }

    /// Whether a body is read of which nothing has come.
    fn is_new(&self) -> bool {
        self.state == State::Reading && matches!(&self.held, Held::Body(body) if body.is_empty())
    }

    /// Gives up reading.
    fn pass(&mut self, chunk: &[u8], out: &mut Vec<u8>) {
        self.state = State::Passing;
        match &mut self.held {
            Held::Body(body) => {
                out.append(&mut mem::take(body));
                out.extend_from_slice(chunk);
            }
            Held::Events(events) => out.append(&mut events.take()),
        }
    }

    /// Ends the answer with an error.
    fn close<M: Messages>(&mut self, fault: M::Fault, messages: &mut M, out: &mut Vec<u8>) {
        self.state = State::Closed;
        let message = messages.fail(fault);
        match &mut self.held {
            Held::Body(body) => {
                *body = Vec::new();
                out.extend(message.into_iter().flatten());
            }
            Held::Events(events) => {
                events.take();
                if let Some(message) = message {
                    rewrite(messages.frame(), &message, out);
                }
            }
        }
    }
}

/// Compares 16 bytes at a time: in wasm `==` takes one after the other.
fn same(one: &[u8], other: &[u8]) -> bool {
    let ((ones, one_left), (others, other_left)) = (one.as_chunks::<16>(), other.as_chunks::<16>());
    one.len() == other.len() && ones.iter().zip(others).all(|(one, other)| one == other) && one_left == other_left
}
