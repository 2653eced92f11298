//! Prices of a configuration.

use super::decimal::{Decimal, ONE};
use super::fees::{FEES, Fees};
use super::rates::{COLUMNS, Rates};
use super::{FACTOR_STEPS, Level, Price, Step, Tiers};
use tollgate_config::{Fault, Object, Read, Value};

/// Which object it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Price,
    LongContext,
    Tiers,
    Tier,
    Fees,
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

    #[inline(never)]
    fn names(self) -> Vec<&'static str> {
        let rates = COLUMNS.iter().map(|column| column.name).filter(|_| self.has_rates());
        rates.chain(self.others().iter().copied()).collect()
    }
}

const EXPECTED: &str = "an object with prices";

impl Read for Price {
    #[inline(never)]
    fn read(value: &Value<'_>) -> Result<Self, Fault> {
        let names = Place::Price.names();
        let object = value.object(EXPECTED, &names)?;
        Ok(Self {
            standard: level(&object)?,
            tiers: object.get_or("service_tiers", Tiers::default())?,
            fees: object.get_or("fees", Fees::default())?,
            fast: factor(&object, "fast")?,
            one_country: factor(&object, "one_country")?,
            complete: false,
        })
    }
}

impl Read for Tiers {
    fn read(value: &Value<'_>) -> Result<Self, Fault> {
        let object = value.object(EXPECTED, Place::Tiers.others())?;
        let [flex, priority, batch] = TIERS.map(|name| object.field(name).map(|tier| Level::read(&tier)).transpose());
        Ok(Self { flex: flex?, priority: priority?, batch: batch? })
    }
}

impl Read for Level {
    #[inline(never)]
    fn read(value: &Value<'_>) -> Result<Self, Fault> {
        level(&value.object(EXPECTED, &Place::Tier.names())?)
    }
}

impl Read for Fees {
    fn read(value: &Value<'_>) -> Result<Self, Fault> {
        let object = value.object(EXPECTED, Place::Fees.others())?;
        let mut fees = Self::default();
        for (fee, name) in fees.0.iter_mut().zip(FEES) {
            *fee = decimal(&object, name)?;
        }
        Ok(fees)
    }
}

impl Read for Step {
    fn read(value: &Value<'_>) -> Result<Self, Fault> {
        let names = Place::LongContext.names();
        let object = value.object(EXPECTED, &names)?;
        Ok(Self { rates: rates(&object)?, above: object.get("above")? })
    }
}

#[inline(never)]
fn level(object: &Object<'_>) -> Result<Level, Fault> {
    let rates = rates(object)?;
    let Some(list) = object.field("long_context") else { return Ok(Level { rates, long_context: Vec::new() }) };
    let long_context = Vec::<Step>::read(&list)?;
    if !long_context.is_sorted_by(|one, next| one.above < next.above) {
        return Err(list.fault(&"must be in ascending order of `above`"));
    }
    Ok(Level { rates, long_context })
}

#[inline(never)]
fn rates(object: &Object<'_>) -> Result<Rates, Fault> {
    let mut rates = Rates::default();
    for (rate, column) in rates.0.iter_mut().zip(&COLUMNS) {
        *rate = decimal(object, column.name)?;
    }
    rates.missing().map_or(Ok(rates), |name| Err(object.lacks(name)))
}

#[inline(never)]
fn decimal(object: &Object<'_>, name: &'static str) -> Result<Option<Decimal>, Fault> {
    object.field(name).map(|value| Decimal::read(&value)).transpose()
}

#[inline(never)]
fn factor(object: &Object<'_>, name: &'static str) -> Result<Option<Decimal>, Fault> {
    let (finest, most) = (ONE / FACTOR_STEPS, ONE.saturating_mul(1000));
    match decimal(object, name)? {
        Some(factor) if !factor.0.is_multiple_of(finest) || factor.0 > most => {
            Err(object.fault(&"must be at most 1000, with up to 4 decimals"))
        }
        factor => Ok(factor),
    }
}
