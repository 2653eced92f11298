//! What may be said is reserved of its limits, uses the yes or the note that it needs, and goes on.

use super::{AtGate, millis};
use crate::limits;
use crate::provenance;
use crate::refusal::Refusal;
use crate::session::Session;
use tollgate_host::abi::{self, Map};
use tollgate_host::headers::Headers;
use tollgate_host::stream::{Step, Waker};
use tollgate_limits::Admission;

impl AtGate {
    /// Reserves what the request may use of its limits.
    pub(super) fn admit(&mut self, waker: &Waker) -> abi::Result<Step> {
        let now = abi::now();
        let mut admission = limits::reserve(&self.gate, &self.exchange, millis(now));
        admission.ask(&self.gate.services, waker, now);
        self.go_on(Box::new(admission))
    }

    /// Decides what is decided, or holds the request until its deadline.
    pub(super) fn go_on(&mut self, admission: Box<Admission>) -> abi::Result<Step> {
        if !admission.is_decided() {
            self.pending = Some(admission);
            return Ok(Step::Hold);
        }
        match admission.end(millis(abi::now())) {
            Ok((granted, _)) => {
                self.exchange.limits = granted;
                // Before the yes: a person's is worth more than a model's.
                match provenance::take(&mut self.exchange, millis(abi::now())) {
                    Ok(()) => self.use_agreed(),
                    Err(refusal) => Ok(self.refuse(refusal)),
                }
            }
            Err((denial, granted)) => {
                self.exchange.limits = granted;
                Ok(self.refuse(Refusal::Limit(Box::new(denial))))
            }
        }
    }

    /// Uses the yes that the call has, if it needed one.
    pub(super) fn use_agreed(&mut self) -> abi::Result<Step> {
        let Some((agreed, refusal)) = self.agreed.take() else { return self.forward() };
        if let Err(waits) = agreed.take(millis(abi::now())) {
            self.exchange.approval = None;
            return Ok(self.refuse(refusal.because(waits)));
        }
        let Some(with) = agreed.body else { return self.forward() };
        self.forward()?;
        Ok(Step::Edit { first: self.exchange.request_bytes, with })
    }

    /// Services that keep limits have answered, or it is too late.
    pub(super) fn look_again(&mut self) -> abi::Result<Step> {
        let Some(mut admission) = self.pending.take() else { return Ok(Step::Hold) };
        admission.look(abi::now());
        self.go_on(admission)
    }

    /// Lets the request go to its server.
    pub(super) fn forward(&mut self) -> abi::Result<Step> {
        self.exchange.went_on = true;
        if self.gate.hold_headers {
            self.change_headers()?;
        }
        self.headers = Headers::NONE;
        Ok(Step::Go)
    }

    /// Makes of the client's headers those that its server gets.
    pub(super) fn change_headers(&self) -> abi::Result<()> {
        for header in &self.strip {
            abi::remove_header(Map::Request, header)?;
        }
        self.exchange.session.as_ref().map_or(Ok(()), Session::go_on)
    }
}
