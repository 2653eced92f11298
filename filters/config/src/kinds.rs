//! Values of one kind, and lists of them.

use crate::{Fault, Read, Value};
use std::rc::Rc;

impl Read for String {
    fn read(value: &Value<'_>) -> Result<Self, Fault> {
        value.text("a string")
    }
}

impl Read for bool {
    #[inline(never)]
    fn read(value: &Value<'_>) -> Result<Self, Fault> {
        match value.json() {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err(value.is_not("a boolean")),
        }
    }
}

impl Read for f64 {
    fn read(value: &Value<'_>) -> Result<Self, Fault> {
        value.number("f64")
    }
}

impl Read for u64 {
    fn read(value: &Value<'_>) -> Result<Self, Fault> {
        whole(value, Self::MAX, "u64")
    }
}

impl Read for u32 {
    fn read(value: &Value<'_>) -> Result<Self, Fault> {
        // INVARIANT: it is no more than the greatest.
        whole(value, Self::MAX.into(), "u32").map(|whole| Self::try_from(whole).unwrap_or(Self::MAX))
    }
}

impl Read for usize {
    fn read(value: &Value<'_>) -> Result<Self, Fault> {
        let most = u64::try_from(Self::MAX).unwrap_or(u64::MAX);
        whole(value, most, "usize").map(|whole| Self::try_from(whole).unwrap_or(Self::MAX))
    }
}

/// A number that is whole, not negative and at most `most`.
#[inline(never)]
fn whole(value: &Value<'_>, most: u64, kind: &str) -> Result<u64, Fault> {
    let json = value.json();
    match json.parse() {
        Ok(whole) if whole <= most => Ok(whole),
        _ if json.strip_prefix('-').unwrap_or(json).bytes().all(|byte| byte.is_ascii_digit()) => {
            Err(value.fault(&format_args!("invalid value: integer `{json}`, expected {kind}")))
        }
        _ => Err(value.is_not(kind)),
    }
}

/// `null` is the same as absent.
impl<T: Read> Read for Option<T> {
    fn read(value: &Value<'_>) -> Result<Self, Fault> {
        if value.json() == "null" { Ok(None) } else { T::read(value).map(Some) }
    }

    fn absent() -> Option<Self> {
        Some(None)
    }
}

impl<T: Read> Read for Rc<T> {
    fn read(value: &Value<'_>) -> Result<Self, Fault> {
        T::read(value).map(Self::new)
    }
}

impl<T: Read> Read for Vec<T> {
    #[inline(never)]
    fn read(value: &Value<'_>) -> Result<Self, Fault> {
        let items = value.items()?;
        let mut list = Self::with_capacity(items.len());
        for (index, json) in items.into_iter().enumerate() {
            list.push(T::read(&value.item(index, json))?);
        }
        Ok(list)
    }
}
