//! Strings, keys and numbers of a JSON value.

use super::Redactor;
use crate::json::{Kind, Value, write_escaped};
use std::ops::Range;

impl Redactor {
    /// As [`Self::redact`], of the text of a value: its strings, its keys, and numbers, which become strings. All else stays byte
    /// for byte as it is.
    #[must_use]
    pub fn redact_json(&self, value: Value<'_, '_>) -> Option<String> {
        let (text, start) = (value.raw(), value.range().start);
        let (mut out, mut copied) = (String::new(), 0);
        self.edits(value, &mut |at, redacted| {
            let within = |at: usize| at.saturating_sub(start);
            out.push_str(text.get(copied..within(at.start)).unwrap_or_default());
            out.push_str(&redacted);
            copied = within(at.end);
        });
        (copied > 0).then(|| out + text.get(copied..).unwrap_or_default())
    }

    /// Tells `edit` what stands where instead, as JSON, in the order of the text.
    ///
    /// INVARIANT: recursion ends where JSON is too deep.
    pub(crate) fn edits(&self, value: Value<'_, '_>, edit: &mut dyn FnMut(Range<usize>, String)) {
        match value.kind() {
            Kind::Null | Kind::Bool => {}
            Kind::Number => {
                if let Some(redacted) = self.redact(value.raw()) {
                    edit(value.range(), quoted(&redacted));
                }
            }
            Kind::String => {
                if let Some(redacted) = value.as_str().and_then(|text| self.redact(&text)) {
                    edit(value.range(), quoted(&redacted));
                }
            }
            Kind::Array => value.items().for_each(|item| self.edits(item, edit)),
            Kind::Object => {
                for (at, member) in value.members().enumerate() {
                    if let Some(redacted) = self.redact(&member.key()) {
                        // Two keys must not become the same.
                        edit(member.key_value().range(), quoted(&format!("{redacted} {at}")));
                    }
                    self.edits(member.value, edit);
                }
            }
        }
    }
}

fn quoted(text: &str) -> String {
    let mut json = String::from('"');
    write_escaped(text, &mut |piece| json.push_str(piece));
    json.push('"');
    json
}
