//! How a catalogue is written for all workers.

use super::catalogue::{Catalogue, Facts, MAX_DEFINITIONS, MAX_TOOLS, SchemaText, Seen, Tool};
use std::rc::Rc;
use tollgate_kernel::bytes::{Reader, put_text};
use tollgate_kernel::json::{Digest, Pointer};
use tollgate_kernel::mcp::Annotation;
use tollgate_kernel::mcp::lint::{Finding, Part, Suspicion};

const VERSION: u8 = 1;

impl Catalogue {
    /// Reads what [`Catalogue::write`] has written; no bytes are no tools. `None` when they are something else.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let Some((version, rest)) = bytes.split_first() else { return Some(Self::default()) };
        let mut reader = Reader(rest);
        let mut tools: Vec<Rc<Tool>> = Vec::new();
        while !reader.0.is_empty() {
            tools.push(Rc::new(Tool::read(&mut reader)?));
        }
        let ascending = tools.is_sorted_by(|one, other| one.name < other.name);
        (*version == VERSION && tools.len() <= MAX_TOOLS && ascending).then_some(Self { tools })
    }

    /// The bytes that stand for it.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        let mut out = vec![VERSION];
        self.tools.iter().for_each(|tool| tool.write(&mut out));
        out
    }
}

impl Tool {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let name = reader.text()?.to_owned();
        let digests = list(reader, |reader| reader.array().map(Digest))?;
        let fits = (1..=MAX_DEFINITIONS).contains(&digests.len());
        let now = Seen::read(reader)?;
        fits.then_some(Self { name, digests, now })
    }

    fn write(&self, out: &mut Vec<u8>) {
        put_text(out, &self.name);
        put_list(out, &self.digests, |out, digest| out.extend(digest.0));
        self.now.write(out);
    }

    /// How many bytes it is written in.
    pub(super) fn bytes(&self) -> usize {
        let mut out = Vec::new();
        self.write(&mut out);
        out.len()
    }
}

impl Seen {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        Some(Self {
            digest: Digest(reader.array()?),
            findings: list(reader, |reader| {
                let suspicion = *Suspicion::ALL.get(usize::from(reader.byte()?))?;
                let part = *Part::ALL.get(usize::from(reader.byte()?))?;
                Some(Finding { suspicion, part })
            })?,
            linted_with: u32::from_le_bytes(reader.array()?),
            facts: match reader.byte()? {
                0 => None,
                1 => Some(Facts::read(reader)?),
                _ => return None,
            },
        })
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend(self.digest.0);
        put_list(out, &self.findings, |out, finding| {
            out.push(place(&Suspicion::ALL, finding.suspicion));
            out.push(place(&Part::ALL, finding.part));
        });
        out.extend(self.linted_with.to_le_bytes());
        match &self.facts {
            None => out.push(0),
            Some(facts) => {
                out.push(1);
                facts.write(out);
            }
        }
    }
}

impl Facts {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        Some(Self {
            destructive: hint(reader)?,
            read_only: hint(reader)?,
            headers: list(reader, |reader| {
                let name = reader.text()?.to_owned();
                let argument = Pointer::try_from(reader.text()?.to_owned()).ok()?;
                Some(Annotation { name, argument })
            })?,
            input: SchemaText::read(reader)?,
            output: SchemaText::read(reader)?,
        })
    }

    fn write(&self, out: &mut Vec<u8>) {
        put_hint(out, self.destructive);
        put_hint(out, self.read_only);
        put_list(out, &self.headers, |out, header| {
            put_text(out, &header.name);
            put_text(out, &header.argument.to_string());
        });
        self.input.write(out);
        self.output.write(out);
    }
}

impl SchemaText {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        match reader.byte()? {
            0 => Some(Self::None),
            1 => Some(Self::TooLong),
            2 => reader.text().map(|text| Self::Kept(text.to_owned())),
            _ => None,
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::None => out.push(0),
            Self::TooLong => out.push(1),
            Self::Kept(text) => {
                out.push(2);
                put_text(out, text);
            }
        }
    }
}

fn list<T>(reader: &mut Reader<'_>, mut one: impl FnMut(&mut Reader<'_>) -> Option<T>) -> Option<Vec<T>> {
    let length = reader.byte()?;
    (0..length).map(|_| one(reader)).collect()
}

/// INVARIANT: no list that is kept is longer than 255.
fn put_list<T>(out: &mut Vec<u8>, list: &[T], mut one: impl FnMut(&mut Vec<u8>, &T)) {
    let length = u8::try_from(list.len()).unwrap_or(u8::MAX);
    out.push(length);
    list.iter().take(usize::from(length)).for_each(|item| one(out, item));
}

fn hint(reader: &mut Reader<'_>) -> Option<Option<bool>> {
    match reader.byte()? {
        0 => Some(Some(false)),
        1 => Some(Some(true)),
        2 => Some(None),
        _ => None,
    }
}

fn put_hint(out: &mut Vec<u8>, hint: Option<bool>) {
    out.push(hint.map_or(2, u8::from));
}

fn place<T: PartialEq>(all: &[T], one: T) -> u8 {
    all.iter().position(|other| *other == one).and_then(|at| u8::try_from(at).ok()).unwrap_or(u8::MAX)
}
