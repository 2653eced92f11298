//! How many bytes of text are a token: learned from what providers report, for what they do not report.
//!
//! Nothing here can be driven far: a ratio stays between 1 and 5 bytes a token, a sample moves it by an eighth at most and,
//! once it has seen some, by a sixteenth, and what is small or absurd is no sample.

/// What is known of one model.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Calibration {
    /// Bytes of the request's text, to all tokens of input.
    pub input: Ratio,
    /// Bytes of the answer that can be seen, to all tokens of output: reasoning that is hidden makes it lower.
    pub output: Ratio,
}

/// Bytes to a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ratio {
    /// In parts of [`ONE`].
    bytes_per_token: u64,
    samples: u64,
}

/// Finer than what a sample moves it by.
const ONE: u64 = 1 << 20;
const LEAST: u64 = ONE;
/// No text of people has more; white space has, and whoever sends it must not make others' text cheaper.
const MOST: u64 = 5 * ONE;
const AT_FIRST: u64 = 4 * ONE;

/// The weight of a sample is one in so many: less, while there are few.
const FEWEST: u64 = 4;
const WEIGHT: u64 = 16;

/// In smaller texts other things than text count: roles, names, the JSON around it.
const SMALLEST_BYTES: u64 = 256;
const SMALLEST_TOKENS: u64 = 32;

impl Default for Ratio {
    fn default() -> Self {
        Self { bytes_per_token: AT_FIRST, samples: 0 }
    }
}

impl Ratio {
    /// Learns that so many bytes were so many tokens.
    pub fn observe(&mut self, bytes: u64, tokens: u64) {
        if bytes < SMALLEST_BYTES || tokens < SMALLEST_TOKENS {
            return;
        }
        let Some(seen) = bytes.saturating_mul(ONE).checked_div(tokens) else { return };
        let now = self.bytes_per_token;
        let seen = seen.clamp(LEAST.max(now / 2), MOST.min(now.saturating_mul(3) / 2));
        let weight = self.samples.saturating_add(FEWEST).min(WEIGHT);
        let moved = now.abs_diff(seen).checked_div(weight).unwrap_or_default();
        self.bytes_per_token = if seen > now { now.saturating_add(moved) } else { now.saturating_sub(moved) };
        self.samples = self.samples.saturating_add(1);
    }

    /// How many tokens so many bytes are.
    #[must_use]
    pub fn estimate(&self, bytes: u64) -> u64 {
        let tokens =
            u128::from(bytes).saturating_mul(u128::from(ONE)).div_ceil(u128::from(self.bytes_per_token.max(LEAST)));
        u64::try_from(tokens).unwrap_or(u64::MAX)
    }

    /// Hundredths of a byte to a token.
    #[must_use]
    pub const fn hundredths(&self) -> u64 {
        self.bytes_per_token.saturating_mul(100).saturating_add(ONE / 2) / ONE
    }

    /// From how many samples it was learned.
    #[must_use]
    pub const fn samples(&self) -> u64 {
        self.samples
    }
}

#[cfg(test)]
mod tests {
    use super::Ratio;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn after(samples: impl IntoIterator<Item = (u64, u64)>) -> Ratio {
        let mut ratio = Ratio::default();
        samples.into_iter().for_each(|(bytes, tokens)| ratio.observe(bytes, tokens));
        ratio
    }

    #[test]
    fn before_any_sample_four_bytes_are_a_token() {
        let ratio = Ratio::default();
        assert_eq!((ratio.hundredths(), ratio.samples()), (400, 0));
        for (bytes, tokens) in [(0, 0), (1, 1), (4, 1), (5, 2), (4000, 1000), (u64::MAX, 1 << 62)] {
            assert_eq!(ratio.estimate(bytes), tokens, "{bytes}");
        }
    }

    #[test]
    fn it_comes_near_what_is_reported() {
        for (bytes, tokens, hundredths) in
            [(10_000, 2_000, 500), (10_000, 4_000, 250), (3_000, 2_000, 150), (100_000, 21_000, 476)]
        {
            let ratio = after([(bytes, tokens); 100]);
            assert!(ratio.hundredths().abs_diff(hundredths) <= 2, "{} instead of {hundredths}", ratio.hundredths());
            assert!(ratio.estimate(bytes).abs_diff(tokens) <= tokens / 50);
        }
        // After ten samples it is already better than before.
        assert!(after([(10_000, 4_000); 10]).hundredths() < 290);
    }

    #[test]
    fn one_absurd_sample_moves_it_by_an_eighth_at_most() {
        for (bytes, tokens) in [(u64::MAX, 32), (256, u64::MAX), (u64::MAX, u64::MAX)] {
            let fresh = after([(bytes, tokens)]).hundredths();
            assert!((350..=450).contains(&fresh), "{fresh}");
            let settled = after((0..50).map(|_| (4_000, 1_000)).chain([(bytes, tokens)])).hundredths();
            assert!((386..=414).contains(&settled), "{settled}");
        }
    }

    #[test]
    fn it_stays_within_sane_limits_whatever_is_reported() {
        let most = after([(u64::MAX, 32); 1000]);
        let least = after([(256, u64::MAX); 1000]);
        assert_eq!((least.hundredths(), least.estimate(100)), (100, 100));
        assert!((490..=500).contains(&most.hundredths()), "{}", most.hundredths());
    }

    #[test]
    fn small_and_empty_samples_are_none() {
        let ratio = after([(0, 0), (255, 100), (10_000, 31), (0, u64::MAX), (u64::MAX, 0)]);
        assert_eq!(ratio, Ratio::default());
    }
}
