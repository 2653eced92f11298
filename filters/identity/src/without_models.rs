//! Who asks, in filters that know no models.

use crate::config::{Identity, IdentityConfig, Part};
use tollgate_kernel::allowed::Allowed;
use tollgate_kernel::key_ring::{KeyEntry, KeyRing};

/// Checks `keys` and `identity` of a filter whose rules say what may be used. By default, who asks shows a virtual key.
///
/// # Errors
/// The path to what is at fault, and what it is.
#[inline(never)]
pub fn without_models(
    keys: Vec<KeyEntry>,
    identity: Option<IdentityConfig>,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<(KeyRing, Identity), String> {
    let identity = match identity {
        Some(identity) => identity
            .check(&|part, grant| no_models(part, grant.models.as_ref(), grant.routes.as_ref()), variable)
            .map_err(|error| format!("identity.{error}"))?,
        None => Identity::default(),
    };
    match (keys.is_empty(), identity.takes(Part::Key)) {
        (false, false) => {
            return Err("keys: found keys, expected `key` in a way of `identity.any_of`".to_owned());
        }
        (true, true) if identity.takes_only_keys() => {
            return Err("keys: found none, expected one or more, or `identity` without `key`".to_owned());
        }
        _ => {}
    }
    for (index, key) in keys.iter().enumerate() {
        no_models(&format!("keys[{index}]"), key.models.as_ref(), key.routes.as_ref())?;
        if !key.limits.is_empty() {
            return Err(format!("keys[{index}].limits: found limits, expected them in `limits`"));
        }
    }
    let keys = KeyRing::new(keys).map_err(|error| format!("keys: {error}"))?;
    Ok((keys, identity))
}

/// What the AI gateway lets keys and tokens have.
fn no_models(at: &str, models: Option<&Allowed>, routes: Option<&Allowed>) -> Result<(), String> {
    match (models, routes) {
        (None, None) => Ok(()),
        (Some(_), _) => Err(format!("{at}.models: found some, expected none: what may be used is said in `rules`")),
        (None, Some(_)) => Err(format!("{at}.routes: found some, expected none: what may be used is said in `rules`")),
    }
}
