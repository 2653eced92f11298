//! `usage` and `service_tier`: OpenAI's inclusive figures, taken apart and put together again.

use crate::fields::{Fields, Unreadable};
use crate::usage::{Remaining, ServiceTier, Usage};
use serde_json::value::RawValue;
use tollgate_kernel::json::Writer;

#[cfg(test)]
mod tests;

const TIERS: [(ServiceTier, &str); 9] = [
    (ServiceTier::Standard, "default"),
    (ServiceTier::Flex, "flex"),
    (ServiceTier::Priority, "priority"),
    (ServiceTier::Provisioned, "scale"),
    // Another word for `priority`, which answers do not use.
    (ServiceTier::Priority, "fast"),
    // What was asked for, where a server repeats it: nothing but the standard was said.
    (ServiceTier::Standard, "auto"),
    // Compatible servers.
    (ServiceTier::Standard, "standard"),
    (ServiceTier::Standard, "on_demand"),
    (ServiceTier::Batch, "batch"),
];

/// The tier of that name.
pub(crate) fn tier_of_name(name: &str) -> ServiceTier {
    TIERS.iter().find(|(_, known)| *known == name).map_or(ServiceTier::Other, |(tier, _)| *tier)
}

/// OpenAI's name of a tier; `None` where it has none.
pub(crate) fn tier_name(tier: ServiceTier) -> Option<&'static str> {
    let names = TIERS.iter().filter(|_| tier != ServiceTier::Batch);
    names.into_iter().find(|(known, _)| *known == tier).map(|(_, name)| *name)
}

/// What was reported so far, in one `usage` or in several.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Figures {
    prompt: Option<u64>,
    completion: Option<u64>,
    total: Option<u64>,
    cached: Option<u64>,
    cache_write: Option<u64>,
    cache_write_12h: Option<u64>,
    input_audio: Option<u64>,
    input_image: Option<u64>,
    reasoning: Option<u64>,
    output_audio: Option<u64>,
    output_image: Option<u64>,
    web_searches: Option<u64>,
    tier: Option<ServiceTier>,
}

impl Figures {
    /// Takes over what an answer or a chunk reports. Figures are cumulative, so nothing is ever added; a later zero does
    /// not erase a figure, because compatible servers fill what they do not count with zeros. A `usage` that cannot be
    /// read is none. Whether anything was reported.
    pub(super) fn merge(&mut self, usage: Option<&RawValue>, tier: Option<&RawValue>) -> bool {
        let before = self.tier;
        let tier = tier.and_then(|tier| serde_json::from_str::<String>(tier.get()).ok());
        self.tier = tier.map(|name| tier_of_name(&name)).or(self.tier);
        let mut merged = *self;
        let reported = usage.is_some_and(|usage| merged.merge_usage(usage).is_ok());
        if reported {
            *self = merged;
        }
        reported || self.tier != before
    }

    fn merge_usage(&mut self, usage: &RawValue) -> Result<(), Unreadable> {
        let usage = Fields::of_text(usage.get())?;
        let none = Fields::default;
        let prompt = usage.object("prompt_tokens_details")?.unwrap_or_else(none);
        let written = prompt.object("cache_write_tokens_details")?.unwrap_or_else(none);
        let completion = usage.object("completion_tokens_details")?.unwrap_or_else(none);
        let tools = usage.object("server_tool_use")?.unwrap_or_else(none);
        for (figure, fields, name) in [
            (&mut self.prompt, &usage, "prompt_tokens"),
            (&mut self.completion, &usage, "completion_tokens"),
            (&mut self.total, &usage, "total_tokens"),
            (&mut self.cache_write, &prompt, "cache_write_tokens"),
            // As the Responses API has it.
            (&mut self.cache_write_12h, &written, "ttl_12h_tokens"),
            (&mut self.input_audio, &prompt, "audio_tokens"),
            (&mut self.input_image, &prompt, "image_tokens"),
            (&mut self.reasoning, &completion, "reasoning_tokens"),
            (&mut self.output_audio, &completion, "audio_tokens"),
            (&mut self.output_image, &completion, "image_tokens"),
        ] {
            newest(figure, fields.count(name)?);
        }
        // DeepSeek's and Moonshot's own places, beside OpenAI's or instead of it.
        for (fields, name) in
            [(&usage, "cached_tokens"), (&usage, "prompt_cache_hit_tokens"), (&prompt, "cached_tokens")]
        {
            newest(&mut self.cached, fields.count(name)?);
        }
        // OpenRouter's and Perplexity's. OpenAI does not report how often its search models search.
        for (fields, name) in [(&usage, "num_search_queries"), (&tools, "web_search_requests")] {
            newest(&mut self.web_searches, fields.count(name)?);
        }
        Ok(())
    }

    /// What was told besides figures.
    pub(super) fn seen(&self) -> Usage {
        Usage {
            web_search_calls: self.web_searches.unwrap_or(0),
            service_tier: self.tier.unwrap_or_default(),
            ..Usage::NONE
        }
    }

    /// The buckets; `None` unless both sides of the exchange were counted.
    pub(super) fn usage(&self) -> Option<Usage> {
        let mut input = Remaining(self.prompt?);
        let mut output = Remaining(self.inclusive_output()?);
        let input_cache_read = input.take(self.cached);
        let mut written = Remaining(input.take(self.cache_write.max(self.cache_write_12h)));
        let input_cache_write_1h = written.take(self.cache_write_12h);
        // Rejected predictions need no bucket: they are billed as text, which is what is left.
        let usage = Usage {
            input_cache_read,
            input_cache_write_5m: written.0,
            input_cache_write_1h,
            input_audio: input.take(self.input_audio),
            input_image: input.take(self.input_image),
            input_fresh: input.0,
            output_reasoning: output.take(self.reasoning),
            output_audio: output.take(self.output_audio),
            output_image: output.take(self.output_image),
            output_text: output.0,
            ..self.seen()
        };
        usage.plausible()
    }

    /// Some compatible servers leave reasoning out of `completion_tokens` and count it in `total_tokens` only.
    fn inclusive_output(&self) -> Option<u64> {
        let beyond_prompt = self.total.unwrap_or(0).saturating_sub(self.prompt.unwrap_or(0));
        self.completion.map(|completion| completion.max(beyond_prompt))
    }
}

fn newest(figure: &mut Option<u64>, later: Option<u64>) {
    if later.is_some_and(|later| later > 0 || figure.is_none()) {
        *figure = later;
    }
}

/// Writes the value of `usage`.
pub(super) fn write(usage: &Usage, json: &mut Writer<'_>) {
    json.open_object();
    json.key("prompt_tokens").number(usage.input());
    json.key("completion_tokens").number(usage.output());
    json.key("total_tokens").number(usage.input().saturating_add(usage.output()));
    json.key("prompt_tokens_details").open_object();
    json.key("cached_tokens").number(usage.input_cache_read);
    let (short, long) = (usage.input_cache_write_5m, usage.input_cache_write_1h);
    json.key("cache_write_tokens").number(short.saturating_add(long));
    if long > 0 {
        json.key("cache_write_tokens_details").open_object();
        json.key("ttl_30m_tokens").number(short);
        json.key("ttl_12h_tokens").number(long);
        json.close_object();
    }
    json.key("audio_tokens").number(usage.input_audio);
    write_nonzero("image_tokens", usage.input_image, json);
    json.close_object();
    json.key("completion_tokens_details").open_object();
    json.key("reasoning_tokens").number(usage.output_reasoning);
    json.key("audio_tokens").number(usage.output_audio);
    write_nonzero("image_tokens", usage.output_image, json);
    json.close_object();
    if usage.web_search_calls > 0 {
        json.key("server_tool_use").open_object();
        json.key("web_search_requests").number(usage.web_search_calls);
        json.close_object();
    }
    json.close_object();
}

fn write_nonzero(name: &str, tokens: u64, json: &mut Writer<'_>) {
    if tokens > 0 {
        json.key(name).number(tokens);
    }
}
