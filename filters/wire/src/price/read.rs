//! Prices of a configuration, read by one visitor that knows what stands at which place.

use super::decimal::{Decimal, ONE};
use super::fees::FEES;
use super::rates::COLUMNS;
use super::{FACTOR_STEPS, Level, Price, Step};
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// Which object it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Price,
    LongContext,
    Tiers,
    Tier,
    Fees,
}

/// What one field of it is.
#[derive(Debug, Clone, Copy)]
enum Field {
    Rate(usize),
    Above,
    LongContext,
    Tiers,
    Tier(usize),
    Fees,
    Fee(usize),
    Fast,
    OneCountry,
}

pub(super) const TIERS: [&str; 3] = ["flex", "priority", "batch"];

impl Place {
    /// Whether it has prices of tokens.
    pub(super) const fn has_rates(self) -> bool {
        matches!(self, Self::Price | Self::LongContext | Self::Tier)
    }

    /// Its fields that are no prices of tokens.
    pub(super) const fn others(self) -> &'static [&'static str] {
        match self {
            Self::Price => &["long_context", "service_tiers", "fees", "fast", "one_country"],
            Self::LongContext => &["above"],
            Self::Tier => &["long_context"],
            Self::Tiers => &TIERS,
            Self::Fees => &FEES,
        }
    }

    fn field(self, name: &str) -> Option<(&'static str, Field)> {
        let rates = COLUMNS.iter().enumerate().filter(|_| self.has_rates());
        if let Some((index, column)) = rates.into_iter().find(|(_, column)| column.name == name) {
            return Some((column.name, Field::Rate(index)));
        }
        let (other, known) = self.others().iter().enumerate().find(|(_, other)| **other == name)?;
        let field = match (self, name) {
            (Self::Tiers, _) => Field::Tier(other),
            (Self::Fees, _) => Field::Fee(other),
            (_, "above") => Field::Above,
            (_, "long_context") => Field::LongContext,
            (_, "service_tiers") => Field::Tiers,
            (_, "fees") => Field::Fees,
            (_, "fast") => Field::Fast,
            _ => Field::OneCountry,
        };
        Some((known, field))
    }

    #[cold]
    fn unknown(self, name: &str) -> String {
        let rates = COLUMNS.iter().map(|column| column.name).filter(|_| self.has_rates());
        let names: Vec<String> = rates.chain(self.others().iter().copied()).map(|name| format!("`{name}`")).collect();
        format!("unknown field `{name}`, expected one of {}", names.join(", "))
    }
}

impl<'de> Deserialize<'de> for Price {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Place::Price.deserialize(deserializer).map(|read| read.price)
    }
}

/// The name of a field. Read as one, so that a wrong one is told with its path.
struct Name(Place);

impl<'de> DeserializeSeed<'de> for Name {
    type Value = (&'static str, Field);

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for Name {
    type Value = (&'static str, Field);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a field")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Self::Value, E> {
        self.0.field(name).ok_or_else(|| E::custom(self.0.unknown(name)))
    }
}

/// What was read of any place: the price has what stands there.
#[derive(Debug, Default)]
pub(super) struct Read {
    price: Price,
    above: Option<u64>,
}

impl<'de> DeserializeSeed<'de> for Place {
    type Value = Read;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Read, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Place {
    type Value = Read;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with prices")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Read, M::Error> {
        let mut read = Read::default();
        let mut seen: Vec<&str> = Vec::new();
        while let Some((name, field)) = map.next_key_seed(Name(self))? {
            if seen.contains(&name) {
                return Err(M::Error::custom(format_args!("duplicate field `{name}`")));
            }
            seen.push(name);
            read.field(field, &mut map)?;
        }
        match read.price.standard.rates.missing() {
            Some(name) if self.has_rates() => Err(M::Error::custom(format_args!("missing field `{name}`"))),
            _ if self == Self::LongContext && read.above.is_none() => Err(M::Error::custom("missing field `above`")),
            _ => Ok(read),
        }
    }
}

impl Read {
    fn field<'de, M: MapAccess<'de>>(&mut self, field: Field, map: &mut M) -> Result<(), M::Error> {
        let price = &mut self.price;
        match field {
            Field::Rate(column) => set(&mut price.standard.rates.0, column, map.next_value()?),
            Field::Fee(fee) => set(&mut price.fees.0, fee, map.next_value()?),
            Field::Fast => price.fast = Some(factor(map.next_value()?)?),
            Field::OneCountry => price.one_country = Some(factor(map.next_value()?)?),
            Field::Above => self.above = Some(map.next_value()?),
            Field::LongContext => price.standard.long_context = map.next_value_seed(Steps)?,
            Field::Tiers => price.tiers = map.next_value_seed(Place::Tiers)?.price.tiers,
            Field::Fees => price.fees = map.next_value_seed(Place::Fees)?.price.fees,
            Field::Tier(tier) => {
                let level = Some(map.next_value_seed(Place::Tier)?.price.standard);
                let tiers = [&mut price.tiers.flex, &mut price.tiers.priority, &mut price.tiers.batch];
                tiers.into_iter().nth(tier).into_iter().for_each(|place| place.clone_from(&level));
            }
        }
        Ok(())
    }
}

fn set(places: &mut [Option<Decimal>], index: usize, value: Decimal) {
    if let Some(place) = places.get_mut(index) {
        *place = Some(value);
    }
}

fn factor<E: Error>(factor: Decimal) -> Result<Decimal, E> {
    let (finest, most) = (ONE / FACTOR_STEPS, ONE.saturating_mul(1000));
    if factor.0.is_multiple_of(finest) && factor.0 <= most {
        Ok(factor)
    } else {
        Err(E::custom("must be at most 1000, with up to 4 decimals"))
    }
}

/// The list `long_context`.
struct Steps;

impl<'de> DeserializeSeed<'de> for Steps {
    type Value = Vec<Step>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<Step>, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Steps {
    type Value = Vec<Step>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of prices, each with `above`")
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut list: S) -> Result<Vec<Step>, S::Error> {
        let mut steps: Vec<Step> = Vec::new();
        while let Some(read) = list.next_element_seed(Place::LongContext)? {
            let Level { rates, .. } = read.price.standard;
            let above = read.above.unwrap_or_default();
            if steps.last().is_some_and(|last| last.above >= above) {
                return Err(S::Error::custom("must be in ascending order of `above`"));
            }
            steps.push(Step { above, rates });
        }
        Ok(steps)
    }
}
