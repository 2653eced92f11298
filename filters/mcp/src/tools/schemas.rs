//! Schemas of tools, ready to check with.

use super::catalogue::{MAX_BYTES, SchemaText};
use std::cell::RefCell;
use std::rc::Rc;
use tollgate_kernel::json::{Digest, Document, Limits};
use tollgate_kernel::schema::{self, Schema};

/// What a schema is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    /// What a tool is called with.
    Arguments,
    /// What it answers.
    Results,
}

/// A schema that nothing can be checked with, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unusable(pub(super) String);

/// Those that this worker has needed. Their texts are no longer together than a whole catalogue may be: it forgets all of
/// them before they are.
#[derive(Debug, Default)]
pub(super) struct Schemas(RefCell<Compiled>);

#[derive(Debug, Default)]
struct Compiled {
    bytes: usize,
    /// By the digest of the tool's definition.
    schemas: Vec<(Digest, Of, Result<Rc<Schema>, Unusable>)>,
}

impl Schemas {
    /// The schema that `text` is, of the definition with this digest.
    ///
    /// # Errors
    /// When nothing can be checked with it.
    pub(super) fn get(&self, digest: Digest, of: Of, text: &SchemaText) -> Result<Option<Rc<Schema>>, Unusable> {
        let text = match text {
            SchemaText::None => return Ok(None),
            SchemaText::TooLong => return Err(Unusable("it is too long".to_owned())),
            SchemaText::Kept(text) => text,
        };
        let mut compiled = self.0.borrow_mut();
        let is = |(own, what, _): &&(Digest, Of, _)| *own == digest && *what == of;
        if let Some((.., schema)) = compiled.schemas.iter().find(is) {
            return schema.clone().map(Some);
        }
        if compiled.bytes.saturating_add(text.len()) > MAX_BYTES {
            *compiled = Compiled::default();
        }
        let schema = compile(text).map(Rc::new);
        compiled.bytes = compiled.bytes.saturating_add(text.len());
        compiled.schemas.push((digest, of, schema.clone()));
        schema.map(Some)
    }
}

fn compile(text: &str) -> Result<Schema, Unusable> {
    let limits = Limits { bytes: text.len(), nodes: text.len().max(64) };
    let document = Document::read(text.as_bytes(), limits).map_err(|fault| Unusable(fault.to_string()))?;
    Schema::compile(document.root(), schema::Limits::USUAL).map_err(|fault| Unusable(fault.to_string()))
}
