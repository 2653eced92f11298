//! Unary gRPC calls. Envoy's root context owns them: they outlive the stream that made them, and their answers are
//! delivered to the root.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::status::{HostResult, Refusal, Status};

/// A call that the filter made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrpcCall {
    pub(crate) token: u32,
    pub(crate) root: u32,
    pub(crate) ends: u64,
    /// The cluster it goes to.
    pub cluster: String,
    /// `:authority`, where it is not the cluster's name.
    pub authority: Option<String>,
    /// The service with its package.
    pub service: String,
    /// The method.
    pub method: String,
    /// What is asked.
    pub message: Vec<u8>,
    /// How long Envoy waits.
    pub timeout: Duration,
}

#[derive(Debug, Default)]
pub(crate) struct Grpc {
    pub(crate) unreachable: bool,
    pub(crate) mute: bool,
    last_token: u32,
    pending: BTreeMap<u32, GrpcCall>,
}

impl Grpc {
    /// Envoy's callouts of all kinds share one sequence, whose last bits say the kind.
    pub(crate) fn next_token(&mut self) -> u32 {
        self.last_token += 4;
        self.last_token
    }

    pub(crate) fn start(&mut self, call: GrpcCall) {
        self.pending.insert(call.token, call);
    }

    pub(crate) fn pending(&self) -> Vec<GrpcCall> {
        self.pending.values().cloned().collect()
    }

    pub(crate) fn end(&mut self, token: u32) -> Option<GrpcCall> {
        self.pending.remove(&token)
    }

    /// When the next call times out.
    pub(crate) fn next_timeout(&self, end: u64) -> Option<&GrpcCall> {
        self.pending.values().filter(|call| call.ends <= end && !self.mute).min_by_key(|call| call.ends)
    }

    /// A root that goes takes its calls along; nobody is told.
    pub(crate) fn forget_root(&mut self, root: u32) {
        self.pending.retain(|_, call| call.root != root);
    }
}

/// Reads `GrpcService{envoy_grpc = 1 {cluster_name = 1, authority = 2}}`, lengths of one byte only.
pub(crate) fn target(service: &[u8]) -> HostResult<(String, Option<String>)> {
    let wrong = |why: &str| Refusal::violation(Status::ParseFailure, why);
    let (inner, rest) = field(service, 1).ok_or_else(|| wrong("Envoy may take a cluster's name for a GrpcService"))?;
    let (cluster, more) = field(inner, 1).ok_or_else(|| wrong("no cluster's name"))?;
    let authority = field(more, 2);
    if !rest.is_empty() || authority.map_or(more, |(_, rest)| rest) != b"" {
        return Err(wrong("more than a cluster and an authority"));
    }
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok((text(cluster), authority.map(|(authority, _)| text(authority))))
}

fn field(bytes: &[u8], number: u8) -> Option<(&[u8], &[u8])> {
    match bytes {
        [tag, length, rest @ ..] if *tag == number << 3 | 2 && *length < 0x80 => {
            rest.split_at_checked(usize::from(*length))
        }
        _ => None,
    }
}
