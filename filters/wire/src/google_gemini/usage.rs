//! Token figures: Google's inclusive ones to disjoint buckets and back.

use super::before_gemini_3;
use crate::fields::{Fields, Unreadable};
use crate::usage::{ServiceTier, Usage};
use serde_json::value::RawValue;
use tollgate_kernel::json::Writer;

/// Google's names of what was served how (`trafficType`), and the Gemini API's (`serviceTier`).
const TIERS: [(&str, ServiceTier); 9] = [
    ("ON_DEMAND", ServiceTier::Standard),
    ("ON_DEMAND_FLEX", ServiceTier::Flex),
    ("ON_DEMAND_PRIORITY", ServiceTier::Priority),
    ("PROVISIONED_THROUGHPUT", ServiceTier::Provisioned),
    ("TRAFFIC_TYPE_UNSPECIFIED", ServiceTier::Standard),
    ("UNSPECIFIED", ServiceTier::Standard),
    ("STANDARD", ServiceTier::Standard),
    ("FLEX", ServiceTier::Flex),
    ("PRIORITY", ServiceTier::Priority),
];

/// All that an answer reports so far. Google leaves out zeros, so 0 is the same as nothing said.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Figures {
    prompt: Tokens,
    /// Part of `prompt`.
    cached: Tokens,
    /// What Google's own tools found, not part of `prompt`.
    tool_use: Tokens,
    /// Without `thoughts`.
    candidates: Tokens,
    thoughts: u64,
    total: u64,
    tier: Option<ServiceTier>,
    searches: u64,
    file_searches: u64,
    fetches: u64,
    code_runs: u64,
    /// Of a generation whose searches are billed by the answer, not by the query.
    searches_as_one: bool,
}

/// A figure and what of it is neither text nor priced as text. Video and documents are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Tokens {
    all: u64,
    audio: u64,
    image: u64,
}

impl Figures {
    /// Takes over what a chunk reports under `usageMetadata`. What cannot be read is as if it had not come.
    pub(super) fn count(&mut self, metadata: &RawValue) {
        if let Ok(later) = Self::read(metadata) {
            self.merge(&later);
        }
    }

    /// Takes over what a candidate says of the tools that Google ran for it.
    pub(super) fn count_tools(&mut self, candidate: &Fields<'_>) {
        if let Ok(Some(grounding)) = candidate.object("groundingMetadata") {
            newest(&mut self.searches, distinct(&grounding, "webSearchQueries"));
            newest(&mut self.file_searches, distinct(&grounding, "retrievalQueries"));
        }
        if let Ok(Some(fetched)) = candidate.object("urlContextMetadata") {
            let pages = fetched.list("urlMetadata").unwrap_or_default().len();
            newest(&mut self.fetches, u64::try_from(pages).unwrap_or(u64::MAX));
        }
    }

    /// The model ran code.
    pub(super) const fn count_code_run(&mut self) {
        self.code_runs = self.code_runs.saturating_add(1);
    }

    /// Says which model answers.
    pub(super) fn of_model(&mut self, version: &str) {
        self.searches_as_one = before_gemini_3(version);
    }

    fn read(metadata: &RawValue) -> Result<Self, Unreadable> {
        let metadata = &Fields::of_text(metadata.get())?;
        let tier = metadata.text("trafficType")?;
        let tier = tier.or(metadata.text("serviceTier")?);
        Ok(Self {
            prompt: Tokens::read(metadata, "promptTokenCount", "promptTokensDetails")?,
            cached: Tokens::read(metadata, "cachedContentTokenCount", "cacheTokensDetails")?,
            tool_use: Tokens::read(metadata, "toolUsePromptTokenCount", "toolUsePromptTokensDetails")?,
            candidates: Tokens::read(metadata, "candidatesTokenCount", "candidatesTokensDetails")?,
            thoughts: metadata.count("thoughtsTokenCount")?.unwrap_or(0),
            total: metadata.count("totalTokenCount")?.unwrap_or(0),
            tier: tier.as_deref().map(read_tier),
            ..Self::default()
        })
    }

    /// Every chunk reports all so far, or nothing of a figure; so nothing is ever added.
    fn merge(&mut self, later: &Self) {
        self.prompt.merge(later.prompt);
        self.cached.merge(later.cached);
        self.tool_use.merge(later.tool_use);
        self.candidates.merge(later.candidates);
        newest(&mut self.thoughts, later.thoughts);
        newest(&mut self.total, later.total);
        self.tier = later.tier.or(self.tier);
    }

    /// The buckets; `None` when nothing was counted.
    pub(super) fn usage(&self) -> Option<Usage> {
        let cached = self.cached.all.min(self.prompt.all);
        let prompt = Tokens {
            all: self.prompt.all.saturating_sub(cached),
            // Figures by modality are of all the prompt: what of it was cached is counted there.
            audio: self.prompt.audio.saturating_sub(self.cached.audio),
            image: self.prompt.image.saturating_sub(self.cached.image),
        };
        let (prompt, tool_use, candidates) = (prompt.apart(), self.tool_use.apart(), self.candidates.apart());
        let (said, thoughts) = self.output(candidates.all);
        let usage = Usage {
            input_fresh: prompt.all.saturating_add(tool_use.all),
            input_cache_read: cached,
            input_audio: prompt.audio.saturating_add(tool_use.audio),
            input_image: prompt.image.saturating_add(tool_use.image),
            output_text: said,
            output_reasoning: thoughts,
            output_audio: candidates.audio,
            output_image: candidates.image,
            ..self.seen()
        };
        usage.plausible()
    }

    /// What sets the price besides figures.
    pub(super) fn seen(&self) -> Usage {
        Usage {
            web_search_calls: if self.searches_as_one { self.searches.min(1) } else { self.searches },
            web_fetch_calls: self.fetches,
            file_search_calls: self.file_searches,
            code_interpreter_calls: self.code_runs,
            service_tier: self.tier.unwrap_or_default(),
            ..Usage::NONE
        }
    }

    /// What of the output is said and what thought. The total decides where a server counts thoughts as part of the
    /// candidates, or counts them nowhere else.
    fn output(&self, said: u64) -> (u64, u64) {
        let named = self.prompt.all.saturating_add(self.tool_use.all).saturating_add(self.candidates.all);
        if self.thoughts > 0 && self.total == named {
            return (said.saturating_sub(self.thoughts), self.thoughts.min(said));
        }
        (said, if self.thoughts > 0 { self.thoughts } else { self.total.saturating_sub(named) })
    }
}

impl Tokens {
    fn read(metadata: &Fields<'_>, name: &str, details: &str) -> Result<Self, Unreadable> {
        let mut tokens = Self { all: metadata.count(name)?.unwrap_or(0), ..Self::default() };
        for detail in metadata.list(details)? {
            let detail = Fields::of_text(detail.get())?;
            let count = detail.count("tokenCount")?.unwrap_or(0);
            match detail.text("modality")?.as_deref() {
                Some("AUDIO") => tokens.audio = tokens.audio.saturating_add(count),
                Some("IMAGE") => tokens.image = tokens.image.saturating_add(count),
                _ => {}
            }
        }
        Ok(tokens)
    }

    const fn merge(&mut self, later: Self) {
        newest(&mut self.all, later.all);
        newest(&mut self.audio, later.audio);
        newest(&mut self.image, later.image);
    }

    /// The same with `all` being only what is neither audio nor image. Never more than `all` was.
    fn apart(self) -> Self {
        let audio = self.audio.min(self.all);
        let rest = self.all.saturating_sub(audio);
        let image = self.image.min(rest);
        Self { all: rest.saturating_sub(image), audio, image }
    }
}

const fn newest(figure: &mut u64, later: u64) {
    if later > 0 {
        *figure = later;
    }
}

/// How many searches a list of queries was: an empty one is none, and the same twice is one.
fn distinct(grounding: &Fields<'_>, name: &str) -> u64 {
    let queries = grounding.list(name).unwrap_or_default();
    let mut count: u64 = 0;
    // No answer searches more, and each is compared with all before it.
    for (index, query) in queries.iter().take(64).enumerate() {
        let text = query.get();
        if text != "\"\"" && !queries.iter().take(index).any(|other| other.get() == text) {
            count = count.saturating_add(1);
        }
    }
    count
}

fn read_tier(name: &str) -> ServiceTier {
    let known = TIERS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    known.map_or(ServiceTier::Other, |(_, tier)| *tier)
}

/// Writes `usageMetadata`. Google has no figure for what is written to a cache: that is prompt like any other.
pub(super) fn write(usage: &Usage, json: &mut Writer<'_>) {
    let said = usage.output().saturating_sub(usage.output_reasoning);
    json.key("usageMetadata").open_object();
    json.key("promptTokenCount").number(usage.input());
    json.key("candidatesTokenCount").number(said);
    json.key("totalTokenCount").number(usage.input().saturating_add(usage.output()));
    if usage.input_cache_read > 0 {
        json.key("cachedContentTokenCount").number(usage.input_cache_read);
    }
    if usage.output_reasoning > 0 {
        json.key("thoughtsTokenCount").number(usage.output_reasoning);
    }
    write_details("promptTokensDetails", usage.input(), usage.input_audio, usage.input_image, json);
    write_details("candidatesTokensDetails", said, usage.output_audio, usage.output_image, json);
    if usage.service_tier != ServiceTier::Standard
        && let Some((name, _)) = TIERS.iter().find(|(_, tier)| *tier == usage.service_tier)
    {
        json.key("trafficType").text(name);
    }
    json.close_object();
}

fn write_details(name: &str, all: u64, audio: u64, image: u64, json: &mut Writer<'_>) {
    if audio == 0 && image == 0 {
        return;
    }
    let text = all.saturating_sub(audio).saturating_sub(image);
    json.key(name).open_list();
    for (modality, tokens) in [("TEXT", text), ("AUDIO", audio), ("IMAGE", image)] {
        if tokens > 0 {
            json.open_object().key("modality").text(modality);
            json.key("tokenCount").number(tokens);
            json.close_object();
        }
    }
    json.close_list();
}

#[cfg(test)]
mod tests;
