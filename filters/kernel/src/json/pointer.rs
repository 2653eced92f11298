//! Where in a value something stands (RFC 6901).

use super::{Kind, Value};
use schemars::JsonSchema;
use std::fmt;
use tollgate_config::{self as config, Read};

/// A JSON pointer: `/table`, `/where/0/id`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, JsonSchema)]
#[schemars(try_from = "String")]
#[schemars(extend("pattern" = "^(/([^~]|~[01])*)*$"))]
pub struct Pointer(Vec<String>);

/// A text that is no [`Pointer`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotAPointer;

/// What stands where a pointer points.
#[derive(Debug, Clone, Copy)]
pub enum Place<'d, 'a> {
    /// This.
    Value(Value<'d, 'a>),
    /// Nothing, or `null`, for every reader.
    Absent,
    /// Something else than the pointer expects is on the way, or readers differ: a key resembles the one it names.
    Unclear,
}

impl Pointer {
    /// The pointer of these keys.
    #[must_use]
    pub const fn of(keys: Vec<String>) -> Self {
        Self(keys)
    }
}

impl TryFrom<String> for Pointer {
    type Error = NotAPointer;

    fn try_from(text: String) -> Result<Self, NotAPointer> {
        let mut keys = text.split('/');
        if keys.next() != Some("") {
            return Err(NotAPointer);
        }
        let key = |key: &str| {
            let escapes = key.split('~').skip(1);
            let all = escapes.into_iter().all(|after| after.starts_with(['0', '1']));
            all.then(|| key.replace("~1", "/").replace("~0", "~")).ok_or(NotAPointer)
        };
        keys.map(key).collect::<Result<_, _>>().map(Self)
    }
}

impl Read for Pointer {
    fn read(value: &config::Value<'_>) -> Result<Self, config::Fault> {
        value.converted::<String, _>()
    }
}

impl<'d, 'a> Value<'d, 'a> {
    /// What stands at `pointer` in it.
    #[must_use]
    pub fn at(self, pointer: &Pointer) -> Place<'d, 'a> {
        let mut value = self;
        for key in &pointer.0 {
            let next = match value.kind() {
                Kind::Object if value.members().any(|member| member.resembles(key)) => return Place::Unclear,
                Kind::Object => value.get(key),
                Kind::Array => match index(key) {
                    Some(index) => value.items().nth(index),
                    None => return Place::Unclear,
                },
                _ => return Place::Unclear,
            };
            match next {
                Some(next) if next.kind() != Kind::Null => value = next,
                _ => return Place::Absent,
            }
        }
        Place::Value(value)
    }
}

fn index(key: &str) -> Option<usize> {
    let digits = key.bytes().all(|byte| byte.is_ascii_digit());
    let plain = digits && (key == "0" || !key.starts_with('0'));
    key.parse().ok().filter(|_| plain)
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|key| write!(f, "/{}", key.replace('~', "~0").replace('/', "~1")))
    }
}

impl fmt::Display for NotAPointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected a JSON pointer, for example `/table`")
    }
}

impl std::error::Error for NotAPointer {}
