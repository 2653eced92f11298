//! One answer as it is kept: bytes that say themselves whether they are whole, and whose. Pure.

use crate::cache::digest::Digest;
use crc::{CRC_32_ISO_HDLC, Crc, Table};
use tollgate_wire::money::NanoUsd;

/// What was kept in another layout is not read.
const VERSION: u8 = 1;

/// Version, key, two times, cost, whether that is known, checksum.
const HEAD_BYTES: usize = 1 + 32 + 8 + 8 + 8 + 1 + 4;

static CRC: Crc<u32, Table<1>> = Crc::<u32, Table<1>>::new(&CRC_32_ISO_HDLC);

/// An answer that is kept. Times are nanoseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry<'a> {
    /// When it was given.
    pub(crate) stored: u64,
    /// From when on it is not given again.
    pub(crate) expires: u64,
    /// What it cost; `None` when nobody knew.
    pub(crate) cost: Option<NanoUsd>,
    /// The body of the answer in one piece, in the client's format.
    pub(crate) body: &'a [u8],
}

impl<'a> Entry<'a> {
    /// Its bytes, under `key`.
    pub(crate) fn write(&self, key: &Digest) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEAD_BYTES.saturating_add(self.body.len()));
        bytes.push(VERSION);
        bytes.extend(key.0);
        for number in [self.stored, self.expires, self.cost.unwrap_or_default().0] {
            bytes.extend(number.to_be_bytes());
        }
        bytes.push(u8::from(self.cost.is_some()));
        let checksum = checksum(&bytes, self.body);
        bytes.extend(checksum.to_be_bytes());
        bytes.extend(self.body);
        bytes
    }

    /// Reads what was kept; `None` when it is not all there, or is kept under another key.
    pub(crate) fn read(bytes: &'a [u8], key: &Digest) -> Option<Self> {
        let (version, rest) = bytes.split_first()?;
        let (kept_under, rest) = rest.split_first_chunk()?;
        let (stored, rest) = number(rest)?;
        let (expires, rest) = number(rest)?;
        let (cost, rest) = number(rest)?;
        let (known, rest) = rest.split_first()?;
        let head = bytes.get(..bytes.len().saturating_sub(rest.len()))?;
        let (sum, body) = rest.split_first_chunk()?;
        if *version != VERSION || Digest(*kept_under) != *key || u32::from_be_bytes(*sum) != checksum(head, body) {
            return None;
        }
        Some(Self { stored, expires, cost: (*known == 1).then_some(NanoUsd(cost)), body })
    }
}

fn number(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (number, rest) = bytes.split_first_chunk()?;
    Some((u64::from_be_bytes(*number), rest))
}

fn checksum(head: &[u8], body: &[u8]) -> u32 {
    let mut digest = CRC.digest();
    digest.update(head);
    digest.update(body);
    digest.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    const KEY: Digest = Digest([7; 32]);

    fn entry() -> Entry<'static> {
        Entry { stored: 1, expires: u64::MAX, cost: Some(NanoUsd(3)), body: b"{\"an\":\"answer\"}" }
    }

    #[test]
    fn what_was_kept_is_read_back() {
        for entry in [
            entry(),
            Entry { cost: None, ..entry() },
            Entry { cost: Some(NanoUsd(0)), ..entry() },
            Entry { body: b"", ..entry() },
        ] {
            let bytes = entry.write(&KEY);
            assert_eq!(bytes.len(), HEAD_BYTES + entry.body.len());
            assert_eq!(Entry::read(&bytes, &KEY), Some(entry));
        }
    }

    #[test]
    fn every_truncation_and_every_flipped_bit_is_nothing() {
        let bytes = entry().write(&KEY);
        for length in 0..bytes.len() {
            assert_eq!(Entry::read(&bytes[..length], &KEY), None, "{length} bytes");
        }
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut broken = bytes.clone();
                broken[at] ^= 1 << bit;
                assert_eq!(Entry::read(&broken, &KEY), None, "bit {bit} of byte {at}");
            }
        }
        assert_eq!(Entry::read(&[&bytes[..], b"x"].concat(), &KEY), None, "more than was kept");
        assert_eq!(Entry::read(&bytes, &Digest([8; 32])), None, "under another key");
    }
}
