//! What is promised of figures.

use super::*;
use serde_json::{Value, json};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

fn counted(chunks: &[Value]) -> Option<Usage> {
    let mut figures = Figures::default();
    for chunk in chunks {
        figures.count(&serde_json::from_str::<Box<RawValue>>(&chunk.to_string()).unwrap());
    }
    figures.usage()
}

fn written(usage: &Usage) -> Value {
    let mut out = Vec::new();
    let json = &mut Writer::new(&mut out);
    json.open_object();
    write(usage, json);
    json.close_object();
    serde_json::from_slice::<Value>(&out).unwrap()["usageMetadata"].take()
}

fn by(modalities: &[(&str, u64)]) -> Value {
    modalities.iter().map(|(modality, tokens)| json!({"modality": modality, "tokenCount": tokens})).collect()
}

#[test]
fn inclusive_figures_are_taken_apart() {
    let usage = counted(&[json!({
        "promptTokenCount": 100, "cachedContentTokenCount": 60, "candidatesTokenCount": 20, "thoughtsTokenCount": 80,
        "toolUsePromptTokenCount": 5, "totalTokenCount": 205,
    })]);
    let expected =
        Usage { input_fresh: 45, input_cache_read: 60, output_text: 20, output_reasoning: 80, ..Usage::default() };
    assert_eq!(usage, Some(expected));
    assert_eq!(expected.input() + expected.output(), 205);
}

#[test]
fn no_audio_is_counted_twice_because_it_was_cached() {
    let usage = counted(&[json!({
        "promptTokenCount": 1000, "cachedContentTokenCount": 700, "toolUsePromptTokenCount": 50,
        "candidatesTokenCount": 30, "totalTokenCount": 1080,
        "promptTokensDetails": by(&[("TEXT", 100), ("AUDIO", 600), ("IMAGE", 200), ("VIDEO", 60), ("DOCUMENT", 40)]),
        "cacheTokensDetails": by(&[("AUDIO", 500), ("IMAGE", 200)]),
        "toolUsePromptTokensDetails": by(&[("IMAGE", 10), ("TEXT", 40)]),
        "candidatesTokensDetails": by(&[("AUDIO", 12), ("IMAGE", 8), ("TEXT", 10)]),
    })]);
    let expected = Usage {
        input_fresh: 200 + 40,
        input_cache_read: 700,
        input_audio: 100,
        input_image: 10,
        output_text: 10,
        output_audio: 12,
        output_image: 8,
        ..Usage::default()
    };
    assert_eq!(usage, Some(expected));
    let no_details_of_the_cache = counted(&[json!({
        "promptTokenCount": 100, "cachedContentTokenCount": 90, "promptTokensDetails": by(&[("AUDIO", 100)]),
    })]);
    let expected = Usage { input_cache_read: 90, input_audio: 10, ..Usage::default() };
    assert_eq!(no_details_of_the_cache, Some(expected));
}

#[test]
fn the_total_tells_where_thoughts_were_counted() {
    for (metadata, said, thoughts) in [
        (
            json!({"promptTokenCount": 10, "candidatesTokenCount": 100, "thoughtsTokenCount": 80, "totalTokenCount": 110}),
            20,
            80,
        ),
        (
            json!({"promptTokenCount": 10, "candidatesTokenCount": 100, "thoughtsTokenCount": 80, "totalTokenCount": 190}),
            100,
            80,
        ),
        (json!({"promptTokenCount": 10, "candidatesTokenCount": 20, "totalTokenCount": 110}), 20, 80),
        (json!({"promptTokenCount": 10, "candidatesTokenCount": 20}), 20, 0),
    ] {
        let usage = counted(std::slice::from_ref(&metadata)).unwrap();
        assert_eq!((usage.output_text, usage.output_reasoning), (said, thoughts), "{metadata}");
    }
}

#[test]
fn the_newest_figures_of_a_stream_count_and_nothing_is_added() {
    let chunks = [
        json!({"trafficType": "ON_DEMAND"}),
        json!({"promptTokenCount": 9, "totalTokenCount": 9}),
        json!({"promptTokenCount": 9, "thoughtsTokenCount": 30, "totalTokenCount": 39}),
        json!({"promptTokenCount": 9, "thoughtsTokenCount": 50, "candidatesTokenCount": 5, "totalTokenCount": 64}),
        json!({"promptTokenCount": 9, "thoughtsTokenCount": 50, "candidatesTokenCount": 7, "totalTokenCount": 66,
               "trafficType": "ON_DEMAND_PRIORITY"}),
    ];
    let expected = Usage {
        input_fresh: 9,
        output_text: 7,
        output_reasoning: 50,
        service_tier: ServiceTier::Priority,
        ..Usage::default()
    };
    assert_eq!(counted(&chunks), Some(expected));
    assert_eq!(counted(&[chunks.as_slice(), &chunks].concat()), Some(expected));
    assert_eq!(counted(&[chunks.as_slice(), &[json!({}), json!({"promptTokenCount": 0})]].concat()), Some(expected));
    assert_eq!(counted(&chunks[..1]), None);
}

#[test]
fn figures_that_cannot_be_read_are_none_and_spoil_no_others() {
    for bad in [
        json!("secret"),
        json!({"promptTokenCount": "many"}),
        json!({"promptTokenCount": -1}),
        json!({"promptTokenCount": 1, "promptTokensDetails": [7]}),
        json!({"promptTokenCount": u64::MAX, "candidatesTokenCount": u64::MAX}),
        json!({}),
    ] {
        assert_eq!(counted(std::slice::from_ref(&bad)), None, "{bad}");
    }
    let good = json!({"promptTokenCount": 9, "totalTokenCount": 9});
    assert_eq!(counted(&[good, json!({"promptTokenCount": "many"})]).unwrap().input_fresh, 9);
}

#[test]
fn every_tier_is_understood() {
    for (field, name, expected) in [
        ("trafficType", "ON_DEMAND", ServiceTier::Standard),
        ("trafficType", "ON_DEMAND_FLEX", ServiceTier::Flex),
        ("trafficType", "ON_DEMAND_PRIORITY", ServiceTier::Priority),
        ("trafficType", "PROVISIONED_THROUGHPUT", ServiceTier::Provisioned),
        ("trafficType", "ON_DEMAND_OFFPEAK", ServiceTier::Other),
        ("serviceTier", "flex", ServiceTier::Flex),
        ("serviceTier", "standard", ServiceTier::Standard),
    ] {
        assert_eq!(counted(&[json!({"promptTokenCount": 1, field: name})]).unwrap().service_tier, expected, "{name}");
    }
}

#[test]
fn searches_are_counted_as_google_bills_them() {
    let queries = json!({"groundingMetadata": {"webSearchQueries": ["a", "", "b", "a"], "retrievalQueries": ["x"]},
                         "urlContextMetadata": {"urlMetadata": [{}, {}]}})
    .to_string();
    for (model, searches) in [("gemini-2.5-flash", 1), ("gemini-3.1-pro-preview", 2), ("", 2)] {
        let mut figures = Figures::default();
        figures.of_model(model);
        figures.count(serde_json::from_str(r#"{"promptTokenCount":1}"#).unwrap());
        figures.count_tools(&Fields::of_text(&queries).unwrap());
        figures.count_tools(&Fields::of_text(&queries).unwrap());
        figures.count_tools(&Fields::of_text("{}").unwrap());
        figures.count_code_run();
        let usage = figures.usage().unwrap();
        assert_eq!(
            (usage.web_search_calls, usage.file_search_calls, usage.web_fetch_calls),
            (searches, 1, 2),
            "{model}"
        );
        assert_eq!(usage.code_interpreter_calls, 1);
    }
}

#[test]
fn huge_figures_do_not_overflow() {
    let max = u64::MAX;
    let usage = Usage { input_fresh: max, input_audio: max, output_text: max, output_image: max, ..Usage::default() };
    assert_eq!(written(&usage)["totalTokenCount"], json!(max));
}

#[cfg(not(target_arch = "wasm32"))]
mod properties {
    use super::*;
    use proptest::prelude::*;

    fn tokens() -> impl Strategy<Value = u64> {
        prop_oneof![Just(0), 0..100_000_u64]
    }

    fn usages() -> impl Strategy<Value = Usage> {
        let tiers = prop::sample::select(vec![
            ServiceTier::Standard,
            ServiceTier::Flex,
            ServiceTier::Priority,
            ServiceTier::Provisioned,
        ]);
        (prop::array::uniform8(tokens()), tiers).prop_map(|(n, service_tier)| Usage {
            input_fresh: n[0],
            input_cache_read: n[1],
            input_audio: n[2],
            input_image: n[3],
            output_text: n[4],
            output_reasoning: n[5],
            output_audio: n[6],
            output_image: n[7],
            service_tier,
            ..Usage::default()
        })
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back_as_the_same_buckets(usage in usages()) {
            prop_assert_eq!(counted(&[written(&usage)]), usage.plausible());
        }

        #[test]
        fn the_buckets_add_up_to_the_inclusive_figures(figures in prop::array::uniform4(tokens()), parts in prop::array::uniform8(tokens())) {
            let [prompt, cached, tool_use, candidates] = figures;
            let total: u64 = [prompt, tool_use, candidates].iter().sum();
            let metadata = json!({
                "promptTokenCount": prompt, "cachedContentTokenCount": cached, "toolUsePromptTokenCount": tool_use,
                "candidatesTokenCount": candidates, "totalTokenCount": total,
                "promptTokensDetails": by(&[("AUDIO", parts[0]), ("IMAGE", parts[1])]),
                "cacheTokensDetails": by(&[("AUDIO", parts[2]), ("IMAGE", parts[3])]),
                "toolUsePromptTokensDetails": by(&[("AUDIO", parts[4]), ("IMAGE", parts[5])]),
                "candidatesTokensDetails": by(&[("AUDIO", parts[6]), ("IMAGE", parts[7])]),
            });
            let usage = counted(&[metadata]).unwrap_or(Usage::NONE);
            prop_assert_eq!(usage.input(), prompt.saturating_add(tool_use));
            prop_assert_eq!(usage.output(), candidates);
        }

        #[test]
        fn repetition_changes_nothing(usage in usages(), cuts in prop::collection::vec(0..100_u64, 0..4)) {
            let mut cuts = cuts;
            cuts.sort_unstable();
            let mut chunks = Vec::new();
            for cut in cuts {
                let part = Usage { output_text: usage.output_text.saturating_mul(cut) / 100, ..usage };
                chunks.extend([written(&part), written(&part)]);
            }
            chunks.extend([written(&usage), written(&usage)]);
            prop_assert_eq!(counted(&chunks), usage.plausible());
        }
    }
}
