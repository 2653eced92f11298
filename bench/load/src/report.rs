//! What came back.

use serde::Serialize;
use std::fmt::Display;
use std::time::Duration;

/// What is known so far.
#[derive(Debug, Default)]
pub struct Tally {
    sent: usize,
    latencies: Vec<Duration>,
    bytes: usize,
    errors: usize,
    first_error: Option<String>,
}

/// What is told in the end.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Whole answers with status 200; the other figures but `errors` are about these alone.
    pub count: usize,
    /// Requests without such an answer.
    pub errors: usize,
    /// What was wrong with the first of them.
    pub first_error: Option<String>,
    /// From a request's first byte to its answer's last: microseconds.
    pub p50_us: f64,
    pub p99_us: f64,
    /// Bytes of all bodies.
    pub bytes: usize,
    pub seconds: f64,
}

impl Tally {
    /// Counts one more request, unless `limit` of them were sent.
    pub fn may_send(&mut self, limit: usize) -> bool {
        let more = self.sent < limit;
        self.sent += usize::from(more);
        more
    }

    pub fn answered(&mut self, latency: Duration, bytes: usize) {
        self.latencies.push(latency);
        self.bytes += bytes;
    }

    pub fn fail(&mut self, error: &(impl Display + ?Sized)) {
        self.errors += 1;
        self.first_error.get_or_insert_with(|| error.to_string());
    }

    pub fn report(mut self, elapsed: Duration) -> Report {
        self.latencies.sort_unstable();
        Report {
            count: self.latencies.len(),
            errors: self.errors,
            p50_us: self.quantile(0.5),
            p99_us: self.quantile(0.99),
            bytes: self.bytes,
            seconds: elapsed.as_secs_f64(),
            first_error: self.first_error,
        }
    }

    /// Nearest rank, of latencies in order; 0 when there are none.
    fn quantile(&self, part: f64) -> f64 {
        let rank = (self.latencies.len() as f64 * part).ceil() as usize;
        let latency = self.latencies.get(rank.saturating_sub(1)).copied().unwrap_or_default();
        latency.as_secs_f64() * 1e6
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_latencies_that_were_measured() {
        for (measured, p50, p99) in
            [(0, 0.0, 0.0), (1, 1.0, 1.0), (2, 1.0, 2.0), (100, 50.0, 99.0), (200, 100.0, 198.0)]
        {
            let mut tally = Tally::default();
            (1..=measured).rev().for_each(|us| tally.answered(Duration::from_micros(us), 10));
            let report = tally.report(Duration::from_secs(1));
            assert_eq!((report.p50_us.round(), report.p99_us.round()), (p50, p99), "of {measured}");
        }
    }

    #[test]
    fn no_more_requests_are_sent_than_planned() {
        let mut tally = Tally::default();
        assert_eq!((0..5).filter(|_| tally.may_send(3)).count(), 3);
    }
}
