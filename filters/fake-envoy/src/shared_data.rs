//! Envoy's shared data: compare-and-swap, but no create-if-absent, no delete, no expiry.

use std::collections::BTreeMap;

use crate::status::{HostResult, Refusal, Status};

#[derive(Debug, Default)]
pub(crate) struct SharedData {
    entries: BTreeMap<Vec<u8>, (Vec<u8>, u32)>,
    last_cas: u32,
    /// Envoy does not let this VM use it (`capability_restriction_config`).
    pub(crate) denied: bool,
}

impl SharedData {
    pub(crate) fn get(&self, key: &[u8]) -> HostResult<(Vec<u8>, u32)> {
        self.check()?;
        self.entries.get(key).cloned().ok_or_else(|| Refusal::answer(Status::NotFound))
    }

    /// A `cas` of zero always writes, and so does any `cas` for a key that does not exist yet.
    pub(crate) fn set(&mut self, key: &[u8], value: &[u8], cas: u32) -> HostResult {
        self.check()?;
        if let Some((_, current)) = self.entries.get(key)
            && cas != 0
            && cas != *current
        {
            return Err(Refusal::answer(Status::CasMismatch));
        }
        self.last_cas += 1;
        self.entries.insert(key.to_vec(), (value.to_vec(), self.last_cas));
        Ok(())
    }

    fn check(&self) -> HostResult {
        if self.denied { Err(Refusal::answer(Status::InternalFailure)) } else { Ok(()) }
    }
}
