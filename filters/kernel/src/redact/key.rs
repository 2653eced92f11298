//! Keys and tokens: what is known by its first letters.

use super::scan::{Run, Scan, Text};

/// What a key begins with, which bytes follow, and at least how many. All that follow are replaced.
struct Key {
    begin: &'static str,
    run: Run,
    is: fn(u8) -> bool,
    least: usize,
}

impl Key {
    const fn token(begin: &'static str, least: usize) -> Self {
        Self { begin, run: Run::Token, is: is_token, least }
    }

    const fn upper(begin: &'static str, least: usize) -> Self {
        Self { begin, run: Run::Upper, is: is_upper, least }
    }
}

const KEYS: [Key; 34] = [
    Key::token("sk-", 20),
    Key::token("sk_live_", 16),
    Key::token("sk_test_", 16),
    Key::token("rk_live_", 16),
    Key::token("rk_test_", 16),
    Key::token("whsec_", 20),
    Key::token("ghp_", 30),
    Key::token("gho_", 30),
    Key::token("ghu_", 30),
    Key::token("ghs_", 30),
    Key::token("ghr_", 30),
    Key::token("github_pat_", 22),
    Key::token("glpat-", 20),
    Key::upper("AKIA", 16),
    Key::upper("ASIA", 16),
    Key::token("xoxa-", 10),
    Key::token("xoxb-", 10),
    Key::token("xoxc-", 10),
    Key::token("xoxd-", 10),
    Key::token("xoxe-", 10),
    Key::token("xoxo-", 10),
    Key::token("xoxp-", 10),
    Key::token("xoxr-", 10),
    Key::token("xoxs-", 10),
    Key::token("xapp-", 10),
    Key::token("AIza", 30),
    Key::token("ya29.", 20),
    Key::token("hf_", 30),
    Key::token("npm_", 30),
    Key::token("pypi-", 40),
    Key::token("gsk_", 30),
    Key::token("xai-", 30),
    Key::token("pplx-", 30),
    Key::token("dckr_pat_", 20),
];

/// How long a label may be: `ENCRYPTED PRIVATE KEY`.
const MAX_LABEL: usize = 40;

pub(super) fn find(scan: &mut Scan<'_>, at: usize) -> Option<usize> {
    let text = scan.text.from(at);
    match text.at(0)? {
        b'-' => private_key(scan, at),
        _ if scan.before(at).is_some_and(|byte| byte.is_ascii_alphanumeric()) => None,
        b'e' if text.starts_with("eyJ") => web_token(scan, at),
        b't' if text.starts_with("tg_") => virtual_key(scan, at),
        // What `KEYS` begin with.
        first @ (b'A' | b'd' | b'g' | b'h' | b'n' | b'p' | b'r' | b's' | b'w' | b'x' | b'y') => {
            let mut keys = KEYS.iter().filter(|key| key.begin.as_bytes().first() == Some(&first));
            keys.find_map(|key| {
                let from = at.saturating_add(key.begin.len());
                let end = text.starts_with(key.begin).then(|| scan.end_of(key.run, key.is, from))?;
                (end.saturating_sub(from) >= key.least).then_some(end)
            })
        }
        _ => None,
    }
}

/// Three parts or more, of which the first is a JSON object. The third may be empty.
fn web_token(scan: &mut Scan<'_>, at: usize) -> Option<usize> {
    let header = scan.end_of(Run::Token, is_token, at);
    let body = header.checked_add(1).filter(|_| scan.text.at(header) == Some(b'.'))?;
    let end = scan.end_of(Run::TokenBody, is_token, body);
    let long = header.saturating_sub(at) >= 10 && end.saturating_sub(body) >= 4;
    let dot = scan.text.at(end) == Some(b'.');
    (long && dot).then(|| scan.end_of(Run::TokenRest, |byte| is_token(byte) || byte == b'.', end))
}

/// `tg_<id>_<secret>`.
fn virtual_key(scan: &mut Scan<'_>, at: usize) -> Option<usize> {
    let id_at = at.saturating_add("tg_".len());
    let id = scan.text.from(id_at).0.iter().take(65);
    let id = id.take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'-').count();
    let underscore = id_at.saturating_add(id);
    if !(1..=64).contains(&id) || scan.text.at(underscore) != Some(b'_') {
        return None;
    }
    let end = scan.end_of(Run::Token, is_token, underscore);
    (end.saturating_sub(underscore) > 16).then_some(end)
}

/// From `-----BEGIN` to the end of `-----END`, or of the text.
fn private_key(scan: &mut Scan<'_>, at: usize) -> Option<usize> {
    const BEGIN: &str = "-----BEGIN ";
    let text = scan.text.from(at);
    if !text.starts_with(BEGIN) {
        return None;
    }
    let label = text.from(BEGIN.len()).0.iter().take(MAX_LABEL).copied();
    let label: Vec<_> = label.take_while(|byte| is_label(*byte)).collect();
    let is_key = label.ends_with(b"PRIVATE KEY") || label.ends_with(b"PRIVATE KEY BLOCK");
    is_key.then(|| scan.known_end(Run::PrivateKey, at, until_end))
}

fn until_end(text: Text<'_>) -> usize {
    const END: &str = "-----END ";
    let Some(end) = text.0.windows(END.len()).position(|part| part == END.as_bytes()) else { return text.0.len() };
    let label = end.saturating_add(END.len());
    let dashes = label.saturating_add(text.from(label).run(is_label));
    dashes.saturating_add(text.from(dashes).run(|byte| byte == b'-'))
}

const fn is_label(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte == b' '
}

const fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

const fn is_upper(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit()
}

#[cfg(test)]
mod tests {
    use super::super::scan::Scan;
    use super::{KEYS, find};
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn every_beginning_is_looked_for() {
        for key in &KEYS {
            let text = format!("{}{}", key.begin, "A".repeat(key.least));
            assert_eq!(find(&mut Scan::new(&text, &[]), 0), Some(text.len()), "{text}");
            let short = text.strip_suffix('A').unwrap();
            assert_eq!(find(&mut Scan::new(short, &[]), 0), None, "{short}");
        }
    }
}
