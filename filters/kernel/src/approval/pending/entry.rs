//! One call that waits, or did.

use super::super::Id;
use crate::bytes::{Reader, put_text};
use crate::json::Digest;
use crate::subject::{KeyId, Label, Subject, SubjectField};

/// One call. Its texts are safe to be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What it is answered by.
    pub id: Id,
    /// The digest of the call.
    pub call: Digest,
    /// When it came first, in milliseconds since 1970.
    pub asked_ms: u64,
    /// Until when it can be answered, or run.
    pub expires_ms: u64,
    /// For how long question and yes are good.
    pub within_ms: u64,
    /// Who asks.
    pub requester: Subject,
    /// The server's name.
    pub server: String,
    /// What is called.
    pub object: String,
    /// The rule that wants it agreed to.
    pub rule: String,
    /// The arguments, one a line.
    pub arguments: String,
    /// Whether they are all, in full.
    pub complete: bool,
    /// What became of it.
    pub outcome: Outcome,
}

/// What became of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Nobody has answered yet.
    Waits,
    /// It may run.
    Approved(Answer),
    /// It must not run.
    Rejected(Answer),
    /// It ran.
    Ran {
        /// Who said yes.
        answer: Answer,
        /// When it ran, in milliseconds since 1970.
        at_ms: u64,
    },
}

/// What somebody has said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Who.
    pub by: Subject,
    /// When, in milliseconds since 1970.
    pub at_ms: u64,
    /// Why.
    pub reason: String,
}

impl Entry {
    /// Whether it can still be answered or run.
    #[must_use]
    pub const fn is_open(&self, now_ms: u64) -> bool {
        now_ms < self.expires_ms && !matches!(self.outcome, Outcome::Ran { .. })
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let (id, call) = (Id(reader.array()?), Digest(reader.array()?));
        let mut number = || reader.number();
        let (asked_ms, expires_ms, within_ms) = (number()?, number()?, number()?);
        let requester = read_subject(reader)?;
        let mut text = || reader.text().map(str::to_owned);
        let (server, object, rule, arguments) = (text()?, text()?, text()?, text()?);
        let complete = reader.byte()? == 1;
        let outcome = match reader.byte()? {
            0 => Outcome::Waits,
            1 => Outcome::Approved(read_answer(reader)?),
            2 => Outcome::Rejected(read_answer(reader)?),
            3 => Outcome::Ran { answer: read_answer(reader)?, at_ms: reader.number()? },
            _ => return None,
        };
        Some(Self {
            id,
            call,
            asked_ms,
            expires_ms,
            within_ms,
            requester,
            server,
            object,
            rule,
            arguments,
            complete,
            outcome,
        })
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.extend(self.id.0);
        out.extend(self.call.0);
        [self.asked_ms, self.expires_ms, self.within_ms]
            .into_iter()
            .for_each(|number| out.extend(number.to_le_bytes()));
        write_subject(&self.requester, out);
        [&self.server, &self.object, &self.rule, &self.arguments].into_iter().for_each(|text| put_text(out, text));
        out.push(u8::from(self.complete));
        match &self.outcome {
            Outcome::Waits => out.push(0),
            Outcome::Approved(answer) => write_answer(1, answer, out),
            Outcome::Rejected(answer) => write_answer(2, answer, out),
            Outcome::Ran { answer, at_ms } => {
                write_answer(3, answer, out);
                out.extend(at_ms.to_le_bytes());
            }
        }
    }
}

fn read_answer(reader: &mut Reader<'_>) -> Option<Answer> {
    Some(Answer { by: read_subject(reader)?, at_ms: reader.number()?, reason: reader.text()?.to_owned() })
}

fn write_answer(kind: u8, answer: &Answer, out: &mut Vec<u8>) {
    out.push(kind);
    write_subject(&answer.by, out);
    out.extend(answer.at_ms.to_le_bytes());
    put_text(out, &answer.reason);
}

fn read_subject(reader: &mut Reader<'_>) -> Option<Subject> {
    let mut subject = Subject::default();
    for field in SubjectField::ALL {
        let text = reader.text()?.to_owned();
        match field {
            _ if text.is_empty() => {}
            SubjectField::Key => subject.key = Some(KeyId::try_from(text).ok()?),
            SubjectField::Other(field) => subject.say(field, Label::try_from(text).ok()?).ok()?,
        }
    }
    Some(subject)
}

fn write_subject(subject: &Subject, out: &mut Vec<u8>) {
    SubjectField::ALL.into_iter().for_each(|field| put_text(out, subject.text(field).unwrap_or_default()));
}
