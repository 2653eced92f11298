//! A2A, as far as requests are decided upon and answers are recorded: versions 0.3 and 1.0, over JSON-RPC and HTTP+JSON. gRPC is
//! recognised and not read.
//!
//! There is one model for all of them: an [`Operation`], and what a [`Call`] says wherever its version and binding put it. Who
//! arrives is a [`Request`] first, by method, path and headers ([`Arrival::of`]), and a [`Call`] once its body is there
//! ([`Request::read`]). Version header, query and the names of what is asked for must agree: an agent that reads another version
//! than we do would do something else than what was allowed.

pub mod answer;
mod call;
pub mod card;
pub mod conversation;
mod extension;
mod fault;
mod id;
mod member;
mod operation;
pub mod policy;
pub mod push;
mod push_config;
mod query;
mod refusal;
mod request;
mod route;
mod skill;
mod version;

pub use call::Call;
pub use fault::{Fault, Reason};
pub use id::{MAX_ID, is_id};
pub use operation::{Binding, Dialect, Named, Operation};
pub use push_config::PushConfig;
pub use refusal::{Answer, Error, Refused};
pub use request::{Arrival, Body, Head, Request};
pub use skill::{NotKeys, SkillKeys};
pub use version::Version;

#[cfg(test)]
mod tests;
