//! Call tickets.

use tollgate_kernel::headers::Headers;
use tollgate_kernel::signing_keys::SigningKeys;
use tollgate_kernel::subject::{Label, Subject};
use tollgate_kernel::ticket::trace::{Arrived, Onward};
use tollgate_kernel::ticket::{Edge, Ticket, Transaction, calls};

/// What agents bring with them of the calls before theirs, and what is kept of these: the first byte says which of them the others
/// are.
pub fn tickets(data: &[u8]) {
    let Some((which, bytes)) = data.split_first() else { return };
    let caller = Subject { agent: Label::try_from("a".to_owned()).ok(), ..Subject::default() };
    let keys = SigningKeys::random(&[7; 32]);
    match which % 3 {
        0 => assert!(Ticket::verify(&keys, bytes, &caller, 0).is_err(), "nobody signed this"),
        1 => {
            if let Some(slot) = calls::Slot::read(bytes) {
                assert_eq!(slot.write(), bytes);
            }
        }
        _ => trace(bytes, &Ticket::of_call(None, Edge { caller: &caller, callee: "b" }, Transaction([1; 16]), 1)),
    }
}

/// Two lines: what was sent as `traceparent`, and as `tracestate`. What goes on is what everybody can read.
fn trace(bytes: &[u8], ticket: &Ticket) {
    let (parent, state) = bytes.split_at(bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len()));
    let state = state.strip_prefix(b"\n").unwrap_or_default();
    let onward = Arrived::of(Headers(&[("traceparent", parent), ("tracestate", state)])).with(ticket, "t", [1; 8]);
    let parent = onward.parent.as_deref().map_or(parent, str::as_bytes);
    assert!(onward.state.len() <= 512 && onward.state.split(',').count() <= 32);
    let again = Arrived::of(Headers(&[("traceparent", parent), ("tracestate", onward.state.as_bytes())]));
    assert_eq!(again.ticket(), Some(&b"t"[..]));
    assert_eq!(again.with(ticket, "t", [1; 8]), Onward { parent: None, state: onward.state });
}
