//! The query of a path.

use super::Reason;
use crate::json::folds_to;
use crate::percent::decode;
use std::borrow::Cow;

const MAX_PARAMETERS: usize = 64;
const MAX_QUERY: usize = 8192;

/// Parameters. A name that is read must stand there once.
#[derive(Debug, Clone, Default)]
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    pub(super) fn read(text: &str) -> Result<Self, Reason> {
        // Some readers end a parameter at `;`.
        let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b';') && text.len() <= MAX_QUERY;
        let pairs = text.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Some((said(name)?, said(value)?))
        });
        let pairs = pairs.take(MAX_PARAMETERS.saturating_add(1)).collect::<Option<Vec<_>>>();
        pairs.filter(|pairs| is_plain && pairs.len() <= MAX_PARAMETERS).map(Self).ok_or(Reason::Query)
    }

    /// The value of the parameter that is called one of `names`; `None` also if it is empty.
    pub(super) fn get(&self, names: &[&str]) -> Result<Option<&str>, Reason> {
        let mut found = None;
        for (name, value) in &self.0 {
            if names.contains(&name.as_str()) {
                if found.replace(value.as_str()).is_some() {
                    return Err(Reason::Query);
                }
            } else if names.iter().any(|known| folds_to(name, known)) {
                return Err(Reason::ResemblingKey);
            }
        }
        Ok(found.filter(|value| !value.is_empty()))
    }
}

fn said(text: &str) -> Option<String> {
    let spaced = if text.contains('+') { Cow::Owned(text.replace('+', " ")) } else { Cow::Borrowed(text) };
    decode(&spaced, b"\0").map(Cow::into_owned)
}
