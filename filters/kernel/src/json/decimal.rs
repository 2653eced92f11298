//! Numbers, compared as they are written and not as what fits into a double.

use super::reader::number;
use std::cmp::Ordering;

/// The exact value of a number in JSON.
#[derive(Debug, Clone, Copy)]
pub struct Decimal<'a> {
    negative: bool,
    /// How many places before the point the first digit stands.
    magnitude: i64,
    /// Digits, in two parts, of which the first and the last are not 0. None are zero.
    digits: [&'a str; 2],
}

impl<'a> Decimal<'a> {
    /// The number that `text` is.
    #[must_use]
    pub fn of(text: &'a str) -> Option<Self> {
        number(text.as_bytes()).ok().filter(|length| *length == text.len())?;
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, ""));
        let negative = mantissa.starts_with('-');
        let mantissa = mantissa.trim_start_matches('-');
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let fraction = fraction.trim_end_matches('0');
        let mut whole = whole.trim_start_matches('0');
        let mut magnitude = length(whole).saturating_add(saturating(exponent));
        let mut digits = fraction;
        if whole.is_empty() {
            digits = fraction.trim_start_matches('0');
            magnitude = magnitude.saturating_sub(length(fraction).saturating_sub(length(digits)));
        }
        if fraction.is_empty() {
            whole = whole.trim_end_matches('0');
        }
        Some(Self { negative, magnitude, digits: [whole, digits] })
    }

    fn is_zero(&self) -> bool {
        self.digits.iter().all(|part| part.is_empty())
    }

    fn sign(&self) -> i8 {
        match (self.is_zero(), self.negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        }
    }

    fn all_digits(&self) -> impl Iterator<Item = u8> {
        self.digits.iter().flat_map(|part| part.bytes())
    }
}

fn length(digits: &str) -> i64 {
    i64::try_from(digits.len()).unwrap_or(i64::MAX)
}

fn saturating(exponent: &str) -> i64 {
    let digits = exponent.trim_start_matches(['+', '-']).chars().filter_map(|char| char.to_digit(10));
    let size = digits.fold(0_i64, |size, digit| size.saturating_mul(10).saturating_add(i64::from(digit)));
    if exponent.starts_with('-') { size.saturating_neg() } else { size }
}

impl Ord for Decimal<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        let size = || self.magnitude.cmp(&other.magnitude).then_with(|| self.all_digits().cmp(other.all_digits()));
        self.sign().cmp(&other.sign()).then_with(|| match self.sign() {
            0 => Ordering::Equal,
            1 => size(),
            _ => size().reverse(),
        })
    }
}

impl PartialOrd for Decimal<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Decimal<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Decimal<'_> {}
