//! `usage`: OpenAI's inclusive figures, taken apart and put together again.

use crate::usage::Usage;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// `usage` on the wire. `prompt_tokens` contain the details below them, and so do `completion_tokens`.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct WireUsage {
    prompt_tokens: u64,
    completion_tokens: u64,
    total_tokens: Option<u64>,
    prompt_tokens_details: Option<PromptDetails>,
    completion_tokens_details: Option<CompletionDetails>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct PromptDetails {
    cached_tokens: Option<u64>,
    cache_write_tokens: Option<u64>,
    audio_tokens: Option<u64>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct CompletionDetails {
    reasoning_tokens: Option<u64>,
    audio_tokens: Option<u64>,
}

/// Reads a `usage` object. One that cannot be read is no usage rather than zero, and never spoils the answer it is in.
pub(super) fn read(usage: Option<&RawValue>) -> Option<Usage> {
    serde_json::from_str::<WireUsage>(usage?.get()).ok().and_then(|usage| usage.disjoint().plausible())
}

impl WireUsage {
    fn disjoint(&self) -> Usage {
        let prompt = self.prompt_tokens_details.as_ref();
        let completion = self.completion_tokens_details.as_ref();
        let mut input = Remaining(self.prompt_tokens);
        let mut output = Remaining(self.inclusive_output());
        let input_cache_read = input.take(prompt.and_then(|details| details.cached_tokens));
        let input_cache_write_5m = input.take(prompt.and_then(|details| details.cache_write_tokens));
        let input_audio = input.take(prompt.and_then(|details| details.audio_tokens));
        let output_reasoning = output.take(completion.and_then(|details| details.reasoning_tokens));
        let output_audio = output.take(completion.and_then(|details| details.audio_tokens));
        Usage {
            input_fresh: input.0,
            input_cache_read,
            input_cache_write_5m,
            input_cache_write_1h: 0,
            input_audio,
            output_text: output.0,
            output_reasoning,
            output_audio,
            ..Usage::NONE
        }
    }

    /// Some compatible servers leave reasoning out of `completion_tokens` and count it in `total_tokens` only.
    fn inclusive_output(&self) -> u64 {
        let beyond_prompt = self.total_tokens.unwrap_or(0).saturating_sub(self.prompt_tokens);
        self.completion_tokens.max(beyond_prompt)
    }
}

impl From<&Usage> for WireUsage {
    fn from(usage: &Usage) -> Self {
        Self {
            prompt_tokens: usage.input(),
            completion_tokens: usage.output(),
            total_tokens: Some(usage.input().saturating_add(usage.output())),
            prompt_tokens_details: Some(PromptDetails {
                cached_tokens: Some(usage.input_cache_read),
                cache_write_tokens: Some(usage.input_cache_write_5m.saturating_add(usage.input_cache_write_1h)),
                audio_tokens: Some(usage.input_audio),
            }),
            completion_tokens_details: Some(CompletionDetails {
                reasoning_tokens: Some(usage.output_reasoning),
                audio_tokens: Some(usage.output_audio),
            }),
        }
    }
}

/// What is left of an inclusive figure. Details that claim more than it are cut, so that the buckets always add up.
struct Remaining(u64);

impl Remaining {
    fn take(&mut self, claimed: Option<u64>) -> u64 {
        let taken = claimed.unwrap_or(0).min(self.0);
        self.0 = self.0.saturating_sub(taken);
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn read_str(usage: &str) -> Option<Usage> {
        read(Some(serde_json::from_str(usage).expect("JSON")))
    }

    #[test]
    fn cached_tokens_are_never_counted_twice() {
        let usage = read_str(
            r#"{"prompt_tokens":1000,"completion_tokens":200,"total_tokens":1200,
                "prompt_tokens_details":{"cached_tokens":800},
                "completion_tokens_details":{"reasoning_tokens":150}}"#,
        );
        let expected = Usage {
            input_fresh: 200,
            input_cache_read: 800,
            output_text: 50,
            output_reasoning: 150,
            ..Usage::default()
        };
        assert_eq!(usage, Some(expected));
    }

    #[test]
    fn every_detail_has_its_bucket() {
        let usage = read_str(
            r#"{"prompt_tokens":100,"completion_tokens":60,"total_tokens":160,
                "prompt_tokens_details":{"cached_tokens":10,"cache_write_tokens":20,"audio_tokens":30,"text_tokens":70},
                "completion_tokens_details":{"reasoning_tokens":5,"audio_tokens":15,
                    "accepted_prediction_tokens":3,"rejected_prediction_tokens":9}}"#,
        );
        let expected = Usage {
            input_fresh: 40,
            input_cache_read: 10,
            input_cache_write_5m: 20,
            input_audio: 30,
            output_text: 40,
            output_reasoning: 5,
            output_audio: 15,
            ..Usage::default()
        };
        assert_eq!(usage, Some(expected));
    }

    #[test]
    fn buckets_add_up_to_the_inclusive_figures_even_when_details_claim_more() {
        let usage = read_str(
            r#"{"prompt_tokens":10,"completion_tokens":10,"total_tokens":20,
                "prompt_tokens_details":{"cached_tokens":18446744073709551615,"audio_tokens":4},
                "completion_tokens_details":{"reasoning_tokens":7,"audio_tokens":7}}"#,
        )
        .unwrap();
        assert_eq!((usage.input(), usage.input_cache_read, usage.input_audio), (10, 10, 0));
        assert_eq!((usage.output(), usage.output_reasoning, usage.output_audio), (10, 7, 3));
    }

    #[test]
    fn reasoning_that_only_the_total_counts_is_not_free() {
        let usage = read_str(
            r#"{"prompt_tokens":10,"completion_tokens":20,"total_tokens":110,
                "completion_tokens_details":{"reasoning_tokens":80}}"#,
        )
        .unwrap();
        assert_eq!((usage.output_text, usage.output_reasoning), (20, 80));
    }

    #[test]
    fn usage_that_says_nothing_is_missing_and_not_zero() {
        for usage in ["{}", "[]", "7", r#"{"prompt_tokens":5}"#, r#"{"prompt_tokens":-1,"completion_tokens":2}"#] {
            assert_eq!(read_str(usage), None, "{usage}");
        }
        assert_eq!(read(None), None);
    }

    #[test]
    fn null_details_are_no_details() {
        let usage = read_str(
            r#"{"prompt_tokens":3,"completion_tokens":4,"prompt_tokens_details":null,
                "completion_tokens_details":{"reasoning_tokens":null}}"#,
        );
        assert_eq!(usage, Some(Usage { input_fresh: 3, output_text: 4, ..Usage::default() }));
    }

    #[test]
    fn written_usage_is_inclusive_again() {
        let usage = Usage {
            input_fresh: 1,
            input_cache_read: 2,
            input_cache_write_5m: 3,
            input_cache_write_1h: 4,
            input_audio: 5,
            output_text: 6,
            output_reasoning: 7,
            output_audio: 8,
        };
        assert_eq!(
            serde_json::to_value(WireUsage::from(&usage)).unwrap(),
            serde_json::json!({
                "prompt_tokens": 15, "completion_tokens": 21, "total_tokens": 36,
                "prompt_tokens_details": {"cached_tokens": 2, "cache_write_tokens": 7, "audio_tokens": 5},
                "completion_tokens_details": {"reasoning_tokens": 7, "audio_tokens": 8},
            })
        );
    }
}
