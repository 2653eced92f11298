//! The counters, which all workers of this Envoy share.
//!
//! They are buckets in Envoy's shared data, each changed by compare-and-swap. Envoy has no create-if-absent, so every bucket
//! is there before the first request; it never forgets one, so they outlive any configuration, and end with the process.

use tollgate_host::abi;
use tollgate_host::shared_data::{self, Unavailable};
use tollgate_kernel::limit::bucket::{BUCKETS, Bucket, Fingerprint};
use tollgate_kernel::limit::counter::Counter;

/// The number is that of how buckets are written: another one begins with others.
fn name(bucket: u16) -> String {
    format!("tollgate.limits.1.{bucket}")
}

/// Makes the buckets, if nobody has yet.
///
/// # Errors
/// When the host refuses.
pub fn prepare() -> abi::Result<()> {
    shared_data::prepare((0..BUCKETS).map(name), &Bucket::default().write())
}

/// Changes a counter, alone of all workers. `change` may be called several times, and only the last call counts.
///
/// # Errors
/// When that is not possible. Nothing is changed then.
pub fn change<T>(which: &Fingerprint, now_ms: u64, change: impl Fn(&mut Counter) -> T) -> Result<T, Unavailable> {
    shared_data::change(&name(which.bucket()), |bytes| {
        let mut bucket = Bucket::read(bytes)?;
        // There may be no place for one more.
        let result = change(bucket.counter(which, now_ms).ok()?);
        Some((bucket.write(), result))
    })
}
