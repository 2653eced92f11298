//! The text of strings.

/// What an escaped string says. `inner` stands between the quotes and was read.
pub(super) fn unescape(inner: &str) -> String {
    let mut out = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some((plain, after)) = rest.split_once('\\') {
        out.push_str(plain);
        let mut chars = after.chars();
        match chars.next() {
            Some('b') => out.push('\u{8}'),
            Some('f') => out.push('\u{c}'),
            Some('n') => out.push('\n'),
            Some('r') => out.push('\r'),
            Some('t') => out.push('\t'),
            Some('u') => {
                let high = unit(&mut chars);
                let units = if (0xd800..0xdc00).contains(&high) {
                    chars.nth(1); // the next backslash and its `u`
                    [high, unit(&mut chars)]
                } else {
                    [high, 0]
                };
                out.extend(char::decode_utf16(units).next().and_then(Result::ok));
            }
            Some(itself) => out.push(itself),
            None => {}
        }
        rest = chars.as_str();
    }
    out.push_str(rest);
    out
}

fn unit(chars: &mut std::str::Chars<'_>) -> u16 {
    let digits = chars.by_ref().take(4).filter_map(|char| char.to_digit(16));
    digits.fold(0, |unit: u16, digit| unit.wrapping_shl(4) | u16::try_from(digit).unwrap_or_default())
}

/// Tells `out` the inside of the string that says `text`, as RFC 8785 (section 3.2.2.2) writes it.
pub(crate) fn write_escaped(text: &str, out: &mut dyn FnMut(&str)) {
    let mut rest = text;
    while let Some(at) = rest.bytes().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f)) {
        let (plain, from) = rest.split_at_checked(at).unwrap_or((rest, ""));
        out(plain);
        let mut chars = from.chars();
        match chars.next() {
            Some('"') => out("\\\""),
            Some('\\') => out("\\\\"),
            Some('\u{8}') => out("\\b"),
            Some('\t') => out("\\t"),
            Some('\n') => out("\\n"),
            Some('\u{c}') => out("\\f"),
            Some('\r') => out("\\r"),
            Some(control) => {
                let digit = |shift: u32| char::from_digit(u32::from(control).wrapping_shr(shift) & 15, 16);
                let mut buffer = [0; 4];
                out("\\u00");
                for digit in [digit(4), digit(0)].into_iter().flatten() {
                    out(digit.encode_utf8(&mut buffer));
                }
            }
            None => {}
        }
        rest = chars.as_str();
    }
    out(rest);
}

/// Whether `text` is `ascii` to who ignores case: the rules of Unicode (Go's `encoding/json` follows them) and those of Java,
/// by which letters outside ASCII are some letters in it.
pub(crate) fn folds_to(text: &str, ascii: &str) -> bool {
    let fold = |char: char| match char {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        '\u{130}' | '\u{131}' => 'i',
        _ => char.to_ascii_lowercase(),
    };
    text.chars().map(fold).eq(ascii.chars().map(fold))
}
