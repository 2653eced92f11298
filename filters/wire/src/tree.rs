//! JSON of configurations, read with the path to every fault.
//!
//! A value is taken apart only when a type asks for it, and is text until then; so the code that `derive` makes of every
//! type is made over this one reader, and is a third of what it is over one that wraps another (`serde_path_to_error`).

use serde::Deserialize;
use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeSeed, Deserializer, Error, Expected, IntoDeserializer, MapAccess, SeqAccess, Unexpected, Visitor,
};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// Reads `json` as a `T`.
///
/// # Errors
/// When it is something else: where, what was found and what was expected.
pub fn read<T: for<'de> Deserialize<'de>>(json: &str) -> Result<T, Fault> {
    T::deserialize(Node { value: parse(json)?, at: &At::Top })
}

/// What is wrong, and where. Everything that is read may be at fault, so it is one pointer.
#[derive(Debug)]
pub struct Fault(Box<Told>);

#[derive(Debug)]
struct Told {
    /// `None` until it is known.
    path: Option<String>,
    reason: String,
}

impl Fault {
    /// Where nobody below has said so.
    #[cold]
    #[inline(never)]
    fn at(mut self, at: &At<'_>) -> Self {
        self.0.path.get_or_insert_with(|| at.to_string());
        self
    }

    /// The reason, without a text that stands in the wrong place, which may be a key.
    fn reason(&self) -> Cow<'_, str> {
        match self.0.reason.split_once(" string \"").zip(self.0.reason.rsplit_once("\", expected ")) {
            Some(((fault, _), (_, expected))) => format!("{fault} string, expected {expected}").into(),
            None => self.0.reason.as_str().into(),
        }
    }
}

impl Error for Fault {
    #[cold]
    #[inline(never)]
    fn custom<T: fmt::Display>(reason: T) -> Self {
        Self(Box::new(Told { path: None, reason: reason.to_string() }))
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.path.as_deref() {
            None | Some("") => f.write_str(&self.reason()),
            Some(path) => write!(f, "{path}: {}", self.reason()),
        }
    }
}

impl std::error::Error for Fault {}

/// Where a value stands.
enum At<'a> {
    Top,
    Field(&'a Self, &'a str),
    Item(&'a Self, usize),
}

impl fmt::Display for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Top => Ok(()),
            Self::Field(Self::Top, name) => f.write_str(name),
            Self::Field(parent, name) => write!(f, "{parent}.{name}"),
            Self::Item(parent, index) => write!(f, "{parent}[{index}]"),
        }
    }
}

/// One value.
#[derive(Clone, Copy)]
struct Node<'de, 'a> {
    value: &'de RawValue,
    at: &'a At<'a>,
}

/// The fields of an object.
struct Object<'de>(Vec<(Key<'de>, &'de RawValue)>);

#[derive(Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

/// JSON that a type of `serde_json`'s own, or of ours above, can hold. Line and column are left out: they count in Envoy's
/// own JSON, which nobody wrote.
fn parse<'de, T: Deserialize<'de>>(json: &'de str) -> Result<T, Fault> {
    serde_json::from_str(json).map_err(|error| {
        let reason = error.to_string();
        Fault::custom(reason.rsplit_once(" at line ").map_or(reason.as_str(), |(reason, _)| reason))
    })
}

impl<'de> Node<'de, '_> {
    fn begins_with(self, byte: u8) -> bool {
        self.value.get().as_bytes().first() == Some(&byte)
    }

    #[inline(never)]
    fn text(self, expected: &dyn Expected) -> Result<String, Fault> {
        if self.begins_with(b'"') { parse(self.value.get()) } else { Err(self.is_not(expected)) }
    }

    /// It is something else.
    #[cold]
    #[inline(never)]
    fn is_not(self, expected: &dyn Expected) -> Fault {
        let text = self.value.get();
        let found = match text.as_bytes().first() {
            Some(b'{') => Unexpected::Map,
            Some(b'[') => Unexpected::Seq,
            Some(b'"') => Unexpected::Other("string"),
            Some(b't' | b'f') => Unexpected::Bool(text == "true"),
            Some(b'n') => Unexpected::Other("null"),
            _ => match (parse(text), parse(text)) {
                (Ok(whole), _) => Unexpected::Unsigned(whole),
                (_, Ok(whole)) => Unexpected::Signed(whole),
                _ => Unexpected::Float(parse(text).unwrap_or_default()),
            },
        };
        Fault::invalid_type(found, expected).at(self.at)
    }
}

/// By kind rather than by what stands there: each type is then read as the one kind that it can be.
impl<'de> Deserializer<'de> for Node<'de, '_> {
    type Error = Fault;

    /// Of our types a few are more than one kind: prices a number or a text, paths of claims a text or a list.
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.value.get().as_bytes().first() {
            Some(b'"') => self.deserialize_string(visitor),
            Some(b'[') => self.deserialize_seq(visitor),
            _ => self.deserialize_f64(visitor),
        }
    }

    #[inline(never)]
    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let text = self.value.get();
        match (parse(text), parse(text), parse(text)) {
            (Ok(whole), ..) => visitor.visit_u64(whole),
            (_, Ok(whole), _) => visitor.visit_i64(whole),
            (.., Ok(number)) => visitor.visit_f64(number),
            _ => Err(self.is_not(&visitor)),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let text = self.text(&visitor)?;
        visitor.visit_string(text)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match parse(self.value.get()) {
            Ok(flag) => visitor.visit_bool(flag),
            Err(_) => Err(self.is_not(&visitor)),
        }
    }

    #[inline(never)]
    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        if !self.begins_with(b'{') {
            return Err(self.is_not(&visitor));
        }
        let Object(fields) = parse(self.value.get())?;
        visitor.visit_map(Fields { left: fields.into_iter(), at: self.at, next: None })
    }

    #[inline(never)]
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        if !self.begins_with(b'[') {
            return Err(self.is_not(&visitor));
        }
        let items: Vec<&RawValue> = parse(self.value.get())?;
        visitor.visit_seq(Items { left: items.into_iter().enumerate(), at: self.at })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.deserialize_map(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        if self.value.get() == "null" { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let name = self.text(&visitor)?;
        visitor.visit_enum(name.into_deserializer())
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_string(visitor)
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_f64(visitor)
    }

    serde::forward_to_deserialize_any! {
        i8 i16 i32 i64 u8 u16 u32 f32 char bytes byte_buf unit unit_struct tuple tuple_struct identifier ignored_any
    }
}

struct Fields<'de, 'a> {
    left: std::vec::IntoIter<(Key<'de>, &'de RawValue)>,
    at: &'a At<'a>,
    /// Its name was read.
    next: Option<(Key<'de>, &'de RawValue)>,
}

impl<'de> MapAccess<'de> for Fields<'de, '_> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Fault> {
        self.next = self.left.next();
        let Some((Key(name), _)) = &self.next else { return Ok(None) };
        let key: StrDeserializer<'_, Fault> = name.as_ref().into_deserializer();
        seed.deserialize(key).map(Some).map_err(|fault| fault.at(&At::Field(self.at, name)))
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Fault> {
        let Some((Key(name), value)) = &self.next else { return Err(Fault::custom("a value without a name")) };
        let at = &At::Field(self.at, name);
        seed.deserialize(Node { value, at }).map_err(|fault| fault.at(at))
    }
}

struct Items<'de, 'a> {
    left: std::iter::Enumerate<std::vec::IntoIter<&'de RawValue>>,
    at: &'a At<'a>,
}

impl<'de> SeqAccess<'de> for Items<'de, '_> {
    type Error = Fault;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Fault> {
        let Some((index, value)) = self.left.next() else { return Ok(None) };
        let at = &At::Item(self.at, index);
        seed.deserialize(Node { value, at }).map(Some).map_err(|fault| fault.at(at))
    }
}

impl<'de> Deserialize<'de> for Object<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Object<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Object(fields))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}
