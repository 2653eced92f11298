//! Seals in reasoning blocks: signatures are text, what is encrypted is base64.

use crate::bytes::{decode_text, encode};
use crate::signature::{LABEL_BASE64, Origin, Seal, SealKind};

/// The seal that stands beside a text.
pub(super) fn signature(text: &str) -> Seal {
    Seal::from_client(Origin::Claude, SealKind::Signature, text)
}

/// The seal that is the reasoning itself. One of another format is labelled within the base64, because clients decode it.
pub(super) fn redacted(base64: &str) -> Seal {
    let labelled = if base64.starts_with(LABEL_BASE64) { decode_text(base64) } else { None };
    Seal::from_client(Origin::Claude, SealKind::Encrypted, labelled.as_deref().unwrap_or(base64))
}

/// The text of a signature for a client.
pub(super) fn signature_text(seal: &Seal) -> String {
    seal.for_client(Origin::Claude)
}

/// The base64 of encrypted reasoning for a client.
pub(super) fn redacted_base64(seal: &Seal) -> String {
    let text = seal.for_client(Origin::Claude);
    if seal.origin == Origin::Claude { text } else { encode(text.as_bytes()) }
}

/// Whether `seal` stands in the place of the reasoning rather than beside it. Beside a text there is no such place.
pub(super) fn replaces(seal: &Seal, after_text: bool) -> bool {
    seal.kind == SealKind::Encrypted && !after_text
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn a_seal_of_any_origin_comes_back_as_it_was_and_in_base64_where_clients_decode_it() {
        for origin in [Origin::Claude, Origin::Gemini, Origin::OpenaiResponses, Origin::OpenaiChat] {
            for kind in [SealKind::Signature, SealKind::Encrypted] {
                let seal = Seal { origin, kind, value: "c2VhbC0x".to_owned() };
                assert_eq!(signature(&signature_text(&seal)).origin, origin);
                let text = redacted_base64(&seal);
                assert!(decode_text(&text).is_some());
                assert_eq!(text.starts_with(LABEL_BASE64), origin != Origin::Claude);
                let returned = redacted(&text);
                assert_eq!((returned.origin, returned.value), (origin, seal.value.clone()));
                if origin != Origin::Claude {
                    assert_eq!(redacted(&text).kind, kind, "a label knows better than the place");
                }
            }
        }
        assert_eq!(redacted("dG9sbGdhdGU6!").value, "dG9sbGdhdGU6!");
    }
}
