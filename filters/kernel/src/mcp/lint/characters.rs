//! Characters that are not shown.

/// White space longer than this hides what follows it.
const MAX_SPACE: usize = 100;

/// Whether something in `text` is not shown to who reads it.
pub(super) fn has_hidden(text: &str) -> bool {
    let is_plain = |byte: &u8| matches!(byte, b'\t' | b'\n' | b'\r' | b' '..=b'~');
    if text.len() <= MAX_SPACE && text.as_bytes().iter().all(is_plain) {
        return false;
    }
    let mut space = 0_usize;
    let mut before = ' ';
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        space = if char.is_whitespace() { space.saturating_add(1) } else { 0 };
        if space > MAX_SPACE || (is_hidden(char) && !is_in_place(before, char, chars.peek().copied())) {
            return true;
        }
        before = char;
    }
    false
}

/// Control characters but for tab and line ends; private use; what Unicode calls format characters that have no look of their
/// own, or ignorable by default; noncharacters.
const fn is_hidden(char: char) -> bool {
    matches!(char,
        '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{ad}' | '\u{34f}' | '\u{61c}'
        | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{e000}'..='\u{f8ff}' | '\u{fdd0}'..='\u{fdef}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}'
        | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}' | '\u{f0000}'..)
}

/// Whether a hidden character is where writing needs it: how an emoji is drawn, several drawn as one, and letters joined or not
/// in the scripts from Arabic on.
fn is_in_place(before: char, char: char, after: Option<char>) -> bool {
    match char {
        '\u{fe0e}' | '\u{fe0f}' => is_drawn(before),
        '\u{200c}' | '\u{200d}' => after.is_some_and(joins) && (before == '\u{fe0f}' || joins(before)),
        _ => false,
    }
}

fn joins(char: char) -> bool {
    char >= '\u{600}' && !is_hidden(char)
}

/// Whether a character has more than one look: symbols, digits of keycaps.
const fn is_drawn(char: char) -> bool {
    matches!(char, '#' | '*' | '0'..='9' | '\u{a9}' | '\u{ae}' | '\u{203c}'..='\u{3299}' | '\u{1f000}'..='\u{1faff}')
        && !is_hidden(char)
}
