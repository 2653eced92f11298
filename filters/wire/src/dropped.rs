//! What was left out of a client's request, and what the client calls it.

use crate::conversation::Request;
use crate::format::Format;
use Format::{AnthropicMessages, BedrockConverse, GoogleGemini, OpenaiChat, OpenaiResponses};

/// The fields of each format, where they are called otherwise than in [`Request`](crate::conversation::Request).
const NAMES: [(Format, &str, &str); 39] = [
    (OpenaiChat, "cache_control", "prompt_cache_breakpoint"),
    (OpenaiChat, "end_user", "user"),
    (OpenaiChat, "output", "response_format"),
    (OpenaiChat, "reasoning", "reasoning_effort"),
    (OpenaiChat, "tool.strict", "tools.function.strict"),
    (OpenaiResponses, "cache_control", "prompt_cache_breakpoint"),
    (OpenaiResponses, "end_user", "user"),
    (OpenaiResponses, "output", "text.format"),
    (OpenaiResponses, "tool.strict", "tools.strict"),
    (AnthropicMessages, "end_user", "metadata.user_id"),
    (AnthropicMessages, "output", "output_config.format"),
    (AnthropicMessages, "parallel_tool_calls", "tool_choice.disable_parallel_tool_use"),
    (AnthropicMessages, "reasoning", "thinking"),
    (AnthropicMessages, "reasoning_content", "thinking"),
    (AnthropicMessages, "stop", "stop_sequences"),
    (AnthropicMessages, "tool.strict", "tools.strict"),
    (GoogleGemini, "frequency_penalty", "generationConfig.frequencyPenalty"),
    (GoogleGemini, "metadata", "labels"),
    (GoogleGemini, "output", "generationConfig.responseMimeType"),
    (GoogleGemini, "presence_penalty", "generationConfig.presencePenalty"),
    (GoogleGemini, "reasoning", "generationConfig.thinkingConfig"),
    (GoogleGemini, "reasoning_content", "contents.parts.thoughtSignature"),
    (GoogleGemini, "seed", "generationConfig.seed"),
    (GoogleGemini, "service_tier", "serviceTier"),
    (GoogleGemini, "stop", "generationConfig.stopSequences"),
    (GoogleGemini, "temperature", "generationConfig.temperature"),
    (GoogleGemini, "top_k", "generationConfig.topK"),
    (GoogleGemini, "top_p", "generationConfig.topP"),
    (BedrockConverse, "cache_control", "cachePoint"),
    (BedrockConverse, "metadata", "requestMetadata"),
    (BedrockConverse, "output", "outputConfig.textFormat"),
    (BedrockConverse, "reasoning", "additionalModelRequestFields.thinking"),
    (BedrockConverse, "reasoning_content", "reasoningContent"),
    (BedrockConverse, "service_tier", "serviceTier"),
    (BedrockConverse, "stop", "inferenceConfig.stopSequences"),
    (BedrockConverse, "temperature", "inferenceConfig.temperature"),
    (BedrockConverse, "tool.strict", "toolConfig.tools.toolSpec.strict"),
    (BedrockConverse, "top_k", "additionalModelRequestFields.top_k"),
    (BedrockConverse, "top_p", "inferenceConfig.topP"),
];

/// The neutral names of what a request that is being written cannot say.
#[derive(Debug, Default)]
pub(crate) struct Dropped(Vec<&'static str>);

impl Dropped {
    #[inline(never)]
    pub(crate) fn push(&mut self, name: &'static str) {
        self.0.push(name);
    }

    pub(crate) fn push_if(&mut self, is_asked: bool, name: &'static str) {
        if is_asked {
            self.push(name);
        }
    }

    #[cfg(test)]
    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The request was written: adds all to [`Request::dropped`].
    pub(crate) fn note_in(self, request: &mut Request) {
        for name in self.0 {
            request.note_dropped(name);
        }
    }
}

impl Format {
    /// What a client of this format calls the field that [`Request::dropped`](crate::conversation::Request::dropped) has
    /// under `name`.
    #[must_use]
    pub fn field_name(self, name: &'static str) -> &'static str {
        NAMES.iter().find(|(format, neutral, _)| (*format, *neutral) == (self, name)).map_or(name, |(.., own)| own)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn a_client_is_told_of_its_own_fields() {
        assert_eq!(AnthropicMessages.field_name("stop"), "stop_sequences");
        assert_eq!(OpenaiChat.field_name("stop"), "stop");
        assert_eq!(GoogleGemini.field_name("seed"), "generationConfig.seed");
        assert_eq!(BedrockConverse.field_name("guardrailConfig"), "guardrailConfig", "its own already");
    }
}
