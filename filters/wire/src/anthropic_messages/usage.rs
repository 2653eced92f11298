//! Token figures: Anthropic's cumulative fields to disjoint buckets and back.

use crate::usage::Usage;
use serde::{Deserialize, Serialize};

/// The `usage` object of an answer, of `message_start` and of `message_delta`.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default)]
pub(super) struct Figures {
    input_tokens: Option<u64>,
    cache_read_input_tokens: Option<u64>,
    cache_creation_input_tokens: Option<u64>,
    cache_creation: Option<Creation>,
    output_tokens: Option<u64>,
    output_tokens_details: Option<OutputDetails>,
}

#[derive(Debug, Clone, Copy, Default, Deserialize, Serialize)]
#[serde(default)]
struct Creation {
    ephemeral_5m_input_tokens: Option<u64>,
    ephemeral_1h_input_tokens: Option<u64>,
}

#[derive(Debug, Clone, Copy, Default, Deserialize, Serialize)]
#[serde(default)]
struct OutputDetails {
    thinking_tokens: Option<u64>,
}

impl Figures {
    /// Takes over what a later event reports. Figures are cumulative, so nothing is ever added; a later zero does not
    /// erase a figure, because compatible servers fill the fields they do not count with zeros.
    pub(super) fn merge(&mut self, later: &Self) {
        newest(&mut self.input_tokens, later.input_tokens);
        newest(&mut self.cache_read_input_tokens, later.cache_read_input_tokens);
        newest(&mut self.cache_creation_input_tokens, later.cache_creation_input_tokens);
        newest(&mut self.output_tokens, later.output_tokens);
        if let Some(later) = later.cache_creation {
            let creation = self.cache_creation.get_or_insert_default();
            newest(&mut creation.ephemeral_5m_input_tokens, later.ephemeral_5m_input_tokens);
            newest(&mut creation.ephemeral_1h_input_tokens, later.ephemeral_1h_input_tokens);
        }
        if let Some(later) = later.output_tokens_details {
            newest(&mut self.output_tokens_details.get_or_insert_default().thinking_tokens, later.thinking_tokens);
        }
    }

    /// The buckets; `None` when nothing was counted. All zeros count as nothing: no answer costs no tokens.
    pub(super) fn usage(&self) -> Option<Usage> {
        let creation = self.cache_creation.unwrap_or_default();
        let written_1h = creation.ephemeral_1h_input_tokens.unwrap_or(0);
        // The split may come only in `message_start` and the total grow later: what the split does not name was
        // written for the default time.
        let rest = self.cache_creation_input_tokens.unwrap_or(0).saturating_sub(written_1h);
        let output = self.output_tokens.unwrap_or(0);
        let thinking = self.output_tokens_details.and_then(|details| details.thinking_tokens).unwrap_or(0);
        let usage = Usage {
            input_fresh: self.input_tokens.unwrap_or(0),
            input_cache_read: self.cache_read_input_tokens.unwrap_or(0),
            input_cache_write_5m: creation.ephemeral_5m_input_tokens.unwrap_or(0).max(rest),
            input_cache_write_1h: written_1h,
            output_text: output.saturating_sub(thinking),
            output_reasoning: thinking.min(output),
            ..Usage::default()
        };
        usage.plausible()
    }
}

fn newest(figure: &mut Option<u64>, later: Option<u64>) {
    if later.is_some_and(|later| later > 0) {
        *figure = later;
    }
}

/// A `usage` object to be written. Anthropic has no audio figures: audio counts as plain input and output there.
#[derive(Debug, Serialize)]
pub(super) struct Written {
    input_tokens: u64,
    cache_creation_input_tokens: u64,
    cache_read_input_tokens: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_creation: Option<Creation>,
    output_tokens: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_tokens_details: Option<OutputDetails>,
}

impl Written {
    /// For a whole answer and for `message_start`.
    pub(super) fn whole(usage: &Usage) -> Self {
        let creation = Creation {
            ephemeral_5m_input_tokens: Some(usage.input_cache_write_5m),
            ephemeral_1h_input_tokens: Some(usage.input_cache_write_1h),
        };
        Self { cache_creation: Some(creation), ..Self::delta(usage) }
    }

    /// For `message_delta`, which knows no split of the cache writes.
    pub(super) fn delta(usage: &Usage) -> Self {
        let reasoning = usage.output_reasoning;
        Self {
            input_tokens: usage.input_fresh.saturating_add(usage.input_audio),
            cache_creation_input_tokens: usage.input_cache_write_5m.saturating_add(usage.input_cache_write_1h),
            cache_read_input_tokens: usage.input_cache_read,
            cache_creation: None,
            output_tokens: usage.output(),
            output_tokens_details: (reasoning > 0).then_some(OutputDetails { thinking_tokens: Some(reasoning) }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn merged(events: &[&str]) -> Option<Usage> {
        let mut figures = Figures::default();
        for event in events {
            figures.merge(&serde_json::from_str(event).unwrap());
        }
        figures.usage()
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
            let event =
                format!(r#"{{"output_tokens":{output},"output_tokens_details":{{"thinking_tokens":{thinking}}}}}"#);
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
    fn what_is_written_reads_back_as_the_same_buckets() {
        let usage = Usage { output_reasoning: 40, ..mixed_ttl() };
        let written = serde_json::to_string(&Written::whole(&usage)).unwrap();
        assert_eq!(merged(&[&written]), Some(usage));
        let audio = Usage { input_fresh: 1, input_audio: 2, output_text: 3, output_audio: 4, ..Usage::default() };
        let written = serde_json::to_string(&Written::delta(&audio)).unwrap();
        assert_eq!(merged(&[&written]), Some(Usage { input_fresh: 3, output_text: 7, ..Usage::default() }));
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
        assert_eq!(Written::whole(&usage).input_tokens, max);
    }
}
