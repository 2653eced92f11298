//! Lists that stay small, however large the text they stand in.

use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Visitor};
use std::fmt;
use std::marker::PhantomData;

/// No answer has more choices, blocks or calls.
const MAX: usize = 4096;

/// A list of at most 4096. Three bytes of JSON, `{},`, can become a hundred in memory, so a bound on the text alone does
/// not bound what is made of it.
#[derive(Debug)]
pub(crate) struct Few<T>(pub(crate) Vec<T>);

impl<T> Default for Few<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Few<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(FewVisitor(PhantomData))
    }
}

struct FewVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for FewVisitor<T> {
    type Value = Few<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a list of at most {MAX}")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Few<T>, A::Error> {
        let mut few = Vec::new();
        while let Some(item) = items.next_element()? {
            if few.len() == MAX {
                return Err(A::Error::invalid_length(MAX.saturating_add(1), &self));
            }
            few.push(item);
        }
        Ok(Few(few))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn what_has_more_is_refused_and_not_kept() {
        let list = |count: usize| format!("[{}]", vec!["{}"; count].join(","));
        let read = |text: &str| serde_json::from_str::<Few<serde_json::Value>>(text).map(|few| few.0.len());
        assert_eq!(read(&list(MAX)).unwrap(), MAX);
        assert!(read(&list(MAX + 1)).is_err());
    }
}
