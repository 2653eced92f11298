//! What is decided on each message of an answer.

use super::list::{filter, lists, member};
use super::{Awaited, Editor, Expected, Fault, List, Outcome, Purpose, Saying, Shown, Tally, Verdict};
use crate::framing::Event;
use crate::json::{Document, Edits, Limits, Value};
use crate::json_rpc::{self, Id, Message};
use crate::redact::Redactor;
use crate::relay::{Fate, Messages};
use std::ops::Range;

const CACHE_SCOPE: &str = "cacheScope";
/// What a client hands back as it came. Who changes it breaks what it belongs to, and no model reads it.
const HANDLES: [&str; 5] = ["nextCursor", "requestState", "taskId", "progressToken", "elicitationId"];

pub(super) struct Exchange {
    expected: Expected,
    pub(super) limits: Limits,
    /// The awaited response has come.
    is_answered: bool,
    pub(super) tally: Tally,
}

/// An exchange, and who decides on it.
pub(super) struct Deciding<'r> {
    pub(super) exchange: &'r mut Exchange,
    pub(super) editor: &'r mut dyn Editor,
}

impl Messages for Deciding<'_> {
    type Fault = Fault;

    fn max_bytes(&self) -> usize {
        self.exchange.limits.bytes
    }

    fn only_watches(&self) -> bool {
        self.exchange.only_watches()
    }

    fn count(&mut self, bytes: usize) {
        self.exchange.count(bytes);
    }

    fn unread(&mut self) {
        self.exchange.unread();
    }

    fn body(&mut self, body: &[u8]) -> Result<Fate, Fault> {
        self.exchange.body(body, self.editor)
    }

    fn event(&mut self, event: &Event<'_>) -> Result<Fate, Fault> {
        self.exchange.event(event, self.editor)
    }

    fn fail(&mut self, fault: Fault) -> Option<Vec<u8>> {
        self.exchange.fail(fault, self.editor)
    }
}

impl Exchange {
    pub(super) fn new(expected: Expected, limits: Limits) -> Self {
        Self { expected, limits, is_answered: false, tally: Tally::default() }
    }

    pub(super) fn only_watches(&self) -> bool {
        self.expected.purpose == Purpose::Watch
    }

    pub(super) fn count(&mut self, bytes: usize) {
        self.tally.bytes = self.tally.bytes.saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
    }

    /// Something went on unread.
    pub(super) fn unread(&mut self) {
        if self.tally.outcome == Outcome::None {
            self.tally.outcome = Outcome::Unread;
        }
    }

    /// The message that a fault is told with, if somebody still waits for one.
    fn fail(&mut self, fault: Fault, editor: &mut dyn Editor) -> Option<Vec<u8>> {
        self.tally.fault = Some(fault);
        match &self.expected.awaited {
            Awaited::Response(id) if !self.is_answered => Some(editor.fault(fault, id)),
            _ => None,
        }
    }

    /// The one message of an answer that is no stream.
    fn body(&mut self, body: &[u8], editor: &mut dyn Editor) -> Result<Fate, Fault> {
        if body.is_empty() && !matches!(self.expected.awaited, Awaited::Response(_)) {
            return Ok(Fate::AsItIs);
        }
        let is_watched = self.only_watches();
        match self.message(body, editor) {
            // To one request comes one response. Clients that take several, or that to another of their requests, would be shown
            // lists that nobody has looked at.
            Err(fault @ Fault::Message(json_rpc::Reason::Batch)) => Err(fault),
            Ok(Fate::Dropped) => Err(Fault::NotTheResponse),
            Err(_) if is_watched => {
                self.unread();
                Ok(Fate::AsItIs)
            }
            Ok(_) if self.tally.outcome == Outcome::None => {
                if is_watched {
                    Ok(Fate::AsItIs)
                } else {
                    Err(Fault::NotTheResponse)
                }
            }
            fate => fate,
        }
    }

    /// What an event carries. Clients read as messages what is called `message` or nothing; what else is one is treated as one.
    fn event(&mut self, event: &Event<'_>, editor: &mut dyn Editor) -> Result<Fate, Fault> {
        if event.data.is_empty() {
            return Ok(Fate::AsItIs);
        }
        match self.message(event.data, editor) {
            // Whoever follows it posts to another address.
            Err(Fault::Message(_)) if event.name == b"endpoint" => Err(Fault::OldTransport),
            Err(Fault::Message(_)) if !matches!(event.name, b"" | b"message") => Ok(Fate::AsItIs),
            Err(_) if self.only_watches() => {
                self.unread();
                Ok(Fate::AsItIs)
            }
            fate => fate,
        }
    }

    fn message(&mut self, text: &[u8], editor: &mut dyn Editor) -> Result<Fate, Fault> {
        let document = Document::read(text, self.limits).map_err(json_rpc::Fault::from)?;
        let document = &document;
        match Message::of(document)? {
            Message::Request { method, params, .. } => {
                self.tally.requests = self.tally.requests.saturating_add(1);
                Ok(self.saying(document, Saying { is_request: true, method: &method, params }, editor))
            }
            Message::Notification { method, params } => {
                self.tally.notifications = self.tally.notifications.saturating_add(1);
                Ok(self.saying(document, Saying { is_request: false, method: &method, params }, editor))
            }
            Message::Result { id, .. } | Message::Error { id: Some(id), .. } if !self.awaits(&id) => Ok(self.dropped()),
            Message::Result { id, result } => self.result(document, &id, result, editor),
            Message::Error { error, id } => {
                // To what cannot be read a server answers without its id; the client may still wait for another.
                self.is_answered |= id.is_some();
                self.tally.outcome = Outcome::of_error(error);
                Ok(self.edited(document, Edits::default(), error, editor))
            }
        }
    }

    fn saying(&mut self, document: &Document<'_>, saying: Saying<'_, '_, '_>, editor: &mut dyn Editor) -> Fate {
        match (editor.saying(saying), saying.params) {
            (Shown::No, _) => self.dropped(),
            (Shown::Yes, Some(params)) => self.edited(document, Edits::default(), params, editor),
            (Shown::Yes, None) => Fate::AsItIs,
        }
    }

    fn result<'a>(
        &mut self,
        document: &Document<'a>,
        id: &Id<'_>,
        result: Value<'_, 'a>,
        editor: &mut dyn Editor,
    ) -> Result<Fate, Fault> {
        self.tally.outcome = Outcome::of_result(result);
        if let Verdict::Replace(message) = editor.result(id, result) {
            self.is_answered = true;
            return Ok(Fate::Changed(message));
        }
        let mut edits = Edits::default();
        match self.expected.purpose {
            Purpose::Watch | Purpose::Inspect => {}
            Purpose::Filter(list) => self.filter(list, result, editor, &mut edits)?,
            Purpose::FilterAny => lists(result).try_for_each(|list| self.filter(list, result, editor, &mut edits))?,
        }
        self.is_answered = true;
        Ok(self.edited(document, edits, result, editor))
    }

    /// Leaves out of a list what the client is not shown. Others may be shown more or less, so no cache may keep it for them.
    fn filter(
        &mut self,
        list: List,
        result: Value<'_, '_>,
        editor: &mut dyn Editor,
        edits: &mut Edits,
    ) -> Result<(), Fault> {
        filter(list, result, editor, edits, &mut self.tally)?;
        match member(result, CACHE_SCOPE)? {
            Some(scope) if scope.as_str().as_deref() == Some("private") => {}
            Some(scope) => edits.replace(scope.range(), "\"private\"".to_owned()),
            None if self.expected.revision.is_stateless() => {
                let end = result.range().end.saturating_sub(1);
                edits.replace(end..end, format!(",\"{CACHE_SCOPE}\":\"private\""));
            }
            None => {}
        }
        Ok(())
    }

    fn edited(
        &mut self,
        document: &Document<'_>,
        mut edits: Edits,
        value: Value<'_, '_>,
        editor: &mut dyn Editor,
    ) -> Fate {
        if let Some(redactor) = editor.redactor() {
            redact(value, redactor, &mut edits);
        }
        let Some((text, redacted)) = edits.apply(document) else { return Fate::AsItIs };
        self.tally.redacted = self.tally.redacted.saturating_add(u32::try_from(redacted).unwrap_or(u32::MAX));
        Fate::Changed(text)
    }

    fn awaits(&self, id: &Id<'_>) -> bool {
        match &self.expected.awaited {
            Awaited::Nothing => false,
            Awaited::Response(awaited) => !self.is_answered && awaited.is(id),
            Awaited::Resumed => true,
        }
    }

    fn dropped(&mut self) -> Fate {
        self.tally.dropped = self.tally.dropped.saturating_add(1);
        Fate::Dropped
    }
}

/// Redacts all of `value`, which is a result, an error or parameters, but its handles.
fn redact(value: Value<'_, '_>, redactor: &Redactor, edits: &mut Edits) {
    let task = value.get("task");
    let handle = |name: &&str| value.get(name).or_else(|| task?.get(name)).map(Value::range);
    let handles: Vec<Range<usize>> = HANDLES.iter().filter_map(handle).collect();
    redactor.edits(value, &mut |at, text| {
        if !handles.contains(&at) {
            edits.redact(at, text);
        }
    });
}
