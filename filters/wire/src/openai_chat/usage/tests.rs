use super::*;
use serde_json::{Value, json};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

/// What several reports add up to, each a `usage`.
fn merged(reports: &[Value]) -> Option<Usage> {
    let mut figures = Figures::default();
    for report in reports {
        figures.merge(Some(&raw(report)), None);
    }
    figures.usage()
}

fn raw(value: &Value) -> Box<RawValue> {
    serde_json::value::to_raw_value(value).expect("JSON")
}

fn written(usage: &Usage) -> Value {
    let mut out = Vec::new();
    write(usage, &mut Writer::new(&mut out));
    serde_json::from_slice(&out).expect("JSON")
}

#[test]
fn cached_tokens_are_never_counted_twice() {
    let expected =
        Usage { input_fresh: 200, input_cache_read: 800, output_text: 50, output_reasoning: 150, ..Usage::default() };
    let tokens = json!({"prompt_tokens": 1000, "completion_tokens": 200, "total_tokens": 1200,
        "completion_tokens_details": {"reasoning_tokens": 150}});
    for (place, cached) in [
        ("prompt_tokens_details", json!({"cached_tokens": 800})),
        ("prompt_cache_hit_tokens", json!(800)),
        ("cached_tokens", json!(800)),
    ] {
        let mut usage = tokens.clone();
        usage[place] = cached;
        assert_eq!(merged(&[usage]), Some(expected), "{place}");
    }
}

#[test]
fn every_detail_has_its_bucket() {
    let usage = json!({
        "prompt_tokens": 1000, "completion_tokens": 600, "total_tokens": 1600,
        "prompt_tokens_details": {
            "cached_tokens": 100, "cache_write_tokens": 200, "audio_tokens": 300, "image_tokens": 40, "text_tokens": 660,
            "cache_write_tokens_details": {"ttl_30m_tokens": 150, "ttl_12h_tokens": 50},
        },
        "completion_tokens_details": {
            "reasoning_tokens": 50, "audio_tokens": 150, "image_tokens": 20, "text_tokens": 380,
            "accepted_prediction_tokens": 3, "rejected_prediction_tokens": 9,
        },
        "server_tool_use": {"web_search_requests": 2},
    });
    let expected = Usage {
        input_fresh: 360,
        input_cache_read: 100,
        input_cache_write_5m: 150,
        input_cache_write_1h: 50,
        input_audio: 300,
        input_image: 40,
        output_text: 380,
        output_reasoning: 50,
        output_audio: 150,
        output_image: 20,
        web_search_calls: 2,
        ..Usage::default()
    };
    assert_eq!(merged(std::slice::from_ref(&usage)), Some(expected));
    assert_eq!(merged(&[written(&expected)]), Some(expected));
}

#[test]
fn cache_writes_without_a_split_were_for_the_shorter_time() {
    let usage =
        json!({"prompt_tokens": 10, "completion_tokens": 1, "prompt_tokens_details": {"cache_write_tokens": 7}});
    let expected = Usage { input_fresh: 3, input_cache_write_5m: 7, output_text: 1, ..Usage::default() };
    assert_eq!(merged(&[usage]), Some(expected));
}

#[test]
fn reasoning_that_only_the_total_counts_is_not_free() {
    let usage = json!({"prompt_tokens": 10, "completion_tokens": 20, "total_tokens": 110,
        "completion_tokens_details": {"reasoning_tokens": 80}});
    assert_eq!(
        merged(&[usage]),
        Some(Usage { input_fresh: 10, output_text: 20, output_reasoning: 80, ..Usage::default() })
    );
}

#[test]
fn usage_that_says_nothing_is_missing_and_not_zero() {
    for usage in [
        json!({}),
        json!([]),
        json!(7),
        json!({"prompt_tokens": 5}),
        json!({"completion_tokens": 5}),
        json!({"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}),
        json!({"prompt_tokens": -1, "completion_tokens": 2}),
        json!({"prompt_tokens": 1, "completion_tokens": 2, "prompt_tokens_details": 3}),
        json!({"prompt_tokens": u64::MAX, "completion_tokens": 2}),
    ] {
        assert_eq!(merged(std::slice::from_ref(&usage)), None, "{usage}");
    }
    assert_eq!(merged(&[]), None);
}

#[test]
fn null_details_are_no_details() {
    let usage = json!({"prompt_tokens": 3, "completion_tokens": 4, "prompt_tokens_details": null,
        "completion_tokens_details": {"reasoning_tokens": null}});
    assert_eq!(merged(&[usage]), Some(Usage { input_fresh: 3, output_text: 4, ..Usage::default() }));
}

#[test]
fn unreadable_usage_takes_nothing_back() {
    let good = json!({"prompt_tokens": 3, "completion_tokens": 4});
    let expected = merged(std::slice::from_ref(&good));
    assert_eq!(merged(&[good.clone(), json!({"prompt_tokens": 9, "completion_tokens": "x"})]), expected);
    assert_eq!(merged(&[json!({"prompt_tokens": 9, "completion_tokens": "x"}), good]), expected);
}

#[test]
fn an_answer_says_which_tier_served_it() {
    for (name, expected) in [
        ("default", ServiceTier::Standard),
        ("auto", ServiceTier::Standard),
        ("flex", ServiceTier::Flex),
        ("priority", ServiceTier::Priority),
        ("fast", ServiceTier::Priority),
        ("scale", ServiceTier::Provisioned),
        ("batch", ServiceTier::Batch),
        ("something-new", ServiceTier::Other),
    ] {
        let mut figures = Figures::default();
        let tokens = raw(&json!({"prompt_tokens": 1, "completion_tokens": 1}));
        figures.merge(Some(&tokens), Some(&raw(&json!(name))));
        figures.merge(Some(&tokens), None);
        assert_eq!(figures.usage().unwrap().service_tier, expected, "{name}");
    }
    for tier in [ServiceTier::Standard, ServiceTier::Flex, ServiceTier::Priority, ServiceTier::Provisioned] {
        assert_eq!(tier_of_name(tier_name(tier).unwrap()), tier);
    }
    for tier in [ServiceTier::Batch, ServiceTier::Other] {
        assert_eq!(tier_name(tier), None);
    }
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
        ..Usage::default()
    };
    let expected = json!({
        "prompt_tokens": 15, "completion_tokens": 21, "total_tokens": 36,
        "prompt_tokens_details": {
            "cached_tokens": 2, "cache_write_tokens": 7,
            "cache_write_tokens_details": {"ttl_30m_tokens": 3, "ttl_12h_tokens": 4},
            "audio_tokens": 5,
        },
        "completion_tokens_details": {"reasoning_tokens": 7, "audio_tokens": 8},
    });
    assert_eq!(written(&usage), expected);
}

#[cfg(not(target_arch = "wasm32"))]
mod properties {
    use super::*;
    use proptest::prelude::*;

    const FIGURES: [&str; 12] = [
        "/prompt_tokens",
        "/completion_tokens",
        "/total_tokens",
        "/prompt_tokens_details/cached_tokens",
        "/prompt_tokens_details/cache_write_tokens",
        "/prompt_tokens_details/cache_write_tokens_details/ttl_12h_tokens",
        "/prompt_tokens_details/audio_tokens",
        "/prompt_tokens_details/image_tokens",
        "/completion_tokens_details/reasoning_tokens",
        "/completion_tokens_details/audio_tokens",
        "/completion_tokens_details/image_tokens",
        "/server_tool_use/web_search_requests",
    ];

    /// A `usage` with the figures that `has` picks.
    fn report(figures: &[u64], has: impl Fn(usize) -> bool) -> Value {
        let mut report = json!({});
        for (_, (path, figure)) in FIGURES.iter().zip(figures).enumerate().filter(|(at, _)| has(*at)) {
            let mut place = &mut report;
            for name in path.split('/').skip(1) {
                place = &mut place[name];
            }
            *place = json!(figure);
        }
        report
    }

    proptest! {
        #[test]
        fn buckets_add_up_to_the_inclusive_figures(figures in prop::collection::vec(0..2000_u64, 12)) {
            let Some(usage) = merged(&[report(&figures, |_| true)]) else {
                prop_assert_eq!((figures[0], figures[1].max(figures[2])), (0, 0));
                return Ok(());
            };
            prop_assert_eq!(usage.input(), figures[0]);
            prop_assert_eq!(usage.output(), figures[1].max(figures[2].saturating_sub(figures[0])));
        }

        #[test]
        fn order_repetition_and_splits_change_nothing(
            figures in prop::collection::vec(0..2000_u64, 12),
            split in prop::collection::vec(0..3_usize, 12),
            order in Just(vec![0, 1, 2, 0, 1, 2]).prop_shuffle(),
            zeros in 0..6_usize,
        ) {
            let mut reports: Vec<_> = order.iter().map(|part| report(&figures, |at| split[at] == *part)).collect();
            reports.insert(zeros, report(&[0; 12], |_| true));
            prop_assert_eq!(merged(&reports), merged(&[report(&figures, |_| true)]));
        }

        #[test]
        fn what_is_written_reads_back_as_the_same_buckets(buckets in prop::collection::vec(0..2000_u64, 11)) {
            let usage = Usage {
                input_fresh: buckets[0],
                input_cache_read: buckets[1],
                input_cache_write_5m: buckets[2],
                input_cache_write_1h: buckets[3],
                input_audio: buckets[4],
                input_image: buckets[5],
                output_text: buckets[6],
                output_reasoning: buckets[7],
                output_audio: buckets[8],
                output_image: buckets[9],
                web_search_calls: buckets[10],
                ..Usage::default()
            };
            prop_assert_eq!(merged(&[written(&usage)]), usage.plausible());
        }
    }
}
