//! What every Tollgate filter decides with.
//!
//! The contract: **deterministic, no I/O, time is an argument.** Nothing here reads a clock, a file, the network or a
//! random number, and nothing knows Envoy; the same input gives the same answer, natively and in wasm. Input is
//! untrusted unless its type says otherwise: it is refused with a reason, never with a panic.

pub mod a2a;
pub mod actor;
pub mod allowed;
pub mod approval;
pub mod authority;
pub mod bounds;
pub mod bytes;
pub mod calibration;
pub mod caller;
pub mod claims;
pub mod confirmation;
pub mod event_stream;
pub mod framing;
pub mod headers;
pub mod hmac;
pub mod json;
pub mod json_rpc;
pub mod jws;
pub mod key_ring;
pub mod limit;
pub mod mcp;
pub mod owned;
pub mod owner;
pub mod pattern;
pub mod protobuf;
pub mod provenance;
pub mod rate_limit_service;
pub mod redact;
pub mod relay;
pub mod rule;
pub mod runaway;
pub mod schema;
pub mod signed_subject;
pub mod signing_keys;
pub mod spiffe;
pub mod sse;
pub mod subject;
pub mod ticket;
pub mod tier;
pub mod timestamp;
pub mod token;
pub mod virtual_key;
pub mod x509;

mod digest;
mod hex;
mod percent;
