//! What in a tool's definition speaks to the model behind the user's back.
//!
//! A signal and no proof: who words an instruction differently is not found. So the list is short, the same for everybody, and
//! made for few false alarms; what really binds a tool is the digest of its definition ([`super::tool`]).

mod characters;
mod instructions;

use crate::json::{Kind, Value};
use characters::has_hidden;
use instructions::has_instructions;

/// The longest text that is not remarkable. Long descriptions of real tools have 4 KB.
pub const MAX_TEXT: usize = 8 * 1024;
/// The same of a whole definition.
pub const MAX_DEFINITION: usize = 64 * 1024;
/// Names shorter than this are words.
const MIN_NAME: usize = 5;

/// What is suspicious.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Suspicion {
    /// Characters that are not shown, or change how others are: zero width, direction, tags, control characters and with them
    /// escape sequences of terminals, private use; or white space so long that what follows is out of sight.
    HiddenCharacters,
    /// Words that tell a model what to do or to hide, rather than what the tool does.
    Instructions,
    /// It names a tool of another server.
    NamesOtherTool,
    /// It is very long: [`MAX_TEXT`], [`MAX_DEFINITION`].
    TooLong,
}

/// In what part of a definition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// `name`.
    Name,
    /// `title`.
    Title,
    /// `description`.
    Description,
    /// `inputSchema`: names of arguments, their descriptions, values they may have.
    InputSchema,
    /// `outputSchema`.
    OutputSchema,
    /// `annotations`.
    Annotations,
    /// Anything else.
    Other,
    /// The definition as a whole.
    Whole,
}

/// Something suspicious.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Finding {
    /// What.
    pub suspicion: Suspicion,
    /// Where.
    pub part: Part,
}

/// What is suspicious in the definition `tool`, each once. All of it is read: keys, values, schemas, what nobody knows.
/// `is_other`: whether some other server has a tool of this name; those of its own server a tool may well mention.
#[must_use]
pub fn lint(tool: Value<'_, '_>, is_other: &dyn Fn(&str) -> bool) -> Vec<Finding> {
    let mut findings = Findings { found: Vec::new(), is_other, part: Part::Whole };
    if tool.raw().len() > MAX_DEFINITION {
        findings.add(Suspicion::TooLong);
    }
    for member in tool.members() {
        findings.part = Part::of(&member.key());
        findings.text(&member.key());
        findings.value(member.value);
    }
    findings.found
}

struct Findings<'o> {
    found: Vec<Finding>,
    is_other: &'o dyn Fn(&str) -> bool,
    part: Part,
}

impl Findings<'_> {
    fn value(&mut self, value: Value<'_, '_>) {
        match value.kind() {
            Kind::String => self.text(&value.as_str().unwrap_or_default()),
            // INVARIANT: what was read is no deeper than the reader of JSON allows.
            Kind::Array => value.items().for_each(|item| self.value(item)),
            Kind::Object => value.members().for_each(|member| {
                self.text(&member.key());
                self.value(member.value);
            }),
            Kind::Null | Kind::Bool | Kind::Number => {}
        }
    }

    fn text(&mut self, text: &str) {
        if text.len() > MAX_TEXT {
            self.add(Suspicion::TooLong);
        }
        if has_hidden(text) {
            self.add(Suspicion::HiddenCharacters);
        }
        if has_instructions(text) {
            self.add(Suspicion::Instructions);
        }
        if self.part != Part::Name && names(text).any(self.is_other) {
            self.add(Suspicion::NamesOtherTool);
        }
    }

    fn add(&mut self, suspicion: Suspicion) {
        let finding = Finding { suspicion, part: self.part };
        if !self.found.contains(&finding) {
            self.found.push(finding);
        }
    }
}

/// What in `text` can be the name of a tool, with what may stand before a dot and without it, and is more than a word of the
/// language, such as `search`.
fn names(text: &str) -> impl Iterator<Item = &str> {
    let is_of_name = |char: char| char.is_ascii_alphanumeric() || matches!(char, '_' | '-' | '.');
    let words = text.split(move |char| !is_of_name(char)).map(|word| word.trim_matches('.'));
    let named = words.flat_map(|word| [Some(word), word.rsplit_once('.').map(|(_, name)| name)]).flatten();
    named.filter(|name| {
        let inner = name.get(1..).unwrap_or_default();
        name.len() >= MIN_NAME && inner.bytes().any(|byte| !byte.is_ascii_lowercase())
    })
}

impl Suspicion {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::HiddenCharacters, Self::Instructions, Self::NamesOtherTool, Self::TooLong];

    /// The word in records and configurations.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::HiddenCharacters => "hidden_characters",
            Self::Instructions => "instructions",
            Self::NamesOtherTool => "names_other_tool",
            Self::TooLong => "too_long",
        }
    }
}

impl Part {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Name,
        Self::Title,
        Self::Description,
        Self::InputSchema,
        Self::OutputSchema,
        Self::Annotations,
        Self::Other,
        Self::Whole,
    ];

    fn of(key: &str) -> Self {
        const NAMED: [Part; 6] =
            [Part::Name, Part::Title, Part::Description, Part::InputSchema, Part::OutputSchema, Part::Annotations];
        NAMED.into_iter().find(|part| part.name() == key).unwrap_or(Self::Other)
    }

    /// The word in records.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Title => "title",
            Self::Description => "description",
            Self::InputSchema => "inputSchema",
            Self::OutputSchema => "outputSchema",
            Self::Annotations => "annotations",
            Self::Other => "other",
            Self::Whole => "whole",
        }
    }
}

#[cfg(test)]
mod tests;
