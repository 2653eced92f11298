use super::*;
use crate::openai_chat::tier_name;
use serde_json::json;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

fn read_str(answer: &str) -> Option<Usage> {
    read(&Fields::of_text(answer).unwrap(), Calls::default())
}

fn with_usage(usage: &serde_json::Value) -> Option<Usage> {
    read_str(&json!({ "usage": usage }).to_string())
}

#[test]
fn every_detail_has_its_bucket() {
    let usage = with_usage(&json!({
        "input_tokens": 1000,
        "input_tokens_details": { "cached_tokens": 700, "cache_write_tokens": 200,
            "cache_write_tokens_details": { "ttl_30m_tokens": 150, "ttl_12h_tokens": 50 } },
        "output_tokens": 60, "output_tokens_details": { "reasoning_tokens": 40 }, "total_tokens": 1060,
    }));
    let expected = Usage {
        input_fresh: 100,
        input_cache_read: 700,
        input_cache_write_5m: 150,
        input_cache_write_1h: 50,
        output_text: 20,
        output_reasoning: 40,
        ..Usage::default()
    };
    assert_eq!(usage, Some(expected));
}

#[test]
fn cache_writes_without_a_split_were_for_the_shorter_time() {
    for split in [json!(null), json!({}), json!("x")] {
        let usage = with_usage(&json!({
            "input_tokens": 9, "output_tokens": 0,
            "input_tokens_details": { "cache_write_tokens": 9, "cache_write_tokens_details": split },
        }));
        assert_eq!(usage, Some(Usage { input_cache_write_5m: 9, ..Usage::default() }));
    }
}

#[test]
fn reasoning_that_only_the_total_counts_is_not_free() {
    let usage = with_usage(&json!({
        "input_tokens": 10, "output_tokens": 20, "total_tokens": 110, "output_tokens_details": { "reasoning_tokens": 80 },
    }));
    assert_eq!(usage.map(|usage| (usage.output_text, usage.output_reasoning)), Some((20, 80)));
}

#[test]
fn usage_that_says_nothing_is_missing_and_not_zero() {
    for usage in [
        json!(null),
        json!({}),
        json!([]),
        json!(7),
        json!({ "input_tokens": 5 }),
        json!({ "input_tokens": -1, "output_tokens": 2 }),
        json!({ "input_tokens": 0, "output_tokens": 0 }),
        json!({ "input_tokens": u64::MAX, "output_tokens": 1 }),
    ] {
        assert_eq!(with_usage(&usage), None, "{usage}");
    }
    assert_eq!(read_str("{}"), None);
}

#[test]
fn the_tier_that_served_sets_the_price() {
    for (name, expected) in [
        ("\"default\"", ServiceTier::Standard),
        ("\"auto\"", ServiceTier::Standard),
        ("null", ServiceTier::Standard),
        ("7", ServiceTier::Standard),
        ("\"flex\"", ServiceTier::Flex),
        ("\"priority\"", ServiceTier::Priority),
        ("\"fast\"", ServiceTier::Priority),
        ("\"batch\"", ServiceTier::Batch),
        ("\"scale\"", ServiceTier::Provisioned),
        ("\"ultrafast\"", ServiceTier::Other),
    ] {
        let answer = format!(r#"{{"usage":{{"input_tokens":1,"output_tokens":1}},"service_tier":{name}}}"#);
        assert_eq!(read_str(&answer).map(|usage| usage.service_tier), Some(expected), "{name}");
    }
}

#[test]
fn a_tier_that_can_be_named_reads_back_as_itself() {
    for tier in [ServiceTier::Standard, ServiceTier::Flex, ServiceTier::Priority, ServiceTier::Provisioned] {
        assert_eq!(tier_of_name(tier_name(tier).unwrap()), tier);
    }
    assert_eq!((tier_name(ServiceTier::Batch), tier_name(ServiceTier::Other)), (None, None));
}

#[cfg(not(target_arch = "wasm32"))]
mod properties {
    use super::*;
    use proptest::prelude::*;

    const TOKENS: std::ops::RangeInclusive<u64> = 0..=1 << 38;

    proptest! {
        #[test]
        fn buckets_add_up_to_the_inclusive_figures_whatever_details_claim(
            (input, output, total) in (TOKENS, TOKENS, any::<u64>()),
            (read, written, long, short) in (any::<u64>(), any::<u64>(), any::<u64>(), any::<u64>()),
            reasoning: u64,
        ) {
            let total = total % (1 << 39);
            let usage = with_usage(&json!({
                "input_tokens": input,
                "input_tokens_details": { "cached_tokens": read, "cache_write_tokens": written,
                    "cache_write_tokens_details": { "ttl_12h_tokens": long, "ttl_30m_tokens": short } },
                "output_tokens": output, "output_tokens_details": { "reasoning_tokens": reasoning },
                "total_tokens": total,
            }));
            let all_output = output.max(total.saturating_sub(input));
            match usage {
                Some(usage) => prop_assert_eq!((usage.input(), usage.output()), (input, all_output)),
                None => prop_assert_eq!((input, all_output), (0, 0)),
            }
        }

        #[test]
        fn what_is_written_reads_back_as_the_same_buckets(
            (fresh, read, short, long) in (1_u64..1 << 30, 0_u64..1 << 30, 0_u64..1 << 30, 0_u64..1 << 30),
            (text, reasoning) in (0_u64..1 << 30, 0_u64..1 << 30),
        ) {
            let usage = Usage {
                input_fresh: fresh,
                input_cache_read: read,
                input_cache_write_5m: short,
                input_cache_write_1h: long,
                output_text: text,
                output_reasoning: reasoning,
                ..Usage::NONE
            };
            let mut out = Vec::new();
            write(&usage, &mut Writer::new(&mut out));
            let answer = format!(r#"{{"usage":{}}}"#, String::from_utf8(out).unwrap());
            prop_assert_eq!(read_str(&answer), Some(usage));
        }
    }
}
