//! What is known of servers' tools: what they list, as it passes through.
//!
//! Each server has a [`Catalogue`], which all workers share ([`Shelf`]). A [`Listing`] learns from one answer with a list, and
//! says what of it is held back; [`Called`] is what is known of the tool that a call is for. What speaks against a tool is an
//! [`Objection`].

mod called;
mod catalogue;
mod codec;
mod findings;
mod listing;
mod objection;
pub mod results;
mod schemas;
mod shelf;
#[cfg(test)]
mod tests;

pub use called::Called;
pub use catalogue::{Catalogue, Facts, MAX_BYTES, MAX_DEFINITIONS, MAX_TOOLS, News, SchemaText, Seen, Tool};
pub use findings::{Changed, Findings, Some16};
pub use listing::Listing;
pub use objection::{Judgement, Objection, judge};
pub use results::Results;
pub use shelf::{Shelf, prepare};
