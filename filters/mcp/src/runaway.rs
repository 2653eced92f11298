//! Agents that have lost their way, as all workers of this Envoy see them.
//!
//! What is known of them is in Envoy's shared data, in a fixed number of watches, each changed by compare-and-swap. Should that
//! not be possible, a call goes on: it is a guard against mistakes, not against enemies, for whom there are rules and limits.

use crate::exchange::{Exchange, Object};
use tollgate_host::abi::{self, Level};
use tollgate_host::shared_data;
use tollgate_kernel::caller::Caller;
use tollgate_kernel::mcp::answer::Outcome;
use tollgate_kernel::runaway::{Fingerprint, Lost, Runaway, WATCHES, Watch};
use tollgate_kernel::subject::{Field, Subject, SubjectField};

/// What tells one agent from another.
const OWN: [SubjectField; 4] = [
    SubjectField::Key,
    SubjectField::Other(Field::User),
    SubjectField::Other(Field::Team),
    SubjectField::Other(Field::Agent),
];

/// Whether the call of an exchange could be made. It is not counted: it may have to wait for somebody's yes first, and an agent
/// that asks again whether that is there goes round in no circle.
///
/// # Errors
/// Why not.
pub fn look(rules: &Runaway, exchange: &Exchange, now_ms: u64) -> Result<(), Lost> {
    let Some((who, call)) = watched(rules, exchange) else { return Ok(()) };
    let known = shared_data::read(&name(who.watch())).ok().and_then(|bytes| Watch::read(&bytes));
    known.map_or(Ok(()), |mut watch| watch.begin(rules, who, call, now_ms))
}

/// Whether the call of an exchange may be made, which is then counted.
///
/// # Errors
/// Why not.
pub fn begin(rules: &Runaway, exchange: &Exchange, now_ms: u64) -> Result<(), Lost> {
    let Some((who, call)) = watched(rules, exchange) else { return Ok(()) };
    change(who, |watch| watch.begin(rules, who, call, now_ms)).unwrap_or(Ok(()))
}

/// The call of an exchange is over.
pub fn end(rules: &Runaway, exchange: &Exchange, now_ms: u64) {
    let Some(errors) = rules.errors else { return };
    let Some((who, _)) = fingerprints(exchange) else { return };
    let failed = match exchange.tally.outcome {
        Outcome::ToolError | Outcome::Error(_) => true,
        Outcome::None | Outcome::Result | Outcome::InputRequired | Outcome::Task | Outcome::Unread => false,
    };
    change(who, |watch| watch.end(&errors, who, failed, now_ms));
}

/// Who calls, and what, if there are rules for that.
fn watched(rules: &Runaway, exchange: &Exchange) -> Option<(Fingerprint, Fingerprint)> {
    if *rules == Runaway::default() { None } else { fingerprints(exchange) }
}

/// Who calls, and what.
fn fingerprints(exchange: &Exchange) -> Option<(Fingerprint, Fingerprint)> {
    let asked = exchange.asked.as_ref().filter(|asked| asked.is_call())?;
    let Some(Object::Tool(tool)) = &asked.object else { return None };
    let Caller { subject, .. } = &**exchange.caller.as_ref()?;
    Some((fingerprint(subject), Fingerprint::of_call(tool, asked.arguments.as_ref())))
}

fn fingerprint(subject: &Subject) -> Fingerprint {
    Fingerprint::of(&OWN.map(|field| subject.text(field).unwrap_or_default()))
}

fn name(watch: u16) -> String {
    format!("tollgate.runaway.1.{watch}")
}

/// Makes the watches, if nobody has yet. Made by the first calls, two workers at once would make one twice, and forget a call.
///
/// # Errors
/// When the host refuses.
pub(crate) fn prepare() -> abi::Result<()> {
    shared_data::prepare((0..WATCHES).map(name), &Watch::default().write())
}

fn change<T>(who: Fingerprint, change: impl Fn(&mut Watch) -> T) -> Option<T> {
    let changed = shared_data::change(&name(who.watch()), |bytes| {
        let mut watch = Watch::read(bytes).unwrap_or_default();
        let result = change(&mut watch);
        Some((watch.write(), result))
    });
    if changed.is_err() {
        abi::log(Level::Warn, "tollgate: an agent could not be watched");
    }
    changed.ok()
}
