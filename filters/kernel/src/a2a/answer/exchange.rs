//! What is decided on each message of an answer.

use super::{Expected, Fault, Judge, Outcome, Purpose, Seen, Shown, Tally, Verdict};
use crate::a2a::{Binding, Error, Operation, member};
use crate::framing::Event;
use crate::json::{Document, Edits, Kind, Limits, Value};
use crate::json_rpc::{self, Message};
use crate::relay::{Fate, Messages, Relay};

pub(super) struct Exchange {
    pub(super) expected: Expected,
    limits: Limits,
    pub(super) tally: Tally,
    /// What the client is told instead.
    refusal: Option<Vec<u8>>,
}

/// An exchange, and who decides on it.
pub(super) struct Deciding<'r> {
    pub(super) exchange: &'r mut Exchange,
    pub(super) judge: &'r mut dyn Judge,
}

impl Exchange {
    pub(super) fn new(expected: Expected, limits: Limits) -> Self {
        Self { expected, limits, tally: Tally::default(), refusal: None }
    }

    pub(super) fn count(&mut self, bytes: usize) {
        self.tally.bytes = self.tally.bytes.saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
    }

    fn watches(&self) -> bool {
        self.expected.purpose == Purpose::Watch
    }

    fn unread(&mut self) {
        if self.tally.outcome == Outcome::None {
            self.tally.outcome = Outcome::Unread;
        }
    }

    /// Lets all of a large body go on unread, where it is only watched.
    pub(super) fn lets_pass(&mut self, size: usize, relay: &mut Relay) {
        if size > self.limits.bytes && self.watches() && relay.lets_pass() {
            self.unread();
        }
    }

    fn message(&mut self, text: &[u8], is_error: bool, judge: &mut dyn Judge) -> Result<Fate, Fault> {
        let document = Document::read(text, self.limits).map_err(json_rpc::Fault::from)?;
        let document = &document;
        if self.expected.dialect.binding != Binding::JsonRpc {
            return if is_error {
                self.error(http_code(document.root()), judge)
            } else {
                self.result(document, document.root(), judge)
            };
        }
        match (Message::of(document)?, &self.expected.id) {
            (Message::Result { id, result }, Some(awaited)) if awaited.is(&id) => self.result(document, result, judge),
            (Message::Error { id, error }, Some(awaited)) if id.as_ref().is_none_or(|id| awaited.is(id)) => {
                let code = error.get("code").and_then(Value::as_number);
                self.error(code.and_then(|code| code.parse().ok()), judge)
            }
            _ => Err(Fault::NotTheResponse),
        }
    }

    fn error(&mut self, code: Option<i32>, judge: &mut dyn Judge) -> Result<Fate, Fault> {
        self.tally.outcome = Outcome::Error(code);
        let verdict = if self.watches() { Verdict::Pass } else { judge.error(code) };
        self.judged(verdict)
    }

    fn result(&mut self, document: &Document<'_>, result: Value<'_, '_>, judge: &mut dyn Judge) -> Result<Fate, Fault> {
        let seen = match self.expected.operation {
            Some(Operation::SendMessage | Operation::SendStreamingMessage | Operation::SubscribeToTask) => {
                Seen::one_of(result, self.expected.dialect)?
            }
            Some(Operation::GetTask | Operation::CancelTask) => Seen::task(result)?,
            Some(Operation::ListTasks) => return self.list(document, result, judge),
            _ => {
                self.tally.outcome = Outcome::Result;
                return Ok(Fate::AsItIs);
            }
        };
        self.tally.add(&seen);
        let verdict = if self.watches() { Verdict::Pass } else { judge.seen(&seen) };
        self.judged(verdict)
    }

    /// Leaves out what the client is not shown, also of the number of tasks.
    fn list(&mut self, document: &Document<'_>, result: Value<'_, '_>, judge: &mut dyn Judge) -> Result<Fate, Fault> {
        let tasks = if result.kind() == Kind::Array { Some(result) } else { member::get(result, member::TASKS)? };
        let Some(tasks) = tasks.filter(|tasks| tasks.kind() == Kind::Array) else {
            // Readers of protocol buffers write no empty list.
            self.tally.outcome = Outcome::Tasks;
            return if result.is_object() && tasks.is_none() { Ok(Fate::AsItIs) } else { Err(Fault::Payload("tasks")) };
        };
        let mut items = Vec::new();
        for task in tasks.items() {
            let seen = Seen::task(task)?;
            self.tally.enter(seen.state);
            let is_hidden = !self.watches() && judge.listed(&seen) == Shown::No;
            let count = if is_hidden { &mut self.tally.hidden } else { &mut self.tally.shown };
            *count = count.saturating_add(1);
            items.push((task.range(), is_hidden));
        }
        self.tally.outcome = Outcome::Tasks;
        let mut edits = Edits::default();
        edits.leave_out(&items);
        if let (true, Some(total)) = (self.tally.hidden > 0, member::get(result, member::TOTAL_SIZE)?) {
            edits.replace(total.range(), self.tally.shown.to_string());
        }
        Ok(edits.apply(document).map_or(Fate::AsItIs, |(text, _)| Fate::Changed(text)))
    }

    fn judged(&mut self, verdict: Verdict) -> Result<Fate, Fault> {
        match verdict {
            Verdict::Pass => Ok(Fate::AsItIs),
            Verdict::Refuse(body) => {
                self.refusal = Some(body);
                Err(Fault::Refused)
            }
        }
    }

    /// What cannot be read is passed on where it is only watched.
    fn leniently(&mut self, fate: Result<Fate, Fault>) -> Result<Fate, Fault> {
        match fate {
            Err(_) if self.watches() => {
                self.unread();
                Ok(Fate::AsItIs)
            }
            fate => fate,
        }
    }
}

/// The code of an error over HTTP: that of its reason or name, or its status.
fn http_code(body: Value<'_, '_>) -> Option<i32> {
    let error = body.get("error").filter(|error| error.is_object()).unwrap_or(body);
    let details = error.get("details").into_iter().flat_map(Value::items);
    let mut names = details.map(|detail| detail.get("reason")).chain([error.get("type")]).flatten();
    let known = names.find_map(|name| Error::of_name(&name.as_str()?));
    let status = || error.get("code").and_then(Value::as_number).and_then(|code| code.parse().ok());
    known.map(Error::code).or_else(status)
}

impl Messages for Deciding<'_> {
    type Fault = Fault;

    fn max_bytes(&self) -> usize {
        self.exchange.limits.bytes
    }

    fn only_watches(&self) -> bool {
        self.exchange.watches()
    }

    fn count(&mut self, bytes: usize) {
        self.exchange.count(bytes);
    }

    fn unread(&mut self) {
        self.exchange.unread();
    }

    fn body(&mut self, body: &[u8]) -> Result<Fate, Fault> {
        let Self { exchange, judge } = self;
        let is_error = exchange.expected.is_error;
        if body.is_empty() && exchange.expected.dialect.binding == Binding::HttpJson && !is_error {
            let is_done = exchange.expected.operation == Some(Operation::DeletePushConfig);
            return exchange.leniently(if is_done { Ok(Fate::AsItIs) } else { Err(Fault::NotTheResponse) });
        }
        let fate = exchange.message(body, is_error, *judge);
        exchange.leniently(fate)
    }

    fn event(&mut self, event: &Event<'_>) -> Result<Fate, Fault> {
        if event.data.is_empty() {
            return Ok(Fate::AsItIs);
        }
        let Self { exchange, judge } = self;
        let fate = exchange.message(event.data, event.name == b"error", *judge);
        exchange.leniently(fate)
    }

    fn fail(&mut self, fault: Fault) -> Option<Vec<u8>> {
        let Self { exchange, judge } = self;
        exchange.tally.fault = Some(fault);
        let refusal = exchange.refusal.take();
        Some(refusal.unwrap_or_else(|| judge.fault(fault, &exchange.expected)))
    }

    fn frame(&self) -> &'static [u8] {
        match self.exchange.expected.dialect.binding {
            Binding::HttpJson => b"event: error\ndata\n\n",
            Binding::JsonRpc | Binding::Grpc => b"data\n\n",
        }
    }
}
