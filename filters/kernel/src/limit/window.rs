//! Windows of the calendar.

use crate::timestamp::{date, days_since_1970};
use schemars::JsonSchema;
use tollgate_config::{Fault, Read, Value};

/// How long a window is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum Every {
    /// 60 seconds.
    Minute,
    /// 60 minutes.
    Hour,
    /// From midnight.
    Day,
    /// From Monday's midnight.
    Week,
    /// From the first day's midnight.
    Month,
}

/// How far a clock is ahead of UTC: `+01:00`, `-03:30`, `Z`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, JsonSchema)]
#[schemars(try_from = "String")]
#[schemars(extend("pattern" = "^(Z|[+-][0-9]{2}:[0-9]{2})$"))]
pub struct UtcOffset {
    seconds: i64,
}

/// From when, and until before when. Milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Its first.
    pub start_ms: u64,
    /// The next one's first.
    pub end_ms: u64,
}

const MINUTE: i64 = 60;
const HOUR: i64 = 3600;
const DAY: i64 = 86_400;

impl Every {
    /// The window in which `now_ms` lies.
    #[must_use]
    pub fn span(self, offset: UtcOffset, now_ms: u64) -> Span {
        let now = i64::try_from(now_ms.div_euclid(1000)).unwrap_or(i64::MAX);
        let local = now.saturating_add(offset.seconds);
        let days = local.div_euclid(DAY);
        let (start, end) = match self {
            Self::Minute => aligned(local, MINUTE),
            Self::Hour => aligned(local, HOUR),
            Self::Day => aligned(local, DAY),
            Self::Week => {
                // The first of January 1970 was a Thursday.
                let monday = days.saturating_sub(days.saturating_add(3).rem_euclid(7)).saturating_mul(DAY);
                (monday, monday.saturating_add(DAY.saturating_mul(7)))
            }
            Self::Month => month(days),
        };
        let millis =
            |local: i64| u64::try_from(local.saturating_sub(offset.seconds)).unwrap_or_default().saturating_mul(1000);
        Span { start_ms: millis(start), end_ms: millis(end) }
    }
}

const fn aligned(local: i64, length: i64) -> (i64, i64) {
    let start = local.saturating_sub(local.rem_euclid(length));
    (start, start.saturating_add(length))
}

/// The month in which so many days since 1970 lie.
fn month(days: i64) -> (i64, i64) {
    let (year, month, _) = date(u64::try_from(days).unwrap_or_default());
    let (year, month) = (i64::try_from(year).unwrap_or(i64::MAX), i64::try_from(month).unwrap_or(1));
    let (next_year, next_month) =
        if month == 12 { (year.saturating_add(1), 1) } else { (year, month.saturating_add(1)) };
    let first = |year, month| days_since_1970(year, month, 1).unwrap_or_default().saturating_mul(DAY);
    (first(year, month), first(next_year, next_month))
}

impl UtcOffset {
    /// So many seconds.
    pub(crate) const fn seconds(self) -> i64 {
        self.seconds
    }
}

impl TryFrom<String> for UtcOffset {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        parse(&text)
            .ok_or_else(|| format!("found `{}`, expected an offset from UTC such as `+01:00`", text.escape_debug()))
    }
}

impl Read for UtcOffset {
    fn read(value: &Value<'_>) -> Result<Self, Fault> {
        value.converted::<String, _>()
    }
}

impl Read for Every {
    fn read(value: &Value<'_>) -> Result<Self, Fault> {
        let all = [
            ("minute", Self::Minute),
            ("hour", Self::Hour),
            ("day", Self::Day),
            ("week", Self::Week),
            ("month", Self::Month),
        ];
        value.one_of("enum Every", &all)
    }
}

fn parse(text: &str) -> Option<UtcOffset> {
    if text == "Z" {
        return Some(UtcOffset::default());
    }
    let (sign, rest) = match text.as_bytes().split_first()? {
        (b'+', rest) => (1, rest),
        (b'-', rest) => (-1, rest),
        _ => return None,
    };
    let [h1, h2, b':', m1, m2] = rest else { return None };
    let number = |tens: &u8, ones: &u8| {
        let digit = |byte: &u8| char::from(*byte).to_digit(10).map(i64::from);
        digit(tens)?.checked_mul(10)?.checked_add(digit(ones)?)
    };
    let (hours, minutes) = (number(h1, h2)?, number(m1, m2)?);
    let seconds = hours.checked_mul(HOUR)?.checked_add(minutes.checked_mul(MINUTE)?)?.checked_mul(sign)?;
    (hours <= 14 && minutes <= 59).then_some(UtcOffset { seconds })
}

#[cfg(test)]
mod tests {
    use super::{Every, UtcOffset};
    use crate::timestamp::{Timestamp, rfc3339_millis};
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[expect(clippy::arithmetic_side_effects, reason = "tests")]
    fn span(every: Every, offset: &str, now: &str) -> (String, String) {
        let offset = UtcOffset::try_from(offset.to_owned()).unwrap();
        let span = every.span(offset, now.parse::<Timestamp>().unwrap().unix_s() * 1000 + 999);
        let text = |ms: u64| rfc3339_millis(ms * 1_000_000).replace(":00.000Z", "");
        (text(span.start_ms), text(span.end_ms))
    }

    #[test]
    fn windows_are_those_of_the_calendar() {
        for (every, offset, now, start, end) in [
            (Every::Minute, "Z", "2026-11-22T12:34:56Z", "2026-11-22T12:34", "2026-11-22T12:35"),
            (Every::Hour, "Z", "2026-11-22T12:34:56Z", "2026-11-22T12:00", "2026-11-22T13:00"),
            (Every::Hour, "+05:30", "2026-11-22T12:34:56Z", "2026-11-22T12:30", "2026-11-22T13:30"),
            (Every::Day, "Z", "2026-11-22T23:59:59Z", "2026-11-22T00:00", "2026-11-23T00:00"),
            (Every::Day, "+01:00", "2026-11-22T23:00:00Z", "2026-11-22T23:00", "2026-11-23T23:00"),
            (Every::Day, "-08:00", "2026-11-22T07:59:59Z", "2026-11-21T08:00", "2026-11-22T08:00"),
            (Every::Week, "Z", "2026-11-22T12:00:00Z", "2026-11-16T00:00", "2026-11-23T00:00"),
            (Every::Week, "Z", "2026-11-23T00:00:00Z", "2026-11-23T00:00", "2026-11-30T00:00"),
            (Every::Week, "+01:00", "2026-11-22T23:00:00Z", "2026-11-22T23:00", "2026-11-29T23:00"),
            (Every::Month, "Z", "2026-02-28T23:59:59Z", "2026-02-01T00:00", "2026-03-01T00:00"),
            (Every::Month, "Z", "2028-02-29T00:00:00Z", "2028-02-01T00:00", "2028-03-01T00:00"),
            (Every::Month, "Z", "2026-12-31T23:59:59Z", "2026-12-01T00:00", "2027-01-01T00:00"),
            (Every::Month, "+14:00", "2026-11-30T10:00:00Z", "2026-11-30T10:00", "2026-12-31T10:00"),
            (Every::Month, "Z", "1970-01-01T00:00:00Z", "1970-01-01T00:00", "1970-02-01T00:00"),
        ] {
            assert_eq!(span(every, offset, now), (start.to_owned(), end.to_owned()), "{every:?} {offset} {now}");
        }
    }

    #[test]
    fn what_is_no_offset_is_told() {
        for text in ["", "+1:00", "01:00", "+15:00", "+01:60", "+01-00", "CET", "+01:00 ", "+0a:00"] {
            let error = UtcOffset::try_from(text.to_owned()).unwrap_err();
            assert!(error.contains("expected an offset from UTC"), "{error}");
        }
    }

    #[test]
    fn no_time_is_without_a_window() {
        for every in [Every::Minute, Every::Hour, Every::Day, Every::Week, Every::Month] {
            for now in [0, 1, u64::MAX / 1_000_000, 18_446_744_073_709] {
                let span = every.span(UtcOffset::default(), now);
                assert!(span.start_ms <= now && now < span.end_ms, "{every:?} {now} {span:?}");
            }
        }
    }
}
