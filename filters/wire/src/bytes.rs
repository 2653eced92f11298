//! Bytes in base64.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// Written with padding, read with and without.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Base64 of `bytes`.
#[inline(never)]
pub(crate) fn encode(bytes: &[u8]) -> String {
    BASE64.encode(bytes)
}

/// The bytes that `base64` is of.
#[inline(never)]
pub(crate) fn decode(base64: &str) -> Option<Vec<u8>> {
    BASE64.decode(base64).ok()
}

/// The text that `base64` is of.
pub(crate) fn decode_text(base64: &str) -> Option<String> {
    String::from_utf8(decode(base64)?).ok()
}
