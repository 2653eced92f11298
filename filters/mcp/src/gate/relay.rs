//! What comes back.

use super::{AtGate, millis};
use crate::answer::{Answer, Unreadable};
use crate::oauth;
use crate::refusal::Refusal;
use crate::session;
use tollgate_host::abi::{self, Map};
use tollgate_host::headers::{self, Headers};
use tollgate_host::stream::{Reply, Step};

impl AtGate {
    /// The server's answer begins.
    pub(super) fn begin_answer(&mut self, seen: &Headers, end: bool) -> abi::Result<Step> {
        oauth::rewrite(&self.exchange, seen)?;
        match session::of_answer(&self.gate, &self.exchange, seen)? {
            Ok(session) => self.exchange.session = session.or_else(|| self.exchange.session.take()),
            Err(()) => return Ok(self.refuse(Refusal::Answer("answer_session"))),
        }
        match Answer::begin(&self.gate, &self.exchange, seen, millis(abi::now())) {
            Ok(answer) => self.answer = answer.filter(|_| !end),
            Err(Unreadable::Failure) if end => {}
            Err(Unreadable::Failure) => return self.in_json_rpc(status(seen), &Headers::read(Map::Response)?),
            Err(unreadable) => return Ok(self.refuse(Refusal::Answer(unreadable.reason()))),
        }
        if self.answer.as_ref().is_some_and(Answer::may_change) {
            abi::remove_header(Map::Response, b"content-length")?;
        }
        self.status = Some(status(seen));
        if self.answer.as_ref().is_some_and(Answer::is_held) {
            return Ok(Step::Hold);
        }
        self.relays = true;
        Ok(Step::Go)
    }

    /// More of the server's answer.
    pub(super) fn relay(&mut self, data: &[u8], end: bool) -> Step {
        let Some(answer) = &mut self.answer else { return Step::Go };
        let held = answer.is_held();
        let with = answer.push(data, end);
        self.exchange.tally = *answer.tally();
        if let Some(findings) = answer.findings() {
            self.exchange.tools.clone_from(findings);
        }
        self.exchange.replaced = answer.replaced();
        let (waits, is_broken) = (answer.is_held(), answer.is_broken());
        match with {
            Some(body) if held && !end && is_broken && self.gate.hold_headers => {
                Step::Reply(told_instead(self.status.unwrap_or(502), body))
            }
            // Its headers went on: the error ends what the client reads, and nothing follows it.
            _ if waits && !end && !is_broken => Step::Hold,
            None => Step::Go,
            Some(with) => Step::Edit { first: data.len(), with },
        }
    }

    /// An answer of Envoy's own, or of another filter.
    pub(super) fn translate(&mut self, seen: &Headers, end: bool) -> abi::Result<Step> {
        let status = status(seen);
        if status == 413 && self.exchange.refusal.is_none() {
            // Envoy's buffer was full before ours.
            self.exchange.refusal = Some(Refusal::TooLarge { limit: self.gate.bounds.request_bytes });
        }
        self.status = Some(status);
        if end { Ok(Step::Reply(self.own_error(status))) } else { self.in_json_rpc(status, seen) }
    }

    /// Has the client read JSON-RPC instead of the body that comes.
    pub(super) fn in_json_rpc(&mut self, status: u16, seen: &Headers) -> abi::Result<Step> {
        let text = status.to_string();
        let mut kept = vec![(":status", text.as_bytes()), ("content-type", b"application/json")];
        for name in ["www-authenticate", "retry-after", "allow"] {
            kept.extend(seen.one(name).map(|value| (name, value)));
        }
        headers::replace_all(Map::Response, &kept)?;
        self.translating = Some(status);
        Ok(Step::Go)
    }

    /// What Envoy, or another filter, says of its own, as JSON-RPC.
    pub(super) fn own_error(&self, status: u16) -> Reply {
        let refusal = self.exchange.refusal.clone().unwrap_or(Refusal::Upstream(status));
        let mut reply = oauth::reply(&self.gate, &self.exchange, &refusal, &self.headers);
        reply.status = status;
        reply
    }
}

fn status(headers: &Headers) -> u16 {
    headers.text(":status").and_then(|status| status.parse().ok()).unwrap_or(500)
}

/// The message that stands in the place of an answer which is too large to be read.
fn told_instead(status: u16, body: Vec<u8>) -> Reply {
    let headers = vec![("content-type", "application/json".to_owned())];
    Reply { status, details: "answer_too_large", headers, body }
}
