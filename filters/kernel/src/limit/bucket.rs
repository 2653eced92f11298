//! Where counters are kept: so many buckets and no more, each with so many counters and no more. What a caller can invent
//! (sessions, for example) makes counters, so their number must have a bound.
//!
//! A bucket is read and written whole, in a form of its own: it is what workers compare and swap.

use super::counter::{Counter, Lapsing};
use super::{Attribute, Limit};
use sha2::{Digest, Sha256};

/// How many buckets there are.
pub const BUCKETS: u16 = 4096;

/// How many of them are for counters of which there are only so many.
const OF_FEW: u16 = 1024;
const OF_MANY: u16 = BUCKETS - OF_FEW;

/// How many counters one holds.
pub const COUNTERS_PER_BUCKET: usize = 32;

/// What the first byte of a bucket says: how the rest is written.
const VERSION: u8 = 1;

/// More amounts than a counter keeps.
const MOST_LAPSING: usize = 32;

/// Which counter of which limit: a digest, so that counters are of one size and names of any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint([u8; 16]);

/// The bucket is full of counters that count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Crowded;

/// Some of the counters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bucket(Vec<(Fingerprint, Counter)>);

impl Fingerprint {
    /// The counter of `limit` for a request, of which `value_of` tells the attributes. It depends on what is counted and
    /// when it comes back, but not on how much there is: an amount can be changed while it counts.
    pub fn of<'a>(limit: &Limit, value_of: impl Fn(Attribute) -> Option<&'a str>) -> Self {
        let mut digest = Sha256::new();
        let mut add = |text: &[u8]| {
            // With its length, so that no two lists of texts read the same.
            digest.update(u64::try_from(text.len()).unwrap_or(u64::MAX).to_le_bytes());
            digest.update(text);
        };
        add(limit.owner.as_ref().map_or(b"", |key| key.as_str().as_bytes()));
        add(limit.name.as_str().as_bytes());
        add(limit.unit.name().as_bytes());
        add(&limit.refill.kind());
        add(limit.store.as_ref().map_or(b"", |store| store.as_str().as_bytes()));
        for attribute in &limit.per {
            add(attribute.name().as_bytes());
            let value = value_of(*attribute);
            add(&[u8::from(value.is_some())]);
            add(value.unwrap_or_default().as_bytes());
        }
        let mut first = [0; 16];
        first.iter_mut().zip(digest.finalize()).for_each(|(byte, digest)| *byte = digest);
        let [_, _, kind, ..] = &mut first;
        let of_many = limit.per.iter().any(|attribute| attribute.has_many_values());
        // The digest's own bits choose the bucket; of those left, one says among which.
        *kind = *kind & !1 | u8::from(of_many);
        Self(first)
    }

    /// In which bucket it is. Counters of users and others of which there may be any number have buckets of their own: they
    /// can be in the way of each other, and of no others.
    #[must_use]
    pub const fn bucket(&self) -> u16 {
        let [low, high, kind, ..] = self.0;
        let number = u16::from_le_bytes([low, high]);
        if kind & 1 == 0 { number % OF_FEW } else { (number % OF_MANY).saturating_add(OF_FEW) }
    }
}

impl Bucket {
    /// The counter, new if there was none. Makes place by forgetting those that count nothing any more.
    ///
    /// # Errors
    /// When there is no place.
    pub fn counter(&mut self, which: &Fingerprint, now_ms: u64) -> Result<&mut Counter, Crowded> {
        let at = match self.0.iter().position(|(fingerprint, _)| fingerprint == which) {
            Some(at) => at,
            None => {
                self.0.retain(|(_, counter)| !counter.is_over(now_ms));
                if self.0.len() >= COUNTERS_PER_BUCKET {
                    return Err(Crowded);
                }
                self.0.push((*which, Counter::default()));
                self.0.len().saturating_sub(1)
            }
        };
        self.0.get_mut(at).map(|(_, counter)| counter).ok_or(Crowded)
    }

    /// Reads what [`Bucket::write`] has written; no bytes are a bucket without counters. `None` when they are something else.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let Some((version, mut rest)) = bytes.split_first() else { return Some(Self::default()) };
        if *version != VERSION {
            return None;
        }
        let mut bucket = Self::default();
        while !rest.is_empty() {
            bucket.0.push(read_counter(&mut rest)?);
        }
        (bucket.0.len() <= COUNTERS_PER_BUCKET).then_some(bucket)
    }

    /// The bytes that stand for it.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.0.len().saturating_mul(80).saturating_add(1));
        out.push(VERSION);
        for (fingerprint, counter) in &self.0 {
            out.extend(fingerprint.0);
            let Counter { since_ns, ends_ms, used, drawn, reserved } = counter;
            [since_ns, ends_ms, used, drawn].into_iter().for_each(|number| out.extend(number.to_le_bytes()));
            out.push(u8::try_from(reserved.len()).unwrap_or(u8::MAX));
            for Lapsing { until_s, amount } in reserved {
                out.extend(until_s.to_le_bytes());
                out.extend(amount.to_le_bytes());
            }
        }
        out
    }
}

fn read_counter(rest: &mut &[u8]) -> Option<(Fingerprint, Counter)> {
    let fingerprint = Fingerprint(take(rest)?);
    let mut number = || take(rest).map(u64::from_le_bytes);
    let mut counter =
        Counter { since_ns: number()?, ends_ms: number()?, used: number()?, drawn: number()?, reserved: Vec::new() };
    let [count] = take(rest)?;
    for _ in 0..count {
        let (until_s, amount) = (u32::from_le_bytes(take(rest)?), u64::from_le_bytes(take(rest)?));
        counter.reserved.push(Lapsing { until_s, amount });
    }
    (counter.reserved.len() <= MOST_LAPSING).then_some((fingerprint, counter))
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, left) = rest.split_first_chunk::<N>()?;
    *rest = left;
    Some(*taken)
}

#[cfg(test)]
mod tests;
