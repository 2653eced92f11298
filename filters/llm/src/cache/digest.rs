//! SHA-256 over named fields, so that no two lists of fields have the same bytes.

use sha2::{Digest as _, Sha256};
use std::fmt;

/// A digest. Who knows what it was made of can find it: it is not printed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Digest(pub(crate) [u8; 32]);

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digest(<redacted>)")
    }
}

/// Makes a digest.
pub(crate) struct Digester(Sha256);

impl Digester {
    pub(crate) fn new() -> Self {
        Self(Sha256::new())
    }

    /// The next field. Both texts stand behind their lengths.
    pub(crate) fn field(&mut self, name: &str, value: impl AsRef<[u8]>) {
        for part in [name.as_bytes(), value.as_ref()] {
            self.0.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            self.0.update(part);
        }
    }

    /// A piece of something that is the only thing digested: it has no length in front.
    pub(crate) fn piece(&mut self, piece: &[u8]) {
        self.0.update(piece);
    }

    pub(crate) fn digest(self) -> Digest {
        Digest(self.0.finalize().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn digest(fields: &[(&str, &str)]) -> Digest {
        let mut digester = Digester::new();
        fields.iter().for_each(|(name, value)| digester.field(name, value));
        digester.digest()
    }

    #[test]
    fn other_fields_are_another_digest_wherever_their_bytes_are_cut() {
        let lists: [&[(&str, &str)]; 9] = [
            &[],
            &[("", "")],
            &[("a", "")],
            &[("", "a")],
            &[("a", "bc")],
            &[("ab", "c")],
            &[("a", "b"), ("c", "d")],
            &[("a", "b"), ("cd", "")],
            &[("c", "d"), ("a", "b")],
        ];
        for (at, one) in lists.iter().enumerate() {
            for (other_at, other) in lists.iter().enumerate() {
                assert_eq!(digest(one) == digest(other), at == other_at, "{one:?} {other:?}");
            }
        }
        assert_eq!(format!("{:?}", digest(&[])), "Digest(<redacted>)");
    }
}
