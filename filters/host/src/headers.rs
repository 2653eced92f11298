//! Header maps: read whole in one host call, written whole or one by one.

use crate::abi::{self, Map, Result};
use std::fmt;
use std::ops::Range;

/// A header map as it came, in order, duplicates included. Names are lowercase as Envoy gives them.
///
/// One host call and one allocation for the bytes: a call per header costs about half as much as the whole map.
#[derive(Clone, Default)]
pub struct Headers {
    bytes: Vec<u8>,
    pairs: Vec<(Range<usize>, Range<usize>)>,
}

impl Headers {
    /// No headers.
    pub const NONE: Self = Self { bytes: Vec::new(), pairs: Vec::new() };

    /// Reads a live header map. Outside its phase the map is empty.
    ///
    /// # Errors
    /// When the host refuses or its answer cannot be read.
    pub fn read(map: Map) -> Result<Self> {
        Self::parse(abi::header_pairs(map)?).ok_or(abi::HostError::BadArgument)
    }

    /// Reads the ABI's form: a count, then a pair of sizes per header, then name NUL value NUL for each.
    /// `None` when it is cut or lies about its sizes.
    #[must_use]
    pub fn parse(bytes: Vec<u8>) -> Option<Self> {
        if bytes.is_empty() {
            return Some(Self::default());
        }
        let number = |at: usize| -> Option<usize> {
            let raw = bytes.get(at..at.checked_add(4)?)?;
            usize::try_from(u32::from_le_bytes(raw.try_into().ok()?)).ok()
        };
        let count = number(0)?;
        let mut sizes = 4_usize;
        let mut at = count.checked_mul(8)?.checked_add(4)?;
        let mut pairs = Vec::with_capacity(count.min(bytes.len()));
        for _ in 0..count {
            let name = at..at.checked_add(number(sizes)?)?;
            let value_start = name.end.checked_add(1)?;
            let value = value_start..value_start.checked_add(number(sizes.checked_add(4)?)?)?;
            at = value.end.checked_add(1)?;
            bytes.get(name.start..at)?;
            pairs.push((name, value));
            sizes = sizes.checked_add(8)?;
        }
        Some(Self { bytes, pairs })
    }

    /// Every header, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.pairs.iter().map(|(name, value)| {
            // INVARIANT: `parse` checked every range against `bytes`.
            (self.bytes.get(name.clone()).unwrap_or_default(), self.bytes.get(value.clone()).unwrap_or_default())
        })
    }

    /// Every value of one header.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.iter().filter(move |(other, _)| *other == name.as_bytes()).map(|(_, value)| value)
    }

    /// The value of a header that must stand alone: `None` when it is missing or given more than once. Whoever decides
    /// on one of two values may be contradicted by a server that reads the other.
    #[must_use]
    pub fn one<'a>(&'a self, name: &'a str) -> Option<&'a [u8]> {
        let mut values = self.all(name);
        values.next().filter(|_| values.next().is_none())
    }

    /// The same as text.
    #[must_use]
    pub fn text<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        self.one(name).and_then(|value| std::str::from_utf8(value).ok())
    }

    /// Whether `content-type` stands alone and is of this media type, with or without parameters.
    #[must_use]
    pub fn is_media_type(&self, media_type: &str) -> bool {
        let found = self.text("content-type").and_then(|value| value.split(';').next());
        found.is_some_and(|found| found.trim().eq_ignore_ascii_case(media_type))
    }
}

impl fmt::Debug for Headers {
    /// Names only: values hold keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter().map(|(name, _)| String::from_utf8_lossy(name))).finish()
    }
}

/// Puts pairs into the ABI's form.
#[must_use]
pub fn serialize(pairs: &[(&str, &[u8])]) -> Vec<u8> {
    let size = |length: usize| u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes();
    let mut bytes =
        Vec::with_capacity(pairs.iter().fold(4, |sum, (name, value)| {
            name.len().saturating_add(value.len()).saturating_add(10).saturating_add(sum)
        }));
    bytes.extend(size(pairs.len()));
    for (name, value) in pairs {
        bytes.extend(size(name.len()));
        bytes.extend(size(value.len()));
    }
    for (name, value) in pairs {
        bytes.extend(name.as_bytes());
        bytes.push(0);
        bytes.extend(*value);
        bytes.push(0);
    }
    bytes
}

/// Makes a live header map exactly these pairs: nothing that was there before is left.
///
/// # Errors
/// When the map is not live in this phase.
pub fn replace_all(map: Map, pairs: &[(&str, &[u8])]) -> Result<()> {
    abi::set_header_pairs(map, &serialize(pairs))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn duplicates_are_seen_and_never_chosen_from() {
        let headers = Headers::parse(serialize(&[("a", b"1"), ("b", b"\xff\xfe"), ("a", b"2")])).unwrap();
        assert_eq!(headers.all("a").collect::<Vec<_>>(), [b"1", b"2"]);
        assert_eq!(headers.one("a"), None);
        assert_eq!(headers.one("b"), Some(&b"\xff\xfe"[..]));
        assert_eq!(headers.text("b"), None, "not UTF-8: bytes yes, text no");
    }

    #[test]
    fn a_cut_or_lying_map_is_refused_not_read_past() {
        let whole = serialize(&[("name", b"value"), ("other", b"")]);
        for end in 1..whole.len() {
            assert!(Headers::parse(whole[..end].to_vec()).is_none(), "cut at {end}");
        }
        let mut lying = whole;
        lying[4] = 0xff;
        assert!(Headers::parse(lying).is_none());
    }

    #[test]
    fn debug_shows_no_values() {
        let headers = Headers::parse(serialize(&[("authorization", b"Bearer secret")])).unwrap();
        assert_eq!(format!("{headers:?}"), r#"["authorization"]"#);
    }
}
