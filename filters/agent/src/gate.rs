//! The gate: once per request. Which agent, who calls, what for, is it allowed (`decide`), what may it use (`admit`); what comes
//! back (`relay`); and at the end the record.

mod admit;
mod decide;
mod relay;

use crate::answer::Answer;
use crate::arrival;
use crate::card::Awaited;
use crate::config::Gate;
use crate::counters;
use crate::exchange::Exchange;
use crate::limits;
use crate::record;
use crate::refusal::Refusal;
use std::rc::Rc;
use tollgate_host::abi::{self, Level, Map};
use tollgate_host::ending::Ending;
use tollgate_host::headers::Headers;
use tollgate_host::state;
use tollgate_host::stream::{Reply, RequestBody, Step, Stream};
use tollgate_kernel::a2a::{Arrival, Body, Reason};
use tollgate_limits::Admission;

/// One request at the gate.
#[derive(Debug)]
pub struct AtGate {
    gate: Rc<Gate>,
    exchange: Exchange,
    /// Those of the request, as it came.
    headers: Headers,
    /// What arrives.
    arrival: Option<Arrival>,
    /// Headers of the client's that must not go on, in the order they came.
    strip: Vec<Vec<u8>>,
    /// What is asked for is not the caller's; told when limits have counted that.
    not_theirs: Option<Refusal>,
    /// The body that the agent gets instead.
    body: Option<Vec<u8>>,
    /// Status of the response, ours or anybody's.
    status: Option<u16>,
    /// The agent's response has begun to go to the client.
    relays: bool,
    /// The response is Envoy's own, or another filter's: to be told as A2A.
    translating: Option<u16>,
    /// What is read of the agent's answer.
    answer: Option<Answer>,
    /// The agent's card, where its answer is that.
    card: Option<Awaited>,
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
            arrival: None,
            strip: Vec::new(),
            not_theirs: None,
            body: None,
            status: None,
            relays: false,
            translating: None,
            answer: None,
            card: None,
            pending: None,
        }
    }

    fn refuse(&mut self, refusal: Refusal) -> Step {
        Step::Reply(self.reply_of(refusal))
    }

    fn reply_of(&mut self, refusal: Refusal) -> Reply {
        let reply = self.told(&refusal);
        self.status = Some(reply.status);
        self.exchange.refusal = Some(refusal);
        reply
    }

    fn told(&self, refusal: &Refusal) -> Reply {
        let id = self.exchange.asked.as_ref().and_then(|asked| asked.id.as_ref());
        refusal.reply(self.exchange.dialect, id, self.gate.refusals)
    }
}

const fn millis(nanos: u64) -> u64 {
    nanos.div_euclid(1_000_000)
}

impl Stream for AtGate {
    fn request_headers(&mut self, end: bool) -> abi::Result<Step> {
        self.headers = Headers::read(Map::Request)?;
        self.exchange = arrival::begin(&self.headers);
        let arrived = self.arrive();
        let forwards = arrival::forwards_token(&self.exchange, &self.headers);
        let proof = self.gate.identity.header.as_ref().map(|header| header.name.as_bytes());
        let stripped = |name: &[u8]| {
            (arrival::is_stripped(name) && !(forwards && name == b"authorization"))
                || proof == Some(name)
                || arrival::is_among(&self.gate.identity_headers, name)
        };
        self.strip = self.headers.iter().filter(|(name, _)| stripped(name)).map(|(name, _)| name.to_vec()).collect();
        if let Err(refusal) = arrived {
            return Ok(self.refuse(refusal));
        }
        self.find_hop()?;
        if !self.gate.hold_headers {
            if !end && !self.awaits_body() {
                return Ok(self.refuse(Refusal::Unheld));
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
        let runs = match &self.arrival {
            _ if body.trailers => Err(Refusal::Trailers),
            _ if body.size > limit => Err(Refusal::TooLarge { limit }),
            Some(Arrival::Request(request)) => {
                let request = request.clone();
                self.decide(&request, &body.read(body.size)?, abi::random()?)
            }
            Some(Arrival::Grpc(operation)) => {
                let operation = *operation;
                self.decide_unread(operation)
            }
            Some(Arrival::Card) if body.size > 0 => Err(Refusal::Protocol(Reason::Body)),
            Some(Arrival::Card) => Ok(()),
            None => Err(Refusal::UnknownAgent),
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
        if self.translating.is_some() || self.card.is_some() {
            return true;
        }
        self.answer.as_mut().is_some_and(|answer| answer.reads(size))
    }

    fn response_data(&mut self, data: &[u8], end: bool) -> abi::Result<Step> {
        if let Some(status) = self.translating {
            let told = || Step::Edit { first: data.len(), with: self.own_error(status).body };
            return Ok(if end { told() } else { Step::Hold });
        }
        Ok(if self.card.is_some() { self.relay_card(data, end) } else { self.relay(data, end) })
    }

    fn log(&mut self) {
        let ending = Ending::read(self.status, self.exchange.refusal.is_some(), self.relays);
        let now_ms = millis(ending.now);
        if let Some(admission) = self.pending.take() {
            self.exchange.limits = admission.abandon(now_ms);
        }
        if let Some(answer) = self.answer.take() {
            self.exchange.tally = answer.into_tally();
        }
        let counted = limits::settle(&self.exchange, ending.bytes, now_ms);
        counters::count(&self.exchange, &ending);
        let record = record::of(&self.exchange, &counted, &ending);
        if state::set("tollgate.audit", record.as_bytes()).is_err() {
            abi::log(Level::Error, "tollgate: a record could not be written");
        }
    }
}

impl AtGate {
    /// Whether an agent waits for the body of what arrives. It may do the rest, like cancel a task that the path names, when it
    /// has the headers.
    fn awaits_body(&self) -> bool {
        match &self.arrival {
            Some(Arrival::Request(request)) => request.body() == Body::Needed,
            Some(Arrival::Grpc(_)) => true,
            Some(Arrival::Card) | None => false,
        }
    }
}
