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

    /// Whether it is said which models are allowed, and all that is allowed is there. `at` is the path of what says so.
    pub(super) fn check(&self, at: &str, models: Option<&Allowed>, routes: Option<&Allowed>) -> Result<(), String> {
        let models = models.ok_or_else(|| format!("{at}: missing field `models`"))?;
        known(models, &self.models).map_err(|error| format!("{at}.models: {error}"))?;
        let routes = routes.map_or(Ok(()), |routes| known(routes, &self.routes));
        routes.map_err(|error| format!("{at}.routes: {error}"))
    }
}

fn known(allowed: &Allowed, known: &[&str]) -> Result<(), String> {
    match allowed {
        Allowed::Only(names)
            if let Some(name) = names.iter().find(|name| known.binary_search(&name.as_str()).is_err()) =>
        {
            let known = known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            Err(format!("found `{name}`, expected one of {known}"))
        }
        _ => Ok(()),
    }
}
