//! Token figures: Bedrock's `usage` to disjoint buckets and back. Its input excludes what the cache took; reasoning is
//! not told apart from the rest of the output.

use crate::fields::Fields;
use crate::usage::{ServiceTier, Usage};
use serde_json::value::RawValue;
use tollgate_kernel::json::Writer;

/// Bedrock's tiers.
const TIERS: [(&str, ServiceTier); 4] = [
    ("default", ServiceTier::Standard),
    ("priority", ServiceTier::Priority),
    ("flex", ServiceTier::Flex),
    ("reserved", ServiceTier::Provisioned),
];

/// Bedrock's name of a tier, if it has one.
pub(super) fn tier_name(tier: ServiceTier) -> Option<&'static str> {
    TIERS.iter().find(|(_, known)| *known == tier).map(|(name, _)| *name)
}

/// The tier of that name.
pub(super) fn tier(name: &str) -> ServiceTier {
    TIERS.iter().find(|(known, _)| *known == name).map_or(ServiceTier::Other, |(_, tier)| *tier)
}

/// The usage in an answer or a `metadata` event; `None` when it says none that can be read. No figure of an object that
/// is not of the documented form is believed.
pub(super) fn read_usage(answer: &Fields<'_>) -> Option<Usage> {
    let figures = answer.object("usage").ok().flatten()?;
    let figure = |name| figures.count(name).ok().map(Option::unwrap_or_default);
    let (mut written_5m, mut written_1h) = (0_u64, 0_u64);
    for detail in figures.list("cacheDetails").ok()? {
        let (long, tokens) = read_detail(detail)?;
        let written = if long { &mut written_1h } else { &mut written_5m };
        *written = written.saturating_add(tokens);
    }
    // What the details do not name was written for the default time.
    let rest = figure("cacheWriteInputTokens")?.saturating_sub(written_1h);
    let usage = Usage {
        input_fresh: figure("inputTokens")?,
        input_cache_read: figure("cacheReadInputTokens")?,
        input_cache_write_5m: written_5m.max(rest),
        input_cache_write_1h: written_1h,
        output_text: figure("outputTokens")?,
        service_tier: word(answer, "serviceTier", "type").map_or(ServiceTier::Standard, |name| tier(&name)),
        fast: word(answer, "performanceConfig", "latency").is_some_and(|latency| latency == "optimized"),
        ..Usage::NONE
    };
    usage.plausible()
}

/// Whether an entry of `cacheDetails` is of the longer time, and its tokens.
fn read_detail(detail: &RawValue) -> Option<(bool, u64)> {
    let detail = Fields::of_text(detail.get()).ok()?;
    let long = detail.text("ttl").ok()?.is_some_and(|ttl| ttl == "1h");
    Some((long, detail.count("inputTokens").ok()?.unwrap_or_default()))
}

fn word(answer: &Fields<'_>, object: &str, name: &str) -> Option<String> {
    answer.object(object).ok().flatten()?.given(name)
}

/// Writes `usage` and what goes with it into an answer or a `metadata` event. Bedrock has no figures of audio, images and
/// reasoning: they count as plain input and output.
pub(super) fn write_usage(usage: &Usage, json: &mut Writer<'_>) {
    let (written_5m, written_1h) = (usage.input_cache_write_5m, usage.input_cache_write_1h);
    let fresh = usage.input_fresh.saturating_add(usage.input_audio).saturating_add(usage.input_image);
    json.key("usage").open_object();
    json.key("inputTokens").number(fresh);
    json.key("outputTokens").number(usage.output());
    json.key("totalTokens").number(usage.input().saturating_add(usage.output()));
    let read = usage.input_cache_read.saturating_add(usage.input_cache_read_audio);
    json.key("cacheReadInputTokens").number(read);
    json.key("cacheWriteInputTokens").number(written_5m.saturating_add(written_1h));
    json.key("cacheDetails").open_list();
    for (ttl, tokens) in [("1h", written_1h), ("5m", written_5m)] {
        if tokens > 0 {
            json.open_object().key("ttl").text(ttl);
            json.key("inputTokens").number(tokens);
            json.close_object();
        }
    }
    json.close_list();
    json.close_object();
    // Clients require it, and nobody here has a clock.
    json.key("metrics").open_object().key("latencyMs").number(0);
    json.close_object();
    if let Some(name) = tier_name(usage.service_tier).filter(|_| usage.service_tier != ServiceTier::Standard) {
        json.key("serviceTier").open_object().key("type").text(name);
        json.close_object();
    }
    if usage.fast {
        json.key("performanceConfig").open_object().key("latency").text("optimized");
        json.close_object();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn read(answer: &str) -> Option<Usage> {
        read_usage(&Fields::of_text(answer).unwrap())
    }

    fn written(usage: &Usage) -> String {
        let mut out = Vec::new();
        let mut json = Writer::new(&mut out);
        json.open_object();
        write_usage(usage, &mut json);
        json.close_object();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn cache_figures_stand_beside_the_input_not_inside_it() {
        let oracle = r#"{"usage":{"inputTokens":7,"outputTokens":9,"totalTokens":166,"cacheReadInputTokens":100,
            "cacheWriteInputTokens":50,"cacheDetails":[{"ttl":"1h","inputTokens":50}]}}"#;
        let expected =
            Usage { input_fresh: 7, input_cache_read: 100, input_cache_write_1h: 50, output_text: 9, ..Usage::NONE };
        assert_eq!(read(oracle), Some(expected));
    }

    #[test]
    fn what_the_details_do_not_name_was_written_for_five_minutes() {
        for (details, expected) in [
            ("", (50, 0)),
            (r#","cacheDetails":null"#, (50, 0)),
            (r#","cacheDetails":[]"#, (50, 0)),
            (r#","cacheDetails":[{"ttl":"1h","inputTokens":20}]"#, (30, 20)),
            (r#","cacheDetails":[{"ttl":"1h","inputTokens":20},{"ttl":"5m","inputTokens":30}]"#, (30, 20)),
            (r#","cacheDetails":[{"ttl":"5m","inputTokens":10},{"ttl":"5m","inputTokens":60}]"#, (70, 0)),
        ] {
            let usage = read(&format!(r#"{{"usage":{{"cacheWriteInputTokens":50{details}}}}}"#)).unwrap();
            assert_eq!((usage.input_cache_write_5m, usage.input_cache_write_1h), expected, "{details}");
        }
    }

    #[test]
    fn tier_and_latency_that_set_the_price_are_kept() {
        let figures = r#""usage":{"inputTokens":1}"#;
        for (more, tier, fast) in [
            ("", ServiceTier::Standard, false),
            (r#","serviceTier":{"type":"default"}"#, ServiceTier::Standard, false),
            (r#","serviceTier":{"type":"flex"}"#, ServiceTier::Flex, false),
            (r#","serviceTier":{"type":"priority"}"#, ServiceTier::Priority, false),
            (r#","serviceTier":{"type":"reserved"}"#, ServiceTier::Provisioned, false),
            (r#","serviceTier":{"type":"new"}"#, ServiceTier::Other, false),
            (r#","performanceConfig":{"latency":"standard"}"#, ServiceTier::Standard, false),
            (r#","performanceConfig":{"latency":"optimized"}"#, ServiceTier::Standard, true),
        ] {
            let usage = read(&format!("{{{figures}{more}}}")).unwrap();
            assert_eq!((usage.service_tier, usage.fast), (tier, fast), "{more}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_no_usage_and_never_zero() {
        for usage in [
            "",
            r#""usage":null"#,
            r#""usage":{}"#,
            r#""usage":[]"#,
            r#""usage":{"inputTokens":0,"outputTokens":0}"#,
            r#""usage":{"inputTokens":"7","outputTokens":9}"#,
            r#""usage":{"inputTokens":-7,"outputTokens":9}"#,
            r#""usage":{"inputTokens":7,"cacheDetails":{}}"#,
            r#""usage":{"inputTokens":7,"cacheDetails":[7]}"#,
            r#""usage":{"inputTokens":99999999999999}"#,
        ] {
            assert_eq!(read(&format!("{{{usage}}}")), None, "{usage}");
        }
    }

    #[test]
    fn usage_is_written_with_every_field_that_clients_require() {
        let usage = Usage { input_fresh: 1, input_audio: 2, output_text: 3, output_reasoning: 4, ..Usage::NONE };
        assert_eq!(
            written(&usage),
            concat!(
                r#"{"usage":{"inputTokens":3,"outputTokens":7,"totalTokens":10,"cacheReadInputTokens":0,"#,
                r#""cacheWriteInputTokens":0,"cacheDetails":[]},"metrics":{"latencyMs":0}}"#
            )
        );
    }

    #[cfg(not(target_arch = "wasm32"))]
    mod any_figures {
        use super::*;
        use proptest::prelude::*;

        proptest! {
            #[test]
            fn buckets_add_up_to_what_was_reported(
                fresh in 1..1_000_000_u64, read_from_cache in 0..1_000_000_u64, short in 0..1_000_000_u64,
                long in 0..1_000_000_u64, output in 0..1_000_000_u64, named in any::<bool>(),
            ) {
                let write = short.saturating_add(long);
                let details = if named { format!(r#",{{"ttl":"5m","inputTokens":{short}}}"#) } else { String::new() };
                let answer = format!(
                    r#"{{"usage":{{"inputTokens":{fresh},"outputTokens":{output},"cacheReadInputTokens":{read_from_cache},
                    "cacheWriteInputTokens":{write},"cacheDetails":[{{"ttl":"1h","inputTokens":{long}}}{details}]}}}}"#
                );
                let usage = read(&answer).unwrap();
                prop_assert_eq!(usage.input(), fresh.saturating_add(read_from_cache).saturating_add(write));
                prop_assert_eq!(usage.output(), output);
                prop_assert_eq!(usage.input_cache_write_1h, long);
            }

            #[test]
            fn what_is_written_reads_back_as_the_same_buckets(
                figures in prop::array::uniform5(0..1_000_000_u64),
                tier in prop::sample::select(TIERS.map(|(_, tier)| tier).to_vec()),
                fast in any::<bool>(),
            ) {
                let [fresh, read_from_cache, short, long, output] = figures;
                let usage = Usage {
                    input_fresh: fresh.saturating_add(1),
                    input_cache_read: read_from_cache,
                    input_cache_write_5m: short,
                    input_cache_write_1h: long,
                    output_text: output,
                    service_tier: tier,
                    fast,
                    ..Usage::NONE
                };
                prop_assert_eq!(read(&written(&usage)), Some(usage));
            }
        }
    }
}
