//! Calls that wait for somebody else's yes: so many and no more, in slots that workers compare and swap.
//!
//! A call that comes again joins the one that waits. What waits, and what was answered and can still be asked for, is never
//! forgotten before it expires: when there is no place, the next one is refused. What is over stays, for the page, until its
//! place is needed.

mod entry;

pub use entry::{Answer, Entry, Outcome};

use super::question::{Arguments, clipped};
use super::shown::safe_text;
use super::{Call, Id};
use crate::json::Digest;
use crate::rule::{Approval, Attribute};
use crate::subject::{Field, Subject, SubjectField};

/// How many slots there are.
pub const SLOTS: u8 = 16;
/// How many calls one holds, each in [`MAX_ENTRY`] bytes.
pub const ENTRIES_PER_SLOT: usize = 16;
/// How many of them one subject can have: who asks for much is in nobody else's way.
pub const OPEN_OF_ONE: usize = 6;
/// The longest that is kept of the arguments, in safe text.
pub const MAX_ARGUMENTS: usize = 4096;
/// The longest reason that somebody gives, in safe text.
pub const MAX_REASON: usize = 200;
/// The longest that an entry is.
pub const MAX_ENTRY: usize = 8 * 1024;

const VERSION: u8 = 1;

/// What nobody shares with somebody else.
const OWN: [SubjectField; 3] = [SubjectField::Key, SubjectField::Other(Field::User), SubjectField::Other(Field::Agent)];

/// Some of the calls.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Slot(Vec<Entry>);

/// A call that a rule wants somebody else to agree to.
#[derive(Debug, Clone, Copy)]
pub struct Asking<'a> {
    /// The call.
    pub call: Call<'a>,
    /// Its arguments.
    pub arguments: &'a Arguments,
    /// Who may say yes.
    pub approval: &'a Approval,
    /// For how long question and yes are good.
    pub within_s: u64,
    /// 128 random bits, for the case that it is new.
    pub id: Id,
}

/// How it stands with a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Nobody has answered yet.
    Waits {
        /// Its entry.
        id: Id,
        /// Whether this call made it.
        is_new: bool,
        /// Until when somebody can answer.
        expires_ms: u64,
    },
    /// It may run, this once.
    Runs {
        /// Its entry.
        id: Id,
        /// Who said yes, and when.
        answer: Answer,
    },
    /// It must not run.
    Rejected {
        /// Its entry.
        id: Id,
        /// Who said no, and when.
        answer: Answer,
    },
    /// There is no place for one more.
    Full,
}

/// What somebody says to a call that waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    /// It may run.
    Approve,
    /// It must not.
    Reject,
}

/// Why somebody cannot say so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotAnswered {
    /// There is no such entry.
    Unknown,
    /// Somebody has already.
    Answered,
    /// It is too late.
    Expired,
    /// It is their own call.
    Own,
    /// The rule names others, or is no more.
    NotTheirs,
    /// The reason is too long.
    LongReason,
}

/// In which slot a call is.
#[must_use]
pub fn slot_of_call(call: &Call<'_>) -> u8 {
    let [first, ..] = call.digest().0;
    first % SLOTS
}

/// In which slot an entry is: that of its call, which its id begins with.
#[must_use]
pub const fn slot_of(id: &Id) -> u8 {
    let [first, ..] = id.0;
    first % SLOTS
}

/// Whether one of them is the other, as far as can be known: they share a person, a key or an agent.
#[must_use]
pub fn is_same(one: &Subject, other: &Subject) -> bool {
    let same = |one: Option<&str>, other: Option<&str>| {
        one.zip(other).is_some_and(|(one, other)| one.eq_ignore_ascii_case(other))
    };
    OWN.into_iter().any(|field| same(one.text(field), other.text(field)))
}

impl Slot {
    /// A call comes: the first time, while it waits, or after it was answered. Of an approved one this is its run.
    pub fn come(&mut self, asking: &Asking<'_>, now_ms: u64) -> Standing {
        let digest = asking.call.digest();
        if let Some((id, answer)) = self.take(&digest, asking.call.subject, asking.approval, now_ms) {
            return Standing::Runs { id, answer };
        }
        let Some(entry) = self.open(&digest, now_ms) else { return self.add(asking, now_ms) };
        let id = entry.id;
        match &entry.outcome {
            Outcome::Rejected(answer) => Standing::Rejected { id, answer: answer.clone() },
            // Who said yes may not do so any more: the rules have changed.
            Outcome::Approved(_) => {
                entry.outcome = Outcome::Waits;
                entry.expires_ms = now_ms.saturating_add(entry.within_ms);
                Standing::Waits { id, is_new: false, expires_ms: entry.expires_ms }
            }
            Outcome::Waits | Outcome::Ran { .. } => Standing::Waits { id, is_new: false, expires_ms: entry.expires_ms },
        }
    }

    /// Takes the yes that a call has, if who said it may still say so: it runs now.
    pub fn take(
        &mut self,
        call: &Digest,
        requester: &Subject,
        approval: &Approval,
        now_ms: u64,
    ) -> Option<(Id, Answer)> {
        let entry = self.open(call, now_ms)?;
        let Outcome::Approved(answer) = &entry.outcome else { return None };
        may_answer(requester, &answer.by, approval).ok()?;
        let answer = answer.clone();
        entry.outcome = Outcome::Ran { answer: answer.clone(), at_ms: now_ms };
        Some((entry.id, answer))
    }

    fn open(&mut self, call: &Digest, now_ms: u64) -> Option<&mut Entry> {
        self.0.iter_mut().find(|entry| entry.call == *call && entry.is_open(now_ms))
    }

    fn add(&mut self, asking: &Asking<'_>, now_ms: u64) -> Standing {
        let Asking { call, arguments, within_s, mut id, .. } = *asking;
        let of_one = self.0.iter().filter(|entry| entry.is_open(now_ms) && entry.requester == *call.subject).count();
        if of_one >= OPEN_OF_ONE || !self.make_place(now_ms) {
            return Standing::Full;
        }
        let [first, ..] = &mut id.0;
        *first = (*first & !(SLOTS - 1)) | slot_of_call(&call);
        let within_ms = within_s.saturating_mul(1000);
        let expires_ms = now_ms.saturating_add(within_ms);
        let (text, complete) = bounded(arguments);
        self.0.push(Entry {
            id,
            call: call.digest(),
            asked_ms: now_ms,
            expires_ms,
            within_ms,
            requester: call.subject.clone(),
            server: clipped(call.server),
            object: clipped(call.object),
            rule: clipped(call.rule),
            arguments: text,
            complete,
            outcome: Outcome::Waits,
        });
        Standing::Waits { id, is_new: true, expires_ms }
    }

    /// Forgets what is over, the oldest first, if there is no place else.
    fn make_place(&mut self, now_ms: u64) -> bool {
        if self.0.len() < ENTRIES_PER_SLOT {
            return true;
        }
        let over = self.0.iter().position(|entry| !entry.is_open(now_ms));
        over.map(|at| self.0.remove(at)).is_some()
    }

    /// Somebody answers. `approval` is what the rule of that name says now, if there is one.
    ///
    /// # Errors
    /// When they cannot.
    pub fn answer(
        &mut self,
        id: &Id,
        word: Word,
        by: &Subject,
        reason: &str,
        approval: Option<&Approval>,
        now_ms: u64,
    ) -> Result<&Entry, NotAnswered> {
        let entry = self.0.iter_mut().find(|entry| entry.id == *id).ok_or(NotAnswered::Unknown)?;
        may_answer(&entry.requester, by, approval.ok_or(NotAnswered::NotTheirs)?)?;
        let reason = safe_text(reason.trim());
        match entry.outcome {
            _ if reason.len() > MAX_REASON => return Err(NotAnswered::LongReason),
            Outcome::Waits if !entry.is_open(now_ms) => return Err(NotAnswered::Expired),
            Outcome::Waits => {}
            _ => return Err(NotAnswered::Answered),
        }
        let answer = Answer { by: by.clone(), at_ms: now_ms, reason };
        entry.expires_ms = now_ms.saturating_add(entry.within_ms);
        entry.outcome = match word {
            Word::Approve => Outcome::Approved(answer),
            Word::Reject => Outcome::Rejected(answer),
        };
        Ok(entry)
    }

    /// What it holds, the oldest first.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.0
    }

    /// Reads what [`Slot::write`] has written; no bytes are none. `None` when they are something else.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let Some((version, rest)) = bytes.split_first() else { return Some(Self::default()) };
        let mut reader = crate::bytes::Reader(rest);
        let mut slot = Self::default();
        while !reader.0.is_empty() {
            slot.0.push(Entry::read(&mut reader)?);
        }
        (*version == VERSION && slot.0.len() <= ENTRIES_PER_SLOT).then_some(slot)
    }

    /// The bytes that stand for it.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        let mut out = vec![VERSION];
        self.0.iter().for_each(|entry| entry.write(&mut out));
        out
    }
}

/// Whether somebody may answer a call of `requester`'s.
///
/// # Errors
/// Why not.
pub fn may_answer(requester: &Subject, by: &Subject, approval: &Approval) -> Result<(), NotAnswered> {
    let value_of = |attribute| match attribute {
        Attribute::Subject(field) => by.text(field),
        _ => None,
    };
    match approval {
        // On the page, the person at the client is who has the same name.
        Approval::Caller if by.user.is_some() && by.user == requester.user => Ok(()),
        Approval::Caller => Err(NotAnswered::NotTheirs),
        Approval::Approver(_) if is_same(requester, by) => Err(NotAnswered::Own),
        // Who has no name is nobody that a record could blame.
        Approval::Approver(_) if by.user.is_some() && approval.may_be_given(value_of) => Ok(()),
        Approval::Approver(_) => Err(NotAnswered::NotTheirs),
    }
}

/// As many lines as there is room for.
fn bounded(arguments: &Arguments) -> (String, bool) {
    let mut text = String::new();
    for line in &arguments.lines {
        if text.len().saturating_add(line.len()) >= MAX_ARGUMENTS {
            return (text, false);
        }
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(line);
    }
    (text, arguments.complete)
}

#[cfg(test)]
mod tests;
