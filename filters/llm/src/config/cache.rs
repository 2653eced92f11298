//! What answers are kept, how many, how long, and for whom.

use crate::cache::digest::{Digest, Digester};
use crate::config::{Provider, Target};
use schemars::JsonSchema;
use tollgate_config::{Map, object};
use tollgate_kernel::subject::{Field, Label, SubjectField};

/// The cache of answers, which all workers of one Envoy share.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(deny_unknown_fields, default)]
pub struct Cache {
    /// How many answers are kept. A newer one may take the place of an older one before all places are taken.
    #[schemars(range(min = 1, max = 4096))]
    pub slots: usize,
    /// The largest answer that is kept, in bytes.
    #[schemars(range(min = 1024, max = 1_048_576))]
    pub entry_bytes: usize,
    /// Who shares answers: requests of which all these fields of the subject are the same. For a subject that lacks one
    /// of them nothing is kept.
    #[schemars(length(min = 1), extend("uniqueItems" = true))]
    pub per: Vec<SubjectField>,
}

object!(default Cache { slots, entry_bytes, per });

/// Which answers of a model may be given again. That it stands there, also empty, switches the cache on for the model.
#[derive(Debug, Clone, Copy, JsonSchema)]
#[schemars(deny_unknown_fields, default)]
pub struct ModelCache {
    /// How long an answer is given again, in seconds.
    #[schemars(range(min = 1, max = 2_592_000))]
    pub ttl: u64,
    /// Also answers to requests with tools, and answers that call them.
    pub tools: bool,
    /// Also answers to requests that do not ask for a temperature of 0.
    pub any_temperature: bool,
}

object!(default ModelCache { ttl, tools, any_temperature });

/// The cache of a model, ready to be asked.
#[derive(Debug, Clone, Copy)]
pub struct CachedModel {
    /// Which answers may be given again.
    pub policy: ModelCache,
    /// Stands for who serves the model: when that changes, nothing that was kept before is given again.
    pub(crate) served_by: Digest,
}

/// All values that the cache may hold together, in bytes.
const MAX_BYTES: usize = 256 << 20;

const MAX_TTL: u64 = 30 * 24 * 3600;

impl Default for Cache {
    fn default() -> Self {
        Self { slots: 512, entry_bytes: 64 << 10, per: vec![SubjectField::Other(Field::Team)] }
    }
}

impl Default for ModelCache {
    fn default() -> Self {
        Self { ttl: 3600, tools: false, any_temperature: false }
    }
}

impl Cache {
    pub(super) fn check(&self) -> Result<(), String> {
        for (name, value, (min, max)) in
            [("slots", self.slots, (1, 4096)), ("entry_bytes", self.entry_bytes, (1 << 10, 1 << 20))]
        {
            if !(min..=max).contains(&value) {
                return Err(format!("{name}: found {value}, expected {min} to {max}"));
            }
        }
        let all = self.slots.saturating_mul(self.entry_bytes);
        if all > MAX_BYTES {
            return Err(format!("slots: found {all} bytes in all, expected at most {MAX_BYTES}"));
        }
        if self.per.is_empty() {
            return Err("per: found nothing, expected who shares answers, like `team`".to_owned());
        }
        match self.per.iter().enumerate().find(|(at, field)| self.per.iter().take(*at).any(|before| before == *field)) {
            Some((at, field)) => Err(format!("per[{at}]: found `{}` twice", field.name())),
            None => Ok(()),
        }
    }
}

impl ModelCache {
    pub(super) fn check(self, targets: &[Target], providers: &Map<Label, Provider>) -> Result<CachedModel, String> {
        if !(1..=MAX_TTL).contains(&self.ttl) {
            return Err(format!("cache.ttl: found {}, expected 1 to {MAX_TTL} seconds", self.ttl));
        }
        let mut digester = Digester::new();
        for target in targets {
            digester.field("provider", target.provider.as_str());
            digester.field("model", &target.model);
            let Some(provider) = providers.get(&target.provider) else { continue };
            digester.field("format", provider.format.name());
            digester.field("host", &provider.host);
            digester.field("base_path", provider.base_path());
            for (name, value) in &provider.headers {
                digester.field("header", name);
                digester.field("value", value);
            }
        }
        Ok(CachedModel { policy: self, served_by: digester.digest() })
    }
}
