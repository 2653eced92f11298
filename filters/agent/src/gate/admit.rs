//! What may be said is reserved of its limits, and goes on.

use super::{AtGate, millis};
use crate::limits;
use crate::refusal::Refusal;
use crate::ticket;
use tollgate_host::abi::{self, Map};
use tollgate_host::headers::Headers;
use tollgate_host::stream::{Step, Waker};
use tollgate_kernel::a2a::conversation::{Guard, Route};
use tollgate_limits::Admission;

impl AtGate {
    /// Reserves what the request may use of its limits.
    pub(super) fn admit(&mut self, waker: &Waker) -> abi::Result<Step> {
        let now = abi::now();
        let mut admission = limits::reserve(&self.gate, &self.exchange, self.not_theirs.is_some(), millis(now));
        admission.ask(&self.gate.services, waker, now);
        self.go_on(Box::new(admission))
    }

    /// Decides what is decided, or holds the request until its deadline.
    fn go_on(&mut self, admission: Box<Admission>) -> abi::Result<Step> {
        if !admission.is_decided() {
            self.pending = Some(admission);
            return Ok(Step::Hold);
        }
        match admission.end(millis(abi::now())) {
            Ok((granted, _)) => {
                self.exchange.limits = granted;
                match self.not_theirs.take() {
                    Some(refusal) => Ok(self.refuse(refusal)),
                    None => self.forward(),
                }
            }
            Err((denial, granted)) => {
                self.exchange.limits = granted;
                Ok(self.refuse(Refusal::Limit(Box::new(denial))))
            }
        }
    }

    /// Services that keep limits have answered, or it is too late.
    pub(super) fn look_again(&mut self) -> abi::Result<Step> {
        let Some(mut admission) = self.pending.take() else { return Ok(Step::Hold) };
        admission.look(abi::now());
        self.go_on(admission)
    }

    /// Lets the request go to its agent.
    fn forward(&mut self) -> abi::Result<Step> {
        self.exchange.went_on = true;
        if self.gate.hold_headers {
            self.change_headers()?;
        }
        self.headers = Headers::NONE;
        self.arrival = None;
        Ok(match self.body.take() {
            Some(with) => Step::Edit { first: self.exchange.request_bytes, with },
            None => Step::Go,
        })
    }

    /// Makes of the client's headers those that its agent gets.
    pub(super) fn change_headers(&self) -> abi::Result<()> {
        self.strip.iter().try_for_each(|header| abi::remove_header(Map::Request, header))?;
        if let Some(route) = self.exchange.guard.as_ref().and_then(Guard::route) {
            abi::set_header(Map::Request, Route::HEADER, route.value().as_bytes())?;
        }
        match &self.exchange.hop {
            Some(hop) => hop.carry(&self.gate),
            None => ticket::remove(&self.headers),
        }
    }
}
