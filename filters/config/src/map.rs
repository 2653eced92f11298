//! What has a name in a configuration.

use crate::{Fault, Read, Value};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use std::borrow::{Borrow, Cow};
use std::collections::BTreeMap;

/// A map that is read once and then only looked up: pairs, ascending. A `BTreeMap`'s code is three times as much, for
/// each type that it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Map<K, V>(Vec<(K, V)>);

impl<K, V> Default for Map<K, V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<K: Ord, V> Map<K, V> {
    /// What `key` stands for.
    #[must_use]
    pub fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.get_key_value(key).map(|(_, value)| value)
    }

    /// The key that is `key`, and what it stands for.
    #[must_use]
    pub fn get_key_value<Q: Ord + ?Sized>(&self, key: &Q) -> Option<(&K, &V)>
    where
        K: Borrow<Q>,
    {
        self.0.get(self.find(key).ok()?).map(|(key, value)| (key, value))
    }

    /// Whether there is a `key`.
    #[must_use]
    pub fn contains_key<Q: Ord + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.find(key).is_ok()
    }

    fn find<Q: Ord + ?Sized>(&self, key: &Q) -> Result<usize, usize>
    where
        K: Borrow<Q>,
    {
        self.0.binary_search_by(|(other, _)| other.borrow().cmp(key))
    }

    /// Of a key that is there twice the last one counts.
    fn insert(&mut self, key: K, value: V) {
        let at = self.find(&key).unwrap_or_else(|at| at);
        if self.0.get(at).is_some_and(|(other, _)| *other == key) {
            drop(self.0.remove(at));
        }
        self.0.insert(at, (key, value));
    }

    /// The same keys with what is made of their values.
    ///
    /// # Errors
    /// The first error of one of them.
    pub fn try_map<W, E>(self, mut make: impl FnMut(&K, V) -> Result<W, E>) -> Result<Map<K, W>, E> {
        let mut made = Vec::with_capacity(self.0.len());
        for (key, value) in self.0 {
            let value = make(&key, value)?;
            made.push((key, value));
        }
        Ok(Map(made))
    }
}

impl<K, V> Map<K, V> {
    /// All of it, in the order of keys.
    pub fn iter(&self) -> Iter<'_, K, V> {
        self.0.iter().map(|(key, value)| (key, value))
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All keys, in their order.
    pub fn keys(&self) -> impl Iterator<Item = &K> {
        self.0.iter().map(|(key, _)| key)
    }
}

/// Keys and what they stand for.
pub type Iter<'a, K, V> = std::iter::Map<std::slice::Iter<'a, (K, V)>, fn(&'a (K, V)) -> (&'a K, &'a V)>;

impl<'a, K, V> IntoIterator for &'a Map<K, V> {
    type Item = (&'a K, &'a V);
    type IntoIter = Iter<'a, K, V>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<K, V> IntoIterator for Map<K, V> {
    type Item = (K, V);
    type IntoIter = std::vec::IntoIter<(K, V)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<K: Read + Ord, V: Read> Read for Map<K, V> {
    #[inline(never)]
    fn read(value: &Value<'_>) -> Result<Self, Fault> {
        let mut map = Self::default();
        for (key, json) in value.entries("a map")? {
            let name = value.name(key)?;
            let key = K::read(&value.field(&name, key.get()))?;
            map.insert(key, V::read(&value.field(&name, json.get()))?);
        }
        Ok(map)
    }
}

impl<K: JsonSchema, V: JsonSchema> JsonSchema for Map<K, V> {
    fn inline_schema() -> bool {
        BTreeMap::<K, V>::inline_schema()
    }

    fn schema_name() -> Cow<'static, str> {
        BTreeMap::<K, V>::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        BTreeMap::<K, V>::json_schema(generator)
    }
}
