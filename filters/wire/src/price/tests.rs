use super::rates::COLUMNS;
use super::{Listed, Price, PriceSource, PriceStatus, Priced};
use crate::money::NanoUsd;
use crate::usage::{ServiceTier, Usage};
use PriceStatus::{Partial, Priced as Known};
use serde_json::{Value, json};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

fn price(json: Value) -> Price {
    tollgate_config::read(&json.to_string()).unwrap()
}

/// Every bucket has another price, so that a cost tells which buckets it is made of.
fn distinct() -> Price {
    price(json!({
        "input": 3, "output": 15, "cache_read": "0.3", "cache_write_5m": 3.75, "cache_write_1h": 6, "reasoning": 20,
        "audio_input": 40, "audio_output": 80, "image_input": 5, "image_output": 30, "cache_read_audio": 0.4,
        "fees": {"web_search": 0.01, "web_fetch": 0, "file_search": 0.0025, "code_interpreter": "0.03",
                 "image_generation": 0.04},
    }))
}

const MILLION: u64 = 1_000_000;
const NONE: Usage = Usage::NONE;
/// A million tokens in each bucket.
const BUCKETS: [Usage; 11] = [
    Usage { input_fresh: MILLION, ..NONE },
    Usage { output_text: MILLION, ..NONE },
    Usage { input_cache_read: MILLION, ..NONE },
    Usage { input_cache_write_5m: MILLION, ..NONE },
    Usage { input_cache_write_1h: MILLION, ..NONE },
    Usage { output_reasoning: MILLION, ..NONE },
    Usage { input_audio: MILLION, ..NONE },
    Usage { output_audio: MILLION, ..NONE },
    Usage { input_image: MILLION, ..NONE },
    Usage { output_image: MILLION, ..NONE },
    Usage { input_cache_read_audio: MILLION, ..NONE },
];

fn dollars(price: &Price, usages: &[Usage]) -> Vec<(String, PriceStatus)> {
    let priced = usages.iter().map(|usage| price.of(usage));
    priced.map(|Priced { cost, status }| (cost.to_string(), status)).collect()
}

#[test]
fn each_bucket_is_charged_at_its_own_price() {
    let expected = ["3.00", "15.00", "0.30", "3.75", "6.00", "20.00", "40.00", "80.00", "5.00", "30.00", "0.40"];
    assert_eq!(dollars(&distinct(), &BUCKETS), expected.map(|cost| (cost.to_owned(), Known)));
    assert_eq!(dollars(&distinct(), &[NONE]), [("0.00".to_owned(), Known)]);
}

#[test]
fn a_bucket_without_a_price_is_never_cheaper_than_its_direction_and_partial_where_it_may_be_dearer() {
    let listed = price(json!({"input": 2, "output": 10}));
    let expected = [
        ("2.00", Known),
        ("10.00", Known),
        ("2.00", Known),   // a discount counts only where it is written down
        ("2.50", Partial), // 1.25 times
        ("5.00", Partial), // 2.5 times
        ("10.00", Known),
        ("2.00", Partial),
        ("10.00", Partial),
        ("2.00", Known),
        ("10.00", Partial),
        ("2.00", Partial),
    ];
    assert_eq!(dollars(&listed, &BUCKETS), expected.map(|(cost, status)| (cost.to_owned(), status)));
    let cached_audio = &BUCKETS[10..];
    for (price, cost, status) in [
        (json!({"input": 2, "output": 10, "audio_input": 40}), "40.00", Known),
        (json!({"input": 2, "output": 10, "cache_read": 0.5}), "0.50", Partial),
        (json!({"input": 2, "output": 10, "cache_read": 0.5, "audio_input": 40}), "40.00", Known),
    ] {
        assert_eq!(dollars(&self::price(price), cached_audio), [(cost.to_owned(), status)]);
    }
}

#[test]
fn a_complete_list_says_that_what_it_does_not_name_costs_what_its_direction_costs() {
    let complete = Price { complete: true, ..price(json!({"input": 2, "output": 10})) };
    let expected = ["2.00", "10.00", "2.00", "2.00", "2.00", "10.00", "2.00", "10.00", "2.00", "10.00", "2.00"];
    assert_eq!(dollars(&complete, &BUCKETS), expected.map(|cost| (cost.to_owned(), Known)));
}

#[test]
fn real_usages_cost_what_the_price_list_says() {
    for (name, usage, dollars) in [
        (
            "openai with cached input and reasoning",
            Usage { input_fresh: 200, input_cache_read: 800, output_text: 50, output_reasoning: 150, ..NONE },
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
                ..NONE
            },
            // 10 x 3 + 5000 x 0.3 + 1000 x 3.75 + 2000 x 6 + 300 x 15 = 21780 millionths
            "0.02178",
        ),
        ("anthropic, figures only at the end", Usage { input_fresh: 42, output_text: 7, ..NONE }, "0.000231"),
        (
            "gemini with thoughts and tool input",
            Usage { input_fresh: 45, input_cache_read: 60, output_text: 20, output_reasoning: 80, ..NONE },
            // 45 x 3 + 60 x 0.3 + 20 x 15 + 80 x 20 = 2053 millionths
            "0.002053",
        ),
        (
            "bedrock with a long-lived cache",
            Usage { input_fresh: 7, input_cache_read: 100, input_cache_write_1h: 50, output_text: 9, ..NONE },
            // 7 x 3 + 100 x 0.3 + 50 x 6 + 9 x 15 = 486 millionths
            "0.000486",
        ),
        ("an attempt that was refused with 429", NONE, "0.00"),
    ] {
        assert_eq!(distinct().of(&usage).cost.to_string(), dollars, "{name}");
    }
}

#[test]
fn a_cost_is_rounded_once_and_half_up() {
    // 0.0001 dollars per million tokens are 0.1 nano-dollars per token.
    let tiny = price(json!({"input": "0.0001", "output": "0.0001", "fast": "1.5", "one_country": 1.1}));
    for (input_fresh, output_text, nanos) in [(4, 0, 0), (5, 0, 1), (14, 0, 1), (15, 0, 2), (3, 3, 1)] {
        let usage = Usage { input_fresh, output_text, ..NONE };
        assert_eq!(tiny.of(&usage).cost, NanoUsd(nanos), "{input_fresh} + {output_text}");
    }
    // 0.1 x 1.5 x 1.1 are 0.165: rounding between the factors would give 2 for the first.
    for (input_fresh, nanos) in [(9, 1), (10, 2), (15, 2), (16, 3)] {
        let usage = Usage { input_fresh, fast: true, in_one_country: true, ..NONE };
        assert_eq!(tiny.of(&usage).cost, NanoUsd(nanos), "{input_fresh}");
    }
}

#[test]
fn more_input_makes_all_tokens_dearer_not_only_those_above() {
    let stepped = price(json!({
        "input": 1, "output": 10, "cache_read": 0.1, "reasoning": 20,
        "long_context": [{"above": 100, "input": 2, "output": 15, "cache_read": 0.2}, {"above": 1000, "input": 3, "output": 10}],
    }));
    let nanos = |usage: Usage| stepped.of(&usage).cost.0;
    assert_eq!(nanos(Usage { input_fresh: 100, output_text: 1, ..NONE }), 110_000);
    assert_eq!(nanos(Usage { input_fresh: 101, output_text: 1, ..NONE }), 202_000 + 15_000);
    // The whole input counts: cached, written, audio and images too.
    for (usage, cost) in [
        (Usage { input_fresh: 1, input_cache_read: 100, ..NONE }, 2_000 + 20_000),
        (Usage { input_fresh: 1, input_image: 100, ..NONE }, 202_000),
        (Usage { input_fresh: 1, input_audio: 100, ..NONE }, 202_000),
        (Usage { input_fresh: 1, input_cache_write_5m: 100, ..NONE }, 2_000 + 250_000),
        (Usage { input_fresh: 1, output_text: 1_000, ..NONE }, 1_000 + 10_000_000),
    ] {
        assert_eq!(nanos(usage), cost, "{usage:?}");
    }
    // What a step does not list is raised with its direction, and never lowered.
    assert_eq!(nanos(Usage { input_fresh: 101, output_reasoning: 1, ..NONE }), 202_000 + 30_000);
    assert_eq!(nanos(Usage { input_fresh: 1001, input_cache_read: 10, ..NONE }), 3_003_000 + 3_000);
    assert_eq!(nanos(Usage { input_fresh: 1001, output_reasoning: 1, ..NONE }), 3_003_000 + 20_000);
}

#[test]
fn a_service_tier_has_prices_of_its_own() {
    let tiered = price(json!({
        "input": 10, "output": 100, "cache_read": 1,
        "long_context": [{"above": 100, "input": 20, "output": 150}],
        "service_tiers": {
            "flex": {"input": 5, "output": 50},
            "priority": {"input": 20, "output": 200, "cache_read": 2,
                         "long_context": [{"above": 100, "input": 40, "output": 300}]},
        },
    }));
    let (short, long) = (Usage { input_fresh: 100, ..NONE }, Usage { input_fresh: 101, output_text: 1, ..NONE });
    let cached = Usage { input_cache_read: 10, ..NONE };
    for (tier, usage, nanos, status) in [
        (ServiceTier::Standard, short, 1_000_000, Known),
        (ServiceTier::Standard, long, 2_020_000 + 150_000, Known),
        (ServiceTier::Flex, short, 500_000, Known),
        (ServiceTier::Flex, cached, 10_000, Known), // not listed: as much as usual
        (ServiceTier::Flex, long, 2_020_000 + 150_000, Partial), // no price for this: the dearer of the two
        (ServiceTier::Priority, short, 2_000_000, Known),
        (ServiceTier::Priority, cached, 20_000, Known),
        (ServiceTier::Priority, long, 4_040_000 + 300_000, Known),
        (ServiceTier::Batch, short, 1_000_000, Partial),
        (ServiceTier::Provisioned, short, 1_000_000, Partial),
        (ServiceTier::Other, long, 2_020_000 + 150_000, Partial),
    ] {
        let priced = tiered.of(&Usage { service_tier: tier, ..usage });
        assert_eq!((priced.cost.0, priced.status), (nanos, status), "{tier:?} {usage:?}");
    }
}

#[test]
fn factors_multiply_the_price_of_tokens_and_not_fees() {
    let modes = price(json!({"input": 5, "output": 25, "fees": {"web_search": 0.01}, "fast": 6, "one_country": 1.1}));
    let usage = Usage { input_fresh: 1000, web_search_calls: 1, ..NONE };
    let (fast, at_home) = (Usage { fast: true, ..usage }, Usage { in_one_country: true, ..usage });
    for (usage, nanos) in [
        (usage, 15_000_000),
        (fast, 40_000_000),
        (at_home, 15_500_000),
        (Usage { in_one_country: true, ..fast }, 43_000_000),
    ] {
        assert_eq!(modes.of(&usage), Priced { cost: NanoUsd(nanos), status: Known }, "{usage:?}");
    }
    for usage in [fast, at_home] {
        let priced = distinct().of(&usage);
        assert_eq!(priced, Priced { cost: NanoUsd(13_000_000), status: Partial }, "no factor is listed");
    }
}

#[test]
fn each_call_has_its_fee_and_one_without_makes_the_cost_partial() {
    let calls = |calls: u64| {
        [
            Usage { web_search_calls: calls, ..NONE },
            Usage { web_fetch_calls: calls, ..NONE },
            Usage { file_search_calls: calls, ..NONE },
            Usage { code_interpreter_calls: calls, ..NONE },
            Usage { image_generation_calls: calls, ..NONE },
        ]
    };
    let expected = ["0.02", "0.00", "0.005", "0.06", "0.08"];
    assert_eq!(dollars(&distinct(), &calls(2)), expected.map(|cost| (cost.to_owned(), Known)));
    let without = price(json!({"input": 1, "output": 1, "fees": {"request": 0.005}}));
    assert_eq!(dollars(&without, &calls(2)), [(); 5].map(|()| ("0.005".to_owned(), Partial)));
    assert_eq!(dollars(&without, &[NONE]), [("0.005".to_owned(), Known)]);
}

#[test]
fn a_cost_beyond_all_money_is_the_largest_amount() {
    let most = u64::MAX;
    let usage = Usage {
        input_fresh: most,
        input_cache_read: most,
        input_cache_write_5m: most,
        input_audio: most,
        output_text: most,
        output_image: most,
        web_search_calls: most,
        fast: true,
        in_one_country: true,
        ..NONE
    };
    let dearest = json!({
        "input": 1_000_000, "output": 1_000_000, "fast": 1000, "one_country": 1000, "fees": {"web_search": 1_000_000},
        "long_context": [{"above": 0, "input": 1_000_000, "output": 1_000_000}],
    });
    assert_eq!(price(dearest).of(&usage).cost, NanoUsd(most));
    assert_eq!(price(json!({"input": 0, "output": 0})).of(&usage).cost, NanoUsd(0));
}

#[test]
fn what_is_no_price_is_refused_with_the_field() {
    for (json, message) in [
        (json!({"output": 1}), "missing field `input`"),
        (json!({"input": 1}), "missing field `output`"),
        (json!({"input": -1, "output": 1}), "must not be negative"),
        (json!({"input": 1, "output": 1, "cached": 1}), "unknown field `cached`, expected one of `input`, `output`, "),
        (json!({"input": 1, "output": 1, "above": 1}), "unknown field `above`"),
        (json!({"input": 1, "output": 1, "fast": 1001}), "must be at most 1000, with up to 4 decimals"),
        (json!({"input": 1, "output": 1, "one_country": "1.00001"}), "must be at most 1000, with up to 4 decimals"),
        (json!({"input": 1, "output": 1, "fees": {"tool": 1}}), "unknown field `tool`, expected one of `request`, "),
        (json!({"input": 1, "output": 1, "fees": 1}), "invalid type: integer `1`, expected an object with prices"),
        (json!({"input": 1, "output": 1, "long_context": [{"input": 1, "output": 1}]}), "missing field `above`"),
        (json!({"input": 1, "output": 1, "long_context": [{"above": 1, "output": 1}]}), "missing field `input`"),
        (
            json!({"input": 1, "output": 1, "long_context": [
                {"above": 2, "input": 1, "output": 1}, {"above": 2, "input": 1, "output": 1},
            ]}),
            "must be in ascending order of `above`",
        ),
        (
            json!({"input": 1, "output": 1, "service_tiers": {"scale": {}}}),
            "unknown field `scale`, expected one of `flex`",
        ),
        (json!({"input": 1, "output": 1, "service_tiers": {"flex": {"input": 1}}}), "missing field `output`"),
        (
            json!({"input": 1, "output": 1, "service_tiers": {"flex": {"input": 1, "output": 1, "fees": {}}}}),
            "unknown field `fees`",
        ),
    ] {
        let error = tollgate_config::read::<Price>(&json.to_string()).unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }
    let doubled = r#"{"input": 1, "output": 1, "input": 2}"#;
    assert!(tollgate_config::read::<Price>(doubled).unwrap_err().to_string().starts_with("duplicate field `input`"));
}

#[test]
fn a_price_of_a_configuration_is_its_own_source() {
    let read: Listed = tollgate_config::read(r#"{"input": 1, "output": 2}"#).unwrap();
    assert_eq!((read.source, read.source.name()), (PriceSource::Config, "config"));
    assert!(PriceSource::Table.name().starts_with("litellm-"));
}

#[test]
fn the_schema_takes_what_the_parser_takes() {
    let schema = schemars::schema_for!(Price).to_value();
    assert_eq!(schema["required"], json!(["input", "output"]));
    assert_eq!(schema["additionalProperties"], false);
    for column in &COLUMNS {
        assert_eq!(schema["properties"][column.name]["$ref"], "#/$defs/Decimal", "{}", column.name);
    }
    assert_eq!(schema["$defs"]["Decimal"]["type"], json!(["number", "string"]));
    assert_eq!(schema["$defs"]["Decimal"]["maximum"], 1_000_000);
    assert_eq!(schema["properties"]["long_context"]["items"]["$ref"], "#/$defs/LongContext");
    assert_eq!(schema["$defs"]["LongContext"]["required"], json!(["above", "input", "output"]));
    assert_eq!(schema["properties"]["service_tiers"]["properties"]["flex"]["$ref"], "#/$defs/TierPrice");
    let tier = &schema["$defs"]["TierPrice"]["properties"];
    assert!(tier["long_context"].is_object() && tier["fees"].is_null());
    let fees = &schema["properties"]["fees"]["properties"];
    assert_eq!(fees["image_generation"]["description"], "Each image that a tool of the provider made.");
    assert_eq!(fees.as_object().map(serde_json::Map::len), Some(6));
}

#[cfg(not(target_arch = "wasm32"))]
#[expect(clippy::arithmetic_side_effects, reason = "tests")]
mod any_amount {
    use super::super::decimal::Decimal;
    use super::super::{Level, Price, Rates, Step, Tiers};
    use super::COLUMNS;
    use crate::usage::{ServiceTier, Usage};
    use proptest::prelude::*;

    const MAX_RATE: u64 = 1_000_000_000_000_000;

    fn decimal() -> impl Strategy<Value = Decimal> {
        (0..=MAX_RATE).prop_map(Decimal)
    }

    fn rates() -> impl Strategy<Value = Rates> {
        (decimal(), decimal(), any::<[Option<u64>; 9]>()).prop_map(|(input, output, own)| {
            let mut rates = Rates::default();
            let both = [Some(input), Some(output)];
            let own = own.map(|rate| rate.map(|rate| Decimal(rate % (MAX_RATE + 1))));
            for (rate, value) in rates.0.iter_mut().zip(both.into_iter().chain(own)) {
                *rate = value;
            }
            rates
        })
    }

    /// A price of which each step and tier is at least as dear as what it stands over.
    fn price() -> impl Strategy<Value = Price> {
        (rates(), 0..1000_u64, 0..1000_u64, any::<bool>()).prop_map(|(rates, more, above, complete)| {
            let dearer = |factor: u64| {
                Rates(rates.0.map(|rate| rate.map(|Decimal(rate)| Decimal(rate.saturating_mul(1000 + factor) / 1000))))
            };
            let level = |factor: u64| Level {
                rates: dearer(factor),
                long_context: vec![Step { above, rates: dearer(factor + more) }],
            };
            let tiers = Tiers { priority: Some(level(more)), ..Tiers::default() };
            Price { standard: level(0), tiers, complete, ..Price::default() }
        })
    }

    fn usage(tokens: [u64; 11], tier: ServiceTier) -> Usage {
        let [
            input_fresh,
            input_cache_read,
            input_cache_read_audio,
            input_cache_write_5m,
            input_cache_write_1h,
            input_audio,
            input_image,
            output_text,
            output_reasoning,
            output_audio,
            output_image,
        ] = tokens;
        Usage {
            input_fresh,
            input_cache_read,
            input_cache_read_audio,
            input_cache_write_5m,
            input_cache_write_1h,
            input_audio,
            input_image,
            output_text,
            output_reasoning,
            output_audio,
            output_image,
            service_tier: tier,
            ..Usage::NONE
        }
    }

    fn tier() -> impl Strategy<Value = ServiceTier> {
        prop::sample::select(vec![ServiceTier::Standard, ServiceTier::Priority, ServiceTier::Flex, ServiceTier::Other])
    }

    proptest! {
        #[test]
        fn a_decimal_written_as_a_number_or_a_string_is_the_same(billionths in 0..=MAX_RATE) {
            let text = format!("{}.{:09}", billionths / 1_000_000_000, billionths % 1_000_000_000);
            prop_assert_eq!(tollgate_config::read::<Decimal>(&text).unwrap(), Decimal(billionths));
            prop_assert_eq!(text.parse(), Ok(Decimal(billionths)));
        }

        #[test]
        fn more_tokens_in_any_bucket_never_cost_less(
            price in price(),
            tokens in any::<[u64; 11]>(),
            small in any::<bool>(),
            bucket in 0..11_usize,
            more in any::<u64>(),
            tier in tier(),
        ) {
            let tokens = if small { tokens.map(|tokens| tokens % 300) } else { tokens };
            let mut grown = tokens;
            grown[bucket] = grown[bucket].saturating_add(if small { more % 300 } else { more });
            let (before, after) = (price.of(&usage(tokens, tier)), price.of(&usage(grown, tier)));
            prop_assert!(before.cost <= after.cost);
            prop_assert!(before.status <= after.status, "what has no price does not get one");
        }

        #[test]
        fn nothing_costs_more_than_the_most_that_was_said_before(
            price in price(),
            input in 0..1_000_000_u64,
            output in 0..100_000_u64,
            (from, to) in (0..7_usize, 7..11_usize),
            premium in any::<bool>(),
        ) {
            let mut tokens = [0; 11];
            (tokens[from], tokens[to]) = (input, output);
            let tier = if premium { ServiceTier::Priority } else { ServiceTier::Standard };
            let priced = price.of(&usage(tokens, tier));
            if priced.status == super::PriceStatus::Priced {
                prop_assert!(priced.cost <= price.most(input, output, premium), "{priced:?}");
            }
        }

        #[test]
        fn a_cost_is_the_sum_of_its_buckets_but_for_the_rounding(price in price(), tokens in any::<[u16; 11]>()) {
            let price = Price { standard: Level { rates: price.standard.rates, long_context: Vec::new() }, ..price };
            let tokens = tokens.map(u64::from);
            let apart: u64 = (0..11).map(|bucket| {
                let mut alone = [0; 11];
                alone[bucket] = tokens[bucket];
                price.of(&usage(alone, ServiceTier::Standard)).cost.0
            }).sum();
            let whole = price.of(&usage(tokens, ServiceTier::Standard)).cost.0;
            prop_assert!(apart.abs_diff(whole) <= 6, "{apart} {whole}");
        }

        #[test]
        fn a_tier_that_does_not_list_a_bucket_never_makes_it_cheaper_than_usual_or_than_its_own_direction(
            rates in rates(),
            input in decimal(),
            output in decimal(),
        ) {
            let mut sparse = Rates::default();
            for (rate, value) in sparse.0.iter_mut().zip([input, output]) {
                *rate = Some(value);
            }
            let listed = rates.0;
            for ((charge, usual), column) in sparse.over(&rates).charges(true).into_iter().zip(listed).zip(&COLUMNS).take(10).skip(2) {
                let at_least = usual.unwrap_or(if column.output { output } else { input });
                prop_assert!(charge.rate >= at_least, "{}", column.name);
            }
        }
    }
}
