//! How tickets travel: in a header of their own, and in `tracestate` (W3C Trace Context), which agents with tracing carry on by
//! themselves. They do so only where there is a `traceparent`; who has sent none gets one.

use super::{HEADER, Ticket, Transaction};
use crate::headers::Headers;
use crate::hex;

/// Our member of `tracestate`.
pub const MEMBER: &str = "tollgate";
/// The header with the members of all who trace.
pub const STATE: &str = "tracestate";
/// The header that says which call this is.
pub const PARENT: &str = "traceparent";

/// As long as everybody carries on.
const MAX_STATE: usize = 512;
const MAX_MEMBERS: usize = 32;
/// What is longer goes first when there is too much.
const LONG_MEMBER: usize = 128;
const MAX_PART: usize = 256;

/// What a request brings with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrived {
    ticket: Option<Vec<u8>>,
    has_parent: bool,
    others: Vec<String>,
}

/// What goes on with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Onward {
    /// `traceparent`, where another one than came.
    pub parent: Option<String>,
    /// `tracestate`.
    pub state: String,
}

impl Arrived {
    /// What these headers say.
    #[must_use]
    pub fn of(headers: Headers<'_>) -> Self {
        let mut parents = headers.all(PARENT);
        let has_parent = parents.next().is_some_and(is_parent) && parents.next().is_none();
        let mut all = Self { ticket: None, has_parent, others: Vec::new() };
        headers.all(HEADER).for_each(|ticket| all.present(ticket));
        for member in headers.all(STATE).flat_map(|state| state.split(|byte| *byte == b',')) {
            all.member(member.trim_ascii());
        }
        all
    }

    /// The ticket that is presented: the first one, and that in its own header before any in `tracestate`, which may be older where
    /// Envoy traces too. Who has several may present any.
    #[must_use]
    pub fn ticket(&self) -> Option<&[u8]> {
        self.ticket.as_deref()
    }

    /// What the callee gets. `span` is random, and names the call where nothing else does.
    #[must_use]
    pub fn with(&self, ticket: &Ticket, text: &str, span: [u8; 8]) -> Onward {
        let Transaction(trace) = ticket.transaction;
        let parent = || format!("00-{}-{}-01", hex::write(&trace), hex::write(&span));
        Onward { parent: (!self.has_parent).then(parent), state: self.state(Some(format!("{MEMBER}={text}"))) }
    }

    /// `tracestate` without a ticket. It may be empty.
    #[must_use]
    pub fn without(&self) -> String {
        self.state(None)
    }

    fn state(&self, own: Option<String>) -> String {
        let mut all: Vec<&str> = own.as_deref().into_iter().chain(self.others.iter().map(String::as_str)).collect();
        all.truncate(MAX_MEMBERS);
        let kept = usize::from(own.is_some());
        while length(&all) > MAX_STATE && all.len() > kept {
            let long = all.iter().skip(kept).rposition(|member| member.len() > LONG_MEMBER);
            all.remove(long.map_or(all.len().saturating_sub(1), |at| at.saturating_add(kept)));
        }
        all.join(",")
    }

    #[inline(never)]
    fn present(&mut self, ticket: &[u8]) {
        self.ticket.get_or_insert_with(|| ticket.to_vec());
    }

    /// What is no member is left out: it would make the others unreadable. Without a parent the others mean nothing.
    #[inline(never)]
    fn member(&mut self, member: &[u8]) {
        let mut parts = member.splitn(2, |byte| *byte == b'=');
        let (key, value) = (parts.next().unwrap_or_default(), parts.next());
        if key.trim_ascii().eq_ignore_ascii_case(MEMBER.as_bytes()) {
            return self.present(value.unwrap_or_default().trim_ascii());
        }
        let key_is = |other: &String| other.as_bytes().strip_prefix(key).is_some_and(|rest| rest.starts_with(b"="));
        if self.has_parent
            && self.others.len() < MAX_MEMBERS
            && is_key(key)
            && value.is_some_and(is_value)
            && !self.others.iter().any(key_is)
        {
            self.others.extend(str::from_utf8(member).map(str::to_owned));
        }
    }
}

fn length(members: &[&str]) -> usize {
    members.iter().map(|member| member.len().saturating_add(1)).fold(0, usize::saturating_add).saturating_sub(1)
}

/// As version 1 has it: who reads one that is none discards all.
fn is_key(key: &[u8]) -> bool {
    let named = |part: &[u8], first: fn(&u8) -> bool, most: usize| {
        let allowed = |byte: &u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'*' | b'/');
        part.first().is_some_and(first) && part.len() <= most && part.iter().all(allowed)
    };
    let mut parts = key.splitn(2, |byte| *byte == b'@');
    match (parts.next().unwrap_or_default(), parts.next()) {
        (key, None) => named(key, u8::is_ascii_lowercase, MAX_PART),
        (tenant, Some(system)) => {
            named(tenant, |first| matches!(first, b'a'..=b'z' | b'0'..=b'9'), 241)
                && named(system, u8::is_ascii_lowercase, 14)
        }
    }
}

fn is_value(value: &[u8]) -> bool {
    let allowed = |byte: &u8| matches!(byte, b' '..=b'~') && !matches!(byte, b',' | b'=');
    (1..=MAX_PART).contains(&value.len()) && value.iter().all(allowed)
}

/// Whether who reads it finds a call in it. A later version may say more at the end.
fn is_parent(value: &[u8]) -> bool {
    let Some((known, more)) = value.split_first_chunk::<55>() else { return false };
    let mut parts = known.split(|byte| *byte == b'-');
    let mut hex = |length: usize| {
        let digits =
            |part: &&[u8]| part.len() == length && part.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        parts.next().filter(digits)
    };
    let (version, trace, span, flags) = (hex(2), hex(32), hex(16), hex(2));
    let some = |part: Option<&[u8]>| part.is_some_and(|part| part.iter().any(|byte| *byte != b'0'));
    let ends = match version {
        Some(b"00") => more.is_empty(),
        Some(b"ff") | None => false,
        Some(_) => more.first().is_none_or(|first| *first == b'-'),
    };
    ends && some(trace) && some(span) && flags.is_some()
}
