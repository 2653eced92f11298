//! `usage` and what stands beside it: inclusive figures, taken apart and put together again.

use crate::fields::Fields;
use crate::openai_chat::tier_of_name;
use crate::usage::{Remaining, ServiceTier, Usage};
use tollgate_kernel::json::Writer;

/// Calls of tools that OpenAI runs itself, which cost apart. They are no figures but items of the output.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Calls {
    web_search: u64,
    file_search: u64,
    code_interpreter: u64,
    image_generation: u64,
}

impl Calls {
    /// Counts an item of the output.
    pub(super) fn count(&mut self, kind: &str, item: &Fields<'_>) {
        let calls = match kind {
            "web_search_call" if is_search(item) => &mut self.web_search,
            "file_search_call" => &mut self.file_search,
            "code_interpreter_call" => &mut self.code_interpreter,
            "image_generation_call" => &mut self.image_generation,
            _ => return,
        };
        *calls = calls.saturating_add(1);
    }

    /// These and those.
    pub(super) const fn and(self, other: Self) -> Self {
        Self {
            web_search: self.web_search.saturating_add(other.web_search),
            file_search: self.file_search.saturating_add(other.file_search),
            code_interpreter: self.code_interpreter.saturating_add(other.code_interpreter),
            image_generation: self.image_generation.saturating_add(other.image_generation),
        }
    }

    /// A usage of nothing else.
    pub(super) const fn usage(self) -> Usage {
        Usage {
            web_search_calls: self.web_search,
            file_search_calls: self.file_search,
            code_interpreter_calls: self.code_interpreter,
            image_generation_calls: self.image_generation,
            ..Usage::NONE
        }
    }
}

/// Opening a page that was found, or finding a word in it, is not billed.
fn is_search(item: &Fields<'_>) -> bool {
    let kind = details(item, "action").given("type");
    kind.is_none_or(|kind| kind == "search")
}

/// The object `name`; empty when there is none.
fn details<'a>(fields: &Fields<'a>, name: &str) -> Fields<'a> {
    fields.object(name).ok().flatten().unwrap_or_default()
}

/// What sets the price of an answer besides figures.
pub(super) fn seen(answer: &Fields<'_>, calls: Calls) -> Usage {
    let tier = answer.given("service_tier");
    let service_tier = tier.map_or(ServiceTier::Standard, |name| tier_of_name(&name));
    Usage { service_tier, ..calls.usage() }
}

/// Reads what an answer used: its `usage`, `tool_usage` and `service_tier`, and the calls found in its output. What
/// cannot be read is no usage rather than zero, and never spoils the answer it is in.
pub(super) fn read(answer: &Fields<'_>, calls: Calls) -> Option<Usage> {
    let usage = answer.object("usage").ok()??;
    let all_input = usage.count("input_tokens").ok()??;
    let all_output = usage.count("output_tokens").ok()??;
    // Some compatible servers leave reasoning out of `output_tokens` and count it in `total_tokens` only.
    let beyond_input = count(&usage, "total_tokens").unwrap_or(0).saturating_sub(all_input);
    let (mut input, mut output) = (Remaining(all_input), Remaining(all_output.max(beyond_input)));
    let of_input = details(&usage, "input_tokens_details");
    let input_cache_read = input.take(count(&of_input, "cached_tokens"));
    let mut written = Remaining(input.take(count(&of_input, "cache_write_tokens")));
    let input_cache_write_1h = written.take(count(&details(&of_input, SPLIT), "ttl_12h_tokens"));
    let output_reasoning = output.take(count(&details(&usage, "output_tokens_details"), "reasoning_tokens"));
    let tools = details(answer, "tool_usage");
    let images = details(&tools, "image_gen");
    let billed_searches = count(&details(&tools, "web_search"), "num_requests");
    let usage = Usage {
        input_fresh: input.0,
        input_cache_read,
        input_cache_write_5m: written.0,
        input_cache_write_1h,
        output_text: output.0,
        output_reasoning,
        // The model that makes images is another one, and is not in the figures above.
        input_image: count(&images, "input_tokens").unwrap_or(0),
        output_image: count(&images, "output_tokens").unwrap_or(0),
        web_search_calls: billed_searches.unwrap_or(calls.web_search),
        ..seen(answer, calls)
    };
    usage.plausible()
}

const SPLIT: &str = "cache_write_tokens_details";

/// A detail that cannot be read is none.
fn count(fields: &Fields<'_>, name: &str) -> Option<u64> {
    fields.count(name).ok().flatten()
}

/// Writes the value of `usage`. Images and audio are input and output like any other here.
pub(super) fn write(usage: &Usage, json: &mut Writer<'_>) {
    json.open_object();
    json.key("input_tokens").number(usage.input());
    json.key("input_tokens_details").open_object();
    json.key("cached_tokens").number(usage.input_cache_read);
    json.key("cache_write_tokens").number(usage.input_cache_write_5m.saturating_add(usage.input_cache_write_1h));
    json.key(SPLIT).open_object();
    json.key("ttl_30m_tokens").number(usage.input_cache_write_5m);
    json.key("ttl_12h_tokens").number(usage.input_cache_write_1h);
    json.close_object();
    json.close_object();
    json.key("output_tokens").number(usage.output());
    json.key("output_tokens_details").open_object();
    json.key("reasoning_tokens").number(usage.output_reasoning);
    json.close_object();
    json.key("total_tokens").number(usage.input().saturating_add(usage.output()));
    json.close_object();
}

#[cfg(test)]
mod tests;
