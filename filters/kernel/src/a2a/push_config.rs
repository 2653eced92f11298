//! The addresses in a request that an agent will tell of a task.

use super::Reason;
use super::member::{
    AUTHENTICATION, CONFIG, CREDENTIALS, ID, PUSH_CONFIG, SCHEME, SCHEMES, TOKEN, URL, id, object, text, texts,
};
use crate::json::Value;
use std::borrow::Cow;
use std::fmt;

/// An address, and what proves to it who tells. It may be secret, so it cannot be printed.
#[derive(Clone, PartialEq, Eq)]
pub struct PushConfig<'a> {
    /// The address.
    pub url: Cow<'a, str>,
    /// What it is told with.
    pub token: Option<Cow<'a, str>>,
    /// Schemes of HTTP authentication.
    pub schemes: Vec<Cow<'a, str>>,
    /// The credentials of one.
    pub credentials: Option<Cow<'a, str>>,
    /// Its own id, where the caller gives it one.
    pub id: Option<Cow<'a, str>>,
}

/// How configurations stand in each other: a request's `config`, and that one's `pushNotificationConfig`.
const MAX_DEPTH: usize = 3;

/// Adds the addresses that `config` has: its own, and those of the configurations in it.
pub(super) fn collect<'a>(config: Value<'_, 'a>, out: &mut Vec<PushConfig<'a>>) -> Result<(), Reason> {
    let before = out.len();
    within(config, MAX_DEPTH, out)?;
    if out.len() == before { Err(Reason::Parameter("url")) } else { Ok(()) }
}

fn within<'a>(config: Value<'_, 'a>, depth: usize, out: &mut Vec<PushConfig<'a>>) -> Result<(), Reason> {
    if let Some(url) = text(config, URL)? {
        let authentication = object(config, AUTHENTICATION)?;
        let mut schemes = Vec::new();
        let mut credentials = None;
        if let Some(authentication) = authentication {
            schemes = texts(authentication, SCHEMES, |_| true)?;
            schemes.extend(text(authentication, SCHEME)?);
            credentials = text(authentication, CREDENTIALS)?;
        }
        out.push(PushConfig { url, token: text(config, TOKEN)?, schemes, credentials, id: id(config, ID)? });
    }
    for place in [PUSH_CONFIG, CONFIG] {
        if let (Some(inner), Some(depth)) = (object(config, place)?, depth.checked_sub(1)) {
            within(inner, depth, out)?;
        }
    }
    Ok(())
}

impl fmt::Debug for PushConfig<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PushConfig")
    }
}
