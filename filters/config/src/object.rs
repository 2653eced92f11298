//! Objects with fields of known names.

use crate::{Fault, Read, Value};
use std::fmt;

/// An object of which no field is unknown, and none stands there twice.
#[derive(Debug)]
pub struct Object<'a> {
    value: &'a Value<'a>,
    known: &'a [&'static str],
    /// What was given, by its name.
    given: Vec<(&'static str, &'a str)>,
}

impl<'a> Object<'a> {
    pub(crate) const fn new(value: &'a Value<'a>, known: &'a [&'static str]) -> Self {
        Self { value, known, given: Vec::new() }
    }

    pub(crate) fn put(&mut self, name: &str, json: &'a str) -> Result<(), Fault> {
        let Some(known) = self.known.iter().find(|known| **known == name) else {
            let field = self.value.field(name, json);
            return Err(field.unknown("field", name, &mut self.known.iter().copied()));
        };
        if self.field(known).is_some() {
            return Err(self.value.fault(&format_args!("duplicate field `{known}`")));
        }
        self.given.push((known, json));
        Ok(())
    }

    /// What stands in the field `name`.
    #[must_use]
    #[inline(never)]
    pub fn field(&self, name: &'static str) -> Option<Value<'_>> {
        let (name, json) = self.given.iter().find(|(given, _)| *given == name)?;
        Some(self.value.field(name, json))
    }

    /// The field `name`.
    ///
    /// # Errors
    /// When it is at fault, or not there and must be.
    pub fn get<T: Read>(&self, name: &'static str) -> Result<T, Fault> {
        match self.field(name) {
            Some(value) => T::read(&value),
            None => T::absent().ok_or_else(|| self.lacks(name)),
        }
    }

    /// The field `name`, or `default` where it is not there.
    ///
    /// # Errors
    /// When it is at fault.
    pub fn get_or<T: Read>(&self, name: &'static str, default: T) -> Result<T, Fault> {
        match self.field(name) {
            Some(value) => T::read(&value),
            None => Ok(default),
        }
    }

    /// The fault of the object as a whole.
    pub fn fault(&self, reason: &dyn fmt::Display) -> Fault {
        self.value.fault(reason)
    }

    /// The fault of a field that must be there.
    #[cold]
    #[inline(never)]
    pub fn lacks(&self, name: &str) -> Fault {
        self.value.fault(&format_args!("missing field `{name}`"))
    }
}

/// Implements [`Read`] for a struct, by the list of its fields.
///
/// `field` must be there unless its type says what it is otherwise, as `Option` does; `field = value` is `value` where
/// it is not; `field as "name"` has another name. What follows a `;` is not read. With `default` before the struct's
/// name every field that is not there is that of `Self::default()`.
#[macro_export]
macro_rules! object {
    (default $type:ident { $($field:ident),* $(,)? }) => {
        impl $crate::Read for $type {
            #[inline(never)]
            fn read(value: &$crate::Value<'_>) -> ::std::result::Result<Self, $crate::Fault> {
                let object = value.object(concat!("struct ", stringify!($type)), &[$(stringify!($field)),*])?;
                let default = Self::default();
                Ok(Self { $($field: object.get_or(stringify!($field), default.$field)?),* })
            }
        }
    };
    ($type:ident {
        $($field:ident $(as $name:literal)? $(= $default:expr)?),* $(,)? $(; $($other:ident: $value:expr),*)?
    }) => {
        impl $crate::Read for $type {
            #[inline(never)]
            fn read(value: &$crate::Value<'_>) -> ::std::result::Result<Self, $crate::Fault> {
                let known = &[$($crate::object!(@name $field $($name)?)),*];
                let object = value.object(concat!("struct ", stringify!($type)), known)?;
                Ok(Self {
                    $($field: $crate::object!(@get object, $crate::object!(@name $field $($name)?) $(, $default)?)?,)*
                    $($($other: $value),*)?
                })
            }
        }
    };
    (@name $field:ident) => { stringify!($field) };
    (@name $field:ident $name:literal) => { $name };
    (@get $object:ident, $name:expr) => { $object.get($name) };
    (@get $object:ident, $name:expr, $default:expr) => { $object.get_or($name, $default) };
}
