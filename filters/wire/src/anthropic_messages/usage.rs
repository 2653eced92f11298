//! Token figures: Anthropic's cumulative fields to disjoint buckets and back.

use crate::fields::{Fields, list};
use crate::usage::{ServiceTier, Usage};
use serde_json::value::RawValue;
use tollgate_kernel::json::Writer;

/// The `usage` object of an answer, of `message_start` and of `message_delta`. A figure of 0 is one that was not told:
/// compatible servers fill the fields they do not count with zeros.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Figures {
    told: Tokens,
    thinking: u64,
    /// Sum of the `iterations` that `told` is made of.
    attempts: Tokens,
    /// Sum of the `iterations` that are no part of `told`.
    beside: Tokens,
    /// A second model is among them.
    advised: bool,
    web_searches: u64,
    web_fetches: u64,
    /// Blocks of the answer that are such calls.
    seen_searches: u64,
    seen_fetches: u64,
    service_tier: Option<ServiceTier>,
    fast: Option<bool>,
    in_one_country: Option<bool>,
}

/// Figures that an answer and each of its iterations have.
#[derive(Debug, Clone, Copy, Default)]
struct Tokens {
    input: u64,
    cache_read: u64,
    cache_creation: u64,
    created_5m: u64,
    created_1h: u64,
    output: u64,
}

impl Figures {
    /// The figures in a `usage` object; `None` when one of them is no figure: the rest would be taken for all.
    pub(super) fn read(usage: &RawValue) -> Option<Self> {
        let usage = Fields::of_text(usage.get()).ok()?;
        let details = inner(&usage, "output_tokens_details")?;
        let tools = inner(&usage, "server_tool_use")?;
        let mut figures = Self {
            told: Tokens::read(&usage)?,
            thinking: figure(&details, "thinking_tokens")?,
            web_searches: figure(&tools, "web_search_requests")?,
            web_fetches: figure(&tools, "web_fetch_requests")?,
            service_tier: usage.given("service_tier").map(|tier| service_tier(&tier)),
            fast: usage.given("speed").map(|speed| speed == "fast"),
            in_one_country: usage.given("inference_geo").map(|geo| geo == "us"),
            ..Self::default()
        };
        if let Some(iterations) = usage.get("iterations") {
            figures.read_iterations(iterations);
        }
        Some(figures)
    }

    /// A beta that tells what the server did in several steps. What a compaction used, and a second model that the first
    /// asked for advice, is in no other figure, and is billed. The other entries should add up to the figures of the whole,
    /// but not when a model declined after it had begun and another took over: then they are more.
    fn read_iterations(&mut self, iterations: &RawValue) {
        for iteration in list(iterations).unwrap_or_default() {
            let Ok(iteration) = Fields::of_text(iteration.get()) else { continue };
            let Some(tokens) = Tokens::read(&iteration) else { continue };
            match iteration.given("type").as_deref() {
                Some("compaction") => self.beside.add(&tokens),
                Some("advisor_message") => {
                    self.beside.add(&tokens);
                    self.advised = true;
                }
                // A model that declined before it wrote anything is not billed.
                Some("message" | "fallback_message") if tokens.output > 0 => self.attempts.add(&tokens),
                _ => {}
            }
        }
    }

    /// Counts a call of a tool that Anthropic runs, as its block begins. Figures come at the end only.
    pub(super) fn count_call(&mut self, tool: &str) {
        let calls = match tool {
            "web_search" => &mut self.seen_searches,
            "web_fetch" => &mut self.seen_fetches,
            _ => return,
        };
        *calls = calls.saturating_add(1);
    }

    /// What sets the price besides figures.
    pub(super) fn seen(&self) -> Usage {
        Usage { web_search_calls: self.seen_searches, web_fetch_calls: self.seen_fetches, ..self.served() }
    }

    /// As what it was served.
    fn served(&self) -> Usage {
        Usage {
            service_tier: self.service_tier.unwrap_or_default(),
            fast: self.fast.unwrap_or(false),
            in_one_country: self.in_one_country.unwrap_or(false),
            ..Usage::NONE
        }
    }

    /// Takes over what a later event reports. Figures are cumulative, so nothing is ever added, and a later zero does not
    /// erase a figure.
    pub(super) fn merge(&mut self, later: &Self) {
        self.told.merge(&later.told);
        self.attempts.merge(&later.attempts);
        self.beside.merge(&later.beside);
        self.advised |= later.advised;
        newest(&mut self.thinking, later.thinking);
        newest(&mut self.web_searches, later.web_searches);
        newest(&mut self.web_fetches, later.web_fetches);
        self.service_tier = later.service_tier.or(self.service_tier);
        self.fast = later.fast.or(self.fast);
        self.in_one_country = later.in_one_country.or(self.in_one_country);
    }

    /// The buckets; `None` when nothing was counted. All zeros count as nothing: no answer costs no tokens.
    ///
    /// What a second model used for its advice is in them too, and marked: it has a price of its own.
    pub(super) fn usage(&self) -> Option<Usage> {
        let mut tokens = self.told.at_least(&self.attempts);
        tokens.add(&self.beside);
        let output_reasoning = self.thinking.min(tokens.output);
        let usage = Usage {
            input_fresh: tokens.input,
            input_cache_read: tokens.cache_read,
            // What the split does not name was written for the default time.
            input_cache_write_5m: tokens.created().saturating_sub(tokens.created_1h),
            input_cache_write_1h: tokens.created_1h,
            output_text: tokens.output.saturating_sub(output_reasoning),
            output_reasoning,
            web_search_calls: self.web_searches,
            web_fetch_calls: self.web_fetches,
            other_models: self.advised,
            ..self.served()
        };
        usage.plausible()
    }
}

impl Tokens {
    fn read(usage: &Fields<'_>) -> Option<Self> {
        let split = inner(usage, "cache_creation")?;
        Some(Self {
            input: figure(usage, "input_tokens")?,
            cache_read: figure(usage, "cache_read_input_tokens")?,
            cache_creation: figure(usage, "cache_creation_input_tokens")?,
            created_5m: figure(&split, "ephemeral_5m_input_tokens")?,
            created_1h: figure(&split, "ephemeral_1h_input_tokens")?,
            output: figure(usage, "output_tokens")?,
        })
    }

    /// All that was written to the cache. The split may come only in `message_start` and the total grow later.
    fn created(&self) -> u64 {
        self.cache_creation.max(self.created_5m.saturating_add(self.created_1h))
    }

    fn merge(&mut self, later: &Self) {
        newest(&mut self.input, later.input);
        newest(&mut self.cache_read, later.cache_read);
        newest(&mut self.cache_creation, later.cache_creation);
        newest(&mut self.created_5m, later.created_5m);
        newest(&mut self.created_1h, later.created_1h);
        newest(&mut self.output, later.output);
    }

    fn at_least(&self, other: &Self) -> Self {
        Self {
            input: self.input.max(other.input),
            cache_read: self.cache_read.max(other.cache_read),
            cache_creation: self.created().max(other.created()),
            created_5m: 0,
            created_1h: self.created_1h.max(other.created_1h),
            output: self.output.max(other.output),
        }
    }

    fn add(&mut self, other: &Self) {
        self.cache_creation = self.created().saturating_add(other.created());
        self.created_5m = 0;
        self.created_1h = self.created_1h.saturating_add(other.created_1h);
        self.input = self.input.saturating_add(other.input);
        self.cache_read = self.cache_read.saturating_add(other.cache_read);
        self.output = self.output.saturating_add(other.output);
    }
}

fn newest(figure: &mut u64, later: u64) {
    if later > 0 {
        *figure = later;
    }
}

/// The figure under `name`, 0 when there is none; `None` when something else stands there.
fn figure(usage: &Fields<'_>, name: &str) -> Option<u64> {
    usage.count(name).ok().map(Option::unwrap_or_default)
}

/// The object under `name`, an empty one when there is none; `None` when something else stands there.
fn inner<'a>(usage: &Fields<'a>, name: &str) -> Option<Fields<'a>> {
    usage.object(name).ok().map(Option::unwrap_or_default)
}

fn service_tier(name: &str) -> ServiceTier {
    match name {
        "standard" => ServiceTier::Standard,
        "priority" => ServiceTier::Priority,
        "batch" => ServiceTier::Batch,
        _ => ServiceTier::Other,
    }
}

/// Writes the `usage` of a whole answer. Anthropic has no figures for audio and images: they count as plain input and
/// output there.
pub(super) fn write_whole(usage: &Usage, out: &mut Writer<'_>) {
    write(usage, true, out);
}

/// Writes the `usage` of `message_start` and `message_delta`. Anthropic tells the split of the cache writes and the tier
/// in the first; ours is mostly written before they are known, so they stand in both, when they are not the usual ones.
pub(super) fn write_delta(usage: &Usage, out: &mut Writer<'_>) {
    write(usage, usage.input_cache_write_1h > 0, out);
}

fn write(usage: &Usage, split: bool, out: &mut Writer<'_>) {
    let fresh = usage.input_fresh.saturating_add(usage.input_audio).saturating_add(usage.input_image);
    let created = usage.input_cache_write_5m.saturating_add(usage.input_cache_write_1h);
    out.open_object();
    out.key("input_tokens").number(fresh);
    out.key("cache_creation_input_tokens").number(created);
    let read = usage.input_cache_read.saturating_add(usage.input_cache_read_audio);
    out.key("cache_read_input_tokens").number(read);
    if split {
        out.key("cache_creation").open_object();
        out.key("ephemeral_5m_input_tokens").number(usage.input_cache_write_5m);
        out.key("ephemeral_1h_input_tokens").number(usage.input_cache_write_1h);
        out.close_object();
    }
    out.key("output_tokens").number(usage.output());
    if usage.output_reasoning > 0 {
        out.key("output_tokens_details").open_object();
        out.key("thinking_tokens").number(usage.output_reasoning);
        out.close_object();
    }
    if usage.web_search_calls > 0 || usage.web_fetch_calls > 0 {
        out.key("server_tool_use").open_object();
        out.key("web_search_requests").number(usage.web_search_calls);
        out.key("web_fetch_requests").number(usage.web_fetch_calls);
        out.close_object();
    }
    match usage.service_tier {
        ServiceTier::Priority => out.key("service_tier").text("priority"),
        ServiceTier::Batch => out.key("service_tier").text("batch"),
        ServiceTier::Standard | ServiceTier::Flex | ServiceTier::Provisioned | ServiceTier::Other => {}
    }
    if usage.in_one_country {
        out.key("inference_geo").text("us");
    }
    if usage.fast {
        out.key("speed").text("fast");
    }
    out.close_object();
}

#[cfg(test)]
mod tests;
