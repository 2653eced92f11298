//! temporary
#![allow(missing_docs, missing_debug_implementations, reason = "replaced by the codec in the next commits")]
pub const SERVICE: &str = "envoy.service.ratelimit.v3.RateLimitService";
pub const METHOD: &str = "ShouldRateLimit";
#[derive(Clone, Copy)]
pub enum Window {
    Minute,
    Hour,
    Day,
    Week,
    Month,
}
pub struct Descriptor<'a> {
    pub entries: &'a [(&'a str, &'a str)],
    pub limit: Option<(Window, u32)>,
}
pub struct Request<'a> {
    pub domain: &'a str,
    pub descriptor: Descriptor<'a>,
    pub hits: u32,
}
impl Request<'_> {
    pub fn encode(&self) -> Vec<u8> {
        Vec::new()
    }
}
pub enum Response {
    Ok,
    OverLimit { resets_in_s: Option<u64> },
}
impl Response {
    pub fn read(_: &[u8]) -> Option<Self> {
        None
    }
}
