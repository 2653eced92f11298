//! Numbers of payment cards: 13 to 19 digits, from 2 on, that the check digit (ISO/IEC 7812, Luhn) is right for. Between digits
//! there may be one space or `-`.

use super::scan::Scan;
use std::ops::RangeInclusive;

const DIGITS: RangeInclusive<usize> = 13..=19;

pub(super) fn find(scan: &Scan<'_>, at: usize) -> Option<usize> {
    let begins = scan.text.at(at).is_some_and(|byte| (b'2'..=b'9').contains(&byte));
    if !begins || scan.before(at).is_some_and(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let digit = |at: usize| scan.text.at(at).filter(u8::is_ascii_digit);
    // Every other digit counts twice, from the last: one sum for each of the two ways.
    let (mut sums, mut count, mut here, mut found) = ([0_u32; 2], 0_usize, at, None);
    while let Some(value) = digit(here).filter(|_| count < *DIGITS.end()) {
        let value = u32::from(value & 15);
        let twice = value.saturating_mul(2);
        let twice = if twice > 9 { twice.saturating_sub(9) } else { twice };
        // The last digit counts once, and the one before it is the last of the other sum.
        sums = [sums[1].saturating_add(value), sums[0].saturating_add(twice)];
        count = count.saturating_add(1);
        here = here.saturating_add(1);
        let ends = digit(here).is_none();
        if ends && DIGITS.contains(&count) && sums[0].checked_rem(10) == Some(0) {
            found = Some(here);
        }
        let separated = matches!(scan.text.at(here), Some(b' ' | b'-')) && digit(here.saturating_add(1)).is_some();
        here = here.saturating_add(usize::from(separated));
    }
    found
}
