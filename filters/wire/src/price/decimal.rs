//! Exact decimals.

use std::fmt;
use std::str::FromStr;
use tollgate_config::{Fault, Read, Value};

/// A number that is not negative, with up to 9 decimals and at most a million, kept exactly: its billionths. Written as a
/// JSON number (`0.25`) or string (`"0.25"`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Decimal(pub(super) u64);

/// Why something is no [`Decimal`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotDecimal {
    /// It is not digits, with or without a decimal point and more digits.
    NoNumber,
    /// It is below zero.
    Negative,
    /// It has more decimals than are kept.
    TooPrecise,
    /// It is above a million.
    TooHigh,
}

const DECIMALS: usize = 9;
pub(super) const ONE: u64 = 1_000_000_000;
pub(super) const MOST: u64 = 1_000_000;

impl Decimal {
    /// Raised as much as `before` was to `now`, never lowered; rounded up.
    pub(super) fn raised(self, before: Self, now: Self) -> Self {
        if now <= before {
            return self;
        }
        if before.0 == 0 {
            return self.max(now);
        }
        let raised = u128::from(self.0).saturating_mul(u128::from(now.0)).div_ceil(u128::from(before.0));
        Self(u64::try_from(raised).unwrap_or(u64::MAX))
    }

    /// So many quarters of it, rounded up.
    pub(super) const fn quarters(self, quarters: u64) -> Self {
        Self(self.0.saturating_mul(quarters).div_ceil(4))
    }
}

impl FromStr for Decimal {
    type Err = NotDecimal;

    fn from_str(text: &str) -> Result<Self, NotDecimal> {
        let is_decimal = |text: &str| match text.split_once('.') {
            Some((whole, fraction)) => is_digits(whole) && is_digits(fraction),
            None => is_digits(text),
        };
        if text.strip_prefix('-').is_some_and(is_decimal) {
            return Err(NotDecimal::Negative);
        }
        if !is_decimal(text) {
            return Err(NotDecimal::NoNumber);
        }
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        if fraction.len() > DECIMALS {
            return Err(NotDecimal::TooPrecise);
        }
        // INVARIANT: both are digits, so parsing fails only for a number that is too high.
        let number = |digits: &str| digits.parse::<u64>().map_err(|_| NotDecimal::TooHigh);
        let (whole, billionths) = (number(whole)?, number(&format!("{fraction:0<DECIMALS$}"))?);
        let decimal = whole.checked_mul(ONE).and_then(|decimal| decimal.checked_add(billionths));
        decimal.filter(|decimal| *decimal <= MOST.saturating_mul(ONE)).map(Self).ok_or(NotDecimal::TooHigh)
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A number is read by the shortest text that stands for it: for all that a decimal can be (at most 15 digits) this is the
/// text that was written.
impl Read for Decimal {
    #[inline(never)]
    fn read(value: &Value<'_>) -> Result<Self, Fault> {
        const EXPECTED: &str = "a decimal number, for example 2.5 or \"2.5\"";
        let text = if value.is_text() { value.text(EXPECTED)? } else { value.number(EXPECTED)?.to_string() };
        text.parse().map_err(|error: NotDecimal| value.fault(&error))
    }
}

impl fmt::Display for NotDecimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoNumber => f.write_str("must be a decimal number such as `2.5`"),
            Self::Negative => f.write_str("must not be negative"),
            Self::TooPrecise => write!(f, "must not have more than {DECIMALS} decimals"),
            Self::TooHigh => write!(f, "must not be above {MOST}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Decimal, NotDecimal};
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn decimals_are_read_exactly() {
        for (text, billionths) in [
            ("0", 0),
            ("3", 3_000_000_000),
            ("3.00", 3_000_000_000),
            ("0.25", 250_000_000),
            ("0.0375", 37_500_000),
            ("0.000000001", 1),
            ("999999.999999999", 999_999_999_999_999),
            ("1000000", 1_000_000_000_000_000),
            ("1000000.000000000", 1_000_000_000_000_000),
        ] {
            assert_eq!(text.parse(), Ok(Decimal(billionths)), "{text}");
            for json in [text.to_owned(), format!("\"{text}\"")] {
                assert_eq!(tollgate_config::read::<Decimal>(&json).unwrap(), Decimal(billionths), "{json}");
            }
        }
    }

    #[test]
    fn what_is_not_a_decimal_is_refused_with_the_reason() {
        for (text, reason) in [
            ("", NotDecimal::NoNumber),
            ("-", NotDecimal::NoNumber),
            ("$3", NotDecimal::NoNumber),
            ("+3", NotDecimal::NoNumber),
            (" 3", NotDecimal::NoNumber),
            ("3.", NotDecimal::NoNumber),
            (".5", NotDecimal::NoNumber),
            ("1.2.3", NotDecimal::NoNumber),
            ("1.-2", NotDecimal::NoNumber),
            ("1,000", NotDecimal::NoNumber),
            ("3e-6", NotDecimal::NoNumber),
            ("NaN", NotDecimal::NoNumber),
            ("inf", NotDecimal::NoNumber),
            ("٣", NotDecimal::NoNumber),
            ("-3", NotDecimal::Negative),
            ("-0.5", NotDecimal::Negative),
            ("0.0000000001", NotDecimal::TooPrecise),
            ("1000000.000000001", NotDecimal::TooHigh),
            ("1000001", NotDecimal::TooHigh),
            ("18446744074", NotDecimal::TooHigh),
            (&"9".repeat(1000), NotDecimal::TooHigh),
        ] {
            assert_eq!(text.parse::<Decimal>(), Err(reason), "{text}");
        }
    }

    #[test]
    fn json_that_is_not_a_decimal_is_refused_with_the_reason() {
        for (json, message) in [
            ("-3", "must not be negative"),
            ("-0.5", "must not be negative"),
            ("1e-10", "must not have more than 9 decimals"),
            ("0.30000000000000004", "must not have more than 9 decimals"),
            ("1e300", "must not be above 1000000"),
            ("\"free\"", "must be a decimal number such as `2.5`"),
            ("null", "invalid type: null, expected a decimal number, for example 2.5 or \"2.5\""),
            ("[1]", "invalid type: sequence, expected a decimal number, for example 2.5 or \"2.5\""),
        ] {
            let error = tollgate_config::read::<Decimal>(json).unwrap_err().to_string();
            assert!(error.starts_with(message), "{json}: {error}");
        }
    }

    #[test]
    fn a_price_is_raised_with_another_and_never_lowered() {
        for (price, before, now, raised) in [
            (3, 10, 20, 6),
            (3, 10, 15, 5), // rounded up
            (3, 10, 5, 3),
            (3, 10, 10, 3),
            (3, 0, 5, 5),
            (7, 0, 5, 7),
            (0, 10, 20, 0),
            (u64::MAX, 1, u64::MAX, u64::MAX),
        ] {
            assert_eq!(Decimal(price).raised(Decimal(before), Decimal(now)), Decimal(raised), "{price} {before} {now}");
        }
    }
}
