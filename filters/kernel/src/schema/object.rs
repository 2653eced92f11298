//! Objects and what is in them.

use super::check::{Checker, Seen};
use super::violation::{List, Path, Stop};
use super::{Check, Id, Properties};
use crate::json::Value;

impl Checker<'_> {
    pub(super) fn properties(
        &mut self,
        properties: &Properties,
        value: Value<'_, '_>,
        path: &Path<'_>,
        seen: &mut Seen,
    ) -> Result<(), Stop> {
        for (at, member) in value.members().enumerate() {
            self.budget.spend(1)?;
            let key = member.key();
            let path = Path::Key(path, &key);
            let mut known = false;
            if let Ok(index) = properties.named.binary_search_by(|(name, _)| name.as_str().cmp(&key)) {
                known = true;
                let id = properties.named.get(index).map_or(Id(0), |(_, id)| *id);
                self.apply(id, member.value, &path, &mut Seen::default())?;
            }
            for (regex, id) in &properties.patterns {
                if regex.is_match(&key, &mut self.budget)? {
                    known = true;
                    self.apply(*id, member.value, &path, &mut Seen::default())?;
                }
            }
            match properties.others {
                Some(id) if !known => {
                    known = true;
                    if self.is_never(id) {
                        return Err(self.unknown("additionalProperties", properties, &path));
                    }
                    self.apply(id, member.value, &path, &mut Seen::default())?;
                }
                _ => {}
            }
            if known {
                seen.add(at);
            }
        }
        Ok(())
    }

    fn unknown(&self, keyword: &'static str, properties: &Properties, path: &Path<'_>) -> Stop {
        let names: Vec<_> = properties.named.iter().map(|(name, _)| name.clone()).collect();
        if names.is_empty() {
            return self.fails(path, keyword, &"is not a property of its schema");
        }
        self.fails(path, keyword, &format_args!("is not a property of its schema, which has {}", List(&names)))
    }

    pub(super) fn is_never(&self, id: Id) -> bool {
        self.schema.nodes.get(id.0).is_some_and(|node| matches!(node.checks.as_slice(), [Check::Never]))
    }

    pub(super) fn unevaluated_properties(
        &mut self,
        id: Id,
        value: Value<'_, '_>,
        path: &Path<'_>,
        seen: &mut Seen,
    ) -> Result<(), Stop> {
        for (at, member) in value.members().enumerate() {
            if !seen.has(at) {
                let key = member.key();
                self.unevaluated(id, member.value, &Path::Key(path, &key), "unevaluatedProperties")?;
                seen.add(at);
            }
        }
        Ok(())
    }

    pub(super) fn unevaluated(
        &mut self,
        id: Id,
        value: Value<'_, '_>,
        path: &Path<'_>,
        keyword: &'static str,
    ) -> Result<(), Stop> {
        if self.is_never(id) {
            return Err(self.fails(path, keyword, &"is unknown to its schema"));
        }
        self.apply(id, value, path, &mut Seen::default())
    }

    pub(super) fn names(&mut self, id: Id, value: Value<'_, '_>, path: &Path<'_>) -> Result<(), Stop> {
        for member in value.members() {
            if !self.holds(id, member.key_value(), path, &mut Seen::default())? {
                let key = member.key();
                let text = "has a name that its schema does not allow";
                return Err(self.fails(&Path::Key(path, &key), "propertyNames", &text));
            }
        }
        Ok(())
    }

    pub(super) fn dependent_schemas(
        &mut self,
        schemas: &[(String, Id)],
        value: Value<'_, '_>,
        path: &Path<'_>,
        seen: &mut Seen,
    ) -> Result<(), Stop> {
        for (name, id) in schemas {
            if self.member(value, name)?.is_some() {
                self.apply(*id, value, path, seen)?;
            }
        }
        Ok(())
    }
}
