//! What keywords may say.

use super::{Types, Unsupported, Why};
use crate::json::{Decimal, Kind, Value};

const NAMES: [(&str, Types); 7] = [
    ("null", Types(1)),
    ("boolean", Types(2)),
    ("integer", Types(4)),
    // Whole numbers among them.
    ("number", Types(8 | 4)),
    ("string", Types(16)),
    ("array", Types(32)),
    ("object", Types(64)),
];

impl Types {
    pub(super) fn of(value: Value<'_, '_>) -> Self {
        Self(match value.kind() {
            Kind::Null => 1,
            Kind::Bool => 2,
            Kind::Number if Decimal::of(value.raw()).is_some_and(|number| number.is_whole()) => 4,
            Kind::Number => 8,
            Kind::String => 16,
            Kind::Array => 32,
            Kind::Object => 64,
        })
    }

    pub(super) const fn has(self, one: Self) -> bool {
        self.0 & one.0 != 0
    }

    /// The names of those that it is.
    pub(super) fn names(self) -> impl Iterator<Item = &'static str> {
        let number = self.0 & 8 != 0;
        let known = NAMES.iter().filter(move |(name, _)| !(number && *name == "integer"));
        known.filter(move |(_, types)| types.0 & self.0 == types.0).map(|(name, _)| *name)
    }
}

pub(super) fn types(value: Value<'_, '_>) -> Result<Types, Unsupported> {
    let malformed = || Why::Malformed("type").at(value);
    let one = |value: Value<'_, '_>| {
        let name = value.as_str()?;
        NAMES.iter().find(|(own, _)| *own == name).map(|(_, types)| *types)
    };
    if value.kind() == Kind::Array {
        let all = value.items().map(one).try_fold(0, |all, types| types.map(|types| all | types.0));
        return all.filter(|all| *all != 0).map(Types).ok_or_else(malformed);
    }
    one(value).ok_or_else(malformed)
}

pub(super) fn number<'a>(value: Value<'_, 'a>, keyword: &'static str) -> Result<&'a str, Unsupported> {
    value.as_number().ok_or_else(|| Why::Malformed(keyword).at(value))
}

pub(super) fn count(value: Value<'_, '_>, keyword: &'static str) -> Result<usize, Unsupported> {
    let number = Decimal::of(number(value, keyword)?).filter(Decimal::is_whole);
    number.and_then(|number| number.to_usize()).ok_or_else(|| Why::Malformed(keyword).at(value))
}

pub(super) fn names(value: Value<'_, '_>, keyword: &'static str) -> Result<Vec<String>, Unsupported> {
    let malformed = || Why::Malformed(keyword).at(value);
    if value.kind() != Kind::Array {
        return Err(malformed());
    }
    value.items().map(|name| name.as_str().map(Into::into).ok_or_else(malformed)).collect()
}
