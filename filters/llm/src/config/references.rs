//! Names that one part of the configuration gives and another one uses.

use super::Model;
use std::collections::{BTreeMap, BTreeSet};
use tollgate_kernel::allowed::Allowed;
use tollgate_kernel::subject::Label;

/// What lists of what is allowed may name.
pub(super) struct References<'a> {
    models: BTreeSet<&'a str>,
    routes: BTreeSet<&'a str>,
}

impl<'a> References<'a> {
    pub(super) fn to(models: &'a BTreeMap<Label, Model>) -> Self {
        let mut references = Self { models: BTreeSet::new(), routes: BTreeSet::new() };
        for (name, model) in models {
            references.models.insert(name.as_str());
            references.routes.insert(model.route.as_ref().unwrap_or(name).as_str());
        }
        references
    }

    /// Whether all that is allowed is there.
    pub(super) fn check(&self, models: &Allowed, routes: &Allowed) -> Result<(), String> {
        known("models", models, &self.models)?;
        known("routes", routes, &self.routes)
    }
}

fn known(field: &str, allowed: &Allowed, known: &BTreeSet<&str>) -> Result<(), String> {
    match allowed {
        Allowed::Only(names) if let Some(name) = names.iter().find(|name| !known.contains(name.as_str())) => {
            let known = known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            Err(format!("{field}: found `{name}`, expected one of {known}"))
        }
        _ => Ok(()),
    }
}
