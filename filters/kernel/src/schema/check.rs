//! A value, checked with a schema.

use super::budget::Budget;
use super::violation::{Failure, Path, Short, Stop, Violation};
use super::{Check, Id, Invalid, Node, Schema};
use crate::json::Value;
use std::fmt;

pub(super) fn check(schema: &Schema, value: Value<'_, '_>) -> Result<(), Invalid> {
    let mut checker = Checker { schema, budget: Budget::new(schema.steps), quiet: 0 };
    checker.apply(Id(0), value, &Path::Whole, &mut Seen::default()).map_err(|stop| match stop {
        Stop::Fails(failure) => Invalid::Violation(failure.violation),
        Stop::TooMuch => Invalid::TooMuch,
    })
}

pub(super) struct Checker<'s> {
    pub(super) schema: &'s Schema,
    pub(super) budget: Budget,
    /// How many around it only ask whether, and not why.
    quiet: usize,
}

/// Which members or items of a value some schema has looked at, in their order. `None`: nobody asks.
#[derive(Default)]
pub(super) struct Seen(Option<Vec<bool>>);

impl Seen {
    fn none_of(value: Value<'_, '_>) -> Self {
        Self(Some(vec![false; value.members().count().max(value.items().count())]))
    }

    pub(super) const fn is_asked(&self) -> bool {
        self.0.is_some()
    }

    pub(super) fn add(&mut self, at: usize) {
        if let Some(seen) = self.0.as_mut().and_then(|all| all.get_mut(at)) {
            *seen = true;
        }
    }

    pub(super) fn has(&self, at: usize) -> bool {
        self.0.as_ref().and_then(|all| all.get(at)).is_some_and(|seen| *seen)
    }

    fn add_all(&mut self, other: &Self) {
        if let (Some(own), Some(other)) = (&mut self.0, &other.0) {
            own.iter_mut().zip(other).for_each(|(own, other)| *own |= *other);
        }
    }
}

impl<'s> Checker<'s> {
    /// Whether the schema `id` holds for `value`. What it has looked at is added to `seen` if so.
    pub(super) fn apply(&mut self, id: Id, value: Value<'_, '_>, path: &Path<'_>, seen: &mut Seen) -> Result<(), Stop> {
        self.budget.enter()?;
        let holds = self.schema.nodes.get(id.0).map_or(Ok(()), |node| self.node(node, value, path, seen));
        self.budget.leave();
        holds
    }

    fn node(&mut self, node: &'s Node, value: Value<'_, '_>, path: &Path<'_>, seen: &mut Seen) -> Result<(), Stop> {
        self.budget.spend(node.checks.len().saturating_add(1))?;
        let mut own = Seen::default();
        if seen.is_asked() || node.unevaluated_properties.is_some() || node.unevaluated_items.is_some() {
            own = Seen::none_of(value);
            self.budget.spend(own.0.as_ref().map_or(0, Vec::len))?;
        }
        for check in &node.checks {
            self.check(check, value, path, &mut own)?;
        }
        if let Some(id) = node.unevaluated_properties {
            self.unevaluated_properties(id, value, path, &mut own)?;
        }
        if let Some(id) = node.unevaluated_items {
            self.unevaluated_items(id, value, path, &mut own)?;
        }
        seen.add_all(&own);
        Ok(())
    }

    fn check(&mut self, check: &'s Check, value: Value<'_, '_>, path: &Path<'_>, seen: &mut Seen) -> Result<(), Stop> {
        match check {
            Check::Properties(properties) => self.properties(properties, value, path, seen),
            Check::Names(id) => self.names(*id, value, path),
            Check::DependentSchemas(schemas) => self.dependent_schemas(schemas, value, path, seen),
            Check::Items { first, others } => self.items(first, *others, value, path, seen),
            Check::Contains { what, least, most } => self.contains(*what, *least, *most, value, path, seen),
            Check::Reference(id) => self.apply(*id, value, path, seen),
            Check::All(ids) => ids.iter().try_for_each(|id| self.apply(*id, value, path, seen)),
            Check::Any(ids) => self.any(ids, value, path, seen),
            Check::ExactlyOne(ids) => self.exactly_one(ids, value, path, seen),
            Check::Not(id) => match self.holds(*id, value, path, &mut Seen::default())? {
                true => Err(self.fails(path, "not", &"must not be what its schema excludes")),
                false => Ok(()),
            },
            Check::If { condition, then, otherwise } => {
                let next = if self.holds(*condition, value, path, seen)? { then } else { otherwise };
                next.map_or(Ok(()), |id| self.apply(id, value, path, seen))
            }
            _ => self.by_itself(check, value, path),
        }
    }

    /// Whether a schema holds, where it is not asked why not.
    pub(super) fn holds(
        &mut self,
        id: Id,
        value: Value<'_, '_>,
        path: &Path<'_>,
        seen: &mut Seen,
    ) -> Result<bool, Stop> {
        self.quiet = self.quiet.saturating_add(1);
        let result = self.apply(id, value, path, seen);
        self.quiet = self.quiet.saturating_sub(1);
        match result {
            Ok(()) => Ok(true),
            Err(Stop::Fails(_)) => Ok(false),
            Err(stop) => Err(stop),
        }
    }

    fn any(&mut self, ids: &[Id], value: Value<'_, '_>, path: &Path<'_>, seen: &mut Seen) -> Result<(), Stop> {
        let (mut holds, mut nearest) = (false, Nearest::default());
        for id in ids {
            match self.apply(*id, value, path, seen) {
                Ok(()) => holds = true,
                Err(Stop::Fails(failure)) => nearest.add(failure),
                Err(stop) => return Err(stop),
            }
            // Each that holds may have looked at something else.
            if holds && !seen.is_asked() {
                break;
            }
        }
        if holds { Ok(()) } else { Err(self.nearest(nearest, "anyOf", path)) }
    }

    fn exactly_one(&mut self, ids: &[Id], value: Value<'_, '_>, path: &Path<'_>, seen: &mut Seen) -> Result<(), Stop> {
        let (mut holds, mut nearest) = (false, Nearest::default());
        for id in ids {
            match self.apply(*id, value, path, seen) {
                Ok(()) if holds => {
                    return Err(self.fails(path, "oneOf", &"must fit exactly one alternative, and fits several"));
                }
                Ok(()) => holds = true,
                Err(Stop::Fails(failure)) => nearest.add(failure),
                Err(stop) => return Err(stop),
            }
        }
        if holds { Ok(()) } else { Err(self.nearest(nearest, "oneOf", path)) }
    }

    fn nearest(&self, Nearest(failures): Nearest, keyword: &'static str, path: &Path<'_>) -> Stop {
        let mut failures = failures.into_iter();
        // There is at least one alternative.
        let Some(mut first) = failures.next() else { return Stop::TooMuch };
        let others: Vec<_> = failures.filter(|other| other.violation.pointer == first.violation.pointer).collect();
        if first.depth == path.depth() && !others.is_empty() {
            first.violation.keyword = keyword;
        }
        if self.quiet == 0 {
            let texts = std::iter::once(&first).chain(&others).map(|failure| failure.violation.text.as_str());
            first.violation.text = Short::of(&texts.collect::<Vec<_>>().join(", or "));
        }
        Stop::Fails(first)
    }

    /// That `value` at `path` breaks its schema.
    pub(super) fn fails(&self, path: &Path<'_>, keyword: &'static str, text: &dyn fmt::Display) -> Stop {
        let (pointer, text) =
            if self.quiet > 0 { (String::new(), String::new()) } else { (path.pointer(), Short::of(text)) };
        Stop::Fails(Failure { depth: path.depth(), violation: Violation { pointer, keyword, text } })
    }
}

/// Of several alternatives that do not fit, those that broke deepest in the value: one of them was meant. Least of all one that
/// wants another constant, since that is what tells alternatives apart.
#[derive(Default)]
struct Nearest(Vec<Failure>);

impl Nearest {
    /// More alternatives explain nothing.
    const MOST: usize = 4;

    fn add(&mut self, failure: Failure) {
        let rank = |failure: &Failure| (failure.violation.keyword != "const", failure.depth);
        let nearest = self.0.first().map(rank);
        if nearest.is_some_and(|nearest| rank(&failure) > nearest) {
            self.0.clear();
        }
        if nearest.is_none_or(|nearest| rank(&failure) >= nearest) && self.0.len() < Self::MOST {
            self.0.push(failure);
        }
    }
}
