//! HMAC-SHA-256 (RFC 2104).

use sha2::{Digest, Sha256};
use std::fmt;
use subtle::ConstantTimeEq;

const BLOCK: usize = 64;

/// A key, as what both hashes begin with: hashing it once is enough.
#[derive(Clone)]
pub struct HmacKey {
    inner: Sha256,
    outer: Sha256,
}

impl HmacKey {
    /// The key of these bytes.
    #[must_use]
    pub fn new(key: &[u8]) -> Self {
        let mut block = [0; BLOCK];
        let hashed = Sha256::digest(key);
        let key = if key.len() > BLOCK { hashed.as_slice() } else { key };
        for (padded, byte) in block.iter_mut().zip(key) {
            *padded = *byte;
        }
        let begun = |pad: u8| Sha256::new().chain_update(block.map(|byte| byte ^ pad));
        Self { inner: begun(0x36), outer: begun(0x5c) }
    }

    /// Whether `mac` is how this key's of the message that `parts` are begins, in a time that does not depend on where it is not.
    #[must_use]
    pub fn verify<const N: usize>(&self, parts: &[&[u8]], mac: &[u8; N]) -> bool {
        beginning::<N>(&self.mac(parts)).ct_eq(mac).into()
    }

    pub(crate) fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        let inner = parts.iter().fold(self.inner.clone(), |hash, part| hash.chain_update(part));
        self.outer.clone().chain_update(inner.finalize()).finalize().into()
    }
}

/// How a MAC begins (RFC 2104, section 5).
pub(crate) fn beginning<const N: usize>(mac: &[u8; 32]) -> [u8; N] {
    const { assert!(8 <= N && N <= 32, "fewer bytes prove nothing") }
    mac.first_chunk().copied().unwrap_or([0; N])
}

impl fmt::Debug for HmacKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HmacKey(<redacted>)")
    }
}

#[cfg(test)]
mod tests {
    use super::HmacKey;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn hex(mac: [u8; 32]) -> String {
        mac.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// RFC 4231, sections 4.2 to 4.8.
    #[test]
    fn the_vectors_of_rfc_4231() {
        let counting: Vec<u8> = (1..=25).collect();
        for (key, message, mac) in [
            (&[0x0b; 20][..], &b"Hi There"[..], "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
            (b"Jefe", b"what do ya want for nothing?", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
            (&[0xaa; 20], &[0xdd; 50], "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
            (&counting, &[0xcd; 50], "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"),
            (
                &[0xaa; 131],
                b"Test Using Larger Than Block-Size Key - Hash Key First",
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
            ),
            (
                &[0xaa; 131],
                b"This is a test using a larger than block-size key and a larger than block-size data. The key needs to be hashed before being used by the HMAC algorithm.",
                "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
            ),
        ] {
            let key = HmacKey::new(key);
            assert_eq!(hex(key.mac(&[message])), mac);
            let (first, rest) = message.split_at(3);
            assert_eq!(hex(key.mac(&[first, b"", rest])), mac, "in parts");
        }
    }

    /// RFC 4231, section 4.6.
    #[test]
    fn a_mac_may_be_cut() {
        let key = HmacKey::new(&[0x0c; 20]);
        let mut cut = *b"\xa3\xb6\x16\x74\x73\x10\x0e\xe0\x6e\x0c\x79\x6c\x29\x55\x55\x2b";
        assert!(key.verify(&[b"Test With Truncation"], &cut));
        cut[15] ^= 1;
        assert!(!key.verify(&[b"Test With Truncation"], &cut));
    }

    #[test]
    fn only_the_whole_mac_of_the_same_key_and_message_verifies() {
        let key = HmacKey::new(&[7; 32]);
        let mac = key.mac(&[b"message"]);
        assert!(key.verify(&[b"mess", b"age"], &mac));
        assert!(!key.verify(&[b"messagE"], &mac));
        assert!(!HmacKey::new(&[8; 32]).verify(&[b"message"], &mac));
        for at in 0..32 {
            let mut other = mac;
            other[at] ^= 1;
            assert!(!key.verify(&[b"message"], &other));
        }
    }

    #[test]
    fn a_key_cannot_be_printed() {
        assert_eq!(format!("{:?}", HmacKey::new(b"Jefe")), "HmacKey(<redacted>)");
    }
}
