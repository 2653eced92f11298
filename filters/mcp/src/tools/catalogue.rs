//! The tools of one server: all that any list of it had.

use std::rc::Rc;
use tollgate_kernel::json::{Digest, Value};
use tollgate_kernel::mcp::Annotation;
use tollgate_kernel::mcp::lint::Finding;
use tollgate_kernel::mcp::tool::{Definition, digest};

/// How many tools of one server are known.
pub const MAX_TOOLS: usize = 1024;
/// In how many bytes.
pub const MAX_BYTES: usize = 1 << 20;
/// How many definitions of one tool are told apart.
pub const MAX_DEFINITIONS: usize = 8;
/// The longest schema that is kept.
const MAX_SCHEMA: usize = u16::MAX as usize;
/// How many arguments of one tool may be repeated in headers, and how long their names and pointers may be.
const MAX_HEADERS: usize = 64;
const MAX_HEADER: usize = 1024;

/// What is known of a server's tools. What finds no place in it is not known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Catalogue {
    /// By name, ascending.
    pub(super) tools: Vec<Rc<Tool>>,
}

/// A tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tool {
    /// As its server calls it.
    pub name: String,
    /// The digests of its definitions, the first one first.
    pub(super) digests: Vec<Digest>,
    /// The one that was seen last.
    pub now: Seen,
}

/// What is known of a definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Its digest.
    pub digest: Digest,
    /// What it says. `None`: it is none.
    pub facts: Option<Facts>,
    /// What is suspicious in it.
    pub findings: Vec<Finding>,
    /// What the names of others' tools were when that was looked for.
    pub linted_with: u32,
}

/// What a definition says, as far as something is decided by it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// `destructiveHint`.
    pub destructive: Option<bool>,
    /// `readOnlyHint`.
    pub read_only: Option<bool>,
    /// Which arguments are repeated in headers.
    pub headers: Vec<Annotation>,
    /// `inputSchema`.
    pub input: SchemaText,
    /// `outputSchema`.
    pub output: SchemaText,
}

/// What is known of a schema.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum SchemaText {
    /// There is none, or nobody asks for it.
    #[default]
    None,
    /// There is one, which is not kept.
    TooLong,
    /// This one.
    Kept(String),
}

/// Which schemas are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    /// Those of arguments.
    pub input: bool,
    /// Those of results.
    pub output: bool,
}

/// What a sight of a tool brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum News {
    /// Nothing.
    None,
    /// Something to remember, and nothing to tell.
    Remember,
    /// It was never seen before.
    First,
    /// It has a definition that it never had.
    Changed {
        /// What it was.
        was: Digest,
    },
    /// It is new, and there is no room for it.
    NoRoom,
}

impl Seen {
    /// What is known of the definition that `value` is.
    #[must_use]
    pub fn of(value: Value<'_, '_>, kept: Kept) -> Self {
        Self { digest: digest(value), facts: Facts::of(value, kept), findings: Vec::new(), linted_with: 0 }
    }

    fn without_schemas(&self) -> Self {
        let mut seen = self.clone();
        if let Some(facts) = &mut seen.facts {
            for schema in [&mut facts.input, &mut facts.output] {
                if *schema != SchemaText::None {
                    *schema = SchemaText::TooLong;
                }
            }
        }
        seen
    }
}

impl Facts {
    fn of(value: Value<'_, '_>, kept: Kept) -> Option<Self> {
        let definition = Definition::read(value).ok()?;
        let headers = definition.headers.ok()?;
        let fits =
            |header: &Annotation| header.name.len() <= MAX_HEADER && header.argument.to_string().len() <= MAX_HEADER;
        if headers.len() > MAX_HEADERS || !headers.iter().all(fits) {
            return None;
        }
        Some(Self {
            destructive: definition.hints.destructive,
            read_only: definition.hints.read_only,
            headers,
            input: SchemaText::of(Some(definition.input_schema).filter(|_| kept.input)),
            output: SchemaText::of(definition.output_schema.filter(|_| kept.output)),
        })
    }
}

impl SchemaText {
    fn of(schema: Option<Value<'_, '_>>) -> Self {
        match schema.map(Value::raw) {
            None => Self::None,
            Some(text) if text.len() > MAX_SCHEMA => Self::TooLong,
            Some(text) => Self::Kept(text.to_owned()),
        }
    }
}

impl Tool {
    /// The digest of the first definition seen.
    #[must_use]
    pub fn first(&self) -> Digest {
        self.digests.first().copied().unwrap_or(self.now.digest)
    }
}

impl Catalogue {
    /// The tool of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Rc<Tool>> {
        self.tools.get(self.find(name).ok()?)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Tool> {
        self.tools.iter().map(|tool| &**tool)
    }

    fn find(&self, name: &str) -> Result<usize, usize> {
        self.tools.binary_search_by(|tool| tool.name.as_str().cmp(name))
    }

    /// Whether [`Catalogue::see`] would change nothing.
    #[must_use]
    pub fn knows(&self, name: &str, seen: &Seen) -> bool {
        self.get(name).is_some_and(|tool| tool.now == *seen)
    }

    /// Sees a tool in a list.
    pub fn see(&mut self, name: &str, seen: &Seen) -> News {
        match self.find(name) {
            Ok(at) => self.see_again(at, seen),
            Err(at) => {
                let tool = Tool { name: name.to_owned(), digests: vec![seen.digest], now: seen.clone() };
                let fits = self.tools.len() < MAX_TOOLS && self.bytes().saturating_add(tool.bytes()) <= MAX_BYTES;
                if !fits {
                    return News::NoRoom;
                }
                self.tools.insert(at, Rc::new(tool));
                News::First
            }
        }
    }

    fn see_again(&mut self, at: usize, seen: &Seen) -> News {
        let bytes = self.bytes();
        let Some(tool) = self.tools.get_mut(at).filter(|tool| tool.now != *seen) else { return News::None };
        let left = MAX_BYTES.saturating_sub(bytes.saturating_sub(tool.bytes()));
        let tool = Rc::make_mut(tool);
        let was = tool.now.digest;
        let is_new = !tool.digests.contains(&seen.digest);
        if is_new {
            if tool.digests.len() >= MAX_DEFINITIONS {
                // Never the first: it may be the one that is approved.
                tool.digests.remove(1);
            }
            tool.digests.push(seen.digest);
        }
        tool.now = seen.clone();
        if tool.bytes() > left {
            tool.now = seen.without_schemas();
        }
        if is_new { News::Changed { was } } else { News::Remember }
    }

    fn bytes(&self) -> usize {
        self.tools.iter().map(|tool| tool.bytes()).fold(0, usize::saturating_add)
    }
}
