//! Bounds of what is read and held.

use schemars::JsonSchema;
use tollgate_config::object;

/// Bounds of what is read and held.
#[derive(Debug, Clone, Copy, JsonSchema)]
#[schemars(deny_unknown_fields, default)]
pub struct Bounds {
    /// Largest request body, in bytes. Keep the route's `request_body_buffer_limit` above it.
    #[schemars(range(min = 1024, max = 33_554_432))]
    pub request_bytes: usize,
    /// Largest answer that is not streamed, in bytes.
    #[schemars(range(min = 1024, max = 268_435_456))]
    pub response_bytes: usize,
    /// Largest single event of a stream, in bytes.
    #[schemars(range(min = 1024, max = 268_435_456))]
    pub event_bytes: usize,
    /// How much of a stream is held back while the provider has not yet really answered, in bytes.
    #[schemars(range(min = 1024, max = 268_435_456))]
    pub held_bytes: usize,
    /// How much of all answers together one worker holds, in bytes.
    #[schemars(range(min = 1024, max = 536_870_912))]
    pub held_total_bytes: usize,
    /// How long a stream is held back, in milliseconds after the response headers.
    #[schemars(range(min = 1, max = 600_000))]
    pub first_event_ms: u64,
    /// How long limits keep what they reserved for a request of which they hear nothing more, in seconds. Longer than any
    /// answer takes.
    #[schemars(range(min = 1, max = 86_400))]
    pub reservation_s: u64,
}

object!(default Bounds {
    request_bytes,
    response_bytes,
    event_bytes,
    held_bytes,
    held_total_bytes,
    first_event_ms,
    reservation_s,
});

impl Default for Bounds {
    fn default() -> Self {
        Self {
            request_bytes: 10 << 20,
            response_bytes: 32 << 20,
            event_bytes: 1 << 20,
            held_bytes: 64 << 10,
            held_total_bytes: 256 << 20,
            first_event_ms: 30_000,
            reservation_s: 3600,
        }
    }
}

impl Bounds {
    pub(super) fn check(self) -> Result<(), String> {
        const PER_REQUEST: usize = 32 << 20; // what is made of it to translate it takes up to twenty times as much
        const PER_STREAM: usize = 256 << 20;
        const PER_WORKER: usize = 512 << 20; // a buffer that grows takes twice its size, and a VM has 1 GiB
        let bytes = [
            ("request_bytes", self.request_bytes, PER_REQUEST),
            ("response_bytes", self.response_bytes, PER_STREAM),
            ("event_bytes", self.event_bytes, PER_STREAM),
            ("held_bytes", self.held_bytes, PER_STREAM),
            ("held_total_bytes", self.held_total_bytes, PER_WORKER),
        ];
        for (name, value, max) in bytes {
            if !(1024..=max).contains(&value) {
                return Err(format!("gate.bounds.{name}: found {value}, expected 1024 to {max} bytes"));
            }
        }
        let wait = self.first_event_ms;
        if !(1..=600_000).contains(&wait) {
            return Err(format!("gate.bounds.first_event_ms: found {wait}, expected 1 to 600000 milliseconds"));
        }
        let lapse = self.reservation_s;
        if !(1..=86_400).contains(&lapse) {
            return Err(format!("gate.bounds.reservation_s: found {lapse}, expected 1 to 86400 seconds"));
        }
        Ok(())
    }
}
