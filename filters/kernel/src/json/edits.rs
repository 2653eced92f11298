//! Changes to a text, of which all else stays byte for byte.

use super::{Document, write_escaped};
use std::ops::Range;

/// What stands where instead of what stood there.
#[derive(Debug, Default)]
pub(crate) struct Edits(Vec<Edit>);

#[derive(Debug)]
struct Edit {
    at: Range<usize>,
    text: String,
    is_redaction: bool,
}

impl Edits {
    pub(crate) fn replace(&mut self, at: Range<usize>, text: String) {
        self.0.push(Edit { at, text, is_redaction: false });
    }

    /// Leaves items of an array, or members of an object, out, each with one of the commas beside it.
    pub(crate) fn leave_out(&mut self, items: &[(Range<usize>, bool)]) {
        let mut kept_one = false;
        let mut before: Option<&Range<usize>> = None;
        for (at, (item, is_left_out)) in items.iter().enumerate() {
            let after = items.get(at.saturating_add(1)).map(|(next, _)| next);
            match (is_left_out, before) {
                (false, _) => kept_one = true,
                (true, Some(before)) if kept_one => self.replace(before.end..item.end, String::new()),
                (true, _) => self.replace(item.start..after.map_or(item.end, |next| next.start), String::new()),
            }
            before = Some(item);
        }
    }

    /// Puts `text`, which is JSON, where something secret stood.
    pub(crate) fn redact(&mut self, at: Range<usize>, text: String) {
        self.0.push(Edit { at, text, is_redaction: true });
    }

    /// The text of `document` with all of them, and how many are redactions; `None` if there are none. What lies within an
    /// earlier one is left.
    pub(crate) fn apply(mut self, document: &Document<'_>) -> Option<(Vec<u8>, usize)> {
        if self.0.is_empty() {
            return None;
        }
        self.0.sort_by_key(|edit| edit.at.start);
        let text = document.text();
        let (mut out, mut at, mut redacted) = (Vec::with_capacity(text.len()), 0, 0_usize);
        for edit in &self.0 {
            let Some(between) = text.get(at..edit.at.start) else { continue };
            out.extend_from_slice(between.as_bytes());
            out.extend_from_slice(edit.text.as_bytes());
            redacted = redacted.saturating_add(usize::from(edit.is_redaction));
            at = edit.at.end;
        }
        out.extend_from_slice(text.get(at..).unwrap_or_default().as_bytes());
        Some((out, redacted))
    }
}

/// The string that says `text`.
pub(crate) fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    write_escaped(text, &mut |piece| quoted.push_str(piece));
    quoted.push('"');
    quoted
}
