//! Requests.

mod extra;
mod read;
mod read_content;
mod read_tools;
mod write;
mod write_content;
mod write_extra;
mod write_tools;

pub use read::read_request;
pub use write::write_request;

use crate::error::Invalid;
use crate::fields::{At, Fields, read};
use serde_json::value::RawValue;

/// The one member of a union, which must be one of `known`: its name and its value.
fn member<'a>(
    value: &'a RawValue,
    known: &[&'static str],
    at: &At<'_>,
) -> Result<(&'static str, &'a RawValue), Invalid> {
    let fields: Fields<'_> = read(value, at, "an object")?;
    let mut members = fields.iter().filter(|(_, value)| value.get() != "null");
    let (Some((name, value)), None) = (members.next(), members.next()) else {
        return Err(at.fault("must have exactly one member"));
    };
    let known = known.iter().find(|known| **known == name);
    known
        .map(|known| (*known, value))
        .ok_or_else(|| at.fault("is of a kind that cannot be carried to another provider"))
}

fn object<'a>(value: &'a RawValue, at: &At<'_>) -> Result<Fields<'a>, Invalid> {
    read(value, at, "an object")
}

fn list<'a>(value: &'a RawValue, at: &At<'_>) -> Result<Vec<&'a RawValue>, Invalid> {
    read(value, at, "an array")
}

#[cfg(test)]
mod tests;
