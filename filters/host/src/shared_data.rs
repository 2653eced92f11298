//! Values that all workers share, and all filters of this Envoy with the same `vm_id`. Each is there before the first request,
//! since Envoy has no create-if-absent.

use crate::abi;

/// How often a change is tried. Each time it fails, another worker's has succeeded.
const TRIES: u32 = 1000;

/// The host refuses, or has no such value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unavailable;

/// Makes values that all hold `empty`, if nobody has yet: the last one is made last. Envoy configures all plugins on its main
/// thread before any worker does, so that no worker changes one while another makes it anew.
///
/// # Errors
/// When the host refuses.
pub fn prepare(mut names: impl DoubleEndedIterator<Item = String> + Clone, empty: &[u8]) -> abi::Result<()> {
    let last = names.clone().next_back();
    if last.map_or(Ok(None), |last| abi::shared_data(&last))?.is_some() {
        return Ok(());
    }
    names.try_for_each(|name| abi::set_shared_data(&name, empty, 0).map(|_| ()))
}

/// What `name` holds.
///
/// # Errors
/// When nobody can say.
pub fn read(name: &str) -> Result<Vec<u8>, Unavailable> {
    versioned(name).map(|(bytes, _)| bytes)
}

/// Changes what `name` holds by compare-and-swap, alone of all workers. `change` tells the new value and what comes of it, or
/// `None` for a value that it cannot read; it may be called several times, and only the last call counts.
///
/// # Errors
/// When that is not possible. Nothing is changed then.
pub fn change<T>(name: &str, mut change: impl FnMut(&[u8]) -> Option<(Vec<u8>, T)>) -> Result<T, Unavailable> {
    for _ in 0..TRIES {
        let (bytes, version) = versioned(name)?;
        let (changed, result) = change(&bytes).ok_or(Unavailable)?;
        if changed == bytes || abi::set_shared_data(name, &changed, version).map_err(|_| Unavailable)? {
            return Ok(result);
        }
    }
    Err(Unavailable)
}

fn versioned(name: &str) -> Result<(Vec<u8>, u32), Unavailable> {
    abi::shared_data(name).ok().flatten().ok_or(Unavailable)
}
