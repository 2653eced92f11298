//! Counters, gauges and histograms, with Envoy's rules.

use std::collections::BTreeMap;

use crate::status::{HostResult, Refusal, Status};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Counter,
    Gauge,
    Histogram,
}

#[derive(Debug, Default)]
pub(crate) struct Metrics {
    /// Every definition is kept under its own id, also of a name that exists: that is how Envoy leaks them.
    definitions: Vec<(Kind, String)>,
    counters: BTreeMap<String, u64>,
    gauges: BTreeMap<String, u64>,
    histograms: BTreeMap<String, Vec<u64>>,
}

impl Metrics {
    pub(crate) fn define(&mut self, kind: u32, name: &[u8]) -> HostResult<u32> {
        let kind = match kind {
            0 => Kind::Counter,
            1 => Kind::Gauge,
            2 => Kind::Histogram,
            _ => return Err(Refusal::violation(Status::BadArgument, "no such kind of metric")),
        };
        let name = std::str::from_utf8(name)
            .map_err(|_| Refusal::violation(Status::BadArgument, "the name of a metric is not UTF-8"))?;
        self.definitions.push((kind, name.to_owned()));
        Ok(u32::try_from(self.definitions.len()).expect("few metrics"))
    }

    pub(crate) fn increment(&mut self, id: u32, offset: i64) -> HostResult {
        match self.definition(id)? {
            (Kind::Counter, name) => match u64::try_from(offset) {
                Ok(1..) => {
                    let value = self.counters.entry(name).or_default();
                    *value = value.wrapping_add(offset.unsigned_abs());
                }
                _ => return Err(Refusal::violation(Status::BadArgument, "a counter takes only what is above zero")),
            },
            (Kind::Gauge, name) => {
                let value = self.gauges.entry(name).or_default();
                *value = value.wrapping_add_signed(offset);
            }
            (Kind::Histogram, _) => {
                return Err(Refusal::violation(Status::BadArgument, "a histogram is recorded, not incremented"));
            }
        }
        Ok(())
    }

    pub(crate) fn record(&mut self, id: u32, value: u64) -> HostResult {
        match self.definition(id)? {
            (Kind::Counter, name) => {
                let counter = self.counters.entry(name).or_default();
                *counter = counter.wrapping_add(value);
            }
            (Kind::Gauge, name) => drop(self.gauges.insert(name, value)),
            (Kind::Histogram, name) => self.histograms.entry(name).or_default().push(value),
        }
        Ok(())
    }

    pub(crate) fn get(&self, id: u32) -> HostResult<u64> {
        match self.definition(id)? {
            (Kind::Counter, name) => Ok(self.counter(&name)),
            (Kind::Gauge, name) => Ok(self.gauge(&name)),
            (Kind::Histogram, _) => Err(Refusal::violation(Status::BadArgument, "a histogram cannot be read")),
        }
    }

    pub(crate) fn counter(&self, name: &str) -> u64 {
        self.counters.get(name).copied().unwrap_or_default()
    }

    pub(crate) fn gauge(&self, name: &str) -> u64 {
        self.gauges.get(name).copied().unwrap_or_default()
    }

    pub(crate) fn histogram(&self, name: &str) -> Vec<u64> {
        self.histograms.get(name).cloned().unwrap_or_default()
    }

    pub(crate) fn definitions(&self) -> usize {
        self.definitions.len()
    }

    fn definition(&self, id: u32) -> HostResult<(Kind, String)> {
        usize::try_from(id)
            .ok()
            .and_then(|id| self.definitions.get(id.checked_sub(1)?).cloned())
            .ok_or_else(|| Refusal::violation(Status::NotFound, "no metric has this id"))
    }
}
