//! Numbers, compared as they are written and not as what fits into a double.

use super::reader::number;
use std::cmp::Ordering;
use std::fmt;

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

    /// Where its last digit stands: it is so many tens multiplied with what its digits are.
    fn exponent(&self) -> i64 {
        self.digits.iter().fold(self.magnitude, |left, part| left.saturating_sub(length(part)))
    }

    /// Whether nothing stands behind its point.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.is_zero() || self.exponent() >= 0
    }

    /// The whole number, not negative, that it is; the greatest of all if it is greater.
    #[must_use]
    pub fn to_usize(&self) -> Option<usize> {
        if self.is_zero() {
            return Some(0);
        }
        let zeros = usize::try_from(self.exponent()).ok().filter(|_| !self.negative)?;
        let digits = self.all_digits().chain(std::iter::repeat_n(b'0', zeros.min(20)));
        Some(digits.fold(0_usize, |whole, digit| whole.saturating_mul(10).saturating_add(usize::from(digit & 15))))
    }

    /// Whether it is greater than zero.
    #[must_use]
    pub fn is_positive(&self) -> bool {
        self.sign() > 0
    }

    /// Whether others can be divided by it: it is greater than zero and has at most 18 digits.
    #[must_use]
    pub fn divides(&self) -> bool {
        self.is_positive() && self.all_digits().count() <= 18
    }

    /// Whether it is a whole number of times `divisor`, exactly. `divisor` is one that [`Self::divides`].
    #[must_use]
    pub fn is_multiple_of(&self, divisor: &Self) -> bool {
        let value = |digits: &mut dyn Iterator<Item = u8>| {
            digits.fold(0_u64, |value, digit| value.wrapping_mul(10).wrapping_add(u64::from(digit & 15)))
        };
        let by = value(&mut divisor.all_digits());
        // INVARIANT: products of two numbers below 10^18 fit.
        let times = |one: u64, other: u64| {
            let product = u128::from(one).saturating_mul(u128::from(other));
            u64::try_from(product.checked_rem(u128::from(by)).unwrap_or_default()).unwrap_or_default()
        };
        if self.is_zero() {
            return true;
        }
        // Its last digit is not 0, so one that goes further behind the point cannot be a multiple.
        let Ok(mut zeros) = u64::try_from(self.exponent().saturating_sub(divisor.exponent())) else { return false };
        let mut rest = self.all_digits().fold(0_u64, |rest, digit| {
            times(rest, 10).saturating_add(u64::from(digit & 15)).checked_rem(by).unwrap_or_default()
        });
        let mut power = 10;
        while zeros > 0 {
            if zeros & 1 == 1 {
                rest = times(rest, power);
            }
            power = times(power, power);
            zeros = zeros.wrapping_shr(1);
        }
        rest == 0
    }

    /// As ECMAScript writes numbers (RFC 8785, section 3.2.2.3).
    pub(super) fn ecmascript(&self) -> String {
        if self.is_zero() {
            return "0".to_owned();
        }
        let sign = if self.negative { "-" } else { "" };
        let digits = self.digits.concat();
        match usize::try_from(self.magnitude) {
            Ok(point @ 1..=21) => match digits.split_at_checked(point) {
                Some((whole, fraction)) if !fraction.is_empty() => format!("{sign}{whole}.{fraction}"),
                _ => format!("{sign}{digits:0<point$}"),
            },
            _ if (-5..=0).contains(&self.magnitude) => {
                let zeros = usize::try_from(self.magnitude.saturating_neg()).unwrap_or_default();
                format!("{sign}0.{:0<zeros$}{digits}", "")
            }
            _ => {
                let (first, rest) = digits.split_at_checked(1).unwrap_or((&digits, ""));
                let point = if rest.is_empty() { "" } else { "." };
                format!("{sign}{first}{point}{rest}e{:+}", self.magnitude.saturating_sub(1))
            }
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

/// Equal numbers are written equally.
impl fmt::Display for Decimal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_zero() {
            return f.write_str("0");
        }
        let sign = if self.negative { "-" } else { "" };
        let [whole, fraction] = self.digits;
        let exponent = self.exponent();
        match usize::try_from(exponent) {
            Ok(zeros) if zeros < 20 => write!(f, "{sign}{whole}{fraction}{:0<zeros$}", ""),
            _ => write!(f, "{sign}{whole}{fraction}e{exponent}"),
        }
    }
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
