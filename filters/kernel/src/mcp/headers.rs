//! Headers that repeat what the body says.

use super::{Annotation, Named, Reason, Revision, Target};
pub use crate::headers::Headers;
use crate::headers::plain;
use crate::json::{Decimal, Kind, Place, Value};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::borrow::Cow;

const METHOD: &str = "Mcp-Method";
const NAME: &str = "Mcp-Name";
const PARAM: &str = "Mcp-Param-";

impl<'h> Headers<'h> {
    /// The header that names the revision.
    pub const VERSION: &'static str = "MCP-Protocol-Version";

    /// The value of `name`, without white space around it.
    ///
    /// # Errors
    /// When there are several.
    pub fn single(self, name: &'static str) -> Result<Option<&'h [u8]>, Reason> {
        self.find("", name).map_err(|()| Reason::RepeatedHeader(name))
    }

    /// As [`Self::single`], of visible characters.
    pub(super) fn text(self, name: &'static str) -> Result<Option<&'h str>, Reason> {
        let text = |value| plain(value).ok_or(Reason::MalformedHeader(name));
        self.single(name)?.map(text).transpose()
    }

    /// Whether the headers say of a request what its body says.
    pub(super) fn agree(self, revision: Revision, method: &Named<'_>, target: &Target<'_>) -> Result<(), Reason> {
        if !self.agree_if_there(method)? && revision.is_stateless() {
            return Err(Reason::MissingHeader(METHOD));
        }
        let repeated = match method {
            Named::Known(method) => target.name().filter(|_| method.has_name_header()),
            // Who knows the method knows what of it is repeated.
            Named::Other(_) => return self.single(NAME).map(drop),
        };
        match (self.single(NAME)?.map(decode), repeated) {
            (Some(None), _) => Err(Reason::MalformedHeader(NAME)),
            (Some(Some(name)), repeated) if repeated != Some(&*name) => Err(Reason::Mismatch(NAME)),
            (None, Some(_)) if revision.is_stateless() => Err(Reason::MissingHeader(NAME)),
            _ => Ok(()),
        }
    }

    /// Whether the header with the method is there; it must agree.
    pub(super) fn agree_if_there(self, method: &Named<'_>) -> Result<bool, Reason> {
        match self.text(METHOD)? {
            Some(text) if text != method.as_str() => Err(Reason::Mismatch(METHOD)),
            text => Ok(text.is_some()),
        }
    }

    /// Whether the headers say of the `arguments` of a tool what they are, as far as the tool wants them repeated. Headers that
    /// repeat nothing that it wants are somebody else's.
    ///
    /// # Errors
    /// What does not agree.
    pub fn agree_with_arguments(
        self,
        revision: Revision,
        arguments: Option<Value<'_, '_>>,
        annotations: &[Annotation],
    ) -> Result<(), Reason> {
        annotations.iter().try_for_each(|annotation| {
            let header = self.find(PARAM, &annotation.name).map_err(|()| Reason::RepeatedHeader(PARAM))?;
            let place = arguments.map_or(Place::Absent, |arguments| arguments.at(&annotation.argument));
            match (header.map(decode), place) {
                (Some(None), _) => Err(Reason::MalformedHeader(PARAM)),
                (None, Place::Value(_)) if revision.is_stateless() => Err(Reason::MissingHeader(PARAM)),
                (None, Place::Value(_) | Place::Absent) => Ok(()),
                (Some(Some(text)), Place::Value(value)) if says(&text, value) => Ok(()),
                _ => Err(Reason::Mismatch(PARAM)),
            }
        })
    }
}

/// Whether the value of a header says `value`. Numbers are compared as numbers.
fn says(text: &str, value: Value<'_, '_>) -> bool {
    match value.kind() {
        Kind::String => value.as_str().is_some_and(|own| own == text),
        Kind::Number => Decimal::of(text).is_some_and(|number| Decimal::of(value.raw()) == Some(number)),
        Kind::Bool => value.raw() == text,
        Kind::Null | Kind::Array | Kind::Object => false,
    }
}

/// What a value says that may be wrapped in `=?base64?..?=`.
fn decode(value: &[u8]) -> Option<Cow<'_, str>> {
    let text = plain(value)?;
    match text.strip_prefix("=?base64?").and_then(|text| text.strip_suffix("?=")) {
        Some(wrapped) => String::from_utf8(STANDARD.decode(wrapped).ok()?).ok().map(Cow::Owned),
        None => Some(text.into()),
    }
}
