//! What callers write, as far as records tell it: redacted, and then cut, so that no part of a secret is left at the cut.

use std::borrow::Cow;
use tollgate_kernel::json::Value;
use tollgate_kernel::redact::Redactor;

/// The longest text of a caller's, in bytes: an id, a name.
const MAX_TEXT: usize = 256;
/// The longest address.
const MAX_URI: usize = 1024;
/// The longest arguments.
pub const MAX_ARGUMENTS: usize = 4096;

/// What records tell of callers' words.
#[derive(Debug, Clone, Copy, Default)]
pub struct Words<'w> {
    /// What is replaced.
    pub redactor: Option<&'w Redactor>,
    /// Whether they tell what is called with.
    pub arguments: bool,
}

impl Words<'_> {
    /// A name, an id, a sentence.
    #[must_use]
    pub fn text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        cut(self.redacted(text), MAX_TEXT)
    }

    /// What is acted on: a name, or an address. Of an address who logs in there is never told, and its query, which is what it is
    /// called with, only where that is.
    #[must_use]
    pub fn object<'t>(&self, object: &'t str) -> Cow<'t, str> {
        match object.split_once(':') {
            Some((scheme, rest)) if is_scheme(scheme) => {
                cut(self.redacted(&self.address(scheme, rest)), MAX_URI).into_owned().into()
            }
            _ => self.text(object),
        }
    }

    /// What is called with: the JSON as the caller wrote it, if records tell that.
    #[must_use]
    pub fn arguments(&self, arguments: Option<Value<'_, '_>>) -> Option<String> {
        let arguments = arguments.filter(|_| self.arguments)?;
        let redacted = self.redactor.and_then(|redactor| redactor.redact_json(arguments));
        Some(cut(redacted.map_or(Cow::Borrowed(arguments.raw()), Cow::Owned), MAX_ARGUMENTS).into_owned())
    }

    fn redacted<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.redactor.and_then(|redactor| redactor.redact(text)).map_or(Cow::Borrowed(text), Cow::Owned)
    }

    fn address(&self, scheme: &str, rest: &str) -> String {
        let (place, query) = match rest.find(['?', '#']).and_then(|at| rest.split_at_checked(at)) {
            Some((place, _)) if !self.arguments => (place, "?…"),
            Some(split) => split,
            None => (rest, ""),
        };
        let host = place.strip_prefix("//").map(|rest| {
            rest.split_once('/').map_or((rest, ""), |(host, _)| (host, rest.get(host.len()..).unwrap_or_default()))
        });
        match host.and_then(|(host, path)| Some((host.rsplit_once('@')?.1, path))) {
            Some((host, path)) => format!("{scheme}://…@{host}{path}{query}"),
            None => format!("{scheme}:{place}{query}"),
        }
    }
}

/// The scheme of an address (RFC 3986, section 3.1).
fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

/// The text, or its beginning and how long it is.
fn cut(text: Cow<'_, str>, max: usize) -> Cow<'_, str> {
    if text.len() <= max {
        return text;
    }
    let end = text.floor_char_boundary(max);
    format!("{}… ({} bytes)", text.get(..end).unwrap_or_default(), text.len()).into()
}

#[cfg(test)]
mod tests;
