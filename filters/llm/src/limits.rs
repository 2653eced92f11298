//! Limits of a request for a model: which count for it ([`asked`]), what it may use at most of each target ([`need`]) and what it
//! used ([`settle`]). The rest is [`tollgate_limits`]'.

pub mod asked;
pub mod need;
pub mod settle;
