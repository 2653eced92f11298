//! What is promised of token figures.

use super::*;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

fn read(usage: &str) -> Option<Figures> {
    Figures::read(serde_json::from_str(usage).unwrap())
}

fn merged(events: &[&str]) -> Option<Usage> {
    let mut figures = Figures::default();
    for event in events {
        figures.merge(&read(event).unwrap());
    }
    figures.usage()
}

fn written(write: fn(&Usage, &mut Writer<'_>), usage: &Usage) -> String {
    let mut out = Vec::new();
    write(usage, &mut Writer::new(&mut out));
    String::from_utf8(out).unwrap()
}

const MIXED_TTL: &str = r#"{"input_tokens":10,"cache_read_input_tokens":5000,"cache_creation_input_tokens":3000,
    "cache_creation":{"ephemeral_5m_input_tokens":1000,"ephemeral_1h_input_tokens":2000},"output_tokens":300}"#;

fn mixed_ttl() -> Usage {
    Usage {
        input_fresh: 10,
        input_cache_read: 5000,
        input_cache_write_5m: 1000,
        input_cache_write_1h: 2000,
        output_text: 300,
        ..Usage::default()
    }
}

#[test]
fn cache_figures_stand_beside_the_input_not_inside_it() {
    assert_eq!(merged(&[MIXED_TTL]), Some(mixed_ttl()));
}

#[test]
fn cache_writes_without_a_split_were_for_five_minutes() {
    for split in ["", r#","cache_creation":null"#, r#","cache_creation":{}"#] {
        let usage = merged(&[&format!(r#"{{"cache_creation_input_tokens":3000{split}}}"#)]);
        assert_eq!(usage, Some(Usage { input_cache_write_5m: 3000, ..Usage::default() }), "{split}");
    }
}

#[test]
fn thinking_is_taken_out_of_the_output() {
    for (output, thinking, text, reasoning) in [(300, 250, 50, 250), (300, 0, 300, 0), (5, 9, 0, 5)] {
        let event = format!(r#"{{"output_tokens":{output},"output_tokens_details":{{"thinking_tokens":{thinking}}}}}"#);
        let expected = Usage { output_text: text, output_reasoning: reasoning, ..Usage::default() };
        assert_eq!(merged(&[&event]), Some(expected));
    }
}

#[test]
fn later_figures_replace_earlier_ones_and_are_never_added() {
    let delta = r#"{"input_tokens":10,"cache_read_input_tokens":5000,"output_tokens":300}"#;
    assert_eq!(merged(&[MIXED_TTL, delta, delta, MIXED_TTL]), Some(mixed_ttl()));
}

#[test]
fn a_split_given_only_at_the_start_stays() {
    let delta = r#"{"cache_creation_input_tokens":3500,"output_tokens":300}"#;
    assert_eq!(merged(&[MIXED_TTL, delta]), Some(Usage { input_cache_write_5m: 1500, ..mixed_ttl() }));
}

#[test]
fn zeros_of_compatible_servers_never_erase_a_figure() {
    let start = r#"{"input_tokens":0,"output_tokens":0}"#;
    let delta = r#"{"input_tokens":42,"output_tokens":7}"#;
    let expected = Some(Usage { input_fresh: 42, output_text: 7, ..Usage::default() });
    assert_eq!(merged(&[start, delta]), expected);
    assert_eq!(merged(&[start, delta, start]), expected);
}

#[test]
fn missing_figures_are_not_zero() {
    assert_eq!(merged(&[]), None);
    assert_eq!(merged(&["{}", r#"{"input_tokens":null}"#, r#"{"input_tokens":0,"output_tokens":0}"#]), None);
}

#[test]
fn what_is_no_figure_makes_the_whole_unknown() {
    for usage in [
        "[]",
        "7",
        r#"{"input_tokens":10,"output_tokens":-1}"#,
        r#"{"input_tokens":10,"output_tokens":"7"}"#,
        r#"{"input_tokens":10.5,"output_tokens":7}"#,
        r#"{"input_tokens":99999999999999999999,"output_tokens":7}"#,
        r#"{"input_tokens":10,"output_tokens":7,"cache_creation":[]}"#,
        r#"{"input_tokens":10,"output_tokens":7,"output_tokens_details":{"thinking_tokens":"x"}}"#,
    ] {
        assert!(read(usage).is_none(), "{usage}");
    }
    assert_eq!(merged(&[r#"{"input_tokens":9999999999999999,"output_tokens":7}"#]), None, "nothing is that long");
}

#[test]
fn all_that_sets_the_price_is_read() {
    let usage = Usage { input_fresh: 1, output_text: 2, ..Usage::default() };
    for (fields, expected) in [
        (
            r#""server_tool_use":{"web_search_requests":3,"web_fetch_requests":4}"#,
            Usage { web_search_calls: 3, web_fetch_calls: 4, ..usage },
        ),
        (r#""server_tool_use":null"#, usage),
        (r#""service_tier":"standard","speed":"standard","inference_geo":"global""#, usage),
        (r#""service_tier":"priority""#, Usage { service_tier: ServiceTier::Priority, ..usage }),
        (r#""service_tier":"batch""#, Usage { service_tier: ServiceTier::Batch, ..usage }),
        (r#""service_tier":"a_new_one""#, Usage { service_tier: ServiceTier::Other, ..usage }),
        (r#""speed":"fast""#, Usage { fast: true, ..usage }),
        (r#""inference_geo":"us""#, Usage { in_one_country: true, ..usage }),
        (r#""inference_geo":"not_available""#, usage),
    ] {
        let event = format!(r#"{{"input_tokens":1,"output_tokens":2,{fields}}}"#);
        let delta = r#"{"output_tokens":2}"#;
        assert_eq!(merged(&[&event, delta]), Some(expected), "{fields}");
    }
}

#[test]
fn no_iteration_is_counted_twice_and_none_is_lost() {
    let usage = Usage { input_fresh: 100, output_text: 20, ..Usage::default() };
    for (iterations, expected) in [
        (r#"[]"#, usage),
        (r#""a new form""#, usage),
        (r#"[{"type":"message","input_tokens":100,"output_tokens":20}]"#, usage),
        (
            r#"[{"type":"message","input_tokens":40,"output_tokens":5},{"type":"message","input_tokens":60,"output_tokens":15}]"#,
            usage,
        ),
        // Neither is in the figures of the whole.
        (
            r#"[{"type":"compaction","input_tokens":1000,"cache_creation_input_tokens":7,"output_tokens":300},
                {"type":"message","input_tokens":100,"output_tokens":20}]"#,
            Usage { input_fresh: 1100, input_cache_write_5m: 7, output_text: 320, ..usage },
        ),
        (
            r#"[{"type":"message","input_tokens":100,"output_tokens":20},
                {"type":"advisor_message","model":"m","input_tokens":5000,"cache_read_input_tokens":6,"output_tokens":700}]"#,
            Usage { input_fresh: 5100, input_cache_read: 6, output_text: 720, other_models: true, ..usage },
        ),
        // The whole is the answer of the model that took over; the one that declined half-way is billed too.
        (
            r#"[{"type":"message","input_tokens":90,"output_tokens":9},
                {"type":"fallback_message","model":"m","input_tokens":100,"output_tokens":20}]"#,
            Usage { input_fresh: 190, output_text: 29, ..usage },
        ),
        (
            r#"[{"type":"message","input_tokens":90,"output_tokens":0},
                {"type":"fallback_message","model":"m","input_tokens":100,"output_tokens":20}]"#,
            usage,
        ),
        (r#"[{"type":"a_new_type","input_tokens":90,"output_tokens":9},7]"#, usage),
    ] {
        let event = format!(r#"{{"input_tokens":100,"output_tokens":20,"iterations":{iterations}}}"#);
        let start = r#"{"input_tokens":100,"output_tokens":1}"#;
        assert_eq!(merged(&[start, &event, &event]), Some(expected), "{iterations}");
    }
}

#[test]
fn iterations_know_the_split_of_cache_writes_too() {
    let split = r#"{"type":"compaction","cache_creation_input_tokens":30,"output_tokens":1,
        "cache_creation":{"ephemeral_5m_input_tokens":10,"ephemeral_1h_input_tokens":20}}"#;
    let event = MIXED_TTL.replacen('{', &format!(r#"{{"iterations":[{split},{split}],"#), 1);
    let expected = Usage { input_cache_write_5m: 1020, input_cache_write_1h: 2040, output_text: 302, ..mixed_ttl() };
    assert_eq!(merged(&[&event]), Some(expected));
}

#[test]
fn what_is_written_reads_back_as_the_same_buckets() {
    let usage = Usage {
        output_reasoning: 40,
        web_search_calls: 1,
        service_tier: ServiceTier::Batch,
        fast: true,
        in_one_country: true,
        ..mixed_ttl()
    };
    for write in [write_whole, write_delta] {
        assert_eq!(merged(&[&written(write, &usage)]), Some(usage));
    }
}

#[test]
fn what_anthropic_has_no_figure_for_counts_as_plain() {
    let usage = Usage {
        input_fresh: 1,
        input_audio: 2,
        input_image: 4,
        output_text: 8,
        output_audio: 16,
        output_image: 32,
        file_search_calls: 1,
        service_tier: ServiceTier::Flex,
        ..Usage::default()
    };
    let expected = Usage { input_fresh: 7, output_text: 56, ..Usage::default() };
    assert_eq!(merged(&[&written(write_delta, &usage)]), Some(expected));
}

#[test]
fn huge_figures_do_not_overflow() {
    let max = u64::MAX;
    let usage = Usage {
        input_fresh: max,
        input_audio: max,
        input_cache_write_5m: max,
        input_cache_write_1h: max,
        output_text: max,
        output_audio: max,
        ..Usage::default()
    };
    assert!(written(write_whole, &usage).starts_with(&format!(r#"{{"input_tokens":{max},"#)));
    let entry = format!(r#"{{"type":"advisor_message","input_tokens":{max},"output_tokens":{max}}}"#);
    assert_eq!(merged(&[&format!(r#"{{"input_tokens":1,"iterations":[{entry},{entry}]}}"#)]), None);
}

#[cfg(not(target_arch = "wasm32"))]
mod properties {
    use super::*;
    use proptest::prelude::*;

    /// Where a figure stands in a `usage` object.
    const FIGURES: [(&str, &str); 9] = [
        ("", "input_tokens"),
        ("", "cache_read_input_tokens"),
        ("", "cache_creation_input_tokens"),
        ("cache_creation", "ephemeral_5m_input_tokens"),
        ("cache_creation", "ephemeral_1h_input_tokens"),
        ("", "output_tokens"),
        ("output_tokens_details", "thinking_tokens"),
        ("server_tool_use", "web_search_requests"),
        ("server_tool_use", "web_fetch_requests"),
    ];

    fn tokens() -> impl Strategy<Value = u64> {
        prop_oneof![Just(0), 1..100_000u64]
    }

    fn event(figures: &[Option<u64>]) -> String {
        let mut event = serde_json::json!({});
        for ((inside, name), figure) in FIGURES.iter().zip(figures) {
            if let Some(figure) = figure {
                let object = if inside.is_empty() { &mut event } else { &mut event[*inside] };
                object[*name] = (*figure).into();
            }
        }
        event.to_string()
    }

    proptest! {
        /// Every figure is told at least once with its final value. Before that an event may leave it out, or tell zero or
        /// less of it; after that it may leave it out, or tell zero or the same.
        #[test]
        fn however_the_figures_are_split_over_events_the_buckets_are_the_same(
            last in prop::collection::vec(tokens(), FIGURES.len()),
            told in prop::collection::vec((0..4usize, prop::collection::vec(0..4u8, 4)), FIGURES.len()),
        ) {
            let event_at = |at: usize| -> String {
                let figures = last.iter().zip(&told).map(|(&last, (final_at, others))| match (at.cmp(final_at), others[at]) {
                    (std::cmp::Ordering::Equal, _) => Some(last),
                    (_, 0) => None,
                    (_, 1) => Some(0),
                    (std::cmp::Ordering::Less, _) => Some(last / 2),
                    (std::cmp::Ordering::Greater, _) => Some(last),
                });
                event(&figures.collect::<Vec<_>>())
            };
            let events: Vec<String> = (0..4).map(event_at).collect();
            let split = merged(&events.iter().map(String::as_str).collect::<Vec<_>>());
            let whole = event(&last.iter().copied().map(Some).collect::<Vec<_>>());
            prop_assert_eq!(split, merged(&[&whole]));
        }

        #[test]
        fn the_buckets_add_up_to_the_inclusive_figures(
            (input, read, short, long) in (tokens(), tokens(), tokens(), tokens()),
            (unsplit, output, thinking) in (tokens(), tokens(), tokens()),
        ) {
            let creation = [short, long, unsplit].iter().sum::<u64>();
            let figures = [input, read, creation, short, long, output, thinking, 0, 0].map(Some);
            let usage = merged(&[&event(&figures)]).unwrap_or_default();
            prop_assert_eq!(usage.input(), [input, creation, read].iter().sum::<u64>());
            prop_assert_eq!(usage.output(), output);
            prop_assert_eq!(usage.input_cache_write_1h, long);
        }

        #[test]
        fn written_figures_come_back(
            (input_fresh, input_cache_read, input_cache_write_5m, input_cache_write_1h) in (tokens(), tokens(), tokens(), tokens()),
            (output_text, output_reasoning, web_search_calls) in (1..9999u64, tokens(), tokens()),
        ) {
            let usage = Usage {
                input_fresh, input_cache_read, input_cache_write_5m, input_cache_write_1h, output_text, output_reasoning,
                web_search_calls, ..Usage::default()
            };
            prop_assert_eq!(merged(&[&written(write_whole, &usage), &written(write_delta, &usage)]), Some(usage));
        }
    }
}
