//! Percent encoding (RFC 3986, section 2.1).

use std::borrow::Cow;

/// What `text` says; `None` if it is not encoded as such text must be, is not UTF-8, or hides one of `not`.
pub(crate) fn decode<'t>(text: &'t str, not: &[u8]) -> Option<Cow<'t, str>> {
    if !text.contains('%') {
        return Some(text.into());
    }
    let (mut out, mut bytes) = (Vec::with_capacity(text.len()), text.bytes());
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'%' => hex(&mut bytes).filter(|byte| !not.contains(byte))?,
            plain => plain,
        });
    }
    String::from_utf8(out).ok().map(Cow::Owned)
}

fn hex(bytes: &mut std::str::Bytes<'_>) -> Option<u8> {
    let mut digit = || char::from(bytes.next()?).to_digit(16);
    let (high, low) = (digit()?, digit()?);
    u8::try_from(high.checked_mul(16)?.checked_add(low)?).ok()
}
