//! Pictures and documents in a body itself.

use crate::format::Format;
use memchr::memmem;

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
    /// What stands in a body of `format`, by the keys and prefixes that its base64 has. Each byte is looked at once.
    pub(super) fn find(format: Format, body: &[u8]) -> Self {
        let mark = match format {
            Format::OpenaiChat | Format::OpenaiResponses => ";base64,",
            Format::AnthropicMessages | Format::GoogleGemini => "\"data\"",
            Format::BedrockConverse => "\"bytes\"",
        };
        let finder = memmem::Finder::new(mark);
        let (mut found, mut rest) = (Self::default(), body);
        while let Some(at) = finder.find(rest) {
            let after = rest.get(at.saturating_add(mark.len())..).unwrap_or_default();
            let text = if mark.ends_with('"') { string_value(after) } else { after };
            let bytes = text.iter().position(|byte| !is_base64(*byte)).unwrap_or(text.len());
            rest = text.get(bytes..).unwrap_or_default();
            // A text that goes on in other letters is no base64.
            if bytes >= MIN_MEDIA_BYTES && rest.starts_with(b"\"") {
                found.items = found.items.saturating_add(1);
                found.bytes = found.bytes.saturating_add(bytes);
            }
        }
        found
    }
}

/// Either alphabet, and the backslash that may stand before a slash in JSON.
const fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_' | b'=' | b'\\')
}

/// What follows the quote that opens the value of the key before `after`; all of it when the value is no string.
fn string_value(after: &[u8]) -> &[u8] {
    let value = after.trim_ascii_start().strip_prefix(b":").map(<[u8]>::trim_ascii_start);
    value.and_then(|value| value.strip_prefix(b"\"")).unwrap_or(after)
}
