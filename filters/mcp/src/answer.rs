//! What comes back from a server: read as it comes, and shown to the caller as far as the rules allow.

use crate::config::{Gate, Server};
use crate::decision::{Context, Question};
use crate::exchange::{Asked, Exchange, Transport};
use std::rc::Rc;
use tollgate_host::headers::Headers;
use tollgate_identity::Token;
use tollgate_kernel::caller::Caller;
use tollgate_kernel::json::Limits;
use tollgate_kernel::mcp::answer::{
    AnswerReader, Awaited, Editor, Entry, Expected, Form, List, Onward, Purpose, Shown, Tally,
};
use tollgate_kernel::mcp::{Method, Named, Revision};
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
    form: Form,
    decides: bool,
}

/// Who decides what of an answer the caller is shown.
#[derive(Debug)]
struct Review {
    gate: Rc<Gate>,
    server: Rc<Server>,
    caller: Rc<Caller>,
    token: Option<Rc<Token>>,
    now_ms: u64,
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
        let Some(expected) = expected(exchange) else { return Ok(None) };
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
            _ => return Ok(None),
        };
        let bytes = if decides { gate.bounds.answer_bytes } else { WATCHED_BYTES };
        let (server, caller, token) = (Rc::clone(server), Rc::clone(caller), exchange.token.clone());
        let review = Review { gate: Rc::clone(gate), server, caller, token, now_ms };
        let reader = AnswerReader::new(form, expected, Limits { bytes, nodes: NODES });
        Ok(Some(Self { reader, review, form, decides }))
    }

    /// Whether its headers must wait: what is decided of a whole message may change its length.
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.decides && self.form == Form::Json
    }

    /// Whether its length may change.
    #[must_use]
    pub const fn may_change(&self) -> bool {
        self.decides
    }

    /// Whether more of it is read.
    #[must_use]
    pub fn is_read(&self) -> bool {
        !self.reader.is_passing()
    }

    /// What the client gets instead of the next bytes; `None`: those.
    pub fn push(&mut self, data: &[u8], end: bool) -> Option<Vec<u8>> {
        let onward = self.reader.push(data, &mut self.review);
        let rest = if end { self.reader.finish(&mut self.review) } else { Vec::new() };
        match onward {
            Onward::Unchanged if rest.is_empty() => None,
            Onward::Unchanged => Some([data, &rest].concat()),
            Onward::Bytes(mut bytes) => {
                bytes.extend_from_slice(&rest);
                Some(bytes)
            }
        }
    }

    /// What came of it.
    #[must_use]
    pub const fn tally(&self) -> &Tally {
        self.reader.tally()
    }
}

/// What an exchange expects; `None` where nothing is expected.
fn expected(exchange: &Exchange) -> Option<Expected> {
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
            let purpose = list.map_or(Purpose::Watch, Purpose::Filter);
            let awaited = id.clone().map_or(Awaited::Nothing, Awaited::Response);
            Some(Expected { awaited, purpose, revision: *revision })
        }
    }
}

fn is_success(headers: &Headers) -> bool {
    headers.one(":status").is_some_and(|status| status.starts_with(b"20") && status != b"202")
}

impl Editor for Review {
    fn entry(&mut self, entry: &Entry<'_, '_>) -> Shown {
        let (scopes, now_ms) = (self.token.as_deref().map_or(&[][..], |token| &token.scopes), self.now_ms);
        let context = Context { gate: &self.gate, server: &self.server, caller: &self.caller, scopes, now_ms };
        let own = self.server.name.as_str();
        let ask = |method, object, server| {
            let arguments = Arguments::Any;
            let (verdict, decided, _) =
                context.ask(&Question { method: &Named::Known(method), object, server, arguments });
            // A client gets more scopes when a call is refused for them, and nobody calls what is not listed.
            let may_ask = decided.lacks.is_some() && self.server.oauth.is_some();
            verdict != Verdict::Deny || may_ask
        };
        let named = self.server.qualified(&entry.name);
        let is_shown = match (entry.list, &named) {
            (List::Resources | List::Templates, _) => ask(Method::ResourcesRead, Object::Resource(&entry.name), own),
            _ if !self.server.config.names_with.allow(&entry.name) => return Shown::No,
            (List::Tools, Some(found)) => {
                let annotations = annotations(&self.server, entry);
                ask(Method::ToolsCall, Object::Tool(&found.name, annotations), found.server)
            }
            (List::Prompts, Some(found)) => ask(Method::PromptsGet, Object::Prompt(&found.name), found.server),
            (_, None) => return Shown::No,
        };
        if is_shown { Shown::Yes } else { Shown::No }
    }
}

fn annotations(server: &Server, entry: &Entry<'_, '_>) -> Annotations {
    let hint = |name| entry.value.get("annotations").and_then(|hints| hints.get(name)).and_then(|hint| hint.as_bool());
    Annotations {
        destructive: hint("destructiveHint"),
        read_only: hint("readOnlyHint"),
        trusted: server.config.trust_annotations,
    }
}
