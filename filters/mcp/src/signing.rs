//! What the gate signs with where the configuration has no keys: a random key that all workers share.

use tollgate_host::abi;
use tollgate_kernel::signing_keys::SigningKeys;

/// Where it is kept.
const KEY: &str = "tollgate.mcp.signing.1";

/// For the operator.
pub(crate) const WARNING: &str = "gate.signing_keys_from is not set: sessions and approvals are signed with a random key, which neither this \
     Envoy after a restart nor another one knows";

/// The key of this Envoy, made by the first who asks. Envoy configures a plugin on its main thread before any worker does, so
/// that no two make one at once.
///
/// # Errors
/// When the host has no random bytes, or does not keep them.
pub(crate) fn shared() -> abi::Result<SigningKeys> {
    let kept = || -> abi::Result<Option<[u8; 32]>> {
        let kept = abi::shared_data(KEY)?;
        kept.map(|(bytes, _)| bytes.try_into().map_err(|_| abi::HostError::BadArgument)).transpose()
    };
    if let Some(key) = kept()? {
        return Ok(SigningKeys::random(&key));
    }
    abi::set_shared_data(KEY, &abi::random::<32>()?, 0)?;
    kept()?.map(|key| SigningKeys::random(&key)).ok_or(abi::HostError::NotFound)
}
