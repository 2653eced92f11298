//! What comes back from a server: read as it comes, and shown to the caller as far as the rules allow.

use crate::config::{Gate, Server};
use crate::decision::{Context, Question};
use crate::exchange::{Asked, Exchange, Transport};
use crate::tasks;
use crate::tools::{Findings, Listing, Objection, Results, Tool, results};
use std::rc::Rc;
use tollgate_host::headers::Headers;
use tollgate_identity::Token;
use tollgate_kernel::caller::Caller;
use tollgate_kernel::json::{Limits, Value};
use tollgate_kernel::json_rpc::{self, Id, Recipient};
use tollgate_kernel::mcp::answer::{
    AnswerReader, Awaited, Editor, Entry, Expected, Form, List, Onward, Purpose, Shown, Tally, Verdict as Fate,
};
use tollgate_kernel::mcp::event_id::Sealer;
use tollgate_kernel::mcp::session::Owner;
use tollgate_kernel::mcp::task::Begun;
use tollgate_kernel::mcp::{Method, Named, Refused, Revision};
use tollgate_kernel::redact::{Redactor, Where};
use tollgate_kernel::rule::{Annotations, Arguments, Object, Verdict};

/// How much of an answer is held that is only watched: most results are smaller.
const WATCHED_BYTES: usize = 64 << 10;
/// Keys and values of an answer that is read.
const NODES: usize = 1 << 20;

/// An answer that is being read.
#[derive(Debug)]
pub struct Answer {
    reader: AnswerReader,
    review: Review,
    /// Seals the ids of a session's events.
    sealer: Option<Sealer>,
    form: Form,
    decides: bool,
    /// How long a message is that is no stream, if that is told.
    size: Option<usize>,
}

/// Who decides what of an answer the caller is shown.
#[derive(Debug)]
struct Review {
    gate: Rc<Gate>,
    server: Rc<Server>,
    caller: Rc<Caller>,
    token: Option<Rc<Token>>,
    /// The answer may begin a task.
    may_begin: bool,
    now_ms: u64,
    /// What is learned of tools, where lists of them may come.
    listing: Option<Listing>,
    /// What the result must be, and what was asked for.
    results: Option<(Results, Asked)>,
    /// Why the caller is shown something else instead.
    replaced: Option<&'static str>,
}

/// Why an answer cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unreadable {
    /// It is compressed, though nobody has asked for that.
    Encoded,
    /// It is neither JSON nor a stream of events.
    ContentType,
    /// The same of an answer that says that the request has failed: what it says instead must be redacted.
    Failure,
}

impl Unreadable {
    /// The stable reason code.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Encoded => "answer_encoded",
            Self::ContentType | Self::Failure => "answer_content_type",
        }
    }
}

impl Answer {
    /// The answer to `exchange` that begins with these headers; `None`: nothing in it is read.
    ///
    /// # Errors
    /// When it must be read, and cannot be.
    pub fn begin(
        gate: &Rc<Gate>,
        exchange: &Exchange,
        headers: &Headers,
        now_ms: u64,
    ) -> Result<Option<Self>, Unreadable> {
        let Some((server, caller)) = exchange.server.as_ref().zip(exchange.caller.as_ref()) else { return Ok(None) };
        let redacts = gate.redactor(Where::Results).is_some();
        let Some(expected) = expected(exchange, redacts) else { return Ok(None) };
        let decides = expected.purpose != Purpose::Watch;
        let encoded = headers.all("content-encoding").any(|value| !value.eq_ignore_ascii_case(b"identity"));
        let form = match () {
            () if headers.is_media_type("application/json") => Some(Form::Json),
            () if headers.is_media_type("text/event-stream") => Some(Form::EventStream),
            () => None,
        };
        let form = match form {
            _ if encoded && decides => return Err(Unreadable::Encoded),
            Some(form) if !encoded => form,
            None if decides && is_success(headers) => return Err(Unreadable::ContentType),
            None if redacts && is_failure(headers) => return Err(Unreadable::Failure),
            _ => return Ok(None),
        };
        let bytes = if decides { gate.bounds.answer_bytes } else { WATCHED_BYTES };
        // What a stream goes on with may be the answer to any request of the session.
        let may_begin = exchange.may_begin_task || exchange.transport == Some(Transport::Listen);
        let lists_tools = matches!(expected.purpose, Purpose::Filter(List::Tools) | Purpose::FilterAny);
        let review = Review {
            gate: Rc::clone(gate),
            server: Rc::clone(server),
            caller: Rc::clone(caller),
            token: exchange.token.clone(),
            may_begin,
            now_ms,
            listing: lists_tools.then(|| Listing::of(server)),
            results: exchange.results.clone().zip(exchange.asked.clone()),
            replaced: None,
        };
        let mut reader = AnswerReader::new(form, expected, Limits { bytes, nodes: NODES });
        let size = headers.text("content-length").filter(|_| form == Form::Json).and_then(|size| size.parse().ok());
        reader.lets_pass(size.unwrap_or_default());
        let session = exchange.session.as_ref().filter(|_| form == Form::EventStream);
        let sealer = session.map(|session| {
            Sealer::new(session.event_ids(&Owner { server: server.name.as_str(), subject: &caller.subject }))
        });
        Ok(Some(Self { reader, review, sealer, form, decides, size }))
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
        !self.reader.lets_pass(size) || self.sealer.is_some()
    }

    /// Whether it ended with an error in its place. What still comes is of no use, and may never end.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        self.reader.is_closed() && self.tally().fault.is_some()
    }

    /// What the client gets instead of the next bytes; `None`: those.
    pub fn push(&mut self, data: &[u8], end: bool) -> Option<Vec<u8>> {
        let with = self.read(data, end);
        let Some(sealer) = &mut self.sealer else { return with };
        let sealed = sealer.push(&self.review.gate.signing, with.as_deref().unwrap_or(data)).or(with);
        if !end {
            return sealed;
        }
        let mut last = sealed.unwrap_or_else(|| data.to_vec());
        last.extend(sealer.finish());
        (last != data).then_some(last)
    }

    /// The same, with the ids of events as the server has them.
    fn read(&mut self, data: &[u8], end: bool) -> Option<Vec<u8>> {
        // Envoy tells of the end later than of the last bytes.
        let is_last = end || self.size == Some(data.len());
        let Self { reader, review, .. } = self;
        let onward = if is_last { reader.last(data, review) } else { reader.push(data, review) };
        if let Some(listing) = &mut self.review.listing {
            listing.end();
        }
        match onward {
            Onward::Unchanged => None,
            Onward::Bytes(bytes) => Some(bytes),
        }
    }

    /// What was found of tools.
    #[must_use]
    pub fn findings(&self) -> Option<&Findings> {
        self.review.listing.as_ref().map(Listing::findings)
    }

    /// Why the caller got something else instead of the result.
    #[must_use]
    pub const fn replaced(&self) -> Option<&'static str> {
        self.review.replaced
    }

    /// What came of it.
    #[must_use]
    pub const fn tally(&self) -> &Tally {
        self.reader.tally()
    }
}

/// What an exchange expects; `None` where nothing is expected. Where answers are redacted all are read, of whatever was asked.
fn expected(exchange: &Exchange, redacts: bool) -> Option<Expected> {
    match exchange.transport? {
        Transport::End => None,
        Transport::Listen => {
            let purpose = Purpose::FilterAny;
            Some(Expected { awaited: Awaited::Resumed, purpose, revision: Revision::November2025 })
        }
        Transport::Post => {
            let Asked { revision, id, method, .. } = exchange.asked.as_ref()?;
            let list = match method {
                Some(Named::Known(method)) => List::of_method(*method),
                _ => None,
            };
            let decides = exchange.results.is_some() || exchange.may_begin_task || (redacts && id.is_some());
            let other = if decides { Purpose::Inspect } else { Purpose::Watch };
            let purpose = list.map_or(other, Purpose::Filter);
            let awaited = id.clone().map_or(Awaited::Nothing, Awaited::Response);
            Some(Expected { awaited, purpose, revision: *revision })
        }
    }
}

fn is_success(headers: &Headers) -> bool {
    headers.one(":status").is_some_and(|status| status.starts_with(b"2") && status != b"202")
}

fn is_failure(headers: &Headers) -> bool {
    headers.one(":status").is_some_and(|status| status.starts_with(b"4") || status.starts_with(b"5"))
}

impl Review {
    /// Whose a task is that begins.
    fn note(&mut self, id: &Id<'_>, begun: &Begun<'_>) -> Fate {
        let owner = Owner { server: self.server.name.as_str(), subject: &self.caller.subject };
        match tasks::note(&owner, begun, self.now_ms.div_euclid(1000)) {
            Ok(()) => Fate::Pass,
            Err(fault) => {
                self.replaced = Some(fault.name());
                let text = format!("the task was not begun: {}", fault.name());
                Fate::Replace(json_rpc::error(Recipient::Of(id), Refused::Limited.code(), &text, None))
            }
        }
    }
}

impl Editor for Review {
    fn result(&mut self, id: &Id<'_>, result: Value<'_, '_>) -> Fate {
        if let Some(begun) = Begun::of_result(result).filter(|_| self.may_begin) {
            return self.note(id, &begun);
        }
        if let Some(listing) = &mut self.listing {
            listing.begin(result, &self.gate.servers);
        }
        let redactor = self.gate.redactor(Where::Results);
        let instead = self.results.as_ref().and_then(|(results, asked)| results.instead(result, asked, redactor));
        match instead {
            Some(message) => {
                self.replaced = Some(results::INVALID);
                Fate::Replace(message)
            }
            None => Fate::Pass,
        }
    }

    fn redactor(&self) -> Option<&Redactor> {
        self.gate.redactor(Where::Results)
    }

    fn entry(&mut self, entry: &Entry<'_, '_>) -> Shown {
        let server = Rc::clone(&self.server);
        let named = server.qualified(&entry.name);
        let listed = self.see(entry, named.as_ref().map(|found| found.name.as_str()));
        let (scopes, now_ms) = (self.token.as_deref().map_or(&[][..], |token| &token.scopes), self.now_ms);
        let context =
            Context { gate: &self.gate, server: &self.server, caller: &self.caller, scopes, noted: &[], now_ms };
        let ask = |method, object, server| {
            let arguments = Arguments::Any;
            let (verdict, decided, _) =
                context.ask(&Question { method: &Named::Known(method), object, server, arguments });
            // A client gets more scopes when a call is refused for them, and nobody calls what is not listed.
            let may_ask = decided.lacks.is_some() && self.server.oauth.is_some();
            verdict != Verdict::Deny || may_ask
        };
        let is_shown = match (entry.list, &named) {
            (List::Resources | List::Templates, _) => {
                ask(Method::ResourcesRead, Object::Resource(&entry.name), server.of_resource(&entry.name))
            }
            _ if !self.server.config.names_with.allow(&entry.name) => return Shown::No,
            (List::Tools, Some(found)) => {
                let Some(Ok(tool)) = listed else { return Shown::No };
                let annotations = tool.map_or_else(Annotations::default, |tool| tool.annotations(&self.server));
                ask(Method::ToolsCall, Object::Tool(&found.name, annotations), found.server)
            }
            (List::Prompts, Some(found)) => ask(Method::PromptsGet, Object::Prompt(&found.name), found.server),
            (_, None) => return Shown::No,
        };
        if is_shown { Shown::Yes } else { Shown::No }
    }
}

impl Review {
    /// Sees a tool, if it is one that rules can name; whether it may be shown.
    fn see(&mut self, entry: &Entry<'_, '_>, name: Option<&str>) -> Option<Result<Option<Rc<Tool>>, Objection>> {
        let name = name.filter(|_| entry.list == List::Tools && self.server.config.names_with.allow(&entry.name))?;
        self.listing.as_mut().map(|listing| listing.see(entry.value, &entry.name, name))
    }
}
