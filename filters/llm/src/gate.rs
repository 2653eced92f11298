//! The gate: downstream, once per request. Who asks, what for, is it allowed (`read`), what may it use and who may serve it
//! (`admit`); and at the end the record.

mod admit;
mod read;

use crate::cache::{self, Again, CACHE_HEADER, Wish};
use crate::config::{Gate, Served};
use crate::exchange::{self, Carried, Exchange, Outcome, Shared, millis};
use crate::limits;
use crate::refusal::{Refusal, error_reply};
use crate::settle::{self, Ending};
use crate::{arrival, attempt, calibrations, counters, models, record};
use admit::Pending;
use std::cell::RefCell;
use std::rc::Rc;
use tollgate_host::abi::{self, Level, Map};
use tollgate_host::headers::{self, Headers};
use tollgate_host::state;
use tollgate_host::stream::{Reply, RequestBody, Step, Stream};
use tollgate_kernel::subject::Label;
use tollgate_wire::Format;
use tollgate_wire::endpoint::{Endpoint, Operation};
use tollgate_wire::error::{ApiError, ErrorKind};

/// One request at the gate.
#[derive(Debug)]
pub struct AtGate {
    gate: Rc<Gate>,
    exchange: Option<Shared>,
    /// What the path asks for.
    endpoint: Option<Endpoint>,
    entry: Option<exchange::Entry>,
    /// Headers of the client's that must not go on, in the order they came.
    strip: Vec<Vec<u8>>,
    carried: Carried,
    /// What waits for services that keep limits.
    pending: Option<Box<Pending>>,
    /// What the client wants of the cache.
    wish: Wish,
    /// Status of the response, ours or anybody's.
    status: Option<u16>,
    /// The response is Envoy's own: to be told in the client's format.
    translating: bool,
}

/// An answer that the gate has itself, and for what reason.
#[derive(Debug)]
struct Ready {
    reason: &'static str,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

impl Ready {
    fn json(reason: &'static str, body: Vec<u8>) -> Self {
        Self { reason, headers: vec![("content-type", "application/json".to_owned())], body }
    }

    fn again(again: Again) -> Self {
        let Again { content_type, mut headers, body } = again;
        headers.push(("content-type", content_type.to_owned()));
        Self { reason: "cache_hit", headers, body }
    }
}

impl AtGate {
    /// A request that begins.
    #[must_use]
    pub const fn new(gate: Rc<Gate>) -> Self {
        Self {
            gate,
            exchange: None,
            endpoint: None,
            entry: None,
            strip: Vec::new(),
            carried: Carried { always: Vec::new(), of_format: Vec::new() },
            pending: None,
            wish: Wish { no_store: false, no_cache: false, max_age: None },
            status: None,
            translating: false,
        }
    }

    fn refuse(&mut self, refusal: Refusal) -> Step {
        let Some(exchange) = &self.exchange else { return Step::Reply(refusal.reply(Format::OpenaiChat)) };
        let mut exchange = exchange.borrow_mut();
        let mut reply = refusal.reply(exchange.format);
        reply.headers.append(&mut exchange.standing);
        self.status = Some(reply.status);
        exchange.response_bytes = u64::try_from(reply.body.len()).unwrap_or(u64::MAX);
        exchange.refusal = Some(refusal);
        exchange.cache = None; // whatever it had, the client did not get it
        Step::Reply(reply)
    }

    /// What Envoy says of its own, in the client's format.
    fn own_error(&self, status: u16) -> Reply {
        let kind = ErrorKind::of_status(status);
        let message = match kind {
            ErrorKind::TooLarge => "the request body is larger than the gateway accepts",
            ErrorKind::Timeout => "no provider answered in time",
            _ => "no provider could answer",
        };
        let error = ApiError { status, code: Some("gateway_error".to_owned()), ..ApiError::new(kind, message) };
        let reply = error_reply(self.format(), &error, "gateway_error");
        self.shared(|exchange| exchange.response_bytes = u64::try_from(reply.body.len()).unwrap_or(u64::MAX));
        reply
    }

    /// The models that who asks may use, or the one that is asked for.
    fn list_models(&mut self) -> Step {
        let caller = self.shared(|exchange| exchange.caller.clone()).flatten();
        let named = self.endpoint.as_ref().and_then(|endpoint| endpoint.model.as_deref());
        let allowed = |name: &Label, model: &Served| {
            caller.as_ref().is_some_and(|caller| caller.check(name.as_str(), model.route.as_str()).is_ok())
        };
        let allowed = self.gate.models.iter().filter(|(name, model)| allowed(name, model));
        let body = match named {
            None => models::list(self.format(), allowed),
            Some(named) => match allowed.into_iter().find(|(name, _)| name.as_str() == named) {
                Some(model) => models::one(self.format(), model),
                None => return self.refuse(Refusal::UnknownModel),
            },
        };
        self.answer(Ready::json("models_listed", body))
    }

    fn answer(&mut self, ready: Ready) -> Step {
        let Ready { reason, mut headers, body } = ready;
        self.status = Some(200);
        self.shared(|exchange| {
            headers.append(&mut exchange.standing);
            exchange.response_bytes = u64::try_from(body.len()).unwrap_or(u64::MAX);
            exchange.answered = Some(reason);
        });
        Step::Reply(Reply { status: 200, details: reason, headers, body })
    }

    /// What Envoy knows at the end; it is asked only for what is not known already.
    fn ending(&self) -> Ending {
        let status = || state::number(&["response", "code"]).and_then(|status| u16::try_from(status).ok());
        let known = self.shared(|exchange| {
            let last = exchange.attempts.last().map(|attempt| &attempt.outcome);
            let explained = exchange.refusal.is_some() || exchange.answered.is_some();
            (last == Some(&Outcome::Waiting), last == Some(&Outcome::Served) || explained)
        });
        let (waiting, explained) = known.unwrap_or_default();
        Ending {
            now: abi::now(),
            status: self.status.or_else(status),
            flags: state::number(&["response", "flags"]),
            connected: !waiting || attempt::is_connected(),
            details: if explained { None } else { state::text(&["response", "code_details"]) },
        }
    }

    fn format(&self) -> Format {
        self.shared(|exchange| exchange.format).unwrap_or(Format::OpenaiChat)
    }

    fn shared<T>(&self, read: impl FnOnce(&mut Exchange) -> T) -> Option<T> {
        self.exchange.as_ref().map(|exchange| read(&mut exchange.borrow_mut()))
    }
}

impl Stream for AtGate {
    fn request_headers(&mut self, _: bool) -> abi::Result<Step> {
        let headers = Headers::read(Map::Request)?;
        self.endpoint = Endpoint::of_path(arrival::target(&headers).0);
        self.exchange = Some(Rc::new(RefCell::new(arrival::begin(self.endpoint.as_ref(), &headers))));
        let proof = self.gate.identity.header.as_ref().map(|header| header.name.as_bytes());
        let stripped = |name: &[u8]| arrival::is_stripped(name) || proof == Some(name);
        self.strip = headers.iter().filter(|(name, _)| stripped(name)).map(|(name, _)| name.to_vec()).collect();
        self.carried = Carried::of(&headers, self.format());
        self.wish = Wish::of(&headers);
        Ok(match self.read_headers(&headers) {
            Ok(()) if self.shared(|exchange| exchange.operation) == Some(Some(Operation::Models)) => self.list_models(),
            Ok(()) => Step::Hold,
            Err(refusal) => self.refuse(refusal),
        })
    }

    fn request_grows(&mut self, size: usize) -> abi::Result<Step> {
        self.shared(|exchange| exchange.request_bytes = size);
        let limit = self.gate.bounds.request_bytes;
        Ok(if size > limit { self.refuse(Refusal::TooLarge { limit }) } else { Step::Hold })
    }

    fn request_body(&mut self, body: &RequestBody) -> abi::Result<Step> {
        if let reply @ Step::Reply(_) = self.request_grows(body.size)? {
            return Ok(reply);
        }
        match self.read_body(body)? {
            Ok((model, envelope)) => self.admit(model, envelope, &body.waker),
            Err(refusal) => Ok(self.refuse(refusal)),
        }
    }

    fn woken(&mut self) -> abi::Result<Step> {
        self.look_again()
    }

    fn deadline(&self) -> Option<u64> {
        self.pending.as_ref().and_then(|pending| pending.admission.deadline())
    }

    fn expired(&mut self) -> abi::Result<Step> {
        self.look_again()
    }

    fn response_headers(&mut self, end: bool) -> abi::Result<Step> {
        // Another filter, or Envoy, may have answered first.
        self.abandon(millis(abi::now()));
        self.status = self.shared(|exchange| exchange.relayed).flatten();
        if self.status.is_some() {
            if let Some(found) = self.shared(|exchange| exchange.cache.as_ref().map(|cache| cache.found)).flatten() {
                abi::set_header(Map::Response, CACHE_HEADER, found.told().0.as_bytes())?;
            }
            return Ok(Step::Go);
        }
        let seen = Headers::read(Map::Response)?;
        let status = seen.text(":status").and_then(|status| status.parse().ok()).unwrap_or(500);
        let limit = self.gate.bounds.request_bytes;
        let Some((admitted, unseen)) = self.shared(|exchange| {
            let admitted = exchange.admitted.is_some();
            if status == 413 && !admitted {
                exchange.refusal = Some(Refusal::TooLarge { limit }); // Envoy's buffer was full before ours
            }
            exchange.unseen = admitted && (200..400).contains(&status);
            (admitted, exchange.unseen)
        }) else {
            return Ok(Step::Go);
        };
        if unseen {
            abi::log(Level::Error, "tollgate: an answer passed no provider filter; does its cluster have one?");
        }
        // To who was admitted, whatever is wrong behind us is the gateway's fault: a 401 would blame the client's key.
        let shown = if admitted && status < 500 && status != 413 { 502 } else { status };
        self.status = Some(shown);
        if end {
            return Ok(Step::Reply(self.own_error(shown)));
        }
        self.translating = true;
        // Should it be a provider's after all, one that the router did not retry: its own headers stay here.
        let status = shown.to_string();
        let mut kept = vec![(":status", status.as_bytes()), ("content-type", b"application/json")];
        kept.extend(seen.one("retry-after").map(|value| ("retry-after", value)));
        headers::replace_all(Map::Response, &kept)?;
        Ok(Step::Go)
    }

    fn reads_response(&mut self, _: usize) -> bool {
        self.translating
    }

    fn response_data(&mut self, data: &[u8], end: bool) -> abi::Result<Step> {
        if !end {
            return Ok(Step::Hold);
        }
        let with = self.own_error(self.status.unwrap_or(500)).body;
        Ok(Step::Edit { first: data.len(), with })
    }

    fn log(&mut self) {
        let ending = self.ending();
        self.abandon(millis(ending.now));
        let record = match &self.exchange {
            Some(exchange) => {
                let settled = calibrations::with(|known| settle::settle(&mut exchange.borrow_mut(), &ending, known));
                cache::keep(&mut exchange.borrow_mut(), &settled, ending.now);
                let exchange = exchange.borrow();
                let limits = limits::settle::settle(&exchange, &settled, millis(ending.now));
                counters::count(&exchange, &settled);
                record::of_exchange(&exchange, &settled, &limits, &ending)
            }
            None => record::of_stranger(&ending),
        };
        if state::set("tollgate.audit", record.as_bytes()).is_err() {
            abi::log(Level::Error, "tollgate: a record could not be written");
        }
    }
}
