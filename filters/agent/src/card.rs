//! Cards on their way from an agent to who reads them: held whole, and never passed on as they came.

use crate::config::{Agent, Gate};
use crate::exchange::Exchange;
use crate::refusal::Refusal;
use tollgate_host::headers::Headers;
use tollgate_host::stream::Reply;
use tollgate_identity::credentials;
use tollgate_kernel::a2a::Binding;
use tollgate_kernel::a2a::answer::Outcome;
use tollgate_kernel::a2a::card::{Card, Etag};
use tollgate_kernel::json::{Document, Limits, Value};
use tollgate_kernel::json_rpc::{self, Id, Message};

/// What the operation is called in records that reads the public card.
pub(crate) const OPERATION: &str = "AgentCard";

/// A card that is awaited.
#[derive(Debug)]
pub(crate) struct Awaited {
    /// What the client has already, if it says so.
    known: Vec<String>,
    form: Form,
    bytes: Vec<u8>,
}

/// What a card stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// It is the body.
    Public,
    /// It is the body, for those who are known.
    Extended,
    /// It is the result of JSON-RPC.
    JsonRpc,
}

impl Awaited {
    /// The public card, for who has sent these headers.
    pub(crate) fn public(headers: &Headers) -> Self {
        let known = headers.all("if-none-match").filter_map(|tags| str::from_utf8(tags).ok());
        Self { known: known.map(str::to_owned).collect(), form: Form::Public, bytes: Vec::new() }
    }

    /// The card that is not for everybody.
    pub(crate) const fn extended(binding: Binding) -> Self {
        let form = match binding {
            Binding::JsonRpc => Form::JsonRpc,
            Binding::HttpJson | Binding::Grpc => Form::Extended,
        };
        Self { known: Vec::new(), form, bytes: Vec::new() }
    }

    /// Whether an answer of this status is an error, which is passed on as any other. In JSON-RPC only the message says so.
    pub(crate) fn is_told_otherwise(&self, status: u16) -> bool {
        self.form == Form::Extended && status >= 400
    }

    /// The answer begins.
    pub(crate) fn begin(&self, headers: &Headers, status: u16, end: bool) -> Result<(), Refusal> {
        let is_encoded = headers.all("content-encoding").any(|value| !value.eq_ignore_ascii_case(b"identity"));
        let is = |media| headers.is_media_type(media);
        match () {
            () if status == 404 => Err(Refusal::NoCard),
            () if status != 200 && self.form != Form::JsonRpc => Err(Refusal::Answer("card_status")),
            () if is_encoded => Err(Refusal::Answer("answer_encoded")),
            () if !is("application/json") && !is("application/a2a+json") => Err(Refusal::Answer("answer_content_type")),
            () if end => Err(Refusal::Answer("card_json")),
            () => Ok(()),
        }
    }

    /// More of it.
    pub(crate) fn push(&mut self, data: &[u8], most: usize) -> Result<(), Refusal> {
        if self.bytes.len().saturating_add(data.len()) > most {
            return Err(Refusal::Answer("card_too_large"));
        }
        self.bytes.extend_from_slice(data);
        Ok(())
    }

    /// What the caller is answered, now that it is whole; `status` is the agent's.
    pub(crate) fn finish(self, gate: &Gate, exchange: &mut Exchange, status: u16) -> Result<Reply, Refusal> {
        let most = gate.cards.max_bytes;
        let limits = Limits { bytes: most, nodes: most.div_euclid(2) };
        let document = Document::read(&self.bytes, limits).map_err(|_| Refusal::Answer("card_json"))?;
        if self.form != Form::JsonRpc {
            let card = published(gate, exchange, document.root(), &self.bytes)?;
            exchange.tally.outcome = Outcome::Result;
            return Ok(self.reply(card));
        }
        let asked = exchange.asked.as_ref().and_then(|asked| asked.id.clone());
        let is_asked = |id: &Id<'_>| asked.as_ref().is_some_and(|asked| asked.raw() == id.raw());
        match Message::of(&document) {
            Ok(Message::Result { id, result }) if is_asked(&id) && status == 200 => {
                let card = published(gate, exchange, result, &self.bytes)?;
                let card = String::from_utf8(card).map_err(|_| Refusal::Answer("card_json"))?;
                exchange.tally.outcome = Outcome::Result;
                Ok(reply(status, json_rpc::result(&id, &card)))
            }
            Ok(Message::Error { id, error }) if id.as_ref().is_none_or(is_asked) => {
                let code = error.get("code").and_then(Value::as_number).and_then(|code| code.parse().ok());
                exchange.tally.outcome = Outcome::Error(code);
                Ok(reply(status, self.bytes))
            }
            _ => Err(Refusal::Answer("card_json_rpc")),
        }
    }

    fn reply(&self, card: Vec<u8>) -> Reply {
        if self.form != Form::Public {
            return reply(200, card);
        }
        let tag = Etag::of(&card);
        let is_known = self.known.iter().any(|tags| tag.is_known(tags));
        let mut reply = reply(200, card);
        reply.headers.push(("etag", tag.to_string()));
        if is_known {
            reply.status = 304;
            reply.headers.retain(|(name, _)| *name != "content-type");
            reply.body.clear();
        }
        reply
    }
}

/// What the headers of a card say besides. What rules show can change at any time, and is for who asks alone.
pub(crate) fn headers() -> Vec<(&'static str, String)> {
    vec![
        ("content-type", "application/json".to_owned()),
        ("cache-control", "private, no-cache".to_owned()),
        ("vary", credentials::HEADERS.join(", ")),
    ]
}

fn reply(status: u16, body: Vec<u8>) -> Reply {
    Reply { status, details: "agent_card", headers: headers(), body }
}

/// The card that this caller gets.
fn published(gate: &Gate, exchange: &Exchange, card: Value<'_, '_>, bytes: &[u8]) -> Result<Vec<u8>, Refusal> {
    let callee = exchange.callee.as_deref().ok_or(Refusal::UnknownAgent)?;
    let url = callee.card_url.as_deref().ok_or(Refusal::NoCard)?;
    let subject = exchange.caller.as_ref().map(|caller| &caller.subject);
    let shown = |skill: &str| {
        gate.rules.shows(skill, callee.name.as_str(), |field| subject.and_then(|subject| subject.text(field)))
    };
    let how = gate.cards.publication(url, &callee.config.card);
    let published = Card::read(card).and_then(|card| {
        verify(callee, card, bytes)?;
        card.publish(&how, &shown)
    });
    published.map_err(|reason| Refusal::Answer(reason.name()))
}

/// Checks signatures, but of an answer that is the last one again.
fn verify(callee: &Agent, card: Card<'_, '_>, bytes: &[u8]) -> Result<(), tollgate_kernel::a2a::card::Reason> {
    let Some(verification) = &callee.config.card.verify else { return Ok(()) };
    let tag = Etag::of(bytes);
    if callee.verified.borrow().as_ref() != Some(&tag) {
        verification.check(card)?;
        callee.verified.replace(Some(tag));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
