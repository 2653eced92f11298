//! The counters, which all workers of this Envoy share.
//!
//! They are buckets in Envoy's shared data, each changed by compare-and-swap. Envoy has no create-if-absent, so every bucket
//! is there before the first request; it never forgets one, so they outlive any configuration, and end with the process.

use tollgate_host::abi;
use tollgate_host::shared_data::{self, Unavailable};
use tollgate_kernel::limit::bucket::{BUCKETS, Bucket, Fingerprint};
use tollgate_kernel::limit::counter::Counter;

/// Set when all buckets are there. The number is that of how they are written: another one begins with others.
const READY: &str = "tollgate.limits.1";

fn name(bucket: u16) -> String {
    format!("{READY}.{bucket}")
}

/// Makes the buckets, if nobody has yet. Envoy configures a plugin on its main thread before any worker does, so that no
/// worker counts while another one begins anew.
///
/// # Errors
/// When the host refuses.
pub fn prepare() -> abi::Result<()> {
    if abi::shared_data(READY)?.is_some() {
        return Ok(());
    }
    let empty = Bucket::default().write();
    for bucket in 0..BUCKETS {
        abi::set_shared_data(&name(bucket), &empty, 0)?;
    }
    abi::set_shared_data(READY, b"1", 0).map(|_| ())
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
