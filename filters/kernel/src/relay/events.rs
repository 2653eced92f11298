//! Answers that are streams of events.

use super::{Fate, Messages, Unreadable};
use crate::sse::{Framer, rewrite};
use std::borrow::Cow;
use std::mem;

pub(super) struct Events {
    framer: Framer,
    /// What came so far of the event that is not whole.
    begun: Vec<u8>,
    /// Nothing but white space came yet, and is held.
    at_start: bool,
    /// The newest chunk ended between the CR and the LF that end a dropped event.
    dropped_at_cr: bool,
}

impl Events {
    pub(super) const fn new(max_event_bytes: usize) -> Self {
        Self { framer: Framer::new(max_event_bytes), begun: Vec::new(), at_start: true, dropped_at_cr: false }
    }

    pub(super) fn held(&self) -> usize {
        self.begun.len().saturating_add(self.framer.pending())
    }

    /// What came of the event that is not whole.
    pub(super) fn take(&mut self) -> Vec<u8> {
        mem::take(&mut self.begun)
    }

    /// Reads a chunk and writes what the client gets. On a fault, what comes from the faulty event on was taken in and is not
    /// written.
    pub(super) fn read<M: Messages>(
        &mut self,
        chunk: &[u8],
        messages: &mut M,
        out: &mut Vec<u8>,
    ) -> Result<(), M::Fault> {
        if chunk.is_empty() {
            return Ok(());
        }
        let joined;
        let chunk = if self.at_start && !messages.only_watches() {
            let Some(begin) = self.begin(chunk, messages.max_bytes())? else { return Ok(()) };
            joined = begin;
            &joined
        } else {
            chunk
        };
        let Self { framer, begun, dropped_at_cr, .. } = self;
        let mut from = usize::from(mem::take(dropped_at_cr) && chunk.starts_with(b"\n"));
        let mut fault = None;
        let framed = framer.push(chunk, |event| {
            let raw = chunk.get(from..event.end).unwrap_or_default();
            from = event.end;
            if fault.is_some() {
                return;
            }
            begun.extend_from_slice(raw);
            let before = begun.len().saturating_sub(event.size);
            out.extend(begun.drain(..before));
            *dropped_at_cr = false;
            match messages.event(&event) {
                Ok(Fate::AsItIs) if out.is_empty() => mem::swap(out, begun),
                Ok(Fate::AsItIs) => out.append(begun),
                Ok(Fate::Changed(message)) => rewrite(begun, &message, out),
                Ok(Fate::Dropped) => *dropped_at_cr = raw.ends_with(b"\r"),
                Err(found) => fault = Some(found),
            }
            begun.clear();
        });
        if let Some(fault) = fault {
            return Err(fault);
        }
        let rest = chunk.get(from..).unwrap_or_default();
        *dropped_at_cr &= rest.is_empty();
        begun.extend_from_slice(rest);
        // Comments before the event that has begun keep a connection alive, also the client's.
        out.extend(begun.drain(..begun.len().saturating_sub(framer.unfinished())));
        framed.map_err(|_| Unreadable::TooLarge.into())
    }

    /// The stream until something is in it that is not white space. Some clients read what it is and not what it says it is.
    fn begin<'c>(&mut self, chunk: &'c [u8], max_bytes: usize) -> Result<Option<Cow<'c, [u8]>>, Unreadable> {
        let is_space = |byte: &u8| byte.is_ascii_whitespace() || b"\xEF\xBB\xBF".contains(byte);
        match chunk.iter().find(|byte| !is_space(byte)) {
            Some(b'{' | b'[') => return Err(Unreadable::NotEvents),
            None if self.begun.len().saturating_add(chunk.len()) > max_bytes => return Err(Unreadable::TooLarge),
            None => {
                self.begun.extend_from_slice(chunk);
                return Ok(None);
            }
            Some(_) => self.at_start = false,
        }
        if self.begun.is_empty() {
            return Ok(Some(Cow::Borrowed(chunk)));
        }
        let mut begun = self.take();
        begun.extend_from_slice(chunk);
        Ok(Some(Cow::Owned(begun)))
    }
}
