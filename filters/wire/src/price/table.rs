//! The shipped price table: text, searched line by line, read only where a configuration asks.

use super::catalogue::split;
use super::decimal::{Decimal, ONE};
use super::fees::FEES;
use super::read::TIERS;
use super::{Level, Price, Rates, Step};

/// Written by `make prices`; its head explains it.
const TABLE: &str = include_str!("../../prices/table.txt");

/// Whose table of which day it is: `litellm-<version>/<date>`.
pub const TABLE_VERSION: &str = include_str!("../../prices/version.txt");

/// What the table knows of a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogEntry {
    /// What it costs.
    pub price: Price,
    /// The most tokens that an answer of it can have.
    pub max_output_tokens: Option<u64>,
}

/// What `catalogue` says of `model`, as the provider calls it.
///
/// Only exact names count: a price that is a model's neighbour's may be wrong. `None` is told as unpriced.
#[must_use]
pub fn lookup(catalogue: &str, model: &str) -> Option<CatalogEntry> {
    let (name, region) = split(catalogue);
    let model = listed_name(name, model);
    let regional = region.and_then(|region| entry(&[name, region, model]));
    if regional.is_some() {
        return regional.map(|(entry, _)| entry);
    }
    let plain = || entry(&[name, model]).or_else(|| entry(&["azure", model]).filter(|_| name == "azure_ai"));
    match (name, region) {
        // Elsewhere in Azure, and for governments, it costs more.
        ("azure" | "azure_ai", Some(_)) => None,
        ("bedrock" | "bedrock_mantle", Some(region)) if region.starts_with("us-gov-") => None,
        ("openai", Some(_)) => plain().map(|(entry, uplift)| entry.scaled(uplift)),
        ("vertex_ai", Some(region)) if region != "global" => plain().map(|(entry, uplift)| entry.scaled(uplift)),
        _ => plain().map(|(entry, _)| entry),
    }
}

/// The name under which the table has what requests call `model`.
fn listed_name<'a>(catalogue: &str, model: &'a str) -> &'a str {
    let last = |after: &str| model.rsplit_once(after).map(|(_, name)| name);
    let name = match catalogue {
        "gemini" => model.strip_prefix("models/"),
        "vertex_ai" if model.starts_with("projects/") || model.starts_with("publishers/") => last("/models/"),
        "vertex_ai" => model.strip_prefix("google/").filter(|name| name.starts_with("gemini-")),
        // Profiles that an account makes itself hide which model they are of.
        "bedrock" if model.starts_with("arn:") => last(":inference-profile/").or_else(|| last("::foundation-model/")),
        // A model that was made from another one: `ft:gpt-4o-2024-08-06:organisation::id`.
        "openai" if model.starts_with("ft:") => {
            model.match_indices(':').nth(1).and_then(|(end, _)| model.split_at_checked(end)).map(|(base, _)| base)
        }
        _ => None,
    };
    name.unwrap_or(model)
}

/// The entry of the key that these parts make, and by what other regions multiply its prices.
fn entry(key: &[&str]) -> Option<(CatalogEntry, Decimal)> {
    read(find(TABLE, &key.join("/"))?)
}

/// The line of `key`, without it, by binary search.
fn find<'a>(mut lines: &'a str, key: &str) -> Option<&'a str> {
    while !lines.is_empty() {
        let middle = lines.len() / 2;
        let start = lines.get(..middle)?.rfind('\n').map_or(0, |end| end.saturating_add(1));
        let (before, from) = lines.split_at_checked(start)?;
        let (line, after) = from.split_once('\n').unwrap_or((from, ""));
        let (found, rest) = line.split_once(' ')?;
        match key.cmp(found) {
            std::cmp::Ordering::Less => lines = before,
            std::cmp::Ordering::Equal => return Some(rest),
            std::cmp::Ordering::Greater => lines = after,
        }
    }
    None
}

/// Reads what stands behind a key.
fn read(line: &str) -> Option<(CatalogEntry, Decimal)> {
    let mut words = line.split(' ');
    let max_output_tokens = words.next()?.parse().ok();
    let mut price = Price { complete: true, ..Price::default() };
    let mut uplift = Decimal(ONE);
    price.standard.rates = rates(words.next()?)?;
    for word in words {
        if let Some((scope, listed)) = word.split_once(':') {
            price.add_scope(scope, rates(listed)?)?;
            continue;
        }
        let (name, number) = word.split_once('=')?;
        let number: Decimal = number.parse().ok()?;
        match name {
            "regional" => uplift = number,
            "fast" => price.fast = Some(number),
            "one_country" => price.one_country = Some(number),
            _ => {
                let fees = FEES.iter().zip(&mut price.fees.0);
                *fees.into_iter().find(|(fee, _)| **fee == name)?.1 = Some(number);
            }
        }
    }
    Some((CatalogEntry { price, max_output_tokens }, uplift))
}

/// Rates by column, of which the last may be left out.
fn rates(listed: &str) -> Option<Rates> {
    let mut rates = Rates::default();
    for (rate, text) in rates.0.iter_mut().zip(listed.split(',')) {
        *rate = if text.is_empty() { None } else { Some(text.parse().ok()?) };
    }
    rates.missing().is_none().then_some(rates)
}

impl Price {
    fn add_scope(&mut self, scope: &str, rates: Rates) -> Option<()> {
        let (tier, above) = scope.split_once('>').map_or((scope, None), |(tier, above)| (tier, Some(above)));
        let tiers = TIERS.iter().zip([&mut self.tiers.flex, &mut self.tiers.priority, &mut self.tiers.batch]);
        let level = match tier {
            "" => &mut self.standard,
            // A tier without usual rates of its own has the standard ones.
            tier => tiers.into_iter().find(|(name, _)| **name == tier)?.1.get_or_insert_with(|| Level {
                rates: if above.is_some() { self.standard.rates } else { rates },
                long_context: Vec::new(),
            }),
        };
        if let Some(above) = above {
            level.long_context.push(Step { above: above.parse().ok()?, rates });
        }
        Some(())
    }
}

impl CatalogEntry {
    fn scaled(self, factor: Decimal) -> Self {
        Self { price: self.price.scaled(factor), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::{TABLE, TABLE_VERSION, find, lookup, read};
    use crate::price::{PriceStatus, is_catalogue};
    use crate::usage::{ServiceTier, Usage};
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn lines() -> impl Iterator<Item = (&'static str, &'static str)> {
        TABLE.lines().filter(|line| !line.starts_with('#')).map(|line| line.split_once(' ').expect("a key and more"))
    }

    #[test]
    fn the_table_is_sorted_readable_and_complete() {
        assert!(TABLE.is_ascii() && TABLE.ends_with('\n'));
        assert!(TABLE.len() < 200_000, "it is in every module");
        assert!(lines().is_sorted_by(|(one, _), (next, _)| one < next), "sorted by bytes, no key twice");
        assert!(lines().count() > 1500);
        for (key, line) in lines() {
            assert!(key > "#", "heads come first");
            assert!(is_catalogue(key), "{key}");
            assert_eq!(find(TABLE, key), Some(line));
            let (entry, _) = read(line).unwrap_or_else(|| panic!("{key} {line}"));
            let steps = &entry.price.standard.long_context;
            assert!(steps.is_sorted_by(|one, next| one.above < next.above), "{key}");
            let used = Usage { input_fresh: 1_000_000, ..Usage::NONE };
            assert!(entry.price.of(&used).cost.0 > 0, "{key} is not free");
        }
        assert!(TABLE_VERSION.starts_with("litellm-") && !TABLE_VERSION.ends_with('\n'));
        let (version, date) = TABLE_VERSION.split_once('/').expect("version and date");
        let head = TABLE.lines().next().expect("a head");
        assert!(head.contains(&version.replace('-', " ")) && head.contains(date), "{head}");
    }

    /// Dollars of a million tokens each: input, output, cache read, cache written for the shorter and the longer time.
    fn prices(catalogue: &str, model: &str) -> Option<[String; 5]> {
        let entry = lookup(catalogue, model)?;
        let million = 1_000_000;
        let buckets = [
            Usage { input_fresh: million, ..Usage::NONE },
            Usage { output_text: million, ..Usage::NONE },
            Usage { input_cache_read: million, ..Usage::NONE },
            Usage { input_cache_write_5m: million, ..Usage::NONE },
            Usage { input_cache_write_1h: million, ..Usage::NONE },
        ];
        let without_steps = |price: &crate::price::Price| {
            let mut price = price.clone();
            price.standard.long_context.clear();
            price
        };
        let price = without_steps(&entry.price);
        Some(buckets.map(|usage| {
            let priced = price.of(&usage);
            assert_eq!(priced.status, PriceStatus::Priced);
            priced.cost.to_string()
        }))
    }

    #[test]
    fn well_known_models_cost_what_their_providers_say() {
        for (catalogue, model, expected) in [
            ("openai", "gpt-4o", ["2.50", "10.00", "1.25", "2.50", "2.50"]),
            ("openai", "gpt-5", ["1.25", "10.00", "0.125", "1.25", "1.25"]),
            ("openai", "gpt-5.6-sol", ["4.00", "20.00", "0.40", "5.00", "10.00"]),
            ("openai", "text-embedding-3-small", ["0.02", "0.00", "0.02", "0.02", "0.02"]),
            ("anthropic", "claude-sonnet-4-5", ["3.00", "15.00", "0.30", "3.75", "6.00"]),
            ("anthropic", "claude-opus-4-6", ["5.00", "25.00", "0.50", "6.25", "10.00"]),
            ("anthropic", "claude-haiku-4-5-20251001", ["1.00", "5.00", "0.10", "1.25", "2.00"]),
            ("gemini", "gemini-2.5-pro", ["1.25", "10.00", "0.125", "1.25", "1.25"]),
            ("gemini", "models/gemini-2.5-flash", ["0.30", "2.50", "0.03", "0.30", "0.30"]),
            ("vertex_ai", "publishers/google/models/gemini-2.5-pro", ["1.25", "10.00", "0.125", "1.25", "1.25"]),
            ("vertex_ai", "google/gemini-2.5-pro", ["1.25", "10.00", "0.125", "1.25", "1.25"]),
            ("vertex_ai/global", "claude-sonnet-4-5@20250929", ["3.00", "15.00", "0.30", "3.75", "6.00"]),
            ("vertex_ai/europe-west1", "claude-sonnet-4-5@20250929", ["3.30", "16.50", "0.33", "4.125", "6.60"]),
            ("bedrock/us-east-1", "amazon.nova-pro-v1:0", ["0.80", "3.20", "0.20", "0.80", "0.80"]),
            (
                "bedrock/us-east-1",
                "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
                ["3.30", "16.50", "0.33", "4.125", "6.60"],
            ),
            (
                "bedrock/eu-central-1",
                "arn:aws:bedrock:eu-central-1:123456789012:inference-profile/global.anthropic.claude-opus-4-6-v1",
                ["5.00", "25.00", "0.50", "6.25", "10.00"],
            ),
            ("bedrock/ap-south-1", "deepseek.v3.2", ["0.74", "2.22", "0.74", "0.74", "0.74"]),
            ("azure", "gpt-5", ["1.25", "10.00", "0.125", "1.25", "1.25"]),
            ("azure/eu", "gpt-5", ["1.375", "11.00", "0.1375", "1.375", "1.375"]),
            ("azure_ai", "claude-opus-4-6", ["5.00", "25.00", "0.50", "6.25", "10.00"]),
            ("azure_ai", "gpt-5", ["1.25", "10.00", "0.125", "1.25", "1.25"]),
            ("openai/eu", "gpt-5.5", ["5.50", "33.00", "0.55", "5.50", "5.50"]),
            ("openai/eu", "gpt-4o", ["2.50", "10.00", "1.25", "2.50", "2.50"]),
            ("openai", "ft:gpt-4o-2024-08-06:acme::abc123", ["3.75", "15.00", "1.875", "3.75", "3.75"]),
            ("mistral", "mistral-large-latest", ["0.50", "1.50", "0.05", "0.50", "0.50"]),
            ("groq", "openai/gpt-oss-120b", ["0.15", "0.60", "0.075", "0.15", "0.15"]),
            ("deepseek", "deepseek-chat", ["0.28", "0.42", "0.028", "0.28", "0.28"]),
            ("xai", "grok-4.6", ["2.00", "6.00", "0.50", "2.00", "2.00"]),
        ] {
            assert_eq!(prices(catalogue, model), Some(expected.map(str::to_owned)), "{catalogue} {model}");
        }
    }

    #[test]
    fn what_is_not_exactly_listed_has_no_price() {
        for (catalogue, model) in [
            ("openai", "gpt-5-2099-01-01"),
            ("openai", "gpt"),
            ("openai", ""),
            ("openai", "GPT-5"),
            ("openai", "ft:gpt-99:acme::abc123"),
            ("openai", "ft:"),
            ("anthropic", "gpt-5"),
            ("acme", "gpt-5"),
            ("", "openai/gpt-5"),
            ("azure/eu", "gpt-4"),
            ("bedrock/us-gov-west-1", "anthropic.claude-opus-4-6-v1"),
            ("bedrock", "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123"),
            ("bedrock", "zz.anthropic.claude-opus-4-6-v1"),
            ("gemini", "gemini-exp-1114"),
        ] {
            assert_eq!(lookup(catalogue, model), None, "{catalogue} {model}");
        }
    }

    #[test]
    fn an_entry_has_more_than_its_usual_prices() {
        let usage = Usage { input_fresh: 1000, output_text: 100, ..Usage::NONE };
        let long = Usage { input_fresh: 300_000, ..usage };
        let nanos = |catalogue: &str, model: &str, usage: Usage| {
            let entry = lookup(catalogue, model).unwrap_or_else(|| panic!("{model}"));
            let priced = entry.price.of(&usage);
            (priced.cost.0, priced.status)
        };
        let (priced, partial) = (PriceStatus::Priced, PriceStatus::Partial);
        for (catalogue, model, usage, expected) in [
            ("openai", "gpt-5.5", usage, (8_000_000, priced)),
            ("openai", "gpt-5.5", Usage { service_tier: ServiceTier::Flex, ..usage }, (4_000_000, priced)),
            ("openai", "gpt-5.5", Usage { service_tier: ServiceTier::Priority, ..usage }, (20_000_000, priced)),
            ("openai", "gpt-5.5", long, (3_004_500_000, priced)),
            ("openai", "gpt-5.5", Usage { service_tier: ServiceTier::Flex, ..long }, (1_502_250_000, priced)),
            ("openai", "gpt-5.5", Usage { service_tier: ServiceTier::Provisioned, ..usage }, (8_000_000, partial)),
            ("openai", "gpt-5.5", Usage { web_search_calls: 2, file_search_calls: 1, ..usage }, (30_500_000, priced)),
            ("openai", "gpt-5.5", Usage { image_generation_calls: 1, ..usage }, (8_000_000, partial)),
            ("anthropic", "claude-opus-5", Usage { fast: true, ..usage }, (15_000_000, priced)),
            ("anthropic", "claude-opus-5", Usage { in_one_country: true, ..usage }, (8_250_000, priced)),
            ("anthropic", "claude-sonnet-4-5", Usage { fast: true, ..usage }, (4_500_000, partial)),
            ("anthropic", "claude-sonnet-4-5", Usage { web_fetch_calls: 3, ..usage }, (4_500_000, priced)),
            ("gemini", "gemini-2.5-flash", Usage { input_audio: 1000, ..usage }, (1_550_000, priced)),
            ("gemini", "gemini-2.5-flash", Usage { input_cache_read_audio: 1000, ..usage }, (650_000, priced)),
            ("perplexity", "sonar", usage, (9_100_000, priced)), // of which 8 milli-dollars for the request
            ("xai", "grok-4.6", Usage { input_fresh: 200_000, ..Usage::NONE }, (800_000_000, priced)),
            ("xai", "grok-4.6", Usage { input_fresh: 199_999, ..Usage::NONE }, (399_998_000, priced)),
        ] {
            assert_eq!(nanos(catalogue, model, usage), expected, "{model} {usage:?}");
        }
        assert_eq!(lookup("openai", "gpt-5.5").and_then(|entry| entry.max_output_tokens), Some(128_000));
    }
}
