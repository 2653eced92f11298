//! The gate: once per request. Which server, who asks, what for, is it allowed (`decide`), what may it use and is there a yes
//! (`admit`); what comes back (`relay`); and at the end the record.

mod admit;
mod decide;
mod relay;

use crate::answer::Answer;
use crate::approval::confirm::Agreed;
use crate::arrival;
use crate::config::Gate;
use crate::counters;
use crate::exchange::{Exchange, Transport};
use crate::oauth;
use crate::record;
use crate::refusal::Refusal;
use crate::session;
use crate::{limits, runaway};
use std::rc::Rc;
use tollgate_host::abi::{self, Level, Map};
use tollgate_host::ending::Ending;
use tollgate_host::headers::Headers;
use tollgate_host::state;
use tollgate_host::stream::{Reply, RequestBody, Step, Stream};
use tollgate_limits::Admission;

/// One request at the gate.
#[derive(Debug)]
pub struct AtGate {
    gate: Rc<Gate>,
    exchange: Exchange,
    /// Those of the request, as it came.
    headers: Headers,
    /// Headers of the client's that must not go on, in the order they came.
    strip: Vec<Vec<u8>>,
    /// Status of the response, ours or anybody's.
    status: Option<u16>,
    /// The server's response has begun to go to the client.
    relays: bool,
    /// The response is Envoy's own, or another filter's: to be told as JSON-RPC.
    translating: Option<u16>,
    /// The yes that the call has, and what it is refused with if that was used meanwhile.
    agreed: Option<(Agreed, Refusal)>,
    /// What is read of the server's answer.
    answer: Option<Answer>,
    /// Waits for services that keep limits.
    pending: Option<Box<Admission>>,
}

impl AtGate {
    /// A request that begins.
    #[must_use]
    pub fn new(gate: Rc<Gate>) -> Self {
        Self {
            gate,
            exchange: Exchange::default(),
            headers: Headers::NONE,
            strip: Vec::new(),
            status: None,
            relays: false,
            translating: None,
            agreed: None,
            answer: None,
            pending: None,
        }
    }

    fn refuse(&mut self, refusal: Refusal) -> Step {
        Step::Reply(self.reply_of(refusal))
    }

    fn reply_of(&mut self, refusal: Refusal) -> Reply {
        let reply = oauth::reply(&self.gate, &self.exchange, &refusal, &self.headers);
        self.status = Some(reply.status);
        self.exchange.refusal = Some(refusal);
        reply
    }
}

const fn millis(nanos: u64) -> u64 {
    nanos.div_euclid(1_000_000)
}

impl Stream for AtGate {
    fn request_headers(&mut self, end: bool) -> abi::Result<Step> {
        self.headers = Headers::read(Map::Request)?;
        self.exchange = arrival::begin(&self.headers);
        if let Some(told) = self.metadata() {
            return Ok(told);
        }
        let arrived = self.arrive();
        let forwards = oauth::forwards_token(&self.exchange, &self.headers);
        let proof = self.gate.identity.header.as_ref().map(|header| header.name.as_bytes());
        let transport = self.exchange.transport;
        let stripped = |name: &[u8]| {
            (arrival::is_stripped(name) && !(forwards && name == b"authorization"))
                || proof == Some(name)
                || session::is_stripped(name, transport, &self.headers)
        };
        self.strip = self.headers.iter().filter(|(name, _)| stripped(name)).map(|(name, _)| name.to_vec()).collect();
        if let Err(refusal) = arrived {
            return Ok(self.refuse(refusal));
        }
        if !self.gate.hold_headers {
            if !end && matches!(transport, Some(Transport::Listen | Transport::End)) {
                // For these a server waits for no body.
                return Ok(self.refuse(Refusal::Method));
            }
            self.change_headers()?;
        }
        Ok(Step::Hold)
    }

    fn holds_headers(&self) -> bool {
        self.gate.hold_headers
    }

    fn request_stalls(&mut self) -> Reply {
        self.reply_of(Refusal::NoBody)
    }

    fn request_grows(&mut self, size: usize) -> abi::Result<Step> {
        self.exchange.request_bytes = size;
        let limit = self.gate.bounds.request_bytes;
        Ok(if size > limit { self.refuse(Refusal::TooLarge { limit }) } else { Step::Hold })
    }

    fn request_body(&mut self, body: &RequestBody) -> abi::Result<Step> {
        self.exchange.request_bytes = body.size;
        let limit = self.gate.bounds.request_bytes;
        let runs = match self.exchange.transport {
            _ if body.trailers => Err(Refusal::Trailers),
            _ if body.size > limit => Err(Refusal::TooLarge { limit }),
            _ if self.exchange.visit.is_some() => {
                let body = body.read(body.size)?;
                return Ok(self.visit(&body).unwrap_or_else(|refusal| self.refuse(refusal)));
            }
            Some(Transport::Post) => self.decide(&body.read(body.size)?),
            _ if body.size > 0 => Err(Refusal::Method),
            _ => Ok(()),
        };
        match runs {
            Ok(()) => self.admit(&body.waker),
            Err(refusal) => Ok(self.refuse(refusal)),
        }
    }

    fn woken(&mut self) -> abi::Result<Step> {
        self.look_again()
    }

    fn deadline(&self) -> Option<u64> {
        self.pending.as_ref().and_then(|admission| admission.deadline())
    }

    fn expired(&mut self) -> abi::Result<Step> {
        self.look_again()
    }

    fn response_headers(&mut self, end: bool) -> abi::Result<Step> {
        let seen = Headers::read(Map::Response)?;
        if state::text(&["response", "code_details"]).as_deref() != Some("via_upstream") {
            return self.translate(&seen, end);
        }
        if !self.exchange.went_on {
            // Of what has not been read nobody knows what may be in its answer.
            return Ok(self.refuse(Refusal::Answer("answer_early")));
        }
        self.begin_answer(&seen, end)
    }

    fn reads_response(&mut self, size: usize) -> bool {
        if self.translating.is_some() {
            return true;
        }
        let Some(answer) = &mut self.answer else { return false };
        let reads = answer.reads(size);
        self.exchange.tally = *answer.tally();
        reads
    }

    fn response_data(&mut self, data: &[u8], end: bool) -> abi::Result<Step> {
        if let Some(status) = self.translating {
            let told = || Step::Edit { first: data.len(), with: self.own_error(status).body };
            return Ok(if end { told() } else { Step::Hold });
        }
        Ok(self.relay(data, end))
    }

    fn log(&mut self) {
        let ending = Ending::read(self.status, self.exchange.refusal.is_some(), self.relays);
        let now_ms = millis(ending.now);
        if let Some(admission) = self.pending.take() {
            self.exchange.limits = admission.abandon(now_ms);
        }
        let went_on = self.exchange.went_on;
        if went_on {
            runaway::end(&self.gate.runaway, &self.exchange, now_ms);
        }
        let counted = limits::settle(&self.exchange, went_on, ending.bytes, now_ms);
        counters::count(&self.exchange, &ending);
        let record = record::of(&self.exchange, &counted, &ending, self.gate.words());
        if state::set("tollgate.audit", record.as_bytes()).is_err() {
            abi::log(Level::Error, "tollgate: a record could not be written");
        }
    }
}
