//! What is kept of a streamed answer, to be said again.

use crate::openai_responses::output::{self, IN_PROGRESS};
use serde::de::IgnoredAny;
use tollgate_kernel::json::Writer;

/// How much of an answer is kept. Responses repeats all of it: a text when it is done, once more in its item, and the
/// items in the last event; so all of it must be kept, and no answer that a model gives today is longer.
///
/// What does not fit is streamed all the same, but is repeated nowhere: its item is never done, the last event leaves
/// it out and says that the answer is incomplete. A text or call cut short would be taken for a whole one.
pub(super) const MAX_KEPT_BYTES: usize = 1024 * 1024;

/// No answer has more items; each takes some memory until the stream ends, kept or not.
pub(super) const MAX_ITEMS: usize = 4096;

/// The items of an answer, by their index in the output.
#[derive(Debug, Default)]
pub(super) struct Items {
    pub(super) all: Vec<Item>,
    kept_bytes: usize,
    /// Something did not fit; from then on nothing is kept.
    pub(super) full: bool,
}

#[derive(Debug)]
pub(super) struct Item {
    pub(super) kind: Kind,
    pub(super) id: String,
    /// What was said, thought, or the arguments.
    pub(super) text: String,
    /// Not all of it was kept.
    pub(super) cut: bool,
    /// `None` until it is done.
    pub(super) status: Option<&'static str>,
}

#[derive(Debug)]
pub(super) enum Kind {
    Message,
    Reasoning { encrypted: Option<String> },
    Call { index: u32, id: String, name: String },
}

impl Items {
    /// The last item, when it is open and of that kind. What follows continues it.
    pub(super) fn last_open(&self, is_kind: fn(&Kind) -> bool) -> Option<usize> {
        let last = self.all.last()?;
        (last.status.is_none() && is_kind(&last.kind)).then(|| self.all.len().saturating_sub(1))
    }

    /// The item of a call that goes on.
    pub(super) fn open_call(&self, call: u32) -> Option<usize> {
        let is_it = |item: &Item| matches!(item.kind, Kind::Call { index, .. } if index == call);
        self.all.iter().rposition(|item| item.status.is_none() && is_it(item))
    }

    /// Whether the last item is a call that waits for more arguments.
    pub(super) fn last_waits(&self) -> bool {
        let waits = |last: &Item| matches!(last.kind, Kind::Call { .. }) && !is_complete(&last.text);
        self.all.last().is_some_and(waits)
    }

    /// Adds an item, whose names are kept if they fit.
    pub(super) fn push(&mut self, mut kind: Kind, id: String) {
        let names = match &kind {
            Kind::Call { id, name, .. } => id.len().saturating_add(name.len()),
            Kind::Message | Kind::Reasoning { .. } => 0,
        };
        let fits = self.fits(names.saturating_add(id.len()).saturating_add(size_of::<Item>()));
        if let Kind::Call { id, name, .. } = &mut kind
            && !fits
        {
            (*id, *name) = (String::new(), String::new());
        }
        self.all.push(Item { kind, id, text: String::new(), cut: !fits, status: None });
    }

    /// Adds to what the item at `index` says.
    pub(super) fn keep(&mut self, index: usize, piece: &str) {
        let fits = self.fits(piece.len());
        if let Some(item) = self.all.get_mut(index) {
            if fits && !item.cut {
                item.text.push_str(piece);
            } else {
                (item.cut, item.text) = (true, String::new());
            }
        }
    }

    /// Seals the reasoning at `index`.
    pub(super) fn seal(&mut self, index: usize, sealed: String) {
        let fits = self.fits(sealed.len());
        if let Some(Item { kind: Kind::Reasoning { encrypted }, cut, .. }) = self.all.get_mut(index) {
            if fits {
                *encrypted = Some(sealed);
            } else {
                *cut = true;
            }
        }
    }

    fn fits(&mut self, bytes: usize) -> bool {
        let all = self.kept_bytes.saturating_add(bytes);
        self.full |= all > MAX_KEPT_BYTES;
        if !self.full {
            self.kept_bytes = all;
        }
        !self.full
    }
}

/// Writes an item that says `text`.
pub(super) fn write_item(kind: &Kind, id: &str, text: &str, status: &'static str, json: &mut Writer<'_>) {
    match kind {
        Kind::Message => output::message(json, id, status, (status != IN_PROGRESS).then_some(text)),
        Kind::Reasoning { encrypted } => output::reasoning(json, id, text, encrypted.as_deref()),
        Kind::Call { id: call_id, name, .. } => output::call(json, id, status, (call_id, name), text),
    }
}

fn is_complete(arguments: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(arguments).is_ok()
}
