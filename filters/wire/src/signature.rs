//! What proves to a provider that reasoning is its own: signatures and encrypted reasoning, which go back to it in the
//! next turn.
//!
//! A client hands them back in the place where its own format has them, whoever made them. So one that is not of the
//! client's own format is labelled with where it came from on its way to the client, and on its way back goes only to
//! a provider that can read it: any other would refuse the whole conversation.

use crate::bytes::{decode_text, encode};
use std::fmt;

/// Who can read a seal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Claude, at Anthropic or at Amazon Bedrock: they take each other's.
    Claude,
    /// Google Gemini. The value is base64.
    Gemini,
    /// OpenAI Responses. The value is `<item id> <encrypted content>`.
    OpenaiResponses,
    /// An OpenAI-compatible server. The value is JSON: one element of `reasoning_details` but for its text, the name of
    /// the field that a bare text came in (`"reasoning_content"`), or an object with the `extra_content` of a tool call.
    OpenaiChat,
}

/// How a seal stands beside the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SealKind {
    /// It signs the text beside it.
    Signature,
    /// It is the reasoning itself, encrypted (`redacted_thinking`, `encrypted_content`).
    Encrypted,
}

/// A signature, or encrypted reasoning.
#[derive(Clone, PartialEq, Eq)]
pub struct Seal {
    /// Who can read it.
    pub origin: Origin,
    /// Signature or encrypted reasoning.
    pub kind: SealKind,
    /// The provider's own text.
    pub value: String,
}

/// What a labelled seal begins with, in the client's body. Base64 of it is [`LABEL_BASE64`].
pub const LABEL: &str = "tollgate:";

/// [`LABEL`] where a format has seals in base64.
pub const LABEL_BASE64: &str = "dG9sbGdhdGU6";

/// Stands in the place of a label where there is reasoning of another provider's without a seal.
pub const TRANSLATED: &str = "tollgate:translated";

/// Whether a string of a body is one of ours by its beginning: more than the word that people may write, too.
#[must_use]
pub fn is_label(text: &[u8]) -> bool {
    let Some(rest) = text.strip_prefix(LABEL.as_bytes()) else { return false };
    let named =
        |name: &str, next: u8| rest.strip_prefix(name.as_bytes()).is_some_and(|rest| rest.first() == Some(&next));
    ORIGINS.iter().any(|(_, origin)| named(origin, b':'))
        || TRANSLATED.strip_prefix(LABEL).is_some_and(|translated| named(translated, b'"'))
}

const ORIGINS: [(Origin, &str); 4] = [
    (Origin::Claude, "claude"),
    (Origin::Gemini, "gemini"),
    (Origin::OpenaiResponses, "openai-responses"),
    (Origin::OpenaiChat, "openai-chat"),
];
const KINDS: [(SealKind, &str); 2] = [(SealKind::Signature, "signature"), (SealKind::Encrypted, "encrypted")];

impl Seal {
    /// The seal that a client of a format with seals of `own` hands back. `kind` says where in that format it stood;
    /// a label knows better.
    #[must_use]
    pub fn from_client(own: Origin, kind: SealKind, text: &str) -> Self {
        Self::labelled(text).unwrap_or_else(|| Self { origin: own, kind, value: text.to_owned() })
    }

    /// Its text for a client of a format with seals of `own`.
    #[must_use]
    pub fn for_client(&self, own: Origin) -> String {
        if self.origin == own {
            return self.value.clone();
        }
        let origin = ORIGINS.iter().find(|(origin, _)| *origin == self.origin).map_or("", |(_, name)| name);
        let kind = KINDS.iter().find(|(kind, _)| *kind == self.kind).map_or("", |(_, name)| name);
        format!("{LABEL}{origin}:{kind}:{}", self.value)
    }

    /// As [`Self::from_client`], for a format whose seals are base64 of either alphabet.
    #[must_use]
    pub fn from_client_base64(own: Origin, kind: SealKind, text: &str) -> Self {
        let labelled = || {
            let decoded = decode_text(&text.strip_prefix(LABEL_BASE64)?.replace('-', "+").replace('_', "/"))?;
            Self::labelled(&format!("{LABEL}{decoded}"))
        };
        labelled().unwrap_or_else(|| Self { origin: own, kind, value: text.to_owned() })
    }

    /// As [`Self::for_client`], for a format whose seals are base64.
    #[must_use]
    pub fn for_client_base64(&self, own: Origin) -> String {
        if self.origin == own { self.value.clone() } else { encode(self.for_client(own).as_bytes()) }
    }

    /// Whether it is a block of its own where reasoning is blocks: what Claude encrypts has no text. What others encrypt
    /// may have a summary, and then stands with it, as signatures do.
    #[must_use]
    pub(crate) fn stands_alone(&self, after_text: bool) -> bool {
        self.kind == SealKind::Encrypted && (self.origin == Origin::Claude || !after_text)
    }

    fn labelled(text: &str) -> Option<Self> {
        let mut parts = text.strip_prefix(LABEL)?.splitn(3, ':');
        let (origin, kind) = (parts.next()?, parts.next()?);
        Some(Self {
            origin: ORIGINS.iter().find(|(_, name)| *name == origin)?.0,
            kind: KINDS.iter().find(|(_, name)| *name == kind)?.0,
            value: parts.next()?.to_owned(),
        })
    }
}

/// Its value may be long and says nothing to people.
impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {:?} of {} bytes", self.origin, self.kind, self.value.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn a_seal_of_the_clients_own_format_is_not_labelled() {
        let seal = Seal { origin: Origin::Claude, kind: SealKind::Signature, value: "EqQB:x".to_owned() };
        assert_eq!(seal.for_client(Origin::Claude), "EqQB:x");
        assert_eq!(Seal::from_client(Origin::Claude, SealKind::Signature, "EqQB:x"), seal);
    }

    #[test]
    fn a_seal_comes_back_from_any_format_as_it_was() {
        for (origin, _) in ORIGINS {
            for (own, _) in ORIGINS {
                for (kind, _) in KINDS {
                    let seal = Seal { origin, kind, value: "a:b c".to_owned() };
                    let shown = seal.for_client(own);
                    assert_eq!(shown.starts_with(LABEL), origin != own);
                    assert_eq!(Seal::from_client(own, kind, &shown), seal);
                }
            }
        }
    }

    #[test]
    fn in_base64_it_comes_back_from_either_alphabet_with_and_without_padding() {
        for (origin, _) in ORIGINS {
            let seal = Seal { origin, kind: SealKind::Encrypted, value: "~~~?>é:x".to_owned() };
            let shown = seal.for_client_base64(Origin::Gemini);
            assert_eq!(shown.starts_with(LABEL_BASE64), origin != Origin::Gemini);
            let url_safe = shown.replace('+', "-").replace('/', "_");
            for shown in [shown.trim_end_matches('='), &shown, &url_safe] {
                assert_eq!(Seal::from_client_base64(Origin::Gemini, SealKind::Encrypted, shown), seal);
            }
        }
        for text in ["dG9sbGdhdGU6", "dG9sbGdhdGU6!!", "dG9sbGdhdGU6Y2xhdWRl", "c2VhbC0x", ""] {
            let seal = Seal::from_client_base64(Origin::Gemini, SealKind::Signature, text);
            assert_eq!((seal.origin, seal.value.as_str()), (Origin::Gemini, text));
        }
    }

    #[test]
    fn what_only_looks_like_a_label_is_the_clients_own() {
        for text in ["tollgate:", "tollgate:claude", "tollgate:claude:signature", "tollgate:x:signature:y", ""] {
            let seal = Seal::from_client(Origin::Gemini, SealKind::Signature, text);
            assert_eq!((seal.origin, seal.value.as_str()), (Origin::Gemini, text));
        }
    }
}
