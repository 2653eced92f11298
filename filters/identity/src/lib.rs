//! Who asks, for every filter.
//!
//! [`IdentityConfig`] is what an operator writes of it; checked, it is an [`Identity`], by which [`identify`] finds out who has
//! sent a request, or the [`Fault`] of what the request shows.

mod certificate;
mod config;
pub mod credentials;
mod fault;
mod identify;
mod known;
pub mod signing;
mod without_models;

pub use config::{Identity, IdentityConfig, Jwt, Mtls, Part, SignedHeader, signing_keys};
pub use fault::{Fault, NotProven, Unidentified};
pub use identify::{Token, claimed, identify, shows_token, token_of};
pub use known::Known;
pub use without_models::without_models;

#[cfg(all(test, not(target_arch = "wasm32")))]
use fake_envoy as _; // what the host's ABI is linked to
