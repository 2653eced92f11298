//! The gate: downstream, once per request. Who asks, what for, is it allowed, and who may serve it; and at the end the
//! record.

use crate::bill::estimated_input;
use crate::cache::{self, Again, CACHE_HEADER, Consulted, Delivery, Question, Wish};
use crate::config::{Candidates, Gate, Served, Target};
use crate::exchange::{self, Admitted, Carried, Exchange, Outcome, Shared, millis, seconds};
use crate::identity::{Unidentified, identify};
use crate::limits::admission::Admission;
use crate::limits::claim::{Asked, claims};
use crate::limits::{self, Granted, Need, told};
use crate::refusal::{Refusal, error_reply};
use crate::route::{ROUTE_HEADER, TARGETS_HEADER};
use crate::settle::{self, Ending};
use crate::{arrival, attempt, calibrations, counters, models, record};
use std::cell::RefCell;
use std::rc::Rc;
use tollgate_host::abi::{self, Level, Map};
use tollgate_host::headers::{self, Headers};
use tollgate_host::state;
use tollgate_host::stream::{Reply, RequestBody, Step, Stream, Waker};
use tollgate_kernel::caller::Denied;
use tollgate_kernel::limit::Unit;
use tollgate_kernel::limit::counter::Lapse;
use tollgate_kernel::subject::Label;
use tollgate_wire::Format;
use tollgate_wire::endpoint::{Endpoint, Operation};
use tollgate_wire::envelope::Envelope;
use tollgate_wire::error::{ApiError, ErrorKind};
use tollgate_wire::token_count;

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

/// A request whose limits are being decided.
#[derive(Debug)]
struct Pending {
    /// The model's name.
    name: Label,
    envelope: Envelope,
    operation: Operation,
    candidates: Rc<Candidates>,
    /// The answer, if no provider is needed for it.
    ready: Option<Ready>,
    admission: Admission,
}

/// An answer that the gate has itself, and for what reason.
#[derive(Debug)]
struct Ready {
    reason: &'static str,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

/// What of a provider's a request uses. To ask is counted in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Uses {
    /// One of them serves it.
    Providers,
    /// The gate has the answer.
    Nothing,
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

    fn read_headers(&mut self, headers: &Headers) -> Result<(), Refusal> {
        let Some(endpoint) = &self.endpoint else { return Err(Refusal::UnknownPath) };
        if headers.one(":method") != Some(endpoint.method().as_bytes()) {
            return Err(Refusal::Method { allowed: endpoint.method() });
        }
        endpoint.check_query(arrival::target(headers).1).map_err(Refusal::Invalid)?;
        let has_body = endpoint.operation != Operation::Models;
        if headers.all("content-encoding").any(|value| !value.eq_ignore_ascii_case(b"identity")) {
            return Err(Refusal::ContentEncoding);
        }
        if has_body && !headers.is_media_type("application/json") {
            return Err(Refusal::ContentType);
        }
        let began = self.shared(|exchange| exchange.began);
        let (caller, refusal) = match identify(&self.gate, headers, seconds(began.unwrap_or_default())) {
            Ok(caller) => (Some(caller), None),
            Err(Unidentified { refusal, known }) => (known, Some(refusal)),
        };
        self.shared(|exchange| exchange.caller = caller);
        refusal.map_or(Ok(()), Err)
    }

    fn read_body(&self, body: &RequestBody) -> abi::Result<Result<(Label, Envelope), Refusal>> {
        let Some(endpoint) = &self.endpoint else { return Ok(Err(Refusal::UnknownPath)) };
        let bytes = body.read(body.size)?;
        let caller = self.shared(|exchange| exchange.caller.clone()).flatten();
        Ok(Envelope::read(endpoint, &bytes).map_err(Refusal::Invalid).and_then(|envelope| {
            self.shared(|exchange| exchange.asked = Some((envelope.model.clone(), envelope.stream)));
            let Some((name, model)) = self.gate.models.get_key_value(envelope.model.as_str()) else {
                return Err(Refusal::UnknownModel);
            };
            let caller = caller.ok_or(Refusal::NoKey)?;
            match caller.check(name.as_str(), model.route.as_str()) {
                Ok(()) => {
                    self.consult(endpoint, name, &envelope, &bytes);
                    Ok((name.clone(), envelope))
                }
                Err((Denied::Model, proof)) => Err(Refusal::ModelNotAllowed { by: proof.rule() }),
                Err((Denied::Route, proof)) => Err(Refusal::RouteNotAllowed { by: proof.rule() }),
            }
        }))
    }

    /// Asks whether the cache may have the answer, or may keep it.
    fn consult(&self, endpoint: &Endpoint, model: &Label, envelope: &Envelope, body: &[u8]) {
        let served = self.gate.models.get(model).and_then(|served| served.cache.as_ref());
        let kept = matches!(endpoint.operation, Operation::Chat | Operation::Embeddings);
        let Some(cached) = served.filter(|_| kept) else { return };
        let (cache, carried, wish) = (&self.gate.cache, &self.carried, self.wish);
        self.shared(|exchange| {
            let subject = exchange.caller.as_ref().map(|caller| &caller.subject);
            let question = Question { cache, model, cached, endpoint, envelope, carried, subject, wish };
            exchange.cache = Some(Consulted::of(&question, body));
        });
    }

    /// The answer that the cache has.
    fn look_up(&self, envelope: &Envelope) -> Option<Again> {
        let (stream, include_usage) = (envelope.stream, envelope.include_usage);
        let delivery = Delivery { format: self.format(), stream, include_usage };
        self.shared(|exchange| exchange.cache.as_mut()?.look_up(delivery, abi::now())).flatten()
    }

    /// Answers again, or lets the request go on to those providers of `name` that can do it, in their order.
    fn admit(&mut self, name: Label, envelope: Envelope, waker: &Waker) -> abi::Result<Step> {
        let gate = Rc::clone(&self.gate);
        let Some(model) = gate.models.get(&name) else { return Ok(self.refuse(Refusal::UnknownModel)) };
        let Some(operation) = self.endpoint.as_ref().map(|endpoint| endpoint.operation) else {
            return Ok(self.refuse(Refusal::UnknownPath));
        };
        let candidates = model.candidates(&self.gate, operation, self.format());
        let ready = if candidates.targets.is_empty() && operation == Operation::CountTokens {
            let tokens = model.targets.first().map_or(0, |target| self.estimated_tokens(target, &envelope));
            Some(Ready::json("tokens_estimated", token_count::write(self.format(), tokens)))
        } else {
            self.look_up(&envelope).map(Ready::again)
        };
        let (uses, targets) = match &ready {
            Some(_) => (Uses::Nothing, (0..model.targets.len()).collect()),
            None => (Uses::Providers, candidates.targets.clone()),
        };
        if targets.is_empty() {
            return Ok(self.refuse(Refusal::NotServedByModel { operation }));
        }
        let mut admission = self.reserve(model, &name, &envelope, operation, targets, uses);
        admission.ask(&self.gate, waker, abi::now());
        self.go_on(Box::new(Pending { name, envelope, operation, candidates, ready, admission }))
    }

    /// Reserves of all limits that count for the request what it may use.
    fn reserve(
        &self,
        model: &Served,
        name: &Label,
        envelope: &Envelope,
        operation: Operation,
        targets: Vec<usize>,
        uses: Uses,
    ) -> Admission {
        let caller = self.shared(|exchange| exchange.caller.clone()).flatten();
        let claims = caller.as_ref().map_or_else(Vec::new, |caller| {
            let own = caller.key().map_or(&[][..], |key| &key.limits);
            let asked = Asked {
                subject: &caller.subject,
                model: name.as_str(),
                route: model.route.as_str(),
                operation: operation.name(),
            };
            let mut claims = claims(self.gate.limits.iter().chain(own), &asked, &model.targets, &targets);
            if uses == Uses::Nothing {
                claims.retain(|claim| claim.limit.unit == Unit::Requests && claim.targets.is_none());
            }
            claims
        });
        let need = |target: &Target| Need::of(target, operation, envelope, self.estimated_tokens(target, envelope));
        let needs = if claims.is_empty() { Vec::new() } else { model.targets.iter().map(need).collect() };
        let lapse = Lapse(self.gate.bounds.reservation_s);
        Admission::begin(claims, needs, targets, lapse, millis(abi::now()))
    }

    /// Decides what is decided, or holds the request until its deadline.
    fn go_on(&mut self, pending: Box<Pending>) -> abi::Result<Step> {
        if pending.admission.is_decided() {
            return self.decide(*pending);
        }
        self.pending = Some(pending);
        Ok(Step::Hold)
    }

    /// Services that keep limits have answered, or it is too late.
    fn look_again(&mut self) -> abi::Result<Step> {
        let Some(mut pending) = self.pending.take() else { return Ok(Step::Hold) };
        pending.admission.look(abi::now());
        self.go_on(pending)
    }

    /// The request is over before its limits have decided.
    fn abandon(&mut self, now_ms: u64) {
        if let Some(pending) = self.pending.take() {
            let granted = pending.admission.abandon(now_ms);
            self.shared(|exchange| exchange.limits = granted);
        }
    }

    /// All limits have decided.
    fn decide(&mut self, pending: Pending) -> abi::Result<Step> {
        let Pending { name, envelope, operation, candidates, ready, admission } = pending;
        let now_ms = millis(abi::now());
        let ended = admission.end(now_ms);
        let (granted, left) = match ended {
            Ok(granted) => granted,
            Err((denial, granted)) => {
                self.keep(granted, now_ms);
                return Ok(self.refuse(Refusal::Limit(Box::new(denial))));
            }
        };
        self.keep(granted, now_ms);
        if let Some(ready) = ready {
            return Ok(self.answer(ready));
        }
        let Some(model) = self.gate.models.get(&name) else { return Ok(self.refuse(Refusal::UnknownModel)) };
        let candidates = model.only(&self.gate, &candidates, &left);
        self.let_go(name, envelope, operation, candidates)
    }

    /// Keeps what the request holds of its limits, for the end and for what the client is told.
    fn keep(&self, granted: Granted, now_ms: u64) {
        let standing = if self.gate.ratelimit_headers { told::headers(&granted, now_ms) } else { Vec::new() };
        self.shared(|exchange| (exchange.limits, exchange.standing) = (granted, standing));
    }

    /// Lets the request go on to the candidates.
    fn let_go(
        &mut self,
        name: Label,
        envelope: Envelope,
        operation: Operation,
        candidates: Rc<Candidates>,
    ) -> abi::Result<Step> {
        let Some((model, exchange)) = self.gate.models.get(&name).zip(self.exchange.clone()) else {
            return Ok(self.refuse(Refusal::UnknownModel));
        };
        for header in &self.strip {
            abi::remove_header(Map::Request, header)?;
        }
        let retries = candidates.targets.len().saturating_sub(1);
        abi::set_header(Map::Request, "x-envoy-max-retries", retries.to_string().as_bytes())?;
        abi::set_header(Map::Request, ROUTE_HEADER, model.route.as_str().as_bytes())?;
        abi::set_header(Map::Request, TARGETS_HEADER, candidates.header.as_bytes())?;
        let carried = std::mem::take(&mut self.carried);
        let admitted = Admitted { gate: Rc::clone(&self.gate), operation, model: name, candidates, envelope, carried };
        exchange.borrow_mut().admitted = Some(Rc::new(admitted));
        self.entry = Some(exchange::publish(&exchange)?);
        Ok(Step::Go)
    }

    /// What the request will roughly count as input of a target.
    fn estimated_tokens(&self, target: &Target, envelope: &Envelope) -> u64 {
        let bytes = self.shared(|exchange| exchange.request_bytes).unwrap_or_default();
        estimated_input(bytes, envelope.media, &calibrations::with(|known| known.of(target)))
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
    fn request_headers(&mut self) -> abi::Result<Step> {
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

    fn reads_response(&self) -> bool {
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
                told::decisions(&exchange.limits);
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
