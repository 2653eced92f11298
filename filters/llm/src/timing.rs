//! How fast an answer came, as OpenTelemetry's GenAI conventions measure a server.

use crate::exchange::{Attempt, Outcome};
use tollgate_wire::usage::Usage;

/// The times of one attempt.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Timing {
    /// `gen_ai.server.request.duration`, in milliseconds: from our request to the end of the answer.
    pub duration_ms: u64,
    /// `gen_ai.server.time_to_first_token`, in milliseconds: to its first meaningful piece. Of an answer that was not
    /// streamed, to the whole.
    pub first_token_ms: Option<u64>,
    /// `gen_ai.server.time_per_output_token`, in microseconds: the mean time between two tokens of a streamed answer after
    /// its first one.
    pub per_output_token_us: Option<u64>,
}

impl Timing {
    /// The times of an attempt that has ended.
    #[must_use]
    pub fn of(attempt: &Attempt, usage: Option<&Usage>, streamed: bool) -> Self {
        let ended = attempt.ended.unwrap_or(attempt.began);
        let since_began = |at: u64| at.saturating_sub(attempt.began).div_euclid(1_000_000);
        let further_tokens = usage.map_or(0, Usage::output).saturating_sub(1);
        let per_token = |first: u64| ended.saturating_sub(first).div_euclid(1000).checked_div(further_tokens);
        let whole = attempt.outcome == Outcome::Served;
        Self {
            duration_ms: since_began(ended),
            first_token_ms: attempt.first_token.map(since_began),
            per_output_token_us: attempt.first_token.filter(|_| streamed && whole).and_then(per_token),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::example::{self, NOON};
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    const MS: u64 = 1_000_000;

    #[test]
    fn times_are_measured_from_the_attempts_own_beginning() {
        let attempt = Attempt {
            first_token: Some(NOON + 250 * MS),
            ended: Some(NOON + 1250 * MS),
            ..example::attempt(0, Outcome::Served)
        };
        let usage = Usage { output_text: 60, output_reasoning: 41, ..Usage::NONE };
        for (usage, streamed, expected) in [
            (Some(&usage), true, Some(10_000)),
            (Some(&usage), false, None),
            (Some(&Usage { output_text: 1, ..Usage::NONE }), true, None),
            (None, true, None),
        ] {
            let timing = Timing::of(&attempt, usage, streamed);
            assert_eq!((timing.duration_ms, timing.first_token_ms), (1250, Some(250)));
            assert_eq!(timing.per_output_token_us, expected);
        }
        let cut = Attempt { outcome: Outcome::Cut("reset"), ..attempt };
        assert_eq!(Timing::of(&cut, Some(&usage), true).per_output_token_us, None, "of half an answer it says nothing");
        let never = example::attempt(0, Outcome::Refused("connect_failure"));
        assert_eq!(Timing::of(&never, None, true), Timing::default());
    }
}
