//! Words to the model.

/// What a description of a tool has no reason to say. In lower case, with one space between words.
const PHRASES: [&str; 55] = [
    // Against what the model was told.
    "ignore previous instructions",
    "ignore all previous instructions",
    "ignore any previous instructions",
    "ignore the previous instructions",
    "ignore prior instructions",
    "ignore all prior instructions",
    "ignore the above instructions",
    "ignore all other instructions",
    "ignore other instructions",
    "ignore your instructions",
    "disregard previous instructions",
    "disregard all previous instructions",
    "disregard any previous instructions",
    "disregard prior instructions",
    "disregard the above instructions",
    "disregard your instructions",
    "forget previous instructions",
    "forget all previous instructions",
    "forget your instructions",
    "override your instructions",
    "overrides all other instructions",
    "your new instructions",
    "your system prompt",
    "reveal the system prompt",
    "print the system prompt",
    "repeat the system prompt",
    // Against the user.
    "do not tell the user",
    "do not inform the user",
    "do not mention this to the user",
    "do not mention to the user",
    "do not mention it to the user",
    "do not show this to the user",
    "do not reveal this to the user",
    "do not alert the user",
    "do not notify the user about this",
    "don't tell the user",
    "don't inform the user",
    "don't mention this to the user",
    "don't mention it to the user",
    "never tell the user",
    "never mention this to the user",
    "hide this from the user",
    "keep this hidden from the user",
    "without telling the user",
    "without informing the user",
    "without the user's knowledge",
    "without the user knowing",
    "the user must not know",
    "the user does not need to know",
    // In the place of who may say such things.
    "<important>",
    "<system>",
    "<|im_start|>",
    "<|system|>",
    "[inst]",
    "<<sys>>",
];

/// Whether something in `text` is said to the model rather than of the tool.
pub(super) fn has_instructions(text: &str) -> bool {
    let text = plain(text);
    let mut before = b' ';
    text.bytes().enumerate().any(|(at, byte)| {
        let begins = !before.is_ascii_alphanumeric();
        before = byte;
        begins && text.get(at..).is_some_and(|rest| PHRASES.iter().any(|phrase| rest.starts_with(phrase)))
    })
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
