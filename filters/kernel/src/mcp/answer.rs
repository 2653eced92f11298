//! What a server answers, read as it comes and passed on: JSON, or server-sent events.
//!
//! An [`AnswerReader`] is fed the chunks of one answer and says what the client gets instead of each. A message is held until
//! it is whole, then read strictly, shown to an [`Editor`] and passed on: byte for byte as it came, unless the editor wants it
//! otherwise. Comments, `id`, `retry`, line ends and white space stay as they are; of an event that is changed, all but its
//! data. What comes out does not depend on how the answer is cut.
//!
//! What cannot be read cannot be decided upon. Then it depends on the [`Purpose`]: an answer that is only watched goes on
//! unread; any other ends with an error in its place ([`Tally::fault`] says why), and nothing follows it. The same goes for
//! what is larger than [`Limits::bytes`]: an answer that is watched is passed on from there as it comes, holds nothing any
//! more and is not looked at ([`AnswerReader::is_passing`]), so that a large result costs next to nothing (bench/JSON.md). What
//! came of the request is then not known, and what the rest of a stream says is between server and client, a response to
//! another request included.
//!
//! An event that the end of the stream cuts off is not passed on. A second response to one request is not, nor is a response
//! to a request that was not sent: readers disagree on which counts.

mod exchange;
mod fault;
mod list;
mod tally;

pub use fault::{BAD_ANSWER, Fault};
pub use list::{Entry, List};
pub use tally::{Outcome, Tally};

pub use crate::relay::{Form, Onward};

use super::Revision;
use crate::json::{Limits, Value};
use crate::json_rpc::{self, Id, Recipient};
use crate::redact::Redactor;
use crate::relay::{Relay, State};
use exchange::{Deciding, Exchange};
use std::fmt;

/// To which requests an answer may have responses.
#[derive(Debug, Clone)]
pub enum Awaited {
    /// To none: a stream that the client listens to, the answer to a notification.
    Nothing,
    /// To the request with this id, one.
    Response(Id<'static>),
    /// To any: a stream that goes on where another broke off.
    Resumed,
}

/// Why an answer is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To know what came of the request, if that is easily known.
    Watch,
    /// To decide on what it says.
    Inspect,
    /// The same, and to show of this list what the caller may see.
    Filter(List),
    /// The same of whatever lists come.
    FilterAny,
}

/// What is expected of an answer.
#[derive(Debug, Clone)]
pub struct Expected {
    /// To which requests it may have responses.
    pub awaited: Awaited,
    /// Why it is read.
    pub purpose: Purpose,
    /// In which revision it is written.
    pub revision: Revision,
}

/// Whether the client is shown something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// As it is.
    Yes,
    /// Not at all.
    No,
}

/// What comes of a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The client gets it.
    Pass,
    /// The client gets this message instead, which is JSON.
    Replace(Vec<u8>),
}

/// What a server asks or says by itself.
#[derive(Debug, Clone, Copy)]
pub struct Saying<'s, 'd, 'a> {
    /// A request: the client will answer it.
    pub is_request: bool,
    /// Its method.
    pub method: &'s str,
    /// An object.
    pub params: Option<Value<'d, 'a>>,
}

/// Who decides on what an answer says. Everything it is shown was read strictly.
pub trait Editor {
    /// Whether the client is shown an entry of a list. Asked where lists are filtered.
    fn entry(&mut self, entry: &Entry<'_, '_>) -> Shown {
        let _ = entry;
        Shown::Yes
    }

    /// What comes of the result of the request `id`, as the server has sent it. Asked before [`Editor::entry`] is.
    fn result(&mut self, id: &Id<'_>, result: Value<'_, '_>) -> Verdict {
        let _ = (id, result);
        Verdict::Pass
    }

    /// Whether the client is shown what the server asks or says by itself.
    fn saying(&mut self, saying: Saying<'_, '_, '_>) -> Shown {
        let _ = saying;
        Shown::Yes
    }

    /// What redacts results, errors and parameters. What a client must hand back as it came (cursors, states, ids of tasks) stays.
    fn redactor(&self) -> Option<&Redactor> {
        None
    }

    /// The message that ends an answer which cannot be passed on. `id` is that of the request.
    fn fault(&mut self, fault: Fault, id: &Id<'_>) -> Vec<u8> {
        json_rpc::error(Recipient::Of(id), BAD_ANSWER, &fault.to_string(), None)
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
        self.relay.state() == State::Passing
    }

    /// Whether nothing more goes on: the answer is over, or had a fault and its client was told.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.relay.state() == State::Closed
    }

    /// Bytes held.
    #[must_use]
    pub fn held(&self) -> usize {
        self.relay.held()
    }

    /// Whether the next `size` bytes of the answer, which come at once or are all of it, go on without being shown to the reader.
    pub fn lets_pass(&mut self, size: usize) -> bool {
        let is_large = size > self.exchange.limits.bytes && self.exchange.only_watches();
        if is_large && self.relay.lets_pass() {
            self.exchange.unread();
        }
        self.is_passing()
    }

    /// Counts bytes that go on without being shown to the reader.
    pub fn skip(&mut self, bytes: usize) {
        self.exchange.count(bytes);
    }

    /// What the client gets instead of the next `chunk`.
    pub fn push(&mut self, chunk: &[u8], editor: &mut dyn Editor) -> Onward {
        self.relay.push(chunk, &mut Deciding { exchange: &mut self.exchange, editor })
    }

    /// What the client gets instead of the last `chunk`.
    pub fn last(&mut self, chunk: &[u8], editor: &mut dyn Editor) -> Onward {
        self.relay.last(chunk, &mut Deciding { exchange: &mut self.exchange, editor })
    }

    /// What the client gets after the last chunk.
    pub fn finish(&mut self, editor: &mut dyn Editor) -> Vec<u8> {
        self.relay.finish(&mut Deciding { exchange: &mut self.exchange, editor })
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
