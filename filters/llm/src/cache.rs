//! Answers that are given again: in slots of shared data, which all workers see. Only for the tenant who was given them,
//! only to the same question, and only while they are whole.
//!
//! `question` says which key an answer has, `entry` how it is kept. A slot is a key modulo the number of slots, so the
//! newest answer wins it. Whatever is wrong with a slot, or with the store, is a miss.

pub(crate) mod digest;
mod entry;
mod question;
mod wish;

use crate::budget::Share;
use crate::config::{Cache, ModelCache};
use crate::exchange::{Attempt, Exchange, Outcome};
use crate::settle::{End, Settled};
use digest::Digest;
use entry::Entry;
pub(crate) use question::Question;
use std::fmt;
use tollgate_host::abi::{self, Level};
use tollgate_kernel::subject::Label;
use tollgate_wire::Format;
use tollgate_wire::conversation::StopReason;
use tollgate_wire::endpoint::Operation;
use tollgate_wire::money::NanoUsd;
use tollgate_wire::replay;
use tollgate_wire::stream::Writer;
use tollgate_wire::usage::Certainty;
pub(crate) use wish::Wish;

/// Tells the client what the cache did.
pub(crate) const CACHE_HEADER: &str = "x-tollgate-cache";

/// Tells the client what an answer had cost that was given again.
pub(crate) const SAVED_HEADER: &str = "x-tollgate-saved-usd";

const NANOS: u64 = 1_000_000_000;

/// What the cache has to do with one exchange.
#[derive(Debug)]
pub struct Consulted {
    /// The configured name of the model asked for.
    pub model: Label,
    /// What it did.
    pub found: Found,
    /// The answer was kept.
    pub stored: bool,
    place: Option<Place>,
    answer: Option<Answer>,
}

/// What the cache did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// It had the answer.
    Hit {
        /// Its age in seconds.
        age: u64,
        /// What it had cost; `None` when nobody knew.
        saved: Option<NanoUsd>,
    },
    /// It did not have it.
    Miss,
    /// It was not asked, for this reason.
    Bypass(&'static str),
    /// The store refused.
    Unavailable,
}

impl Found {
    /// The word in headers and records, and the reason.
    #[must_use]
    pub const fn told(self) -> (&'static str, Option<&'static str>) {
        match self {
            Self::Hit { .. } => ("hit", None),
            Self::Miss => ("miss", None),
            Self::Bypass(reason) => ("bypass", Some(reason)),
            Self::Unavailable => ("miss", Some("unavailable")),
        }
    }

    /// The word in metrics.
    #[must_use]
    pub const fn outcome(self) -> &'static str {
        match self {
            Self::Unavailable => "unavailable",
            found => found.told().0,
        }
    }
}

/// Where an answer is, or is to be, and on which conditions.
#[derive(Debug, Clone, Copy)]
struct Place {
    key: Digest,
    slots: usize,
    entry_bytes: usize,
    policy: ModelCache,
    max_age: Option<u64>,
}

impl Place {
    /// The slot's key in shared data.
    fn slot(&self) -> String {
        let mut first = [0; 8];
        first.iter_mut().zip(self.key.0).for_each(|(to, from)| *to = from);
        let slots = u64::try_from(self.slots).unwrap_or(1).max(1);
        format!("tollgate.cache.{}", u64::from_be_bytes(first).checked_rem(slots).unwrap_or_default())
    }

    /// The age of an answer that may be given `now`, in seconds. One from the future is of a clock that was set back.
    fn age(&self, entry: &Entry<'_>, now: u64) -> Option<u64> {
        let age = now.checked_sub(entry.stored)?;
        let within = |seconds: u64| age <= seconds.saturating_mul(NANOS);
        let fresh = now < entry.expires && within(self.policy.ttl) && self.max_age.is_none_or(within);
        fresh.then_some(age.div_euclid(NANOS))
    }
}

/// The answer in one piece, while it is not known what it cost.
struct Answer {
    body: Vec<u8>,
    _share: Share,
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Answer({} bytes)", self.body.len())
    }
}

/// An answer that is given again.
#[derive(Debug)]
pub(crate) struct Again {
    pub(crate) content_type: &'static str,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
}

/// How a client wants an answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Delivery {
    pub(crate) format: Format,
    pub(crate) stream: bool,
    pub(crate) include_usage: bool,
}

impl Consulted {
    /// Whether the answer to a question may be looked up and kept.
    pub(crate) fn of(question: &Question<'_>, body: &[u8]) -> Self {
        let (place, found) = match question.key(body) {
            Ok(key) => {
                let Cache { slots, entry_bytes, .. } = *question.cache;
                let (policy, max_age) = (question.cached.policy, question.wish.max_age);
                let found = if question.wish.no_cache { Found::Bypass("no_cache") } else { Found::Miss };
                (Some(Place { key, slots, entry_bytes, policy, max_age }), found)
            }
            Err(reason) => (None, Found::Bypass(reason)),
        };
        Self { model: question.model.clone(), found, stored: false, place, answer: None }
    }

    /// The answer, if it is there and may be given again.
    pub(crate) fn look_up(&mut self, delivery: Delivery, now: u64) -> Option<Again> {
        let place = self.place.filter(|_| self.found == Found::Miss)?;
        let kept = match abi::shared_data(&place.slot()) {
            Ok(kept) => kept?.0,
            Err(_) => {
                self.found = Found::Unavailable;
                return None;
            }
        };
        let entry = Entry::read(&kept, &place.key)?;
        let age = place.age(&entry, now)?;
        let (content_type, body) = delivery.write(entry.body, now)?;
        self.found = Found::Hit { age, saved: entry.cost };
        let mut headers = vec![(CACHE_HEADER, "hit".to_owned()), ("age", age.to_string())];
        headers.extend(entry.cost.map(|cost| (SAVED_HEADER, cost.to_string())));
        Some(Again { content_type, headers, body })
    }

    /// How large an answer may be to be kept; `None` when none is.
    #[must_use]
    pub fn room(&self) -> Option<usize> {
        self.place.map(|place| place.entry_bytes)
    }

    /// Takes the whole answer, in one piece and in the client's format, to be kept when the exchange has ended well.
    /// `total`: what all answers may take that one worker holds.
    pub fn take(&mut self, body: &[u8], total: usize) {
        let mut share = Share::default();
        if self.room().is_some_and(|room| body.len() <= room) && share.resize(body.len(), total).is_ok() {
            self.answer = Some(Answer { body: body.to_vec(), _share: share });
        }
    }
}

impl Delivery {
    /// A whole answer as the client wants it, with its media type; `None` when it would not be the same answer.
    fn write(self, whole: &[u8], now: u64) -> Option<(&'static str, Vec<u8>)> {
        if !self.stream {
            return Some(("application/json", whole.to_vec()));
        }
        let answer = self.format.read_response(whole).ok().filter(|answer| answer.is_whole())?;
        let mut writer = Writer::new(self.format, self.include_usage, now.div_euclid(NANOS));
        let mut body = Vec::with_capacity(whole.len());
        replay::stream(answer).iter().for_each(|delta| writer.write(delta, &mut body));
        Some((self.format.stream_media_type(), body))
    }
}

/// Keeps the answer of an exchange that has ended well.
pub fn keep(exchange: &mut Exchange, settled: &Settled, now: u64) {
    let (operation, format) = (exchange.operation, exchange.format);
    let Some(cache) = &mut exchange.cache else { return };
    let Some((place, answer)) = cache.place.zip(cache.answer.take()) else { return };
    let Some((attempt, bill)) = exchange.attempts.last().zip(settled.bills.last()) else { return };
    let exact = bill.certainty == Certainty::Exact && settled.end == End::Complete;
    if !exact || !is_repeatable(attempt, operation, place.policy) || !was_asked(attempt, format, place.policy) {
        return;
    }
    let expires = now.saturating_add(place.policy.ttl.saturating_mul(NANOS));
    let entry = Entry { stored: now, expires, cost: bill.cost, body: &answer.body };
    match abi::set_shared_data(&place.slot(), &entry.write(&place.key), 0) {
        Ok(_) => cache.stored = true,
        Err(error) => {
            cache.found = Found::Unavailable;
            abi::log(Level::Warn, &format!("tollgate: an answer could not be kept: {error}"));
        }
    }
}

/// Whether an attempt gave all of an answer, and that by itself.
fn is_repeatable(attempt: &Attempt, operation: Option<Operation>, policy: ModelCache) -> bool {
    let ended = match attempt.tally.finish {
        None => operation == Some(Operation::Embeddings),
        Some(StopReason::End | StopReason::StopSequence) => true,
        Some(StopReason::ToolUse) => policy.tools,
        Some(StopReason::MaxTokens | StopReason::Refused | StopReason::Otherwise) => false,
    };
    let whole = attempt.outcome == Outcome::Served && attempt.status == Some(200) && !attempt.tally.untranslated;
    ended && whole
}

/// Whether a provider was asked all that the client asks. What the temperature is does not matter where any may be
/// answered again.
fn was_asked(attempt: &Attempt, client: Format, policy: ModelCache) -> bool {
    let may_lack = |field: &str| policy.any_temperature && field == client.field_name("temperature");
    attempt.dropped.iter().all(|field| may_lack(field))
}
