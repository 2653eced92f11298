//! Text from outside, shown so that what is read is what is there.
//!
//! What cannot be seen, what moves other text and what looks like something else is written as `\u{202e}`. Letters that are
//! like no others stay: those of the Latin alphabet with their accents, and words in Cyrillic, Greek, Chinese, Japanese and
//! Korean letters that could not be taken for words in others. Alphabets from right to left change the order of what stands
//! beside them, and are written so too.

/// Tells `out` the text, with its own backslashes doubled. Quotes stay as they are.
pub fn safe(text: &str, out: &mut dyn FnMut(&str)) {
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let is_word = is_letter(first) || first.is_ascii_digit();
        let end = if is_word {
            rest.find(|char: char| !is_letter(char) && !char.is_ascii_digit()).unwrap_or(rest.len())
        } else {
            first.len_utf8()
        };
        let (run, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
        word(run, out);
        rest = after;
    }
}

/// The safe form of a text.
#[must_use]
pub fn safe_text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    safe(text, &mut |piece| out.push_str(piece));
    out
}

/// Which letters a letter can be taken for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Letter {
    Latin,
    /// Of another alphabet, and looks it.
    Own(Script),
    /// Of another alphabet, and looks like a Latin letter or a sign.
    Alike(Script),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Script {
    Cyrillic,
    Greek,
    East,
}

fn letter(char: char) -> Option<Letter> {
    Some(match char {
        'a'..='z' | 'A'..='Z' => Letter::Latin,
        '×' | '÷' | 'ı' | 'ĸ' | 'ŉ' | 'ſ' => return None,
        'À'..='ſ' => Letter::Latin,
        'а' | 'с' | 'е' | 'о' | 'р' | 'х' | 'у' | 'А' | 'В' | 'С' | 'Е' | 'Н' | 'К' | 'М' | 'О' | 'Р' | 'Т' | 'Х'
        | 'У' | 'З' | 'з' | 'б' | 'г' | 'к' | 'м' | 'н' | 'п' | 'т' | 'в' | 'ь' | 'і' | 'І' | 'ї' | 'Ї' | 'ё' | 'Ё' => {
            Letter::Alike(Script::Cyrillic)
        }
        'А'..='я' | 'є' | 'Є' | 'ґ' | 'Ґ' => Letter::Own(Script::Cyrillic),
        'Α' | 'Β' | 'Ε' | 'Ζ' | 'Η' | 'Ι' | 'Κ' | 'Μ' | 'Ν' | 'Ο' | 'Ρ' | 'Τ' | 'Υ' | 'Χ' | 'α' | 'γ' | 'η' | 'ι'
        | 'κ' | 'ν' | 'ο' | 'ρ' | 'σ' | 'τ' | 'υ' | 'χ' | 'ω' | 'β' | 'ε' | 'ς' | 'ά' | 'έ' | 'ή' | 'ί' | 'ό' | 'ύ'
        | 'ώ' => Letter::Alike(Script::Greek),
        'Γ'..='Ω' | 'δ'..='ψ' => Letter::Own(Script::Greek),
        '一'
        | '丨'
        | '丶'
        | '丿'
        | '乙'
        | '口'
        | '工'
        | '二'
        | '十'
        | 'ノ'
        | 'ロ'
        | 'ト'
        | 'ニ'
        | 'エ'
        | 'ハ'
        | 'へ'
        | 'ヘ'
        | 'ー'
        | 'ㄱ'..='ㆎ' => Letter::Alike(Script::East),
        'ぁ'..='ゖ' | 'ァ'..='ヺ' | '\u{4e00}'..='\u{9fff}' | '가'..='힣' => Letter::Own(Script::East),
        _ => return None,
    })
}

fn is_letter(char: char) -> bool {
    letter(char).is_some()
}

/// A word, or one character that is in none.
fn word(run: &str, out: &mut dyn FnMut(&str)) {
    let mut letters = run.chars().filter_map(letter);
    let is_plain = match letters.clone().find(|letter| *letter != Letter::Latin) {
        None => true,
        // Of one other alphabet, with a letter that shows it.
        Some(Letter::Own(script) | Letter::Alike(script)) => {
            letters.all(|letter| matches!(letter, Letter::Own(own) | Letter::Alike(own) if own == script))
                && run.chars().any(|char| letter(char) == Some(Letter::Own(script)))
        }
        Some(Letter::Latin) => false,
    };
    if is_plain && run.chars().all(|char| is_letter(char) || char.is_ascii_digit()) {
        return out(run);
    }
    for char in run.chars() {
        match char {
            '\\' => out("\\\\"),
            '\n' => out("\\n"),
            '\r' => out("\\r"),
            '\t' => out("\\t"),
            ' '..='~' | '£' | '§' | '°' | '€' => out(char.encode_utf8(&mut [0; 4])),
            _ => out(&format!("\\u{{{:x}}}", u32::from(char))),
        }
    }
}

#[cfg(test)]
mod tests;
