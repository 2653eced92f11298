//! What an agent answers, read as it comes and passed on: JSON, or server-sent events.
//!
//! An [`AnswerReader`] is fed the chunks of one answer and says what the client gets instead of each. A message is held until
//! it is whole, its envelope is read strictly and shown to a [`Judge`], and it is passed on byte for byte and in order. What
//! comes out does not depend on how the answer is cut. Of parts, artifacts and histories nothing is looked at.
//!
//! What cannot be read cannot be decided upon. Then it depends on the [`Purpose`]: an answer that is only watched goes on
//! unread, from there as it comes if it is larger than [`Limits::bytes`] ([`AnswerReader::is_passing`]); any other ends with an
//! error in its place ([`Tally::fault`] says why), and nothing follows it. An event that the end of the stream cuts off is not
//! passed on.
//!
//! Agents differ in how they say that a task is not there. Who must not learn from the difference whose it is answers
//! [`Judge::error`] of -32001 with its own words too.

mod exchange;
mod fault;
mod seen;
mod state;
mod tally;

pub use fault::Fault;
pub use seen::{Seen, What};
pub use state::{State, States};
pub use tally::{Outcome, Tally};

pub use crate::relay::{Form, Onward};

use super::{Dialect, Error, Operation};
use crate::json::Limits;
use crate::json_rpc::Id;
use crate::relay::{Relay, State as Passage};
use exchange::{Deciding, Exchange};
use std::fmt;

/// Why an answer is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To know what came of the request, if that is easily known. The judge is not asked.
    Watch,
    /// To decide on what it carries.
    Inspect,
}

/// What is expected of an answer.
#[derive(Debug, Clone)]
pub struct Expected {
    /// What the request spoke.
    pub dialect: Dialect,
    /// The request's id, in JSON-RPC.
    pub id: Option<Id<'static>>,
    /// What was asked for; of what A2A does not have, only an error is made out.
    pub operation: Option<Operation>,
    /// Whether the status says that it is an error, over HTTP+JSON.
    pub is_error: bool,
    /// Why it is read.
    pub purpose: Purpose,
}

/// Whether the client is shown a task of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// As it is.
    Yes,
    /// Not at all.
    No,
}

/// What comes of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It goes on.
    Pass,
    /// The client gets this body, or an event with it, and nothing more.
    Refuse(Vec<u8>),
}

/// Who decides on what an answer carries, before the client gets it.
pub trait Judge {
    /// What comes of a task, a message or an update.
    fn seen(&mut self, seen: &Seen<'_>) -> Verdict {
        let _ = seen;
        Verdict::Pass
    }

    /// Whether the client is shown a task of a list.
    fn listed(&mut self, seen: &Seen<'_>) -> Shown {
        let _ = seen;
        Shown::Yes
    }

    /// What comes of an error: with its code in JSON-RPC, in every binding, or the status if it is none of A2A's.
    fn error(&mut self, code: Option<i32>) -> Verdict {
        let _ = code;
        Verdict::Pass
    }

    /// The body that ends an answer which cannot be passed on.
    fn fault(&mut self, fault: Fault, expected: &Expected) -> Vec<u8> {
        Error::InvalidAgentResponse.body(expected.dialect, expected.id.as_ref(), Some(&fault.to_string()))
    }
}

/// Reads one answer.
pub struct AnswerReader {
    exchange: Exchange,
    relay: Relay,
}

impl AnswerReader {
    /// A reader of an answer that begins. `limits` are those of one message. Of a stream three times as many bytes may be held: a
    /// message, and the event that it comes in, half of it comments and line ends.
    #[must_use]
    pub fn new(form: Form, expected: Expected, limits: Limits) -> Self {
        Self { exchange: Exchange::new(expected, limits), relay: Relay::new(form, limits.bytes) }
    }

    /// What came of it so far.
    #[must_use]
    pub const fn tally(&self) -> &Tally {
        &self.exchange.tally
    }

    /// Whether the rest goes on as it comes: [`AnswerReader::skip`] does the same as [`AnswerReader::push`].
    #[must_use]
    pub fn is_passing(&self) -> bool {
        self.relay.state() == Passage::Passing
    }

    /// Whether nothing more goes on: the answer is over, or had a fault or was refused and its client was told.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.relay.state() == Passage::Closed
    }

    /// Bytes held.
    #[must_use]
    pub fn held(&self) -> usize {
        self.relay.held()
    }

    /// Whether the next `size` bytes of the answer, which come at once or are all of it, go on without being shown to the reader.
    pub fn lets_pass(&mut self, size: usize) -> bool {
        self.exchange.lets_pass(size, &mut self.relay);
        self.is_passing()
    }

    /// Counts bytes that go on without being shown to the reader.
    pub fn skip(&mut self, bytes: usize) {
        self.exchange.count(bytes);
    }

    /// What the client gets instead of the next `chunk`.
    pub fn push(&mut self, chunk: &[u8], judge: &mut dyn Judge) -> Onward {
        self.relay.push(chunk, &mut Deciding { exchange: &mut self.exchange, judge })
    }

    /// What the client gets instead of the last `chunk`.
    pub fn last(&mut self, chunk: &[u8], judge: &mut dyn Judge) -> Onward {
        self.relay.last(chunk, &mut Deciding { exchange: &mut self.exchange, judge })
    }

    /// What the client gets after the last chunk.
    pub fn finish(&mut self, judge: &mut dyn Judge) -> Vec<u8> {
        self.relay.finish(&mut Deciding { exchange: &mut self.exchange, judge })
    }
}

/// Answers are not printed.
impl fmt::Debug for AnswerReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AnswerReader({:?}, {} bytes held, {:?})", self.relay.state(), self.held(), self.tally())
    }
}

#[cfg(test)]
mod tests;
