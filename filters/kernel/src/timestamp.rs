//! Points in time as people write them in config.

use schemars::JsonSchema;
use std::fmt;
use std::str::FromStr;
use tollgate_config::{Fault, Read, Value};

/// A point in time in whole seconds, written as RFC 3339 (`2026-01-31T23:59:59Z`, `2026-02-01T01:59:59+02:00`). A
/// fraction of a second is cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, JsonSchema)]
#[schemars(try_from = "String")]
#[schemars(extend("format" = "date-time"))]
pub struct Timestamp {
    unix_s: u64,
}

/// Why a text is no [`Timestamp`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotATime {
    /// It is not written as RFC 3339 says.
    Syntax,
    /// The calendar or the clock does not have it. Leap seconds belong here: Unix time has none.
    NoSuchTime,
    /// It is before 1970.
    TooEarly,
}

impl Timestamp {
    /// Seconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn unix_s(self) -> u64 {
        self.unix_s
    }
}

impl FromStr for Timestamp {
    type Err = NotATime;

    fn from_str(text: &str) -> Result<Self, NotATime> {
        let written = Written::read(&mut Cursor(text.as_bytes())).ok_or(NotATime::Syntax)?;
        let seconds = written.unix_s().ok_or(NotATime::NoSuchTime)?;
        Ok(Self { unix_s: u64::try_from(seconds).map_err(|_| NotATime::TooEarly)? })
    }
}

impl TryFrom<String> for Timestamp {
    type Error = String;

    /// For config: the error says what was found.
    fn try_from(text: String) -> Result<Self, String> {
        text.parse().map_err(|error: NotATime| format!("found `{}`, which {error}", text.escape_debug()))
    }
}

impl Read for Timestamp {
    fn read(value: &Value<'_>) -> Result<Self, Fault> {
        value.converted::<String, _>()
    }
}

impl fmt::Display for NotATime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Syntax => "is not a time as RFC 3339 writes it, for example `2026-01-31T23:59:59Z`",
            Self::NoSuchTime => "is a time that does not exist",
            Self::TooEarly => "is before 1970",
        })
    }
}

impl std::error::Error for NotATime {}

/// A point in time as records carry it: RFC 3339, UTC, milliseconds.
#[must_use]
pub fn rfc3339_millis(unix_ns: u64) -> String {
    const MS_PER_DAY: u64 = 86_400_000;
    let ms = unix_ns.div_euclid(1_000_000);
    let (year, month, day) = date(ms.div_euclid(MS_PER_DAY));
    let ms = ms.rem_euclid(MS_PER_DAY);
    let (hour, minute) = (ms.div_euclid(3_600_000), ms.div_euclid(60_000).rem_euclid(60));
    let (second, ms) = (ms.div_euclid(1_000).rem_euclid(60), ms.rem_euclid(1_000));
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{ms:03}Z")
}

/// Year, month and day of a day since 1970-01-01. Counts in years that begin in March, so that the leap day is the
/// last of its year, and in cycles of 400 years, which all have the same length.
#[expect(clippy::arithmetic_side_effects, reason = "days of a u64 of nanoseconds reach the year 2554")]
pub(crate) const fn date(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468; // since 0000-03-01
    let (cycle, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day_of_month = day - (153 * month + 2) / 5 + 1;
    let (month, next_year) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (cycle * 400 + year + next_year, month, day_of_month)
}

/// The numbers as they stand in the text.
struct Written {
    year: i64,
    month: i64,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
    offset: Offset,
}

/// How far the written clock is ahead of UTC.
struct Offset {
    sign: i64,
    hours: i64,
    minutes: i64,
}

impl Written {
    fn read(text: &mut Cursor<'_>) -> Option<Self> {
        let year = text.number(4)?;
        let month = text.after("-")?.number(2)?;
        let day = text.after("-")?.number(2)?;
        let hour = text.after("Tt")?.number(2)?;
        let minute = text.after(":")?.number(2)?;
        let second = text.after(":")?.number(2)?;
        text.skip_fraction()?;
        let offset = Offset::read(text)?;
        text.0.is_empty().then_some(Self { year, month, day, hour, minute, second, offset })
    }

    /// `None` when a number is out of its range.
    fn unix_s(&self) -> Option<i64> {
        let Self { year, month, day, hour, minute, second, offset } = self;
        let within = (1..=12).contains(month)
            && (1..=days_of_month(*year, *month)).contains(day)
            && *hour <= 23
            && *minute <= 59
            && *second <= 59
            && offset.hours <= 23
            && offset.minutes <= 59;
        let ahead_s = offset.hours.checked_mul(3600)?.checked_add(offset.minutes.checked_mul(60)?)?;
        let local_s = days_since_1970(*year, *month, *day)?
            .checked_mul(86_400)?
            .checked_add(hour.checked_mul(3600)?)?
            .checked_add(minute.checked_mul(60)?)?
            .checked_add(*second)?;
        within.then_some(local_s.checked_sub(offset.sign.checked_mul(ahead_s)?)?)
    }
}

impl Offset {
    fn read(text: &mut Cursor<'_>) -> Option<Self> {
        let sign = match text.byte()? {
            b'Z' | b'z' => return Some(Self { sign: 0, hours: 0, minutes: 0 }),
            b'+' => 1,
            b'-' => -1,
            _ => return None,
        };
        let hours = text.number(2)?;
        Some(Self { sign, hours, minutes: text.after(":")?.number(2)? })
    }
}

const fn is_leap(year: i64) -> bool {
    (year % 4 == 0 && year % 100 != 0) || year % 400 == 0
}

const fn days_of_month(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 to a date of the Gregorian calendar.
pub(crate) fn days_since_1970(year: i64, month: i64, day: i64) -> Option<i64> {
    let in_earlier_months = (1..month).try_fold(0_i64, |days, month| days.checked_add(days_of_month(year, month)))?;
    let since_day_1 = days_before_year(year)?.checked_add(in_earlier_months)?.checked_add(day)?.checked_sub(1)?;
    since_day_1.checked_sub(days_before_year(1970)?)
}

/// Days from 0001-01-01 to the first of January of `year`.
fn days_before_year(year: i64) -> Option<i64> {
    let past = year.checked_sub(1)?;
    let leap_days = past.div_euclid(4).checked_sub(past.div_euclid(100))?.checked_add(past.div_euclid(400))?;
    past.checked_mul(365)?.checked_add(leap_days)
}

/// What is not read yet.
struct Cursor<'a>(&'a [u8]);

impl Cursor<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (byte, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*byte)
    }

    /// This cursor behind one of the `expected` characters.
    fn after(&mut self, expected: &str) -> Option<&mut Self> {
        let byte = self.byte()?;
        expected.as_bytes().contains(&byte).then_some(self)
    }

    /// A number of exactly so many digits.
    fn number(&mut self, digits: usize) -> Option<i64> {
        let (number, rest) = self.0.split_at_checked(digits)?;
        self.0 = rest;
        number.iter().try_fold(0_i64, |number, byte| {
            let digit = char::from(*byte).to_digit(10)?;
            number.checked_mul(10)?.checked_add(i64::from(digit))
        })
    }

    /// `.` and at least one digit, or nothing.
    fn skip_fraction(&mut self) -> Option<()> {
        if let Some(fraction) = self.0.strip_prefix(b".") {
            let digits = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
            self.0 = fraction.get(digits..)?;
            return (digits > 0).then_some(());
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::{NotATime, Timestamp};
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn unix_s(text: &str) -> Result<u64, NotATime> {
        text.parse().map(Timestamp::unix_s)
    }

    #[test]
    fn what_records_carry_reads_back_as_the_same_time() {
        assert_eq!(super::rfc3339_millis(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(super::rfc3339_millis(u64::MAX), "2554-07-21T23:34:33.709Z");
        for unix_s in (0..253_402_300_799).step_by(86_399 * 13).take(14_000) {
            let text = super::rfc3339_millis(unix_s * 1_000_000_000 + 7_000_000);
            assert!(text.ends_with(".007Z"), "{text}");
            assert_eq!(text.parse::<Timestamp>().unwrap().unix_s(), unix_s, "{text}");
        }
    }

    #[test]
    fn times_of_rfc_3339_are_read_exactly() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2000-02-29T23:59:59Z", 951_868_799),
            ("2026-11-22T11:00:00Z", 1_795_345_200),
            ("2038-01-19T03:14:08Z", 2_147_483_648),
            ("9999-12-31T23:59:59Z", 253_402_300_799),
            ("2026-11-22t11:00:00z", 1_795_345_200),
            ("2026-11-22T13:00:00+02:00", 1_795_345_200),
            ("2026-11-22T05:30:00-05:30", 1_795_345_200),
            ("2026-11-22T11:00:00-00:00", 1_795_345_200),
            ("2026-11-22T11:00:00.999999999Z", 1_795_345_200),
            ("1969-12-31T23:00:00-01:00", 0),
        ] {
            assert_eq!(unix_s(text), Ok(seconds), "{text}");
        }
    }

    #[test]
    fn what_is_not_a_time_is_refused_with_the_reason() {
        for (text, reason) in [
            ("", NotATime::Syntax),
            ("2026-11-22", NotATime::Syntax),
            ("2026-11-22T11:00:00", NotATime::Syntax),
            ("2026-11-22 11:00:00Z", NotATime::Syntax),
            ("2026-11-22T11:00Z", NotATime::Syntax),
            ("2026-11-22T11:00:00.Z", NotATime::Syntax),
            ("2026-11-22T11:00:00+0200", NotATime::Syntax),
            ("2026-11-22T11:00:00Z ", NotATime::Syntax),
            ("+026-11-22T11:00:00Z", NotATime::Syntax),
            ("2026-1-22T11:00:00Z", NotATime::Syntax),
            ("2026-11-22T1é:00:00Z", NotATime::Syntax),
            ("1795345200", NotATime::Syntax),
            ("2026-00-22T11:00:00Z", NotATime::NoSuchTime),
            ("2026-13-22T11:00:00Z", NotATime::NoSuchTime),
            ("2026-02-29T11:00:00Z", NotATime::NoSuchTime),
            ("2100-02-29T11:00:00Z", NotATime::NoSuchTime),
            ("2026-11-31T11:00:00Z", NotATime::NoSuchTime),
            ("2026-11-00T11:00:00Z", NotATime::NoSuchTime),
            ("2026-11-22T24:00:00Z", NotATime::NoSuchTime),
            ("2026-11-22T11:60:00Z", NotATime::NoSuchTime),
            ("2016-12-31T23:59:60Z", NotATime::NoSuchTime),
            ("2026-11-22T11:00:00+24:00", NotATime::NoSuchTime),
            ("1969-12-31T23:59:59Z", NotATime::TooEarly),
            ("0000-01-01T00:00:00Z", NotATime::TooEarly),
            ("1970-01-01T00:00:00+00:01", NotATime::TooEarly),
        ] {
            assert_eq!(unix_s(text), Err(reason), "{text}");
        }
    }

    #[test]
    fn each_day_follows_the_day_before() {
        let mut expected = 0;
        for year in 1970..2110 {
            for month in 1..=12 {
                let days = (1..=31).filter_map(|day| unix_s(&format!("{year}-{month:02}-{day:02}T00:00:00Z")).ok());
                for seconds in days {
                    assert_eq!(seconds, expected, "{year}-{month}");
                    expected = seconds.saturating_add(86_400);
                }
            }
        }
        assert_eq!(unix_s("2110-01-01T00:00:00Z"), Ok(expected));
    }
}
