//! Words to the model.

/// What a description of a tool has no reason to say: how it begins, and how it may go on. In lower case, with one space between
/// words.
const PHRASES: [(&str, &[&str]); 16] = [
    // Against what the model was told.
    (
        "ignore ",
        &[
            "previous instructions",
            "prior instructions",
            "other instructions",
            "your instructions",
            "all previous instructions",
            "all prior instructions",
            "all other instructions",
            "any previous instructions",
            "the previous instructions",
            "the above instructions",
        ],
    ),
    (
        "disregard ",
        &[
            "previous instructions",
            "prior instructions",
            "your instructions",
            "all previous instructions",
            "any previous instructions",
            "the above instructions",
        ],
    ),
    ("forget ", &["previous instructions", "all previous instructions", "your instructions"]),
    ("override", &[" your instructions", "s all other instructions"]),
    ("your ", &["new instructions", "system prompt"]),
    ("reveal the system prompt", &[""]),
    ("print the system prompt", &[""]),
    ("repeat the system prompt", &[""]),
    // Against the user.
    (
        "do not ",
        &[
            "tell the user",
            "inform the user",
            "alert the user",
            "mention this to the user",
            "mention it to the user",
            "mention to the user",
            "show this to the user",
            "reveal this to the user",
            "notify the user about this",
        ],
    ),
    ("don't ", &["tell the user", "inform the user", "mention this to the user", "mention it to the user"]),
    ("never ", &["tell the user", "mention this to the user"]),
    ("hide this from the user", &[""]),
    ("keep this hidden from the user", &[""]),
    ("without ", &["telling the user", "informing the user", "the user's knowledge", "the user knowing"]),
    ("the user ", &["must not know", "does not need to know"]),
    // In the place of who may say such things.
    ("<", &["important>", "system>", "|im_start|>", "|system|>", "<sys>>"]),
];

/// Whether something in `text` is said to the model rather than of the tool.
pub(super) fn has_instructions(text: &str) -> bool {
    let text = plain(text);
    let mut before = b' ';
    text.bytes().enumerate().any(|(at, byte)| {
        let begins = !before.is_ascii_alphanumeric();
        before = byte;
        begins && text.get(at..).is_some_and(begins_a_phrase)
    })
}

fn begins_a_phrase(text: &str) -> bool {
    let first = text.as_bytes().first();
    let might = PHRASES.iter().filter(|(begin, _)| begin.as_bytes().first() == first);
    let mut rests = might.filter_map(|(begin, ends)| Some((text.strip_prefix(begin)?, ends)));
    rests.any(|(rest, ends)| ends.iter().any(|end| rest.starts_with(end)))
}

/// `text` in lower case, without emphasis, with one space where there is white space and one apostrophe.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '*' | '`' => {}
            '\u{2019}' => plain.push('\''),
            _ if !char.is_whitespace() => plain.push(char.to_ascii_lowercase()),
            _ if plain.ends_with(' ') => {}
            _ => plain.push(' '),
        }
    }
    plain
}
