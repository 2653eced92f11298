//! Changes to a text, of which all else stays byte for byte.

use super::Editor;
use crate::json::{Document, Kind, Value, write_escaped};
use std::ops::Range;

/// What stands where instead of what stood there.
#[derive(Debug, Default)]
pub(super) struct Edits(Vec<Edit>);

#[derive(Debug)]
struct Edit {
    at: Range<usize>,
    text: String,
    is_redaction: bool,
}

impl Edits {
    pub(super) fn replace(&mut self, at: Range<usize>, text: String) {
        self.0.push(Edit { at, text, is_redaction: false });
    }

    /// Leaves items of an array out, each with one of the commas beside it.
    pub(super) fn leave_out(&mut self, items: &[(Range<usize>, bool)]) {
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

    /// Changes the strings in `value` as the editor wants.
    pub(super) fn redact(&mut self, value: Value<'_, '_>, editor: &mut dyn Editor) {
        match value.kind() {
            Kind::String => {
                let Some(redacted) = value.as_str().and_then(|text| editor.redact(&text)) else { return };
                let mut text = String::from('"');
                write_escaped(&redacted, &mut |piece| text.push_str(piece));
                text.push('"');
                self.0.push(Edit { at: value.range(), text, is_redaction: true });
            }
            // INVARIANT: what was read is no deeper than MAX_DEPTH.
            Kind::Array => value.items().for_each(|item| self.redact(item, editor)),
            Kind::Object => value.members().for_each(|member| self.redact(member.value, editor)),
            Kind::Null | Kind::Bool | Kind::Number => {}
        }
    }

    /// The text of `document` with all of them, and how many strings were redacted; `None` if there are none. What lies within
    /// an earlier one is left.
    pub(super) fn apply(mut self, document: &Document<'_>) -> Option<(Vec<u8>, usize)> {
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
