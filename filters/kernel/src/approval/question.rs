//! What is asked, in plain words.
//!
//! Nothing is below the fold: there are so many lines and no more, each so long and no longer, and where that is not
//! everything, the first line says so.

use super::Id;
use super::shown::safe;
use crate::json::{Kind, Value, write_escaped};
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;

/// How much is shown.
#[derive(Debug, Clone, Copy)]
pub struct Room {
    /// Lines of arguments.
    pub lines: usize,
    /// Characters of one value.
    pub value: usize,
}

impl Room {
    /// In a client's dialog.
    pub const DIALOG: Self = Self { lines: 16, value: 120 };
    /// On the approval page.
    const PAGE: [Self; 4] = [Self::page(4000), Self::page(1200), Self::page(400), Self::page(120)];

    const fn page(value: usize) -> Self {
        Self { lines: 40, value }
    }
}

/// Arguments, each on a line of its own, in safe text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Arguments {
    /// The lines: `where.id = 42`.
    pub lines: Vec<String>,
    /// Whether they are all, in full.
    pub complete: bool,
}

/// What a person at a client is asked.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// What is called: `database.delete_row`.
    pub object: &'a str,
    /// The server.
    pub server: &'a str,
    /// The rule that asks.
    pub rule: &'a str,
    /// The arguments.
    pub arguments: Option<Value<'a, 'a>>,
    /// For how many seconds the answer is good.
    pub within_s: u64,
}

/// The key of our question among those of a server.
pub const KEY: &str = "tollgate/approval";
/// What stands in the form.
pub const FIELD: &str = "confirm";

/// How long a name of a path may be.
const MAX_NAME: usize = 60;
/// How long a path may be.
const MAX_PATH: usize = 160;
/// What a value that is too long ends with, as well as begins.
const TAIL: usize = 24;

impl Arguments {
    /// Reads what a tool is called with.
    #[must_use]
    pub fn of(arguments: Option<Value<'_, '_>>, room: Room) -> Self {
        let mut this = Self { lines: Vec::new(), complete: true };
        for member in arguments.into_iter().flat_map(Value::members) {
            this.add(name(&member.key()), member.value, room);
        }
        this
    }

    /// The same for the approval page, where all lines together have so many bytes: values are cut only as far as that takes.
    #[must_use]
    pub fn for_page(arguments: Option<Value<'_, '_>>, bytes: usize) -> Self {
        let fits = |this: &Self| this.lines.iter().map(|line| line.len().saturating_add(1)).sum::<usize>() <= bytes;
        let [widest, narrower @ ..] = Room::PAGE;
        narrower
            .into_iter()
            .fold(Self::of(arguments, widest), |this, room| if fits(&this) { this } else { Self::of(arguments, room) })
    }

    fn add(&mut self, path: String, value: Value<'_, '_>, room: Room) {
        if self.lines.len() >= room.lines {
            self.complete = false;
            return;
        }
        let mut whole = Bounded::new(room.value);
        compact(value, &mut whole);
        match value.kind() {
            _ if whole.fits() => self.lines.push(format!("{path} = {}", whole.text)),
            // INVARIANT: recursion ends at the depth that a document can have; so do paths, which grow with it.
            Kind::Object if path.len() < MAX_PATH => {
                for member in value.members() {
                    self.add(format!("{path}.{}", name(&member.key())), member.value, room);
                }
            }
            Kind::Array if path.len() < MAX_PATH => {
                for (at, item) in value.items().enumerate() {
                    self.add(format!("{path}[{at}]"), item, room);
                    if !self.complete {
                        break;
                    }
                }
            }
            _ => {
                self.complete = false;
                self.lines.push(format!("{path} = {}", cut(value, &whole.text)));
            }
        }
    }
}

impl Question<'_> {
    /// The words.
    #[must_use]
    pub fn text(&self) -> String {
        let Self { object, server, rule, within_s, .. } = self;
        let arguments = Arguments::of(self.arguments, Room::DIALOG);
        let mut text = String::new();
        if !arguments.complete {
            text.push_str("Attention: this call is too large to be shown in full here.\n\n");
        }
        let _ = writeln!(text, "Run {} on the server {}?", clipped(object), clipped(server));
        text.push_str(if arguments.lines.is_empty() { "It has no arguments.\n" } else { "Its arguments:\n" });
        for line in &arguments.lines {
            let _ = writeln!(text, "  {line}");
        }
        let _ = write!(
            text,
            "\nNothing has run yet. If you say yes, exactly this call runs once; your answer is good for {}. (Rule {}",
            duration(*within_s),
            clipped(rule),
        );
        if let Some(arguments) = self.arguments {
            let _ = write!(text, ", arguments {:.12}", arguments.digest().to_string());
        }
        text.push_str(".)");
        text
    }

    /// The result, as JSON, that makes the client ask, and bring `state` back.
    #[must_use]
    pub fn result(&self, state: &str) -> String {
        let mut out = format!(
            r#"{{"resultType":"input_required","inputRequests":{{"{KEY}":{{"method":"elicitation/create","params":{{"mode":"form","message":""#
        );
        write_escaped(&self.text(), &mut |piece| out.push_str(piece));
        out.push_str(r#"","requestedSchema":{"type":"object","properties":{""#);
        out.push_str(FIELD);
        out.push_str(r#"":{"type":"boolean","title":"Yes, run it","description":"Without this nothing runs.","default":false}},"required":[""#);
        out.push_str(FIELD);
        out.push_str(r#""]}}}},"requestState":""#);
        write_escaped(state, &mut |piece| out.push_str(piece));
        out.push_str("\"}");
        out
    }
}

/// Whether a client that declares these capabilities can ask with a form.
#[must_use]
pub fn can_ask(capabilities: Option<Value<'_, '_>>) -> bool {
    let elicitation = capabilities.and_then(|capabilities| capabilities.get("elicitation"));
    elicitation
        .is_some_and(|modes| modes.is_object() && (modes.get("form").is_some() || modes.members().next().is_none()))
}

/// Whether a client that declares these capabilities can send a person to an address.
#[must_use]
pub fn can_open(capabilities: Option<Value<'_, '_>>) -> bool {
    let elicitation = capabilities.and_then(|capabilities| capabilities.get("elicitation"));
    elicitation.is_some_and(|modes| modes.get("url").is_some())
}

/// The code of the error that sends a person to an address, in revisions that have it.
pub const URL_REQUIRED: i32 = -32042;

/// The data of that error.
#[must_use]
pub fn url_required(id: &Id, url: &str, message: &str) -> String {
    let mut out = format!(r#"{{"elicitations":[{{"mode":"url","elicitationId":"{id}","url":""#);
    write_escaped(url, &mut |piece| out.push_str(piece));
    out.push_str(r#"","message":""#);
    write_escaped(message, &mut |piece| out.push_str(piece));
    out.push_str("\"}]}");
    out
}

/// Safe text of a name, which can come from outside.
#[must_use]
pub fn clipped(text: &str) -> String {
    let mut bounded = Bounded::new(200);
    safe(text, &mut |piece| bounded.push(piece));
    if bounded.fits() { bounded.text } else { format!("{}... ({} bytes)", bounded.text, text.len()) }
}

/// Of seconds, as people say it.
#[must_use]
pub fn duration(seconds: u64) -> String {
    let (number, unit) = match seconds {
        0..=119 => (seconds, "second"),
        120..=7199 => (seconds / 60, "minute"),
        _ => (seconds / 3600, "hour"),
    };
    format!("{number} {unit}{}", if number == 1 { "" } else { "s" })
}

/// A key as part of a path.
fn name(key: &str) -> String {
    let is_plain =
        !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    if is_plain && key.len() <= MAX_NAME {
        return key.to_owned();
    }
    let mut bounded = Bounded::new(MAX_NAME);
    quotes(key, &mut bounded);
    let more = if bounded.fits() { "" } else { "..." };
    format!("\"{}{more}\"", bounded.text)
}

/// A value that is too long: how it begins and ends, and how long it is.
fn cut(value: Value<'_, '_>, begin: &str) -> String {
    let text = value.as_str().unwrap_or_else(|| value.raw().into());
    let count = text.chars().count();
    let from = text.char_indices().nth(count.saturating_sub(TAIL)).map_or(0, |(at, _)| at);
    let mut tail = Bounded::new(usize::MAX);
    quotes(text.get(from..).unwrap_or_default(), &mut tail);
    let digest = Sha256::digest(text.as_bytes());
    let digest: String = digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    let quote = if value.kind() == Kind::String { "\"" } else { "" };
    format!("{begin} [...] {}{quote} ({count} characters, SHA-256 {digest}...)", tail.text)
}

/// Text that stops at its bound.
struct Bounded {
    text: String,
    left: Option<usize>,
}

impl Bounded {
    const fn new(characters: usize) -> Self {
        Self { text: String::new(), left: Some(characters) }
    }

    const fn fits(&self) -> bool {
        self.left.is_some()
    }

    /// Takes a piece whole or, as everything after it, not at all; of plain text, what there is room for.
    fn push(&mut self, piece: &str) {
        let Some(left) = self.left else { return };
        let count = piece.chars().count();
        self.left = left.checked_sub(count);
        if self.left.is_some() {
            self.text.push_str(piece);
        } else if !piece.starts_with('\\') {
            self.text.extend(piece.chars().take(left));
        }
    }
}

/// Text that stands in quotes.
fn quotes(text: &str, out: &mut Bounded) {
    for (at, part) in text.split('"').enumerate() {
        if at > 0 {
            out.push("\\\"");
        }
        safe(part, &mut |piece| out.push(piece));
    }
}

/// A value on one line.
fn compact(value: Value<'_, '_>, out: &mut Bounded) {
    match value.kind() {
        _ if !out.fits() => {}
        Kind::Null | Kind::Bool | Kind::Number => out.push(value.raw()),
        Kind::String => {
            out.push("\"");
            quotes(&value.as_str().unwrap_or_default(), out);
            out.push("\"");
        }
        Kind::Array => {
            out.push("[");
            for (at, item) in value.items().enumerate() {
                out.push(if at == 0 { "" } else { ", " });
                compact(item, out);
                if !out.fits() {
                    return;
                }
            }
            out.push("]");
        }
        Kind::Object => {
            out.push("{");
            for (at, member) in value.members().enumerate() {
                out.push(if at == 0 { "" } else { ", " });
                out.push(&name(&member.key()));
                out.push(": ");
                compact(member.value, out);
                if !out.fits() {
                    return;
                }
            }
            out.push("}");
        }
    }
}

#[cfg(test)]
mod tests;
