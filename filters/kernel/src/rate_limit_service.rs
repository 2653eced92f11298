//! What is asked of a rate limit service (`envoy.service.ratelimit.v3`), and what it answers. Field numbers are those of
//! Envoy 1.40.
//!
//! # How the services count
//!
//! What they have in common, and so all that a limit may rely on: a request with `hits` is refused when any limit that
//! its descriptors meet has less left; 0 hits are counted as one; nothing can be given back.
//!
//! | | envoyproxy/ratelimit (July 2026, `f2fb157`) | Limitador (server 2.4.0, crate 0.14) |
//! |---|---|---|
//! | `hits_addend` | raised by it; a descriptor's own `hits_addend` (`UInt64Value`, 0 only looks) comes before | raised by it; a descriptor's own is not read |
//! | `is_negative_hits` | not read: it counts up | not read |
//! | a refused request | **is counted**, in each limit of the request (`INCRBY` comes first), unless the local cache knows that the limit is used up; with `STOP_CACHE_KEY_INCREMENT_WHEN_OVERLIMIT` not in the limits that have room | is counted nowhere |
//! | at the same time | exact: the sum after one's own hits decides | may go over: all are read, then all are raised |
//! | a descriptor's `limit` | replaces the configured limit; needs a known domain, not a known descriptor. `unit_multiplier` is not read; a unit that is not known ends the server | not read |
//! | the largest limit | 2^32-1 per unit | 2^63-1, in any number of seconds |
//! | a window | aligned to the Unix epoch: a week begins on Thursday 00:00 UTC, a month is 30 days, a year 365 | begins with its first hit, lasts the limit's seconds |
//! | which limit | one per descriptor, found by its entries in their order, as nested in the file; none: `OK` | all of the domain whose CEL conditions hold (`descriptors[0]['limit'] == 'tokens'`); counted apart by its variables; none: `OK`. A descriptor is named by its place; a place that is not there breaks off the call, a key that is not there is no match |
//! | `statuses` | one per descriptor in order, with `duration_until_reset` | none; with `--rate-limit-headers DRAFT_VERSION_03` `X-RateLimit-Reset` of the limit that has least left, in `response_headers_to_add` |
//! | no descriptors, no domain | gRPC error 2 | no domain: code `UNKNOWN`; no descriptors: as above |
//! | Redis is away | gRPC error 2 | gRPC error 14 |

use crate::protobuf::{Field, Message, fields};
use std::fmt;
use std::num::NonZeroU32;

/// A service is a gRPC service of this name.
pub const SERVICE: &str = "envoy.service.ratelimit.v3.RateLimitService";

/// With this method.
pub const METHOD: &str = "ShouldRateLimit";

/// `RateLimitRequest`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request<'a> {
    /// Whose limits: a service keeps those of several.
    pub domain: &'a str,
    /// What is counted. A service takes all or, where one has no room, refuses.
    pub descriptors: &'a [Descriptor<'a>],
    /// How much.
    pub hits: NonZeroU32,
}

/// `RateLimitDescriptor`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Descriptor<'a> {
    /// Keys and values, in the order of the service's configuration. Neither may be empty.
    pub entries: &'a [(&'a str, &'a str)],
    /// A limit that the service need not have; not every service heeds it.
    pub limit: Option<Override>,
}

/// `RateLimitDescriptor.RateLimitOverride`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Override {
    /// How many hits in one `unit`.
    pub requests_per_unit: u32,
    /// How long a window is.
    pub unit: Unit,
}

/// `envoy.type.v3.RateLimitUnit`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Unit {
    /// 60 seconds.
    Minute = 2,
    /// 3600 seconds.
    Hour = 3,
    /// 24 hours.
    Day = 4,
    /// 30 days.
    Month = 5,
    /// 365 days.
    Year = 6,
}

impl Request<'_> {
    /// As it is sent.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut request = Message::default();
        request.bytes(1, self.domain.as_bytes());
        for descriptor in self.descriptors {
            request.message(2, descriptor.message());
        }
        request.number(3, self.hits.get());
        request.finish()
    }
}

impl Descriptor<'_> {
    fn message(&self) -> Message {
        let mut descriptor = Message::default();
        for (key, value) in self.entries {
            let mut entry = Message::default();
            entry.bytes(1, key.as_bytes());
            entry.bytes(2, value.as_bytes());
            descriptor.message(1, entry);
        }
        if let Some(limit) = self.limit {
            let mut replaced = Message::default();
            replaced.number(1, limit.requests_per_unit);
            replaced.number(2, u32::from(limit.unit as u8));
            descriptor.message(2, replaced);
        }
        descriptor
    }
}

/// What a service decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// There was room, and it is taken.
    Ok,
    /// There was none.
    OverLimit {
        /// In how many seconds the last of the limits that refused begins anew, where the service tells.
        reset_after: Option<u64>,
    },
}

/// What is not an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnswerError {
    /// No `RateLimitResponse`.
    Malformed,
    /// The service does not know, or says what this version of the protocol has no name for.
    UnknownCode(u64),
}

impl fmt::Display for AnswerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed => f.write_str("not a RateLimitResponse"),
            Self::UnknownCode(code) => write!(f, "overall_code {code}"),
        }
    }
}

impl std::error::Error for AnswerError {}

const OK: u64 = 1;
const OVER_LIMIT: u64 = 2;

impl Answer {
    /// Reads a `RateLimitResponse`.
    ///
    /// # Errors
    /// When it is none, or decides nothing.
    pub fn decode(bytes: &[u8]) -> Result<Self, AnswerError> {
        let (mut code, mut by_status, mut by_header) = (0, None, None);
        for field in fields(bytes) {
            match field.ok_or(AnswerError::Malformed)? {
                (1, Field::Varint(overall)) => code = overall,
                (2, Field::Bytes(status)) => {
                    by_status = by_status.max(reset_of(status).ok_or(AnswerError::Malformed)?);
                }
                (3, Field::Bytes(header)) => {
                    by_header = by_header.or(reset_header(header).ok_or(AnswerError::Malformed)?);
                }
                (1..=3, _) => return Err(AnswerError::Malformed),
                _ => {}
            }
        }
        match code {
            OK => Ok(Self::Ok),
            OVER_LIMIT => Ok(Self::OverLimit { reset_after: by_status.or(by_header) }),
            code => Err(AnswerError::UnknownCode(code)),
        }
    }
}

/// When the limit of a `DescriptorStatus` begins anew, if it is that which refused; `None` when the bytes are none.
fn reset_of(status: &[u8]) -> Option<Option<u64>> {
    let (mut code, mut reset) = (0, None);
    for field in fields(status) {
        match field? {
            (1, Field::Varint(of_descriptor)) => code = of_descriptor,
            (4, Field::Bytes(duration)) => reset = whole_seconds(duration)?,
            (1 | 4, _) => return None,
            _ => {}
        }
    }
    Some(reset.filter(|_| code == OVER_LIMIT))
}

/// A `google.protobuf.Duration`, rounded up; nothing when it is negative or longer than a `Duration` can be.
fn whole_seconds(duration: &[u8]) -> Option<Option<u64>> {
    /// 10,000 years.
    const MAX_SECONDS: u64 = 315_576_000_000;
    let (mut seconds, mut nanos) = (0, 0);
    for field in fields(duration) {
        match field? {
            (1, Field::Varint(value)) => seconds = value,
            (2, Field::Varint(value)) => nanos = value,
            (1 | 2, _) => return None,
            _ => {}
        }
    }
    // What is negative is more than any.
    let sensible = seconds <= MAX_SECONDS && nanos < 1_000_000_000;
    Some(sensible.then(|| seconds.saturating_add(u64::from(nanos > 0))))
}

/// The seconds of a `HeaderValue` that tells them; `None` when the bytes are none.
fn reset_header(header: &[u8]) -> Option<Option<u64>> {
    let (mut key, mut value) = (&b""[..], &b""[..]);
    for field in fields(header) {
        match field? {
            (1, Field::Bytes(text)) => key = text,
            (2 | 3, Field::Bytes(text)) => value = text,
            (1..=3, _) => return None,
            _ => {}
        }
    }
    let tells = ["x-ratelimit-reset", "ratelimit-reset"].iter().any(|name| key.eq_ignore_ascii_case(name.as_bytes()));
    Some(std::str::from_utf8(value).ok().filter(|_| tells).and_then(|seconds| seconds.parse().ok()))
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    // All messages here were written by Google's own library from the definitions inside Envoy 1.40.

    #[test]
    fn a_request_is_written_as_others_write_it() {
        let long = "k".repeat(200);
        let limit = Some(Override { requests_per_unit: 4_000_000_000, unit: Unit::Day });
        let request = Request {
            domain: "tollgate",
            descriptors: &[
                Descriptor { entries: &[("limit", "team tokens"), ("team", "sü")], limit },
                Descriptor { entries: &[(&long, "v")], limit: None },
            ],
            hits: NonZeroU32::new(300).unwrap(),
        };
        let expected = [
            b"\x0a\x08tollgate\x12-\x0a\x14\x0a\x05limit\x12\x0bteam tokens\x0a\x0b\x0a\x04team\x12\x03s\xc3\xbc",
            &b"\x12\x08\x08\x80\xd0\xac\xf3\x0e\x10\x04\x12\xd1\x01\x0a\xce\x01\x0a\xc8\x01"[..],
            long.as_bytes(),
            b"\x12\x01v\x18\xac\x02",
        ];
        assert_eq!(request.encode(), expected.concat());
        let most = Request { domain: "d", descriptors: &[], hits: NonZeroU32::MAX };
        assert_eq!(most.encode(), b"\x0a\x01d\x18\xff\xff\xff\xff\x0f");
    }

    /// Over the limit, with a status that is not, two that are (60 s, rounded up, and 30 s), a header, a raw body, dynamic
    /// metadata and a quota.
    const OVER: &[u8] =
        b"\x08\x02\x12\x0f\x08\x01\x12\x04\x08\x0a\x10\x03\x18\x05\x22\x03\x08\xa8F\x12\x11\x08\x02\x12\
        \x07\x08\x0a\x10\x07\x1a\x01n\x22\x04\x08;\x10\x01\x12\x06\x08\x02\x22\x02\x08\x1e\x1a\x08\x0a\x03x-a\x12\x01b*\
        \x01\xff2\x10\x0a\x0e\x0a\x01a\x12\x09\x11\x00\x00\x00\x00\x00\x00\xf8?:\x05\x08\x01\x1a\x01q";
    /// Over the limit, as Limitador tells it with headers.
    const HEADERS: &[u8] =
        b"\x08\x02\x1a \x0a\x11X-RateLimit-Limit\x12\x0b10, 10;w=60\x1a\x17\x0a\x11X-RateLimit-Reset\
        \x12\x0242";
    /// Over the limit, anew in -5 s and in -1.000000001 s.
    const NEGATIVE: &[u8] = b"\x08\x02\x12\x0f\x08\x02\x22\x0b\x08\xfb\xff\xff\xff\xff\xff\xff\xff\xff\x01\x12\x1a\x08\
        \x02\x22\x16\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01";

    #[test]
    fn an_answer_is_read_as_others_write_it() {
        let over = |reset_after| Ok(Answer::OverLimit { reset_after });
        let unknown = |code| Err(AnswerError::UnknownCode(code));
        for (bytes, expected) in [
            (&b"\x08\x01"[..], Ok(Answer::Ok)),
            (b"\x08\x02", over(None)),
            (OVER, over(Some(60))),
            (HEADERS, over(Some(42))),
            (NEGATIVE, over(None)),
            (b"", unknown(0)),
            (b"\x08\x00", unknown(0)),
            (b"\x08\x03", unknown(3)),
            (b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", unknown(u64::MAX)),
            (b"\x08\x01\x08\x02", over(None)),
        ] {
            assert_eq!(Answer::decode(bytes), expected, "{bytes:?}");
        }
    }

    #[test]
    fn what_is_new_in_the_protocol_is_skipped() {
        let new = b"\x98\x06\x07\xa1\x06\x01\x02\x03\x04\x05\x06\x07\x08\xaa\x06\x03abc\xb5\x06\x01\x02\x03\x04";
        assert_eq!(Answer::decode(&[new, &b"\x08\x01"[..], new].concat()), Ok(Answer::Ok));
    }

    #[test]
    fn what_is_cut_or_of_another_kind_is_no_answer() {
        for whole in [OVER, HEADERS, NEGATIVE] {
            for end in (3..whole.len()).filter(|end| Answer::decode(&whole[..*end]).is_ok()) {
                // Only between two fields.
                assert!(fields(&whole[..end]).all(|field| field.is_some()), "cut at {end}");
            }
        }
        for malformed in [
            &b"\x0a\x01\x01"[..],                  // a code that is a text
            b"\x08\x01\x10\x01",                   // a status that is a number
            b"\x08\x02\x12\x02\x0a\x00",           // a status whose code is a text
            b"\x08\x02\x12\x02\x20\x01",           // one whose duration is a number
            b"\x08\x02\x12\x04\x22\x02\x0a\x00",   // one whose seconds are a text
            b"\x08\x02\x1a\x02\x08\x01",           // a header whose key is a number
            b"\x08\x01\x0b\x0c",                   // a group
            b"\x08\x01\x12\xff\xff\xff\xff\x0f\0", // longer than all
            b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
            b"{\"overall_code\":1}",
            b"<html>",
        ] {
            assert_eq!(Answer::decode(malformed), Err(AnswerError::Malformed), "{malformed:?}");
        }
    }

    #[test]
    fn a_header_that_tells_no_seconds_tells_nothing() {
        for (value, expected) in
            [("7", Some(7)), ("", None), ("-1", None), ("soon", None), ("18446744073709551616", None)]
        {
            let mut header = Message::default();
            header.bytes(1, b"ratelimit-reset");
            header.bytes(2, value.as_bytes());
            let mut answer = Message::default();
            answer.number(1, 2);
            answer.message(3, header);
            assert_eq!(Answer::decode(&answer.finish()), Ok(Answer::OverLimit { reset_after: expected }));
        }
    }

    #[cfg(not(target_arch = "wasm32"))]
    mod properties {
        use super::*;
        use proptest::prelude::*;

        proptest! {
            #[test]
            fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
                let _ = Answer::decode(&bytes);
            }

            #[test]
            fn no_change_to_an_answer_makes_it_panic(at in 0..OVER.len(), byte: u8) {
                let mut bytes = OVER.to_vec();
                bytes[at] = byte;
                let _ = Answer::decode(&bytes);
            }

            #[test]
            fn the_last_of_the_limits_that_refused_tells_when(
                statuses in prop::collection::vec((0_u32..4, 0_u32..100_000), 0..9),
            ) {
                let mut answer = Message::default();
                answer.number(1, 2);
                for (code, seconds) in &statuses {
                    let (mut status, mut duration) = (Message::default(), Message::default());
                    duration.number(1, *seconds);
                    status.number(1, *code);
                    status.message(4, duration);
                    answer.message(2, status);
                }
                let refused = statuses.iter().filter(|(code, _)| *code == 2);
                let reset_after = refused.map(|(_, seconds)| u64::from(*seconds)).max();
                prop_assert_eq!(Answer::decode(&answer.finish()), Ok(Answer::OverLimit { reset_after }));
            }

            #[test]
            fn a_request_says_what_it_was_made_of(
                domain in "[a-z]{1,200}",
                entries in prop::collection::vec(("\\PC{1,20}", "\\PC{1,20}"), 0..5),
                hits in 1_u32..,
            ) {
                let pairs: Vec<_> = entries.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
                let descriptors = [Descriptor { entries: &pairs, limit: None }];
                let hits = NonZeroU32::new(hits).unwrap();
                let encoded = Request { domain: &domain, descriptors: &descriptors, hits }.encode();
                let read: Option<Vec<_>> = fields(&encoded).collect();
                let read = read.expect("a message");
                prop_assert_eq!(read[0], (1, Field::Bytes(domain.as_bytes())));
                prop_assert_eq!(read[2], (3, Field::Varint(u64::from(hits.get()))));
                let (2, Field::Bytes(descriptor)) = read[1] else { panic!("a descriptor") };
                for (entry, (key, value)) in fields(descriptor).zip(&pairs) {
                    let Some((1, Field::Bytes(entry))) = entry else { panic!("an entry") };
                    let entry: Option<Vec<_>> = fields(entry).collect();
                    let expected = [(1, Field::Bytes(key.as_bytes())), (2, Field::Bytes(value.as_bytes()))];
                    prop_assert_eq!(entry.as_deref(), Some(&expected[..]));
                }
                prop_assert_eq!(fields(descriptor).count(), pairs.len());
            }
        }
    }
}
