//! What comes back from an agent: read as it comes, and passed on.

use crate::config::Gate;
use crate::conversation::Notes;
use crate::exchange::Exchange;
use crate::refusal::Refusal;
use std::rc::Rc;
use tollgate_host::headers::Headers;
use tollgate_kernel::a2a::Binding;
use tollgate_kernel::a2a::answer::{AnswerReader, Expected, Form, Onward, Purpose, Tally};
use tollgate_kernel::a2a::conversation::{self, Guard};
use tollgate_kernel::json::Limits;

/// How much of an answer is held that is only watched: most are smaller.
const WATCHED_BYTES: usize = 64 << 10;
/// Keys and values of an answer that is read.
const NODES: usize = 1 << 20;

/// An answer that is being read.
#[derive(Debug)]
pub struct Answer {
    gate: Rc<Gate>,
    reader: AnswerReader,
    guard: Guard,
    form: Form,
    decides: bool,
    /// How long a message is that is no stream, if that is told.
    size: Option<usize>,
}

/// Why an answer cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unreadable {
    /// It is compressed, though nobody has asked for that.
    Encoded,
    /// It is neither JSON nor a stream of events.
    ContentType,
}

impl Unreadable {
    /// The stable reason code.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Encoded => "answer_encoded",
            Self::ContentType => "answer_content_type",
        }
    }
}

impl Answer {
    /// The answer to `exchange` that begins with these headers, and ends with them if `end`; `None`: nothing in it is read.
    ///
    /// # Errors
    /// When it must be read, and cannot be.
    pub fn begin(
        gate: &Rc<Gate>,
        exchange: &mut Exchange,
        headers: &Headers,
        status: u16,
        end: bool,
    ) -> Result<Option<Self>, Refusal> {
        if (300..400).contains(&status) {
            // Who follows it is no longer at the gateway, with all that it sends.
            let hides = exchange.guard.as_ref().is_some_and(Guard::hides);
            let not_there = Refusal::Conversation(conversation::Refusal::NotThere);
            return Err(if hides { not_there } else { Refusal::Answer("answer_redirect") });
        }
        let Some((expected, guard)) = expected(exchange, status).zip(exchange.guard.take()) else { return Ok(None) };
        let decides = expected.purpose != Purpose::Watch;
        let form = form(headers);
        let form = match form {
            Ok(form) if !end && (form == Form::Json || !guard.hides()) => form,
            _ if guard.hides() => return Err(Refusal::Conversation(conversation::Refusal::NotThere)),
            // Such errors tell nothing of a task.
            Err(unreadable) if decides && !end && status < 400 => return Err(Refusal::Answer(unreadable.reason())),
            _ => return Ok(None),
        };
        let bytes = if decides { gate.bounds.answer_bytes } else { WATCHED_BYTES };
        let mut reader = AnswerReader::new(form, expected, Limits { bytes, nodes: NODES });
        let size = headers.text("content-length").filter(|_| form == Form::Json).and_then(|size| size.parse().ok());
        reader.lets_pass(size.unwrap_or_default());
        Ok(Some(Self { gate: Rc::clone(gate), reader, guard, form, decides, size }))
    }

    /// Whether it must wait: what is decided of a whole message may change its length. What has a fault waits for nothing.
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.decides && self.form == Form::Json && !self.reader.is_closed()
    }

    /// Whether its length may change. Also of what is only watched: a second response and an event that is cut off are not passed
    /// on, and a length that lies makes a client take what comes next on the connection for the rest of this answer.
    #[must_use]
    pub fn may_change(&self) -> bool {
        !self.reader.is_passing()
    }

    /// Whether the next `size` bytes of it are read.
    pub fn reads(&mut self, size: usize) -> bool {
        !self.reader.lets_pass(size)
    }

    /// Whether it ended with an error in its place. What still comes is of no use, and may never end.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        self.reader.is_closed() && self.reader.tally().fault.is_some()
    }

    /// What the client gets instead of the next bytes; `None`: those.
    pub fn push(&mut self, data: &[u8], end: bool) -> Option<Vec<u8>> {
        // Envoy tells of the end later than of the last bytes.
        let is_last = end || self.size == Some(data.len());
        let Self { reader, guard, gate, .. } = self;
        let mut notes = Notes::now();
        let judge = &mut guard.judge(&gate.signing, &mut notes);
        match if is_last { reader.last(data, judge) } else { reader.push(data, judge) } {
            Onward::Unchanged => None,
            Onward::Bytes(bytes) => Some(bytes),
        }
    }

    /// Why the caller may not have it.
    #[must_use]
    pub const fn refusal(&self) -> Option<conversation::Refusal> {
        self.guard.refusal()
    }

    /// What came of it.
    #[must_use]
    pub fn into_tally(self) -> Tally {
        self.reader.tally().clone()
    }
}

/// In what form an answer comes that has these headers.
fn form(headers: &Headers) -> Result<Form, Unreadable> {
    let is = |media| headers.is_media_type(media);
    if headers.all("content-encoding").any(|value| !value.eq_ignore_ascii_case(b"identity")) {
        Err(Unreadable::Encoded)
    } else if is("application/json") || is("application/a2a+json") {
        Ok(Form::Json)
    } else if is("text/event-stream") {
        Ok(Form::EventStream)
    } else {
        Err(Unreadable::ContentType)
    }
}

/// What an exchange expects; `None` where nothing is read.
fn expected(exchange: &Exchange, status: u16) -> Option<Expected> {
    let (asked, dialect) = exchange.asked.as_ref().zip(exchange.dialect)?;
    asked.said.as_ref()?;
    let is_error = dialect.binding == Binding::HttpJson && status >= 400;
    let judges = exchange.guard.as_ref().is_some_and(Guard::judges);
    let purpose = if judges { Purpose::Inspect } else { Purpose::Watch };
    Some(Expected { dialect, id: asked.id.clone(), operation: asked.operation(), is_error, purpose })
}
