//! Pictures and documents in a body itself.

use crate::format::Format;
use memchr::{memchr, memmem};

/// A shorter text is no inline picture.
const MIN_MEDIA_BYTES: usize = 256;

/// Base64 in a body: its bytes are no text, and say nothing of its tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct InlineMedia {
    /// How many pictures and documents.
    pub items: usize,
    /// Their bytes in the body.
    pub bytes: usize,
}

impl InlineMedia {
    /// What stands in a body of `format`, by the keys and prefixes that its base64 has.
    pub(super) fn find(format: Format, body: &[u8]) -> Self {
        let mark = match format {
            Format::OpenaiChat | Format::OpenaiResponses => ";base64,",
            Format::AnthropicMessages | Format::GoogleGemini => "\"data\"",
            Format::BedrockConverse => "\"bytes\"",
        };
        memmem::find_iter(body, mark).fold(Self::default(), |found, at| {
            let after = body.get(at.saturating_add(mark.len())..).unwrap_or_default();
            let text = if mark.ends_with('"') { string_value(after) } else { after };
            let bytes = memchr(b'"', text).unwrap_or(text.len());
            if bytes < MIN_MEDIA_BYTES {
                return found;
            }
            Self { items: found.items.saturating_add(1), bytes: found.bytes.saturating_add(bytes) }
        })
    }
}

/// The text of a string that is the value of the key that ends before `after`; empty when it is no string.
fn string_value(after: &[u8]) -> &[u8] {
    let value = after.trim_ascii_start().strip_prefix(b":").map(<[u8]>::trim_ascii_start);
    value.and_then(|value| value.strip_prefix(b"\"")).unwrap_or_default()
}
