//! What is said of a value, and not of those in it.

use super::check::Checker;
use super::violation::{List, Path, Stop};
use super::{Check, Counted, Types};
use crate::json::{Decimal, Kind, Value};
use std::cmp::Ordering;

impl Checker<'_> {
    pub(super) fn by_itself(&mut self, check: &Check, value: Value<'_, '_>, path: &Path<'_>) -> Result<(), Stop> {
        match check {
            Check::Never => Err(self.fails(path, "false", &"must not be there")),
            Check::Type(types) => self.of_type(*types, value, path),
            Check::OneOf { values, keyword } => self.one_of(values, keyword, value, path),
            Check::Bound { keyword, bound } => self.bound(keyword, bound, value, path),
            Check::MultipleOf(divisor) => {
                let number = value.as_number().and_then(Decimal::of).zip(Decimal::of(divisor));
                if number.is_none_or(|(number, divisor)| number.is_multiple_of(&divisor)) {
                    return Ok(());
                }
                Err(self.fails(path, "multipleOf", &format_args!("must be a multiple of {divisor}")))
            }
            Check::Size { keyword, of, bound } => self.size(keyword, *of, *bound, value, path),
            Check::Pattern(regex) => match value.as_str() {
                Some(text) if !regex.is_match(&text, &mut self.budget)? => {
                    Err(self.fails(path, "pattern", &"must match the `pattern` of its schema"))
                }
                _ => Ok(()),
            },
            Check::Unique => self.unique(value, path),
            Check::Required(names) if value.is_object() => self.required(names, "required", value, path),
            Check::DependentRequired(dependent) if value.is_object() => {
                for (name, names) in dependent {
                    if self.member(value, name)?.is_some() {
                        self.required(names, "dependentRequired", value, path)?;
                    }
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn of_type(&self, types: Types, value: Value<'_, '_>, path: &Path<'_>) -> Result<(), Stop> {
        if types.has(Types::of(value)) {
            return Ok(());
        }
        let names: Vec<_> = types.names().collect();
        Err(self.fails(path, "type", &format_args!("must be of type {}", names.join(" or "))))
    }

    fn one_of(
        &mut self,
        values: &[String],
        keyword: &'static str,
        value: Value<'_, '_>,
        path: &Path<'_>,
    ) -> Result<(), Stop> {
        self.budget.spend(values.len().saturating_add(bytes(value)))?;
        let own = value.normal();
        if values.contains(&own) {
            return Ok(());
        }
        let one_of = if values.len() == 1 { "" } else { "one of " };
        Err(self.fails(path, keyword, &format_args!("must be {one_of}{}", List(values))))
    }

    fn bound(&self, keyword: &'static str, bound: &str, value: Value<'_, '_>, path: &Path<'_>) -> Result<(), Stop> {
        let Some((number, limit)) = value.as_number().and_then(Decimal::of).zip(Decimal::of(bound)) else {
            return Ok(());
        };
        let order = number.cmp(&limit);
        let (holds, text) = match keyword {
            "minimum" => (order != Ordering::Less, "at least"),
            "maximum" => (order != Ordering::Greater, "at most"),
            "exclusiveMinimum" => (order == Ordering::Greater, "greater than"),
            _ => (order == Ordering::Less, "less than"),
        };
        if holds { Ok(()) } else { Err(self.fails(path, keyword, &format_args!("must be {text} {bound}"))) }
    }

    fn size(
        &mut self,
        keyword: &'static str,
        of: Counted,
        bound: usize,
        value: Value<'_, '_>,
        path: &Path<'_>,
    ) -> Result<(), Stop> {
        let (size, what) = match (of, value.kind()) {
            (Counted::Characters, Kind::String) => {
                self.budget.spend(bytes(value))?;
                (value.as_str().map_or(0, |text| text.chars().count()), "characters")
            }
            (Counted::Items, Kind::Array) => (value.items().count(), "items"),
            (Counted::Properties, Kind::Object) => (value.members().count(), "properties"),
            _ => return Ok(()),
        };
        self.budget.spend(if of == Counted::Characters { 0 } else { size })?;
        let (holds, text) =
            if keyword.starts_with("min") { (size >= bound, "at least") } else { (size <= bound, "at most") };
        if holds { Ok(()) } else { Err(self.fails(path, keyword, &format_args!("must have {text} {bound} {what}"))) }
    }

    fn unique(&mut self, value: Value<'_, '_>, path: &Path<'_>) -> Result<(), Stop> {
        let mut items: Vec<_> = value.items().map(Value::normal).collect();
        // They are sorted, so each is compared that often.
        let times = usize::try_from(items.len().checked_ilog2().unwrap_or(0)).unwrap_or(0).saturating_add(1);
        self.budget.spend(bytes(value).saturating_add(items.len()).saturating_mul(times))?;
        items.sort_unstable();
        if items.is_sorted_by(|one, other| one != other) {
            return Ok(());
        }
        Err(self.fails(path, "uniqueItems", &"must have no item twice"))
    }

    fn required(
        &mut self,
        names: &[String],
        keyword: &'static str,
        value: Value<'_, '_>,
        path: &Path<'_>,
    ) -> Result<(), Stop> {
        for name in names {
            if self.member(value, name)?.is_none() {
                let name = List(std::slice::from_ref(name));
                return Err(self.fails(path, keyword, &format_args!("must have the property {name}")));
            }
        }
        Ok(())
    }

    /// The member `name` of `value`.
    pub(super) fn member<'d, 'a>(&mut self, value: Value<'d, 'a>, name: &str) -> Result<Option<Value<'d, 'a>>, Stop> {
        let mut steps = 0_usize;
        let found = value.members().find(|member| {
            steps = steps.saturating_add(1);
            member.is(name)
        });
        self.budget.spend(steps)?;
        Ok(found.map(|member| member.value))
    }
}

/// What it costs to go through the text of a value.
fn bytes(value: Value<'_, '_>) -> usize {
    value.range().len().wrapping_shr(3)
}
