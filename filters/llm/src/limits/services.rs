//! The services that keep limits for a fleet, as this filter asks them.

use super::admission::{Admission, Drawn};
use super::draw::Draw;
use crate::config::Gate;
use std::time::Duration;
use tollgate_host::abi::{self, HostError};
use tollgate_host::grpc::{self, CallFailed, CallId, Method};
use tollgate_kernel::rate_limit_service::{Answer, METHOD, SERVICE};

/// Asks for a draw.
///
/// # Errors
/// When there will be no answer.
pub fn ask(gate: &Gate, admission: &Admission, draw: &Draw, now_ms: u64) -> abi::Result<CallId> {
    let claim = admission.claims().get(draw.claim).ok_or(HostError::NotFound)?;
    let service = claim.limit.store.as_ref().and_then(|store| gate.services.get(store)).ok_or(HostError::NotFound)?;
    let method = Method { cluster: service.cluster.as_str(), service: SERVICE, method: METHOD };
    let message = draw.message(service.domain.as_str(), claim, now_ms);
    grpc::call(&method, &message, Duration::from_millis(u64::from(service.timeout_ms)))
}

/// What an answer says. When there is room again follows from our window: the service's own is another.
#[must_use]
pub fn said(answer: Result<Vec<u8>, CallFailed>) -> Drawn {
    match answer.ok().and_then(|bytes| Answer::decode(&bytes).ok()) {
        Some(Answer::Ok) => Drawn::Given,
        Some(Answer::OverLimit { .. }) => Drawn::OverLimit,
        None => Drawn::Failed,
    }
}
