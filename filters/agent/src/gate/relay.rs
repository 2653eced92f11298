//! What comes back.

use super::AtGate;
use crate::answer::Answer;
use crate::card::{self, Awaited};
use crate::refusal::Refusal;
use tollgate_host::abi::{self, Map};
use tollgate_host::headers::{self, Headers};
use tollgate_host::stream::{Reply, Step};
use tollgate_kernel::a2a::Binding;

impl AtGate {
    /// The agent's answer begins.
    pub(super) fn begin_answer(&mut self, seen: &Headers, end: bool) -> abi::Result<Step> {
        let status = status(seen);
        if let Some(card) = self.card.take_if(|card| !card.is_told_otherwise(status)) {
            return self.begin_card(card, seen, status, end);
        }
        self.card = None;
        match Answer::begin(&self.gate, &mut self.exchange, seen, status, end) {
            Ok(answer) => self.answer = answer,
            Err(refusal) => return Ok(self.refuse(refusal)),
        }
        if self.answer.as_ref().is_some_and(Answer::may_change) {
            abi::remove_header(Map::Response, b"content-length")?;
        }
        self.status = Some(status);
        if self.answer.as_ref().is_some_and(Answer::is_held) {
            return Ok(Step::Hold);
        }
        self.relays = true;
        Ok(Step::Go)
    }

    /// More of the agent's answer.
    pub(super) fn relay(&mut self, data: &[u8], end: bool) -> Step {
        let Some(answer) = &mut self.answer else { return Step::Go };
        let with = answer.push(data, end);
        let (waits, is_broken, refusal) = (answer.is_held(), answer.is_broken(), answer.refusal());
        if let Some(refusal) = refusal.map(Refusal::Conversation) {
            if !self.relays && self.gate.hold_headers {
                return self.refuse(refusal);
            }
            // Its head has gone on: the error stands in its place.
            self.exchange.refusal = Some(refusal);
        }
        if let Some(body) = with.as_ref().filter(|_| is_broken && !self.relays && self.gate.hold_headers) {
            return Step::Reply(told_instead(self.status.unwrap_or(502), body.clone()));
        }
        // What is read whole waits for its end, unless it already ended with an error in its place.
        if waits && !end {
            return Step::Hold;
        }
        self.relays = true;
        with.map_or(Step::Go, |with| Step::Edit { first: data.len(), with })
    }

    /// The agent's card begins. Nothing of what stands around it goes on either.
    fn begin_card(&mut self, card: Awaited, seen: &Headers, status: u16, end: bool) -> abi::Result<Step> {
        if let Err(refusal) = card.begin(seen, status, end) {
            return Ok(self.refuse(refusal));
        }
        if !self.gate.hold_headers {
            let text = status.to_string();
            let own = card::headers();
            let mut kept = vec![(":status", text.as_bytes())];
            kept.extend(own.iter().map(|(name, value)| (*name, value.as_bytes())));
            headers::replace_all(Map::Response, &kept)?;
        }
        self.status = Some(status);
        self.card = Some(card);
        Ok(Step::Hold)
    }

    /// More of the agent's card, which is answered once it is whole.
    pub(super) fn relay_card(&mut self, data: &[u8], end: bool) -> Step {
        let Some(mut card) = self.card.take() else { return Step::Go };
        let finished = match card.push(data, self.gate.cards.max_bytes) {
            Ok(()) if !end => {
                self.card = Some(card);
                return Step::Hold;
            }
            Ok(()) => card.finish(&self.gate, &mut self.exchange, self.status.unwrap_or(502)),
            Err(refusal) => Err(refusal),
        };
        let reply = match finished {
            Ok(reply) => {
                self.status = Some(reply.status);
                self.relays = true;
                reply
            }
            Err(refusal) => self.reply_of(refusal),
        };
        // Headers that went on cannot be changed any more; of what never ends the client sees that it was cut off.
        if self.gate.hold_headers || !end {
            Step::Reply(reply)
        } else {
            Step::Edit { first: data.len(), with: reply.body }
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
        if self.exchange.dialect.is_some_and(|dialect| dialect.binding == Binding::Grpc) {
            // Envoy tells its own to who speaks gRPC in gRPC.
            return Ok(Step::Go);
        }
        if end {
            return Ok(Step::Reply(self.own_error(status)));
        }
        let reply = self.own_error(status);
        let text = status.to_string();
        let mut kept = vec![(":status", text.as_bytes())];
        kept.extend(reply.headers.iter().map(|(name, value)| (*name, value.as_bytes())));
        for name in ["www-authenticate", "retry-after", "allow"] {
            let value = seen.one(name).filter(|_| !kept.iter().any(|(own, _)| *own == name));
            kept.extend(value.map(|value| (name, value)));
        }
        headers::replace_all(Map::Response, &kept)?;
        self.translating = Some(status);
        Ok(Step::Go)
    }

    /// What Envoy, or another filter, says of its own, as A2A.
    pub(super) fn own_error(&self, status: u16) -> Reply {
        let refusal = self.exchange.refusal.clone().unwrap_or(Refusal::Upstream(status));
        Reply { status, ..self.told(&refusal) }
    }
}

/// The error in the place of an answer that may never end, or has no body that could be changed. With its own length, the client
/// need not wait.
fn told_instead(status: u16, body: Vec<u8>) -> Reply {
    let headers = vec![("content-type", "application/json".to_owned())];
    Reply { status, details: "answer_fault", headers, body }
}

fn status(headers: &Headers) -> u16 {
    headers.text(":status").and_then(|status| status.parse().ok()).unwrap_or(500)
}
