//! Google's objects. Fields may be named as in JSON (`maxOutputTokens`) and as in the proto file (`max_output_tokens`):
//! Google's own parser takes both, and clients send both.

use crate::conversation::Request;
use crate::error::Invalid;
use crate::fields::{At, Fields, read};
use serde_json::value::RawValue;

/// The fields of one object that were not taken yet, by their names in JSON.
#[derive(Debug)]
pub(super) struct Object<'a>(Fields<'a>);

impl<'a> Object<'a> {
    pub(super) fn of_body(body: &'a [u8]) -> Result<Self, Invalid> {
        Fields::of_body(body).map(Self)
    }

    pub(super) fn of(value: &'a RawValue, at: &At<'_>) -> Result<Self, Invalid> {
        read(value, at, "an object").map(Self)
    }

    /// Takes the value of `name`; `null` is the same as absent.
    pub(super) fn take(&mut self, name: &str, at: &At<'_>) -> Result<Option<&'a RawValue>, Invalid> {
        let value = self.0.take(name, at)?;
        if self.0.is_empty() || !name.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Ok(value);
        }
        match (value, self.0.take(&snake_case(name), at)?) {
            (Some(_), Some(_)) => Err(at.field(name).fault("given twice")),
            (value, other) => Ok(value.or(other)),
        }
    }

    pub(super) fn text(&mut self, name: &str, at: &At<'_>) -> Result<Option<String>, Invalid> {
        self.take(name, at)?.map(|value| read(value, &at.field(name), "a string")).transpose()
    }

    pub(super) fn number(&mut self, name: &str, at: &At<'_>) -> Result<Option<f64>, Invalid> {
        self.take(name, at)?.map(|value| read(value, &at.field(name), "a number")).transpose()
    }

    /// A whole number. Proto JSON also writes it as a string, and the official SDK `40` as `40.0`.
    pub(super) fn whole(&mut self, name: &str, at: &At<'_>) -> Result<Option<i64>, Invalid> {
        let Some(value) = self.take(name, at)? else { return Ok(None) };
        let text = value.get().trim_matches('"');
        let number = text.strip_suffix(".0").unwrap_or(text).parse();
        number.map(Some).map_err(|_| at.field(name).fault("must be a whole number"))
    }

    /// A whole number that is not negative.
    pub(super) fn count(&mut self, name: &str, at: &At<'_>) -> Result<Option<u64>, Invalid> {
        let Some(number) = self.whole(name, at)? else { return Ok(None) };
        u64::try_from(number).map(Some).map_err(|_| at.field(name).fault("must not be negative"))
    }

    pub(super) fn flag(&mut self, name: &str, at: &At<'_>) -> Result<Option<bool>, Invalid> {
        self.take(name, at)?.map(|value| read(value, &at.field(name), "true or false")).transpose()
    }

    pub(super) fn texts(&mut self, name: &str, at: &At<'_>) -> Result<Vec<String>, Invalid> {
        let texts = self.take(name, at)?.map(|value| read(value, &at.field(name), "an array of strings"));
        Ok(texts.transpose()?.unwrap_or_default())
    }

    pub(super) fn object(&mut self, name: &str, at: &At<'_>) -> Result<Option<Self>, Invalid> {
        self.take(name, at)?.map(|value| Self::of(value, &at.field(name))).transpose()
    }

    /// A list of a request; absent, it is empty.
    pub(super) fn list(&mut self, name: &str, at: &At<'_>) -> Result<Vec<&'a RawValue>, Invalid> {
        let list = self.take(name, at)?.map(|value| read(value, &at.field(name), "an array"));
        Ok(list.transpose()?.unwrap_or_default())
    }

    pub(super) const fn fields(&self) -> &Fields<'a> {
        &self.0
    }

    /// What is left, in order and by the names given.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &'a RawValue)> {
        self.0.iter()
    }

    /// Names what is left of an object: `known` fields each by its own name, all others by one.
    pub(super) fn leave_out(
        mut self,
        known: &[&'static str],
        at: &At<'_>,
        request: &mut Request,
    ) -> Result<(), Invalid> {
        for &name in known {
            if self.take(name, at)?.is_some() {
                request.note_dropped(name);
            }
        }
        if !self.0.is_empty() {
            request.note_dropped("unknown_fields");
        }
        Ok(())
    }
}

pub(super) fn snake_case(name: &str) -> String {
    let mut snake = String::with_capacity(name.len().saturating_add(4));
    for character in name.chars() {
        if character.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(character.to_ascii_lowercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn whole(body: &str) -> Result<Option<i64>, Invalid> {
        Object::of_body(body.as_bytes()).unwrap().whole("topK", &At::Body)
    }

    #[test]
    fn a_field_is_found_by_both_of_its_names_but_not_twice() {
        for body in [r#"{"topK":40}"#, r#"{"top_k":40}"#, r#"{"top_k":"40"}"#, r#"{"topK":40.0,"top_k":null}"#] {
            assert_eq!(whole(body), Ok(Some(40)), "{body}");
        }
        assert_eq!(whole("{}"), Ok(None));
        assert_eq!(whole(r#"{"topK":1,"top_k":1}"#), Err(Invalid::new("topK", "given twice")));
        assert_eq!(whole(r#"{"topK":1.5}"#), Err(Invalid::new("topK", "must be a whole number")));
    }
}
