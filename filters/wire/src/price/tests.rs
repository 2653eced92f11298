use super::{NotARate, Price, Rate};
use crate::money::NanoUsd;
use crate::usage::Usage;
use serde_json::{Value, json};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

fn price(json: Value) -> Price {
    serde_json::from_value(json).unwrap()
}

/// Every bucket has another price, so that a cost tells which buckets it is made of.
fn distinct() -> Price {
    price(json!({
        "input": 3, "output": 15, "cache_read": "0.3", "cache_write_5m": 3.75, "cache_write_1h": 6,
        "reasoning": 20, "audio_input": 40, "audio_output": 80,
    }))
}

fn rate(text: &str) -> Result<u64, NotARate> {
    text.parse().map(|rate: Rate| rate.nano_usd_per_million)
}

#[test]
fn rates_are_read_exactly() {
    for (text, nanos) in [
        ("0", 0),
        ("3", 3_000_000_000),
        ("3.00", 3_000_000_000),
        ("0.25", 250_000_000),
        ("0.0375", 37_500_000),
        ("0.000000001", 1),
        ("999999.999999999", 999_999_999_999_999),
        ("1000000", 1_000_000_000_000_000),
        ("1000000.000000000", 1_000_000_000_000_000),
    ] {
        assert_eq!(rate(text), Ok(nanos), "{text}");
        for json in [text.to_owned(), format!("\"{text}\"")] {
            let read: Rate = serde_json::from_str(&json).unwrap();
            assert_eq!(read.nano_usd_per_million, nanos, "{json}");
        }
    }
}

#[test]
fn what_is_not_a_rate_is_refused_with_the_reason() {
    for (text, reason) in [
        ("", NotARate::NotDecimal),
        ("-", NotARate::NotDecimal),
        ("$3", NotARate::NotDecimal),
        ("+3", NotARate::NotDecimal),
        (" 3", NotARate::NotDecimal),
        ("3.", NotARate::NotDecimal),
        (".5", NotARate::NotDecimal),
        ("1.2.3", NotARate::NotDecimal),
        ("1.-2", NotARate::NotDecimal),
        ("1,000", NotARate::NotDecimal),
        ("3e-6", NotARate::NotDecimal),
        ("NaN", NotARate::NotDecimal),
        ("inf", NotARate::NotDecimal),
        ("٣", NotARate::NotDecimal),
        ("-3", NotARate::Negative),
        ("-0.5", NotARate::Negative),
        ("0.0000000001", NotARate::TooPrecise),
        ("1000000.000000001", NotARate::TooHigh),
        ("1000001", NotARate::TooHigh),
        ("18446744074", NotARate::TooHigh),
        (&"9".repeat(1000), NotARate::TooHigh),
    ] {
        assert_eq!(rate(text), Err(reason), "{text}");
    }
}

#[test]
fn json_that_is_not_a_rate_is_refused_with_the_reason() {
    for (json, message) in [
        ("-3", "must not be negative"),
        ("-0.5", "must not be negative"),
        ("1e-10", "must not have more than 9 decimals"),
        ("0.30000000000000004", "must not have more than 9 decimals"),
        ("1e300", "must not be above 1000000 dollars per million tokens"),
        ("\"free\"", "must be a decimal number such as `2.5`"),
        ("null", "invalid type: null, expected US dollars per million tokens, for example 2.5 or \"2.5\""),
        ("[1]", "invalid type: sequence, expected US dollars per million tokens, for example 2.5 or \"2.5\""),
    ] {
        let error = serde_json::from_str::<Rate>(json).unwrap_err().to_string();
        assert!(error.starts_with(message), "{json}: {error}");
    }
}

#[test]
fn a_price_needs_input_and_output_and_knows_its_fields() {
    for (json, message) in [
        (json!({"output": 1}), "missing field `input`"),
        (json!({"input": 1}), "missing field `output`"),
        (json!({"input": 1, "output": 1, "cached": 1}), "unknown field `cached`"),
    ] {
        let error = serde_json::from_value::<Price>(json).unwrap_err().to_string();
        assert!(error.starts_with(message), "{error}");
    }
}

#[test]
fn a_bucket_without_a_price_costs_what_its_direction_costs() {
    let listed = price(json!({"input": 2, "output": 10}));
    let input = Usage {
        input_fresh: 1,
        input_cache_read: 1,
        input_cache_write_5m: 1,
        input_cache_write_1h: 1,
        input_audio: 1,
        ..Usage::default()
    };
    let output = Usage { output_text: 1, output_reasoning: 1, output_audio: 1, ..Usage::default() };
    assert_eq!(listed.cost(&input), NanoUsd(5 * 2_000));
    assert_eq!(listed.cost(&output), NanoUsd(3 * 10_000));
}

#[test]
fn each_bucket_is_charged_at_its_own_price() {
    let million = 1_000_000;
    let none = Usage::default();
    for (usage, dollars) in [
        (none, "0.00"),
        (Usage { input_fresh: million, ..none }, "3.00"),
        (Usage { input_cache_read: million, ..none }, "0.30"),
        (Usage { input_cache_write_5m: million, ..none }, "3.75"),
        (Usage { input_cache_write_1h: million, ..none }, "6.00"),
        (Usage { input_audio: million, ..none }, "40.00"),
        (Usage { output_text: million, ..none }, "15.00"),
        (Usage { output_reasoning: million, ..none }, "20.00"),
        (Usage { output_audio: million, ..none }, "80.00"),
    ] {
        assert_eq!(distinct().cost(&usage).to_string(), dollars);
    }
}

#[test]
fn real_usages_cost_what_the_price_list_says() {
    let none = Usage::default();
    for (name, usage, dollars) in [
        (
            "openai with cached input and reasoning",
            Usage { input_fresh: 200, input_cache_read: 800, output_text: 50, output_reasoning: 150, ..none },
            // 200 x 3 + 800 x 0.3 + 50 x 15 + 150 x 20 = 4590 millionths
            "0.00459",
        ),
        (
            "anthropic with both cache lifetimes",
            Usage {
                input_fresh: 10,
                input_cache_read: 5000,
                input_cache_write_5m: 1000,
                input_cache_write_1h: 2000,
                output_text: 300,
                ..none
            },
            // 10 x 3 + 5000 x 0.3 + 1000 x 3.75 + 2000 x 6 + 300 x 15 = 21780 millionths
            "0.02178",
        ),
        ("anthropic, figures only at the end", Usage { input_fresh: 42, output_text: 7, ..none }, "0.000231"),
        (
            "gemini with thoughts and tool input",
            Usage { input_fresh: 45, input_cache_read: 60, output_text: 20, output_reasoning: 80, ..none },
            // 45 x 3 + 60 x 0.3 + 20 x 15 + 80 x 20 = 2053 millionths
            "0.002053",
        ),
        (
            "bedrock with a long-lived cache",
            Usage { input_fresh: 7, input_cache_read: 100, input_cache_write_1h: 50, output_text: 9, ..none },
            // 7 x 3 + 100 x 0.3 + 50 x 6 + 9 x 15 = 486 millionths
            "0.000486",
        ),
        ("an attempt that was refused with 429", none, "0.00"),
    ] {
        assert_eq!(distinct().cost(&usage).to_string(), dollars, "{name}");
    }
}

#[test]
fn a_cost_is_rounded_once_and_half_up() {
    // 0.0001 dollars per million tokens are 0.1 nano-dollars per token.
    let tiny = price(json!({"input": "0.0001", "output": "0.0001"}));
    for (input_fresh, output_text, nanos) in [(4, 0, 0), (5, 0, 1), (14, 0, 1), (15, 0, 2), (3, 3, 1)] {
        let usage = Usage { input_fresh, output_text, ..Usage::default() };
        assert_eq!(tiny.cost(&usage), NanoUsd(nanos), "{input_fresh} + {output_text}");
    }
}

#[test]
fn a_cost_beyond_all_money_is_the_largest_amount() {
    let most = u64::MAX;
    let usage = Usage {
        input_fresh: most,
        input_cache_read: most,
        input_cache_write_5m: most,
        input_cache_write_1h: most,
        input_audio: most,
        output_text: most,
        output_reasoning: most,
        output_audio: most,
    };
    assert_eq!(price(json!({"input": 1_000_000, "output": 1_000_000})).cost(&usage), NanoUsd(most));
    assert_eq!(price(json!({"input": 0, "output": 0})).cost(&usage), NanoUsd(0));
}

#[test]
fn the_schema_takes_what_the_parser_takes() {
    let schema = schemars::schema_for!(Price).to_value();
    assert_eq!(schema["required"], json!(["input", "output"]));
    assert_eq!(schema["additionalProperties"], false);
    assert_eq!(schema["$defs"]["Rate"]["type"], json!(["number", "string"]));
    assert_eq!(schema["$defs"]["Rate"]["maximum"], 1_000_000);
}

#[cfg(not(target_arch = "wasm32"))]
#[expect(clippy::arithmetic_side_effects, reason = "tests")]
mod any_amount {
    use super::{Price, Rate, Usage};
    use proptest::prelude::*;

    const MAX_RATE: u64 = 1_000_000_000_000_000;

    fn rate() -> impl Strategy<Value = Rate> {
        (0..=MAX_RATE).prop_map(|nano_usd_per_million| Rate { nano_usd_per_million })
    }

    fn price() -> impl Strategy<Value = Price> {
        let own = || prop::option::of(rate());
        (rate(), rate(), own(), own(), own(), own(), own(), own()).prop_map(
            |(input, output, cache_read, cache_write_5m, cache_write_1h, reasoning, audio_input, audio_output)| Price {
                input,
                output,
                cache_read,
                cache_write_5m,
                cache_write_1h,
                reasoning,
                audio_input,
                audio_output,
            },
        )
    }

    fn usage(tokens: [u64; 8]) -> Usage {
        let [
            input_fresh,
            input_cache_read,
            input_cache_write_5m,
            input_cache_write_1h,
            input_audio,
            output_text,
            output_reasoning,
            output_audio,
        ] = tokens;
        Usage {
            input_fresh,
            input_cache_read,
            input_cache_write_5m,
            input_cache_write_1h,
            input_audio,
            output_text,
            output_reasoning,
            output_audio,
        }
    }

    proptest! {
        #[test]
        fn a_rate_written_as_a_number_or_a_string_is_the_same(nanos in 0..=MAX_RATE) {
            let text = format!("{}.{:09}", nanos / 1_000_000_000, nanos % 1_000_000_000);
            let expected = Rate { nano_usd_per_million: nanos };
            prop_assert_eq!(serde_json::from_str::<Rate>(&text).unwrap(), expected);
            prop_assert_eq!(text.parse(), Ok(expected));
        }

        #[test]
        fn more_tokens_in_any_bucket_never_cost_less(
            price in price(),
            tokens in any::<[u64; 8]>(),
            bucket in 0..8_usize,
            more in any::<u64>(),
        ) {
            let mut grown = tokens;
            grown[bucket] = grown[bucket].saturating_add(more);
            prop_assert!(price.cost(&usage(tokens)) <= price.cost(&usage(grown)));
        }

        #[test]
        fn splitting_tokens_between_calls_moves_the_sum_only_by_the_rounding(
            price in price(),
            first in any::<[u32; 8]>(),
            second in any::<[u16; 8]>(),
        ) {
            let (first, second) = (first.map(u64::from), second.map(u64::from));
            let both = std::array::from_fn(|bucket| first[bucket] + second[bucket]);
            let apart = price.cost(&usage(first)).saturating_add(price.cost(&usage(second)));
            prop_assert!(apart.0.abs_diff(price.cost(&usage(both)).0) <= 1);
        }
    }
}
