//! Strings, keys and numbers of a JSON value.

use super::Redactor;
use crate::json::{Kind, Value, write_escaped};
use std::ops::Range;

impl Redactor {
    /// As [`Self::redact`], of the text of a value: its strings, its keys, and numbers, which become strings. All else stays byte
    /// for byte as it is.
    #[must_use]
    pub fn redact_json(&self, value: Value<'_, '_>) -> Option<String> {
        let mut edits = Vec::new();
        self.edits(value, &mut edits);
        let (text, start) = (value.raw(), value.range().start);
        let (mut out, mut copied) = (String::new(), 0);
        for (Range { start: from, end: to }, redacted) in edits {
            let within = |at: usize| at.saturating_sub(start);
            out.push_str(text.get(copied..within(from)).unwrap_or_default());
            out.push('"');
            write_escaped(&redacted, &mut |piece| out.push_str(piece));
            out.push('"');
            copied = within(to);
        }
        (copied > 0).then(|| out + text.get(copied..).unwrap_or_default())
    }

    /// INVARIANT: recursion ends where JSON is too deep.
    fn edits(&self, value: Value<'_, '_>, edits: &mut Vec<(Range<usize>, String)>) {
        match value.kind() {
            Kind::Null | Kind::Bool => {}
            Kind::Number => edits.extend(self.redact(value.raw()).map(|redacted| (value.range(), redacted))),
            Kind::String => {
                let redacted = value.as_str().and_then(|text| self.redact(&text));
                edits.extend(redacted.map(|redacted| (value.range(), redacted)));
            }
            Kind::Array => value.items().for_each(|item| self.edits(item, edits)),
            Kind::Object => {
                for (at, member) in value.members().enumerate() {
                    // Two keys must not become the same.
                    let redacted = self.redact(&member.key()).map(|redacted| format!("{redacted} {at}"));
                    edits.extend(redacted.map(|redacted| (member.key_value().range(), redacted)));
                    self.edits(member.value, edits);
                }
            }
        }
    }
}
