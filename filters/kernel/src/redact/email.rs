//! Addresses of e-mail.

use super::scan::{Run, Scan};

pub(super) fn find(scan: &mut Scan<'_>, at: usize) -> Option<usize> {
    if !scan.text.at(at).is_some_and(is_local) || scan.before(at).is_some_and(is_local) {
        return None;
    }
    let local = scan.end_of(Run::Local, is_local, at);
    let domain = local.checked_add(1).filter(|_| scan.text.at(local) == Some(b'@'))?;
    match scan.domain {
        Some((at, end)) if at == domain => end,
        _ => {
            let end = domain_end(scan, domain);
            scan.domain = Some((domain, end));
            end
        }
    }
}

fn domain_end(scan: &Scan<'_>, at: usize) -> Option<usize> {
    let text = scan.text.from(at);
    let name = text.0.get(..text.run(is_domain)).unwrap_or_default();
    // Before a dot stands something, and letters behind it.
    let is_dot = |part: &[u8]| matches!(part, [before, b'.', one, two] if is_name(*before) && is_letter(*one) && is_letter(*two));
    let trailing = name.iter().rev().take_while(|byte| !is_name(**byte)).count();
    name.windows(4).any(is_dot).then(|| at.saturating_add(name.len()).saturating_sub(trailing))
}

/// Letters outside ASCII among them.
const fn is_local(byte: u8) -> bool {
    is_name(byte) || matches!(byte, b'.' | b'_' | b'%' | b'+' | b'-')
}

const fn is_domain(byte: u8) -> bool {
    is_name(byte) || matches!(byte, b'.' | b'-')
}

const fn is_name(byte: u8) -> bool {
    byte.is_ascii_digit() || is_letter(byte)
}

const fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || !byte.is_ascii()
}
