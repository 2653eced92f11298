//! What must not be read by others is replaced: keys, card numbers, e-mail addresses, and what an operator names.
//!
//! A text is read once, from left to right, in time linear in it. What is replaced is `[redacted:keys]` and so on afterwards;
//! to read a text again changes nothing. It is better to replace too much than to leave a part of a secret: what begins in one
//! thing and goes on behind it is replaced with it.

mod card;
mod config;
mod email;
mod glob;
mod json;
mod key;
mod scan;

pub use config::{Known, NotRedacting, RedactConfig, Where};
pub use glob::{Glob, NotAGlob};

use scan::{Scan, Text};
use std::fmt;

/// What is replaced, and where.
#[derive(Clone, PartialEq, Eq)]
pub struct Redactor {
    known: Vec<Known>,
    also: Vec<Glob>,
    places: Vec<Where>,
}

/// What everything begins with that stands for what was there.
const MARK: &str = "[redacted:";
/// The name of what an operator named.
const ALSO: &str = "also";

impl Redactor {
    /// Of keys alone, and for no place: to find some.
    #[must_use]
    pub fn of_keys() -> Self {
        Self { known: vec![Known::Keys], also: Vec::new(), places: Vec::new() }
    }

    /// Whether it is there for `place`.
    #[must_use]
    pub fn is_for(&self, place: Where) -> bool {
        self.places.contains(&place)
    }

    /// `text` with all that is replaced; `None` if that is nothing. It is a text as it is read, not a string as JSON writes it.
    #[must_use]
    pub fn redact(&self, text: &str) -> Option<String> {
        let mut scan = Scan::new(text, &self.also);
        let (mut out, mut copied) = (String::new(), 0);
        while let Some(at) = scan.next() {
            let Some((end, name)) = self.find(&mut scan, at) else { continue };
            let end = self.end_of_all(&mut scan, at, end);
            out.push_str(text.get(copied..at).unwrap_or_default());
            out.extend([MARK, name, "]"]);
            copied = end;
            scan.go_on_at(end);
        }
        (copied > 0).then(|| out + text.get(copied..).unwrap_or_default())
    }

    /// The end of what begins at `at`, and its name.
    fn find(&self, scan: &mut Scan<'_>, at: usize) -> Option<(usize, &'static str)> {
        self.known(scan, at).or_else(|| {
            let mut globs = self.also.iter().enumerate();
            globs.find_map(|(which, glob)| glob.find(scan, which, at)).map(|end| (end, ALSO))
        })
    }

    fn known(&self, scan: &mut Scan<'_>, at: usize) -> Option<(usize, &'static str)> {
        self.known.iter().find_map(|known| {
            let end = match known {
                Known::Keys => key::find(scan, at),
                Known::CardNumbers => card::find(scan, at),
                Known::Email => email::find(scan, at),
            };
            end.map(|end| (end, known.name()))
        })
    }

    /// Where all ends that begins between `at` and `end`.
    fn end_of_all(&self, scan: &mut Scan<'_>, at: usize, end: usize) -> usize {
        let (mut inside, mut end) = (at.saturating_add(1), end);
        while inside < end {
            end = self.known(scan, inside).map_or(end, |(further, _)| end.max(further));
            inside = inside.saturating_add(1);
        }
        end
    }
}

/// The length of what stands for something that was replaced, if `text` begins with it.
fn mark(text: Text<'_>) -> Option<usize> {
    // Nearly every byte is another.
    text.at(0).filter(|byte| *byte == b'[')?;
    let name = text.0.strip_prefix(MARK.as_bytes())?;
    let known = Known::ALL.iter().map(|known| known.name()).chain([ALSO]);
    let mut lengths =
        known.filter(|known| name.strip_prefix(known.as_bytes()).is_some_and(|rest| rest.starts_with(b"]")));
    lengths.next().map(|known| MARK.len().saturating_add(known.len()).saturating_add(1))
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Redactor({:?} and {} globs, in {:?})", self.known, self.also.len(), self.places)
    }
}

#[cfg(test)]
mod tests;
