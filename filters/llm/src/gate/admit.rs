//! The request is known: its limits are reserved, the gate answers itself, or it goes on to the candidates.

use super::{AtGate, Ready};
use crate::bill::estimated_input;
use crate::calibrations;
use crate::config::{Candidates, Served, Target};
use crate::exchange::{self, Admitted, millis};
use crate::limits::asked::{Asked, claims};
use crate::limits::need;
use crate::refusal::Refusal;
use crate::route::{ROUTE_HEADER, TARGETS_HEADER};
use std::rc::Rc;
use tollgate_host::abi::{self, Map};
use tollgate_host::stream::{Step, Waker};
use tollgate_kernel::limit::Unit;
use tollgate_kernel::limit::counter::Lapse;
use tollgate_kernel::subject::Label;
use tollgate_limits::{Admission, Granted, told};
use tollgate_wire::endpoint::Operation;
use tollgate_wire::envelope::Envelope;
use tollgate_wire::token_count;

/// A request whose limits are being decided.
#[derive(Debug)]
pub(super) struct Pending {
    /// The model's name.
    name: Label,
    envelope: Envelope,
    operation: Operation,
    candidates: Rc<Candidates>,
    /// The answer, if no provider is needed for it.
    ready: Option<Ready>,
    pub(super) admission: Admission,
}

/// What of a provider's a request uses. To ask is counted in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Uses {
    /// One of them serves it.
    Providers,
    /// The gate has the answer.
    Nothing,
}

impl AtGate {
    /// Answers again, or lets the request go on to those providers of `name` that can do it, in their order.
    pub(super) fn admit(&mut self, name: Label, envelope: Envelope, waker: &Waker) -> abi::Result<Step> {
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
        admission.ask(&self.gate.services, waker, abi::now());
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
        let need =
            |target: &Target| need::of_target(target, operation, envelope, self.estimated_tokens(target, envelope));
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
    pub(super) fn look_again(&mut self) -> abi::Result<Step> {
        let Some(mut pending) = self.pending.take() else { return Ok(Step::Hold) };
        pending.admission.look(abi::now());
        self.go_on(pending)
    }

    /// The request is over before its limits have decided.
    pub(super) fn abandon(&mut self, now_ms: u64) {
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
}
