//! Money: integer nano-dollars.

use std::fmt;

/// US dollars in billionths. One token of the cheapest model costs a handful of them, so a sum of many small charges is
/// exact where floating point would drift. A `u64` of them holds 18 billion dollars.
///
/// Displayed as dollars: exact, without a currency sign, with at least two decimals and no
/// zeros after those.
///
/// ```
/// # use tollgate_wire::money::NanoUsd;
/// assert_eq!(NanoUsd(1_500_000_000).to_string(), "1.50");
/// assert_eq!(NanoUsd(123).to_string(), "0.000000123");
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NanoUsd(pub u64);

const PER_DOLLAR: u64 = 1_000_000_000;

impl NanoUsd {
    /// The sum, or `None` when it is too large.
    #[must_use]
    pub const fn checked_add(self, other: Self) -> Option<Self> {
        match self.0.checked_add(other.0) {
            Some(sum) => Some(Self(sum)),
            None => None,
        }
    }

    /// The sum, or the largest amount there is.
    #[must_use]
    pub const fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl fmt::Display for NanoUsd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (dollars, nanos) = (self.0 / PER_DOLLAR, self.0 % PER_DOLLAR);
        let decimals = format!("{nanos:09}");
        write!(f, "{dollars}.{:0<2}", decimals.trim_end_matches('0'))
    }
}

#[cfg(test)]
mod tests {
    use super::NanoUsd;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn dollars_are_shown_exactly() {
        for (nanos, dollars) in [
            (0, "0.00"),
            (1, "0.000000001"),
            (123, "0.000000123"),
            (10_000_000, "0.01"),
            (100_000_000, "0.10"),
            (1_000_000_000, "1.00"),
            (1_234_500_000, "1.2345"),
            (20_000_000_010, "20.00000001"),
            (u64::MAX, "18446744073.709551615"),
        ] {
            assert_eq!(NanoUsd(nanos).to_string(), dollars);
        }
    }

    #[test]
    fn a_sum_that_is_too_large_is_never_small() {
        let (most, one) = (NanoUsd(u64::MAX), NanoUsd(1));
        assert_eq!(most.checked_add(one), None);
        assert_eq!(most.saturating_add(one), most);
        assert_eq!(one.checked_add(one), Some(NanoUsd(2)));
        assert_eq!(one.saturating_add(one), NanoUsd(2));
    }
}
