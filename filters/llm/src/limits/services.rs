//! The services that keep limits for a fleet, as this filter asks them.

use super::admission::{Admission, Drawn};
use super::draw::Draw;
use crate::config::Gate;
use std::time::Duration;
use tollgate_host::abi::{self, HostError};
use tollgate_host::grpc::{self, CallFailed, CallId, Method};
use tollgate_kernel::rate_limit_service::{METHOD, Response, SERVICE};

/// Asks for a draw.
///
/// # Errors
/// When there will be no answer.
pub fn ask(gate: &Gate, admission: &Admission, draw: &Draw) -> abi::Result<CallId> {
    let claim = admission.claims().get(draw.claim).ok_or(HostError::NotFound)?;
    let service = claim.limit.store.as_ref().and_then(|store| gate.services.get(store)).ok_or(HostError::NotFound)?;
    let method = Method { cluster: service.cluster.as_str(), service: SERVICE, method: METHOD };
    let message = draw.message(service.domain.as_str(), claim);
    grpc::call(&method, &message, Duration::from_millis(u64::from(service.timeout_ms)))
}

/// What an answer says.
#[must_use]
pub fn said(answer: Result<Vec<u8>, CallFailed>) -> Drawn {
    match answer.ok().and_then(|bytes| Response::read(&bytes)) {
        Some(Response::Ok) => Drawn::Given,
        Some(Response::OverLimit { resets_in_s }) => {
            Drawn::OverLimit { resets_in_ms: resets_in_s.map(|seconds| seconds.saturating_mul(1000)) }
        }
        None => Drawn::Failed,
    }
}
