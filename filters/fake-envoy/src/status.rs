//! What a host call answers.

/// The proxy-wasm status codes that this host returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Status {
    Ok = 0,
    NotFound = 1,
    BadArgument = 2,
    ParseFailure = 4,
    CasMismatch = 8,
    InternalFailure = 10,
}

/// A call that was not answered with `Ok`.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) status: Status,
    /// Set when correct code never makes this call; without it the status is an ordinary answer.
    pub(crate) violation: Option<String>,
}

impl Refusal {
    pub(crate) fn answer(status: Status) -> Self {
        Self { status, violation: None }
    }

    pub(crate) fn violation(status: Status, why: impl Into<String>) -> Self {
        Self { status, violation: Some(why.into()) }
    }
}

pub(crate) type HostResult<T = ()> = Result<T, Refusal>;
