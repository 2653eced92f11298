//! The whole filter, both roles, on a host that enforces Envoy's phase rules.
#![cfg(not(target_arch = "wasm32"))]
#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    reason = "tests"
)]

mod cache;
mod fleet;
mod gateway;
mod identity;
mod operations;
mod phases;
mod prompts;
