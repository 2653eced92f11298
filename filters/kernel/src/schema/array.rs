//! Arrays and what is in them.

use super::Id;
use super::check::{Checker, Seen};
use super::violation::{Path, Stop};
use crate::json::Value;

impl Checker<'_> {
    pub(super) fn items(
        &mut self,
        first: &[Id],
        others: Option<Id>,
        value: Value<'_, '_>,
        path: &Path<'_>,
        seen: &mut Seen,
    ) -> Result<(), Stop> {
        for (at, item) in value.items().enumerate() {
            let Some(id) = first.get(at).copied().or(others) else { break };
            let path = Path::Index(path, at);
            if at >= first.len() && self.is_never(id) {
                return Err(self.fails(&path, "items", &format_args!("is an item too many, after {}", first.len())));
            }
            self.apply(id, item, &path, &mut Seen::default())?;
            seen.add(at);
        }
        Ok(())
    }

    pub(super) fn contains(
        &mut self,
        what: Id,
        least: usize,
        most: Option<usize>,
        value: Value<'_, '_>,
        path: &Path<'_>,
        seen: &mut Seen,
    ) -> Result<(), Stop> {
        if value.kind() != crate::json::Kind::Array {
            return Ok(());
        }
        let mut count = 0_usize;
        for (at, item) in value.items().enumerate() {
            if self.holds(what, item, &Path::Index(path, at), &mut Seen::default())? {
                count = count.saturating_add(1);
                seen.add(at);
            }
        }
        if count < least {
            return Err(self.fails(path, "contains", &format_args!("must have at least {least} items that fit")));
        }
        match most.filter(|most| count > *most) {
            Some(most) => {
                Err(self.fails(path, "maxContains", &format_args!("must have at most {most} items that fit")))
            }
            None => Ok(()),
        }
    }

    pub(super) fn unevaluated_items(
        &mut self,
        id: Id,
        value: Value<'_, '_>,
        path: &Path<'_>,
        seen: &mut Seen,
    ) -> Result<(), Stop> {
        for (at, item) in value.items().enumerate() {
            if !seen.has(at) {
                self.unevaluated(id, item, &Path::Index(path, at), "unevaluatedItems")?;
                seen.add(at);
            }
        }
        Ok(())
    }
}
