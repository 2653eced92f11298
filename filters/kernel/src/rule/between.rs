//! When a rule holds, and for how long a yes does.

use super::NotARule;
use crate::limit::UtcOffset;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use std::borrow::Cow;
use tollgate_config::{Fault, Read, Value, object};

/// From when until before when on every day; over midnight if the second is earlier.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct BetweenConfig {
    /// From then on: `08:00`.
    pub from: TimeOfDay,
    /// Until before: `18:00`.
    pub to: TimeOfDay,
    /// Whose clock: `+01:00`. Default: UTC.
    #[schemars(default)]
    pub utc_offset: UtcOffset,
}

object!(BetweenConfig { from, to, utc_offset = UtcOffset::default() });

/// A part of every day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Between {
    from: TimeOfDay,
    to: TimeOfDay,
    offset: UtcOffset,
}

/// A time of day in minutes: `00:00` to `24:00`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, JsonSchema)]
#[schemars(try_from = "String")]
#[schemars(extend("pattern" = "^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$"))]
pub struct TimeOfDay(u16);

/// How long: `30s`, `10m`, `24h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema)]
#[schemars(try_from = "String")]
#[schemars(extend("pattern" = "^[1-9][0-9]{0,5}[smh]$"))]
pub struct Within {
    /// So many seconds.
    pub seconds: u64,
}

/// A yes that is good for longer is a rule.
const MAX_WITHIN_S: u64 = 7 * 86_400;

impl Read for Between {
    fn read(value: &Value<'_>) -> Result<Self, Fault> {
        value.converted::<BetweenConfig, _>()
    }
}

impl Read for TimeOfDay {
    fn read(value: &Value<'_>) -> Result<Self, Fault> {
        value.converted::<String, _>()
    }
}

impl Read for Within {
    fn read(value: &Value<'_>) -> Result<Self, Fault> {
        value.converted::<String, _>()
    }
}

impl JsonSchema for Between {
    fn schema_name() -> Cow<'static, str> {
        "Between".into()
    }

    /// As it is written.
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        BetweenConfig::json_schema(generator)
    }
}

impl TryFrom<BetweenConfig> for Between {
    type Error = NotARule;

    fn try_from(config: BetweenConfig) -> Result<Self, NotARule> {
        let BetweenConfig { from, to, utc_offset: offset } = config;
        if from == to { Err(NotARule::Between) } else { Ok(Self { from, to, offset }) }
    }
}

impl Between {
    /// Whether `now_ms`, milliseconds since 1970, lies in it.
    #[must_use]
    pub fn contains(self, now_ms: u64) -> bool {
        let seconds = i64::try_from(now_ms.wrapping_div(1000)).unwrap_or(i64::MAX);
        let of_day = seconds.saturating_add(self.offset.seconds()).rem_euclid(86_400);
        let now = TimeOfDay(u16::try_from(of_day.wrapping_div(60)).unwrap_or_default());
        if self.from < self.to { self.from <= now && now < self.to } else { self.from <= now || now < self.to }
    }
}

impl TryFrom<String> for TimeOfDay {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let read = || {
            let (hours, minutes) = text.split_once(':')?;
            let (hours, minutes) = (two_digits(hours)?, two_digits(minutes)?);
            let total = hours.checked_mul(60)?.checked_add(minutes)?;
            (minutes < 60 && total <= 24 * 60).then_some(Self(total))
        };
        read().ok_or_else(|| format!("found `{}`, expected a time of day such as `08:00`", text.escape_debug()))
    }
}

fn two_digits(text: &str) -> Option<u16> {
    let digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits)
}

impl TryFrom<String> for Within {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let read = || {
            let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
            let of_unit = match unit {
                "s" => 1,
                "m" => 60,
                "h" => 3600,
                _ => return None,
            };
            let digits = number.bytes().all(|byte| byte.is_ascii_digit());
            let seconds = number.parse::<u64>().ok().filter(|_| digits)?.checked_mul(of_unit)?;
            (1..=MAX_WITHIN_S).contains(&seconds).then_some(Self { seconds })
        };
        read().ok_or_else(|| {
            format!("found `{}`, expected up to 7 days such as `30s`, `10m` or `24h`", text.escape_debug())
        })
    }
}
