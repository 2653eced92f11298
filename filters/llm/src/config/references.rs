//! Names that one part of the configuration gives and another one uses.

use super::Model;
use tollgate_config::Map;
use tollgate_kernel::allowed::Allowed;
use tollgate_kernel::subject::Label;

/// What lists of what is allowed may name: each name once, ascending.
pub(super) struct References<'a> {
    models: Vec<&'a str>,
    routes: Vec<&'a str>,
}

impl<'a> References<'a> {
    pub(super) fn to(models: &'a Map<Label, Model>) -> Self {
        let mut references = Self { models: models.keys().map(Label::as_str).collect(), routes: Vec::new() };
        for (name, model) in models.iter() {
            let route = model.route.as_ref().unwrap_or(name).as_str();
            if let Err(at) = references.routes.binary_search(&route) {
                references.routes.insert(at, route);
            }
        }
        references
    }

    /// Whether all that is allowed is there.
    pub(super) fn check(&self, models: &Allowed, routes: &Allowed) -> Result<(), String> {
        known("models", models, &self.models)?;
        known("routes", routes, &self.routes)
    }
}

fn known(field: &str, allowed: &Allowed, known: &[&str]) -> Result<(), String> {
    match allowed {
        Allowed::Only(names)
            if let Some(name) = names.iter().find(|name| known.binary_search(&name.as_str()).is_err()) =>
        {
            let known = known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            Err(format!("{field}: found `{name}`, expected one of {known}"))
        }
        _ => Ok(()),
    }
}
