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
    /// Largest answer, or event of an answer, that is read before it goes on: what is decided on, checked or redacted. In bytes.
    #[schemars(range(min = 1024, max = 33_554_432))]
    pub answer_bytes: usize,
    /// How long limits keep what they reserved for a call of which they hear nothing more, in seconds. Longer than any call
    /// takes.
    #[schemars(range(min = 1, max = 86_400))]
    pub reservation_s: u64,
}

object!(default Bounds { request_bytes, answer_bytes, reservation_s });

impl Default for Bounds {
    fn default() -> Self {
        Self { request_bytes: 4 << 20, answer_bytes: 4 << 20, reservation_s: 3600 }
    }
}

impl Bounds {
    /// Checks them.
    ///
    /// # Errors
    /// The path to what is at fault, what was found and what was expected.
    pub fn check(self) -> Result<(), String> {
        const MOST: usize = 32 << 20;
        for (name, value) in [("request_bytes", self.request_bytes), ("answer_bytes", self.answer_bytes)] {
            if !(1024..=MOST).contains(&value) {
                return Err(format!("bounds.{name}: found {value}, expected 1024 to {MOST} bytes"));
            }
        }
        let lapse = self.reservation_s;
        if !(1..=86_400).contains(&lapse) {
            return Err(format!("bounds.reservation_s: found {lapse}, expected 1 to 86400 seconds"));
        }
        Ok(())
    }
}
