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
    let expected =
        Usage { input_fresh: 200, input_cache_read: 800, output_text: 50, output_reasoning: 150, ..Usage::default() };
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
