//! "Are you sure?": the part of the gate that asks.

pub mod confirm;
mod html;
pub mod http;
pub mod page;
pub mod store;
