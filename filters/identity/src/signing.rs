//! What a filter signs with: keys of its configuration, or a random one that all workers of this Envoy share.

use crate::config::signing_keys;
use tollgate_host::abi;
use tollgate_kernel::signing_keys::SigningKeys;

/// A random key that all workers share.
pub type Shared<'s> = &'s dyn Fn() -> abi::Result<SigningKeys>;

/// The keys in the environment variable that `signing_keys_from` names, else the shared random one; and whether it is that.
///
/// # Errors
/// What is wrong with the setting.
pub fn keys(
    signing_keys_from: Option<String>,
    variable: &dyn Fn(&str) -> Option<String>,
    shared: Shared<'_>,
) -> Result<(SigningKeys, bool), String> {
    let is_random = signing_keys_from.is_none();
    let keys = match signing_keys_from {
        Some(name) => signing_keys(&name, variable),
        None => shared().map_err(|error| format!("found none, and a random key could not be made: {error}")),
    };
    keys.map(|keys| (keys, is_random)).map_err(|error| format!("signing_keys_from: {error}"))
}

/// The random key of this Envoy that is kept under `name`, made by the first who asks. Envoy configures a plugin on its main
/// thread before any worker does, so that no two make one at once.
///
/// # Errors
/// When the host has no random bytes, or does not keep them.
pub fn shared(name: &str) -> abi::Result<SigningKeys> {
    let kept = || -> abi::Result<Option<[u8; 32]>> {
        let kept = abi::shared_data(name)?;
        kept.map(|(bytes, _)| bytes.try_into().map_err(|_| abi::HostError::BadArgument)).transpose()
    };
    if let Some(key) = kept()? {
        return Ok(SigningKeys::random(&key));
    }
    abi::set_shared_data(name, &abi::random::<32>()?, 0)?;
    kept()?.map(|key| SigningKeys::random(&key)).ok_or(abi::HostError::NotFound)
}
