//! Changes to a text, of which all else stays byte for byte.

use crate::json::{Document, Value};
use crate::redact::Redactor;
use std::ops::Range;

/// What a client hands back as it came. Who changes it breaks what it belongs to, and no model reads it.
const HANDLES: [&str; 5] = ["nextCursor", "requestState", "taskId", "progressToken", "elicitationId"];

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

    /// Redacts all of `value`, which is a result, an error or parameters, but its handles.
    pub(super) fn redact(&mut self, value: Value<'_, '_>, redactor: &Redactor) {
        let task = value.get("task");
        let handle = |name: &&str| value.get(name).or_else(|| task?.get(name)).map(Value::range);
        let handles: Vec<Range<usize>> = HANDLES.iter().filter_map(handle).collect();
        redactor.edits(value, &mut |at, text| {
            if !handles.contains(&at) {
                self.0.push(Edit { at, text, is_redaction: true });
            }
        });
    }

    /// The text of `document` with all of them, and how many are redactions; `None` if there are none. What lies within an
    /// earlier one is left.
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
